//! Confidence intervals of a mean by resampling (Efron and Tibshirani 1993).

use super::paired_t::check_confidence;
use super::random::Random;
use super::special::{normal_cdf, normal_quantile};
use super::{check_finite, mean};
use crate::{Error, Result};

/// How an interval is read off the resampled means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IntervalMethod {
    /// At the percentiles themselves.
    Percentile,
    /// At percentiles corrected for bias and for skew.
    #[default]
    Bca,
}

/// A mean with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The mean of the sample.
    pub mean: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
    /// The standard error: the deviation of the resampled means.
    pub error: f64,
}

/// Returns the mean of a sample with an interval of `confidence`, from `resamples` seeded resamples.
///
/// A sample of one value, or of equal ones, has an interval of no width. Costs O(resamples x n).
///
/// # Errors
/// No values, one that is not finite, no resamples or over 10 million, a confidence outside 0 to 1.
///
/// # Examples
/// ```
/// use vecstore_eval::{IntervalMethod, bootstrap_mean};
///
/// let interval = bootstrap_mean(&[0.0, 0.5, 1.0, 0.5], 0.95, 10_000, 0, IntervalMethod::Percentile)?;
/// assert_eq!(interval.mean, 0.5);
/// assert!(interval.low >= 0.0 && interval.high <= 1.0);
/// # Ok::<(), vecstore_eval::Error>(())
/// ```
pub fn bootstrap_mean(
    values: &[f64],
    confidence: f64,
    resamples: usize,
    seed: u64,
    method: IntervalMethod,
) -> Result<Interval> {
    check_finite("values", values)?;
    check_confidence(confidence)?;
    let Some(count) = u32::try_from(values.len()).ok().filter(|&count| count > 0) else {
        return Err(Error::new(format!("values: expected 1 to {}, got {}", u32::MAX, values.len())));
    };
    if !(1..=10_000_000).contains(&resamples) {
        return Err(Error::new(format!("resamples: expected 1 to 10000000, got {resamples}")));
    }
    let observed = mean(values);
    if values.iter().all(|&value| value == values[0]) {
        return Ok(Interval { mean: values[0], low: values[0], high: values[0], error: 0.0 });
    }
    let mut random = Random::new(seed);
    let mut resampled = || {
        Error::check_interrupt()?;
        let sum: f64 = (0..count).map(|_| values[random.below(count) as usize]).sum();
        Ok(sum / f64::from(count))
    };
    let mut means: Vec<f64> = (0..resamples).map(|_| resampled()).collect::<Result<_>>()?;
    means.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    let (low, high) = match method {
        IntervalMethod::Percentile => (tail, 1.0 - tail),
        IntervalMethod::Bca => corrected(values, &means, observed, tail),
    };
    let error = super::deviation(&means);
    Ok(Interval { mean: observed, low: percentile(&means, low), high: percentile(&means, high), error })
}

/// Returns the percentiles corrected for the bias and skew of the resampled means.
fn corrected(values: &[f64], means: &[f64], observed: f64, tail: f64) -> (f64, f64) {
    let below = means.partition_point(|&value| value < observed) as f64;
    let up_to = means.partition_point(|&value| value <= observed) as f64;
    // Held off 0 and 1, where the correction would be infinite.
    let least = 0.5 / means.len() as f64;
    let bias = normal_quantile(((below + up_to) / (2.0 * means.len() as f64)).clamp(least, 1.0 - least));
    // The jackknife of a mean leaves deviations proportional to those of the values.
    let (mut squares, mut cubes) = (0.0, 0.0);
    for value in values {
        let deviation = value - observed;
        squares += deviation.powi(2);
        cubes += deviation.powi(3);
    }
    let skew = cubes / (6.0 * squares.powf(1.5));
    let at = |tail: f64| {
        let z = bias + normal_quantile(tail);
        let corrected = bias + z / (1.0 - skew * z);
        if corrected.is_finite() { normal_cdf(corrected) } else { tail }
    };
    (at(tail), at(1.0 - tail))
}

/// Returns a percentile of sorted values, linear between them.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = share.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let low = at.floor() as usize;
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (sorted[high] - sorted[low]) * (at - low as f64)
}
