//! Every tier gives the defined value, for every operation, dimension and kind of number.

use proptest::prelude::*;
use vecstore_kernels::{Metric, Op};

use crate::oracle::{check, every_tier};

/// Dimensions around the widths of registers, and two that embeddings have.
const EDGE_DIMS: [usize; 19] = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 384, 1000];

fn dims() -> impl Strategy<Value = usize> {
    prop_oneof![prop::sample::select(&EDGE_DIMS[..]), 1_usize..=600]
}

/// Components of one kind for a whole pair of vectors: ordinary, binary, sparse, denormal, or huge.
fn component(kind: u8) -> BoxedStrategy<f32> {
    match kind {
        0 => (-1.0_f32..1.0).boxed(),
        1 => prop::sample::select(vec![0.0_f32, 1.0]).boxed(),
        2 => prop::sample::select(vec![0.0_f32, -0.0, 0.0, 1.5, -1.5, 2.0]).boxed(),
        3 => prop::num::f32::SUBNORMAL.boxed(),
        4 => (-3.4e38_f32..3.4e38).boxed(),
        5 => {
            prop::sample::select(vec![f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1e-45, -0.0, 0.0, 1e19]).boxed()
        }
        _ => (prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL | prop::num::f32::ZERO).boxed(),
    }
}

/// Two vectors with an offset that unaligns them.
fn pairs() -> impl Strategy<Value = (usize, Vec<f32>, Vec<f32>)> {
    (dims(), 0_u8..=6, 0_usize..=3).prop_flat_map(|(dim, kind, offset)| {
        let values = || prop::collection::vec(component(kind), dim + offset);
        (Just(offset), values(), values())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_tier_agrees_with_the_definition((offset, left, right) in pairs()) {
        let (left, right) = (&left[offset..], &right[offset..]);
        for kernels in every_tier() {
            for op in Op::ALL {
                let checked = check(op, left, right, kernels.raw(op, left, right));
                prop_assert!(checked.is_ok(), "{:?}: {}", kernels.tier(), checked.unwrap_err());
            }
        }
    }

    #[test]
    fn distances_of_finite_vectors_are_never_nan((offset, left, right) in pairs()) {
        for kernels in every_tier() {
            for metric in Metric::ALL {
                let distance = kernels.distance(metric, &left[offset..], &right[offset..]);
                prop_assert!(!distance.is_nan(), "{:?} {metric}", kernels.tier());
                prop_assert!(metric == Metric::Dot || distance >= 0.0, "{:?} {metric}: {distance}", kernels.tier());
            }
        }
    }

    #[test]
    fn cosine_agrees_with_the_definition_at_any_magnitude((offset, left, right) in pairs()) {
        let (left, right) = (&left[offset..], &right[offset..]);
        let wide = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
        let norms = wide(left, left).sqrt() * wide(right, right).sqrt();
        let expected = if norms == 0.0 { 1.0 } else { 1.0 - wide(left, right) / norms };
        let tolerance = f64::from(f32::EPSILON) * (left.len() as f64 + 8.0);
        for kernels in every_tier() {
            let distance = f64::from(kernels.distance(Metric::Cosine, left, right));
            prop_assert!((distance - expected).abs() <= tolerance, "{:?}: {distance} {expected}", kernels.tier());
        }
    }

    #[test]
    fn norms_keep_full_precision_at_any_magnitude((offset, values, _) in pairs()) {
        let values = &values[offset..];
        let expected = values.iter().map(|&a| f64::from(a) * f64::from(a)).sum::<f64>().sqrt();
        let tolerance = expected * f64::from(f32::EPSILON) * (values.len() as f64 + 2.0) + 1e-45;
        for kernels in every_tier() {
            let norm = f64::from(kernels.norm(values));
            let overflowed = norm.is_infinite() && expected >= f64::from(f32::MAX);
            prop_assert!(overflowed || (norm - expected).abs() <= tolerance, "{:?}: {norm} {expected}", kernels.tier());
            let mut inverse = [f32::NAN];
            kernels.inverse_norms(values.len(), values, &mut inverse);
            prop_assert!(inverse[0].is_finite() && (inverse[0] == 0.0) == (expected == 0.0));
        }
    }

    #[test]
    fn first_non_finite_finds_the_first(
        mut values in prop::collection::vec(-1.0_f32..1.0, 1..300),
        bad in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(
            vec![f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, 1e-45])), 0..4),
    ) {
        for (index, value) in bad {
            let at = index.index(values.len());
            values[at] = value;
        }
        for kernels in every_tier() {
            prop_assert_eq!(kernels.first_non_finite(&values), values.iter().position(|value| !value.is_finite()));
        }
    }
}

#[test]
fn cosine_of_a_zero_vector_is_one() {
    for kernels in every_tier() {
        assert_eq!(kernels.distance(Metric::Cosine, &[0.0, -0.0], &[1.0, 2.0]), 1.0);
        assert_eq!(kernels.distance(Metric::Cosine, &[0.0, 0.0], &[0.0, 0.0]), 1.0);
    }
}

#[test]
fn dot_survives_partial_sums_that_overflow_and_cancel() {
    let left: Vec<f32> = (0..64).map(|lane| if lane % 2 == 0 { 3e38 } else { -3e38 }).collect();
    let right = vec![3e38; 64];
    for kernels in every_tier() {
        assert_eq!(kernels.raw(Op::Dot, &left, &right), 0.0, "{:?}", kernels.tier());
    }
}

#[test]
fn braycurtis_tells_its_two_zeros_apart() {
    for kernels in every_tier() {
        assert_eq!(kernels.distance(Metric::BrayCurtis, &[1.0, 0.0], &[1.0, 0.0]), 0.0);
        assert_eq!(kernels.distance(Metric::BrayCurtis, &[0.0, 0.0], &[0.0, 0.0]), 0.0);
        assert_eq!(kernels.distance(Metric::BrayCurtis, &[1.0, -2.0], &[-1.0, 2.0]), f32::INFINITY);
        assert_eq!(kernels.distance(Metric::BrayCurtis, &[f32::MAX; 40], &[0.0; 40]), 1.0);
    }
}

#[test]
fn negative_zero_equals_zero() {
    for kernels in every_tier() {
        for metric in [Metric::Hamming, Metric::Jaccard, Metric::Canberra, Metric::Euclidean] {
            assert_eq!(kernels.distance(metric, &[-0.0; 37], &[0.0; 37]), 0.0, "{metric}");
        }
    }
}
