//! ROUGE (Lin 2004), with the tokens of the `rouge-score` package: runs of `a-z0-9` after lower-casing, no stemming.

use super::ngrams;
use std::collections::{BTreeSet, HashMap};

/// Precision, recall and their harmonic mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overlap {
    /// The share of the answer that is in the reference.
    pub precision: f64,
    /// The share of the reference that is in the answer.
    pub recall: f64,
    /// Their harmonic mean; 0 where both are 0.
    pub f1: f64,
}

impl Overlap {
    fn new(shared: usize, answer: usize, reference: usize) -> Self {
        let precision = shared as f64 / answer.max(1) as f64;
        let recall = shared as f64 / reference.max(1) as f64;
        let sum = precision + recall;
        Self { precision, recall, f1: if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 } }
    }
}

fn tokens(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit())
        .filter(|token| !token.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Returns the overlap in runs of `n` tokens.
pub fn rouge_n(answer: &str, reference: &str, n: usize) -> Overlap {
    let (answer, reference) = (tokens(answer), tokens(reference));
    let (a, r) = (ngrams::count(&answer, n), ngrams::count(&reference, n));
    Overlap::new(ngrams::shared(&a, &r), a.values().sum(), r.values().sum())
}

/// Returns the overlap in the longest common subsequence of tokens. Costs O(answer x reference); a call that was asked to
/// end (`vecstore_interrupt`) returns what is of no use.
pub fn rouge_l(answer: &str, reference: &str) -> Overlap {
    let (answer, reference) = (tokens(answer), tokens(reference));
    if answer.is_empty() || reference.is_empty() {
        return Overlap::default();
    }
    let mut row = vec![0_usize; answer.len() + 1];
    for token in reference.iter().take_while(|_| !vecstore_interrupt::is_requested()) {
        let mut diagonal = 0;
        for (at, other) in answer.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if token == other { diagonal + 1 } else { above.max(row[at]) };
            diagonal = above;
        }
    }
    Overlap::new(row[answer.len()], answer.len(), reference.len())
}

/// Returns the overlap of summaries, sentence by sentence, where sentences are lines: the union of the longest common
/// subsequences of each sentence of the reference with all of the answer's.
///
/// # Examples
/// ```
/// let overlap = vecstore_eval::rouge_lsum("the cat\nsat down", "sat down\nthe cat");
/// assert_eq!(overlap.f1, 1.0);
/// ```
pub fn rouge_lsum(answer: &str, reference: &str) -> Overlap {
    let lines = |text: &str| -> Vec<Vec<String>> {
        text.split('\n').filter(|line| !line.is_empty()).map(tokens).collect()
    };
    let (answer, reference) = (lines(answer), lines(reference));
    let (answer_len, reference_len) =
        (answer.iter().map(Vec::len).sum(), reference.iter().map(Vec::len).sum());
    if answer_len == 0 || reference_len == 0 {
        return Overlap::default();
    }
    let bag = |lines: &[Vec<String>]| {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for token in lines.iter().flatten() {
            *counts.entry(token.clone()).or_insert(0) += 1;
        }
        counts
    };
    let (mut in_answer, mut in_reference) = (bag(&answer), bag(&reference));
    let mut hits = 0;
    for sentence in &reference {
        let union: BTreeSet<usize> =
            answer.iter().flat_map(|other| common_positions(sentence, other)).collect();
        for at in union {
            // Each occurrence counts once, as in ROUGE 1.5.5.
            let (Some(a), Some(r)) = (in_answer.get_mut(&sentence[at]), in_reference.get_mut(&sentence[at]))
            else {
                continue;
            };
            if *a > 0 && *r > 0 {
                hits += 1;
                *a -= 1;
                *r -= 1;
            }
        }
    }
    Overlap::new(hits, answer_len, reference_len)
}

/// Returns the positions in `a` of a longest common subsequence with `b`.
fn common_positions(a: &[String], b: &[String]) -> Vec<usize> {
    let width = b.len() + 1;
    let mut table = vec![0_u32; (a.len() + 1) * width];
    for (i, token) in a.iter().enumerate().take_while(|_| !vecstore_interrupt::is_requested()) {
        for (j, other) in b.iter().enumerate() {
            table[(i + 1) * width + j + 1] = if token == other {
                table[i * width + j] + 1
            } else {
                table[i * width + j + 1].max(table[(i + 1) * width + j])
            };
        }
    }
    // Which of several longest subsequences is taken decides the union; on equal lengths the reference is shortened.
    let (mut i, mut j) = (a.len(), b.len());
    let mut positions = Vec::new();
    while i > 0 && j > 0 {
        if a[i - 1] == b[j - 1] {
            positions.push(i - 1);
            i -= 1;
            j -= 1;
        } else if table[i * width + j - 1] > table[(i - 1) * width + j] {
            j -= 1;
        } else {
            i -= 1;
        }
    }
    positions
}
