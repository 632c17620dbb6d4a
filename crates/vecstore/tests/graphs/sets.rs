//! Stores of vectors, and how good their answers are.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use vecstore::{Batch, Metric, OpenOptions, Query, QueryOptions, Record, SearchMethod, VecStore};
use vecstore_testkit::{FaultVfs, Ranking, exact_distance};

pub(crate) const PATH: &str = "/store";
pub(crate) const K: usize = 10;

/// Options of a store whose upkeep is done by `compact` alone, with graphs in segments of more than a few rows.
pub(crate) fn options(metric: Metric) -> OpenOptions {
    VecStore::options().metric(metric).background(false).threads(2).graph_rows_min(200)
}

pub(crate) fn batch<'a>(records: impl IntoIterator<Item = &'a Record>) -> Batch {
    let mut records = records.into_iter().peekable();
    let mut batch = Batch::new(records.peek().unwrap().vector.len()).unwrap();
    records.for_each(|record| batch.push(record, None).unwrap());
    batch
}

/// Makes records named for their position.
pub(crate) fn records(vectors: &[Vec<f32>]) -> Vec<Record> {
    let record = |(n, vector): (usize, &Vec<f32>)| Record::new(format!("{n:06}"), vector.as_slice());
    vectors.iter().enumerate().map(record).collect()
}

/// Makes a store in memory whose records are in one segment.
pub(crate) fn merged(options: OpenOptions, records: &[Record]) -> VecStore {
    let store = options.open_in_memory().unwrap();
    store.upsert_many(batch(records)).unwrap();
    store.compact().unwrap();
    store
}

/// Returns the ids that each query finds.
pub(crate) fn answers(store: &VecStore, queries: &[Vec<f32>], options: &QueryOptions) -> Vec<Vec<String>> {
    let found = store.search_batch(&queries.concat(), queries[0].len(), options).unwrap();
    found.iter().map(|hits| hits.iter().map(|hit| hit.id().unwrap().to_owned()).collect()).collect()
}

/// Returns whether a query walks a graph.
pub(crate) fn walks(store: &VecStore, query: &[f32]) -> bool {
    let plan = store.explain(&Query::new(query)).unwrap();
    plan.steps.iter().any(|step| step.method == SearchMethod::GraphWalk)
}

/// Returns the share of `truth` that is in `found`.
pub(crate) fn recall(found: &[Vec<String>], truth: &[Vec<String>]) -> f64 {
    assert_eq!(found.len(), truth.len());
    let hits = |(found, truth): (&Vec<String>, &Vec<String>)| {
        let set: HashSet<&String> = found.iter().collect();
        assert_eq!(set.len(), found.len(), "a record is found twice");
        truth.iter().filter(|id| set.contains(id)).count()
    };
    let all: usize = truth.iter().map(Vec::len).sum();
    let hits = found.iter().zip(truth).map(hits).sum::<usize>();
    if all == 0 { 1.0 } else { hits as f64 / all as f64 }
}

/// Checks an answer that must be the nearest of `records`, as brute force in f64 has them.
pub(crate) fn check_exact(
    store: &VecStore,
    records: &[Record],
    vector: &[f32],
    k: usize,
    ask: impl Fn(Query) -> Query,
) {
    let distance = exact_distance(store.metric().name()).unwrap();
    let rows = records.iter().map(|record| (record.id.as_str(), record.vector.as_slice()));
    let ranking = Ranking::new(distance, vector, rows);
    let found = store.query(&ask(Query::new(vector).k(k))).unwrap();
    let mut answer: Vec<(&str, f64)> =
        found.iter().map(|hit| (hit.id.as_str(), f64::from(hit.distance))).collect();
    // Keys that differ in the last bit may give distances that do not: such records are no tie.
    answer.chunk_by_mut(|left, right| left.1 == right.1).for_each(|run| run.sort_by_key(|&(id, _)| id));
    let scale = ranking.nearest(k).iter().map(|hit| hit.distance.abs()).fold(1.0, f64::max);
    if let Err(wrong) = ranking.check(k, &answer, 1e-5 * scale) {
        panic!("{wrong}");
    }
}

/// Makes a store on a disk of its own whose records are in one segment with a graph, and closes it.
pub(crate) fn on_disk(options: OpenOptions, records: &[Record]) -> FaultVfs {
    let disk = FaultVfs::new();
    let store = options.vfs(Arc::new(disk.clone())).open(PATH).unwrap();
    store.upsert_many(batch(records)).unwrap();
    store.compact().unwrap();
    store.close().unwrap();
    assert!(graphs(&disk) == 1, "expected one segment with a graph");
    disk
}

/// Returns the paths of the segments.
pub(crate) fn segments(disk: &FaultVfs) -> Vec<PathBuf> {
    let paths = disk.files().into_iter().map(|(path, _)| path);
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "seg")).collect()
}

/// Returns how many segments have a graph: a feature bit in the footer says so.
pub(crate) fn graphs(disk: &FaultVfs) -> usize {
    let has_graph = |path: &PathBuf| {
        let bytes = disk.read(path).unwrap();
        let footer = u64::from_le_bytes(bytes[bytes.len() - 32..][..8].try_into().unwrap()) as usize;
        bytes[footer + 4] & 2 != 0
    };
    segments(disk).iter().filter(|path| has_graph(path)).count()
}
