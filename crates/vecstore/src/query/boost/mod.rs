//! Scores changed by what records have in their metadata.

mod apply;
mod decay;

pub(crate) use apply::Boosts;
pub use decay::{Decay, DecayShape, Origin};

use crate::error::{Error, Result};
use crate::filter::Filter;

/// The longest path of a boost, in bytes.
const PATH_BYTES_MAX: usize = 4096;

/// A change of scores by metadata, applied to what a search found in the order of [`QueryOptions::boost`](crate::QueryOptions::boost).
///
/// With [`exact`](crate::QueryOptions::exact), and for texts and sparse vectors, the answer is the order by boosted score of
/// all records that match. Otherwise the search looks at the 16 times `k` (at least 256) nearest records, then at four times
/// as many, until no record further away could be among the best whatever its metadata, or it has looked at 16,384. What it
/// looked at is ordered by boosted scores that are exact.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Boost {
    /// By how far a number or a time is from where it counts most.
    Decay(Decay),
    /// By a number.
    Field(FieldBoost),
    /// By whether a filter matches.
    Filter(FilterBoost),
}

/// What a boost does to a score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BoostMode {
    /// Multiplies it. A score below 0 is divided, so that a factor below 1 lowers every score and one above 1 raises it.
    #[default]
    Multiply,
    /// Adds to it.
    Add,
}

/// What is done to a number before it boosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Modifier {
    /// Nothing.
    #[default]
    None,
    /// The natural logarithm of 1 more.
    Log1p,
    /// The square root.
    Sqrt,
    /// The square.
    Square,
}

/// A boost by a number in the metadata: by `weight * modifier(factor * number)`, where a number below 0 counts as 0.
#[derive(Clone, Debug)]
#[must_use]
pub struct FieldBoost {
    path: String,
    factor: f64,
    modifier: Modifier,
    missing: f64,
    most: f64,
    mode: BoostMode,
}

impl FieldBoost {
    /// Makes a boost by the number at `path`; of a list, by the largest of its numbers.
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            factor: 1.0,
            modifier: Modifier::None,
            missing: 1.0,
            most: f64::INFINITY,
            mode: BoostMode::Multiply,
        }
    }

    /// Sets what the number is multiplied by first (1 without it), at least 0.
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Sets what is done to it then (nothing without it).
    pub fn modifier(mut self, modifier: Modifier) -> Self {
        self.modifier = modifier;
        self
    }

    /// Sets what a record without a number at the path is boosted by (1 without it), at least 0.
    pub fn missing(mut self, missing: f64) -> Self {
        self.missing = missing;
        self
    }

    /// Sets the most that a record is boosted by. It also lets an approximate search end sooner: without it any record
    /// further away may have a number large enough to be among the best.
    pub fn most(mut self, most: f64) -> Self {
        self.most = most;
        self
    }

    /// Sets whether scores are multiplied (without it) or added to.
    pub fn mode(mut self, mode: BoostMode) -> Self {
        self.mode = mode;
        self
    }

    fn check(&self) -> Result<()> {
        check_path("FieldBoost", &self.path)?;
        check_number("FieldBoost", "factor", self.factor, 0.0..=f64::MAX)?;
        check_number("FieldBoost", "missing", self.missing, 0.0..=f64::MAX)?;
        check_number("FieldBoost", "most", self.most, 0.0..=f64::INFINITY)
    }
}

/// A boost of the records that match a filter.
#[derive(Clone, Debug)]
#[must_use]
pub struct FilterBoost {
    filter: Filter,
    weight: f64,
    mode: BoostMode,
}

impl FilterBoost {
    /// Makes a boost that multiplies the scores of records that match by `weight`, at least 0.
    pub fn new(filter: impl Into<Filter>, weight: f64) -> Self {
        Self { filter: filter.into(), weight, mode: BoostMode::Multiply }
    }

    /// Sets whether scores are multiplied (without it) or `weight`, which may then be below 0, is added.
    pub fn mode(mut self, mode: BoostMode) -> Self {
        self.mode = mode;
        self
    }

    fn check(&self) -> Result<()> {
        let least = if self.mode == BoostMode::Add { f64::MIN } else { 0.0 };
        check_number("FilterBoost", "weight", self.weight, least..=f64::MAX)
    }
}

fn check_path(boost: &str, path: &str) -> Result<()> {
    if path.is_empty() || path.len() > PATH_BYTES_MAX {
        return Err(Error::invalid(format!(
            "{boost}: a path has 1 to {PATH_BYTES_MAX} bytes, got {}",
            path.len()
        )));
    }
    Ok(())
}

fn check_number(boost: &str, name: &str, got: f64, range: std::ops::RangeInclusive<f64>) -> Result<()> {
    if range.contains(&got) {
        return Ok(());
    }
    let (low, high) = range.into_inner();
    Err(Error::invalid(match (low, high) {
        (low, high) if high < f64::MAX => {
            format!("{boost}: {name} must be between {low} and {high}, got {got}")
        }
        (f64::MIN, _) => format!("{boost}: {name} must be a finite number, got {got}"),
        (low, _) => format!("{boost}: {name} must be a number of at least {low}, got {got}"),
    }))
}

macro_rules! from_each {
    ($($variant:ident($boost:ident))*) => {$(
        impl From<$boost> for Boost {
            fn from(boost: $boost) -> Self {
                Self::$variant(boost)
            }
        }
    )*};
}

from_each!(Decay(Decay) Field(FieldBoost) Filter(FilterBoost));
