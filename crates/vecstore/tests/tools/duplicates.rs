use std::collections::BTreeMap;
use std::time::Duration;

use vecstore::{Batch, DuplicateQuery, ErrorKind, Metadata, Metric, Query, Record, VecStore, field};
use vecstore_testkit::Rng;

use super::world::{DIM, World};

/// Returns vectors of which many are like others.
fn alike(rng: &mut Rng, count: usize) -> Vec<Vec<f32>> {
    let centers: Vec<Vec<f32>> = (0..count / 6).map(|_| rng.vector(DIM)).collect();
    let near = |rng: &mut Rng| {
        let center = &centers[rng.below(centers.len() as u64) as usize];
        let spread = [0.0, 0.05, 0.3][rng.below(3) as usize];
        center.iter().map(|&value| value + spread * rng.component()).collect()
    };
    (0..count).map(|_| near(rng)).collect()
}

#[test]
fn without_duplicates_no_two_records_are_alike() {
    for metric in [Metric::Cosine, Metric::Euclidean] {
        let mut world = World::new(metric, 20);
        for (n, vector) in alike(&mut world.rng, 600).into_iter().enumerate() {
            let id = format!("r{n}");
            if let Some(record) = world.records.get_mut(&id) {
                world.store.update_vector(&id, &vector).unwrap();
                record.vector = vector;
            }
        }
        let threshold = if metric == Metric::Cosine { 0.99f32 } else { 0.6 };
        for filter in world.filters() {
            let query = DuplicateQuery::new(threshold).filter(filter.clone()).recall(1.0);
            let found = world.store.find_duplicates(&query).unwrap();
            let listed = world.ranked(filter.as_ref(), |_| 0.0);
            let mut kept: Vec<&String> = Vec::new();
            let mut expected = BTreeMap::new();
            for (id, _) in &listed {
                let vector = &world.records[id].vector;
                let like = kept.iter().map(|other| world.score(vector, &world.records[*other].vector));
                match like.reduce(f64::max).filter(|&best| best >= f64::from(threshold)) {
                    Some(best) => _ = expected.insert(id.clone(), best),
                    None => kept.push(id),
                }
            }
            assert_eq!(
                found.iter().map(|found| &found.id).collect::<Vec<_>>(),
                expected.keys().collect::<Vec<_>>()
            );
            assert!(filter.is_some() || found.len() > 50);
            for found in found {
                assert!((f64::from(found.score) - expected[&found.id]).abs() < 1e-4);
                let of = &world.records[&found.of].vector;
                let score = world.score(&world.records[&found.id].vector, of);
                assert!((f64::from(found.score) - score).abs() < 1e-4);
                assert!(kept.contains(&&found.of));
            }
        }
    }
}

#[test]
fn what_is_like_another_is_left_out() {
    let mut rng = Rng::new(21);
    let vectors = alike(&mut rng, 700);
    for (chunk, is_compacted) in [(700, false), (100, true), (1, false)] {
        let store = VecStore::options().open_in_memory().unwrap();
        let query = DuplicateQuery::new(0.99).recall(1.0);
        let mut kept: Vec<usize> = Vec::new();
        let (mut written, mut left_out) = (0, Vec::new());
        for (start, some) in (0..).step_by(chunk).zip(vectors.chunks(chunk)) {
            let mut batch = Batch::new(DIM).unwrap();
            for (n, vector) in (start..).zip(some) {
                batch.push(&Record::new(format!("{n:03}"), vector.clone()), None).unwrap();
            }
            let outcome = store.upsert_unique(batch, &query).unwrap();
            written += outcome.written;
            left_out.extend(outcome.duplicates);
            if is_compacted {
                store.compact().unwrap();
            }
        }
        let score = vecstore_testkit::exact_distance("cosine").unwrap();
        for (n, vector) in vectors.iter().enumerate() {
            let like = kept.iter().any(|&other| 1.0 - score(vector, &vectors[other]) >= 0.99);
            if !like {
                kept.push(n);
            }
        }
        let expected: Vec<String> = kept.iter().map(|n| format!("{n:03}")).collect();
        let got: Vec<String> = store.iter().unwrap().map(|record| record.unwrap().id).collect();
        assert_eq!(got, expected, "{chunk}");
        assert_eq!((written, left_out.len()), (expected.len(), 700 - expected.len()));
        assert!(left_out.iter().all(|found| found.score >= 0.99 && expected.contains(&found.of)));
    }
}

#[test]
fn a_record_is_no_duplicate_of_itself_or_of_what_nobody_sees() {
    let store = VecStore::options().open_in_memory().unwrap();
    let upsert = |id: &str| {
        let mut batch = Batch::new(2).unwrap();
        batch.push(&Record::new(id, [1.0, 0.0]), None).unwrap();
        store.upsert_unique(batch, &DuplicateQuery::new(0.9)).unwrap().written
    };
    assert_eq!((upsert("a"), upsert("a"), upsert("b")), (1, 1, 0));
    store.soft_delete("a").unwrap();
    assert_eq!(upsert("b"), 1);
    store.set_ttl("b", Some(Duration::ZERO)).unwrap();
    assert_eq!((upsert("c"), upsert("d")), (1, 0));
    let nan = DuplicateQuery::new(f32::NAN);
    assert_eq!(store.find_duplicates(&nan).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(store.find_duplicates(&DuplicateQuery::new(0.5).recall(0.0)).is_err());
}

#[test]
fn threads_that_bring_the_same_do_not_both_bring_it() {
    let store = VecStore::options().open_in_memory().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..50 {
                    let mut batch = Batch::new(2).unwrap();
                    let angle = n as f32 / 50.0;
                    let record = Record::new(format!("{thread}-{n}"), [angle.cos(), angle.sin()]);
                    batch.push(&record, None).unwrap();
                    store.upsert_unique(batch, &DuplicateQuery::new(0.999_95)).unwrap();
                }
            });
        }
    });
    assert_eq!(store.len().unwrap(), 50);
}

#[test]
fn unique_records_survive_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = VecStore::open(&path).unwrap();
    let mut batch = Batch::new(2).unwrap();
    for (id, vector) in [("a", [1.0, 0.0]), ("b", [1.0, 0.001]), ("c", [0.0, 1.0])] {
        let metadata = Metadata::from([("id", id.into())]);
        batch.push(&Record::new(id, vector).with_metadata(metadata).with_text(id), None).unwrap();
    }
    store.upsert_unique(batch, &DuplicateQuery::new(0.98)).unwrap();
    store.close().unwrap();
    let store = VecStore::open(&path).unwrap();
    assert_eq!(store.len().unwrap(), 2);
    let found = store.query(&Query::new([0.0, 1.0]).filter(field("id").eq("c"))).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(store.text("c").unwrap().as_deref(), Some("c"));
}
