//! Field indexes that callers choose, and what is read from columns: the same answers with and without, after whatever
//! happens to the files.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod choices;
mod equivalence;
mod facets;
mod order;
mod support;
mod upkeep;
