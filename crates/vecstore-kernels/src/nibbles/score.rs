//! Scoring rows by number.

use super::{FACTORS_BYTES, NibbleQuery, nibble_row_bytes};
use crate::codes::scan::prefetch_near;

/// Rows ahead of the one being scored that are asked for.
const AHEAD_ROWS: usize = 8;

/// Scores rows with a tier's product of two slices: the values of a query and the codes of a row.
#[inline(always)]
fn each(
    query: &NibbleQuery,
    rows: &[u8],
    ids: &[u32],
    out: &mut [f32],
    product: impl Fn(&[i8], &[u8]) -> i32,
) {
    let bytes = nibble_row_bytes(query.dim());
    let row = |id: u32| &rows[id as usize * bytes..][..bytes];
    for &id in ids.iter().take(AHEAD_ROWS) {
        prefetch_near(row(id));
    }
    for (n, (&id, out)) in ids.iter().zip(out).enumerate() {
        if let Some(&next) = ids.get(n + AHEAD_ROWS) {
            prefetch_near(row(next));
        }
        let row = row(id);
        *out = query.distance(row, product(query.values(), &row[FACTORS_BYTES..]));
    }
}

/// The portable twin.
#[inline(always)]
pub(crate) fn portable(query: &NibbleQuery, rows: &[u8], ids: &[u32], out: &mut [f32]) {
    each(query, rows, ids, out, |query, codes| {
        let (low, high) = query.split_at(query.len() / 2);
        let pairs = low.iter().zip(high).zip(codes);
        let product = |((&low, &high), &code): ((&i8, &i8), &u8)| {
            i32::from(low) * i32::from(code & 15) + i32::from(high) * i32::from(code >> 4)
        };
        pairs.map(product).sum()
    });
}

/// AVX2: 32 products an instruction.
///
/// # Safety
///
/// The CPU has AVX2; the query is not empty.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(crate) unsafe fn avx2(query: &NibbleQuery, rows: &[u8], ids: &[u32], out: &mut [f32]) {
    use std::arch::x86_64::*;

    /// Four times two sums of two products up to 127 * 15 fit 16 bits.
    const RUN_BYTES: usize = 4 * 32;

    /// # Safety
    ///
    /// `codes` has half as many bytes as `query` has values, a multiple of 32.
    #[target_feature(enable = "avx2")]
    unsafe fn product(query: &[i8], codes: &[u8]) -> i32 {
        let half = codes.len();
        let mask = _mm256_set1_epi8(15);
        let mut sums = _mm256_setzero_si256();
        for run in (0..half).step_by(RUN_BYTES) {
            let mut words = _mm256_setzero_si256();
            for at in (run..half.min(run + RUN_BYTES)).step_by(32) {
                // SAFETY: 32 bytes from `at` are within the codes and within each half of the query.
                unsafe {
                    let both = _mm256_loadu_si256(codes.as_ptr().add(at).cast());
                    let low = _mm256_loadu_si256(query.as_ptr().add(at).cast());
                    let high = _mm256_loadu_si256(query.as_ptr().add(half + at).cast());
                    let first = _mm256_maddubs_epi16(_mm256_and_si256(both, mask), low);
                    let second =
                        _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16::<4>(both), mask), high);
                    words = _mm256_add_epi16(words, _mm256_add_epi16(first, second));
                }
            }
            sums = _mm256_add_epi32(sums, _mm256_madd_epi16(words, _mm256_set1_epi16(1)));
        }
        let four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
        let two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
        _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<1>(two)))
    }

    // SAFETY: the caller vouches for the instruction set; a row has half a byte for each value of the query, which has
    // a multiple of 64.
    each(query, rows, ids, out, |query, codes| unsafe { product(query, codes) });
}

/// AVX-512 with VNNI: 64 products an instruction.
///
/// # Safety
///
/// The CPU has AVX-512F, BW, VL and VNNI; the query is not empty.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(crate) unsafe fn avx512(query: &NibbleQuery, rows: &[u8], ids: &[u32], out: &mut [f32]) {
    use std::arch::x86_64::*;

    /// # Safety
    ///
    /// `codes` has half as many bytes as `query` has values, a multiple of 32.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn product(query: &[i8], codes: &[u8]) -> i32 {
        let half = codes.len();
        let whole = half / 64 * 64;
        let mask = _mm512_set1_epi8(15);
        let (mut low_sums, mut high_sums) = (_mm512_setzero_si512(), _mm512_setzero_si512());
        for at in (0..whole).step_by(64) {
            // SAFETY: 64 bytes from `at` are within the codes and within each half of the query.
            unsafe {
                let both = _mm512_loadu_si512(codes.as_ptr().add(at).cast());
                let low = _mm512_loadu_si512(query.as_ptr().add(at).cast());
                let high = _mm512_loadu_si512(query.as_ptr().add(half + at).cast());
                low_sums = _mm512_dpbusd_epi32(low_sums, _mm512_and_si512(both, mask), low);
                let upper = _mm512_and_si512(_mm512_srli_epi16::<4>(both), mask);
                high_sums = _mm512_dpbusd_epi32(high_sums, upper, high);
            }
        }
        let mut sums = _mm512_add_epi32(low_sums, high_sums);
        if whole < half {
            // SAFETY: the 32 bytes that are left are within the codes and within each half of the query.
            unsafe {
                let both = _mm256_loadu_si256(codes.as_ptr().add(whole).cast());
                let low = _mm256_loadu_si256(query.as_ptr().add(whole).cast());
                let high = _mm256_loadu_si256(query.as_ptr().add(half + whole).cast());
                let mask = _mm512_castsi512_si256(mask);
                let upper = _mm256_and_si256(_mm256_srli_epi16::<4>(both), mask);
                let rest = _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_and_si256(both, mask), low);
                let rest = _mm256_dpbusd_epi32(rest, upper, high);
                sums = _mm512_add_epi32(sums, _mm512_zextsi256_si512(rest));
            }
        }
        _mm512_reduce_add_epi32(sums)
    }

    // SAFETY: the caller vouches for the instruction set; a row has half a byte for each value of the query, which has
    // a multiple of 64.
    each(query, rows, ids, out, |query, codes| unsafe { product(query, codes) });
}
