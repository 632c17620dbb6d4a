//! The position of the least of some keys: floats as integers of the same order, which compare in one cycle where
//! floats take four.

/// Keys compared side by side.
const LANES: usize = 16;

/// Turns a float into an integer that is less where the float is: magnitudes of negative ones count down.
#[inline(always)]
pub(crate) fn key_of(value: f32) -> i32 {
    let bits = value.to_bits() as i32;
    bits ^ ((bits >> 31) & i32::MAX)
}

/// Turns a key back into its float.
#[inline(always)]
pub(crate) fn value_of(key: i32) -> f32 {
    f32::from_bits((key ^ ((key >> 31) & i32::MAX)) as u32)
}

/// The portable twin, inlined into a function of each tier. Of equals the first lane wins, and in it the first block:
/// the same on every tier.
#[inline(always)]
pub(crate) fn portable(keys: &[i32]) -> usize {
    let (blocks, rest) = keys.as_chunks::<LANES>();
    let (mut least, mut at) = ([i32::MAX; LANES], [0_i32; LANES]);
    for (block, keys) in blocks.iter().enumerate() {
        for lane in 0..LANES {
            let is_less = keys[lane] < least[lane];
            least[lane] = if is_less { keys[lane] } else { least[lane] };
            at[lane] = if is_less { block as i32 } else { at[lane] };
        }
    }
    for (lane, &key) in rest.iter().enumerate() {
        if key < least[lane] {
            (least[lane], at[lane]) = (key, blocks.len() as i32);
        }
    }
    let best = least.iter().fold(i32::MAX, |best, &key| best.min(key));
    let lane = least.iter().position(|&key| key == best).unwrap_or(0);
    at[lane] as usize * LANES + lane
}

/// AVX2: two registers of lanes.
///
/// # Safety
///
/// The CPU has AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,popcnt")]
pub(crate) unsafe fn avx2(keys: &[i32]) -> usize {
    portable(keys)
}

/// AVX-512: one register of lanes, and the last keys by a masked load.
///
/// # Safety
///
/// The CPU has AVX-512F.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(crate) unsafe fn avx512(keys: &[i32]) -> usize {
    use std::arch::x86_64::*;

    let most = _mm512_set1_epi32(i32::MAX);
    let (mut least, mut at, mut block) = (most, _mm512_setzero_si512(), _mm512_setzero_si512());
    let (blocks, rest) = keys.as_chunks::<LANES>();
    for keys in blocks {
        // SAFETY: a block has 16 keys.
        let keys = unsafe { _mm512_loadu_si512(keys.as_ptr().cast()) };
        at = _mm512_mask_mov_epi32(at, _mm512_cmplt_epi32_mask(keys, least), block);
        least = _mm512_min_epi32(least, keys);
        block = _mm512_add_epi32(block, _mm512_set1_epi32(1));
    }
    if !rest.is_empty() {
        // SAFETY: the mask has a bit for each key that is left, fewer than 16, and only those are read.
        let keys = unsafe { _mm512_mask_loadu_epi32(most, (1 << rest.len()) - 1, rest.as_ptr()) };
        at = _mm512_mask_mov_epi32(at, _mm512_cmplt_epi32_mask(keys, least), block);
        least = _mm512_min_epi32(least, keys);
    }
    let best = _mm512_reduce_min_epi32(least);
    let lanes = _mm512_cmpeq_epi32_mask(least, _mm512_set1_epi32(best));
    let first = _mm_cvtsi128_si32(_mm512_castsi512_si128(_mm512_maskz_compress_epi32(lanes, at)));
    first as usize * LANES + lanes.trailing_zeros() as usize
}
