//! Signs of all rows of a segment with a graph, one row beside the other: for searches of which many rows match, and a walk
//! would not find those that do.

use vecstore_kernels::{Kernels, Rotation, SignRowQuery, sign_row_bytes};

use super::space::Space;
use crate::error::{Error, Result};
use crate::vfs::LargeMemory;

/// Rows whose mean is the centre.
const CENTRE_ROWS: usize = 4096;

/// The standard deviation of an estimate, as a share of the product of the query's distance from the centre and of the row's
/// factor (theorem 3.2 of RaBitQ, with the mean of 0.8 for the cosine of a rotated vector and its signs).
const ERROR_SHARE: f32 = 0.6;

/// Rows estimated before the next look at those that are near.
const RUN: usize = 512;

/// Signs of rows relative to their centre.
#[derive(Debug)]
pub(crate) struct SignRows {
    space: Space,
    rotation: Rotation,
    centre: Vec<f32>,
    memory: LargeMemory,
}

impl SignRows {
    /// Returns the bytes that `rows` rows take, of vectors of `dim` components.
    pub(crate) fn bytes_of(space: Space, dim: usize, rows: usize) -> usize {
        rows * sign_row_bytes(Rotation::rotated_dim_of(space.point_dim(dim)))
    }

    /// Encodes `rows` rows, at least one. `vector` fills in the vector of a row, which may lack some of its precision.
    pub(crate) fn encode(
        kernels: Kernels,
        space: Space,
        dim: usize,
        rows: usize,
        mut vector: impl FnMut(usize, &mut [f32]) -> Result<()>,
    ) -> Result<Self> {
        let rotation = Rotation::new(space.point_dim(dim));
        let rotated_dim = rotation.rotated_dim();
        let (mut own, mut point, mut rotated) = (vec![0.0; dim], Vec::new(), vec![0.0; rotated_dim]);
        let mut rotate = |row: usize, rotated: &mut [f32]| -> Result<()> {
            vector(row, &mut own)?;
            space.point_of_row(kernels, &own, &mut point);
            kernels.rotate(&rotation, &point, rotated);
            Ok(())
        };
        let mut sums = vec![0.0f64; rotated_dim];
        let step = rows.div_ceil(CENTRE_ROWS);
        let sampled = rows.div_ceil(step);
        for row in (0..rows).step_by(step) {
            rotate(row, &mut rotated)?;
            sums.iter_mut().zip(&rotated).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        let centre: Vec<f32> = sums.iter().map(|sum| (sum / sampled as f64) as f32).collect();
        let bytes = sign_row_bytes(rotated_dim);
        let mut memory = LargeMemory::new(rows * bytes)
            .map_err(|error| Error::io("reserve memory for", "signs".as_ref(), error))?;
        for (row, to) in memory.chunks_exact_mut(bytes).enumerate() {
            rotate(row, &mut rotated)?;
            kernels.encode_sign_row_alone(&centre, &rotated, to);
        }
        Ok(Self { space, rotation, centre, memory })
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory.len()
    }

    /// Returns the rows of some that are likely to be among the `wanted` nearest, with what `score` makes of them: squared
    /// distances that are nearer the truth. A row is passed over if it is more than `deviations` standard deviations of its
    /// estimate behind the last that is wanted.
    pub(crate) fn nearest(
        &self,
        kernels: Kernels,
        vector: &[f32],
        rows: &[u32],
        (wanted, deviations): (usize, f32),
        mut score: impl FnMut(&[u32], &mut Vec<(f32, u32)>) -> Result<()>,
    ) -> Result<Vec<(f32, u32)>> {
        let (mut point, mut rotated) = (Vec::new(), vec![0.0; self.rotation.rotated_dim()]);
        self.space.point_of_query(kernels, vector, &mut point);
        kernels.rotate(&self.rotation, &point, &mut rotated);
        let mut query = SignRowQuery::default();
        query.encode(&rotated);
        let base: f32 = rotated.iter().zip(&self.centre).map(|(a, b)| (a - b) * (a - b)).sum();
        let margin = deviations * ERROR_SHARE * base.sqrt();
        let mut estimates = [0.0; RUN];
        let (mut near, mut scored): (Vec<u32>, Vec<(f32, u32)>) = (Vec::new(), Vec::new());
        let mut best: Vec<f32> = Vec::with_capacity(2 * wanted + RUN);
        let mut bound = f32::INFINITY;
        for run in rows.chunks(RUN) {
            let estimates = &mut estimates[..run.len()];
            kernels.score_sign_rows(&query, &self.memory, run, base, margin, estimates);
            near.clear();
            if bound == f32::INFINITY {
                // The nearest few by their estimates first: what they are bounds the rest.
                let mut order: Vec<(f32, u32)> = estimates.iter().copied().zip(run.iter().copied()).collect();
                order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
                let (first, rest) = order.split_at(order.len().min(2 * wanted));
                near.extend(first.iter().map(|&(_, row)| row));
                take(&mut score, &near, wanted, &mut best, &mut bound, &mut scored)?;
                near.clear();
                near.extend(rest.iter().take_while(|&&(estimate, _)| estimate <= bound).map(|&(_, row)| row));
            } else {
                let kept = estimates.iter().zip(run).filter(|&(&estimate, _)| estimate <= bound);
                near.extend(kept.map(|(_, &row)| row));
            }
            if !near.is_empty() {
                take(&mut score, &near, wanted, &mut best, &mut bound, &mut scored)?;
            }
        }
        Ok(scored)
    }
}

/// Scores some rows, and lowers the bound to the distance of the last that is wanted.
fn take(
    score: &mut impl FnMut(&[u32], &mut Vec<(f32, u32)>) -> Result<()>,
    near: &[u32],
    wanted: usize,
    best: &mut Vec<f32>,
    bound: &mut f32,
    scored: &mut Vec<(f32, u32)>,
) -> Result<()> {
    let before = scored.len();
    score(near, scored)?;
    best.extend(scored[before..].iter().map(|&(distance, _)| distance).filter(|distance| distance < bound));
    if best.len() >= wanted {
        best.select_nth_unstable_by(wanted - 1, f32::total_cmp);
        best.truncate(wanted);
        *bound = best[wanted - 1];
    }
    Ok(())
}
