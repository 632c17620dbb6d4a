//! Feeds the target `split_code` of `vecstore_text::fuzzing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vecstore_text::fuzzing::run("split_code", bytes));
