//! Blocks of 32 rows in one bit a component, from which the squared distances of a query to all 32 are estimated at
//! once.
//!
//! A row `x` is seen from a centre `c`: of `r = x - c` only the signs `s` are kept. With `f = r.r / r.s`, the product
//! `q.r` is estimated by `f (q.s)` (RaBitQ: Gao and Long, SIGMOD 2024), so that
//! `|q - x|^2 = |q - c|^2 + |r|^2 - 2 (q - c).r` is about `|q - c|^2 + a + b (q.s)` with
//! `a = |r|^2 + 2 f (c.s)` and `b = -2 f`. What is left for a query is `q.s`, a sum over groups of four signs of one
//! of 16 values: a look-up in a register for 32 rows at a time (FastScan: André et al., 2015; neighbours' codes
//! beside each other in a graph: SymphonyQG, Gou et al., SIGMOD 2025).
//!
//! ```text
//! block of dimension d, a multiple of 64, in 4 d + 384 bytes, little-endian:
//!   d / 4 groups of 16 bytes: byte i holds the signs of 4 components, of row i in its low half (first component
//!                             lowest), of row i + 16 in its high half; a bit is set where r is not negative
//!   f32 x 32 a, f32 x 32 b, u32 x 32 ids
//! ```
//!
//! Vectors are expected to be rotated (see [`Rotation`](crate::Rotation)): only then is a bit of each component worth
//! the same.

mod encode;
mod estimate;
mod query;

pub(crate) use encode::encode;
pub(crate) use estimate::portable;
#[cfg(target_arch = "x86_64")]
pub(crate) use estimate::{avx2, avx512};
pub use query::SignQuery;

/// Rows of a block.
pub const SIGN_ROWS: usize = 32;

/// Components of a group, which share a look-up.
const GROUP: usize = 4;

/// The sum of this many components' look-ups, each up to 255, fits 16 bits.
const CHUNK: usize = 1024;

/// Returns the bytes of a block of vectors of `dim` components.
pub const fn sign_block_bytes(dim: usize) -> usize {
    dim * SIGN_ROWS / 8 + 3 * 4 * SIGN_ROWS
}

/// Returns the ids of a block of vectors of `dim` components.
///
/// # Panics
///
/// Panics if the block is shorter than [`sign_block_bytes`].
pub fn sign_block_ids(block: &[u8], dim: usize) -> impl Iterator<Item = u32> + '_ {
    let ids = &block[sign_block_bytes(dim) - 4 * SIGN_ROWS..sign_block_bytes(dim)];
    ids.as_chunks::<4>().0.iter().map(|&bytes| u32::from_le_bytes(bytes))
}

/// Candidates of a search: estimated squared distances and ids, in no order.
///
/// Kept unordered, since adding one is then a store, and finding the nearest of some hundreds takes a few
/// instructions for each sixteen.
#[derive(Clone, Debug, Default)]
pub struct CandidatePool {
    distances: Vec<f32>,
    ids: Vec<u32>,
    len: usize,
}

/// Places that kernels may write to beyond what they add, and read beyond what there is.
const SLACK: usize = 2 * SIGN_ROWS;

impl CandidatePool {
    /// Removes all candidates.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Returns how many candidates there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a candidate.
    pub fn push(&mut self, distance: f32, id: u32) {
        self.reserve();
        self.distances[self.len] = distance;
        self.ids[self.len] = id;
        self.len += 1;
    }

    /// Returns the candidates' distances and ids.
    pub fn entries(&self) -> impl Iterator<Item = (f32, u32)> + '_ {
        self.distances[..self.len].iter().copied().zip(self.ids[..self.len].iter().copied())
    }

    /// Removes candidates that are not nearer than `bound`.
    pub fn retain_below(&mut self, bound: f32) {
        let mut kept = 0;
        for at in 0..self.len {
            if self.distances[at] < bound {
                self.distances[kept] = self.distances[at];
                self.ids[kept] = self.ids[at];
                kept += 1;
            }
        }
        self.len = kept;
    }

    /// Removes those of the candidates from the `start`th on whose id is one that `is_removed` names.
    pub fn remove_from(&mut self, start: usize, is_removed: impl Fn(u32) -> bool) {
        let mut kept = start;
        for at in start..self.len {
            if !is_removed(self.ids[at]) {
                self.distances[kept] = self.distances[at];
                self.ids[kept] = self.ids[at];
                kept += 1;
            }
        }
        self.len = kept;
    }

    /// Makes room for a block and the kernels' slack.
    #[inline]
    pub(crate) fn reserve(&mut self) {
        if self.distances.len() < self.len + SIGN_ROWS + SLACK {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        let len = (2 * self.distances.len()).max(1024);
        self.distances.resize(len, f32::INFINITY);
        self.ids.resize(len, 0);
    }

    #[inline]
    pub(crate) fn distances(&self) -> &[f32] {
        &self.distances[..self.len]
    }

    #[inline]
    pub(crate) fn take(&mut self, at: usize) -> (f32, u32) {
        let taken = (self.distances[at], self.ids[at]);
        self.len -= 1;
        self.distances[at] = self.distances[self.len];
        self.ids[at] = self.ids[self.len];
        taken
    }
}
