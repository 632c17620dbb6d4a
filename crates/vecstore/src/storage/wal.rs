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
//! **Write order.** Frames are written in lsn order at the tail, then synced, then acknowledged. A torn tail is never
//! written over: recovery goes on in a new file, whose first lsn says where the old one ends.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Uuid;
use super::rows::Rows;
use crate::codec::{Reader, WriteFields};
use crate::error::{Error, Result};
use crate::vfs::{Vfs, VfsFile};

const MAGIC: &[u8; 8] = b"vsWAL\r\n\x1a";
pub(crate) const FORMAT_MAJOR: u16 = 1;
pub(crate) const FORMAT_MINOR: u16 = 0;
const HEADER_BYTES: usize = 64;
const FRAME_HEADER_BYTES: usize = 32;
const KIND_CALL: u8 = 1;
const KIND_WATERMARK: u8 = 2;
const FLAG_SYNCED: u8 = 1;

/// Space is reserved ahead of the tail in steps that double from the first to the last: an append into reserved
/// space need not wait for the file's new length to be journalled.
const PREALLOC_BYTES_FIRST: u64 = 64 << 10;
const PREALLOC_BYTES_LAST: u64 = 16 << 20;

/// Frames up to this size are copied together into one write.
const COALESCE_BYTES: usize = 64 << 10;

/// The length up to which a log that nothing was written to is used.
pub(crate) const EMPTY_BYTES: u64 = HEADER_BYTES as u64;

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
    name.strip_prefix("wal-")?.strip_suffix(".log")?.parse().ok()
}

/// A change to the records, as logged.
#[derive(Debug)]
pub(crate) enum Op<'a> {
    /// Rows replace or add records.
    Upsert(Rows),
    /// Records are removed.
    Delete(Vec<&'a str>),
    /// Records are hidden (soft delete).
    Hide(Vec<&'a str>),
    /// Hidden records are shown again.
    Unhide(Vec<&'a str>),
}

const OP_UPSERT: u8 = 1;
const OP_DELETE: u8 = 2;
const OP_HIDE: u8 = 3;
const OP_UNHIDE: u8 = 4;

/// The payload of one call: operations, each as u8 kind, u8 x 3 zero, u32 length, bytes. The vectors of the last
/// upsert are written from where they are.
#[derive(Debug, Default)]
pub(crate) struct Payload {
    bytes: Vec<u8>,
    vectors: Option<Arc<Rows>>,
}

impl Payload {
    pub(crate) fn upsert(&mut self, rows: &Arc<Rows>) {
        self.inline_vectors();
        let columns = rows.encode_without_vectors();
        self.bytes.put_u32(u32::from(OP_UPSERT));
        self.bytes.put_u32((columns.len() + rows.encoded_vectors().len()) as u32);
        self.bytes.put(&columns);
        self.vectors = Some(Arc::clone(rows));
    }

    pub(crate) fn delete<'a>(&mut self, ids: impl IntoIterator<Item = &'a str>) {
        self.ids(OP_DELETE, ids);
    }

    pub(crate) fn hide<'a>(&mut self, ids: impl IntoIterator<Item = &'a str>) {
        self.ids(OP_HIDE, ids);
    }

    pub(crate) fn unhide<'a>(&mut self, ids: impl IntoIterator<Item = &'a str>) {
        self.ids(OP_UNHIDE, ids);
    }

    fn ids<'a>(&mut self, kind: u8, ids: impl IntoIterator<Item = &'a str>) {
        self.inline_vectors();
        self.bytes.put_u32(u32::from(kind));
        let at = self.bytes.len();
        self.bytes.put_u32(0);
        for id in ids {
            self.bytes.put_u16(id.len() as u16);
            self.bytes.put(id.as_bytes());
        }
        let len = (self.bytes.len() - at - 4) as u32;
        self.bytes[at..at + 4].copy_from_slice(&len.to_le_bytes());
    }

    fn inline_vectors(&mut self) {
        if let Some(rows) = self.vectors.take() {
            self.bytes.put(rows.encoded_vectors());
        }
    }

    fn vector_bytes(&self) -> &[u8] {
        self.vectors.as_ref().map_or(&[], |rows| rows.encoded_vectors())
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len() + self.vector_bytes().len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Reads the operations of a payload.
///
/// `inverse_norms` makes the norms that rows in memory carry from the dimension and the vectors.
pub(crate) fn decode_payload(
    payload: &[u8],
    inverse_norms: impl Fn(usize, &[f32]) -> Vec<f32>,
) -> Result<Vec<Op<'_>>> {
    let mut reader = Reader::new(payload, "WAL frame");
    let mut ops = Vec::new();
    while reader.remaining() > 0 {
        let kind = reader.u32()?;
        let bytes = reader.prefixed()?;
        ops.push(match u8::try_from(kind) {
            Ok(OP_UPSERT) => Op::Upsert(Rows::decode(bytes, &inverse_norms)?),
            Ok(OP_DELETE) => Op::Delete(decode_ids(bytes)?),
            Ok(OP_HIDE) => Op::Hide(decode_ids(bytes)?),
            Ok(OP_UNHIDE) => Op::Unhide(decode_ids(bytes)?),
            _ => return Err(Error::corrupted(format!("WAL frame: unknown operation {kind}"))),
        });
    }
    Ok(ops)
}

fn decode_ids(bytes: &[u8]) -> Result<Vec<&str>> {
    let mut reader = Reader::new(bytes, "WAL ids");
    let mut ids = Vec::new();
    while reader.remaining() > 0 {
        let len = usize::from(reader.u16()?);
        let id = std::str::from_utf8(reader.bytes(len)?);
        ids.push(id.map_err(|_| Error::corrupted("WAL ids: an id is not UTF-8"))?);
    }
    Ok(ids)
}

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

impl Log {
    /// Reads a log. A torn tail is fine; damage is an error.
    pub(crate) fn read(vfs: &dyn Vfs, path: &Path, collection: Uuid) -> Result<Self> {
        let read = || -> io::Result<Vec<u8>> {
            let file = vfs.open(path, false)?;
            let mut bytes = vec![0; usize::try_from(file.len()?).map_err(|_| io::ErrorKind::FileTooLarge)?];
            file.read_exact_at(&mut bytes, 0)?;
            Ok(bytes)
        };
        let bytes = read().map_err(|error| Error::io("read", path, error))?;
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
        if start.iter().all(|&byte| byte == 0) {
            log.clean = log.bytes.iter().all(|&byte| byte == 0);
            return Ok(log);
        }
        let header = Header::decode(start, path)?;
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

    /// Returns the lsn after that of the last call.
    pub(crate) fn next_lsn(&self) -> Option<u64> {
        Some(self.first_lsn()? + self.calls.len() as u64)
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Returns the bytes that hold frames.
    pub(crate) fn used_bytes(&self) -> u64 {
        self.tail as u64
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the number of calls that are acknowledged for sure: all, or those that were not to wait for a sync or are
    /// shown to be synced.
    pub(crate) fn acknowledged(&self) -> usize {
        self.calls.iter().take_while(|call| !call.synced || call.lsn <= self.durable_lsn).count()
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
        let file = create().map_err(|error| Error::io("create", &path, error))?;
        Ok(Self {
            file: file.into(),
            path,
            uuid,
            collection,
            seed: crc32c::crc32c(&uuid.0),
            tail: HEADER_BYTES as u64,
            allocated: PREALLOC_BYTES_FIRST,
            header_written: false,
            last_lsn: 0,
        })
    }

    /// Goes on in a log that was read and is clean; `None` if nothing was written to it yet or it is not clean.
    pub(crate) fn reopen(vfs: &dyn Vfs, log: &Log) -> Result<Option<Self>> {
        let (Some(header), true) = (log.header, log.clean) else { return Ok(None) };
        let file = vfs.open(&log.path, true).map_err(|error| Error::io("open", &log.path, error))?;
        Ok(Some(Self {
            file: file.into(),
            path: log.path.clone(),
            uuid: header.uuid,
            collection: header.collection,
            seed: crc32c::crc32c(&header.uuid.0),
            tail: log.tail as u64,
            allocated: log.len(),
            header_written: true,
            last_lsn: header.first_lsn + log.calls.len() as u64 - 1,
        }))
    }

    /// Goes on in a log that nothing was written to.
    pub(crate) fn adopt(vfs: &dyn Vfs, log: &Log, collection: Uuid, uuid: Uuid) -> Result<Option<Self>> {
        let (None, true) = (log.header, log.clean) else { return Ok(None) };
        let file = vfs.open(&log.path, true).map_err(|error| Error::io("open", &log.path, error))?;
        Ok(Some(Self {
            file: file.into(),
            path: log.path.clone(),
            uuid,
            collection,
            seed: crc32c::crc32c(&uuid.0),
            tail: HEADER_BYTES as u64,
            allocated: log.len(),
            header_written: false,
            last_lsn: 0,
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
                let cleared = self.zero(start, end).and_then(|()| self.file.sync());
                cleared.map_err(|error| Error::io("clear a failed write in", &self.path, error))?;
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

    fn reserve(&mut self, len: u64) -> io::Result<()> {
        if len > self.allocated {
            let step = self.allocated.clamp(PREALLOC_BYTES_FIRST, PREALLOC_BYTES_LAST);
            let wanted = len.max(self.allocated + step);
            self.file.allocate(wanted)?;
            self.allocated = wanted;
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
        let Some(header) = log.header else { return Ok(None) };
        let file = vfs.open(&log.path, false).map_err(|error| Error::io("open", &log.path, error))?;
        let known = log.calls.iter().take_while(|call| call.lsn <= lsn).last();
        let tail = known.map_or(HEADER_BYTES, |call| call.end.next_multiple_of(8)) as u64;
        Ok(Some(Self { file, seed: crc32c::crc32c(&header.uuid.0), tail }))
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
