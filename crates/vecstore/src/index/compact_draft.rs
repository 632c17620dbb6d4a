//! A compact graph that is being written.

use rayon::prelude::*;
use vecstore_kernels::{Kernels, Rotation, nibble_row_bytes};

use super::DEGREE;
use super::build::{Graph, kept_starts, starts};
use super::compact::{CodeRows, CompactScratch, CompactSource, PointCodes, search_compact};
use super::draft::query_of;
use super::layout::Layout;
use super::points::Points;
use super::search::{Beam, Effort, Found, RowFactors};
use super::space::Space;
use super::widths::{self, Measured, Widths};
use crate::error::{Error, Result};

/// Rows encoded in one go by a thread.
const RUN: usize = 256;

type VectorOf<'a> = dyn Fn(usize) -> Result<&'a [f32]> + Sync + 'a;

/// A compact graph with the vectors it was built from, and with their codes.
pub(crate) struct CompactDraft<'a> {
    kernels: Kernels,
    space: Space,
    rotation: Rotation,
    points: Points,
    graph: Graph,
    entries: Vec<u32>,
    codes: PointCodes,
    nibbles: Vec<u8>,
    bytes: Vec<i8>,
    factors: Vec<[f32; 2]>,
    inverse_norms: Vec<f32>,
    vector: &'a VectorOf<'a>,
}

impl<'a> CompactDraft<'a> {
    /// `vector` gives the vectors by the numbers they have in `points`.
    pub(crate) fn new(
        space: Space,
        dim: usize,
        codes: PointCodes,
        points: Points,
        graph: Graph,
        vector: &'a VectorOf<'a>,
    ) -> Result<Self> {
        let entries = kept_starts(&graph.entries, starts(points.len()));
        let (nibbles, bytes, factors, inverse_norms) = Default::default();
        let rotation = Rotation::new(space.point_dim(dim));
        let kernels = points.kernels;
        let mut draft = Self {
            kernels,
            space,
            rotation,
            points,
            graph,
            entries,
            codes,
            nibbles,
            bytes,
            factors,
            inverse_norms,
            vector,
        };
        match codes {
            PointCodes::Nibbles => draft.nibbles = draft.encode_nibbles()?,
            PointCodes::Bytes => (draft.bytes, draft.factors) = draft.encode_bytes(dim)?,
            PointCodes::Full => draft.inverse_norms = draft.norms()?,
        }
        Ok(draft)
    }

    fn encode_nibbles(&self) -> Result<Vec<u8>> {
        let rotated_dim = self.rotation.rotated_dim();
        let row_bytes = nibble_row_bytes(rotated_dim);
        let mut nibbles = vec![0; self.graph.order.len() * row_bytes];
        let runs = nibbles.par_chunks_mut(RUN * row_bytes).zip(self.graph.order.par_chunks(RUN));
        runs.try_for_each_init(
            || (Vec::new(), vec![0.0; rotated_dim]),
            |(point, rotated), (rows, order)| {
                for (row, &old) in rows.chunks_exact_mut(row_bytes).zip(order) {
                    self.space.point_of_row(self.kernels, (self.vector)(old as usize)?, point);
                    self.kernels.rotate(&self.rotation, point, rotated);
                    self.kernels.encode_nibbles(rotated, row);
                }
                Ok::<_, Error>(())
            },
        )?;
        Ok(nibbles)
    }

    fn encode_bytes(&self, dim: usize) -> Result<(Vec<i8>, Vec<[f32; 2]>)> {
        let rows = self.graph.order.len();
        let (mut codes, mut factors) = (vec![0; rows * dim], vec![[0.0; 2]; rows]);
        let each = codes.par_chunks_mut(dim).zip(&mut factors).zip(&self.graph.order);
        each.try_for_each(|((codes, factors), &old)| {
            let encoded = self.kernels.encode((self.vector)(old as usize)?, codes);
            let RowFactors { square, factor } = self.space.factors_of_codes(encoded.scale, encoded.norm);
            *factors = [square, factor];
            Ok::<_, Error>(())
        })?;
        Ok((codes, factors))
    }

    fn norms(&self) -> Result<Vec<f32>> {
        let norm = |&old: &u32| Ok(1.0 / self.kernels.norm((self.vector)(old as usize)?));
        if self.space == Space::Cosine {
            self.graph.order.par_iter().map(norm).collect()
        } else {
            Ok(Vec::new())
        }
    }

    pub(crate) fn space(&self) -> Space {
        self.space
    }

    /// Returns the rows' numbers before, in the order of the graph.
    pub(crate) fn order(&self) -> &[u32] {
        &self.graph.order
    }

    pub(crate) fn codes_kind(&self) -> PointCodes {
        self.codes
    }

    pub(crate) fn entries(&self) -> &[u32] {
        &self.entries
    }

    /// Returns the neighbors of all rows.
    pub(crate) fn adjacency(&self) -> &[u32] {
        &self.graph.adjacency
    }

    /// Returns the rows in 4 bits a component; empty for other codes.
    pub(crate) fn nibbles(&self) -> &[u8] {
        &self.nibbles
    }

    /// Returns what turns products of 8-bit codes into distances; empty for other codes.
    pub(crate) fn factors(&self) -> &[[f32; 2]] {
        &self.factors
    }

    /// Measures how far searches have to look; `None` if the graph is of no use.
    pub(crate) fn measure(&self) -> Result<Option<Widths>> {
        widths::measure(self, &self.points, &self.graph.order)
    }
}

impl Measured for CompactDraft<'_> {
    fn len(&self) -> usize {
        self.graph.order.len()
    }

    fn layout(&self) -> Layout {
        Layout::Compact(self.codes)
    }

    fn space(&self) -> Space {
        self.space
    }

    fn rotation(&self) -> &Rotation {
        &self.rotation
    }

    fn query(&self, row: u32) -> Result<Vec<f32>> {
        let vector = (self.vector)(self.graph.order[row as usize] as usize)?;
        Ok(query_of(self.space, self.kernels, vector))
    }

    fn walk(&self, row: u32, through: bool, vector: &[f32], beam: Beam) -> Result<(Effort, Vec<Found>)> {
        let skip = (!through).then_some(row);
        CompactScratch::with(|scratch| {
            let effort =
                search_compact(self, self.kernels, vector, beam, scratch, skip, |other| Ok(other != row))?;
            Ok((effort, scratch.found.clone()))
        })
    }
}

impl CompactSource for CompactDraft<'_> {
    fn len(&self) -> usize {
        self.graph.order.len()
    }

    fn space(&self) -> Space {
        self.space
    }

    fn rotation(&self) -> &Rotation {
        &self.rotation
    }

    fn entries(&self) -> Result<&[u32]> {
        Ok(&self.entries)
    }

    fn neighbors(&self, point: u32) -> Result<&[u32]> {
        Ok(&self.graph.adjacency[point as usize * DEGREE..][..DEGREE])
    }

    fn prefetch(&self, _: Kernels, _: u32) {}

    fn codes(&self) -> CodeRows<'_> {
        match self.codes {
            PointCodes::Nibbles => CodeRows::Nibbles(&self.nibbles),
            PointCodes::Bytes => CodeRows::Bytes(&self.bytes, &self.factors),
            PointCodes::Full => CodeRows::Full,
        }
    }

    fn check(&self, _: &[u32]) -> Result<()> {
        Ok(())
    }

    fn vector(&self, point: u32) -> Result<(&[f32], f32)> {
        let norm = self.inverse_norms.get(point as usize).copied().unwrap_or(1.0);
        Ok(((self.vector)(self.graph.order[point as usize] as usize)?, norm))
    }
}

#[cfg(test)]
mod tests {
    use super::super::search::Wanted;
    use super::super::width::width;
    use super::super::{Plan, Within, build};
    use super::*;
    use vecstore_testkit::Clusters;

    #[test]
    fn a_filter_is_asked_once_about_a_point() {
        const DIM: usize = 16;
        let vectors = Clusters::new(3, DIM, 20).vectors(2000);
        let vector = |row: usize| Ok(vectors[row].as_slice());
        let kernels = Kernels::detect();
        let points = Points::encode(kernels, Space::Euclidean, DIM, vectors.len(), vector).unwrap();
        let plan = Plan::within(1 << 30, vectors.len(), DIM, Vec::new());
        let graph = build(&points, &plan, &|| Ok(())).unwrap();
        let draft =
            CompactDraft::new(Space::Euclidean, DIM, PointCodes::Full, points, graph, &vector).unwrap();
        let wanted = Some(Wanted { share: 0.5, are_few: false });
        let (k, slack, visits_max, within) = (10, 0.2, 1000, Within::ALL);
        let beam = Beam { k, keep: 20, slack, width: width(slack, k), wanted, visits_max, within };
        let mut asked = vec![0; vectors.len()];
        let mut scratch = CompactScratch::default();
        for query in &vectors[..20] {
            asked.fill(0);
            let is_wanted = |point: u32| {
                asked[point as usize] += 1;
                Ok(point.is_multiple_of(2))
            };
            search_compact(&draft, kernels, query, beam, &mut scratch, None, is_wanted).unwrap();
            assert_eq!(asked.iter().max(), Some(&1));
            assert!(scratch.found.iter().all(|found| found.point.is_multiple_of(2)));
            assert_eq!(scratch.found.len(), beam.keep);
        }
    }
}
