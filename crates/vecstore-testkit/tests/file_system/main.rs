//! What the fault-injecting file system promises to the tests that build on it.

mod crashes;
mod durability;
mod faults;
mod reading;
mod rot;
mod windows;

use std::io::{self, IoSlice};
use std::path::Path;

use vecstore::vfs::{Vfs, VfsFile};
use vecstore_testkit::FaultVfs;

/// Creates a file and writes to it, without a sync.
fn create(vfs: &FaultVfs, path: &str, bytes: &[u8]) -> io::Result<Box<dyn VfsFile>> {
    let file = vfs.create(Path::new(path))?;
    append(&*file, bytes, 0)?;
    Ok(file)
}

fn append(file: &dyn VfsFile, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.write_all_at(&[IoSlice::new(bytes)], offset)
}

/// Makes a directory, durably.
fn make_dir(vfs: &FaultVfs, path: &str) -> io::Result<()> {
    vfs.create_dir_all(Path::new(path))?;
    vfs.sync_dir(Path::new("/"))
}

/// Gives the paths of all files.
fn paths(vfs: &FaultVfs) -> Vec<String> {
    vfs.files().into_iter().map(|(path, _)| path.display().to_string()).collect()
}
