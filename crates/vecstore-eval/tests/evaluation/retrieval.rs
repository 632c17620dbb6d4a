use proptest::prelude::*;
use vecstore_eval::{
    Compat, Judgment, Measure, Topic, alpha_ndcg, evaluate_topics, parse_qrels, parse_run, rank,
};

const RELEVANT: Judgment = Judgment::Grade(1);
const NONRELEVANT: Judgment = Judgment::Grade(0);

fn value(name: &str, topic: &Topic) -> f64 {
    let measures = Measure::parse(name).expect("the name is known");
    let topics = std::slice::from_ref(topic);
    evaluate_topics(topics, &measures[..1], Compat::default(), 1).expect("there is a measure").summary[0]
}

#[test]
fn equal_scores_are_in_descending_order_of_id() {
    let ids = ["a", "b", "c"];
    let order = |scores, compat| rank(scores, compat, |a, b| ids[a].cmp(ids[b])).unwrap();
    assert_eq!(order(&[1.0, 1.0, 1.0], Compat::TrecEval10), [2, 1, 0]);
    assert_eq!(order(&[0.0, -0.0, 1.0], Compat::TrecEval10), [2, 1, 0]);
}

#[test]
fn scores_that_differ_beyond_32_bits_tie_in_version_9_only() {
    let ids = ["a", "b"];
    let scores = [1.0 + 1e-12, 1.0];
    let order = |compat| rank(&scores, compat, |a, b| ids[a].cmp(ids[b])).unwrap();
    assert_eq!(order(Compat::TrecEval10), [0, 1]);
    assert_eq!(order(Compat::TrecEval9), [1, 0]);
}

#[test]
fn recall_levels_round_by_the_version() {
    // Three relevant documents: a recall of 0.4 is 1.2 of them, so 1 in version 10 and 2 in version 9.
    let ranked = vec![RELEVANT, NONRELEVANT, NONRELEVANT, RELEVANT, RELEVANT];
    let topic = Topic::new(ranked.clone(), ranked);
    let measures = Measure::parse("iprec_at_recall_0.40").unwrap();
    let under =
        |compat| evaluate_topics(std::slice::from_ref(&topic), &measures, compat, 1).unwrap().summary[0];
    assert_eq!(under(Compat::TrecEval10), 1.0);
    assert_eq!(under(Compat::TrecEval9), 0.6);
}

#[test]
fn a_score_that_is_no_number_is_refused_with_its_place() {
    let error = rank(&[1.0, f64::NAN], Compat::default(), |a, b| a.cmp(&b)).unwrap_err();
    assert!(error.to_string().contains("document 1"), "{error}");
}

#[test]
fn negative_grades_are_pooled_and_not_judged() {
    let pooled = Judgment::of_grade(-1).unwrap();
    assert_eq!(pooled, Judgment::Pooled);
    assert!(Judgment::of_grade(1 << 40).is_err());
    let topic = Topic::new(vec![pooled, RELEVANT], [pooled, RELEVANT]);
    assert_eq!(value("num_rel", &topic), 1.0);
    assert_eq!(value("bpref", &topic), 1.0);
    assert_eq!(value("unj_5", &topic), 0.2);
}

#[test]
fn rank_biased_and_expected_reciprocal_rank_follow_their_definitions() {
    let topic =
        Topic::new(vec![Judgment::Grade(2), Judgment::Unpooled, RELEVANT], [Judgment::Grade(2), RELEVANT]);
    assert!((value("RBP(p=0.5,rel=1)", &topic) - 0.5 * (1.0 + 0.25)).abs() < 1e-12);
    assert!((value("rbp_0.5", &topic) - 0.5 * (1.0 + 0.5 * 0.25)).abs() < 1e-12);
    // With grades up to 2: chances of 3/4 and 1/4 to be satisfied.
    assert!((value("err", &topic) - (0.75 + 0.25 * 0.25 / 3.0)).abs() < 1e-12);
}

#[test]
fn names_in_three_spellings_mean_the_same() {
    let ranked = vec![NONRELEVANT, Judgment::Grade(2), Judgment::Unpooled, RELEVANT];
    let topic = Topic::new(ranked, [NONRELEVANT, Judgment::Grade(2), RELEVANT, RELEVANT]);
    for (a, b) in [
        ("ndcg_cut_5", "nDCG@5"),
        ("ndcg_cut.5", "ndcg@5"),
        ("map", "AP"),
        ("map_cut_10", "map@10"),
        ("recip_rank", "mrr"),
        ("success_5", "hit_rate@5"),
        ("P_5", "precision@5"),
        ("recall_5", "R@5"),
        ("Rprec", "r-precision"),
        ("F_5", "f1@5"),
    ] {
        assert_eq!(value(a, &topic), value(b, &topic), "{a} {b}");
    }
    assert_eq!(value("P(rel=2)@2", &topic), 0.5);
}

#[test]
fn bad_names_are_refused() {
    for name in
        ["", "ndgc", "P_0", "P_x", "P@", "P@-1", "map_5", "nDCG(x=1)@5", "Rprec@5", "nDCG(", "rbp_2", "P.,"]
    {
        assert!(Measure::parse(name).is_err(), "{name}");
    }
    for name in Measure::names() {
        let cut = Measure::parse(name).or_else(|_| Measure::parse(&format!("{name}@5")));
        assert!(cut.is_ok(), "{name}");
    }
}

#[test]
fn alpha_ndcg_pays_for_new_subtopics() {
    let judged = vec![vec![0], vec![0], vec![1]];
    let varied = alpha_ndcg(&[vec![0], vec![1]], &judged, Some(2), 0.5).unwrap();
    let repeated = alpha_ndcg(&[vec![0], vec![0]], &judged, Some(2), 0.5).unwrap();
    assert_eq!(varied, 1.0);
    assert!(repeated < varied);
    assert_eq!(alpha_ndcg(&[], &[], None, 0.5).unwrap(), 0.0);
    assert!(alpha_ndcg(&[vec![u32::MAX]], &[], None, 0.5).is_err());
}

#[test]
fn files_are_read_and_their_faults_have_line_numbers() {
    let qrels = parse_qrels("\u{feff}# judged\nq1 0 d1 2\r\n\nq1\t0\td2\t-1\n").unwrap();
    assert_eq!((qrels[0].query, qrels[0].document, qrels[0].grade), ("q1", "d1", 2));
    assert_eq!(qrels[1].grade, -1);
    assert_eq!(parse_run("q1 Q0 d1 1 0.5e1 tag").unwrap()[0].score, 5.0);
    assert!(parse_qrels("q1 0 d1 1\nq1 0 d1").unwrap_err().to_string().contains("line 2"));
    assert!(parse_qrels("q1 0 d1 x").is_err());
    assert!(parse_run("q1 Q0 d1 1 NaN tag").is_err());
}

fn judgments() -> impl Strategy<Value = Judgment> {
    prop_oneof![Just(Judgment::Unpooled), Just(Judgment::Pooled), (0_u32..4).prop_map(Judgment::Grade)]
}

proptest! {
    #[test]
    fn every_measure_is_finite_and_at_most_1_unless_it_counts(
        ranked in prop::collection::vec(judgments(), 0..30),
        missed in prop::collection::vec(judgments(), 0..10),
        level in 0_u32..4,
    ) {
        let judged: Vec<Judgment> =
            ranked.iter().chain(&missed).copied().filter(|&judgment| judgment != Judgment::Unpooled).collect();
        let topic = Topic::new(ranked, judged);
        for name in Measure::names() {
            let Ok(measures) = Measure::parse(name) else { continue };
            for compat in [Compat::TrecEval9, Compat::TrecEval10] {
                let evaluation = evaluate_topics(std::slice::from_ref(&topic), &measures, compat, level).unwrap();
                for (measure, value) in measures.iter().zip(&evaluation.summary) {
                    prop_assert!(value.is_finite(), "{} {value}", measure.name());
                    let counts = ["num_", "Num", "dcg", "DCG", "utility"];
                    if !counts.iter().any(|prefix| measure.name().starts_with(prefix)) {
                        prop_assert!((-1e-12..=1.0 + 1e-12).contains(value), "{} {value}", measure.name());
                    }
                }
            }
        }
    }

    #[test]
    fn noise_in_files_is_an_error_and_no_panic(text in "[ -~\n\u{e9}]{0,80}") {
        let _ = parse_qrels(&text);
        let _ = parse_run(&text);
        let _ = Measure::parse(&text);
    }
}
