//! The tree every spelling of a filter becomes.

use crate::filter::GeoPoint;
use crate::metadata::Value;

/// A predicate over the metadata of a record.
///
/// Logic is two-valued: a field that is missing equals null, every condition is either true or false, and `Not` is the
/// exact complement. So `$ne`, `$nin` and `Not` are true for records that lack the field.
///
/// A path is dotted. At each map the rest of the path is first looked up as one literal key, then its part before the
/// first dot; at a list that part is a decimal index. A path cannot start with `$`.
///
/// The default filter matches everything. Dropping is iterative, so a tree of any depth can be dropped; cloning,
/// comparing and printing recurse. [`check`](Self::check) tells whether a tree is within the limits.
///
/// # Examples
///
/// ```
/// use vecstore::metadata::{DocumentRef, encode};
/// use vecstore::{Filter, Metadata, Value, field};
///
/// let built = field("price").lt(10) & field("tags").eq("new");
/// let dict = Metadata::new().with("price", Metadata::new().with("$lt", 10)).with("tags", "new");
/// assert_eq!(built, Filter::from_value(&Value::from(dict))?);
/// assert_eq!(built, Filter::parse("price < 10 AND tags = 'new'", &Metadata::new())?);
///
/// let record = encode(&Metadata::new().with("price", 8.5).with("tags", ["new", "red"]))?;
/// assert!(built.compile()?.matches(DocumentRef::new(&record)?));
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Filter {
    /// True if all are; without any, true.
    And(Vec<Filter>),
    /// True if one is; without any, false.
    Or(Vec<Filter>),
    /// True if the filter is false.
    Not(Box<Filter>),
    /// True if what is at the path satisfies the condition.
    Field {
        /// Where in the metadata to look, dotted.
        path: String,
        /// What to ask of what is there, or of its absence.
        condition: Condition,
    },
    /// True if the list element at hand satisfies the condition; stands only inside `Condition::ElemMatch`.
    Element(Condition),
}

/// What is asked of one value, which may be missing.
///
/// Equality is by value: integers and floats compare exactly with each other, a bool equals no number, NaN equals
/// nothing, and lists and maps compare element by element. A datetime and a string that reads as ISO 8601 compare as
/// times; two strings compare as strings.
///
/// Where a condition says "or an element", a stored list satisfies it also when one of its elements does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Condition {
    /// `$eq`: equal to the operand, or an element is. Null also equals a missing field.
    Eq(Value),
    /// `$ne`: not `$eq`.
    Ne(Value),
    /// `$gt`: of the operand's type and greater; strings by code point, bytes by byte. Nothing is ordered against null,
    /// a bool or NaN, nor is a stored list; an operand that is a list or a map is an error.
    Gt(Value),
    /// `$gte`: as `$gt`, or equal.
    Gte(Value),
    /// `$lt`: as `$gt`, but less.
    Lt(Value),
    /// `$lte`: as `$lt`, or equal.
    Lte(Value),
    /// `$between`: `$gte` the first and `$lte` the second.
    Between(Value, Value),
    /// `$in`: `$eq` one of the operands.
    In(Vec<Value>),
    /// `$nin`: not `$in`.
    NotIn(Vec<Value>),
    /// `$exists`: whether the path is present; a null that is stored counts as present.
    Exists(bool),
    /// `$contains`: a list with an element equal to the operand, or a string with the operand as a substring.
    Contains(Value),
    /// `$contains_any`: `$contains` one of the operands.
    ContainsAny(Vec<Value>),
    /// `$contains_all`: a list or a string that `$contains` every operand.
    ContainsAll(Vec<Value>),
    /// `$size`: a list of so many elements.
    Size(u32),
    /// `$starts_with`: a string with that prefix, or an element is.
    StartsWith(String),
    /// `$ends_with`: a string with that suffix, or an element is.
    EndsWith(String),
    /// `$like`: a whole string of the pattern's form, or an element is. `%` is any text, `_` one character, and `\`
    /// makes the next character literal. Case counts.
    Like(String),
    /// `$regex`: a string in which the pattern is found, or an element is. Linear time; no look-around.
    Regex {
        /// The pattern, in the syntax of the `regex` crate.
        pattern: String,
        /// Letters of `i` (ignore case), `m` (lines), `s` (dot matches a line end) and `x` (ignore blanks).
        flags: String,
    },
    /// `$text`: a string that has every word of the operand, or an element is. Words are runs of Unicode letters and
    /// digits, compared in lower case.
    Text(String),
    /// `$elem_match`: a list with an element that satisfies the filter. Fields are looked up in elements that are maps;
    /// a filter that names a field is false for other elements. [`Filter::Element`] asks of the element itself.
    ElemMatch(Box<Filter>),
    /// `$geo_radius`: a point within a great-circle distance, or an element is. A point is a map with numbers `lat` and
    /// `lon`, in degrees.
    GeoRadius {
        /// The centre.
        center: GeoPoint,
        /// The distance in metres, inclusive, on a sphere of 6,371,008.8 m.
        radius_meters: f64,
    },
    /// `$geo_box`: a point inside a box, its borders included, or an element is. A box whose left is greater than its
    /// right crosses the antimeridian.
    GeoBox {
        /// The north-western corner.
        top_left: GeoPoint,
        /// The south-eastern corner.
        bottom_right: GeoPoint,
    },
}

impl Default for Filter {
    fn default() -> Self {
        Self::And(Vec::new())
    }
}

impl Filter {
    /// Moves the direct children that have children to `pending`.
    fn take_parents(&mut self, pending: &mut Vec<Filter>) {
        let mut take = |child: &mut Filter| {
            if child.is_parent() {
                pending.push(std::mem::take(child));
            }
        };
        match self {
            Self::And(children) | Self::Or(children) => children.iter_mut().for_each(&mut take),
            Self::Not(child) => take(child),
            Self::Field { condition: Condition::ElemMatch(child), .. }
            | Self::Element(Condition::ElemMatch(child)) => take(child),
            Self::Field { .. } | Self::Element(_) => {}
        }
    }

    fn is_parent(&self) -> bool {
        match self {
            Self::And(children) | Self::Or(children) => !children.is_empty(),
            Self::Not(_) => true,
            Self::Field { condition, .. } | Self::Element(condition) => {
                matches!(condition, Condition::ElemMatch(_))
            }
        }
    }
}

impl Drop for Filter {
    /// Drops children from a work list: recursion would overflow the stack on a tree built 100,000 levels deep.
    fn drop(&mut self) {
        if !self.is_parent() {
            return;
        }
        let mut pending = Vec::new();
        self.take_parents(&mut pending);
        while let Some(mut filter) = pending.pop() {
            filter.take_parents(&mut pending);
        }
    }
}

impl Condition {
    /// Returns the operator as the dict spells it.
    pub fn operator(&self) -> &'static str {
        match self {
            Self::Eq(_) => "$eq",
            Self::Ne(_) => "$ne",
            Self::Gt(_) => "$gt",
            Self::Gte(_) => "$gte",
            Self::Lt(_) => "$lt",
            Self::Lte(_) => "$lte",
            Self::Between(..) => "$between",
            Self::In(_) => "$in",
            Self::NotIn(_) => "$nin",
            Self::Exists(_) => "$exists",
            Self::Contains(_) => "$contains",
            Self::ContainsAny(_) => "$contains_any",
            Self::ContainsAll(_) => "$contains_all",
            Self::Size(_) => "$size",
            Self::StartsWith(_) => "$starts_with",
            Self::EndsWith(_) => "$ends_with",
            Self::Like(_) => "$like",
            Self::Regex { .. } => "$regex",
            Self::Text(_) => "$text",
            Self::ElemMatch(_) => "$elem_match",
            Self::GeoRadius { .. } => "$geo_radius",
            Self::GeoBox { .. } => "$geo_box",
        }
    }
}
