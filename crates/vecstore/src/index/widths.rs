//! How far a search has to look for a recall: measured on the graph itself when it is built.

use rayon::prelude::*;
use vecstore_kernels::{PANEL_QUERIES, Panels};

use super::partition::products_of;
use super::points::Points;
use super::search::{Beam, Found};
use super::{DEGREE, Met, Random};
use crate::error::Result;

/// The recalls that slacks are stored for.
pub(crate) const RECALLS: [f32; 6] = [0.8, 0.9, 0.95, 0.98, 0.99, 0.995];

/// The slack for each of [`RECALLS`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Widths(pub(crate) [f32; RECALLS.len()]);

/// Rows that are searched for. The standard error of the recall is 0.4 points then.
const SAMPLES: usize = 1000;

/// Neighbors whose recall is measured.
const K: usize = 10;

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

/// Measures the slacks on rows of the graph, each as a query.
///
/// A query that is not in the graph finds more than one that is left out of the graph it is in, since the edges that
/// its neighbors have to it are lost; it finds less than one whose own edges may be used, since those lead to just
/// what it looks for. The mean of both is taken: on 62k embeddings it is within 0.7 points of what 1,000 queries that are
/// held out find, for recalls from .87 to .99 (left out: 2.5 points less; used: 4 more). `order` gives the point of each
/// row of the graph, `keep` how many results are scored on full vectors for `k` at a recall. `find` searches for a row,
/// through it or not, and returns how many of its true neighbors it finds.
pub(super) fn measure(
    points: &Points,
    order: &[u32],
    keep: impl Fn(usize, f32) -> usize,
    find: impl Fn(Beam, u32, bool, &[u32]) -> Result<usize> + Sync,
) -> Result<Widths> {
    let mut random = Random::new(SEED);
    let rows: Vec<u32> = (0..SAMPLES.min(order.len())).map(|_| random.below(order.len()) as u32).collect();
    let truth = exact(points, order, &rows);
    let mut widths = [SLACKS[SLACKS.len() - 1]; RECALLS.len()];
    let mut known = 0;
    while known < RECALLS.len() {
        // Where more is kept, less of a walk does.
        let kept = keep(K, RECALLS[known]);
        let end = known + RECALLS[known..].iter().take_while(|&&recall| keep(K, recall) == kept).count();
        let mut last = (f32::NEG_INFINITY, 0.0);
        for slack in SLACKS {
            let beam = Beam { k: K, keep: kept, slack, visits_max: usize::MAX };
            let at = |through| recall_at(&rows, &truth, |row, truth| find(beam, row, through, truth));
            let recall = (at(false)? + at(true)?) / 2.0;
            while known < end && recall >= (RECALLS[known] + MARGIN).min(1.0) {
                let wanted = (RECALLS[known] + MARGIN).min(1.0);
                let (before, recall_before): (f32, f32) = last;
                let share = (wanted - recall_before) / (recall - recall_before).max(1e-6);
                widths[known] = if before.is_finite() { before + share * (slack - before) } else { slack };
                known += 1;
            }
            if known == end {
                break;
            }
            last = (slack, recall);
        }
        known = end;
    }
    Ok(Widths(widths))
}

const SEED: u64 = 0x7769_6474_6800_0001;

/// Returns how many of the true neighbors were found. What the codes rank just outside is ranked on full vectors in queries,
/// as it is not here: what was seen counts.
pub(super) fn hits(truth: &[u32], found: &[Found]) -> usize {
    truth.iter().filter(|&&point| found.iter().any(|found| found.point == point)).count()
}

fn recall_at(
    rows: &[u32],
    truth: &[Vec<u32>],
    find: impl Fn(u32, &[u32]) -> Result<usize> + Sync,
) -> Result<f32> {
    let found = rows.par_iter().zip(truth).map(|(&row, truth)| find(row, truth));
    let found: usize = found.try_reduce(|| 0, |a, b| Ok(a + b))?;
    let wanted: usize = truth.iter().map(Vec::len).sum();
    Ok(found as f32 / wanted.max(1) as f32)
}

/// Returns the nearest rows of each of `rows`, by the codes of the build, without itself.
fn exact(points: &Points, order: &[u32], rows: &[u32]) -> Vec<Vec<u32>> {
    const RUN: usize = 16 * DEGREE;
    let batches: Vec<&[u32]> = rows.chunks(PANEL_QUERIES).collect();
    let mut panels = Panels::default();
    let mut nearest: Vec<Vec<Met>> = vec![Vec::new(); rows.len()];
    for (run, some) in order.chunks(RUN).enumerate() {
        panels.pack(points.dim, some.iter().map(|&point| points.codes(point)));
        let padded = panels.padded_rows();
        let lists = nearest.par_chunks_mut(PANEL_QUERIES).zip(&batches);
        lists.for_each_init(
            || (vec![0; PANEL_QUERIES * points.dim], vec![0; PANEL_QUERIES * padded]),
            |(queries, products), (lists, batch)| {
                let of: Vec<u32> = batch.iter().map(|&row| order[row as usize]).collect();
                let products = products_of(points, &of, &panels, queries, products);
                let each = batch.iter().zip(of).zip(lists).zip(products.chunks_exact(padded));
                for (((&row, point), list), products) in each {
                    let limit = list.get(K - 1).map_or(f32::INFINITY, |worst| worst.distance());
                    for (n, (&other, &product)) in some.iter().zip(products).enumerate() {
                        let (distance, number) =
                            (points.distance(point, other, product), (run * RUN + n) as u32);
                        if distance <= limit && number != row {
                            list.push(Met::new(distance, number));
                        }
                    }
                    list.sort_unstable();
                    list.truncate(K);
                }
            },
        );
    }
    nearest.into_iter().map(|list| list.into_iter().map(Met::point).collect()).collect()
}
