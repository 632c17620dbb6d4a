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
mod pool;
mod query;
mod retain;

pub(crate) use encode::encode;
#[cfg(target_arch = "aarch64")]
pub(crate) use estimate::neon;
pub(crate) use estimate::portable;
#[cfg(target_arch = "x86_64")]
pub(crate) use estimate::{avx2, avx512};
pub use pool::CandidatePool;
pub use query::SignQuery;
pub(crate) use query::look_ups;
#[cfg(target_arch = "aarch64")]
pub(crate) use query::look_ups_neon;
#[cfg(target_arch = "x86_64")]
pub(crate) use query::{look_ups_avx2, look_ups_avx512};
pub(crate) use retain::portable as retain_portable;
#[cfg(target_arch = "x86_64")]
pub(crate) use retain::{avx2 as retain_avx2, avx512 as retain_avx512};

/// Rows of a block.
pub const SIGN_ROWS: usize = 32;

/// Components of a group, which share a look-up.
const GROUP: usize = 4;

/// The largest value of a look-up: four of them fit 8 bits, so that most additions are of bytes. Rounding to these
/// units adds less than 0.2 % to the variance of an estimate from one bit a component.
const LEVELS: u8 = 63;

/// Components whose look-ups are added in bytes: four of each of a register's lanes.
const STRETCH: usize = 64;

/// The sum of this many components' look-ups fits 16 bits.
const CHUNK: usize = 4096;

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
