//! Promises of metadata: types survive, lookups skip rightly, and no bytes or trees do harm.

mod datetime;
pub(crate) mod document;
mod limits;
pub(crate) mod strategies;
