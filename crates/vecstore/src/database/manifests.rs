//! Finding the manifest that counts.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::storage::manifest::{self, Manifest};
use crate::vfs::Vfs;

/// A writer publishes a few manifests a second at most.
const READ_ATTEMPTS: usize = 20;

/// Reads files that a writer may be replacing: again, if they were gone or half written and the writer has published a
/// manifest meanwhile, or else once, since a log may have been read while it was written.
pub(crate) fn retry<T>(vfs: &dyn Vfs, root: &Path, read: impl Fn() -> Result<T>) -> Result<T> {
    let mut unchanged = 0;
    for _ in 1..READ_ATTEMPTS {
        let before = generations(vfs, root)?;
        match read() {
            Err(error) if matches!(error.kind(), ErrorKind::Io | ErrorKind::Corrupted) => {
                unchanged += usize::from(generations(vfs, root)? == before);
                if unchanged > 1 {
                    return Err(error);
                }
            }
            outcome => return outcome,
        }
    }
    read()
}

/// Returns the generations that there are manifests of, newest first.
fn generations(vfs: &dyn Vfs, root: &Path) -> Result<Vec<u64>> {
    let entries = vfs.list(root).map_err(|error| Error::io("list", root, error))?;
    let names = entries.iter().filter_map(|entry| entry.path.file_name()?.to_str());
    let mut generations: Vec<u64> = names.filter_map(manifest::parse_file_name).collect();
    generations.sort_unstable_by(|a, b| b.cmp(a));
    Ok(generations)
}

/// Reads the newest manifest that counts.
pub(crate) fn newest_manifest(vfs: &dyn Vfs, root: &Path) -> Result<Manifest> {
    manifests(vfs, root)?.current.ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidInput,
            format!("`{}` is not a vecstore store: it has no manifest", root.display()),
        )
    })
}

/// The manifests that a database directory holds.
pub(super) struct Found {
    pub(super) current: Option<Manifest>,
    pub(super) previous: Option<Manifest>,
    /// Manifests that fail their checksum.
    pub(super) damaged: Vec<(PathBuf, Error)>,
    /// Manifests older than the newest two.
    pub(super) old: Vec<PathBuf>,
}

pub(super) fn manifests(vfs: &dyn Vfs, root: &Path) -> Result<Found> {
    let generations = generations(vfs, root)?;
    let mut found = Found { current: None, previous: None, damaged: Vec::new(), old: Vec::new() };
    for (age, generation) in generations.into_iter().enumerate() {
        let path = root.join(manifest::file_name(generation));
        // An older one would lead to files that are gone.
        if age >= 2 {
            found.old.push(path);
            continue;
        }
        let bytes = vfs.map(&path).map_err(|error| Error::io("read", &path, error))?;
        match read_manifest(&bytes, &path, generation) {
            Ok(manifest) if found.current.is_none() => found.current = Some(manifest),
            Ok(manifest) => found.previous = Some(manifest),
            // Of a newer version for sure: what an older manifest says no longer holds.
            Err(error) if error.kind() == ErrorKind::Unsupported && Manifest::is_intact(&bytes) => {
                return Err(error);
            }
            Err(error) => found.damaged.push((path, error)),
        }
    }
    match found.damaged.first() {
        Some((_, error)) if found.current.is_none() => Err(error.duplicate()),
        _ => Ok(found),
    }
}

fn read_manifest(bytes: &[u8], path: &Path, generation: u64) -> Result<Manifest> {
    let manifest = Manifest::decode(bytes)
        .map_err(|error| Error::new(error.kind(), format!("`{}`: {}", path.display(), error.message())))?;
    if manifest.generation != generation {
        return Err(Error::corrupted(format!(
            "`{}` is of generation {}",
            path.display(),
            manifest.generation
        )));
    }
    Ok(manifest)
}
