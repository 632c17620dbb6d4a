//! Texts that say nearly the same, found by the runs of words they share.

use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_64;

use crate::words::words;

/// Words of a run. Runs of three tell apart texts that only share a vocabulary.
const RUN_WORDS: usize = 3;

/// The runs of words of a text, by their hashes.
struct Runs(HashSet<u64>);

impl Runs {
    fn new(text: &str) -> Self {
        let words: Vec<String> = words(text).collect();
        if words.len() < RUN_WORDS {
            return Self(HashSet::from([xxh3_64(words.join(" ").as_bytes())]));
        }
        Self(words.windows(RUN_WORDS).map(|run| xxh3_64(run.join(" ").as_bytes())).collect())
    }

    /// Returns the share of the smaller text's runs that the other has too.
    fn overlap(&self, other: &Self) -> f64 {
        let shared = self.0.intersection(&other.0).count();
        shared as f64 / self.0.len().min(other.0.len()) as f64
    }
}

/// Returns the places of the texts that remain when each that shares at least `threshold` of its runs of three words with one
/// before it is left out. A text that another contains shares all of them.
///
/// O(texts squared x words).
///
/// ```
/// let texts = ["The engine keeps vectors in segments.", "the engine keeps vectors in segments", "Another thing."];
/// assert_eq!(vecstore_rag::without_near_duplicates(&texts, 0.9), [0, 2]);
/// ```
pub fn without_near_duplicates(texts: &[impl AsRef<str>], threshold: f64) -> Vec<usize> {
    let mut kept: Vec<(usize, Runs)> = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let runs = Runs::new(text.as_ref());
        if kept.iter().all(|(_, before)| runs.overlap(before) < threshold) {
            kept.push((at, runs));
        }
    }
    kept.into_iter().map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contained_text_is_a_duplicate_and_a_like_one_is_not() {
        let long = "The log is written first. Then the segment is sealed, and the manifest names it.";
        let texts =
            [long, "then the segment is sealed", "The log is read first, and a segment names the manifest."];
        assert_eq!(without_near_duplicates(&texts, 0.8), [0, 2]);
        assert_eq!(without_near_duplicates(&["a", "a", "b", ""], 1.0), [0, 2, 3]);
        assert_eq!(without_near_duplicates(&texts, 1.1), [0, 1, 2]);
    }
}
