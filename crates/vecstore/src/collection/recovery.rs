//! From files to records: at open, and again and again in a process that follows another's writes.

use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::Core;
use super::part::Part;
use super::snapshot::Snapshot;
use super::upkeep::{SavedMarks, Upkeep};
use crate::database::{Shared, newest_manifest, retry};
use crate::error::{Error, ErrorKind, Result};
use crate::memory_check::check_memory;
use crate::query::Scoring;
use crate::storage::manifest::{CollectionEntry, Manifest};
use crate::storage::marks::{self, Marks};
use crate::storage::segment::{self, Segment};
use crate::storage::wal::{self, Log, LogFollower, LogWriter};
use crate::storage::{Uuid, manifest};
use crate::vfs::Vfs;

/// A collection as its files tell it.
struct Recovered {
    snapshot: Snapshot,
    saved_marks: Vec<(Uuid, SavedMarks)>,
    /// The last log, with its sequence number.
    log: (u64, Log),
}

/// Which calls of the last log count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Calls {
    /// All that are whole: the writer starts from them.
    Whole,
    /// Those that are acknowledged: a writer may be about to fail the others.
    Acknowledged,
}

fn recover(
    vfs: &dyn Vfs,
    directory: &Path,
    entry: &CollectionEntry,
    scoring: Scoring,
    calls: Calls,
) -> Result<Recovered> {
    let (mut snapshot, saved_marks) = recover_segments(vfs, directory, entry)?;
    let logs = logs(vfs, directory, entry)?;
    for (n, (_, log)) in logs.iter().enumerate() {
        // A log that was written to shows that all before it was synced.
        let followed = logs[n + 1..].iter().any(|(_, later)| later.first_lsn().is_some());
        let count =
            if calls == Calls::Whole || followed { usize::MAX } else { log.acknowledged(entry.durable_lsn) };
        if calls == Calls::Whole {
            log.make_durable(vfs, entry.durable_lsn)?;
        }
        replay(&mut snapshot, log, count, scoring)?;
    }
    let log = logs.into_iter().next_back().expect("`logs` finds one or fails");
    if snapshot.lsn < entry.durable_lsn {
        return Err(Error::corrupted(format!(
            "`{}` ends at call {}, but calls up to {} were acknowledged",
            log.1.path().display(),
            snapshot.lsn,
            entry.durable_lsn
        )));
    }
    Ok(Recovered { snapshot, saved_marks, log })
}

/// Returns the records of the segments that the manifest names, as of its checkpoint.
fn recover_segments(
    vfs: &dyn Vfs,
    directory: &Path,
    entry: &CollectionEntry,
) -> Result<(Snapshot, Vec<(Uuid, SavedMarks)>)> {
    let mut snapshot = Snapshot { lsn: entry.checkpoint_lsn, dim: entry.dim, ..Snapshot::default() };
    let mut saved_marks = Vec::new();
    for found in &entry.segments {
        let path = directory.join(segment::file_name(found.uuid));
        let segment = Segment::open(vfs, &path, found.uuid, entry.uuid, found.checksum)?;
        if segment.len() as u64 != found.rows || entry.dim != Some(segment.dim()) {
            return Err(Error::corrupted(format!("`{}` does not fit the manifest", path.display())));
        }
        let mut marks = Marks::default();
        if let Some((generation, checksum)) = found.marks {
            let path = directory.join(marks::file_name(found.uuid, generation));
            marks = marks::read(vfs, &path, found.uuid, checksum, segment.len())?;
            saved_marks.push((found.uuid, SavedMarks { generation, checksum, marks: marks.clone() }));
        }
        snapshot.push_part(Part::Segment(Arc::new(segment)), marks);
    }
    Ok((snapshot, saved_marks))
}

/// Reads the logs to replay, which are one at least and have consecutive numbers.
fn logs(vfs: &dyn Vfs, directory: &Path, entry: &CollectionEntry) -> Result<Vec<(u64, Log)>> {
    let seqs = log_seqs(vfs, directory)?;
    let mut logs = Vec::new();
    for seq in entry.first_log..=seqs.last().copied().unwrap_or(0).max(entry.first_log) {
        let path = directory.join(wal::file_name(seq));
        if !seqs.contains(&seq) {
            return Err(Error::corrupted(format!("`{}` is missing", path.display())));
        }
        let log = Log::read(vfs, &path, entry.uuid)?;
        // Its rows, and what finds them by their ids.
        check_memory(log.used_bytes() as usize * 2, "replaying a log")?;
        if seq == entry.first_log {
            // The manifest was published after it was made; a later one may be half made.
            log.check_length()?;
        }
        logs.push((seq, log));
    }
    Ok(logs)
}

/// Returns the sequence numbers of the logs in a directory, ascending.
pub(crate) fn log_seqs(vfs: &dyn Vfs, directory: &Path) -> Result<Vec<u64>> {
    let entries = vfs.list(directory).map_err(|error| Error::io("list", directory, error))?;
    let names = entries.iter().filter_map(|entry| entry.path.file_name()?.to_str());
    let mut seqs: Vec<u64> = names.filter_map(wal::parse_file_name).collect();
    seqs.sort_unstable();
    Ok(seqs)
}

fn replay(snapshot: &mut Snapshot, log: &Log, count: usize, scoring: Scoring) -> Result<()> {
    if let Some(first) = log.first_lsn()
        && first > snapshot.lsn + 1
    {
        return Err(Error::corrupted(format!(
            "`{}` starts at call {first}, but the log before it ends at call {}",
            log.path().display(),
            snapshot.lsn
        )));
    }
    for (lsn, payload) in log.calls().take(count) {
        if lsn > snapshot.lsn {
            apply(snapshot, lsn, payload, scoring).map_err(|error| {
                Error::corrupted(format!("`{}`, call {lsn}: {}", log.path().display(), error.message()))
            })?;
        }
    }
    Ok(())
}

/// Applies one call to a snapshot, which may be half changed if that fails.
pub(crate) fn apply(snapshot: &mut Snapshot, lsn: u64, payload: &[u8], scoring: Scoring) -> Result<()> {
    for op in wal::decode_payload(payload, |dim, vectors| scoring.inverse_norms(dim, vectors))? {
        snapshot.replay(op)?;
    }
    snapshot.lsn = lsn;
    Ok(())
}

/// What a writer starts from.
pub(super) struct Opened {
    pub(super) snapshot: Snapshot,
    /// `None` in memory.
    pub(super) log: Option<LogWriter>,
    pub(super) upkeep: Upkeep,
}

/// Recovers a collection for writing. When it returns, all it found is durable.
pub(super) fn open_for_writing(
    shared: &Shared,
    directory: &Path,
    entry: &CollectionEntry,
    scoring: Scoring,
) -> Result<Opened> {
    let vfs = &*shared.vfs;
    if !shared.logged {
        let (snapshot, saved_marks) = recover_segments(vfs, directory, entry)?;
        return Ok(Opened { snapshot, log: None, upkeep: Upkeep::new(entry.first_log, saved_marks) });
    }
    let Recovered { snapshot, saved_marks, log: (seq, last) } =
        recover(vfs, directory, entry, scoring, Calls::Whole)?;
    let uuid = shared.new_uuid()?;
    let reopened = if last.first_lsn().is_none() && seq > entry.first_log {
        // Its name may not be durable: it was being created when the process that wrote was killed.
        let path = last.path();
        vfs.remove_file(path).map_err(|error| Error::io("remove", path, error))?;
        Some(LogWriter::create(vfs, directory, seq, entry.uuid, uuid)?)
    } else {
        LogWriter::reopen(vfs, &last, entry.uuid, uuid)?
    };
    let (seq, log) = match reopened {
        Some(log) => (seq, log),
        None => {
            // The tail is torn: what it holds was never acknowledged, and the new log's first lsn ends it.
            (seq + 1, LogWriter::create(vfs, directory, seq + 1, entry.uuid, shared.new_uuid()?)?)
        }
    };
    // Readers may see all that was recovered.
    log.write_watermark(snapshot.lsn)?;
    Ok(Opened { snapshot, log: Some(log), upkeep: Upkeep::new(seq, saved_marks) })
}

/// A collection that another process may be writing.
#[derive(Debug)]
pub(super) struct Follower {
    published: ArcSwap<Snapshot>,
    position: Mutex<Position>,
}

#[derive(Debug)]
struct Position {
    generation: u64,
    seq: u64,
    log: Option<LogFollower>,
}

impl Follower {
    pub(super) fn open(core: &Core) -> Result<Self> {
        let (snapshot, position) = Self::load(core)?;
        Ok(Self { published: ArcSwap::from_pointee(snapshot), position: Mutex::new(position) })
    }

    fn load(core: &Core) -> Result<(Snapshot, Position)> {
        let Core { shared, directory, scoring, .. } = core;
        let vfs = &*shared.vfs;
        retry(vfs, &shared.root, || {
            let manifest = newest_manifest(vfs, &shared.root)?;
            let entry = find(&manifest, core.uuid)?;
            let recovered = recover(vfs, directory, entry, *scoring, Calls::Acknowledged)?;
            core.adopt_settings(entry);
            let Recovered { snapshot, log: (seq, last), .. } = recovered;
            let log = LogFollower::after(vfs, &last, snapshot.lsn)?;
            Ok((snapshot, Position { generation: manifest.generation, seq, log }))
        })
    }

    /// Returns the records that are committed by now.
    pub(super) fn snapshot(&self, core: &Core) -> Result<Arc<Snapshot>> {
        // One thread looks for news at a time; the others answer from what is known.
        if let Some(mut position) = self.position.try_lock() {
            self.refresh(core, &mut position)?;
        }
        Ok(self.published.load_full())
    }

    fn refresh(&self, core: &Core, position: &mut Position) -> Result<()> {
        let (vfs, root) = (&*core.shared.vfs, &core.shared.root);
        let exists = |path: &Path| match vfs.stat(path) {
            Ok(found) => Ok(found.is_some()),
            Err(error) => Err(Error::io("look for", path, error)),
        };
        // The writer keeps two manifests: if it has published more than one since, ours is gone.
        if exists(&root.join(manifest::file_name(position.generation + 1)))?
            || !exists(&root.join(manifest::file_name(position.generation)))?
        {
            return self.reload(core, position);
        }
        let published = self.published.load();
        let mut snapshot = None;
        loop {
            match self.read_log(core, position, &published, &mut snapshot) {
                Ok(true) => {}
                Ok(false) => break,
                // The writer has published a manifest since and removed the log; or the log was read while it was written.
                Err(error) if matches!(error.kind(), ErrorKind::Io | ErrorKind::Corrupted) => {
                    return self.reload(core, position);
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(snapshot) = snapshot {
            self.published.store(Arc::new(snapshot));
        }
        Ok(())
    }

    fn reload(&self, core: &Core, position: &mut Position) -> Result<()> {
        let (snapshot, new) = Self::load(core)?;
        // A failed write may have erased for a moment the note of what was acknowledged.
        if snapshot.lsn >= self.published.load().lsn {
            *position = new;
            self.published.store(Arc::new(snapshot));
        }
        Ok(())
    }

    /// Applies what is new in the log. Returns whether the writer goes on in the next one.
    fn read_log(
        &self,
        core: &Core,
        position: &mut Position,
        published: &Arc<Snapshot>,
        snapshot: &mut Option<Snapshot>,
    ) -> Result<bool> {
        let vfs = &*core.shared.vfs;
        let next = core.directory.join(wal::file_name(position.seq + 1));
        let found = vfs.stat(&next).map_err(|error| Error::io("look for", &next, error))?;
        // Once the next log is written to, all before it is synced.
        let next_lsn = if found.is_some() { Log::read(vfs, &next, core.uuid)?.first_lsn() } else { None };
        let lsn =
            |snapshot: &Option<Snapshot>| snapshot.as_ref().map_or(published.lsn, |snapshot| snapshot.lsn);
        if position.log.is_none() {
            let path = core.directory.join(wal::file_name(position.seq));
            position.log = LogFollower::after(vfs, &Log::read(vfs, &path, core.uuid)?, lsn(snapshot))?;
        }
        if let Some(log) = &mut position.log {
            for (lsn, payload) in log.read(lsn(snapshot), next_lsn.is_some()) {
                apply(
                    snapshot.get_or_insert_with(|| Snapshot::clone(published)),
                    lsn,
                    &payload,
                    core.scoring,
                )?;
            }
        }
        let moved = next_lsn == Some(lsn(snapshot) + 1);
        if moved {
            position.log = None;
            position.seq += 1;
        }
        Ok(moved)
    }
}

pub(super) fn find(manifest: &Manifest, uuid: Uuid) -> Result<&CollectionEntry> {
    let entry = manifest.collections.iter().find(|entry| entry.uuid == uuid);
    entry.ok_or_else(|| Error::closed("the collection was deleted by the process that writes to it"))
}
