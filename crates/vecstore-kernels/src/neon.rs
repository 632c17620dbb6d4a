//! NEON: four lanes.

use std::arch::aarch64::*;

use crate::accumulate::Accumulate;
use crate::codes;
use crate::finite;
use crate::lanes::{LARGE, Lanes, signs_by_half};
use crate::metric::Op;
use crate::sweep;
use crate::table::{for_op, kernel_table};

kernel_table! {
    lanes: Neon,
    features: "neon",
    scan_rows: 4,
    ahead_bytes: 8192,
    query_tile: 4 x 2,
    scan_codes: codes::scan::portable,
    score_nibbles: crate::nibbles::portable,
    score_sign_rows: crate::sign_rows::portable,
    estimate: crate::signs::neon,
    look_ups: crate::signs::look_ups_neon,
    nearest: crate::nearest::portable,
    retain_below: crate::signs::retain_portable,
    gather_codes: codes::scan::gather_portable,
    panel_products: crate::panels::neon,
}

/// Four f32 lanes. A value exists only where NEON was detected (see [`Lanes`]).
#[derive(Clone, Copy)]
pub(crate) struct Neon(float32x4_t);

impl Lanes for Neon {
    const WIDTH: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller vouches for the instruction set.
        Self(unsafe { vdupq_n_f32(0.0) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for the instruction set and for 4 floats; the load needs no alignment.
        Self(unsafe { vld1q_f32(from) })
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        debug_assert!(count < Self::WIDTH);
        let mut lanes = [0.0; 4];
        // SAFETY: the caller vouches for the instruction set and `count` floats, and `count` is at most 4; the array
        // holds the 4 floats that are loaded.
        unsafe {
            std::ptr::copy_nonoverlapping(from, lanes.as_mut_ptr(), count);
            Self(vld1q_f32(lanes.as_ptr()))
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: a value exists only where NEON was detected; the caller vouches for 4 floats.
        unsafe { vst1q_f32(to, self.0) };
    }

    #[inline(always)]
    fn butterfly<const HALF: usize>(self) -> Self {
        const SIGNS: [[f32; 4]; 4] = signs_by_half();
        // SAFETY: a value exists only where NEON was detected; the signs are as many as the lanes.
        unsafe {
            let (other, signs) = match HALF {
                1 => (vrev64q_f32(self.0), &SIGNS[0]),
                _ => (vextq_f32::<2>(self.0, self.0), &SIGNS[1]),
            };
            // The product is exact: this rounds as the sum or the difference does.
            Self(vfmaq_f32(other, self.0, vld1q_f32(signs.as_ptr())))
        }
    }

    #[inline(always)]
    fn prefetch(at: *const f32) {
        // The prefetch intrinsic is unstable on AArch64; its hardware prefetchers follow consecutive rows alone.
        let _ = at;
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: a value exists only where NEON was detected.
        Self(unsafe { vaddq_f32(self.0, other.0) })
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: a value exists only where NEON was detected.
        Self(unsafe { vsubq_f32(self.0, other.0) })
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: a value exists only where NEON was detected.
        Self(unsafe { vmulq_f32(self.0, other.0) })
    }

    #[inline(always)]
    fn add_product(self, left: Self, right: Self) -> Self {
        // SAFETY: a value exists only where NEON was detected.
        Self(unsafe { vfmaq_f32(self.0, left.0, right.0) })
    }

    #[inline(always)]
    fn div_or_zero(self, divisor: Self) -> Self {
        // SAFETY: a value exists only where NEON was detected.
        unsafe {
            let zero = vreinterpretq_u32_f32(vdivq_f32(self.0, divisor.0));
            Self(vreinterpretq_f32_u32(vbicq_u32(zero, vceqzq_f32(divisor.0))))
        }
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: a value exists only where NEON was detected.
        Self(unsafe { vmaxq_f32(self.0, other.0) })
    }

    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: a value exists only where NEON was detected.
        Self(unsafe { vabsq_f32(self.0) })
    }

    #[inline(always)]
    fn count_unequal(self, left: Self, right: Self) -> Self {
        // SAFETY: a value exists only where NEON was detected.
        unsafe {
            let unequal = vmvnq_u32(vceqq_f32(left.0, right.0));
            let one = vreinterpretq_u32_f32(vdupq_n_f32(1.0));
            Self(vaddq_f32(self.0, vreinterpretq_f32_u32(vandq_u32(unequal, one))))
        }
    }

    #[inline(always)]
    fn count_nonzero(self, left: Self, right: Self) -> Self {
        // SAFETY: a value exists only where NEON was detected.
        unsafe {
            // The bits of both are clear, but for the sign, only if both are zero.
            let either = vorrq_u32(vreinterpretq_u32_f32(left.0), vreinterpretq_u32_f32(right.0));
            let zero = vceqzq_f32(vreinterpretq_f32_u32(either));
            let one = vreinterpretq_u32_f32(vdupq_n_f32(1.0));
            Self(vaddq_f32(self.0, vreinterpretq_f32_u32(vbicq_u32(one, zero))))
        }
    }

    #[inline(always)]
    fn overflow_scale(self) -> Self {
        // SAFETY: a value exists only where NEON was detected.
        unsafe {
            let large = vcgtq_f32(self.0, vdupq_n_f32(LARGE));
            Self(vbslq_f32(large, vdupq_n_f32(0.25), vdupq_n_f32(1.0)))
        }
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: a value exists only where NEON was detected.
        unsafe {
            let two = vadd_f32(vget_low_f32(self.0), vget_high_f32(self.0));
            vget_lane_f32::<0>(two) + vget_lane_f32::<1>(two)
        }
    }

    #[inline(always)]
    fn largest(self) -> f32 {
        // SAFETY: a value exists only where NEON was detected.
        unsafe { vmaxvq_f32(self.0) }
    }
}
