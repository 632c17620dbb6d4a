//! Search quality against reviewed figures: `tests/quality/<metric>-<dim>.json`, for queries that are held out.
//!
//! After a change that is meant to move them, write them anew and review the difference:
//!
//! ```text
//! VECSTORE_WRITE_BASELINES=1 cargo nextest run -p vecstore index::tests::quality
//! ```

use std::collections::HashSet;
use std::path::PathBuf;

use serde_json::{Value, json};
use vecstore_kernels::{Kernels, Metric};
use vecstore_testkit::Clusters;

use crate::collection::Part;
use crate::index::{Beam, Scratch, Within, search, visits_max, width};
use crate::query::QueryOptions;
use crate::record::{Batch, Record};
use crate::store::VecStore;

const K: usize = 10;

/// The standard error of a recall of .95 is 0.25 points then, were neighbors missed one by one.
const QUERIES: usize = 700;

const RECALLS: [f32; 4] = [0.8, 0.9, 0.95, 0.99];

/// What is promised: the recall asked for, within one point.
const RECALL_BELOW: f64 = 0.01;

/// Against the figures on file, in points: what kernels that round differently move.
const RECALL_MOVES: f64 = 0.004;
/// As a share.
const EFFORT_MOVES: f64 = 0.03;

struct Set {
    metric: Metric,
    dim: usize,
    rows: usize,
}

impl Set {
    fn path(&self) -> PathBuf {
        let name = format!("{}-{}.json", self.metric.name(), self.dim);
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/quality").join(name)
    }

    fn measure(&self) -> Value {
        let mut clusters = Clusters::new(7, self.dim, 40);
        let store = VecStore::options().dim(self.dim).metric(self.metric).background(false);
        let store = store.threads(2).open_in_memory().unwrap();
        let mut batch = Batch::with_capacity(self.dim, self.rows).unwrap();
        for (row, vector) in clusters.vectors(self.rows).into_iter().enumerate() {
            batch.push(&Record::new(format!("{row}"), vector), None).unwrap();
        }
        store.upsert_many(batch).unwrap();
        store.compact().unwrap();
        let queries = clusters.vectors(QUERIES).concat();
        let answers = |options: QueryOptions| -> Vec<HashSet<String>> {
            let found = store.search_batch(&queries, self.dim, &options.k(K)).unwrap();
            found.iter().map(|hits| hits.iter().map(|hit| hit.id().unwrap().to_owned()).collect()).collect()
        };
        let truth = answers(QueryOptions::new().exact(true));
        let at = |recall: f32| {
            let found = answers(QueryOptions::new().recall(recall));
            let hits: usize = found.iter().zip(&truth).map(|(found, truth)| (found & truth).len()).sum();
            let (visits, estimates) = self.effort(&store, &queries, recall);
            json!({
                "asked": (f64::from(recall) * 100.0).round() / 100.0,
                "recall": (hits as f64 / (QUERIES * K) as f64 * 1e4).round() / 1e4,
                "visits": visits.round(),
                "estimates": estimates.round(),
            })
        };
        json!({ "rows": self.rows, "queries": QUERIES, "k": K, "at": RECALLS.map(at) })
    }

    /// Returns how many points a search visits, and how many candidates it keeps, on average.
    fn effort(&self, store: &VecStore, queries: &[f32], recall: f32) -> (f64, f64) {
        let snapshot = store.core.snapshot().unwrap();
        let [view] = &snapshot.parts[..] else { panic!("expected one part") };
        let Part::Segment(segment) = &view.part else { panic!("expected a segment") };
        let graph = segment.graph(self.metric).unwrap().expect("the segment has a graph");
        let beam = Beam {
            k: K,
            keep: 2 * K,
            slack: graph.slack(recall),
            width: width(graph.slack(recall), K),
            wanted: None,
            visits_max: visits_max(self.rows),
            within: Within::ALL,
        };
        let kernels = Kernels::detect();
        let (mut visits, mut estimates) = (0, 0);
        for query in queries.chunks_exact(self.dim) {
            let norm = if self.metric == Metric::Cosine { kernels.norm(query) } else { 1.0 };
            let query: Vec<f32> = query.iter().map(|value| value / norm).collect();
            let mut scratch = Scratch::default();
            let effort = search(&graph, kernels, &query, beam, &mut scratch, None, |_| Ok(true)).unwrap();
            visits += effort.visits;
            estimates += effort.estimates;
        }
        (visits as f64 / QUERIES as f64, estimates as f64 / QUERIES as f64)
    }

    #[expect(clippy::disallowed_methods, reason = "baselines are files of the repository, not of a store")]
    fn check(&self) {
        let found = self.measure();
        println!("{found:#}");
        if std::env::var_os("VECSTORE_WRITE_BASELINES").is_some() {
            std::fs::write(self.path(), format!("{found:#}\n")).unwrap();
        }
        let baseline: Value = serde_json::from_slice(&std::fs::read(self.path()).unwrap()).unwrap();
        let points = |value: &Value| value["at"].as_array().unwrap().clone();
        for (found, known) in points(&found).iter().zip(points(&baseline)) {
            let figure = |value: &Value, name: &str| value[name].as_f64().unwrap();
            let (asked, recall) = (figure(found, "asked"), figure(found, "recall"));
            assert!(recall >= asked - RECALL_BELOW, "recall {recall}, asked {asked}");
            let moved = recall - figure(&known, "recall");
            assert!(moved.abs() <= RECALL_MOVES, "asked {asked}: recall moved by {moved:.4}");
            for name in ["visits", "estimates"] {
                let ratio = figure(found, name) / figure(&known, name);
                assert!((ratio - 1.0).abs() <= EFFORT_MOVES, "asked {asked}: {name} moved by {ratio:.3}");
            }
        }
        assert_eq!(points(&found).len(), points(&baseline).len());
    }
}

#[test]
fn cosine_of_384_components_finds_what_is_asked_for_at_the_known_cost() {
    Set { metric: Metric::Cosine, dim: 384, rows: 10_000 }.check();
}

#[test]
fn cosine_of_32_components_finds_what_is_asked_for_at_the_known_cost() {
    Set { metric: Metric::Cosine, dim: 32, rows: 20_000 }.check();
}

#[test]
fn dot_of_100_components_finds_what_is_asked_for_at_the_known_cost() {
    Set { metric: Metric::Dot, dim: 100, rows: 15_000 }.check();
}

#[test]
fn dot_of_384_components_finds_what_is_asked_for_at_the_known_cost() {
    Set { metric: Metric::Dot, dim: 384, rows: 8_000 }.check();
}

#[test]
fn euclidean_of_100_components_finds_what_is_asked_for_at_the_known_cost() {
    Set { metric: Metric::Euclidean, dim: 100, rows: 15_000 }.check();
}

#[test]
fn euclidean_of_768_components_finds_what_is_asked_for_at_the_known_cost() {
    Set { metric: Metric::Euclidean, dim: 768, rows: 6_000 }.check();
}
