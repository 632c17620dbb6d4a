//! Approximate search: graphs where segments have them, scans of signs or codes elsewhere.
//!
//! Whatever finds a row, its key is computed from its full vector, as exact search does. Segments with a graph come
//! first, largest first: what they find bounds what the others need to look at.

use std::cell::Cell;
use std::cmp::Reverse;
use std::sync::Arc;

use vecstore_kernels::CandidatePool;

use super::partition::Stretches;
use super::plan::{SearchMethod, StepOutcome};
use super::recorder::Watch;
use super::scan::{Search, Task, is_beyond};
use super::selection::PartFilter;
use super::topk::TopK;
use crate::collection::{Part, PartView, Snapshot};
use crate::error::{ErrorKind, Result};
use crate::index::{
    self, Beam, CompactScratch, Effort, FlatQuery, Found, Layout, PointCodes, Scratch, SignStretch, Wanted,
    Within,
};
use crate::storage::segment::{AnyGraph, Segment};

/// Fewer rows of a part are scored on their full vectors: that takes less time than preparing the query or their signs does.
pub(crate) const SIGN_ROWS_MIN: usize = 128;

/// Where a share `s` of the rows matches, a walk that has not found enough after this many visits divided by `s` is in the wrong
/// place: what matches is elsewhere, and scanned. Four times what it takes where the filter has nothing to do with the query.
const VISITS_FILTERED: usize = 120;

/// The least slack of a walk with a filter. Where 10 % of 5,000 rows match, a slack of its own below 0 found .87 for .95.
const FILTERED_SLACK_MIN: f32 = 0.0;

/// What is added to the slack of a walk that stays in a partition, which comes by fewer ways.
const PARTITION_SLACK: f32 = 0.06;

/// A difference of two distances by codes that is this many standard deviations of one distance tells which is less: three of
/// the difference's own.
pub(super) const DEVIATIONS_TOLD: f32 = 4.25;

/// Fewer rows that match are all scored where a walk finds none of them near the query: their signs take 10 ns each, a detour
/// some 150 us.
const DETOUR_ROWS_MIN: usize = 16_384;

/// Fewer rows are scored on their full vectors at once.
const FEW_ROWS_MIN: usize = 64;

/// A walk of one graph for one query.
struct Walk<'w, 's> {
    watch: Option<Watch<'w>>,
    task: &'w Task<'s>,
    segment: &'s Segment,
    layout: Layout,
    vector: &'w [f32],
    /// Results that are wanted.
    wanted: usize,
    slack: f32,
}

/// What scans of signs for one query share.
#[derive(Debug, Default)]
pub(super) struct SignScan {
    query: FlatQuery,
    pool: CandidatePool,
    near: Vec<(f32, u32)>,
}

impl Search<'_> {
    /// Offers to `best` what is likely to be near a query, of tasks as [`parts_in_order`] has them.
    pub(super) fn approximate<'s>(
        &self,
        tasks: &[Task<'s>],
        query: usize,
        best: &mut TopK<'s>,
    ) -> Result<()> {
        let mut signs = SignScan::default();
        tasks.iter().try_for_each(|task| self.approximate_part(task, query, &mut signs, best))
    }

    fn approximate_part<'s>(
        &self,
        task: &Task<'s>,
        query: usize,
        scan: &mut SignScan,
        best: &mut TopK<'s>,
    ) -> Result<()> {
        if let (PartFilter::Few { rows, undecided, matcher }, Part::Segment(segment)) =
            (task.filter, &task.view.part)
            && rows.len() > FEW_ROWS_MIN
            && (segment.has_codes() || has_nibbles(segment))
        {
            let rows = self.few_wanted(task, rows, undecided, matcher)?;
            return self.score_matches(task, segment, &rows, query, best);
        }
        if let Part::Segment(segment) = &task.view.part
            && has_graph(task.view)
            && Self::is_walked(task)
            && !matches!(task.filter, PartFilter::Few { .. })
        {
            if self.walk(task, segment, query, best)? {
                return Ok(());
            }
            if let PartFilter::Columns { matcher, .. } = task.filter
                && (segment.has_codes() || has_nibbles(segment))
                && let Some(rows) = self.matches_of(task, segment, matcher)?
            {
                return self.score_matches(task, segment, &rows, query, best);
            }
        } else if self.filter.is_none()
            && !task.is_partition
            && task.view.part.len() >= SIGN_ROWS_MIN
            && let Some(signs) = task.view.part.signs(self.scoring)?
        {
            return self.scan_signs(task, &[SignStretch::whole(signs)], query, scan, best);
        }
        if task.is_partition && !matches!(task.filter, PartFilter::Few { .. }) {
            return self.in_partition(task, query, scan, best);
        }
        self.scan(task, query..query + 1, std::slice::from_mut(best))
    }

    /// Searches a graph. Returns whether that was enough.
    fn walk<'s>(
        &self,
        task: &Task<'s>,
        segment: &'s Arc<Segment>,
        query: usize,
        best: &mut TopK<'s>,
    ) -> Result<bool> {
        let watch = self.watch();
        if let Some(residency) = self.residency {
            segment.note_walk(residency);
        }
        let graph = match segment.any_graph(self.scoring.metric) {
            Err(error) if error.kind() == ErrorKind::Corrupted => None,
            graph => graph?,
        };
        let (Some(graph), Some(layout)) = (graph, segment.layout()) else {
            return Ok(self.leave_graph(watch, task, segment));
        };
        let view = task.view;
        let live = view.live() - view.marks.hidden.len();
        let wanted = self.limit.min(live).min(task.rows.len());
        if wanted == 0 {
            return Ok(true);
        }
        let slack = graph.slack(self.recall);
        if slack == index::SCAN {
            return Ok(false);
        }
        let (vector, kernels) = (self.query(query), self.scoring.kernels);
        let k = wanted.max(index::MEASURED_K);
        // With a filter what is found first is further from the best: a walk that ends before its candidates are as far as that
        // misses too many.
        let slack = match self.filter {
            Some(_) if task.is_partition => slack.max(FILTERED_SLACK_MIN) + PARTITION_SLACK,
            Some(_) => slack.max(FILTERED_SLACK_MIN),
            None => slack,
        };
        let beam = Beam {
            k,
            keep: index::reranked(layout, k, self.recall),
            slack,
            width: match task.filter {
                // Of those visited, dead rows are no results.
                PartFilter::Everything => index::width(slack, k).saturating_mul(view.part.len()) / live,
                PartFilter::Columns { .. } => index::width(slack + index::DETOUR_SLACK, k),
                // Which of them match is asked of few.
                _ => usize::MAX,
            },
            wanted: match task.filter {
                PartFilter::Columns { at_most, .. } => Some(Wanted {
                    share: (*at_most as f32 / task.rows.len() as f32).min(1.0),
                    are_few: *at_most <= DETOUR_ROWS_MIN && segment.has_codes(),
                }),
                _ => None,
            },
            visits_max: match task.filter.at_most() {
                Some(matching) => VISITS_FILTERED * task.rows.len() / matching.max(1) + VISITS_FILTERED,
                None => index::visits_max(task.rows.len()),
            },
            within: if task.is_partition { Within::new(&task.rows) } else { Within::ALL },
        };
        let all =
            view.marks.is_empty() && !view.part.has_expiry() && matches!(task.filter, PartFilter::Everything);
        let is_of_record = Cell::new(false);
        let is_wanted = |row| {
            if all {
                return Ok(true);
            }
            let is_left = !view.marks.dead.contains(row) && !view.marks.hidden.contains(row);
            let wants = if is_left { self.is_wanted(task, row) } else { Ok(false) };
            is_of_record.set(wants.is_err());
            wants
        };
        let walk = Walk { watch, task, segment, layout, vector, wanted, slack };
        let finish = |walked: Result<Effort>, found: &[Found], best: &mut TopK<'s>| match walked {
            Err(error) if error.kind() == ErrorKind::Corrupted && !is_of_record.get() => {
                Ok(self.leave_graph(watch, task, segment))
            }
            effort => self.rerank_found(&walk, effort?, found, best),
        };
        match &graph {
            AnyGraph::Fast(graph) => Scratch::with(|scratch| {
                let walked = index::search(graph, kernels, vector, beam, scratch, None, is_wanted);
                finish(walked, &scratch.found, best)
            }),
            AnyGraph::Compact(graph) => CompactScratch::with(|scratch| {
                let walked = index::search_compact(graph, kernels, vector, beam, scratch, None, is_wanted);
                finish(walked, &scratch.found, best)
            }),
        }
    }

    /// Leaves a damaged graph alone. Vectors and records may be whole: a scan answers, and the graph is built again. Returns
    /// false, as the walk was not enough.
    #[cold]
    fn leave_graph(&self, watch: Option<Watch<'_>>, task: &Task<'_>, segment: &Segment) -> bool {
        segment.leave_graph();
        self.record(watch, task, SearchMethod::GraphWalk, |step| {
            step.outcome = StepOutcome::Damaged;
        });
        false
    }

    /// Scores what a walk found on full vectors. Returns whether it was enough.
    #[inline]
    fn rerank_found<'s>(
        &self,
        walk: &Walk<'_, 's>,
        effort: Effort,
        mut found: &[Found],
        best: &mut TopK<'s>,
    ) -> Result<bool> {
        let outcome = match effort.gave_up {
            true => StepOutcome::GaveUp,
            false if found.len() < walk.wanted => StepOutcome::FoundTooFew,
            false => StepOutcome::Done,
        };
        let is_enough = outcome == StepOutcome::Done;
        if is_enough {
            // Those too far behind for the error of their distances are behind.
            let last = found[walk.wanted - 1].distance + DEVIATIONS_TOLD * effort.error;
            found = &found[..found.partition_point(|found| found.distance <= last)];
            self.rerank_all(walk, found, best)?;
        }
        self.record(walk.watch, walk.task, SearchMethod::GraphWalk, |step| {
            step.layout = Some(walk.layout.into());
            step.slack = Some(walk.slack);
            step.outcome = outcome;
            step.visits = effort.visits;
            let reranked = if is_enough { found.len() } else { 0 };
            (step.estimates, step.code_distances, step.full_distances) = match walk.layout {
                Layout::Fast => (effort.estimates, effort.visits, reranked),
                Layout::Compact(PointCodes::Full) => (0, 0, effort.estimates + reranked),
                Layout::Compact(_) => (0, effort.estimates, reranked),
            };
        });
        Ok(is_enough)
    }

    /// Scores what a walk found on full vectors. Each step asks for the memory that the next one reads.
    fn rerank_all<'s>(&self, walk: &Walk<'_, 's>, found: &[Found], best: &mut TopK<'s>) -> Result<()> {
        let (kernels, segment) = (self.scoring.kernels, walk.segment);
        for found in found {
            segment.prefetch_row(kernels, found.point);
        }
        let key = |found: &Found| -> Result<(f32, u32)> {
            Ok((self.key_of(walk.task, found.point, walk.vector)?, found.point))
        };
        let mut scored: Vec<(f32, u32)> = found.iter().map(key).collect::<Result<_>>()?;
        scored.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        // Ids, which order equals, are read of rows alone that may be among the best.
        let last = scored.get(self.limit - 1).map_or(f32::INFINITY, |last| last.0).min(best.limit());
        scored.truncate(scored.partition_point(|&(key, _)| !is_beyond(key, last)));
        for &(_, row) in &scored {
            segment.prefetch_id(kernels, row);
        }
        for (key, row) in scored {
            self.offer_row(walk.task, row, key, best)?;
        }
        Ok(())
    }

    /// Scores a row on its full vector.
    #[inline]
    pub(super) fn rerank<'s>(
        &self,
        task: &Task<'s>,
        row: u32,
        vector: &[f32],
        best: &mut TopK<'s>,
    ) -> Result<()> {
        self.offer_row(task, row, self.key_of(task, row, vector)?, best)
    }

    /// Returns the key of a row, computed from its full vector.
    #[inline]
    fn key_of(&self, task: &Task<'_>, row: u32, vector: &[f32]) -> Result<f32> {
        let part = &task.view.part;
        let mut key = [self.scoring.kernels.raw(self.scoring.op(), vector, part.vector(row)?)];
        let norm =
            if self.scoring.uses_norms() { part.inverse_norms(row as usize..row as usize + 1)? } else { &[] };
        self.scoring.keys(norm, &mut key);
        Ok(key[0])
    }

    /// Scans one bit a component, and scores in order of the estimates the rows that may be near enough.
    pub(super) fn scan_signs<'s>(
        &self,
        task: &Task<'s>,
        stretches: &[SignStretch<'_>],
        query: usize,
        scan: &mut SignScan,
        best: &mut TopK<'s>,
    ) -> Result<()> {
        let watch = self.watch();
        let mut scored = 0;
        let kernels = self.scoring.kernels;
        let vector = self.query(query);
        let norm = kernels.norm(vector);
        let SignScan { query: flat, pool, near } = scan;
        for SignStretch { signs, first, rows } in stretches {
            signs.prepare(kernels, vector, flat);
            let margin = deviations(self.recall) * signs.deviation(flat);
            let bound = |best: &TopK<'_>| match best.limit() {
                // Not to be multiplied by the norm of a query of zeros.
                f32::INFINITY => f32::INFINITY,
                limit => signs.distance_of_key(flat, norm, limit) + margin,
            };
            pool.clear();
            signs.estimate(kernels, flat, rows, bound(best), pool);
            near.clear();
            near.extend(pool.entries());
            let mut rest = near.as_mut_slice();
            'near: while !rest.is_empty() {
                // Most of many are never looked at: only the nearest are put in order.
                let some = rest.len().min(SORTED_AT_ONCE.max(4 * self.limit));
                if some < rest.len() {
                    rest.select_nth_unstable_by(some - 1, |a, b| a.0.total_cmp(&b.0));
                }
                let (now, later) = rest.split_at_mut(some);
                now.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
                for &mut (_, row) in now.iter_mut().take(PREFETCHED) {
                    kernels.prefetch(task.view.part.vector(first + row)?);
                }
                for &mut (estimate, row) in now {
                    if estimate > bound(best) {
                        break 'near;
                    }
                    let row = first + row;
                    if task.view.is_visible(row, self.now)? && task.filter.matches(task.view, row)? {
                        self.rerank(task, row, vector, best)?;
                        scored += 1;
                    }
                }
                rest = later;
            }
        }
        self.record(watch, task, SearchMethod::ScanSigns, |step| {
            (step.estimates, step.full_distances) = (task.rows.len(), scored);
        });
        Ok(())
    }
}

const SORTED_AT_ONCE: usize = 256;

/// Rows whose vectors are asked for before the first is scored: the estimates of more are rarely near enough.
const PREFETCHED: usize = 4;

/// Returns the parts of a snapshot and their positions: those with a graph first, larger ones first.
pub(super) fn parts_in_order(snapshot: &Snapshot) -> Vec<(u32, &PartView)> {
    let mut parts: Vec<(u32, &PartView)> = (0..).zip(&snapshot.parts).collect();
    parts.sort_by_key(|(_, view)| (!has_graph(view), Reverse(view.part.len())));
    parts
}

/// Returns which rows of the parts are searched, and what a filter is to them.
pub(super) fn stretches<'s>(
    parts: &[(u32, &'s PartView)],
    search: &Search<'s>,
) -> Result<Vec<Stretches<'s>>> {
    let of = |&(_, view): &(u32, &'s PartView)| {
        let filter = || match has_graph(view) {
            true => PartFilter::for_graph(view, search.filter),
            false => PartFilter::for_search(view, search.filter),
        };
        match Stretches::of_partitions(view, search.partition, filter)? {
            Some(stretches) => Ok(stretches),
            None => Ok(Stretches::all(view, filter()?)),
        }
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
pub(super) fn deviations(recall: f32) -> f32 {
    // Of the usual closed approximations, t - (a + b t) / (1 + c t + d t^2) with t = sqrt(-2 ln p) is good to 0.003
    // (Abramowitz and Stegun, 26.2.22).
    let missed = (1.0 - recall).clamp(1e-6, 0.5);
    let t = (-2.0 * missed.ln()).sqrt();
    let quantile = t - (2.307_53 + 0.270_61 * t) / (1.0 + 0.992_29 * t + 0.044_81 * t * t);
    quantile + 0.3
}
