//! The files that a repair makes, replaces and moves out of the way.

use std::path::{Path, PathBuf};

use super::{DAMAGED, RepairReport};
use crate::database::create_dirs;
use crate::vfs::Vfs;

/// What becomes of a file once the new manifest is published.
#[derive(Debug)]
pub(super) enum Stale {
    /// It is damaged: moved to `damaged/`.
    Damaged(PathBuf),
    /// All it held is in the new files: removed.
    Replaced(PathBuf),
}

/// The files of one repair.
pub(super) struct Files<'a> {
    vfs: &'a dyn Vfs,
    root: &'a Path,
    stale: Vec<Stale>,
    /// Made, and named by the manifest or removed at the end.
    made: Vec<PathBuf>,
    /// A manifest may name what was made: nothing of it may be removed.
    named: bool,
}

impl<'a> Files<'a> {
    pub(super) fn new(vfs: &'a dyn Vfs, root: &'a Path) -> Self {
        Self { vfs, root, stale: Vec::new(), made: Vec::new(), named: false }
    }

    /// Notes a file that is about to be made.
    pub(super) fn begin(&mut self, path: &Path) {
        self.made.push(path.to_owned());
    }

    /// Removes a file that was made and is not needed after all.
    pub(super) fn discard(&mut self, path: &Path) {
        _ = self.vfs.remove_file(path);
    }

    pub(super) fn stale(&mut self, stale: Stale) {
        self.stale.push(stale);
    }

    /// Ends what `begin` began: a manifest is about to be published. If that fails, it may be there all the same.
    pub(super) fn keep_made(&mut self) {
        self.named = true;
    }

    /// Moves or removes what the manifest that was published does not name. A file that cannot be moved, say since
    /// somebody still maps it, stays where it is: the next open removes what no manifest names.
    pub(super) fn set_aside(&mut self, more: Vec<Stale>, report: &mut RepairReport) {
        let directory = self.root.join(DAMAGED);
        for stale in self.stale.drain(..).chain(more) {
            match stale {
                Stale::Replaced(path) => _ = self.vfs.remove_file(&path),
                Stale::Damaged(path) => {
                    if create_dirs(self.vfs, &directory).is_ok()
                        && let Some(moved) = self.vfs.move_into(&path, &directory)
                    {
                        report.set_aside.push(moved);
                    }
                }
            }
        }
        _ = self.vfs.sync_dir(&directory);
    }
}

impl Drop for Files<'_> {
    fn drop(&mut self) {
        // A repair that failed leaves no more than it found.
        if !self.named {
            self.made.iter().for_each(|path| _ = self.vfs.remove_file(path));
        }
    }
}

trait MoveInto {
    fn move_into(&self, path: &Path, directory: &Path) -> Option<PathBuf>;
}

impl MoveInto for dyn Vfs + '_ {
    /// Moves a file under its name, or under that and a number if the name is taken.
    fn move_into(&self, path: &Path, directory: &Path) -> Option<PathBuf> {
        let name = path.file_name()?.to_str()?;
        (0..NAMES_TRIED).find_map(|n| {
            let to = directory.join(if n == 0 { name.to_owned() } else { format!("{name}.{n}") });
            self.rename_no_replace(path, &to).ok().map(|()| to)
        })
    }
}

/// Repairs of one store that leave a file of the same name are few.
const NAMES_TRIED: usize = 100;
