//! AVX2 with FMA: eight lanes.

use std::arch::x86_64::*;

use crate::accumulate::Accumulate;
use crate::codes;
use crate::finite;
use crate::lanes::{LARGE, Lanes, signs_by_half};
use crate::metric::Op;
use crate::sweep;
use crate::table::{for_op, kernel_table};

kernel_table! {
    lanes: Avx2,
    features: "avx2,fma,popcnt",
    scan_rows: 4,
    ahead_bytes: 8192,
    query_tile: 2 x 2,
    scan_codes: codes::scan::avx2,
    score_nibbles: crate::nibbles::avx2,
    score_sign_rows: crate::sign_rows::avx2,
    estimate: crate::signs::avx2,
    look_ups: crate::signs::look_ups_avx2,
    nearest: crate::nearest::avx2,
    retain_below: crate::signs::retain_avx2,
    gather_codes: codes::scan::gather_avx2,
    panel_products: crate::panels::avx2,
}

/// Eight f32 lanes. A value exists only where AVX2 and FMA were detected (see [`Lanes`]).
#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256);

impl Lanes for Avx2 {
    const WIDTH: usize = 8;

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller vouches for the instruction set.
        Self(unsafe { _mm256_setzero_ps() })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for the instruction set and for 8 floats; the load needs no alignment.
        Self(unsafe { _mm256_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        const WINDOW: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
        debug_assert!(count < Self::WIDTH);
        // SAFETY: the caller vouches for the instruction set; the window from `8 - count` holds 8 values, `count` of
        // them set, and a masked load reads only the lanes whose mask is set, for which the caller vouches.
        unsafe {
            let mask = _mm256_loadu_si256(WINDOW.as_ptr().add(Self::WIDTH - count).cast());
            Self(_mm256_maskload_ps(from, mask))
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: a value exists only where AVX2 and FMA were detected; the caller vouches for 8 floats.
        unsafe { _mm256_storeu_ps(to, self.0) };
    }

    #[inline(always)]
    fn butterfly<const HALF: usize>(self) -> Self {
        const SIGNS: [[f32; 8]; 4] = signs_by_half();
        // SAFETY: a value exists only where AVX2 and FMA were detected; the signs are as many as the lanes.
        unsafe {
            let (other, signs) = match HALF {
                1 => (_mm256_permute_ps::<0b10_11_00_01>(self.0), &SIGNS[0]),
                2 => (_mm256_permute_ps::<0b01_00_11_10>(self.0), &SIGNS[1]),
                _ => (_mm256_permute2f128_ps::<1>(self.0, self.0), &SIGNS[2]),
            };
            // The product is exact: this rounds as the sum or the difference does.
            Self(_mm256_fmadd_ps(self.0, _mm256_loadu_ps(signs.as_ptr()), other))
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
        // SAFETY: a value exists only where AVX2 and FMA were detected.
        Self(unsafe { _mm256_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: a value exists only where AVX2 and FMA were detected.
        Self(unsafe { _mm256_sub_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: a value exists only where AVX2 and FMA were detected.
        Self(unsafe { _mm256_mul_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn add_product(self, left: Self, right: Self) -> Self {
        // SAFETY: a value exists only where AVX2 and FMA were detected.
        Self(unsafe { _mm256_fmadd_ps(left.0, right.0, self.0) })
    }

    #[inline(always)]
    fn div_or_zero(self, divisor: Self) -> Self {
        // SAFETY: a value exists only where AVX2 and FMA were detected.
        unsafe {
            let nonzero = _mm256_cmp_ps::<_CMP_NEQ_UQ>(divisor.0, _mm256_setzero_ps());
            Self(_mm256_and_ps(_mm256_div_ps(self.0, divisor.0), nonzero))
        }
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: a value exists only where AVX2 and FMA were detected.
        Self(unsafe { _mm256_max_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: a value exists only where AVX2 and FMA were detected.
        Self(unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0) })
    }

    #[inline(always)]
    fn count_unequal(self, left: Self, right: Self) -> Self {
        // SAFETY: a value exists only where AVX2 and FMA were detected.
        unsafe {
            let unequal = _mm256_cmp_ps::<_CMP_NEQ_UQ>(left.0, right.0);
            Self(_mm256_add_ps(self.0, _mm256_and_ps(unequal, _mm256_set1_ps(1.0))))
        }
    }

    #[inline(always)]
    fn count_nonzero(self, left: Self, right: Self) -> Self {
        // SAFETY: a value exists only where AVX2 and FMA were detected.
        unsafe {
            // The bits of both are clear, but for the sign, only if both are zero.
            let either = _mm256_or_ps(left.0, right.0);
            let nonzero = _mm256_cmp_ps::<_CMP_NEQ_UQ>(either, _mm256_setzero_ps());
            Self(_mm256_add_ps(self.0, _mm256_and_ps(nonzero, _mm256_set1_ps(1.0))))
        }
    }

    #[inline(always)]
    fn overflow_scale(self) -> Self {
        // SAFETY: a value exists only where AVX2 and FMA were detected.
        unsafe {
            let large = _mm256_cmp_ps::<_CMP_GT_OQ>(self.0, _mm256_set1_ps(LARGE));
            Self(_mm256_blendv_ps(_mm256_set1_ps(1.0), _mm256_set1_ps(0.25), large))
        }
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: a value exists only where AVX2 and FMA were detected.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }

    #[inline(always)]
    fn largest(self) -> f32 {
        // SAFETY: a value exists only where AVX2 and FMA were detected.
        unsafe {
            let four = _mm_max_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
}
