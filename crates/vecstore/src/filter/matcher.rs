//! A compiled filter, evaluated on the bytes of a document.

use std::cmp::Ordering;

use regex::Regex;

use crate::filter::compare::{equals, order};
use crate::filter::geo::{Circle, GeoPoint, Rectangle};
use crate::filter::like::LikePattern;
use crate::filter::operand::{Operand, OperandSet};
use crate::filter::text::WordSet;
use crate::metadata::{DocumentRef, ListRef, ValueRef};

/// A filter ready to evaluate, made by [`Filter::compile`](crate::Filter::compile).
///
/// Matching reads the document where it lies and allocates nothing, except that regular expressions may grow a cache
/// of their own per thread. A matcher is `Send + Sync`; share one among threads.
#[derive(Clone, Debug)]
pub struct Matcher {
    pub(crate) root: Node,
}

/// A compiled `Filter`.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Field { path: FieldPath, test: Test },
    Element(Test),
}

/// A path, with whether it has dots found out once.
#[derive(Clone, Debug)]
pub(crate) struct FieldPath {
    text: String,
    is_dotted: bool,
}

/// A compiled `Condition`; the negative ones are a `Node::Not` around these.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Equal(Operand),
    In(OperandSet),
    Ordered(Comparison, Operand),
    Between(Operand, Operand),
    Present,
    Contains(Operand),
    ContainsAny { operands: OperandSet, substrings: Vec<String> },
    ContainsAll(Vec<Operand>),
    Size(u32),
    StartsWith(String),
    EndsWith(String),
    Like(LikePattern),
    Regex(Regex),
    Text(WordSet),
    ElemMatch { inner: Box<Node>, maps_only: bool },
    Circle(Circle),
    Rectangle(Rectangle),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// What a filter is evaluated on.
#[derive(Clone, Copy)]
enum Subject<'a> {
    Document(DocumentRef<'a>),
    Element(ValueRef<'a>),
}

impl Matcher {
    /// Returns whether the document satisfies the filter; malformed bytes read as missing fields.
    pub fn matches(&self, document: DocumentRef<'_>) -> bool {
        self.root.matches(Subject::Document(document))
    }
}

impl Node {
    fn matches(&self, subject: Subject<'_>) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.matches(subject)),
            Self::Any(nodes) => nodes.iter().any(|node| node.matches(subject)),
            Self::Not(node) => !node.matches(subject),
            Self::Field { path, test } => test.matches(path.find(subject)),
            Self::Element(test) => match subject {
                Subject::Element(element) => test.matches(Some(element)),
                Subject::Document(_) => false, // `Filter::check` lets it stand only inside $elem_match
            },
        }
    }
}

impl FieldPath {
    pub(crate) fn new(path: &str) -> Self {
        Self { text: path.to_owned(), is_dotted: path.contains('.') }
    }

    /// Returns the path as it was given.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns what a document has at the path.
    pub(crate) fn find_in<'a>(&self, document: DocumentRef<'a>) -> Option<ValueRef<'a>> {
        self.find(Subject::Document(document))
    }

    fn find<'a>(&self, subject: Subject<'a>) -> Option<ValueRef<'a>> {
        let (Subject::Document(document) | Subject::Element(ValueRef::Map(document))) = subject else {
            return None;
        };
        if self.is_dotted { document.get_path(&self.text) } else { document.get(&self.text) }
    }
}

impl Comparison {
    fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
        }
    }
}

impl Test {
    /// Tests what is stored at a path, or `None` if nothing is.
    pub(crate) fn matches(&self, stored: Option<ValueRef<'_>>) -> bool {
        let Some(stored) = stored else {
            return match self {
                Self::Equal(operand) => matches!(operand, Operand::Null),
                Self::In(operands) => operands.has_null(),
                _ => false,
            };
        };
        match self {
            Self::Equal(operand) => value_or_element(stored, |value| equals(value, operand)),
            Self::In(operands) => value_or_element(stored, |value| operands.contains(value)),
            Self::Ordered(comparison, operand) => {
                order(stored, operand).is_some_and(|order| comparison.accepts(order))
            }
            Self::Between(low, high) => {
                order(stored, low).is_some_and(Ordering::is_ge)
                    && order(stored, high).is_some_and(Ordering::is_le)
            }
            Self::Present => true,
            Self::Contains(operand) => contains(stored, operand),
            Self::ContainsAny { operands, substrings } => match stored {
                ValueRef::List(list) => any_element(list, |element| operands.contains(element)),
                ValueRef::Str(text) => substrings.iter().any(|part| text.contains(part.as_str())),
                _ => false,
            },
            Self::ContainsAll(operands) => {
                matches!(stored, ValueRef::List(_) | ValueRef::Str(_))
                    && operands.iter().all(|operand| contains(stored, operand))
            }
            Self::Size(size) => match stored {
                ValueRef::List(list) => u32::try_from(list.count()) == Ok(*size),
                _ => false,
            },
            Self::StartsWith(prefix) => text_or_element(stored, |text| text.starts_with(prefix.as_str())),
            Self::EndsWith(suffix) => text_or_element(stored, |text| text.ends_with(suffix.as_str())),
            Self::Like(pattern) => text_or_element(stored, |text| pattern.matches(text)),
            Self::Regex(regex) => text_or_element(stored, |text| regex.is_match(text)),
            Self::Text(words) => text_or_element(stored, |text| words.all_in(text)),
            Self::ElemMatch { inner, maps_only } => match stored {
                ValueRef::List(list) => any_element(list, |element| {
                    (!maps_only || matches!(element, ValueRef::Map(_)))
                        && inner.matches(Subject::Element(element))
                }),
                _ => false,
            },
            Self::Circle(circle) => point_or_element(stored, |point| circle.contains(point)),
            Self::Rectangle(rectangle) => point_or_element(stored, |point| rectangle.contains(point)),
        }
    }
}

fn any_element(list: ListRef<'_>, mut test: impl FnMut(ValueRef<'_>) -> bool) -> bool {
    list.iter().any(|element| element.is_ok_and(&mut test))
}

#[inline]
fn value_or_element(stored: ValueRef<'_>, mut test: impl FnMut(ValueRef<'_>) -> bool) -> bool {
    test(stored) || matches!(stored, ValueRef::List(list) if any_element(list, test))
}

fn text_or_element(stored: ValueRef<'_>, mut test: impl FnMut(&str) -> bool) -> bool {
    value_or_element(stored, |value| matches!(value, ValueRef::Str(text) if test(text)))
}

fn point_or_element(stored: ValueRef<'_>, mut test: impl FnMut(GeoPoint) -> bool) -> bool {
    value_or_element(stored, |value| GeoPoint::from_stored(value).is_some_and(&mut test))
}

fn contains(stored: ValueRef<'_>, operand: &Operand) -> bool {
    match (stored, operand) {
        (ValueRef::List(list), _) => any_element(list, |element| equals(element, operand)),
        (ValueRef::Str(stored), Operand::Str { text, .. }) => stored.contains(text.as_str()),
        _ => false,
    }
}
