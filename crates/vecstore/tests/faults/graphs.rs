//! Damage to graphs, and graphs that somebody made up: right answers by a scan, or typed errors.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use vecstore::{
    Durability, ErrorKind, Metric, OpenOptions, Quantization, Query, Record, SearchMethod, VecStore, field,
};
use vecstore_testkit::{Clusters, FaultVfs, Rng, exact_distance};

use crate::hostile::{find, put_segment, put_u32, u64_at};
use crate::subject::{PATH, options};

const DIM: usize = 32;
const ROWS: usize = 400;
const METRICS: [Metric; 3] = [Metric::Cosine, Metric::Dot, Metric::Euclidean];

/// Kinds of sections in a segment, as its format numbers them.
const GRAPH: std::ops::RangeInclusive<u32> = 12..=17;

struct Sample {
    disk: FaultVfs,
    metric: Metric,
    quantization: Quantization,
    records: BTreeMap<String, Record>,
    queries: Vec<Vec<f32>>,
}

fn with_graphs(disk: &FaultVfs, metric: Metric, quantization: Quantization) -> OpenOptions {
    options(disk, Durability::Commit).metric(metric).quantization(quantization).graph_rows_min(100)
}

fn sample(metric: Metric) -> Sample {
    sample_of(metric, Quantization::Auto)
}

fn sample_of(metric: Metric, quantization: Quantization) -> Sample {
    let disk = FaultVfs::new();
    let mut clusters = Clusters::new(71, DIM, 10);
    let record = |(n, vector): (usize, Vec<f32>)| {
        let metadata = vecstore::Metadata::from([("n", vecstore::Value::Int(n as i64))]);
        (format!("{n:05}"), Record::new(format!("{n:05}"), vector).with_metadata(metadata))
    };
    let records: BTreeMap<String, Record> =
        clusters.vectors(ROWS).into_iter().enumerate().map(record).collect();
    let queries = clusters.vectors(6);
    let store = with_graphs(&disk, metric, quantization).open(PATH).unwrap();
    let mut batch = vecstore::Batch::new(DIM).unwrap();
    records.values().for_each(|record| batch.push(record, None).unwrap());
    store.upsert_many(batch).unwrap();
    store.compact().unwrap();
    store.close().unwrap();
    assert!(has_graph(&disk));
    Sample { disk, metric, quantization, records, queries }
}

/// Returns the path of the only segment and its sections.
fn segment(disk: &FaultVfs) -> (PathBuf, Vec<(u32, Range<u64>)>) {
    let path = find(disk, ".seg").pop().unwrap();
    let bytes = disk.read(&path).unwrap();
    let footer = u64_at(&bytes, bytes.len() - 32) as usize;
    let count = u32::from_le_bytes(bytes[footer + 52..footer + 56].try_into().unwrap()) as usize;
    let section = |n: usize| {
        let at = footer + 56 + n * 24;
        let start = u64_at(&bytes, at + 8);
        (bytes[at].into(), start..start + u64_at(&bytes, at + 16))
    };
    (path, (0..count).map(section).collect())
}

fn has_graph(disk: &FaultVfs) -> bool {
    segment(disk).1.iter().any(|(kind, _)| GRAPH.contains(kind))
}

impl Sample {
    /// Asks everything. Each answer is of records there are, each once, with their distances, best first; returns the
    /// share of the nearest that were found, or the first error.
    fn ask(&self, store: &VecStore) -> Result<f64, vecstore::Error> {
        let distance = exact_distance(self.metric.name()).unwrap();
        let (mut near, mut all) = (0, 0);
        for (n, vector) in self.queries.iter().enumerate() {
            let below = if n % 2 == 0 { ROWS as i64 } else { 300 };
            let mut query = Query::new(vector.as_slice()).k(10);
            if n % 2 == 1 {
                query = query.filter(field("n").lt(below));
            }
            let found = store.query(&query)?;
            let matching = self.records.values().filter(|record| record.id < format!("{below:05}"));
            let mut truth: Vec<f64> = matching.map(|record| distance(vector, &record.vector)).collect();
            truth.sort_by(f64::total_cmp);
            assert_eq!(found.len(), 10);
            let mut ids: Vec<&str> = found.iter().map(|hit| hit.id.as_str()).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), 10, "a record is found twice: {found:?}");
            assert!(found.is_sorted_by(|a, b| a.distance <= b.distance));
            for hit in &found {
                let record = &self.records[&hit.id];
                let right = distance(vector, &record.vector);
                assert!(
                    (f64::from(hit.distance) - right).abs() <= 1e-4 * right.abs().max(1.0),
                    "{hit:?}: {right}"
                );
                assert_eq!(hit.metadata.as_ref(), Some(&record.metadata));
                assert!(record.id < format!("{below:05}"));
                near += usize::from(right <= truth[9] + 1e-4 * truth[9].abs());
                all += 1;
            }
        }
        Ok(f64::from(near as u32) / f64::from(all))
    }

    /// Flips a bit and asks. Returns whether all was answered.
    fn flip(&self, path: &Path, at: u64, is_graph: bool) -> bool {
        let what = format!("{} {:?} at {at}", self.metric.name(), self.quantization);
        let disk = self.disk.fork();
        disk.flip(path, at, 0x10).unwrap();
        let store = with_graphs(&disk, self.metric, self.quantization).open(PATH).unwrap();
        let answered = match self.ask(&store) {
            Ok(recall) => {
                assert!(recall >= 0.9, "{what}: recall {recall}");
                true
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Corrupted, "{what}: {error}");
                false
            }
        };
        let report = store.verify().unwrap();
        assert!(report.problems.iter().any(|problem| problem.path == path), "{what}: verify saw nothing");
        match store.compact() {
            // The same block holds what cannot be made again.
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupted, "{what}: {error}"),
            Ok(_) if is_graph => {
                store.close().unwrap();
                let (new, _) = segment(&disk);
                assert_ne!(new, path, "{what}: the graph was not built again");
                assert!(has_graph(&disk), "{what}");
                let store = with_graphs(&disk, self.metric, self.quantization).open(PATH).unwrap();
                assert!(store.verify().unwrap().is_ok());
                assert!(self.ask(&store).unwrap() >= 0.9);
                let plan = store.explain(&Query::new(self.queries[0].as_slice())).unwrap();
                assert_eq!(plan.steps[0].method, SearchMethod::GraphWalk, "{what}");
            }
            Ok(_) => {}
        }
        answered
    }
}

#[test]
fn a_damaged_graph_is_left_for_a_scan_named_by_verify_and_built_again() {
    for (metric, quantization) in [
        (Metric::Cosine, Quantization::Auto),
        (Metric::Dot, Quantization::Auto),
        (Metric::Cosine, Quantization::Int8),
        (Metric::Euclidean, Quantization::Int4),
        (Metric::Cosine, Quantization::None),
    ] {
        let sample = sample_of(metric, quantization);
        let (path, sections) = segment(&sample.disk);
        let mut answered = 0;
        for (kind, range) in sections.into_iter().filter(|(kind, _)| GRAPH.contains(kind)) {
            let quarter = (range.end - range.start) / 4;
            let within = (0..4).map(|n| range.start + n * quarter);
            for at in within.chain([range.end - 1]) {
                answered += usize::from(sample.flip(&path, at, true));
            }
            println!("{} {kind}: {range:?}, {answered} answered so far", metric.name());
        }
        assert!(answered > 1, "all is in one block");
    }
}

#[test]
fn damage_beside_a_graph_makes_no_wrong_answer() {
    for metric in [Metric::Cosine, Metric::Euclidean] {
        let sample = sample(metric);
        let (path, sections) = segment(&sample.disk);
        for (_, range) in sections.into_iter().filter(|(kind, _)| !GRAPH.contains(kind)) {
            for n in 0..2 {
                sample.flip(&path, range.start + (range.end - range.start - 1) * n, false);
            }
        }
    }
}

/// Words as they may be forged: numbers beyond any row, and what is no number or none that lengths have.
const WORDS: [u32; 8] = [0, 1, 399, 400, u32::MAX, 0x7FC0_0000, 0x7F80_0000, 0xFF7F_FFFF];

#[test]
fn a_forged_graph_is_refused_or_harmless() {
    for metric in METRICS {
        let sample = sample(metric);
        let (path, sections) = segment(&sample.disk);
        let original = sample.disk.read(&path).unwrap();
        let mut rng = Rng::new(6);
        for (kind, range) in sections.into_iter().filter(|(kind, _)| GRAPH.contains(kind)) {
            let words = (range.end - range.start) / 4;
            for turn in 0..if kind == 12 { 8 * words } else { 60 } {
                let mut bytes = original.clone();
                let word = WORDS[turn as usize % WORDS.len()];
                let mut put = |n: u64| put_u32(&mut bytes, (range.start + 4 * n) as usize, word);
                match kind {
                    12 => put(turn / 8),
                    // Everything, a run of words, or many here and there.
                    _ if turn < 8 => (0..words).for_each(put),
                    _ if turn < 30 => {
                        let start = rng.below(words);
                        (start..words.min(start + 300)).for_each(put);
                    }
                    _ => (0..words / 20).for_each(|_| put(rng.below(words))),
                }
                let disk = sample.disk.fork();
                put_segment(&disk, &path, &mut bytes);
                let store = with_graphs(&disk, metric, Quantization::Auto).open(PATH).unwrap();
                match sample.ask(&store) {
                    Ok(_) => {}
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupted, "{error}"),
                }
            }
        }
    }
}

#[test]
fn forged_lengths_of_a_graph_are_refused_or_harmless() {
    for metric in METRICS {
        let sample = sample(metric);
        let (path, sections) = segment(&sample.disk);
        let original = sample.disk.read(&path).unwrap();
        let footer = u64_at(&original, original.len() - 32) as usize;
        for (n, (_, range)) in sections.iter().enumerate().filter(|(_, (kind, _))| GRAPH.contains(kind)) {
            let len = range.end - range.start;
            let lengths = [
                0,
                1,
                31,
                32,
                64,
                len.saturating_sub(64),
                len - 1,
                len + 1,
                len + 64,
                footer as u64 - range.start,
            ];
            let starts = [0, 1, range.start - 64, range.start + 1, range.start + 64, footer as u64, u64::MAX];
            for (at, value) in starts.map(|start| (8, start)).into_iter().chain(lengths.map(|len| (16, len)))
            {
                let mut bytes = original.clone();
                crate::hostile::put_u64(&mut bytes, footer + 56 + n * 24 + at, value);
                let disk = sample.disk.fork();
                put_segment(&disk, &path, &mut bytes);
                let outcome = with_graphs(&disk, metric, Quantization::Auto)
                    .open(PATH)
                    .and_then(|store| sample.ask(&store));
                if let Err(error) = outcome {
                    assert_eq!(error.kind(), ErrorKind::Corrupted, "{error}");
                }
            }
        }
    }
}
