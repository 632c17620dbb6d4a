//! What a graph is searched and built with: the same on every tier, and true to what it estimates.

use proptest::prelude::*;
use vecstore_kernels::{
    CandidatePool, Kernels, Panels, QueryCodes, Rotation, SIGN_ROWS, SignQuery, Tier, sign_block_bytes,
    sign_block_ids,
};

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
    for _ in 0..16 {
        next();
    }
    (0..count).map(|_| next()).collect()
}

fn scalar() -> Kernels {
    Kernels::for_tier(Tier::Scalar).expect("the scalar tier is everywhere")
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum()
}

/// Encodes 32 rows into a block with the ids from 100 on.
fn block_of(kernels: &Kernels, centre: &[f32], rows: &[f32]) -> Vec<u8> {
    let mut block = vec![0xA5; sign_block_bytes(centre.len())];
    let mut scratch = vec![0; centre.len()];
    for (place, row) in rows.chunks(centre.len()).enumerate() {
        kernels.encode_sign_row(centre, row, place, 100 + place as u32, &mut scratch, &mut block);
    }
    block
}

/// The estimates that are below a bound, by id.
fn estimates(kernels: &Kernels, query: &SignQuery, block: &[u8], base: f32, bound: f32) -> Vec<(u32, f32)> {
    let mut pool = CandidatePool::default();
    kernels.estimate(query, block, base, bound, &mut pool);
    let mut found: Vec<_> = pool.entries().map(|(distance, id)| (id, distance)).collect();
    found.sort_by_key(|&(id, _)| id);
    found
}

fn rotated_dims() -> impl Strategy<Value = usize> {
    let few = (1_usize..=8).prop_map(|n| n * 64);
    prop_oneof![8 => few, 2 => (9_usize..=32).prop_map(|n| n * 64), 1 => Just(16_384)]
}

/// Sizes of components for a whole case: ordinary, tiny, huge as far as squares go, or nothing.
fn sizes() -> impl Strategy<Value = f32> {
    prop_oneof![4 => Just(1.0_f32), 1 => Just(1e-17), 1 => Just(1e-30), 1 => Just(1e15), 1 => Just(0.0)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_tier_encodes_the_same_block_and_estimates_the_same_distances(
        seed in any::<u64>(),
        dim in rotated_dims(),
        query_size in sizes(),
        row_size in sizes(),
        is_centred in any::<bool>(),
    ) {
        let rows: Vec<f32> = floats(seed, dim * SIGN_ROWS).iter().map(|value| value * row_size).collect();
        let centre = if is_centred { rows[..dim].to_vec() } else { vec![0.0; dim] };
        let rotated: Vec<f32> = floats(seed ^ 7, dim).iter().map(|value| value * query_size).collect();
        let block = block_of(&scalar(), &centre, &rows);
        prop_assert!(sign_block_ids(&block, dim).eq(100..132));
        let mut query = SignQuery::default();
        scalar().prepare(&mut query, &rotated, &rotated);
        let base = squared_distance(&rotated, &centre) as f32;
        let expected = estimates(&scalar(), &query, &block, base, f32::INFINITY);
        prop_assert_eq!(expected.len(), SIGN_ROWS);
        prop_assert!(expected.iter().all(|(_, distance)| distance.is_finite()));
        // The sums of look-ups are integers; what is left are three roundings, in one order or another.
        let largest = expected.iter().map(|(_, distance)| distance.abs()).fold(base, f32::max);
        let reach = query.squared_norm().sqrt() * (dim as f32).sqrt() * row_size * 4.0;
        let tolerance = 8.0 * f32::EPSILON * (largest + reach) + 1e-37;
        let bound = expected[SIGN_ROWS / 2].1;
        for kernels in every_tier() {
            prop_assert!(block_of(&kernels, &centre, &rows) == block, "block of {:?}", kernels.tier());
            let mut again = SignQuery::default();
            kernels.prepare(&mut again, &rotated, &rotated);
            prop_assert!(again == query, "query of {:?}", kernels.tier());
            let found = estimates(&kernels, &again, &block, base, f32::INFINITY);
            prop_assert_eq!(found.len(), SIGN_ROWS);
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert_eq!(found.0, expected.0);
                prop_assert!((found.1 - expected.1).abs() <= tolerance, "{:?} {found:?} {expected:?}", kernels.tier());
            }
            // A bound leaves out exactly what is not below it.
            let below: Vec<_> = found.iter().copied().filter(|&(_, distance)| distance < bound).collect();
            prop_assert_eq!(estimates(&kernels, &again, &block, base, bound), below);
            prop_assert!(estimates(&kernels, &again, &block, base, f32::NEG_INFINITY).is_empty());
        }
    }

    #[test]
    fn rotation_keeps_norms_and_products_and_is_the_same_on_every_tier(
        seed in any::<u64>(),
        dim in prop_oneof![1_usize..=200, 201_usize..=2048, Just(16_384)],
    ) {
        let (left, right) = (floats(seed, dim), floats(seed ^ 3, dim));
        let rotation = Rotation::new(dim);
        prop_assert_eq!(rotation.rotated_dim(), dim.next_multiple_of(64));
        let rotate = |kernels: &Kernels, vector: &[f32]| {
            let mut out = vec![f32::NAN; rotation.rotated_dim()];
            kernels.rotate(&rotation, vector, &mut out);
            out
        };
        let (rotated_left, rotated_right) = (rotate(&scalar(), &left), rotate(&scalar(), &right));
        let norms = (dot(&left, &left) * dot(&right, &right)).sqrt();
        prop_assert!((dot(&rotated_left, &rotated_left) / dot(&left, &left) - 1.0).abs() <= 1e-5);
        prop_assert!((dot(&rotated_left, &rotated_right) - dot(&left, &right)).abs() <= 1e-5 * norms);
        for kernels in every_tier() {
            let again = rotate(&kernels, &left);
            let is_same = again.iter().zip(&rotated_left).all(|(a, b)| a.to_bits() == b.to_bits());
            prop_assert!(is_same, "{:?}", kernels.tier());
        }
    }

    #[test]
    fn panels_give_the_same_integers_on_every_tier(
        seed in any::<u64>(),
        dim in (1_usize..=8).prop_map(|n| n * 64),
        row_count in 0_usize..=70,
        query_count in 0_usize..=19,
        is_extreme in any::<bool>(),
    ) {
        let code = |value: &f32| if is_extreme { value.signum() as i8 * 127 } else { (value * 127.0) as i8 };
        let rows: Vec<i8> = floats(seed, row_count * dim).iter().map(code).collect();
        let queries: Vec<i8> = floats(seed ^ 5, query_count * dim).iter().map(code).collect();
        let shifted: Vec<u8> = queries.iter().map(|&code| (code as u8).wrapping_add(128)).collect();
        let mut panels = Panels::default();
        panels.pack(dim, rows.chunks(dim));
        prop_assert_eq!(panels.rows(), row_count);
        let padded = panels.padded_rows();
        for kernels in every_tier() {
            let mut out = vec![i32::MIN; query_count * padded];
            kernels.panel_products(&panels, &shifted, &mut out);
            for (q, query) in queries.chunks(dim).enumerate() {
                for (r, row) in rows.chunks(dim).enumerate() {
                    let exact: i32 = query.iter().zip(row).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
                    prop_assert_eq!(out[q * padded + r], exact, "{:?}", kernels.tier());
                }
                prop_assert!(out[q * padded + row_count..(q + 1) * padded].iter().all(|&sum| sum == 0));
            }
        }
    }

    #[test]
    fn gather_gives_what_a_scan_gives(
        seed in any::<u64>(),
        dim in prop_oneof![1_usize..=140, Just(384)],
        row_count in 1_usize..=40,
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let query = QueryCodes::new(&floats(seed, dim));
        let mut codes = vec![0; row_count * dim];
        for (row, codes) in floats(seed ^ 1, row_count * dim).chunks(dim).zip(codes.chunks_mut(dim)) {
            scalar().encode(row, codes);
        }
        let ids: Vec<u32> = picks.iter().map(|pick| pick.index(row_count) as u32).collect();
        for kernels in every_tier() {
            let (mut scanned, mut gathered) = (vec![0; row_count], vec![i32::MIN; ids.len()]);
            kernels.scan_codes(&query, &codes, &mut scanned);
            kernels.gather_codes(&query, &codes, &ids, &mut gathered);
            let expected: Vec<i32> = ids.iter().map(|&id| scanned[id as usize]).collect();
            prop_assert_eq!(gathered, expected, "{:?}", kernels.tier());
        }
    }

    /// The model keeps the candidates in a plain list.
    #[test]
    fn pools_hold_what_a_list_holds(
        seed in any::<u64>(),
        steps in prop::collection::vec((0_u8..12, -100_i16..100), 1..400),
    ) {
        let dim = 64;
        let block = block_of(&scalar(), &vec![0.0; dim], &floats(seed, dim * SIGN_ROWS));
        let mut query = SignQuery::default();
        scalar().prepare(&mut query, &floats(seed ^ 9, dim), &floats(seed ^ 9, dim));
        for kernels in every_tier() {
            let (mut pool, mut model) = (CandidatePool::default(), Vec::<(f32, u32)>::new());
            for (step, &(act, value)) in steps.iter().enumerate() {
                let value = f32::from(value) / 4.0;
                match act {
                    0 => {
                        kernels.retain_below(&mut pool, value);
                        model.retain(|&(distance, _)| distance < value);
                    }
                    1 => {
                        let found = estimates(&kernels, &query, &block, 8.0, value);
                        kernels.estimate(&query, &block, 8.0, value, &mut pool);
                        model.extend(found.into_iter().map(|(id, distance)| (distance, id)));
                    }
                    2..6 => {
                        let least = model.iter().map(|&(distance, _)| distance).min_by(f32::total_cmp);
                        match (kernels.pop_nearest(&mut pool), least) {
                            (Some(popped), Some(least)) => {
                                prop_assert_eq!(popped.0, least);
                                let at = model.iter().position(|&entry| entry == popped);
                                model.swap_remove(at.expect("the pool gave a candidate it held"));
                            }
                            (popped, least) => prop_assert!(popped.is_none() && least.is_none()),
                        }
                    }
                    6 if step % 50 == 0 => {
                        pool.clear();
                        model.clear();
                    }
                    _ => {
                        pool.push(value, step as u32);
                        model.push((value, step as u32));
                    }
                }
                prop_assert_eq!(pool.len(), model.len());
                prop_assert_eq!(pool.is_empty(), model.is_empty());
            }
            let mut left: Vec<_> = pool.entries().collect();
            left.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            model.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            prop_assert_eq!(left, model);
        }
    }
}

#[test]
fn the_nearest_is_found_wherever_it_lies() {
    for kernels in every_tier() {
        for len in (1..=130).chain([255, 256, 257, 1000]) {
            for at in 0..len {
                let mut pool = CandidatePool::default();
                // All distances but one are equal, and none is finite in a third of the cases.
                let other = [1.5, f32::INFINITY, f32::MAX][at % 3];
                (0..len).for_each(|id| pool.push(if id == at { -0.5 } else { other }, id as u32));
                assert_eq!(kernels.pop_nearest(&mut pool), Some((-0.5, at as u32)), "{:?}", kernels.tier());
                let left = if len > 1 { Some(other) } else { None };
                assert_eq!(kernels.pop_nearest(&mut pool).map(|(distance, _)| distance), left);
            }
        }
    }
}

/// All signs alike and the query constant: every look-up is the largest there is, or the least.
#[test]
fn sums_of_the_largest_look_ups_do_not_overflow() {
    for dim in [64, 1024, 4096, 4160, 16_384] {
        for sign in [1.0, -1.0] {
            let rows = vec![sign; dim * SIGN_ROWS];
            let block = block_of(&scalar(), &vec![0.0; dim], &rows);
            for kernels in every_tier() {
                let mut query = SignQuery::default();
                kernels.prepare(&mut query, &vec![1.0; dim], &vec![1.0; dim]);
                let base = dim as f32;
                for (_, distance) in estimates(&kernels, &query, &block, base, f32::INFINITY) {
                    let exact = if sign > 0.0 { 0.0 } else { 4.0 * base };
                    assert!(
                        (distance - exact).abs() <= 1e-4 * base,
                        "{:?} {dim}: {distance}",
                        kernels.tier()
                    );
                }
            }
        }
    }
}

/// The bound of RaBitQ (theorem 3.2): with r of length 1 and o = r.s / sqrt(d), the estimate of q.r errs by at most
/// |q| sqrt((1 - o^2) / o^2) e / sqrt(d - 1), but for a share of about 2 exp(-e^2 / 2) of the cases.
#[test]
fn estimates_are_unbiased_and_err_within_the_bound() {
    for dim in [128, 384, 1000] {
        let rotation = Rotation::new(dim);
        let rotated_dim = rotation.rotated_dim();
        let kernels = Kernels::detect();
        let rotate = |vector: &[f32]| {
            let mut out = vec![0.0; rotated_dim];
            kernels.rotate(&rotation, vector, &mut out);
            out
        };
        // Sums of a few uniform values: near to Gaussian, and far from it in their first components.
        let vectors = |seed: u64, count: usize| -> Vec<f32> {
            let three =
                [floats(seed, count * dim), floats(seed ^ 77, count * dim), floats(seed ^ 99, count * dim)];
            let skew = |n: usize| if n % dim < 8 { 6.0 } else { 1.0 };
            (0..count * dim).map(|n| (three[0][n] + three[1][n] + three[2][n]) * skew(n)).collect()
        };
        let centre = rotate(&vectors(1, 1));
        let (mut total, mut squares, mut count, mut beyond) = (0.0, 0.0, 0.0, 0);
        for round in 0..60 {
            let rows: Vec<f32> = vectors(1000 + round, SIGN_ROWS).chunks(dim).flat_map(&rotate).collect();
            let rotated = rotate(&vectors(5000 + round, 1));
            let block = block_of(&kernels, &centre, &rows);
            let mut query = SignQuery::default();
            kernels.prepare(&mut query, &rotated, &rotated);
            let base = squared_distance(&rotated, &centre) as f32;
            let found = estimates(&kernels, &query, &block, base, f32::INFINITY);
            for ((_, distance), row) in found.into_iter().zip(rows.chunks(rotated_dim)) {
                let rest: Vec<f32> = row.iter().zip(&centre).map(|(row, centre)| row - centre).collect();
                let norm = dot(&rest, &rest).sqrt();
                let cosine = rest.iter().map(|value| f64::from(value.abs())).sum::<f64>()
                    / (norm * (rotated_dim as f64).sqrt());
                let spread =
                    ((1.0 - cosine * cosine) / (cosine * cosine)).sqrt() / ((rotated_dim - 1) as f64).sqrt();
                // The error of the squared distance is twice that of the product, in units of the bound's.
                let unit = 2.0 * f64::from(base).sqrt() * norm * spread;
                let error = (f64::from(distance) - squared_distance(&rotated, row)) / unit;
                total += error;
                squares += error * error;
                count += 1.0;
                beyond += usize::from(error.abs() > 3.0);
            }
        }
        let (mean, deviation) = (total / count, f64::sqrt(squares / count));
        assert!(
            mean.abs() < 5.0 * deviation / f64::sqrt(60.0),
            "dim {dim}: mean {mean}, deviation {deviation}"
        );
        assert!((0.7..1.1).contains(&deviation), "dim {dim}: deviation {deviation}");
        assert!(
            (beyond as f64) < 2.0 * f64::exp(-4.5) * count,
            "dim {dim}: {beyond} of {count} beyond the bound"
        );
    }
}

#[test]
fn rotated_values_never_change() {
    // Part of the file format: codes on disk are of vectors rotated by it.
    let golden = |dim: usize| {
        let rotation = Rotation::new(dim);
        let vector: Vec<f32> = (0..dim).map(|n| (n % 17) as f32 - 5.0).collect();
        let mut out = vec![0.0; rotation.rotated_dim()];
        Kernels::detect().rotate(&rotation, &vector, &mut out);
        let hash = out.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, value| {
            (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{:?} {hash:016x}", &out[..3])
    };
    let values: Vec<String> = [1, 64, 100, 384, 768, 1000, 1536, 16_384].map(golden).to_vec();
    let expected: [&str; 8] = GOLDEN;
    assert_eq!(values, expected, "{values:#?}");
}

const GOLDEN: [&str; 8] = [
    "[0.15625, -0.78125, -0.46875] 891d52262d850825",
    "[-8.4375, 7.0625, -6.9375] 8ff195fce6998825",
    "[-0.60937536, -2.296875, -4.1718755] 3c45aa4707d2d368",
    "[-6.53125, 3.75, -0.96875] 194ec3ba352bd125",
    "[1.8122311, -8.2098465, -0.44781733] bb5a735fee1908ee",
    "[-3.2480469, 0.35742188, 0.8691406] 2bbbd1b7563dbb25",
    "[-5.491699, 3.784668, 7.9936523] b34466aa6b025d25",
    "[-4.9265137, -2.427002, -0.36010742] 98cd8351b2eff525",
];

#[test]
fn vectors_of_zeros_are_estimated_exactly() {
    for kernels in every_tier() {
        let block = block_of(&kernels, &[0.0; 64], &[0.0; 64 * SIGN_ROWS]);
        let mut query = SignQuery::default();
        kernels.prepare(&mut query, &[0.0; 64], &[0.0; 64]);
        let found = estimates(&kernels, &query, &block, 0.0, 1.0);
        assert!(found.len() == SIGN_ROWS && found.iter().all(|&(_, distance)| distance == 0.0));
    }
}
