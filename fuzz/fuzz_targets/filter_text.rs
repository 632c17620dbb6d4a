//! Feeds the target `filter_text` of `vecstore::fuzzing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vecstore::fuzzing::run("filter_text", bytes));
