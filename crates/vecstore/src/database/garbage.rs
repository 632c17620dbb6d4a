//! Removing files that nothing needs any more.

use std::collections::HashSet;
use std::path::Path;

use super::create::create_dirs;
use super::{COLLECTIONS, Shared, TMP, collection_dir};
use crate::error::{Error, Result};
use crate::storage::manifest::{self, SegmentEntry};
use crate::storage::{Uuid, marks, segment, wal};

impl Shared {
    /// Removes files of a collection that only older manifests name. If the previous manifest still names some, the current
    /// one is published once more, so that the previous is no longer needed.
    pub(crate) fn collect_garbage(&self, uuid: Uuid) -> Result<()> {
        self.leave_previous()?;
        self.remove_unnamed(uuid)
    }

    /// Publishes the current manifest once more if the previous one names other files.
    pub(super) fn leave_previous(&self) -> Result<()> {
        let stale = {
            let catalog = self.catalog.lock();
            catalog
                .previous
                .as_ref()
                .is_some_and(|previous| previous.collections != catalog.current.collections)
        };
        if stale { self.publish(|_| ()) } else { Ok(()) }
    }

    /// Removes drafts of manifests, and the directories of collections that neither kept manifest has. Files of the others
    /// are looked at when they are opened.
    pub(super) fn remove_debris(&self) -> Result<()> {
        let tmp = self.root.join(TMP);
        if let Ok(drafts) = self.vfs.list(&tmp) {
            let is_draft = |path: &Path| name(path).and_then(manifest::parse_file_name).is_some();
            for draft in drafts.into_iter().filter(|draft| is_draft(&draft.path)) {
                self.vfs.remove_file(&draft.path).map_err(|error| Error::io("remove", &draft.path, error))?;
            }
        } else {
            create_dirs(&*self.vfs, &tmp)?;
        }
        let collections = self.root.join(COLLECTIONS);
        let named: HashSet<String> =
            self.catalog.lock().entries().map(|entry| entry.uuid.to_string()).collect();
        if !matches!(self.vfs.stat(&collections), Ok(Some(_))) {
            return Ok(());
        }
        let found = self.vfs.list(&collections).map_err(|error| Error::io("list", &collections, error))?;
        let is_uuid = |name: &str| name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        for directory in found.into_iter().filter(|entry| entry.is_dir) {
            if name(&directory.path).is_some_and(|name| is_uuid(name) && !named.contains(name)) {
                // What is still in use somewhere stays until the next time.
                _ = self.vfs.remove_dir_all(&directory.path);
            }
        }
        Ok(())
    }

    /// Removes files of a collection that neither kept manifest names.
    pub(crate) fn remove_unnamed(&self, uuid: Uuid) -> Result<()> {
        let lock = self.lock.lock();
        // Held to the end: until a manifest is published, files that it is to name are among the unnamed.
        let catalog = self.catalog.lock();
        let is_ours = lock.as_ref().map_or(!self.logged, |lock| lock.is_current());
        if catalog.poison.is_some() || !is_ours {
            return Ok(());
        }
        let entries = || catalog.entries().filter(|entry| entry.uuid == uuid);
        // Whatever is left of a collection that is gone goes with its directory.
        let Some(first_log) = entries().map(|entry| entry.first_log).min() else { return Ok(()) };
        let segments = entries().flat_map(|entry| {
            let kept = entry.snapshots.iter().flat_map(|snapshot| &snapshot.segments);
            kept.chain(&entry.segments)
        });
        let named: HashSet<String> = segments.flat_map(file_names).collect();
        let directory = collection_dir(&self.root, uuid);
        let found = self.vfs.list(&directory).map_err(|error| Error::io("list", &directory, error))?;
        for file in found {
            let name = name(&file.path).unwrap_or_default();
            // What somebody else has put there is left alone.
            let needed = match wal::parse_file_name(name) {
                None if !is_of_collection(name) => true,
                Some(seq) => seq >= first_log,
                // Asked after the directory was listed: a file that was in it then is kept since before it was made.
                None => named.contains(name) || self.unnamed.lock().contains_key(&file.path),
            };
            if !needed {
                // A file that another process still maps cannot be removed everywhere; the next time will do.
                _ = self.vfs.remove_file(&file.path);
            }
        }
        Ok(())
    }

    /// Keeps a file from being taken for garbage: one that is about to be made and that no manifest names yet, or one that
    /// is being copied.
    pub(crate) fn keep_unnamed(&self, path: &Path) {
        *self.unnamed.lock().entry(path.to_owned()).or_default() += 1;
    }

    /// Ends what `keep_unnamed` began: a manifest names the file, or it is gone, or copied.
    pub(crate) fn release_unnamed(&self, path: &Path) {
        let mut unnamed = self.unnamed.lock();
        if let Some(count) = unnamed.get_mut(path) {
            *count -= 1;
            if *count == 0 {
                unnamed.remove(path);
            }
        }
    }
}

/// Returns the names of the files of a segment: itself, and its marks if it has any.
pub(crate) fn file_names(entry: &SegmentEntry) -> impl Iterator<Item = String> {
    let marks = entry.marks.map(|(generation, _)| marks::file_name(entry.uuid, generation));
    std::iter::once(segment::file_name(entry.uuid)).chain(marks)
}

/// Returns whether files of this name are made in the directory of a collection.
pub(super) fn is_of_collection(name: &str) -> bool {
    let segment = name.strip_suffix(".seg");
    let marked = name.strip_suffix(".del").and_then(|name| name.split_once('-')).map(|(uuid, _)| uuid);
    wal::parse_file_name(name).is_some() || segment.or(marked).is_some_and(|name| Uuid::parse(name).is_some())
}

fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}
