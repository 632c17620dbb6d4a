//! Approximate search: graphs where segments have them, scans of signs or codes elsewhere.
//!
//! Whatever finds a row, its key is computed from its full vector, as exact search does. Segments with a graph come
//! first, largest first: what they find bounds what the others need to look at.

use std::cmp::Reverse;

use vecstore_kernels::CandidatePool;

use super::scan::{Search, Task, is_beyond};
use super::selection::PartFilter;
use super::topk::{Candidate, TopK};
use crate::collection::{Part, PartView, Snapshot};
use crate::error::{ErrorKind, Result};
use crate::filter::Matcher;
use crate::index::{
    self, Beam, CompactScratch, Effort, FlatQuery, FlatSigns, Found, Layout, PointCodes, Scratch,
};
use crate::storage::segment::Segment;

/// Parts of fewer rows are scored on their full vectors: that takes less time than preparing the query does.
const SIGN_ROWS_MIN: usize = 128;

/// Results of a graph that are scored on full vectors beside the k wanted: the codes may rank them just behind.
const RERANK_MORE: usize = 10;

/// Visits take as long as a scan of so many rows' codes.
const ROWS_PER_VISIT: usize = 20;
const VISITS_MIN: usize = 1000;

/// Where a share `s` of the rows matches, a walk that has not found enough after this many visits divided by `s` is in the wrong
/// place: what matches is elsewhere, and scanned. Four times what it takes where the filter has nothing to do with the query.
const VISITS_FILTERED: usize = 120;

/// Fewer rows are scored on their full vectors at once.
const FEW_ROWS_MIN: usize = 64;

impl Search<'_> {
    /// Offers to `best` what is likely to be near a query, of tasks as [`parts_in_order`] has them.
    pub(super) fn approximate<'s>(
        &self,
        tasks: &[Task<'s>],
        query: usize,
        best: &mut TopK<'s>,
    ) -> Result<()> {
        tasks.iter().try_for_each(|task| self.approximate_part(task, query, best))
    }

    fn approximate_part<'s>(&self, task: &Task<'s>, query: usize, best: &mut TopK<'s>) -> Result<()> {
        if let (PartFilter::Few { rows, .. }, Part::Segment(segment)) = (task.filter, &task.view.part)
            && rows.len() > FEW_ROWS_MIN
            && (segment.has_codes() || has_nibbles(segment))
        {
            return self.score_few(task, segment, rows, query, best);
        }
        if let Part::Segment(segment) = &task.view.part
            && has_graph(task.view)
            && !matches!(task.filter, PartFilter::Few { .. })
        {
            match self.walk(task, segment, query, best) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) if error.kind() == ErrorKind::Corrupted => {
                    // Vectors and records may be whole: what answers is read again, by the scan. The graph is built again.
                    segment.leave_graph();
                }
                Err(error) => return Err(error),
            }
        } else if self.filter.is_none()
            && task.view.part.len() >= SIGN_ROWS_MIN
            && let Some(signs) = task.view.part.signs(self.scoring)?
        {
            return self.scan_signs(task, signs, query, best);
        }
        self.scan(task, query..query + 1, std::slice::from_mut(best))
    }

    /// Searches a graph. Returns whether that was enough.
    fn walk<'s>(
        &self,
        task: &Task<'s>,
        segment: &'s Segment,
        query: usize,
        best: &mut TopK<'s>,
    ) -> Result<bool> {
        let live = task.view.live() - task.view.marks.hidden.len();
        let wanted = self.limit.min(live);
        if wanted == 0 {
            return Ok(true);
        }
        let vector = self.query(query);
        let kernels = self.scoring.kernels;
        let view = task.view;
        let all = view.marks.is_empty() && !view.part.has_expiry() && self.filter.is_none();
        let is_wanted = |row| {
            Ok(all
                || (!view.marks.dead.contains(row)
                    && !view.marks.hidden.contains(row)
                    && self.is_wanted(task, row)?))
        };
        let beam = |keep, slack| Beam {
            k: wanted,
            keep,
            slack,
            visits_max: match task.filter.at_most() {
                Some(matching) => VISITS_FILTERED * segment.len() / matching.max(1) + VISITS_FILTERED,
                None => VISITS_MIN.max(segment.len() / ROWS_PER_VISIT),
            },
        };
        if let Some(graph) = segment.compact_graph(self.scoring.metric)? {
            let keep = index::reranked(graph.codes_kind(), wanted, self.recall);
            let beam = beam(keep, graph.slack(self.recall));
            return CompactScratch::with(|scratch| {
                let effort = index::search_compact(&graph, kernels, vector, beam, scratch, None, is_wanted)?;
                self.rerank_found(task, segment, vector, effort, &scratch.found, wanted, best)
            });
        }
        let Some(graph) = segment.graph(self.scoring.metric)? else { return Ok(false) };
        let beam = beam(wanted + RERANK_MORE + wanted / 2, graph.slack(self.recall));
        Scratch::with(|scratch| {
            let effort = index::search(&graph, kernels, vector, beam, scratch, None, is_wanted)?;
            self.rerank_found(task, segment, vector, effort, &scratch.found, wanted, best)
        })
    }

    /// Scores what a walk found on full vectors. Returns whether it was enough.
    #[expect(clippy::too_many_arguments, reason = "one step of `walk`, for each layout")]
    fn rerank_found<'s>(
        &self,
        task: &Task<'s>,
        segment: &'s Segment,
        vector: &[f32],
        effort: Effort,
        found: &[Found],
        wanted: usize,
        best: &mut TopK<'s>,
    ) -> Result<bool> {
        if effort.gave_up || found.len() < wanted {
            return Ok(false);
        }
        for found in found {
            self.scoring.kernels.prefetch(segment.vector(found.point)?);
        }
        for found in found {
            self.rerank(task, found.point, vector, best)?;
        }
        Ok(true)
    }

    /// Scores a few rows on their codes, and the best of those on full vectors.
    fn score_few<'s>(
        &self,
        task: &Task<'s>,
        segment: &'s Segment,
        rows: &[u32],
        query: usize,
        best: &mut TopK<'s>,
    ) -> Result<()> {
        let rows = self.wanted_of(task, rows)?;
        let vector = self.query(query);
        let (mut distances, keep) = match segment.compact_graph(self.scoring.metric)? {
            Some(graph) if !segment.has_codes() => {
                // 4-bit codes rank what is near further behind: as many again as in a walk for a high recall.
                let keep = index::reranked(PointCodes::Nibbles, self.limit, 1.0);
                (graph.distances(self.scoring.kernels, vector, &rows)?, keep)
            }
            _ => (segment.code_distances(self.scoring, vector, &rows)?, 2 * self.limit + RERANK_MORE),
        };
        let keep = keep.min(rows.len());
        if keep < distances.len() {
            distances.select_nth_unstable_by(keep, |a, b| a.0.total_cmp(&b.0));
            distances.truncate(keep);
        }
        for &(_, row) in &distances {
            self.scoring.kernels.prefetch(segment.vector(row)?);
        }
        for (_, row) in distances {
            self.rerank(task, row, vector, best)?;
        }
        Ok(())
    }

    /// Scores a row on its full vector.
    #[inline]
    fn rerank<'s>(&self, task: &Task<'s>, row: u32, vector: &[f32], best: &mut TopK<'s>) -> Result<()> {
        let part = &task.view.part;
        let mut key = [self.scoring.kernels.raw(self.scoring.op(), vector, part.vector(row)?)];
        let norm =
            if self.scoring.uses_norms() { part.inverse_norms(row as usize..row as usize + 1)? } else { &[] };
        self.scoring.keys(norm, &mut key);
        if !is_beyond(key[0], best.limit()) {
            best.offer(Candidate { key: key[0], id: part.id(row)?, part: task.part, row });
        }
        Ok(())
    }

    /// Scans one bit a component, and scores in order of the estimates the rows that may be near enough.
    fn scan_signs<'s>(
        &self,
        task: &Task<'s>,
        signs: &FlatSigns,
        query: usize,
        best: &mut TopK<'s>,
    ) -> Result<()> {
        let kernels = self.scoring.kernels;
        let vector = self.query(query);
        let norm = kernels.norm(vector);
        let mut flat = FlatQuery::default();
        signs.prepare(kernels, vector, &mut flat);
        let margin = deviations(self.recall) * signs.deviation(&flat);
        let bound = |best: &TopK<'_>| signs.distance_of_key(&flat, norm, best.limit()) + margin;
        let mut pool = CandidatePool::default();
        signs.estimate(kernels, &flat, bound(best), &mut pool);
        let mut near: Vec<(f32, u32)> = pool.entries().collect();
        let mut rest = near.as_mut_slice();
        while !rest.is_empty() {
            // Most of many are never looked at: only the nearest are put in order.
            let some = rest.len().min(SORTED_AT_ONCE.max(4 * self.limit));
            if some < rest.len() {
                rest.select_nth_unstable_by(some - 1, |a, b| a.0.total_cmp(&b.0));
            }
            let (now, later) = rest.split_at_mut(some);
            now.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            for &mut (estimate, row) in now {
                if estimate > bound(best) {
                    return Ok(());
                }
                if task.view.is_visible(row, self.now)? {
                    self.rerank(task, row, vector, best)?;
                }
            }
            rest = later;
        }
        Ok(())
    }
}

const SORTED_AT_ONCE: usize = 256;

/// Returns the parts of a snapshot and their positions: those with a graph first, larger ones first.
pub(super) fn parts_in_order(snapshot: &Snapshot) -> Vec<(u32, &PartView)> {
    let mut parts: Vec<(u32, &PartView)> = (0..).zip(&snapshot.parts).collect();
    parts.sort_by_key(|(_, view)| (!has_graph(view), Reverse(view.part.len())));
    parts
}

/// Returns what a filter is to the parts.
pub(super) fn filters<'s>(
    parts: &[(u32, &'s PartView)],
    filter: Option<&'s Matcher>,
) -> Result<Vec<PartFilter<'s>>> {
    let of = |&(_, view): &(u32, &'s PartView)| match has_graph(view) {
        true => PartFilter::for_graph(view, filter),
        false => PartFilter::for_search(view, filter),
    };
    parts.iter().map(of).collect()
}

fn has_nibbles(segment: &Segment) -> bool {
    segment.layout() == Some(Layout::Compact(PointCodes::Nibbles))
}

fn has_graph(view: &PartView) -> bool {
    matches!(&view.part, Part::Segment(segment) if segment.has_graph())
}

/// Returns how many standard deviations an estimate may be too far for a neighbor not to be missed: the quantile of the
/// normal distribution at the recall, and a little more.
fn deviations(recall: f32) -> f32 {
    // Of the usual closed approximations, t - (a + b t) / (1 + c t + d t^2) with t = sqrt(-2 ln p) is good to 0.003
    // (Abramowitz and Stegun, 26.2.22).
    let missed = (1.0 - recall).clamp(1e-6, 0.5);
    let t = (-2.0 * missed.ln()).sqrt();
    let quantile = t - (2.307_53 + 0.270_61 * t) / (1.0 + 0.992_29 * t + 0.044_81 * t * t);
    quantile + 0.3
}
