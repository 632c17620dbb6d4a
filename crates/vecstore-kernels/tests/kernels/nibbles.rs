//! Rows in four bits a component: the same on every tier, and near the truth.

use proptest::prelude::*;
use vecstore_kernels::{Kernels, NibbleQuery, Tier, nibble_row_bytes};

const ROWS: usize = 12;

fn vectors() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
    let dims = prop_oneof![Just(64usize), Just(128), Just(192), Just(384), Just(1088)];
    let component = prop_oneof![Just(0.0f32), -1.0f32..1.0, -1e-3f32..1e-3, -1e6f32..1e6];
    dims.prop_flat_map(move |dim| {
        (prop::collection::vec(component.clone(), dim), prop::collection::vec(component.clone(), dim * ROWS))
    })
}

fn encode(kernels: Kernels, dim: usize, rows: &[f32]) -> Vec<u8> {
    let bytes = nibble_row_bytes(dim);
    let mut encoded = vec![0; rows.len() / dim * bytes];
    for (row, to) in rows.chunks(dim).zip(encoded.chunks_mut(bytes)) {
        kernels.encode_nibbles(row, to);
    }
    encoded
}

proptest! {
    #[test]
    fn every_tier_gives_the_same_rows_and_distances((query, rows) in vectors()) {
        let dim = query.len();
        let mut prepared = NibbleQuery::default();
        prepared.encode(&query);
        let ids = [3, 0, 11, 11, 5, 1, 2, 9, 10, 7, 6, 8, 4];
        let scalar = Kernels::for_tier(Tier::Scalar).unwrap();
        let encoded = encode(scalar, dim, &rows);
        let mut expected = [0.0; 13];
        scalar.score_nibbles(&prepared, &encoded, &ids, &mut expected);
        for kernels in Tier::available().iter().filter_map(|&tier| Kernels::for_tier(tier)) {
            prop_assert_eq!(&encode(kernels, dim, &rows), &encoded, "{:?}", kernels.tier());
            let mut out = [f32::NAN; 13];
            kernels.score_nibbles(&prepared, &encoded, &ids, &mut out);
            prop_assert_eq!(out, expected, "{:?}", kernels.tier());
        }
    }
}

#[test]
fn distances_of_vectors_spread_evenly_are_off_by_two_percent() {
    let dim = 384;
    let mut state = 1u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    // Sums of uniform values are nearly normal, as components of rotated vectors are.
    let mut normal = || (0..12).map(|_| uniform()).sum::<f32>();
    let query: Vec<f32> = (0..dim).map(|_| normal()).collect();
    let rows: Vec<f32> = (0..dim * 200).map(|_| normal()).collect();
    let kernels = Kernels::detect();
    let mut prepared = NibbleQuery::default();
    prepared.encode(&query);
    let ids: Vec<u32> = (0..200).collect();
    let mut out = vec![0.0; 200];
    kernels.score_nibbles(&prepared, &encode(kernels, dim, &rows), &ids, &mut out);
    let mut squares = 0.0;
    for (row, found) in rows.chunks(dim).zip(out) {
        let exact: f32 = query.iter().zip(row).map(|(a, b)| (a - b) * (a - b)).sum();
        squares += ((found - exact) / exact).powi(2);
    }
    assert!((squares / 200.0).sqrt() < 0.008, "{}", (squares / 200.0).sqrt());
}

#[test]
fn zeros_and_tiny_vectors_have_finite_distances() {
    let kernels = Kernels::detect();
    for value in [0.0, 1e-44, 1e-38, 1e18] {
        let vector = [value; 64];
        let mut query = NibbleQuery::default();
        query.encode(&vector);
        let mut out = [f32::NAN];
        kernels.score_nibbles(&query, &encode(kernels, 64, &vector), &[0], &mut out);
        assert!(out[0].is_finite(), "{value:e}: {}", out[0]);
    }
}
