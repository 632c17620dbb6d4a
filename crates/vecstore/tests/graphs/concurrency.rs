//! Searches, writes and merges at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use vecstore::{ErrorKind, Metric, Query, QueryOptions, VecStore};
use vecstore_testkit::Clusters;

use crate::sets::{K, answers, batch, options, recall, records};

const DIM: usize = 64;
const ROWS: usize = 8_000;

#[test]
fn searches_during_merges_and_upserts_lose_no_row() {
    let mut clusters = Clusters::new(51, DIM, 20);
    let records = records(&clusters.vectors(ROWS));
    let queries = clusters.vectors(200);
    let store = options(Metric::Cosine).background(true).open_in_memory().unwrap();
    let (first, rest) = records.split_at(ROWS / 2);
    store.upsert_many(batch(first)).unwrap();
    let (done, missed, asked) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (store, done, missed, asked) = (&store, &done, &missed, &asked);
            scope.spawn(move || {
                let mut turn = thread;
                while !done.load(Ordering::Relaxed) {
                    turn += 4;
                    let record = &first[turn * 7 % first.len()];
                    let query = Query::new(record.vector.as_slice()).k(3);
                    let found = store.query(&query).unwrap();
                    assert_eq!(found.len(), 3);
                    asked.fetch_add(1, Ordering::Relaxed);
                    missed.fetch_add(usize::from(found[0].id != record.id), Ordering::Relaxed);
                    assert_eq!(store.query(&query.exact(true)).unwrap()[0].id, record.id);
                    assert!(store.len().unwrap() >= first.len());
                }
            });
        }
        scope.spawn(|| {
            for (n, some) in rest.chunks(100).enumerate() {
                store.upsert_many(batch(some)).unwrap();
                // The same again: the rows before are dead.
                store.upsert_many(batch(&first[n * 10..n * 10 + 50])).unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) {
            store.compact().unwrap();
        }
    });
    let (missed, asked) = (missed.into_inner(), asked.into_inner());
    println!("{asked} asked, {missed} missed");
    assert!(missed as f64 <= 0.03 * asked as f64, "{missed} of {asked} missed");
    assert_eq!(store.len().unwrap(), ROWS);
    store.compact().unwrap();
    let found = answers(&store, &queries, &QueryOptions::new().k(K));
    let truth = answers(&store, &queries, &QueryOptions::new().k(K).exact(true));
    assert!(recall(&found, &truth) >= 0.94);
    store.close().unwrap();
}

/// Starts a build, waits until what is built from is there, and closes after `delay` more.
fn close_during_a_build(store: &VecStore, delay: Duration) -> Duration {
    std::thread::scope(|scope| {
        let build = scope.spawn(|| store.compact());
        while store.stats().unwrap().segments == 0 {
            std::thread::yield_now();
        }
        let since = Instant::now();
        while since.elapsed() < delay && !build.is_finished() {
            std::thread::yield_now();
        }
        let closing = Instant::now();
        store.close().unwrap();
        let took = closing.elapsed();
        match build.join().unwrap() {
            Ok(_) => println!("{delay:?}: was built already"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Closed, "{error}"),
        }
        println!("{delay:?}: closing took {took:?}");
        took
    })
}

#[test]
fn closing_does_not_wait_for_a_graph_that_is_being_built() {
    let records = records(&Clusters::new(61, 128, 20).vectors(16_000));
    for delay in [0, 300, 900, 2000, 3000] {
        let store = options(Metric::Euclidean).threads(1).open_in_memory().unwrap();
        store.upsert_many(batch(&records)).unwrap();
        let took = close_during_a_build(&store, Duration::from_millis(delay));
        assert!(took < Duration::from_secs(2), "closing took {took:?} after {delay} ms");
    }
}
