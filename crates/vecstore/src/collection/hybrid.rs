//! Searching by a vector and by words at once.

use std::sync::Arc;

use super::read::Nearest;
use super::{Collection, Snapshot, count};
use crate::error::Result;
use crate::filter::Filter;
use crate::metadata::DocumentRef;
use crate::query::{
    Arm, FoundRow, Fused, Hits, HybridHits, HybridQuery, Include, Neighbor, Plan, Scores, autocut, fuse,
};

impl Collection {
    /// Returns the records that match a vector and words best, best first, ties broken by id.
    ///
    /// # Errors
    ///
    /// As [`Collection::query`] and [`Collection::text_query`], and `InvalidInput` for an alpha out of range. The vector is
    /// checked even where alpha is 0.
    pub fn hybrid_query(&self, query: &HybridQuery) -> Result<Vec<Neighbor>> {
        self.search_hybrid(query)?.to_neighbors(Include::default())
    }

    /// Does what [`Collection::hybrid_query`] does, and returns beside the hits where each arm has them. The records are left
    /// in the snapshot until they are asked for.
    pub fn search_hybrid(&self, query: &HybridQuery) -> Result<HybridHits> {
        let found = self.hybrid_in(&self.core.snapshot()?, query)?;
        count(&self.core.counters.queries, 1);
        Ok(found)
    }

    /// Runs a search on a snapshot. Does not count as a query.
    pub(super) fn hybrid_in(&self, snapshot: &Arc<Snapshot>, query: &HybridQuery) -> Result<HybridHits> {
        query.check()?;
        let options = &query.options;
        let plan = Plan::of_keywords(&query.keywords, &query.boosts, &self.core.text)?;
        let matcher = options.filter.as_ref().map(Filter::compile).transpose()?;
        let filter = matcher.as_ref();
        let depth = query.depth();
        let nearest = if query.alpha == 0.0 {
            self.check_vector(snapshot, &query.vector)?;
            Vec::new()
        } else {
            let nearest = Nearest { limit: depth, filter, recall: options.wanted_recall(), recorder: None };
            let vector = &query.vector;
            self.nearest(snapshot, vector, vector.len(), &nearest)?.pop().unwrap_or_default()
        };
        let matched = match query.alpha {
            1.0 => Vec::new(),
            _ => self.matched(snapshot, plan, depth, filter, None)?,
        };
        let metric = Scores::Metric(self.core.scoring);
        let arms = [arm(scored(&nearest, metric)), arm(scored(&matched, Scores::Plain))];
        self.ranked(snapshot, query, &arms)
    }

    fn ranked(&self, snapshot: &Arc<Snapshot>, query: &HybridQuery, arms: &[Arm; 2]) -> Result<HybridHits> {
        let alpha = f64::from(query.alpha);
        let options = &query.options;
        let mut fused = fuse(query.fusion, arms, &[alpha, 1.0 - alpha]);
        if query.alpha > 0.0 && query.alpha < 1.0 {
            fused = in_order(snapshot, fused, |fused| fused.score as f32)?;
        }
        // One arm alone is in its own order already, which ties of fused scores must not change.
        if !options.boosts.is_empty() {
            let boosts = self.boosts(options)?;
            for fused in &mut fused {
                let view = snapshot.part(fused.place);
                let document = DocumentRef::new(view.part.body(fused.place.row)?.document)?;
                fused.score = f64::from(boosts.score(fused.score as f32, document));
            }
            fused = in_order(snapshot, fused, |fused| fused.score as f32)?;
        }
        if let Some(jumps) = query.autocut {
            let scores: Vec<f32> = fused.iter().map(|fused| fused.score as f32).collect();
            fused.truncate(autocut(&scores, jumps));
        }
        let (offset, k) = (options.offset, options.k);
        fused.truncate(offset + k);
        let arms = fused.iter().skip(offset).map(|fused| [fused.arms[0], fused.arms[1]]).collect();
        let rows = fused.iter().map(Fused::row).collect();
        let hits = Hits::new(Arc::clone(snapshot), Scores::Plain, rows, offset, options.min_score);
        Ok(HybridHits { hits, arms })
    }
}

/// Orders what was fused by scores, best first, ties by id.
pub(super) fn in_order(
    snapshot: &Snapshot,
    fused: Vec<Fused>,
    score: impl Fn(&Fused) -> f32,
) -> Result<Vec<Fused>> {
    let with_id = |fused: Fused| Ok((snapshot.part(fused.place).part.id(fused.place.row)?, fused));
    let mut fused: Vec<(&str, Fused)> = fused.into_iter().map(with_id).collect::<Result<_>>()?;
    fused.sort_by(|a, b| (score(&b.1) + 0.0).total_cmp(&(score(&a.1) + 0.0)).then_with(|| a.0.cmp(b.0)));
    Ok(fused.into_iter().map(|(_, fused)| fused).collect())
}

/// Makes an arm of rows with their scores, best first.
pub(super) fn arm(found: impl Iterator<Item = (FoundRow, f32)>) -> Arm {
    let (rows, scores) = found.map(|(row, score)| (row.location(), score)).unzip();
    Arm { rows, scores }
}

fn scored(found: &[FoundRow], scores: Scores) -> impl Iterator<Item = (FoundRow, f32)> {
    found.iter().map(move |row| (*row, scores.score(row.key)))
}
