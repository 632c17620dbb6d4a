//! New files of what is left of a collection.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vecstore_interrupt::Interrupt;

use super::collection::{FoundLog, FoundMarks, FoundSegment, Salvage};
use super::files::Files;
use super::report::RepairReport;
use super::rows::KeptRows;
use crate::collection::{Location, Part, Snapshot, log_seqs, replay_call};
use crate::database::{create_dirs, new_uuid};
use crate::error::{Error, Result};
use crate::options::OpenOptions;
use crate::quantization::Quantization;
use crate::query::Scoring;
use crate::storage::Uuid;
use crate::storage::flipped_bit::FlippedBits;
use crate::storage::id_index::hash_id;
use crate::storage::manifest::{CollectionEntry, SegmentEntry};
use crate::storage::marks::{self, Marks};
use crate::storage::segment::{self, Contents, Remains, RowSource, SalvagedRows, Segment};
use crate::storage::settings::SnapshotEntry;
use crate::storage::wal::{self, LogWriter, Op};
use crate::vfs::Vfs;

impl Salvage<'_> {
    /// Makes new files of what is left, syncs them, and returns what the next manifest is to say.
    pub(super) fn rebuild(
        self,
        options: &OpenOptions,
        files: &mut Files<'_>,
        report: &mut RepairReport,
    ) -> Result<CollectionEntry> {
        create_dirs(self.vfs, &self.directory)?;
        let Self { vfs, directory, entry, scoring, logs, durable_lsn, is_rebuilt, .. } = self;
        let quantization = options.quantization.unwrap_or(entry.settings.quantization);
        let (sorted, lost_rows) = (HashMap::new(), Vec::new());
        let mut rebuild =
            Rebuild { vfs, directory, entry, scoring, quantization, files, is_rebuilt, sorted, lost_rows };
        let mut own = Vec::new();
        for (found, marks) in self.segments {
            own.push((found.path.clone(), found.entry.clone(), marks));
            rebuild.sort(found)?;
        }
        self.kept_segments.into_iter().try_for_each(|found| rebuild.sort(found))?;
        let mut snapshots = Vec::new();
        for (snapshot, marks) in self.snapshots {
            snapshots.push(rebuild.kept_snapshot(snapshot, marks, report)?);
        }
        let mut snapshot = Snapshot { lsn: entry.checkpoint_lsn, dim: entry.dim, ..Snapshot::default() };
        let mut unsure = Vec::new();
        for (path, entry, marks) in own {
            let is_unsure = is_rebuilt || !marks.are_right;
            if let Some((part, marks)) = rebuild.segment(&path, &entry, marks, report)? {
                snapshot.push_part(part, marks);
                unsure.push(is_unsure);
            }
        }
        kill_duplicates(&mut snapshot, &unsure)?;
        rebuild.replay(&mut snapshot, logs, report)?;
        rebuild.report_lost_rows(&snapshot, report)?;
        snapshot.lsn = snapshot.lsn.max(durable_lsn);
        rebuild.seal(&mut snapshot)?;
        report.records += snapshot.live();
        rebuild.discard_copies();
        Ok(CollectionEntry { snapshots, ..rebuild.entry(entry, &snapshot)? })
    }
}

/// Of rows with one id in several segments, only one may live: one whose marks are known or, failing that, the last.
fn kill_duplicates(snapshot: &mut Snapshot, unsure: &[bool]) -> Result<()> {
    for part in (0..unsure.len()).filter(|&part| unsure[part]) {
        let rows: Vec<u32> = snapshot.parts[part].live_rows().collect();
        for row in rows {
            Error::check_interrupt(&Interrupt::current())?;
            let id = snapshot.parts[part].part.id(row)?.to_owned();
            let hash = hash_id(&id);
            let outlived = snapshot.parts.iter().enumerate().any(|(other, view)| {
                let counts = other != part && (!unsure[other] || other > part);
                counts && matches!(view.part.find(&id, hash), Ok(Some(row)) if !view.marks.dead.contains(row))
            });
            if outlived {
                snapshot.kill(Location { part, row });
            }
        }
    }
    Ok(())
}

/// Making the new files of one collection.
struct Rebuild<'a, 'b> {
    vfs: &'a dyn Vfs,
    directory: PathBuf,
    entry: &'a CollectionEntry,
    scoring: Scoring,
    quantization: Quantization,
    files: &'a mut Files<'b>,
    /// The manifest is lost, and with it how terms were made of texts.
    is_rebuilt: bool,
    /// What is left of each segment that the collection or a snapshot of it has.
    sorted: HashMap<Uuid, Sorted>,
    /// Records whose bytes are damaged, until it is known what the log says of them.
    lost_rows: Vec<LostRow>,
}

/// A segment, by what can be done with it.
enum Sorted {
    /// It is as it was written, or a copy with its bits put back is.
    Whole(Arc<Segment>),
    /// Rows of it can be read, in the segment itself or in a copy that is only for that.
    Rows(Arc<Segment>, Option<PathBuf>),
    /// Nothing can be read.
    Lost,
}

/// A record that a damaged segment held.
struct LostRow {
    path: PathBuf,
    id: Option<String>,
}

impl Rebuild<'_, '_> {
    /// Looks what can be done with a segment. One with bits put back is copied with them.
    fn sort(&mut self, found: FoundSegment) -> Result<()> {
        let FoundSegment { path, entry, remains } = found;
        let is_intact = remains.as_ref().is_ok_and(|remains| remains.problems.is_empty());
        if !is_intact && self.vfs.stat(&path).is_ok_and(|found| found.is_some()) {
            self.files.damaged(path);
        }
        let sorted = match remains {
            Ok(remains) if is_intact => Sorted::Whole(Arc::new(remains.segment)),
            Ok(remains) if remains.is_mended() => self.copy(&remains)?,
            Ok(remains) => Sorted::Rows(Arc::new(remains.segment), None),
            Err(_) => Sorted::Lost,
        };
        self.sorted.insert(entry.uuid, sorted);
        Ok(())
    }

    fn copy(&mut self, remains: &Remains) -> Result<Sorted> {
        let (uuid, path) = self.new_segment_file()?;
        let checksum = remains.copy(self.vfs, &path, uuid)?;
        let ids = (uuid, self.entry.uuid);
        let mended = Remains::examine(self.vfs, &path, ids, Some(checksum), &mut FlippedBits::none())?;
        let segment = Arc::new(mended.segment);
        Ok(match mended.problems.is_empty() {
            true => Sorted::Whole(segment),
            false => Sorted::Rows(segment, Some(path)),
        })
    }

    /// Removes copies that were made to read rows from.
    fn discard_copies(&mut self) {
        for (_, sorted) in self.sorted.drain() {
            if let Sorted::Rows(segment, Some(path)) = sorted {
                drop(segment);
                self.files.discard(&path);
            }
        }
    }

    /// Keeps a segment, or makes a new one of what is left of it. `None` if nothing is.
    fn segment(
        &mut self,
        path: &Path,
        entry: &SegmentEntry,
        found: FoundMarks,
        report: &mut RepairReport,
    ) -> Result<Option<(Part, Marks)>> {
        let marks = self.marks(entry, found, "", report);
        match self.sorted.get(&entry.uuid) {
            // Terms that were made in another way than queries' are would be missed: indexes of texts are made anew.
            Some(Sorted::Whole(segment)) if !(self.is_rebuilt && segment.has_text()) => {
                Ok(Some((Part::Segment(Arc::clone(segment)), marks)))
            }
            Some(Sorted::Whole(segment) | Sorted::Rows(segment, _)) => {
                let (part, marks, lost) = self.readable_rows(&Arc::clone(segment), &marks)?;
                self.lost_rows.extend(lost.into_iter().map(|id| LostRow { path: path.to_owned(), id }));
                Ok(part.map(|part| (part, marks)))
            }
            Some(Sorted::Lost) | None => {
                let rows = entry.rows.saturating_sub(marks.dead.len() as u64);
                report.lost(path, Some(rows), format!("a whole segment of {rows} records"));
                Ok(None)
            }
        }
    }

    /// Returns the marks to go on with, and says what is lost with those that are damaged. `of` says whose they are.
    fn marks(
        &mut self,
        entry: &SegmentEntry,
        found: FoundMarks,
        of: &str,
        report: &mut RepairReport,
    ) -> Marks {
        let FoundMarks { marks, path, are_right, is_damaged } = found;
        if !are_right && let Some(path) = &path {
            let message = format!(
                "which of the {} rows of `{}` were deleted, replaced or hidden{of}: those whose ids are in no other file \
                 are back",
                entry.rows,
                segment::file_name(entry.uuid)
            );
            report.lost(path, None, message);
        }
        if let Some(path) = path.filter(|_| is_damaged) {
            self.files.damaged(path);
        }
        marks
    }

    /// Makes the entry of a snapshot that is kept: with the segments as they were, or what is left of them.
    fn kept_snapshot(
        &mut self,
        snapshot: &SnapshotEntry,
        all_marks: Vec<FoundMarks>,
        report: &mut RepairReport,
    ) -> Result<SnapshotEntry> {
        let mut kept = SnapshotEntry { segments: Vec::new(), ..snapshot.clone() };
        let of = format!(" in the snapshot `{}`", snapshot.name);
        for (entry, found) in snapshot.segments.iter().zip(all_marks) {
            let marks_are_whole = found.are_right && !found.is_damaged;
            let path = self.directory.join(segment::file_name(entry.uuid));
            let marks = self.marks(entry, found, &of, report);
            let (segment, marks) = match self.sorted.get(&entry.uuid) {
                Some(Sorted::Whole(segment)) if segment.uuid() == entry.uuid && marks_are_whole => {
                    kept.segments.push(entry.clone());
                    continue;
                }
                Some(Sorted::Whole(segment)) => (Arc::clone(segment), marks),
                Some(Sorted::Rows(segment, _)) => {
                    let (part, marks, lost) = self.readable_rows(&Arc::clone(segment), &marks)?;
                    let lost = lost.len() as u64;
                    kept.records = kept.records.saturating_sub(lost);
                    if lost > 0 {
                        report.lost(&path, Some(lost), format!("{lost} records{of} whose bytes are damaged"));
                    }
                    let Some(Part::Segment(segment)) = part else { continue };
                    (segment, marks)
                }
                Some(Sorted::Lost) | None => {
                    let lost = entry.rows.saturating_sub(marks.dead.len() as u64);
                    kept.records = kept.records.saturating_sub(lost);
                    report.lost(&path, Some(lost), format!("a whole segment of {lost} records{of}"));
                    continue;
                }
            };
            kept.segments.push(self.segment_entry(&segment, &marks)?);
        }
        Ok(kept)
    }

    /// Writes the live rows that can be read to a new segment. Returns it with its marks, and the ids of the rows that
    /// cannot be read, where they are known.
    fn readable_rows(
        &mut self,
        segment: &Segment,
        marks: &Marks,
    ) -> Result<(Option<Part>, Marks, Vec<Option<String>>)> {
        let mut kept = Marks::default();
        let (mut rows, mut lost) = (Vec::new(), Vec::new());
        for row in (0..segment.len() as u32).filter(|&row| !marks.dead.contains(row)) {
            Error::check_interrupt(&Interrupt::current())?;
            if segment.is_whole(row) {
                if marks.hidden.contains(row) {
                    kept.hidden.insert(rows.len() as u32);
                }
                rows.push(row);
            } else {
                lost.push(segment.id_of_lost(row).map(str::to_owned));
            }
        }
        let part = self.write(&SalvagedRows::new(segment, rows))?;
        Ok((part, kept, lost))
    }

    /// Reports the records whose bytes are damaged, but for those that a call in the log, or another file, has replaced or
    /// deleted since: they would not be there anyway.
    fn report_lost_rows(&mut self, snapshot: &Snapshot, report: &mut RepairReport) -> Result<()> {
        let rows = std::mem::take(&mut self.lost_rows);
        for of_one_file in rows.chunk_by(|a, b| a.path == b.path) {
            let mut lost = 0;
            for LostRow { id, .. } in of_one_file {
                let Some(id) = id else {
                    lost += 1;
                    continue;
                };
                if snapshot.locate(id)?.is_none() {
                    lost += 1;
                    report.lost_id(id);
                }
            }
            if lost > 0 {
                let message = format!("{lost} records whose bytes are damaged");
                report.lost(&of_one_file[0].path, Some(lost), message);
            }
        }
        Ok(())
    }

    fn new_segment_file(&mut self) -> Result<(Uuid, PathBuf)> {
        let uuid = new_uuid()?;
        let path = self.directory.join(segment::file_name(uuid));
        self.files.begin(&path);
        Ok((uuid, path))
    }

    fn write(&mut self, rows: &dyn RowSource) -> Result<Option<Part>> {
        if rows.rows() == 0 {
            return Ok(None);
        }
        let (uuid, path) = self.new_segment_file()?;
        let dim = rows.dim();
        let norm = |vector: &[f32]| self.scoring.inverse_norms(vector.len(), vector)[0];
        let interrupt = Interrupt::current();
        let contents = Contents {
            inverse_norm: self.scoring.uses_norms().then_some(&norm),
            codes: self.scoring.uses_codes(dim) && self.quantization.has_byte_codes(),
            kernels: self.scoring.kernels,
            cancelled: &|| interrupt.is_requested(),
            text: &self.entry.text,
            fields: &self.entry.settings.fields,
            // Upkeep makes one once the store is open.
            graph: None,
        };
        let checksum = segment::write(self.vfs, &path, (uuid, self.entry.uuid), rows, contents);
        Error::check_interrupt(&interrupt)?;
        let checksum = checksum?;
        let segment = Segment::open(self.vfs, &path, uuid, self.entry.uuid, checksum)?;
        Ok(Some(Part::Segment(Arc::new(segment))))
    }

    /// Applies the calls that are left, in order.
    fn replay(
        &mut self,
        snapshot: &mut Snapshot,
        logs: Vec<FoundLog>,
        report: &mut RepairReport,
    ) -> Result<()> {
        for log in logs {
            for lost in &log.lost {
                report.lost(&log.path, None, lost.to_string());
            }
            for (lsn, payload) in &log.calls {
                Error::check_interrupt(&Interrupt::current())?;
                self.forget_deleted(payload);
                let mut next = snapshot.clone();
                match replay_call(&mut next, *lsn, payload, self.scoring) {
                    Ok(()) => *snapshot = next,
                    Err(error) => report.lost(&log.path, None, format!("call {lsn}: {}", error.message())),
                }
            }
            if log.is_damaged && self.vfs.stat(&log.path).is_ok_and(|found| found.is_some()) {
                self.files.damaged(log.path);
            }
        }
        Ok(())
    }

    /// Lets go of lost records that a call deletes.
    fn forget_deleted(&mut self, payload: &[u8]) {
        let is_of_one = |row: &LostRow| row.id.is_some();
        if !self.lost_rows.iter().any(is_of_one) {
            return;
        }
        let ops = wal::decode_payload(payload, |_, _| Vec::new()).unwrap_or_default();
        let deleted: HashSet<&str> = ops
            .iter()
            .filter_map(|op| if let Op::Delete(ids) = op { Some(ids) } else { None })
            .flatten()
            .copied()
            .collect();
        if !deleted.is_empty() {
            self.lost_rows.retain(|row| row.id.as_ref().is_none_or(|id| !deleted.contains(id.as_str())));
        }
    }

    /// Moves the rows in memory to a segment.
    fn seal(&mut self, snapshot: &mut Snapshot) -> Result<()> {
        let in_memory = |part: &Part| matches!(part, Part::Memory(_));
        let (memory, segments): (Vec<_>, Vec<_>) =
            std::mem::take(&mut snapshot.parts).into_iter().partition(|view| in_memory(&view.part));
        snapshot.parts = segments;
        let mut marks = Marks::default();
        let mut rows = Vec::new();
        for (n, view) in memory.iter().enumerate() {
            for row in view.live_rows() {
                if view.marks.hidden.contains(row) {
                    marks.hidden.insert(rows.len() as u32);
                }
                rows.push((n, row));
            }
        }
        let parts: Vec<Part> = memory.iter().map(|view| view.part.clone()).collect();
        if let Some(part) = self.write(&KeptRows { parts: &parts, rows })? {
            snapshot.push_part(part, marks);
        }
        Ok(())
    }

    /// Writes the marks and a new log, and returns the entry that names all.
    fn entry(&mut self, old: &CollectionEntry, snapshot: &Snapshot) -> Result<CollectionEntry> {
        let mut segments = Vec::new();
        for view in &snapshot.parts {
            let Part::Segment(segment) = &view.part else { continue };
            segments.push(self.segment_entry(segment, &view.marks)?);
        }
        let seqs = log_seqs(self.vfs, &self.directory)?;
        let seq = seqs.last().map_or(old.first_log, |last| last + 1);
        self.files.begin(&self.directory.join(wal::file_name(seq)));
        LogWriter::create(self.vfs, &self.directory, seq, self.entry.uuid, new_uuid()?)?;
        let sync = self.vfs.sync_dir(&self.directory);
        sync.map_err(|error| Error::io("sync", &self.directory, error))?;
        Ok(CollectionEntry {
            dim: snapshot.dim,
            checkpoint_lsn: snapshot.lsn,
            durable_lsn: snapshot.lsn,
            first_log: seq,
            segments,
            ..old.clone()
        })
    }

    /// Writes the marks of a segment, if there are any, and returns the entry that names both.
    fn segment_entry(&mut self, segment: &Segment, marks: &Marks) -> Result<SegmentEntry> {
        let marks = if marks.is_empty() { None } else { Some(self.save_marks(segment.uuid(), marks)?) };
        let (rows, checksum) = (segment.len() as u64, segment.checksum());
        Ok(SegmentEntry { uuid: segment.uuid(), rows, checksum, marks })
    }

    fn save_marks(&mut self, segment: Uuid, marks: &Marks) -> Result<(u64, u64)> {
        let uuid = segment.to_string();
        let files =
            self.vfs.list(&self.directory).map_err(|error| Error::io("list", &self.directory, error))?;
        let names = files.iter().filter_map(|file| file.path.file_name()?.to_str());
        let taken = names.filter_map(marks::parse_file_name).filter(|(segment, _)| *segment == uuid);
        let generation = taken.map(|(_, generation)| generation).max().unwrap_or(0) + 1;
        let path = self.directory.join(marks::file_name(segment, generation));
        self.files.begin(&path);
        Ok((generation, marks::write(self.vfs, &path, segment, generation, marks)?))
    }
}
