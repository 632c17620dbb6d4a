//! The corpus of the fuzzer, in every test run.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

#[test]
#[expect(clippy::disallowed_methods, reason = "the corpus is read from the repository")]
fn the_corpus_of_every_target_is_split() {
    for (name, _) in TARGETS {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
        let files: Vec<PathBuf> = fs::read_dir(corpus).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in &files {
            let content = fs::read(file).unwrap();
            let outcome = std::panic::catch_unwind(|| run(name, &content));
            assert!(outcome.is_ok(), "{name}: {}", file.display());
        }
    }
}
