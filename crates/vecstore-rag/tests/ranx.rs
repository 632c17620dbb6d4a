//! Fused scores are those of ranx 0.3.20, which made `data/ranx.json`, to 1e-12. Runs with ties have no scores by rank there:
//! ranx puts ties in an order of its own.

use std::collections::BTreeMap;

use serde_json::Value;
use vecstore_rag::{
    Normalization, Scored, average_fusion, borda_fusion, reciprocal_rank_fusion, weighted_fusion,
};

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn runs(case: &Value) -> Vec<Vec<Scored>> {
    let scored = |pair: &Value| (pair[0].as_u64().expect("an item") as usize, number(&pair[1]));
    let run = |run: &Value| run.as_array().expect("a run").iter().map(scored).collect();
    case["runs"].as_array().expect("runs").iter().map(run).collect()
}

fn normalization(name: &str) -> Normalization {
    match name {
        "none" => Normalization::None,
        "min_max" => Normalization::MinMax,
        "max" => Normalization::Max,
        "sum" => Normalization::Sum,
        "z_score" => Normalization::ZScore,
        "rank" => Normalization::Rank,
        other => panic!("no normalization is named {other}"),
    }
}

#[test]
fn fused_scores_are_those_of_ranx() {
    let cases: Value = serde_json::from_str(include_str!("data/ranx.json")).expect("the cases are JSON");
    let cases = cases.as_array().expect("cases");
    assert!(cases.len() >= 15);
    for case in cases {
        let runs = runs(case);
        let weights: Vec<f64> = case["weights"].as_array().expect("weights").iter().map(number).collect();
        for (name, expected) in case["expected"].as_object().expect("expected scores") {
            let (method, norm) = name.split_once('/').unwrap_or((name, "none"));
            let fused = match method {
                "rrf" => reciprocal_rank_fusion(&runs, 60.0),
                "borda" => borda_fusion(&runs),
                "weighted" => weighted_fusion(&runs, &weights, normalization(norm)),
                _ => average_fusion(&runs, normalization(norm)),
            };
            let fused = fused.expect("the runs are good");
            assert!(fused.windows(2).all(|two| two[0].1 >= two[1].1), "best first");
            let fused: BTreeMap<String, f64> =
                fused.into_iter().map(|(item, score)| (item.to_string(), score)).collect();
            let expected: BTreeMap<String, f64> = expected
                .as_object()
                .expect("scores")
                .iter()
                .map(|(item, score)| (item.clone(), number(score)))
                .collect();
            assert!(fused.keys().eq(expected.keys()), "{name}");
            for (item, score) in expected {
                let difference = (fused[&item] - score).abs();
                assert!(
                    difference <= 1e-12 * score.abs().max(1.0),
                    "{name}: item {item} is off by {difference:e}"
                );
            }
        }
    }
}
