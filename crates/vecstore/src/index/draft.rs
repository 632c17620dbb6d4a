//! A graph that is being written: its blocks are encoded when they are asked for.

use std::ops::Range;
use std::sync::OnceLock;

use rayon::prelude::*;
use vecstore_kernels::{Kernels, Rotation, sign_block_bytes};

use super::build::{BlockEncoder, Graph};
use super::layout::Layout;
use super::points::Points;
use super::search::{Beam, Effort, Found, GraphSource, RowFactors, Scratch, search};
use super::space::Space;
use super::widths::{self, Measured, Widths};
use crate::error::Result;

/// Bytes before the signs in the block of a row: the row's factors, and zeros up to a cache line.
pub(crate) const BLOCK_HEAD_BYTES: usize = 64;

/// Returns the bytes of the block of a row of vectors of `dim` components.
pub(crate) fn block_bytes(space: Space, dim: usize) -> usize {
    BLOCK_HEAD_BYTES + sign_block_bytes(Rotation::rotated_dim_of(space.point_dim(dim)))
}

/// A graph with the vectors it was built from.
pub(crate) struct Draft<'a> {
    kernels: Kernels,
    space: Space,
    rotation: Rotation,
    points: Points,
    graph: Graph,
    entries: Vec<u8>,
    vector: &'a (dyn Fn(usize) -> Result<&'a [f32]> + Sync),
}

impl<'a> Draft<'a> {
    /// `vector` gives the vectors by the numbers they have in `points`.
    pub(crate) fn new(
        space: Space,
        vector_dim: usize,
        points: Points,
        graph: Graph,
        vector: &'a (dyn Fn(usize) -> Result<&'a [f32]> + Sync),
    ) -> Self {
        let entries = graph.encode_entries(&points);
        let rotation = Rotation::new(space.point_dim(vector_dim));
        Self { kernels: points.kernels, space, rotation, points, graph, entries, vector }
    }

    pub(crate) fn space(&self) -> Space {
        self.space
    }

    /// Returns the rows' numbers before, in the order of the graph.
    pub(crate) fn order(&self) -> &[u32] {
        &self.graph.order
    }

    pub(crate) fn entries(&self) -> &[u8] {
        &self.entries
    }

    fn vector_of(&self, row: u32) -> Result<&[f32]> {
        (self.vector)(self.graph.order[row as usize] as usize)
    }

    /// Returns the blocks of rows, one after the other.
    pub(crate) fn blocks(&self, rows: Range<usize>) -> Result<Vec<u8>> {
        let bytes = BLOCK_HEAD_BYTES + sign_block_bytes(self.points.dim);
        let mut blocks = vec![0; rows.len() * bytes];
        blocks.par_chunks_mut(bytes).zip(rows).try_for_each_init(
            || (BlockEncoder::new(&self.points), Vec::new()),
            |(encoder, codes), (block, row)| {
                let factors = self.encode_row(row as u32, codes)?;
                let (head, signs) = block.split_at_mut(BLOCK_HEAD_BYTES);
                head[..4].copy_from_slice(&factors.square.to_le_bytes());
                head[4..8].copy_from_slice(&factors.factor.to_le_bytes());
                self.graph.encode_block(&self.points, row, encoder, signs);
                Ok(())
            },
        )?;
        Ok(blocks)
    }

    fn encode_row(&self, row: u32, codes: &mut Vec<i8>) -> Result<RowFactors> {
        let vector = self.vector_of(row)?;
        codes.resize(vector.len(), 0);
        let factors = self.kernels.encode(vector, codes);
        let (square, factor) = self.space.row_factors(factors.scale, factors.norm);
        Ok(RowFactors { square, factor })
    }

    /// Measures how far searches have to look; `None` if the graph is of no use.
    pub(crate) fn measure(&self) -> Result<Option<Widths>> {
        let source =
            Lazy { draft: self, rows: (0..self.graph.order.len()).map(|_| OnceLock::new()).collect() };
        widths::measure(&source, &self.points, &self.graph.order)
    }
}

/// Returns a vector as that of a query.
pub(super) fn query_of(space: Space, kernels: Kernels, vector: &[f32]) -> Vec<f32> {
    let norm = if space == Space::Cosine { kernels.norm(vector) } else { 1.0 };
    vector.iter().map(|value| value / norm).collect()
}

/// The rows of a draft that a search has come by.
struct Lazy<'d, 'a> {
    draft: &'d Draft<'a>,
    rows: Vec<OnceLock<Result<LazyRow>>>,
}

struct LazyRow {
    codes: Vec<i8>,
    factors: RowFactors,
    block: Vec<u8>,
}

impl Lazy<'_, '_> {
    fn row(&self, row: u32) -> Result<&LazyRow> {
        let encode = || {
            let draft = self.draft;
            let mut codes = Vec::new();
            let factors = draft.encode_row(row, &mut codes)?;
            let mut block = vec![0; sign_block_bytes(draft.points.dim)];
            let mut encoder = BlockEncoder::new(&draft.points);
            draft.graph.encode_block(&draft.points, row as usize, &mut encoder, &mut block);
            Ok(LazyRow { codes, factors, block })
        };
        self.rows[row as usize].get_or_init(encode).as_ref().map_err(crate::error::Error::duplicate)
    }
}

impl GraphSource for Lazy<'_, '_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn space(&self) -> Space {
        self.draft.space
    }

    fn rotation(&self) -> &Rotation {
        &self.draft.rotation
    }

    fn entries(&self) -> Result<&[u8]> {
        Ok(&self.draft.entries)
    }

    fn block(&self, row: u32) -> Result<(&[u8], RowFactors)> {
        let row = self.row(row)?;
        Ok((&row.block, row.factors))
    }

    fn codes(&self, row: u32) -> Result<&[i8]> {
        Ok(&self.row(row)?.codes)
    }

    fn prefetch(&self, _: Kernels, _: u32) -> &[u8] {
        &[]
    }

    fn prefetch_vector(&self, _: Kernels, _: u32) {}
}

impl Measured for Lazy<'_, '_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn layout(&self) -> Layout {
        Layout::Fast
    }

    fn space(&self) -> Space {
        self.draft.space
    }

    fn rotation(&self) -> &Rotation {
        &self.draft.rotation
    }

    fn query(&self, row: u32) -> Result<Vec<f32>> {
        Ok(query_of(self.draft.space, self.draft.kernels, self.draft.vector_of(row)?))
    }

    fn walk(&self, row: u32, through: bool, vector: &[f32], beam: Beam) -> Result<(Effort, Vec<Found>)> {
        let skip = (!through).then_some(row);
        Scratch::with(|scratch| {
            let effort =
                search(self, self.draft.kernels, vector, beam, scratch, skip, |other| Ok(other != row))?;
            Ok((effort, scratch.found.clone()))
        })
    }
}
