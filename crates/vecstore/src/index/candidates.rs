//! The nearest points that each point met in the leaves it shared with them.

use std::ops::Range;

use parking_lot::Mutex;
use rayon::prelude::*;
use vecstore_kernels::{CandidatePool, PANEL_QUERIES, Panels};

use super::partition::{leaves, products_of};
use super::points::Points;
use super::{Met, Random};
use crate::error::Result;

/// Partitions. More find better neighbors: recall at 34 visited points of 62k rows .982 with 10, .979 with 8.
const PARTITIONS: usize = 10;

/// Nearest points kept for each point.
pub(super) const CANDIDATES: usize = 96;

/// Nearest points taken from one leaf.
const LEAF_CANDIDATES: usize = 24;

/// Returns for each of `asked`, some of `members`, the nearest of `members` that it met, nearest first. What each met is the
/// same whatever is asked for beside it.
pub(super) fn candidates(
    points: &Points,
    members: &Range<u32>,
    asked: &Range<u32>,
    random: &mut Random,
    check: &(dyn Fn() -> Result<()> + Sync),
) -> Result<Vec<Vec<Met>>> {
    let lists: Vec<Mutex<Vec<Met>>> = asked.clone().map(|_| Mutex::default()).collect();
    for _ in 0..PARTITIONS {
        let leaves = leaves(points, members.clone(), random);
        leaves.par_iter().try_for_each_init(Leaf::default, |leaf, members| {
            check()?;
            leaf.meet(points, members, asked.start, &lists);
            Ok(())
        })?;
        if leaves.len() == 1 {
            // All have met all.
            break;
        }
    }
    Ok(lists.into_iter().map(Mutex::into_inner).collect())
}

/// What comparing the pairs of a leaf needs.
#[derive(Default)]
struct Leaf {
    panels: Panels,
    queries: Vec<u8>,
    products: Vec<i32>,
    scales: Vec<f32>,
    squares: Vec<f32>,
    pool: CandidatePool,
    near: Vec<Met>,
    /// The members that are asked for: their places in the leaf, and they themselves.
    places: Vec<usize>,
    asked: Vec<u32>,
}

impl Leaf {
    /// Adds to the lists of points from `first` on what they meet in a leaf.
    fn meet(&mut self, points: &Points, members: &[u32], first: u32, lists: &[Mutex<Vec<Met>>]) {
        let has_list = |member: u32| member.wrapping_sub(first) < lists.len() as u32;
        self.places.clear();
        self.places.extend((0..members.len()).filter(|&place| has_list(members[place])));
        if self.places.is_empty() {
            return;
        }
        self.asked.clear();
        self.asked.extend(self.places.iter().map(|&place| members[place]));
        let (places, asked) = (std::mem::take(&mut self.places), std::mem::take(&mut self.asked));
        self.panels.pack(points.dim, members.iter().map(|&member| points.codes(member)));
        let padded = self.panels.padded_rows();
        self.queries.resize(PANEL_QUERIES * points.dim, 0);
        self.products.resize(PANEL_QUERIES * padded, 0);
        self.scales.clear();
        self.scales.extend(members.iter().map(|&member| -2.0 * points.scale(member)));
        self.squares.clear();
        self.squares.extend(members.iter().map(|&member| points.square(member)));
        for (some, places) in asked.chunks(PANEL_QUERIES).zip(places.chunks(PANEL_QUERIES)) {
            products_of(points, some, &self.panels, &mut self.queries, &mut self.products);
            for (n, (&point, &place)) in some.iter().zip(places).enumerate() {
                // A point is not its own neighbor.
                self.squares[place] = f32::INFINITY;
                let mut list = lists[(point - first) as usize].lock();
                let limit = list.get(CANDIDATES - 1).map_or(f32::MAX, |worst| worst.distance());
                let query = (points.scale(point), points.square(point));
                self.nearest(points, n * padded..n * padded + members.len(), members, query, limit);
                self.squares[place] = points.square(point);
                list.extend_from_slice(&self.near);
                list.sort_unstable();
                list.dedup();
                list.truncate(CANDIDATES);
            }
        }
        (self.places, self.asked) = (places, asked);
    }

    /// Fills `near` with the nearest members, up to [`LEAF_CANDIDATES`], that are nearer than `limit`.
    fn nearest(
        &mut self,
        points: &Points,
        products: Range<usize>,
        members: &[u32],
        query: (f32, f32),
        mut limit: f32,
    ) {
        let products = &self.products[products];
        let runs = products
            .chunks(RUN)
            .zip(members.chunks(RUN))
            .zip(self.scales.chunks(RUN).zip(self.squares.chunks(RUN)));
        self.near.clear();
        for ((products, members), rows) in runs {
            self.pool.clear();
            points.kernels.keep_nearer(products, rows, query, limit, &mut self.pool);
            let met = |(distance, at): (f32, u32)| Met::new(distance, members[at as usize]);
            self.near.extend(self.pool.entries().map(met));
            if self.near.len() > LEAF_CANDIDATES {
                self.near.select_nth_unstable(LEAF_CANDIDATES - 1);
                self.near.truncate(LEAF_CANDIDATES);
                limit = limit.min(self.near[LEAF_CANDIDATES - 1].distance());
            }
        }
    }
}

/// Members looked at between two cuts of the list of the nearest: the limit falls with each.
const RUN: usize = 128;
