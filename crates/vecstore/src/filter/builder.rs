//! The Rust spelling: `field("price").lt(10) & !field("tags").eq("old")`.

use std::ops::{BitAnd, BitOr, Not};

use crate::filter::{Condition, Filter, GeoPoint};
use crate::metadata::Value;

/// Starts a condition on the field at a dotted path.
///
/// # Examples
///
/// ```
/// use vecstore::field;
///
/// let filter = field("price").between(5, 10) & (field("tags").eq("new") | !field("author.name").exists(true));
/// assert!(filter.check().is_ok());
/// ```
pub fn field(path: impl Into<String>) -> FieldBuilder {
    FieldBuilder { path: Some(path.into()) }
}

/// Starts a condition on the list element at hand, for use inside [`FieldBuilder::elem_match`].
///
/// # Examples
///
/// ```
/// use vecstore::{element, field};
///
/// let filter = field("scores").elem_match(element().gt(3) & element().lt(5));
/// assert!(filter.check().is_ok());
/// ```
pub fn element() -> FieldBuilder {
    FieldBuilder { path: None }
}

/// What a condition is about; each method makes a [`Filter`] of the [`Condition`] of the same name.
#[derive(Clone, Debug)]
pub struct FieldBuilder {
    path: Option<String>,
}

macro_rules! conditions {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) => $condition:expr;)*) => {$(
        $(#[$doc])*
        pub fn $name(self, $($argument: $type),*) -> Filter {
            self.condition($condition)
        }
    )*};
}

impl FieldBuilder {
    /// Makes a filter of any condition.
    pub fn condition(self, condition: Condition) -> Filter {
        match self.path {
            Some(path) => Filter::Field { path, condition },
            None => Filter::Element(condition),
        }
    }

    conditions! {
        /// Matches a value equal to `value`, or a list with an element that is.
        eq(value: impl Into<Value>) => Condition::Eq(value.into());
        /// Matches what `eq` does not.
        ne(value: impl Into<Value>) => Condition::Ne(value.into());
        /// Matches a value of the same type greater than `value`.
        gt(value: impl Into<Value>) => Condition::Gt(value.into());
        /// Matches a value of the same type greater than or equal to `value`.
        gte(value: impl Into<Value>) => Condition::Gte(value.into());
        /// Matches a value of the same type less than `value`.
        lt(value: impl Into<Value>) => Condition::Lt(value.into());
        /// Matches a value of the same type less than or equal to `value`.
        lte(value: impl Into<Value>) => Condition::Lte(value.into());
        /// Matches a value from `low` to `high`, both included.
        between(low: impl Into<Value>, high: impl Into<Value>) => Condition::Between(low.into(), high.into());
        /// Matches a value equal to one of `values`, or a list with an element that is.
        is_in(values: impl IntoIterator<Item = impl Into<Value>>) => Condition::In(owned(values));
        /// Matches what `is_in` does not.
        not_in(values: impl IntoIterator<Item = impl Into<Value>>) => Condition::NotIn(owned(values));
        /// Matches if the path is present, even as null; with `false`, if it is absent.
        exists(present: bool) => Condition::Exists(present);
        /// Matches a list with an element equal to `value`, or a string with it as a substring.
        contains(value: impl Into<Value>) => Condition::Contains(value.into());
        /// Matches a list or string that contains one of `values`.
        contains_any(values: impl IntoIterator<Item = impl Into<Value>>) => Condition::ContainsAny(owned(values));
        /// Matches a list or string that contains all of `values`.
        contains_all(values: impl IntoIterator<Item = impl Into<Value>>) => Condition::ContainsAll(owned(values));
        /// Matches a list of `length` elements.
        size(length: u32) => Condition::Size(length);
        /// Matches a string that starts with `prefix`, or a list with an element that does.
        starts_with(prefix: impl Into<String>) => Condition::StartsWith(prefix.into());
        /// Matches a string that ends with `suffix`, or a list with an element that does.
        ends_with(suffix: impl Into<String>) => Condition::EndsWith(suffix.into());
        /// Matches a string of the form of `pattern` (`%` any text, `_` one character), or a list with such an element.
        like(pattern: impl Into<String>) => Condition::Like(pattern.into());
        /// Matches a string in which `pattern` is found, or a list with such an element.
        regex(pattern: impl Into<String>) => Condition::Regex { pattern: pattern.into(), flags: String::new() };
        /// Matches as `regex` does, under flags of `i`, `m`, `s` and `x`.
        regex_with_flags(pattern: impl Into<String>, flags: impl Into<String>) =>
            Condition::Regex { pattern: pattern.into(), flags: flags.into() };
        /// Matches a string that has every word of `words`, or a list with such an element.
        text(words: impl Into<String>) => Condition::Text(words.into());
        /// Matches a list with an element that satisfies `filter`, whose paths start at the element.
        elem_match(filter: Filter) => Condition::ElemMatch(Box::new(filter));
        /// Matches a point at most `radius_meters` from `center`.
        geo_radius(center: GeoPoint, radius_meters: f64) => Condition::GeoRadius { center, radius_meters };
        /// Matches a point in the box between two corners.
        geo_box(top_left: GeoPoint, bottom_right: GeoPoint) => Condition::GeoBox { top_left, bottom_right };
    }
}

fn owned(values: impl IntoIterator<Item = impl Into<Value>>) -> Vec<Value> {
    values.into_iter().map(Into::into).collect()
}

impl Filter {
    /// Returns the filter that is true where both are; an `And` on either side is extended, not nested.
    #[must_use]
    pub fn and(mut self, mut other: Self) -> Self {
        let mut all = match &mut self {
            Self::And(filters) => std::mem::take(filters),
            _ => vec![self],
        };
        match &mut other {
            Self::And(filters) => all.append(filters),
            _ => all.push(other),
        }
        Self::And(all)
    }

    /// Returns the filter that is true where either is; an `Or` on either side is extended, not nested.
    #[must_use]
    pub fn or(mut self, mut other: Self) -> Self {
        let mut any = match &mut self {
            Self::Or(filters) => std::mem::take(filters),
            _ => vec![self],
        };
        match &mut other {
            Self::Or(filters) => any.append(filters),
            _ => any.push(other),
        }
        Self::Or(any)
    }
}

impl BitAnd for Filter {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.and(other)
    }
}

impl BitOr for Filter {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}

impl Not for Filter {
    type Output = Self;

    fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}
