//! What the fuzzer feeds: the readers of files that come from elsewhere. Built for the fuzz targets in `fuzz/` alone, and
//! for the test that runs their corpus.

use vecstore::{SparseVector, VecStore};

use crate::{
    ImportOptions, metadata_from_json, metadata_to_json, read_jsonl, record_from_json, record_to_json,
    unobserved,
};

/// A target, by the name of its program and of its corpus.
type Target = (&'static str, fn(&[u8]));

/// All targets.
const TARGETS: &[Target] = &[
    ("import_jsonl", import_jsonl),
    ("import_record", import_record),
    ("import_metadata", import_metadata),
    ("import_sparse", import_sparse),
];

/// Runs the target of this name.
///
/// # Panics
///
/// If there is none, or if a reader does what it never may.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, run) = target.expect("a program in `fuzz/` is named for a target");
    run(bytes);
}

/// A whole file. What is refused leaves whole batches alone.
fn import_jsonl(bytes: &[u8]) {
    let store = VecStore::options().open_in_memory().expect("memory is there");
    let options = ImportOptions::default().batch_records(3).expect("3 is not 0");
    match read_jsonl(&store, &mut &*bytes, &options, &mut unobserved) {
        Ok(report) => assert!(store.len().expect("the store is open") as u64 <= report.records),
        Err(error) => assert!(error.message().contains("records before it"), "{error}"),
    }
}

/// A line. What is read is written and read again the same.
fn import_record(bytes: &[u8]) {
    let Ok(record) = record_from_json(bytes) else { return };
    let mut line = Vec::new();
    record_to_json(&record, &mut line);
    assert!(!line.contains(&b'\n'), "a record is one line");
    let again = record_from_json(&line).expect("what was written can be read");
    // Not `assert_eq`: no number that is none equals itself.
    assert_eq!(format!("{again:?}"), format!("{record:?}"));
}

/// A metadata object.
fn import_metadata(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(metadata) = metadata_from_json(text) else { return };
    let again = metadata_from_json(&metadata_to_json(&metadata)).expect("what was written can be read");
    assert_eq!(format!("{again:?}"), format!("{metadata:?}"));
}

/// Pairs of an index and a weight, eight bytes each.
fn import_sparse(bytes: &[u8]) {
    let pairs = bytes.chunks_exact(8).map(|pair| {
        let (index, weight) = pair.split_at(4);
        let four = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes"));
        (four(index), f32::from_bits(four(weight)))
    });
    if let Ok(sparse) = SparseVector::new(pairs) {
        assert!(sparse.components().windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(sparse.components().iter().all(|(_, weight)| weight.is_finite()));
    }
}

#[cfg(test)]
mod tests;
