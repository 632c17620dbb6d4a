//! Rows in one bit a component, scored by number: the same on every tier, and near the truth.

use proptest::prelude::*;
use vecstore_kernels::{Kernels, SignRowQuery, Tier, sign_row_bytes};

const ROWS: usize = 12;

fn vectors() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
    let dims = prop_oneof![Just(64usize), Just(128), Just(448), Just(512), Just(576), Just(1088)];
    let component = prop_oneof![Just(0.0f32), -1.0f32..1.0, -1e-3f32..1e-3, -1e6f32..1e6];
    dims.prop_flat_map(move |dim| {
        (prop::collection::vec(component.clone(), dim), prop::collection::vec(component.clone(), dim * ROWS))
    })
}

fn encode(kernels: Kernels, dim: usize, centre: &[f32], rows: &[f32]) -> Vec<u8> {
    let bytes = sign_row_bytes(dim);
    let mut encoded = vec![0xA5; rows.len() / dim * bytes];
    for (row, to) in rows.chunks(dim).zip(encoded.chunks_mut(bytes)) {
        kernels.encode_sign_row_alone(centre, row, to);
    }
    encoded
}

fn every_tier() -> impl Iterator<Item = Kernels> {
    Tier::available().iter().filter_map(|&tier| Kernels::for_tier(tier))
}

proptest! {
    #[test]
    fn every_tier_gives_the_same_estimates((query, rows) in vectors(), margin in 0.0f32..2.0) {
        let dim = query.len();
        let mut prepared = SignRowQuery::default();
        // In the memory of a longer query.
        prepared.encode(&vec![1.0; 2048]);
        prepared.encode(&query);
        prop_assert_eq!(prepared.dim(), dim);
        let ids = [3, 0, 11, 11, 5, 1, 2, 9, 10, 7, 6, 8, 4];
        let mut expected = [0.0; 13];
        let scalar = Kernels::for_tier(Tier::Scalar).unwrap();
        let encoded = encode(scalar, dim, &rows[..dim], &rows);
        scalar.score_sign_rows(&prepared, &encoded, &ids, 1.5, margin, &mut expected);
        // The row that is the centre is as far as the centre is.
        prop_assert_eq!(expected[1], 1.5);
        for kernels in every_tier() {
            prop_assert_eq!(&encode(kernels, dim, &rows[..dim], &rows), &encoded, "{:?}", kernels.tier());
            let mut out = [f32::NAN; 13];
            kernels.score_sign_rows(&prepared, &encoded, &ids, 1.5, margin, &mut out);
            prop_assert_eq!(out.map(f32::to_bits), expected.map(f32::to_bits), "{:?}", kernels.tier());
        }
    }
}

#[test]
fn a_margin_is_in_standard_deviations_of_the_estimate() {
    let dim = 384;
    let mut state = 1u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    // Sums of uniform values are nearly normal, as components of rotated vectors are.
    let mut normal = || (0..12).map(|_| uniform()).sum::<f32>();
    let mut vector = |count: usize| (0..count).map(|_| normal()).collect::<Vec<f32>>();
    let squared = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
    let ids: Vec<u32> = (0..50).collect();
    let mut below = [0; 3];
    // What query and centre have in common is off in the same way for all rows, so that there have to be many of both.
    for _ in 0..100 {
        let (query, centre, rows) = (vector(dim), vector(dim), vector(dim * 50));
        let encoded = encode(Kernels::detect(), dim, &centre, &rows);
        let mut prepared = SignRowQuery::default();
        prepared.encode(&query);
        let base = squared(&query, &centre);
        for (deviations, below) in below.iter_mut().enumerate() {
            let mut estimates = vec![0.0; ids.len()];
            let margin = deviations as f32 * 0.6 * base.sqrt();
            Kernels::detect().score_sign_rows(&prepared, &encoded, &ids, base, margin, &mut estimates);
            let truth = rows.chunks(dim).map(|row| squared(&query, row));
            *below += estimates.iter().zip(truth).filter(|&(estimate, truth)| *estimate <= truth).count();
        }
    }
    for (below, expected) in below.into_iter().zip([0.5, 0.84, 0.977]) {
        let share = below as f32 / 5_000.0;
        println!("{share} below the truth");
        assert!((share - expected).abs() < 0.05, "{share} below the truth, expected {expected}");
    }
}
