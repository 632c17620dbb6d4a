//! A fixed random rotation: it spreads what a vector holds evenly over all its components, so that one bit of each
//! says about as much as one bit of any other, and it keeps lengths and inner products.
//!
//! Rounds of random signs and a fast Hadamard transform, in the manner of fast Johnson-Lindenstrauss transforms (Ailon
//! and Chazelle, 2009). Where the dimension is no power of two, rounds alternate between its first and its last
//! components, which overlap (Yang et al., "Fast Kac walks", as in RaBitQ's library).

use crate::aligned::Aligned;
use crate::lanes::Lanes;

/// Components of a rotated vector come in multiples of this: a whole number of registers on every tier.
const MULTIPLE: usize = 64;

/// The seed of the signs. Part of the file format: codes on disk are of vectors rotated with it.
const SEED: u64 = 0x7665_6373_746f_7265;

/// A rotation of vectors of one dimension. The same for all of that dimension, on every machine.
#[derive(Clone, Debug)]
pub struct Rotation {
    dim: usize,
    /// The signs of each round, `rotated_dim` of them, as -1 and 1; those of components that the round transforms are
    /// divided by the square root of their number, which keeps the transform's norm.
    rounds: Vec<Aligned<f32, 16>>,
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
        let norm = 1.0 / (span as f32).sqrt();
        let factors = |round: usize| {
            let mut factors = Aligned::default();
            factors.resize(rotated, 0.0);
            let start = Self::start_of(round, rotated, span);
            for (n, factor) in factors.iter_mut().enumerate() {
                let sign = if split_mix(&mut state) >> 63 == 1 { 1.0 } else { -1.0 };
                *factor = if (start..start + span).contains(&n) { sign * norm } else { sign };
            }
            factors
        };
        Self { dim, rounds: (0..rounds).map(factors).collect(), span }
    }

    /// Returns the first component that a round transforms.
    #[inline(always)]
    fn start_of(round: usize, rotated: usize, span: usize) -> usize {
        if round.is_multiple_of(2) { 0 } else { rotated - span }
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

    /// The body of [`Kernels::rotate`](crate::Kernels::rotate): the portable twin.
    pub(crate) fn rotate(&self, vector: &[f32], out: &mut [f32]) {
        out[..self.dim].copy_from_slice(vector);
        out[self.dim..].fill(0.0);
        for (round, factors) in self.rounds.iter().enumerate() {
            for (value, factor) in out.iter_mut().zip(factors.iter()) {
                *value *= factor;
            }
            let start = Self::start_of(round, out.len(), self.span);
            hadamard(&mut out[start..start + self.span]);
        }
    }

    /// The same to the last bit, by registers.
    ///
    /// # Safety
    ///
    /// The CPU has the instruction set of `L`, which has at most 16 lanes.
    #[inline(always)]
    pub(crate) unsafe fn rotate_by<L: Lanes>(&self, vector: &[f32], out: &mut [f32]) {
        out[..self.dim].copy_from_slice(vector);
        out[self.dim..].fill(0.0);
        for (round, factors) in self.rounds.iter().enumerate() {
            let start = Self::start_of(round, out.len(), self.span);
            let part = start..start + self.span;
            for n in (0..start).chain(part.end..out.len()) {
                out[n] *= factors[n];
            }
            // SAFETY: the caller vouches for the instruction set; both are of the span's length, a power of two from 64.
            unsafe { hadamard_by::<L>(&mut out[part.clone()], &factors[part]) };
        }
    }
}

/// The fast Walsh-Hadamard transform, unnormalised. The length is a power of two.
fn hadamard(values: &mut [f32]) {
    let mut half = 1;
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

/// The transform of the products of values and factors.
///
/// # Safety
///
/// The CPU has the instruction set of `L`, which has at most 16 lanes; both are of one length, a power of two from 64.
#[inline(always)]
unsafe fn hadamard_by<L: Lanes>(values: &mut [f32], factors: &[f32]) {
    let len = values.len();
    // As many registers as leave half of the instruction set's free, or those of the whole.
    let registers = if L::WIDTH == 8 { 8 } else { 16.min(len / L::WIDTH) };
    let step = registers * L::WIDTH;
    for (values, factors) in values.chunks_exact_mut(step).zip(factors.chunks_exact(step)) {
        // SAFETY: the chunks hold the registers.
        unsafe {
            match registers {
                4 => tile::<L, 4>(values, factors),
                8 => tile::<L, 8>(values, factors),
                _ => tile::<L, 16>(values, factors),
            }
        }
    }
    let mut half = step;
    while half < len {
        // Two stages at a time where there are two.
        let is_double = 2 * half < len;
        let parts = if is_double { 4 } else { 2 };
        for block in values.chunks_exact_mut(parts * half) {
            for at in (0..half).step_by(L::WIDTH) {
                // SAFETY: each part of the block holds `half` values, a multiple of the width.
                unsafe {
                    let at = block.as_mut_ptr().add(at);
                    let (a, b) = (L::load(at), L::load(at.add(half)));
                    let (sum, difference) = (a.add(b), a.sub(b));
                    if is_double {
                        let (c, d) = (L::load(at.add(2 * half)), L::load(at.add(3 * half)));
                        let (other_sum, other_difference) = (c.add(d), c.sub(d));
                        sum.add(other_sum).store(at);
                        difference.add(other_difference).store(at.add(half));
                        sum.sub(other_sum).store(at.add(2 * half));
                        difference.sub(other_difference).store(at.add(3 * half));
                    } else {
                        sum.store(at);
                        difference.store(at.add(half));
                    }
                }
            }
        }
        half *= parts;
    }
}

/// The stages of the transform within `N` registers.
///
/// # Safety
///
/// The CPU has the instruction set of `L`; values and factors have `N` registers.
#[inline(always)]
unsafe fn tile<L: Lanes, const N: usize>(values: &mut [f32], factors: &[f32]) {
    debug_assert!(values.len() == N * L::WIDTH && factors.len() == N * L::WIDTH);
    let at = values.as_mut_ptr();
    // SAFETY: the caller vouches for the instruction set.
    let mut registers = [unsafe { L::zero() }; N];
    // Not `array::from_fn`: its closure is compiled without the instruction set, and calls each instruction.
    for (n, register) in registers.iter_mut().enumerate() {
        // SAFETY: the caller vouches for the instruction set and the lengths.
        let value = unsafe { L::load(at.add(n * L::WIDTH)).mul(L::load(factors.as_ptr().add(n * L::WIDTH))) };
        let value = value.butterfly::<1>().butterfly::<2>();
        let value = if L::WIDTH > 4 { value.butterfly::<4>() } else { value };
        *register = if L::WIDTH > 8 { value.butterfly::<8>() } else { value };
    }
    let mut half = 1;
    while half < N {
        for n in 0..N {
            if n & half == 0 {
                let (a, b) = (registers[n], registers[n | half]);
                (registers[n], registers[n | half]) = (a.add(b), a.sub(b));
            }
        }
        half *= 2;
    }
    for (n, register) in registers.into_iter().enumerate() {
        // SAFETY: as above.
        unsafe { register.store(at.add(n * L::WIDTH)) };
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
