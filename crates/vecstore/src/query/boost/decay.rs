//! A boost that is largest at one value of a field and falls with the distance from it.

use super::{BoostMode, check_number, check_path};
use crate::error::{Error, Result};
use crate::metadata::{DateTime, ValueRef};

const MICROS_PER_SECOND: f64 = 1e6;

/// Where a decay starts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Origin {
    /// The time of the search.
    #[default]
    Now,
    /// A time.
    Time(DateTime),
    /// A number.
    Number(f64),
}

/// How a decay falls, with `d` the distance beyond the offset as a share of the scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecayShape {
    /// `decay ^ d`.
    #[default]
    Exponential,
    /// `decay ^ (d * d)`.
    Gauss,
    /// `1 - (1 - decay) * d`, at least 0.
    Linear,
}

/// A boost by how far a field is from an origin: 1 up to `offset` from it, `decay` at `offset + scale`.
///
/// From [`Origin::Now`] and [`Origin::Time`] distances are in seconds. A field that holds a time, an ISO-8601 string or a
/// number (Unix seconds) has one; from [`Origin::Number`], a field that holds a number. Of a list the nearest counts.
///
/// # Examples
///
/// ```
/// use vecstore::{Decay, Origin, Query, QueryOptions};
///
/// // A score falls to a half in a week.
/// let recent = Decay::new("published", Origin::Now, 7.0 * 86_400.0);
/// let query = Query::new([1.0, 0.0]).options(QueryOptions::new().k(5).boost(recent));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Decay {
    pub(super) path: String,
    pub(super) origin: Origin,
    scale: f64,
    offset: f64,
    decay: f64,
    shape: DecayShape,
    pub(super) weight: f64,
    pub(super) missing: f64,
    pub(super) mode: BoostMode,
}

impl Decay {
    /// Makes an exponential decay to a half at `scale` from the origin.
    pub fn new(path: impl Into<String>, origin: Origin, scale: f64) -> Self {
        Self {
            path: path.into(),
            origin,
            scale,
            offset: 0.0,
            decay: 0.5,
            shape: DecayShape::Exponential,
            weight: 1.0,
            missing: 1.0,
            mode: BoostMode::Multiply,
        }
    }

    /// Sets the distance up to which nothing is lost (0 without it).
    pub fn offset(mut self, offset: f64) -> Self {
        self.offset = offset;
        self
    }

    /// Sets what is left at `offset + scale` (0.5 without it), above 0 and below 1.
    pub fn decay(mut self, decay: f64) -> Self {
        self.decay = decay;
        self
    }

    /// Sets how it falls.
    pub fn shape(mut self, shape: DecayShape) -> Self {
        self.shape = shape;
        self
    }

    /// Sets how much the decay counts (1 without it). Multiplied, from 0 to 1: the factor is `1 - weight + weight * decay`.
    /// Added, any number of at least 0: `weight * decay` is.
    pub fn weight(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }

    /// Sets the decay of a record without a value at the path, from 0 to 1 (without it 1: it loses nothing).
    pub fn missing(mut self, missing: f64) -> Self {
        self.missing = missing;
        self
    }

    /// Sets whether scores are multiplied (without it) or added to.
    pub fn mode(mut self, mode: BoostMode) -> Self {
        self.mode = mode;
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        check_path("Decay", &self.path)?;
        if let Origin::Number(origin) = self.origin {
            check_number("Decay", "origin", origin, f64::MIN..=f64::MAX)?;
        }
        for (name, number, is_in) in [
            ("scale must be a finite number above 0", self.scale, self.scale > 0.0),
            ("decay must be above 0 and below 1", self.decay, self.decay > 0.0 && self.decay < 1.0),
        ] {
            if !is_in || !number.is_finite() {
                return Err(Error::invalid(format!("Decay: {name}, got {number}")));
            }
        }
        check_number("Decay", "offset", self.offset, 0.0..=f64::MAX)?;
        check_number("Decay", "missing", self.missing, 0.0..=1.0)?;
        let most = if self.mode == BoostMode::Add { f64::MAX } else { 1.0 };
        check_number("Decay", "weight", self.weight, 0.0..=most)
    }

    /// Returns what is left of a stored value, from 0 to 1.
    pub(super) fn left(&self, stored: Option<ValueRef<'_>>, now_unix_ms: u64) -> f64 {
        let distance = match stored {
            Some(ValueRef::List(list)) => {
                let distances = list.iter().filter_map(|value| self.distance(value.ok()?, now_unix_ms));
                distances.reduce(f64::min)
            }
            Some(value) => self.distance(value, now_unix_ms),
            None => None,
        };
        distance.map_or(self.missing, |distance| self.at(distance))
    }

    fn at(&self, distance: f64) -> f64 {
        let d = (distance - self.offset).max(0.0) / self.scale;
        match self.shape {
            DecayShape::Exponential => self.decay.powf(d),
            DecayShape::Gauss => self.decay.powf(d * d),
            DecayShape::Linear => (1.0 - (1.0 - self.decay) * d).max(0.0),
        }
    }

    fn distance(&self, value: ValueRef<'_>, now_unix_ms: u64) -> Option<f64> {
        let origin = match self.origin {
            Origin::Number(origin) => return Some((number(value)? - origin).abs()).filter(|d| !d.is_nan()),
            Origin::Time(time) => time.unix_micros(),
            Origin::Now => i64::try_from(now_unix_ms).ok()?.checked_mul(1000)?,
        };
        let time = match value {
            ValueRef::DateTime(time) => time.unix_micros(),
            ValueRef::Str(text) => DateTime::try_parse(text)?.unix_micros(),
            value => {
                let seconds = number(value)? - origin as f64 / MICROS_PER_SECOND;
                return Some(seconds.abs()).filter(|seconds| !seconds.is_nan());
            }
        };
        Some(time.abs_diff(origin) as f64 / MICROS_PER_SECOND)
    }
}

/// Returns a stored number; a bool is none.
pub(super) fn number(value: ValueRef<'_>) -> Option<f64> {
    match value {
        ValueRef::Int(number) => Some(number as f64),
        ValueRef::Float(number) => Some(number).filter(|number| !number.is_nan()),
        _ => None,
    }
}
