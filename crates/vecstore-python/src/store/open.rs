//! Opening and closing, and what a handle says about itself.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyString, PyTuple};
use vecstore::limits::MAX_DIM;
use vecstore::{Analyzer, Durability, ErrorKind, FieldKind, Metric, OpenOptions, Quantization};

use super::{BaseCollection, VecStore, plain_value};
use crate::arguments::{
    AnalyzerName, DurabilityName, Int, MetricName, Number, PartitionPath, QuantizationName, Text, flags,
    texts, wait,
};
use crate::errors::{OrRaise, invalid, unencodable, wrong_type};
use crate::signals::{SIGNAL_POLL, interruptible};

/// The name that stands for a store without a directory.
const IN_MEMORY: &str = ":memory:";

/// The largest number of threads a query may be given.
const THREADS_MAX: usize = 1024;

/// How a store was opened.
pub(super) struct Opened {
    /// `None` in memory.
    path: Option<PathBuf>,
    durability: Durability,
    read_only: bool,
    quantization: Quantization,
    memory_budget: Option<usize>,
    threads: Option<usize>,
}

/// The arguments of opening, as Python gives them.
struct Arguments<'a, 'py> {
    path: &'a Bound<'py, PyAny>,
    dim: Option<Int>,
    metric: Option<MetricName>,
    durability: DurabilityName,
    read_only: bool,
    wait: Number,
    quantization: QuantizationName,
    memory_budget: Option<Int>,
    threads: Option<Int>,
    texts: Texts<'a, 'py>,
    partition_by: Option<PartitionPath>,
    schema: Option<&'a Bound<'py, PyAny>>,
}

/// How a new store makes terms, as Python gives it.
struct Texts<'a, 'py> {
    analyzer: Option<AnalyzerName>,
    fields: Option<&'a Bound<'py, PyAny>>,
}

impl Arguments<'_, '_> {
    fn open(self) -> PyResult<PyClassInitializer<VecStore>> {
        let py = self.path.py();
        let memory_budget =
            self.memory_budget.map(|bytes| bytes.within(py, "memory_budget", 0..=usize::MAX >> 1));
        let memory_budget = memory_budget.transpose()?;
        let threads =
            self.threads.map(|threads| threads.within(py, "threads", 1..=THREADS_MAX)).transpose()?;
        let DurabilityName(durability) = self.durability;
        let QuantizationName(quantization) = self.quantization;
        let mut options =
            OpenOptions::new().durability(durability).read_only(self.read_only).quantization(quantization);
        if let Some(dim) = self.dim {
            options = options.dim(dim.within(py, "dim", 1..=MAX_DIM)?);
        }
        if let Some(metric) = self.metric {
            let metric: Metric = metric.parse().map_err(|error| invalid(py, format!("metric: {error}")))?;
            options = options.metric(metric);
        }
        if let Some(bytes) = memory_budget {
            options = options.memory_budget(bytes as u64);
        }
        if let Some(threads) = threads {
            options = options.threads(threads);
        }
        if let Some(analyzer) = self.texts.analyzer {
            let analyzer = analyzer.parse::<Analyzer>().map_err(|error| invalid(py, error.to_string()))?;
            options = options.analyzer(analyzer);
        }
        if let Some(fields) = self.texts.fields {
            options =
                options.text_fields(texts(fields, "text_fields")?.iter().map(|field| (**field).to_owned()));
        }
        if let Some(path) = self.partition_by {
            options = options.partition_by(&*path);
        }
        if let Some(schema) = self.schema {
            options = options.schema(fields_of(schema)?);
        }
        let wait = wait(py, self.wait)?;
        let path = path_of(self.path)?;
        let engine = match &path {
            None => py.detach(|| options.open_in_memory()).or_raise(py)?,
            Some(path) => waiting(py, &options, path, wait, OpenOptions::open)?,
        };
        let opened =
            Opened { path, durability, read_only: self.read_only, quantization, memory_budget, threads };
        let base = BaseCollection::new(vecstore::Collection::clone(&engine));
        Ok(PyClassInitializer::from(base).add_subclass(VecStore { engine, opened }))
    }
}

/// Reads a schema: kinds of field indexes by path.
fn fields_of(schema: &Bound<'_, PyAny>) -> PyResult<Vec<(String, FieldKind)>> {
    let py = schema.py();
    let named = |name: &str| invalid(py, format!("schema: {name}"));
    let Ok(mapping) = schema.cast::<PyMapping>() else {
        return Err(wrong_type("schema", "a mapping of paths to kinds", schema));
    };
    let mut fields = Vec::new();
    for item in mapping.items()?.iter() {
        let (path, kind): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
        let path = Text::new(&path, "schema: a path")?.to_owned();
        let kind = Text::new(&kind, &format!("schema: the kind of `{path}`"))?;
        let kind: FieldKind = kind.parse().map_err(|error: vecstore::Error| named(error.message()))?;
        fields.push((path, kind));
    }
    Ok(fields)
}

/// Returns the path, `None` for a store in memory.
pub(crate) fn path_of(object: &Bound<'_, PyAny>) -> PyResult<Option<PathBuf>> {
    named_path(object, "path")
}

fn named_path(object: &Bound<'_, PyAny>, what: &str) -> PyResult<Option<PathBuf>> {
    let py = object.py();
    if object.cast::<PyString>().is_ok_and(|name| name == IN_MEMORY) {
        return Ok(None);
    }
    let path: PathBuf = object.extract().map_err(|error: PyErr| {
        let is_type = error.is_instance_of::<PyTypeError>(py);
        if is_type { wrong_type(what, "a str or os.PathLike", object) } else { unencodable(py, what, error) }
    })?;
    let bytes = path.as_os_str().as_encoded_bytes();
    if bytes.is_empty() || bytes.contains(&0) {
        let got = if bytes.is_empty() { "an empty one" } else { "one with a NUL character" };
        return Err(invalid(py, format!("{what}: expected a path, got {got}")));
    }
    Ok(Some(path))
}

/// Opens a store or database, trying again until `wait` has passed while another process has it. Ctrl-C ends the wait.
pub(crate) fn waiting<T: Send>(
    py: Python<'_>,
    options: &OpenOptions,
    path: &Path,
    wait: Duration,
    open: impl Fn(OpenOptions, PathBuf) -> vecstore::Result<T> + Sync,
) -> PyResult<T> {
    // The store outlives changes of the current directory.
    let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let started = Instant::now();
    loop {
        let left = wait.saturating_sub(started.elapsed());
        let attempt = options.clone().wait(left.min(SIGNAL_POLL));
        match py.detach(|| open(attempt, path.clone())) {
            Err(error) if error.kind() == ErrorKind::Locked && started.elapsed() < wait => {
                py.check_signals()?;
            }
            outcome => return outcome.or_raise(py),
        }
    }
}

/// Opens the store of a pickled handle: for reading, since the handle that was pickled may still be open.
#[pyfunction]
#[pyo3(name = "_reopened")]
pub(crate) fn reopened(
    class_: &Bound<'_, PyAny>,
    path: &Bound<'_, PyAny>,
    options: &Bound<'_, PyDict>,
) -> PyResult<Py<PyAny>> {
    Ok(class_.call((path,), Some(options))?.unbind())
}

#[pymethods]
impl VecStore {
    #[new]
    #[pyo3(
        signature = (path, *, dim=None, metric=None, durability=DurabilityName::DEFAULT,
                     read_only=false, wait=Number::Is(0.0), quantization=QuantizationName::DEFAULT,
                     memory_budget=None, threads=None, analyzer=None, text_fields=None, partition_by=None, schema=None),
        text_signature = "(path, *, dim=None, metric=None, durability='commit', read_only=False, wait=0.0, quantization='auto', memory_budget=None, threads=None, analyzer=None, text_fields=None, partition_by=None, schema=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn __new__(
        path: &Bound<'_, PyAny>,
        dim: Option<Int>,
        metric: Option<MetricName>,
        durability: DurabilityName,
        #[pyo3(from_py_with = flags::read_only)] read_only: bool,
        wait: Number,
        quantization: QuantizationName,
        memory_budget: Option<Int>,
        threads: Option<Int>,
        analyzer: Option<AnalyzerName>,
        text_fields: Option<&Bound<'_, PyAny>>,
        partition_by: Option<PartitionPath>,
        schema: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let texts = Texts { analyzer, fields: text_fields };
        Arguments {
            path,
            dim,
            metric,
            durability,
            read_only,
            wait,
            quantization,
            memory_budget,
            threads,
            texts,
            partition_by,
            schema,
        }
        .open()
    }

    /// Opens a store: the same as `VecStore(path, ...)`, with the same parameters.
    ///
    /// Examples
    /// --------
    /// >>> vecstore.VecStore.open(":memory:", dim=3).dimension()
    /// 3
    #[staticmethod]
    #[pyo3(
        signature = (path, *, dim=None, metric=None, durability=DurabilityName::DEFAULT,
                     read_only=false, wait=Number::Is(0.0), quantization=QuantizationName::DEFAULT,
                     memory_budget=None, threads=None, analyzer=None, text_fields=None, partition_by=None, schema=None),
        text_signature = "(path, *, dim=None, metric=None, durability='commit', read_only=False, wait=0.0, quantization='auto', memory_budget=None, threads=None, analyzer=None, text_fields=None, partition_by=None, schema=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn open(
        path: &Bound<'_, PyAny>,
        dim: Option<Int>,
        metric: Option<MetricName>,
        durability: DurabilityName,
        #[pyo3(from_py_with = flags::read_only)] read_only: bool,
        wait: Number,
        quantization: QuantizationName,
        memory_budget: Option<Int>,
        threads: Option<Int>,
        analyzer: Option<AnalyzerName>,
        text_fields: Option<&Bound<'_, PyAny>>,
        partition_by: Option<PartitionPath>,
        schema: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<Self>> {
        let py = path.py();
        let texts = Texts { analyzer, fields: text_fields };
        let arguments = Arguments {
            path,
            dim,
            metric,
            durability,
            read_only,
            wait,
            quantization,
            memory_budget,
            threads,
            texts,
            partition_by,
            schema,
        };
        Py::new(py, arguments.open()?)
    }

    /// Makes a store of a backup, in a directory that is empty or not there yet. Every byte is checked.
    ///
    /// Parameters
    /// ----------
    /// path : str or os.PathLike
    ///     The directory of the backup, as `backup` made it.
    /// to : str or os.PathLike
    ///     Where the store is to be.
    ///
    /// Raises
    /// ------
    /// AlreadyExistsError
    ///     If there is something at `to`.
    /// InvalidInputError, CorruptionError, StorageError
    ///     If there is no backup, it is damaged, or files cannot be read or written.
    ///
    /// Examples
    /// --------
    /// >>> import tempfile
    /// >>> with tempfile.TemporaryDirectory() as directory:
    /// ...     copied = store.backup(directory + "/backup").copied_files
    /// ...     vecstore.VecStore.restore_backup(directory + "/backup", directory + "/store")
    /// ...     with vecstore.VecStore(directory + "/store") as restored:
    /// ...         len(restored)
    /// 3
    #[staticmethod]
    fn restore_backup(path: &Bound<'_, PyAny>, to: &Bound<'_, PyAny>) -> PyResult<()> {
        restore_backup(path, to)
    }

    /// Makes everything durable and closes the store; closing again does nothing.
    ///
    /// Calls of other threads that are under way finish; later ones raise `ClosedError`.
    ///
    /// Raises
    /// ------
    /// StorageError
    ///     If it could not be made durable. The store is closed all the same.
    ///
    /// Examples
    /// --------
    /// >>> shelf = vecstore.VecStore(":memory:")
    /// >>> shelf.close()
    /// >>> len(shelf)
    /// Traceback (most recent call last):
    /// vecstore.ClosedError: the store was closed
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.engine.close()).or_raise(py)
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        slf.as_super().get().check_open(slf.py())?;
        Ok(slf)
    }

    #[pyo3(signature = (exc_type, exc_value, traceback, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        exc_type: &Bound<'_, PyAny>,
        exc_value: &Bound<'_, PyAny>,
        traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        _ = (exc_type, exc_value, traceback);
        self.close(py)
    }

    /// How the store was opened, as a `Config`: path, dim, metric, durability, read_only, quantization,
    /// memory_budget, threads, analyzer, text_fields, partition_by.
    ///
    /// Examples
    /// --------
    /// >>> store.config.durability
    /// 'commit'
    #[getter]
    fn config<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        slf.as_super().get().check_open(py)?;
        let opened = &this.opened;
        let parts = (
            this.shown_path(),
            py.detach(|| this.engine.dim()),
            this.engine.metric().name(),
            opened.durability.name(),
            opened.read_only,
            opened.quantization.name(),
            opened.memory_budget,
            opened.threads,
            this.engine.analyzer().to_string(),
            PyTuple::new(py, this.engine.text_fields())?,
            this.engine.partition_by(),
        );
        plain_value(py, "Config", parts)
    }

    /// Returns figures about the store at this moment, as a `StoreStats`.
    ///
    /// Examples
    /// --------
    /// >>> stats = store.stats()
    /// >>> stats.active, stats.dim, stats.metric
    /// (3, 3, 'cosine')
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let stats = py.detach(|| self.engine.stats()).or_raise(py)?;
        let (calls, upkeep_error) = ((stats.queries, stats.upserts, stats.deletes), stats.upkeep_error);
        let values = py.import("vecstore._values")?.getattr("StoreStats")?;
        let parts = PyDict::new(py);
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

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let path = PyString::new(py, &self.shown_path()).repr()?.to_string();
        let metric = self.engine.metric().name();
        if self.engine.is_closed() {
            return Ok(format!("VecStore({path}, metric='{metric}', closed)"));
        }
        let (len, dim) = py.detach(|| (self.engine.len(), self.engine.dim()));
        let vectors = match len {
            Ok(len) => len.to_string(),
            Err(error) => format!("unknown: {error}"),
        };
        let dim = dim.map_or_else(|| "None".to_owned(), |dim| dim.to_string());
        let read_only = if self.opened.read_only { ", read_only=True" } else { "" };
        Ok(format!("VecStore({path}, vectors={vectors}, dim={dim}, metric='{metric}'{read_only})"))
    }

    /// Pickles as the same store opened for reading: where it is unpickled, this handle may still be open.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (py, this) = (slf.py(), slf.get());
        slf.as_super().get().check_open(py)?;
        let Some(path) = &this.opened.path else {
            return Err(PyTypeError::new_err(
                "a store in memory cannot be pickled: nothing outside it has its records",
            ));
        };
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let options = PyDict::new(py);
        options.set_item("read_only", true)?;
        options.set_item("threads", this.opened.threads)?;
        let make = py.import("vecstore._vecstore")?.getattr("_reopened")?;
        Ok((make, (slf.get_type(), path.to_string_lossy(), options).into_pyobject(py)?))
    }
}

impl VecStore {
    fn shown_path(&self) -> String {
        shown_path(self.opened.path.as_deref())
    }
}

/// Shows the path of a store or database.
pub(crate) fn shown_path(path: Option<&Path>) -> String {
    path.map_or_else(|| IN_MEMORY.to_owned(), |path| path.to_string_lossy().into_owned())
}

/// Returns a path that must be one on disk.
pub(crate) fn disk_path(object: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    named_disk_path(object, "path")
}

/// Does the same for an argument of another name.
pub(crate) fn named_disk_path(object: &Bound<'_, PyAny>, what: &str) -> PyResult<PathBuf> {
    let is_memory = || invalid(object.py(), format!("{what}: expected one on disk, got `:memory:`"));
    named_path(object, what)?.ok_or_else(is_memory)
}

/// Makes a store or database of a backup.
pub(crate) fn restore_backup(path: &Bound<'_, PyAny>, to: &Bound<'_, PyAny>) -> PyResult<()> {
    let (py, path, to) = (path.py(), disk_path(path)?, named_disk_path(to, "to")?);
    interruptible(py, || vecstore::VecDatabase::restore_backup(path, to))?.or_raise(py)
}
