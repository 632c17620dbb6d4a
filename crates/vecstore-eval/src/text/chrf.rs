//! chrF and chrF++ (Popovic 2015, 2017): F-scores of runs of characters, and of words.

use super::ngrams;

const CHARACTER_ORDER: usize = 6;
/// Recall counts twice as much as precision.
const BETA_SQUARED: f64 = 4.0;

/// For each order: runs in the answer, in the reference, and in both. Statistics of segments add up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChrfStatistics(Vec<[usize; 3]>);

impl std::ops::AddAssign<&ChrfStatistics> for ChrfStatistics {
    fn add_assign(&mut self, other: &Self) {
        self.0.resize(self.0.len().max(other.0.len()), [0; 3]);
        for (sum, counts) in self.0.iter_mut().zip(&other.0) {
            for (total, count) in sum.iter_mut().zip(counts) {
                *total += count;
            }
        }
    }
}

/// Counts a segment against the reference that it fits best. `word_order` is 0 for chrF and 2 for chrF++.
pub fn chrf_statistics(answer: &str, references: &[&str], word_order: usize) -> ChrfStatistics {
    let mut best = ChrfStatistics::default();
    let mut best_score = -1.0;
    for reference in references {
        let statistics = counts(answer, reference, word_order);
        let score = chrf(&statistics);
        if score > best_score {
            best_score = score;
            best = statistics;
        }
    }
    best
}

fn counts(answer: &str, reference: &str, word_order: usize) -> ChrfStatistics {
    let characters = |text: &str| -> Vec<char> { text.chars().filter(|c| !c.is_whitespace()).collect() };
    let (a, r) = (characters(answer), characters(reference));
    let mut rows: Vec<[usize; 3]> = (1..=CHARACTER_ORDER).map(|order| row(&a, &r, order)).collect();
    if word_order > 0 {
        let (a, r) = (words(answer), words(reference));
        rows.extend((1..=word_order).map(|order| row(&a, &r, order)));
    }
    ChrfStatistics(rows)
}

fn row<T: Eq + std::hash::Hash>(answer: &[T], reference: &[T], order: usize) -> [usize; 3] {
    let (a, r) = (ngrams::count(answer, order), ngrams::count(reference, order));
    // An order the reference is too short for says nothing about the answer.
    let answered = if r.is_empty() { 0 } else { a.values().sum() };
    [answered, r.values().sum(), ngrams::shared(&a, &r)]
}

/// Splits at white space, and one punctuation mark off the end, else off the beginning, of each word.
fn words(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for word in text.split_whitespace() {
        let mut characters = word.chars();
        let (Some(first), last) = (characters.next(), characters.next_back()) else { continue };
        match last {
            Some(last) if last.is_ascii_punctuation() => {
                let end = word.len() - last.len_utf8();
                found.extend([&word[..end], &word[end..]]);
            }
            Some(_) if first.is_ascii_punctuation() => found.extend([&word[..1], &word[1..]]),
            _ => found.push(word),
        }
    }
    found
}

/// Returns chrF from 0 to 1: the F-score of the mean precision and recall over the orders that both texts have.
pub fn chrf(statistics: &ChrfStatistics) -> f64 {
    let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0);
    for &[answer, reference, shared] in &statistics.0 {
        if answer > 0 && reference > 0 {
            precision += shared as f64 / answer as f64;
            recall += shared as f64 / reference as f64;
            orders += 1.0;
        }
    }
    if precision + recall == 0.0 {
        return 0.0;
    }
    crate::retrieval::f_measure(precision / orders, recall / orders, BETA_SQUARED)
}

/// Returns chrF of one sentence (chrF++ with `word_order` 2), from 0 to 1.
///
/// # Examples
/// ```
/// assert!((vecstore_eval::sentence_chrf("abc d", &["abc d"], 0) - 1.0).abs() < 1e-12);
/// ```
pub fn sentence_chrf(answer: &str, references: &[&str], word_order: usize) -> f64 {
    chrf(&chrf_statistics(answer, references, word_order))
}
