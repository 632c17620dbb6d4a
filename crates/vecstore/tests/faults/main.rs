//! What a store keeps and what it says when the disk, the power or the process fails. All of it runs on the file
//! system of `vecstore-testkit`; `kill.rs` beside this directory does the same to real processes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod collections;
mod errors;
mod fallback;
mod followers;
mod graphs;
mod hostile;
mod merges;
mod model;
mod repair;
mod rot;
mod script;
mod soak;
mod stop;
mod subject;
mod threads;
mod torn;
