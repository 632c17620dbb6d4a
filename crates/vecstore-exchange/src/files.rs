//! Files of the caller's: not those of a store, which only `vecstore::vfs` touches.
#![expect(clippy::disallowed_methods, reason = "these files are no part of a store")]

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use vecstore::{Error, Result};
use xxhash_rust::xxh3::xxh3_64;

/// A file in the making: beside its place, under another name, until it is whole. Dropped before, it leaves nothing.
///
/// A process that is killed leaves `.<name>.<pid>-<n>.partial` behind, which nobody reads.
#[derive(Debug)]
pub struct NewFile {
    writer: Option<BufWriter<File>>,
    partial: PathBuf,
    path: PathBuf,
    bytes: u64,
}

impl NewFile {
    /// Begins a file.
    ///
    /// # Errors
    ///
    /// `Io` if its directory is not there or cannot be written to, `InvalidInput` if what is there is no file: a directory, a
    /// device, a pipe.
    pub fn create(path: &Path) -> Result<Self> {
        let name = path.file_name().ok_or_else(|| not_a_file(path))?;
        refuse_special(path)?;
        let (partial, file) = create_partial(path, name)?;
        Ok(Self {
            writer: Some(BufWriter::with_capacity(1 << 20, file)),
            partial,
            path: path.to_owned(),
            bytes: 0,
        })
    }

    /// Returns the bytes that were written.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Syncs the file, gives it its name, in the place of what had it before, and syncs the name.
    pub fn finish(mut self) -> Result<()> {
        let failed = |error| Error::io("write", &self.path, error);
        if let Some(writer) = self.writer.take() {
            let file = writer.into_inner().map_err(|error| failed(error.into_error()))?;
            file.sync_all().map_err(failed)?;
        }
        fs::rename(&self.partial, &self.path).map_err(failed)?;
        sync_directory(&self.path).map_err(failed)
    }
}

/// Creates a file that nobody has: not that of another thread, nor what another user put in its place.
fn create_partial(path: &Path, name: &OsStr) -> Result<(PathBuf, File)> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut partial = OsString::from(".");
        partial.push(name);
        partial.push(format!(".{}-{number}.partial", std::process::id()));
        let partial = path.with_file_name(partial);
        match File::create_new(&partial) {
            Ok(file) => return Ok((partial, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("create", path, error)),
        }
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let writer = self.writer.as_mut().ok_or(std::io::ErrorKind::BrokenPipe)?;
        let written = writer.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.writer.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // After `finish` it has another name, and this finds nothing.
        drop(self.writer.take());
        _ = fs::remove_file(&self.partial);
    }
}

/// Fails for a directory, and for a pipe or a device: opening one may wait for ever, and a file must not take its place.
fn refuse_special(path: &Path) -> Result<()> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(not_a_file(path)),
        _ => Ok(()),
    }
}

fn not_a_file(path: &Path) -> Error {
    Error::new(
        vecstore::ErrorKind::InvalidInput,
        format!("expected the path of a file, got `{}`", path.display()),
    )
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> std::io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

/// A file that is read, and what tells it from another.
pub(crate) struct Source {
    pub(crate) file: BufReader<File>,
    pub(crate) bytes: u64,
    pub(crate) identity: String,
}

/// How much of either end of a file tells it from another one.
const SAMPLE_BYTES: u64 = 64 << 10;

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let failed = |error| Error::io("read", path, error);
        refuse_special(path)?;
        let mut file = File::open(path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        let mut sample = Vec::new();
        (&file).take(SAMPLE_BYTES).read_to_end(&mut sample).map_err(failed)?;
        let last = bytes.saturating_sub(SAMPLE_BYTES);
        file.seek(SeekFrom::Start(last)).map_err(failed)?;
        (&file).take(SAMPLE_BYTES).read_to_end(&mut sample).map_err(failed)?;
        file.rewind().map_err(failed)?;
        let identity = format!("{bytes} bytes, {:016x}", xxh3_64(&sample));
        Ok(Self { file: BufReader::with_capacity(1 << 20, file), bytes, identity })
    }

    pub(crate) fn go_to(&mut self, path: &Path, offset: u64) -> Result<()> {
        self.file.seek(SeekFrom::Start(offset)).map(drop).map_err(|error| Error::io("read", path, error))
    }
}

pub(crate) fn read_small(path: &Path) -> Option<String> {
    const MOST: u64 = 64 << 10;
    let mut text = String::new();
    refuse_special(path).ok()?;
    File::open(path).ok()?.take(MOST).read_to_string(&mut text).ok()?;
    Some(text)
}

pub(crate) fn remove(path: &Path) {
    _ = fs::remove_file(path);
}
