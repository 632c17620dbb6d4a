//! One collection: what is left of its files, and new files made of that.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::Files;
use super::report::RepairReport;
use super::rows::KeptRows;
use crate::collection::{Part, Snapshot, log_seqs, replay_call};
use crate::database::{collection_dir, create_dirs, new_uuid};
use crate::error::{Error, ErrorKind, Result};
use crate::options::OpenOptions;
use crate::quantization::Quantization;
use crate::query::Scoring;
use crate::storage::Uuid;
use crate::storage::flipped_bit::FlippedBits;
use crate::storage::manifest::{CollectionEntry, SegmentEntry};
use crate::storage::marks::{self, Marks};
use crate::storage::segment::{self, Contents, Remains, RowSource, SalvagedRows, Segment};
use crate::storage::wal::{self, LogWriter};
use crate::vfs::Vfs;

/// What is left of a collection.
pub(super) struct Salvage<'a> {
    vfs: &'a dyn Vfs,
    directory: PathBuf,
    entry: &'a CollectionEntry,
    scoring: Scoring,
    segments: Vec<FoundSegment>,
    logs: Vec<FoundLog>,
    /// Names of snapshots that are kept and that lack bytes.
    damaged_snapshots: Vec<String>,
    /// Calls up to this lsn were durable once.
    durable_lsn: u64,
    is_damaged: bool,
    is_rebuilt: bool,
}

struct FoundSegment {
    path: PathBuf,
    entry: SegmentEntry,
    /// `None` if not even the footer is left, with why.
    remains: Result<Remains>,
    marks: FoundMarks,
}

struct FoundMarks {
    marks: Marks,
    path: Option<PathBuf>,
    /// Whether they are what the manifest says.
    are_right: bool,
    is_damaged: bool,
}

struct FoundLog {
    path: PathBuf,
    calls: Vec<(u64, Vec<u8>)>,
    is_damaged: bool,
    /// Calls that are missing before or among those that are there.
    lost: Vec<Calls>,
}

/// Calls that are missing.
enum Calls {
    Range(u64, u64),
    /// However many there were.
    After(u64),
}

impl std::fmt::Display for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Range(first, last) if first == last => {
                write!(f, "call {first}, and whatever it wrote or deleted")
            }
            Self::Range(first, last) => {
                let calls = last - first + 1;
                write!(f, "{calls} calls, {first} to {last}, and whatever they wrote or deleted")
            }
            Self::After(last) => {
                write!(f, "calls after {last}, if there were any, and whatever they wrote or deleted")
            }
        }
    }
}

impl<'a> Salvage<'a> {
    /// Looks at every byte of the collection's files and reports what is wrong. Changes nothing.
    pub(super) fn examine(
        vfs: &'a dyn Vfs,
        root: &Path,
        entry: &'a CollectionEntry,
        is_rebuilt: bool,
        bits: &mut FlippedBits,
        report: &mut RepairReport,
    ) -> Result<Self> {
        let mut salvage = Self {
            vfs,
            directory: collection_dir(root, entry.uuid),
            entry,
            scoring: Scoring::new(entry.metric),
            segments: Vec::new(),
            logs: Vec::new(),
            damaged_snapshots: Vec::new(),
            durable_lsn: entry.durable_lsn,
            is_damaged: false,
            is_rebuilt,
        };
        for segment in &entry.segments {
            let found = salvage.examine_segment(segment, bits, report)?;
            salvage.segments.push(found);
        }
        salvage.examine_logs(bits, report)?;
        salvage.examine_snapshots(bits, report)?;
        Ok(salvage)
    }

    /// Looks at what the collection's snapshots hold that it does not hold itself any more.
    fn examine_snapshots(&mut self, bits: &mut FlippedBits, report: &mut RepairReport) -> Result<()> {
        for snapshot in &self.entry.snapshots {
            let mut is_whole = true;
            for entry in &snapshot.segments {
                let known = self.segments.iter().find(|found| found.entry.uuid == entry.uuid);
                let path = self.directory.join(segment::file_name(entry.uuid));
                if let Some(found) = known {
                    is_whole &= found.remains.as_ref().is_ok_and(|remains| remains.problems.is_empty());
                } else if let Err(error) = self.check_segment(&path, entry, report) {
                    if is_fatal(&error) {
                        return Err(error);
                    }
                    report.problem(&path, &error);
                    is_whole = false;
                }
                let Some((generation, checksum)) = entry.marks else { continue };
                let path = self.directory.join(marks::file_name(entry.uuid, generation));
                match self.read_marks(&path, entry.uuid, Some(checksum), entry.rows as usize, bits, report) {
                    Ok((_, is_damaged)) => is_whole &= !is_damaged,
                    Err(error) if is_fatal(&error) => return Err(error),
                    Err(error) => {
                        report.problem(&path, &error);
                        is_whole = false;
                    }
                }
            }
            if !is_whole {
                self.damaged_snapshots.push(snapshot.name.clone());
            }
        }
        self.is_damaged |= !self.damaged_snapshots.is_empty();
        Ok(())
    }

    fn check_segment(&self, path: &Path, entry: &SegmentEntry, report: &mut RepairReport) -> Result<()> {
        let segment = Segment::open(self.vfs, path, entry.uuid, self.entry.uuid, entry.checksum)?;
        report.checked(segment.file_bytes());
        segment.verify().into_iter().next().map_or(Ok(()), Err)
    }

    pub(super) fn found_damage(&self) -> bool {
        self.is_damaged || self.is_rebuilt
    }

    /// Returns the number of records, of a collection that is not damaged; otherwise the rows that are not known to be
    /// dead.
    pub(super) fn records(&self) -> usize {
        self.intact_snapshot().map_or(0, |snapshot| snapshot.live())
    }

    fn intact_snapshot(&self) -> Result<Snapshot> {
        let mut snapshot =
            Snapshot { lsn: self.entry.checkpoint_lsn, dim: self.entry.dim, ..Snapshot::default() };
        for found in &self.segments {
            let Ok(remains) = &found.remains else { continue };
            let path = remains.segment.path();
            let (uuid, checksum) = (remains.segment.uuid(), remains.segment.checksum());
            if let Ok(segment) = Segment::open(self.vfs, path, uuid, self.entry.uuid, checksum) {
                snapshot.push_part(Part::Segment(Arc::new(segment)), found.marks.marks.clone());
            }
        }
        let calls = self.logs.iter().flat_map(|log| &log.calls);
        for (lsn, payload) in calls {
            if *lsn > snapshot.lsn {
                replay_call(&mut snapshot, *lsn, payload, self.scoring)?;
            }
        }
        Ok(snapshot)
    }

    fn examine_segment(
        &mut self,
        entry: &SegmentEntry,
        bits: &mut FlippedBits,
        report: &mut RepairReport,
    ) -> Result<FoundSegment> {
        let path = self.directory.join(segment::file_name(entry.uuid));
        let checksum = (!self.is_rebuilt).then_some(entry.checksum);
        let remains = Remains::examine(self.vfs, &path, (entry.uuid, self.entry.uuid), checksum, bits);
        let remains = remains.and_then(|remains| {
            let fits_rows = self.is_rebuilt || remains.segment.len() as u64 == entry.rows;
            if fits_rows && self.entry.dim == Some(remains.segment.dim()) {
                return Ok(remains);
            }
            Err(Error::corrupted(format!("`{}` does not fit the manifest", path.display())))
        });
        let rows = match &remains {
            Ok(remains) => {
                report.checked(remains.segment.file_bytes());
                remains.problems.iter().for_each(|problem| report.problem(&path, problem));
                self.is_damaged |= !remains.problems.is_empty();
                remains.segment.len()
            }
            Err(error) if is_fatal(error) => return Err(error.duplicate()),
            Err(error) => {
                report.checked(0);
                report.problem(&path, error);
                self.is_damaged = true;
                entry.rows as usize
            }
        };
        let marks = self.examine_marks(entry, rows, bits, report)?;
        Ok(FoundSegment { path, entry: entry.clone(), remains, marks })
    }

    fn examine_marks(
        &mut self,
        entry: &SegmentEntry,
        rows: usize,
        bits: &mut FlippedBits,
        report: &mut RepairReport,
    ) -> Result<FoundMarks> {
        if let Some((generation, checksum)) = entry.marks {
            let path = self.directory.join(marks::file_name(entry.uuid, generation));
            let error = match self.read_marks(&path, entry.uuid, Some(checksum), rows, bits, report) {
                Ok((marks, is_damaged)) => {
                    self.is_damaged |= is_damaged;
                    return Ok(FoundMarks { marks, path: Some(path), are_right: true, is_damaged });
                }
                Err(error) if is_fatal(&error) => return Err(error),
                Err(error) => error,
            };
            report.problem(&path, &error);
            self.is_damaged = true;
            // Older ones know of fewer deletions, which is better than none.
            let marks = self.newest_marks(entry.uuid, rows, bits, report).unwrap_or_default();
            return Ok(FoundMarks { marks, path: Some(path), are_right: false, is_damaged: true });
        }
        let marks = if self.is_rebuilt { self.newest_marks(entry.uuid, rows, bits, report) } else { None };
        Ok(FoundMarks { marks: marks.unwrap_or_default(), path: None, are_right: true, is_damaged: false })
    }

    /// Returns marks and whether a bit of them was put back.
    fn read_marks(
        &self,
        path: &Path,
        segment: Uuid,
        checksum: Option<u64>,
        rows: usize,
        bits: &mut FlippedBits,
        report: &mut RepairReport,
    ) -> Result<(Marks, bool)> {
        let bytes = self.vfs.map(path).map_err(|error| Error::io("read", path, error))?;
        report.checked(bytes.len() as u64);
        let error = match marks::decode(&bytes, path, segment, checksum, rows) {
            Ok(marks) => return Ok((marks, false)),
            Err(error) => error,
        };
        let mut bytes = bytes.to_vec();
        let is_right = |bytes: &[u8]| {
            let sum = bytes.split_last_chunk::<8>().map(|(body, sum)| (body, u64::from_le_bytes(*sum)));
            sum.is_some_and(|(body, sum)| {
                checksum.is_none_or(|checksum| checksum == sum) && xxhash_rust::xxh3::xxh3_64(body) == sum
            })
        };
        if bits.restore(&mut bytes, is_right)
            && let Ok(marks) = marks::decode(&bytes, path, segment, checksum, rows)
        {
            report.problem(path, &error);
            return Ok((marks, true));
        }
        Err(error)
    }

    /// Returns the newest marks of a segment that can be read, whatever the manifest says of them.
    fn newest_marks(
        &self,
        segment: Uuid,
        rows: usize,
        bits: &mut FlippedBits,
        report: &mut RepairReport,
    ) -> Option<Marks> {
        let mut found = self.marks_generations(segment);
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.into_iter().find_map(|generation| {
            let path = self.directory.join(marks::file_name(segment, generation));
            self.read_marks(&path, segment, None, rows, bits, report).ok().map(|(marks, _)| marks)
        })
    }

    fn marks_generations(&self, segment: Uuid) -> Vec<u64> {
        let uuid = segment.to_string();
        let files = self.vfs.list(&self.directory).unwrap_or_default();
        let names = files.iter().filter_map(|file| file.path.file_name()?.to_str());
        let marks = names.filter_map(marks::parse_file_name);
        marks.filter(|(segment, _)| *segment == uuid).map(|(_, generation)| generation).collect()
    }

    fn examine_logs(&mut self, bits: &mut FlippedBits, report: &mut RepairReport) -> Result<()> {
        let seqs = match self.vfs.stat(&self.directory) {
            Ok(Some(_)) => log_seqs(self.vfs, &self.directory)?,
            _ => Vec::new(),
        };
        let last_seq = seqs.last().copied().unwrap_or(0).max(self.entry.first_log);
        let mut known = self.entry.checkpoint_lsn;
        for seq in self.entry.first_log..=last_seq {
            let path = self.directory.join(wal::file_name(seq));
            if !seqs.contains(&seq) {
                self.is_damaged = true;
                report.problem(&path, &Error::corrupted(format!("`{}` is missing", path.display())));
                let lost = vec![Calls::After(known)];
                self.logs.push(FoundLog { path, calls: Vec::new(), is_damaged: true, lost });
                continue;
            }
            let found = wal::Remains::examine(self.vfs, &path, self.entry.uuid, bits)?;
            report.checked(found.bytes);
            let mut problem = found.problem;
            if seq == self.entry.first_log && found.is_cut_short && problem.is_none() {
                problem =
                    Some(Error::corrupted(format!("`{}` is damaged: the file is cut short", path.display())));
            }
            if let Some(problem) = &problem {
                report.problem(&path, problem);
            }
            if self.is_rebuilt && known == 0 {
                // Segments hold the calls before the first log.
                known = found.first_lsn.map_or(0, |first| first - 1);
            }
            let mut log =
                FoundLog { path, calls: Vec::new(), is_damaged: problem.is_some(), lost: Vec::new() };
            if let Some(first) = found.first_lsn.filter(|&first| first > known + 1) {
                let gap = format!("starts at call {first}, but the log before it ends at call {known}");
                report.problem(&log.path, &Error::corrupted(gap));
                self.is_damaged = true;
            }
            for (lsn, payload) in found.calls {
                if lsn <= known {
                    continue;
                }
                if lsn > known + 1 {
                    log.lost.push(Calls::Range(known + 1, lsn - 1));
                }
                known = lsn;
                if let Err(error) = wal::decode_payload(&payload, |_, _| Vec::new()) {
                    report.problem(&log.path, &error);
                    log.is_damaged = true;
                    log.lost.push(Calls::Range(lsn, lsn));
                    continue;
                }
                log.calls.push((lsn, payload));
            }
            if found.may_lack_more && log.is_damaged {
                log.lost.push(Calls::After(known));
            }
            self.is_damaged |= log.is_damaged;
            self.durable_lsn = self.durable_lsn.max(found.durable_lsn);
            self.logs.push(log);
        }
        if known < self.durable_lsn {
            let message = format!("the log ends at call {known}, expected {}", self.durable_lsn);
            report.problem(&self.directory, &Error::corrupted(message));
            self.is_damaged = true;
            let path = self.directory.join(wal::file_name(last_seq));
            let lost = vec![Calls::Range(known + 1, self.durable_lsn)];
            self.logs.push(FoundLog { path, calls: Vec::new(), is_damaged: true, lost });
        }
        Ok(())
    }

    /// Makes new files of what is left, syncs them, and returns what the next manifest is to say.
    pub(super) fn rebuild(
        self,
        options: &OpenOptions,
        files: &mut Files<'_>,
        report: &mut RepairReport,
    ) -> Result<CollectionEntry> {
        create_dirs(self.vfs, &self.directory)?;
        let Self { vfs, directory, entry, scoring, segments, logs, durable_lsn, is_rebuilt, .. } = self;
        for name in &self.damaged_snapshots {
            report.lost(&directory, None, format!("the snapshot `{name}`, files of which are damaged"));
        }
        let mut entry = entry.clone();
        entry.snapshots.retain(|snapshot| !self.damaged_snapshots.contains(&snapshot.name));
        let entry = &entry;
        let mut rebuild = Rebuild { vfs, directory, entry, scoring, options, files, is_rebuilt };
        let mut snapshot = Snapshot { lsn: entry.checkpoint_lsn, dim: entry.dim, ..Snapshot::default() };
        let mut unsure = Vec::new();
        for found in segments {
            unsure.push(is_rebuilt || !found.marks.are_right);
            if let Some((part, marks)) = rebuild.segment(found, report)? {
                snapshot.push_part(part, marks);
            } else {
                unsure.pop();
            }
        }
        kill_duplicates(&mut snapshot, &unsure)?;
        rebuild.replay(&mut snapshot, logs, report);
        snapshot.lsn = snapshot.lsn.max(durable_lsn);
        rebuild.seal(&mut snapshot)?;
        report.records += snapshot.live();
        rebuild.entry(entry, &snapshot)
    }
}

/// Newer versions' files, and disks that cannot be read, are not for this one to give up.
fn is_fatal(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Unsupported => true,
        ErrorKind::Io => error.io_kind() != Some(io::ErrorKind::NotFound),
        _ => false,
    }
}

/// Of rows with one id in several segments, only one may live: one whose marks are known or, failing that, the last.
fn kill_duplicates(snapshot: &mut Snapshot, unsure: &[bool]) -> Result<()> {
    for part in (0..unsure.len()).filter(|&part| unsure[part]) {
        let rows: Vec<u32> = snapshot.parts[part].live_rows().collect();
        for row in rows {
            let id = snapshot.parts[part].part.id(row)?.to_owned();
            let hash = crate::storage::id_index::hash_id(&id);
            let outlived = snapshot.parts.iter().enumerate().any(|(other, view)| {
                let counts = other != part && (!unsure[other] || other > part);
                counts && matches!(view.part.find(&id, hash), Ok(Some(row)) if !view.marks.dead.contains(row))
            });
            if outlived {
                snapshot.kill(crate::collection::Location { part, row });
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
    options: &'a OpenOptions,
    files: &'a mut Files<'b>,
    /// The manifest is lost, and with it how terms were made of texts.
    is_rebuilt: bool,
}

impl Rebuild<'_, '_> {
    /// Keeps a segment, or makes a new one of what is left of it. `None` if nothing is.
    fn segment(&mut self, found: FoundSegment, report: &mut RepairReport) -> Result<Option<(Part, Marks)>> {
        let FoundSegment {
            path,
            entry,
            remains,
            marks: FoundMarks { marks, path: marks_path, are_right, is_damaged },
        } = found;
        if !are_right && let Some(path) = &marks_path {
            let message = format!(
                "which of the {} rows of `{}` were deleted, replaced or hidden: those whose ids are in no other file are \
                 back",
                entry.rows,
                segment::file_name(entry.uuid)
            );
            report.lost(path, None, message);
        }
        if let Some(path) = marks_path.filter(|_| is_damaged) {
            self.files.damaged(path);
        }
        let remains = match remains {
            // Terms that were made in another way than queries' are would be missed: indexes of texts are made anew.
            Ok(remains) if remains.problems.is_empty() && self.is_rebuilt && remains.segment.has_text() => {
                return self.readable_rows(&path, &remains.segment, &marks, report);
            }
            Ok(remains) if remains.problems.is_empty() => {
                return Ok(Some((Part::Segment(Arc::new(remains.segment)), marks)));
            }
            outcome => {
                if self.vfs.stat(&path).is_ok_and(|found| found.is_some()) {
                    self.files.damaged(path.clone());
                }
                match outcome {
                    Ok(remains) => remains,
                    Err(_) => {
                        let rows = entry.rows.saturating_sub(marks.dead.len() as u64);
                        report.lost(&path, Some(rows), format!("a whole segment of {rows} records"));
                        return Ok(None);
                    }
                }
            }
        };
        if !remains.is_mended() {
            return self.readable_rows(&path, &remains.segment, &marks, report);
        }
        let (uuid, copy) = self.new_segment_file()?;
        let checksum = remains.copy(self.vfs, &copy, uuid)?;
        let ids = (uuid, self.entry.uuid);
        let mended = Remains::examine(self.vfs, &copy, ids, Some(checksum), &mut FlippedBits::none())?;
        if mended.problems.is_empty() {
            return Ok(Some((Part::Segment(Arc::new(mended.segment)), marks)));
        }
        let rows = self.readable_rows(&path, &mended.segment, &marks, report)?;
        self.files.discard(&copy);
        Ok(rows)
    }

    /// Writes the live rows that can be read to a new segment, and says which cannot.
    fn readable_rows(
        &mut self,
        path: &Path,
        segment: &Segment,
        marks: &Marks,
        report: &mut RepairReport,
    ) -> Result<Option<(Part, Marks)>> {
        let mut kept = Marks::default();
        let (mut rows, mut lost) = (Vec::new(), 0);
        for row in (0..segment.len() as u32).filter(|&row| !marks.dead.contains(row)) {
            if segment.is_whole(row) {
                if marks.hidden.contains(row) {
                    kept.hidden.insert(rows.len() as u32);
                }
                rows.push(row);
                continue;
            }
            lost += 1;
            if let Some(id) = segment.id_of_lost(row) {
                report.lost_id(id);
            }
        }
        if lost > 0 {
            report.lost(path, Some(lost), format!("{lost} records whose bytes are damaged"));
        }
        let part = self.write(&SalvagedRows::new(segment, rows))?;
        Ok(part.map(|part| (part, kept)))
    }

    fn quantization(&self) -> Quantization {
        self.options.quantization.unwrap_or(self.entry.settings.quantization)
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
        let contents = Contents {
            inverse_norm: self.scoring.uses_norms().then_some(&norm),
            codes: self.scoring.uses_codes(dim) && self.quantization().has_byte_codes(),
            kernels: self.scoring.kernels,
            cancelled: &|| false,
            text: &self.entry.text,
            fields: &self.entry.settings.fields,
            // Upkeep makes one once the store is open.
            graph: None,
        };
        let checksum = segment::write(self.vfs, &path, (uuid, self.entry.uuid), rows, contents)?;
        let segment = Segment::open(self.vfs, &path, uuid, self.entry.uuid, checksum)?;
        Ok(Some(Part::Segment(Arc::new(segment))))
    }

    /// Applies the calls that are left, in order.
    fn replay(&mut self, snapshot: &mut Snapshot, logs: Vec<FoundLog>, report: &mut RepairReport) {
        for log in logs {
            for lost in &log.lost {
                report.lost(&log.path, None, lost.to_string());
            }
            for (lsn, payload) in &log.calls {
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
            let marks = if view.marks.is_empty() {
                None
            } else {
                Some(self.save_marks(segment.uuid(), &view.marks)?)
            };
            let (rows, checksum) = (segment.len() as u64, segment.checksum());
            segments.push(SegmentEntry { uuid: segment.uuid(), rows, checksum, marks });
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
