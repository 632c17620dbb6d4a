//! Several rerankers as one.

use std::collections::HashMap;

use super::{Reranker, in_order};
use crate::error::{Error, Result};
use crate::fusion::{Normalization, Scored, weighted_fusion};
use crate::passage::Passage;

/// Ranks by the weighted sum of what several rerankers say, each scaled to 0 to 1.
#[derive(Default)]
pub struct EnsembleReranker<'a> {
    members: Vec<(Box<dyn Reranker + 'a>, f64)>,
    normalization: Normalization,
}

impl<'a> EnsembleReranker<'a> {
    /// Makes an ensemble of nobody, which leaves the order as it is.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a reranker with its weight. Weights count relative to each other.
    #[must_use]
    pub fn add(mut self, reranker: impl Reranker + 'a, weight: f64) -> Self {
        self.members.push((Box::new(reranker), weight));
        self
    }

    /// Sets how the scores of one are made comparable with those of another.
    #[must_use]
    pub fn normalization(mut self, normalization: Normalization) -> Self {
        self.normalization = normalization;
        self
    }
}

impl<'a> Reranker for EnsembleReranker<'a> {
    fn rerank(&self, query: &str, mut passages: Vec<Passage>, top_k: usize) -> Result<Vec<Passage>> {
        let total: f64 = self.members.iter().map(|(_, weight)| weight).sum();
        if self.members.is_empty() {
            passages.truncate(top_k);
            return Ok(passages);
        }
        if total.is_nan() || total <= 0.0 {
            return Err(Error::invalid(format!("weights: expected a sum above 0, got {total}")));
        }
        let places: HashMap<&str, usize> =
            passages.iter().enumerate().map(|(at, passage)| (passage.id.as_str(), at)).collect();
        if places.len() != passages.len() {
            return Err(Error::invalid("passages: expected distinct ids".to_owned()));
        }
        let run = |(reranker, _): &(Box<dyn Reranker + 'a>, f64)| {
            let ranked = reranker.rerank(query, passages.clone(), passages.len())?;
            let place = |passage: &Passage| Some((*places.get(passage.id.as_str())?, passage.score));
            Ok(ranked.iter().filter_map(place).collect::<Vec<Scored>>())
        };
        let runs: Vec<Vec<Scored>> = self.members.iter().map(run).collect::<Result<_>>()?;
        let weights: Vec<f64> = self.members.iter().map(|(_, weight)| weight / total).collect();
        let mut fused = weighted_fusion(&runs, &weights, self.normalization)?;
        fused.truncate(top_k);
        Ok(in_order(passages, &fused))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{IdentityReranker, ScoreReranker};
    use super::*;

    #[test]
    fn the_weightier_wins() {
        let by_length = |weight| {
            let length = ScoreReranker::new(|passage: &Passage| Ok(passage.text.len() as f64));
            EnsembleReranker::new().add(IdentityReranker, 1.0).add(length, weight)
        };
        let passages = vec![Passage::new("a", "x", 0.9), Passage::new("b", "xxx", 0.1)];
        assert_eq!(by_length(2.0).rerank("", passages.clone(), 1).unwrap()[0].id, "b");
        assert_eq!(by_length(0.5).rerank("", passages.clone(), 1).unwrap()[0].id, "a");
        assert!(by_length(-1.0).rerank("", passages.clone(), 1).is_err());
        assert_eq!(EnsembleReranker::new().rerank("", passages, 5).unwrap().len(), 2);
    }
}
