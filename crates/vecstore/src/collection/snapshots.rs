//! Snapshots that are kept by name, and going back to one.
//!
//! A snapshot is a list of segments and marks in the manifest, which keeps their files from being removed: making one costs
//! a seal and no copy. Going back to one makes its list the collection's. The collection is closed meanwhile, and the next
//! call opens it by the way that recovery goes.

use std::sync::Arc;

use super::{Collection, Core, recovery};
use crate::database::{check_files, check_name};
use crate::error::{Error, ErrorKind, Result};
use crate::record::shown;
use crate::storage::manifest::{CollectionEntry, SegmentEntry};
use crate::storage::settings::SnapshotEntry;
use crate::storage::wal::LogWriter;

/// A snapshot that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapshotSummary {
    /// The name.
    pub name: String,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_at_unix_ms: u64,
    /// How many records it has, without soft-deleted and expired ones.
    pub record_count: usize,
}

impl SnapshotSummary {
    fn of(entry: &SnapshotEntry) -> Self {
        Self {
            name: entry.name.clone(),
            created_at_unix_ms: entry.created_at_unix_ms,
            record_count: usize::try_from(entry.records).unwrap_or(usize::MAX),
        }
    }
}

impl Collection {
    /// Keeps the records as they are now under a name. Seals what is in memory; copies nothing.
    ///
    /// Later writes and upkeep leave the snapshot as it is. It takes the disk space of what the collection has replaced or
    /// removed since.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if there is a snapshot of that name, `InvalidInput` for a bad name (see [`crate::limits`]), `Io`.
    pub fn create_snapshot(&self, name: &str) -> Result<SnapshotSummary> {
        let core = &self.core;
        check_name(name, "snapshot")?;
        let writer = &*core.writer()?;
        let mut upkeep = writer.upkeep.lock();
        if core.entry()?.snapshots.iter().any(|snapshot| snapshot.name == name) {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                format!("collection `{}` has a snapshot named `{}` already", core.name(), shown(name)),
            ));
        }
        let records = core.seal(writer, &mut upkeep)?;
        let (now, dim) = (core.now(), records.dim);
        let entry = SnapshotEntry {
            name: name.to_owned(),
            created_at_unix_ms: now,
            records: records.visible(now)? as u64,
            dim,
            segments: core.entry()?.segments,
        };
        let summary = SnapshotSummary::of(&entry);
        core.shared.change_entry(core.uuid, |collection| collection.snapshots.push(entry))?;
        Ok(summary)
    }

    /// Returns the snapshots that are kept, in the order they were made in.
    pub fn list_snapshots(&self) -> Result<Vec<SnapshotSummary>> {
        self.core.check_open()?;
        let entry = self.core.shared.current_entry(self.core.uuid)?;
        Ok(entry.snapshots.iter().map(SnapshotSummary::of).collect())
    }

    /// Makes the records what they were when the snapshot was made. The snapshot stays, and so do the others. What was
    /// written since is gone, unless another snapshot has it. Waits for writes that are under way.
    ///
    /// Records whose time to live has ended since are not there again.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such snapshot; `Corrupted` if a byte of it is not as it was written, or a file is missing: all
    /// of it is checked first; `Io`. Nothing is changed then.
    pub fn restore_snapshot(&self, name: &str) -> Result<()> {
        let core = &self.core;
        core.shared.check_writer()?;
        for segment in &core.snapshot_entry(name)?.segments {
            check_files(&*core.shared.vfs, &core.directory, core.uuid, segment)?;
        }
        core.while_closed(|| {
            let SnapshotEntry { dim, segments, .. } = core.snapshot_entry(name)?;
            core.reset(dim, segments)
        })?;
        core.source().map(drop)
    }

    /// Deletes a snapshot. Returns whether it was there. The disk space that only it needed is free when this returns.
    pub fn delete_snapshot(&self, name: &str) -> Result<bool> {
        let core = &self.core;
        let writer = &*core.writer()?;
        let _upkeep = writer.upkeep.lock();
        if core.entry()?.snapshots.iter().all(|snapshot| snapshot.name != name) {
            return Ok(false);
        }
        core.shared.change_entry(core.uuid, |entry| entry.snapshots.retain(|one| one.name != name))?;
        core.shared.collect_garbage(core.uuid)?;
        Ok(true)
    }
}

impl Core {
    fn snapshot_entry(&self, name: &str) -> Result<SnapshotEntry> {
        let found = self.entry()?.snapshots.into_iter().find(|snapshot| snapshot.name == name);
        found.ok_or_else(|| {
            let message = format!("collection `{}` has no snapshot named `{}`", self.name(), shown(name));
            Error::new(ErrorKind::NotFound, message)
        })
    }

    /// Makes the records those of some segments, which are on disk already.
    pub(crate) fn restore(self: &Arc<Self>, dim: Option<usize>, segments: Vec<SegmentEntry>) -> Result<()> {
        self.while_closed(|| self.reset(dim, segments))?;
        self.source().map(drop)
    }

    /// Makes the records those of some segments, which are on disk already. Only while the collection is closed.
    ///
    /// The logs so far end here: a new one is made, and the manifest starts with it. It is also a checkpoint of one call
    /// more, so that nobody who follows the old logs takes the new one for their continuation. A crash before the manifest is
    /// published leaves the old records, with an empty log more.
    fn reset(&self, dim: Option<usize>, segments: Vec<SegmentEntry>) -> Result<()> {
        let shared = &self.shared;
        let vfs = &*shared.vfs;
        let mut first_log = 1;
        if shared.logged {
            first_log = recovery::log_seqs(vfs, &self.directory)?.last().map_or(1, |last| last + 1);
            LogWriter::create(vfs, &self.directory, first_log, self.uuid, shared.new_uuid()?)?;
        }
        shared.change_entry(self.uuid, |entry| {
            let lsn = entry.durable_lsn.max(entry.checkpoint_lsn) + 1;
            let CollectionEntry { uuid, metric, .. } = *entry;
            let settings = std::mem::take(&mut entry.settings);
            let (name, snapshots) = (std::mem::take(&mut entry.name), std::mem::take(&mut entry.snapshots));
            let text = std::mem::take(&mut entry.text);
            *entry = CollectionEntry {
                uuid,
                name,
                metric,
                text,
                dim,
                checkpoint_lsn: lsn,
                first_log,
                durable_lsn: lsn,
                segments,
                settings,
                snapshots,
            };
        })?;
        // What is left goes when the collection is opened.
        _ = shared.collect_garbage(self.uuid);
        Ok(())
    }

    /// Seals, and keeps the files of the checkpoint from being removed until the guard is dropped.
    pub(crate) fn checkpoint(self: &Arc<Self>) -> Result<Frozen> {
        let writer = &*self.writer()?;
        let mut upkeep = writer.upkeep.lock();
        self.seal(writer, &mut upkeep)?;
        Ok(Frozen::new(self, self.entry()?))
    }
}

/// A checkpoint of a collection whose files stay for as long as this is there.
pub(crate) struct Frozen {
    pub(crate) core: Arc<Core>,
    pub(crate) entry: CollectionEntry,
    paths: Vec<std::path::PathBuf>,
}

impl Frozen {
    fn new(core: &Arc<Core>, entry: CollectionEntry) -> Self {
        let names = entry.segments.iter().flat_map(crate::database::file_names);
        let paths: Vec<_> = names.map(|name| core.directory.join(name)).collect();
        paths.iter().for_each(|path| core.shared.keep_unnamed(path));
        Self { core: Arc::clone(core), entry, paths }
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.paths.iter().for_each(|path| self.core.shared.release_unnamed(path));
        // What was not removed meanwhile because of this, and nothing else needs.
        _ = self.core.shared.remove_unnamed(self.core.uuid);
    }
}
