//! The compact graph of a segment, as a search reads it.

use std::ops::Range;

use vecstore_kernels::{Kernels, Metric, Rotation, nibble_row_bytes};

use super::graph::{Layers, Opened, Sections};
use super::reader::Segment;
use crate::error::{Error, Result};
use crate::index::{CodeRows, CompactQuery, CompactSource, DEGREE, PointCodes, Space};

/// Bytes of the neighbors of a row.
const NEIGHBORS_BYTES: usize = 4 * DEGREE;

/// The compact graph of a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CompactGraph<'a> {
    segment: &'a Segment,
    sections: &'a Sections,
    opened: &'a Opened,
    codes: CodeRows<'a>,
}

impl<'a> CompactGraph<'a> {
    pub(super) fn new(segment: &'a Segment, sections: &'a Sections, opened: &'a Opened) -> Result<Self> {
        let codes = match &sections.layers {
            Layers::Nibbles { rows, .. } => CodeRows::Nibbles(segment.region(rows.clone())),
            Layers::Bytes { factors, .. } => {
                CodeRows::Bytes(segment.all_codes()?, segment.unchecked(factors.clone())?)
            }
            Layers::Full { .. } | Layers::Blocks(_) => CodeRows::Full,
        };
        Ok(Self { segment, sections, opened, codes })
    }

    /// Returns the slack for a recall.
    pub(crate) fn slack(&self, recall: f32) -> f32 {
        self.opened.widths.slack(recall)
    }

    pub(crate) fn codes_kind(&self) -> PointCodes {
        match self.codes {
            CodeRows::Nibbles(_) => PointCodes::Nibbles,
            CodeRows::Bytes(..) => PointCodes::Bytes,
            CodeRows::Full => PointCodes::Full,
        }
    }

    fn neighbors_range(&self, row: u32) -> Result<Range<usize>> {
        let all = self.sections.layers.adjacency();
        let start = all.start + row as usize * NEIGHBORS_BYTES;
        if start + NEIGHBORS_BYTES > all.end {
            return Err(Error::corrupted("a graph names a row beyond the last"));
        }
        Ok(start..start + NEIGHBORS_BYTES)
    }

    /// Returns values that order rows as the distances of their codes from a query do, with the rows.
    pub(crate) fn distances(
        &self,
        kernels: Kernels,
        vector: &[f32],
        rows: &[u32],
    ) -> Result<Vec<(f32, u32)>> {
        let (mut query, mut distances) = (CompactQuery::default(), Vec::new());
        query.prepare(self, kernels, vector);
        query.score(self, kernels, rows, &mut distances)?;
        Ok(distances.into_iter().zip(rows.iter().copied()).collect())
    }
}

impl CompactSource for CompactGraph<'_> {
    fn len(&self) -> usize {
        self.segment.len()
    }

    fn space(&self) -> Space {
        self.opened.space
    }

    fn rotation(&self) -> &Rotation {
        &self.opened.rotation
    }

    fn entries(&self) -> Result<&[u32]> {
        self.segment.numbers(self.sections.entries.clone())
    }

    #[inline]
    fn neighbors(&self, row: u32) -> Result<&[u32]> {
        self.segment.numbers(self.neighbors_range(row)?)
    }

    #[inline]
    fn prefetch(&self, kernels: Kernels, row: u32) {
        // Not checked: nothing is read by it.
        if let Ok(range) = self.neighbors_range(row) {
            kernels.prefetch(self.segment.region(range));
        }
    }

    #[inline]
    fn codes(&self) -> CodeRows<'_> {
        self.codes
    }

    #[inline]
    fn check(&self, rows: &[u32]) -> Result<()> {
        match &self.sections.layers {
            Layers::Nibbles { rows: all, row_bytes, .. } => {
                for &row in rows {
                    let start = all.start + row as usize * row_bytes;
                    self.segment.checked(start..start + row_bytes)?;
                }
            }
            Layers::Bytes { factors, .. } => {
                for &row in rows {
                    self.segment.row_codes(row)?;
                    let start = factors.start + row as usize * 8;
                    self.segment.checked(start..start + 8)?;
                }
            }
            Layers::Full { .. } | Layers::Blocks(_) => {}
        }
        Ok(())
    }

    #[inline]
    fn vector(&self, row: u32) -> Result<(&[f32], f32)> {
        let norm = if self.opened.space == Space::Cosine {
            self.segment.inverse_norms(row as usize..row as usize + 1)?[0]
        } else {
            1.0
        };
        Ok((self.segment.vector(row)?, norm))
    }
}

impl Segment {
    /// Returns the compact graph, if that is the layout, of a segment of a collection of this metric.
    pub(crate) fn compact_graph(&self, metric: Metric) -> Result<Option<CompactGraph<'_>>> {
        let Some((sections, opened)) = self.opened_graph(metric)? else { return Ok(None) };
        if matches!(sections.layers, Layers::Blocks(_)) {
            return Ok(None);
        }
        CompactGraph::new(self, sections, opened).map(Some)
    }
}

impl Layers {
    /// Returns where the neighbors of rows are.
    fn adjacency(&self) -> &Range<usize> {
        match self {
            Self::Nibbles { adjacency, .. } | Self::Bytes { adjacency, .. } | Self::Full { adjacency } => {
                adjacency
            }
            Self::Blocks(blocks) => blocks,
        }
    }

    /// Returns whether the lengths fit a segment of `rows` rows, whose points have `rotated_dim` components.
    pub(super) fn fit_compact(&self, rows: usize, rotated_dim: usize, entries: usize) -> bool {
        let own = match self {
            Self::Nibbles { rows: codes, row_bytes, .. } => {
                *row_bytes == nibble_row_bytes(rotated_dim) && codes.len() == rows * row_bytes
            }
            Self::Bytes { factors, .. } => factors.len() == rows * 8,
            Self::Full { .. } => true,
            Self::Blocks(_) => false,
        };
        own && self.adjacency().len() == rows * NEIGHBORS_BYTES && entries.is_multiple_of(4)
    }
}
