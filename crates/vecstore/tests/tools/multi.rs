use std::collections::BTreeMap;

use vecstore::{
    ErrorKind, Metadata, Metric, MultiQuery, MultiVector, PrefetchQuery, Query, QueryStage, Record, Rerank,
    Value, VecStore, field,
};
use vecstore_testkit::Rng;

use super::world::{METRICS, World, assert_best};

const DIM: usize = super::world::DIM;

fn tokens(rng: &mut Rng, count: usize) -> MultiVector {
    MultiVector::new(DIM, rng.vector(DIM * count)).unwrap()
}

/// Gives every second record several vectors.
fn with_tokens(world: &mut World) {
    for (n, (id, record)) in world.records.iter_mut().enumerate().filter(|(n, _)| n % 2 == 0) {
        let vectors = tokens(&mut world.rng, 1 + n % 9);
        record.vector = world.store.mean_vector(&vectors).unwrap();
        record.vectors = Some(vectors);
        world.store.upsert_record(record, None).unwrap();
        assert_eq!(world.store.get(id).unwrap().unwrap(), *record);
    }
}

fn max_sim(world: &World, query: &MultiVector, record: &Record) -> f64 {
    let best = |query: &[f32]| match &record.vectors {
        Some(vectors) => {
            vectors.iter().map(|vector| world.score(query, vector)).fold(f64::NEG_INFINITY, f64::max)
        }
        None => world.score(query, &record.vector),
    };
    query.iter().map(best).sum()
}

#[test]
fn exact_search_is_max_sim_over_all() {
    for metric in METRICS {
        let mut world = World::new(metric, 30);
        with_tokens(&mut world);
        for (round, filter) in world.filters().into_iter().enumerate() {
            if round == 1 {
                world.store.compact().unwrap();
            }
            let vectors = tokens(&mut world.rng, 1 + 3 * round);
            let ranked = world.ranked(filter.as_ref(), |record| max_sim(&world, &vectors, record));
            let what = format!("{metric} {filter:?}");
            let query = MultiQuery::new(vectors.clone()).filter(filter.clone()).k(12).exact(true);
            assert_best(&world.store.multi_query(&query).unwrap(), &ranked, 12, &what);
            // All records as candidates are all records.
            let all = query.clone().exact(false).candidates(5000);
            assert_best(&world.store.multi_query(&all).unwrap(), &ranked, 12, &what);
            if filter.is_none() {
                let page = world.store.multi_query(&query.offset(4)).unwrap();
                assert_best(&page, &ranked[4..].to_vec(), 12, &what);
                let search = Query::new(world.rng.vector(DIM)).k(1000).exact(true).into();
                let stages = [search, QueryStage::rerank(Rerank::Vectors(vectors.clone()))];
                let staged = world.store.prefetch_query(&PrefetchQuery::new(stages)).unwrap();
                assert_best(&staged, &ranked, 10, &what);
                let stage = MultiQuery::new(vectors).k(3).exact(true).into();
                assert_best(
                    &world.store.prefetch_query(&PrefetchQuery::new([stage])).unwrap(),
                    &ranked,
                    3,
                    &what,
                );
            }
        }
    }
}

#[test]
fn the_vectors_survive_all_that_happens_to_records() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let mut rng = Rng::new(31);
    let mut expected = BTreeMap::new();
    let store = VecStore::open(&path).unwrap();
    for n in 0..40 {
        let (id, vectors) = (format!("m{n}"), tokens(&mut rng, 1 + n % 5));
        store.upsert_multi(&id, &vectors, &Metadata::from([("n", Value::from(n as i64))])).unwrap();
        expected.insert(id, vectors);
    }
    store.upsert("plain", &rng.vector(DIM), &Metadata::new()).unwrap();
    let check = |store: &VecStore| {
        assert!(store.verify().unwrap().is_ok());
        for (id, vectors) in &expected {
            assert_eq!(store.get(id).unwrap().unwrap().vectors.as_ref(), Some(vectors), "{id}");
        }
        assert_eq!(store.get("plain").unwrap().unwrap().vectors, None);
    };
    check(&store);
    store.close().unwrap();
    let store = VecStore::open(&path).unwrap();
    check(&store);
    store.compact().unwrap();
    check(&store);
    store.patch_metadata("m1", &Metadata::from([("x", 1.into())])).unwrap();
    store.index_text("m2", "words").unwrap();
    check(&store);
    assert_eq!(store.count(&field("n").gte(0)).unwrap(), 40);
    let backup = directory.path().join("backup");
    store.backup(&backup, true).unwrap();
    store.compact().unwrap();
    store.close().unwrap();
    let restored = directory.path().join("restored");
    vecstore::VecDatabase::restore_backup(&backup, &restored).unwrap();
    check(&VecStore::open(&restored).unwrap());
    let store = VecStore::open(&path).unwrap();
    check(&store);
    // One vector takes the place of all.
    store.update_vector("m3", &[1.0; DIM]).unwrap();
    assert_eq!(store.get("m3").unwrap().unwrap().vectors, None);
}

#[test]
fn the_vector_of_several_is_their_mean() {
    let store = VecStore::options().open_in_memory().unwrap();
    let several = |components: &[f32]| MultiVector::new(2, components.to_vec()).unwrap();
    let mean = |components: &[f32]| store.mean_vector(&several(components)).unwrap();
    assert_eq!(mean(&[2.0, 0.0, 0.0, 8.0]), [0.5, 0.5]);
    // A vector of zeros has no direction, and these two have none together.
    assert_eq!(mean(&[0.0, 0.0, 0.0, 1.0]), [0.0, 0.5]);
    assert_eq!(mean(&[3.0, 0.0, -3.0, 0.0]), [3.0, 0.0]);
    assert!(store.mean_vector(&several(&[0.0, 0.0])).is_err());
    store.upsert_multi("padded", &several(&[0.0, 0.0, 0.0, 1.0]), &Metadata::new()).unwrap();
    let found = store.multi_query(&MultiQuery::new(several(&[0.0, -1.0])).exact(true)).unwrap();
    assert_eq!(found[0].score, 0.0);
}

#[test]
fn bad_vectors_are_refused() {
    for (dim, components) in [(2, vec![]), (2, vec![1.0]), (0, vec![1.0]), (2, vec![1.0, f32::NAN])] {
        assert_eq!(MultiVector::new(dim, components).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    let world = World::new(Metric::Cosine, 32);
    let other = MultiVector::new(3, vec![1.0; 6]).unwrap();
    let error = world.store.multi_query(&MultiQuery::new(other.clone())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DimensionMismatch);
    assert!(world.store.upsert_multi("x", &other, &Metadata::new()).is_err());
    let record = Record::new("x", vec![1.0; DIM]).with_vectors(other);
    assert_eq!(world.store.upsert_record(&record, None).unwrap_err().kind(), ErrorKind::DimensionMismatch);
}

/// Means say little of tokens that have nothing to do with each other: then it takes more candidates.
#[test]
fn candidates_become_more_as_long_as_that_changes_the_best() {
    let mut rng = Rng::new(11);
    let store = VecStore::options().open_in_memory().unwrap();
    for n in 0..3000 {
        store.upsert_multi(&n.to_string(), &tokens(&mut rng, 12), &Metadata::new()).unwrap();
    }
    let (mut few, mut default) = (0, 0);
    for _ in 0..10 {
        let query = MultiQuery::new(tokens(&mut rng, 6));
        let ids = |query: &MultiQuery| -> Vec<String> {
            store.multi_query(query).unwrap().into_iter().map(|found| found.id).collect()
        };
        let best = ids(&query.clone().exact(true));
        let share = |found: Vec<String>| found.iter().filter(|id| best.contains(id)).count();
        few += share(ids(&query.clone().candidates(200)));
        default += share(ids(&query));
    }
    assert!(few < 80 && default >= 90, "{few} and {default} of 100");
}
