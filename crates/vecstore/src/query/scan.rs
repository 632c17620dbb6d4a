//! Exact search: every visible row is scored.
//!
//! In a segment with codes, a single query first scans those, a quarter of the bytes, for a lower bound of each key;
//! only rows whose bound is good enough are scored on their full vectors, so that the answer is the same.
//!
//! Rows are scored in runs that stay in cache. Whether a row is expired and whether it matches the filter is asked
//! only of rows that would be among the best, so a filter on few of many rows costs about as many looks at
//! records as there are candidates, not rows.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;
use vecstore_interrupt::Interrupt;

use super::approximate::{parts_in_order, stretches};
use super::bounds::Bounds;
use super::hits::FoundRow;
use super::partition::{PartitionFilter, Stretches};
use super::plan::SearchMethod;
use super::recorder::Recorder;
use super::score::Scoring;
use super::selection::PartFilter;
use super::topk::{Candidate, TopK};
use crate::collection::{Part, PartView, Snapshot};
use crate::error::{Error, Result};
use crate::filter::Matcher;
use crate::storage::row_set::Bits;
use crate::storage::segment::{Residency, Segment};

/// Rows scored in one call of a kernel; a multiple of 64 so that each word of marks belongs to one run.
pub(super) const RUN_ROWS: usize = 256;

/// Rows given to one thread at a time.
const TASK_ROWS: usize = 64 * RUN_ROWS;

/// Below this many bytes of vectors one thread is done before another has woken up (about 100 microseconds).
const PARALLEL_BYTES: usize = 2 << 20;

/// Queries that share one pass over the rows in a batch.
const TILE_QUERIES: usize = 16;

/// What is searched for, the same for every query of a batch.
pub(crate) struct Search<'a> {
    pub(crate) scoring: Scoring,
    pub(crate) dim: usize,
    /// Queries as [`Scoring::queries`] makes them, row-major.
    pub(crate) queries: &'a [f32],
    /// How many of the best are wanted.
    pub(crate) limit: usize,
    pub(crate) filter: Option<&'a Matcher>,
    /// What the filter says of the partitions of the collection.
    pub(crate) partition: Option<&'a PartitionFilter>,
    pub(crate) now: u64,
    /// The recall that is enough; 1 and more is exact.
    pub(crate) recall: f32,
    /// Has what is searched often copied to memory, if that is done.
    pub(crate) residency: Option<&'a Arc<Residency>>,
    /// Where to note what is done, if somebody wants to know.
    pub(crate) recorder: Option<&'a Recorder>,
}

pub(super) struct Task<'s> {
    pub(super) part: u32,
    pub(super) view: &'s PartView,
    pub(super) rows: Range<usize>,
    pub(super) filter: &'s PartFilter<'s>,
    /// The rows are those of a partition, and start anywhere.
    pub(super) is_partition: bool,
}

/// Returns for each query the best rows, best first.
pub(crate) fn search(
    snapshot: &Snapshot,
    search: &Search<'_>,
    pool: Option<&rayon::ThreadPool>,
) -> Result<Vec<Vec<FoundRow>>> {
    let queries = search.queries.len() / search.dim;
    if search.recall < 1.0 && search.scoring.uses_codes(search.dim) {
        return approximate(snapshot, search, queries, pool);
    }
    let started = search.recorder.map(|_| Instant::now());
    let stretches: Vec<Stretches<'_>> =
        snapshot.parts.iter().map(|view| Stretches::of_words(view, search)).collect::<Result<_>>()?;
    filters_took(search, started);
    let tasks = tasks(snapshot, &stretches);
    let bytes = snapshot.live() * search.dim * 4;
    let sorted =
        |best: TopK<'_>| -> Vec<FoundRow> { best.into_sorted().iter().map(FoundRow::from).collect() };
    let interrupt = Interrupt::current();
    let tile = |first: usize| -> Result<Vec<TopK<'_>>> {
        Error::check_interrupt(&interrupt)?;
        let range = first..queries.min(first + TILE_QUERIES);
        let mut best: Vec<_> = range.clone().map(|_| TopK::new(search.limit)).collect();
        tasks.iter().try_for_each(|task| search.scan(task, range.clone(), &mut best))?;
        Ok(best)
    };
    let tiles = (0..queries).step_by(TILE_QUERIES);
    let parallel = bytes.saturating_mul(queries) >= PARALLEL_BYTES;
    let found: Vec<Vec<TopK<'_>>> = match pool.filter(|_| parallel) {
        Some(pool) if queries > TILE_QUERIES => {
            pool.install(|| tiles.collect::<Vec<_>>().into_par_iter().map(tile).collect::<Result<_>>())?
        }
        Some(pool) => {
            if let Some(recorder) = search.recorder {
                recorder.shared_by(pool.current_num_threads());
            }
            let empty = || (0..queries).map(|_| TopK::new(search.limit)).collect::<Vec<_>>();
            let merge =
                |a: Vec<_>, b: Vec<_>| a.into_iter().zip(b).map(|(a, b): (TopK<'_>, _)| a.merge(b)).collect();
            let all = pool.install(|| {
                tasks
                    .par_iter()
                    .try_fold(empty, |mut best, task| search.scan(task, 0..queries, &mut best).map(|()| best))
                    .try_reduce(empty, |a, b| Ok(merge(a, b)))
            })?;
            vec![all]
        }
        None => tiles.map(tile).collect::<Result<_>>()?,
    };
    Ok(found.into_iter().flatten().map(sorted).collect())
}

/// Queries given to one thread at a time in an approximate search.
const APPROXIMATE_QUERIES: usize = 16;

fn approximate(
    snapshot: &Snapshot,
    search: &Search<'_>,
    queries: usize,
    pool: Option<&rayon::ThreadPool>,
) -> Result<Vec<Vec<FoundRow>>> {
    let parts = parts_in_order(snapshot);
    let started = search.recorder.map(|_| Instant::now());
    let stretches = stretches(&parts, search)?;
    filters_took(search, started);
    let mut tasks = Vec::with_capacity(parts.len());
    for (&(part, view), Stretches { ranges, filter, is_partition }) in parts.iter().zip(&stretches) {
        let task = |rows: &Range<usize>| {
            let (rows, is_partition) = (rows.clone(), *is_partition);
            Task { part, view, rows, filter, is_partition }
        };
        tasks.extend(ranges.iter().map(task));
    }
    let interrupt = Interrupt::current();
    let one = |query| -> Result<Vec<FoundRow>> {
        Error::check_interrupt(&interrupt)?;
        let mut best = TopK::new(search.limit);
        search.approximate(&tasks, query, &mut best)?;
        Ok(best.into_sorted().iter().map(FoundRow::from).collect())
    };
    match pool {
        Some(pool) if queries >= 2 * APPROXIMATE_QUERIES => {
            let some = || (0..queries).into_par_iter().with_min_len(APPROXIMATE_QUERIES).map(one);
            pool.install(|| some().collect())
        }
        _ => (0..queries).map(one).collect(),
    }
}

fn filters_took(search: &Search<'_>, started: Option<Instant>) {
    if let (Some(recorder), Some(started)) = (search.recorder, started) {
        recorder.filters_took(started.elapsed());
    }
}

fn tasks<'s>(snapshot: &'s Snapshot, stretches: &'s [Stretches<'s>]) -> Vec<Task<'s>> {
    let mut tasks = Vec::new();
    for (part, (view, Stretches { ranges, filter, .. })) in snapshot.parts.iter().zip(stretches).enumerate() {
        for range in ranges {
            for start in range.clone().step_by(TASK_ROWS) {
                let rows = start..range.end.min(start + TASK_ROWS);
                tasks.push(Task { part: part as u32, view, rows, filter, is_partition: false });
            }
        }
    }
    tasks
}

impl Search<'_> {
    /// Returns the vector of a query.
    pub(super) fn query(&self, query: usize) -> &[f32] {
        &self.queries[query * self.dim..][..self.dim]
    }

    /// Offers the visible rows of a task to the best of each query in `queries`.
    pub(super) fn scan<'s>(
        &self,
        task: &Task<'s>,
        queries: Range<usize>,
        best: &mut [TopK<'s>],
    ) -> Result<()> {
        if let (PartFilter::Few { rows, undecided, matcher }, Part::Segment(segment)) =
            (task.filter, &task.view.part)
        {
            let vectors = &self.queries[queries.start * self.dim..queries.end * self.dim];
            let wanted = self.few_wanted(task, rows, undecided, matcher)?;
            return self.scan_few(task, segment, &wanted, vectors, best);
        }
        if let ([best], Part::Segment(segment)) = (&mut *best, &task.view.part)
            && segment.has_codes()
        {
            return self.scan_codes(task, segment, queries.start, best);
        }
        let vectors = &self.queries[queries.start * self.dim..queries.end * self.dim];
        let watch = self.watch();
        let mut scored = 0;
        // Filling those of many queries takes longer than scoring a few dozen rows.
        let (mut of_one, mut of_many);
        let values: &mut [f32] = if queries.len() == 1 {
            of_one = [0.0; RUN_ROWS];
            &mut of_one
        } else {
            of_many = [0.0; TILE_QUERIES * RUN_ROWS];
            &mut of_many
        };
        for start in task.rows.clone().step_by(RUN_ROWS) {
            let run = start..task.rows.end.min(start + RUN_ROWS);
            if (run.start / 64..run.end.div_ceil(64)).all(|word| task.view.visible_word(word) == 0) {
                continue;
            }
            let rows = task.view.part.vectors(run.clone())?;
            let norms =
                if self.scoring.uses_norms() { task.view.part.inverse_norms(run.clone())? } else { &[] };
            let values = &mut values[..queries.len() * run.len()];
            if let [_] = best {
                self.scoring.kernels.scan(self.scoring.op(), vectors, rows, values);
            } else {
                self.scoring.kernels.scan_queries(self.scoring.op(), vectors, self.dim, rows, values);
            }
            scored += values.len();
            for (best, values) in best.iter_mut().zip(values.chunks_mut(run.len())) {
                self.scoring.keys(norms, values);
                self.offer(task, run.start, values, best)?;
            }
        }
        self.record(watch, task, SearchMethod::ScanVectors, |step| step.full_distances = scored);
        Ok(())
    }

    fn scan_codes<'s>(
        &self,
        task: &Task<'s>,
        segment: &'s Segment,
        query: usize,
        best: &mut TopK<'s>,
    ) -> Result<()> {
        let watch = self.watch();
        let (mut bounded, mut scored) = (0, 0);
        let vector = self.query(query);
        let bounds = Bounds::new(self.scoring.metric, vector);
        let mut sums = [0; RUN_ROWS];
        let mut lowest = [0.0; RUN_ROWS];
        for start in task.rows.clone().step_by(RUN_ROWS) {
            let run = start..task.rows.end.min(start + RUN_ROWS);
            if (run.start / 64..run.end.div_ceil(64)).all(|word| task.view.visible_word(word) == 0) {
                continue;
            }
            let codes = segment.codes(run.clone())?;
            let norms = if self.scoring.uses_norms() { segment.inverse_norms(run.clone())? } else { &[] };
            let (sums, lowest) = (&mut sums[..run.len()], &mut lowest[..run.len()]);
            self.scoring.kernels.scan_codes(bounds.query(), codes.codes, sums);
            bounded += run.len();
            bounds.lowest_keys(&codes, norms, sums, lowest);
            for (word, lowest) in lowest.chunks(64).enumerate() {
                let near = near(lowest, best.limit()) & task.view.visible_word(run.start / 64 + word);
                for bit in Bits(near) {
                    if is_beyond(lowest[bit as usize], best.limit()) {
                        continue;
                    }
                    let row = (run.start + word * 64) as u32 + bit;
                    if self.is_wanted(task, row)? {
                        let mut key =
                            [self.scoring.kernels.raw(self.scoring.op(), vector, segment.vector(row)?)];
                        let norm = norms.get(word * 64 + bit as usize..).unwrap_or_default();
                        self.scoring.keys(norm, &mut key);
                        self.offer_row(task, row, key[0], best)?;
                        scored += 1;
                    }
                }
            }
        }
        self.record(watch, task, SearchMethod::ScanCodes, |step| {
            (step.code_distances, step.full_distances) = (bounded, scored);
        });
        Ok(())
    }

    fn offer<'s>(&self, task: &Task<'s>, first: usize, keys: &[f32], best: &mut TopK<'s>) -> Result<()> {
        for (word, keys) in keys.chunks(64).enumerate() {
            let near = near(keys, best.limit());
            if near == 0 {
                continue;
            }
            for bit in Bits(near & task.view.visible_word(first / 64 + word)) {
                let key = keys[bit as usize];
                if !is_beyond(key, best.limit()) {
                    let row = (first + word * 64) as u32 + bit;
                    if self.is_wanted(task, row)? {
                        self.offer_row(task, row, key, best)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns whether a row is not expired and matches the filter.
    pub(super) fn is_wanted(&self, task: &Task<'_>, row: u32) -> Result<bool> {
        Ok(!task.view.is_expired(row, self.now)? && task.filter.matches(task.view, row)?)
    }

    pub(super) fn offer_row<'s>(
        &self,
        task: &Task<'s>,
        row: u32,
        key: f32,
        best: &mut TopK<'s>,
    ) -> Result<()> {
        if !is_beyond(key, best.limit()) {
            best.offer(Candidate { key, id: task.view.part.id(row)?, part: task.part, row });
        }
        Ok(())
    }
}

/// Returns which of up to 64 keys may be among the best, as bits.
fn near(keys: &[f32], limit: f32) -> u64 {
    keys.iter().enumerate().fold(0, |near, (n, &key)| near | u64::from(!is_beyond(key, limit)) << n)
}

/// Returns whether a key cannot be among the best. A sum that overflowed to NaN counts as far away, not as missing.
pub(super) fn is_beyond(key: f32, limit: f32) -> bool {
    key > limit || (key.is_nan() && limit < f32::INFINITY)
}
