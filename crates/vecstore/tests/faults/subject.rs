//! The store under test: how it is opened, read, and asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use vecstore::{
    Clock, Durability, Filter, Metric, Neighbor, OpenOptions, Query, Record, Result, ScrollRequest,
    SparseQuery, SparseVector, TextQuery, VecStore,
};
use vecstore_testkit::{FaultVfs, Ranking, Texts, check_ranking, exact_distance, ranked_sparse};

/// Two directories deep, so that the store has to make its own directory durable as well.
pub(crate) const PATH: &str = "/home/store";

pub(crate) const NOW_UNIX_MS: u64 = 1_700_000_000_000;

/// Nothing in a script expires while it runs.
#[derive(Debug)]
struct StoppedClock;

impl Clock for StoppedClock {
    fn now_unix_ms(&self) -> u64 {
        NOW_UNIX_MS
    }
}

/// Scripts of few records make graphs, if their vectors are long enough to have any.
const GRAPH_ROWS_MIN: usize = 8;

/// Options without a background thread: the same calls in the same order each time.
pub(crate) fn options(vfs: &FaultVfs, durability: Durability) -> OpenOptions {
    VecStore::options()
        .vfs(Arc::new(vfs.clone()))
        .clock(Arc::new(StoppedClock))
        .metric(Metric::Euclidean)
        .durability(durability)
        .background(false)
        .threads(1)
        .graph_rows_min(GRAPH_ROWS_MIN)
}

pub(crate) fn open(vfs: &FaultVfs, durability: Durability) -> Result<VecStore> {
    options(vfs, durability).open(PATH)
}

/// Reads every record, soft-deleted ones included.
pub(crate) fn read(store: &VecStore) -> Result<BTreeMap<String, Record>> {
    let records = store.records(&ScrollRequest::new().all())?;
    records.map(|record| record.map(|record| (record.id.clone(), record))).collect()
}

/// Checks that every way to ask for the visible records of `expected` gives them.
pub(crate) fn check_answers(store: &VecStore, expected: &BTreeMap<String, Record>) -> Result<()> {
    let visible = || expected.values().filter(|record| !record.deleted);
    assert_eq!(store.len()?, visible().count());
    assert_eq!(store.deleted_count()?, expected.len() - visible().count());
    for record in expected.values() {
        let got = store.get(&record.id)?;
        assert_eq!(got.as_ref(), Some(record).filter(|record| !record.deleted), "`{}`", record.id);
    }
    assert_eq!(store.get("never there")?, None);
    let listed: Vec<Record> = store.iter()?.collect::<Result<_>>()?;
    assert!(listed.iter().eq(visible()), "the listing differs");
    let Some(dim) = visible().next().map(|record| record.vector.len()) else { return Ok(()) };
    check_nearest(store, expected, &vec![0.25; dim], None, |_| true)?;
    let tagged = |record: &Record| record.metadata.get("tag").is_some_and(|tag| *tag == "red".into());
    check_nearest(store, expected, &vec![-0.5; dim], Some(vecstore::field("tag").eq("red")), tagged)?;
    check_texts(store, expected)
}

/// Checks searches of texts and of sparse vectors against brute force.
fn check_texts(store: &VecStore, expected: &BTreeMap<String, Record>) -> Result<()> {
    let mut texts = Texts::default();
    for record in expected.values() {
        if let Some(text) = &record.text {
            texts.add(&record.id, text, record.deleted);
        }
    }
    let pairs = |found: Vec<Neighbor>| -> Vec<(String, f32)> {
        found.into_iter().map(|hit| (hit.id, hit.score)).collect()
    };
    let check = |found: &[(String, f32)], ranked: &[(&str, f64)]| {
        let found: Vec<(&str, f32)> = found.iter().map(|(id, score)| (id.as_str(), *score)).collect();
        assert_eq!(check_ranking(&found, ranked, 5), Ok(()));
    };
    for terms in [&["red", "rare"][..], &["blue"], &["text"]] {
        let query = TextQuery::new(terms.join(" ")).k(5);
        check(&pairs(store.text_query(&query)?), &texts.ranked(terms, |_| true));
    }
    let tagged = |id: &str| expected[id].metadata.get("tag").is_some_and(|tag| *tag == "red".into());
    let query = TextQuery::new("red blue").k(5).filter(vecstore::field("tag").eq("red"));
    check(&pairs(store.text_query(&query)?), &texts.ranked(&["red", "blue"], tagged));
    let sparse = [(2, 1.0), (4, -0.5)];
    let visible = expected.values().filter(|record| !record.deleted);
    let vectors =
        visible.filter_map(|record| Some((record.id.as_str(), record.sparse.as_ref()?.components())));
    let found = store.sparse_query(&SparseQuery::new(SparseVector::new(sparse)?).k(5))?;
    check(&pairs(found), &ranked_sparse(&sparse, vectors));
    Ok(())
}

/// Checks one query against brute force. The metric must be euclidean.
pub(crate) fn check_nearest(
    store: &VecStore,
    expected: &BTreeMap<String, Record>,
    vector: &[f32],
    filter: Option<Filter>,
    matches: impl Fn(&Record) -> bool,
) -> Result<()> {
    let candidates = expected.values().filter(|record| !record.deleted && matches(record));
    let ranking = Ranking::new(
        exact_distance("euclidean").expect("the metric is known"),
        vector,
        candidates.map(|record| (record.id.as_str(), record.vector.as_slice())),
    );
    let query = Query::new(vector).k(7).filter(filter);
    let near = store.query(&query)?;
    assert_eq!(near.len(), ranking.nearest(7).len());
    assert!(
        near.iter().all(|hit| expected.get(&hit.id).is_some_and(|record| !record.deleted && matches(record)))
    );
    let found = store.query(&query.exact(true))?;
    let mut answer: Vec<(&str, f64)> =
        found.iter().map(|hit| (hit.id.as_str(), f64::from(hit.distance))).collect();
    // Squared distances that differ in the last bit have roots that do not: such records are no tie.
    let distance = |id: &str| exact_distance("euclidean").expect("known")(vector, &expected[id].vector);
    for run in answer.chunk_by_mut(|left, right| left.1 == right.1) {
        if run.iter().any(|(id, _)| distance(id) != distance(run[0].0)) {
            run.sort_by_key(|&(id, _)| id);
        }
    }
    assert_eq!(ranking.check(7, &answer, 1e-5), Ok(()));
    for hit in &found {
        assert_eq!(hit.metadata.as_ref(), Some(&expected[&hit.id].metadata), "`{}`", hit.id);
    }
    Ok(())
}
