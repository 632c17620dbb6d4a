//! Upkeep, which is never needed, and checks.

use std::time::Instant;

use pyo3::prelude::*;
use pyo3::types::PyAny;

use super::{VecStore, plain_value};

#[pymethods]
impl VecStore {
    /// Finishes the background work now: seals, merges, frees space. Returns how many removed records it freed.
    ///
    /// Never needed. Takes up to as long as writing all records anew.
    ///
    /// Examples
    /// --------
    /// >>> store.delete("apple"), store.compact() >= 0
    /// (True, True)
    fn compact(&self, py: Python<'_>) -> PyResult<usize> {
        self.run(py, |engine| engine.compact())
    }

    /// The same as `compact`.
    ///
    /// Examples
    /// --------
    /// >>> store.optimize() >= 0
    /// True
    fn optimize(&self, py: Python<'_>) -> PyResult<usize> {
        self.compact(py)
    }

    /// Compacts if more than a fifth of the rows are of removed or replaced records.
    ///
    /// Returns
    /// -------
    /// CompactionResult
    ///     compacted (whether it did), freed (how many removed records), duration_ms.
    ///
    /// Examples
    /// --------
    /// >>> store.maybe_compact().compacted
    /// False
    fn maybe_compact<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let started = Instant::now();
        let freed = self.run(py, |engine| engine.compact_if_due())?;
        let duration_ms = started.elapsed().as_secs_f64() * 1e3;
        plain_value(py, "CompactionResult", (freed.is_some(), freed.unwrap_or(0), duration_ms))
    }

    /// Returns figures about the store at this moment, as a `StoreStats`.
    ///
    /// Examples
    /// --------
    /// >>> stats = store.stats()
    /// >>> stats.active, stats.dim, stats.metric
    /// (3, 3, 'cosine')
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let stats = self.run(py, |engine| engine.stats())?;
        let (calls, upkeep_error) = ((stats.queries, stats.upserts, stats.deletes), stats.upkeep_error);
        let values = py.import("vecstore._values")?.getattr("StoreStats")?;
        let parts = pyo3::types::PyDict::new(py);
        parts.set_item("active", stats.active)?;
        parts.set_item("deleted", stats.deleted)?;
        parts.set_item("dead_rows", stats.dead_rows)?;
        parts.set_item("dim", stats.dim)?;
        parts.set_item("metric", stats.metric.name())?;
        parts.set_item("segments", stats.segments)?;
        parts.set_item("graph_segments", stats.graph_segments)?;
        parts.set_item("hot_bytes", stats.hot_bytes)?;
        parts.set_item("resident_bytes", stats.resident_bytes)?;
        parts.set_item("unsealed_rows", stats.unsealed_rows)?;
        parts.set_item("memory_bytes", stats.memory_bytes)?;
        parts.set_item("disk_bytes", stats.disk_bytes)?;
        parts.set_item("lsn", stats.lsn)?;
        parts.set_item("queries", calls.0)?;
        parts.set_item("upserts", calls.1)?;
        parts.set_item("deletes", calls.2)?;
        parts.set_item("upkeep_error", upkeep_error)?;
        values.call((), Some(&parts))
    }

    /// Reads every byte of the store's files and checks it; changes nothing.
    ///
    /// Returns
    /// -------
    /// VerifyReport
    ///     files, bytes, records (numbers), problems (a list of `Problem` with path and message), ok.
    ///
    /// Examples
    /// --------
    /// >>> store.verify().ok
    /// True
    fn verify<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let report = self.run(py, |engine| engine.verify())?;
        let problem = |problem: &vecstore::Problem| {
            plain_value(py, "Problem", (problem.path.to_string_lossy(), problem.message.as_str()))
        };
        let problems: Vec<_> = report.problems.iter().map(problem).collect::<PyResult<_>>()?;
        plain_value(py, "VerifyReport", (report.files, report.bytes, report.records, problems))
    }
}
