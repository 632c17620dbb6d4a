//! Texts that say nearly the same, found by the runs of words they share.

use std::collections::{HashMap, HashSet};

use vecstore::Interrupt;
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
}

/// The texts that are kept so far, and which of them have a run.
#[derive(Default)]
struct Kept {
    /// Of each, its place and how many runs it has.
    texts: Vec<(usize, usize)>,
    with_run: HashMap<u64, Vec<u32>>,
}

impl Kept {
    /// Returns whether some text and another share this part of the runs of the smaller one.
    fn has_like(&self, runs: &Runs, threshold: f64) -> bool {
        let mut shared: HashMap<u32, usize> = HashMap::new();
        for &kept in runs.0.iter().filter_map(|run| self.with_run.get(run)).flatten() {
            *shared.entry(kept).or_insert(0) += 1;
        }
        let share = |(kept, shared): (u32, usize)| {
            shared as f64 / self.texts[kept as usize].1.min(runs.0.len()) as f64
        };
        (threshold <= 0.0 && !self.texts.is_empty()) || shared.into_iter().any(|one| share(one) >= threshold)
    }

    fn push(&mut self, at: usize, runs: Runs) {
        let number = self.texts.len() as u32;
        self.texts.push((at, runs.0.len()));
        runs.0.into_iter().for_each(|run| self.with_run.entry(run).or_default().push(number));
    }
}

/// Returns the places of the texts that remain when each that shares at least `threshold` of its runs of three words with one
/// before it is left out. A text that another contains shares all of them.
///
/// O(words), and as much again for each run of words that several texts have. A call that was asked to end
/// ([`Interrupt`]) returns those of the texts it got to.
///
/// ```
/// let texts = ["The engine keeps vectors in segments.", "the engine keeps vectors in segments", "Another thing."];
/// assert_eq!(vecstore_rag::without_near_duplicates(&texts, 0.9), [0, 2]);
/// ```
pub fn without_near_duplicates(texts: &[impl AsRef<str>], threshold: f64) -> Vec<usize> {
    let interrupt = Interrupt::current();
    let mut kept = Kept::default();
    for (at, text) in texts.iter().enumerate() {
        if interrupt.is_requested() {
            break;
        }
        let runs = Runs::new(text.as_ref());
        if !kept.has_like(&runs, threshold) {
            kept.push(at, runs);
        }
    }
    kept.texts.into_iter().map(|(at, _)| at).collect()
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
        assert_eq!(without_near_duplicates(&texts, 0.0), [0]);
    }

    #[test]
    fn the_same_remain_as_by_comparing_each_with_each() {
        // Words of a small vocabulary, so that many runs are shared.
        let word = |n: usize| ["log", "disk", "sync", "head"][n * n % 7 % 4];
        let texts: Vec<String> = (0..60)
            .map(|n| (0..3 + n % 9).map(|at| word(n / 3 + at * (1 + n % 4))).collect::<Vec<_>>().join(" "))
            .collect();
        for threshold in [0.2, 0.5, 0.8, 1.0] {
            let mut kept: Vec<(usize, Runs)> = Vec::new();
            for (at, text) in texts.iter().enumerate() {
                let runs = Runs::new(text);
                let like = |before: &Runs| {
                    let shared = runs.0.intersection(&before.0).count();
                    shared as f64 / runs.0.len().min(before.0.len()) as f64 >= threshold
                };
                if !kept.iter().any(|(_, before)| like(before)) {
                    kept.push((at, runs));
                }
            }
            let expected: Vec<usize> = kept.into_iter().map(|(at, _)| at).collect();
            assert!(expected.len() > 1 && expected.len() < texts.len());
            assert_eq!(without_near_duplicates(&texts, threshold), expected);
        }
    }
}
