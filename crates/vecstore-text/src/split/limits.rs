//! How large a chunk may be, and how much of it the next may repeat.

use super::error::{Result, SplitError};

/// The size of a chunk and of what neighbors share, in the unit of the sizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    chunk_size: usize,
    chunk_overlap: usize,
}

impl Limits {
    /// Checks and keeps the two sizes.
    ///
    /// # Errors
    ///
    /// If `chunk_size` is 0, or `chunk_overlap` is not smaller.
    pub fn new(chunk_size: usize, chunk_overlap: usize) -> Result<Self> {
        Self::named(chunk_size, chunk_overlap, ["chunk_size", "chunk_overlap"])
    }

    /// As [`new`](Self::new), with the names that the caller knows the two sizes by.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn named(chunk_size: usize, chunk_overlap: usize, names: [&str; 2]) -> Result<Self> {
        let [size_name, overlap_name] = names;
        if chunk_size == 0 {
            return Err(SplitError::invalid(format!("{size_name}: expected at least 1, got 0")));
        }
        if chunk_overlap >= chunk_size {
            return Err(SplitError::invalid(format!(
                "{overlap_name}: expected less than {size_name} {chunk_size}, got {chunk_overlap}"
            )));
        }
        Ok(Self { chunk_size, chunk_overlap })
    }

    /// Returns the most a chunk may measure.
    pub fn chunk_size(&self) -> usize {
        self.chunk_size
    }

    /// Returns the most two neighbors may share.
    pub fn chunk_overlap(&self) -> usize {
        self.chunk_overlap
    }
}
