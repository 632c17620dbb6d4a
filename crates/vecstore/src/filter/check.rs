//! The rules a filter obeys however it was made, checked without recursion.

use crate::error::{Error, Result};
use crate::filter::limits::{
    MAX_FILTER_DEPTH, MAX_FILTER_NODES, MAX_FILTER_PATTERN_BYTES, check_list_len, check_operand,
};
use crate::filter::{Condition, Filter, GeoPoint, text};
use crate::metadata::Value;

impl Filter {
    /// Checks the limits, the paths and the operands; the spellings and [`compile`](Self::compile) do so themselves.
    ///
    /// # Errors
    ///
    /// `Filter` naming the limit and what was got, or the condition at fault.
    pub fn check(&self) -> Result<()> {
        let mut pending = vec![(self, 1, false)];
        let mut nodes = 1;
        while let Some((filter, depth, in_element)) = pending.pop() {
            let inner_in_element = in_element || matches!(filter, Self::Field { .. });
            let inner: &[Self] = match filter {
                Self::And(filters) | Self::Or(filters) => filters,
                Self::Not(inner) => std::slice::from_ref(inner),
                Self::Field { path, condition } => {
                    check_path(path)?;
                    check_condition(condition).map_err(|fault| at_field(path, condition, &fault))?;
                    inner_filters(condition)
                }
                Self::Element(condition) if in_element => {
                    check_condition(condition).map_err(|fault| at_field("element", condition, &fault))?;
                    inner_filters(condition)
                }
                Self::Element(condition) => {
                    return Err(Error::filter(format!(
                        "filter: {} without a field stands only inside $elem_match",
                        condition.operator()
                    )));
                }
            };
            nodes += inner.len();
            check_nodes(nodes)?;
            if !inner.is_empty() && depth == MAX_FILTER_DEPTH {
                return Err(Error::filter(format!(
                    "filter nests too deep: expected at most {MAX_FILTER_DEPTH} levels, got at least {}",
                    depth + 1
                )));
            }
            pending.extend(inner.iter().map(|inner| (inner, depth + 1, inner_in_element)));
        }
        Ok(())
    }
}

fn inner_filters(condition: &Condition) -> &[Filter] {
    match condition {
        Condition::ElemMatch(inner) => std::slice::from_ref(inner),
        _ => &[],
    }
}

pub(super) fn check_nodes(nodes: usize) -> Result<()> {
    if nodes <= MAX_FILTER_NODES {
        return Ok(());
    }
    Err(Error::filter(format!(
        "filter is too large: expected at most {MAX_FILTER_NODES} conditions and logical operators, got at least {nodes}"
    )))
}

fn at_field(path: &str, condition: &Condition, fault: &str) -> Error {
    Error::filter(format!("filter: {} on `{path}`: {fault}", condition.operator()))
}

fn check_path(path: &str) -> Result<()> {
    if path.starts_with('$') {
        return Err(Error::filter(format!(
            "filter: expected a field, got `{path}`: a path cannot start with `$`"
        )));
    }
    Ok(())
}

fn check_condition(condition: &Condition) -> Result<(), String> {
    match condition {
        Condition::Eq(operand) | Condition::Ne(operand) | Condition::Contains(operand) => {
            check_operand(operand)
        }
        Condition::Gt(operand)
        | Condition::Gte(operand)
        | Condition::Lt(operand)
        | Condition::Lte(operand) => check_ordered(operand),
        Condition::Between(low, high) => check_ordered(low).and_then(|()| check_ordered(high)),
        Condition::In(operands)
        | Condition::NotIn(operands)
        | Condition::ContainsAny(operands)
        | Condition::ContainsAll(operands) => {
            check_list_len(operands.len())?;
            operands.iter().try_for_each(check_operand)
        }
        Condition::StartsWith(pattern) | Condition::EndsWith(pattern) | Condition::Like(pattern) => {
            check_pattern(pattern)
        }
        Condition::Regex { pattern, flags } => {
            check_pattern(pattern)?;
            match flags.chars().find(|flag| !"imsx".contains(*flag)) {
                None => Ok(()),
                Some(flag) => {
                    Err(format!("unknown flag `{}`: expected letters of `imsx`", flag.escape_default()))
                }
            }
        }
        Condition::Text(operand) => {
            check_pattern(operand)?;
            match text::words(operand).next() {
                Some(_) => Ok(()),
                None => Err("expected at least one word, got none".to_owned()),
            }
        }
        Condition::GeoRadius { center, radius_meters } => {
            check_point(*center)?;
            if radius_meters.is_finite() && *radius_meters >= 0.0 {
                return Ok(());
            }
            Err(format!("expected a radius of at least 0 metres, got {radius_meters}"))
        }
        Condition::GeoBox { top_left, bottom_right } => {
            check_point(*top_left)?;
            check_point(*bottom_right)?;
            if top_left.lat >= bottom_right.lat {
                return Ok(());
            }
            Err(format!(
                "expected top_left north of bottom_right, got latitudes {} and {}",
                top_left.lat, bottom_right.lat
            ))
        }
        Condition::Exists(_) | Condition::Size(_) | Condition::ElemMatch(_) => Ok(()),
    }
}

/// A bool or null has no order either, but stands for "no record" as SQL and Python's clients expect; a container is a
/// mistake.
fn check_ordered(operand: &Value) -> Result<(), String> {
    match operand {
        Value::List(_) | Value::Map(_) => {
            Err(format!("expected an operand that has an order, got a {}", operand.type_name()))
        }
        _ => Ok(()),
    }
}

fn check_pattern(pattern: &str) -> Result<(), String> {
    if pattern.len() <= MAX_FILTER_PATTERN_BYTES {
        return Ok(());
    }
    Err(format!(
        "the pattern is too long: expected at most {MAX_FILTER_PATTERN_BYTES} bytes, got {}",
        pattern.len()
    ))
}

fn check_point(point: GeoPoint) -> Result<(), String> {
    if point.is_valid() {
        return Ok(());
    }
    Err(format!(
        "expected a latitude from -90 to 90 and a longitude from -180 to 180, got {} and {}",
        point.lat, point.lon
    ))
}
