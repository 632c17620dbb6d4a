//! Estimates of 32 distances from a block, on each tier. Sums of look-ups are integers, the same on every tier.

use super::{CHUNK, CandidatePool, GROUP, SIGN_ROWS, SignQuery};

/// Adds the rows of a block whose estimate is below `bound` to the pool: the portable twin.
pub(crate) fn portable(query: &SignQuery, block: &[u8], base: f32, bound: f32, pool: &mut CandidatePool) {
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

/// AVX2: look-ups for two groups at a time.
///
/// # Safety
///
/// The CPU has AVX2 and FMA; the block has the bytes that the query's dimension asks for.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
pub(crate) unsafe fn avx2(query: &SignQuery, block: &[u8], base: f32, bound: f32, pool: &mut CandidatePool) {
    use std::arch::x86_64::*;

    let dim = query.dim();
    let (low, zero) = (_mm256_set1_epi8(15), _mm256_setzero_si256());
    let mut totals = [zero; SIGN_ROWS / 8];
    for chunk in (0..dim).step_by(CHUNK) {
        let (mut even_low, mut odd_low, mut even_high, mut odd_high) = (zero, zero, zero, zero);
        for at in (chunk * GROUP..dim.min(chunk + CHUNK) * GROUP).step_by(32) {
            // SAFETY: the table and the codes of the block have 4 bytes a component, and `at` and the 31 after it are below that.
            let (codes, table) = unsafe {
                (
                    _mm256_loadu_si256(block.as_ptr().add(at).cast()),
                    _mm256_loadu_si256(query.table.as_ptr().add(at).cast()),
                )
            };
            let first = _mm256_shuffle_epi8(table, _mm256_and_si256(codes, low));
            let second = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16::<4>(codes), low));
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
    // SAFETY: the factors and ids follow the codes, 32 of each; `pool` has room for 32 more.
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
            let near = _mm256_cmp_ps::<_CMP_LT_OQ>(estimates, _mm256_set1_ps(bound));
            let mut near = _mm256_movemask_ps(near) as u32;
            if near == 0 {
                continue;
            }
            let mut values = [0.0f32; 8];
            _mm256_storeu_ps(values.as_mut_ptr(), estimates);
            while near != 0 {
                let place = near.trailing_zeros() as usize;
                near &= near - 1;
                *pool.distances.get_unchecked_mut(pool.len) = values[place];
                *pool.ids.get_unchecked_mut(pool.len) =
                    factors.add(2 * SIGN_ROWS + n * 8 + place).cast::<u32>().read_unaligned();
                pool.len += 1;
            }
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
) {
    use std::arch::x86_64::*;

    let dim = query.dim();
    let (low, zero) = (_mm512_set1_epi8(15), _mm512_setzero_si512());
    let mut totals = [zero; SIGN_ROWS / 16];
    for chunk in (0..dim).step_by(CHUNK) {
        let (mut even_low, mut odd_low, mut even_high, mut odd_high) = (zero, zero, zero, zero);
        for at in (chunk * GROUP..dim.min(chunk + CHUNK) * GROUP).step_by(64) {
            // SAFETY: the table and the codes of the block have 4 bytes a component, and `at` and the 63 after it are below that.
            let (codes, table) = unsafe {
                (
                    _mm512_loadu_si512(block.as_ptr().add(at).cast()),
                    _mm512_loadu_si512(query.table.as_ptr().add(at).cast()),
                )
            };
            let first = _mm512_shuffle_epi8(table, _mm512_and_si512(codes, low));
            let second = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16::<4>(codes), low));
            // Whole 16-bit lanes are added; the odd bytes, added apart, are taken out of them at the end.
            even_low = _mm512_add_epi16(even_low, first);
            odd_low = _mm512_add_epi16(odd_low, _mm512_srli_epi16::<8>(first));
            even_high = _mm512_add_epi16(even_high, second);
            odd_high = _mm512_add_epi16(odd_high, _mm512_srli_epi16::<8>(second));
        }
        let fold = |sums: __m512i| {
            let half = _mm256_add_epi16(_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64::<1>(sums));
            _mm_add_epi16(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half))
        };
        for (half, (even, odd)) in [(even_low, odd_low), (even_high, odd_high)].into_iter().enumerate() {
            let even = fold(_mm512_sub_epi16(even, _mm512_slli_epi16::<8>(odd)));
            let odd = fold(odd);
            let sums = _mm256_set_m128i(_mm_unpackhi_epi16(even, odd), _mm_unpacklo_epi16(even, odd));
            totals[half] = _mm512_add_epi32(totals[half], _mm512_cvtepu16_epi32(sums));
        }
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
            let ids = _mm512_loadu_si512(factors.add(2 * SIGN_ROWS + n * 16).cast());
            _mm512_storeu_ps(
                pool.distances.as_mut_ptr().add(pool.len),
                _mm512_maskz_compress_ps(near, estimates),
            );
            _mm512_storeu_si512(
                pool.ids.as_mut_ptr().add(pool.len).cast(),
                _mm512_maskz_compress_epi32(near, ids),
            );
            pool.len += near.count_ones() as usize;
        }
    }
}
