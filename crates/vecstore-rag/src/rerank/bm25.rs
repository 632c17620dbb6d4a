//! BM25 over what was found: a search by vectors is sharpened by the words of the query.

use std::collections::HashMap;

use vecstore_text::{Analyzer, Scratch};

use super::{Reranker, by_scores};
use crate::error::{Error, Result};
use crate::passage::Passage;

/// Returns the BM25 score of each text for a query, in Lucene's variant; what its terms are, the analyzer says, and how rare
/// they are is counted among these texts.
///
/// # Errors
///
/// `InvalidInput` for a `k1` that is not a number of at least 0, or a `b` outside 0 to 1.
pub fn bm25_scores(
    query: &str,
    texts: &[impl AsRef<str>],
    k1: f64,
    b: f64,
    analyzer: &Analyzer,
) -> Result<Vec<f64>> {
    let mut scratch = Scratch::default();
    if !(k1 >= 0.0 && k1.is_finite()) {
        return Err(Error::invalid(format!("k1: expected a number of at least 0, got {k1}")));
    }
    if !(0.0..=1.0).contains(&b) {
        return Err(Error::invalid(format!("b: expected a number from 0 to 1, got {b}")));
    }
    let mut terms: HashMap<String, usize> = HashMap::new();
    analyzer.analyze(query, &mut scratch, |term| {
        let next = terms.len();
        terms.entry(term.term.to_owned()).or_insert(next);
    });
    let mut frequencies = vec![vec![0.0; terms.len()]; texts.len()];
    let mut holders = vec![0.0; terms.len()];
    let mut lengths = vec![0.0; texts.len()];
    for (at, text) in texts.iter().enumerate() {
        analyzer.analyze(text.as_ref(), &mut scratch, |found| {
            lengths[at] += 1.0;
            if let Some(&term) = terms.get(found.term) {
                frequencies[at][term] += 1.0;
            }
        });
        for (term, holders) in holders.iter_mut().enumerate() {
            *holders += f64::from(frequencies[at][term] > 0.0);
        }
    }
    let count = texts.len() as f64;
    let mean = lengths.iter().sum::<f64>() / count;
    let rarities: Vec<f64> =
        holders.iter().map(|held| (1.0 + (count - held + 0.5) / (held + 0.5)).ln()).collect();
    let score = |(frequencies, length): (&Vec<f64>, &f64)| {
        let norm = k1 * (1.0 - b + b * length / mean);
        let term = |(frequency, rarity): (&f64, &f64)| {
            if *frequency == 0.0 { 0.0 } else { rarity * frequency / (frequency + norm) }
        };
        frequencies.iter().zip(&rarities).map(term).sum()
    };
    Ok(frequencies.iter().zip(&lengths).map(score).collect())
}

/// Reranks by [`bm25_scores`].
#[derive(Clone, Copy, Debug)]
pub struct Bm25Reranker {
    /// How soon further occurrences of a word stop to count.
    pub k1: f64,
    /// How much the length of a text counts, from 0 to 1.
    pub b: f64,
    /// What makes terms of texts: that of the store, to count as its text search does.
    pub analyzer: Analyzer,
}

impl Default for Bm25Reranker {
    fn default() -> Self {
        Self { k1: 1.2, b: 0.75, analyzer: Analyzer::default() }
    }
}

impl Reranker for Bm25Reranker {
    fn rerank(&self, query: &str, passages: Vec<Passage>, top_k: usize) -> Result<Vec<Passage>> {
        let texts: Vec<&str> = passages.iter().map(|passage| passage.text.as_str()).collect();
        let scores = bm25_scores(query, &texts, self.k1, self.b, &self.analyzer)?;
        by_scores(passages, &scores, top_k)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_the_formula() {
        let scores = bm25_scores(
            "log Log segment",
            &["the log is a log", "a segment", "nothing"],
            1.2,
            0.75,
            &Analyzer::default(),
        )
        .unwrap();
        let rarity = (1.0_f64 + 2.5 / 1.5).ln();
        let mean = 8.0 / 3.0;
        assert!((scores[0] - rarity * 2.0 / (2.0 + 1.2 * (0.25 + 0.75 * 5.0 / mean))).abs() < 1e-12);
        assert!((scores[1] - rarity / (1.0 + 1.2 * (0.25 + 0.75 * 2.0 / mean))).abs() < 1e-12);
        assert_eq!(scores[2], 0.0);
    }

    #[test]
    fn empty_and_bad_arguments_are_answered() {
        assert_eq!(bm25_scores("a", &[""], 1.2, 0.75, &Analyzer::default()).unwrap(), [0.0]);
        assert_eq!(bm25_scores("", &["a"], 1.2, 0.75, &Analyzer::default()).unwrap(), [0.0]);
        assert!(bm25_scores("a", &[] as &[&str], 1.2, 0.75, &Analyzer::default()).unwrap().is_empty());
        assert!(bm25_scores("a", &["a"], -1.0, 0.5, &Analyzer::default()).is_err());
        assert!(bm25_scores("a", &["a"], 1.0, f64::NAN, &Analyzer::default()).is_err());
    }

    #[test]
    fn terms_are_those_of_the_analyzer() {
        let scores = |analyzer: &str| {
            bm25_scores(
                "Running caf\u{e9}",
                &["runs", "cafe", "other"],
                1.2,
                0.75,
                &analyzer.parse().unwrap(),
            )
            .unwrap()
        };
        let (standard, english) = (scores("standard"), scores("english"));
        assert!(standard[0] == 0.0 && standard[1] > 0.0);
        assert!(english[0] > 0.0 && english[1] > 0.0 && english[2] == 0.0);
    }
}
