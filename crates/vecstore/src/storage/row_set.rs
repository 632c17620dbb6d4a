//! A set of row ids that is cheap to clone and to change a little: a bitmap in chunks shared between clones.
//!
//! A snapshot holds one clone, the writer another. Changing a row copies its chunk of 4 KiB if a snapshot still
//! shares it, and nothing else.

use std::sync::Arc;

use crate::codec::{Reader, WriteFields};
use crate::error::{Error, Result};

const WORDS: usize = 512;
const ROWS_PER_CHUNK: usize = WORDS * 64;

type Chunk = [u64; WORDS];

/// A set of row ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowSet {
    chunks: Vec<Option<Arc<Chunk>>>,
    len: usize,
}

impl RowSet {
    /// Returns the number of rows in the set.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn contains(&self, row: u32) -> bool {
        let row = row as usize;
        match self.chunks.get(row / ROWS_PER_CHUNK) {
            Some(Some(chunk)) => chunk[row % ROWS_PER_CHUNK / 64] >> (row % 64) & 1 == 1,
            _ => false,
        }
    }

    /// Returns the 64 rows from `64 * word` as bits.
    pub(crate) fn word(&self, word: usize) -> u64 {
        match self.chunks.get(word / WORDS) {
            Some(Some(chunk)) => chunk[word % WORDS],
            _ => 0,
        }
    }

    /// Adds a row; returns whether it was missing.
    pub(crate) fn insert(&mut self, row: u32) -> bool {
        if self.contains(row) {
            return false;
        }
        let chunk = row as usize / ROWS_PER_CHUNK;
        if chunk >= self.chunks.len() {
            self.chunks.resize(chunk + 1, None);
        }
        let shared = self.chunks[chunk].get_or_insert_with(|| Arc::new([0; WORDS]));
        Arc::make_mut(shared)[row as usize % ROWS_PER_CHUNK / 64] |= 1 << (row % 64);
        self.len += 1;
        true
    }

    /// Removes a row; returns whether it was there.
    pub(crate) fn remove(&mut self, row: u32) -> bool {
        if !self.contains(row) {
            return false;
        }
        if let Some(Some(chunk)) = self.chunks.get_mut(row as usize / ROWS_PER_CHUNK) {
            Arc::make_mut(chunk)[row as usize % ROWS_PER_CHUNK / 64] &= !(1 << (row % 64));
            self.len -= 1;
        }
        true
    }

    /// Iterates over the rows in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let chunks = self.chunks.iter().enumerate().filter_map(|(n, chunk)| Some((n, chunk.as_ref()?)));
        chunks.flat_map(|(n, chunk)| {
            chunk.iter().enumerate().flat_map(move |(word, &bits)| {
                let first = (n * ROWS_PER_CHUNK + word * 64) as u32;
                Bits(bits).map(move |bit| first + bit)
            })
        })
    }

    /// Writes the set: u32 count of chunks that hold rows, then for each its u32 number and 512 u64 words.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let full = || self.chunks.iter().enumerate().filter_map(|(n, chunk)| Some((n, chunk.as_ref()?)));
        out.put_u32(full().count() as u32);
        for (n, chunk) in full() {
            out.put_u32(n as u32);
            chunk.iter().for_each(|&word| out.put_u64(word));
        }
    }

    /// Reads a set over rows `0..rows`.
    pub(crate) fn decode(reader: &mut Reader<'_>, rows: usize) -> Result<Self> {
        let mut set = Self::default();
        for _ in 0..reader.count(4 + WORDS * 8)? {
            let n = reader.u32()? as usize;
            if n < set.chunks.len() || n * ROWS_PER_CHUNK >= rows {
                return Err(Error::corrupted(format!(
                    "row set: chunk {n} is out of order or beyond {rows} rows"
                )));
            }
            set.chunks.resize(n, None);
            let mut chunk = [0; WORDS];
            for word in &mut chunk {
                *word = reader.u64()?;
                set.len += word.count_ones() as usize;
            }
            set.chunks.push(Some(Arc::new(chunk)));
        }
        if set.iter().last().is_some_and(|row| row as usize >= rows) {
            return Err(Error::corrupted(format!("row set: holds a row beyond the last of {rows}")));
        }
        Ok(set)
    }
}

/// The positions of the set bits of a word, ascending.
pub(crate) struct Bits(pub(crate) u64);

impl Iterator for Bits {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros();
        self.0 &= self.0 - 1;
        Some(bit)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_as_a_set_and_survives_encoding(steps in prop::collection::vec((any::<bool>(), 0u32..70_000), 0..200)) {
            let mut set = RowSet::default();
            let mut model = BTreeSet::new();
            for (insert, row) in steps {
                let before = set.clone();
                let rows_before: Vec<u32> = before.iter().collect();
                if insert {
                    prop_assert_eq!(set.insert(row), model.insert(row));
                } else {
                    prop_assert_eq!(set.remove(row), model.remove(&row));
                }
                prop_assert_eq!(before.iter().collect::<Vec<_>>(), rows_before, "a clone keeps its rows");
            }
            prop_assert_eq!(set.len(), model.len());
            prop_assert!(set.iter().eq(model.iter().copied()));
            let mut bytes = Vec::new();
            set.encode(&mut bytes);
            let mut reader = Reader::new(&bytes, "test");
            let back = RowSet::decode(&mut reader, 70_000).unwrap();
            prop_assert!(back.iter().eq(model.iter().copied()));
            prop_assert!(RowSet::decode(&mut Reader::new(&bytes, "test"), 64).is_err() || model.iter().all(|&r| r < 64));
        }
    }
}
