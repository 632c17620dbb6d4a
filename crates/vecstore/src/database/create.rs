//! Making a new database, and telling whether a directory is one.

use std::io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
use std::path::Path;

use vecstore_kernels::Metric;

use super::{COLLECTIONS, LOCK, TMP, collection_dir, new_uuid};
use crate::error::{Error, Result};
use crate::options::OpenOptions;
use crate::storage::manifest::{self, CollectionEntry, Manifest};
use crate::storage::wal::{self, LogWriter};
use crate::vfs::Vfs;

/// Creates a directory and makes its name, and those above it that were missing, durable.
pub(super) fn create_dirs(vfs: &dyn Vfs, path: &Path) -> Result<()> {
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

/// Fails if a directory holds something that no database puts there and nothing that one does.
pub(super) fn check_is_ours(vfs: &dyn Vfs, root: &Path) -> Result<()> {
    let entries = vfs.list(root).map_err(|error| Error::io("list", root, error))?;
    let name =
        |path: &Path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned).unwrap_or_default();
    let names: Vec<String> = entries.iter().map(|entry| name(&entry.path)).collect();
    if names.iter().any(|name| manifest::parse_file_name(name).is_some()) {
        return Ok(());
    }
    if let Some(foreign) = names.iter().find(|name| ![LOCK, COLLECTIONS, TMP].contains(&name.as_str())) {
        return Err(Error::invalid(format!(
            "`{}` is not a vecstore store: it has no manifest, but `{foreign}`; give an empty or a new directory",
            root.display()
        )));
    }
    Ok(())
}

/// Creates an empty database with one collection. A crash before the first manifest leaves nothing but empty
/// directories and an empty log, which the next open starts over from.
pub(super) fn create(
    vfs: &dyn Vfs,
    root: &Path,
    options: &OpenOptions,
    name: &str,
) -> Result<(Manifest, Option<Manifest>)> {
    let collections = root.join(COLLECTIONS);
    if vfs.stat(&collections).map_err(|error| Error::io("look for", &collections, error))?.is_some() {
        check_holds_nothing(vfs, &collections)?;
        vfs.remove_dir_all(&collections).map_err(|error| Error::io("remove", &collections, error))?;
    }
    sync_ancestors(vfs, root)?;
    let uuid = new_uuid()?;
    let directory = collection_dir(root, uuid);
    create_dirs(vfs, &directory)?;
    create_dirs(vfs, &root.join(TMP))?;
    LogWriter::create(vfs, &directory, 1, uuid, new_uuid()?)?;
    vfs.sync_dir(root).map_err(|error| Error::io("sync", root, error))?;
    let first = Manifest {
        database: new_uuid()?,
        generation: 1,
        collections: vec![CollectionEntry {
            uuid,
            name: name.to_owned(),
            metric: options.metric.unwrap_or(Metric::Cosine),
            dim: options.dim,
            checkpoint_lsn: 0,
            first_log: 1,
            durable_lsn: 0,
            segments: Vec::new(),
        }],
    };
    // Twice, since no log could make up for the loss of the first.
    first.publish(vfs, root)?;
    let second = Manifest { generation: 2, ..first.clone() };
    second.publish(vfs, root)?;
    Ok((second, Some(first)))
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
