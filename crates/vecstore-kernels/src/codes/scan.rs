//! Integer dot products of a query with rows of codes.
//!
//! Sums of products fit an i32 by the choice of the query's range (see [`QueryCodes`](super::QueryCodes)), in any
//! order: every tier gives the same integers.

/// Rows scored at a time: their sums hide each other's latency.
#[cfg(target_arch = "x86_64")]
const ROWS_AT_A_TIME: usize = 4;

/// Bytes ahead of the row being read that are asked for; see the tuning of the f32 kernels.
#[cfg(target_arch = "x86_64")]
const AHEAD_BYTES: usize = 4096;

/// The portable twin, which the compiler vectorises for the features of the function it is inlined into.
#[inline(always)]
pub(crate) fn portable(query: &[i16], codes: &[i8], out: &mut [i32]) {
    for (out, row) in out.iter_mut().zip(codes.chunks_exact(query.len())) {
        *out = query.iter().zip(row).map(|(&q, &c)| i32::from(q) * i32::from(c)).sum();
    }
}

/// Scores rows by number: the portable twin.
pub(crate) fn gather_portable(query: &[i16], codes: &[i8], ids: &[u32], out: &mut [i32]) {
    gather::<1>(query, codes, ids, out, |query, [row], out| {
        portable(query, &codes[row..row + query.len()], out);
    });
}

/// Scores rows by number with a tier's function for `N` rows, given where they start in `codes` (each is checked to
/// have the query's length), and asks for the rows that follow meanwhile.
#[inline(always)]
fn gather<const N: usize>(
    query: &[i16],
    codes: &[i8],
    ids: &[u32],
    out: &mut [i32],
    rows: impl Fn(&[i16], [usize; N], &mut [i32]),
) {
    let dim = query.len();
    let row = |id: u32| {
        let start = id as usize * dim;
        assert!(start + dim <= codes.len(), "id {id} is out of range for {} rows", codes.len() / dim);
        start
    };
    let ahead = |n: usize| {
        if let Some(&next) = ids.get(n + GATHER_AHEAD_ROWS) {
            let start = row(next);
            prefetch(&codes[start..start + dim]);
        }
    };
    let (groups, last) = ids.as_chunks::<N>();
    for (n, (ids, out)) in groups.iter().zip(out.chunks_mut(N)).enumerate() {
        (0..N).for_each(|within| ahead(n * N + within));
        rows(query, ids.map(row), out);
    }
    if let Some(&first) = last.first() {
        // The rows that are missing in the last group are its first, scored again.
        let starts = std::array::from_fn(|n| row(last.get(n).copied().unwrap_or(first)));
        let mut sums = [0; N];
        rows(query, starts, &mut sums);
        let from = out.len() - last.len();
        out[from..].copy_from_slice(&sums[..last.len()]);
    }
}

/// Rows ahead of the one being scored that are asked for.
const GATHER_AHEAD_ROWS: usize = 4;

/// Asks for all of a piece of memory.
#[inline(always)]
pub(crate) fn prefetch<T>(memory: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for at in (0..size_of_val(memory)).step_by(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing, at whatever address; SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(memory.as_ptr().cast::<i8>().wrapping_add(at)) };
    }
    #[cfg(target_arch = "aarch64")]
    for at in (0..size_of_val(memory)).step_by(64) {
        // SAFETY: a prefetch reads nothing, at whatever address.
        unsafe {
            let at = memory.as_ptr().cast::<u8>().wrapping_add(at);
            std::arch::asm!("prfm pldl1keep, [{at}]", at = in(reg) at, options(nostack, readonly, preserves_flags));
        }
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = memory;
}

/// Asks for all of a piece of memory that is read next.
#[inline(always)]
pub(crate) fn prefetch_near(memory: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let start = memory.as_ptr();
        for at in (0..memory.len() + start.addr() % 64).step_by(64) {
            // SAFETY: a prefetch reads nothing, at whatever address; SSE is part of x86-64.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(start.cast::<i8>().wrapping_add(at)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    prefetch(memory);
}

/// Scores `N` rows together, and asks for the memory `AHEAD_BYTES` after the first where `AHEAD`.
///
/// # Safety
///
/// The CPU has the tier's instructions; each of the `N` rows has the length of `query`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn avx2_rows<const N: usize, const AHEAD: bool>(query: &[i16], rows: [*const i8; N], out: &mut [i32]) {
    use std::arch::x86_64::*;

    let dim = query.len();
    let whole = dim / 16 * 16;
    let mut sums = [_mm256_setzero_si256(); N];
    for at in (0..whole).step_by(16) {
        // SAFETY: 16 components from `at` are within the query and within each row.
        unsafe {
            let q = _mm256_loadu_si256(query.as_ptr().add(at).cast());
            for (n, sum) in sums.iter_mut().enumerate() {
                let c = _mm_loadu_si128(rows[n].add(at).cast());
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(q, _mm256_cvtepi8_epi16(c)));
            }
            if AHEAD {
                _mm_prefetch::<_MM_HINT_T0>(rows[0].wrapping_add(at * N + AHEAD_BYTES));
            }
        }
    }
    for (n, (sum, out)) in sums.into_iter().zip(out).enumerate() {
        let four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
        let two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
        let one = _mm_add_epi32(two, _mm_shuffle_epi32::<1>(two));
        let mut total = _mm_cvtsi128_si32(one);
        for (at, &q) in query.iter().enumerate().skip(whole) {
            // SAFETY: `at` is within the query and within each row.
            let c = unsafe { *rows[n].add(at) };
            total += i32::from(q) * i32::from(c);
        }
        *out = total;
    }
}

/// Scores rows by number (see [`avx2`]).
///
/// # Safety
///
/// The CPU has the tier's instructions; `query` is not empty.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(crate) unsafe fn gather_avx2(query: &[i16], codes: &[i8], ids: &[u32], out: &mut [i32]) {
    gather::<ROWS_AT_A_TIME>(query, codes, ids, out, |query, starts, out| {
        // SAFETY: the caller vouches for the instructions; `gather` checked that a row of the query's length starts at
        // each place in `codes`.
        unsafe {
            avx2_rows::<ROWS_AT_A_TIME, false>(query, starts.map(|start| codes.as_ptr().add(start)), out);
        };
    });
}

/// AVX2: 16 products an instruction.
///
/// # Safety
///
/// The CPU has AVX2; `query` is not empty and `codes` holds `out.len()` rows of its length.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(crate) unsafe fn avx2(query: &[i16], codes: &[i8], out: &mut [i32]) {
    let mut row = codes.as_ptr();
    let mut groups = out.chunks_exact_mut(ROWS_AT_A_TIME);
    for group in &mut groups {
        // SAFETY: the caller vouches for the instruction set and for one row of codes for each place in `out`.
        unsafe {
            let starts = std::array::from_fn(|n| row.add(n * query.len()));
            avx2_rows::<ROWS_AT_A_TIME, true>(query, starts, group);
            row = row.add(ROWS_AT_A_TIME * query.len());
        }
    }
    for place in groups.into_remainder().chunks_mut(1) {
        // SAFETY: as above.
        unsafe {
            avx2_rows::<1, true>(query, [row], place);
            row = row.add(query.len());
        }
    }
}

/// Scores `N` rows together, and asks for the memory `AHEAD_BYTES` after the first where `AHEAD`.
///
/// # Safety
///
/// The CPU has the tier's instructions; each of the `N` rows has the length of `query`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn avx512_rows<const N: usize, const AHEAD: bool>(
    query: &[i16],
    rows: [*const i8; N],
    out: &mut [i32],
) {
    use std::arch::x86_64::*;

    let dim = query.len();
    let whole = dim / 32 * 32;
    let mut sums = [_mm512_setzero_si512(); N];
    for at in (0..whole).step_by(32) {
        // SAFETY: 32 components from `at` are within the query and within each row.
        unsafe {
            let q = _mm512_loadu_si512(query.as_ptr().add(at).cast());
            for (n, sum) in sums.iter_mut().enumerate() {
                let c = _mm256_loadu_si256(rows[n].add(at).cast());
                *sum = _mm512_dpwssd_epi32(*sum, q, _mm512_cvtepi8_epi16(c));
            }
            if AHEAD {
                for line in (0..32 * N).step_by(64) {
                    _mm_prefetch::<_MM_HINT_T0>(rows[0].wrapping_add(at * N + line + AHEAD_BYTES));
                }
            }
        }
    }
    if whole < dim {
        let mask = (1u32 << (dim - whole)) - 1;
        // SAFETY: the masked loads read the `dim - whole` components that are left, and nothing else.
        unsafe {
            let q = _mm512_maskz_loadu_epi16(mask, query.as_ptr().add(whole));
            for (n, sum) in sums.iter_mut().enumerate() {
                let c = _mm256_maskz_loadu_epi8(mask, rows[n].add(whole));
                *sum = _mm512_dpwssd_epi32(*sum, q, _mm512_cvtepi8_epi16(c));
            }
        }
    }
    for (sum, out) in sums.into_iter().zip(out) {
        *out = _mm512_reduce_add_epi32(sum);
    }
}

/// Scores rows by number (see [`avx512`]).
///
/// # Safety
///
/// The CPU has the tier's instructions; `query` is not empty.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(crate) unsafe fn gather_avx512(query: &[i16], codes: &[i8], ids: &[u32], out: &mut [i32]) {
    gather::<ROWS_AT_A_TIME>(query, codes, ids, out, |query, starts, out| {
        // SAFETY: the caller vouches for the instructions; `gather` checked that a row of the query's length starts at
        // each place in `codes`.
        unsafe {
            avx512_rows::<ROWS_AT_A_TIME, false>(query, starts.map(|start| codes.as_ptr().add(start)), out);
        };
    });
}

/// AVX-512: 32 products an instruction, the rest of a row by masked loads.
///
/// # Safety
///
/// The CPU has AVX-512F, BW and VNNI; `query` is not empty and `codes` holds `out.len()` rows of its length.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(crate) unsafe fn avx512(query: &[i16], codes: &[i8], out: &mut [i32]) {
    let mut row = codes.as_ptr();
    let mut groups = out.chunks_exact_mut(ROWS_AT_A_TIME);
    for group in &mut groups {
        // SAFETY: the caller vouches for the instruction set and for one row of codes for each place in `out`.
        unsafe {
            let starts = std::array::from_fn(|n| row.add(n * query.len()));
            avx512_rows::<ROWS_AT_A_TIME, true>(query, starts, group);
            row = row.add(ROWS_AT_A_TIME * query.len());
        }
    }
    for place in groups.into_remainder().chunks_mut(1) {
        // SAFETY: as above.
        unsafe {
            avx512_rows::<1, true>(query, [row], place);
            row = row.add(query.len());
        }
    }
}
