//! What a manifest says of a collection beyond what every collection has: its settings and its snapshots.
//!
//! If any collection has some (feature bit 1 of the manifest), each one's segments are followed by
//!
//! ```text
//! u32 count of fields; per field: u16 tag, u16 zero, u32 length, that many bytes:
//!   1  quantization: u8 (0 auto, 1 none, 2 int8, 3 int4)
//!   2  status: u8 (0 active, 1 suspended, 2 read-only, 3 pending deletion)
//!   3  quotas: u64 x 4: vectors, storage bytes, dimension, new records in a call; 2^64 - 1 is no limit
//!   4  a snapshot, one field for each: u32 + name, u64 time of making (Unix, ms), u64 records, u32 dim (0: not known),
//!      u32 count of segments, segments as in the manifest
//!   5  field indexes that were created or dropped: u32 count, for each u32 + path, ascending, and u8 (1 any, 2 keyword,
//!      3 number, 4 bool, 5 datetime, 6 geo, 31 dropped)
//!   6  the path that partitions the rows: UTF-8, 1 to 1,024 bytes
//! ```
//!
//! What is as it is by default is left out, so that a manifest without settings is one of format 1.0. A reader refuses a
//! tag that it does not know.

use std::sync::Arc;

use super::manifest::{CollectionEntry, SegmentEntry, number};
use crate::codec::{Reader, WriteFields};
use crate::database::{NamespaceQuotas, NamespaceStatus, check_partition_path};
use crate::error::{Error, Result};
use crate::field_index::{Choice, FieldChoices};
use crate::limits::MAX_DIM;
use crate::quantization::Quantization;

const QUANTIZATION: u16 = 1;
const STATUS: u16 = 2;
const QUOTAS: u16 = 3;
const SNAPSHOT: u16 = 4;
const FIELDS: u16 = 5;
const PARTITION_BY: u16 = 6;

const NO_LIMIT: u64 = u64::MAX;

/// What a collection is set to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) quantization: Quantization,
    pub(crate) status: NamespaceStatus,
    pub(crate) quotas: NamespaceQuotas,
    pub(crate) fields: Arc<FieldChoices>,
    /// The path of the metadata by whose value rows stand together in segments.
    pub(crate) partition_by: Option<Arc<str>>,
}

/// A snapshot that is kept: the segments and marks of the collection at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SnapshotEntry {
    pub(crate) name: String,
    pub(crate) created_at_unix_ms: u64,
    pub(crate) records: u64,
    pub(crate) dim: Option<usize>,
    pub(crate) segments: Vec<SegmentEntry>,
}

/// Returns whether there is anything to write about a collection.
pub(super) fn has_fields(entry: &CollectionEntry) -> bool {
    entry.settings != Settings::default() || !entry.snapshots.is_empty()
}

pub(super) fn encode(entry: &CollectionEntry, out: &mut Vec<u8>) {
    let Settings { quantization, status, quotas, fields: ref choices, ref partition_by } = entry.settings;
    let mut fields: Vec<(u16, Vec<u8>)> = Vec::new();
    if quantization != Quantization::default() {
        fields.push((QUANTIZATION, vec![quantization_code(quantization)]));
    }
    if status != NamespaceStatus::default() {
        fields.push((STATUS, vec![status_code(status)]));
    }
    if quotas != NamespaceQuotas::default() {
        let mut bytes = Vec::new();
        for limit in [
            quotas.max_vectors.map(|vectors| vectors as u64),
            quotas.max_storage_bytes,
            quotas.max_dimension.map(|dim| dim as u64),
            quotas.max_batch_size.map(|records| records as u64),
        ] {
            bytes.put_u64(limit.unwrap_or(NO_LIMIT));
        }
        fields.push((QUOTAS, bytes));
    }
    if !choices.is_empty() {
        let mut bytes = Vec::new();
        bytes.put_u32(choices.iter().len() as u32);
        for (path, choice) in choices.iter() {
            bytes.put_prefixed(path.as_bytes());
            bytes.put_u8(choice.code());
        }
        fields.push((FIELDS, bytes));
    }
    if let Some(path) = partition_by {
        fields.push((PARTITION_BY, path.as_bytes().to_vec()));
    }
    fields.extend(entry.snapshots.iter().map(|snapshot| (SNAPSHOT, snapshot.encode())));
    out.put_u32(fields.len() as u32);
    for (tag, bytes) in fields {
        out.put_u16(tag);
        out.put_u16(0);
        out.put_prefixed(&bytes);
    }
}

pub(super) fn decode(reader: &mut Reader<'_>) -> Result<(Settings, Vec<SnapshotEntry>)> {
    let mut settings = Settings::default();
    let mut snapshots = Vec::new();
    for _ in 0..reader.count(8)? {
        let tag = reader.u16()?;
        reader.u16()?;
        let mut field = Reader::new(reader.prefixed()?, "manifest");
        match tag {
            QUANTIZATION => settings.quantization = quantization_from_code(field.u8()?)?,
            STATUS => settings.status = status_from_code(field.u8()?)?,
            QUOTAS => settings.quotas = decode_quotas(&mut field)?,
            FIELDS => settings.fields = Arc::new(decode_fields(&mut field)?),
            SNAPSHOT => snapshots.push(SnapshotEntry::decode(&mut field)?),
            PARTITION_BY => settings.partition_by = Some(decode_path(&mut field)?),
            _ => {
                return Err(Error::unsupported(format!(
                    "a collection has a setting {tag} that this version does not know: open the store with a newer \
                     vecstore"
                )));
            }
        }
        field.finish()?;
    }
    Ok((settings, snapshots))
}

fn decode_path(field: &mut Reader<'_>) -> Result<Arc<str>> {
    let path = std::str::from_utf8(field.bytes(field.remaining())?)
        .ok()
        .filter(|path| check_partition_path(path).is_ok());
    path.map(Arc::from).ok_or_else(|| Error::corrupted("manifest: what partitions the rows is no path"))
}

fn decode_quotas(field: &mut Reader<'_>) -> Result<NamespaceQuotas> {
    let mut limit = || field.u64().map(|limit| (limit != NO_LIMIT).then_some(limit));
    let [vectors, storage, dim, batch] = [limit()?, limit()?, limit()?, limit()?];
    let count = |limit: Option<u64>| limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(NamespaceQuotas {
        max_vectors: count(vectors),
        max_storage_bytes: storage,
        max_dimension: count(dim),
        max_batch_size: count(batch),
    })
}

fn decode_fields(field: &mut Reader<'_>) -> Result<FieldChoices> {
    let mut choices = FieldChoices::default();
    for _ in 0..field.count(5)? {
        let path = field.string()?;
        let code = field.u8()?;
        let choice = Choice::from_code(code).ok_or_else(|| {
            Error::unsupported(format!(
                "a field index is of a kind {code} that this version does not know: open the store with a newer vecstore"
            ))
        })?;
        let fault = |error: Error| Error::corrupted(format!("manifest: {}", error.message()));
        choices.set(path, choice).map_err(fault)?;
    }
    Ok(choices)
}

impl SnapshotEntry {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_prefixed(self.name.as_bytes());
        out.put_u64(self.created_at_unix_ms);
        out.put_u64(self.records);
        out.put_u32(self.dim.unwrap_or(0) as u32);
        out.put_u32(self.segments.len() as u32);
        self.segments.iter().for_each(|segment| segment.encode(&mut out));
        out
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self> {
        let name = reader.string()?.to_owned();
        let (created_at_unix_ms, records) = (number(reader.u64()?)?, reader.u64()?);
        let dim = reader.u32()? as usize;
        if dim > MAX_DIM {
            return Err(Error::corrupted(format!("manifest: dimension {dim} is over {MAX_DIM}")));
        }
        let segments = (0..reader.count(48)?).map(|_| SegmentEntry::decode(reader)).collect::<Result<_>>()?;
        Ok(Self { name, created_at_unix_ms, records, dim: (dim > 0).then_some(dim), segments })
    }
}

fn quantization_code(quantization: Quantization) -> u8 {
    match quantization {
        Quantization::Auto => 0,
        Quantization::None => 1,
        Quantization::Int8 => 2,
        Quantization::Int4 => 3,
    }
}

fn quantization_from_code(code: u8) -> Result<Quantization> {
    let all = [Quantization::Auto, Quantization::None, Quantization::Int8, Quantization::Int4];
    let known = all.into_iter().find(|&quantization| quantization_code(quantization) == code);
    known.ok_or_else(|| Error::corrupted(format!("manifest: unknown quantization {code}")))
}

fn status_code(status: NamespaceStatus) -> u8 {
    match status {
        NamespaceStatus::Active => 0,
        NamespaceStatus::Suspended => 1,
        NamespaceStatus::ReadOnly => 2,
        NamespaceStatus::PendingDeletion => 3,
    }
}

fn status_from_code(code: u8) -> Result<NamespaceStatus> {
    let known = NamespaceStatus::ALL.into_iter().find(|&status| status_code(status) == code);
    known.ok_or_else(|| Error::corrupted(format!("manifest: unknown status {code}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Uuid;
    use crate::text_index::TextConfig;
    use vecstore_kernels::Metric;

    fn choices() -> FieldChoices {
        let mut choices = FieldChoices::default();
        choices.set("b.c", Choice::Dropped).unwrap();
        choices.set("a", Choice::Asked(crate::FieldKind::Number)).unwrap();
        choices
    }

    fn entry() -> CollectionEntry {
        let segment = SegmentEntry { uuid: Uuid([7; 16]), rows: 3, checksum: 9, marks: Some((2, 5)) };
        let snapshot = SnapshotEntry {
            name: "../s".to_owned(),
            created_at_unix_ms: 1_700_000_000_000,
            records: 2,
            dim: Some(384),
            segments: vec![segment.clone()],
        };
        let quotas = NamespaceQuotas::unlimited().max_vectors(10).max_dimension(4);
        CollectionEntry {
            uuid: Uuid([1; 16]),
            name: "docs".to_owned(),
            metric: Metric::Dot,
            text: TextConfig::default(),
            dim: None,
            checkpoint_lsn: 1,
            first_log: 2,
            durable_lsn: 3,
            segments: vec![segment],
            settings: Settings {
                quantization: Quantization::Int4,
                status: NamespaceStatus::PendingDeletion,
                quotas,
                fields: Arc::new(choices()),
                partition_by: Some("user.tenant".into()),
            },
            snapshots: vec![snapshot.clone(), SnapshotEntry { name: "t".to_owned(), dim: None, ..snapshot }],
        }
    }

    fn encoded(entry: &CollectionEntry) -> Vec<u8> {
        let mut out = Vec::new();
        encode(entry, &mut out);
        out
    }

    #[test]
    fn fields_come_back_as_they_were() {
        let entry = entry();
        let bytes = encoded(&entry);
        let mut reader = Reader::new(&bytes, "test");
        assert_eq!(decode(&mut reader).unwrap(), (entry.settings, entry.snapshots));
        reader.finish().unwrap();
    }

    #[test]
    fn the_bytes_of_the_format_stay_what_they_are() {
        let mut entry = entry();
        entry.snapshots.clear();
        let limits = [10u64, u64::MAX, 4, u64::MAX].map(u64::to_le_bytes).concat();
        let expected = [
            &[5u8, 0, 0, 0][..],
            &[1, 0, 0, 0, 1, 0, 0, 0, 3],
            &[2, 0, 0, 0, 1, 0, 0, 0, 3],
            &[3, 0, 0, 0, 32, 0, 0, 0],
            &limits,
            &[5, 0, 0, 0, 18, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, b'a', 3, 3, 0, 0, 0, b'b', b'.', b'c', 31],
            &[6, 0, 0, 0, 11, 0, 0, 0],
            b"user.tenant",
        ];
        assert_eq!(encoded(&entry), expected.concat());
        entry.settings = Settings::default();
        assert!(!has_fields(&entry));
    }

    #[test]
    fn cut_or_changed_fields_are_errors_and_unknown_ones_are_refused() {
        let bytes = encoded(&entry());
        for len in 0..bytes.len() {
            assert!(decode(&mut Reader::new(&bytes[..len], "test")).is_err(), "{len}");
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0xff;
            // An error or another value; never a panic.
            _ = decode(&mut Reader::new(&changed, "test"));
        }
        let mut unknown = bytes;
        unknown[4] = 99;
        let error = decode(&mut Reader::new(&unknown, "test")).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Unsupported);
    }
}
