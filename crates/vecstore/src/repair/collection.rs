//! One collection: what is left of its files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vecstore_interrupt::Interrupt;

use super::report::RepairReport;
use crate::collection::{Part, Snapshot, log_seqs, replay_call};
use crate::database::collection_dir;
use crate::error::{Error, ErrorKind, Result};
use crate::query::Scoring;
use crate::storage::Uuid;
use crate::storage::flipped_bit::FlippedBits;
use crate::storage::manifest::{CollectionEntry, SegmentEntry};
use crate::storage::marks::{self, Marks};
use crate::storage::segment::{self, Remains, Segment};
use crate::storage::settings::SnapshotEntry;
use crate::storage::wal;
use crate::vfs::Vfs;

/// What is left of a collection.
pub(super) struct Salvage<'a> {
    pub(super) vfs: &'a dyn Vfs,
    pub(super) directory: PathBuf,
    pub(super) entry: &'a CollectionEntry,
    pub(super) scoring: Scoring,
    pub(super) segments: Vec<(FoundSegment, FoundMarks)>,
    /// Segments that only snapshots have.
    pub(super) kept_segments: Vec<FoundSegment>,
    /// What the snapshots have of marks, in the order of their segments.
    pub(super) snapshots: Vec<(&'a SnapshotEntry, Vec<FoundMarks>)>,
    pub(super) logs: Vec<FoundLog>,
    /// Calls up to this lsn were durable once.
    pub(super) durable_lsn: u64,
    pub(super) is_damaged: bool,
    pub(super) is_rebuilt: bool,
}

pub(super) struct FoundSegment {
    pub(super) path: PathBuf,
    pub(super) entry: SegmentEntry,
    /// An error if not even the footer is left: why.
    pub(super) remains: Result<Remains>,
}

#[derive(Clone)]
pub(super) struct FoundMarks {
    pub(super) marks: Marks,
    pub(super) path: Option<PathBuf>,
    /// Whether they are what the manifest says.
    pub(super) are_right: bool,
    pub(super) is_damaged: bool,
}

pub(super) struct FoundLog {
    pub(super) path: PathBuf,
    pub(super) calls: Vec<(u64, Vec<u8>)>,
    pub(super) is_damaged: bool,
    /// Calls that are missing before or among those that are there.
    pub(super) lost: Vec<Calls>,
}

/// Calls that are missing.
pub(super) enum Calls {
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

impl FoundSegment {
    /// Returns the number of rows that it has, or that the manifest says it had.
    fn rows(&self) -> usize {
        self.remains.as_ref().map_or(self.entry.rows as usize, |remains| remains.segment.len())
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
            kept_segments: Vec::new(),
            snapshots: Vec::new(),
            logs: Vec::new(),
            durable_lsn: entry.durable_lsn,
            is_damaged: false,
            is_rebuilt,
        };
        for segment in &entry.segments {
            let found = salvage.examine_segment(segment, entry.dim, bits, report)?;
            let marks = salvage.examine_marks(segment, found.rows(), bits, report)?;
            salvage.segments.push((found, marks));
        }
        salvage.examine_logs(bits, report)?;
        salvage.examine_snapshots(bits, report)?;
        Ok(salvage)
    }

    /// Looks at what the collection's snapshots hold that it does not hold itself any more.
    fn examine_snapshots(&mut self, bits: &mut FlippedBits, report: &mut RepairReport) -> Result<()> {
        for snapshot in &self.entry.snapshots {
            let mut all_marks = Vec::new();
            for entry in &snapshot.segments {
                let own = self.segments.iter().map(|(found, _)| found);
                let known = own.chain(&self.kept_segments).find(|found| found.entry.uuid == entry.uuid);
                let rows = match known {
                    Some(found) => found.rows(),
                    None => {
                        let found = self.examine_segment(entry, snapshot.dim, bits, report)?;
                        let rows = found.rows();
                        self.kept_segments.push(found);
                        rows
                    }
                };
                let marks = match self.known_marks(entry) {
                    Some(marks) => marks,
                    None => self.examine_marks(entry, rows, bits, report)?,
                };
                all_marks.push(marks);
            }
            self.snapshots.push((snapshot, all_marks));
        }
        Ok(())
    }

    /// Returns the marks of an entry if they were looked at already.
    fn known_marks(&self, entry: &SegmentEntry) -> Option<FoundMarks> {
        let is_same = |other: &SegmentEntry| other.uuid == entry.uuid && other.marks == entry.marks;
        let own = self.segments.iter().find(|(found, _)| is_same(&found.entry));
        own.map(|(_, marks)| marks.clone()).or_else(|| {
            self.snapshots.iter().find_map(|(snapshot, marks)| {
                let n = snapshot.segments.iter().position(is_same)?;
                marks.get(n).cloned()
            })
        })
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
        for (found, marks) in &self.segments {
            let Ok(remains) = &found.remains else { continue };
            let path = remains.segment.path();
            let (uuid, checksum) = (remains.segment.uuid(), remains.segment.checksum());
            if let Ok(segment) = Segment::open(self.vfs, path, uuid, self.entry.uuid, checksum) {
                snapshot.push_part(Part::Segment(Arc::new(segment)), marks.marks.clone());
            }
        }
        let calls = self.logs.iter().flat_map(|log| &log.calls);
        for (lsn, payload) in calls {
            if *lsn > snapshot.lsn {
                Error::check_interrupt(&Interrupt::current())?;
                replay_call(&mut snapshot, *lsn, payload, self.scoring)?;
            }
        }
        Ok(snapshot)
    }

    fn examine_segment(
        &mut self,
        entry: &SegmentEntry,
        dim: Option<usize>,
        bits: &mut FlippedBits,
        report: &mut RepairReport,
    ) -> Result<FoundSegment> {
        let path = self.directory.join(segment::file_name(entry.uuid));
        let checksum = (!self.is_rebuilt).then_some(entry.checksum);
        let remains = Remains::examine(self.vfs, &path, (entry.uuid, self.entry.uuid), checksum, bits);
        let remains = remains.and_then(|remains| {
            let fits_rows = self.is_rebuilt || remains.segment.len() as u64 == entry.rows;
            if fits_rows && dim == Some(remains.segment.dim()) {
                return Ok(remains);
            }
            Err(Error::corrupted(format!("`{}` does not fit the manifest", path.display())))
        });
        match &remains {
            Ok(remains) => {
                report.checked(remains.segment.file_bytes());
                remains.problems.iter().for_each(|problem| report.problem(&path, problem));
                self.is_damaged |= !remains.problems.is_empty();
            }
            Err(error) if is_fatal(error) => return Err(error.duplicate()),
            Err(error) => {
                report.checked(0);
                report.problem(&path, error);
                self.is_damaged = true;
            }
        }
        Ok(FoundSegment { path, entry: entry.clone(), remains })
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
            let marks = self.newest_marks(entry.uuid, generation, rows, bits, report).unwrap_or_default();
            return Ok(FoundMarks { marks, path: Some(path), are_right: false, is_damaged: true });
        }
        let marks =
            if self.is_rebuilt { self.newest_marks(entry.uuid, u64::MAX, rows, bits, report) } else { None };
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
        Error::check_interrupt(&Interrupt::current())?;
        Err(error)
    }

    /// Returns the newest marks of a segment that can be read and are not newer than a generation.
    fn newest_marks(
        &self,
        segment: Uuid,
        up_to: u64,
        rows: usize,
        bits: &mut FlippedBits,
        report: &mut RepairReport,
    ) -> Option<Marks> {
        let mut found = self.marks_generations(segment);
        found.retain(|&generation| generation <= up_to);
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
            Error::check_interrupt(&Interrupt::current())?;
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
}

/// Newer versions' files, disks that cannot be read, and what was not looked at since the call is to end, are not for this
/// one to give up.
fn is_fatal(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Unsupported | ErrorKind::Interrupted => true,
        ErrorKind::Io => error.io_kind() != Some(io::ErrorKind::NotFound),
        _ => false,
    }
}
