//! What every search is asked besides what it searches for, and the plainest search of all.

use super::boost::Boost;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::limits::MAX_K;

/// The share of the true neighbors that a search is tuned for if nothing is said: with k 10, every second query
/// misses one.
const RECALL_DEFAULT: f32 = 0.95;

/// The most boosts of one search.
const BOOSTS_MAX: usize = 64;

/// What is asked of a search besides what it searches for.
#[derive(Clone, Debug)]
#[must_use]
pub struct QueryOptions {
    pub(crate) k: usize,
    pub(crate) offset: usize,
    pub(crate) filter: Option<Filter>,
    pub(crate) min_score: Option<f32>,
    pub(crate) recall: f32,
    pub(crate) exact: bool,
    pub(crate) boosts: Vec<Boost>,
}

impl Default for QueryOptions {
    fn default() -> Self {
        Self {
            k: 10,
            offset: 0,
            filter: None,
            min_score: None,
            recall: RECALL_DEFAULT,
            exact: false,
            boosts: Vec::new(),
        }
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

    /// Sets how many of the best are left out, for paging.
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

    /// Sets the share of the true neighbors that a search of vectors is tuned to find (0.95 without it), above 0 and at
    /// most 1. At 1 it is exact. Searches of texts and of sparse vectors always are.
    pub fn recall(mut self, recall: f32) -> Self {
        self.recall = recall;
        self
    }

    /// Sets whether a search of vectors compares every record, so that no neighbor is missed.
    pub fn exact(mut self, exact: bool) -> Self {
        self.exact = exact;
        self
    }

    /// Changes scores by what records have in their metadata, after other boosts: see [`Boost`].
    pub fn boost(mut self, boost: impl Into<Boost>) -> Self {
        self.boosts.push(boost.into());
        self
    }

    /// Returns the recall that is enough; 1 is exact.
    pub(crate) fn wanted_recall(&self) -> f32 {
        if self.exact { 1.0 } else { self.recall }
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
        check_recall(self.recall)?;
        if self.boosts.len() > BOOSTS_MAX {
            return Err(Error::invalid(format!(
                "a search may have {BOOSTS_MAX} boosts, got {}",
                self.boosts.len()
            )));
        }
        Ok(())
    }
}

pub(crate) fn check_recall(recall: f32) -> Result<()> {
    if recall > 0.0 && recall <= 1.0 {
        return Ok(());
    }
    Err(Error::invalid(format!("recall must be above 0 and at most 1, got {recall}")))
}

/// Gives kinds of searches the setters of their `options`.
macro_rules! search_setters {
    ($($query:ident)*) => {$(
        impl $query {
            /// Sets all that is asked for besides what is searched for.
            pub fn options(mut self, options: $crate::query::QueryOptions) -> Self {
                self.options = options;
                self
            }

            /// Sets how many records are returned at most (10 without it).
            pub fn k(mut self, k: usize) -> Self {
                self.options.k = k;
                self
            }

            /// Sets how many of the best are left out, for paging.
            pub fn offset(mut self, offset: usize) -> Self {
                self.options.offset = offset;
                self
            }

            /// Restricts the search to records that match. Scores of texts go by all records of the collection: a filter
            /// changes none.
            pub fn filter(mut self, filter: impl Into<Option<$crate::filter::Filter>>) -> Self {
                self.options.filter = filter.into();
                self
            }

            /// Leaves out records of a lower score.
            pub fn min_score(mut self, min_score: impl Into<Option<f32>>) -> Self {
                self.options.min_score = min_score.into();
                self
            }
        }
    )*};
}

/// Gives searches of vectors the setters of how they are searched.
macro_rules! vector_setters {
    ($($query:ident)*) => {$(
        impl $query {
            /// Sets the share of the true neighbors that vectors are searched for: see
            /// [`QueryOptions::recall`]($crate::QueryOptions::recall).
            pub fn recall(mut self, recall: f32) -> Self {
                self.options.recall = recall;
                self
            }

            /// Sets whether every record is compared: see [`QueryOptions::exact`]($crate::QueryOptions::exact).
            pub fn exact(mut self, exact: bool) -> Self {
                self.options.exact = exact;
                self
            }
        }
    )*};
}

pub(super) use {search_setters, vector_setters};

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

impl Query {
    /// Makes a search for the 10 records nearest to `vector`.
    pub fn new(vector: impl Into<Vec<f32>>) -> Self {
        Self { vector: vector.into(), options: QueryOptions::default() }
    }
}

search_setters!(Query);
vector_setters!(Query);
