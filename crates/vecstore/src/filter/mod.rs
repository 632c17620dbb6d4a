//! Filters: predicates over metadata, in one tree with three spellings.
//!
//! A [`Filter`] comes from a Mongo-style dict ([`Filter::from_value`]), from the Rust builder ([`field`]) or from an
//! SQL-like string ([`Filter::parse`]). [`Filter::compile`] turns it into a [`Matcher`] that reads encoded documents.
//! [`Condition`] says what each operator means.

mod ast;
mod builder;
mod check;
mod compare;
mod compile;
mod geo;
mod lexer;
mod like;
mod limits;
mod matcher;
mod mongo;
mod mongo_operators;
mod mongo_write;
mod operand;
mod sql;
mod text;

#[cfg(test)]
pub(crate) mod tests;

pub use ast::{Condition, Filter};
pub use builder::{FieldBuilder, element, field};
pub use geo::GeoPoint;
pub(crate) use geo::Rectangle;
pub(crate) use like::LikePattern;
pub use limits::{
    MAX_FILTER_DEPTH, MAX_FILTER_LIST_LEN, MAX_FILTER_NODES, MAX_FILTER_PATTERN_BYTES, MAX_FILTER_REGEX_BYTES,
};
pub use matcher::Matcher;
pub(crate) use matcher::{Comparison, FieldPath, Node, Test};
pub(crate) use operand::{Operand, OperandSet, Wanted};
