//! Searches by the first components of vectors.

use super::options::{QueryOptions, search_setters};
use crate::error::{Error, Result};
use crate::limits::MAX_K;

/// How many candidates there are at least, and how many for each record that is wanted.
const CANDIDATES_MIN: usize = 100;
const CANDIDATES_FACTOR: usize = 10;

/// A search for the records nearest to a vector by its first components, as embeddings of Matryoshka models (Kusupati et al.,
/// NeurIPS 2022) allow: every record is compared on these alone (under cosine with length 1), and the best are ordered by
/// whole vectors.
///
/// It reads a share of each vector where an exact search reads all, or codes of a quarter of their size. A search of a graph
/// reads less than either.
///
/// # Examples
///
/// ```
/// use vecstore::{Metadata, PrefixQuery, VecStore};
///
/// let store = VecStore::options().open_in_memory()?;
/// store.upsert("a", &[1.0, 0.2, 0.1], &Metadata::new())?;
/// store.upsert("b", &[0.2, 1.0, 0.1], &Metadata::new())?;
/// assert_eq!(store.prefix_query(&PrefixQuery::new([1.0, 0.1, 0.3], 2).k(1))?[0].id, "a");
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PrefixQuery {
    pub(crate) vector: Vec<f32>,
    pub(crate) prefix_dim: usize,
    pub(crate) candidates: Option<usize>,
    pub(crate) options: QueryOptions,
}

impl PrefixQuery {
    /// Makes a search for 10 records by the first `prefix_dim` components.
    pub fn new(vector: impl Into<Vec<f32>>, prefix_dim: usize) -> Self {
        Self { vector: vector.into(), prefix_dim, candidates: None, options: QueryOptions::default() }
    }

    /// Sets how many records are ordered by whole vectors: 10 for each that is wanted, and at least 100, without it.
    pub fn candidates(mut self, candidates: usize) -> Self {
        self.candidates = Some(candidates);
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.options.check()?;
        if !(1..=self.vector.len()).contains(&self.prefix_dim) {
            return Err(Error::invalid(format!(
                "prefix_dim must be between 1 and {}, the dimension of the vector, got {}",
                self.vector.len(),
                self.prefix_dim
            )));
        }
        match self.candidates {
            Some(candidates) if !(1..=MAX_K).contains(&candidates) => {
                Err(Error::invalid(format!("candidates must be between 1 and {MAX_K}, got {candidates}")))
            }
            _ => Ok(()),
        }
    }

    /// Returns how many records are ordered by whole vectors.
    pub(crate) fn depth(&self) -> usize {
        let wanted = self.options.k + self.options.offset;
        match self.candidates {
            Some(candidates) => candidates.max(wanted),
            None => wanted.saturating_mul(CANDIDATES_FACTOR).max(CANDIDATES_MIN),
        }
    }
}

search_setters!(PrefixQuery);
