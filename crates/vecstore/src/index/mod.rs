//! The graph index of a segment: built once from the segment's vectors, never changed.
//!
//! Rows are points of a Euclidean [`Space`] in which the nearest point is the nearest by the collection's metric. Each
//! point has 32 neighbors; a search goes from neighbor to neighbor towards the query ([`search()`]).
//!
//! The build ([`build()`]) is in the manner of PiPNN (partitions, leaves, pruning) and HCNNG: the points are cut into
//! overlapping leaves of near ones several times over, all pairs of a leaf are compared, and of the nearest that a
//! point met, those are kept as neighbors that lie in different directions (the pruning of Vamana: Subramanya et al.,
//! NeurIPS 2019). It compares 8-bit codes of rotated vectors and holds nothing else in memory.
//!
//! Nothing here reads or writes files: a build returns what `storage::segment` writes, and a search reads through
//! [`search::GraphSource`].

mod apart;
mod build;
mod candidates;
mod compact;
mod compact_draft;
mod draft;
mod flat;
mod frontier;
mod islands;
mod layout;
mod neighbors;
mod order;
mod partition;
mod points;
mod rerank;
mod search;
mod sign_rows;
mod space;
mod visited;
mod width;
mod widths;

#[cfg(test)]
mod tests;

pub(crate) use apart::APART_POINTS_MIN;
pub(crate) use build::{Plan, build, build_bytes};
pub(crate) use compact::{CodeRows, CompactQuery, CompactScratch, CompactSource, PointCodes, search_compact};
pub(crate) use compact_draft::CompactDraft;
pub(crate) use draft::{BLOCK_HEAD_BYTES, Draft, block_bytes};
pub(crate) use flat::{FlatQuery, FlatSigns, SignRuns, SignStretch};
pub(crate) use layout::{AnyDraft, Layout};
pub(crate) use points::Points;
pub(crate) use rerank::reranked;
pub(crate) use search::{
    Beam, DETOUR_SLACK, Effort, Found, GraphSource, ROUNDING_DEVIATION, RowFactors, Scratch, Wanted, Within,
    search, visits_max,
};
pub(crate) use sign_rows::SignRows;
pub(crate) use space::Space;
pub(crate) use width::width;
pub(crate) use widths::{K as MEASURED_K, RECALLS, SCAN, Widths};

/// Neighbors of a point: one block of signs.
pub(crate) const DEGREE: usize = vecstore_kernels::SIGN_ROWS;

/// A seeded source of numbers (SplitMix64: Steele, Lea and Flood, 2014): builds are the same for the same rows.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }
}

/// A point met and its squared distance: ordered by distance, then by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Met(u64);

impl Met {
    fn new(distance: f32, point: u32) -> Self {
        // The bits of floats that are not negative order as the floats do.
        Self(u64::from(distance.max(0.0).to_bits()) << 32 | u64::from(point))
    }

    fn distance(self) -> f32 {
        f32::from_bits((self.0 >> 32) as u32)
    }

    fn point(self) -> u32 {
        self.0 as u32
    }
}
