//! Searches by examples.

use std::fmt;
use std::str::FromStr;

use super::options::{QueryOptions, search_setters, vector_setters};
use crate::error::{Error, Result};

/// The most examples of one search.
const EXAMPLES_MAX: usize = 1024;

/// What is like, or unlike, what is wanted.
#[derive(Clone, Debug, PartialEq)]
pub enum Example {
    /// A record of the collection, by its id. It is not among the results.
    Id(String),
    /// A vector.
    Vector(Vec<f32>),
}

impl From<&str> for Example {
    fn from(id: &str) -> Self {
        Self::Id(id.to_owned())
    }
}

impl From<String> for Example {
    fn from(id: String) -> Self {
        Self::Id(id)
    }
}

impl From<Vec<f32>> for Example {
    fn from(vector: Vec<f32>) -> Self {
        Self::Vector(vector)
    }
}

impl<const N: usize> From<[f32; N]> for Example {
    fn from(vector: [f32; N]) -> Self {
        Self::Vector(vector.to_vec())
    }
}

/// What examples come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// `average_vector`: the records nearest to one vector: the mean of the positive examples, or, if there are negative ones,
    /// twice that less the mean of the negative ones. Under cosine each example counts with length 1. Needs a positive one.
    #[default]
    AverageVector,
    /// `best_score`: by the best score with a positive example, unless that with a negative one is as good: those come after all
    /// others, those most like it last. Scores are between -1 and 1: `s` becomes `(1 + s / (1 + |s|)) / 2`, and that with its
    /// sign changed if a negative example was better.
    BestScore,
    /// `sum_scores`: by the sum of the scores with the positive examples, less those with the negative ones.
    SumScores,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AverageVector, Self::BestScore, Self::SumScores];

    /// Returns the name that [`FromStr`] takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::AverageVector => "average_vector",
            Self::BestScore => "best_score",
            Self::SumScores => "sum_scores",
        }
    }

    /// Returns the score of a record from its scores with the examples. There is at least one.
    pub(crate) fn score(self, positive: &[f32], negative: &[f32]) -> f32 {
        let sum = |scores: &[f32]| scores.iter().copied().map(f64::from).sum::<f64>();
        let best = |scores: &[f32]| scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        match self {
            Self::AverageVector => 0.0,
            Self::SumScores => (sum(positive) - sum(negative)) as f32,
            Self::BestScore => {
                let (liked, disliked) = (best(positive), best(negative));
                if liked > disliked { squeezed(liked) } else { -squeezed(disliked) }
            }
        }
    }
}

/// Returns a score between 0 and 1, in the same order.
pub(crate) fn squeezed(score: f32) -> f32 {
    if score == f32::INFINITY {
        return 1.0;
    }
    0.5 * (1.0 + score / (1.0 + score.abs()))
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Strategy {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|strategy| strategy.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            let start: String = name.chars().take(40).collect();
            Error::invalid(format!("strategy must be one of {names}; got `{}`", start.escape_debug()))
        })
    }
}

/// A search for records like some examples and unlike others.
///
/// # Examples
///
/// ```
/// use vecstore::{Metadata, RecommendQuery, VecStore};
///
/// let store = VecStore::options().open_in_memory()?;
/// for (id, vector) in [("a", [1.0, 0.0]), ("b", [0.9, 0.1]), ("c", [0.0, 1.0])] {
///     store.upsert(id, &vector, &Metadata::new())?;
/// }
/// let found = store.recommend(&RecommendQuery::new().like("a").k(1))?;
/// assert_eq!(found[0].id, "b");
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct RecommendQuery {
    pub(crate) positive: Vec<Example>,
    pub(crate) negative: Vec<Example>,
    pub(crate) strategy: Strategy,
    pub(crate) options: QueryOptions,
}

impl RecommendQuery {
    /// Makes a search for 10 records, without examples.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an example of what is wanted.
    pub fn like(mut self, example: impl Into<Example>) -> Self {
        self.positive.push(example.into());
        self
    }

    /// Adds an example of what is not wanted.
    pub fn unlike(mut self, example: impl Into<Example>) -> Self {
        self.negative.push(example.into());
        self
    }

    /// Sets what the examples come to.
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.options.check()?;
        let examples = self.positive.len() + self.negative.len();
        if examples > EXAMPLES_MAX {
            return Err(Error::invalid(format!(
                "a recommendation may have {EXAMPLES_MAX} examples, got {examples}"
            )));
        }
        if self.positive.is_empty() && (self.strategy == Strategy::AverageVector || examples == 0) {
            return Err(Error::invalid(format!(
                "recommend by {}: expected at least one {}example, got none",
                self.strategy,
                if self.strategy == Strategy::AverageVector { "positive " } else { "" }
            )));
        }
        Ok(())
    }
}

search_setters!(RecommendQuery);
vector_setters!(RecommendQuery);

/// A search for the records nearest to one that is there already.
#[derive(Clone, Debug)]
#[must_use]
pub struct IdQuery {
    pub(crate) id: String,
    pub(crate) includes_itself: bool,
    pub(crate) options: QueryOptions,
}

impl IdQuery {
    /// Makes a search for the 10 records nearest to the one with this id, without it.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), includes_itself: false, options: QueryOptions::default() }
    }

    /// Lets the record itself be among the results, if it matches the filter.
    pub fn include_itself(mut self) -> Self {
        self.includes_itself = true;
        self
    }
}

search_setters!(IdQuery);
vector_setters!(IdQuery);
