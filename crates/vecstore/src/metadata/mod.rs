//! Metadata: the typed, ordered map stored beside a vector, and the one binary document it is written as.
//!
//! A [`Metadata`] is the owned tree. On disk and in a filter it is a document: [`encode`] and [`DocumentBuilder`] write
//! one, [`DocumentRef`] walks one without copying, [`decode`] makes the tree again with the same types.

mod builder;
mod datetime;
mod document;
mod map;
mod reader;
mod value;

#[cfg(test)]
pub(crate) mod tests;

pub use builder::DocumentBuilder;
pub use datetime::DateTime;
pub use document::{Document, MAX_METADATA_BYTES, MAX_METADATA_DEPTH, decode, encode};
pub use map::Metadata;
pub use reader::{DocumentRef, Entries, Items, ListRef, ValueRef};
pub use value::Value;
