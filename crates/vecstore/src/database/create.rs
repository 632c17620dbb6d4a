//! Making a new database, and telling whether a directory is one.

use std::io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
use std::path::{Path, PathBuf};

use super::garbage::is_of_collection;
use super::{COLLECTIONS, CollectionConfig, LOCK, TMP, collection_dir, new_uuid};
use crate::error::{Error, Result};
use crate::options::OpenOptions;
use crate::repair::DAMAGED;
use crate::storage::manifest::{self, CollectionEntry, Manifest};
use crate::storage::wal::{self, LogWriter};
use crate::vfs::{DirEntry, Vfs};

/// Creates a directory and makes its name, and those above it that were missing, durable.
pub(crate) fn create_dirs(vfs: &dyn Vfs, path: &Path) -> Result<()> {
    let mut made = Vec::new();
    for path in path.ancestors().filter(|path| !path.as_os_str().is_empty()) {
        if vfs.stat(path).map_err(|error| Error::io("look for", path, error))?.is_some() {
            break;
        }
        made.push(path);
    }
    vfs.create_dir_all(path).map_err(|error| Error::io("create", path, error))?;
    for parent in made.into_iter().filter_map(parent) {
        vfs.sync_dir(parent).map_err(|error| Error::io("sync", parent, error))?;
    }
    Ok(())
}

fn parent(path: &Path) -> Option<&Path> {
    let parent = path.parent()?;
    Some(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
}

/// Makes the name of `root` durable, and those above it: an attempt that was killed may have made them.
fn sync_ancestors(vfs: &dyn Vfs, root: &Path) -> Result<()> {
    for parent in root.ancestors().filter_map(parent) {
        match vfs.sync_dir(parent) {
            // What is not ours to sync is not ours to have made.
            Err(error) if matches!(error.kind(), PermissionDenied | Unsupported | InvalidInput) => {}
            outcome => outcome.map_err(|error| Error::io("sync", parent, error))?,
        }
    }
    Ok(())
}

/// Fails if a directory in which files are made and removed is a symbolic link: whoever made the database could have those
/// of any other directory removed.
pub(crate) fn refuse_link(vfs: &dyn Vfs, directory: &Path) -> Result<()> {
    if vfs.is_link(directory).map_err(|error| Error::io("look for", directory, error))? {
        return Err(Error::invalid(format!(
            "`{}` is a symbolic link, expected a directory: files in it may be removed",
            directory.display()
        )));
    }
    Ok(())
}

/// Fails if a directory holds something that no database puts there and nothing that one does.
pub(super) fn check_is_ours(vfs: &dyn Vfs, root: &Path) -> Result<()> {
    for directory in [TMP, COLLECTIONS] {
        refuse_link(vfs, &root.join(directory))?;
    }
    let entries = vfs.list(root).map_err(|error| Error::io("list", root, error))?;
    let names: Vec<&str> = entries.iter().map(|entry| name(&entry.path).unwrap_or_default()).collect();
    if names.iter().any(|name| manifest::parse_file_name(name).is_some()) {
        return Ok(());
    }
    let foreign = names.iter().find(|name| ![LOCK, COLLECTIONS, TMP, DAMAGED].contains(name));
    if let Some(foreign) = foreign.map(|name| root.join(name)).or(foreign_below(vfs, root)?) {
        return Err(Error::invalid(format!(
            "`{}` is not a vecstore store: it has no manifest, but `{}`; give an empty or a new directory",
            root.display(),
            foreign.display()
        )));
    }
    Ok(())
}

/// Returns something in `tmp/` or `collections/` that no database puts there.
fn foreign_below(vfs: &dyn Vfs, root: &Path) -> Result<Option<PathBuf>> {
    let drafts = list_if_there(vfs, &root.join(TMP))?;
    let foreign_draft =
        drafts.into_iter().find(|entry| entry.is_dir || !name(&entry.path).is_some_and(is_draft));
    if let Some(entry) = foreign_draft {
        return Ok(Some(entry.path));
    }
    for directory in list_if_there(vfs, &root.join(COLLECTIONS))? {
        let is_uuid = |name: &str| name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !directory.is_dir || !name(&directory.path).is_some_and(is_uuid) {
            return Ok(Some(directory.path));
        }
        let files = list_if_there(vfs, &directory.path)?;
        if let Some(file) =
            files.into_iter().find(|file| file.is_dir || !name(&file.path).is_some_and(is_of_collection))
        {
            return Ok(Some(file.path));
        }
    }
    Ok(None)
}

fn is_draft(name: &str) -> bool {
    manifest::parse_file_name(name).is_some()
}

fn list_if_there(vfs: &dyn Vfs, path: &Path) -> Result<Vec<DirEntry>> {
    match vfs.stat(path).map_err(|error| Error::io("look for", path, error))? {
        Some(stat) if stat.is_dir => vfs.list(path).map_err(|error| Error::io("list", path, error)),
        _ => Ok(Vec::new()),
    }
}

fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// Creates a database with one empty collection or none. A crash before the first manifest leaves nothing but empty
/// directories and an empty log, which the next open starts over from.
pub(super) fn create(
    vfs: &dyn Vfs,
    root: &Path,
    options: &OpenOptions,
    name: Option<&str>,
) -> Result<(Manifest, Option<Manifest>)> {
    let collections = root.join(COLLECTIONS);
    if vfs.stat(&collections).map_err(|error| Error::io("look for", &collections, error))?.is_some() {
        check_holds_nothing(vfs, &collections)?;
        vfs.remove_dir_all(&collections).map_err(|error| Error::io("remove", &collections, error))?;
    }
    sync_ancestors(vfs, root)?;
    create_dirs(vfs, &collections)?;
    create_dirs(vfs, &root.join(TMP))?;
    let collections = match name {
        Some(name) => vec![create_collection(vfs, root, name, &options.collection_config())?],
        None => Vec::new(),
    };
    vfs.sync_dir(root).map_err(|error| Error::io("sync", root, error))?;
    let first = Manifest { database: new_uuid()?, generation: 1, collections };
    // Twice, since no log could make up for the loss of the first.
    first.publish(vfs, root)?;
    let second = Manifest { generation: 2, ..first.clone() };
    second.publish(vfs, root)?;
    Ok((second, Some(first)))
}

/// Makes the directory and the log of an empty collection, durably, for a manifest to name.
pub(super) fn create_collection(
    vfs: &dyn Vfs,
    root: &Path,
    name: &str,
    config: &CollectionConfig,
) -> Result<CollectionEntry> {
    let uuid = new_uuid()?;
    let directory = collection_dir(root, uuid);
    create_dirs(vfs, &directory)?;
    LogWriter::create(vfs, &directory, 1, uuid, new_uuid()?)?;
    Ok(CollectionEntry {
        uuid,
        name: name.to_owned(),
        metric: config.metric,
        text: config.text()?,
        dim: config.dim,
        checkpoint_lsn: 0,
        first_log: 1,
        durable_lsn: 0,
        segments: Vec::new(),
        settings: config.settings(),
        snapshots: Vec::new(),
    })
}

/// Fails if there are records under `collections`: then it is the manifests that are missing.
fn check_holds_nothing(vfs: &dyn Vfs, collections: &Path) -> Result<()> {
    let list = |path: &Path| vfs.list(path).map_err(|error| Error::io("list", path, error));
    for directory in list(collections)? {
        for file in if directory.is_dir { list(&directory.path)? } else { Vec::new() } {
            let name = file.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let empty = wal::parse_file_name(name).is_some() && wal::is_empty(vfs, &file.path)?;
            if !empty {
                return Err(Error::corrupted(format!(
                    "`{}` holds records, but the manifests that list them are missing",
                    file.path.display()
                )));
            }
        }
    }
    Ok(())
}
