//! Searching by a vector and by words at once.

use std::sync::Arc;

use super::{Collection, Snapshot};
use crate::error::Result;
use crate::query::{
    Arm, ArmRank, FoundRow, Hits, HybridHits, HybridQuery, Include, MatchOptions, Neighbor, Plan,
    QueryOptions, Scores, autocut, fuse,
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
        query.check()?;
        let options = &query.options;
        let plan = Plan::of_keywords(&query.keywords, &query.boosts, &self.core.text)?;
        // One arm alone need not find more than is wanted.
        let is_single = query.alpha == 0.0 || query.alpha == 1.0;
        let depth = if is_single { options.k + options.offset } else { query.depth() };
        let nearest = QueryOptions::new()
            .k(depth)
            .filter(options.filter.clone())
            .recall(query.recall)
            .exact(query.exact);
        let (snapshot, nearest) = if query.alpha == 0.0 {
            (self.checked(&query.vector, &nearest)?, Vec::new())
        } else {
            let (snapshot, mut found) = self.found(&query.vector, query.vector.len(), &nearest, None)?;
            (snapshot, found.pop().unwrap_or_default())
        };
        let matched = if query.alpha == 1.0 {
            Vec::new()
        } else {
            let wanted = MatchOptions { k: depth, filter: options.filter.clone(), ..MatchOptions::default() };
            self.matched(&snapshot, plan, &wanted)?
        };
        let arms = [arm(&nearest, Scores::Metric(self.core.scoring)), arm(&matched, Scores::Plain)];
        ranked(snapshot, query, &arms)
    }
}

fn arm(found: &[FoundRow], scores: Scores) -> Arm {
    Arm {
        rows: found.iter().map(|row| (row.part, row.row)).collect(),
        scores: found.iter().map(|row| scores.score(row.key)).collect(),
    }
}

fn ranked(snapshot: Arc<Snapshot>, query: &HybridQuery, arms: &[Arm; 2]) -> Result<HybridHits> {
    let alpha = f64::from(query.alpha);
    let mut fused = fuse(query.fusion, arms, [alpha, 1.0 - alpha]);
    if query.alpha > 0.0 && query.alpha < 1.0 {
        let id = |(part, row): (u32, u32)| snapshot.parts[part as usize].part.id(row);
        let ids: Vec<&str> = fused.iter().map(|fused| id(fused.place)).collect::<Result<_>>()?;
        let mut order: Vec<usize> = (0..fused.len()).collect();
        let score = |at: usize| fused[at].score as f32;
        order.sort_by(|&a, &b| score(b).total_cmp(&score(a)).then_with(|| ids[a].cmp(ids[b])));
        fused = order.into_iter().map(|at| fused[at]).collect();
    }
    // One arm alone is in its own order already, which ties of fused scores must not change.
    if let Some(jumps) = query.autocut {
        let scores: Vec<f32> = fused.iter().map(|fused| fused.score as f32).collect();
        fused.truncate(autocut(&scores, jumps));
    }
    let (offset, k) = (query.options.offset, query.options.k);
    fused.truncate(offset + k);
    let arms: Vec<[Option<ArmRank>; 2]> = fused.iter().skip(offset).map(|fused| fused.arms).collect();
    let row = |fused: &crate::query::Fused| FoundRow {
        key: -(fused.score as f32),
        part: fused.place.0,
        row: fused.place.1,
    };
    let rows = fused.iter().map(row).collect();
    let hits = Hits::new(snapshot, Scores::Plain, rows, offset, query.options.min_score);
    Ok(HybridHits { hits, arms })
}
