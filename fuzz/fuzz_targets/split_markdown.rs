//! Feeds the target `split_markdown` of `vecstore_text::fuzzing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vecstore_text::fuzzing::run("split_markdown", bytes));
