//! Searches by a vector and by words at once.

use vecstore::{ErrorKind, Fusion, HybridQuery, Metadata, Query, Record, TextQuery, VecStore, field};

use super::{ids, in_memory};

fn shelf() -> VecStore {
    let store = in_memory();
    let words = ["red", "blue", "green", "fox", "car"];
    for n in 0..200u32 {
        let angle = n as f32 * 0.7;
        let text: Vec<&str> = (0..1 + n % 4).map(|m| words[((n * 7 + m * m * 3) % 5) as usize]).collect();
        let record = Record::new(format!("id-{n}"), [angle.cos(), angle.sin(), 0.1 * (n % 9) as f32])
            .with_metadata(Metadata::from([("n", i64::from(n).into())]))
            .with_text(text.join(" "));
        store.upsert_record(&record, None).unwrap();
    }
    store
}

const VECTOR: [f32; 3] = [1.0, 0.2, 0.1];

#[test]
fn alpha_1_is_the_order_of_the_vector_and_alpha_0_that_of_the_words() {
    let store = shelf();
    for filter in [None, Some(field("n").lt(150))] {
        let nearest = store.query(&Query::new(VECTOR).k(25).filter(filter.clone())).unwrap();
        let matching = store.text_query(&TextQuery::new("red fox").k(25).filter(filter.clone())).unwrap();
        for fusion in Fusion::ALL {
            let query = HybridQuery::new(VECTOR, "red fox").k(25).fusion(fusion).filter(filter.clone());
            let by_vector = store.hybrid_query(&query.clone().alpha(1.0)).unwrap();
            assert_eq!(ids(&by_vector), ids(&nearest), "{fusion}");
            let by_words = store.hybrid_query(&query.alpha(0.0)).unwrap();
            assert_eq!(ids(&by_words), ids(&matching), "{fusion}");
        }
    }
}

#[test]
fn fused_scores_are_made_of_what_the_arms_found() {
    let store = shelf();
    let query = HybridQuery::new(VECTOR, "red fox").k(10).alpha(0.6).candidates(50);
    let found = store.search_hybrid(&query).unwrap();
    let nearest = store.query(&Query::new(VECTOR).k(50)).unwrap();
    let matching = store.text_query(&TextQuery::new("red fox").k(50)).unwrap();
    assert_eq!(found.len(), 10);
    for rank in 0..10 {
        let hit = found.get(rank).unwrap();
        let mut sum = 0.0;
        for (arm, all, weight) in
            [(found.vector_arm(rank), &nearest, 0.6), (found.text_arm(rank), &matching, 0.4)]
        {
            let at = all.iter().position(|other| other.id == hit.id().unwrap());
            assert_eq!(arm.map(|arm| arm.rank), at);
            assert_eq!(arm.map(|arm| arm.score), at.map(|at| all[at].score));
            sum += at.map_or(0.0, |at| weight / (61.0 + at as f64));
        }
        assert!((f64::from(hit.score()) - sum).abs() < 1e-6);
    }
    let scores: Vec<f32> = (0..10).map(|rank| found.get(rank).unwrap().score()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b));
}

#[test]
fn pages_follow_each_other_if_the_arms_find_enough() {
    let store = shelf();
    let query = HybridQuery::new(VECTOR, "red fox").candidates(60);
    let all = store.hybrid_query(&query.clone().k(20)).unwrap();
    let page = store.hybrid_query(&query.k(5).offset(10)).unwrap();
    assert_eq!(page, all[10..15]);
}

#[test]
fn results_end_at_a_jump_of_the_scores() {
    let store = in_memory();
    for (id, x, text) in [
        ("a", 1.0, "fox fox"),
        ("b", 0.99, "fox fox"),
        ("c", 0.1, "a fox in a long text"),
        ("d", 0.05, "car"),
    ] {
        let record = Record::new(id, [x, 1.0 - x]).with_text(text);
        store.upsert_record(&record, None).unwrap();
    }
    let query = HybridQuery::new([1.0, 0.0], "fox").alpha(0.5).fusion(Fusion::Relative);
    assert_eq!(ids(&store.hybrid_query(&query.clone().autocut(1)).unwrap()), ["a", "b"]);
    assert_eq!(store.hybrid_query(&query).unwrap().len(), 4);
}

#[test]
fn bad_hybrid_queries_are_refused() {
    let store = shelf();
    let message = |query: HybridQuery| {
        let error = store.hybrid_query(&query).unwrap_err();
        (error.kind(), error.to_string())
    };
    let query = HybridQuery::new(VECTOR, "red");
    for (bad, says) in [
        (query.clone().alpha(1.5), "alpha must be between 0 and 1, got 1.5"),
        (query.clone().alpha(f32::NAN), "got NaN"),
        (query.clone().k(0), "k must be"),
        (query.clone().candidates(0), "candidates must be"),
        (query.clone().autocut(0), "autocut must be"),
        (query.fusion(Fusion::Rrf { k: -1.0 }), "rrf_k must be"),
        (HybridQuery::new(VECTOR, "w ".repeat(40_000)), "65536 bytes, got 80000"),
    ] {
        let (kind, message) = message(bad);
        assert_eq!(kind, ErrorKind::InvalidInput);
        assert!(message.contains(says), "{message}");
    }
    for alpha in [0.0, 0.5, 1.0] {
        let (kind, _) = message(HybridQuery::new([1.0, 0.0], "red").alpha(alpha));
        assert_eq!(kind, ErrorKind::DimensionMismatch);
    }
}
