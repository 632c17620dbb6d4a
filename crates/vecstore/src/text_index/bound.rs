//! What the best row of a block, or of a whole list, can be worth at most.
//!
//! Scores depend on statistics of the whole collection, which change, so a bound holds what they are made of: how often
//! and in how short a text a term stands, or how large a weight is.

use super::cursor::Weight;

/// What is more stands as this.
const SATURATED: u32 = u16::MAX as u32;

/// Of the rows of a block that have a term.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bound {
    Text { count_max: u16, length_once: u16, length_more: u16 },
    Sparse { largest: f32, smallest: f32 },
}

impl Bound {
    /// Returns the bound of text rows, given as count and length.
    pub(super) fn of_text(rows: impl Iterator<Item = (u32, u32)>) -> Self {
        let (mut count_max, mut length_once, mut length_more) = (1, SATURATED, SATURATED);
        for (count, length) in rows {
            count_max = count.max(count_max);
            let least = if count == 1 { &mut length_once } else { &mut length_more };
            *least = length.min(*least);
        }
        Self::Text {
            count_max: count_max.min(SATURATED) as u16,
            length_once: length_once as u16,
            length_more: length_more as u16,
        }
    }

    pub(super) fn of_sparse(weights: impl Iterator<Item = f32>) -> Self {
        let (largest, smallest) = weights
            .fold((f32::NEG_INFINITY, f32::INFINITY), |(largest, smallest), w| {
                (largest.max(w), smallest.min(w))
            });
        Self::Sparse { largest, smallest }
    }

    pub(super) fn to_words(self) -> [u32; 2] {
        match self {
            Self::Text { count_max, length_once, length_more } => {
                [u32::from(count_max) | u32::from(length_once) << 16, u32::from(length_more)]
            }
            Self::Sparse { largest, smallest } => [largest.to_bits(), smallest.to_bits()],
        }
    }
}

/// Returns the most that a row can add to a score, 0 if it may only take away.
pub(super) fn most(words: [u32; 2], weight: &Weight) -> f32 {
    /// More than what rounding can do to a score.
    const SLACK: f32 = 1.0 + 1e-6;
    let most = match *weight {
        Weight::Text { weight, base, slope } => {
            let (count_max, length_once) = (words[0] & SATURATED, words[0] >> 16);
            let length_more = words[1] & SATURATED;
            let of = |count: f32, length: u32| weight * (count / (count + (base + slope * length as f32)));
            let more = match count_max {
                0 | 1 => 0.0,
                SATURATED => weight,
                count => of(count as f32, length_more),
            };
            more.max(of(1.0, length_once))
        }
        Weight::Sparse { weight } => {
            let (largest, smallest) = (f32::from_bits(words[0]), f32::from_bits(words[1]));
            (weight * largest).max(weight * smallest)
        }
        Weight::Nothing => 0.0,
    };
    // Not a number: forged, or beyond what an f32 holds.
    if most.is_nan() { f32::INFINITY } else { most.max(0.0) * SLACK }
}
