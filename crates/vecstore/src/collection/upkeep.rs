//! Upkeep: sealing rows in memory into segments, and merging segments. Runs in the background; nobody has to ask
//! for it, and neither reads nor writes wait for it (writers that get ahead of the disk by the memory budget do).
//!
//! Both are the same act: the live rows of some parts are written to a new segment, a manifest names it instead of
//! them, and the snapshots exchange them. What happened to the rows meanwhile is carried over, and is in the log.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::part::{Part, PartView};
use super::policy::{self, in_memory, segments};
use super::replacement::Replacement;
use super::snapshot::Snapshot;
use super::{Collection, Core, Source, Writer};
use crate::error::{Error, Result};
use crate::index::{self, Draft, Points};
use crate::storage::Uuid;
use crate::storage::manifest::{CollectionEntry, SegmentEntry};
use crate::storage::marks::{self, Marks};
use crate::storage::segment::{self, Contents, RowSource, Segment};
use crate::storage::wal::{self, LogWriter};

/// What is left in the log at close is replayed at open, at about 1 GB/s: up to here that costs less than a segment.
const CLOSE_LOG_BYTES: u64 = 2 << 20;

const MERGE_REST_FIRST: Duration = Duration::from_secs(1);
const MERGE_REST_DOUBLINGS: u32 = 10;

/// What upkeep knows of the files; only upkeep changes it.
#[derive(Debug)]
pub(super) struct Upkeep {
    log_seq: u64,
    saved_marks: HashMap<Uuid, SavedMarks>,
    /// How many merges have failed in a row, and when to try again.
    merge_failures: Option<(u32, Instant)>,
    pub(super) merge_error: Option<Error>,
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
        Self {
            log_seq,
            saved_marks: saved_marks.into_iter().collect(),
            merge_failures: None,
            merge_error: None,
        }
    }

    /// Rests longer after each merge that failed: one for which the disk has no room writes a lot before it fails.
    fn note_merge(&mut self, error: Option<&Error>) {
        self.merge_error = error.map(Error::duplicate);
        self.merge_failures = error.map(|_| {
            let failures = self.merge_failures.map_or(0, |(failures, _)| failures) + 1;
            (failures, Instant::now() + MERGE_REST_FIRST * 2u32.pow(failures.min(MERGE_REST_DOUBLINGS)))
        });
    }
}

impl Collection {
    /// Does all background work now: seals what is in memory, merges the segments into one, and frees the space of
    /// removed records. Returns how many removed records it freed. Never needed.
    ///
    /// # Errors
    ///
    /// `Io` if the disk is full; nothing is lost then.
    pub fn compact(&self) -> Result<usize> {
        let core = &*self.core;
        let writer = core.writer()?;
        let mut upkeep = writer.upkeep.lock();
        let dead = dead_rows(&writer.committer.published());
        core.seal(writer, &mut upkeep)?;
        let published = writer.committer.published();
        let segments: Vec<PartView> = segments(&published).cloned().collect();
        let fits = segments.iter().map(PartView::live).sum::<usize>() <= policy::MERGED_ROWS_MAX;
        if fits && (segments.len() > 1 || segments.iter().any(|view| !view.marks.dead.is_empty())) {
            core.merge(writer, &mut upkeep, &segments)?;
        }
        core.shared.collect_garbage()?;
        Ok(dead.saturating_sub(dead_rows(&writer.committer.published())))
    }
}

impl Collection {
    /// Compacts if more than a fifth of the rows are dead, the share at which the background rewrites a segment.
    /// Returns how many removed records it freed if it did.
    pub fn compact_if_due(&self) -> Result<Option<usize>> {
        let snapshot = self.core.snapshot()?;
        let rows: usize = snapshot.parts.iter().map(|view| view.part.len()).sum();
        let is_due = dead_rows(&snapshot) as f64 > rows as f64 * policy::DEAD_SHARE;
        is_due.then(|| self.compact()).transpose()
    }
}

fn dead_rows(snapshot: &Snapshot) -> usize {
    snapshot.parts.iter().map(|view| view.marks.dead.len()).sum()
}

impl Core {
    /// Does what is due. Returns whether anything was.
    pub(crate) fn upkeep_step(&self) -> Result<bool> {
        let Source::Writer(writer) = &self.source else { return Ok(false) };
        let mut upkeep = writer.upkeep.lock();
        let published = writer.committer.published();
        let mut sealed = false;
        if policy::seal_is_due(&published, writer.committer.log_bytes(), writer.seal_bytes) {
            let outcome = self.seal(writer, &mut upkeep);
            *writer.sealing.lock() = outcome.as_ref().err().map(Error::duplicate);
            writer.sealed.notify_all();
            outcome?;
            sealed = true;
        }
        // In turns with sealing, so that a steady stream of writes does not leave dead segments behind.
        if upkeep.merge_failures.is_some_and(|(_, again)| Instant::now() < again) {
            return Ok(sealed);
        }
        let views = policy::due_for_merge(&writer.committer.published(), writer.seal_bytes, self.now())?;
        if views.is_empty() {
            return Ok(sealed);
        }
        let outcome = self.merge(writer, &mut upkeep, &views);
        upkeep.note_merge(outcome.as_ref().err());
        Ok(sealed || outcome.is_ok())
    }

    /// Asks the background thread for upkeep if any is due.
    pub(super) fn request_upkeep(&self, writer: &Writer) {
        let published = writer.committer.published();
        if policy::seal_is_due(&published, writer.committer.log_bytes(), writer.seal_bytes)
            || policy::has_dead_rows_due(&published)
        {
            self.shared.background.request_upkeep();
        }
    }

    /// Makes what is due within 100 ms durable, for `Durability::Interval`.
    pub(crate) fn sync_if_unsynced(&self) -> Result<()> {
        match &self.source {
            Source::Writer(writer) if writer.committer.is_unsynced() => writer.committer.sync().map(drop),
            _ => Ok(()),
        }
    }

    /// Makes everything durable and leaves little to replay.
    pub(crate) fn close(&self) -> Result<()> {
        let Source::Writer(writer) = &self.source else { return Ok(()) };
        let mut upkeep = writer.upkeep.lock();
        if !writer.committer.has_log() {
            return Ok(());
        }
        let poisoned = writer.committer.check_poison();
        if poisoned.is_ok() && writer.committer.log_bytes() > CLOSE_LOG_BYTES {
            // If there is no room for a segment, the log has it all.
            _ = self.seal(writer, &mut upkeep);
        }
        let closed = writer.committer.close(self.shared.closed_error());
        poisoned?;
        let durable_lsn = closed?;
        let entry = self.entry()?;
        if entry.durable_lsn < durable_lsn {
            let dim = writer.committer.published().dim;
            self.shared.publish_entry(CollectionEntry { durable_lsn, dim, ..entry })?;
        }
        self.shared.collect_garbage()
    }

    pub(super) fn entry(&self) -> Result<CollectionEntry> {
        self.shared.entry(self.uuid)
    }

    /// Moves all rows in memory to a segment and drops the log they are in.
    fn seal(&self, writer: &Writer, upkeep: &mut Upkeep) -> Result<()> {
        let committer = &writer.committer;
        committer.check_poison()?;
        let logged = committer.has_log();
        if in_memory(&committer.published()).next().is_none() && committer.log_bytes() <= wal::EMPTY_BYTES {
            return Ok(());
        }
        let vfs = &*self.shared.vfs;
        // An empty log need not be left: it stays the one to write to.
        let next = if logged && committer.log_bytes() > wal::EMPTY_BYTES {
            let seq = upkeep.log_seq + 1;
            // A log of that number can be left over from an attempt that failed before anything was written to it.
            let path = self.directory.join(wal::file_name(seq));
            if vfs.stat(&path).is_ok_and(|found| found.is_some()) {
                vfs.remove_file(&path).map_err(|error| Error::io("remove", &path, error))?;
            }
            Some(LogWriter::create(vfs, &self.directory, seq, self.uuid, self.shared.new_uuid()?)?)
        } else {
            None
        };
        let rotated = next.is_some();
        let boundary = committer.rotate(next)?;
        if rotated {
            upkeep.log_seq += 1;
        }
        let sealed: Vec<PartView> = in_memory(&boundary).cloned().collect();
        let outcome = self.exchange(writer, upkeep, &sealed, Some(&boundary));
        if outcome.is_err() {
            committer.reopen_parts();
        }
        outcome
    }

    fn merge(&self, writer: &Writer, upkeep: &mut Upkeep, views: &[PartView]) -> Result<()> {
        // The new segment leaves out rows whose removal may only be in the log: that must not be lost afterwards.
        writer.committer.sync()?;
        self.exchange(writer, upkeep, views, None)
    }

    /// Writes the live rows of `views` to a segment, publishes it in their place, and exchanges them. With a
    /// `boundary`, the manifest becomes a checkpoint of it: logs before the current one are no longer needed.
    fn exchange(
        &self,
        writer: &Writer,
        upkeep: &mut Upkeep,
        views: &[PartView],
        boundary: Option<&Snapshot>,
    ) -> Result<()> {
        let mut made = Made { core: self, paths: Vec::new() };
        let outcome = self.exchange_files(writer, upkeep, views, boundary, &mut made);
        if let Err(error) = outcome {
            // A crash before this is safe as well: no manifest names these files, and recovery removes them.
            made.remove();
            return Err(error);
        }
        self.shared.collect_garbage()
    }

    fn exchange_files(
        &self,
        writer: &Writer,
        upkeep: &mut Upkeep,
        views: &[PartView],
        boundary: Option<&Snapshot>,
        made: &mut Made<'_>,
    ) -> Result<()> {
        // Rows that have expired are left out: nothing returns them any more.
        let now = self.now();
        let (new, rows) = self.write_segment(views, now, boundary.is_none(), made)?;
        let replaced: HashSet<Uuid> = views.iter().filter_map(|view| uuid_of(&view.part)).collect();
        let mut entry = self.entry()?;
        entry.segments.retain(|segment| !replaced.contains(&segment.uuid));
        let mut saved = upkeep.saved_marks.clone();
        saved.retain(|segment, _| !replaced.contains(segment));
        if let Some((segment, marks)) = &new {
            let uuid = segment.uuid();
            let (rows, checksum) = (segment.len() as u64, segment.checksum());
            entry.segments.push(SegmentEntry { uuid, rows, checksum, marks: None });
            self.save_marks(uuid, marks, &mut saved, made)?;
        }
        if let Some(boundary) = boundary {
            entry.checkpoint_lsn = boundary.lsn;
            entry.first_log = upkeep.log_seq;
            entry.dim = boundary.dim;
            for view in segments(boundary) {
                let uuid = uuid_of(&view.part).expect("`segments` yields segments");
                self.save_marks(uuid, &view.marks, &mut saved, made)?;
            }
        }
        for segment in &mut entry.segments {
            segment.marks = saved.get(&segment.uuid).map(|saved| (saved.generation, saved.checksum));
        }
        entry.durable_lsn = entry.durable_lsn.max(entry.checkpoint_lsn);
        let directory = &self.directory;
        self.shared.vfs.sync_dir(directory).map_err(|error| Error::io("sync", directory, error))?;
        self.shared.publish_entry(entry)?;
        made.paths.clear();
        upkeep.saved_marks = saved;
        let replacement = Replacement::of(views, &rows);
        let part = new.map(|(segment, _)| Part::Segment(segment));
        writer.committer.replace(|id| replacement.with_part(part, id));
        Ok(())
    }

    /// Writes the live rows of `views`, if there are any, and returns the segment with the marks it starts with, and
    /// the rows in its order.
    fn write_segment(
        &self,
        views: &[PartView],
        now: u64,
        with_graph: bool,
        made: &mut Made<'_>,
    ) -> Result<(Option<(Arc<Segment>, Marks)>, Vec<(usize, u32)>)> {
        let rows: Vec<(usize, u32)> = views
            .iter()
            .enumerate()
            .flat_map(|(view, part)| part.kept_rows(now).map(move |row| (view, row)))
            .collect();
        if rows.is_empty() {
            return Ok((None, rows));
        }
        let rows = LiveRows { views, rows };
        let vector = |row: usize| rows.vector(row);
        let draft = if with_graph { self.draft(&rows, &vector)? } else { None };
        let ordered = match &draft {
            Some(draft) => draft.order().iter().map(|&row| rows.rows[row as usize]).collect(),
            None => rows.rows.clone(),
        };
        let ordered = LiveRows { views, rows: ordered };
        let mut marks = Marks::default();
        for (new, &(view, row)) in ordered.rows.iter().enumerate() {
            if views[view].marks.hidden.contains(row) {
                marks.hidden.insert(new as u32);
            }
        }
        let vfs = &*self.shared.vfs;
        let uuid = self.shared.new_uuid()?;
        let path = self.directory.join(segment::file_name(uuid));
        made.paths.push(path.clone());
        let norm = |vector: &[f32]| self.scoring.inverse_norms(vector.len(), vector)[0];
        let contents = Contents {
            inverse_norm: self.scoring.uses_norms().then_some(&norm),
            codes: self.scoring.uses_codes(views[0].part.dim()),
            kernels: self.scoring.kernels,
            graph: draft.as_ref().map(|draft| Ok((draft, draft.measure()?))).transpose()?,
        };
        let checksum = segment::write(vfs, &path, (uuid, self.uuid), &ordered, contents)?;
        let segment = Segment::open(vfs, &path, uuid, self.uuid, checksum)?;
        Ok((Some((Arc::new(segment), marks)), ordered.rows))
    }

    /// Builds the graph of rows, if they are enough and their metric has one.
    fn draft<'a>(
        &self,
        rows: &LiveRows<'_>,
        vector: &'a (dyn Fn(usize) -> Result<&'a [f32]> + Sync),
    ) -> Result<Option<Draft<'a>>> {
        if rows.rows() < policy::GRAPH_ROWS_MIN {
            return Ok(None);
        }
        let dim = rows.dim();
        let Some(space) = self.scoring.space(dim, rows.rows(), |row| vector(row))? else { return Ok(None) };
        let build = || -> Result<Draft<'a>> {
            let points = Points::encode(self.scoring.kernels, space, dim, rows.rows(), vector)?;
            let graph = index::build(&points, &|| self.shared.check_open())?;
            Ok(Draft::new(space, dim, points, graph, vector))
        };
        match self.shared.pool(usize::MAX) {
            Some(pool) => pool.install(build),
            None => build(),
        }
        .map(Some)
    }

    /// Writes the marks of a segment unless they are on disk already.
    fn save_marks(
        &self,
        segment: Uuid,
        marks: &Marks,
        saved: &mut HashMap<Uuid, SavedMarks>,
        made: &mut Made<'_>,
    ) -> Result<()> {
        let known = saved.get(&segment);
        if known.map_or(marks.is_empty(), |known| known.marks == *marks) {
            return Ok(());
        }
        let mut generation = known.map_or(0, |known| known.generation) + 1;
        let vfs = &*self.shared.vfs;
        let path = loop {
            let path = self.directory.join(marks::file_name(segment, generation));
            match vfs.stat(&path) {
                Ok(None) => break path,
                // Left over from an attempt that failed.
                Ok(Some(_)) => generation += 1,
                Err(error) => return Err(Error::io("look for", &path, error)),
            }
        };
        made.paths.push(path.clone());
        let checksum = marks::write(vfs, &path, segment, generation, marks)?;
        saved.insert(segment, SavedMarks { generation, checksum, marks: marks.clone() });
        Ok(())
    }
}

impl Writer {
    /// Returns why upkeep does not get on, if it does not.
    pub(super) fn upkeep_error(&self) -> Option<String> {
        let sealing = self.sealing.lock().as_ref().map(|error| error.message().to_owned());
        // While upkeep is at work, it has not failed.
        let merging = || Some(self.upkeep.try_lock()?.merge_error.as_ref()?.message().to_owned());
        sealing.or_else(merging)
    }

    /// Waits while rows in memory exceed the memory budget. If they cannot be sealed, says why.
    pub(super) fn wait_for_upkeep(&self, core: &Core) -> Result<()> {
        let is_over = || self.committer.lock_working().snapshot.memory_bytes() > core.shared.memory_budget;
        if !is_over() {
            return Ok(());
        }
        if !core.shared.background.does_upkeep() {
            return core.upkeep_step().map(drop);
        }
        while is_over() {
            core.shared.check_open()?;
            core.shared.background.request_upkeep();
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
const UPKEEP_POLL: std::time::Duration = std::time::Duration::from_millis(50);

fn uuid_of(part: &Part) -> Option<Uuid> {
    match part {
        Part::Segment(segment) => Some(segment.uuid()),
        Part::Memory(_) => None,
    }
}

/// Files that nothing names yet.
struct Made<'a> {
    core: &'a Core,
    paths: Vec<PathBuf>,
}

impl Made<'_> {
    fn remove(&self) {
        // Unless the manifest was published after all, which cannot be told when its sync failed.
        if self.core.shared.check_manifest().is_ok() {
            for path in &self.paths {
                _ = self.core.shared.vfs.remove_file(path);
            }
        }
    }
}

/// The live rows of some parts, in order.
struct LiveRows<'a> {
    views: &'a [PartView],
    rows: Vec<(usize, u32)>,
}

impl RowSource for LiveRows<'_> {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn dim(&self) -> usize {
        self.views[0].part.dim()
    }

    fn vector(&self, row: usize) -> Result<&[f32]> {
        let (view, row) = self.rows[row];
        self.views[view].part.vector(row)
    }

    fn id(&self, row: usize) -> Result<&str> {
        let (view, row) = self.rows[row];
        self.views[view].part.id(row)
    }

    fn body_bytes(&self, row: usize) -> Result<&[u8]> {
        let (view, row) = self.rows[row];
        self.views[view].part.body_bytes(row)
    }

    fn expiry(&self, row: usize) -> Result<u64> {
        let (view, row) = self.rows[row];
        self.views[view].part.expiry(row)
    }
}
