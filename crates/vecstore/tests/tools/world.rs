//! A store with a segment, rows in memory, and rows that nobody must see; beside it what is to be seen.

use std::collections::BTreeMap;
use std::time::Duration;

use vecstore::{DateTime, Durability, Filter, Metadata, Metric, Neighbor, Record, Value, VecStore, field};
use vecstore_testkit::{ExactDistance, Rng, exact_distance};

pub(crate) const DIM: usize = 33;
pub(crate) const METRICS: [Metric; 4] = [Metric::Cosine, Metric::Dot, Metric::Euclidean, Metric::Manhattan];
const ROWS: usize = 600;

pub(crate) struct World {
    pub(crate) store: VecStore,
    pub(crate) records: BTreeMap<String, Record>,
    pub(crate) rng: Rng,
    metric: Metric,
    distance: ExactDistance,
}

/// Something scored by the definition.
pub(crate) type Ranked = Vec<(String, f64)>;

impl World {
    pub(crate) fn new(metric: Metric, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let store = VecStore::options().metric(metric).durability(Durability::None).open_in_memory().unwrap();
        let mut records = BTreeMap::new();
        for n in 0..ROWS {
            let record = record(&mut rng, n);
            store.upsert_record(&record, None).unwrap();
            records.insert(record.id.clone(), record);
            if n == ROWS * 2 / 3 {
                store.compact().unwrap();
            }
        }
        for n in (0..ROWS).step_by(7) {
            let id = format!("r{n}");
            match n % 4 {
                0 => assert!(store.delete(&id).unwrap()),
                1 => assert!(store.soft_delete(&id).unwrap()),
                2 => store.set_ttl(&id, Some(Duration::ZERO)).unwrap(),
                _ => {
                    let replaced = record(&mut rng, n);
                    store.upsert_record(&replaced, None).unwrap();
                    records.insert(id, replaced);
                    continue;
                }
            }
            records.remove(&id);
        }
        let distance = exact_distance(metric.name()).unwrap();
        Self { store, records, rng, metric, distance }
    }

    pub(crate) fn score(&self, a: &[f32], b: &[f32]) -> f64 {
        let distance = (self.distance)(a, b);
        match self.metric {
            Metric::Cosine => 1.0 - distance,
            Metric::Dot => -distance,
            _ => 1.0 / (1.0 + distance),
        }
    }

    /// Scores all records that match a filter, best first.
    pub(crate) fn ranked(&self, filter: Option<&Filter>, score: impl Fn(&Record) -> f64) -> Ranked {
        let matcher = filter.map(|filter| filter.compile().unwrap());
        let mut ranked: Ranked = Vec::new();
        for record in self.records.values() {
            let document = vecstore::metadata::encode(&record.metadata).unwrap();
            let document = vecstore::metadata::DocumentRef::new(&document).unwrap();
            if matcher.as_ref().is_none_or(|matcher| matcher.matches(document)) {
                ranked.push((record.id.clone(), score(record)));
            }
        }
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        ranked
    }

    pub(crate) fn filters(&self) -> [Option<Filter>; 3] {
        [None, Some(field("n").lt(300)), Some(field("rare").eq(true))]
    }
}

/// Checks that what was found are the best of a ranking, but for rounding.
pub(crate) fn assert_best(found: &[Neighbor], ranked: &Ranked, k: usize, what: &str) {
    assert_eq!(found.len(), k.min(ranked.len()), "{what}: the number of neighbors");
    let scores: BTreeMap<&str, f64> = ranked.iter().map(|(id, score)| (id.as_str(), *score)).collect();
    assert_scores(found, &scores, what);
    for (at, (neighbor, (id, score))) in found.iter().zip(ranked).enumerate() {
        let error = (f64::from(neighbor.score) - score).abs();
        assert!(error <= 1e-4 * (1.0 + score.abs()), "{what}, {at}: {neighbor:?}, expected {id} {score}");
    }
}

/// Checks that each neighbor is there once, with its score.
pub(crate) fn assert_scores(found: &[Neighbor], scores: &BTreeMap<&str, f64>, what: &str) {
    let mut seen = std::collections::BTreeSet::new();
    for neighbor in found {
        assert!(seen.insert(&neighbor.id), "{what}: {} is there twice", neighbor.id);
        let score =
            scores.get(neighbor.id.as_str()).unwrap_or_else(|| panic!("{what}: {} is unwanted", neighbor.id));
        let error = (f64::from(neighbor.score) - score).abs();
        assert!(error <= 1e-4 * (1.0 + score.abs()), "{what}: {neighbor:?} scores {score}");
    }
}

fn record(rng: &mut Rng, n: usize) -> Record {
    // Most records are of one group.
    let group = if rng.one_in(12) { 1 + rng.below(5) } else { 0 };
    let mut metadata = Metadata::from([
        ("n", Value::from(n as i64)),
        ("stars", Value::from(rng.below(100) as f64 / 10.0 - 1.0)),
        ("rare", Value::from(rng.one_in(20))),
    ]);
    if !rng.one_in(10) {
        metadata.insert("group", Value::from(format!("g{group}")));
        metadata.insert("day", Value::from(DateTime::new(day_micros(rng.below(100)), 3600).unwrap()));
        let tags: Vec<Value> = (0..rng.below(4)).map(|_| Value::from(rng.below(6) as i64)).collect();
        metadata.insert("tags", Value::from(tags));
    }
    let word = ["red", "green", "blue"][rng.below(3) as usize];
    let mut record = Record::new(format!("r{n}"), rng.vector(DIM)).with_metadata(metadata);
    if !rng.one_in(3) {
        record = record.with_text(format!("a {word} thing {n}"));
    }
    record
}

/// Returns the start of a day, in microseconds.
pub(crate) fn day_micros(day: u64) -> i64 {
    (19_000 + day as i64) * 86_400_000_000
}
