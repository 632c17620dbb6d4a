//! Sizes of effects: how large a difference is, whatever its significance.

use super::{check_finite, deviation, mean};
use crate::Result;

/// Returns the mean of paired differences in units of their deviation, or `None` where all are equal.
///
/// # Errors
/// A difference that is not finite.
pub fn cohen_d(differences: &[f64]) -> Result<Option<f64>> {
    check_finite("differences", differences)?;
    let deviation = deviation(differences);
    Ok((differences.len() > 1 && deviation > 0.0).then(|| mean(differences) / deviation))
}

/// Returns the share of the rank sum on the positive side less the share on the negative: from -1 to 1, and `None`
/// where all differences are 0.
///
/// # Errors
/// A difference that is not finite.
pub fn rank_biserial(differences: &[f64]) -> Result<Option<f64>> {
    let ranks = super::wilcoxon(differences, super::WilcoxonMethod::Normal)?;
    let sum = ranks.positive + ranks.negative;
    Ok((sum > 0.0).then(|| (ranks.positive - ranks.negative) / sum))
}
