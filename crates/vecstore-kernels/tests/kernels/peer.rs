//! Codes and rotation beside those of another library, of the same number of bits: its Hadamard transform undoes ours, and its
//! codes lose no less than ours do.

use std::num::NonZeroUsize;

use diskann_quantization::algorithms::hadamard_transform;
use diskann_quantization::algorithms::transforms::{NullTransform, TargetDim, Transform, TransformKind};
use diskann_quantization::alloc::{GlobalAllocator, Poly, ScopedAllocator};
use diskann_quantization::bits::{Representation, Unsigned};
use diskann_quantization::minmax::{Data as MinMaxData, MinMaxQuantizer};
use diskann_quantization::num::Positive;
use diskann_quantization::spherical::{
    CompensatedSquaredL2, Data, FullQuery, SphericalQuantizer, SupportedMetric,
};
use diskann_quantization::{AsFunctor, CompressInto, CompressIntoWith, distances};
use diskann_utils::{Reborrow, ReborrowMut};
use diskann_wide::ARCH;
use diskann_wide::arch::Target2;
use rand::SeedableRng;
use rand::rngs::StdRng;
use vecstore_kernels::{
    CandidatePool, Kernels, NibbleQuery, QueryCodes, Rotation, SIGN_ROWS, SignQuery, nibble_row_bytes,
    sign_block_bytes,
};

const QUERIES: usize = 8;
const ROWS: usize = 8 * SIGN_ROWS;

/// Makes values that are nearly normal, as components of rotated vectors are.
fn normal(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    (0..count).map(|_| (0..12).map(|_| uniform()).sum()).collect()
}

fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum()
}

/// The root of the mean squared error, as a share of the mean of what is estimated.
#[derive(Default)]
struct Errors {
    squares: f64,
    sum: f64,
    count: usize,
}

impl Errors {
    fn add(&mut self, estimate: f64, truth: f64) {
        self.squares += (estimate - truth).powi(2);
        self.sum += truth;
        self.count += 1;
    }

    fn share(&self) -> f64 {
        (self.squares / self.count as f64).sqrt() / (self.sum / self.count as f64)
    }
}

/// Rotations are signs, a Hadamard transform, signs, and a Hadamard transform. The other library's undoes the last, and what
/// is left has to be, but for the signs, the matrix of one transform.
#[test]
fn the_hadamard_transform_of_a_peer_undoes_that_of_a_rotation() {
    let kernels = Kernels::detect();
    for dim in [64, 256, 1024] {
        let rotation = Rotation::new(dim);
        let undone = |n: usize| {
            let mut unit = vec![0.0; dim];
            unit[n] = 1.0;
            let mut rotated = vec![0.0; dim];
            kernels.rotate(&rotation, &unit, &mut rotated);
            hadamard_transform(&mut rotated).expect("a power of two");
            rotated.iter().map(|value| value * (dim as f32).sqrt()).collect::<Vec<f32>>()
        };
        // The transform of the first unit vector is 1 all over: what is left are the second round's signs.
        let signs = undone(0);
        assert!(signs.iter().all(|sign| (sign.abs() - 1.0).abs() < 1e-4), "{dim}");
        for n in 1..dim {
            let mut expected = vec![0.0; dim];
            expected[n] = (dim as f32).sqrt();
            hadamard_transform(&mut expected).expect("a power of two");
            let column: Vec<f32> = undone(n).iter().zip(&signs).map(|(value, sign)| value * sign).collect();
            let sign = column[0] * expected[0];
            for (found, expected) in column.iter().zip(&expected) {
                assert!((found - sign * expected).abs() < 1e-3, "{dim}: {n}: {found} {expected}");
            }
        }
    }
}

#[test]
fn one_bit_codes_lose_no_more_than_those_of_a_peer() {
    let kernels = Kernels::detect();
    for dim in [128, 384, 768] {
        let (ours, theirs) = one_bit(kernels, dim);
        assert!(ours < 1.03 * theirs, "{dim}: ours {ours}, theirs {theirs}");
    }
}

/// The errors of squared distances to rows in one bit a component, relative to a centre.
fn one_bit(kernels: Kernels, dim: usize) -> (f64, f64) {
    let (rows, queries) = (normal(1, dim * ROWS), normal(2, dim * QUERIES));
    let centre: Vec<f32> = normal(3, dim).iter().map(|value| value * 0.3).collect();
    let rotation = Rotation::new(dim);
    let rotate = |vector: &[f32]| {
        let mut rotated = vec![0.0; Rotation::rotated_dim_of(dim)];
        kernels.rotate(&rotation, vector, &mut rotated);
        rotated
    };
    let mut peer_random = StdRng::seed_from_u64(7);
    let peer = SphericalQuantizer::generate(
        Poly::from_iter(centre.iter().copied(), GlobalAllocator).expect("memory"),
        1.0,
        TransformKind::DoubleHadamard { target_dim: TargetDim::Same },
        SupportedMetric::SquaredL2,
        None,
        &mut peer_random,
        GlobalAllocator,
    )
    .expect("a quantizer");
    let peer_distance: CompensatedSquaredL2 = peer.as_functor();
    let rotated_centre = rotate(&centre);
    let (mut our_errors, mut their_errors) = (Errors::default(), Errors::default());
    for query in queries.chunks(dim) {
        let rotated = rotate(query);
        let mut prepared = SignQuery::default();
        kernels.prepare(&mut prepared, query, &rotated);
        let mut peer_query = FullQuery::empty(peer.output_dim(), GlobalAllocator).expect("memory");
        peer.compress_into_with(query, peer_query.reborrow_mut(), ScopedAllocator::global()).expect("codes");
        for rows in rows.chunks(dim * SIGN_ROWS) {
            let mut block = vec![0; sign_block_bytes(rotated.len())];
            let mut scratch = vec![0; rotated.len()];
            for (place, row) in rows.chunks(dim).enumerate() {
                let id = place as u32;
                kernels.encode_sign_row(&rotated_centre, &rotate(row), place, id, &mut scratch, &mut block);
            }
            let base = squared_distance(query, &centre) as f32;
            let mut pool = CandidatePool::default();
            kernels.estimate(&prepared, &block, base, f32::INFINITY, &mut pool);
            for (estimate, id) in pool.entries() {
                let row = &rows[id as usize * dim..][..dim];
                let truth = squared_distance(query, row);
                our_errors.add(f64::from(estimate), truth);
                let mut code = Data::<1, _>::new_boxed(peer.output_dim());
                peer.compress_into_with(row, code.reborrow_mut(), ScopedAllocator::global()).expect("codes");
                let theirs: distances::Result<f32> =
                    peer_distance.run(ARCH, peer_query.reborrow(), code.reborrow());
                their_errors.add(f64::from(theirs.expect("a distance")), truth);
            }
        }
    }
    (our_errors.share(), their_errors.share())
}

#[test]
fn four_and_eight_bit_codes_lose_no_more_than_those_of_a_peer() {
    let kernels = Kernels::detect();
    for dim in [128, 384, 768] {
        let (rows, queries) = (normal(4, dim * ROWS), normal(5, dim * QUERIES));
        let (mut nibbles, mut bytes) = (Errors::default(), Errors::default());
        let mut encoded = vec![0; ROWS * nibble_row_bytes(dim)];
        for (row, to) in rows.chunks(dim).zip(encoded.chunks_mut(nibble_row_bytes(dim))) {
            kernels.encode_nibbles(row, to);
        }
        let ids: Vec<u32> = (0..ROWS as u32).collect();
        for query in queries.chunks(dim) {
            let mut prepared = NibbleQuery::default();
            prepared.encode(query);
            let mut distances = vec![0.0; ROWS];
            kernels.score_nibbles(&prepared, &encoded, &ids, &mut distances);
            let codes = QueryCodes::new(query);
            for (row, &distance) in rows.chunks(dim).zip(&distances) {
                let truth = squared_distance(query, row);
                nibbles.add(f64::from(distance), truth);
                let mut row_codes = vec![0; dim];
                let factors = kernels.encode(row, &mut row_codes);
                let mut product = [0];
                kernels.scan_codes(&codes, &row_codes, &mut product);
                let product =
                    f64::from(factors.scale) * f64::from(codes.factors.scale) * f64::from(product[0]);
                let squares: f64 = [query, row].into_iter().flatten().map(|&v| f64::from(v).powi(2)).sum();
                bytes.add(squares - 2.0 * product, truth);
            }
        }
        // The same share of the range for codes that the other library recommends, and the whole range.
        for scale in [0.9, 1.0] {
            let theirs = min_max::<4>(dim, scale, &rows, &queries);
            assert!(nibbles.share() < 1.03 * theirs, "{dim}: ours {}, theirs {theirs}", nibbles.share());
        }
        let theirs = min_max::<8>(dim, 1.0, &rows, &queries);
        // Its codes have a lowest and a highest value each, ours a largest magnitude: that is worth some percent of an error
        // of a fraction of a percent.
        assert!(bytes.share() < 1.15 * theirs, "{dim}: ours {}, theirs {theirs}", bytes.share());
    }
}

/// The error of squared distances of queries to the vectors that codes of the other library stand for.
fn min_max<const BITS: usize>(dim: usize, scale: f32, rows: &[f32], queries: &[f32]) -> f64
where
    Unsigned: Representation<BITS>,
    MinMaxQuantizer: for<'a> CompressInto<&'a [f32], <MinMaxData<BITS> as ReborrowMut<'a>>::Target>,
    MinMaxData<BITS>: for<'a> ReborrowMut<'a>,
{
    let transform = Transform::Null(NullTransform::new(NonZeroUsize::new(dim).expect("components")));
    let peer = MinMaxQuantizer::new(transform, Positive::new(scale).expect("above zero"));
    let mut errors = Errors::default();
    for row in rows.chunks(dim) {
        let mut code = MinMaxData::<BITS>::new_boxed(dim);
        assert!(peer.compress_into(row, code.reborrow_mut()).is_ok(), "codes");
        let mut read = vec![0.0; dim];
        code.reborrow().decompress_into(&mut read).expect("a vector");
        for query in queries.chunks(dim) {
            errors.add(squared_distance(query, &read), squared_distance(query, row));
        }
    }
    errors.share()
}
