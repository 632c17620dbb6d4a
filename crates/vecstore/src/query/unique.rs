//! What records are too like each other.

use super::options::check_recall;
use crate::error::{Error, Result};
use crate::filter::Filter;

/// What is asked of a search for records that are like others.
///
/// # Examples
///
/// ```
/// use vecstore::{DuplicateQuery, Metadata, VecStore};
///
/// let store = VecStore::options().open_in_memory()?;
/// for (id, vector) in [("a", [1.0, 0.0]), ("b", [0.0, 1.0]), ("c", [1.0, 0.01])] {
///     store.upsert(id, &vector, &Metadata::new())?;
/// }
/// let found = store.find_duplicates(&DuplicateQuery::new(0.98))?;
/// assert_eq!((found[0].id.as_str(), found[0].of.as_str()), ("c", "a"));
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct DuplicateQuery {
    pub(crate) threshold: f32,
    pub(crate) filter: Option<Filter>,
    pub(crate) recall: f32,
}

/// The recall of a search for duplicates if nothing is said: what is very near is seldom missed.
const RECALL: f32 = 0.99;

impl DuplicateQuery {
    /// Looks for records whose score with another is at least `threshold`.
    pub fn new(threshold: f32) -> Self {
        Self { threshold, filter: None, recall: RECALL }
    }

    /// Looks at records alone that match.
    pub fn filter(mut self, filter: impl Into<Option<Filter>>) -> Self {
        self.filter = filter.into();
        self
    }

    /// Sets the share of the true neighbors that is enough (0.99 without it). At 1 nothing is missed.
    pub fn recall(mut self, recall: f32) -> Self {
        self.recall = recall;
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.threshold.is_nan() {
            return Err(Error::invalid("threshold must be a number, got NaN"));
        }
        check_recall(self.recall)
    }
}

/// A record that is like another.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Duplicate {
    /// Its id.
    pub id: String,
    /// The id of the record that it is most like, which stays.
    pub of: String,
    /// Their score.
    pub score: f32,
}

/// What [`Collection::upsert_unique`](crate::Collection::upsert_unique) did.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct UniqueOutcome {
    /// How many records were written.
    pub written: usize,
    /// Those that were not, in the order they were given.
    pub duplicates: Vec<Duplicate>,
}
