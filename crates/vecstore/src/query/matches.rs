//! Scoring of the rows that match a filter: on their signs where they are many, then on codes, the best on full vectors.

use std::sync::Arc;

use super::approximate::{DEVIATIONS_TOLD, deviations};
use super::plan::SearchMethod;
use super::scan::{Search, Task};
use super::topk::TopK;
use crate::error::Result;
use crate::index::{self, Layout};
use crate::storage::segment::Segment;

/// As many times as many rows as usual are scored on their full vectors at most where codes leave the nearest in doubt.
const IN_DOUBT_MAX: usize = 20;

/// Fewer rows are scored on their codes without a look at their signs.
const SIGN_MATCHES_MIN: usize = 1024;

/// What codes make of the distances of rows that match.
struct Matches {
    /// The distances and the rows.
    near: Vec<(f32, u32)>,
    /// The standard deviation of the distances, at most; 0 where it is not known.
    error: f32,
    /// What codes they are of.
    layout: Layout,
    /// How many rows were estimated by signs.
    estimates: usize,
}

impl Matches {
    fn told(near: Vec<(f32, u32)>, layout: Layout) -> Self {
        Self { near, error: 0.0, layout, estimates: 0 }
    }
}

impl Search<'_> {
    /// Scores rows that match on their codes, and the best of those on full vectors.
    pub(super) fn score_matches<'s>(
        &self,
        task: &Task<'s>,
        segment: &'s Arc<Segment>,
        rows: &[u32],
        query: usize,
        best: &mut TopK<'s>,
    ) -> Result<()> {
        let watch = self.watch();
        let vector = self.query(query);
        let Matches { mut near, error, layout, estimates } =
            self.distances_of_matches(segment, rows, vector)?;
        let code_distances = near.len();
        let keep = index::reranked(layout, self.limit, self.recall).min(near.len());
        if keep < near.len() {
            near.select_nth_unstable_by(keep, |a, b| a.0.total_cmp(&b.0));
            let (first, others) = near.split_at_mut(keep);
            // Of those that the error of their distances leaves in doubt more than usual: the nearest of what matches may be
            // far from the query, where many are about as near.
            let last = first.iter().map(|near| near.0);
            let last = kth_least(last, self.limit) + DEVIATIONS_TOLD * error;
            let in_doubt = others.iter().filter(|near| near.0 <= last).count();
            let more = in_doubt.min(IN_DOUBT_MAX * keep);
            if 0 < more && more < others.len() {
                others.select_nth_unstable_by(more - 1, |a, b| a.0.total_cmp(&b.0));
            }
            near.truncate(keep + more);
        }
        for &(_, row) in &near {
            self.scoring.kernels.prefetch(segment.vector(row)?);
        }
        for &(_, row) in &near {
            self.rerank(task, row, vector, best)?;
        }
        self.record(watch, task, SearchMethod::MatchesByCodes, |step| {
            (step.estimates, step.code_distances, step.full_distances) =
                (estimates, code_distances, near.len());
        });
        Ok(())
    }

    /// Returns what codes make of the distances of rows that match, of those alone that their signs leave near enough.
    fn distances_of_matches(&self, segment: &Arc<Segment>, rows: &[u32], vector: &[f32]) -> Result<Matches> {
        let kernels = self.scoring.kernels;
        if !segment.has_codes()
            && let Some(graph) = segment.compact_graph(self.scoring.metric)?
        {
            let layout = Layout::Compact(graph.codes_kind());
            return Ok(Matches::told(graph.distances(kernels, vector, rows)?, layout));
        }
        let Some(space) = segment.graph_space(self.scoring.metric)? else {
            return Ok(Matches::told(segment.code_distances(self.scoring, vector, rows)?, Layout::Fast));
        };
        let mut scorer = segment.code_scorer(kernels, space, vector)?;
        let keep = index::reranked(Layout::Fast, self.limit, self.recall);
        let mut near = Vec::new();
        let mut estimates = 0;
        if rows.len() > SIGN_MATCHES_MIN.max(8 * keep) {
            if let Some(residency) = self.residency {
                segment.note_matches(residency, self.scoring);
            }
            if let Some(signs) = segment.sign_rows() {
                let far = (keep, deviations(self.recall));
                near = signs.nearest(kernels, vector, rows, far, |rows, to| scorer.score(rows, to))?;
                estimates = rows.len();
            }
        }
        if estimates == 0 {
            scorer.score(rows, &mut near)?;
        }
        Ok(Matches { near, error: scorer.error(), layout: Layout::Fast, estimates })
    }
}

/// Returns the `k`th least of some values, or infinity if they are fewer.
fn kth_least(values: impl Iterator<Item = f32>, k: usize) -> f32 {
    let mut values: Vec<f32> = values.collect();
    match k.checked_sub(1).filter(|&at| at < values.len()) {
        Some(at) => *values.select_nth_unstable_by(at, f32::total_cmp).1,
        None => f32::INFINITY,
    }
}
