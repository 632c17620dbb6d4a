//! Bytes that start on a 64-byte boundary, as those of a real mapping do.

use std::ops::Deref;

/// The alignment [`vecstore::vfs::Mapping`] asks for.
const ALIGNMENT_BYTES: usize = 64;

/// An immutable buffer whose first byte is aligned. The vector is never resized, so its heap block, and with it
/// the boundary found at construction, stays where it is.
#[derive(Debug)]
pub(crate) struct AlignedBytes {
    block: Vec<u8>,
    start: usize,
    len: usize,
}

impl AlignedBytes {
    /// Allocates `len` bytes and lets `fill` write them.
    pub(crate) fn filled(len: usize, fill: impl FnOnce(&mut [u8])) -> Self {
        let mut block = vec![0; len + ALIGNMENT_BYTES - 1];
        let start = block.as_ptr().addr().wrapping_neg() % ALIGNMENT_BYTES;
        fill(&mut block[start..start + len]);
        Self { block, start, len }
    }
}

impl Deref for AlignedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.block[self.start..self.start + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_starts_on_a_boundary() {
        for len in 0..300 {
            let bytes = AlignedBytes::filled(len, |slice| slice.fill(9));
            assert_eq!(bytes.as_ptr().addr() % ALIGNMENT_BYTES, 0);
            assert_eq!(&*bytes, vec![9; len]);
        }
    }
}
