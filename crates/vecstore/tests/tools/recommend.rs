use std::collections::BTreeSet;

use vecstore::{ErrorKind, Example, IdQuery, Metric, RecommendQuery, Strategy};

use super::world::{DIM, METRICS, World, assert_best};

fn unit(metric: Metric, vector: &[f32]) -> Vec<f64> {
    let norm = vector.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt();
    let by = if metric == Metric::Cosine { norm } else { 1.0 };
    vector.iter().map(|&v| f64::from(v) / by).collect()
}

fn average(metric: Metric, positive: &[Vec<f32>], negative: &[Vec<f32>]) -> Vec<f32> {
    let mean = |vectors: &[Vec<f32>], at: usize| {
        vectors.iter().map(|vector| unit(metric, vector)[at]).sum::<f64>() / vectors.len() as f64
    };
    let component = |at| match negative {
        [] => mean(positive, at),
        _ => 2.0 * mean(positive, at) - mean(negative, at),
    };
    (0..DIM).map(|at| component(at) as f32).collect()
}

#[test]
fn every_strategy_is_its_definition() {
    for metric in METRICS {
        let mut world = World::new(metric, 1);
        for (positives, negatives) in [(1, 0), (3, 2), (2, 1), (0, 2)] {
            let ids: Vec<String> = world.records.keys().cloned().collect();
            let mut query = RecommendQuery::new().k(13).exact(true);
            let (mut vectors, mut excluded) = ([Vec::new(), Vec::new()], BTreeSet::new());
            for n in 0..positives + negatives {
                let is_positive = n < positives;
                let id = &ids[world.rng.below(ids.len() as u64) as usize];
                let (example, vector) = if world.rng.one_in(3) {
                    let vector = world.rng.vector(DIM);
                    (Example::Vector(vector.clone()), vector)
                } else {
                    excluded.insert(id.clone());
                    (Example::Id(id.clone()), world.records[id].vector.clone())
                };
                vectors[usize::from(!is_positive)].push(vector);
                query = if is_positive { query.like(example) } else { query.unlike(example) };
            }
            let [positive, negative] = vectors;
            for strategy in Strategy::ALL {
                for filter in world.filters() {
                    let what = format!("{metric} {strategy} +{positives} -{negatives} {filter:?}");
                    let query = query.clone().strategy(strategy).filter(filter.clone());
                    if strategy == Strategy::AverageVector && positive.is_empty() {
                        assert_eq!(
                            world.store.recommend(&query).unwrap_err().kind(),
                            ErrorKind::InvalidInput
                        );
                        continue;
                    }
                    let found = world.store.recommend(&query).unwrap();
                    let scores = |vectors: &[Vec<f32>], of: &[f32]| -> Vec<f64> {
                        vectors.iter().map(|vector| world.score(vector, of)).collect()
                    };
                    let best = |scores: &[f64]| scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let squeezed = |score: f64| (1.0 + score / (1.0 + score.abs())) / 2.0;
                    let mut ranked = world.ranked(filter.as_ref(), |record| {
                        let (up, down) =
                            (scores(&positive, &record.vector), scores(&negative, &record.vector));
                        match strategy {
                            Strategy::BestScore if best(&up) > best(&down) => squeezed(best(&up)),
                            Strategy::BestScore => -squeezed(best(&down)),
                            Strategy::SumScores => up.iter().sum::<f64>() - down.iter().sum::<f64>(),
                            _ => world.score(&average(metric, &positive, &negative), &record.vector),
                        }
                    });
                    ranked.retain(|(id, _)| !excluded.contains(id));
                    assert_best(&found, &ranked, 13, &what);
                    // The tuned search finds about the same.
                    let tuned = world.store.recommend(&query.exact(false).recall(0.99)).unwrap();
                    let same =
                        tuned.iter().filter(|neighbor| found.iter().any(|other| other.id == neighbor.id));
                    assert!(same.count() * 10 >= found.len() * 8, "{what}");
                }
            }
        }
    }
}

#[test]
fn records_like_one_leave_it_out() {
    let world = World::new(Metric::Cosine, 2);
    let (id, record) = world.records.iter().nth(100).unwrap();
    let query = IdQuery::new(id.as_str()).k(7).exact(true);
    let mut ranked = world.ranked(None, |other| world.score(&record.vector, &other.vector));
    let with_itself = world.store.query_by_id(&query.clone().include_itself()).unwrap();
    assert_eq!(&with_itself[0].id, id);
    assert_best(&with_itself, &ranked, 7, "with itself");
    ranked.retain(|(other, _)| other != id);
    assert_best(&world.store.query_by_id(&query).unwrap(), &ranked, 7, "without");
    let page = world.store.query_by_id(&query.offset(3).k(4)).unwrap();
    assert_best(&page, &ranked[3..].to_vec(), 4, "a page");
}

#[test]
fn an_example_that_is_not_there_is_an_error() {
    let world = World::new(Metric::Cosine, 3);
    // The last two are soft-deleted and expired.
    for id in ["nobody", "r21", "r14"] {
        let error = world.store.recommend(&RecommendQuery::new().like(id)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{id}");
        assert!(error.message().contains(id));
        let error = world.store.query_by_id(&IdQuery::new(id)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{id}");
    }
    let error = world.store.recommend(&RecommendQuery::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let error = world.store.recommend(&RecommendQuery::new().like(vec![1.0])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DimensionMismatch);
    // Under cosine an average of opposites has no direction.
    let opposites = RecommendQuery::new().like([1.0; DIM]).like([-1.0; DIM]);
    assert!(world.store.recommend(&opposites).unwrap_err().message().contains("average"));
}
