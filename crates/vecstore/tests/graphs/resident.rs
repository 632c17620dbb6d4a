//! Copies in memory of what searches read all over.
#![expect(clippy::disallowed_methods, reason = "a file of a store is damaged on purpose")]

use std::time::{Duration, Instant};

use vecstore::{Metadata, Metric, OpenOptions, Query, QueryOptions, SearchMethod, Value, VecStore, field};
use vecstore_testkit::Clusters;

use crate::sets::{K, answers, batch, options, recall, records};

const DIM: usize = 64;
const ROWS: usize = 4_000;
/// More than there are before a copy is made.
const SEARCHES: usize = 1_500;

/// A store on the real disk, closed, and queries for it.
fn filled(options: OpenOptions) -> (tempfile::TempDir, Vec<Vec<f32>>) {
    let mut clusters = Clusters::new(91, DIM, 20);
    let directory = tempfile::tempdir().unwrap();
    let store = options.open(directory.path()).unwrap();
    let mut records = records(&clusters.vectors(ROWS));
    for (n, record) in (0..).zip(&mut records) {
        record.metadata = Metadata::from([("n", Value::Int(n))]);
    }
    store.upsert_many(batch(&records)).unwrap();
    store.compact().unwrap();
    assert_eq!(store.stats().unwrap().graph_segments, 1);
    store.close().unwrap();
    (directory, clusters.vectors(100))
}

fn search_often(store: &VecStore, queries: &[Vec<f32>]) {
    for query in queries.iter().cycle().take(SEARCHES) {
        assert_eq!(store.search(&Query::new(query.as_slice())).unwrap().len(), K);
    }
}

fn wait_for_copy(store: &VecStore) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while store.stats().unwrap().resident_bytes == 0 {
        assert!(Instant::now() < deadline, "no copy was made");
        std::thread::yield_now();
    }
}

#[cfg(unix)]
#[test]
fn a_segment_that_is_searched_often_is_copied_and_answers_as_before() {
    let (directory, queries) = filled(options(Metric::Cosine));
    let store = options(Metric::Cosine).open(directory.path()).unwrap();
    let asked = [QueryOptions::new(), QueryOptions::new().recall(0.99), QueryOptions::new().exact(true)];
    let answer = || asked.iter().map(|options| answers(&store, &queries, options)).collect::<Vec<_>>();
    let before = answer();
    search_often(&store, &queries);
    wait_for_copy(&store);
    assert_eq!(answer(), before);
    let stats = store.stats().unwrap();
    assert!(stats.resident_bytes >= stats.hot_bytes, "{stats:?}");
    // What takes the segment's place is another file: the copy goes with the one it was made of.
    store.delete("000000").unwrap();
    store.upsert_many(batch(&records(&queries))).unwrap();
    store.compact().unwrap();
    assert_eq!(store.stats().unwrap().resident_bytes, 0);
    assert!(store.verify().unwrap().problems.is_empty());
}

#[test]
fn where_many_rows_match_their_signs_are_made_and_the_answers_stay_as_good() {
    let (directory, queries) = filled(options(Metric::Cosine));
    let store = options(Metric::Cosine).open(directory.path()).unwrap();
    let asked = QueryOptions::new().filter(field("n").lt(ROWS as i64 * 2 / 5));
    let exact = answers(&store, &queries, &asked.clone().exact(true));
    let plan = || store.explain(&Query::new(queries[0].as_slice()).options(asked.clone())).unwrap();
    assert_eq!(plan().steps[0].estimates, 0, "{:?}", plan());
    assert!(recall(&answers(&store, &queries, &asked), &exact) >= 0.99);
    wait_for_copy(&store);
    assert_eq!(store.stats().unwrap().resident_bytes, 64 * ROWS as u64);
    assert_eq!(plan().steps[0].method, SearchMethod::MatchesByCodes, "{:?}", plan());
    assert_eq!(plan().steps[0].estimates, ROWS * 2 / 5, "{:?}", plan());
    assert!(plan().steps[0].code_distances < ROWS / 10, "{:?}", plan());
    assert!(recall(&answers(&store, &queries, &asked), &exact) >= 0.99);
}

#[test]
fn a_reader_copies_nothing() {
    let (directory, queries) = filled(options(Metric::Cosine));
    let reader = VecStore::options().read_only(true).open(directory.path()).unwrap();
    search_often(&reader, &queries);
    assert_eq!(reader.stats().unwrap().resident_bytes, 0);
}

#[cfg(unix)]
#[test]
fn a_damaged_graph_is_not_copied_and_the_answers_stay_right() {
    let (directory, queries) = filled(options(Metric::Cosine));
    let segment = std::fs::read_dir(directory.path().join("collections"))
        .unwrap()
        .flat_map(|entry| std::fs::read_dir(entry.unwrap().path()).unwrap())
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "seg"))
        .unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    // Behind the vectors and their codes: blocks of the graph.
    bytes[ROWS * DIM * 6 + (1 << 18)] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let store = options(Metric::Cosine).open(directory.path()).unwrap();
    search_often(&store, &queries);
    let exact = answers(&store, &queries, &QueryOptions::new().exact(true));
    assert!(recall(&answers(&store, &queries, &QueryOptions::new()), &exact) >= 0.93);
    assert_eq!(store.stats().unwrap().resident_bytes, 0);
}
