//! Ordinals: for each row the position of its value among the distinct ones, so that a range of values is a comparison.

use std::ops::Range;

/// One ordinal plus 1 for each row, little-endian in 1, 2 or 4 bytes; 0 for rows without a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ordinals<'a> {
    Narrow(&'a [u8]),
    Medium(&'a [[u8; 2]]),
    Wide(&'a [[u8; 4]]),
}

impl<'a> Ordinals<'a> {
    /// Takes the ordinals of all rows in `width` bytes each.
    pub(super) fn new(bytes: &'a [u8], width: u8) -> Option<Self> {
        match width {
            1 => Some(Self::Narrow(bytes)),
            2 => Some(Self::Medium(bytes.as_chunks().0)),
            4 => Some(Self::Wide(bytes.as_chunks().0)),
            _ => None,
        }
    }

    /// Returns the ordinal of a row plus 1, or 0.
    #[inline]
    pub(super) fn get(&self, row: u32) -> u32 {
        let row = row as usize;
        match self {
            Self::Narrow(bytes) => bytes.get(row).map_or(0, |&ordinal| ordinal.into()),
            Self::Medium(chunks) => chunks.get(row).map_or(0, |&ordinal| u16::from_le_bytes(ordinal).into()),
            Self::Wide(chunks) => chunks.get(row).map_or(0, |&ordinal| u32::from_le_bytes(ordinal)),
        }
    }

    /// Sets the bits of the rows whose ordinal is in `range`.
    pub(super) fn scan(&self, range: &Range<u32>, words: &mut [u64]) {
        let (first, len) = (range.start + 1, range.end - range.start);
        match self {
            // In their own width the comparisons of many ordinals fit in one instruction. A range that is not empty starts
            // within the width, since there are that many values; the writer chose it so, and if not, the answer is only wrong.
            Self::Narrow(bytes) => {
                let (first, last) = (first as u8, (len - 1) as u8);
                fill(bytes, words, |ordinal| ordinal.wrapping_sub(first) <= last);
            }
            Self::Medium(chunks) => {
                let (first, last) = (first as u16, (len - 1) as u16);
                fill(chunks, words, |&ordinal| u16::from_le_bytes(ordinal).wrapping_sub(first) <= last);
            }
            Self::Wide(chunks) => {
                fill(chunks, words, |&ordinal| u32::from_le_bytes(ordinal).wrapping_sub(first) < len);
            }
        }
    }
}

/// Sets bit n if `test` is true of item n. Tests 64 items into bytes, which vectorises, and then packs the bytes.
#[inline]
fn fill<T>(items: &[T], words: &mut [u64], test: impl Fn(&T) -> bool) {
    let (whole, rest) = items.as_chunks::<64>();
    for (items, word) in whole.iter().zip(&mut *words) {
        let mut flags = [0u8; 64];
        for (flag, item) in flags.iter_mut().zip(items) {
            *flag = u8::from(test(item));
        }
        *word |= pack(&flags);
    }
    if let Some(word) = words.get_mut(whole.len()) {
        *word |= rest.iter().enumerate().fold(0, |word, (n, item)| word | u64::from(test(item)) << n);
    }
}

/// Makes bits of bytes that are 0 or 1.
#[inline]
fn pack(flags: &[u8; 64]) -> u64 {
    // Multiplying moves the lowest bit of byte n to bit 56 + n; no two meet.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    flags
        .as_chunks::<8>()
        .0
        .iter()
        .enumerate()
        .fold(0, |word, (n, &flags)| word | (u64::from_le_bytes(flags).wrapping_mul(GATHER) >> 56) << (n * 8))
}
