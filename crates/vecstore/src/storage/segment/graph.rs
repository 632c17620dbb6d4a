//! The graph of a segment, as a search reads it.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use vecstore_kernels::{Kernels, Metric, Rotation, sign_block_bytes};

use super::reader::Segment;
use crate::codec::Reader;
use crate::error::{Error, Result};
use crate::index::{BLOCK_HEAD_BYTES, DEGREE, GraphSource, RECALLS, RowFactors, Space, Widths, block_bytes};

/// Where the graph of a segment is.
#[derive(Debug)]
pub(crate) struct Sections {
    head: Range<usize>,
    entries: Range<usize>,
    blocks: Range<usize>,
    /// Read from the head the first time.
    opened: OnceLock<Opened>,
    /// A search found damage: the segment is searched without the graph until it is built again.
    damaged: AtomicBool,
}

#[derive(Debug)]
struct Opened {
    space: Space,
    rotation: Rotation,
    widths: Widths,
}

impl Sections {
    pub(super) fn new(_: &Segment, head: Range<usize>, entries: Range<usize>, blocks: Range<usize>) -> Self {
        Self { head, entries, blocks, opened: OnceLock::new(), damaged: AtomicBool::new(false) }
    }
}

/// The graph of a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentGraph<'a> {
    segment: &'a Segment,
    sections: &'a Sections,
    opened: &'a Opened,
    block_bytes: usize,
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
        let sections = |graph: &Sections| [&graph.head, &graph.entries, &graph.blocks].into_iter().any(is_in);
        if self.graph.as_ref().is_some_and(sections) {
            self.leave_graph();
        }
    }

    /// Returns the graph, if there is one, of a segment of a collection of this metric.
    pub(crate) fn graph(&self, metric: Metric) -> Result<Option<SegmentGraph<'_>>> {
        let Some(sections) = self.graph.as_ref().filter(|_| self.has_graph()) else { return Ok(None) };
        let opened = match sections.opened.get() {
            Some(opened) => opened,
            None => {
                let opened = self.open_graph(sections, metric)?;
                sections.opened.get_or_init(|| opened)
            }
        };
        let block_bytes = block_bytes(opened.space, self.dim());
        Ok(Some(SegmentGraph { segment: self, sections, opened, block_bytes }))
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
        let is_right = sections.blocks.len() == self.len() * (BLOCK_HEAD_BYTES + signs)
            && sections.entries.len().is_multiple_of(signs)
            && longest.is_finite()
            && widths.iter().all(|width| width.is_finite())
            && self.has_codes();
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
        let start = self.sections.blocks.start + row as usize * self.block_bytes;
        if start + self.block_bytes > self.sections.blocks.end {
            return Err(Error::corrupted("a graph names a row beyond the last"));
        }
        Ok(start..start + self.block_bytes)
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
        let block = self.segment.checked(self.block_range(row)?)?;
        let (head, signs) = block.split_at(BLOCK_HEAD_BYTES);
        let float = |at: usize| f32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        Ok((signs, RowFactors { square: float(0), factor: float(4) }))
    }

    #[inline]
    fn codes(&self, row: u32) -> Result<&[i8]> {
        self.segment.row_codes(row)
    }

    #[inline]
    fn prefetch(&self, kernels: Kernels, row: u32) -> &[u8] {
        // Not checked: nothing is read by it.
        let Ok(range) = self.block_range(row) else { return &[] };
        let (head, signs) = self.segment.map[range].split_at(BLOCK_HEAD_BYTES);
        kernels.prefetch(head);
        kernels.prefetch(self.segment.unchecked_row_codes(row));
        kernels.prefetch(&signs[signs.len() - FACTOR_BYTES..]);
        signs
    }
}

/// The end of a block that an estimate reads last: factors and ids.
const FACTOR_BYTES: usize = 3 * 4 * DEGREE;
