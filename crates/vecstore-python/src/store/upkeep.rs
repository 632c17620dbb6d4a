//! Upkeep, which is never needed, and checks.

use pyo3::prelude::*;
use pyo3::types::PyAny;
use vecstore::CompactionConfig;

use super::{BaseCollection, plain_value};
use crate::arguments::{Int, Number};
use crate::errors::wrong_type;

#[pymethods]
impl BaseCollection {
    /// Finishes the background work now: seals, merges, frees space. Returns how many removed records it freed.
    ///
    /// Never needed. Takes up to as long as writing all records anew.
    ///
    /// Examples
    /// --------
    /// >>> store.delete("apple"), store.compact() >= 0
    /// (True, True)
    fn compact(&self, py: Python<'_>) -> PyResult<usize> {
        self.run_long(py, |engine| engine.compact())
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

    /// Compacts if there is enough to free: by default, if more than a fifth of the rows are of removed, replaced or expired
    /// records.
    ///
    /// Parameters
    /// ----------
    /// config : CompactionConfig, optional
    ///     What is enough.
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
    /// >>> store.delete("apple"), store.maybe_compact(vecstore.CompactionConfig(min_dead_share=0.1)).compacted
    /// (True, True)
    #[pyo3(signature = (config=None))]
    fn maybe_compact<'py>(
        &self,
        py: Python<'py>,
        config: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let config = match config {
            None => CompactionConfig::default(),
            Some(config) => {
                let part = |name| {
                    config
                        .getattr(name)
                        .map_err(|_| wrong_type("config", "a CompactionConfig or None", config))
                };
                let share: Number = part("min_dead_share")?.extract()?;
                let rows: Int = part("min_dead_rows")?.extract()?;
                let rows = rows.within(py, "min_dead_rows", 1..=usize::MAX >> 1)?;
                CompactionConfig::new().min_dead_share(share.named("min_dead_share")?).min_dead_rows(rows)
            }
        };
        let result = self.run_long(py, |engine| engine.maybe_compact(&config))?;
        let duration_ms = result.duration.as_secs_f64() * 1e3;
        plain_value(py, "CompactionResult", (result.compacted, result.freed, duration_ms))
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
        let report = self.run_long(py, |engine| engine.verify())?;
        let problem = |problem: &vecstore::Problem| {
            plain_value(py, "Problem", (problem.path.to_string_lossy(), problem.message.as_str()))
        };
        let problems: Vec<_> = report.problems.iter().map(problem).collect::<PyResult<_>>()?;
        plain_value(py, "VerifyReport", (report.files, report.bytes, report.records, problems))
    }
}
