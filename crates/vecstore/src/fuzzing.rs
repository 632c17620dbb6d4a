//! What the fuzzer feeds: every decoder of bytes from a disk and every parser of a caller's text. Built for the fuzz
//! targets in `fuzz/` alone, and for the test that runs their corpus.
//!
//! A checksum that a fuzzer cannot guess would keep it from everything behind it, so what stands for a file is given its
//! checksums here. The engine must refuse the bytes or read them: a panic, a hang or a large allocation is a fault.

use std::io::IoSlice;
use std::path::Path;

use crate::codec::WriteFields;
use crate::collection::Snapshot;
use crate::filter::Filter;
use crate::metadata::{self, Document, DocumentRef, Metadata};
use crate::query::Scoring;
use crate::storage::manifest::Manifest;
use crate::storage::segment::Segment;
use crate::storage::wal::{self, Log};
use crate::storage::{Uuid, marks};
use crate::vfs::{MemoryVfs, Vfs};
use vecstore_kernels::Metric;
use xxhash_rust::xxh3::xxh3_64;

/// The rows that marks may be over.
const ROWS: usize = 100_000;

const FILE: &str = "file";
const SEGMENT: Uuid = Uuid([7; 16]);
const COLLECTION: Uuid = Uuid([9; 16]);

/// A target, by the name of its program and of its corpus.
type Target = (&'static str, fn(&[u8]));

/// All targets.
const TARGETS: &[Target] = &[
    ("wal", wal),
    ("wal_call", wal_call),
    ("manifest", manifest),
    ("segment", segment),
    ("marks", marks),
    ("metadata", metadata),
    ("filter_text", filter_text),
    ("filter_dict", filter_dict),
];

/// Runs the target of this name.
///
/// # Panics
///
/// If there is none, or if the engine does what it never may.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, run) = target.expect("a program in `fuzz/` is named for a target");
    run(bytes);
}

fn file(bytes: &[u8]) -> MemoryVfs {
    let vfs = MemoryVfs::default();
    let file = vfs.create(Path::new(FILE)).expect("the file system is empty");
    file.write_all_at(&[IoSlice::new(bytes)], 0).expect("the file system is in memory");
    vfs
}

/// A log: as it is or, if the first byte is odd, with the checksums of the header and of each frame put right.
fn wal(bytes: &[u8]) {
    let Some((&mode, bytes)) = bytes.split_first() else { return };
    let mut bytes = bytes.to_vec();
    if mode % 2 == 1 && bytes.len() >= 64 {
        bytes.resize(bytes.len().max(64 << 10), 0);
        bytes[32..48].copy_from_slice(&COLLECTION.0);
        let sum = crc32c::crc32c(&bytes[..60]);
        bytes[60..64].copy_from_slice(&sum.to_le_bytes());
        let seed = crc32c::crc32c(&bytes[16..32]);
        let mut at = 64;
        while at + 32 <= bytes.len() && matches!(bytes[at + 24], 1 | 2) {
            let len = u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
            if let Some(payload) = bytes.get(at + 32..at + 32 + len) {
                let sum = crc32c::crc32c(payload);
                bytes[at + 4..at + 8].copy_from_slice(&sum.to_le_bytes());
            }
            let sum = crc32c::crc32c_append(seed, &bytes[at..at + 28]);
            bytes[at + 28..at + 32].copy_from_slice(&sum.to_le_bytes());
            at += 32 + len.next_multiple_of(8);
        }
    }
    let vfs = file(&bytes);
    if let Ok(log) = Log::read(&vfs, Path::new(FILE), COLLECTION) {
        replay(log.calls());
    }
    let mut bits = crate::storage::flipped_bit::FlippedBits::none();
    if let Ok(remains) = wal::Remains::examine(&vfs, Path::new(FILE), COLLECTION, &mut bits) {
        replay(remains.calls.iter().map(|(lsn, payload)| (*lsn, payload.as_slice())));
    }
}

/// The payloads of calls, one after the other, each behind its length.
fn wal_call(bytes: &[u8]) {
    let mut calls = Vec::new();
    let mut rest = bytes;
    while let Some((len, more)) = rest.split_first_chunk::<2>() {
        let (call, more) = more.split_at(more.len().min(usize::from(u16::from_le_bytes(*len))));
        calls.push(call);
        rest = more;
    }
    replay((1..).zip(calls));
}

fn replay<'a>(calls: impl Iterator<Item = (u64, &'a [u8])>) {
    let mut snapshot = Snapshot::default();
    for (lsn, payload) in calls {
        let mut next = snapshot.clone();
        if crate::collection::replay_call(&mut next, lsn, payload, Scoring::new(Metric::Cosine)).is_ok() {
            snapshot = next;
        }
    }
    for view in &snapshot.parts {
        for row in view.live_rows() {
            let id = view.part.id(row).expect("rows in memory can be read");
            assert!(
                snapshot.locate(id).expect("rows in memory can be read").is_some(),
                "a live row is not found"
            );
        }
    }
}

/// A manifest without its checksum.
fn manifest(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    let sum = xxh3_64(&bytes);
    bytes.put_u64(sum);
    if let Ok(manifest) = Manifest::decode(&bytes) {
        let again = Manifest::decode(&manifest.encode()).expect("what was decoded can be encoded");
        assert_eq!(again, manifest);
    }
}

/// A segment: the data, the footer without its checksums of blocks, and the length of the footer in two bytes.
fn segment(bytes: &[u8]) {
    let Some((rest, len)) = bytes.split_last_chunk::<2>() else { return };
    let len = usize::from(u16::from_le_bytes(*len)).min(rest.len());
    let (data, footer) = rest.split_at(rest.len() - len);
    let data_bytes = data.len() / 64 * 64;
    let mut out = data[..data_bytes].to_vec();
    let mut footer = footer.to_vec();
    if footer.len() >= 40 {
        footer[8..24].copy_from_slice(&SEGMENT.0);
        footer[24..40].copy_from_slice(&COLLECTION.0);
    }
    data[..data_bytes].chunks(64 << 10).for_each(|block| footer.put_u64(xxh3_64(block)));
    let sum = xxh3_64(&footer);
    out.extend_from_slice(&footer);
    out.put_u64(data_bytes as u64);
    out.put_u64(sum);
    out.put_u64(0);
    out.put(b"vsSEG\r\n\x1a");
    let vfs = file(&out);
    let Ok(segment) = Segment::open(&vfs, Path::new(FILE), SEGMENT, COLLECTION, sum) else { return };
    if segment.len() > ROWS {
        return;
    }
    _ = segment.verify();
    for row in 0..segment.len() as u32 {
        _ = segment.is_whole(row);
        _ = segment.vector(row);
        _ = segment.body(row);
    }
    _ = segment.codes(0..segment.len());
}

/// Marks without their checksum.
fn marks(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    if bytes.len() >= 32 {
        bytes[16..32].copy_from_slice(&SEGMENT.0);
    }
    let sum = xxh3_64(&bytes);
    bytes.put_u64(sum);
    if let Ok(marks) = marks::decode(&bytes, Path::new(FILE), SEGMENT, Some(sum), ROWS) {
        assert!(marks.dead.iter().chain(marks.hidden.iter()).all(|row| (row as usize) < ROWS));
    }
}

/// A metadata document.
fn metadata(bytes: &[u8]) {
    if let Ok(document) = DocumentRef::new(bytes) {
        // What is not checked row by row is walked as it is.
        for (key, _) in document.iter().map_while(Result::ok) {
            _ = document.get_path(key);
        }
    }
    if let Ok(decoded) = metadata::decode(bytes) {
        let again = metadata::encode(&decoded).and_then(|bytes| metadata::decode(&bytes));
        // Not `assert_eq`: no number that is none equals itself.
        assert_eq!(format!("{:?}", again.expect("what was decoded can be encoded")), format!("{decoded:?}"));
    }
}

fn sample() -> Document {
    let metadata = Metadata::new().with("a", 1).with("b", "x").with("c", vec![crate::Value::from(1.5)]);
    Document::new(&metadata).expect("the sample is small")
}

fn matches(filter: &Filter) {
    if let Ok(matcher) = filter.compile() {
        let document = sample();
        let document = DocumentRef::new(document.as_bytes()).expect("the sample is a document");
        _ = matcher.matches(document);
    }
}

/// A filter in the language of filters.
fn filter_text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(filter) = Filter::parse(text, &Metadata::new()) {
        matches(&filter);
    }
}

/// A filter as a document, itself in the binary form of metadata.
fn filter_dict(bytes: &[u8]) {
    let Ok(metadata) = metadata::decode(bytes) else { return };
    if let Ok(filter) = Filter::from_value(&crate::Value::Map(metadata)) {
        matches(&filter);
    }
}

#[cfg(test)]
mod tests;
