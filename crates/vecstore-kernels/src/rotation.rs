//! A fixed random rotation: it spreads what a vector holds evenly over all its components, so that one bit of each
//! says about as much as one bit of any other, and it keeps lengths and inner products.
//!
//! Rounds of random signs and a fast Hadamard transform, in the manner of fast Johnson-Lindenstrauss transforms (Ailon
//! and Chazelle, 2009). Where the dimension is no power of two, rounds alternate between its first and its last
//! components, which overlap (Yang et al., "Fast Kac walks", as in RaBitQ's library).

/// Components of a rotated vector come in multiples of this: a whole number of registers on every tier.
const MULTIPLE: usize = 64;

/// The seed of the signs. Part of the file format: codes on disk are of vectors rotated with it.
const SEED: u64 = 0x7665_6373_746f_7265;

/// Values that a transform within registers and the first level of cache takes at a time.
const LANES: usize = 16;

/// A rotation of vectors of one dimension. The same for all of that dimension, on every machine.
#[derive(Clone, Debug)]
pub struct Rotation {
    dim: usize,
    /// Signs of each round, `rotated_dim` of them, as -1 and 1.
    rounds: Vec<Vec<f32>>,
    /// How many components a transform takes: the largest power of two that fits.
    span: usize,
}

impl Rotation {
    /// Makes the rotation for vectors of `dim` components, `dim` at least 1.
    pub fn new(dim: usize) -> Self {
        let rotated = Self::rotated_dim_of(dim);
        let span = if rotated.is_power_of_two() { rotated } else { rotated.next_power_of_two() / 2 };
        let rounds = if span == rotated { 2 } else { 4 };
        let mut state = SEED ^ rotated as u64;
        let signs = |state: &mut u64| -> Vec<f32> {
            (0..rotated).map(|_| if split_mix(state) >> 63 == 1 { 1.0 } else { -1.0 }).collect()
        };
        Self { dim, rounds: (0..rounds).map(|_| signs(&mut state)).collect(), span }
    }

    /// Returns the number of components of a rotated vector of `dim`: the next multiple of 64.
    pub fn rotated_dim_of(dim: usize) -> usize {
        dim.next_multiple_of(MULTIPLE)
    }

    /// Returns the number of components of the vectors it takes.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Returns the number of components of rotated vectors.
    pub fn rotated_dim(&self) -> usize {
        Self::rotated_dim_of(self.dim)
    }

    /// The body of [`Kernels::rotate`](crate::Kernels::rotate), inlined into a function of each tier.
    #[inline(always)]
    pub(crate) fn rotate(&self, vector: &[f32], out: &mut [f32]) {
        out[..self.dim].copy_from_slice(vector);
        out[self.dim..].fill(0.0);
        let norm = 1.0 / (self.span as f32).sqrt();
        for (round, signs) in self.rounds.iter().enumerate() {
            for (value, sign) in out.iter_mut().zip(signs) {
                *value *= sign;
            }
            let start = if round % 2 == 0 { 0 } else { out.len() - self.span };
            let part = &mut out[start..start + self.span];
            hadamard(part);
            for value in part {
                *value *= norm;
            }
        }
    }
}

/// The fast Walsh-Hadamard transform, unnormalised. The length is a power of two, at least 64.
#[inline(always)]
fn hadamard(values: &mut [f32]) {
    for chunk in values.as_chunks_mut::<LANES>().0 {
        butterflies::<1>(chunk);
        butterflies::<2>(chunk);
        butterflies::<4>(chunk);
        butterflies::<8>(chunk);
    }
    let mut half = LANES;
    while half < values.len() {
        for pair in values.chunks_exact_mut(2 * half) {
            let (left, right) = pair.split_at_mut(half);
            for (left, right) in left.iter_mut().zip(right) {
                (*left, *right) = (*left + *right, *left - *right);
            }
        }
        half *= 2;
    }
}

/// Adds and subtracts values `HALF` apart, as one whole-register step.
#[inline(always)]
fn butterflies<const HALF: usize>(values: &mut [f32; LANES]) {
    let from = *values;
    for (lane, value) in values.iter_mut().enumerate() {
        let other = from[lane ^ HALF];
        *value = if lane & HALF == 0 { from[lane] + other } else { other - from[lane] };
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
