//! The position of the first of the least of some keys: floats as integers of the same order, which compare in one cycle where
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

/// The portable twin, inlined into a function of each tier that has none of its own. Of equals the first wins: the same
/// on every tier.
#[inline(always)]
pub(crate) fn portable(keys: &[i32]) -> usize {
    let (blocks, rest) = keys.as_chunks::<LANES>();
    let mut least = [i32::MAX; LANES];
    for keys in blocks {
        for lane in 0..LANES {
            least[lane] = least[lane].min(keys[lane]);
        }
    }
    let best = rest.iter().chain(&least).fold(i32::MAX, |best, &key| best.min(key));
    // A second pass over what the first one has brought into the cache, as far as the least: less work than to carry
    // positions along.
    keys.iter().position(|&key| key == best).unwrap_or(0)
}

/// AVX2: four registers of lanes.
///
/// # Safety
///
/// The CPU has AVX2; there are keys.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,popcnt")]
pub(crate) unsafe fn avx2(keys: &[i32]) -> usize {
    use std::arch::x86_64::*;

    const WIDTH: usize = 8;
    let len = keys.len();
    if len < WIDTH {
        return portable(keys);
    }
    // SAFETY: loads are of 8 keys that start 8 before the end at most.
    let load = |at: usize| unsafe { _mm256_loadu_si256(keys.as_ptr().add(at).cast()) };
    let last = len - WIDTH;
    let mut least = [load(last); 4];
    let mut at = 0;
    while at + 4 * WIDTH <= len {
        for (n, least) in least.iter_mut().enumerate() {
            *least = _mm256_min_epi32(*least, load(at + n * WIDTH));
        }
        at += 4 * WIDTH;
    }
    while at < last {
        least[0] = _mm256_min_epi32(least[0], load(at));
        at += WIDTH;
    }
    let least = _mm256_min_epi32(_mm256_min_epi32(least[0], least[1]), _mm256_min_epi32(least[2], least[3]));
    let half = _mm_min_epi32(_mm256_castsi256_si128(least), _mm256_extracti128_si256::<1>(least));
    let quarter = _mm_min_epi32(half, _mm_shuffle_epi32::<0b01_00_11_10>(half));
    let best = _mm_min_epi32(quarter, _mm_shuffle_epi32::<0b10_11_00_01>(quarter));
    let best = _mm256_set1_epi32(_mm_cvtsi128_si32(best));
    let equal = |at: usize| _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(load(at), best)));
    let mut at = 0;
    while at < last {
        let equal = equal(at);
        if equal != 0 {
            return at + equal.trailing_zeros() as usize;
        }
        at += WIDTH;
    }
    last + equal(last).trailing_zeros() as usize
}

/// AVX-512: two registers of lanes, and the last keys by a masked load.
///
/// # Safety
///
/// The CPU has AVX-512F.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(crate) unsafe fn avx512(keys: &[i32]) -> usize {
    use std::arch::x86_64::*;

    let most = _mm512_set1_epi32(i32::MAX);
    let (blocks, rest) = keys.as_chunks::<LANES>();
    // SAFETY: a block has 16 keys.
    let load = |keys: &[i32; LANES]| unsafe { _mm512_loadu_si512(keys.as_ptr().cast()) };
    // SAFETY: the mask has a bit for each key that is left, fewer than 16, and only those are read.
    let rest = unsafe { _mm512_mask_loadu_epi32(most, (1 << rest.len()) - 1, rest.as_ptr()) };
    let mut least = [rest, most];
    let (pairs, single) = blocks.as_chunks::<2>();
    for [first, second] in pairs {
        least[0] = _mm512_min_epi32(least[0], load(first));
        least[1] = _mm512_min_epi32(least[1], load(second));
    }
    for keys in single {
        least[1] = _mm512_min_epi32(least[1], load(keys));
    }
    let best = _mm512_set1_epi32(_mm512_reduce_min_epi32(_mm512_min_epi32(least[0], least[1])));
    for (block, keys) in blocks.iter().enumerate() {
        let equal = _mm512_cmpeq_epi32_mask(load(keys), best);
        if equal != 0 {
            return block * LANES + equal.trailing_zeros() as usize;
        }
    }
    blocks.len() * LANES + _mm512_cmpeq_epi32_mask(rest, best).trailing_zeros() as usize
}
