//! Plans: the same answer as without, and figures that add up.

use vecstore::{Metadata, OpenOptions, Query, SearchMethod, StepOutcome, field};

const DIM: usize = 32;

fn vector(n: u32) -> Vec<f32> {
    // Weyl sequences: spread out, and the same each time.
    (0..DIM as u32).map(|d| ((n + 1) as f32 * (d + 2) as f32 * 0.618_034).fract() - 0.5).collect()
}

#[test]
fn explained_searches_answer_as_plain_ones_do() {
    let directory = tempfile::tempdir().unwrap();
    let store = OpenOptions::new().threads(1).open(directory.path().join("store")).unwrap();
    for n in 0..400u32 {
        let metadata = Metadata::from([("n", i64::from(n).into())]);
        store.upsert(&n.to_string(), &vector(n), &metadata).unwrap();
        if n == 300 {
            store.compact().unwrap();
        }
    }
    let query = Query::new(vector(1000)).k(20);
    let filters = [None, Some(field("n").lt(5)), Some(field("n").gt(50))];
    for (exact, filter) in [false, true].into_iter().flat_map(|exact| filters.clone().map(|f| (exact, f))) {
        let query = query.clone().exact(exact).filter(filter);
        let (hits, plan) = store.search_explained(&query).unwrap();
        let include = vecstore::Include::default();
        assert_eq!(hits.to_neighbors(include).unwrap(), store.query(&query).unwrap());
        assert_eq!(plan.steps.iter().map(|step| step.results).sum::<usize>(), hits.len());
        assert!(plan.steps.iter().all(|step| step.outcome == StepOutcome::Done));
        let of_steps = plan.steps.iter().map(|step| step.time).sum::<std::time::Duration>();
        assert!(plan.filter_time + of_steps <= plan.time);
        for hit in hits.iter() {
            let step = &plan.steps[plan.step_of(&hit).unwrap()];
            assert!(step.results > 0 && step.full_distances >= step.results);
        }
        if exact {
            assert!(plan.steps.iter().all(|step| step.method != SearchMethod::ScanSigns));
            assert_eq!(plan.visits(), 0);
        }
    }
}
