//! Numbers as keys whose order is the exact order of the numbers, integers and floats together.
//!
//! A key is two words. The upper is the integer part with its sign bit flipped, the lower the fraction (of the sign of
//! the number) as a float whose bits are put in order; both parts of a float are exact. Floats beyond the integers of 64
//! bits have the outermost upper word and themselves as the lower one.

use crate::metadata::Value;

/// A number, or another 64-bit value, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(super) upper: u64,
    pub(super) lower: u64,
}

const SIGN: u64 = 1 << 63;
/// 2^63, the first float above every `i64`.
const TWO_POW_63: f64 = 9_223_372_036_854_775_808.0;

impl Key {
    /// The lower word of an integer, the fraction 0.
    pub(super) const WHOLE: u64 = SIGN;

    pub(super) fn of_int(value: i64) -> Self {
        Self { upper: value as u64 ^ SIGN, lower: Self::WHOLE }
    }

    /// Returns the integer of a key that is one.
    pub(super) fn int(self) -> i64 {
        (self.upper ^ SIGN) as i64
    }

    /// Returns the number; without a fraction it is an integer, if it is in the range of those.
    pub(super) fn value(self) -> Value {
        if self.lower == Self::WHOLE {
            return Value::Int(self.int());
        }
        let lower = f64::from_bits(if self.lower & SIGN == 0 { !self.lower } else { self.lower ^ SIGN });
        // Only of a float beyond the integers is the lower word no fraction.
        Value::Float(if lower.abs() < 1.0 { self.int() as f64 + lower } else { lower })
    }

    /// Returns the two words.
    pub(super) fn words(self) -> [u64; 2] {
        [self.upper, self.lower]
    }

    /// Returns the key of two words.
    pub(super) fn of_words([upper, lower]: [u64; 2]) -> Self {
        Self { upper, lower }
    }

    /// Returns the key of a float; NaN has none.
    pub(super) fn of_float(value: f64) -> Option<Self> {
        if value.is_nan() {
            return None;
        }
        if value >= TWO_POW_63 {
            return Some(Self { upper: u64::MAX, lower: ordered_bits(value) });
        }
        if value < -TWO_POW_63 {
            return Some(Self { upper: 0, lower: ordered_bits(value) });
        }
        let whole = value.trunc();
        Some(Self { lower: ordered_bits(value - whole), ..Self::of_int(whole as i64) })
    }
}

/// Returns bits that order as the floats do; -0.0 is 0.0.
fn ordered_bits(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn float() -> impl Strategy<Value = f64> {
        let near = (any::<i64>(), -2i64..3).prop_map(|(int, off)| (int as f64) + off as f64 / 2.0);
        let edge = prop::sample::select(vec![TWO_POW_63, -TWO_POW_63, -0.0, 5e-324, -5e-324, f64::INFINITY]);
        prop_oneof![any::<u64>().prop_map(f64::from_bits), near, edge, (-4.0..4.0)]
    }

    fn exact(int: i64, float: f64) -> Option<std::cmp::Ordering> {
        if float.is_infinite() {
            return 0.0.partial_cmp(&float);
        }
        let below = float.floor();
        (!float.is_nan()).then(|| (i128::from(int), 0.0).partial_cmp(&(below as i128, float - below)))?
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn keys_order_as_the_numbers_do(a in float(), b in float(), int in any::<i64>(), small in -3i64..4) {
            let (Some(key_a), key_b) = (Key::of_float(a), Key::of_float(b)) else { return Ok(()) };
            prop_assert_eq!(key_b.map(|b| key_a.cmp(&b)), a.partial_cmp(&b));
            match key_a.value() {
                Value::Int(int) => prop_assert_eq!(int as f64, a),
                Value::Float(float) => {
                    prop_assert_eq!(float, a);
                    prop_assert!(a.fract() != 0.0 || a.abs() >= TWO_POW_63);
                }
                other => prop_assert!(false, "{:?}", other),
            }
            prop_assert_eq!(Key::of_int(int).value(), Value::Int(int));
            for int in [int, small, a as i64] {
                prop_assert_eq!(Some(Key::of_int(int).cmp(&key_a)), exact(int, a), "{} {}", int, a);
            }
        }
    }
}
