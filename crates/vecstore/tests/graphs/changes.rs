//! Rows that are gone are never found and cost no recall; rows that are new are found at once.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vecstore::{Batch, Clock, Metric, Quantization, Query, QueryOptions, Record, VecStore};
use vecstore_testkit::Clusters;

use crate::sets::{K, answers, batch, check_exact, merged, options, recall, records, walks};

const ROWS: usize = 5_000;
const DIM: usize = 64;
const QUERIES: usize = 400;

#[derive(Debug, Default)]
struct SetClock(AtomicU64);

impl Clock for SetClock {
    fn now_unix_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

struct Sample {
    records: Vec<Record>,
    queries: Vec<Vec<f32>>,
}

fn sample() -> Sample {
    let mut clusters = Clusters::new(21, DIM, 20);
    Sample { records: records(&clusters.vectors(ROWS)), queries: clusters.vectors(QUERIES) }
}

fn is_odd(record: &&Record) -> bool {
    record.id.ends_with(['1', '3', '5', '7', '9'])
}

/// Checks that only `left` is found, with the recall of a store made of it alone.
fn check_left(store: &VecStore, left: &[Record], queries: &[Vec<f32>], what: &str) {
    let fresh = merged(options(store.metric()), left);
    let ids: HashSet<&str> = left.iter().map(|record| record.id.as_str()).collect();
    let truth = answers(&fresh, queries, &QueryOptions::new().exact(true));
    assert!(truth == answers(store, queries, &QueryOptions::new().exact(true)), "{what}: exact answers");
    for asked in [0.9, 0.95] {
        let options = QueryOptions::new().recall(asked);
        let found = answers(store, queries, &options);
        for found in &found {
            assert_eq!(found.len(), K, "{what}");
            assert_eq!(found.iter().find(|id| !ids.contains(id.as_str())), None, "{what}");
        }
        let (recall, of_fresh) =
            (recall(&found, &truth), recall(&answers(&fresh, queries, &options), &truth));
        println!("{what}, {asked}: {recall:.4}, fresh {of_fresh:.4}");
        // A build may happen to find more than it was asked for.
        assert!(
            recall >= of_fresh.min(f64::from(asked)) - 0.005,
            "{what}, {asked}: recall {recall}, of a fresh build {of_fresh}"
        );
    }
}

fn half_gone(metric: Metric) {
    let sample = sample();
    let left: Vec<Record> = sample.records.iter().filter(|record| !is_odd(record)).cloned().collect();
    let odd = || sample.records.iter().filter(is_odd).map(|record| record.id.as_str());
    let store = merged(options(metric), &sample.records);
    assert!(walks(&store, &sample.queries[0]));
    odd().for_each(|id| assert!(store.soft_delete(id).unwrap()));
    check_left(&store, &left, &sample.queries, "soft-deleted");
    store.delete_many(odd()).unwrap();
    check_left(&store, &left, &sample.queries, "deleted");
    store.compact().unwrap();
    check_left(&store, &left, &sample.queries, "compacted");
}

#[test]
fn half_of_the_rows_deleted_costs_no_recall_under_cosine() {
    half_gone(Metric::Cosine);
}

#[test]
fn half_of_the_rows_deleted_costs_no_recall_under_euclidean() {
    half_gone(Metric::Euclidean);
}

#[test]
fn half_of_the_rows_deleted_costs_no_recall_under_dot() {
    half_gone(Metric::Dot);
}

/// Half of the rows are elsewhere, then half of those again, so that the graph has dead rows and others are beside it.
fn half_replaced(quantization: Quantization) {
    let sample = sample();
    let store = merged(options(Metric::Cosine).quantization(quantization), &sample.records);
    let mut elsewhere = Clusters::new(22, DIM, 20).vectors(ROWS).into_iter();
    let mut now = sample.records.clone();
    let mut replace = |step: usize| {
        let moved = now.iter_mut().skip(1).step_by(step).map(|record| {
            record.vector = elsewhere.next().unwrap();
            record.clone()
        });
        let moved: Vec<Record> = moved.collect();
        store.upsert_many(batch(&moved)).unwrap();
        now.clone()
    };
    let left = replace(2);
    check_left(&store, &left, &sample.queries, "replaced");
    store.seal().unwrap();
    check_left(&store, &left, &sample.queries, "replaced and sealed");
    let left = replace(4);
    store.compact().unwrap();
    check_left(&store, &left, &sample.queries, "replaced and compacted");
}

#[test]
fn half_of_the_rows_replaced_costs_no_recall() {
    half_replaced(Quantization::Auto);
}

#[test]
fn half_of_the_rows_replaced_costs_no_recall_on_four_bits() {
    half_replaced(Quantization::Int4);
}

#[test]
fn expired_rows_are_never_found_and_cost_no_recall() {
    let sample = sample();
    let clock = Arc::new(SetClock(AtomicU64::new(1_000)));
    let store = options(Metric::Cosine).clock(clock.clone()).open_in_memory().unwrap();
    let mut batch = Batch::new(DIM).unwrap();
    for record in &sample.records {
        batch.push(record, is_odd(&record).then_some(Duration::from_secs(10))).unwrap();
    }
    store.upsert_many(batch).unwrap();
    store.compact().unwrap();
    check_left(&store, &sample.records, &sample.queries, "not expired yet");
    clock.0.store(100_000, Ordering::Relaxed);
    let left: Vec<Record> = sample.records.iter().filter(|record| !is_odd(record)).cloned().collect();
    check_left(&store, &left, &sample.queries, "expired");
}

#[test]
fn rows_whose_whole_neighborhood_is_gone_give_way_to_the_nearest_that_are_left() {
    let sample = sample();
    let store = merged(options(Metric::Euclidean), &sample.records);
    let query = &sample.queries[0];
    for _ in 0..20 {
        let near = answers(&store, std::slice::from_ref(query), &QueryOptions::new().k(100)).concat();
        assert_eq!(near.len(), 100);
        store.delete_many(near.iter().map(String::as_str)).unwrap();
    }
    assert_eq!(store.len().unwrap(), ROWS - 2000);
    let found = answers(&store, &sample.queries, &QueryOptions::new());
    let truth = answers(&store, &sample.queries, &QueryOptions::new().exact(true));
    assert!(recall(&found, &truth) >= 0.945, "{}", recall(&found, &truth));
}

#[test]
fn rows_written_after_the_graph_was_built_are_found_at_once() {
    let sample = sample();
    let store = merged(options(Metric::Cosine), &sample.records[..ROWS / 2]);
    for record in &sample.records[ROWS / 2..ROWS / 2 + 300] {
        store.upsert_record(record, None).unwrap();
        let found = store.query(&Query::new(record.vector.as_slice()).k(1)).unwrap();
        assert_eq!(found[0].id, record.id);
    }
    // A record whose vector moves is found where it is, and not where it was.
    for (moved, to) in sample.records[..300].iter().zip(&sample.queries) {
        store.update_vector(&moved.id, to).unwrap();
        assert_eq!(store.query(&Query::new(to.as_slice()).k(1)).unwrap()[0].id, moved.id);
        let there = store.query(&Query::new(moved.vector.as_slice()).k(1)).unwrap();
        assert_ne!(there[0].id, moved.id);
    }
    let rest = &sample.records[ROWS / 2 + 300..];
    for some in rest.chunks(700) {
        store.upsert_many(batch(some)).unwrap();
        let found = answers(&store, &sample.queries, &QueryOptions::new());
        let truth = answers(&store, &sample.queries, &QueryOptions::new().exact(true));
        let recall = recall(&found, &truth);
        assert!(recall >= 0.94, "recall {recall} with {} rows", store.len().unwrap());
    }
}

#[test]
fn recall_of_one_and_exact_are_brute_force() {
    let sample = sample();
    for metric in [Metric::Cosine, Metric::Dot, Metric::Euclidean] {
        let (old, young) = sample.records.split_at(ROWS * 3 / 4);
        let store = merged(options(metric), old);
        store.upsert_many(batch(young)).unwrap();
        for query in &sample.queries[..25] {
            check_exact(&store, &sample.records, query, K, |query| query.exact(true));
            check_exact(&store, &sample.records, query, 100, |query| query.recall(1.0));
        }
    }
}
