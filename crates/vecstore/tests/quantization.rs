//! What `quantization` and `memory_budget` do: to memory, to disk, to what is found.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use vecstore::{Batch, Durability, Metric, OpenOptions, Quantization, Query, Record, Value, VecStore, field};

const DIM: usize = 96;
const ROWS: usize = 5_000;
const CLUSTERS: usize = 60;

/// A seeded source of numbers around 0.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        let mut sum = 0.0;
        for _ in 0..4 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            sum += (self.0 >> 40) as f32 / (1u64 << 24) as f32 - 0.5;
        }
        sum
    }
}

/// Vectors in clusters of different width, and queries beside them.
fn vectors(count: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut centres = Random(7);
    let centres: Vec<Vec<f32>> = (0..CLUSTERS).map(|_| (0..DIM).map(|_| centres.next()).collect()).collect();
    let mut random = Random(seed);
    let one = |n: usize| {
        let width = 0.3 + (n % 7) as f32 * 0.1;
        centres[n * 31 % CLUSTERS].iter().map(|value| value + width * random.next()).collect()
    };
    (0..count).map(one).collect()
}

fn fill(store: &VecStore, rows: &[Vec<f32>], from: usize) {
    for (n, some) in rows.chunks(1000).enumerate() {
        let mut batch = Batch::new(DIM).unwrap();
        for (i, vector) in some.iter().enumerate() {
            let number = from + n * 1000 + i;
            let record = Record::new(format!("{number}"), vector.clone())
                .with_metadata([("n", Value::Int((number % 10) as i64))]);
            batch.push(&record, None).unwrap();
        }
        store.upsert_many(batch).unwrap();
    }
}

fn options() -> OpenOptions {
    VecStore::options().durability(Durability::None).background(false).threads(2)
}

fn built(path: &Path, quantization: Quantization, metric: Metric) -> VecStore {
    let store = options().quantization(quantization).metric(metric).open(path).unwrap();
    fill(&store, &vectors(ROWS, 1), 0);
    store.compact().unwrap();
    store
}

fn ids(store: &VecStore, query: &Query) -> Vec<String> {
    store.query(query).unwrap().into_iter().map(|neighbor| neighbor.id).collect()
}

/// Returns the share of the true neighbors that is found, by an exact search of the same store.
fn recall(store: &VecStore, recall: f32, narrow: impl Fn(Query) -> Query) -> f32 {
    let queries = vectors(200, 2);
    let mut found = 0;
    for vector in &queries {
        let query = narrow(Query::new(vector.clone()).k(10));
        let truth = ids(store, &query.clone().exact(true));
        let near = ids(store, &query.recall(recall));
        assert_eq!(near.len(), truth.len());
        found += truth.iter().filter(|id| near.contains(id)).count();
    }
    found as f32 / (10 * queries.len()) as f32
}

/// 32 neighbors of 4 bytes and, of 128 rotated components, half a byte each and 8 bytes of factors.
const INT4_ROW_BYTES: usize = 128 + 128 / 2 + 8;

/// 64 bytes, 32 neighbors in a bit for each of 128 rotated components and 12 bytes, and 8-bit codes.
const FAST_ROW_BYTES: usize = 64 + 32 * (128 / 8 + 12) + DIM;

const ALL: [Quantization; 4] =
    [Quantization::Auto, Quantization::None, Quantization::Int8, Quantization::Int4];

#[test]
fn every_quantization_reaches_the_recall_under_every_metric() {
    for metric in [Metric::Cosine, Metric::Euclidean, Metric::Dot] {
        for quantization in ALL {
            if quantization == Quantization::Auto && metric != Metric::Cosine {
                continue;
            }
            let directory = tempfile::tempdir().unwrap();
            let store = built(directory.path(), quantization, metric);
            assert_eq!(store.stats().unwrap().graph_segments, 1);
            for wanted in [0.9, 0.95, 0.99] {
                let found = recall(&store, wanted, |query| query);
                println!("{metric:?} {quantization:?} {wanted}: {found}");
                // 0.01 is what 2,000 neighbors and the sample at the build may be off by chance; twice that.
                assert!(found >= wanted - 0.02, "{metric:?} {quantization:?} {wanted}: {found}");
            }
            let filtered = recall(&store, 0.95, |query| query.filter(field("n").eq(3)));
            assert!(filtered >= 0.92, "{metric:?} {quantization:?}: {filtered} with a filter");
        }
    }
}

#[test]
fn exact_answers_are_the_same_with_every_quantization_and_after_reopening() {
    let queries = vectors(20, 3);
    let mut expected: Option<Vec<Vec<String>>> = None;
    for quantization in ALL {
        let directory = tempfile::tempdir().unwrap();
        let store = built(directory.path(), quantization, Metric::Cosine);
        let answers = |store: &VecStore| -> Vec<Vec<String>> {
            queries.iter().map(|vector| ids(store, &Query::new(vector.clone()).exact(true))).collect()
        };
        let near = |store: &VecStore| -> Vec<Vec<String>> {
            queries.iter().map(|vector| ids(store, &Query::new(vector.clone()))).collect()
        };
        let (first, walked) = (answers(&store), near(&store));
        assert_eq!(expected.get_or_insert_with(|| first.clone()), &first, "{quantization:?}");
        store.close().unwrap();
        // Opened with another one: what is there is searched as it was written.
        let store = options().open(directory.path()).unwrap();
        assert_eq!(answers(&store), first, "{quantization:?}");
        assert_eq!(near(&store), walked, "{quantization:?}");
        assert!(store.verify().unwrap().is_ok());
    }
}

#[test]
fn fewer_bits_take_less_memory_and_less_disk() {
    let hot_and_disk = |quantization| {
        let directory = tempfile::tempdir().unwrap();
        let stats = built(directory.path(), quantization, Metric::Cosine).stats().unwrap();
        (stats.hot_bytes as usize / ROWS, stats.disk_bytes)
    };
    let [auto, none, int8, int4] = ALL.map(hot_and_disk);
    assert_eq!(int4.0, INT4_ROW_BYTES);
    assert_eq!(auto.0, FAST_ROW_BYTES);
    assert_eq!(int8.0, 128 + DIM + 8);
    assert_eq!(none.0, 128 + 4 * DIM + 4);
    assert!(auto.0 > none.0 && none.0 > int8.0 && int8.0 > int4.0);
    assert!(auto.1 > int8.1 && int8.1 > int4.1 && int4.1 > none.1, "{auto:?} {int8:?} {int4:?} {none:?}");
}

#[test]
fn compact_writes_segments_again_that_are_of_another_kind() {
    let directory = tempfile::tempdir().unwrap();
    let store = built(directory.path(), Quantization::Int4, Metric::Cosine);
    let small = store.stats().unwrap().hot_bytes;
    store.close().unwrap();
    let store = options().open(directory.path()).unwrap();
    assert_eq!(store.stats().unwrap().hot_bytes, small);
    store.compact().unwrap();
    assert!(store.stats().unwrap().hot_bytes > 2 * small);
}

#[test]
fn what_does_not_fit_the_budget_is_compact_and_stays_whole() {
    let directory = tempfile::tempdir().unwrap();
    // Room for two loads in the fast layout, not for three; a build takes less.
    let store = options().memory_budget(14 << 20).open(directory.path()).unwrap();
    for load in 0..3 {
        fill(&store, &vectors(ROWS, 10 + load), load as usize * ROWS);
        store.compact().unwrap();
    }
    let stats = store.stats().unwrap();
    assert_eq!((stats.segments, stats.graph_segments, stats.upkeep_error), (1, 1, None));
    assert_eq!(stats.hot_bytes as usize, 3 * ROWS * INT4_ROW_BYTES);
    assert!(recall(&store, 0.95, |query| query) > 0.925);
    store.close().unwrap();
    let store = options().memory_budget(1 << 30).open(directory.path()).unwrap();
    store.compact().unwrap();
    let stats = store.stats().unwrap();
    assert_eq!((stats.segments, stats.hot_bytes as usize), (1, 3 * ROWS * FAST_ROW_BYTES));
}

/// Stays apart only what cannot be built together.
#[test]
fn what_cannot_be_built_within_the_budget_stays_apart() {
    let directory = tempfile::tempdir().unwrap();
    // A row of 96 components takes less than 500 bytes: room for three loads, not for five.
    let store = options().memory_budget(8 << 20).open(directory.path()).unwrap();
    for load in 0..5 {
        fill(&store, &vectors(ROWS, 10 + load), load as usize * ROWS);
    }
    store.compact().unwrap();
    let stats = store.stats().unwrap();
    assert!(stats.segments > 1 && stats.graph_segments >= 1, "{stats:?}");
    assert_eq!(stats.upkeep_error, None);
}

#[test]
fn a_budget_too_small_for_any_graph_says_which_is_enough_and_searches_all_the_same() {
    const WIDE: usize = 2_048;
    let directory = tempfile::tempdir().unwrap();
    let store = options().memory_budget(8 << 20).open(directory.path()).unwrap();
    let mut random = Random(1);
    let mut batch = Batch::new(WIDE).unwrap();
    let mut vector = Vec::new();
    for n in 0..ROWS {
        vector = (0..WIDE).map(|_| random.next()).collect();
        batch.push(&Record::new(format!("{n}"), vector.clone()), None).unwrap();
    }
    store.upsert_many(batch).unwrap();
    store.compact().unwrap();
    let stats = store.stats().unwrap();
    assert_eq!((stats.graph_segments, stats.hot_bytes), (0, 0));
    let message = stats.upkeep_error.unwrap();
    assert!(message.contains("memory budget of 8388608 bytes is too small"), "{message}");
    assert_eq!(ids(&store, &Query::new(vector).k(1)), [format!("{}", ROWS - 1)]);
    store.close().unwrap();
    // With what it says that all rows take, the same store gets its graph.
    let needed: u64 = message.rsplit(' ').next().unwrap().parse().unwrap();
    let store = options().memory_budget(needed).open(directory.path()).unwrap();
    store.compact().unwrap();
    let stats = store.stats().unwrap();
    assert_eq!((stats.segments, stats.graph_segments, stats.upkeep_error), (1, 1, None));
    store.close().unwrap();
    // A graph that is there contradicts no budget.
    let store = options().memory_budget(8 << 20).open(directory.path()).unwrap();
    let stats = store.stats().unwrap();
    assert_eq!((stats.graph_segments, stats.upkeep_error), (1, None));
}

#[test]
fn names_are_read_and_others_refused() {
    for quantization in ALL {
        assert_eq!(quantization.name().parse::<Quantization>().unwrap(), quantization);
    }
    let error = "int2".parse::<Quantization>().unwrap_err();
    assert_eq!(error.message(), "quantization must be one of auto, none, int8, int4; got `int2`");
}
