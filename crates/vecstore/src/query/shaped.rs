//! Searches for a vector whose results are put together otherwise than best first.

use super::options::{QueryOptions, search_setters, vector_setters};
use crate::error::{Error, Result};
use crate::limits::MAX_K;
use crate::metadata::Value;
use crate::query::Hits;

/// How many records are chosen from if nothing is said.
const FETCH_K: usize = 50;

/// The most records that are chosen from: each is compared with each that is chosen.
const FETCH_K_MAX: usize = 65_536;

/// A search for records that are near a vector and unlike each other.
///
/// Of the `fetch_k` nearest, records are chosen one by one: always that with the largest
/// `lambda * score - (1 - lambda) * similarity`, where similarity is the largest score with one chosen before (maximal
/// marginal relevance). With lambda 1 these are the nearest.
///
/// # Examples
///
/// ```
/// use vecstore::{Metadata, MmrQuery, VecStore};
///
/// let store = VecStore::options().open_in_memory()?;
/// for (id, vector) in [("a", [1.0, 0.1]), ("a again", [1.0, 0.11]), ("b", [0.7, -0.7])] {
///     store.upsert(id, &vector, &Metadata::new())?;
/// }
/// let found = store.mmr_query(&MmrQuery::new([1.0, 0.0]).k(2).lambda(0.4))?;
/// assert_eq!([&*found[0].id, &*found[1].id], ["a", "b"]);
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct MmrQuery {
    pub(crate) vector: Vec<f32>,
    pub(crate) fetch_k: usize,
    pub(crate) lambda: f32,
    pub(crate) options: QueryOptions,
}

impl MmrQuery {
    /// Makes a search for 10 of the 50 records nearest to a vector, with lambda 0.5.
    pub fn new(vector: impl Into<Vec<f32>>) -> Self {
        Self { vector: vector.into(), fetch_k: FETCH_K, lambda: 0.5, options: QueryOptions::default() }
    }

    /// Sets of how many of the nearest records are chosen; as many as are wanted, if that is more.
    pub fn fetch_k(mut self, fetch_k: usize) -> Self {
        self.fetch_k = fetch_k;
        self
    }

    /// Sets how much nearness counts, from 0 to 1; the rest is unlikeness.
    pub fn lambda(mut self, lambda: f32) -> Self {
        self.lambda = lambda;
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.options.check()?;
        check_lambda(self.lambda)?;
        let wanted = self.options.k + self.options.offset;
        for (name, got) in [("fetch_k", self.fetch_k), ("k and offset together", wanted)] {
            if !(1..=FETCH_K_MAX).contains(&got) {
                return Err(Error::invalid(format!("{name} must be between 1 and {FETCH_K_MAX}, got {got}")));
            }
        }
        Ok(())
    }

    /// Returns the options of the search for what is chosen from.
    pub(crate) fn fetched(&self) -> QueryOptions {
        let wanted = self.options.k + self.options.offset;
        self.options.clone().k(self.fetch_k.max(wanted)).offset(0)
    }
}

search_setters!(MmrQuery);
vector_setters!(MmrQuery);

pub(crate) fn check_lambda(lambda: f32) -> Result<()> {
    if (0.0..=1.0).contains(&lambda) {
        return Ok(());
    }
    Err(Error::invalid(format!("lambda must be between 0 and 1, got {lambda}")))
}

/// A search for the best records of the best groups.
///
/// A group is the records that have the same value at a path of the metadata: the same text, time, bytes or truth value, or
/// the same number, int or float. A record with a list there is in the group of each element. One without a value, or with
/// null, NaN or a map, is in none.
///
/// The groups are those of the records nearest to the vector, in this order, each with its nearest records: the search goes
/// on until there are as many groups as wanted, all full, or no more records.
///
/// # Examples
///
/// ```
/// use vecstore::{GroupQuery, Metadata, VecStore};
///
/// let store = VecStore::options().open_in_memory()?;
/// for (id, vector, page) in [("a", [1.0, 0.0], 1), ("b", [0.9, 0.1], 1), ("c", [0.1, 1.0], 2)] {
///     store.upsert(id, &vector, &Metadata::from([("page", page.into())]))?;
/// }
/// let groups = store.group_query(&GroupQuery::new([1.0, 0.0], "page").group_size(1))?;
/// assert_eq!(groups.iter().map(|group| group.value.as_int()).collect::<Vec<_>>(), [Some(1), Some(2)]);
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct GroupQuery {
    pub(crate) vector: Vec<f32>,
    pub(crate) by: String,
    pub(crate) group_size: usize,
    /// `k` counts groups.
    pub(crate) options: QueryOptions,
}

impl GroupQuery {
    /// Makes a search for 10 groups of 3 records each, by the values at a path of the metadata.
    pub fn new(vector: impl Into<Vec<f32>>, by: impl Into<String>) -> Self {
        Self { vector: vector.into(), by: by.into(), group_size: 3, options: QueryOptions::default() }
    }

    /// Sets how many groups are returned at most.
    pub fn groups(mut self, groups: usize) -> Self {
        self.options.k = groups;
        self
    }

    /// Sets how many records a group has at most.
    pub fn group_size(mut self, group_size: usize) -> Self {
        self.group_size = group_size;
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        let QueryOptions { k: groups, offset, .. } = self.options;
        for (name, got) in [("groups", groups), ("group_size", self.group_size)] {
            if !(1..=MAX_K).contains(&got) {
                return Err(Error::invalid(format!("{name} must be between 1 and {MAX_K}, got {got}")));
            }
        }
        if offset != 0 {
            return Err(Error::invalid(format!("offset of groups must be 0, got {offset}")));
        }
        if self.by.is_empty() {
            return Err(Error::invalid("by: a path has at least 1 byte, got none"));
        }
        self.options.check()
    }
}

search_setters!(GroupQuery);
vector_setters!(GroupQuery);

/// The best records that have the same value at a path.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Group {
    /// The value, as the best of them has it.
    pub value: Value,
    /// The records, best first.
    pub hits: Hits,
}
