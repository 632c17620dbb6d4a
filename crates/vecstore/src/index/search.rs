//! Searching a graph.
//!
//! A search keeps the candidates it has estimated and not visited in a pool. It visits the nearest: scores it on its
//! 8-bit codes, and estimates its 32 neighbors from one block. It ends when the nearest candidate is beyond
//! `(1 + slack)` of the distance of the k-th result: a query in a dense place looks no further than it has to, one in a
//! sparse place as far as it must (Al-Jazzazi et al., "Distance adaptive beam search", 2025). Where thousands are within that
//! distance it ends sooner, by how many were visited (`width.rs`). Candidates beyond are not even kept.
//!
//! Only wanted points become results; all are visited on the way. With a filter or deletes the k-th result is further
//! off, and the search goes on for longer by itself.

use std::cell::RefCell;
use std::ops::Range;

use vecstore_kernels::{Kernels, Rotation, SignQuery, sign_block_bytes};

use super::DEGREE;
use super::frontier::Frontier;
use super::space::Space;
use super::visited::Visited;
use super::width::Nearest;
use crate::error::Result;

/// What turns the product of codes into the squared distance of points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowFactors {
    pub(crate) square: f32,
    pub(crate) factor: f32,
}

/// A graph, wherever it is kept.
pub(crate) trait GraphSource {
    fn len(&self) -> usize;
    fn space(&self) -> Space;
    fn rotation(&self) -> &Rotation;
    /// The blocks of the points where searches start.
    fn entries(&self) -> Result<&[u8]>;
    /// The block of a point, and its factors.
    fn block(&self, point: u32) -> Result<(&[u8], RowFactors)>;
    /// The 8-bit codes of all points' vectors.
    fn codes(&self, point: u32) -> Result<&[i8]>;
    /// Asks the processor for what a visit of the point reads, but for the signs, and returns those, unchecked, to be
    /// asked for bit by bit. They are not to be read.
    fn prefetch(&self, kernels: Kernels, point: u32) -> &[u8];
    /// Asks the processor for the start of the vector of a point that will likely be scored on it: where it is takes the
    /// processor as long to find out as the rest.
    fn prefetch_vector(&self, kernels: Kernels, point: u32);
}

/// How far a search looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beam {
    /// Results whose distance decides when to stop.
    pub(crate) k: usize,
    /// Results to return at most, at least `k`.
    pub(crate) keep: usize,
    /// How much further than the k-th result candidates are still visited, as a share of its squared distance.
    pub(crate) slack: f32,
    /// How many of the nearest points visited it goes by; of those that are wanted, where not all are.
    pub(crate) width: usize,
    /// Which share of all points is wanted, and what to do where far fewer of those near the query are; `None` where all are.
    pub(crate) wanted: Option<Wanted>,
    /// Visits after which it gives up.
    pub(crate) visits_max: usize,
    /// The points that are visited.
    pub(crate) within: Within,
}

/// A range of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Within {
    first: u32,
    len: u32,
}

impl Within {
    pub(crate) const ALL: Self = Self { first: 0, len: u32::MAX };

    pub(crate) fn new(range: &Range<usize>) -> Self {
        Self { first: range.start as u32, len: range.len() as u32 }
    }

    #[inline]
    pub(crate) fn contains(self, point: u32) -> bool {
        point.wrapping_sub(self.first) < self.len
    }
}

/// What is known of the points that are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Their share of all.
    pub(crate) share: f32,
    /// Where they are elsewhere, to give up, since all of them are scored in less time than a detour takes.
    pub(crate) are_few: bool,
}

impl Wanted {
    /// Returns whether those visited near the query, of which so many were wanted, are of another kind than most.
    fn is_elsewhere(self, visits: usize, hits: usize) -> bool {
        /// Visits before which it may be chance.
        const VISITS_MIN: usize = 24;
        /// Of half as many as expected there is one chance in a hundred from then on, where a fifth is wanted.
        const HITS_SHARE: f32 = 0.5;
        visits >= VISITS_MIN && (hits as f32) < HITS_SHARE * self.share * visits as f32
    }
}

/// Returns the visits after which a search of so many points gives up: a scan of their codes takes no longer.
pub(crate) fn visits_max(points: usize) -> usize {
    const POINTS_PER_VISIT: usize = 20;
    const VISITS_MIN: usize = 1000;
    VISITS_MIN.max(points / POINTS_PER_VISIT)
}

/// A point found, with its approximate squared distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) distance: f32,
    pub(crate) point: u32,
}

/// What a search did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Effort {
    /// Points visited.
    pub(crate) visits: usize,
    /// Candidates estimated.
    pub(crate) estimates: usize,
    /// It gave up before it was done.
    pub(crate) gave_up: bool,
    /// The standard deviation of the approximate distances of what was found, at most.
    pub(crate) error: f32,
}

/// The memory of searches, kept from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    query: SignQuery,
    point: Vec<f32>,
    rotated: Vec<f32>,
    frontier: Frontier,
    /// Empty between searches.
    visited: Visited,
    nearest: Nearest,
    pub(crate) found: Vec<Found>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Scratch {
    /// Runs something with this thread's memory for searches.
    pub(crate) fn with<T>(run: impl FnOnce(&mut Self) -> T) -> T {
        SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
            Ok(mut scratch) => run(&mut scratch),
            // A filter that searches in turn: it gets memory of its own.
            Err(_) => run(&mut Self::default()),
        })
    }

    /// Adds a result where its distance belongs.
    #[inline]
    fn keep(&mut self, found: Found, keep: usize) {
        if self.found.len() == keep {
            if self.found[keep - 1].distance <= found.distance {
                return;
            }
            self.found.pop();
        }
        let at = self.found.iter().rposition(|other| other.distance <= found.distance).map_or(0, |at| at + 1);
        self.found.insert(at, found);
    }
}

/// Fills `scratch.found` with the points nearest to a query, nearest first, of those that `wanted` says yes to.
///
/// `vector` is as [`Space::point_of_query`] wants it. `skip` is left out as if it did not exist.
pub(crate) fn search(
    graph: &impl GraphSource,
    kernels: Kernels,
    vector: &[f32],
    beam: Beam,
    scratch: &mut Scratch,
    skip: Option<u32>,
    mut wanted: impl FnMut(u32) -> Result<bool>,
) -> Result<Effort> {
    scratch.found.clear();
    scratch.frontier.clear();
    scratch.nearest.begin(beam.width);
    scratch.visited.reserve(graph.len());
    if let Some(skip) = skip {
        scratch.visited.add(skip);
    }
    let outcome = walk(graph, kernels, vector, beam, scratch, &mut wanted);
    scratch.visited.clear();
    outcome
}

fn walk(
    graph: &impl GraphSource,
    kernels: Kernels,
    vector: &[f32],
    beam: Beam,
    scratch: &mut Scratch,
    wanted: &mut impl FnMut(u32) -> Result<bool>,
) -> Result<Effort> {
    let space = graph.space();
    space.point_of_query(kernels, vector, &mut scratch.point);
    scratch.rotated.resize(graph.rotation().rotated_dim(), 0.0);
    kernels.rotate(graph.rotation(), &scratch.point, &mut scratch.rotated);
    // Codes are of vectors; the component that a point has more than its vector is 0 in queries.
    let own = &scratch.point[..vector.len()];
    kernels.prepare(&mut scratch.query, own, &scratch.rotated);
    let square = scratch.query.squared_norm();
    let unit = scratch.query.codes().factors.scale;
    let mut effort = Effort::default();
    let mut start = f32::INFINITY;
    for block in graph.entries()?.chunks_exact(sign_block_bytes(scratch.query.dim())) {
        let before = scratch.frontier.near.len();
        kernels.estimate(&scratch.query, block, square, start, &mut scratch.frontier.near);
        effort.estimates += DEGREE;
        if beam.within != Within::ALL {
            scratch.frontier.near.remove_from(before, |point| !beam.within.contains(point));
        }
        // Estimates may be below zero.
        let nearest = kernels.nearest_distance(&scratch.frontier.near);
        start = start.min(nearest + START_SHARE * nearest.abs() + f32::MIN_POSITIVE);
    }
    kernels.retain_below(&mut scratch.frontier.near, start);
    let mut bound = f32::INFINITY;
    let (mut slack, mut is_detour, mut hits) = (beam.slack, false, 0);
    let mut thin_at = THIN_CANDIDATES;
    let mut widest = 0.0_f32;
    let mut next = nearest(kernels, scratch, graph.len(), bound);
    if let Some((_, point)) = next {
        kernels.prefetch(graph.prefetch(kernels, point));
    }
    while let Some((estimate, point)) = next {
        if estimate >= bound {
            break;
        }
        if effort.visits == beam.visits_max {
            effort.gave_up = true;
            break;
        }
        // The one after this is chosen before this one's neighbors are known, so that it is on its way meanwhile.
        next = nearest(kernels, scratch, graph.len(), bound);
        let ahead = next.map_or(&[][..], |(_, point)| graph.prefetch(kernels, point));
        effort.visits += 1;
        let (block, factors) = graph.block(point)?;
        let mut product = [0];
        kernels.scan_codes(scratch.query.codes(), graph.codes(point)?, &mut product);
        let distance = (square + factors.square + factors.factor * unit * product[0] as f32).max(0.0);
        let is_near = scratch.found.len() < beam.keep || distance < scratch.found[beam.keep - 1].distance;
        let is_wanted = (is_near || beam.wanted.is_some()) && wanted(point)?;
        hits += usize::from(is_wanted);
        if is_wanted || beam.wanted.is_none() {
            scratch.nearest.note(distance);
        }
        if is_near && is_wanted {
            widest = widest.max(factors.factor.abs());
            if scratch.found.get(beam.k - 1).is_none_or(|kth| distance < kth.distance) {
                graph.prefetch_vector(kernels, point);
            }
            scratch.keep(Found { distance, point }, beam.keep);
        }
        if !is_detour
            && let Some(expected) = beam.wanted
            && expected.is_elsewhere(effort.visits, hits)
        {
            if expected.are_few {
                effort.gave_up = true;
                break;
            }
            is_detour = true;
            slack += DETOUR_SLACK;
            put_back_unwanted(scratch, 0, graph.len(), wanted)?;
        }
        bound = scratch.nearest.bound();
        if let Some(kth) = scratch.found.get(beam.k - 1) {
            bound = bound.min(kth.distance * (1.0 + slack) + f32::MIN_POSITIVE);
        }
        let before = scratch.frontier.near.len();
        kernels.estimate_ahead(&scratch.query, block, distance, bound, &mut scratch.frontier.near, ahead);
        effort.estimates += DEGREE;
        // Near points are neighbors of each other. One that was visited would be the nearest candidate once for each.
        let Scratch { frontier, visited, .. } = scratch;
        let is_out = |point| visited.contains(point) || !beam.within.contains(point);
        frontier.near.remove_from(before, is_out);
        if is_detour {
            put_back_unwanted(scratch, before, graph.len(), wanted)?;
        }
        let Scratch { frontier, .. } = scratch;
        if frontier.near.len() > thin_at {
            kernels.retain_below(&mut frontier.near, bound);
            thin_at = frontier.near.len() + THIN_CANDIDATES;
        }
        if next.is_none() {
            next = nearest(kernels, scratch, graph.len(), bound);
        }
    }
    effort.error = widest * square.sqrt() * ROUNDING_DEVIATION;
    Ok(effort)
}

/// How much farther candidates that are not wanted count as on a detour, as a share of their squared distance: the walk goes by
/// those that are wanted, where there are any.
const DETOUR_SHARE: f32 = 1.0;

/// What is added to the slack of a walk on a detour, which comes by fewer ways. Of 62k rows of which half are wanted, none of
/// them near the query, it then finds .97 where .95 is asked for; .96 with 0.04, and 7 % sooner.
pub(crate) const DETOUR_SLACK: f32 = 0.06;

/// Puts back the candidates from the `start`th on that are not wanted.
fn put_back_unwanted(
    scratch: &mut Scratch,
    start: usize,
    count: usize,
    wanted: &mut impl FnMut(u32) -> Result<bool>,
) -> Result<()> {
    let mut failed = None;
    scratch.frontier.near.put_back_from(start, DETOUR_SHARE, |point| {
        // What cannot be a point is left out when its turn comes.
        (point as usize) < count
            && !wanted(point).unwrap_or_else(|error| {
                failed.get_or_insert(error);
                true
            })
    });
    failed.map_or(Ok(()), Err)
}

/// Candidates that are added before those beyond the bound are thrown out: finding the nearest looks at all.
const THIN_CANDIDATES: usize = 64;

/// The standard deviation of rounding to a whole number of units: the square root of 1/12.
pub(crate) const ROUNDING_DEVIATION: f32 = 0.288_675;

/// Starting points are further than the nearest by this share of its distance at most: the search comes by the others if
/// they matter.
const START_SHARE: f32 = 0.6;

/// Takes the nearest candidate that was not visited yet, and marks it.
#[inline]
fn nearest(kernels: Kernels, scratch: &mut Scratch, count: usize, bound: f32) -> Option<(f32, u32)> {
    loop {
        let (distance, point) = scratch.frontier.pop(kernels, bound)?;
        // A number beyond the last can only come from damage that a checksum did not see.
        if (point as usize) < count && scratch.visited.add(point) {
            return Some((distance, point));
        }
    }
}
