//! What approximate search over graphs promises: the recall asked for, whatever the filter, the deletes, the input,
//! the moment and the damage.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod changes;
mod concurrency;
mod determinism;
mod filters;
mod inputs;
mod partitions;
mod resident;
mod sets;
