//! Searching for records that are near a vector and unlike each other.

use std::sync::Arc;

use super::ranking::{Asked, Ranking};
use super::snapshot::Snapshot;
use super::{Collection, count};
use crate::error::Result;
use crate::query::{FoundRow, Hits, Include, MmrQuery, Neighbor, Scoring, mmr};

impl Collection {
    /// Returns records that are near a vector and unlike each other, in the order in which they are chosen: see
    /// [`MmrQuery`]. Scores are those of the search.
    ///
    /// # Errors
    ///
    /// As [`Collection::query`], and `InvalidInput` for a lambda out of range or a `fetch_k` out of range.
    pub fn mmr_query(&self, query: &MmrQuery) -> Result<Vec<Neighbor>> {
        self.search_mmr(query)?.to_neighbors(Include::default())
    }

    /// Does what [`Collection::mmr_query`] does, but leaves the records in the snapshot until they are asked for.
    pub fn search_mmr(&self, query: &MmrQuery) -> Result<Hits> {
        query.check()?;
        let snapshot = self.core.snapshot()?;
        let fetched = query.fetched();
        let ranking = Ranking::new(self, Arc::clone(&snapshot), Asked::Vector(&query.vector), &fetched)?;
        let hits = ranking.hits(&fetched)?;
        let rows: Vec<(FoundRow, f32)> = hits.scored().collect();
        let wanted = query.options.k + query.options.offset;
        let chosen = snapshot.diverse(self.core.scoring, wanted, query.lambda, &rows, |score| score)?;
        count(&self.core.counters.queries, 1);
        Ok(Hits::rescored(snapshot, ranking.scores(), chosen.into_iter().skip(query.options.offset)))
    }
}

impl Snapshot {
    /// Chooses rows by maximal marginal relevance. `relevance` makes one of a score.
    pub(super) fn diverse(
        &self,
        scoring: Scoring,
        k: usize,
        lambda: f32,
        rows: &[(FoundRow, f32)],
        relevance: impl Fn(f32) -> f32,
    ) -> Result<Vec<(FoundRow, f32)>> {
        let vector = |&(found, _): &(FoundRow, f32)| -> Result<(&[f32], f32)> {
            let part = &self.part(found.location()).part;
            let norm = part.inverse_norms_of(scoring, found.row)?.first().copied().unwrap_or(1.0);
            Ok((part.vector(found.row)?, norm))
        };
        let vectors: Vec<(&[f32], f32)> = rows.iter().map(vector).collect::<Result<_>>()?;
        let relevance: Vec<f32> = rows.iter().map(|&(_, score)| relevance(score)).collect();
        let similarity = |a: usize, b: usize| {
            let ((a, norm_a), (b, norm_b)) = (vectors[a], vectors[b]);
            let mut key =
                [scoring.kernels.raw(scoring.op(), a, b) * if scoring.uses_norms() { norm_a } else { 1.0 }];
            scoring.keys(if scoring.uses_norms() { std::slice::from_ref(&norm_b) } else { &[] }, &mut key);
            scoring.score(key[0])
        };
        Ok(mmr(k, lambda, &relevance, similarity).into_iter().map(|at| rows[at]).collect())
    }
}
