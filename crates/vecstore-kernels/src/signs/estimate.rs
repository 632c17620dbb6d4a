//! Estimates of 32 distances from a block, on each tier. Sums of look-ups are integers, the same on every tier.

use super::{CHUNK, CandidatePool, GROUP, SIGN_ROWS, STRETCH, SignQuery};

/// Adds the rows of a block whose estimate is below `bound` to the pool: the portable twin.
pub(crate) fn portable(
    query: &SignQuery,
    block: &[u8],
    base: f32,
    bound: f32,
    pool: &mut CandidatePool,
    _: &[u8],
) {
    let (codes, factors) = block.split_at(query.dim() * SIGN_ROWS / 8);
    let mut sums = [0u32; SIGN_ROWS];
    for (codes, table) in codes.as_chunks::<16>().0.iter().zip(query.table.as_chunks::<16>().0) {
        for (place, &code) in codes.iter().enumerate() {
            sums[place] += u32::from(table[usize::from(code & 0xF)]);
            sums[place + 16] += u32::from(table[usize::from(code >> GROUP)]);
        }
    }
    let word = |n: usize| {
        let bytes = factors[n * 4..n * 4 + 4].try_into().expect("four bytes");
        u32::from_le_bytes(bytes)
    };
    for (place, sum) in sums.into_iter().enumerate() {
        let product = (sum as f32).mul_add(query.scale, query.offset);
        let (a, b) = (f32::from_bits(word(place)), f32::from_bits(word(SIGN_ROWS + place)));
        let estimate = b.mul_add(product, a + base);
        if estimate < bound {
            pool.push(estimate, word(2 * SIGN_ROWS + place));
        }
    }
}

/// For each mask of eight lanes, the numbers of the lanes that are set, first to last.
#[cfg(target_arch = "x86_64")]
static LANES_OF_MASK: [[u8; 8]; 256] = {
    let mut lanes = [[0; 8]; 256];
    let mut mask = 0;
    while mask < 256 {
        let (mut lane, mut count) = (0, 0);
        while lane < 8 {
            if mask >> lane & 1 == 1 {
                lanes[mask][count] = lane as u8;
                count += 1;
            }
            lane += 1;
        }
        mask += 1;
    }
    lanes
};

/// Returns the lanes that are set in a mask of eight, first to last, as a permutation wants them.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn lanes_of_mask(mask: i32) -> std::arch::x86_64::__m256i {
    use std::arch::x86_64::{_mm_loadl_epi64, _mm256_cvtepu8_epi32};
    let lanes = &LANES_OF_MASK[mask as usize & 0xFF];
    // SAFETY: eight bytes are read of eight.
    _mm256_cvtepu8_epi32(unsafe { _mm_loadl_epi64(lanes.as_ptr().cast()) })
}

/// AVX2: look-ups for two groups at a time.
///
/// # Safety
///
/// The CPU has AVX2, FMA and POPCNT; the block has the bytes that the query's dimension asks for.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,popcnt")]
pub(crate) unsafe fn avx2(
    query: &SignQuery,
    block: &[u8],
    base: f32,
    bound: f32,
    pool: &mut CandidatePool,
    next: &[u8],
) {
    use std::arch::x86_64::*;

    let dim = query.dim();
    let ahead = if next.is_empty() { block.as_ptr() } else { next.as_ptr() };
    let (low, zero) = (_mm256_set1_epi8(15), _mm256_setzero_si256());
    let mut totals = [zero; SIGN_ROWS / 8];
    for chunk in (0..dim).step_by(CHUNK) {
        let (mut even_low, mut odd_low, mut even_high, mut odd_high) = (zero, zero, zero, zero);
        for stretch in (chunk * GROUP..dim.min(chunk + CHUNK) * GROUP).step_by(STRETCH * GROUP / 2) {
            // Four look-ups of at most `LEVELS` fit a byte.
            let (mut first, mut second) = (zero, zero);
            for at in (stretch..stretch + STRETCH * GROUP / 2).step_by(32) {
                if at % 64 == 0 {
                    _mm_prefetch::<_MM_HINT_T0>(ahead.wrapping_add(at).cast());
                }
                // SAFETY: the table and the codes of the block have 4 bytes a component, and the dimension is a whole
                // number of stretches: `at` and the 31 bytes after it are within both.
                let (codes, table) = unsafe {
                    (
                        _mm256_loadu_si256(block.as_ptr().add(at).cast()),
                        _mm256_loadu_si256(query.table.as_ptr().add(at).cast()),
                    )
                };
                let high = _mm256_and_si256(_mm256_srli_epi16::<4>(codes), low);
                first = _mm256_add_epi8(first, _mm256_shuffle_epi8(table, _mm256_and_si256(codes, low)));
                second = _mm256_add_epi8(second, _mm256_shuffle_epi8(table, high));
            }
            // Whole 16-bit lanes are added; the odd bytes, added apart, are taken out of them at the end.
            even_low = _mm256_add_epi16(even_low, first);
            odd_low = _mm256_add_epi16(odd_low, _mm256_srli_epi16::<8>(first));
            even_high = _mm256_add_epi16(even_high, second);
            odd_high = _mm256_add_epi16(odd_high, _mm256_srli_epi16::<8>(second));
        }
        let fold =
            |sums: __m256i| _mm_add_epi16(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
        for (half, (even, odd)) in [(even_low, odd_low), (even_high, odd_high)].into_iter().enumerate() {
            let even = fold(_mm256_sub_epi16(even, _mm256_slli_epi16::<8>(odd)));
            let odd = fold(odd);
            let (first, second) = (_mm_unpacklo_epi16(even, odd), _mm_unpackhi_epi16(even, odd));
            totals[2 * half] = _mm256_add_epi32(totals[2 * half], _mm256_cvtepu16_epi32(first));
            totals[2 * half + 1] = _mm256_add_epi32(totals[2 * half + 1], _mm256_cvtepu16_epi32(second));
        }
    }
    pool.reserve();
    // SAFETY: the factors and ids follow the codes, 32 of each; `pool` has room for 32 more and 8 beyond.
    unsafe {
        let factors = block.as_ptr().add(dim * GROUP).cast::<f32>();
        for (n, total) in totals.into_iter().enumerate() {
            let product = _mm256_fmadd_ps(
                _mm256_cvtepi32_ps(total),
                _mm256_set1_ps(query.scale),
                _mm256_set1_ps(query.offset),
            );
            let a = _mm256_add_ps(_mm256_loadu_ps(factors.add(n * 8)), _mm256_set1_ps(base));
            let estimates = _mm256_fmadd_ps(_mm256_loadu_ps(factors.add(SIGN_ROWS + n * 8)), product, a);
            let near = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(estimates, _mm256_set1_ps(bound)));
            // The lanes that are near move to the front, and all eight are stored: no branch, no look at each.
            let lanes = lanes_of_mask(near);
            let bits = _mm256_castps_si256(estimates);
            let magnitude = _mm256_and_si256(_mm256_srai_epi32::<31>(bits), _mm256_set1_epi32(i32::MAX));
            let keys = _mm256_permutevar8x32_epi32(_mm256_xor_si256(bits, magnitude), lanes);
            let ids = _mm256_loadu_si256(factors.add(2 * SIGN_ROWS + n * 8).cast());
            let ids = _mm256_permutevar8x32_epi32(ids, lanes);
            _mm256_storeu_si256(pool.keys.as_mut_ptr().add(pool.len).cast(), keys);
            _mm256_storeu_si256(pool.ids.as_mut_ptr().add(pool.len).cast(), ids);
            pool.len += near.count_ones() as usize;
        }
    }
}

/// AVX-512: look-ups for four groups at a time.
///
/// # Safety
///
/// The CPU has AVX-512F, BW and VL; the block has the bytes that the query's dimension asks for.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(crate) unsafe fn avx512(
    query: &SignQuery,
    block: &[u8],
    base: f32,
    bound: f32,
    pool: &mut CandidatePool,
    next: &[u8],
) {
    use std::arch::x86_64::*;

    /// Even rows lie in lanes 0..8 (and from row 16 on in 16..24), odd ones in 8..16 (24..32).
    static ORDER: [u16; 32] = {
        let mut order = [0; 32];
        let mut row = 0;
        while row < 32 {
            order[row] = (row / 16 * 16 + row % 2 * 8 + row % 16 / 2) as u16;
            row += 1;
        }
        order
    };

    let dim = query.dim();
    let ahead = if next.is_empty() { block.as_ptr() } else { next.as_ptr() };
    let (low, zero) = (_mm512_set1_epi8(15), _mm512_setzero_si512());
    let mut totals = [zero; SIGN_ROWS / 16];
    // SAFETY: `ORDER` is as wide as the register.
    let order = unsafe { _mm512_loadu_si512(ORDER.as_ptr().cast()) };
    for chunk in (0..dim).step_by(CHUNK) {
        let (mut even_low, mut odd_low, mut even_high, mut odd_high) = (zero, zero, zero, zero);
        for stretch in (chunk * GROUP..dim.min(chunk + CHUNK) * GROUP).step_by(STRETCH * GROUP) {
            // Four look-ups of at most `LEVELS` fit a byte.
            let (mut first, mut second) = (zero, zero);
            for at in (stretch..stretch + STRETCH * GROUP).step_by(64) {
                // SAFETY: the table and the codes of the block have 4 bytes a component, and the dimension is a whole
                // number of stretches: `at` and the 63 bytes after it are within both.
                let (codes, table) = unsafe {
                    (
                        _mm512_loadu_si512(block.as_ptr().add(at).cast()),
                        _mm512_loadu_si512(query.table.as_ptr().add(at).cast()),
                    )
                };
                _mm_prefetch::<_MM_HINT_T0>(ahead.wrapping_add(at).cast());
                let high = _mm512_and_si512(_mm512_srli_epi16::<4>(codes), low);
                first = _mm512_add_epi8(first, _mm512_shuffle_epi8(table, _mm512_and_si512(codes, low)));
                second = _mm512_add_epi8(second, _mm512_shuffle_epi8(table, high));
            }
            // Whole 16-bit lanes are added; the odd bytes, added apart, are taken out of them at the end.
            even_low = _mm512_add_epi16(even_low, first);
            odd_low = _mm512_add_epi16(odd_low, _mm512_srli_epi16::<8>(first));
            even_high = _mm512_add_epi16(even_high, second);
            odd_high = _mm512_add_epi16(odd_high, _mm512_srli_epi16::<8>(second));
        }
        let even_low = _mm512_sub_epi16(even_low, _mm512_slli_epi16::<8>(odd_low));
        let even_high = _mm512_sub_epi16(even_high, _mm512_slli_epi16::<8>(odd_high));
        // The four quarters of each of the four registers are added into one quarter of one register.
        let halves = |left: __m512i, right: __m512i| {
            _mm512_add_epi16(
                _mm512_shuffle_i64x2::<0x44>(left, right),
                _mm512_shuffle_i64x2::<0xEE>(left, right),
            )
        };
        let (lows, highs) = (halves(even_low, odd_low), halves(even_high, odd_high));
        let sums = _mm512_add_epi16(
            _mm512_shuffle_i64x2::<0x88>(lows, highs),
            _mm512_shuffle_i64x2::<0xDD>(lows, highs),
        );
        let sums = _mm512_permutexvar_epi16(order, sums);
        let (first, second) = (_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64::<1>(sums));
        totals[0] = _mm512_add_epi32(totals[0], _mm512_cvtepu16_epi32(first));
        totals[1] = _mm512_add_epi32(totals[1], _mm512_cvtepu16_epi32(second));
    }
    pool.reserve();
    // SAFETY: the factors and ids follow the codes, 32 of each; `pool` has room for 32 more and 16 beyond.
    unsafe {
        let factors = block.as_ptr().add(dim * GROUP).cast::<f32>();
        for (n, total) in totals.into_iter().enumerate() {
            let product = _mm512_fmadd_ps(
                _mm512_cvtepi32_ps(total),
                _mm512_set1_ps(query.scale),
                _mm512_set1_ps(query.offset),
            );
            let a = _mm512_add_ps(_mm512_loadu_ps(factors.add(n * 16)), _mm512_set1_ps(base));
            let estimates = _mm512_fmadd_ps(_mm512_loadu_ps(factors.add(SIGN_ROWS + n * 16)), product, a);
            let near = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(estimates, _mm512_set1_ps(bound));
            let bits = _mm512_castps_si512(estimates);
            let magnitude = _mm512_and_si512(_mm512_srai_epi32::<31>(bits), _mm512_set1_epi32(i32::MAX));
            let keys = _mm512_maskz_compress_epi32(near, _mm512_xor_si512(bits, magnitude));
            let ids = _mm512_loadu_si512(factors.add(2 * SIGN_ROWS + n * 16).cast());
            let ids = _mm512_maskz_compress_epi32(near, ids);
            _mm512_storeu_si512(pool.keys.as_mut_ptr().add(pool.len).cast(), keys);
            _mm512_storeu_si512(pool.ids.as_mut_ptr().add(pool.len).cast(), ids);
            pool.len += near.count_ones() as usize;
        }
    }
}

/// NEON: look-ups for one group at a time.
///
/// # Safety
///
/// The CPU has NEON; the block has the bytes that the query's dimension asks for.
#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
pub(crate) unsafe fn neon(
    query: &SignQuery,
    block: &[u8],
    base: f32,
    bound: f32,
    pool: &mut CandidatePool,
    _: &[u8],
) {
    use std::arch::aarch64::*;

    let dim = query.dim();
    let (low, zero) = (vdupq_n_u8(15), vdupq_n_u16(0));
    let mut totals = [vdupq_n_u32(0); SIGN_ROWS / 4];
    for chunk in (0..dim).step_by(CHUNK) {
        // Rows 0..8, 8..16, 16..24 and 24..32.
        let mut sums = [zero; 4];
        for stretch in (chunk * GROUP..dim.min(chunk + CHUNK) * GROUP).step_by(STRETCH) {
            // Four look-ups of at most `LEVELS` fit a byte.
            let (mut first, mut second) = (vdupq_n_u8(0), vdupq_n_u8(0));
            for at in (stretch..stretch + STRETCH).step_by(16) {
                // SAFETY: the table and the codes of the block have 4 bytes a component, and the dimension is a
                // multiple of 64: `at` and the 15 bytes after it are within both.
                let (codes, table) =
                    unsafe { (vld1q_u8(block.as_ptr().add(at)), vld1q_u8(query.table.as_ptr().add(at))) };
                first = vaddq_u8(first, vqtbl1q_u8(table, vandq_u8(codes, low)));
                second = vaddq_u8(second, vqtbl1q_u8(table, vshrq_n_u8::<4>(codes)));
            }
            sums[0] = vaddw_u8(sums[0], vget_low_u8(first));
            sums[1] = vaddw_high_u8(sums[1], first);
            sums[2] = vaddw_u8(sums[2], vget_low_u8(second));
            sums[3] = vaddw_high_u8(sums[3], second);
        }
        for (n, sums) in sums.into_iter().enumerate() {
            totals[2 * n] = vaddw_u16(totals[2 * n], vget_low_u16(sums));
            totals[2 * n + 1] = vaddw_high_u16(totals[2 * n + 1], sums);
        }
    }
    pool.reserve();
    let (keys, ids, mut len) = (pool.keys.as_mut_ptr(), pool.ids.as_mut_ptr(), pool.len);
    // SAFETY: the factors and ids follow the codes, 32 of each; `pool` has room for 32 more.
    unsafe {
        let factors = block.as_ptr().add(dim * GROUP).cast::<f32>();
        for (n, total) in totals.into_iter().enumerate() {
            let product =
                vfmaq_f32(vdupq_n_f32(query.offset), vcvtq_f32_u32(total), vdupq_n_f32(query.scale));
            let a = vaddq_f32(vld1q_f32(factors.add(n * 4)), vdupq_n_f32(base));
            let estimates = vfmaq_f32(a, vld1q_f32(factors.add(SIGN_ROWS + n * 4)), product);
            let near = vcltq_f32(estimates, vdupq_n_f32(bound));
            let bits = vreinterpretq_s32_f32(estimates);
            let magnitude = vandq_s32(vshrq_n_s32::<31>(bits), vdupq_n_s32(i32::MAX));
            let (mut found, mut counts) = ([0_i32; 4], [0_u32; 4]);
            vst1q_s32(found.as_mut_ptr(), veorq_s32(bits, magnitude));
            vst1q_u32(counts.as_mut_ptr(), vshrq_n_u32::<31>(near));
            for lane in 0..4 {
                // Stored always and counted where it is near: no branch to mispredict.
                keys.add(len).write(found[lane]);
                ids.add(len).write(factors.add(2 * SIGN_ROWS + n * 4 + lane).cast::<u32>().read_unaligned());
                len += counts[lane] as usize;
            }
        }
    }
    pool.len = len;
}
