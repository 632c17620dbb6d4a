//! Where neighboring sentences differ enough to be told apart.

use crate::split::error::{Result, SplitError};

/// What makes a boundary between two sentences, by the cosine similarity of their embeddings, or by the distance, which
/// is 1 less the similarity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// A similarity below this, from -1 to 1.
    Similarity(f64),
    /// A distance above this percentile of the text's distances, from 0 to 100; 95 is usual.
    Percentile(f64),
    /// A distance so many standard deviations above their mean; 3 is usual.
    StandardDeviation(f64),
    /// A distance so many interquartile ranges above their mean; 1.5 is usual.
    Interquartile(f64),
    /// A distance that grows faster than this percentile of the distances' gradient; 95 is usual.
    Gradient(f64),
}

impl Threshold {
    /// Returns the threshold of a name; without an amount, the usual one.
    ///
    /// # Errors
    ///
    /// If there is none of that name, or the amount is out of range.
    pub fn parse(name: &str, amount: Option<f64>) -> Result<Self> {
        match name {
            "absolute" => Self::Similarity(amount.unwrap_or(0.7)),
            "percentile" => Self::Percentile(amount.unwrap_or(95.0)),
            "standard_deviation" => Self::StandardDeviation(amount.unwrap_or(3.0)),
            "interquartile" => Self::Interquartile(amount.unwrap_or(1.5)),
            "gradient" => Self::Gradient(amount.unwrap_or(95.0)),
            _ => {
                return Err(SplitError::invalid(format!(
                    "threshold: expected absolute, percentile, standard_deviation, interquartile or gradient, \
                     got `{name}`"
                )));
            }
        }
        .checked()
    }

    pub(super) fn checked(self) -> Result<Self> {
        let (name, amount, range) = match self {
            Self::Similarity(amount) => ("similarity_threshold", amount, -1.0..=1.0),
            Self::Percentile(amount) | Self::Gradient(amount) => ("amount", amount, 0.0..=100.0),
            Self::StandardDeviation(amount) | Self::Interquartile(amount) => {
                ("amount", amount, 0.0..=f64::MAX)
            }
        };
        if range.contains(&amount) {
            return Ok(self);
        }
        let (low, high) = (range.start(), range.end());
        let expected =
            if *high == f64::MAX { format!("at least {low}") } else { format!("between {low} and {high}") };
        Err(SplitError::invalid(format!("{name}: expected a number {expected}, got {amount}")))
    }

    /// Returns which of the similarities of neighbors are boundaries.
    pub(super) fn boundaries(self, similarities: &[f64]) -> Vec<bool> {
        let distances: Vec<f64> = similarities.iter().map(|similarity| 1.0 - similarity).collect();
        let above = |values: &[f64], limit: f64| values.iter().map(|&value| value > limit).collect();
        match self {
            Self::Similarity(least) => similarities.iter().map(|&similarity| similarity < least).collect(),
            Self::Percentile(percent) => above(&distances, percentile(&distances, percent)),
            Self::StandardDeviation(amount) => {
                let mean = mean(&distances);
                let squares: Vec<f64> = distances.iter().map(|distance| (distance - mean).powi(2)).collect();
                above(&distances, mean + amount * self::mean(&squares).sqrt())
            }
            Self::Interquartile(amount) => {
                let range = percentile(&distances, 75.0) - percentile(&distances, 25.0);
                above(&distances, mean(&distances) + amount * range)
            }
            Self::Gradient(percent) => {
                let gradient = gradient(&distances);
                above(&gradient, percentile(&gradient, percent))
            }
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The percentile with linear interpolation.
fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = percent / 100.0 * last as f64;
    let below = (place.floor() as usize).min(last);
    let next = sorted[(below + 1).min(last)];
    sorted[below] + (next - sorted[below]) * (place - below as f64)
}

/// Central differences, one-sided at the ends.
fn gradient(values: &[f64]) -> Vec<f64> {
    let last = values.len().saturating_sub(1);
    (0..values.len())
        .map(|at| {
            let (before, after) = (at.saturating_sub(1), (at + 1).min(last));
            if before == after { 0.0 } else { (values[after] - values[before]) / (after - before) as f64 }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_numpy() {
        // numpy 2.4: percentile, gradient of these values.
        let values = [0.1, 0.4, 0.35, 0.8, 0.05];
        assert!((percentile(&values, 95.0) - 0.72).abs() < 1e-12);
        assert!((percentile(&values, 25.0) - 0.1).abs() < 1e-12);
        let expected = [0.3, 0.125, 0.2, -0.15, -0.75];
        assert!(gradient(&values).iter().zip(expected).all(|(got, want)| (got - want).abs() < 1e-12));
    }

    #[test]
    fn each_kind_finds_the_one_break_there_is() {
        let mut similarities = vec![0.9; 40];
        similarities[17] = 0.1;
        for name in ["absolute", "percentile", "standard_deviation", "interquartile"] {
            let found = Threshold::parse(name, None).unwrap().boundaries(&similarities);
            let at: Vec<usize> = (0..40).filter(|&at| found[at]).collect();
            assert_eq!(at, [17], "{name}");
        }
        // The distance grows fastest in front of the break.
        let found = Threshold::parse("gradient", None).unwrap().boundaries(&similarities);
        assert!(found[16] && found.iter().filter(|&&found| found).count() == 1);
    }
}
