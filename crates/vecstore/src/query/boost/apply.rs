//! Boosts prepared for a search.

use super::decay::number;
use super::{Boost, BoostMode, Decay, FieldBoost, FilterBoost, Modifier};
use crate::error::Result;
use crate::filter::{FieldPath, Matcher};
use crate::metadata::{DocumentRef, ValueRef};

/// The boosts of a search.
pub(crate) struct Boosts<'a> {
    prepared: Vec<Prepared<'a>>,
    now_unix_ms: u64,
}

enum Prepared<'a> {
    Decay(&'a Decay, FieldPath),
    Field(&'a FieldBoost, FieldPath),
    Filter(&'a FilterBoost, Box<Matcher>),
}

impl<'a> Boosts<'a> {
    /// Checks boosts and prepares them.
    pub(crate) fn new(boosts: &'a [Boost], now_unix_ms: u64) -> Result<Self> {
        let prepare = |boost: &'a Boost| -> Result<Prepared<'a>> {
            Ok(match boost {
                Boost::Decay(decay) => {
                    decay.check()?;
                    Prepared::Decay(decay, FieldPath::new(&decay.path))
                }
                Boost::Field(field) => {
                    field.check()?;
                    Prepared::Field(field, FieldPath::new(&field.path))
                }
                Boost::Filter(filter) => {
                    filter.check()?;
                    Prepared::Filter(filter, Box::new(filter.filter.compile()?))
                }
            })
        };
        Ok(Self { prepared: boosts.iter().map(prepare).collect::<Result<_>>()?, now_unix_ms })
    }

    /// Returns the boosted score of a record.
    pub(crate) fn score(&self, score: f32, document: DocumentRef<'_>) -> f32 {
        if score.is_nan() {
            return f32::MIN; // a distance that overflowed is far away
        }
        let boosted = |score, prepared: &Prepared<'_>| match prepared {
            Prepared::Decay(decay, path) => {
                with_decay(score, decay, decay.left(path.find_in(document), self.now_unix_ms))
            }
            Prepared::Field(field, path) => {
                joined(score, field.mode, by_number(field, path.find_in(document)))
            }
            Prepared::Filter(filter, matcher) if matcher.matches(document) => {
                joined(score, filter.mode, filter.weight)
            }
            Prepared::Filter(..) => score,
        };
        narrowed(self.prepared.iter().fold(f64::from(score), boosted))
    }

    /// Returns the most that a record with this score or a lower one can get, whatever its metadata.
    pub(crate) fn most(&self, score: f32) -> f32 {
        let raised = |score, prepared: &Prepared<'_>| match prepared {
            Prepared::Decay(decay, _) => with_decay(score, decay, 1.0),
            Prepared::Field(field, _) => joined(score, field.mode, field.most),
            Prepared::Filter(filter, _) => score.max(joined(score, filter.mode, filter.weight)),
        };
        narrowed(self.prepared.iter().fold(f64::from(score), raised))
    }
}

fn with_decay(score: f64, decay: &Decay, left: f64) -> f64 {
    match decay.mode {
        BoostMode::Multiply => joined(score, decay.mode, 1.0 - decay.weight + decay.weight * left),
        BoostMode::Add => joined(score, decay.mode, decay.weight * left),
    }
}

fn joined(score: f64, mode: BoostMode, by: f64) -> f64 {
    match mode {
        BoostMode::Add => score + by,
        // What is left of 0 is 0, also where a number is beyond all bounds.
        BoostMode::Multiply if score == 0.0 => 0.0,
        BoostMode::Multiply if score > 0.0 => score * by,
        BoostMode::Multiply => score / by.max(f64::MIN_POSITIVE),
    }
}

fn by_number(field: &FieldBoost, stored: Option<ValueRef<'_>>) -> f64 {
    let value = match stored {
        Some(ValueRef::List(list)) => list.iter().filter_map(|value| number(value.ok()?)).reduce(f64::max),
        Some(value) => number(value),
        None => None,
    };
    let Some(value) = value else { return field.missing.min(field.most) };
    let value = (value.max(0.0) * field.factor).max(0.0);
    let modified = match field.modifier {
        Modifier::None => value,
        Modifier::Log1p => value.ln_1p(),
        Modifier::Sqrt => value.sqrt(),
        Modifier::Square => value * value,
    };
    modified.min(field.most)
}

/// Returns the f32 nearest to a score; what is beyond them all becomes the last of them. Nothing of something boundless is
/// nothing.
fn narrowed(score: f64) -> f32 {
    if score.is_nan() { 0.0 } else { (score as f32).clamp(f32::MIN, f32::MAX) }
}
