//! Holm's correction for several tests at once.

use crate::{Error, Result};

/// Returns p-values such that, at a level, the chance of any false finding among them all is at most that level.
///
/// # Errors
/// A p-value outside 0 to 1.
///
/// # Examples
/// ```
/// assert_eq!(vecstore_eval::holm(&[0.01, 0.04, 0.03])?, [0.03, 0.06, 0.06]);
/// # Ok::<(), vecstore_eval::Error>(())
/// ```
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>> {
    if let Some(at) = p_values.iter().position(|p| !(0.0..=1.0).contains(p)) {
        return Err(Error::new(format!("p_values[{at}]: expected 0 to 1, got {}", p_values[at])));
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut greatest: f64 = 0.0;
    for (step, at) in order.into_iter().enumerate() {
        greatest = greatest.max(p_values[at] * (p_values.len() - step) as f64).min(1.0);
        adjusted[at] = greatest;
    }
    Ok(adjusted)
}
