//! Rerankers: another order for what was found.

mod bm25;
mod context;
mod ensemble;
mod max_sim;
mod mmr;

use crate::error::{CallbackError, Error, Result};
use crate::fusion::{Scored, sort_best_first};
use crate::passage::Passage;

pub use bm25::{Bm25Reranker, bm25_scores};
pub use context::{ContextualReranker, context_scores};
pub use ensemble::EnsembleReranker;
pub use max_sim::{ColbertReranker, max_sim};
pub use mmr::{MmrReranker, cosine_similarities, maximal_marginal_relevance};

/// Puts passages into another order.
pub trait Reranker {
    /// Returns the best `top_k` passages, best first, each with the score it was ranked by.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if passages lack what it ranks by, `Callback` with what a callback failed with.
    fn rerank(&self, query: &str, passages: Vec<Passage>, top_k: usize) -> Result<Vec<Passage>>;
}

/// Leaves the order as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdentityReranker;

impl Reranker for IdentityReranker {
    fn rerank(&self, _query: &str, mut passages: Vec<Passage>, top_k: usize) -> Result<Vec<Passage>> {
        passages.truncate(top_k);
        Ok(passages)
    }
}

/// Ranks by a function of the passage.
#[derive(Clone, Copy, Debug)]
pub struct ScoreReranker<F>(F);

impl<F: Fn(&Passage) -> Result<f64, CallbackError>> ScoreReranker<F> {
    /// Makes a reranker of a function that returns a passage's score.
    pub fn new(score: F) -> Self {
        Self(score)
    }
}

impl<F: Fn(&Passage) -> Result<f64, CallbackError>> Reranker for ScoreReranker<F> {
    fn rerank(&self, _query: &str, passages: Vec<Passage>, top_k: usize) -> Result<Vec<Passage>> {
        let scores: Vec<f64> = passages
            .iter()
            .map(|passage| (self.0)(passage).map_err(Error::Callback))
            .collect::<Result<_>>()?;
        by_scores(passages, &scores, top_k)
    }
}

/// Ranks by a function that reads the query together with each text, as a cross-encoder does.
#[derive(Clone, Copy, Debug)]
pub struct CrossEncoderFn<F>(F);

impl<F: Fn(&str, &[&str]) -> Result<Vec<f64>, CallbackError>> CrossEncoderFn<F> {
    /// Makes a reranker of a function that returns a score for each text; it is given all at once, to batch them.
    pub fn new(scores: F) -> Self {
        Self(scores)
    }
}

impl<F: Fn(&str, &[&str]) -> Result<Vec<f64>, CallbackError>> Reranker for CrossEncoderFn<F> {
    fn rerank(&self, query: &str, passages: Vec<Passage>, top_k: usize) -> Result<Vec<Passage>> {
        if passages.is_empty() {
            return Ok(passages);
        }
        let texts: Vec<&str> = passages.iter().map(|passage| passage.text.as_str()).collect();
        let scores = (self.0)(query, &texts).map_err(Error::Callback)?;
        by_scores(passages, &scores, top_k)
    }
}

/// Returns the order of scores, best first, ties in the order they were given in.
///
/// # Errors
///
/// `InvalidInput` unless there is one number for each of `count`.
pub fn ranking_of_scores(scores: &[f64], count: usize) -> Result<Vec<Scored>> {
    if scores.len() != count {
        return Err(Error::invalid(format!(
            "scores: expected one for each of {count} texts, got {}",
            scores.len()
        )));
    }
    if let Some(at) = scores.iter().position(|score| score.is_nan()) {
        return Err(Error::invalid(format!("scores[{at}]: expected a number, got NaN")));
    }
    let mut ranked: Vec<Scored> = scores.iter().copied().enumerate().collect();
    sort_best_first(&mut ranked);
    Ok(ranked)
}

/// Ranks passages by these scores.
pub(crate) fn by_scores(passages: Vec<Passage>, scores: &[f64], top_k: usize) -> Result<Vec<Passage>> {
    let ranked = ranking_of_scores(scores, passages.len())?;
    Ok(in_order(passages, &ranked[..top_k.min(ranked.len())]))
}

/// Returns the passages of a ranking of distinct places, with its scores.
pub(crate) fn in_order(passages: Vec<Passage>, ranked: &[Scored]) -> Vec<Passage> {
    let mut places: Vec<Option<Passage>> = passages.into_iter().map(Some).collect();
    let taken = ranked.iter().filter_map(|&(at, score)| Some(Passage { score, ..places[at].take()? }));
    taken.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passages() -> Vec<Passage> {
        vec![Passage::new("a", "one", 0.9), Passage::new("b", "three", 0.8), Passage::new("c", "seven", 0.7)]
    }

    fn ids(passages: &[Passage]) -> Vec<&str> {
        passages.iter().map(|passage| passage.id.as_str()).collect()
    }

    #[test]
    fn functions_rank_and_ties_keep_their_order() {
        let by_length = ScoreReranker::new(|passage: &Passage| Ok(passage.text.len() as f64));
        let ranked = by_length.rerank("", passages(), 2).unwrap();
        assert_eq!(ids(&ranked), ["b", "c"]);
        assert_eq!(ranked[0].score, 5.0);
        let pairs = CrossEncoderFn::new(|query: &str, texts: &[&str]| {
            Ok(texts.iter().map(|text| f64::from(text.contains(query))).collect())
        });
        assert_eq!(ids(&pairs.rerank("seven", passages(), 9).unwrap()), ["c", "a", "b"]);
        assert_eq!(ids(&IdentityReranker.rerank("", passages(), 1).unwrap()), ["a"]);
    }

    #[test]
    fn a_callback_that_fails_or_returns_too_few_is_heard() {
        let failing = ScoreReranker::new(|_: &Passage| Err("the model is gone".into()));
        let Err(Error::Callback(error)) = failing.rerank("", passages(), 1) else {
            panic!("a callback's error")
        };
        assert_eq!(error.to_string(), "the model is gone");
        let short = CrossEncoderFn::new(|_: &str, _: &[&str]| Ok(vec![1.0]));
        assert!(short.rerank("", passages(), 1).unwrap_err().to_string().contains("each of 3 texts, got 1"));
        let nan = ScoreReranker::new(|_: &Passage| Ok(f64::NAN));
        assert!(nan.rerank("", passages(), 1).is_err());
    }
}
