//! Writing of a log.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{
    FLAG_SYNCED, FRAME_HEADER_BYTES, FrameHeader, HEADER_BYTES, Header, KIND_CALL, KIND_WATERMARK, Log,
    PREALLOC_BYTES_FIRST, PREALLOC_BYTES_LAST, Payload, file_name,
};
use crate::codec::WriteFields;
use crate::error::{Error, Result};
use crate::storage::Uuid;
use crate::vfs::{Vfs, VfsFile};

/// Frames up to this size are copied together into one write.
const COALESCE_BYTES: usize = 64 << 10;

/// A call on its way into the log.
#[derive(Debug)]
pub(crate) struct Frame {
    payload: Payload,
    payload_crc: u32,
    lsn: u64,
}

impl Frame {
    /// Computes the checksum of the payload. The lsn is given when the order of the calls is known.
    pub(crate) fn new(payload: Payload) -> Self {
        let payload_crc = crc32c::crc32c_append(crc32c::crc32c(&payload.bytes), payload.vector_bytes());
        Self { payload, payload_crc, lsn: 0 }
    }

    pub(crate) fn set_lsn(&mut self, lsn: u64) {
        self.lsn = lsn;
    }

    fn bytes_in_log(&self) -> u64 {
        (FRAME_HEADER_BYTES + self.payload.len().next_multiple_of(8)) as u64
    }
}

/// Small frames go where zeros have been written: the first write to reserved blocks changes the file system's own
/// records, which makes a sync take 170 microseconds instead of 110. Large frames gain nothing by being written twice.
const ZEROED_BYTES: u64 = 256 << 10;

/// The log that calls are written to.
#[derive(Debug)]
pub(crate) struct LogWriter {
    file: Arc<dyn VfsFile>,
    path: PathBuf,
    uuid: Uuid,
    collection: Uuid,
    seed: u32,
    tail: u64,
    allocated: u64,
    /// Up to here the file's blocks have been written.
    initialized: u64,
    /// The header goes out with the first frames.
    header_written: bool,
    last_lsn: u64,
}

impl LogWriter {
    /// Creates a log and makes its name durable.
    pub(crate) fn create(
        vfs: &dyn Vfs,
        directory: &Path,
        seq: u64,
        collection: Uuid,
        uuid: Uuid,
    ) -> Result<Self> {
        let path = directory.join(file_name(seq));
        let create = || -> io::Result<Box<dyn VfsFile>> {
            let file = vfs.create(&path)?;
            file.allocate(PREALLOC_BYTES_FIRST)?;
            file.sync()?;
            vfs.sync_dir(directory)?;
            Ok(file)
        };
        let file = create().map_err(|error| {
            // Half made it is of no use, and the disk may be full.
            _ = vfs.remove_file(&path);
            Error::io("create", &path, error)
        })?;
        Ok(Self {
            file: file.into(),
            path,
            uuid,
            collection,
            seed: crc32c::crc32c(&uuid.0),
            tail: HEADER_BYTES as u64,
            allocated: PREALLOC_BYTES_FIRST,
            initialized: 0,
            header_written: false,
            last_lsn: 0,
        })
    }

    /// Goes on in a log that was read; `None` unless there are only zeros behind its last frame. A log that nothing was
    /// written to becomes the one with `uuid`.
    pub(crate) fn reopen(vfs: &dyn Vfs, log: &Log, collection: Uuid, uuid: Uuid) -> Result<Option<Self>> {
        if !log.is_clean() {
            return Ok(None);
        }
        let path = log.path().to_owned();
        let file = vfs.open(&path, true).map_err(|error| Error::io("open", &path, error))?;
        let uuid = log.uuid().unwrap_or(uuid);
        Ok(Some(Self {
            file: file.into(),
            path,
            uuid,
            collection,
            seed: crc32c::crc32c(&uuid.0),
            tail: log.used_bytes(),
            allocated: log.file_bytes(),
            initialized: log.used_bytes(),
            header_written: log.uuid().is_some(),
            last_lsn: log.next_lsn().map_or(0, |next| next.saturating_sub(1)),
        }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn tail(&self) -> u64 {
        self.tail
    }

    /// Returns a handle that syncs the file while others write to it.
    pub(crate) fn file(&self) -> Arc<dyn VfsFile> {
        Arc::clone(&self.file)
    }

    /// Writes frames at the tail. They are not durable before [`LogWriter::sync`].
    ///
    /// When it fails, the bytes that may have been written are zeroed again so that no frame that was reported as
    /// failed can come back; if even that fails, the outer result says so and the log must not be written again.
    pub(crate) fn append(&mut self, frames: &[Frame], durable_lsn: u64, synced: bool) -> Result<Result<()>> {
        let Some(last) = frames.last() else { return Ok(Ok(())) };
        let header_lsn = frames[0].lsn;
        let start = if self.header_written { self.tail } else { 0 };
        let end = self.tail + frames.iter().map(Frame::bytes_in_log).sum::<u64>();
        if let Err(error) = self.reserve(end + FRAME_HEADER_BYTES as u64) {
            return Ok(Err(Error::io("extend", &self.path, error)));
        }
        match self.write(frames, start, header_lsn, durable_lsn, synced) {
            Ok(()) => {
                self.tail = end;
                self.last_lsn = last.lsn;
                self.header_written = true;
                Ok(Ok(()))
            }
            Err(error) => {
                let failed = Error::io("write", &self.path, error);
                // Synced at once: a crash must not bring back what was reported as failed.
                // The header stays, whole or not: the next write has the same one.
                let cleared = self.zero(self.tail, end).and_then(|()| self.file.sync());
                cleared.map_err(|error| Error::io("clear a failed write in", &self.path, error))?;
                // The note was where the frames were to go.
                _ = self.write_watermark(durable_lsn);
                Ok(Err(failed))
            }
        }
    }

    fn write(
        &self,
        frames: &[Frame],
        start: u64,
        header_lsn: u64,
        durable_lsn: u64,
        synced: bool,
    ) -> io::Result<()> {
        let mut small = Vec::new();
        let mut at = start;
        if !self.header_written {
            let header = Header { uuid: self.uuid, collection: self.collection, first_lsn: header_lsn };
            small.put(&header.encode());
        }
        for frame in frames {
            let payload = &frame.payload;
            let header = FrameHeader {
                payload_len: payload.len() as u32,
                payload_crc: frame.payload_crc,
                lsn: frame.lsn,
                durable_lsn,
                kind: KIND_CALL,
                flags: if synced { FLAG_SYNCED } else { 0 },
            };
            small.put(&header.encode(self.seed));
            if payload.len() <= COALESCE_BYTES {
                small.put(&payload.bytes);
                small.put(payload.vector_bytes());
                small.resize(small.len().next_multiple_of(8), 0);
                continue;
            }
            // Large payloads are written from where they are.
            let slices =
                [IoSlice::new(&small), IoSlice::new(&payload.bytes), IoSlice::new(payload.vector_bytes())];
            self.file.write_all_at(&slices, at)?;
            at += (small.len() + payload.len()) as u64;
            small.clear();
            small.resize(payload.len().next_multiple_of(8) - payload.len(), 0);
        }
        self.file.write_all_at(&[IoSlice::new(&small)], at)
    }

    fn zero(&self, start: u64, end: u64) -> io::Result<()> {
        let zeros = vec![0; 64 << 10];
        let mut at = start;
        while at < end {
            let len = zeros.len().min((end - at) as usize);
            self.file.write_all_at(&[IoSlice::new(&zeros[..len])], at)?;
            at += len as u64;
        }
        Ok(())
    }

    /// Makes room up to `end`.
    fn reserve(&mut self, end: u64) -> io::Result<()> {
        if end > self.allocated {
            let step = self.allocated.clamp(PREALLOC_BYTES_FIRST, PREALLOC_BYTES_LAST);
            let wanted = end.max(self.allocated + step);
            self.allocated = match self.file.allocate(wanted) {
                // A nearly full disk may have room for this call, if not for those to come.
                Err(error) if error.kind() == io::ErrorKind::StorageFull && wanted > end => {
                    self.file.allocate(end)?;
                    end
                }
                outcome => outcome.map(|()| wanted)?,
            };
        }
        if end - self.tail > COALESCE_BYTES as u64 {
            self.initialized = self.initialized.max(end);
        } else if end > self.initialized {
            let until = self.allocated.min(end + ZEROED_BYTES);
            self.zero(self.initialized.max(self.tail), until)?;
            self.initialized = until;
        }
        Ok(())
    }

    /// Makes every frame written so far durable.
    pub(crate) fn sync(&self) -> Result<()> {
        self.file.sync().map_err(|error| Error::io("sync", &self.path, error))
    }

    /// Notes behind the last frame that everything up to it is durable. Losing the note loses nothing.
    pub(crate) fn write_watermark(&self, durable_lsn: u64) -> Result<()> {
        if !self.header_written {
            return Ok(());
        }
        let mark = FrameHeader {
            payload_len: 0,
            payload_crc: 0,
            lsn: self.last_lsn,
            durable_lsn,
            kind: KIND_WATERMARK,
            flags: 0,
        };
        self.file
            .write_all_at(&[IoSlice::new(&mark.encode(self.seed))], self.tail)
            .map_err(|error| Error::io("write", &self.path, error))
    }
}
