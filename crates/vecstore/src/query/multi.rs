//! Searches of records that have several vectors.

use super::options::{QueryOptions, search_setters, vector_setters};
use crate::error::{Error, Result};
use crate::limits::MAX_K;
use crate::multi_vector::MultiVector;

/// The most vectors of one search.
const VECTORS_MAX: usize = 4096;

/// How many candidates there are at least, and how many for each record that is wanted.
const CANDIDATES_MIN: usize = 200;
const CANDIDATES_FACTOR: usize = 10;

/// A search by late interaction: a record scores the sum, over the vectors of the query, of the best score of one of its
/// vectors with that (`MaxSim` of `ColBERT`, Khattab and Zaharia, SIGIR 2020). A record that was written with one vector has that
/// one.
///
/// Candidates are the records whose mean vectors are nearest to the mean of the query's vectors and to each of those; they
/// are ordered by scores that are exact. With [`exact`](MultiQuery::exact) every record is.
#[derive(Clone, Debug)]
#[must_use]
pub struct MultiQuery {
    pub(crate) vectors: MultiVector,
    pub(crate) candidates: Option<usize>,
    pub(crate) options: QueryOptions,
}

impl MultiQuery {
    /// Makes a search for 10 records.
    pub fn new(vectors: MultiVector) -> Self {
        Self { vectors, candidates: None, options: QueryOptions::default() }
    }

    /// Sets how many records are candidates, about: 10 for each that is wanted, and at least 200, without it.
    pub fn candidates(mut self, candidates: usize) -> Self {
        self.candidates = Some(candidates);
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.options.check()?;
        if self.vectors.len() > VECTORS_MAX {
            return Err(Error::invalid(format!(
                "a search may have {VECTORS_MAX} vectors, got {}",
                self.vectors.len()
            )));
        }
        match self.candidates {
            Some(candidates) if !(1..=MAX_K).contains(&candidates) => {
                Err(Error::invalid(format!("candidates must be between 1 and {MAX_K}, got {candidates}")))
            }
            _ => Ok(()),
        }
    }

    /// Returns how many records are candidates.
    pub(crate) fn depth(&self) -> usize {
        let wanted = self.options.k + self.options.offset;
        match self.candidates {
            Some(candidates) => candidates.max(wanted),
            None => wanted.saturating_mul(CANDIDATES_FACTOR).max(CANDIDATES_MIN),
        }
    }
}

search_setters!(MultiQuery);
vector_setters!(MultiQuery);
