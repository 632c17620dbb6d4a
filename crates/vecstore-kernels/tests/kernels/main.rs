//! The promises of the public methods, on every tier of the CPU that runs the tests.

mod codes;
mod environment;
mod graph;
mod identity;
mod nibbles;
mod oracle;
mod peer;
mod shapes;
mod sign_rows;
mod values;
