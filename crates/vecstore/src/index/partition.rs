//! Cutting the points into leaves of near ones.

use std::ops::Range;

use rayon::prelude::*;
use vecstore_kernels::{PANEL_QUERIES, Panels};

use super::Random;
use super::points::Points;

/// Points of a leaf at most, of all pairs of which are compared: eight times the square root of all, within these. The more
/// points there are, the fewer of the true neighbors share a leaf. Ten partitions of 250,000 rows find 97.1 % at 40 visited points
/// with leaves of 2,000, 97.5 % with 4,000, for two fifths more time; at 62,000 rows larger leaves find no more.
const LEAF_POINTS_MIN: usize = 2000;
const LEAF_POINTS_MAX: usize = 4000;

/// Returns how many of `points` points a leaf has at most.
pub(super) fn leaf_points(points: usize) -> usize {
    (8 * points.isqrt()).clamp(LEAF_POINTS_MIN, LEAF_POINTS_MAX)
}

/// Leaders of a cut at most.
const LEADERS_MAX: usize = 1024;

/// A cut that leaves everything in one piece this often is of equal points: they are cut by number then.
const DEPTH_MAX: usize = 12;

/// Points that one thread assigns at a time.
const RUN: usize = 256;

/// Cuts a range of the points into leaves by the nearest of random leaders, again until they are small enough.
pub(super) fn leaves(points: &Points, members: Range<u32>, random: &mut Random) -> Vec<Vec<u32>> {
    let mut leaves = Vec::new();
    let leaf = leaf_points(members.len());
    let mut open = vec![(members.collect::<Vec<_>>(), 0)];
    // The seed decides, not the order in which threads get on.
    while let Some((piece, depth)) = open.pop() {
        if piece.len() <= leaf {
            leaves.push(piece);
        } else if depth == DEPTH_MAX {
            leaves.extend(piece.chunks(leaf).map(<[u32]>::to_vec));
        } else {
            open.extend(cut(points, &piece, leaf, random).into_iter().map(|part| (part, depth + 1)));
        }
    }
    leaves
}

/// Cuts a piece; small parts are put together with others, since pairs of few points tell little.
fn cut(points: &Points, piece: &[u32], leaf: usize, random: &mut Random) -> Vec<Vec<u32>> {
    let wanted = (2 * piece.len() / leaf).clamp(2, LEADERS_MAX);
    let leaders: Vec<u32> = (0..wanted).map(|_| piece[random.below(piece.len())]).collect();
    let mut parts = vec![Vec::new(); wanted];
    for (&point, leader) in piece.iter().zip(nearest_leaders(points, piece, &leaders)) {
        parts[leader as usize].push(point);
    }
    let (mut cut, mut rest): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
    for part in parts {
        if part.len() >= leaf / 8 {
            cut.push(part);
            continue;
        }
        rest.extend(part);
        if rest.len() >= leaf * 3 / 4 {
            cut.push(std::mem::take(&mut rest));
        }
    }
    if !rest.is_empty() {
        cut.push(rest);
    }
    cut
}

fn nearest_leaders(points: &Points, piece: &[u32], leaders: &[u32]) -> Vec<u32> {
    let mut panels = Panels::default();
    panels.pack(points.dim, leaders.iter().map(|&leader| points.codes(leader)));
    let padded = panels.padded_rows();
    let runs = piece.par_chunks(RUN).map_init(
        || (vec![0; PANEL_QUERIES * points.dim], vec![0; PANEL_QUERIES * padded]),
        |(queries, products), run| {
            let mut nearest = Vec::with_capacity(run.len());
            for some in run.chunks(PANEL_QUERIES) {
                let products = products_of(points, some, &panels, queries, products);
                for (&point, products) in some.iter().zip(products.chunks_exact(padded)) {
                    let distance =
                        |&(n, &leader): &(usize, &u32)| points.distance(point, leader, products[n]);
                    let (mut best, mut at) = (f32::INFINITY, 0);
                    for leader in leaders.iter().enumerate() {
                        let distance = distance(&leader);
                        if distance < best {
                            (best, at) = (distance, leader.0 as u32);
                        }
                    }
                    nearest.push(at);
                }
            }
            nearest
        },
    );
    runs.flatten_iter().collect()
}

/// Returns the products of up to [`PANEL_QUERIES`] points with panels. `queries` and `products` have room for so many.
pub(super) fn products_of<'a>(
    points: &Points,
    some: &[u32],
    panels: &Panels,
    queries: &mut [u8],
    products: &'a mut [i32],
) -> &'a [i32] {
    for (&point, query) in some.iter().zip(queries.chunks_exact_mut(points.dim)) {
        for (to, &from) in query.iter_mut().zip(points.codes(point)) {
            *to = from as u8 ^ 0x80;
        }
    }
    let products = &mut products[..some.len() * panels.padded_rows()];
    points.kernels.panel_products(panels, &queries[..some.len() * points.dim], products);
    products
}
