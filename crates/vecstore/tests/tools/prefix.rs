use vecstore::{ErrorKind, Metric, PrefixQuery};

use super::world::{DIM, METRICS, World, assert_best};

#[test]
fn the_best_by_a_prefix_are_ordered_by_whole_vectors() {
    const PREFIX: usize = 9;
    for metric in METRICS {
        let mut world = World::new(metric, 40);
        for filter in world.filters() {
            let vector = world.rng.vector(DIM);
            let mut ranked = world
                .ranked(filter.as_ref(), |record| world.score(&vector[..PREFIX], &record.vector[..PREFIX]));
            ranked.truncate(40);
            for (id, score) in &mut ranked {
                *score = world.score(&vector, &world.records[id].vector);
            }
            ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
            let query = PrefixQuery::new(vector.clone(), PREFIX).candidates(40).filter(filter.clone());
            let found = world.store.prefix_query(&query.clone().k(15)).unwrap();
            assert_best(&found, &ranked, 15, &format!("{metric} {filter:?}"));
            let least = found[found.len() / 2].score;
            let enough = world.store.prefix_query(&query.k(15).min_score(least)).unwrap();
            assert_eq!(enough, found[..=found.len() / 2]);
            // By all components it is exact search.
            let whole = PrefixQuery::new(vector.clone(), DIM).filter(filter.clone());
            let ranked = world.ranked(filter.as_ref(), |record| world.score(&vector, &record.vector));
            assert_best(&world.store.prefix_query(&whole).unwrap(), &ranked, 10, "whole");
        }
    }
}

#[test]
fn a_prefix_is_part_of_a_vector() {
    let world = World::new(Metric::Cosine, 41);
    for prefix_dim in [0, DIM + 1] {
        let error = world.store.prefix_query(&PrefixQuery::new([1.0; DIM], prefix_dim)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    let mut vector = [1.0; DIM];
    vector[..3].fill(0.0);
    let error = world.store.prefix_query(&PrefixQuery::new(vector, 3)).unwrap_err();
    assert!(error.message().contains("first 3 components"), "{error}");
}
