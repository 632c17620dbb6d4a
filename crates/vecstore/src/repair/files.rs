//! The files that a repair makes, and those that it moves out of the way.

use std::path::{Path, PathBuf};

use super::{DAMAGED, RepairReport};
use crate::database::create_dirs;
use crate::vfs::Vfs;

/// The files of one repair.
pub(super) struct Files<'a> {
    vfs: &'a dyn Vfs,
    root: &'a Path,
    damaged: Vec<PathBuf>,
    /// Made, and named by the manifest or removed at the end.
    made: Vec<PathBuf>,
    /// A manifest may name what was made: nothing of it may be removed.
    named: bool,
}

impl<'a> Files<'a> {
    pub(super) fn new(vfs: &'a dyn Vfs, root: &'a Path) -> Self {
        Self { vfs, root, damaged: Vec::new(), made: Vec::new(), named: false }
    }

    /// Notes a file that is about to be made.
    pub(super) fn begin(&mut self, path: &Path) {
        self.made.push(path.to_owned());
    }

    /// Removes a file that was made and is not needed after all.
    pub(super) fn discard(&mut self, path: &Path) {
        _ = self.vfs.remove_file(path);
    }

    /// Notes a damaged file.
    pub(super) fn damaged(&mut self, path: PathBuf) {
        self.damaged.push(path);
    }

    /// Ends what `begin` began: a manifest is about to be published. If that fails, it may be there all the same.
    pub(super) fn keep_made(&mut self) {
        self.named = true;
    }

    /// Moves damaged files out of the way, once no manifest names them. One that cannot be moved, say since somebody still
    /// maps it, stays where it is. What else no manifest names any more, the next open removes.
    pub(super) fn set_aside(&mut self, report: &mut RepairReport) {
        let directory = self.root.join(DAMAGED);
        for path in self.damaged.drain(..) {
            if create_dirs(self.vfs, &directory).is_ok()
                && let Some(moved) = self.vfs.move_into(&path, &directory)
            {
                report.set_aside.push(moved);
            }
        }
        if !report.set_aside.is_empty() {
            _ = self.vfs.sync_dir(&directory);
        }
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
