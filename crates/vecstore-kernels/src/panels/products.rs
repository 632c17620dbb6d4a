//! Products with panels, on each tier: exact integers, the same on every one.

use super::{GROUP, PANEL_QUERIES, PANEL_ROWS, Panels};

/// Fills `out`, [`Panels::padded_rows`] a query, with the inner products: the portable twin.
///
/// Queries are codes plus 128, as the instruction for bytes wants its first operand.
pub(crate) fn portable(panels: &Panels, queries: &[u8], out: &mut [i32]) {
    let (dim, padded) = (panels.dim, panels.padded_rows());
    for (query, out) in queries.chunks_exact(dim).zip(out.chunks_exact_mut(padded)) {
        let panels = panels.codes.chunks_exact(PANEL_ROWS * dim).zip(panels.sums.as_chunks::<PANEL_ROWS>().0);
        for ((panel, sums), out) in panels.zip(out.as_chunks_mut::<PANEL_ROWS>().0) {
            let mut totals = sums.map(|sum| -128 * sum);
            for (query, group) in
                query.as_chunks::<GROUP>().0.iter().zip(panel.as_chunks::<{ PANEL_ROWS * GROUP }>().0)
            {
                for (total, codes) in totals.iter_mut().zip(group.as_chunks::<GROUP>().0) {
                    for (&query, &code) in query.iter().zip(codes) {
                        *total += i32::from(query) * i32::from(code);
                    }
                }
            }
            *out = totals;
        }
    }
}

/// AVX2: products in 16 bits, added in pairs.
///
/// # Safety
///
/// The CPU has AVX2; `queries` holds whole rows of the panels' dimension and `out` the padded rows for each.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(crate) unsafe fn avx2(panels: &Panels, queries: &[u8], out: &mut [i32]) {
    use std::arch::x86_64::*;

    let (dim, padded) = (panels.dim, panels.padded_rows());
    for (query, out) in queries.chunks_exact(dim).zip(out.chunks_exact_mut(padded)) {
        for (panel, out) in panels.codes.chunks_exact(PANEL_ROWS * dim).zip(out.chunks_exact_mut(PANEL_ROWS))
        {
            // Two sums for each row, of its even and odd pairs of components.
            let mut sums = [_mm256_setzero_si256(); 4];
            for at in (0..dim).step_by(GROUP) {
                // SAFETY: four components from `at` are within the query, and 64 bytes from 16 times that within the panel.
                unsafe {
                    let four = query.as_ptr().add(at).cast::<u32>().read_unaligned();
                    // Back to signed codes, in 16 bits.
                    let codes = _mm_xor_si128(_mm_set1_epi32(four as i32), _mm_set1_epi8(-128));
                    let codes = _mm256_cvtepi8_epi16(codes);
                    for (n, sum) in sums.iter_mut().enumerate() {
                        let rows = _mm_loadu_si128(panel.as_ptr().add(at * PANEL_ROWS + n * 16).cast());
                        let products = _mm256_madd_epi16(codes, _mm256_cvtepi8_epi16(rows));
                        *sum = _mm256_add_epi32(*sum, products);
                    }
                }
            }
            for (n, sum) in sums.into_iter().enumerate() {
                let pairs = _mm256_hadd_epi32(sum, sum);
                let low = _mm256_castsi256_si128(pairs);
                let high = _mm256_extracti128_si256::<1>(pairs);
                let four = _mm_unpacklo_epi64(low, high);
                // SAFETY: `out` has 16 places, four for each of four sums.
                unsafe { _mm_storeu_si128(out.as_mut_ptr().add(n * 4).cast(), four) };
            }
        }
    }
}

/// AVX-512 with VNNI: 64 products an instruction, eight queries against two panels at a time.
///
/// # Safety
///
/// The CPU has AVX-512F and VNNI; `queries` holds whole rows of the panels' dimension and `out` the padded rows for
/// each.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(crate) unsafe fn avx512(panels: &Panels, queries: &[u8], out: &mut [i32]) {
    use std::arch::x86_64::*;

    /// # Safety
    ///
    /// As for the whole; `Q` queries and `P` panels from `panel` on are there.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn tile<const Q: usize, const P: usize>(
        panels: &Panels,
        queries: *const u8,
        panel: usize,
        out: *mut i32,
    ) {
        let (dim, padded) = (panels.dim, panels.padded_rows());
        // SAFETY: within the queries, panels, sums and places that the caller vouches for.
        unsafe {
            let codes = panels.codes.as_ptr().add(panel * PANEL_ROWS * dim);
            let mut sums = [[_mm512_setzero_si512(); P]; Q];
            for at in (0..dim).step_by(GROUP) {
                let mut rows = [_mm512_setzero_si512(); P];
                for (p, rows) in rows.iter_mut().enumerate() {
                    *rows = _mm512_loadu_si512(codes.add((p * dim + at) * PANEL_ROWS).cast());
                }
                for (q, sums) in sums.iter_mut().enumerate() {
                    let four = queries.add(q * dim + at).cast::<i32>().read_unaligned();
                    let four = _mm512_set1_epi32(four);
                    for (sum, &rows) in sums.iter_mut().zip(&rows) {
                        *sum = _mm512_dpbusd_epi32(*sum, four, rows);
                    }
                }
            }
            for (q, sums) in sums.into_iter().enumerate() {
                for (p, sum) in sums.into_iter().enumerate() {
                    let first = (panel + p) * PANEL_ROWS;
                    let excess = _mm512_loadu_si512(panels.sums.as_ptr().add(first).cast());
                    let total = _mm512_sub_epi32(sum, _mm512_slli_epi32::<7>(excess));
                    _mm512_storeu_si512(out.add(q * padded + first).cast(), total);
                }
            }
        }
    }

    let (dim, padded) = (panels.dim, panels.padded_rows());
    let count = padded / PANEL_ROWS;
    let batches = queries.chunks(PANEL_QUERIES * dim).zip(out.chunks_mut(PANEL_QUERIES * padded));
    for (queries, out) in batches {
        let (from, to) = (queries.as_ptr(), out.as_mut_ptr());
        if queries.len() == PANEL_QUERIES * dim {
            for panel in (0..count / 2 * 2).step_by(2) {
                // SAFETY: eight queries, and two panels from `panel` on, are there.
                unsafe { tile::<PANEL_QUERIES, 2>(panels, from, panel, to) };
            }
            if count % 2 == 1 {
                // SAFETY: as above, for the last panel.
                unsafe { tile::<PANEL_QUERIES, 1>(panels, from, count - 1, to) };
            }
            continue;
        }
        for n in 0..queries.len() / dim {
            for panel in 0..count {
                // SAFETY: query `n` and panel `panel` are there.
                unsafe { tile::<1, 1>(panels, from.add(n * dim), panel, to.add(n * padded)) };
            }
        }
    }
}

/// NEON: four products an instruction and lane where the CPU has the dot product, else widened to 16 bits.
///
/// # Safety
///
/// The CPU has NEON; `queries` holds whole rows of the panels' dimension and `out` the padded rows for each.
#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
pub(crate) unsafe fn neon(panels: &Panels, queries: &[u8], out: &mut [i32]) {
    use std::arch::aarch64::*;

    /// Adds the products of four components of a query, repeated, with those of four rows to the rows' sums.
    ///
    /// # Safety
    ///
    /// The CPU has NEON with the dot product.
    #[target_feature(enable = "neon,dotprod")]
    unsafe fn with_dot(sums: int32x4_t, rows: int8x16_t, four: int8x16_t) -> int32x4_t {
        let mut sums = sums;
        // The intrinsic is not stable.
        // SAFETY: the instruction reads and writes registers alone.
        unsafe {
            std::arch::asm!(
                "sdot {sums:v}.4s, {rows:v}.16b, {four:v}.16b",
                sums = inout(vreg) sums, rows = in(vreg) rows, four = in(vreg) four,
                options(pure, nomem, nostack, preserves_flags)
            );
        }
        sums
    }

    /// The same without the dot product.
    #[target_feature(enable = "neon")]
    fn widening(sums: int32x4_t, rows: int8x16_t, four: int8x16_t) -> int32x4_t {
        let low = vmull_s8(vget_low_s8(rows), vget_low_s8(four));
        let high = vmull_high_s8(rows, four);
        vaddq_s32(sums, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)))
    }

    /// One query against one panel.
    ///
    /// # Safety
    ///
    /// The CPU has NEON; a panel's row has the query's length, and `out` a panel's rows.
    #[inline(always)]
    unsafe fn panel(
        query: &[u8],
        panel: &[i8],
        out: &mut [i32],
        add: impl Fn(int32x4_t, int8x16_t, int8x16_t) -> int32x4_t,
    ) {
        // SAFETY: four components from `at` are within the query, 64 codes from 16 times that within the panel, and 16
        // sums within `out`; the caller vouches for NEON.
        unsafe {
            let mut sums = [vdupq_n_s32(0); PANEL_ROWS / 4];
            for at in (0..query.len()).step_by(GROUP) {
                let four = query.as_ptr().add(at).cast::<u32>().read_unaligned();
                // Back to signed codes.
                let four =
                    vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_u32(vdupq_n_u32(four)), vdupq_n_u8(128)));
                for (n, sums) in sums.iter_mut().enumerate() {
                    *sums = add(*sums, vld1q_s8(panel.as_ptr().add(at * PANEL_ROWS + n * 16)), four);
                }
            }
            for (n, sums) in sums.into_iter().enumerate() {
                vst1q_s32(out.as_mut_ptr().add(n * 4), sums);
            }
        }
    }

    /// # Safety
    ///
    /// As for the whole, and the CPU has the dot product.
    #[target_feature(enable = "neon,dotprod")]
    unsafe fn all_with_dot(panels: &Panels, queries: &[u8], out: &mut [i32]) {
        each_panel(panels, queries, out, |query, codes, out| {
            // SAFETY: the caller vouches for the instructions; the shapes are those of a panel.
            unsafe { panel(query, codes, out, |sums, rows, four| with_dot(sums, rows, four)) };
        });
    }

    if std::arch::is_aarch64_feature_detected!("dotprod") {
        // SAFETY: the dot product was just detected; the rest is the caller's.
        unsafe { all_with_dot(panels, queries, out) };
        return;
    }
    each_panel(panels, queries, out, |query, codes, out| {
        // SAFETY: the caller vouches for NEON; the shapes are those of a panel.
        unsafe { panel(query, codes, out, |sums, rows, four| widening(sums, rows, four)) };
    });
}

/// Calls a function with each query, each panel and their places in `out`.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn each_panel(panels: &Panels, queries: &[u8], out: &mut [i32], product: impl Fn(&[u8], &[i8], &mut [i32])) {
    let (dim, padded) = (panels.dim, panels.padded_rows());
    for (query, out) in queries.chunks_exact(dim).zip(out.chunks_exact_mut(padded)) {
        let codes = panels.codes.chunks_exact(PANEL_ROWS * dim);
        for (codes, out) in codes.zip(out.chunks_exact_mut(PANEL_ROWS)) {
            product(query, codes, out);
        }
    }
}
