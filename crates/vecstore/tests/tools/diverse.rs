use vecstore::{Metric, MmrQuery};

use super::world::{DIM, METRICS, World};

#[test]
fn records_are_chosen_one_by_one() {
    for metric in METRICS {
        let mut world = World::new(metric, 4);
        for filter in world.filters() {
            for lambda in [0.0f32, 0.3, 0.5, 1.0] {
                let vector = world.rng.vector(DIM);
                let query = MmrQuery::new(vector.clone()).k(8).fetch_k(25).lambda(lambda).exact(true);
                let found = world.store.mmr_query(&query.filter(filter.clone())).unwrap();
                let ranked = world.ranked(filter.as_ref(), |record| world.score(&vector, &record.vector));
                let mut left = ranked[..ranked.len().min(25)].to_vec();
                let mut chosen: Vec<(String, f64)> = Vec::new();
                while chosen.len() < 8 && !left.is_empty() {
                    let vector_of = |id: &str| &world.records[id].vector;
                    let worth = |(id, score): &(String, f64)| {
                        let like =
                            chosen.iter().map(|(other, _)| world.score(vector_of(id), vector_of(other)));
                        match like.reduce(f64::max) {
                            Some(like) => f64::from(lambda) * score - (1.0 - f64::from(lambda)) * like,
                            None => *score,
                        }
                    };
                    let at =
                        (0..left.len()).rev().max_by(|&a, &b| worth(&left[a]).total_cmp(&worth(&left[b])));
                    let next = left.remove(at.unwrap());
                    chosen.push(next);
                }
                let got: Vec<&str> = found.iter().map(|neighbor| neighbor.id.as_str()).collect();
                let expected: Vec<&str> = chosen.iter().map(|(id, _)| id.as_str()).collect();
                assert_eq!(got, expected, "{metric} {lambda} {filter:?}");
            }
        }
    }
}

#[test]
fn bad_arguments_are_refused() {
    let world = World::new(Metric::Cosine, 5);
    for (query, expected) in [
        (MmrQuery::new([1.0; DIM]).lambda(1.5), "lambda"),
        (MmrQuery::new([1.0; DIM]).lambda(f32::NAN), "lambda"),
        (MmrQuery::new([1.0; DIM]).fetch_k(0), "fetch_k"),
        (MmrQuery::new([1.0; DIM]).k(1 << 20), "k and offset"),
    ] {
        assert!(world.store.mmr_query(&query).unwrap_err().message().contains(expected));
    }
}
