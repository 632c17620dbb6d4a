//! Building a graph.

use rayon::prelude::*;
use vecstore_kernels::sign_block_bytes;

use super::points::Points;
use super::{DEGREE, Random, candidates, neighbors, order};
use crate::error::Result;

/// Part of what a file holds: the same rows give the same graph.
const SEED: u64 = 0x6772_6170_6800_0001;

/// Points where searches start are half the square root of all: a look at 32 costs a fifth of a visit, and saves the first
/// steps. Of 62,000 rows 128 find no less than 256.
const ENTRIES_MIN: usize = 32;
const ENTRIES_MAX: usize = 1024;

/// A graph over points that are numbered anew, in the order that files hold them.
#[derive(Debug)]
pub(crate) struct Graph {
    /// The number that each point had before.
    pub(crate) order: Vec<u32>,
    /// [`DEGREE`] neighbors of each point.
    pub(crate) adjacency: Vec<u32>,
    /// The points where searches start: [`starts`] of them, then those that are reached from nowhere else, to a multiple
    /// of [`DEGREE`].
    pub(crate) entries: Vec<u32>,
}

/// Returns the bytes of memory that a build of so many points of `dim` components takes at most.
pub(crate) fn build_bytes(rows: usize, dim: usize) -> u64 {
    let candidates = candidates::CANDIDATES * 8 * 3 / 2;
    let lists = 2 * DEGREE * 8 + 2 * DEGREE * 4 + 100;
    rows as u64 * (dim.next_multiple_of(64) + candidates + lists) as u64
}

/// Returns how many points a search of so many starts from, without those that are reached from nowhere else.
pub(super) fn starts(points: usize) -> usize {
    (points.isqrt() / 2).clamp(ENTRIES_MIN, ENTRIES_MAX).next_multiple_of(DEGREE)
}

/// Builds the graph of points. `check` is asked now and then whether to go on.
pub(crate) fn build(points: &Points, check: &(dyn Fn() -> Result<()> + Sync)) -> Result<Graph> {
    let mut random = Random::new(SEED);
    let candidates = candidates::candidates(points, &mut random, check)?;
    let adjacency = neighbors::choose(points, &candidates, check)?;
    check()?;
    let count = points.len();
    let mut entries: Vec<u32> = (0..starts(count)).map(|_| random.below(count) as u32).collect();
    let (order, unreached) = order::breadth_first(&adjacency, entries[0]);
    // What cannot be reached from elsewhere is reached from the start.
    entries.extend(unreached);
    while !entries.len().is_multiple_of(DEGREE) {
        entries.push(entries[0]);
    }
    let mut renumbered = vec![0; count];
    for (new, &old) in order.iter().enumerate() {
        renumbered[old as usize] = new as u32;
    }
    let moved = order.par_iter().flat_map_iter(|&old| {
        adjacency[old as usize * DEGREE..][..DEGREE].iter().map(|&neighbor| renumbered[neighbor as usize])
    });
    let adjacency = moved.collect();
    let entries = entries.into_iter().map(|entry| renumbered[entry as usize]).collect();
    Ok(Graph { order, adjacency, entries })
}

impl Graph {
    /// Writes the block of signs of a point: its neighbors, relative to it.
    pub(crate) fn encode_block(
        &self,
        points: &Points,
        point: usize,
        encoder: &mut BlockEncoder,
        block: &mut [u8],
    ) {
        points.decode(self.order[point], &mut encoder.centre);
        self.encode_neighbors(points, &self.adjacency[point * DEGREE..][..DEGREE], encoder, block);
    }

    /// Writes the blocks of the points where searches start, relative to the origin.
    pub(crate) fn encode_entries(&self, points: &Points) -> Vec<u8> {
        let mut encoder = BlockEncoder::new(points);
        let mut blocks = Vec::new();
        for entries in self.entries.chunks_exact(DEGREE) {
            let mut block = vec![0; sign_block_bytes(points.dim)];
            self.encode_neighbors(points, entries, &mut encoder, &mut block);
            blocks.extend(block);
        }
        blocks
    }

    fn encode_neighbors(
        &self,
        points: &Points,
        neighbors: &[u32],
        encoder: &mut BlockEncoder,
        block: &mut [u8],
    ) {
        for (place, &neighbor) in neighbors.iter().enumerate() {
            points.decode(self.order[neighbor as usize], &mut encoder.row);
            let (centre, row) = (&encoder.centre, &encoder.row);
            points.kernels.encode_sign_row(centre, row, place, neighbor, &mut encoder.signs, block);
        }
    }
}

/// What encoding blocks needs.
#[derive(Debug)]
pub(crate) struct BlockEncoder {
    centre: Vec<f32>,
    row: Vec<f32>,
    signs: Vec<u8>,
}

impl BlockEncoder {
    pub(crate) fn new(points: &Points) -> Self {
        Self { centre: vec![0.0; points.dim], row: vec![0.0; points.dim], signs: vec![0; points.dim] }
    }
}
