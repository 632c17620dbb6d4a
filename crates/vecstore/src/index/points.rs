//! The points of a segment to be, as a build holds them: rotated, in 8-bit codes.

use rayon::prelude::*;
use vecstore_kernels::{Kernels, QueryCodes, Rotation};

use super::space::Space;
use crate::error::Result;

/// Rotated points in 8-bit codes.
#[derive(Debug)]
pub(crate) struct Points {
    pub(super) kernels: Kernels,
    pub(super) dim: usize,
    codes: Vec<i8>,
    /// The value of a unit of each point's codes.
    scales: Vec<f32>,
    /// The squared norm of what the codes stand for.
    squares: Vec<f32>,
}

/// Points encoded in one go by a thread.
const RUN: usize = 1024;

impl Points {
    /// Encodes the points of `rows` vectors.
    pub(crate) fn encode<'a>(
        kernels: Kernels,
        space: Space,
        vector_dim: usize,
        rows: usize,
        vector: impl Fn(usize) -> Result<&'a [f32]> + Sync,
    ) -> Result<Self> {
        let rotation = Rotation::new(space.point_dim(vector_dim));
        Self::encode_each(kernels, &rotation, rows, |row, point| {
            space.point_of_row(kernels, vector(row)?, point);
            Ok(())
        })
    }

    /// Encodes `rows` points, which `write` writes.
    pub(super) fn encode_each(
        kernels: Kernels,
        rotation: &Rotation,
        rows: usize,
        write: impl Fn(usize, &mut Vec<f32>) -> Result<()> + Sync,
    ) -> Result<Self> {
        let dim = rotation.rotated_dim();
        let (mut codes, mut scales, mut squares) = (vec![0; rows * dim], vec![0.0; rows], vec![0.0; rows]);
        let runs =
            codes.par_chunks_mut(RUN * dim).zip(scales.par_chunks_mut(RUN)).zip(squares.par_chunks_mut(RUN));
        runs.enumerate().try_for_each_init(
            || (Vec::new(), vec![0.0; dim]),
            |(point, rotated), (run, ((codes, scales), squares))| -> Result<()> {
                let rows = codes.chunks_exact_mut(dim).zip(scales).zip(squares);
                for (n, ((codes, scale), square)) in rows.enumerate() {
                    write(run * RUN + n, point)?;
                    kernels.rotate(rotation, point, rotated);
                    *scale = kernels.encode(rotated, codes).scale;
                    let sum: i64 = codes.iter().map(|&code| i64::from(code) * i64::from(code)).sum();
                    *square = sum as f32 * *scale * *scale;
                }
                Ok(())
            },
        )?;
        Ok(Self { kernels, dim, codes, scales, squares })
    }

    /// Returns the bytes of memory that a point takes, of vectors of `dim` components.
    pub(super) fn row_bytes(dim: usize) -> usize {
        dim.next_multiple_of(64) + 2 * size_of::<f32>()
    }

    pub(crate) fn len(&self) -> usize {
        self.scales.len()
    }

    pub(super) fn codes(&self, point: u32) -> &[i8] {
        &self.codes[point as usize * self.dim..][..self.dim]
    }

    pub(super) fn scale(&self, point: u32) -> f32 {
        self.scales[point as usize]
    }

    pub(super) fn square(&self, point: u32) -> f32 {
        self.squares[point as usize]
    }

    /// Returns the squared distance of two points from the product of their codes.
    pub(super) fn distance(&self, a: u32, b: u32, product: i32) -> f32 {
        let product = self.scale(a) * self.scale(b) * product as f32;
        (self.square(a) + self.square(b) - 2.0 * product).max(0.0)
    }

    /// Fills in the products of codes with those of points.
    pub(super) fn products(&self, query: &QueryCodes, points: &[u32], products: &mut [i32]) {
        self.kernels.gather_codes(query, &self.codes, points, products);
    }

    /// Fills in the squared distances of a point to others. `query` and `products` are scratch.
    pub(super) fn distances(
        &self,
        from: u32,
        query: &QueryCodes,
        to: &[u32],
        products: &mut Vec<i32>,
        out: &mut Vec<f32>,
    ) {
        products.resize(to.len(), 0);
        self.products(query, to, products);
        out.clear();
        out.extend(to.iter().zip(&*products).map(|(&to, &product)| self.distance(from, to, product)));
    }

    /// Returns what the codes of a point stand for, rotated.
    pub(crate) fn decode(&self, point: u32, out: &mut [f32]) {
        let scale = self.scale(point);
        for (out, &code) in out.iter_mut().zip(self.codes(point)) {
            *out = f32::from(code) * scale;
        }
    }
}
