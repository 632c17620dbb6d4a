//! The operators of the dict spelling and the operands they take.

use crate::error::Result;
use crate::filter::mongo::At;
use crate::filter::{Condition, GeoPoint};
use crate::metadata::{Metadata, Value};

/// Every operator that stands under a field.
pub(super) const FIELD_OPERATORS: [&str; 23] = [
    "$eq",
    "$ne",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$between",
    "$in",
    "$nin",
    "$exists",
    "$contains",
    "$contains_any",
    "$contains_all",
    "$size",
    "$starts_with",
    "$ends_with",
    "$like",
    "$regex",
    "$text",
    "$elem_match",
    "$geo_radius",
    "$geo_box",
    "$not",
];

/// Reads the condition of an operator, `None` if it is unknown. `options` are the flags Mongo puts beside a `$regex`.
pub(super) fn read_condition(
    operator: &str,
    operand: &Value,
    options: Option<&Value>,
    at: &At<'_>,
) -> Result<Option<Condition>> {
    Ok(Some(match operator {
        "$eq" => Condition::Eq(operand.clone()),
        "$ne" => Condition::Ne(operand.clone()),
        "$gt" => Condition::Gt(operand.clone()),
        "$gte" => Condition::Gte(operand.clone()),
        "$lt" => Condition::Lt(operand.clone()),
        "$lte" => Condition::Lte(operand.clone()),
        "$between" => match operand {
            Value::List(bounds) if bounds.len() == 2 => {
                Condition::Between(bounds[0].clone(), bounds[1].clone())
            }
            Value::List(bounds) => {
                return Err(at.fault(&format!("expected a list of 2 bounds, got {} elements", bounds.len())));
            }
            other => return Err(at.expected("a list of 2 bounds", other)),
        },
        "$in" => Condition::In(list(operand, at)?),
        "$nin" => Condition::NotIn(list(operand, at)?),
        "$exists" => match operand {
            Value::Bool(present) => Condition::Exists(*present),
            other => return Err(at.expected("a bool", other)),
        },
        "$contains" => Condition::Contains(operand.clone()),
        "$contains_any" => Condition::ContainsAny(list(operand, at)?),
        "$contains_all" => Condition::ContainsAll(list(operand, at)?),
        "$size" => match operand {
            Value::Int(size) => Condition::Size(
                u32::try_from(*size)
                    .map_err(|_| at.fault(&format!("expected an int from 0 to {}, got {size}", u32::MAX)))?,
            ),
            other => return Err(at.expected("an int", other)),
        },
        "$starts_with" => Condition::StartsWith(text(operand, at)?),
        "$ends_with" => Condition::EndsWith(text(operand, at)?),
        "$like" => Condition::Like(text(operand, at)?),
        "$regex" => regex(operand, options, at)?,
        "$text" => Condition::Text(text(operand, at)?),
        "$geo_radius" => geo_radius(operand, at)?,
        "$geo_box" => geo_box(operand, at)?,
        _ => return Ok(None),
    }))
}

fn list(operand: &Value, at: &At<'_>) -> Result<Vec<Value>> {
    operand.as_list().map(<[Value]>::to_vec).ok_or_else(|| at.expected("a list", operand))
}

fn text(operand: &Value, at: &At<'_>) -> Result<String> {
    operand.as_str().map(str::to_owned).ok_or_else(|| at.expected("a string", operand))
}

fn regex(operand: &Value, options: Option<&Value>, at: &At<'_>) -> Result<Condition> {
    let options = options.map(|flags| text(flags, at)).transpose()?;
    if let Value::Map(map) = operand {
        only_keys(map, &["pattern", "flags"], at)?;
        let pattern = text(required(map, "pattern", at)?, &at.key("pattern"))?;
        let flags = map.get("flags").map(|flags| text(flags, &at.key("flags"))).transpose()?;
        return Ok(Condition::Regex { pattern, flags: flags.or(options).unwrap_or_default() });
    }
    let Value::Str(pattern) = operand else { return Err(at.expected("a string or a map", operand)) };
    Ok(Condition::Regex { pattern: pattern.clone(), flags: options.unwrap_or_default() })
}

fn geo_radius(operand: &Value, at: &At<'_>) -> Result<Condition> {
    let Value::Map(map) = operand else { return Err(at.expected("a map", operand)) };
    only_keys(map, &["center", "radius"], at)?;
    let center = point(required(map, "center", at)?, &at.key("center"))?;
    let radius_meters = number(required(map, "radius", at)?, &at.key("radius"))?;
    Ok(Condition::GeoRadius { center, radius_meters })
}

fn geo_box(operand: &Value, at: &At<'_>) -> Result<Condition> {
    let Value::Map(map) = operand else { return Err(at.expected("a map", operand)) };
    only_keys(map, &["top_left", "bottom_right"], at)?;
    let top_left = point(required(map, "top_left", at)?, &at.key("top_left"))?;
    let bottom_right = point(required(map, "bottom_right", at)?, &at.key("bottom_right"))?;
    Ok(Condition::GeoBox { top_left, bottom_right })
}

/// Reads a point: a map with `lat` and `lon`, or a list of the two in that order.
fn point(value: &Value, at: &At<'_>) -> Result<GeoPoint> {
    match value {
        Value::Map(map) => {
            only_keys(map, &["lat", "lon"], at)?;
            let lat = number(required(map, "lat", at)?, &at.key("lat"))?;
            let lon = number(required(map, "lon", at)?, &at.key("lon"))?;
            Ok(GeoPoint::new(lat, lon))
        }
        Value::List(items) => match items.as_slice() {
            [lat, lon] => Ok(GeoPoint::new(number(lat, at)?, number(lon, at)?)),
            _ => Err(
                at.fault(&format!("expected a list of latitude and longitude, got {} elements", items.len()))
            ),
        },
        other => Err(at.expected("a map of lat and lon", other)),
    }
}

fn number(value: &Value, at: &At<'_>) -> Result<f64> {
    match value {
        Value::Int(number) => Ok(*number as f64),
        Value::Float(number) => Ok(*number),
        other => Err(at.expected("a number", other)),
    }
}

fn required<'a>(map: &'a Metadata, key: &str, at: &At<'_>) -> Result<&'a Value> {
    map.get(key).ok_or_else(|| at.fault(&format!("expected the key `{key}`, got none")))
}

fn only_keys(map: &Metadata, known: &[&str], at: &At<'_>) -> Result<()> {
    match map.keys().find(|key| !known.contains(key)) {
        None => Ok(()),
        Some(key) => Err(at.fault(&format!("expected the keys {}, got `{key}`", known.join(" and ")))),
    }
}
