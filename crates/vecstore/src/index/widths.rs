//! How far a search has to look for a recall: measured on the graph itself when it is built.

use rayon::prelude::*;
use vecstore_kernels::{Kernels, Op, PANEL_QUERIES, Panels, Rotation};

use super::layout::Layout;
use super::partition::products_of;
use super::points::Points;
use super::rerank::reranked;
use super::search::{Beam, Effort, Found, Within, visits_max};
use super::space::Space;
use super::width::width;
use super::{DEGREE, Met, Random};
use crate::error::Result;

/// The recalls that slacks are stored for.
pub(crate) const RECALLS: [f32; 6] = [0.8, 0.9, 0.95, 0.98, 0.99, 0.995];

/// The slack of a recall for which a scan takes no longer than a walk.
pub(crate) const SCAN: f32 = f32::MAX;

/// The slack for each of [`RECALLS`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Widths(pub(crate) [f32; RECALLS.len()]);

/// Rows that are searched for. The standard error of the recall is 0.3 points then.
const SAMPLES: usize = 2000;

/// Neighbors whose recall is measured. A search for fewer must look as far: the bound of a nearer result would end it too
/// early.
pub(crate) const K: usize = 10;

/// Slacks are looked for in these steps.
const SLACKS: [f32; 16] =
    [-0.15, -0.1, -0.05, -0.02, 0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.13, 0.17, 0.22, 0.3, 0.4, 0.5];

/// What is asked for beyond the recall wanted, for what a sample does not show: a share of what may be missed, and at most.
const MARGIN_SHARE: f32 = 0.15;
const MARGIN_MAX: f32 = 0.01;

/// Weight of walks that leave the row out, in the geometric mean of what they miss and what walks through it do.
const LEFT_OUT_WEIGHT: f32 = 0.65;
/// Under dot, queries are less like rows.
const LEFT_OUT_WEIGHT_DOT: f32 = 0.85;

impl Widths {
    /// Returns the slack for a recall below 1.
    pub(crate) fn slack(&self, recall: f32) -> f32 {
        let after = RECALLS.partition_point(|&known| known < recall);
        let Some(&upper) = RECALLS.get(after) else {
            // Beyond what was measured each half of what is missing takes as much again as the last did.
            let (last, before) = (self.0[RECALLS.len() - 1], self.0[RECALLS.len() - 2]);
            let missing = 1.0 - RECALLS[RECALLS.len() - 1];
            if last == SCAN {
                return SCAN;
            }
            let halvings = (missing / (1.0 - recall).max(1e-6)).log2();
            return last + halvings * (last - before).max(0.02);
        };
        if after == 0 {
            return self.0[0];
        }
        if self.0[after] == SCAN {
            return SCAN;
        }
        let lower = RECALLS[after - 1];
        let share = (recall - lower) / (upper - lower);
        self.0[after - 1] + share * (self.0[after] - self.0[after - 1])
    }
}

/// Measures the slacks on rows of the graph, each as a query.
///
/// A query that is not in the graph finds more than one that is left out of the graph it is in, since the edges that
/// its neighbors have to it are lost; it finds less than one whose own edges may be used, since those lead to just
/// what it looks for. Of what the two miss a geometric mean is taken ([`expected`]). `None` where many rows are equal,
/// or codes do not tell near rows from farther ones: such rows are scanned. `order` gives the point of each row of the
/// graph.
pub(super) fn measure(graph: &impl Measured, points: &Points, order: &[u32]) -> Result<Option<Widths>> {
    let mut random = Random::new(SEED);
    let rows: Vec<u32> = (0..SAMPLES.min(order.len())).map(|_| random.below(order.len()) as u32).collect();
    let sample = Sample { graph, kernels: points.kernels, rows, reach: Vec::new() };
    let reach = sample.reach(points, order)?;
    // Where all neighbors are equally near any walk finds enough, which says nothing of queries that come from elsewhere.
    let apart: Vec<(u32, Reach)> =
        sample.rows.iter().copied().zip(reach).filter(|(_, reach)| reach.first < reach.last).collect();
    // Rows that are in the segment ten times over have no neighbors but each other: few edges lead from one group to the next.
    let are_many_equal = 5 * apart.len() < 4 * sample.rows.len();
    if are_many_equal || 2 * apart.iter().filter(|(_, reach)| reach.is_told()).count() <= apart.len() {
        return Ok(None);
    }
    let (rows, reach) = apart.into_iter().map(|(row, reach)| (row, reach.last)).unzip();
    let sample = Sample { rows, reach, ..sample };
    let mut widths = [None; RECALLS.len()];
    let mut before: Option<(f32, [f32; RECALLS.len()])> = None;
    for slack in SLACKS {
        let (left_out, visits) = sample.recalls(slack, false)?;
        let (through, _) = sample.recalls(slack, true)?;
        // From here on walks take as long as scans.
        if visits > visits_max(order.len()) / 2 {
            break;
        }
        let recalls = std::array::from_fn(|n| expected(graph.space(), left_out[n], through[n]));
        for (n, width) in widths.iter_mut().enumerate().filter(|(_, width)| width.is_none()) {
            let wanted = RECALLS[n] + (MARGIN_SHARE * (1.0 - RECALLS[n])).min(MARGIN_MAX);
            if recalls[n] < wanted {
                continue;
            }
            *width = Some(match before {
                Some((slack_before, recalls_before)) => {
                    let share = (wanted - recalls_before[n]) / (recalls[n] - recalls_before[n]).max(1e-6);
                    slack_before + share * (slack - slack_before)
                }
                None => slack,
            });
        }
        if widths.iter().all(Option::is_some) {
            break;
        }
        before = Some((slack, recalls));
    }
    Ok(Some(Widths(widths.map(|width| width.unwrap_or(SCAN)))))
}

/// Returns the recall to expect of queries that are not in the graph, of which walks that leave the row out and walks through
/// it found these. On 62k embeddings 1,000 held-out queries then find at most a point more than they ask for, from .80 to .995,
/// and less by half a point at most. (The arithmetic mean misses twice too much there: 30 % more visits for .99.)
fn expected(space: Space, left_out: f32, through: f32) -> f32 {
    let weight = match space {
        Space::Cosine | Space::Euclidean => LEFT_OUT_WEIGHT,
        Space::Dot { .. } => LEFT_OUT_WEIGHT_DOT,
    };
    let missed = (1.0 - left_out).powf(weight) * (1.0 - through).powf(1.0 - weight);
    1.0 - missed
}

/// A graph that widths are measured on.
pub(super) trait Measured: Sync {
    fn len(&self) -> usize;
    fn layout(&self) -> Layout;
    fn space(&self) -> Space;
    fn rotation(&self) -> &Rotation;
    /// Returns the vector of a row as that of a query.
    fn query(&self, row: u32) -> Result<Vec<f32>>;
    /// Searches for the vector of a row as queries do, through the row or as if it did not exist. Returns what it found,
    /// without the row, nearest first.
    fn walk(&self, row: u32, through: bool, vector: &[f32], beam: Beam) -> Result<(Effort, Vec<Found>)>;
}

const SEED: u64 = 0x7769_6474_6800_0001;

/// Rows that stand for queries.
struct Sample<'g, G> {
    graph: &'g G,
    kernels: Kernels,
    rows: Vec<u32>,
    /// The squared distance of the [`K`]th neighbor of each.
    reach: Vec<f32>,
}

impl<G: Measured> Sample<'_, G> {
    /// Returns the recall of walks with a slack, each of [`RECALLS`] with as many results as are scored on full vectors for
    /// it, and the visits on average.
    fn recalls(&self, slack: f32, through: bool) -> Result<([f32; RECALLS.len()], usize)> {
        let kept = RECALLS.map(|recall| reranked(self.graph.layout(), K, recall));
        let keep = kept.into_iter().max().unwrap_or(K);
        let visits_max = visits_max(self.graph.len());
        let width = width(slack, K);
        let beam = Beam { k: K, keep, slack, width, wanted: None, visits_max, within: Within::ALL };
        type Counts = ([usize; RECALLS.len()], usize);
        let found = self.rows.par_iter().zip(&self.reach).map(|(&row, &reach)| -> Result<Counts> {
            let (effort, found) = self.graph.walk(row, through, &self.graph.query(row)?, beam)?;
            if effort.gave_up {
                // A query would be answered by a scan.
                return Ok(([K; RECALLS.len()], effort.visits));
            }
            let mut near = [0; RECALLS.len()];
            for (n, found) in found.iter().enumerate() {
                // By distance, not by number: of many equal rows any will do.
                if self.distance(row, found.point)? <= reach {
                    for (near, _) in near.iter_mut().zip(kept).filter(|&(_, kept)| n < kept) {
                        *near += 1;
                    }
                }
            }
            Ok((near.map(|near| near.min(K)), effort.visits))
        });
        let none = || ([0; RECALLS.len()], 0);
        let (found, visits) =
            found.try_reduce(none, |a, b| Ok((std::array::from_fn(|n| a.0[n] + b.0[n]), a.1 + b.1)))?;
        let rows = self.rows.len().max(1);
        Ok((found.map(|found| found as f32 / (K * rows) as f32), visits / rows))
    }

    /// Returns the squared distance of the point of a row as a query and that of a row.
    fn distance(&self, a: u32, b: u32) -> Result<f32> {
        let space = self.graph.space();
        let (mut from, mut to) = (Vec::new(), Vec::new());
        space.point_of_query(self.kernels, &self.graph.query(a)?, &mut from);
        space.point_of_row(self.kernels, &self.graph.query(b)?, &mut to);
        Ok(self.kernels.raw(Op::SquaredEuclidean, &from, &to))
    }

    /// Returns how far the neighbors of each row are, found by comparing codes with all rows.
    fn reach(&self, points: &Points, order: &[u32]) -> Result<Vec<Reach>> {
        let space = self.graph.space();
        let encode = |row: usize, point: &mut Vec<f32>| {
            space.point_of_query(self.kernels, &self.graph.query(self.rows[row])?, point);
            Ok(())
        };
        // Under dot the point of a query is another than that of the row.
        let queries = Points::encode_each(self.kernels, self.graph.rotation(), self.rows.len(), encode)?;
        let square = |point| match space {
            Space::Dot { longest } => longest * longest,
            Space::Cosine | Space::Euclidean => points.square(point),
        };
        let near = nearest_by_codes(points, order, &self.rows, &queries, square);
        let numbered = self.rows.par_iter().zip(near).enumerate();
        let reach = numbered.map(|(query, (&row, near))| -> Result<Reach> {
            let scale = near.first().map_or(0.0, |&near| points.scale(order[near as usize]));
            let mut distances: Vec<f32> =
                near.into_iter().map(|other| self.distance(row, other)).collect::<Result<_>>()?;
            distances.sort_unstable_by(f32::total_cmp);
            let last = distances.get(K - 1).or(distances.last()).copied().unwrap_or(f32::INFINITY);
            Ok(Reach {
                // Distances that differ by rounding are the same.
                first: distances.first().map_or(0.0, |first| first * (1.0 + 1e-4)),
                last: last * (1.0 + 1e-5),
                error: 2.0 * queries.square(query as u32).sqrt() * scale * ROUNDING.sqrt(),
            })
        });
        reach.collect()
    }
}

/// How far the neighbors of a row are.
#[derive(Clone, Copy, Debug)]
struct Reach {
    /// The squared distances of the first and of the [`K`]th.
    first: f32,
    last: f32,
    /// How far off distances by codes are.
    error: f32,
}

/// The variance of rounding to a whole number of units.
const ROUNDING: f32 = 1.0 / 12.0;

impl Reach {
    /// Returns whether codes tell near neighbors from farther ones: were distances noise alone, the tenth would lie about
    /// one error beyond the first.
    fn is_told(&self) -> bool {
        const CLEAR: f32 = 4.0;
        CLEAR * self.error < self.last - self.first
    }
}

/// Neighbors by codes among which the nearest are looked for.
const NEAR: usize = 2 * K;

/// Returns the rows nearest to each of `queries` by the codes of the build, without the row that it is. `square` gives
/// the squared norm of a point.
fn nearest_by_codes(
    points: &Points,
    order: &[u32],
    rows: &[u32],
    queries: &Points,
    square: impl Fn(u32) -> f32 + Sync,
) -> Vec<Vec<u32>> {
    const RUN: usize = 16 * DEGREE;
    let numbers: Vec<u32> = (0..rows.len() as u32).collect();
    let batches: Vec<&[u32]> = numbers.chunks(PANEL_QUERIES).collect();
    let mut panels = Panels::default();
    let mut nearest: Vec<Vec<Met>> = vec![Vec::new(); rows.len()];
    for (run, some) in order.chunks(RUN).enumerate() {
        panels.pack(points.dim, some.iter().map(|&point| points.codes(point)));
        let padded = panels.padded_rows();
        let lists = nearest.par_chunks_mut(PANEL_QUERIES).zip(&batches);
        lists.for_each_init(
            || (vec![0; PANEL_QUERIES * points.dim], vec![0; PANEL_QUERIES * padded]),
            |(codes, products), (lists, batch)| {
                let products = products_of(queries, batch, &panels, codes, products);
                let each = batch.iter().zip(lists).zip(products.chunks_exact(padded));
                for ((&query, list), products) in each {
                    let limit = list.get(NEAR - 1).map_or(f32::INFINITY, |worst| worst.distance());
                    for (n, (&other, &product)) in some.iter().zip(products).enumerate() {
                        let product = queries.scale(query) * points.scale(other) * product as f32;
                        let distance = (queries.square(query) + square(other) - 2.0 * product).max(0.0);
                        let number = (run * RUN + n) as u32;
                        if distance <= limit && number != rows[query as usize] {
                            list.push(Met::new(distance, number));
                        }
                    }
                    list.sort_unstable();
                    list.truncate(NEAR);
                }
            },
        );
    }
    nearest.into_iter().map(|list| list.into_iter().map(Met::point).collect()).collect()
}
