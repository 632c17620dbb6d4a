//! The dict spelling, written.

use crate::error::Result;
use crate::filter::{Condition, Filter, GeoPoint};
use crate::metadata::{Metadata, Value};

impl Filter {
    /// Writes the filter as the dict that [`from_value`](Self::from_value) reads as the same tree.
    ///
    /// # Errors
    ///
    /// `Filter` as [`check`](Self::check): a tree that no dict could spell is not written.
    ///
    /// # Examples
    ///
    /// ```
    /// use vecstore::{Filter, field};
    ///
    /// let filter = field("price").lt(10) | !field("tags").contains("old");
    /// assert_eq!(Filter::from_value(&filter.to_value()?)?, filter);
    /// # Ok::<(), vecstore::Error>(())
    /// ```
    pub fn to_value(&self) -> Result<Value> {
        self.check()?;
        Ok(write(self).into())
    }
}

/// Recursion is bounded: `check` has passed.
fn write(filter: &Filter) -> Metadata {
    let write_all = |filters: &[Filter]| filters.iter().map(write).collect::<Value>();
    match filter {
        Filter::And(filters) if filters.is_empty() => Metadata::new(),
        Filter::And(filters) => Metadata::new().with("$and", write_all(filters)),
        Filter::Or(filters) => Metadata::new().with("$or", write_all(filters)),
        Filter::Not(filter) => Metadata::new().with("$not", write(filter)),
        Filter::Field { path, condition } => Metadata::new().with(path.as_str(), write_condition(condition)),
        Filter::Element(condition) => write_condition(condition),
    }
}

fn write_condition(condition: &Condition) -> Metadata {
    Metadata::new().with(condition.operator(), operand(condition))
}

fn operand(condition: &Condition) -> Value {
    match condition {
        Condition::Eq(operand)
        | Condition::Ne(operand)
        | Condition::Gt(operand)
        | Condition::Gte(operand)
        | Condition::Lt(operand)
        | Condition::Lte(operand)
        | Condition::Contains(operand) => operand.clone(),
        Condition::Between(low, high) => Value::List(vec![low.clone(), high.clone()]),
        Condition::In(operands)
        | Condition::NotIn(operands)
        | Condition::ContainsAny(operands)
        | Condition::ContainsAll(operands) => Value::List(operands.clone()),
        Condition::Exists(present) => Value::Bool(*present),
        Condition::Size(size) => Value::from(*size),
        Condition::StartsWith(text)
        | Condition::EndsWith(text)
        | Condition::Like(text)
        | Condition::Text(text) => Value::from(text),
        Condition::Regex { pattern, flags } if flags.is_empty() => Value::from(pattern),
        Condition::Regex { pattern, flags } => {
            Metadata::new().with("pattern", pattern).with("flags", flags).into()
        }
        Condition::ElemMatch(inner) => write(inner).into(),
        Condition::GeoRadius { center, radius_meters } => {
            Metadata::new().with("center", point(*center)).with("radius", *radius_meters).into()
        }
        Condition::GeoBox { top_left, bottom_right } => Metadata::new()
            .with("top_left", point(*top_left))
            .with("bottom_right", point(*bottom_right))
            .into(),
    }
}

fn point(point: GeoPoint) -> Metadata {
    Metadata::new().with("lat", point.lat).with("lon", point.lon)
}
