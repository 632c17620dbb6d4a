//! From the tree to the matcher: patterns are built, lists hashed and times read once.

use regex::{Regex, RegexBuilder};

use crate::error::{Error, Result};
use crate::filter::geo::{Circle, Rectangle};
use crate::filter::like::LikePattern;
use crate::filter::limits::MAX_FILTER_REGEX_BYTES;
use crate::filter::matcher::{Comparison, FieldPath, Matcher, Node, Test};
use crate::filter::operand::{Operand, OperandSet};
use crate::filter::text::WordSet;
use crate::filter::{Condition, Filter};

impl Filter {
    /// Prepares the filter for matching.
    ///
    /// # Errors
    ///
    /// `Filter` as [`check`](Self::check), or if a regular expression does not parse or is too large.
    ///
    /// # Examples
    ///
    /// ```
    /// use vecstore::metadata::{DocumentRef, encode};
    /// use vecstore::{Metadata, field};
    ///
    /// let matcher = (field("price").lt(10) & field("name").starts_with("a")).compile()?;
    /// let apple = encode(&Metadata::new().with("name", "apple").with("price", 0.5))?;
    /// assert!(matcher.matches(DocumentRef::new(&apple)?));
    /// # Ok::<(), vecstore::Error>(())
    /// ```
    pub fn compile(&self) -> Result<Matcher> {
        self.check()?;
        Ok(Matcher { root: compile_node(self)? })
    }

    /// Returns whether the filter names a field of the value it is evaluated on.
    fn names_field(&self) -> bool {
        match self {
            Self::And(filters) | Self::Or(filters) => filters.iter().any(Self::names_field),
            Self::Not(filter) => filter.names_field(),
            Self::Field { .. } => true,
            Self::Element(_) => false,
        }
    }
}

/// Recursion is bounded: `check` has passed.
fn compile_node(filter: &Filter) -> Result<Node> {
    let compile_all = |filters: &[Filter]| filters.iter().map(compile_node).collect::<Result<Vec<_>>>();
    Ok(match filter {
        Filter::And(filters) => Node::All(compile_all(filters)?),
        Filter::Or(filters) => Node::Any(compile_all(filters)?),
        Filter::Not(filter) => Node::Not(Box::new(compile_node(filter)?)),
        Filter::Field { path, condition } => {
            let (test, is_negative) =
                compile_test(condition).map_err(|fault| fault_at(&format!("`{path}`"), condition, &fault))?;
            negate_if(is_negative, Node::Field { path: FieldPath::new(path), test })
        }
        Filter::Element(condition) => {
            let (test, is_negative) =
                compile_test(condition).map_err(|fault| fault_at("an element", condition, &fault))?;
            negate_if(is_negative, Node::Element(test))
        }
    })
}

fn negate_if(is_negative: bool, node: Node) -> Node {
    if is_negative { Node::Not(Box::new(node)) } else { node }
}

/// Says which condition is at fault, unless the error comes from inside an `$elem_match` and says so already.
fn fault_at(subject: &str, condition: &Condition, fault: &Fault) -> Error {
    match fault {
        Fault::Inner(error) => error.duplicate(),
        Fault::Pattern(fault) => {
            Error::filter(format!("filter: {} on {subject}: {fault}", condition.operator()))
        }
    }
}

enum Fault {
    Inner(Error),
    Pattern(String),
}

impl From<regex::Error> for Fault {
    fn from(error: regex::Error) -> Self {
        Self::Pattern(match error {
            regex::Error::CompiledTooBig(_) => {
                format!(
                    "the pattern is too large: expected at most {MAX_FILTER_REGEX_BYTES} bytes compiled, got more"
                )
            }
            other => other.to_string(),
        })
    }
}

/// Returns the test, and whether the condition is its complement.
fn compile_test(condition: &Condition) -> Result<(Test, bool), Fault> {
    let positive = match condition {
        Condition::Ne(operand) => return Ok((Test::Equal(operand.into()), true)),
        Condition::NotIn(operands) => return Ok((Test::In(OperandSet::new(operands)), true)),
        Condition::Exists(present) => return Ok((Test::Present, !present)),
        Condition::Eq(operand) => Test::Equal(operand.into()),
        Condition::Gt(operand) => Test::Ordered(Comparison::Greater, operand.into()),
        Condition::Gte(operand) => Test::Ordered(Comparison::GreaterOrEqual, operand.into()),
        Condition::Lt(operand) => Test::Ordered(Comparison::Less, operand.into()),
        Condition::Lte(operand) => Test::Ordered(Comparison::LessOrEqual, operand.into()),
        Condition::Between(low, high) => Test::Between(low.into(), high.into()),
        Condition::In(operands) => Test::In(OperandSet::new(operands)),
        Condition::Contains(operand) => Test::Contains(operand.into()),
        Condition::ContainsAny(operands) => Test::ContainsAny {
            operands: OperandSet::new(operands),
            substrings: operands.iter().filter_map(|operand| operand.as_str().map(str::to_owned)).collect(),
        },
        Condition::ContainsAll(operands) => Test::ContainsAll(operands.iter().map(Operand::from).collect()),
        Condition::Size(size) => Test::Size(*size),
        Condition::StartsWith(prefix) => Test::StartsWith(prefix.clone()),
        Condition::EndsWith(suffix) => Test::EndsWith(suffix.clone()),
        Condition::Like(pattern) => Test::Like(LikePattern::new(pattern)?),
        Condition::Regex { pattern, flags } => Test::Regex(compile_regex(pattern, flags)?),
        Condition::Text(words) => Test::Text(WordSet::new(words)),
        Condition::ElemMatch(inner) => Test::ElemMatch {
            maps_only: inner.names_field(),
            inner: Box::new(compile_node(inner).map_err(Fault::Inner)?),
        },
        Condition::GeoRadius { center, radius_meters } => Test::Circle(Circle::new(*center, *radius_meters)),
        Condition::GeoBox { top_left, bottom_right } => {
            Test::Rectangle(Rectangle { top_left: *top_left, bottom_right: *bottom_right })
        }
    };
    Ok((positive, false))
}

fn compile_regex(pattern: &str, flags: &str) -> Result<Regex, Fault> {
    let compiled = RegexBuilder::new(pattern)
        .case_insensitive(flags.contains('i'))
        .multi_line(flags.contains('m'))
        .dot_matches_new_line(flags.contains('s'))
        .ignore_whitespace(flags.contains('x'))
        .size_limit(MAX_FILTER_REGEX_BYTES)
        .build()?;
    Ok(compiled)
}
