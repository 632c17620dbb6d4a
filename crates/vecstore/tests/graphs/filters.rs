//! Filters: as many rows as match, up to k, all of them matching, and the nearest of them.

use vecstore::{Filter, Metadata, Metric, Query, QueryOptions, Record, SearchMethod, Value, VecStore, field};
use vecstore_testkit::{Clusters, Rng};

use crate::sets::{K, answers, merged, options, recall, walks};

const ROWS: usize = 5_000;
const DIM: usize = 40;
const QUERIES: usize = 60;
const PERMILLE: [i64; 5] = [1, 10, 100, 500, 900];

/// Rows with a random number, and for a few queries how far they are: the farthest rows have the smallest rank.
struct Sample {
    records: Vec<Record>,
    queries: Vec<Vec<f32>>,
}

/// Queries whose ranks are in the metadata.
const PIVOTS: usize = 3;

fn sample(metric: Metric) -> Sample {
    sample_of(metric, ROWS, PIVOTS)
}

fn sample_of(metric: Metric, rows: usize, pivots: usize) -> Sample {
    let mut clusters = Clusters::new(11, DIM, 12);
    let (mut vectors, queries) = (clusters.vectors(rows), clusters.vectors(QUERIES));
    let mut rng = Rng::new(3);
    for vector in &mut vectors {
        // Where lengths differ by more, dot makes no graph.
        let norm =
            vector.iter().map(|value| value * value).sum::<f32>().sqrt() * (1.0 + 0.2 * rng.component());
        vector.iter_mut().for_each(|value| *value /= norm);
    }
    let near = |a: &[f32], b: &[f32]| -> f32 {
        let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        match metric {
            Metric::Cosine => product(a, b) / product(a, a).sqrt(),
            Metric::Dot => product(a, b),
            _ => -a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>(),
        }
    };
    let mut ranks = vec![vec![0; pivots]; rows];
    for (pivot, query) in queries[..pivots].iter().enumerate() {
        let mut order: Vec<usize> = (0..rows).collect();
        order.sort_by(|&a, &b| near(&vectors[a], query).total_cmp(&near(&vectors[b], query)));
        for (rank, row) in order.into_iter().enumerate() {
            ranks[row][pivot] = (rank * 1000 / rows) as i64;
        }
    }
    let record = |(n, vector): (usize, Vec<f32>)| {
        let number = rng.below(1000) as i64;
        let mut metadata = Metadata::from([
            ("n", Value::Int(number)),
            ("name", Value::from(format!("row {n} at {number:03}"))),
        ]);
        for (pivot, &rank) in ranks[n].iter().enumerate() {
            metadata.insert(format!("away{pivot}"), Value::Int(rank));
        }
        Record::new(format!("{n:06}"), vector).with_metadata(metadata)
    };
    Sample { records: vectors.into_iter().enumerate().map(record).collect(), queries }
}

impl Sample {
    /// Checks a filter on a store of these records.
    fn check(
        &self,
        store: &VecStore,
        queries: &[Vec<f32>],
        filter: &Filter,
        (of, below): (&str, i64),
        what: &str,
    ) {
        let value = |record: &Record| record.metadata.get(of).and_then(Value::as_int);
        let matching = |record: &&Record| value(record).is_some_and(|value| value < below);
        let matches: Vec<&str> =
            self.records.iter().filter(matching).map(|record| record.id.as_str()).collect();
        // One query for one neighbor tells nothing.
        let least = if queries.len() == 1 { K } else { 1 };
        for k in [1, K, 100].into_iter().filter(|&k| k >= least) {
            let options = QueryOptions::new().k(k).filter(filter.clone());
            let found = answers(store, queries, &options);
            let truth = answers(store, queries, &options.exact(true));
            for found in &found {
                assert_eq!(found.len(), k.min(matches.len()), "{what}, k {k}");
                let wrong = found.iter().find(|id| matches.binary_search(&id.as_str()).is_err());
                assert_eq!(wrong, None, "{what}, k {k}: does not match");
            }
            let recall = recall(&found, &truth);
            println!("{what}, k {k}: {} match, recall {recall:.4}", matches.len());
            assert!(
                recall >= 0.95 - if queries.len() * k < 500 { 0.02 } else { 0.005 },
                "{what}, k {k}: recall {recall}"
            );
        }
    }

    fn check_all(&self, store: &VecStore) {
        assert!(walks(store, &self.queries[0]));
        for permille in PERMILLE {
            self.check(
                store,
                &self.queries,
                &field("n").lt(permille),
                ("n", permille),
                &format!("random {permille}"),
            );
            // Too many distinct strings for a column to try them all: documents decide.
            let pattern = match permille {
                1 => " at 000$".to_owned(),
                10 => " at 00[0-9]$".to_owned(),
                n => format!(" at [0-{}][0-9][0-9]$", n / 100 - 1),
            };
            let filter = field("name").regex(pattern);
            self.check(store, &self.queries, &filter, ("n", permille), &format!("by documents {permille}"));
            for (pivot, query) in self.queries[..PIVOTS].iter().enumerate() {
                let away = format!("away{pivot}");
                let filter = field(away.as_str()).lt(permille);
                let queries = std::slice::from_ref(query);
                self.check(store, queries, &filter, (&away, permille), &format!("away {permille}"));
            }
        }
        self.check(store, &self.queries, &field("n").lt(0), ("n", 0), "nothing");
        self.check(store, &self.queries, &field("n").gte(0), ("n", 1000), "everything");
        self.check(store, &self.queries, &field("absent").eq(1), ("absent", 1), "no such field");
    }
}

#[test]
fn filters_give_the_nearest_of_what_matches_under_cosine() {
    let sample = sample(Metric::Cosine);
    sample.check_all(&merged(options(Metric::Cosine), &sample.records));
}

#[test]
fn filters_give_the_nearest_of_what_matches_under_dot() {
    let sample = sample(Metric::Dot);
    sample.check_all(&merged(options(Metric::Dot), &sample.records));
}

#[test]
fn filters_give_the_nearest_of_what_matches_under_euclidean() {
    let sample = sample(Metric::Euclidean);
    sample.check_all(&merged(options(Metric::Euclidean), &sample.records));
}

#[test]
fn filters_give_the_nearest_of_what_matches_in_a_graph_young_segments_and_the_head() {
    let sample = sample(Metric::Cosine);
    let store = merged(options(Metric::Cosine), &sample.records[..ROWS / 2]);
    let (young, head) = sample.records[ROWS / 2..].split_at(ROWS / 3);
    store.upsert_many(crate::sets::batch(young)).unwrap();
    store.upsert_many(crate::sets::batch(head)).unwrap();
    sample.check_all(&store);
}

#[test]
fn walks_go_another_way_where_half_of_the_rows_match_and_few_near_the_query() {
    const ROWS: usize = 36_000;
    let mut clusters = Clusters::new(13, DIM, 400);
    let (vectors, queries) = (clusters.vectors(ROWS), clusters.vectors(100));
    let side = |vector: &[f32]| vector[..DIM / 4].iter().sum::<f32>();
    let mut sides: Vec<f32> = vectors.iter().map(|vector| side(vector)).collect();
    sides.sort_by(f32::total_cmp);
    let middle = sides[ROWS / 2];
    let mut records = crate::sets::records(&vectors);
    for (record, vector) in records.iter_mut().zip(&vectors) {
        record.metadata = Metadata::from([("side", Value::Bool(side(vector) < middle))]);
    }
    let store = merged(options(Metric::Cosine), &records);
    let (mut found, mut truth, mut walks) = (Vec::new(), Vec::new(), 0);
    for query in &queries {
        // Each query gets the side that it is not on.
        let options = QueryOptions::new().filter(field("side").eq(side(query) >= middle));
        let alone = std::slice::from_ref(query);
        found.extend(answers(&store, alone, &options));
        truth.extend(answers(&store, alone, &options.clone().exact(true)));
        let plan = store.explain(&Query::new(query.as_slice()).options(options)).unwrap();
        assert_eq!(plan.steps[0].method, SearchMethod::GraphWalk, "{plan:?}");
        walks += usize::from(plan.steps.len() == 1);
    }
    let recall = recall(&found, &truth);
    println!("recall {recall:.4}, {walks} walks were enough");
    assert!(recall >= 0.95, "recall {recall}");
    assert!(walks >= 80, "{walks} walks were enough");
}
