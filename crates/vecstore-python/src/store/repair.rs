//! Repair of a store that is not open.

use pyo3::prelude::*;
use pyo3::types::PyAny;
use vecstore::{Analyzer, Metric, OpenOptions};

use super::open::path_of;
use super::{VecStore, plain_value};
use crate::arguments::{AnalyzerName, MetricName, PartitionPath, texts};
use crate::errors::{OrRaise, invalid};
use crate::signals::interruptible;

#[pymethods]
impl VecStore {
    /// Repairs the store at `path`, which must not be open: keeps all records that can be read, makes indexes anew, and
    /// says what is lost.
    ///
    /// A store with nothing wrong is left as it is. Single flipped bits are put back. Damaged files are moved to
    /// `damaged/` in the store, and may be removed. Takes up to as long as writing all records anew; Ctrl-C ends it, and leaves
    /// the store as it was.
    ///
    /// Parameters
    /// ----------
    /// path : str or os.PathLike
    ///     The directory of the store.
    /// metric : str, optional
    ///     The metric of the store; needed only if all its manifests are lost.
    /// analyzer : str, optional
    ///     The analyzer of the store, if it was not "standard"; counts only if all its manifests are lost.
    /// text_fields : sequence of str, optional
    ///     The fields of the metadata that the store searched beside its texts; count only if all its manifests are lost.
    /// partition_by : str, optional
    ///     The path that the store was partitioned by; counts only if all its manifests are lost.
    ///
    /// Returns
    /// -------
    /// RepairReport
    ///     records (how many are there), problems (what was wrong), lost (what could not be saved), lost_ids,
    ///     bits_restored, set_aside (where damaged files were moved to), ok, lossless.
    ///
    /// Raises
    /// ------
    /// StoreLockedError
    ///     If the store is open for writing.
    /// NotFoundError, InvalidInputError
    ///     If there is no store at the path.
    ///
    /// Examples
    /// --------
    /// >>> import tempfile
    /// >>> path = tempfile.mkdtemp()
    /// >>> with vecstore.VecStore(path) as damaged:
    /// ...     damaged.upsert("a", [1.0, 0.0])
    /// >>> vecstore.VecStore.repair(path).ok
    /// True
    #[staticmethod]
    #[pyo3(signature = (path, *, metric=None, analyzer=None, text_fields=None, partition_by=None))]
    fn repair<'py>(
        path: &Bound<'py, PyAny>,
        metric: Option<MetricName>,
        analyzer: Option<AnalyzerName>,
        text_fields: Option<&Bound<'py, PyAny>>,
        partition_by: Option<PartitionPath>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = path.py();
        let Some(path) = path_of(path)? else {
            return Err(invalid(py, "path: a store in memory cannot be repaired: it has no files"));
        };
        let mut options = OpenOptions::new();
        if let Some(metric) = metric {
            let metric: Metric = metric.parse().map_err(|error| invalid(py, format!("metric: {error}")))?;
            options = options.metric(metric);
        }
        if let Some(analyzer) = analyzer {
            let analyzer: Analyzer = analyzer.parse().map_err(|error| invalid(py, format!("{error}")))?;
            options = options.analyzer(analyzer);
        }
        if let Some(fields) = text_fields {
            options =
                options.text_fields(texts(fields, "text_fields")?.iter().map(|field| (**field).to_owned()));
        }
        if let Some(path) = partition_by {
            options = options.partition_by(&*path);
        }
        let report = interruptible(py, || options.repair(&path))?.or_raise(py)?;
        let problem = |problem: &vecstore::Problem| {
            plain_value(py, "Problem", (problem.path.to_string_lossy(), problem.message.as_str()))
        };
        let loss = |loss: &vecstore::Loss| {
            plain_value(py, "Loss", (loss.path.to_string_lossy(), loss.message.as_str(), loss.records))
        };
        let problems: Vec<_> = report.problems.iter().map(problem).collect::<PyResult<_>>()?;
        let lost: Vec<_> = report.lost.iter().map(loss).collect::<PyResult<_>>()?;
        let set_aside: Vec<_> = report.set_aside.iter().map(|path| path.to_string_lossy()).collect();
        let parts = (report.records, problems, lost, report.lost_ids, report.bits_restored, set_aside);
        plain_value(py, "RepairReport", parts)
    }
}
