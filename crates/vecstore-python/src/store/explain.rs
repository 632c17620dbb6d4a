//! Searches that say how they were done.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyList, PyTuple};
use vecstore::{QueryPlan, QueryStep};

use super::search::{asked, is_value};
use super::texts::asked_hybrid;
use super::{BaseCollection, plain_value};
use crate::arguments::FusionName;
use crate::filters::FilterExpr;
use crate::neighbors::{neighbor_list, touch};

/// A plan, the neighbors, the step of each, and their keys.
type Explained<'py> = (Bound<'py, PyAny>, Bound<'py, PyList>, Vec<Option<usize>>, Vec<f32>);

#[pymethods]
impl BaseCollection {
    /// Runs a query and returns how it was done: what was searched in which way, why, and what that took.
    ///
    /// Parameters
    /// ----------
    /// query : Query or vector
    ///     What to search for. A vector stands for `Query(vector)`.
    ///
    /// Returns
    /// -------
    /// QueryPlan
    ///     With a `QueryStep` for each part of the store that was searched. All figures are counted and timed while the
    ///     query runs.
    ///
    /// Examples
    /// --------
    /// >>> plan = store.explain_query(vecstore.Query([1, 0, 0], k=2, filter="price < 4"))
    /// >>> plan.results, plan.steps[0].method, plan.steps[0].rows
    /// (2, 'scan of vectors', 1)
    fn explain_query<'py>(&self, query: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = query.py();
        let (query, _) = asked(query)?;
        let plan = self.run(py, |engine| engine.explain(&query))?;
        let steps = plan.steps.iter().map(|step| step_value(py, step)).collect::<PyResult<_>>()?;
        plan_value(py, plan, steps)
    }

    /// Runs a query and returns its neighbors, each with how it was found.
    ///
    /// Parameters
    /// ----------
    /// query : Query, HybridQuery or vector
    ///     What to search for. A vector stands for `Query(vector)`.
    ///
    /// Returns
    /// -------
    /// list of ExplainedNeighbor
    ///     What `query` or `hybrid_query` returns, with an `explanation` each: a `QueryExplanation`, or a
    ///     `HybridExplanation` with ranks and scores of both arms.
    ///
    /// Examples
    /// --------
    /// >>> best = store.query_explain([1, 0, 0])[0]
    /// >>> best.id, best.explanation.rank, best.explanation.step.method
    /// ('apple', 1, 'scan of vectors')
    fn query_explain<'py>(&self, query: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let py = query.py();
        if is_value(query, "HybridQuery")? {
            let (hybrid, include) = asked_hybrid(query)?;
            let offset: usize = query.getattr("offset")?.extract()?;
            let fusion: FusionName = query.getattr("fusion")?.extract()?;
            return self.explain_hybrid(
                py,
                &hybrid,
                include,
                offset,
                (&fusion, query.getattr("alpha")?.extract()?),
            );
        }
        let (query, include) = asked(query)?;
        let search = |engine: &vecstore::Collection| {
            let (hits, plan) = engine.search_explained(&query)?;
            touch(&hits, include)?;
            Ok((hits, plan))
        };
        let (hits, plan) = self.run(py, search)?;
        let neighbors = neighbor_list(py, &hits, include)?;
        let steps: Vec<_> = plan.steps.iter().map(|step| step_value(py, step)).collect::<PyResult<_>>()?;
        let found_by: Vec<_> = hits.iter().map(|hit| plan.step_of(&hit)).collect();
        let (first, metric) = (plan.offset + 1, plan.metric.name());
        let explained = |(rank, (neighbor, step)): (usize, (Bound<'py, PyAny>, &Option<usize>))| {
            let step = step.map(|step| &steps[step]);
            let explanation = plain_value(py, "QueryExplanation", (first + rank, metric, step))?;
            plain_value(py, "ExplainedNeighbor", (neighbor, explanation))
        };
        neighbors.iter().zip(&found_by).enumerate().map(explained).collect()
    }

    /// Runs a query and returns how it was done, its neighbors, for each the step that found it, and the keys that they are
    /// ordered by.
    fn _explained<'py>(&self, query: &Bound<'py, PyAny>) -> PyResult<Explained<'py>> {
        let py = query.py();
        let (query, include) = asked(query)?;
        let search = |engine: &vecstore::Collection| {
            let (hits, plan) = engine.search_explained(&query)?;
            touch(&hits, include)?;
            Ok((hits, plan))
        };
        let (hits, plan) = self.run(py, search)?;
        let found_by = hits.iter().map(|hit| plan.step_of(&hit)).collect();
        let keys = hits.iter().map(|hit| hit.key()).collect();
        let steps = plan.steps.iter().map(|step| step_value(py, step)).collect::<PyResult<_>>()?;
        Ok((plan_value(py, plan, steps)?, neighbor_list(py, &hits, include)?, found_by, keys))
    }

    /// Runs a query five times and returns what it takes: measured, not guessed.
    ///
    /// Parameters
    /// ----------
    /// query : Query or vector
    ///     What to search for. A vector stands for `Query(vector)`.
    ///
    /// Returns
    /// -------
    /// QueryEstimate
    ///
    /// Examples
    /// --------
    /// >>> estimate = store.estimate_query(vecstore.Query([1, 0, 0], filter={"kind": "fruit"}))
    /// >>> estimate.records, estimate.matches, estimate.time_us > 0
    /// (3, 2, True)
    fn estimate_query<'py>(&self, query: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = query.py();
        let (query, _) = asked(query)?;
        let estimate = self.run(py, |engine| engine.estimate(&query))?;
        let parts = PyDict::new(py);
        parts.set_item("runs", estimate.runs)?;
        parts.set_item("records", estimate.records)?;
        parts.set_item("matches", estimate.matches)?;
        parts.set_item("results", estimate.results)?;
        parts.set_item("visits", estimate.visits)?;
        parts.set_item("distances", estimate.distances)?;
        parts.set_item("reranked", estimate.reranked)?;
        parts.set_item("time_us", microseconds(estimate.time))?;
        parts.set_item("time_us_min", microseconds(estimate.time_min))?;
        parts.set_item("time_us_max", microseconds(estimate.time_max))?;
        made(py, "QueryEstimate", &parts)
    }
}

fn plan_value<'py>(
    py: Python<'py>,
    plan: QueryPlan,
    steps: Vec<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let parts = PyDict::new(py);
    parts.set_item("metric", plan.metric.name())?;
    parts.set_item("lsn", plan.lsn)?;
    parts.set_item("records", plan.records)?;
    parts.set_item("k", plan.k)?;
    parts.set_item("offset", plan.offset)?;
    parts.set_item("recall", shortest(plan.recall))?;
    parts.set_item("filter", plan.filter.map(FilterExpr::of_query))?;
    parts.set_item("steps", PyTuple::new(py, steps)?)?;
    parts.set_item("results", plan.results)?;
    parts.set_item("threads", plan.threads)?;
    parts.set_item("filter_time_us", microseconds(plan.filter_time))?;
    parts.set_item("time_us", microseconds(plan.time))?;
    made(py, "QueryPlan", &parts)
}

fn step_value<'py>(py: Python<'py>, step: &QueryStep) -> PyResult<Bound<'py, PyAny>> {
    let parts = PyDict::new(py);
    parts.set_item("part", &step.part)?;
    parts.set_item("kind", step.kind.to_string())?;
    parts.set_item("rows", step.rows)?;
    parts.set_item("live", step.live)?;
    parts.set_item("matches_at_most", step.matches_at_most)?;
    parts.set_item("method", step.method.to_string())?;
    parts.set_item("layout", step.layout.map(|layout| layout.to_string()))?;
    parts.set_item("reason", step.reason.to_string())?;
    parts.set_item("outcome", step.outcome.to_string())?;
    parts.set_item("slack", step.slack.map(shortest))?;
    parts.set_item("visits", step.visits)?;
    parts.set_item("estimates", step.estimates)?;
    parts.set_item("code_distances", step.code_distances)?;
    parts.set_item("full_distances", step.full_distances)?;
    parts.set_item("reranked", step.reranked())?;
    parts.set_item("results", step.results)?;
    parts.set_item("time_us", microseconds(step.time))?;
    made(py, "QueryStep", &parts)
}

fn made<'py>(py: Python<'py>, class: &str, parts: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    py.import("vecstore._values")?.getattr(class)?.call((), Some(parts))
}

fn microseconds(time: Duration) -> f64 {
    // Whole nanoseconds, which is what the clock has, and no digits beyond.
    time.as_nanos() as f64 / 1e3
}

/// Returns the f64 of the fewest digits that is this f32: 0.95 for what was given as 0.95.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}
