//! The bytes of one file, in pages that copies share.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Large enough that a store of 60 KB is a handful of pages, small enough that a write copies little.
const PAGE_BYTES: usize = 4096;

type Page = [u8; PAGE_BYTES];

/// A sparse byte sequence. Pages that were never written read as zeros and take no memory, so a preallocated log
/// costs nothing; a clone shares its pages until one of the two is written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    len: u64,
    pages: BTreeMap<u64, Arc<Page>>,
}

impl Content {
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let mut content = Self::default();
        content.write(bytes, 0);
        content
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Fills the buffer from `offset`; what lies beyond the end reads as zeros.
    pub(crate) fn read(&self, buffer: &mut [u8], offset: u64) {
        for piece in pieces(offset, buffer.len(), PAGE_BYTES) {
            let target = &mut buffer[piece.start..piece.end];
            match self.pages.get(&piece.block) {
                Some(page) => target.copy_from_slice(&page[piece.inner..piece.inner + target.len()]),
                None => target.fill(0),
            }
        }
    }

    /// Writes the bytes at `offset`, growing the file if they pass its end.
    pub(crate) fn write(&mut self, bytes: &[u8], offset: u64) {
        if bytes.is_empty() {
            return;
        }
        for piece in pieces(offset, bytes.len(), PAGE_BYTES) {
            let source = &bytes[piece.start..piece.end];
            let page = self.pages.entry(piece.block).or_insert_with(|| Arc::new([0; PAGE_BYTES]));
            Arc::make_mut(page)[piece.inner..piece.inner + source.len()].copy_from_slice(source);
        }
        self.len = self.len.max(offset + bytes.len() as u64);
    }

    /// Cuts the file, or extends it with zeros.
    pub(crate) fn set_len(&mut self, len: u64) {
        if len < self.len {
            let first_dropped = len.div_ceil(PAGE_BYTES as u64);
            self.pages.split_off(&first_dropped);
            let inner = (len % PAGE_BYTES as u64) as usize;
            if inner > 0
                && let Some(page) = self.pages.get_mut(&(len / PAGE_BYTES as u64))
            {
                Arc::make_mut(page)[inner..].fill(0);
            }
        }
        self.len = len;
    }

    pub(crate) fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len as usize];
        self.read(&mut bytes, 0);
        bytes
    }

    /// Gives the pages that hold anything but zeros, in order.
    pub(crate) fn written_pages(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.pages
            .iter()
            .map(|(&block, page)| (block, page.as_slice()))
            .filter(|(_, page)| page.iter().any(|&byte| byte != 0))
    }
}

/// The part of a byte range that falls into one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The number of the block.
    pub(crate) block: u64,
    /// Where the part starts inside the block.
    pub(crate) inner: usize,
    /// Where the part starts inside the range.
    pub(crate) start: usize,
    /// Where the part ends inside the range.
    pub(crate) end: usize,
}

/// Cuts the range of `len` bytes at `offset` on the multiples of `block_bytes`.
pub(crate) fn pieces(offset: u64, len: usize, block_bytes: usize) -> impl Iterator<Item = Piece> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start == len {
            return None;
        }
        let position = offset + start as u64;
        let inner = (position % block_bytes as u64) as usize;
        let end = len.min(start + block_bytes - inner);
        let piece = Piece { block: position / block_bytes as u64, inner, start, end };
        start = end;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    #[test]
    fn behaves_like_a_vector_of_bytes() {
        let mut rng = Rng::new(1);
        let mut content = Content::default();
        let mut expected: Vec<u8> = Vec::new();
        for round in 0..300 {
            if rng.one_in(4) {
                let len = rng.below(20_000);
                content.set_len(len);
                expected.resize(len as usize, 0);
            } else {
                let offset = rng.below(15_000) as usize;
                let bytes: Vec<u8> = (0..rng.below(9_000)).map(|_| rng.next_u64() as u8).collect();
                content.write(&bytes, offset as u64);
                if !bytes.is_empty() {
                    expected.resize(expected.len().max(offset + bytes.len()), 0);
                    expected[offset..offset + bytes.len()].copy_from_slice(&bytes);
                }
            }
            assert_eq!(content.to_vec(), expected, "after round {round}");
        }
    }

    #[test]
    fn a_clone_does_not_see_later_writes() {
        let mut content = Content::from_bytes(b"before");
        let clone = content.clone();
        content.write(b"AFTER", 0);
        assert_eq!(clone.to_vec(), b"before");
    }

    #[test]
    fn pieces_are_cut_on_block_bounds() {
        let cut: Vec<(u64, usize, usize, usize)> =
            pieces(500, 600, 512).map(|piece| (piece.block, piece.inner, piece.start, piece.end)).collect();
        assert_eq!(cut, [(0, 500, 0, 12), (1, 0, 12, 524), (2, 0, 524, 600)]);
    }
}
