//! An early end of a call leaves the store as it was, and ends no other call.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Debug;

use vecstore::{
    Batch, DuplicateQuery, ErrorKind, Interrupt, Metadata, QueryOptions, Record, Result, VecStore, field,
};

const ROWS: usize = 5_000;
const DIM: usize = 32;

fn vectors(rows: usize) -> Vec<f32> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..rows * DIM).map(|_| next()).collect()
}

fn batch(first: usize) -> Batch {
    let components = vectors(ROWS);
    let mut batch = Batch::with_capacity(DIM, ROWS).unwrap();
    for (n, vector) in components.chunks_exact(DIM).enumerate() {
        let record = Record::new((first + n).to_string(), vector.to_vec());
        batch.push(&record.with_metadata(Metadata::new().with("n", n as i64)), None).unwrap();
    }
    batch
}

#[track_caller]
fn ends<T: Debug>(call: impl FnOnce() -> Result<T>) {
    let interrupt = Interrupt::default();
    interrupt.request();
    assert_eq!(interrupt.watch(call).unwrap_err().kind(), ErrorKind::Interrupted);
}

#[test]
fn long_calls_end_early_and_change_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = VecStore::options().open(directory.path().join("store")).unwrap();
    store.upsert_many(batch(0)).unwrap();
    store.seal().unwrap();
    store.upsert_many(batch(ROWS)).unwrap();
    let queries = vectors(100);
    for exact in [false, true] {
        ends(|| store.search_batch(&queries, DIM, &QueryOptions::new().exact(exact)));
    }
    ends(|| store.find_duplicates(&DuplicateQuery::new(0.9)));
    ends(|| store.upsert_unique(batch(2 * ROWS), &DuplicateQuery::new(0.9)));
    ends(|| store.delete_where(&field("n").lt(10)));
    ends(|| store.verify());
    ends(|| store.backup(directory.path().join("backup"), true));
    ends(|| store.compact());

    assert_eq!(store.len().unwrap(), 2 * ROWS);
    assert_eq!(store.stats().unwrap().upkeep_error, None);
    store.compact().unwrap();
    assert!(store.verify().unwrap().is_ok());
    store.backup(directory.path().join("backup"), true).unwrap();
    assert_eq!(store.search_batch(&queries, DIM, &QueryOptions::new().k(1)).unwrap().len(), 100);
}

#[test]
fn the_wish_of_one_thread_is_not_that_of_another() {
    let store = VecStore::options().open_in_memory().unwrap();
    store.upsert_many(batch(0)).unwrap();
    let queries = vectors(100);
    std::thread::scope(|scope| {
        scope.spawn(|| ends(|| store.search_batch(&queries, DIM, &QueryOptions::new())));
        scope.spawn(|| store.search_batch(&queries, DIM, &QueryOptions::new()).map(drop).unwrap());
    });
}
