//! Student's t-test on paired differences.

use super::special::{student_quantile, student_two_sided};
use super::{check_finite, deviation, mean};
use crate::{Error, Result};

/// The mean of paired differences, with what the t-test says of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanDifference {
    /// The mean of the differences.
    pub mean: f64,
    /// The statistic; `None` where all differences are equal and not 0, which makes it infinite.
    pub t: Option<f64>,
    /// The chance of such a difference, or a larger one on either side, if there were none.
    pub p_value: f64,
    /// The interval of the mean at the confidence asked for.
    pub interval: (f64, f64),
}

/// Tests whether the mean of differences is 0, on both sides.
///
/// Where all differences are equal, p is 1 if they are 0, and else 0.
///
/// # Errors
/// Fewer than two differences, one that is not finite, a confidence outside 0 to 1.
///
/// # Examples
/// ```
/// let test = vecstore_eval::paired_t(&[0.1, 0.3, 0.2, 0.0], 0.95)?;
/// assert!((test.p_value - 0.1027).abs() < 1e-3);
/// # Ok::<(), vecstore_eval::Error>(())
/// ```
pub fn paired_t(differences: &[f64], confidence: f64) -> Result<MeanDifference> {
    check_finite("differences", differences)?;
    if differences.len() < 2 {
        return Err(Error::new(format!(
            "paired t-test: expected at least 2 pairs, got {}",
            differences.len()
        )));
    }
    check_confidence(confidence)?;
    let (mean, deviation) = (mean(differences), deviation(differences));
    let error = deviation / (differences.len() as f64).sqrt();
    let degrees = (differences.len() - 1) as f64;
    if error == 0.0 {
        let (t, p_value) = if mean == 0.0 { (Some(0.0), 1.0) } else { (None, 0.0) };
        return Ok(MeanDifference { mean, t, p_value, interval: (mean, mean) });
    }
    let t = mean / error;
    let reach = student_quantile(1.0 - confidence, degrees) * error;
    let p_value = student_two_sided(t, degrees);
    Ok(MeanDifference {
        mean,
        t: t.is_finite().then_some(t),
        p_value,
        interval: (mean - reach, mean + reach),
    })
}

pub(super) fn check_confidence(confidence: f64) -> Result<()> {
    if confidence > 0.0 && confidence < 1.0 {
        return Ok(());
    }
    Err(Error::new(format!("confidence: expected a number between 0 and 1, got {confidence}")))
}
