//! A filter evaluator on decoded trees: recursive, slow, and written from the documentation alone.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::filter::{Condition, Filter, GeoPoint};
use crate::metadata::tests::document::lookup;
use crate::metadata::{DateTime, Value};

/// Evaluates `filter` on `value`: the whole metadata as a map, or a list element.
pub(super) fn holds(filter: &Filter, value: &Value) -> bool {
    match filter {
        Filter::And(filters) => filters.iter().all(|filter| holds(filter, value)),
        Filter::Or(filters) => filters.iter().any(|filter| holds(filter, value)),
        Filter::Not(filter) => !holds(filter, value),
        Filter::Field { path, condition } => satisfies(condition, lookup(value, path)),
        Filter::Element(condition) => satisfies(condition, Some(value)),
    }
}

fn satisfies(condition: &Condition, stored: Option<&Value>) -> bool {
    let null = Value::Null;
    let value = stored.unwrap_or(&null);
    let itself_or_elements = || {
        let elements = value.as_list().unwrap_or_default();
        std::iter::once(value).chain(elements)
    };
    let some_text =
        |test: &dyn Fn(&str) -> bool| itself_or_elements().any(|value| value.as_str().is_some_and(test));
    let some_point =
        |test: &dyn Fn(GeoPoint) -> bool| itself_or_elements().any(|value| point(value).is_some_and(test));
    let contains = |operand: &Value| match value {
        Value::List(items) => items.iter().any(|item| same(item, operand)),
        Value::Str(text) => operand.as_str().is_some_and(|part| text.contains(part)),
        _ => false,
    };
    match condition {
        Condition::Eq(operand) => itself_or_elements().any(|value| same(value, operand)),
        Condition::Ne(operand) => !satisfies(&Condition::Eq(operand.clone()), stored),
        Condition::Gt(operand) => ordering(value, operand) == Some(Ordering::Greater),
        Condition::Lt(operand) => ordering(value, operand) == Some(Ordering::Less),
        Condition::Gte(operand) => {
            matches!(ordering(value, operand), Some(Ordering::Greater | Ordering::Equal))
        }
        Condition::Lte(operand) => matches!(ordering(value, operand), Some(Ordering::Less | Ordering::Equal)),
        Condition::Between(low, high) => {
            satisfies(&Condition::Gte(low.clone()), stored)
                && satisfies(&Condition::Lte(high.clone()), stored)
        }
        Condition::In(operands) => {
            operands.iter().any(|operand| satisfies(&Condition::Eq(operand.clone()), stored))
        }
        Condition::NotIn(operands) => {
            operands.iter().all(|operand| satisfies(&Condition::Ne(operand.clone()), stored))
        }
        Condition::Exists(present) => stored.is_some() == *present,
        Condition::Contains(operand) => contains(operand),
        Condition::ContainsAny(operands) => operands.iter().any(contains),
        Condition::ContainsAll(operands) => {
            matches!(value, Value::List(_) | Value::Str(_)) && operands.iter().all(contains)
        }
        Condition::Size(size) => value.as_list().is_some_and(|items| items.len() == *size as usize),
        Condition::StartsWith(prefix) => some_text(&|text| text.starts_with(prefix.as_str())),
        Condition::EndsWith(suffix) => some_text(&|text| text.ends_with(suffix.as_str())),
        Condition::Like(pattern) => {
            let pattern: Vec<char> = pattern.chars().collect();
            some_text(&|text| like(&pattern, &text.chars().collect::<Vec<_>>()))
        }
        Condition::Regex { pattern, flags } => {
            let flags = if flags.is_empty() { String::new() } else { format!("(?{flags})") };
            let regex =
                regex::Regex::new(&format!("{flags}{pattern}")).expect("the strategy makes valid patterns");
            some_text(&|text| regex.is_match(text))
        }
        Condition::Text(operand) => some_text(&|text| word_set(operand).is_subset(&word_set(text))),
        Condition::ElemMatch(filter) => value.as_list().is_some_and(|items| {
            items.iter().any(|item| (!names_field(filter) || item.as_map().is_some()) && holds(filter, item))
        }),
        Condition::GeoRadius { center, radius_meters } => {
            some_point(&|point| distance_meters(*center, point) <= *radius_meters)
        }
        Condition::GeoBox { top_left, bottom_right } => some_point(&|point| {
            let width = (bottom_right.lon - top_left.lon).rem_euclid(360.0);
            let east = (point.lon - top_left.lon).rem_euclid(360.0);
            east <= width && point.lat <= top_left.lat && point.lat >= bottom_right.lat
        }),
    }
}

fn names_field(filter: &Filter) -> bool {
    match filter {
        Filter::And(filters) | Filter::Or(filters) => filters.iter().any(names_field),
        Filter::Not(filter) => names_field(filter),
        Filter::Field { .. } => true,
        Filter::Element(_) => false,
    }
}

fn same(stored: &Value, operand: &Value) -> bool {
    match (stored, operand) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => ordering(stored, operand) == Some(Ordering::Equal),
    }
}

fn ordering(stored: &Value, operand: &Value) -> Option<Ordering> {
    match (stored, operand) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Float(b)) => int_and_float(*a, *b),
        (Value::Float(a), Value::Int(b)) => int_and_float(*b, *a).map(Ordering::reverse),
        (Value::Str(a), Value::Str(b)) => Some(a.chars().cmp(b.chars())),
        (Value::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
        (Value::DateTime(_) | Value::Str(_), Value::DateTime(_) | Value::Str(_)) => {
            let time = |value: &Value| match value {
                Value::Str(text) => DateTime::parse(text).ok(),
                other => other.as_datetime(),
            };
            Some(time(stored)?.cmp(&time(operand)?))
        }
        _ => None,
    }
}

fn int_and_float(int: i64, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    let below = float.floor() as i128; // saturates far outside i64
    Some(match i128::from(int).cmp(&below) {
        Ordering::Equal if float > float.floor() => Ordering::Less,
        other => other,
    })
}

fn like(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|skip| like(rest, &text[skip..])),
        ['_', rest @ ..] => !text.is_empty() && like(rest, &text[1..]),
        ['\\', literal, rest @ ..] | [literal, rest @ ..] => {
            text.first() == Some(literal) && like(rest, &text[1..])
        }
    }
}

fn word_set(text: &str) -> HashSet<String> {
    let lowered: String = text.chars().flat_map(char::to_lowercase).collect();
    lowered.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn point(value: &Value) -> Option<GeoPoint> {
    let degrees = |key: &str| match value.as_map()?.get(key)? {
        Value::Int(degrees) => Some(*degrees as f64),
        Value::Float(degrees) => Some(*degrees),
        _ => None,
    };
    let (lat, lon) = (degrees("lat")?, degrees("lon")?);
    (lat.abs() <= 90.0 && lon.abs() <= 180.0).then_some(GeoPoint { lat, lon })
}

/// Measures the angle between two vectors to the points, instead of by haversines.
fn distance_meters(a: GeoPoint, b: GeoPoint) -> f64 {
    let vector = |point: GeoPoint| {
        let (lat, lon) = (point.lat.to_radians(), point.lon.to_radians());
        [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
    };
    let (a, b) = (vector(a), vector(b));
    let cross = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
    let sine = cross.iter().map(|x| x * x).sum::<f64>().sqrt();
    let cosine = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    sine.atan2(cosine) * 6_371_008.8
}
