//! Backups by a process that only reads, beside one that writes.
//!
//! It copies the segments that the newest manifest names, and the calls of the log since. The writer may remove either of them
//! meanwhile, once a later manifest names others: then what is missing shows, as a file that is gone or as a gap between calls,
//! and the copy begins again with that manifest, keeping the files that it has.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use super::{Target, write};
use crate::collection::{Core, log_seqs};
use crate::database::manifests::{newest_manifest, retry};
use crate::database::{Shared, collection_dir};
use crate::error::{Error, Result};
use crate::storage::manifest::CollectionEntry;
use crate::storage::wal::{self, Log};
use crate::vfs::Vfs;

impl Shared {
    /// Copies collections as they are acknowledged by now. Returns their entries for the backup's manifest.
    pub(super) fn copy_as_reader(
        &self,
        cores: &[Arc<Core>],
        target: &mut Target,
        incremental: bool,
    ) -> Result<Vec<CollectionEntry>> {
        let target = RefCell::new(target);
        let copy = |core: &Arc<Core>| {
            retry(&*self.vfs, &self.root, || {
                let manifest = newest_manifest(&*self.vfs, &self.root)?;
                let found = manifest.collections.iter().find(|entry| entry.uuid == core.uuid());
                let entry = found.ok_or_else(|| {
                    Error::closed("the collection was deleted by the process that writes to it")
                })?;
                target.borrow_mut().copy_followed(&*self.vfs, entry, &self.root, incremental)
            })
        };
        cores.iter().map(copy).collect()
    }
}

impl Target {
    fn copy_followed(
        &mut self,
        source_vfs: &dyn Vfs,
        entry: &CollectionEntry,
        root: &Path,
        incremental: bool,
    ) -> Result<CollectionEntry> {
        let source = collection_dir(root, entry.uuid);
        let directory = collection_dir(&self.root, entry.uuid);
        crate::database::create::create_dirs(&*self.vfs, &directory)?;
        // The log first: it is what the writer removes soonest.
        let (logs, lsn) = acknowledged_logs(source_vfs, &source, entry)?;
        self.copy_segments(source_vfs, entry, &source, incremental)?;
        let first_log = if logs.is_empty() {
            self.empty_log(&directory, entry.uuid)?
        } else {
            // Under new numbers: the backup that is there needs its own until the next manifest.
            let first = log_seqs(&*self.vfs, &directory)?.last().map_or(1, |last| last + 1);
            for (seq, bytes) in (first..).zip(&logs) {
                write(&*self.vfs, &directory.join(wal::file_name(seq)), bytes)?;
                self.report.copied_files += 1;
                self.report.copied_bytes += bytes.len() as u64;
            }
            first
        };
        self.vfs.sync_dir(&directory).map_err(|error| Error::io("sync", &directory, error))?;
        Ok(CollectionEntry { first_log, durable_lsn: lsn, snapshots: Vec::new(), ..entry.clone() })
    }
}

/// Returns the logs with the calls that are acknowledged, and the last of those.
fn acknowledged_logs(
    vfs: &dyn Vfs,
    directory: &Path,
    entry: &CollectionEntry,
) -> Result<(Vec<Vec<u8>>, u64)> {
    let seqs: Vec<u64> =
        log_seqs(vfs, directory)?.into_iter().filter(|seq| *seq >= entry.first_log).collect();
    let logs = seqs.iter().map(|seq| Log::read(vfs, &directory.join(wal::file_name(*seq)), entry.uuid));
    let logs: Vec<Log> = logs.collect::<Result<_>>()?;
    let (mut kept, mut lsn) = (Vec::new(), entry.checkpoint_lsn);
    for (n, log) in logs.iter().enumerate() {
        if log.first_lsn().is_some_and(|first| first > lsn + 1) {
            return Err(gap(log, lsn));
        }
        // A log that was written to shows that all before it was synced.
        let followed = logs[n + 1..].iter().any(|later| later.first_lsn().is_some());
        let count = if followed { usize::MAX } else { log.acknowledged(entry.durable_lsn) };
        let (bytes, last) = log.bytes_of_first(count);
        if let Some(last) = last {
            lsn = lsn.max(last);
            kept.push(bytes);
        }
    }
    if lsn < entry.durable_lsn {
        return Err(Error::corrupted(format!(
            "`{}`: the log ends at call {lsn}, but calls up to {} were acknowledged",
            directory.display(),
            entry.durable_lsn
        )));
    }
    Ok((kept, lsn))
}

fn gap(log: &Log, lsn: u64) -> Error {
    Error::corrupted(format!(
        "`{}` does not go on after call {lsn}: the process that writes was faster",
        log.path().display()
    ))
}
