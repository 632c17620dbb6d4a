//! AVX-512F: sixteen lanes.

use std::arch::x86_64::*;

use crate::accumulate::Accumulate;
use crate::codes;
use crate::finite;
use crate::lanes::{LARGE, Lanes, signs_by_half};
use crate::metric::Op;
use crate::sweep;
use crate::table::{for_op, kernel_table};

kernel_table! {
    lanes: Avx512,
    features: "avx512f,avx512bw,avx512vl,avx512vnni",
    scan_rows: 4,
    ahead_bytes: 8192,
    query_tile: 4 x 2,
    scan_codes: codes::scan::avx512,
    score_nibbles: crate::nibbles::avx512,
    score_sign_rows: crate::sign_rows::avx512,
    estimate: crate::signs::avx512,
    look_ups: crate::signs::look_ups_avx512,
    nearest: crate::nearest::avx512,
    retain_below: crate::signs::retain_avx512,
    gather_codes: codes::scan::gather_avx512,
    panel_products: crate::panels::avx512,
}

/// Sixteen f32 lanes. A value exists only where AVX-512F was detected (see [`Lanes`]).
#[derive(Clone, Copy)]
pub(crate) struct Avx512(__m512);

impl Lanes for Avx512 {
    const WIDTH: usize = 16;

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller vouches for the instruction set.
        Self(unsafe { _mm512_setzero_ps() })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for the instruction set and for 16 floats; the load needs no alignment.
        Self(unsafe { _mm512_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        debug_assert!(count < Self::WIDTH);
        // SAFETY: the caller vouches for the instruction set; a masked load reads only the lanes whose bit is set,
        // the first `count`, for which the caller vouches.
        unsafe { Self(_mm512_maskz_loadu_ps((1 << count) - 1, from)) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: a value exists only where AVX-512F was detected; the caller vouches for 16 floats.
        unsafe { _mm512_storeu_ps(to, self.0) };
    }

    #[inline(always)]
    fn butterfly<const HALF: usize>(self) -> Self {
        const SIGNS: [[f32; 16]; 4] = signs_by_half();
        // SAFETY: a value exists only where AVX-512F was detected; the signs are as many as the lanes.
        unsafe {
            let (other, signs) = match HALF {
                1 => (_mm512_permute_ps::<0b10_11_00_01>(self.0), &SIGNS[0]),
                2 => (_mm512_permute_ps::<0b01_00_11_10>(self.0), &SIGNS[1]),
                4 => (_mm512_shuffle_f32x4::<0b10_11_00_01>(self.0, self.0), &SIGNS[2]),
                _ => (_mm512_shuffle_f32x4::<0b01_00_11_10>(self.0, self.0), &SIGNS[3]),
            };
            // The product is exact: this rounds as the sum or the difference does.
            Self(_mm512_fmadd_ps(self.0, _mm512_loadu_ps(signs.as_ptr()), other))
        }
    }

    #[inline(always)]
    fn prefetch(at: *const f32) {
        // T0, not NTA: NTA scans 2x to 4x slower where the rows would have stayed in the last-level cache.
        // SAFETY: a prefetch reads nothing, at whatever address; SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: a value exists only where AVX-512F was detected.
        Self(unsafe { _mm512_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: a value exists only where AVX-512F was detected.
        Self(unsafe { _mm512_sub_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: a value exists only where AVX-512F was detected.
        Self(unsafe { _mm512_mul_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn add_product(self, left: Self, right: Self) -> Self {
        // SAFETY: a value exists only where AVX-512F was detected.
        Self(unsafe { _mm512_fmadd_ps(left.0, right.0, self.0) })
    }

    #[inline(always)]
    fn div_or_zero(self, divisor: Self) -> Self {
        // SAFETY: a value exists only where AVX-512F was detected.
        unsafe {
            let nonzero = _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(divisor.0, _mm512_setzero_ps());
            Self(_mm512_maskz_div_ps(nonzero, self.0, divisor.0))
        }
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: a value exists only where AVX-512F was detected.
        Self(unsafe { _mm512_max_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: a value exists only where AVX-512F was detected.
        Self(unsafe { _mm512_abs_ps(self.0) })
    }

    #[inline(always)]
    fn count_unequal(self, left: Self, right: Self) -> Self {
        // SAFETY: a value exists only where AVX-512F was detected.
        unsafe {
            let unequal = _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(left.0, right.0);
            Self(_mm512_mask_add_ps(self.0, unequal, self.0, _mm512_set1_ps(1.0)))
        }
    }

    #[inline(always)]
    fn count_nonzero(self, left: Self, right: Self) -> Self {
        // SAFETY: a value exists only where AVX-512F was detected.
        unsafe {
            // The bits of both are clear, but for the sign, only if both are zero.
            let either = _mm512_or_si512(_mm512_castps_si512(left.0), _mm512_castps_si512(right.0));
            let nonzero = _mm512_test_epi32_mask(either, _mm512_set1_epi32(i32::MAX));
            Self(_mm512_mask_add_ps(self.0, nonzero, self.0, _mm512_set1_ps(1.0)))
        }
    }

    #[inline(always)]
    fn overflow_scale(self) -> Self {
        // SAFETY: a value exists only where AVX-512F was detected.
        unsafe {
            let large = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(self.0, _mm512_set1_ps(LARGE));
            Self(_mm512_mask_blend_ps(large, _mm512_set1_ps(1.0), _mm512_set1_ps(0.25)))
        }
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: a value exists only where AVX-512F was detected.
        unsafe {
            let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(self.0)));
            let eight = _mm256_add_ps(_mm512_castps512_ps256(self.0), high);
            let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }

    #[inline(always)]
    fn largest(self) -> f32 {
        // SAFETY: a value exists only where AVX-512F was detected.
        unsafe {
            let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(self.0)));
            let eight = _mm256_max_ps(_mm512_castps512_ps256(self.0), high);
            let four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
}
