//! Reading of a log that another process writes.

use super::{FLAG_SYNCED, FRAME_HEADER_BYTES, FrameHeader, KIND_CALL, Log};
use crate::error::{Error, Result};
use crate::vfs::{Vfs, VfsFile};

/// Reads a log that another process writes, from where it read last.
#[derive(Debug)]
pub(crate) struct LogFollower {
    file: Box<dyn VfsFile>,
    seed: u32,
    tail: u64,
}

impl LogFollower {
    /// Follows a log behind what was read of it; `None` if nothing was written to it yet.
    pub(crate) fn after(vfs: &dyn Vfs, log: &Log, lsn: u64) -> Result<Option<Self>> {
        let Some(uuid) = log.uuid() else { return Ok(None) };
        let file = vfs.open(log.path(), false).map_err(|error| Error::io("open", log.path(), error))?;
        Ok(Some(Self { file, seed: crc32c::crc32c(&uuid.0), tail: log.end_of(lsn) }))
    }

    /// Reads the calls after `lsn` that are acknowledged by now: lsns and payloads. `all` takes those that may not be synced yet, too:
    /// a later log shows that they are.
    pub(crate) fn read(&mut self, mut lsn: u64, all: bool) -> Vec<(u64, Vec<u8>)> {
        let mut found = Vec::new();
        let mut durable = lsn;
        let mut at = self.tail;
        // What cannot be read, or is not whole, is not written yet.
        while let Some(header) = self.header(at) {
            durable = durable.max(header.durable_lsn);
            if header.kind != KIND_CALL || header.lsn != lsn + 1 {
                break;
            }
            let Some(payload) = self.payload(at, &header) else { break };
            at += (FRAME_HEADER_BYTES + payload.len().next_multiple_of(8)) as u64;
            lsn += 1;
            found.push((lsn, header.flags & FLAG_SYNCED != 0, payload, at));
        }
        let mut calls = Vec::new();
        for (lsn, synced, payload, end) in found {
            if synced && lsn > durable && !all {
                break;
            }
            self.tail = end;
            calls.push((lsn, payload));
        }
        calls
    }

    fn header(&self, at: u64) -> Option<FrameHeader> {
        let mut bytes = [0; FRAME_HEADER_BYTES];
        self.file.read_exact_at(&mut bytes, at).ok()?;
        FrameHeader::decode(&bytes, self.seed)
    }

    fn payload(&self, at: u64, header: &FrameHeader) -> Option<Vec<u8>> {
        let end = at + FRAME_HEADER_BYTES as u64 + u64::from(header.payload_len);
        if end > self.file.len().ok()? {
            return None;
        }
        let mut payload = vec![0; header.payload_len as usize];
        self.file.read_exact_at(&mut payload, at + FRAME_HEADER_BYTES as u64).ok()?;
        (crc32c::crc32c(&payload) == header.payload_crc).then_some(payload)
    }
}
