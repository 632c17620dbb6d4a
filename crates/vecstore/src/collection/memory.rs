//! What the memory budget allows.
//!
//! A quarter of it, at most 512 MiB, is for rows that wait to be sealed. The build of a graph may take all of it: segments
//! whose rows would take more are not merged. And the hot bytes of the graphs in the fast layout decide, where the layout
//! is for the store to choose, whether a new graph gets that layout.

use super::Core;
use super::part::{Part, PartView};
use super::policy::MERGED_ROWS_MAX;
use super::snapshot::Snapshot;
use crate::error::Error;
use crate::index::{self, Layout, Space};
use crate::options::MEMORY_BUDGET_BYTES_MIN;
use crate::storage::segment::Segment;

/// Beyond this, opening after a crash would take long: it all has to be replayed.
const WAITING_BYTES_MAX: u64 = 512 << 20;

/// Sealing begins at this part of what may wait, so that writers can go on meanwhile.
const SEAL_PART: u64 = 4;

/// Returns how many bytes of rows may wait in memory.
pub(super) fn waiting_bytes(memory_budget: u64) -> u64 {
    (memory_budget / 4).clamp(MEMORY_BUDGET_BYTES_MIN, WAITING_BYTES_MAX)
}

/// Returns the bytes of rows in memory from which on they are sealed.
pub(crate) fn seal_bytes(memory_budget: u64) -> u64 {
    waiting_bytes(memory_budget) / SEAL_PART
}

/// What the segments of a collection may become.
#[derive(Clone, Copy, Debug)]
pub(super) struct Graphs {
    /// Beyond how many rows a segment gets a graph; `usize::MAX` if none does.
    pub(super) rows_min: usize,
    /// The most rows that are merged.
    pub(super) rows_max: usize,
}

impl Core {
    /// Returns what the segments may become.
    pub(super) fn graphs(&self, dim: Option<usize>) -> Graphs {
        let none = Graphs { rows_min: usize::MAX, rows_max: MERGED_ROWS_MAX };
        let Some(dim) = dim.filter(|&dim| self.scoring.uses_graphs(Some(dim))) else { return none };
        let rows_max = self.graph_rows_max(dim);
        // Where not even the smallest graph can be built there are none, and nothing to limit merges.
        let rows_min = self.shared.graph_rows_min;
        if rows_max <= rows_min { none } else { Graphs { rows_min, rows_max } }
    }

    /// Returns the most rows whose graph can be built within the budget.
    fn graph_rows_max(&self, dim: usize) -> usize {
        // One row alone takes more than each of many.
        const MANY: usize = 1 << 12;
        let rows = u128::from(self.shared.memory_budget) * MANY as u128
            / u128::from(self.build_bytes(MANY, dim).max(1));
        usize::try_from(rows).unwrap_or(usize::MAX).min(MERGED_ROWS_MAX)
    }

    /// Returns the bytes of memory that the build of the smallest graph of so many rows takes.
    fn build_bytes(&self, rows: usize, dim: usize) -> u64 {
        index::build_bytes(rows, dim, self.quantization().layout(false))
    }

    /// Returns why no segment of the collection has a graph, if the memory budget is why.
    pub(super) fn graphless_error(&self, snapshot: &Snapshot) -> Option<Error> {
        let dim = snapshot.dim.filter(|&dim| self.scoring.uses_graphs(Some(dim)))?;
        let has_graph = |view: &PartView| matches!(&view.part, Part::Segment(segment) if segment.has_graph());
        // One may have been built within another budget.
        if snapshot.parts.iter().any(has_graph) {
            return None;
        }
        let rows: usize = snapshot.parts.iter().map(PartView::live).sum();
        let rows_min = self.shared.graph_rows_min;
        if rows <= rows_min || self.graph_rows_max(dim) > rows_min {
            return None;
        }
        let needed = self.build_bytes(rows_min + 1, dim);
        Some(Error::invalid(format!(
            "the memory budget of {} bytes is too small for the graph of any segment, so that searches scan all \
             rows: at dimension {dim}, one of {} rows takes {needed} bytes to build, and one of all {rows} rows {}",
            self.shared.memory_budget,
            rows_min + 1,
            self.build_bytes(rows, dim)
        )))
    }

    /// Returns the layout for a new graph beside others that take so many bytes.
    pub(super) fn layout(&self, dim: usize, rows: usize, others_bytes: u64) -> Layout {
        let bytes = rows as u64 * Layout::Fast.hot_row_bytes(self.any_space(), dim) as u64;
        self.quantization().layout(others_bytes + bytes <= self.shared.memory_budget)
    }

    /// Returns the bytes that searches of a segment's graph read all over; 0 without a graph.
    pub(super) fn hot_bytes(&self, segment: &Segment) -> u64 {
        let row_bytes = |layout: Layout| layout.hot_row_bytes(self.any_space(), segment.dim());
        (segment.layout().map_or(0, row_bytes) * segment.len()) as u64
    }

    /// Returns the hot bytes of the graphs of all segments but some.
    pub(super) fn other_hot_bytes(&self, snapshot: &Snapshot, but: &[PartView]) -> u64 {
        let others = snapshot.parts.iter().filter(|view| but.iter().all(|one| one.id != view.id));
        let bytes = |view: &PartView| match &view.part {
            Part::Segment(segment) => self.hot_bytes(segment),
            Part::Memory(_) => 0,
        };
        others.map(bytes).sum()
    }

    /// Returns whether a segment has a graph of another layout than a new one of the same rows would get.
    pub(super) fn has_other_layout(&self, snapshot: &Snapshot, view: &PartView) -> bool {
        let Part::Segment(segment) = &view.part else { return false };
        let others = self.other_hot_bytes(snapshot, std::slice::from_ref(view));
        segment.layout().is_some_and(|layout| layout != self.layout(segment.dim(), view.live(), others))
    }

    /// Returns a space whose points have the dimension that those of any segment have.
    fn any_space(&self) -> Space {
        Space::of(self.scoring.metric, 0.0).unwrap_or(Space::Euclidean)
    }
}
