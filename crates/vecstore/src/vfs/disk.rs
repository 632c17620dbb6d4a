//! The real file system. The only file of the workspace that calls `std::fs`.
#![expect(clippy::disallowed_methods, reason = "this is the one place that touches files")]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{DirEntry, LockGuard, LockOutcome, Mapping, Stat, Vfs, VfsFile};

/// The operating system's file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskVfs;

impl Vfs for DiskVfs {
    fn create(&self, path: &Path) -> io::Result<Box<dyn VfsFile>> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        Ok(Box::new(DiskFile { file }))
    }

    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn VfsFile>> {
        if write {
            refuse_link(path)?;
        }
        refuse_special(path)?;
        let file = OpenOptions::new().read(true).write(write).open(path)?;
        Ok(Box::new(DiskFile { file }))
    }

    fn map(&self, path: &Path) -> io::Result<Mapping> {
        refuse_special(path)?;
        map_file(&File::open(path)?)
    }

    fn rename_no_replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        // A hard link fails if the name is taken, on every system that has links. Where the file system has none,
        // the writer lock is what keeps others from taking the name between the check and the rename.
        match fs::hard_link(from, to) {
            Ok(()) => fs::remove_file(from),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            Err(_) if fs::exists(to)? => Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => fs::rename(from, to),
        }
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        fs::read_dir(path)?
            .map(|entry| {
                let entry = entry?;
                Ok(DirEntry { path: entry.path(), is_dir: entry.file_type()?.is_dir() })
            })
            .collect()
    }

    fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        match fs::metadata(path) {
            Ok(found) => {
                Ok(Some(Stat { is_dir: found.is_dir(), len: if found.is_dir() { 0 } else { found.len() } }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn is_link(&self, path: &Path) -> io::Result<bool> {
        match fs::symlink_metadata(path) {
            Ok(found) => Ok(found.file_type().is_symlink()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        // Windows has no way to sync a directory and makes names durable with the file.
        if cfg!(windows) { Ok(()) } else { File::open(path)?.sync_all() }
    }

    fn lock(&self, path: &Path, holder: &str) -> io::Result<LockOutcome> {
        refuse_link(path)?;
        refuse_special(path)?;
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let taken = match file.try_lock() {
            Ok(()) => lock_directory(path)?,
            Err(TryLockError::WouldBlock) => DirectoryLock::Held,
            Err(TryLockError::Error(error)) => return Err(error),
        };
        let mut found = String::new();
        // On Windows the lock keeps others from reading, too; then the holder stays unknown.
        let read = (&file).take(HOLDER_BYTES_MAX).read_to_string(&mut found);
        let directory = match taken {
            DirectoryLock::Held => return Ok(LockOutcome::Held { holder: found }),
            DirectoryLock::Taken(directory) => Some(directory),
            DirectoryLock::Impossible => None,
        };
        // Who holds the lock is only told as a courtesy: there may be no room for it, and a file that says anything else
        // may be somebody's under another name as well.
        if read.is_ok() && (found.is_empty() || found.starts_with(HOLDER_PREFIX)) {
            _ = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
            _ = file.write_all(holder.as_bytes());
        }
        Ok(LockOutcome::Acquired(Box::new(DiskLock {
            file,
            directory,
            path: path.to_owned(),
            process: std::process::id(),
        })))
    }
}

/// Fails if there is a symbolic link at the path: what is written there would go to where whoever made it likes.
fn refuse_link(path: &Path) -> io::Result<()> {
    if DiskVfs.is_link(path)? {
        return Err(io::Error::other("it is a symbolic link, through which nothing is written"));
    }
    Ok(())
}

/// Fails if there is a pipe, a device or a directory at the path: opening or reading one may wait for ever, or never end.
fn refuse_special(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(io::Error::other("it is no regular file")),
        _ => Ok(()),
    }
}

enum DirectoryLock {
    Taken(File),
    Held,
    /// Not every system can lock a directory.
    Impossible,
}

/// Locks the directory of a lock file as well: whoever removes the file, and so lets another process lock a new one, does
/// not remove that.
#[cfg(unix)]
fn lock_directory(path: &Path) -> io::Result<DirectoryLock> {
    let Some(directory) = path.parent() else { return Ok(DirectoryLock::Impossible) };
    let directory = File::open(directory)?;
    Ok(match directory.try_lock() {
        Ok(()) => DirectoryLock::Taken(directory),
        Err(TryLockError::WouldBlock) => DirectoryLock::Held,
        Err(TryLockError::Error(_)) => DirectoryLock::Impossible,
    })
}

#[cfg(not(unix))]
fn lock_directory(_: &Path) -> io::Result<DirectoryLock> {
    Ok(DirectoryLock::Impossible)
}

/// What every holder begins with.
const HOLDER_PREFIX: &str = "process ";

/// More than any holder writes, so that a foreign file of that name is not read whole.
const HOLDER_BYTES_MAX: u64 = 256;

#[expect(unsafe_code, reason = "mapping a file is unsafe by nature")]
fn map_file(file: &File) -> io::Result<Mapping> {
    if file.metadata()?.len() == 0 {
        return Ok(Mapping::new(Vec::new()));
    }
    // SAFETY: the engine maps only files it has finished writing and never writes, truncates or replaces them
    // afterwards (`docs/design.md`, "Files"); every reader checks block checksums before it trusts the bytes. A
    // program that truncates a store's files under a running process can end it with SIGBUS, which is documented.
    let map = Arc::new(unsafe { memmap2::Mmap::map(file)? });
    let mapping = Mapping::new(FileMap(Arc::clone(&map)));
    #[cfg(unix)]
    let mapping = mapping.with_release(move |range| {
        // SAFETY: the map is shared and read-only: pages that are given back are read from the file again when they are
        // next touched. If that fails, they stay.
        let _kept = unsafe {
            map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, range.start, range.len())
        };
    });
    Ok(mapping)
}

/// A map of a file, shared with what gives back its memory.
struct FileMap(Arc<memmap2::Mmap>);

impl Deref for FileMap {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[derive(Debug)]
struct DiskLock {
    file: File,
    directory: Option<File>,
    path: PathBuf,
    process: u32,
}

impl LockGuard for DiskLock {
    #[cfg(unix)]
    fn is_current(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let identity = |found: io::Result<fs::Metadata>| found.ok().map(|found| (found.dev(), found.ino()));
        match &self.directory {
            Some(directory) => {
                let path = self.path.parent().unwrap_or(&self.path);
                identity(fs::metadata(path)) == identity(directory.metadata())
            }
            None => identity(fs::metadata(&self.path)) == identity(self.file.metadata()),
        }
    }
}

impl Drop for DiskLock {
    fn drop(&mut self) {
        // A fork has a copy of the descriptor. It must not release its parent's lock; and because of the copy it is not
        // enough for the parent to close its own. If unlocking fails, the kernel does it when the process ends.
        if self.process == std::process::id() {
            _ = self.file.unlock();
            _ = self.directory.as_ref().map(File::unlock);
        }
    }
}

#[derive(Debug)]
struct DiskFile {
    file: File,
}

impl VfsFile for DiskFile {
    #[cfg(unix)]
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, buffer, offset)
    }

    #[cfg(windows)]
    fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match std::os::windows::fs::FileExt::seek_read(&self.file, buffer, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => {
                    buffer = &mut buffer[read..];
                    offset += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn write_all_at(&self, slices: &[IoSlice<'_>], mut offset: u64) -> io::Result<()> {
        for slice in slices {
            self.write_slice_at(slice, offset)?;
            offset += slice.len() as u64;
        }
        Ok(())
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let present = self.file.metadata()?.len();
        if len <= present {
            return Ok(());
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            use rustix::fs::{FallocateFlags, fallocate};
            match fallocate(&self.file, FallocateFlags::empty(), present, len - present) {
                Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {}
                other => {
                    // A part of it may have been reserved: on a full disk, that is what is left of it.
                    return other.map_err(|error| {
                        _ = self.file.set_len(present);
                        io::Error::from(error)
                    });
                }
            }
        }
        self.file.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    #[cfg(unix)]
    fn has_name(&self) -> io::Result<bool> {
        Ok(std::os::unix::fs::MetadataExt::nlink(&self.file.metadata()?) > 0)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

impl DiskFile {
    #[cfg(unix)]
    fn write_slice_at(&self, slice: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.file, slice, offset)
    }

    #[cfg(windows)]
    fn write_slice_at(&self, mut slice: &[u8], mut offset: u64) -> io::Result<()> {
        while !slice.is_empty() {
            match std::os::windows::fs::FileExt::seek_write(&self.file, slice, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    slice = &slice[written..];
                    offset += written as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
