//! What a call does, as bytes of a frame.

use std::sync::Arc;

use crate::codec::{Reader, WriteFields};
use crate::error::{Error, Result};
use crate::storage::rows::Rows;

/// A change to the records, as logged.
#[derive(Debug)]
pub(crate) enum Op<'a> {
    /// Rows replace or add records.
    Upsert(Box<Rows>),
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
    pub(super) bytes: Vec<u8>,
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

    pub(super) fn vector_bytes(&self) -> &[u8] {
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
            Ok(OP_UPSERT) => Op::Upsert(Box::new(Rows::decode(bytes, &inverse_norms)?)),
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
