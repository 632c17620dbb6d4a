//! Within a tier, a pair of vectors has one raw value, to the last bit, whichever method computes it.

use proptest::prelude::*;
use vecstore_kernels::{Kernels, Metric, Op};

use crate::oracle::every_tier;

/// Makes floats in [-1, 1) that differ from seed to seed.
fn floats(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// The raw values of all pairs, each computed alone, as bits.
fn one_by_one(kernels: &Kernels, op: Op, queries: &[f32], dim: usize, rows: &[f32]) -> Vec<u32> {
    let row_values = |query| rows.chunks(dim).map(move |row| kernels.raw(op, query, row).to_bits());
    queries.chunks(dim).flat_map(row_values).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_method_gives_the_same_bits(
        seed in any::<u64>(),
        dim in prop_oneof![1_usize..=70, 1_usize..=600],
        row_count in 0_usize..=40,
        query_count in 0_usize..=9,
        offset in 0_usize..=3,
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let queries = floats(seed, query_count * dim);
        let storage = floats(seed ^ 1, row_count * dim + offset);
        let rows = &storage[offset..];
        let ids: Vec<u32> =
            picks.iter().filter(|_| row_count > 0).map(|pick| pick.index(row_count) as u32).collect();
        for kernels in every_tier() {
            for op in Op::ALL {
                let expected = one_by_one(&kernels, op, &queries, dim, rows);
                let mut out = vec![f32::NAN; query_count * row_count];
                kernels.scan_queries(op, &queries, dim, rows, &mut out);
                prop_assert_eq!(bits(&out), &expected[..], "scan_queries {:?} {:?}", kernels.tier(), op);

                for (number, query) in queries.chunks(dim).enumerate() {
                    let expected = &expected[number * row_count..][..row_count];
                    let mut out = vec![f32::NAN; row_count];
                    kernels.scan(op, query, rows, &mut out);
                    prop_assert_eq!(bits(&out), expected, "scan {:?} {:?}", kernels.tier(), op);

                    let mut out = vec![f32::NAN; ids.len()];
                    kernels.gather(op, query, rows, &ids, &mut out);
                    let chosen: Vec<u32> = ids.iter().map(|&id| expected[id as usize]).collect();
                    prop_assert_eq!(bits(&out), chosen, "gather {:?} {:?}", kernels.tier(), op);
                }
            }
        }
    }

    #[test]
    fn composed_distances_equal_direct_ones(seed in any::<u64>(), dim in 1_usize..=300) {
        let (left, right) = (floats(seed, dim), floats(seed ^ 2, dim));
        for kernels in every_tier() {
            let mut inverse = [0.0; 2];
            kernels.inverse_norms(dim, &[left.clone(), right.clone()].concat(), &mut inverse);
            for metric in Metric::ALL {
                let raw = kernels.raw(metric.op(), &left, &right);
                let composed = metric.distance_of(raw, inverse[0], inverse[1]);
                let direct = kernels.distance(metric, &left, &right);
                prop_assert_eq!(composed.to_bits(), direct.to_bits(), "{:?} {}", kernels.tier(), metric);
            }
        }
    }

    #[test]
    fn distances_are_symmetric(seed in any::<u64>(), dim in 1_usize..=300) {
        let (left, right) = (floats(seed, dim), floats(seed ^ 2, dim));
        for kernels in every_tier() {
            for metric in Metric::ALL {
                let forth = kernels.distance(metric, &left, &right).to_bits();
                prop_assert_eq!(forth, kernels.distance(metric, &right, &left).to_bits(), "{}", metric);
            }
        }
    }
}
