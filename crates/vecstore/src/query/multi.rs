//! Searches of records that have several vectors.

use super::options::{QueryOptions, search_setters, vector_setters};
use crate::error::{Error, Result};
use crate::limits::MAX_K;
use crate::multi_vector::MultiVector;

/// The most vectors of one search.
const VECTORS_MAX: usize = 4096;

/// How many candidates there are at first, at least and for each record that is wanted. With tokens of a sentence encoder the
/// 10 best of 6,000 descriptions are among 200 to .98; where records are of three texts each to .88, and to .98 with twice as
/// many as long as that changes the best; where they are random tokens to .60, and .98.
const CANDIDATES_MIN: usize = 200;
const CANDIDATES_FACTOR: usize = 10;

/// How many times as many there are in the end at most.
const CANDIDATES_GROWTH: usize = 16;

/// A search by late interaction: a record scores the sum, over the vectors of the query, of the best score of one of its
/// vectors with that (`MaxSim` of `ColBERT`, Khattab and Zaharia, SIGIR 2020). A record that was written with one vector has that
/// one.
///
/// Candidates are the records whose mean vectors are nearest to the mean of the query's vectors and to each of those; they
/// are ordered by scores that are exact. There are 10 for each record that is wanted, at least 200, then twice as many, and so on
/// as long as that changes which records are the best, up to 16 times as many. With [`exact`](MultiQuery::exact) every record is
/// one.
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

    /// Sets how many records are candidates, about.
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

    /// Returns how many records are candidates at first.
    pub(crate) fn depth(&self) -> usize {
        let wanted = self.options.k + self.options.offset;
        match self.candidates {
            Some(candidates) => candidates.max(wanted),
            None => wanted.saturating_mul(CANDIDATES_FACTOR).max(CANDIDATES_MIN),
        }
    }

    /// Returns how many records are candidates at most.
    pub(crate) fn depth_max(&self) -> usize {
        match self.candidates {
            Some(_) => self.depth(),
            None => self.depth().saturating_mul(CANDIDATES_GROWTH),
        }
    }
}

search_setters!(MultiQuery);
vector_setters!(MultiQuery);
