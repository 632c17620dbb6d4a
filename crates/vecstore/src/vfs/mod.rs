//! The file system as the engine sees it. Nothing else in the workspace touches files.
//!
//! The trait is narrow on purpose: it has what the write order of `docs/design.md` needs and no more, so that a
//! test double can model what a power cut does to each call. A name or a length is durable only after
//! [`Vfs::sync_dir`] or [`VfsFile::sync`]; bytes are durable only after [`VfsFile::sync`].

mod disk;
mod large_memory;
mod memory;
mod physical_memory;

use std::fmt::Debug;
use std::io::{self, IoSlice};
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use disk::DiskVfs;
pub(crate) use large_memory::LargeMemory;
pub use memory::MemoryVfs;
pub(crate) use physical_memory::physical_memory_bytes;

/// A file system.
pub trait Vfs: Debug + Send + Sync + 'static {
    /// Creates a new file for reading and writing; fails with `AlreadyExists` if the name is taken.
    fn create(&self, path: &Path) -> io::Result<Box<dyn VfsFile>>;

    /// Opens an existing file for reading, and for writing if `write`. Nothing is written through a symbolic link.
    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn VfsFile>>;

    /// Maps a whole file read-only. The file must not change while it is mapped.
    fn map(&self, path: &Path) -> io::Result<Mapping>;

    /// Renames a file; fails with `AlreadyExists`, changing nothing, if `to` exists.
    fn rename_no_replace(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Creates a directory and those above it that are missing.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory and everything in it.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Returns the entries of a directory, in no order.
    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>>;

    /// Returns whether anything is at the path, and if so whether it is a directory.
    fn stat(&self, path: &Path) -> io::Result<Option<Stat>>;

    /// Returns whether there is a symbolic link at the path, wherever it leads. A file system without links says no.
    fn is_link(&self, path: &Path) -> io::Result<bool> {
        _ = path;
        Ok(false)
    }

    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Takes the exclusive lock that the file at `path` stands for, creating the file if needed, and writes
    /// `holder` into it. Where the system can lock directories, that of the file is locked as well, so that the lock holds
    /// though somebody removes the file. The kernel releases the lock when the process ends.
    fn lock(&self, path: &Path, holder: &str) -> io::Result<LockOutcome>;
}

/// An open file. Positions are explicit, so one handle serves several threads.
#[expect(clippy::len_without_is_empty, reason = "nobody asks whether a file is empty")]
pub trait VfsFile: Debug + Send + Sync {
    /// Reads exactly `buffer.len()` bytes from `offset`; fails with `UnexpectedEof` if the file is shorter.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes all `slices`, one after the other, from `offset`. May have written a part when it fails.
    fn write_all_at(&self, slices: &[IoSlice<'_>], offset: u64) -> io::Result<()>;

    /// Reserves disk space up to `len` bytes and extends the file with zeros to that length, or changes nothing.
    fn allocate(&self, len: u64) -> io::Result<()>;

    /// Returns the length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Makes the contents and the length durable (`fdatasync`).
    fn sync(&self) -> io::Result<()>;

    /// Returns whether the file still has a name: what is written to one that was removed is gone when it is closed. A
    /// file system where an open file cannot be removed says yes.
    fn has_name(&self) -> io::Result<bool> {
        Ok(true)
    }
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// The path, with the directory that was listed in front.
    pub path: PathBuf,
    /// Whether the entry is itself a directory.
    pub is_dir: bool,
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Whether it is a directory.
    pub is_dir: bool,
    /// The length in bytes of a file; 0 for a directory.
    pub len: u64,
}

/// The answer to a request for a lock.
#[derive(Debug)]
pub enum LockOutcome {
    /// The lock is held until the guard is dropped.
    Acquired(Box<dyn LockGuard>),
    /// Somebody else holds it; the text they wrote, if it could be read.
    Held {
        /// What the holder wrote into the lock file.
        holder: String,
    },
}

/// Holds a lock until it is dropped.
pub trait LockGuard: Debug + Send + Sync {
    /// Returns whether the directory that was locked, or else the file, is still the one at its path: not if the directory was
    /// removed and perhaps made anew. A file system where that cannot happen says yes.
    fn is_current(&self) -> bool {
        true
    }
}

/// The bytes of a mapped file, shared and immutable.
#[derive(Clone)]
pub struct Mapping {
    bytes: Arc<dyn Deref<Target = [u8]> + Send + Sync>,
    /// Gives back the memory of a range, where the bytes can be had again.
    release: Option<Arc<Release>>,
}

type Release = dyn Fn(Range<usize>) + Send + Sync;

impl Mapping {
    /// Wraps bytes that stay where they are for as long as the owner lives. The start must be aligned to 8
    /// bytes at least, and should be to 64.
    pub fn new(bytes: impl Deref<Target = [u8]> + Send + Sync + 'static) -> Self {
        Self { bytes: Arc::new(bytes), release: None }
    }

    /// Says how the memory of a range of the bytes is given back. They stay where they are, and are as they were when they
    /// are next read.
    #[must_use]
    pub fn with_release(self, release: impl Fn(Range<usize>) + Send + Sync + 'static) -> Self {
        Self { release: Some(Arc::new(release)), ..self }
    }

    /// Returns whether memory can be given back.
    pub(crate) fn is_releasable(&self) -> bool {
        self.release.is_some()
    }

    /// Gives back the memory of a range of the bytes, if that can be done.
    pub(crate) fn release(&self, range: Range<usize>) {
        if let Some(release) = &self.release {
            release(range);
        }
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Debug for Mapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mapping({} bytes)", self.len())
    }
}
