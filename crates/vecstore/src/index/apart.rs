//! Ranges of points that are also searched by themselves: large partitions of a collection.
//!
//! A walk that stays in such a range needs neighbors there, and places to start. Most of the neighbors of its points are
//! those that a graph of the range alone would have; the others are the first of the graph of all, so that walks through
//! all points stay about as short as they were.

use std::ops::Range;

use super::points::Points;
use super::{DEGREE, Random, neighbors};
use crate::error::Result;

/// From how many points on a range is walked, as a segment of so many has a graph. A scan of the signs of 5,000 rows of 384
/// components takes four times as long as a walk.
pub(crate) const APART_POINTS_MIN: usize = 4_096;

/// Neighbors of a point that a graph of its range alone would have. With half of all, a walk among 18,436 of 62,436 rows found
/// .89 where one among as many in a graph of their own finds .95.
const OWN_NEIGHBORS: usize = DEGREE * 3 / 4;

/// Points of a range where searches start, at least, where ranges are few.
pub(super) const OWN_STARTS: usize = 8;

/// Puts the neighbors that points have in the graph of their range alone among those they have.
pub(super) fn join(
    adjacency: &mut [u32],
    points: &Points,
    range: &Range<u32>,
    passes: usize,
    random: &mut Random,
    check: &(dyn Fn() -> Result<()> + Sync),
) -> Result<()> {
    let (own, _) = neighbors::choose(points, range, passes, random, check)?;
    let rows = adjacency[range.start as usize * DEGREE..range.end as usize * DEGREE].chunks_exact_mut(DEGREE);
    for (row, own) in rows.zip(own.chunks_exact(DEGREE)) {
        let mut joined = [0; DEGREE];
        let mut count = 0;
        let wanted = own[..OWN_NEIGHBORS].iter().chain(row.iter()).chain(&own[OWN_NEIGHBORS..]);
        for &neighbor in wanted {
            if count < DEGREE && !joined[..count].contains(&neighbor) {
                joined[count] = neighbor;
                count += 1;
            }
        }
        // Of fewer points some stand there twice, as they did.
        joined.copy_within(..DEGREE - count, count);
        row.copy_from_slice(&joined);
    }
    Ok(())
}

/// Returns points of a range that are not reached within it from some of its points, one for each walk that it takes.
pub(super) fn unreached(adjacency: &[u32], range: &Range<u32>, starts: &[u32]) -> Vec<u32> {
    let mut seen = vec![false; range.len()];
    let (mut unreached, mut open) = (Vec::new(), Vec::new());
    let roots =
        starts.iter().copied().map(|start| (start, true)).chain(range.clone().map(|root| (root, false)));
    for (root, is_start) in roots {
        if !range.contains(&root) || std::mem::replace(&mut seen[(root - range.start) as usize], true) {
            continue;
        }
        if !is_start {
            unreached.push(root);
        }
        open.push(root);
        while let Some(point) = open.pop() {
            for &neighbor in &adjacency[point as usize * DEGREE..][..DEGREE] {
                if range.contains(&neighbor)
                    && !std::mem::replace(&mut seen[(neighbor - range.start) as usize], true)
                {
                    open.push(neighbor);
                }
            }
        }
    }
    unreached
}
