//! What the benches of this crate share: the rows, the clock, and the memory's own speed.

use std::hint::black_box;
use std::time::Instant;

/// Rows of the reference collection of real embeddings; the values here are random, which costs the same.
pub(crate) const ROWS: usize = 62_436;
/// Dimension of its embeddings.
pub(crate) const DIM: usize = 384;
const FLOATS_IN_LINE: usize = 16;
const ROUNDS: usize = 41;

/// Floats that start at a cache line, as the rows of a segment do: an unaligned row makes every AVX-512 load
/// touch two lines.
pub(crate) struct AlignedFloats {
    storage: Vec<f32>,
    start: usize,
}

impl std::ops::Deref for AlignedFloats {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.storage[self.start..self.storage.len() - (FLOATS_IN_LINE - self.start)]
    }
}

/// Makes floats in [-1, 1) from a fixed seed (xorshift64).
pub(crate) fn floats(count: usize) -> AlignedFloats {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / 8_388_608.0 - 1.0
    };
    let storage: Vec<f32> = (0..count + FLOATS_IN_LINE).map(|_| next()).collect();
    let start = storage.as_ptr().align_offset(FLOATS_IN_LINE * size_of::<f32>());
    AlignedFloats { storage, start }
}

/// Runs a job repeatedly and returns its median seconds.
pub(crate) fn median_seconds(mut job: impl FnMut()) -> f64 {
    let mut seconds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            job();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[ROUNDS / 2]
}

/// Prints one line: the median in microseconds, and the rows' bytes over it.
pub(crate) fn report(name: &str, rows: &[f32], seconds: f64) {
    let gigabytes = size_of_val(rows) as f64 / 1e9;
    println!("{name:<44} {:>9.0} us {:>7.2} GB/s", seconds * 1e6, gigabytes / seconds);
}

/// Reports a loop that does nothing but read the rows: 64 sums, vectorised by the compiler.
pub(crate) fn report_plain_read(rows: &[f32]) {
    let seconds = median_seconds(|| {
        black_box(read(black_box(rows)));
    });
    report("plain read", rows, seconds);
}

fn read(rows: &[f32]) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: AVX-512F was just detected.
        return unsafe { read_avx512(rows) };
    } else if is_x86_feature_detected!("avx2") {
        // SAFETY: AVX2 was just detected.
        return unsafe { read_avx2(rows) };
    }
    read_with_any(rows)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn read_avx512(rows: &[f32]) -> f32 {
    read_with_any(rows)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn read_avx2(rows: &[f32]) -> f32 {
    read_with_any(rows)
}

#[inline(always)]
fn read_with_any(rows: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 64];
    for block in rows.as_chunks::<64>().0 {
        for (sum, value) in sums.iter_mut().zip(block) {
            *sum += value;
        }
    }
    sums.iter().sum()
}
