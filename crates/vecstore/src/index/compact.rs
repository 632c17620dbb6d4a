//! Searching a graph whose rows hold no blocks of their neighbors: less memory, more reads.
//!
//! A visit reads the 32 neighbors' numbers and scores those that were not met before, each by its own codes. So a point's
//! distance is known when it is met, not only when it is visited: it may become a result at once. Pool and rule of
//! stopping are those of [`super::search()`].

use std::cell::RefCell;

use vecstore_kernels::{CandidatePool, Kernels, NibbleQuery, Op, QueryCodes, Rotation};

use super::search::{Beam, Effort, Found, RowFactors};
use super::space::Space;
use super::visited::Visited;
use super::width::Nearest;
use crate::error::Result;

/// What the points of a compact graph are scored on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PointCodes {
    /// Rotated points in 4 bits a component.
    Nibbles,
    /// Vectors in 8 bits a component.
    Bytes,
    /// The vectors themselves.
    Full,
}

/// The codes of all points.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CodeRows<'a> {
    Nibbles(&'a [u8]),
    /// The codes, and for each row [`RowFactors`] as an array.
    Bytes(&'a [i8], &'a [[f32; 2]]),
    Full,
}

/// A compact graph, wherever it is kept.
pub(crate) trait CompactSource {
    fn len(&self) -> usize;
    fn space(&self) -> Space;
    fn rotation(&self) -> &Rotation;
    /// The points where searches start.
    fn entries(&self) -> Result<&[u32]>;
    /// The neighbors of a point.
    fn neighbors(&self, point: u32) -> Result<&[u32]>;
    /// Asks the processor for the neighbors of a point.
    fn prefetch(&self, kernels: Kernels, point: u32);
    /// The codes of all points, of which only those may be read that [`CompactSource::check`] was asked about.
    fn codes(&self) -> CodeRows<'_>;
    /// Checks that the codes of points are right.
    fn check(&self, points: &[u32]) -> Result<()>;
    /// The vector of a point, and the inverse of its norm where the space is of vectors of length 1.
    fn vector(&self, point: u32) -> Result<(&[f32], f32)>;
}

/// A query made ready for one kind of codes.
#[derive(Debug, Default)]
pub(crate) struct CompactQuery {
    point: Vec<f32>,
    rotated: Vec<f32>,
    nibbles: NibbleQuery,
    bytes: QueryCodes,
    dim: usize,
    square: f32,
    products: Vec<i32>,
}

impl CompactQuery {
    /// `vector` is as [`Space::point_of_query`] wants it.
    pub(crate) fn prepare(&mut self, graph: &impl CompactSource, kernels: Kernels, vector: &[f32]) {
        graph.space().point_of_query(kernels, vector, &mut self.point);
        // The component that a point has more than its vector is 0 in queries.
        self.dim = vector.len();
        match graph.codes() {
            CodeRows::Nibbles(_) => {
                self.rotated.resize(graph.rotation().rotated_dim(), 0.0);
                kernels.rotate(graph.rotation(), &self.point, &mut self.rotated);
                self.nibbles.encode(&self.rotated);
            }
            CodeRows::Bytes(..) => self.bytes = QueryCodes::new(&self.point[..self.dim]),
            CodeRows::Full => {}
        }
        let norm = kernels.norm(&self.point);
        self.square = norm * norm;
    }

    /// Fills in the squared distances of points.
    pub(crate) fn score(
        &mut self,
        graph: &impl CompactSource,
        kernels: Kernels,
        points: &[u32],
        out: &mut Vec<f32>,
    ) -> Result<()> {
        out.resize(points.len(), 0.0);
        match graph.codes() {
            CodeRows::Nibbles(rows) => {
                graph.check(points)?;
                kernels.score_nibbles(&self.nibbles, rows, points, out);
            }
            CodeRows::Bytes(codes, factors) => {
                graph.check(points)?;
                self.products.resize(points.len(), 0);
                kernels.gather_codes(&self.bytes, codes, points, &mut self.products);
                let unit = self.bytes.factors.scale;
                for ((out, &product), &point) in out.iter_mut().zip(&self.products).zip(points) {
                    let [square, factor] = factors[point as usize];
                    *out = (self.square + square + factor * unit * product as f32).max(0.0);
                }
            }
            CodeRows::Full => {
                let own = &self.point[..self.dim];
                for &point in points.iter().take(AHEAD_VECTORS) {
                    kernels.prefetch(graph.vector(point)?.0);
                }
                for (n, (&point, out)) in points.iter().zip(out).enumerate() {
                    if let Some(&next) = points.get(n + AHEAD_VECTORS) {
                        kernels.prefetch(graph.vector(next)?.0);
                    }
                    let (vector, inverse_norm) = graph.vector(point)?;
                    *out = match graph.space() {
                        Space::Euclidean => kernels.raw(Op::SquaredEuclidean, own, vector),
                        space => {
                            let RowFactors { square, factor } = space.factors_of_full(inverse_norm);
                            let product = kernels.raw(Op::Dot, own, vector);
                            (self.square + square + factor * product).max(0.0)
                        }
                    };
                }
            }
        }
        Ok(())
    }
}

/// Vectors ahead of the one being scored that are asked for.
const AHEAD_VECTORS: usize = 2;

/// What a filter said of points when they were met, so that it is not asked again when they are visited.
#[derive(Debug, Default)]
struct Answers {
    asked: Visited,
    wanted: Visited,
}

impl Answers {
    fn reserve(&mut self, count: usize) {
        self.asked.reserve(count);
        self.wanted.reserve(count);
    }

    fn note(&mut self, point: u32, is_wanted: bool) {
        self.asked.add(point);
        if is_wanted {
            self.wanted.add(point);
        }
    }

    fn of(&self, point: u32) -> Option<bool> {
        self.asked.contains(point).then(|| self.wanted.contains(point))
    }

    fn clear(&mut self) {
        self.asked.clear();
        self.wanted.clear();
    }
}

/// The memory of searches, kept from one to the next.
#[derive(Debug, Default)]
pub(crate) struct CompactScratch {
    query: CompactQuery,
    pool: CandidatePool,
    visited: Visited,
    answers: Answers,
    fresh: Vec<u32>,
    distances: Vec<f32>,
    nearest: Nearest,
    pub(crate) found: Vec<Found>,
}

thread_local! {
    static SCRATCH: RefCell<CompactScratch> = RefCell::default();
}

impl CompactScratch {
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
            self.found.pop();
        }
        let at = self.found.iter().rposition(|other| other.distance <= found.distance).map_or(0, |at| at + 1);
        self.found.insert(at, found);
    }
}

/// Fills `scratch.found` with the points nearest to a query, nearest first, of those that `wanted` says yes to.
///
/// `vector` is as [`Space::point_of_query`] wants it. `skip` is left out as if it did not exist.
pub(crate) fn search_compact(
    graph: &impl CompactSource,
    kernels: Kernels,
    vector: &[f32],
    beam: Beam,
    scratch: &mut CompactScratch,
    skip: Option<u32>,
    mut wanted: impl FnMut(u32) -> Result<bool>,
) -> Result<Effort> {
    scratch.found.clear();
    scratch.pool.clear();
    scratch.nearest.begin(beam.width);
    scratch.visited.clear();
    scratch.visited.reserve(graph.len());
    scratch.answers.clear();
    if beam.wanted.is_some() {
        scratch.answers.reserve(graph.len());
    }
    if let Some(skip) = skip {
        scratch.visited.add(skip);
    }
    scratch.query.prepare(graph, kernels, vector);
    let outcome = walk(graph, kernels, beam, scratch, &mut wanted);
    scratch.visited.clear();
    scratch.answers.clear();
    outcome
}

/// Candidates from which on those beyond the bound are thrown out: finding the nearest looks at all.
const THIN_CANDIDATES: usize = 256;

fn walk(
    graph: &impl CompactSource,
    kernels: Kernels,
    beam: Beam,
    scratch: &mut CompactScratch,
    wanted: &mut impl FnMut(u32) -> Result<bool>,
) -> Result<Effort> {
    let mut effort = Effort { error: f32::INFINITY, ..Effort::default() };
    let mut bound = f32::INFINITY;
    let mut thin_at = THIN_CANDIDATES;
    meet(graph, kernels, graph.entries()?, beam, scratch, &mut bound, &mut effort, wanted)?;
    while let Some((distance, point)) = kernels.pop_nearest(&mut scratch.pool) {
        if distance >= bound {
            break;
        }
        if effort.visits == beam.visits_max {
            effort.gave_up = true;
            break;
        }
        effort.visits += 1;
        let is_wanted = match beam.wanted {
            None => true,
            Some(_) => scratch.answers.of(point).map_or_else(|| wanted(point), Ok)?,
        };
        if is_wanted {
            scratch.nearest.note(distance);
            bound = bound.min(scratch.nearest.bound());
        }
        meet(graph, kernels, graph.neighbors(point)?, beam, scratch, &mut bound, &mut effort, wanted)?;
        if scratch.pool.len() > thin_at {
            kernels.retain_below(&mut scratch.pool, bound);
            thin_at = (2 * scratch.pool.len()).max(THIN_CANDIDATES);
        }
    }
    Ok(effort)
}

/// Scores those of some points that were not met before.
#[expect(clippy::too_many_arguments, reason = "the state of one walk, apart for the borrow checker")]
#[inline]
fn meet(
    graph: &impl CompactSource,
    kernels: Kernels,
    points: &[u32],
    beam: Beam,
    scratch: &mut CompactScratch,
    bound: &mut f32,
    effort: &mut Effort,
    wanted: &mut impl FnMut(u32) -> Result<bool>,
) -> Result<()> {
    scratch.fresh.clear();
    let count = graph.len();
    // A number beyond the last can only come from damage that a checksum did not see.
    let CompactScratch { visited, fresh, .. } = scratch;
    fresh.extend(
        points
            .iter()
            .copied()
            .filter(|&point| (point as usize) < count && beam.within.contains(point) && visited.add(point)),
    );
    effort.estimates += fresh.len();
    scratch.query.score(graph, kernels, &scratch.fresh, &mut scratch.distances)?;
    let mut least = f32::INFINITY;
    for n in 0..scratch.fresh.len() {
        let (distance, point) = (scratch.distances[n], scratch.fresh[n]);
        if distance >= *bound {
            continue;
        }
        let is_near = scratch.found.len() < beam.keep || distance < scratch.found[beam.keep - 1].distance;
        scratch.pool.push(distance, point);
        if distance < least {
            // Likely to be visited next.
            least = distance;
            graph.prefetch(kernels, point);
        }
        if !is_near {
            continue;
        }
        let is_wanted = wanted(point)?;
        if beam.wanted.is_some() {
            scratch.answers.note(point, is_wanted);
        }
        if is_wanted {
            scratch.keep(Found { distance, point }, beam.keep);
            if let Some(kth) = scratch.found.get(beam.k - 1) {
                *bound = bound.min(kth.distance * (1.0 + beam.slack) + f32::MIN_POSITIVE);
            }
        }
    }
    Ok(())
}
