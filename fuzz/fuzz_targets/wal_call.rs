//! Feeds the target `wal_call` of `vecstore::fuzzing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vecstore::fuzzing::run("wal_call", bytes));
