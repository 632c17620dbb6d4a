//! A set of rows of a segment: a sorted list when they are few, otherwise a bitmap.

use std::cmp::Ordering;

use crate::storage::row_set::Bits;

/// A list of up to 1 in 32 rows is no larger than the bitmap.
pub(super) const LIST_SHARE: usize = 32;

/// Rows of a segment, ascending.
#[derive(Clone, Debug)]
pub(crate) enum RowIds {
    /// The rows in ascending order.
    List(Vec<u32>),
    /// A bit for each row of the segment.
    Bits {
        /// Bit `row % 64` of word `row / 64`; bits from the number of rows on are 0.
        words: Vec<u64>,
        /// How many bits are set.
        len: usize,
    },
}

impl RowIds {
    pub(super) const fn none() -> Self {
        Self::List(Vec::new())
    }

    pub(crate) fn all(rows: usize) -> Self {
        let mut words = vec![u64::MAX; rows.div_ceil(64)];
        clear_tail(&mut words, rows);
        Self::Bits { words, len: rows }
    }

    /// Takes the rows of a bitmap over `rows` rows.
    pub(super) fn of_words(words: Vec<u64>, rows: usize) -> Self {
        let len = words.iter().map(|word| word.count_ones() as usize).sum::<usize>();
        let bits = Self::Bits { words, len };
        if len > rows / LIST_SHARE { bits } else { Self::List(bits.iter().collect()) }
    }

    /// Returns the number of rows in the set.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::List(list) => list.len(),
            Self::Bits { len, .. } => *len,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether a row is in the set: a look at one bit, or a binary search of the list.
    pub(crate) fn contains(&self, row: u32) -> bool {
        match self {
            Self::List(list) => list.binary_search(&row).is_ok(),
            Self::Bits { words, .. } => {
                words.get(row as usize / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
            }
        }
    }

    /// Iterates over the rows in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let (list, words): (&[u32], &[u64]) = match self {
            Self::List(list) => (list, &[]),
            Self::Bits { words, .. } => (&[], words),
        };
        list.iter().copied().chain(rows_of_words(words))
    }

    /// Returns the set as a bitmap over `rows` rows.
    pub(crate) fn into_words(self, rows: usize) -> Vec<u64> {
        match self {
            Self::Bits { words, .. } => words,
            Self::List(list) => {
                let mut words = vec![0; rows.div_ceil(64)];
                list.iter().for_each(|&row| words[row as usize / 64] |= 1 << (row % 64));
                words
            }
        }
    }

    pub(super) fn complement(self, rows: usize) -> Self {
        let mut words = self.into_words(rows);
        words.iter_mut().for_each(|word| *word = !*word);
        clear_tail(&mut words, rows);
        Self::of_words(words, rows)
    }

    pub(super) fn and(self, other: Self, rows: usize) -> Self {
        match (self, other) {
            (Self::Bits { mut words, .. }, Self::Bits { words: others, .. }) => {
                words.iter_mut().zip(&others).for_each(|(word, other)| *word &= other);
                Self::of_words(words, rows)
            }
            (Self::List(list), Self::List(other)) if list.len().abs_diff(other.len()) < 64 => {
                Self::List(merge(list, &other))
            }
            (Self::List(mut list), Self::List(mut other)) => {
                if list.len() > other.len() {
                    std::mem::swap(&mut list, &mut other);
                }
                list.retain(|row| other.binary_search(row).is_ok());
                Self::List(list)
            }
            (Self::List(mut list), bits) | (bits, Self::List(mut list)) => {
                list.retain(|&row| bits.contains(row));
                Self::List(list)
            }
        }
    }

    pub(super) fn or(self, other: Self, rows: usize) -> Self {
        match (self, other) {
            (a, b) if b.is_empty() => a,
            (a, b) if a.is_empty() => b,
            (Self::List(mut list), Self::List(other)) if list.len() + other.len() <= rows / LIST_SHARE => {
                list.extend(other);
                list.sort_unstable();
                list.dedup();
                Self::List(list)
            }
            (a, b) => {
                let (mut words, other) = match (a, b) {
                    (Self::List(list), bits) => (bits.into_words(rows), Self::List(list)),
                    (bits, other) => (bits.into_words(rows), other),
                };
                match other {
                    Self::List(list) => {
                        list.iter().for_each(|&row| words[row as usize / 64] |= 1 << (row % 64));
                    }
                    Self::Bits { words: others, .. } => {
                        words.iter_mut().zip(&others).for_each(|(word, other)| *word |= other);
                    }
                }
                Self::of_words(words, rows)
            }
        }
    }

    pub(super) fn and_not(self, other: &Self, rows: usize) -> Self {
        if other.is_empty() {
            return self;
        }
        match (self, other) {
            (Self::List(mut list), other) => {
                list.retain(|&row| !other.contains(row));
                Self::List(list)
            }
            (Self::Bits { mut words, .. }, Self::List(list)) => {
                list.iter().for_each(|&row| words[row as usize / 64] &= !(1 << (row % 64)));
                Self::of_words(words, rows)
            }
            (Self::Bits { mut words, .. }, Self::Bits { words: others, .. }) => {
                words.iter_mut().zip(others).for_each(|(word, other)| *word &= !other);
                Self::of_words(words, rows)
            }
        }
    }
}

/// Iterates over the rows of a bitmap in ascending order.
pub(crate) fn rows_of_words(words: &[u64]) -> impl Iterator<Item = u32> + '_ {
    let set = words.iter().enumerate().filter(|(_, word)| **word != 0);
    set.flat_map(|(n, &word)| Bits(word).map(move |bit| n as u32 * 64 + bit))
}

/// Keeps of a list what is in another of about its length.
fn merge(mut list: Vec<u32>, other: &[u32]) -> Vec<u32> {
    let mut rest = other;
    list.retain(|row| {
        while let [first, after @ ..] = rest {
            match first.cmp(row) {
                Ordering::Less => rest = after,
                Ordering::Equal => return true,
                Ordering::Greater => return false,
            }
        }
        false
    });
    list
}

/// Clears the bits of rows that a segment of `rows` rows does not have.
pub(super) fn clear_tail(words: &mut [u64], rows: usize) {
    if let (Some(last), 1..) = (words.last_mut(), rows % 64) {
        *last &= (1 << (rows % 64)) - 1;
    }
}
