//! A file system in memory, for stores that never touch disk.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::{DirEntry, LockGuard, LockOutcome, Mapping, Stat, Vfs, VfsFile};

/// Files and directories in memory, gone with the last clone. Nothing is ever lost before that, so syncing does
/// nothing.
#[derive(Clone, Debug, Default)]
pub struct MemoryVfs {
    entries: Arc<Mutex<BTreeMap<PathBuf, Entry>>>,
}

#[derive(Clone, Debug)]
enum Entry {
    Directory,
    File(Arc<RwLock<Contents>>),
}

/// Bytes in 8-byte words, so that every buffer is aligned for the f32 rows in it.
#[derive(Debug, Default)]
struct Contents {
    words: Arc<Vec<u64>>,
    len: usize,
}

impl Contents {
    fn grow(&mut self, len: usize) -> &mut [u8] {
        let words = Arc::make_mut(&mut self.words);
        if len > self.len {
            self.len = len;
            words.resize(len.div_ceil(8), 0);
        }
        bytemuck::cast_slice_mut(words)
    }

    fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }
}

struct MemoryMapping {
    words: Arc<Vec<u64>>,
    len: usize,
}

impl Deref for MemoryMapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }
}

impl MemoryVfs {
    fn file(&self, path: &Path) -> io::Result<Arc<RwLock<Contents>>> {
        match self.entries.lock().get(path) {
            Some(Entry::File(file)) => Ok(Arc::clone(file)),
            Some(Entry::Directory) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Vfs for MemoryVfs {
    fn create(&self, path: &Path) -> io::Result<Box<dyn VfsFile>> {
        let mut entries = self.entries.lock();
        if entries.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let contents = Arc::new(RwLock::new(Contents::default()));
        entries.insert(path.to_owned(), Entry::File(Arc::clone(&contents)));
        Ok(Box::new(MemoryFile { contents }))
    }

    fn open(&self, path: &Path, _write: bool) -> io::Result<Box<dyn VfsFile>> {
        Ok(Box::new(MemoryFile { contents: self.file(path)? }))
    }

    fn map(&self, path: &Path) -> io::Result<Mapping> {
        let file = self.file(path)?;
        let contents = file.read();
        Ok(Mapping::new(MemoryMapping { words: Arc::clone(&contents.words), len: contents.len }))
    }

    fn rename_no_replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut entries = self.entries.lock();
        if entries.contains_key(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let entry = entries.remove(from).ok_or(io::ErrorKind::NotFound)?;
        entries.insert(to.to_owned(), entry);
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.entries.lock().remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut entries = self.entries.lock();
        for ancestor in path.ancestors() {
            entries.entry(ancestor.to_owned()).or_insert(Entry::Directory);
        }
        Ok(())
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.entries.lock().retain(|entry, _| !entry.starts_with(path));
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let entries = self.entries.lock();
        if !matches!(entries.get(path), Some(Entry::Directory)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let children = entries.iter().filter(|(entry, _)| entry.parent() == Some(path));
        Ok(children
            .map(|(entry, kind)| DirEntry { path: entry.clone(), is_dir: matches!(kind, Entry::Directory) })
            .collect())
    }

    fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        Ok(self.entries.lock().get(path).map(|entry| match entry {
            Entry::Directory => Stat { is_dir: true, len: 0 },
            Entry::File(file) => Stat { is_dir: false, len: file.read().len as u64 },
        }))
    }

    fn sync_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, _path: &Path, _holder: &str) -> io::Result<LockOutcome> {
        // Only one store can ever reach this file system: the one that made it.
        Ok(LockOutcome::Acquired(Box::new(MemoryLock)))
    }
}

#[derive(Debug)]
struct MemoryLock;

impl LockGuard for MemoryLock {}

#[derive(Debug)]
struct MemoryFile {
    contents: Arc<RwLock<Contents>>,
}

impl VfsFile for MemoryFile {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let contents = self.contents.read();
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = start.checked_add(buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        let bytes = contents.bytes().get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn write_all_at(&self, slices: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut contents = self.contents.write();
        let mut start = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        for slice in slices {
            let end = start.checked_add(slice.len()).ok_or(io::ErrorKind::FileTooLarge)?;
            contents.grow(end)[start..end].copy_from_slice(slice);
            start = end;
        }
        Ok(())
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.contents.write().grow(len);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.contents.read().len as u64)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
