//! Scores of verdicts.

use pyo3::prelude::*;
use vecstore_eval::Noise;

use crate::errors::invalid;

/// Returns the share of true verdicts.
#[pyfunction]
#[pyo3(name = "_eval_verdict_share")]
pub(crate) fn eval_verdict_share(verdicts: Vec<bool>) -> Option<f64> {
    vecstore_eval::verdict_share(&verdicts)
}

/// Returns the average precision of contexts by rank.
#[pyfunction]
#[pyo3(name = "_eval_context_precision")]
pub(crate) fn eval_context_precision(useful: Vec<bool>) -> f64 {
    vecstore_eval::context_precision(&useful)
}

/// Returns the F-score of statements in both, only in the answer, only in the reference.
#[pyfunction]
#[pyo3(name = "_eval_statement_f")]
pub(crate) fn eval_statement_f(both: usize, only_answer: usize, only_reference: usize, beta: f64) -> f64 {
    vecstore_eval::statement_f(both, only_answer, only_reference, beta)
}

/// Returns the share of claims that are wrong and come from contexts.
#[pyfunction]
#[pyo3(name = "_eval_noise_sensitivity")]
pub(crate) fn eval_noise_sensitivity(
    py: Python<'_>,
    claims: Vec<Vec<bool>>,
    reference: Vec<Vec<bool>>,
    correct: Vec<bool>,
    noise: &str,
) -> PyResult<Option<f64>> {
    let noise = match noise {
        "relevant" => Noise::Relevant,
        "irrelevant" => Noise::Irrelevant,
        other => {
            let message = format!("mode: expected `relevant` or `irrelevant`, got `{other}`");
            return Err(invalid(py, message));
        }
    };
    Ok(vecstore_eval::noise_sensitivity(&claims, &reference, &correct, noise))
}
