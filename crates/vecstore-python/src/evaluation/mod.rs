//! Evaluation: the functions of `vecstore-eval` that `vecstore.evaluation` is built on, by their subject.

mod judged;
mod retrieval;
mod statistics;
mod text;

use pyo3::prelude::*;

use crate::errors::invalid;

pub(crate) use judged::{
    eval_context_precision, eval_noise_sensitivity, eval_statement_f, eval_verdict_share,
};
pub(crate) use retrieval::{
    eval_alpha_ndcg, eval_measure_names, eval_parse_qrels, eval_parse_run, eval_ranking, eval_run,
};
pub(crate) use statistics::{
    eval_bootstrap_mean, eval_cohen_d, eval_holm, eval_kappa, eval_paired_t, eval_randomization,
    eval_rank_biserial, eval_wilcoxon,
};
pub(crate) use text::{
    Characters, eval_bleu, eval_chrf, eval_citations, eval_exact_match, eval_ground, eval_normalize,
    eval_quotes, eval_rouge, eval_sentences, eval_token_f1,
};

/// Turns a result of the evaluation crate into one of Python: all its errors are invalid arguments.
trait OrInvalid<T> {
    fn or_invalid(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrInvalid<T> for vecstore_eval::Result<T> {
    fn or_invalid(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| invalid(py, error.to_string()))
    }
}
