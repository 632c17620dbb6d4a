//! A query made ready for blocks of signs.

use super::{GROUP, LEVELS};
use crate::aligned::Aligned;
use crate::codes::QueryCodes;

/// A query: the look-up table for signs of its rotated vector, and the 16-bit codes of its own for rows of 8-bit codes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SignQuery {
    dim: usize,
    /// For each group the products of its components with each of the 16 patterns of signs, in 6 bits.
    pub(super) table: Aligned<u8, 64>,
    /// The value of one unit of the table.
    pub(super) scale: f32,
    /// What all groups together start from.
    pub(super) offset: f32,
    codes: QueryCodes,
    squared_norm: f32,
}

impl SignQuery {
    /// The body of [`Kernels::prepare`](crate::Kernels::prepare), inlined into a function of each tier with its
    /// `look_ups`, which fill a table of 4 bytes a component and return the scale and the offset.
    #[inline(always)]
    pub(crate) fn prepare(
        &mut self,
        vector: &[f32],
        rotated: &[f32],
        look_ups: impl Fn(&[f32], &mut [u8]) -> (f32, f32),
    ) {
        self.dim = rotated.len();
        self.codes.encode(vector);
        self.squared_norm = self.codes.factors.norm * self.codes.factors.norm;
        self.table.resize(16 / GROUP * rotated.len(), 0);
        (self.scale, self.offset) = look_ups(rotated, &mut self.table);
    }

    /// Returns the number of components of the rotated vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Returns the query, not rotated, in 16 bits a component.
    pub fn codes(&self) -> &QueryCodes {
        &self.codes
    }

    /// Returns the square of the Euclidean norm.
    pub fn squared_norm(&self) -> f32 {
        self.squared_norm
    }
}

/// Returns the factor that turns twice a component into units of the table, from the widest reach of a group: the sum of
/// its absolute values. The products of a group lie between that and its negative.
#[inline(always)]
fn units_of(widest: f32) -> f32 {
    let units = f32::from(LEVELS) / widest;
    // Of a query of zeros, or of denormals, every look-up is 0.
    if units.is_finite() { units } else { 0.0 }
}

/// Returns the value of one unit of the table.
#[inline(always)]
fn scale_of(widest: f32) -> f32 {
    2.0 * widest / f32::from(LEVELS)
}

/// Fills the look-up table: the portable twin.
///
/// With products shifted by the reach of their group, a component adds twice its value to patterns with its bit set if
/// it is positive, and twice its magnitude to the others if it is negative; nothing is subtracted.
pub(crate) fn look_ups(rotated: &[f32], table: &mut [u8]) -> (f32, f32) {
    let groups = rotated.as_chunks::<GROUP>().0;
    let (mut widest, mut totals) = (0.0_f32, [0.0_f32; 4]);
    for (n, group) in groups.iter().enumerate() {
        let reach = (group[0].abs() + group[1].abs()) + (group[2].abs() + group[3].abs());
        widest = if reach > widest { reach } else { widest };
        totals[n % 4] += reach;
    }
    let units = units_of(widest);
    for (group, table) in groups.iter().zip(table.as_chunks_mut::<16>().0) {
        let parts = group.map(|value| [0.0_f32.max(-(value * units)), 0.0_f32.max(value * units)]);
        for (pattern, value) in table.iter_mut().enumerate() {
            let part = |n: usize| parts[n][pattern >> n & 1];
            *value = ((part(0) + part(1)) + ((part(2) + part(3)) + 0.5)) as u8;
        }
    }
    (scale_of(widest), -((totals[0] + totals[1]) + (totals[2] + totals[3])))
}

/// NEON: the portable twin, which the compiler vectorises.
///
/// # Safety
///
/// The CPU has NEON.
#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
pub(crate) unsafe fn look_ups_neon(rotated: &[f32], table: &mut [u8]) -> (f32, f32) {
    look_ups(rotated, table)
}

/// AVX-512: four groups at a time.
///
/// # Safety
///
/// The CPU has AVX-512F, BW and VL; the length of `rotated` is a multiple of 64, and `table` has 4 bytes a component.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(crate) unsafe fn look_ups_avx512(rotated: &[f32], table: &mut [u8]) -> (f32, f32) {
    use std::arch::x86_64::*;

    let zero = _mm512_setzero_ps();
    let (mut widest, mut total) = (zero, zero);
    for at in (0..rotated.len()).step_by(16) {
        // SAFETY: 16 components from `at` are within the query.
        let values = _mm512_abs_ps(unsafe { _mm512_loadu_ps(rotated.as_ptr().add(at)) });
        let pairs = _mm512_add_ps(values, _mm512_permute_ps::<0b10_11_00_01>(values));
        let reach = _mm512_add_ps(pairs, _mm512_permute_ps::<0b01_00_11_10>(pairs));
        widest = _mm512_max_ps(widest, reach);
        total = _mm512_add_ps(total, reach);
    }
    let widest = _mm512_reduce_max_ps(widest);
    let totals = [
        _mm512_castps512_ps128(total),
        _mm512_extractf32x4_ps::<1>(total),
        _mm512_extractf32x4_ps::<2>(total),
        _mm512_extractf32x4_ps::<3>(total),
    ]
    .map(|total| _mm_cvtss_f32(total));
    let (units, half) = (_mm512_set1_ps(units_of(widest)), _mm512_set1_ps(0.5));
    for at in (0..rotated.len()).step_by(16) {
        // SAFETY: 16 components from `at` are within the query, and 4 times as many bytes within the table.
        unsafe {
            let values = _mm512_mul_ps(_mm512_loadu_ps(rotated.as_ptr().add(at)), units);
            let clear = _mm512_max_ps(_mm512_sub_ps(zero, values), zero);
            let set = _mm512_max_ps(values, zero);
            // In each quarter a group: what its first two components add for the four patterns of their bits, and
            // what the other two add.
            let low = _mm512_castps_pd(_mm512_unpacklo_ps(clear, set));
            let high = _mm512_castps_pd(_mm512_unpackhi_ps(clear, set));
            let first = _mm512_add_ps(
                _mm512_castpd_ps(_mm512_movedup_pd(low)),
                _mm512_shuffle_ps::<0b01_01_01_01>(clear, set),
            );
            let second = _mm512_add_ps(
                _mm512_castpd_ps(_mm512_movedup_pd(high)),
                _mm512_shuffle_ps::<0b11_11_11_11>(clear, set),
            );
            let second = _mm512_add_ps(second, half);
            let four = [
                _mm512_permute_ps::<0b00_00_00_00>(second),
                _mm512_permute_ps::<0b01_01_01_01>(second),
                _mm512_permute_ps::<0b10_10_10_10>(second),
                _mm512_permute_ps::<0b11_11_11_11>(second),
            ]
            .map(|second| _mm512_cvttps_epi32(_mm512_add_ps(first, second)));
            let bytes = _mm512_packus_epi16(
                _mm512_packs_epi32(four[0], four[1]),
                _mm512_packs_epi32(four[2], four[3]),
            );
            _mm512_storeu_si512(table.as_mut_ptr().add(at * 4).cast(), bytes);
        }
    }
    (scale_of(widest), -((totals[0] + totals[1]) + (totals[2] + totals[3])))
}

/// AVX2: two groups at a time.
///
/// # Safety
///
/// The CPU has AVX2; the length of `rotated` is a multiple of 64, and `table` has 4 bytes a component.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,popcnt")]
pub(crate) unsafe fn look_ups_avx2(rotated: &[f32], table: &mut [u8]) -> (f32, f32) {
    use std::arch::x86_64::*;

    let zero = _mm256_setzero_ps();
    let (mut widest, mut total) = (zero, [zero; 2]);
    for at in (0..rotated.len()).step_by(16) {
        for (n, total) in total.iter_mut().enumerate() {
            // SAFETY: 16 components from `at` are within the query.
            let values = unsafe { _mm256_loadu_ps(rotated.as_ptr().add(at + n * 8)) };
            let values = _mm256_andnot_ps(_mm256_set1_ps(-0.0), values);
            let pairs = _mm256_add_ps(values, _mm256_permute_ps::<0b10_11_00_01>(values));
            let reach = _mm256_add_ps(pairs, _mm256_permute_ps::<0b01_00_11_10>(pairs));
            widest = _mm256_max_ps(widest, reach);
            *total = _mm256_add_ps(*total, reach);
        }
    }
    let halves =
        [_mm256_castps256_ps128(widest), _mm256_extractf128_ps::<1>(widest)].map(|w| _mm_cvtss_f32(w));
    let widest = if halves[0] > halves[1] { halves[0] } else { halves[1] };
    let totals = total.map(|total| {
        _mm_cvtss_f32(_mm256_castps256_ps128(total)) + _mm_cvtss_f32(_mm256_extractf128_ps::<1>(total))
    });
    let (units, half) = (_mm256_set1_ps(units_of(widest)), _mm256_set1_ps(0.5));
    for at in (0..rotated.len()).step_by(8) {
        // SAFETY: 8 components from `at` are within the query, and 4 times as many bytes within the table.
        unsafe {
            let values = _mm256_mul_ps(_mm256_loadu_ps(rotated.as_ptr().add(at)), units);
            let clear = _mm256_max_ps(_mm256_sub_ps(zero, values), zero);
            let set = _mm256_max_ps(values, zero);
            // As for AVX-512, of two groups.
            let low = _mm256_castps_pd(_mm256_unpacklo_ps(clear, set));
            let high = _mm256_castps_pd(_mm256_unpackhi_ps(clear, set));
            let first = _mm256_add_ps(
                _mm256_castpd_ps(_mm256_movedup_pd(low)),
                _mm256_shuffle_ps::<0b01_01_01_01>(clear, set),
            );
            let second = _mm256_add_ps(
                _mm256_castpd_ps(_mm256_movedup_pd(high)),
                _mm256_shuffle_ps::<0b11_11_11_11>(clear, set),
            );
            let second = _mm256_add_ps(second, half);
            let four = [
                _mm256_permute_ps::<0b00_00_00_00>(second),
                _mm256_permute_ps::<0b01_01_01_01>(second),
                _mm256_permute_ps::<0b10_10_10_10>(second),
                _mm256_permute_ps::<0b11_11_11_11>(second),
            ]
            .map(|second| _mm256_cvttps_epi32(_mm256_add_ps(first, second)));
            let bytes = _mm256_packus_epi16(
                _mm256_packs_epi32(four[0], four[1]),
                _mm256_packs_epi32(four[2], four[3]),
            );
            _mm256_storeu_si256(table.as_mut_ptr().add(at * 4).cast(), bytes);
        }
    }
    (scale_of(widest), -(totals[0] + totals[1]))
}
