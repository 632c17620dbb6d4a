//! The graph of a segment, as a search reads it.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use vecstore_kernels::{Kernels, Metric, Rotation, sign_block_bytes};

use super::compact::CompactGraph;
use super::reader::Segment;
use crate::codec::Reader;
use crate::error::{Error, Result};
use crate::index::{
    BLOCK_HEAD_BYTES, DEGREE, GraphSource, Layout, PointCodes, RECALLS, RowFactors, Space, Widths,
    block_bytes,
};

/// Where the graph of a segment is.
#[derive(Debug)]
pub(crate) struct Sections {
    head: Range<usize>,
    pub(super) entries: Range<usize>,
    pub(super) layers: Layers,
    /// Read from the head the first time.
    opened: OnceLock<Opened>,
    /// A search found damage: the segment is searched without the graph until it is built again.
    damaged: AtomicBool,
}

/// What each row has, by layout.
#[derive(Debug)]
pub(super) enum Layers {
    /// Fast: a block of its neighbors' signs.
    Blocks(Range<usize>),
    /// Compact, with 4-bit codes of points.
    Nibbles { adjacency: Range<usize>, rows: Range<usize>, row_bytes: usize },
    /// Compact, on the 8-bit codes of vectors.
    Bytes { adjacency: Range<usize>, factors: Range<usize> },
    /// Compact, on full vectors.
    Full { adjacency: Range<usize> },
}

impl Layers {
    /// Returns where in the file they are.
    fn ranges(&self) -> [Option<&Range<usize>>; 2] {
        match self {
            Self::Blocks(only) | Self::Full { adjacency: only } => [Some(only), None],
            Self::Nibbles { adjacency, rows, .. } => [Some(adjacency), Some(rows)],
            Self::Bytes { adjacency, factors } => [Some(adjacency), Some(factors)],
        }
    }
}

#[derive(Debug)]
pub(super) struct Opened {
    pub(super) space: Space,
    pub(super) rotation: Rotation,
    pub(super) widths: Widths,
}

impl Sections {
    /// Returns where in the file searches read all over.
    pub(super) fn ranges(&self) -> Vec<&Range<usize>> {
        [&self.head, &self.entries].into_iter().chain(self.layers.ranges().into_iter().flatten()).collect()
    }

    pub(super) fn new(head: Range<usize>, entries: Range<usize>, layers: Layers) -> Self {
        Self { head, entries, layers, opened: OnceLock::new(), damaged: AtomicBool::new(false) }
    }
}

/// The graph of a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentGraph<'a> {
    segment: &'a Segment,
    /// The file, or the resident copy, and where in the file it starts: found once for a search, not for each read.
    bytes: &'a [u8],
    start: usize,
    /// Whether all of it was checked.
    is_checked: bool,
    sections: &'a Sections,
    blocks: &'a Range<usize>,
    opened: &'a Opened,
    block_bytes: usize,
    /// Where the codes of the first row are.
    codes: usize,
    dim: usize,
}

/// The graph of a segment, in either layout.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AnyGraph<'a> {
    Fast(SegmentGraph<'a>),
    Compact(CompactGraph<'a>),
}

impl AnyGraph<'_> {
    /// Returns the slack for a recall.
    pub(crate) fn slack(&self, recall: f32) -> f32 {
        match self {
            Self::Fast(graph) => graph.slack(recall),
            Self::Compact(graph) => graph.slack(recall),
        }
    }
}

impl Segment {
    /// Returns whether there is a graph that is not known to be damaged.
    pub(crate) fn has_graph(&self) -> bool {
        self.graph.as_ref().is_some_and(|graph| !graph.damaged.load(Ordering::Relaxed))
    }

    /// Leaves the graph alone from now on, since it is damaged: upkeep writes the segment again.
    pub(crate) fn leave_graph(&self) {
        if let Some(graph) = &self.graph {
            graph.damaged.store(true, Ordering::Relaxed);
        }
    }

    /// Leaves the graph alone if some of it is in a range of the file that is damaged.
    pub(super) fn leave_graph_at(&self, damaged: Range<usize>) {
        let is_in = |range: &Range<usize>| range.start < damaged.end && damaged.start < range.end;
        let has_any = |graph: &Sections| {
            is_in(&graph.head)
                || is_in(&graph.entries)
                || graph.layers.ranges().into_iter().flatten().any(is_in)
        };
        if self.graph.as_ref().is_some_and(has_any) {
            self.leave_graph();
        }
    }

    /// Returns the graph, if there is one, of a segment of a collection of this metric.
    pub(crate) fn any_graph(&self, metric: Metric) -> Result<Option<AnyGraph<'_>>> {
        Ok(match self.graph(metric)? {
            Some(graph) => Some(AnyGraph::Fast(graph)),
            None => self.compact_graph(metric)?.map(AnyGraph::Compact),
        })
    }

    /// Returns the graph with blocks, if that is the layout, of a segment of a collection of this metric.
    pub(crate) fn graph(&self, metric: Metric) -> Result<Option<SegmentGraph<'_>>> {
        let Some((sections, opened)) = self.opened_graph(metric)? else { return Ok(None) };
        let Layers::Blocks(blocks) = &sections.layers else { return Ok(None) };
        let Some(codes) = self.codes_start() else { return Ok(None) };
        let dim = self.dim();
        let (is_checked, (bytes, start)) = match self.resident.get() {
            Some(resident) => (true, resident.bytes()),
            None => (false, (&*self.map, 0)),
        };
        let block_bytes = block_bytes(opened.space, dim);
        let graph = SegmentGraph {
            segment: self,
            bytes,
            start,
            is_checked,
            sections,
            blocks,
            opened,
            block_bytes,
            codes,
            dim,
        };
        Ok(Some(graph))
    }

    pub(super) fn opened_graph(&self, metric: Metric) -> Result<Option<(&Sections, &Opened)>> {
        let Some(sections) = self.graph.as_ref().filter(|_| self.has_graph()) else { return Ok(None) };
        let opened = match sections.opened.get() {
            Some(opened) => opened,
            None => {
                let opened = self.open_graph(sections, metric)?;
                sections.opened.get_or_init(|| opened)
            }
        };
        Ok(Some((sections, opened)))
    }

    /// Returns the space of the graph, if there is one.
    pub(crate) fn graph_space(&self, metric: Metric) -> Result<Option<Space>> {
        Ok(self.opened_graph(metric)?.map(|(_, opened)| opened.space))
    }

    /// Returns how the graph is laid out, if there is one that is not known to be damaged.
    pub(crate) fn layout(&self) -> Option<Layout> {
        let sections = self.graph.as_ref().filter(|_| self.has_graph())?;
        Some(match sections.layers {
            Layers::Blocks(_) => Layout::Fast,
            Layers::Nibbles { .. } => Layout::Compact(PointCodes::Nibbles),
            Layers::Bytes { .. } => Layout::Compact(PointCodes::Bytes),
            Layers::Full { .. } => Layout::Compact(PointCodes::Full),
        })
    }

    fn open_graph(&self, sections: &Sections, metric: Metric) -> Result<Opened> {
        let mut reader = Reader::new(self.checked(sections.head.clone())?, "graph head");
        let longest = f32::from_bits(reader.u32()?);
        let mut widths = [0.0; RECALLS.len()];
        for width in &mut widths {
            *width = f32::from_bits(reader.u32()?);
        }
        reader.u32()?;
        reader.finish()?;
        let space = Space::of(metric, longest)
            .ok_or_else(|| self.malformed("a graph in a collection whose metric has none"))?;
        let rotation = Rotation::new(space.point_dim(self.dim()));
        let signs = sign_block_bytes(rotation.rotated_dim());
        let fits = match &sections.layers {
            Layers::Blocks(blocks) => {
                blocks.len() == self.len() * (BLOCK_HEAD_BYTES + signs)
                    && sections.entries.len().is_multiple_of(signs)
                    && self.has_codes()
            }
            layers => layers.fit_compact(self.len(), rotation.rotated_dim(), sections.entries.len()),
        };
        let is_right = fits && longest.is_finite() && widths.iter().all(|width| width.is_finite());
        if !is_right {
            return Err(self.malformed("the lengths of the graph's sections do not fit the number of rows"));
        }
        Ok(Opened { space, rotation, widths: Widths(widths) })
    }
}

impl SegmentGraph<'_> {
    /// Returns the slack for a recall.
    pub(crate) fn slack(&self, recall: f32) -> f32 {
        self.opened.widths.slack(recall)
    }

    fn block_range(&self, row: u32) -> Result<Range<usize>> {
        let start = self.blocks.start + row as usize * self.block_bytes;
        if start + self.block_bytes > self.blocks.end {
            return Err(Error::corrupted("a graph names a row beyond the last"));
        }
        Ok(start..start + self.block_bytes)
    }

    /// Returns a range of the file whose bytes are right.
    #[inline]
    fn checked(&self, range: Range<usize>) -> Result<&[u8]> {
        if !self.is_checked {
            self.segment.check(&range)?;
        }
        Ok(self.unchecked(range))
    }

    #[inline]
    fn unchecked(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range.start - self.start..range.end - self.start]
    }

    /// Returns where the codes of a row are, which is not beyond the last.
    fn codes_range(&self, row: u32) -> Range<usize> {
        let start = self.codes + row as usize * self.dim;
        start..start + self.dim
    }
}

impl GraphSource for SegmentGraph<'_> {
    fn len(&self) -> usize {
        self.segment.len()
    }

    fn space(&self) -> Space {
        self.opened.space
    }

    fn rotation(&self) -> &Rotation {
        &self.opened.rotation
    }

    fn entries(&self) -> Result<&[u8]> {
        self.segment.checked(self.sections.entries.clone())
    }

    #[inline]
    fn block(&self, row: u32) -> Result<(&[u8], RowFactors)> {
        let block = self.checked(self.block_range(row)?)?;
        let (head, signs) = block.split_at(BLOCK_HEAD_BYTES);
        let float = |at: usize| f32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        Ok((signs, RowFactors { square: float(0), factor: float(4) }))
    }

    #[inline]
    fn codes(&self, row: u32) -> Result<&[i8]> {
        Ok(bytemuck::cast_slice(self.checked(self.codes_range(row))?))
    }

    #[inline]
    fn prefetch_vector(&self, kernels: Kernels, row: u32) {
        self.segment.prefetch_vector_start(kernels, row);
    }

    #[inline]
    fn prefetch(&self, kernels: Kernels, row: u32) -> &[u8] {
        // Not checked: nothing is read by it.
        let Ok(range) = self.block_range(row) else { return &[] };
        let (head, signs) = self.unchecked(range).split_at(BLOCK_HEAD_BYTES);
        kernels.prefetch(head);
        kernels.prefetch(self.unchecked(self.codes_range(row)));
        kernels.prefetch(&signs[signs.len() - FACTOR_BYTES..]);
        signs
    }
}

/// The end of a block that an estimate reads last: factors and ids.
const FACTOR_BYTES: usize = 3 * 4 * DEGREE;
