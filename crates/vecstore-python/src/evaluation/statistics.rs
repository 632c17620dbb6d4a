//! Tests, intervals and sizes of effects.

use pyo3::prelude::*;
use vecstore_eval::{IntervalMethod, WilcoxonMethod};

use super::OrInvalid;
use crate::errors::invalid;
use crate::signals::interruptible;

/// Mean, t, p-value, and both ends of the interval.
type Difference = (f64, Option<f64>, f64, f64, f64);

/// Student's t-test on paired differences.
#[pyfunction]
#[pyo3(name = "_eval_paired_t")]
pub(crate) fn eval_paired_t(py: Python<'_>, differences: Vec<f64>, confidence: f64) -> PyResult<Difference> {
    let test = vecstore_eval::paired_t(&differences, confidence).or_invalid(py)?;
    Ok((test.mean, test.t, test.p_value, test.interval.0, test.interval.1))
}

/// Wilcoxon's signed-rank test: statistic, p-value.
#[pyfunction]
#[pyo3(name = "_eval_wilcoxon")]
pub(crate) fn eval_wilcoxon(py: Python<'_>, differences: Vec<f64>, method: &str) -> PyResult<(f64, f64)> {
    let method = match method {
        "auto" => WilcoxonMethod::Auto,
        "exact" => WilcoxonMethod::Exact,
        "normal" => WilcoxonMethod::Normal,
        other => {
            return Err(invalid(py, format!("method: expected `auto`, `exact` or `normal`, got `{other}`")));
        }
    };
    let test = vecstore_eval::wilcoxon(&differences, method).or_invalid(py)?;
    Ok((test.statistic, test.p_value))
}

/// From so many draws on, Ctrl-C ends the call.
const LONG: u64 = 1 << 20;

/// Fisher's randomisation test: mean, p-value, permutations, whether exact.
#[pyfunction]
#[pyo3(name = "_eval_randomization")]
pub(crate) fn eval_randomization(
    py: Python<'_>,
    differences: Vec<f64>,
    permutations: u64,
    seed: u64,
) -> PyResult<(f64, f64, u64, bool)> {
    let work = || vecstore_eval::randomization_test(&differences, permutations, seed);
    let test = if permutations < LONG { py.detach(work) } else { interruptible(py, work)? }.or_invalid(py)?;
    Ok((test.mean, test.p_value, test.permutations, test.exact))
}

/// A mean with its interval by resampling: mean, low, high, standard error.
#[pyfunction]
#[pyo3(name = "_eval_bootstrap_mean")]
pub(crate) fn eval_bootstrap_mean(
    py: Python<'_>,
    values: Vec<f64>,
    confidence: f64,
    resamples: usize,
    seed: u64,
    method: &str,
) -> PyResult<(f64, f64, f64, f64)> {
    let method = match method {
        "bca" => IntervalMethod::Bca,
        "percentile" => IntervalMethod::Percentile,
        other => return Err(invalid(py, format!("method: expected `bca` or `percentile`, got `{other}`"))),
    };
    let work = || vecstore_eval::bootstrap_mean(&values, confidence, resamples, seed, method);
    let is_long = resamples.saturating_mul(values.len()) as u64 >= LONG;
    let interval = if is_long { interruptible(py, work)? } else { py.detach(work) }.or_invalid(py)?;
    Ok((interval.mean, interval.low, interval.high, interval.error))
}

/// The mean of differences in units of their deviation.
#[pyfunction]
#[pyo3(name = "_eval_cohen_d")]
pub(crate) fn eval_cohen_d(py: Python<'_>, differences: Vec<f64>) -> PyResult<Option<f64>> {
    vecstore_eval::cohen_d(&differences).or_invalid(py)
}

/// The rank sum of positive differences less that of negative ones, as shares.
#[pyfunction]
#[pyo3(name = "_eval_rank_biserial")]
pub(crate) fn eval_rank_biserial(py: Python<'_>, differences: Vec<f64>) -> PyResult<Option<f64>> {
    vecstore_eval::rank_biserial(&differences).or_invalid(py)
}

/// P-values corrected by Holm's method.
#[pyfunction]
#[pyo3(name = "_eval_holm")]
pub(crate) fn eval_holm(py: Python<'_>, p_values: Vec<f64>) -> PyResult<Vec<f64>> {
    vecstore_eval::holm(&p_values).or_invalid(py)
}

/// Cohen's kappa of two raters' categories.
#[pyfunction]
#[pyo3(name = "_eval_kappa")]
pub(crate) fn eval_kappa(
    py: Python<'_>,
    a: Vec<usize>,
    b: Vec<usize>,
    weights: &str,
) -> PyResult<Option<f64>> {
    let weights = weights.parse().or_invalid(py)?;
    vecstore_eval::kappa(&a, &b, weights).or_invalid(py)
}
