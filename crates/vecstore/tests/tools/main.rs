//! Searches beyond the plain ones, each held against what it says, worked out record by record.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod boosts;
mod diverse;
mod duplicates;
mod groups;
mod multi;
mod prefix;
mod recommend;
mod staged;
mod world;
