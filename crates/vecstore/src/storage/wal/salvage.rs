//! What is left of a damaged log: every call whose frame is intact, wherever it stands.

use std::path::Path;

use super::log::read_bytes;
use super::{FRAME_HEADER_BYTES, FrameHeader, HEADER_BYTES, Header, KIND_CALL, Log, PREALLOC_BYTES_FIRST};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::Uuid;
use crate::storage::flipped_bit::FlippedBits;
use crate::vfs::Vfs;

/// The calls of a log, whole or not.
#[derive(Debug)]
pub(crate) struct Remains {
    /// The lsns and payloads of the calls that are intact, ascending.
    pub(crate) calls: Vec<(u64, Vec<u8>)>,
    /// The lsn of the first call, if it is known.
    pub(crate) first_lsn: Option<u64>,
    /// Calls up to this lsn were durable once.
    pub(crate) durable_lsn: u64,
    /// What is wrong, if something is.
    pub(crate) problem: Option<Error>,
    /// The file is shorter than any log whose name is durable.
    pub(crate) is_cut_short: bool,
    /// There may have been more calls behind those that are there; nothing tells how many.
    pub(crate) may_lack_more: bool,
    /// The bytes that were looked at.
    pub(crate) bytes: u64,
}

impl Remains {
    /// Reads a log. A torn tail is no problem, as in [`Log::read`].
    ///
    /// # Errors
    ///
    /// `Io` if it cannot be read, `Unsupported` if a newer version wrote it.
    pub(crate) fn examine(
        vfs: &dyn Vfs,
        path: &Path,
        collection: Uuid,
        bits: &mut FlippedBits,
    ) -> Result<Self> {
        match Log::read(vfs, path, collection) {
            Ok(log) => Ok(Self::of(&log)),
            Err(error) if error.kind() == ErrorKind::Corrupted => {
                let mut remains = Self::salvage(read_bytes(vfs, path)?, path, collection, bits)?;
                remains.problem = Some(error);
                Ok(remains)
            }
            Err(error) => Err(error),
        }
    }

    fn of(log: &Log) -> Self {
        let is_cut_short = log.check_length().is_err();
        Self {
            calls: log.calls().map(|(lsn, payload)| (lsn, payload.to_vec())).collect(),
            first_lsn: log.first_lsn(),
            durable_lsn: log.durable_lsn(),
            problem: None,
            is_cut_short,
            may_lack_more: is_cut_short,
            bytes: log.used_bytes(),
        }
    }

    fn salvage(mut bytes: Vec<u8>, path: &Path, collection: Uuid, bits: &mut FlippedBits) -> Result<Self> {
        let mut remains = Self {
            calls: Vec::new(),
            first_lsn: None,
            durable_lsn: 0,
            problem: None,
            is_cut_short: false,
            may_lack_more: true,
            bytes: bytes.len() as u64,
        };
        let Some(start) = bytes.get_mut(..HEADER_BYTES) else { return Ok(remains) };
        let is_right = |start: &[u8]| Header::decode(start, path).is_ok();
        if !is_right(start) && !bits.restore(start, is_right) {
            return Ok(remains);
        }
        let header = Header::decode(start, path)?;
        if header.collection != collection {
            return Ok(remains);
        }
        remains.first_lsn = Some(header.first_lsn);
        remains.may_lack_more = bytes.len() < PREALLOC_BYTES_FIRST as usize;
        remains.scan(&bytes, header);
        Ok(remains)
    }

    /// Takes every intact frame in order of lsn. What stands between two of them is lost.
    fn scan(&mut self, bytes: &[u8], header: Header) {
        let seed = crc32c::crc32c(&header.uuid.0);
        self.durable_lsn = header.first_lsn - 1;
        let (mut at, mut next) = (HEADER_BYTES, header.first_lsn);
        while let Some(rest) = bytes.get(at..).filter(|rest| rest.len() >= FRAME_HEADER_BYTES) {
            if vecstore_interrupt::is_requested() {
                return;
            }
            let mut step = 8;
            if let Some(found) = FrameHeader::decode(rest, seed) {
                self.durable_lsn = self.durable_lsn.max(found.durable_lsn);
                let payload = rest[FRAME_HEADER_BYTES..].get(..found.payload_len as usize);
                if found.kind == KIND_CALL
                    && found.lsn >= next
                    && let Some(payload) =
                        payload.filter(|payload| crc32c::crc32c(payload) == found.payload_crc)
                {
                    self.calls.push((found.lsn, payload.to_vec()));
                    next = found.lsn.saturating_add(1);
                    step = FRAME_HEADER_BYTES + payload.len().next_multiple_of(8);
                }
            }
            at += step;
        }
    }
}
