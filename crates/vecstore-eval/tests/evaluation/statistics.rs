use proptest::prelude::*;
use vecstore_eval::{
    IntervalMethod, Weights, WilcoxonMethod, bootstrap_mean, cohen_d, holm, kappa, paired_t,
    randomization_test, rank_biserial, wilcoxon,
};

#[test]
fn equal_differences_have_no_statistic_and_a_p_value() {
    let same = paired_t(&[0.1; 5], 0.95).unwrap();
    assert_eq!((same.t, same.p_value), (None, 0.0));
    let none = paired_t(&[0.0; 5], 0.95).unwrap();
    assert_eq!((none.t, none.p_value), (Some(0.0), 1.0));
    assert_eq!(wilcoxon(&[0.0; 5], WilcoxonMethod::Auto).unwrap().p_value, 1.0);
    assert_eq!(randomization_test(&[0.0; 5], 1000, 0).unwrap().p_value, 1.0);
    assert_eq!(cohen_d(&[0.1; 5]).unwrap(), None);
    assert_eq!(rank_biserial(&[0.0; 5]).unwrap(), None);
}

#[test]
fn the_randomisation_test_counts_all_signs_when_they_are_few() {
    let exact = randomization_test(&[1.0, 2.0, 3.0, -1.0], 100, 0).unwrap();
    assert!(exact.exact);
    // Of 16 signs, those with a sum of at least 5 on either side: 7, 5 (twice), and their mirror images.
    assert_eq!(exact.p_value, 6.0 / 16.0);
}

#[test]
fn random_permutations_come_near_the_exact_p_value() {
    let differences: Vec<f64> = (0..20).map(|at| f64::from(at * 7 % 20) / 20.0 - 0.3).collect();
    let exact = randomization_test(&differences, 1 << 20, 0).unwrap();
    let random = randomization_test(&differences, 100_000, 7).unwrap();
    assert!(exact.exact && !random.exact);
    assert!((exact.p_value - random.p_value).abs() < 0.005, "{exact:?} {random:?}");
    assert_eq!(random, randomization_test(&differences, 100_000, 7).unwrap());
}

#[test]
fn more_than_64_pairs_each_have_a_sign_of_their_own() {
    // If the second block shared the signs of the first, the two would cancel always and p would be 1.
    let differences: Vec<f64> = (0..128).map(|at| if at < 64 { 0.2 } else { -0.1 }).collect();
    let p_value = randomization_test(&differences, 20_000, 3).unwrap().p_value;
    assert!(p_value < 0.01, "{p_value}");
}

#[test]
fn bad_arguments_are_refused() {
    assert!(paired_t(&[1.0], 0.95).is_err());
    assert!(paired_t(&[1.0, f64::NAN], 0.95).unwrap_err().to_string().contains("[1]"));
    assert!(paired_t(&[1.0, 2.0], 1.0).is_err());
    assert!(randomization_test(&[], 10, 0).is_err());
    assert!(randomization_test(&[1.0], 0, 0).is_err());
    assert!(bootstrap_mean(&[], 0.95, 10, 0, IntervalMethod::Bca).is_err());
    assert!(bootstrap_mean(&[1.0], 0.95, 0, 0, IntervalMethod::Bca).is_err());
    assert!(holm(&[0.5, 1.5]).is_err());
    assert!(kappa(&[0], &[0, 1], Weights::Linear).is_err());
    assert!(kappa(&[1 << 40], &[0], Weights::Linear).is_err());
    assert_eq!(kappa(&[1, 1], &[1, 1], Weights::Unweighted).unwrap(), None);
}

#[test]
fn intervals_cover_the_mean_about_as_often_as_they_say() {
    // Means of 20 numbers from a fixed sequence over 0 to 1, whose mean is one half.
    let covered = (0..200_u64)
        .filter(|&trial| {
            let sample: Vec<f64> = (0..20)
                .map(|at| {
                    let word = (trial * 20 + at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    let word = (word ^ (word >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                    (word >> 11) as f64 / (1_u64 << 53) as f64
                })
                .collect();
            let interval = bootstrap_mean(&sample, 0.9, 1000, trial, IntervalMethod::Bca).unwrap();
            (interval.low..=interval.high).contains(&0.5)
        })
        .count();
    assert!((160..=196).contains(&covered), "{covered} of 200");
}

proptest! {
    #[test]
    fn p_values_are_chances_and_intervals_hold_finite_bounds(
        differences in prop::collection::vec(-1.0..1.0_f64, 2..40),
        seed: u64,
    ) {
        for p in [
            paired_t(&differences, 0.95).unwrap().p_value,
            wilcoxon(&differences, WilcoxonMethod::Exact).unwrap().p_value,
            wilcoxon(&differences, WilcoxonMethod::Normal).unwrap().p_value,
            randomization_test(&differences, 500, seed).unwrap().p_value,
        ] {
            prop_assert!((0.0..=1.0).contains(&p));
        }
        for method in [IntervalMethod::Bca, IntervalMethod::Percentile] {
            let interval = bootstrap_mean(&differences, 0.95, 200, seed, method).unwrap();
            prop_assert!(interval.low <= interval.high && interval.low >= -1.0 && interval.high <= 1.0);
        }
    }
}
