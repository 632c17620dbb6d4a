//! Upkeep: sealing rows in memory into segments, and merging segments. Each runs in a thread of its own; nobody has to
//! ask for it, and neither reads nor writes wait for it (writers that get ahead of the disk by the memory budget do).
//!
//! Both are the same act: the live rows of some parts are written to a new segment, a manifest names it instead of
//! them, and the snapshots exchange them. What happened to the rows meanwhile is carried over.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use vecstore_interrupt::Interrupt;

use super::memory::waiting_bytes;
use super::part::{Part, PartView};
use super::policy::{self, Due, segments};
use super::snapshot::Snapshot;
use super::{Collection, Core, Writer};
use crate::database::Next;
use crate::error::{Error, Result};
use crate::storage::Uuid;
use crate::storage::manifest::CollectionEntry;
use crate::storage::marks::Marks;

/// What is left in the log at close is replayed at open, at about 1 GB/s: up to here that costs less than a segment.
pub(super) const CLOSE_LOG_BYTES: u64 = 2 << 20;

/// What upkeep knows of the files. Whoever changes them holds it.
#[derive(Debug)]
pub(super) struct Upkeep {
    pub(super) log_seq: u64,
    /// A log was begun for a seal that failed. The next attempt does without another one, so that a full disk does not fill
    /// up with logs.
    pub(super) has_begun_log: bool,
    pub(super) saved_marks: HashMap<Uuid, SavedMarks>,
}

/// Marks as they are on disk.
#[derive(Clone, Debug)]
pub(super) struct SavedMarks {
    pub(super) generation: u64,
    pub(super) checksum: u64,
    pub(super) marks: Marks,
}

impl Upkeep {
    pub(super) fn new(log_seq: u64, saved_marks: Vec<(Uuid, SavedMarks)>) -> Self {
        Self { log_seq, has_begun_log: false, saved_marks: saved_marks.into_iter().collect() }
    }
}

impl Upkeep {
    /// Returns whether the marks of a segment are on disk as they are.
    pub(super) fn has_saved(&self, view: &PartView) -> bool {
        let Part::Segment(segment) = &view.part else { return false };
        let saved = self.saved_marks.get(&segment.uuid());
        saved.map_or(view.marks.is_empty(), |saved| saved.marks == view.marks)
    }
}

impl Collection {
    /// Does all background work now: seals what is in memory, merges the segments into one (or as few as can be built
    /// within the memory budget), writes those again whose graph is not of the kind that [`Quantization`](crate::Quantization)
    /// asks for, and frees the space of removed records. Waits for a merge that is under way. Returns how many removed records it freed. Never needed.
    ///
    /// # Errors
    ///
    /// `Io` if the disk is full; `Closed` if the store is closed meanwhile. Nothing is lost then.
    pub fn compact(&self) -> Result<usize> {
        let core = &self.core;
        let writer = &*core.writer()?;
        let mut turn = writer.merging.lock();
        core.shared.check_open()?;
        let dead = dead_rows(&writer.committer.published());
        core.seal(writer, &mut writer.upkeep.lock())?;
        let published = writer.committer.published();
        let segments: Vec<PartView> = segments(&published).cloned().collect();
        let graphs = core.graphs(published.dim);
        let is_unfinished = |view: &PartView| {
            !view.marks.dead.is_empty()
                || policy::lacks_graph(view, graphs)
                || (view.live() <= graphs.rows_max && core.has_other_layout(&published, view))
        };
        for group in policy::groups(segments, graphs.rows_max) {
            if group.len() > 1 || group.iter().any(is_unfinished) {
                core.merge(writer, &mut turn, &group)?;
            }
        }
        core.build_fields(writer, &mut turn)?;
        let _upkeep = writer.upkeep.lock();
        core.shared.collect_garbage(core.uuid)?;
        Ok(dead.saturating_sub(dead_rows(&writer.committer.published())))
    }

    /// Seals what is in memory, as a background thread does when it is due: for tests that have it done at a certain moment.
    #[doc(hidden)]
    pub fn seal(&self) -> Result<()> {
        let writer = &*self.core.writer()?;
        self.core.seal(writer, &mut writer.upkeep.lock()).map(drop)
    }

    /// Compacts if there is enough to free.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a share out of range; otherwise as [`Collection::compact`].
    pub fn maybe_compact(&self, config: &CompactionConfig) -> Result<CompactionResult> {
        let started = Instant::now();
        let share = config.min_dead_share;
        if !(0.0..=1.0).contains(&share) {
            return Err(Error::invalid(format!("min_dead_share must be between 0 and 1, got {share}")));
        }
        let (snapshot, now) = (self.core.any_snapshot()?, self.core.now());
        let rows: usize = snapshot.parts.iter().map(|view| view.part.len()).sum();
        let dead = rows - snapshot.unexpired(now);
        let compacted = dead >= config.min_dead_rows && dead as f64 > rows as f64 * share;
        let freed = if compacted { self.compact()? } else { 0 };
        Ok(CompactionResult { compacted, freed, duration: started.elapsed() })
    }
}

/// When [`Collection::maybe_compact`] compacts. The background does what is needed by itself, whatever is asked for here.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct CompactionConfig {
    min_dead_share: f64,
    min_dead_rows: usize,
}

impl Default for CompactionConfig {
    fn default() -> Self {
        Self { min_dead_share: policy::DEAD_SHARE, min_dead_rows: 1 }
    }
}

impl CompactionConfig {
    /// Returns the defaults: more than a fifth of the rows, at least one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets beyond which share of all rows those of removed, replaced and expired records are enough, 0 to 1.
    pub fn min_dead_share(mut self, share: f64) -> Self {
        self.min_dead_share = share;
        self
    }

    /// Sets how many such rows there must be.
    pub fn min_dead_rows(mut self, rows: usize) -> Self {
        self.min_dead_rows = rows;
        self
    }
}

/// What [`Collection::maybe_compact`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompactionResult {
    /// Whether it compacted.
    pub compacted: bool,
    /// How many removed records it freed.
    pub freed: usize,
    /// How long it took.
    pub duration: Duration,
}

fn dead_rows(snapshot: &Snapshot) -> usize {
    snapshot.parts.iter().map(|view| view.marks.dead.len()).sum()
}

impl Core {
    /// Seals if that is due, or if there is anything to seal when `all_due`. Returns when to look again.
    pub(crate) fn seal_step(&self, all_due: bool) -> Result<Next> {
        let step = |writer: &Writer| {
            let next = self.seal_step_of(writer, all_due)?;
            if next != Next::Again {
                self.encode_young(&writer.committer.published());
            }
            Ok(next)
        };
        self.while_writing(step).unwrap_or(Ok(Next::OnRequest))
    }

    /// Encodes the signs of rows in memory that have none yet, so that no query waits for that. A millisecond a thousand rows.
    fn encode_young(&self, published: &Snapshot) {
        for view in self.young(published) {
            if self.is_retiring() {
                return;
            }
            // A query comes by the same failure, and reports it.
            _ = view.part.signs(self.scoring);
        }
    }

    /// Returns the rows in memory whose signs queries will ask for. None if nobody searches what is written: a mere load would
    /// gain nothing by being ready for queries.
    fn young<'s>(&self, published: &'s Snapshot) -> impl Iterator<Item = &'s PartView> {
        let queries = self.counters.queries.load(Ordering::Relaxed);
        let is_searched = queries != self.queries_at_seal.load(Ordering::Relaxed)
            && published.dim.is_some_and(|dim| self.scoring.uses_codes(dim));
        is_searched.then(|| policy::young(published)).into_iter().flatten()
    }

    fn seal_step_of(&self, writer: &Writer, all_due: bool) -> Result<Next> {
        let mut upkeep = writer.upkeep.lock();
        let published = writer.committer.published();
        let is_due = policy::seal_is_due(&published, writer.committer.log_bytes(), writer.seal_bytes)
            || policy::has_expired_rows_due(&published, self.now())
            || (all_due && published.memory_bytes() > 0);
        if !is_due {
            if !policy::seals_when_idle(&published, self.graphs(published.dim)) {
                return Ok(Next::OnRequest);
            }
            let rest = policy::IDLE.saturating_sub(self.idle());
            if !rest.is_zero() {
                return Ok(Next::After(rest));
            }
        }
        let outcome = self.seal(writer, &mut upkeep).map(drop);
        *writer.sealing.lock() = outcome.as_ref().err().map(Error::duplicate);
        writer.sealed.notify_all();
        outcome?;
        Ok(Next::Again)
    }

    /// Merges if that is due. Returns when to look again.
    pub(crate) fn merge_step(&self) -> Result<Next> {
        self.while_writing(|writer| self.merge_step_of(writer)).unwrap_or(Ok(Next::OnRequest))
    }

    fn merge_step_of(&self, writer: &Writer) -> Result<Next> {
        // Whoever is merging leaves nothing to do: it is `compact`.
        let Some(mut turn) = writer.merging.try_lock() else { return Ok(Next::OnRequest) };
        if let Some(rest) = writer.merge_rest() {
            return Ok(Next::After(rest));
        }
        let published = writer.committer.published();
        let idle = self.idle();
        let graphs = self.graphs(published.dim);
        match policy::due_for_merge(&published, writer.seal_bytes, graphs, self.now(), idle) {
            Due::Now(views) => match self.merge(writer, &mut turn, &views) {
                Ok(()) => Ok(Next::Again),
                // Noted for `stats`, and for how long to rest.
                Err(_) if !self.is_retiring() => Ok(Next::Again),
                Err(error) => Err(error),
            },
            // After a crash or a failure of the call that chose the columns, or going back to an earlier snapshot.
            later => match self.build_fields(writer, &mut turn) {
                Ok(true) => Ok(Next::Again),
                Err(_) if !self.is_retiring() => Ok(Next::Again),
                Err(error) => Err(error),
                Ok(false) => match later {
                    Due::WhenIdle(pause) => Ok(Next::After(pause.saturating_sub(idle))),
                    Due::Now(_) | Due::Nothing => Ok(Next::OnRequest),
                },
            },
        }
    }

    /// Returns for how long nothing was written. Without background threads there are no pauses to use: what is done then
    /// is the same each time.
    fn idle(&self) -> Duration {
        if !self.shared.background.does_upkeep() {
            return Duration::ZERO;
        }
        let last_write = Duration::from_millis(self.last_write_ms.load(Ordering::Relaxed));
        self.made.elapsed().saturating_sub(last_write)
    }

    /// Asks the background threads for what is due.
    pub(super) fn request_upkeep(&self, writer: &Writer) {
        let background = &self.shared.background;
        self.note_write();
        self.note_unsealed(writer);
        let published = writer.committer.published();
        if policy::seal_is_due(&published, writer.committer.log_bytes(), writer.seal_bytes)
            || self.shared.unsealed_is_due()
        {
            background.seal.request();
        } else if policy::seals_when_idle(&published, self.graphs(published.dim)) {
            background.seal.request_after(policy::IDLE);
        }
        if self.young(&published).next().is_some() {
            background.seal.request();
        }
        if policy::has_dead_rows_due(&published) {
            background.merge.request();
        }
    }

    /// Makes what is due within 100 ms durable, for `Durability::Interval`.
    pub(crate) fn sync_if_unsynced(&self) -> Result<()> {
        let sync = |writer: &Writer| {
            if writer.committer.is_unsynced() { writer.committer.sync().map(drop) } else { Ok(()) }
        };
        self.while_writing(sync).unwrap_or(Ok(()))
    }

    pub(super) fn entry(&self) -> Result<CollectionEntry> {
        self.shared.entry(self.uuid)
    }
}

impl Writer {
    /// Returns why upkeep does not get on, if it does not.
    pub(super) fn upkeep_error(&self) -> Option<String> {
        let sealing = self.sealing.lock().as_ref().map(|error| error.message().to_owned());
        let merging = || Some(self.merge_failure.lock().as_ref()?.error.message().to_owned());
        sealing.or_else(merging)
    }

    /// Waits while rows in memory exceed the memory budget. If they cannot be sealed, says why.
    pub(super) fn wait_for_upkeep(&self, core: &Core) -> Result<()> {
        let waiting = waiting_bytes(core.shared.memory_budget);
        let is_over = || {
            let others = core.shared.unsealed_bytes().saturating_sub(core.unsealed_bytes());
            others + self.committer.lock_working().snapshot.memory_bytes() > waiting
        };
        if !is_over() {
            return Ok(());
        }
        let background = &core.shared.background;
        if !background.does_upkeep() {
            core.seal_step_of(self, true)?;
            return core.merge_step_of(self).map(drop);
        }
        let interrupt = Interrupt::current();
        while is_over() {
            Error::check_interrupt(&interrupt)?;
            core.shared.check_open()?;
            background.seal.request();
            let mut failure = self.sealing.lock();
            if let Some(error) = &*failure {
                return Err(error.duplicate());
            }
            self.sealed.wait_for(&mut failure, UPKEEP_POLL);
        }
        Ok(())
    }
}

/// A writer that waits looks again after this time, in case the store was closed meanwhile.
const UPKEEP_POLL: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::VecStore;
    use crate::query::Query;
    use crate::record::{Batch, Record};

    /// How long a thread that has next to nothing to do may take.
    const PATIENCE: Duration = Duration::from_secs(20);
    const DIM: usize = 64;

    fn batch(first: usize) -> Batch {
        let mut batch = Batch::new(DIM).unwrap();
        for n in first..first + 200 {
            let vector: Vec<f32> = (0..DIM).map(|d| ((n * 7 + d * 13) % 31) as f32 + 1.0).collect();
            batch.push(&Record::new(n.to_string(), vector), None).unwrap();
        }
        batch
    }

    #[test]
    fn signs_of_new_rows_are_ready_before_a_query_where_there_are_queries() {
        let directory = tempfile::tempdir().unwrap();
        let store = VecStore::open(directory.path().join("store")).unwrap();
        let lacking = || policy::young(&store.core.snapshot().unwrap()).count();
        store.upsert_many(batch(0)).unwrap();
        // Nobody has searched yet: whatever a thread does, it leaves them.
        _ = store.core.seal_step(false).unwrap();
        assert_eq!(lacking(), 1);
        store.query(&Query::new(vec![1.0; DIM])).unwrap();
        store.upsert_many(batch(1000)).unwrap();
        let started = Instant::now();
        while lacking() > 0 {
            assert!(started.elapsed() < PATIENCE, "no thread encodes them");
            std::thread::yield_now();
        }
    }
}
