//! Feeds the target `marks` of `vecstore::fuzzing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vecstore::fuzzing::run("marks", bytes));
