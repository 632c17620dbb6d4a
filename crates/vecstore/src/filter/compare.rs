//! Equality and order between a stored value and an operand.

use std::cmp::Ordering;

use crate::filter::operand::Operand;
use crate::metadata::{DateTime, ValueRef};

/// 2^63, the first float above every `i64`; exact as a float, as is its negative.
const TWO_POW_63: f64 = 9_223_372_036_854_775_808.0;

/// Compares an integer and a float exactly: neither is rounded. `None` for NaN.
pub(super) fn compare_int_float(int: i64, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    if float >= TWO_POW_63 {
        return Some(Ordering::Less);
    }
    if float < -TWO_POW_63 {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc(); // within i64, so the conversion is exact
    int.cmp(&(whole as i64)).then(0.0.partial_cmp(&(float - whole))?).into()
}

/// Returns the integer a float equals, if there is one.
pub(super) fn float_as_int(float: f64) -> Option<i64> {
    let is_int = float.trunc() == float && (-TWO_POW_63..TWO_POW_63).contains(&float);
    is_int.then_some(float as i64)
}

/// Returns whether a stored value equals an operand, itself and not through its elements.
pub(super) fn equals(stored: ValueRef<'_>, operand: &Operand) -> bool {
    match (stored, operand) {
        (ValueRef::Null, Operand::Null) => true,
        (ValueRef::Bool(stored), Operand::Bool(operand)) => stored == *operand,
        (ValueRef::Bytes(stored), Operand::Bytes(operand)) => stored == operand.as_slice(),
        (ValueRef::Str(stored), Operand::Str { text, .. }) => stored == text.as_str(),
        (ValueRef::List(stored), Operand::List(operands)) => {
            let mut items = stored.iter();
            operands.iter().all(|operand| matches!(items.next(), Some(Ok(item)) if equals(item, operand)))
                && items.next().is_none()
        }
        (ValueRef::Map(stored), Operand::Map(operands)) => {
            stored.count() == operands.len()
                && operands
                    .iter()
                    .all(|(key, operand)| stored.get(key).is_some_and(|value| equals(value, operand)))
        }
        _ => order(stored, operand) == Some(Ordering::Equal),
    }
}

/// Orders a stored value against an operand; `None` where they have no order: other types, null, bools, containers, NaN.
pub(super) fn order(stored: ValueRef<'_>, operand: &Operand) -> Option<Ordering> {
    match (stored, operand) {
        (ValueRef::Int(stored), Operand::Int(operand)) => Some(stored.cmp(operand)),
        (ValueRef::Int(stored), Operand::Float(operand)) => compare_int_float(stored, *operand),
        (ValueRef::Float(stored), Operand::Int(operand)) => {
            compare_int_float(*operand, stored).map(Ordering::reverse)
        }
        (ValueRef::Float(stored), Operand::Float(operand)) => stored.partial_cmp(operand),
        (ValueRef::Str(stored), Operand::Str { text, .. }) => Some(stored.cmp(text.as_str())),
        (ValueRef::Str(stored), Operand::Time(micros)) => {
            DateTime::try_parse(stored).map(|stored| stored.unix_micros().cmp(micros))
        }
        (ValueRef::DateTime(stored), Operand::Time(micros) | Operand::Str { time: Some(micros), .. }) => {
            Some(stored.unix_micros().cmp(micros))
        }
        (ValueRef::Bytes(stored), Operand::Bytes(operand)) => Some(stored.cmp(operand)),
        _ => None,
    }
}
