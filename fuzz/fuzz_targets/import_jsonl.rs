//! Feeds the target `import_jsonl` of `vecstore_exchange::fuzzing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vecstore_exchange::fuzzing::run("import_jsonl", bytes));
