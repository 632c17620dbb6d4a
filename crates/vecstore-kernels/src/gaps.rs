//! Numbers from the gaps between them.

/// Returns the numbers that four gaps lead to: each is the number before it, its gap and 1. The first comes after the last of
/// `before`. Sums wrap around.
///
/// It is inlined into loops that unpack gaps, and needs no [`Tier`](crate::Tier): SSE2 is part of x86-64.
#[inline(always)]
pub fn rows_of_gaps(gaps: [u32; 4], before: [u32; 4]) -> [u32; 4] {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{
            _mm_add_epi32, _mm_loadu_si128, _mm_set1_epi32, _mm_shuffle_epi32, _mm_slli_si128,
            _mm_storeu_si128,
        };
        let mut rows = [0; 4];
        // SAFETY: SSE2 is part of x86-64, and each pointer is to an array of 16 bytes, which needs no alignment.
        unsafe {
            let one = _mm_add_epi32(_mm_loadu_si128(gaps.as_ptr().cast()), _mm_set1_epi32(1));
            let two = _mm_add_epi32(one, _mm_slli_si128::<4>(one));
            let four = _mm_add_epi32(two, _mm_slli_si128::<8>(two));
            let last = _mm_shuffle_epi32::<0xFF>(_mm_loadu_si128(before.as_ptr().cast()));
            _mm_storeu_si128(rows.as_mut_ptr().cast(), _mm_add_epi32(four, last));
        }
        rows
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        scalar(gaps, before)
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
fn scalar(gaps: [u32; 4], before: [u32; 4]) -> [u32; 4] {
    let mut row = before[3];
    gaps.map(|gap| {
        row = row.wrapping_add(gap).wrapping_add(1);
        row
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_are_those_of_the_scalar_twin(gaps: [u32; 4], before: [u32; 4]) {
            prop_assert_eq!(rows_of_gaps(gaps, before), scalar(gaps, before));
        }
    }

    #[test]
    fn rows_follow_each_other_and_wrap() {
        assert_eq!(rows_of_gaps([0, 2, 0, 9], [7, 7, 7, u32::MAX]), [0, 3, 4, 14]);
    }
}
