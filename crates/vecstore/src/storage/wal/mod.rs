//! The write-ahead log: one frame for each call, so that a call is there whole or not at all.
//!
//! A log is a file `wal-<seq>.log`. It starts with a header of 64 bytes:
//!
//! ```text
//!  0  8  magic "vsWAL\r\n\x1a"
//!  8  2  format major        10  2  format minor        12  4  zero
//! 16 16  uuid of the file
//! 32 16  uuid of the collection
//! 48  8  lsn of the first frame
//! 56  4  zero
//! 60  4  CRC-32C of bytes 0..60
//! ```
//!
//! and goes on with frames, each at a multiple of 8:
//!
//! ```text
//!  0  4  length of the payload
//!  4  4  CRC-32C of the payload
//!  8  8  lsn
//! 16  8  durable lsn: every frame up to it was on disk when this one was written
//! 24  1  kind: 1 call, 2 watermark
//! 25  1  flags: bit 0, the call is acknowledged only once it is synced
//! 26  2  zero
//! 28  4  CRC-32C of the file's uuid and bytes 0..28
//! 32     payload (operations, see `Op`), then zeros to a multiple of 8
//! ```
//!
//! Lsns are consecutive within a file and from one file to the next. The rest of the file is zeros (space
//! reserved in advance). After a sync, before the calls it served are acknowledged, a watermark (no payload, the lsn
//! of the last frame) is written behind the last frame; the next frame overwrites it. So a process that reads the
//! log, and recovery after the end of the process that wrote it, know which calls were acknowledged.
//!
//! **Validity.** A frame counts if both checksums hold and its lsn is the next. The log ends at the first place
//! where no such frame is. That is a torn tail, and cut, unless something valid further on shows that the frame
//! missing there was once durable (its durable lsn is that high): then bytes rotted, and the log is damaged. The
//! durable lsn tells the two apart exactly: a power cut may keep any later frame of the same unsynced group, but
//! never one written after the missing frame was synced.
//!
//! **A torn header.** If the first write fails, the frames are zeroed again, but not the header: the next write has the same
//! one. So whatever a crash leaves of it is a beginning of the header, and zeros in the rest of the sector. Then nothing in
//! the log was ever acknowledged, and it counts as one that nothing was written to. A header that fails its checksum in any
//! other way is damage.
//!
//! A log with a header is at least 64 KiB long: that length is synced before its name is. So a log that was cut is
//! damaged, if the cut is within the first space reserved.
//!
//! **Write order.** Frames are written in lsn order at the tail, then synced, then acknowledged. A torn tail is never
//! written over: recovery goes on in a new file, whose first lsn says where the old one ends.

mod follower;
mod log;
mod payload;
mod salvage;
mod writer;

use std::io;
use std::path::Path;

use super::{NUMBER_MAX, Uuid};
use crate::codec::{Reader, WriteFields};
use crate::error::{Error, Result};
use crate::vfs::Vfs;

pub(crate) use follower::LogFollower;
pub(crate) use log::Log;
pub(crate) use payload::{Op, Payload, decode_payload};
pub(crate) use salvage::Remains;
pub(crate) use writer::{Frame, LogWriter};

const MAGIC: &[u8; 8] = b"vsWAL\r\n\x1a";
const FORMAT_MAJOR: u16 = 1;
const FORMAT_MINOR: u16 = 0;
const HEADER_BYTES: usize = 64;
/// The least that a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;
const FRAME_HEADER_BYTES: usize = 32;
const KIND_CALL: u8 = 1;
const KIND_WATERMARK: u8 = 2;
const FLAG_SYNCED: u8 = 1;

/// The length up to which a log that nothing was written to is used.
pub(crate) const EMPTY_BYTES: u64 = HEADER_BYTES as u64;

/// Space is reserved ahead of the tail in steps that double from the first to the last: an append into reserved
/// space need not wait for the file's new length to be journalled.
const PREALLOC_BYTES_FIRST: u64 = 64 << 10;
const PREALLOC_BYTES_LAST: u64 = 16 << 20;

/// Longer than any log gets: it is cut at 64 MiB, and a call has at most 4 GiB.
const LOG_BYTES_MAX: u64 = 64 << 30;

/// Returns whether nothing was written to a log.
pub(crate) fn is_empty(vfs: &dyn Vfs, path: &Path) -> Result<bool> {
    let read = || -> io::Result<bool> {
        let file = vfs.open(path, false)?;
        let mut bytes = vec![0; file.len()?.min(HEADER_BYTES as u64) as usize];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes.iter().all(|&byte| byte == 0))
    };
    read().map_err(|error| Error::io("read", path, error))
}

/// Returns the name of the log with this sequence number.
pub(crate) fn file_name(seq: u64) -> String {
    format!("wal-{seq:010}.log")
}

/// Returns the sequence number of a log of this name.
pub(crate) fn parse_file_name(name: &str) -> Option<u64> {
    name.strip_prefix("wal-")?.strip_suffix(".log")?.parse().ok().filter(|&seq| seq <= NUMBER_MAX)
}

struct FrameHeader {
    payload_len: u32,
    payload_crc: u32,
    lsn: u64,
    durable_lsn: u64,
    kind: u8,
    flags: u8,
}

impl FrameHeader {
    fn encode(&self, seed: u32) -> [u8; FRAME_HEADER_BYTES] {
        let mut out = Vec::with_capacity(FRAME_HEADER_BYTES);
        out.put_u32(self.payload_len);
        out.put_u32(self.payload_crc);
        out.put_u64(self.lsn);
        out.put_u64(self.durable_lsn);
        out.put_u8(self.kind);
        out.put_u8(self.flags);
        out.put_u16(0);
        out.put_u32(crc32c::crc32c_append(seed, &out));
        out.try_into().expect("the fields above are 32 bytes")
    }

    /// Reads a header; `None` unless it is one of this file.
    fn decode(bytes: &[u8], seed: u32) -> Option<Self> {
        let header = bytes.get(..FRAME_HEADER_BYTES)?;
        let mut reader = Reader::new(header, "WAL frame header");
        let found = Self {
            payload_len: reader.u32().ok()?,
            payload_crc: reader.u32().ok()?,
            lsn: reader.u64().ok()?,
            durable_lsn: reader.u64().ok()?,
            kind: reader.u8().ok()?,
            flags: reader.u8().ok()?,
        };
        let plausible = reader.u16().ok()? == 0
            && matches!(found.kind, KIND_CALL | KIND_WATERMARK)
            && found.flags & !FLAG_SYNCED == 0;
        let crc = reader.u32().ok()?;
        (plausible && crc == crc32c::crc32c_append(seed, &header[..28])).then_some(found)
    }
}

/// What a log says of itself.
#[derive(Clone, Copy, Debug)]
struct Header {
    uuid: Uuid,
    collection: Uuid,
    first_lsn: u64,
}

impl Header {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.put(MAGIC);
        out.put_u16(FORMAT_MAJOR);
        out.put_u16(FORMAT_MINOR);
        out.put_u32(0);
        out.put(&self.uuid.0);
        out.put(&self.collection.0);
        out.put_u64(self.first_lsn);
        out.put_u32(0);
        out.put_u32(crc32c::crc32c(&out));
        out
    }

    /// Returns whether the first write to a log was torn within its header: `start`, the first sector of the file, is the
    /// beginning of a header, then zeros where the rest of it and the first frame would be. A sync that succeeded would have
    /// made all of the sector durable, so nothing in such a log was ever acknowledged.
    fn is_torn(start: &[u8], collection: Uuid) -> bool {
        let written = start.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        if written >= HEADER_BYTES {
            return false;
        }
        // What follows the collection is not known beforehand, and neither is the uuid of the file.
        let known = Self { uuid: Uuid([0; 16]), collection, first_lsn: 0 }.encode();
        let is_known = |at: &usize| !(16..32).contains(at) && *at < 48;
        // A byte of zero may be one that was not written.
        (0..written).filter(is_known).all(|at| start[at] == known[at])
    }

    fn decode(bytes: &[u8], path: &Path) -> Result<Self> {
        let mut reader = Reader::new(bytes, "WAL header");
        let magic = reader.bytes(8)?;
        let major = reader.u16()?;
        reader.bytes(6)?;
        let header =
            Self { uuid: Uuid(reader.array()?), collection: Uuid(reader.array()?), first_lsn: reader.u64()? };
        reader.u32()?;
        if magic != MAGIC || reader.u32()? != crc32c::crc32c(&bytes[..60]) {
            return Err(damaged(path, 0, "the header fails its checksum"));
        }
        if !(1..=NUMBER_MAX).contains(&header.first_lsn) {
            return Err(damaged(path, 48, "the lsn of the first frame is out of range"));
        }
        if major != FORMAT_MAJOR {
            return Err(Error::unsupported(format!(
                "`{}` has WAL format {major}, this version reads {FORMAT_MAJOR}: open it with a newer vecstore",
                path.display()
            )));
        }
        Ok(header)
    }
}

fn damaged(path: &Path, offset: usize, what: &str) -> Error {
    Error::corrupted(format!("`{}` is damaged at byte {offset}: {what}", path.display()))
}
