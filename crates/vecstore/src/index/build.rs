//! Building a graph.

use std::ops::Range;

use rayon::prelude::*;
use vecstore_kernels::{nibble_row_bytes, sign_block_bytes};

use super::apart::{self, APART_POINTS_MIN, OWN_STARTS};
use super::compact::PointCodes;
use super::layout::Layout;
use super::points::Points;
use super::{DEGREE, Random, neighbors, order};
use crate::error::Result;

/// Part of what a file holds: the same rows give the same graph.
const SEED: u64 = 0x6772_6170_6800_0001;

/// Points where searches start are the square root of all up to [`ENTRIES_FULL`], half of it for many: a look at 32 costs a
/// fifth of a visit, and saves the first steps. Of 62,000 rows 128 find no less than 256; of 2,000 rows in 40 clusters 64 find
/// 2 % more than 32.
const ENTRIES_MIN: usize = 32;
const ENTRIES_FULL: usize = 128;
const ENTRIES_MAX: usize = 1024;

/// Random points where searches of a compact graph start at most: each costs a read.
const COMPACT_STARTS_MAX: usize = 64;

/// A graph over points that are numbered anew, in the order that files hold them.
#[derive(Debug)]
pub(crate) struct Graph {
    /// The number that each point had before.
    pub(crate) order: Vec<u32>,
    /// [`DEGREE`] neighbors of each point.
    pub(crate) adjacency: Vec<u32>,
    /// The points where searches start: [`starts`] of them, then those that are reached from nowhere else or
    /// that a range of its own starts from, to a multiple of [`DEGREE`].
    pub(crate) entries: Vec<u32>,
}

/// How a graph is built.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// Points that belong together, one range after the other: they stand together in the order of the graph. None if
    /// they may stand anywhere.
    pub(crate) ranges: Vec<Range<u32>>,
    /// Passes over the points, at least 1. More take less memory and a little more time; the graph is the same.
    pub(crate) passes: usize,
}

/// What a merge keeps of each row beside the graph: where it is, where it goes, and to which partition.
const MERGE_BYTES: u64 = 32;

/// Passes at most: what they hold is a small part of all then.
const PASSES_MAX: usize = 32;

impl Plan {
    /// Plans to build a graph within so many bytes of memory, as far as that is possible.
    pub(crate) fn within(bytes: u64, rows: usize, dim: usize, ranges: Vec<Range<u32>>) -> Self {
        let left = bytes.saturating_sub(rows as u64 * MERGE_BYTES);
        let passes = (1..=PASSES_MAX).find(|&passes| choice_bytes(rows, dim, passes) <= left);
        Self { ranges, passes: passes.unwrap_or(PASSES_MAX) }
    }

    /// Returns the ranges that are also searched by themselves.
    fn apart(&self) -> impl Iterator<Item = &Range<u32>> {
        self.ranges.iter().filter(|range| range.len() >= APART_POINTS_MIN)
    }
}

/// Returns the bytes of memory that choosing the neighbors of so many points takes at most, in so many passes.
fn choice_bytes(rows: usize, dim: usize, passes: usize) -> u64 {
    rows as u64 * (Points::row_bytes(dim) + neighbors::KEPT_BYTES) as u64
        + rows.div_ceil(passes) as u64 * neighbors::PASS_BYTES as u64
}

/// Returns the bytes of memory that a build of so many rows of `dim` components takes at least: what it chooses the
/// neighbors in, or what a graph of a layout is written from.
pub(crate) fn build_bytes(rows: usize, dim: usize, layout: Layout) -> u64 {
    let codes = match layout {
        // Blocks are made when they are written.
        Layout::Fast => 0,
        Layout::Compact(PointCodes::Nibbles) => nibble_row_bytes(dim.next_multiple_of(64)),
        Layout::Compact(PointCodes::Bytes) => dim + 8,
        Layout::Compact(PointCodes::Full) => 4,
    };
    let order = 2 * size_of::<u32>();
    let draft = rows as u64 * (Points::row_bytes(dim) + 4 * DEGREE + order + codes) as u64;
    rows as u64 * MERGE_BYTES + draft.max(choice_bytes(rows, dim, PASSES_MAX))
}

/// Returns how many points a search of so many starts from, without those that are reached from nowhere else.
pub(super) fn starts(points: usize) -> usize {
    let root = points.isqrt();
    root.min(ENTRIES_FULL).max(root / 2).clamp(ENTRIES_MIN, ENTRIES_MAX).next_multiple_of(DEGREE)
}

/// Returns where searches start in every layout, of all entries, the first `starts` of which are random.
pub(super) fn kept_starts(entries: &[u32], starts: usize) -> Vec<u32> {
    let (random, needed) = entries.split_at(starts);
    [&random[..starts.min(COMPACT_STARTS_MAX)], needed].concat()
}

/// Builds the graph of points. `check` is asked now and then whether to go on.
pub(crate) fn build(points: &Points, plan: &Plan, check: &(dyn Fn() -> Result<()> + Sync)) -> Result<Graph> {
    let mut random = Random::new(SEED);
    let count = points.len();
    let (mut adjacency, mut islands) =
        neighbors::choose(points, &(0..count as u32), plan.passes, &mut random, check)?;
    for range in plan.apart() {
        apart::join(&mut adjacency, points, range, plan.passes, &mut random, check)?;
    }
    check()?;
    let starts = starts(count);
    let mut entries: Vec<u32> = (0..starts).map(|_| random.below(count) as u32).collect();
    let (mut order, unreached) = order::breadth_first(&adjacency, entries[0]);
    // What cannot be reached from elsewhere is reached from the start.
    entries.extend(unreached);
    entries.extend(islands.without_start(&kept_starts(&entries, starts), starts));
    // Searches of all points look at each start: those of many ranges are no more than the random ones, or one each.
    let own_starts = (starts / plan.apart().count().max(1)).clamp(1, OWN_STARTS);
    for range in plan.apart() {
        let mut own = kept_starts(&entries, starts);
        own.retain(|entry| range.contains(entry));
        while own.len() < own_starts {
            let start = range.start + random.below(range.len()) as u32;
            own.push(start);
            entries.push(start);
        }
        entries.extend(apart::unreached(&adjacency, range, &own));
    }
    while !entries.len().is_multiple_of(DEGREE) {
        entries.push(entries[0]);
    }
    if !plan.ranges.is_empty() {
        order.sort_by_key(|&point| plan.ranges.partition_point(|range| range.end <= point));
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
