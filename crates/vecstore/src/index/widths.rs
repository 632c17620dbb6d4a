//! How far a search has to look for a recall: measured on the graph itself when it is built.

use rayon::prelude::*;
use vecstore_kernels::{Kernels, PANEL_QUERIES, Panels, QueryCodes};

use super::partition::products_of;
use super::points::Points;
use super::search::{Beam, GraphSource, Scratch, search, visits_max};
use super::space::Space;
use super::{DEGREE, Met, Random};
use crate::error::Result;

/// The recalls that slacks are stored for.
pub(crate) const RECALLS: [f32; 6] = [0.8, 0.9, 0.95, 0.98, 0.99, 0.995];

/// The slack for each of [`RECALLS`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Widths(pub(crate) [f32; RECALLS.len()]);

/// Rows that are searched for. The standard error of the recall is 0.4 points then.
const SAMPLES: usize = 1000;

/// Neighbors whose recall is measured. A search for fewer must look as far: the bound of a nearer result would end it too early.
pub(crate) const K: usize = 10;

/// Slacks are looked for in these steps.
const SLACKS: [f32; 15] =
    [-0.15, -0.1, -0.05, -0.02, 0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.13, 0.17, 0.22, 0.3, 0.5];

/// What is asked for beyond the recall wanted, for what a sample does not show.
const MARGIN: f32 = 0.003;

impl Widths {
    /// Returns the slack for a recall below 1.
    pub(crate) fn slack(&self, recall: f32) -> f32 {
        let after = RECALLS.partition_point(|&known| known < recall);
        let Some(&upper) = RECALLS.get(after) else {
            // Beyond what was measured each half of what is missing takes as much again as the last did.
            let (last, before) = (self.0[RECALLS.len() - 1], self.0[RECALLS.len() - 2]);
            let missing = 1.0 - RECALLS[RECALLS.len() - 1];
            let halvings = (missing / (1.0 - recall).max(1e-6)).log2();
            return last + halvings * (last - before).max(0.02);
        };
        if after == 0 {
            return self.0[0];
        }
        let lower = RECALLS[after - 1];
        let share = (recall - lower) / (upper - lower);
        self.0[after - 1] + share * (self.0[after] - self.0[after - 1])
    }
}

/// Measures the slacks on rows of the graph, each as a query; `None` if the codes do not tell the rows apart.
///
/// A query that is not in the graph finds more than one that is left out of the graph it is in, since the edges that
/// its neighbors have to it are lost; it finds less than one whose own edges may be used, since those lead to just
/// what it looks for. The mean of both is taken: on 62k embeddings it is within 0.7 points of what 1,000 queries that are
/// held out find, for recalls from .87 to .99 (left out: 2.5 points less; used: 4 more). `order` gives the point of each row of the graph, `vector` its query.
pub(crate) fn measure(
    graph: &(impl GraphSource + Sync),
    points: &Points,
    order: &[u32],
    kernels: Kernels,
    query: impl Fn(u32) -> Result<Vec<f32>> + Sync,
) -> Result<Option<Widths>> {
    let mut random = Random::new(SEED);
    let rows: Vec<u32> = (0..SAMPLES.min(order.len())).map(|_| random.below(order.len()) as u32).collect();
    let space = graph.space();
    let encode = |row: usize, point: &mut Vec<f32>| {
        space.point_of_query(kernels, &query(rows[row])?, point);
        Ok(())
    };
    let queries = Points::encode_each(kernels, graph.rotation(), rows.len(), encode)?;
    let square = |point| match space {
        Space::Dot { longest } => longest * longest,
        Space::Cosine | Space::Euclidean => points.square(point),
    };
    let mut truth = exact(points, order, &rows, &queries, &square);
    let sample = Sample { points, order, rows: &rows, queries: &queries, truth: &truth, square: &square };
    if !sample.is_told_apart() {
        return Ok(None);
    }
    // Where all neighbors are equal any search finds enough, which says nothing of queries that come from elsewhere.
    for list in &mut truth {
        if is_flat(list) {
            list.clear();
        }
    }
    if truth.iter().all(Vec::is_empty) {
        return Ok(Some(Widths([SLACKS[SLACKS.len() - 1]; RECALLS.len()])));
    }
    let sample = Sample { points, order, rows: &rows, queries: &queries, truth: &truth, square: &square };
    let mut widths = [SLACKS[SLACKS.len() - 1]; RECALLS.len()];
    let mut last = (f32::NEG_INFINITY, 0.0);
    let mut known = 0;
    for slack in SLACKS {
        let at = |through| sample.recall_at(graph, kernels, slack, through, &query);
        let recall = (at(false)? + at(true)?) / 2.0;
        while known < RECALLS.len() && recall >= (RECALLS[known] + MARGIN).min(1.0) {
            let wanted = (RECALLS[known] + MARGIN).min(1.0);
            let (before, recall_before): (f32, f32) = last;
            let share = (wanted - recall_before) / (recall - recall_before).max(1e-6);
            widths[known] = if before.is_finite() { before + share * (slack - before) } else { slack };
            known += 1;
        }
        if known == RECALLS.len() {
            break;
        }
        last = (slack, recall);
    }
    Ok(Some(Widths(widths)))
}

/// Returns whether all neighbors are as far.
fn is_flat(list: &[Met]) -> bool {
    list.first().map(|met| met.distance()) == list.last().map(|met| met.distance())
}

const SEED: u64 = 0x7769_6474_6800_0001;

/// Rows that are searched for, and what is nearest to them.
struct Sample<'a, S> {
    points: &'a Points,
    order: &'a [u32],
    rows: &'a [u32],
    queries: &'a Points,
    truth: &'a [Vec<Met>],
    square: &'a S,
}

impl<S: Fn(u32) -> f32 + Sync> Sample<'_, S> {
    fn recall_at(
        &self,
        graph: &(impl GraphSource + Sync),
        kernels: Kernels,
        slack: f32,
        through: bool,
        query: &(impl Fn(u32) -> Result<Vec<f32>> + Sync),
    ) -> Result<f32> {
        let beam = Beam { k: K, keep: 2 * K, slack, visits_max: visits_max(graph.len()) };
        let rows = self.rows.par_iter().zip(self.truth).enumerate();
        let found = rows.map_init(Scratch::default, |scratch, (number, (&row, truth))| -> Result<usize> {
            let skipped = (!through).then_some(row);
            let effort =
                search(graph, kernels, &query(row)?, beam, scratch, skipped, |other| Ok(other != row))?;
            if effort.gave_up {
                // A query would be answered by a scan.
                return Ok(truth.len());
            }
            // What the codes rank just outside is ranked on full vectors in queries, as it is not here: what was seen counts.
            let found = scratch.found.iter().map(|found| found.point);
            Ok(self.hits(number as u32, found, truth))
        });
        let found: usize = found.try_reduce(|| 0, |a, b| Ok(a + b))?;
        let wanted: usize = self.truth.iter().map(Vec::len).sum();
        Ok(found as f32 / wanted.max(1) as f32)
    }

    /// Returns whether the codes that the graph was built from tell rows apart, for most queries: they do not where all
    /// rows are far from the origin and near each other, or under dot where one row is very much longer than the others.
    fn is_told_apart(&self) -> bool {
        let told = (0..self.rows.len()).filter(|&query| self.is_told_apart_for(query)).count();
        2 * told > self.rows.len()
    }

    fn is_told_apart_for(&self, query: usize) -> bool {
        // Rounding to a unit of the codes is off by this, squared and on average; times twice the query's length, so is
        // the squared distance.
        const ROUNDING: f32 = 1.0 / 12.0;
        // Of noise the tenth of many lies about one error beyond the first, and ten at random within four.
        const CLEAR_OF_NEAR: f32 = 4.0;
        const CLEAR_OF_ALL: f32 = 20.0;
        let others: Vec<u32> = self.rows.iter().cycle().skip(query + 1).take(K).copied().collect();
        let distances = self.distances(query as u32, others.iter().copied());
        let farthest = distances.iter().fold(0.0f32, |far, &distance| far.max(distance));
        let nearest = distances.iter().fold(f32::INFINITY, |near, &distance| near.min(distance));
        let scale = self.points.scale(self.order[self.rows[query] as usize]);
        let error = 2.0 * self.queries.square(query as u32).sqrt() * scale * ROUNDING.sqrt();
        let list = &self.truth[query];
        let between = || list[list.len() - 1].distance() - list[0].distance();
        CLEAR_OF_ALL * error < farthest - nearest && (is_flat(list) || CLEAR_OF_NEAR * error < between())
    }

    /// Returns the squared distances of rows from a query, by the codes of the build.
    fn distances(&self, query: u32, rows: impl Iterator<Item = u32>) -> Vec<f32> {
        let mut codes = QueryCodes::default();
        codes.take_row(self.queries.codes(query));
        let rows: Vec<u32> = rows.map(|row| self.order[row as usize]).collect();
        let mut products = vec![0; rows.len()];
        self.points.products(&codes, &rows, &mut products);
        let distance =
            |(point, product)| distance(self.queries, query, self.points, point, product, self.square);
        rows.into_iter().zip(products).map(distance).collect()
    }

    /// Returns how many of the points found are as near as the truth: of points at the same distance any will do.
    fn hits(&self, query: u32, found: impl Iterator<Item = u32>, truth: &[Met]) -> usize {
        let Some(farthest) = truth.last() else { return 0 };
        let distances = self.distances(query, found);
        let near = distances.iter().filter(|&&distance| distance <= farthest.distance());
        near.count().min(truth.len())
    }
}

/// Returns the squared distance of a query and a point from the product of their codes.
fn distance(
    queries: &Points,
    query: u32,
    points: &Points,
    point: u32,
    product: i32,
    square: &impl Fn(u32) -> f32,
) -> f32 {
    let product = queries.scale(query) * points.scale(point) * product as f32;
    (queries.square(query) + square(point) - 2.0 * product).max(0.0)
}

/// Returns the nearest rows of each of `queries`, by the codes of the build, without the row that it is: under dot the
/// point of a query is another than that of the row. `square` gives the squared norm of a point.
fn exact(
    points: &Points,
    order: &[u32],
    rows: &[u32],
    queries: &Points,
    square: &(impl Fn(u32) -> f32 + Sync),
) -> Vec<Vec<Met>> {
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
                    let limit = list.get(K - 1).map_or(f32::INFINITY, |worst| worst.distance());
                    for (n, (&other, &product)) in some.iter().zip(products).enumerate() {
                        let distance = distance(queries, query, points, other, product, square);
                        let number = (run * RUN + n) as u32;
                        if distance <= limit && number != rows[query as usize] {
                            list.push(Met::new(distance, number));
                        }
                    }
                    list.sort_unstable();
                    list.truncate(K);
                }
            },
        );
    }
    nearest
}
