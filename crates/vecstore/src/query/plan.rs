//! How a search was done: what callers see of it.

use std::fmt;
use std::time::Duration;

use vecstore_kernels::Metric;

use super::hits::{Hit, Hits};
use crate::filter::Filter;
use crate::index::{Layout, PointCodes};

/// How one search was done, in figures counted and timed while it ran.
///
/// Of [`Collection::explain`](crate::Collection::explain) and
/// [`Collection::search_explained`](crate::Collection::search_explained).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueryPlan {
    /// The metric.
    pub metric: Metric,
    /// The lsn of the snapshot that was searched.
    pub lsn: u64,
    /// Records in the snapshot, soft-deleted and expired ones included.
    pub records: usize,
    /// The most hits that were asked for.
    pub k: usize,
    /// How many of the nearest were left out.
    pub offset: usize,
    /// The recall that was asked for; 1 is exact.
    pub recall: f32,
    /// The filter, if there was one.
    pub filter: Option<Filter>,
    /// What was done, in order; what several threads did to one part in one way is one step.
    pub steps: Vec<QueryStep>,
    /// Hits that were returned.
    pub results: usize,
    /// Threads that shared the steps. Their times are added up, so with more than one the times of the steps may come to
    /// more than the whole took.
    pub threads: usize,
    /// What it took to ask the columns of all parts about the filter.
    pub filter_time: Duration,
    /// What the whole search took, without reading the hits' records.
    pub time: Duration,
}

/// What was done to one part of a collection: its rows in memory, or a segment on disk.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct QueryStep {
    /// The name of the part: `memory-` and a number, or `segment-` and the first digits of the file's name.
    pub part: String,
    pub(super) position: u32,
    /// What kind of part it is.
    pub kind: PartKind,
    /// Rows of the part, removed ones included.
    pub rows: usize,
    /// Rows that can be found: neither removed nor soft-deleted.
    pub live: usize,
    /// The most rows that match the filter, as its columns tell; `None` without a filter, or if they cannot tell.
    pub matches_at_most: Option<usize>,
    /// How it was searched.
    pub method: SearchMethod,
    /// The layout of the graph that was walked.
    pub layout: Option<GraphLayout>,
    /// Why it was searched in this way.
    pub reason: StepReason,
    /// What came of it.
    pub outcome: StepOutcome,
    /// How much further than the k-th result the walk went, as a share of its squared distance.
    pub slack: Option<f32>,
    /// Points of the graph that were visited.
    pub visits: usize,
    /// Distances estimated from one bit a component.
    pub estimates: usize,
    /// Distances computed from codes of 8 bits, or 4 in the layout with those.
    pub code_distances: usize,
    /// Distances computed from full vectors.
    pub full_distances: usize,
    /// How many of the hits it found.
    pub results: usize,
    /// What it took, added up over threads.
    pub time: Duration,
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartKind {
    /// Rows in memory, which are in the log and in no segment yet.
    Memory,
    /// A file.
    Segment,
}

/// A way to search a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SearchMethod {
    /// From neighbor to neighbor through a graph; the best are scored on full vectors.
    GraphWalk,
    /// All rows are estimated from one bit a component; those near enough are scored on full vectors.
    ScanSigns,
    /// All rows are bounded by their 8-bit codes; those near enough are scored on full vectors. Misses none.
    ScanCodes,
    /// All rows are scored on full vectors.
    ScanVectors,
    /// The rows that match are scored on 8-bit codes, the best of them on full vectors.
    MatchesByCodes,
    /// The rows that match are scored on full vectors.
    MatchesByVectors,
}

/// How a graph is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GraphLayout {
    /// Each row has a block with the signs of its neighbors.
    Fast,
    /// Each row has its neighbors' numbers; points are scored on full vectors.
    Compact,
    /// The same on 8-bit codes.
    CompactInt8,
    /// The same on 4-bit codes.
    CompactInt4,
}

impl From<Layout> for GraphLayout {
    fn from(layout: Layout) -> Self {
        match layout {
            Layout::Fast => Self::Fast,
            Layout::Compact(PointCodes::Full) => Self::Compact,
            Layout::Compact(PointCodes::Bytes) => Self::CompactInt8,
            Layout::Compact(PointCodes::Nibbles) => Self::CompactInt4,
        }
    }
}

/// Why a part was searched in the way it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepReason {
    /// It has a graph, and no filter that few rows match.
    HasGraph,
    /// So few rows match that scoring each is less work.
    FewMatches,
    /// A walk before was not enough.
    WalkFellShort,
    /// Exact search was asked for.
    ExactAsked,
    /// The metric, or the dimension, has no codes.
    NoCodes,
    /// It has so few rows that preparing anything takes longer.
    FewRows,
    /// It has no graph.
    NoGraph,
    /// It has no graph, and a filter decides which rows count.
    FilterWithoutGraph,
    /// The filter names partitions, whose rows stand together: no others were looked at.
    Partition,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepOutcome {
    /// It was enough.
    Done,
    /// It was given up after as many visits as a scan would take.
    GaveUp,
    /// It found fewer rows than were wanted.
    FoundTooFew,
    /// The graph is damaged, and is not used from now on.
    Damaged,
}

/// What a search takes, of several runs of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueryEstimate {
    /// How often it was run.
    pub runs: usize,
    /// Records that can be found.
    pub records: usize,
    /// Records that match the filter, counted; all without one.
    pub matches: usize,
    /// Hits that a run returned.
    pub results: usize,
    /// Points of graphs that a run visited.
    pub visits: usize,
    /// Distances that a run estimated or computed.
    pub distances: usize,
    /// Rows that a run scored on full vectors after an estimate.
    pub reranked: usize,
    /// The shortest run.
    pub time_min: Duration,
    /// The median run.
    pub time: Duration,
    /// The longest run.
    pub time_max: Duration,
}

impl QueryPlan {
    /// Returns the position among [`QueryPlan::steps`] of the one that found a hit of the same search.
    pub fn step_of(&self, hit: &Hit<'_>) -> Option<usize> {
        // What was done to a part last is what was enough.
        self.steps.iter().rposition(|step| step.position == hit.position())
    }

    /// Notes for each step how many of the hits it found.
    pub(crate) fn count_results(&mut self, hits: &Hits) {
        for hit in hits.iter() {
            if let Some(at) = self.step_of(&hit) {
                self.steps[at].results += 1;
            }
        }
    }

    /// Returns the points of graphs that were visited.
    pub fn visits(&self) -> usize {
        self.steps.iter().map(|step| step.visits).sum()
    }

    /// Returns the distances that were estimated or computed.
    pub fn distances(&self) -> usize {
        self.steps.iter().map(QueryStep::distances).sum()
    }

    /// Returns the rows that were scored on full vectors after an estimate.
    pub fn reranked(&self) -> usize {
        self.steps.iter().map(QueryStep::reranked).sum()
    }
}

impl QueryStep {
    /// Returns the distances that were estimated or computed.
    pub fn distances(&self) -> usize {
        self.estimates + self.code_distances + self.full_distances
    }

    /// Returns the rows that were scored on full vectors after an estimate.
    pub fn reranked(&self) -> usize {
        match self.method {
            SearchMethod::ScanVectors | SearchMethod::MatchesByVectors => 0,
            SearchMethod::GraphWalk
            | SearchMethod::ScanSigns
            | SearchMethod::ScanCodes
            | SearchMethod::MatchesByCodes => self.full_distances,
        }
    }
}

/// Writes each value of an enum as its words.
macro_rules! words {
    ($($type:ident { $($value:ident $words:literal)* })*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$value => $words,)* })
            }
        }
    )*};
}

words! {
    PartKind { Memory "memory" Segment "segment" }
    SearchMethod {
        GraphWalk "graph walk"
        ScanSigns "scan of signs"
        ScanCodes "scan of codes"
        ScanVectors "scan of vectors"
        MatchesByCodes "matches by codes"
        MatchesByVectors "matches by vectors"
    }
    GraphLayout { Fast "fast" Compact "compact" CompactInt8 "compact int8" CompactInt4 "compact int4" }
    StepReason {
        HasGraph "the segment has a graph"
        FewMatches "few rows match"
        WalkFellShort "the walk was not enough"
        ExactAsked "exact search was asked for"
        NoCodes "the metric or the dimension has no codes"
        FewRows "the part has few rows"
        NoGraph "the part has no graph"
        FilterWithoutGraph "a filter, and no graph"
        Partition "the filter names a partition"
    }
    StepOutcome { Done "done" GaveUp "gave up" FoundTooFew "found too few" Damaged "damaged" }
}
