//! Fusion and rerankers: of places and scores, never of records.

use pyo3::prelude::*;
use vecstore_rag::{Normalization, Scored};
use vecstore_text::{Analyzer, UnknownAnalyzer};

use super::OrRaise;
use crate::errors::invalid;
use crate::neighbors::Neighbor;
use crate::vectors::{Rows, vector};

fn normalization(py: Python<'_>, name: &str) -> PyResult<Normalization> {
    Ok(match name {
        "none" => Normalization::None,
        "min_max" => Normalization::MinMax,
        "max" => Normalization::Max,
        "sum" => Normalization::Sum,
        "z_score" => Normalization::ZScore,
        "rank" => Normalization::Rank,
        other => {
            let message = format!(
                "normalization: expected one of none, min_max, max, sum, z_score, rank; got `{other}`"
            );
            return Err(invalid(py, message));
        }
    })
}

/// Fuses by reciprocal ranks.
#[pyfunction]
#[pyo3(name = "_rag_rrf")]
pub(crate) fn rag_rrf(
    py: Python<'_>,
    runs: Vec<Vec<Scored>>,
    k: f64,
    weights: Option<Vec<f64>>,
) -> PyResult<Vec<Scored>> {
    let fused = match weights {
        None => vecstore_rag::reciprocal_rank_fusion(&runs, k),
        Some(weights) => vecstore_rag::weighted_reciprocal_rank_fusion(&runs, &weights, k),
    };
    fused.or_raise(py)
}

/// Fuses by Borda's count.
#[pyfunction]
#[pyo3(name = "_rag_borda")]
pub(crate) fn rag_borda(py: Python<'_>, runs: Vec<Vec<Scored>>) -> PyResult<Vec<Scored>> {
    vecstore_rag::borda_fusion(&runs).or_raise(py)
}

/// Fuses by the weighted sum of scores.
#[pyfunction]
#[pyo3(name = "_rag_weighted")]
pub(crate) fn rag_weighted(
    py: Python<'_>,
    runs: Vec<Vec<Scored>>,
    weights: Vec<f64>,
    normalized: &str,
) -> PyResult<Vec<Scored>> {
    vecstore_rag::weighted_fusion(&runs, &weights, normalization(py, normalized)?).or_raise(py)
}

/// Fuses by the mean of scores.
#[pyfunction]
#[pyo3(name = "_rag_average")]
pub(crate) fn rag_average(py: Python<'_>, runs: Vec<Vec<Scored>>, normalized: &str) -> PyResult<Vec<Scored>> {
    vecstore_rag::average_fusion(&runs, normalization(py, normalized)?).or_raise(py)
}

/// Returns the order of scores, best first.
#[pyfunction]
#[pyo3(name = "_rag_ranking")]
pub(crate) fn rag_ranking(py: Python<'_>, scores: Vec<f64>, count: usize) -> PyResult<Vec<Scored>> {
    vecstore_rag::ranking_of_scores(&scores, count).or_raise(py)
}

/// Reads vectors of one dimension into one array; `None` if there are none.
fn flat(vectors: &Bound<'_, PyAny>, what: &'static str) -> PyResult<Option<(Vec<f32>, usize)>> {
    let rows = Rows::new(vectors, what, None)?;
    let (mut scratch, mut components, mut dim) = (Vec::new(), Vec::new(), 0);
    for row in 0..rows.len() {
        let vector = rows.get(row, what, &mut scratch)?;
        if row > 0 && vector.len() != dim {
            let message =
                format!("{what}[{row}]: expected {dim} components as the first, got {}", vector.len());
            return Err(invalid(vectors.py(), message));
        }
        dim = vector.len();
        components.extend_from_slice(vector);
    }
    Ok((rows.len() > 0).then_some((components, dim)))
}

/// Returns neighbors in the order and with the scores of a ranking.
#[pyfunction]
#[pyo3(name = "_rag_rescored")]
pub(crate) fn rag_rescored(
    py: Python<'_>,
    neighbors: Vec<Bound<'_, Neighbor>>,
    ranked: Vec<Scored>,
) -> PyResult<Vec<Neighbor>> {
    rescored(py, &neighbors, &ranked)
}

fn rescored(py: Python<'_>, neighbors: &[Bound<'_, Neighbor>], ranked: &[Scored]) -> PyResult<Vec<Neighbor>> {
    let neighbor = |&(at, score): &Scored| match neighbors.get(at) {
        Some(neighbor) => Ok(neighbor.get().with_score(py, score)),
        None => {
            Err(invalid(py, format!("ranking: there are {} results, got the place {at}", neighbors.len())))
        }
    };
    ranked.iter().map(neighbor).collect()
}

/// Chooses neighbors by maximal marginal relevance. Relevances are cosines with the query if there is one, else scores.
#[pyfunction]
#[pyo3(name = "_rag_mmr")]
pub(crate) fn rag_mmr(
    py: Python<'_>,
    neighbors: Vec<Bound<'_, Neighbor>>,
    query: Option<&Bound<'_, PyAny>>,
    lambda_: f64,
    k: usize,
) -> PyResult<Vec<Neighbor>> {
    let (mut rows, mut dim) = (Vec::new(), 0);
    for neighbor in &neighbors {
        let Some(components) = neighbor.get().components() else {
            let message = format!(
                "results: `{}` has no vector; search with include=(\"metadata\", \"vector\")",
                neighbor.get().id(py)
            );
            return Err(invalid(py, message));
        };
        if dim != 0 && components.len() != dim {
            let message = format!(
                "results: `{}` has a vector of {} components, the first has {dim}",
                neighbor.get().id(py),
                components.len()
            );
            return Err(invalid(py, message));
        }
        dim = components.len();
        rows.extend_from_slice(components);
    }
    let query = query.map(|query| vector(query, "query_vector")).transpose()?;
    let scores: Vec<f64> = neighbors.iter().map(|neighbor| neighbor.get().own_score()).collect();
    let chosen = py.detach(|| {
        let relevances = match query.filter(|_| !scores.is_empty()) {
            Some(query) => vecstore_rag::cosine_similarities(&query, &rows)?,
            None => scores,
        };
        vecstore_rag::maximal_marginal_relevance(&relevances, &rows, dim, lambda_, k)
    });
    rescored(py, &neighbors, &chosen.or_raise(py)?)
}

/// Returns the late interaction of a query's token vectors with those of a text.
#[pyfunction]
#[pyo3(name = "_rag_max_sim")]
pub(crate) fn rag_max_sim(
    py: Python<'_>,
    query: &Bound<'_, PyAny>,
    text: &Bound<'_, PyAny>,
    normalize: bool,
) -> PyResult<f64> {
    let (Some((query, dim)), Some((text, text_dim))) =
        (flat(query, "query_vectors")?, flat(text, "document_vectors")?)
    else {
        return Ok(0.0);
    };
    if dim != text_dim {
        let message = format!("document_vectors: expected {dim} components as the query has, got {text_dim}");
        return Err(invalid(py, message));
    }
    py.detach(|| vecstore_rag::max_sim(&query, &text, dim, normalize)).or_raise(py)
}

/// Returns the BM25 scores of texts for a query.
#[pyfunction]
#[pyo3(name = "_rag_bm25")]
pub(crate) fn rag_bm25(
    py: Python<'_>,
    query: &str,
    texts: Vec<String>,
    k1: f64,
    b: f64,
    analyzer: &str,
) -> PyResult<Vec<f64>> {
    let analyzer: Analyzer =
        analyzer.parse().map_err(|unknown: UnknownAnalyzer| invalid(py, unknown.to_string()))?;
    py.detach(|| vecstore_rag::bm25_scores(query, &texts, k1, b, &analyzer)).or_raise(py)
}

/// Returns scores with what was talked about before.
#[pyfunction]
#[pyo3(name = "_rag_context")]
pub(crate) fn rag_context(
    py: Python<'_>,
    history: Vec<String>,
    texts: Vec<String>,
    scores: Vec<f64>,
    weight: f64,
    decay: f64,
) -> PyResult<Vec<f64>> {
    py.detach(|| vecstore_rag::context_scores(&history, &texts, &scores, weight, decay)).or_raise(py)
}
