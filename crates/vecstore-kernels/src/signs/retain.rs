//! Throwing out of a pool what is not near enough, on each tier: those that stay move to the front, in their order.

/// Moves the keys below `bound`, with their ids, to the front and returns how many there are: the portable twin.
pub(crate) fn portable(keys: &mut [i32], ids: &mut [u32], bound: i32) -> usize {
    move_below(keys, ids, (0, 0), bound)
}

/// The same from a position on; what is before it was moved to the first `kept` places.
#[inline(always)]
fn move_below(keys: &mut [i32], ids: &mut [u32], (start, mut kept): (usize, usize), bound: i32) -> usize {
    for at in start..keys.len().min(ids.len()) {
        // Stored always and counted where it stays: no branch to mispredict.
        (keys[kept], ids[kept]) = (keys[at], ids[at]);
        kept += usize::from(keys[at] < bound);
    }
    kept
}

/// AVX2: eight at a time.
///
/// # Safety
///
/// The CPU has AVX2; there are as many keys as ids.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,popcnt")]
pub(crate) unsafe fn avx2(keys: &mut [i32], ids: &mut [u32], bound: i32) -> usize {
    use std::arch::x86_64::*;

    const WIDTH: usize = 8;
    let bounds = _mm256_set1_epi32(bound);
    let (mut at, mut kept) = (0, 0);
    while at + WIDTH <= keys.len() {
        // SAFETY: 8 keys and ids from `at` are there, and as many from `kept`, which is not beyond `at`: what is written
        // over was read.
        unsafe {
            let key = _mm256_loadu_si256(keys.as_ptr().add(at).cast());
            let id = _mm256_loadu_si256(ids.as_ptr().add(at).cast());
            let near = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(bounds, key)));
            let lanes = super::estimate::lanes_of_mask(near);
            _mm256_storeu_si256(keys.as_mut_ptr().add(kept).cast(), _mm256_permutevar8x32_epi32(key, lanes));
            _mm256_storeu_si256(ids.as_mut_ptr().add(kept).cast(), _mm256_permutevar8x32_epi32(id, lanes));
            kept += near.count_ones() as usize;
        }
        at += WIDTH;
    }
    move_below(keys, ids, (at, kept), bound)
}

/// AVX-512: sixteen at a time.
///
/// # Safety
///
/// The CPU has AVX-512F; there are as many keys as ids.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(crate) unsafe fn avx512(keys: &mut [i32], ids: &mut [u32], bound: i32) -> usize {
    use std::arch::x86_64::*;

    const WIDTH: usize = 16;
    let bounds = _mm512_set1_epi32(bound);
    let (mut at, mut kept) = (0, 0);
    while at + WIDTH <= keys.len() {
        // SAFETY: as for AVX2, of 16.
        unsafe {
            let key = _mm512_loadu_si512(keys.as_ptr().add(at).cast());
            let id = _mm512_loadu_si512(ids.as_ptr().add(at).cast());
            let near = _mm512_cmplt_epi32_mask(key, bounds);
            _mm512_storeu_si512(keys.as_mut_ptr().add(kept).cast(), _mm512_maskz_compress_epi32(near, key));
            _mm512_storeu_si512(ids.as_mut_ptr().add(kept).cast(), _mm512_maskz_compress_epi32(near, id));
            kept += near.count_ones() as usize;
        }
        at += WIDTH;
    }
    move_below(keys, ids, (at, kept), bound)
}
