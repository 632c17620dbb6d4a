//! Numbers in as few bits as the largest of them takes.
//!
//! 128 numbers are in four interleaved lanes: number `4 i + lane` is the `i`-th of its lane, so that four are unpacked with
//! the same shifts. Fewer are in one run.

use vecstore_kernels::rows_of_gaps;

use super::BLOCK_ROWS;

const LANES: usize = 4;
const LANE_NUMBERS: usize = BLOCK_ROWS / LANES;

/// The most bits of gaps for which there is code for just so many: of a list that has more the rows are few.
const UNROLLED_BITS: u32 = 16;

/// Returns the bits that the largest of some numbers takes.
pub(super) fn bits_of(numbers: impl Iterator<Item = u32>) -> u32 {
    u32::BITS - numbers.fold(0, |all, number| all | number).leading_zeros()
}

/// Returns the words that `count` numbers of `bits` take.
pub(super) fn words_of(count: usize, bits: u32) -> usize {
    if count == BLOCK_ROWS { LANES * bits as usize } else { (count * bits as usize).div_ceil(32) }
}

/// Appends numbers of at most `bits` bits.
pub(super) fn pack(numbers: &[u32], bits: u32, out: &mut Vec<u32>) {
    let start = out.len();
    out.resize(start + words_of(numbers.len(), bits), 0);
    let out = &mut out[start..];
    let (lanes, step) = if numbers.len() == BLOCK_ROWS { (LANES, LANES) } else { (1, 1) };
    for (n, &number) in numbers.iter().enumerate() {
        if bits == 0 {
            continue;
        }
        let (lane, at) = (n % lanes, n / lanes * bits as usize);
        let (word, shift) = (at / 32, at % 32);
        out[word * step + lane] |= number << shift;
        if shift + bits as usize > 32 {
            out[(word + 1) * step + lane] |= number >> (32 - shift);
        }
    }
}

/// Reads `count` numbers of `bits` bits into the first of `out`. Returns whether they were there.
pub(super) fn unpack(words: &[u32], bits: u32, count: usize, out: &mut [u32; BLOCK_ROWS]) -> bool {
    if bits > 32 || words.len() < words_of(count, bits) {
        return false;
    }
    if bits == 0 {
        out[..count].fill(0);
    } else if count == BLOCK_ROWS {
        unpack_lanes(words, bits, out);
    } else {
        unpack_run(words, bits as usize, &mut out[..count]);
    }
    true
}

/// Reads `count` gaps of `bits` bits into the first of `out`, as the rows they lead to: each is the row before it, the first
/// `before`, and its gap and 1. Returns whether they were there.
pub(super) fn unpack_rows(
    words: &[u32],
    bits: u32,
    count: usize,
    before: u32,
    out: &mut [u32; BLOCK_ROWS],
) -> bool {
    if count == BLOCK_ROWS && (1..=UNROLLED_BITS).contains(&bits) {
        let Some(words) = words.get(..LANES * bits as usize) else { return false };
        unpack_row_lanes(words, bits, before, out);
        return true;
    }
    if !unpack(words, bits, count, out) {
        return false;
    }
    let mut row = before;
    for gap in &mut out[..count] {
        row = row.wrapping_add(*gap).wrapping_add(1);
        *gap = row;
    }
    true
}

/// Reads the `n`-th of `count` numbers of `bits` bits. `None` if they are not there.
pub(super) fn get(words: &[u32], bits: u32, count: usize, n: usize) -> Option<u32> {
    if bits == 0 {
        return Some(0);
    }
    if bits > 32 {
        return None;
    }
    let (lane, at, step) = if count == BLOCK_ROWS { (n % LANES, n / LANES, LANES) } else { (0, n, 1) };
    let (word, shift) = (at * bits as usize / 32, at * bits as usize % 32);
    let low = u64::from(*words.get(word * step + lane)?);
    let high = if shift + bits as usize > 32 { u64::from(*words.get((word + 1) * step + lane)?) } else { 0 };
    Some(((high << 32 | low) >> shift) as u32 & (u32::MAX >> (32 - bits)))
}

fn unpack_run(words: &[u32], bits: usize, out: &mut [u32]) {
    let mask = u32::MAX >> (32 - bits);
    for (n, out) in out.iter_mut().enumerate() {
        let (word, shift) = (n * bits / 32, n * bits % 32);
        let upper = if shift + bits > 32 { u64::from(words[word + 1]) << 32 } else { 0 };
        *out = ((upper | u64::from(words[word])) >> shift) as u32 & mask;
    }
}

fn unpack_lanes(words: &[u32], bits: u32, out: &mut [u32; BLOCK_ROWS]) {
    macro_rules! widths {
        ($($bits:literal)*) => {
            match bits {
                $($bits => lanes_of::<$bits>(words, out),)*
                _ => {}
            }
        };
    }
    widths!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
}

fn unpack_row_lanes(words: &[u32], bits: u32, before: u32, out: &mut [u32; BLOCK_ROWS]) {
    macro_rules! widths {
        ($($bits:literal)*) => {
            match bits {
                $($bits => row_lanes_of::<$bits>(words, before, out),)*
                _ => {}
            }
        };
    }
    widths!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
}

/// Unrolled, so that all shifts are constants, with the sums in the same pass: half of the time of two loops.
fn row_lanes_of<const BITS: usize>(words: &[u32], before: u32, out: &mut [u32; BLOCK_ROWS]) {
    let words = &words[..LANES * BITS];
    let (out, _) = out.as_chunks_mut::<LANES>();
    let mut row = [before; LANES];
    macro_rules! steps {
        ($($i:literal)*) => {
            $(
                let (word, shift) = ($i * BITS / 32, $i * BITS % 32);
                row = rows_of_gaps(quad_of::<BITS>(words, word, shift), row);
                out[$i] = row;
            )*
        };
    }
    steps!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
    let _ = row;
}

#[inline(always)]
fn quad_of<const BITS: usize>(words: &[u32], word: usize, shift: usize) -> [u32; LANES] {
    let mask = u32::MAX >> (32 - BITS);
    let mut out = [0; LANES];
    for lane in 0..LANES {
        let low = words[word * LANES + lane] >> shift;
        let high = if shift + BITS > 32 { words[(word + 1) * LANES + lane] << (32 - shift) } else { 0 };
        out[lane] = (low | high) & mask;
    }
    out
}

fn lanes_of<const BITS: usize>(words: &[u32], out: &mut [u32; BLOCK_ROWS]) {
    let words = &words[..LANES * BITS];
    let mask = u32::MAX >> (32 - BITS);
    for (i, out) in out.chunks_exact_mut(LANES).enumerate().take(LANE_NUMBERS) {
        let (word, shift) = (i * BITS / 32, i * BITS % 32);
        let low = &words[word * LANES..word * LANES + LANES];
        if shift + BITS > 32 {
            let high = &words[(word + 1) * LANES..(word + 1) * LANES + LANES];
            for lane in 0..LANES {
                out[lane] = (low[lane] >> shift | high[lane] << (32 - shift)) & mask;
            }
        } else {
            for lane in 0..LANES {
                out[lane] = low[lane] >> shift & mask;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_all_at_once_and_one_by_one() {
        for bits in 0..=32 {
            for count in [1, 5, 127, BLOCK_ROWS] {
                let number = |n: usize| {
                    let mixed = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    if bits == 0 { 0 } else { (mixed >> 32) as u32 >> (32 - bits) }
                };
                let numbers: Vec<u32> = (0..count).map(number).collect();
                let mut words = Vec::new();
                pack(&numbers, bits, &mut words);
                let mut out = [0; BLOCK_ROWS];
                assert!(unpack(&words, bits, count, &mut out));
                assert_eq!(out[..count], numbers, "{bits} bits, {count}");
                let mut rows = [0; BLOCK_ROWS];
                assert!(unpack_rows(&words, bits, count, u32::MAX, &mut rows));
                let mut row = u32::MAX;
                for (&number, &found) in numbers.iter().zip(&rows) {
                    row = row.wrapping_add(number).wrapping_add(1);
                    assert_eq!(found, row, "{bits} bits, {count}");
                }
                for (n, &number) in numbers.iter().enumerate() {
                    assert_eq!(get(&words, bits, count, n), Some(number), "{bits} bits, {n} of {count}");
                }
                if bits > 0 {
                    assert_eq!(get(&words[..words.len() - 1], bits, count, count - 1), None);
                    assert!(!unpack_rows(&words[..words.len() - 1], bits, count, 0, &mut rows));
                }
            }
        }
        assert_eq!(get(&[0; 200], 33, 128, 0), None);
    }
}
