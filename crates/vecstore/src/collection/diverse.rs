//! Searching for records that are near a vector and unlike each other.

use std::sync::Arc;

use super::ranking::{Asked, Ranking};
use super::snapshot::Snapshot;
use super::{Collection, count};
use crate::error::Result;
use crate::query::{FoundRow, Hits, Include, MmrQuery, Neighbor, Scoring, choose_diverse};

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
        let relevance: Vec<f64> = rows.iter().map(|&(_, score)| f64::from(relevance(score))).collect();
        let uses_norms = scoring.uses_norms();
        // The vectors that were chosen, side by side, so that a candidate is compared with many in one scan.
        let (mut beside, mut norms, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        let nearest = |at: usize, chosen: &[usize], from: usize| {
            for &other in &chosen[norms.len()..] {
                let (vector, norm) = vectors[other];
                beside.extend_from_slice(vector);
                norms.push(norm);
            }
            let (vector, norm) = vectors[at];
            keys.clear();
            keys.resize(chosen.len() - from, 0.0);
            scoring.kernels.scan(scoring.op(), vector, &beside[from * vector.len()..], &mut keys);
            if uses_norms {
                keys.iter_mut().for_each(|raw| *raw *= norm);
            }
            scoring.keys(if uses_norms { &norms[from..] } else { &[] }, &mut keys);
            scoring.score(keys.iter().copied().fold(f32::INFINITY, f32::min))
        };
        let chosen = choose_diverse(k, f64::from(lambda), &relevance, nearest);
        Ok(chosen.into_iter().map(|(at, _)| rows[at]).collect())
    }
}
