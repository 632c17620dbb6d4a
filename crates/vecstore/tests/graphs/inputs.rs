//! Input that no data set of embeddings has: right answers all the same.

use vecstore::{ErrorKind, Metric, Quantization, Query, QueryOptions, Record, VecStore, field};
use vecstore_testkit::{Clusters, Rng};

use crate::sets::{K, answers, check_exact, merged, options, records};

const METRICS: [Metric; 3] = [Metric::Cosine, Metric::Dot, Metric::Euclidean];
const ROWS: usize = 1_500;
const DIM: usize = 64;

/// Each layout of a graph, rows beside one that were written after it, and none.
const STORES: [(Quantization, usize, usize); 6] = [
    (Quantization::Auto, 200, 0),
    (Quantization::Auto, 200, 500),
    (Quantization::Int8, 200, 0),
    (Quantization::Int4, 200, 0),
    (Quantization::None, 200, 0),
    (Quantization::Auto, usize::MAX, 0),
];

/// Checks on a store with a graph and on one without: exact answers against brute force, the others by how far
/// what they find is, since of rows at the same distance any will do.
fn check(metric: Metric, vectors: &[Vec<f32>], queries: &[Vec<f32>], what: &str) {
    let records = records(vectors);
    // The first, and another in turn: all of them for each case would take minutes.
    let turn = 1 + (what.len() + metric.name().len()) % (STORES.len() - 1);
    for (quantization, rows_min, young) in [STORES[0], STORES[turn]] {
        let (old, young) = records.split_at(records.len().saturating_sub(young).max(1));
        let store = merged(options(metric).quantization(quantization).graph_rows_min(rows_min), old);
        if !young.is_empty() {
            store.upsert_many(crate::sets::batch(young)).unwrap();
        }
        let what = format!(
            "{what}, {}, {quantization:?}, {} young, graphs above {rows_min}",
            metric.name(),
            young.len()
        );
        for query in &queries[..queries.len().min(4)] {
            check_exact(&store, &records, query, K, |query| query.exact(true));
        }
        let recall = recall_by_distance(&store, queries, records.len());
        println!("{what}: {recall:.4}");
        // Two standard errors below, and a point.
        let below = 0.01 + 2.0 * (0.05 / (K * queries.len()) as f64).sqrt();
        assert!(recall >= 0.95 - below, "{what}: recall {recall}");
    }
}

fn recall_by_distance(store: &VecStore, queries: &[Vec<f32>], rows: usize) -> f64 {
    let (mut near, mut all) = (0, 0);
    for query in queries {
        let query = Query::new(query.as_slice()).k(K);
        let found = store.query(&query).unwrap();
        let truth = store.query(&query.exact(true)).unwrap();
        assert_eq!(found.len(), K.min(rows));
        assert!(found.is_sorted_by(|a, b| a.distance <= b.distance));
        let mut ids: Vec<&str> = found.iter().map(|hit| hit.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), found.len(), "a record is found twice");
        let farthest = truth.last().unwrap().distance;
        let limit = farthest + 1e-6 * farthest.abs();
        near += found.iter().filter(|hit| hit.distance <= limit).count();
        all += truth.len();
    }
    near as f64 / all.max(1) as f64
}

fn clustered(rows: usize, dim: usize, queries: usize) -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
    let mut clusters = Clusters::new(31, dim, 10);
    (clusters.vectors(rows), clusters.vectors(queries))
}

fn scaled(vectors: &[Vec<f32>], factor: f32) -> Vec<Vec<f32>> {
    vectors.iter().map(|vector| vector.iter().map(|value| value * factor).collect()).collect()
}

#[test]
fn equal_vectors_are_all_found() {
    let (_, queries) = clustered(0, DIM, 20);
    for metric in METRICS {
        let mut same = queries[..3].to_vec();
        same.push(queries[5].clone());
        check(metric, &vec![queries[5].clone(); ROWS], &same, "equal");
    }
}

#[test]
fn duplicates_by_the_thousand_are_found_before_others() {
    let (distinct, queries) = clustered(4, DIM, 30);
    for metric in METRICS {
        let vectors: Vec<_> = (0..ROWS).map(|n| distinct[n % distinct.len()].clone()).collect();
        check(metric, &vectors, &queries, "4 distinct");
        let (distinct, _) = clustered(ROWS / 50, DIM, 0);
        let vectors: Vec<_> = (0..ROWS).map(|n| distinct[n % distinct.len()].clone()).collect();
        check(metric, &vectors, &queries, "50 of each");
    }
}

#[test]
fn vectors_on_one_line_are_found() {
    let (_, queries) = clustered(0, DIM, 30);
    for metric in METRICS {
        let line: Vec<_> = (1..=ROWS)
            .map(|n| queries[0].iter().map(|value| value * n as f32 / ROWS as f32).collect())
            .collect();
        // Under dot a query that points away from all rows is like none of them, and its width was not measured.
        let towards: Vec<_> = queries
            .iter()
            .map(|query| match query.iter().zip(&queries[0]).map(|(a, b)| a * b).sum::<f32>() {
                product if product < 0.0 => query.iter().map(|value| -value).collect(),
                _ => query.clone(),
            })
            .collect();
        check(metric, &line, &towards, "collinear");
        check(metric, &line, &scaled(&queries[..1], 0.3), "collinear with the query");
    }
}

#[test]
fn dimensions_of_any_size_are_found() {
    for metric in METRICS {
        for (dim, rows) in
            [(1, ROWS), (2, ROWS), (31, 2_000), (32, 2_000), (33, 2_000), (65, 2_000), (127, 2_000)]
        {
            let (vectors, queries) = clustered(rows, dim, 40);
            check(metric, &vectors, &queries, &format!("{dim} components"));
        }
    }
}

#[test]
fn vectors_of_16384_components_are_found() {
    let (vectors, queries) = clustered(300, 16_384, 25);
    check(Metric::Cosine, &vectors, &queries, "16,384 components");
    check(Metric::Dot, &vectors, &queries, "16,384 components");
}

#[test]
fn vectors_of_extreme_length_are_found() {
    let (vectors, queries) = clustered(ROWS, DIM, 40);
    for (metric, factor) in
        METRICS.into_iter().flat_map(|metric| [1e20, 1e-20, 1e10].map(|factor| (metric, factor)))
    {
        if metric == Metric::Cosine {
            check(metric, &scaled(&vectors, factor), &queries, &format!("length {factor:e}"));
        }
        // Squares leave the range of f32: what is promised is an answer of the right length, best first.
        let store = merged(options(metric), &records(&scaled(&vectors, factor)));
        for query in scaled(&queries[..5], factor).iter().chain(&queries[..5]) {
            let found = store.query(&Query::new(query.as_slice())).unwrap();
            assert_eq!(found.len(), K, "{} {factor:e}", metric.name());
        }
    }
    for metric in [Metric::Dot, Metric::Euclidean] {
        for factor in [1e10, 1e-10] {
            check(
                metric,
                &scaled(&vectors, factor),
                &scaled(&queries, factor),
                &format!("length {factor:e}"),
            );
        }
    }
}

#[test]
fn vectors_of_lengths_from_tiny_to_huge_are_found() {
    let (vectors, queries) = clustered(600, DIM, 40);
    let mixed: Vec<Vec<f32>> = vectors
        .iter()
        .enumerate()
        .map(|(n, vector)| vector.iter().map(|value| value * 10f32.powi(n as i32 % 9 - 4)).collect())
        .collect();
    for metric in METRICS {
        check(metric, &mixed, &queries, "lengths from 1e-4 to 1e4");
    }
}

#[test]
fn vectors_far_from_the_origin_are_found_under_euclidean() {
    let (vectors, queries) = clustered(ROWS, DIM, 40);
    for offset in [10.0, 300.0, 10_000.0] {
        let shift = |vectors: &[Vec<f32>]| -> Vec<Vec<f32>> {
            vectors.iter().map(|vector| vector.iter().map(|value| value + offset).collect()).collect()
        };
        check(Metric::Euclidean, &shift(&vectors), &shift(&queries), &format!("offset {offset}"));
        check(Metric::Cosine, &shift(&vectors), &shift(&queries), &format!("offset {offset}"));
    }
}

#[test]
fn one_enormous_row_hides_no_other() {
    let (mut vectors, queries) = clustered(ROWS, DIM, 40);
    for factor in [100.0, 1e6, 1e12] {
        vectors[7] = scaled(&queries[..1], factor).concat();
        for metric in METRICS {
            check(metric, &vectors, &queries, &format!("one row {factor:e} times as long"));
        }
    }
}

#[test]
fn rows_of_zeros_and_with_one_component_are_found() {
    let mut rng = Rng::new(4);
    let (_, queries) = clustered(0, DIM, 30);
    let one_hot = |rng: &mut Rng| {
        let mut vector = vec![0.0; DIM];
        vector[rng.below(DIM as u64) as usize] = 1.0 + rng.component() / 2.0;
        vector
    };
    let mut vectors: Vec<_> = (0..ROWS).map(|_| one_hot(&mut rng)).collect();
    check(Metric::Cosine, &vectors, &queries, "one component");
    vectors[..100].fill(vec![0.0; DIM]);
    let mut with_zero: Vec<_> = (0..30).map(|_| one_hot(&mut rng)).collect();
    with_zero.push(vec![0.0; DIM]);
    check(Metric::Dot, &vectors, &with_zero, "zeros");
    check(Metric::Dot, &vec![vec![0.0; DIM]; 1000], &with_zero, "only zeros");
    check(Metric::Euclidean, &vec![vec![0.0; DIM]; 1000], &with_zero, "only zeros");
}

/// Rows of one component each are as many islands as there are components, with few or no edges between them.
#[test]
fn islands_of_rows_are_found() {
    let mut rng = Rng::new(4);
    let mut one_hot = || {
        let mut vector = vec![0.0; DIM];
        vector[rng.below(DIM as u64) as usize] = 1.0 + rng.component() / 2.0;
        vector
    };
    let vectors: Vec<_> = (0..ROWS).map(|_| one_hot()).collect();
    let queries: Vec<_> = (0..60).map(|_| one_hot()).collect();
    check(Metric::Euclidean, &vectors, &queries, "islands");
}

#[test]
fn few_rows_are_answered_as_brute_force_does() {
    for metric in METRICS {
        for dim in [1, 3, 64, 100] {
            let (vectors, queries) = clustered(100, dim, 10);
            for rows in [1, 2, 31, 33, 100] {
                let records = records(&vectors[..rows]);
                let store = merged(options(metric), &records);
                for query in &queries {
                    for k in [1, K, 1000] {
                        check_exact(&store, &records, query, k, |query| query);
                    }
                }
            }
        }
    }
}

#[test]
fn a_store_of_no_rows_answers_nothing() {
    let store = options(Metric::Cosine).dim(DIM).open_in_memory().unwrap();
    let query = Query::new(vec![1.0; DIM]);
    assert_eq!(store.query(&query).unwrap(), []);
    store.compact().unwrap();
    store.upsert_many(crate::sets::batch(&records(&clustered(300, DIM, 0).0))).unwrap();
    store.compact().unwrap();
    assert_eq!(store.query(&query).unwrap().len(), K);
    let ids: Vec<String> =
        store.iter().unwrap().map(|record: Result<Record, _>| record.unwrap().id).collect();
    store.delete_many(ids.iter().map(String::as_str)).unwrap();
    assert_eq!(store.query(&query).unwrap(), []);
    store.compact().unwrap();
    assert_eq!(store.query(&query).unwrap(), []);
}

/// A graph of one row up to a few more than a block's.
#[test]
fn graphs_of_few_rows_find_them() {
    for metric in METRICS {
        let (vectors, queries) = clustered(70, DIM, 20);
        for (n, rows) in [1, 2, 5, 31, 32, 33, 40, 70].into_iter().enumerate() {
            let records = records(&vectors[..rows]);
            let layouts = [Quantization::Int8, Quantization::Int4, Quantization::None];
            for quantization in [Quantization::Auto, layouts[n % 3]] {
                let options = options(metric).quantization(quantization).graph_rows_min(0);
                let store = merged(options, &records);
                let recall = recall_by_distance(&store, &queries, rows);
                assert!(recall >= 0.9, "{metric:?}, {quantization:?}, {rows} rows: recall {recall}");
                for query in &queries {
                    check_exact(&store, &records, query, 1000, |query| query);
                }
            }
        }
    }
}

#[test]
fn as_many_as_there_are_or_more_are_all_found() {
    let (vectors, queries) = clustered(ROWS, DIM, 3);
    let layouts = [Quantization::Auto, Quantization::Int8, Quantization::Int4, Quantization::None];
    for (metric, quantization) in
        METRICS.into_iter().flat_map(|metric| layouts.map(|layout| (metric, layout)))
    {
        let store = merged(options(metric).quantization(quantization), &records(&vectors));
        assert_eq!(
            store.query(&Query::new(queries[0].as_slice()).filter(field("n").eq(1))).unwrap(),
            [],
            "a filter that nothing matches"
        );
        for k in [0, (1 << 24) + 1] {
            let error = store.query(&Query::new(queries[0].as_slice()).k(k)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
        for k in [900, ROWS - 1, ROWS, ROWS + 1, 1 << 24] {
            let options = QueryOptions::new().k(k);
            for found in answers(&store, &queries, &options) {
                assert_eq!(found.len(), k.min(ROWS));
            }
        }
        let options = QueryOptions::new().k(10).offset(ROWS - 3);
        assert_eq!(answers(&store, &queries, &options)[0].len(), 3);
    }
}
