//! Databases of several collections, on real directories: what each is, what it may do, and what it leaves alone.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "tests look at files from outside")]

mod backups;
mod collections;
mod many;
mod names;
mod quotas;
mod settings;
mod snapshots;

use vecstore::{Collection, Metadata};

/// Adds records `start..end`, whose vectors are all different.
fn fill(collection: &Collection, start: usize, end: usize) {
    let mut batch = vecstore::Batch::with_capacity(2, end - start).unwrap();
    for n in start..end {
        let record = vecstore::Record::new(format!("{n:05}"), vec![1.0, n as f32])
            .with_metadata(Metadata::from([("n", (n as i64).into())]));
        batch.push(&record, None).unwrap();
    }
    collection.upsert_many(batch).unwrap();
}

/// Returns the ids of all records, sorted.
fn ids(collection: &Collection) -> Vec<String> {
    collection.iter().unwrap().map(|record| record.unwrap().id).collect()
}
