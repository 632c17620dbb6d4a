//! Feeds the target `filter_dict` of `vecstore::fuzzing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vecstore::fuzzing::run("filter_dict", bytes));
