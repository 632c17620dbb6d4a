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
    /// The most times a row has it, and the least lengths of rows that have it once, twice, and more often.
    Text {
        count_max: u16,
        lengths: [u16; 3],
    },
    Sparse {
        largest: f32,
        smallest: f32,
    },
}

impl Bound {
    /// Returns the bound of text rows, given as count and length.
    pub(super) fn of_text(rows: impl Iterator<Item = (u32, u32)>) -> Self {
        let (mut count_max, mut lengths) = (1, [SATURATED; 3]);
        for (count, length) in rows {
            count_max = count.max(count_max);
            let least = &mut lengths[count.clamp(1, 3) as usize - 1];
            *least = length.min(*least);
        }
        Self::Text {
            count_max: count_max.min(SATURATED) as u16,
            lengths: lengths.map(|length| length as u16),
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
            Self::Text { count_max, lengths: [once, twice, more] } => {
                let pair = |low: u16, high: u16| u32::from(low) | u32::from(high) << 16;
                [pair(count_max, once), pair(twice, more)]
            }
            Self::Sparse { largest, smallest } => [largest.to_bits(), smallest.to_bits()],
        }
    }
}

/// Returns whether no row of a list takes anything from a score.
pub(super) fn only_adds(words: [u32; 2], weight: &Weight) -> bool {
    match *weight {
        Weight::Text { weight, .. } => weight >= 0.0,
        Weight::Sparse { weight } => words.iter().all(|&word| weight * f32::from_bits(word) >= 0.0),
        Weight::Nothing => true,
    }
}

/// Returns the most that a row can add to a score, 0 if it may only take away.
pub(super) fn most(words: [u32; 2], weight: &Weight) -> f32 {
    /// More than what rounding can do to a score.
    const SLACK: f32 = 1.0 + 1e-6;
    let most = match *weight {
        Weight::Text { weight, base, slope } => {
            let (count_max, once) = (words[0] & SATURATED, words[0] >> 16);
            let (twice, more) = (words[1] & SATURATED, words[1] >> 16);
            let of = |count: f32, length: u32| weight * (count / (count + (base + slope * length as f32)));
            let often = match count_max {
                0..=2 => 0.0,
                SATURATED => weight,
                count => of(count as f32, more),
            };
            let rarely = if count_max > 1 { of(1.0, once).max(of(2.0, twice)) } else { of(1.0, once) };
            often.max(rarely)
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
