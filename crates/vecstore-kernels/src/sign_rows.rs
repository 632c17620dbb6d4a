//! Rows in one bit a component, each in lines of the cache of its own, scored by number: where few rows of many are asked for,
//! blocks of 32 of them (see [`signs`](crate::signs)) would hold mostly others.
//!
//! What is kept of a row and how a distance is estimated of it is the same as in those blocks. The query has 4 bits a
//! component, one plane of bits for each (RaBitQ: Gao and Long, SIGMOD 2024): what a row's signs have in common with a plane
//! is counted a word at a time. Rounding to these units adds about 4 % to the variance of an estimate.
//!
//! ```text
//! row of dimension d, a multiple of 64, in 8 + d / 8 bytes and zeros up to a multiple of 64, little-endian:
//!   f32 a, f32 b
//!   u64 x d / 64: bit i of word w is set where component 64 w + i of r is not negative
//! ```

use crate::codes::scan::prefetch_near;

/// Bits of a query's component.
const PLANES: usize = 4;

/// The largest value of a query's component.
const LEVELS: f32 = ((1 << PLANES) - 1) as f32;

/// Words of a register.
const WORDS: usize = 8;

/// Bytes before the signs of a row.
const FACTORS_BYTES: usize = 8;

/// Rows start at multiples of it: the size of a line of the cache.
const LINE_BYTES: usize = 64;

/// Rows ahead of the one being scored that are asked for.
const AHEAD_ROWS: usize = 16;

/// Returns the bytes of a row of `dim` components.
pub const fn sign_row_bytes(dim: usize) -> usize {
    (FACTORS_BYTES + dim / 8).next_multiple_of(LINE_BYTES)
}

/// Values whose sums are kept side by side, so that the compiler may use vector registers.
const LANES: usize = 16;

/// The body of [`Kernels::encode_sign_row_alone`](crate::Kernels::encode_sign_row_alone): plain Rust that the compiler
/// vectorises for the features of the function it is inlined into, with the same result for all of them.
#[inline(always)]
pub(crate) fn encode(centre: &[f32], row: &[f32], to: &mut [u8]) {
    let (mut squares, mut sums, mut offsets) = ([0.0f32; LANES], [0.0f32; LANES], [0.0f32; LANES]);
    to.fill(0);
    let (factors, signs) = to.split_at_mut(FACTORS_BYTES);
    let chunks = centre.as_chunks::<LANES>().0.iter().zip(row.as_chunks::<LANES>().0);
    for ((centre, row), bits) in chunks.zip(signs.as_chunks_mut::<{ LANES / 8 }>().0) {
        let mut set = [0u32; LANES];
        for lane in 0..LANES {
            let rest = row[lane] - centre[lane];
            let is_positive = rest >= 0.0;
            squares[lane] += rest * rest;
            sums[lane] += rest.abs();
            offsets[lane] += if is_positive { centre[lane] } else { -centre[lane] };
            set[lane] = u32::from(is_positive) << lane;
        }
        *bits = (set.iter().fold(0, |bits, set| bits | set) as u16).to_le_bytes();
    }
    let total = |lanes: [f32; LANES]| lanes.iter().sum::<f32>();
    let (square, sum, offset) = (total(squares), total(sums), total(offsets));
    let factor = if sum > 0.0 { square / sum } else { 0.0 };
    factors[..4].copy_from_slice(&(square + 2.0 * factor * offset).to_le_bytes());
    factors[4..].copy_from_slice(&(-2.0 * factor).to_le_bytes());
}

/// A query made ready for [`Kernels::score_sign_rows`](crate::Kernels::score_sign_rows).
#[derive(Clone, Debug, Default)]
pub struct SignRowQuery {
    /// For each 512 components the words of each plane, the lowest bits first; zeros beyond the last component.
    planes: Vec<[[u64; WORDS]; PLANES]>,
    dim: usize,
    /// The value of the least level, and of a unit.
    low: f32,
    unit: f32,
    /// The sum of the components as they are read.
    sum: f32,
}

impl SignRowQuery {
    /// Encodes a finite rotated query in the memory of an earlier one.
    ///
    /// # Panics
    ///
    /// Panics unless its length is a multiple of 64.
    pub fn encode(&mut self, rotated: &[f32]) {
        assert!(rotated.len().is_multiple_of(64), "rotated vectors have a multiple of 64 components");
        let (low, high) = rotated.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
        self.unit = (high - low) / LEVELS;
        self.low = low;
        let inverse = if self.unit > 0.0 { 1.0 / self.unit } else { 0.0 };
        self.planes.clear();
        self.planes.resize(rotated.len().div_ceil(64 * WORDS), [[0; WORDS]; PLANES]);
        self.dim = rotated.len();
        let mut levels = 0u32;
        for (word, values) in rotated.as_chunks::<64>().0.iter().enumerate() {
            let planes = &mut self.planes[word / WORDS];
            for (at, value) in values.iter().enumerate() {
                let level = ((value - low) * inverse + 0.5).min(LEVELS) as u32;
                levels += level;
                for (plane, words) in planes.iter_mut().enumerate() {
                    words[word % WORDS] |= u64::from(level >> plane & 1) << at;
                }
            }
        }
        self.sum = self.low * rotated.len() as f32 + self.unit * levels as f32;
    }

    /// Returns the number of components.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Returns the estimate for a row of which so many signs are set, and whose components there are of so many levels.
    #[inline(always)]
    fn distance(&self, row: &[u8], (set, levels): (u32, u32), (base, margin): (f32, f32)) -> f32 {
        let float = |at: usize| f32::from_le_bytes([row[at], row[at + 1], row[at + 2], row[at + 3]]);
        let product = 2.0 * (self.low * set as f32 + self.unit * levels as f32) - self.sum;
        base + float(0) + float(4) * (product + margin)
    }
}

/// Scores rows with a tier's count of what signs and planes have in common: how many signs are set, and the levels there.
#[inline(always)]
fn each(
    query: &SignRowQuery,
    rows: &[u8],
    ids: &[u32],
    terms: (f32, f32),
    out: &mut [f32],
    count: impl Fn(&SignRowQuery, &[u8]) -> (u32, u32),
) {
    let bytes = sign_row_bytes(query.dim());
    let row = |id: u32| &rows[id as usize * bytes..][..bytes];
    for &id in ids.iter().take(AHEAD_ROWS) {
        prefetch_near(row(id));
    }
    for (n, (&id, out)) in ids.iter().zip(out).enumerate() {
        if let Some(&next) = ids.get(n + AHEAD_ROWS) {
            prefetch_near(row(next));
        }
        let row = row(id);
        *out = query.distance(row, count(query, &row[FACTORS_BYTES..]), terms);
    }
}

/// The portable twin, inlined into a function of each tier that has none of its own.
#[inline(always)]
pub(crate) fn portable(query: &SignRowQuery, rows: &[u8], ids: &[u32], terms: (f32, f32), out: &mut [f32]) {
    each(query, rows, ids, terms, out, |query, signs| {
        let (mut set, mut levels) = (0, 0);
        let words = signs[..query.dim() / 8].as_chunks::<8>().0;
        for (words, planes) in words.chunks(WORDS).zip(&query.planes) {
            for (at, word) in words.iter().enumerate() {
                let word = u64::from_le_bytes(*word);
                set += word.count_ones();
                for (plane, words) in planes.iter().enumerate() {
                    levels += (word & words[at]).count_ones() << plane;
                }
            }
        }
        (set, levels)
    });
}

/// AVX-512: eight words an instruction where it counts bits (servers since 2019 and AMD since Zen 4), else as elsewhere.
///
/// # Safety
///
/// The CPU has AVX-512F.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,popcnt")]
pub(crate) unsafe fn avx512(
    query: &SignRowQuery,
    rows: &[u8],
    ids: &[u32],
    terms: (f32, f32),
    out: &mut [f32],
) {
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx512f,avx512vpopcntdq")]
    unsafe fn counting(query: &SignRowQuery, rows: &[u8], ids: &[u32], terms: (f32, f32), out: &mut [f32]) {
        let words = query.dim() / 64;
        each(query, rows, ids, terms, out, |query, signs| {
            debug_assert!(signs.len() >= 8 * words);
            let mut sums = _mm512_setzero_si512();
            for (piece, planes) in query.planes.iter().enumerate() {
                let left = words - piece * WORDS;
                let mask = if left >= WORDS { u8::MAX } else { (1 << left) - 1 };
                // SAFETY: the masked words are within the row, which has a word for each 64 components.
                let signs = unsafe {
                    _mm512_maskz_loadu_epi64(mask, signs.as_ptr().cast::<i64>().add(piece * WORDS))
                };
                // The signs that are set in the upper halves of words, levels in the lower ones: neither outgrows its half.
                sums = _mm512_add_epi64(sums, _mm512_slli_epi64::<32>(_mm512_popcnt_epi64(signs)));
                let common = |plane: usize| {
                    // SAFETY: a plane has as many words as a register.
                    let plane = unsafe { _mm512_loadu_si512(planes[plane].as_ptr().cast()) };
                    _mm512_popcnt_epi64(_mm512_and_si512(signs, plane))
                };
                let low = _mm512_add_epi64(common(0), _mm512_slli_epi64::<1>(common(1)));
                let high = _mm512_add_epi64(common(2), _mm512_slli_epi64::<1>(common(3)));
                sums = _mm512_add_epi64(sums, _mm512_add_epi64(low, _mm512_slli_epi64::<2>(high)));
            }
            let sum = _mm512_reduce_add_epi64(sums) as u64;
            ((sum >> 32) as u32, sum as u32)
        });
    }

    if is_x86_feature_detected!("avx512vpopcntdq") {
        // SAFETY: the instruction set was detected.
        unsafe { counting(query, rows, ids, terms, out) };
    } else {
        portable(query, rows, ids, terms, out);
    }
}

/// AVX2, for its instruction that counts the bits of a word.
///
/// # Safety
///
/// The CPU has AVX2 and POPCNT.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
pub(crate) unsafe fn avx2(
    query: &SignRowQuery,
    rows: &[u8],
    ids: &[u32],
    terms: (f32, f32),
    out: &mut [f32],
) {
    portable(query, rows, ids, terms, out);
}
