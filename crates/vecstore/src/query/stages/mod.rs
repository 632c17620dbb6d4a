//! Searches in stages: each makes something of what the one before found.

mod expression;

pub(crate) use expression::{Expression, Inputs};

use super::boost::Boost;
use super::hybrid::{Fusion, HybridQuery};
use super::multi::MultiQuery;
use super::options::{Query, QueryOptions};
use super::shaped::check_lambda;
use super::text::{SparseQuery, TextQuery};
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::limits::MAX_K;
use crate::multi_vector::MultiVector;

/// The most stages of a query, those of its prefetches included.
const STAGES_MAX: usize = 256;

/// How deep prefetches may nest.
const DEPTH_MAX: usize = 8;

/// The most rows that [`QueryStage::Mmr`] chooses from: each is compared with each that is chosen.
pub(crate) const DIVERSE_MAX: usize = 65_536;

/// A search in stages, on one snapshot. The first stage searches, the others filter, rescore, reorder or cut what the one
/// before found. The best `k` of the last are returned.
///
/// A filter of the query restricts every search in it, nested ones included.
///
/// # Examples
///
/// ```
/// use vecstore::{Fusion, PrefetchQuery, Query, QueryStage, Record, Rerank, TextQuery, VecStore};
///
/// let store = VecStore::options().open_in_memory()?;
/// store.upsert_record(&Record::new("a", [1.0, 0.0]).with_text("red fox"), None)?;
/// store.upsert_record(&Record::new("b", [0.8, 0.6]).with_text("red car"), None)?;
/// let both = QueryStage::fusion(
///     Fusion::default(),
///     [PrefetchQuery::new([Query::new([1.0, 0.0]).k(100).into()]), PrefetchQuery::new([TextQuery::new("car").into()])],
/// );
/// let query = PrefetchQuery::new([both, QueryStage::rerank(Rerank::Vector(vec![0.0, 1.0]))]).k(1);
/// assert_eq!(store.prefetch_query(&query)?[0].id, "b");
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PrefetchQuery {
    pub(crate) stages: Vec<QueryStage>,
    /// How many are returned, if that was said.
    pub(crate) k: Option<usize>,
    pub(crate) options: QueryOptions,
}

/// A stage of a [`PrefetchQuery`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum QueryStage {
    /// Searches for the records nearest to a vector.
    Vector(Query),
    /// Searches texts.
    Text(TextQuery),
    /// Searches sparse vectors.
    Sparse(SparseQuery),
    /// Searches by a vector and words.
    Hybrid(HybridQuery),
    /// Searches by late interaction.
    Multi(MultiQuery),
    /// Runs several searches and makes one ranking of all.
    Fusion {
        /// The searches.
        prefetch: Vec<PrefetchQuery>,
        /// How the rankings become one.
        fusion: Fusion,
        /// What each ranking counts; all the same if there are none.
        weights: Vec<f32>,
        /// How many of the best go on.
        k: usize,
    },
    /// Keeps the records that match.
    Filter(Filter),
    /// Gives each record a new score and orders them by it.
    Rerank {
        /// What the score is.
        by: Rerank,
        /// How many of the best go on; all without it.
        k: Option<usize>,
    },
    /// Changes scores by metadata and orders by them.
    Boost {
        /// The boosts, in order.
        boosts: Vec<Boost>,
        /// How many of the best go on; all without it.
        k: Option<usize>,
    },
    /// Chooses records that score well and are unlike each other, as [`MmrQuery`](crate::MmrQuery) does.
    Mmr {
        /// How many are chosen.
        k: usize,
        /// How much the score counts, from 0 to 1.
        lambda: f32,
        /// What scores are with; without it those of the stage before count, from 0 for the worst to 1 for the best.
        vector: Option<Vec<f32>>,
    },
    /// Keeps the first.
    Limit(usize),
    /// Keeps what has at least this score.
    MinScore(f32),
}

/// What a record is scored by.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Rerank {
    /// Its vector's score with another.
    Vector(Vec<f32>),
    /// Its score by late interaction: see [`MultiQuery`].
    Vectors(MultiVector),
    /// A formula of its score and its metadata.
    ///
    /// Numbers, `+ - * /`, `( )`; `score`, `rank` (from 1) and `now` (Unix seconds); paths of the metadata, in backticks if they
    /// are not plain words with dots; `abs sqrt exp ln log10 pow min max`; `default(path, number)` for records without a
    /// number at the path. Times are in Unix seconds, true and false 1 and 0.
    Expression(String),
}

impl PrefetchQuery {
    /// Makes a search for 10 records.
    pub fn new(stages: impl IntoIterator<Item = QueryStage>) -> Self {
        Self { stages: stages.into_iter().collect(), k: None, options: QueryOptions::default() }
    }

    /// Sets how many records are returned at most: 10 without it, or of a prefetch all that its last stage passes on.
    pub fn k(mut self, k: usize) -> Self {
        self.k = Some(k);
        self
    }

    /// Sets how many of the best are left out, for paging.
    pub fn offset(mut self, offset: usize) -> Self {
        self.options.offset = offset;
        self
    }

    /// Restricts all searches of the query to records that match.
    pub fn filter(mut self, filter: impl Into<Option<Filter>>) -> Self {
        self.options.filter = filter.into();
        self
    }

    /// Leaves out records of a lower score.
    pub fn min_score(mut self, min_score: impl Into<Option<f32>>) -> Self {
        self.options.min_score = min_score.into();
        self
    }

    /// Checks what can be checked without the collection: how many stages there are, in which order, and what they ask.
    pub(crate) fn check(&self) -> Result<()> {
        let mut left = STAGES_MAX;
        self.check_nested(1, &mut left)
    }

    fn check_nested(&self, depth: usize, left: &mut usize) -> Result<()> {
        self.options.check()?;
        self.k.map_or(Ok(()), check_k)?;
        if depth > DEPTH_MAX {
            return Err(Error::invalid(format!("prefetches may nest {DEPTH_MAX} deep, got more")));
        }
        if self.stages.is_empty() {
            return Err(Error::invalid("a prefetch query has at least one stage, got none"));
        }
        for (at, stage) in self.stages.iter().enumerate() {
            if *left == 0 {
                return Err(Error::invalid(format!("a query may have {STAGES_MAX} stages, got more")));
            }
            *left -= 1;
            if stage.is_search() != (at == 0) {
                let message = match at {
                    0 => "the first stage must be a search: vector, text, sparse, hybrid, multi or fusion",
                    _ => "only the first stage may be a search; to score by another vector use rerank",
                };
                return Err(stage.fault(at, &Error::invalid(message)));
            }
            stage.check().map_err(|error| stage.fault(at, &error))?;
            if let QueryStage::Fusion { prefetch, .. } = stage {
                for (n, query) in prefetch.iter().enumerate() {
                    query
                        .check_nested(depth + 1, left)
                        .map_err(|error| stage.fault(at, &in_prefetch(n, &error)))?;
                }
            }
        }
        Ok(())
    }
}

/// Says of which prefetch an error is.
pub(crate) fn in_prefetch(n: usize, error: &Error) -> Error {
    Error::with_message(error, format!("prefetch {}: {}", n + 1, error.message()))
}

impl QueryStage {
    /// Makes a stage that fuses searches, each counting the same, and passes on 100.
    pub fn fusion(fusion: Fusion, prefetch: impl IntoIterator<Item = PrefetchQuery>) -> Self {
        Self::Fusion { prefetch: prefetch.into_iter().collect(), fusion, weights: Vec::new(), k: 100 }
    }

    /// Makes a stage that rescores all it gets.
    pub fn rerank(by: Rerank) -> Self {
        Self::Rerank { by, k: None }
    }

    /// Makes a stage that chooses `k` records, counting scores half.
    pub fn mmr(k: usize) -> Self {
        Self::Mmr { k, lambda: 0.5, vector: None }
    }

    /// Returns the name of the stage, in snake case.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Vector(_) => "vector_search",
            Self::Text(_) => "text_search",
            Self::Sparse(_) => "sparse_search",
            Self::Hybrid(_) => "hybrid_search",
            Self::Multi(_) => "multi_search",
            Self::Fusion { .. } => "fusion",
            Self::Filter(_) => "filter",
            Self::Rerank { .. } => "rerank",
            Self::Boost { .. } => "boost",
            Self::Mmr { .. } => "mmr",
            Self::Limit(_) => "limit",
            Self::MinScore(_) => "min_score",
        }
    }

    /// Says of which stage an error is.
    pub(crate) fn fault(&self, at: usize, error: &Error) -> Error {
        let message = format!("stage {} ({}): {}", at + 1, self.name(), error.message());
        Error::with_message(error, message)
    }

    fn is_search(&self) -> bool {
        matches!(
            self,
            Self::Vector(_)
                | Self::Text(_)
                | Self::Sparse(_)
                | Self::Hybrid(_)
                | Self::Multi(_)
                | Self::Fusion { .. }
        )
    }

    fn check(&self) -> Result<()> {
        match self {
            Self::Vector(query) => query.options.check(),
            Self::Text(query) => query.check(),
            Self::Sparse(query) => query.options.check(),
            Self::Hybrid(query) => query.check(),
            Self::Multi(query) => query.check(),
            Self::Fusion { prefetch, fusion, weights, k } => {
                fusion.check()?;
                check_k(*k)?;
                if prefetch.is_empty() {
                    return Err(Error::invalid("expected at least one prefetch, got none"));
                }
                if !weights.is_empty() && weights.len() != prefetch.len() {
                    return Err(Error::invalid(format!(
                        "expected a weight for each of {} prefetches, got {}",
                        prefetch.len(),
                        weights.len()
                    )));
                }
                match weights.iter().find(|&&weight| !(0.0..=f32::MAX).contains(&weight)) {
                    Some(weight) => {
                        Err(Error::invalid(format!("a weight must be a number of at least 0, got {weight}")))
                    }
                    None => Ok(()),
                }
            }
            Self::Filter(filter) => filter.check(),
            Self::Rerank { by, k } => {
                if let Rerank::Expression(text) = by {
                    Expression::parse(text)?;
                }
                k.map_or(Ok(()), check_k)
            }
            Self::Boost { boosts, k } => {
                super::boost::Boosts::new(boosts, 0)?;
                k.map_or(Ok(()), check_k)
            }
            Self::Mmr { k, lambda, .. } => {
                check_lambda(*lambda)?;
                check_k(*k)
            }
            Self::Limit(k) => check_k(*k),
            Self::MinScore(score) if score.is_nan() => {
                Err(Error::invalid("min_score must be a number, got NaN"))
            }
            Self::MinScore(_) => Ok(()),
        }
    }
}

fn check_k(k: usize) -> Result<()> {
    if (1..=MAX_K).contains(&k) {
        return Ok(());
    }
    Err(Error::invalid(format!("k must be between 1 and {MAX_K}, got {k}")))
}

macro_rules! from_each {
    ($($variant:ident($query:ident))*) => {$(
        impl From<$query> for QueryStage {
            fn from(query: $query) -> Self {
                Self::$variant(query)
            }
        }
    )*};
}

from_each!(Vector(Query) Text(TextQuery) Sparse(SparseQuery) Hybrid(HybridQuery) Multi(MultiQuery));
