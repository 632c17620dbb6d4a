//! Reranking by what was talked about before.

use std::collections::HashSet;

use super::{Reranker, by_scores};
use crate::error::{Error, Result};
use crate::passage::Passage;
use crate::words::content_words;

/// Returns `(1 - weight) * relevance + weight * context` for each text. The relevance is its score, scaled to 0 to 1 among
/// these texts; the context is the share of the words of earlier turns that the text has, where each turn counts `decay` times
/// what the one after it does.
///
/// # Errors
///
/// `InvalidInput` for a weight or decay outside 0 to 1.
pub fn context_scores(
    history: &[impl AsRef<str>],
    texts: &[impl AsRef<str>],
    scores: &[f64],
    weight: f64,
    decay: f64,
) -> Result<Vec<f64>> {
    for (name, value) in [("weight", weight), ("decay", decay)] {
        if !(0.0..=1.0).contains(&value) {
            return Err(Error::invalid(format!("{name}: expected a number from 0 to 1, got {value}")));
        }
    }
    if texts.len() != scores.len() {
        return Err(Error::invalid(format!(
            "scores: expected one for each of {} texts, got {}",
            texts.len(),
            scores.len()
        )));
    }
    let turns: Vec<HashSet<String>> =
        history.iter().map(|turn| content_words(turn.as_ref()).collect()).collect();
    let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let lowest = scores.iter().copied().fold(f64::INFINITY, f64::min);
    let scaled = |score: f64| if highest > lowest { (score - lowest) / (highest - lowest) } else { 1.0 };
    let context = |text: &str| {
        let words: HashSet<String> = content_words(text).collect();
        let (mut sum, mut most, mut turn_weight) = (0.0, 0.0, 1.0);
        for turn in turns.iter().rev().filter(|turn| !turn.is_empty()) {
            let shared = turn.iter().filter(|word| words.contains(*word)).count();
            sum += turn_weight * shared as f64 / turn.len() as f64;
            most += turn_weight;
            turn_weight *= decay;
        }
        if most > 0.0 { sum / most } else { 0.0 }
    };
    let combined = |text: &str, score: f64| (1.0 - weight) * scaled(score) + weight * context(text);
    Ok(texts.iter().map(AsRef::as_ref).zip(scores).map(|(text, score)| combined(text, *score)).collect())
}

/// Reranks by [`context_scores`].
#[derive(Clone, Debug)]
pub struct ContextualReranker {
    /// Earlier turns of the conversation, oldest first.
    pub history: Vec<String>,
    /// How much they count beside relevance, from 0 to 1.
    pub weight: f64,
    /// What a turn counts of what the one after it does.
    pub decay: f64,
}

impl Default for ContextualReranker {
    fn default() -> Self {
        Self { history: Vec::new(), weight: 0.3, decay: 0.7 }
    }
}

impl Reranker for ContextualReranker {
    fn rerank(&self, _query: &str, passages: Vec<Passage>, top_k: usize) -> Result<Vec<Passage>> {
        let texts: Vec<&str> = passages.iter().map(|passage| passage.text.as_str()).collect();
        let scores: Vec<f64> = passages.iter().map(|passage| passage.score).collect();
        let scores = context_scores(&self.history, &texts, &scores, self.weight, self.decay)?;
        by_scores(passages, &scores, top_k)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_turn_counts_most() {
        let texts = ["snakes eat mice", "wheels are made", "lists grow"];
        let rank = |history: &[&str], weight| {
            let scores = context_scores(history, &texts, &[0.5, 0.5, 0.6], weight, 0.5).unwrap();
            super::super::ranking_of_scores(&scores, 3).unwrap()[0].0
        };
        assert_eq!(rank(&["What do snakes eat?", "How are wheels made?"], 0.9), 1);
        assert_eq!(rank(&["How are wheels made?", "What do snakes eat?"], 0.9), 0);
        assert_eq!(rank(&["How are wheels made?"], 0.0), 2);
        assert_eq!(rank(&[], 0.9), 2);
        assert!(context_scores(&[""], &texts, &[0.0; 3], 1.5, 0.5).is_err());
    }
}
