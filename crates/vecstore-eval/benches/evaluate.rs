//! Times of the two loops that a comparison of systems spends its time in, on one core.

use std::hint::black_box;
use std::time::Instant;

use vecstore_eval::{Compat, Judgment, Measure, Topic, evaluate_topics, randomization_test, rank};

const PERMUTATIONS: u64 = 100_000;
const PAIRS: usize = 500;
const QUERIES: usize = 500;
const DOCUMENTS: usize = 1_000;

fn main() {
    let differences: Vec<f64> = (0..PAIRS).map(|at| ((at * 7919 % 1000) as f64 - 480.0) / 1000.0).collect();
    report("randomization_test, 10^5 permutations of 500 pairs", || {
        black_box(
            randomization_test(black_box(&differences), PERMUTATIONS, 1).expect("the differences are finite"),
        );
    });

    let measures: Vec<Measure> = ["map", "ndcg", "recip_rank", "P_10", "recall_100"]
        .into_iter()
        .flat_map(|name| Measure::parse(name).expect("the names are known"))
        .collect();
    let scores: Vec<f64> = (0..DOCUMENTS).map(|at| (at * 7919 % 10_007) as f64).collect();
    report("rank and evaluate_topics, 500 queries x 1,000 documents x 5 measures", || {
        let topics: Vec<Topic> = (0..QUERIES)
            .map(|query| {
                let order =
                    rank(&scores, Compat::default(), |a, b| a.cmp(&b)).expect("the scores are numbers");
                let judgment = |at: usize| {
                    if (at + query).is_multiple_of(10) { Judgment::Grade(1) } else { Judgment::Unpooled }
                };
                Topic::new(
                    order.into_iter().map(judgment).collect(),
                    vec![Judgment::Grade(1); DOCUMENTS / 10],
                )
            })
            .collect();
        black_box(evaluate_topics(&topics, &measures, Compat::default(), 1).expect("there are measures"));
    });
}

fn report(name: &str, mut run: impl FnMut()) {
    let mut times: Vec<f64> = (0..7)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{name}: {:.1} ms", times[times.len() / 2]);
}
