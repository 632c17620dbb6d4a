//! Checking everything against its checksums, without changing anything.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use vecstore_interrupt::Interrupt;

use super::part::Part;
use super::recovery::Follower;
use super::{Collection, Snapshot, Source, recovery};
use crate::database::newest_manifest;
use crate::error::{Error, Result};
use crate::metadata;
use crate::storage::Uuid;
use crate::storage::manifest::{CollectionEntry, SegmentEntry};
use crate::storage::marks;
use crate::storage::segment::{self, Segment};
use crate::storage::wal::{self, Log};

/// How often a process that only reads checks again before it believes in damage.
const VERIFY_ATTEMPTS: usize = 5;

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// What is wrong, and where in the file.
    pub message: String,
}

/// What a check of every byte found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyReport {
    /// Files checked.
    pub files: usize,
    /// Bytes checked.
    pub bytes: u64,
    /// Records read.
    pub records: usize,
    /// What is wrong; empty if all is well.
    pub problems: Vec<Problem>,
}

impl VerifyReport {
    /// Returns whether nothing is wrong.
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty()
    }

    fn check(&mut self, path: &Path, bytes: u64, problems: impl IntoIterator<Item = Error>) {
        self.files += 1;
        self.bytes += bytes;
        let problem = |error: Error| Problem { path: path.to_owned(), message: error.message().to_owned() };
        self.problems.extend(problems.into_iter().map(problem));
    }
}

impl Collection {
    /// Reads every byte of the collection's manifest, segments, marks and logs and checks it. Changes nothing, and
    /// goes on after a problem. Writes wait until it is done.
    ///
    /// # Errors
    ///
    /// `Io` or `Closed` if the files cannot be read at all; damage is in the report.
    pub fn verify(&self) -> Result<VerifyReport> {
        match &*self.core.source()? {
            Source::Writer(writer) => {
                // Upkeep would remove files from under the check, and a commit would change the log. Reads go on.
                let _upkeep = writer.upkeep.lock();
                writer
                    .committer
                    .pause(|| self.verify_files(&writer.committer.published(), &self.core.entry()?))
            }
            Source::Follower(follower) => {
                // The writer may do both meanwhile: what is wrong only once is not wrong.
                for _ in 1..VERIFY_ATTEMPTS {
                    if let Ok(report) = self.verify_followed(follower)
                        && report.is_ok()
                    {
                        return Ok(report);
                    }
                }
                self.verify_followed(follower)
            }
        }
    }

    fn verify_followed(&self, follower: &Follower) -> Result<VerifyReport> {
        let core = &*self.core;
        let snapshot = follower.snapshot(core)?;
        let newest = newest_manifest(&*core.shared.vfs, &core.shared.root)?;
        self.verify_files(&snapshot, recovery::find(&newest, core.uuid)?)
    }

    fn verify_files(&self, snapshot: &Snapshot, entry: &CollectionEntry) -> Result<VerifyReport> {
        let core = &*self.core;
        let vfs = &*core.shared.vfs;
        let mut report = VerifyReport::default();
        for (path, bytes, problem) in core.shared.verify_manifests()? {
            report.check(&path, bytes, problem);
        }
        let interrupt = Interrupt::current();
        for view in &snapshot.parts {
            Error::check_interrupt(&interrupt)?;
            report.records += view.live();
            match &view.part {
                Part::Segment(segment) => {
                    report.check(segment.path(), segment.file_bytes(), segment.verify()?);
                }
                Part::Memory(rows) => {
                    let decode = |row| metadata::decode(rows.body(row).document).err();
                    let problems: Vec<Error> = (0..rows.len() as u32).filter_map(decode).collect();
                    if !problems.is_empty() {
                        report.check(&core.directory, 0, problems);
                    }
                }
            }
        }
        if !core.shared.logged {
            return Ok(report);
        }
        self.verify_kept(entry, &mut report)?;
        entry.segments.iter().for_each(|segment| self.verify_marks(segment, &mut report));
        let mut lsn = entry.checkpoint_lsn;
        for seq in recovery::log_seqs(vfs, &core.directory)?.into_iter().filter(|&seq| seq >= entry.first_log)
        {
            Error::check_interrupt(&interrupt)?;
            let path = core.directory.join(wal::file_name(seq));
            match Log::read(vfs, &path, core.uuid) {
                Ok(log) => {
                    let gap = log.first_lsn().filter(|&first| first > lsn + 1).map(|first| {
                        Error::corrupted(format!(
                            "starts at call {first}, but the log before it ends at {lsn}"
                        ))
                    });
                    lsn = log.next_lsn().map_or(lsn, |next| next - 1);
                    let decode = |(_, payload)| wal::decode_payload(payload, |_, _| Vec::new()).err();
                    let problems: Vec<Error> = log.calls().filter_map(decode).chain(gap).collect();
                    report.check(&path, log.used_bytes(), problems);
                }
                Err(error) => report.check(&path, 0, Some(error)),
            }
        }
        if lsn < snapshot.lsn {
            let lost = Error::corrupted(format!("the log ends at call {lsn}, expected {}", snapshot.lsn));
            report.check(&core.directory, 0, Some(lost));
        }
        Ok(report)
    }

    fn verify_marks(&self, segment: &SegmentEntry, report: &mut VerifyReport) {
        let (core, vfs) = (&self.core, &*self.core.shared.vfs);
        if let Some((generation, checksum)) = segment.marks {
            let path = core.directory.join(marks::file_name(segment.uuid, generation));
            let bytes = vfs.stat(&path).ok().flatten().map_or(0, |stat| stat.len);
            let found = marks::read(vfs, &path, segment.uuid, checksum, segment.rows as usize);
            report.check(&path, bytes, found.err());
        }
    }

    /// Checks the files that only the collection's snapshots need.
    fn verify_kept(&self, entry: &CollectionEntry, report: &mut VerifyReport) -> Result<()> {
        let (core, vfs) = (&self.core, &*self.core.shared.vfs);
        let mut seen: HashSet<(Uuid, Option<u64>)> = HashSet::new();
        let generation = |segment: &SegmentEntry| segment.marks.map(|(generation, _)| generation);
        for segment in &entry.segments {
            seen.extend([(segment.uuid, None), (segment.uuid, generation(segment))]);
        }
        for segment in entry.snapshots.iter().flat_map(|snapshot| &snapshot.segments) {
            if seen.insert((segment.uuid, None)) {
                let path = core.directory.join(segment::file_name(segment.uuid));
                let opened = Segment::open(vfs, &path, segment.uuid, entry.uuid, segment.checksum);
                match opened {
                    Ok(opened) => report.check(&path, opened.file_bytes(), opened.verify()?),
                    Err(error) => report.check(&path, 0, Some(error)),
                }
            }
            if seen.insert((segment.uuid, generation(segment))) {
                self.verify_marks(segment, report);
            }
        }
        Ok(())
    }
}
