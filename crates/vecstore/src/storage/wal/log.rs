//! Reading of a log as it is found on disk.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};

use super::{
    FLAG_SYNCED, FRAME_HEADER_BYTES, FrameHeader, HEADER_BYTES, Header, KIND_CALL, KIND_WATERMARK,
    LOG_BYTES_MAX, PREALLOC_BYTES_FIRST, SECTOR_BYTES, damaged,
};
use crate::error::{Error, Result};
use crate::memory_check::check_memory;
use crate::storage::Uuid;
use crate::vfs::Vfs;

/// A log as it was found on disk.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    bytes: Vec<u8>,
    header: Option<Header>,
    calls: Vec<Call>,
    tail: usize,
    durable_lsn: u64,
    clean: bool,
}

#[derive(Clone, Copy, Debug)]
struct Call {
    lsn: u64,
    start: usize,
    end: usize,
    synced: bool,
}

/// How much of a log is read at once.
const READ_BYTES: usize = 64 << 10;

/// Reads a whole log into memory.
pub(super) fn read_bytes(vfs: &dyn Vfs, path: &Path) -> Result<Vec<u8>> {
    let read = || -> io::Result<Vec<u8>> {
        let file = vfs.open(path, false)?;
        let len = file.len()?;
        if len > LOG_BYTES_MAX || check_memory(len as usize, "a log").is_err() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        // Zeros that are not written take no memory: what is reserved ahead costs nothing, nor what only seems to be there.
        let mut bytes = vec![0; len as usize];
        let mut chunk = vec![0; READ_BYTES.min(bytes.len())];
        for (n, part) in bytes.chunks_mut(READ_BYTES).enumerate() {
            let chunk = &mut chunk[..part.len()];
            file.read_exact_at(chunk, (n * READ_BYTES) as u64)?;
            if chunk.iter().any(|&byte| byte != 0) {
                part.copy_from_slice(chunk);
            }
        }
        Ok(bytes)
    };
    read().map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => {
            damaged(path, 0, "it is longer than a log can be, or than fits in memory")
        }
        _ => Error::io("read", path, error),
    })
}

impl Log {
    /// Reads a log. A torn tail is fine; damage is an error.
    pub(crate) fn read(vfs: &dyn Vfs, path: &Path, collection: Uuid) -> Result<Self> {
        let bytes = read_bytes(vfs, path)?;
        let mut log = Self {
            path: path.to_owned(),
            bytes,
            header: None,
            calls: Vec::new(),
            tail: HEADER_BYTES,
            durable_lsn: 0,
            clean: true,
        };
        // The header is written together with the first frames, into zeros: without it there is nothing.
        let start = log.bytes.get(..HEADER_BYTES).unwrap_or_default();
        let sector = &log.bytes[..log.bytes.len().min(SECTOR_BYTES)];
        if start.iter().all(|&byte| byte == 0) || Header::is_torn(sector, collection) {
            log.clean = log.bytes.iter().all(|&byte| byte == 0);
            return Ok(log);
        }
        let header = Header::decode(start, path)?;
        log.check_length()?;
        if header.collection != collection {
            return Err(damaged(path, 32, "the log is of another collection"));
        }
        log.header = Some(header);
        log.scan(header)?;
        Ok(log)
    }

    fn scan(&mut self, header: Header) -> Result<()> {
        let seed = crc32c::crc32c(&header.uuid.0);
        let mut expected = header.first_lsn;
        self.durable_lsn = expected.saturating_sub(1);
        while let Some((call, durable_lsn)) = self.call_at(self.tail, seed) {
            if call.lsn != expected {
                break;
            }
            self.calls.push(call);
            self.durable_lsn = self.durable_lsn.max(durable_lsn);
            self.tail = call.end.next_multiple_of(8);
            expected += 1;
        }
        let mut rest = self.tail;
        if let Some(mark) = FrameHeader::decode(self.bytes.get(rest..).unwrap_or_default(), seed)
            && mark.kind == KIND_WATERMARK
            && mark.lsn + 1 == expected
        {
            self.durable_lsn = self.durable_lsn.max(mark.durable_lsn);
            rest += FRAME_HEADER_BYTES;
        }
        let rest_bytes = self.bytes.get(rest..).unwrap_or_default();
        self.clean = rest_bytes.iter().all(|&byte| byte == 0);
        if self.clean && self.durable_lsn < expected {
            return Ok(());
        }
        // The tail is torn, or damaged: damaged if anything after it knew the missing frame to be durable.
        let missing_was_durable = self.durable_lsn >= expected
            || (self.tail..self.bytes.len()).step_by(8).any(|at| {
                FrameHeader::decode(&self.bytes[at..], seed)
                    .is_some_and(|header| header.durable_lsn >= expected)
            });
        if missing_was_durable {
            let what = format!("call {expected} was acknowledged, but its frame is not intact");
            return Err(damaged(&self.path, self.tail, &what));
        }
        Ok(())
    }

    fn call_at(&self, start: usize, seed: u32) -> Option<(Call, u64)> {
        let bytes = self.bytes.get(start..)?;
        let header = FrameHeader::decode(bytes, seed)?;
        let payload = bytes.get(FRAME_HEADER_BYTES..)?.get(..header.payload_len as usize)?;
        if header.kind != KIND_CALL || crc32c::crc32c(payload) != header.payload_crc {
            return None;
        }
        let start = start + FRAME_HEADER_BYTES;
        let synced = header.flags & FLAG_SYNCED != 0;
        Some((Call { lsn: header.lsn, start, end: start + payload.len(), synced }, header.durable_lsn))
    }

    /// Returns the lsn of the first frame this log was made for, if anything was written to it.
    pub(crate) fn first_lsn(&self) -> Option<u64> {
        Some(self.header?.first_lsn)
    }

    /// Returns the lsn up to which the log shows that everything was durable.
    pub(super) fn durable_lsn(&self) -> u64 {
        self.durable_lsn
    }

    /// Returns the lsn after that of the last call.
    pub(crate) fn next_lsn(&self) -> Option<u64> {
        Some(self.first_lsn()? + self.calls.len() as u64)
    }

    /// Returns the identity of the log, if anything was written to it.
    pub(super) fn uuid(&self) -> Option<Uuid> {
        Some(self.header?.uuid)
    }

    /// Returns whether there are only zeros behind the last frame.
    pub(super) fn is_clean(&self) -> bool {
        self.clean
    }

    /// Returns where the frame after that of `lsn` starts.
    pub(super) fn end_of(&self, lsn: u64) -> u64 {
        let known = self.calls.iter().take_while(|call| call.lsn <= lsn).last();
        known.map_or(HEADER_BYTES, |call| call.end.next_multiple_of(8)) as u64
    }

    /// Fails if the file is shorter than any log whose name is durable.
    pub(crate) fn check_length(&self) -> Result<()> {
        if self.file_bytes() < PREALLOC_BYTES_FIRST {
            return Err(damaged(&self.path, self.bytes.len(), "the file is cut short"));
        }
        Ok(())
    }

    pub(super) fn file_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Returns the bytes that hold frames.
    pub(crate) fn used_bytes(&self) -> u64 {
        self.tail as u64
    }

    /// Returns the whole file.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the whole file as it would be after the first `count` calls, and the lsn of the last of them.
    pub(crate) fn bytes_of_first(&self, count: usize) -> (Vec<u8>, Option<u64>) {
        let last = count.min(self.calls.len()).checked_sub(1).map(|at| self.calls[at].lsn);
        let mut bytes = self.bytes.clone();
        let end = self.end_of(last.unwrap_or(0)) as usize;
        if let Some(rest) = bytes.get_mut(end..) {
            rest.fill(0);
        }
        (bytes, last)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the number of calls that are acknowledged for sure: all, or those that were not to wait for a sync or are
    /// shown to be synced, by the log or by a manifest that was published when all up to `durable_lsn` was durable.
    pub(crate) fn acknowledged(&self, durable_lsn: u64) -> usize {
        let durable_lsn = durable_lsn.max(self.durable_lsn);
        self.calls.iter().take_while(|call| !call.synced || call.lsn <= durable_lsn).count()
    }

    /// Makes everything that was read durable. After a failed sync the pages of a file count as clean though the disk
    /// lacks them, so a sync alone would do nothing: what is not known to be durable is written again.
    pub(crate) fn make_durable(&self, vfs: &dyn Vfs, durable_lsn: u64) -> Result<()> {
        let durable_lsn = durable_lsn.max(self.durable_lsn);
        let Some(first) = self.calls.iter().find(|call| call.lsn > durable_lsn) else { return Ok(()) };
        // The first frames went out together with the header.
        let start = if first.lsn == self.calls[0].lsn { 0 } else { first.start - FRAME_HEADER_BYTES };
        let write = || -> io::Result<()> {
            let file = vfs.open(&self.path, true)?;
            file.write_all_at(&[IoSlice::new(&self.bytes[start..self.tail])], start as u64)?;
            file.sync()
        };
        write().map_err(|error| Error::io("sync", &self.path, error))
    }

    /// Iterates over the calls: lsn and payload.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.calls.iter().map(|call| (call.lsn, &self.bytes[call.start..call.end]))
    }
}
