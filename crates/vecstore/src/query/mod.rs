//! Nearest-neighbor search over a snapshot.
//!
//! Each part is searched by itself and the best of all parts are merged, so that a part may bring its own way of
//! searching: today every part is scanned ([`scan`]), or the few rows
//! of it that match a filter are scored ([`selection`]); an index of a segment is another way to fill the same
//! [`topk::TopK`].

mod approximate;
mod bounds;
mod hits;
mod hybrid;
mod matches;
mod plan;
mod recorder;
mod scan;
mod score;
mod selection;
mod text;
mod topk;

pub(crate) use hits::{FoundRow, Scores};
pub use hits::{Hit, Hits, Include, Neighbor};
pub(crate) use hybrid::{Arm, Fused, autocut, fuse};
pub use hybrid::{ArmRank, Fusion, HybridHits, HybridQuery};
pub use plan::{
    GraphLayout, PartKind, QueryEstimate, QueryPlan, QueryStep, SearchMethod, StepOutcome, StepReason,
};
pub(crate) use recorder::Recorder;
pub(crate) use scan::{Search, search};
pub(crate) use score::Scoring;
pub(crate) use selection::PartFilter;
pub use text::{Highlight, SparseQuery, TextQuery};
pub(crate) use text::{MatchOptions, Plan, TextSearch, check_keywords, highlight, search_texts};

use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::limits::MAX_K;

/// A search for the records nearest to a vector.
///
/// # Examples
///
/// ```
/// use vecstore::{Query, field};
///
/// let query = Query::new([1.0, 0.0]).k(5).filter(field("price").lt(10)).min_score(0.5);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Query {
    pub(crate) vector: Vec<f32>,
    pub(crate) options: QueryOptions,
}

/// What is asked of a search besides the vector.
#[derive(Clone, Debug)]
#[must_use]
pub struct QueryOptions {
    pub(crate) k: usize,
    pub(crate) offset: usize,
    pub(crate) filter: Option<Filter>,
    pub(crate) min_score: Option<f32>,
    pub(crate) recall: f32,
    pub(crate) exact: bool,
}

/// The share of the true neighbors that a search is tuned for if nothing is said: with k 10, every second query
/// misses one.
const RECALL_DEFAULT: f32 = 0.95;

impl Default for QueryOptions {
    fn default() -> Self {
        Self { k: 10, offset: 0, filter: None, min_score: None, recall: RECALL_DEFAULT, exact: false }
    }
}

impl QueryOptions {
    /// Returns the defaults: k 10, no offset, no filter, recall 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many neighbors are returned at most.
    pub fn k(mut self, k: usize) -> Self {
        self.k = k;
        self
    }

    /// Sets how many of the nearest are left out, for paging.
    pub fn offset(mut self, offset: usize) -> Self {
        self.offset = offset;
        self
    }

    /// Restricts the search to records that match.
    pub fn filter(mut self, filter: impl Into<Option<Filter>>) -> Self {
        self.filter = filter.into();
        self
    }

    /// Leaves out neighbors of a lower score.
    pub fn min_score(mut self, min_score: impl Into<Option<f32>>) -> Self {
        self.min_score = min_score.into();
        self
    }

    /// Sets the share of the true neighbors that the search is tuned to find (0.95 without it), above 0 and at most 1.
    /// At 1 the search is exact.
    pub fn recall(mut self, recall: f32) -> Self {
        self.recall = recall;
        self
    }

    /// Sets whether every record is compared, so that no neighbor is missed.
    pub fn exact(mut self, exact: bool) -> Self {
        self.exact = exact;
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.k < 1 || self.k > MAX_K {
            return Err(Error::invalid(format!("k must be between 1 and {MAX_K}, got {}", self.k)));
        }
        if self.offset > MAX_K {
            return Err(Error::invalid(format!("offset must be at most {MAX_K}, got {}", self.offset)));
        }
        if self.min_score.is_some_and(f32::is_nan) {
            return Err(Error::invalid("min_score must be a number, got NaN"));
        }
        if !(self.recall > 0.0 && self.recall <= 1.0) {
            return Err(Error::invalid(format!("recall must be above 0 and at most 1, got {}", self.recall)));
        }
        Ok(())
    }
}

impl Query {
    /// Makes a search for the 10 records nearest to `vector`.
    pub fn new(vector: impl Into<Vec<f32>>) -> Self {
        Self { vector: vector.into(), options: QueryOptions::default() }
    }

    /// Sets all that is asked for besides the vector.
    pub fn options(mut self, options: QueryOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets how many neighbors are returned at most (10 without it).
    pub fn k(mut self, k: usize) -> Self {
        self.options.k = k;
        self
    }

    /// Sets how many of the nearest are left out, for paging.
    pub fn offset(mut self, offset: usize) -> Self {
        self.options.offset = offset;
        self
    }

    /// Restricts the search to records that match.
    pub fn filter(mut self, filter: impl Into<Option<Filter>>) -> Self {
        self.options.filter = filter.into();
        self
    }

    /// Leaves out neighbors of a lower score.
    pub fn min_score(mut self, min_score: impl Into<Option<f32>>) -> Self {
        self.options.min_score = min_score.into();
        self
    }

    /// Sets the share of the true neighbors that the search is tuned to find: see [`QueryOptions::recall`].
    pub fn recall(mut self, recall: f32) -> Self {
        self.options.recall = recall;
        self
    }

    /// Sets whether every record is compared: see [`QueryOptions::exact`].
    pub fn exact(mut self, exact: bool) -> Self {
        self.options.exact = exact;
        self
    }
}
