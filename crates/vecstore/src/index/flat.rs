//! Signs of all rows of a part without a graph: few or young rows, which are scanned.

use std::ops::Range;
use std::sync::OnceLock;

use vecstore_kernels::{CandidatePool, Kernels, Rotation, SIGN_ROWS, SignQuery, sign_block_bytes};

use super::space::Space;
use crate::error::Result;

/// Blocks of signs of consecutive rows, relative to the origin.
#[derive(Debug)]
pub(crate) struct FlatSigns {
    space: Space,
    rotation: Rotation,
    blocks: Vec<u8>,
    rows: usize,
    /// The length of the longest point.
    longest: f32,
}

/// How far an estimate from one bit a component is off, as a share of the product of the norms and of
/// the square root of the dimension: the standard deviation in theorem 3.2 of RaBitQ, with the mean of 0.8 for the
/// cosine of a rotated vector and its signs.
const ERROR_SHARE: f32 = 2.0 * 0.75;

impl FlatSigns {
    /// Encodes the vectors of `rows` rows.
    pub(crate) fn encode<'a>(
        kernels: Kernels,
        space: Space,
        vector_dim: usize,
        rows: usize,
        vector: impl Fn(usize) -> Result<&'a [f32]>,
    ) -> Result<Self> {
        let rotation = Rotation::new(space.point_dim(vector_dim));
        let dim = rotation.rotated_dim();
        let (origin, mut rotated, mut signs) = (vec![0.0; dim], vec![0.0; dim], vec![0; dim]);
        let block_bytes = sign_block_bytes(dim);
        let mut blocks = vec![0; rows.div_ceil(SIGN_ROWS) * block_bytes];
        let (mut point, mut longest) = (Vec::new(), 0.0f32);
        for row in 0..rows {
            space.point_of_row(kernels, vector(row)?, &mut point);
            longest = longest.max(kernels.norm(&point));
            kernels.rotate(&rotation, &point, &mut rotated);
            let block = &mut blocks[row / SIGN_ROWS * block_bytes..][..block_bytes];
            kernels.encode_sign_row(&origin, &rotated, row % SIGN_ROWS, row as u32, &mut signs, block);
        }
        Ok(Self { space, rotation, blocks, rows, longest })
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.blocks.len()
    }

    /// Makes a query ready for [`FlatSigns::estimate`]. Does nothing if it is: the signs of most parts are of one space.
    pub(crate) fn prepare(&self, kernels: Kernels, vector: &[f32], query: &mut FlatQuery) {
        if query.ready_for.replace(self.space) == Some(self.space) {
            return;
        }
        self.space.point_of_query(kernels, vector, &mut query.point);
        query.rotated.resize(self.rotation.rotated_dim(), 0.0);
        kernels.rotate(&self.rotation, &query.point, &mut query.rotated);
        kernels.prepare(&mut query.query, &query.point[..vector.len()], &query.rotated);
    }

    /// Returns the standard deviation of the estimates for a query.
    pub(crate) fn deviation(&self, query: &FlatQuery) -> f32 {
        let norm = query.query.squared_norm().sqrt();
        ERROR_SHARE * norm * self.longest / (self.rotation.rotated_dim() as f32).sqrt()
    }

    /// Returns the squared distance of points that a key of the metric stands for.
    pub(crate) fn distance_of_key(&self, query: &FlatQuery, query_norm: f32, key: f32) -> f32 {
        let square = query.query.squared_norm();
        match self.space {
            Space::Cosine => square + 1.0 + 2.0 * key,
            Space::Euclidean => key,
            // The key is minus the product with the query as it came, not as long as the longest row.
            Space::Dot { longest } => {
                let factor = if query_norm > 0.0 { longest / query_norm } else { 0.0 };
                square + longest * longest + 2.0 * key * factor
            }
        }
    }

    /// Adds those of `rows` whose estimated squared distance is below `bound` to `pool`.
    pub(crate) fn estimate(
        &self,
        kernels: Kernels,
        query: &FlatQuery,
        rows: &Range<usize>,
        bound: f32,
        pool: &mut CandidatePool,
    ) {
        let block_bytes = sign_block_bytes(self.rotation.rotated_dim());
        let square = query.query.squared_norm();
        let first = rows.start / SIGN_ROWS;
        let last = rows.end.min(self.rows).div_ceil(SIGN_ROWS);
        for (n, block) in self.blocks.chunks_exact(block_bytes).enumerate().take(last).skip(first) {
            let before = pool.len();
            let next = self.blocks.get((n + 1) * block_bytes..).unwrap_or_default();
            kernels.estimate_ahead(&query.query, block, square, bound, pool, next);
            let own = n * SIGN_ROWS..(n + 1) * SIGN_ROWS;
            if own.start < rows.start || own.end > rows.end.min(self.rows) {
                // The last block has places without a row, all of which say row 0.
                let asked = own.start.max(rows.start)..own.end.min(rows.end);
                pool.remove_from(before, |id| !asked.contains(&(id as usize)));
            }
        }
    }
}

/// Some rows of a part, which have signs.
#[derive(Clone, Debug)]
pub(crate) struct SignStretch<'a> {
    pub(crate) signs: &'a FlatSigns,
    /// The row of the part that is the first of the signs.
    pub(crate) first: u32,
    /// The rows, as the signs number them.
    pub(crate) rows: Range<usize>,
}

impl<'a> SignStretch<'a> {
    /// Returns all rows that have signs, which are all of the part.
    pub(crate) fn whole(signs: &'a FlatSigns) -> Self {
        Self { signs, first: 0, rows: 0..signs.rows }
    }
}

/// The signs of runs of rows, each made when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct SignRuns(OnceLock<Box<[SignRun]>>);

/// The signs of a run of rows; `None` if they cannot have them.
type SignRun = OnceLock<Option<Box<FlatSigns>>>;

/// Rows of a run: encoding them takes about a millisecond.
const RUN_ROWS: usize = 1024;

impl SignRuns {
    /// Returns the signs of some rows of a part that has so many; `None` if some cannot have them. `encode` makes those of
    /// a run.
    pub(crate) fn get(
        &self,
        part_rows: usize,
        rows: &Range<usize>,
        encode: impl Fn(&Range<usize>) -> Result<Option<FlatSigns>>,
    ) -> Result<Option<Vec<SignStretch<'_>>>> {
        let runs =
            self.0.get_or_init(|| (0..part_rows.div_ceil(RUN_ROWS)).map(|_| OnceLock::new()).collect());
        let mut stretches = Vec::with_capacity(rows.len() / RUN_ROWS + 2);
        let asked = rows.start / RUN_ROWS..rows.end.div_ceil(RUN_ROWS);
        for (n, place) in runs.iter().enumerate().take(asked.end).skip(asked.start) {
            let run = n * RUN_ROWS..part_rows.min((n + 1) * RUN_ROWS);
            if place.get().is_none() {
                // Another thread may make the same.
                _ = place.set(encode(&run)?.map(Box::new));
            }
            let Some(Some(signs)) = place.get() else { return Ok(None) };
            let asked = rows.start.max(run.start) - run.start..rows.end.min(run.end) - run.start;
            stretches.push(SignStretch { signs, first: run.start as u32, rows: asked });
        }
        Ok(Some(stretches))
    }
}

/// One query for flat signs of vectors of one dimension, and its memory.
#[derive(Debug, Default)]
pub(crate) struct FlatQuery {
    /// The space whose signs it is ready for.
    ready_for: Option<Space>,
    query: SignQuery,
    point: Vec<f32>,
    rotated: Vec<f32>,
}
