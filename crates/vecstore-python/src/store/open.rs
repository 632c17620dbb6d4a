//! Opening and closing, and what a handle says about itself.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use vecstore::limits::MAX_DIM;
use vecstore::{Analyzer, Durability, ErrorKind, Metric, OpenOptions, Quantization};

use super::{VecStore, plain_value};
use crate::arguments::{
    AnalyzerName, DurabilityName, Int, MetricName, Number, QuantizationName, texts, wait,
};
use crate::errors::{OrRaise, invalid};

/// The name that stands for a store without a directory.
const IN_MEMORY: &str = ":memory:";

/// The largest number of threads a query may be given.
const THREADS_MAX: usize = 1024;

/// How often opening looks at signals while it waits for another process.
const SIGNAL_POLL: Duration = Duration::from_millis(50);

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
}

/// How a new store makes terms, as Python gives it.
struct Texts<'a, 'py> {
    analyzer: Option<AnalyzerName>,
    fields: Option<&'a Bound<'py, PyAny>>,
}

impl Arguments<'_, '_> {
    fn open(self) -> PyResult<VecStore> {
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
        let wait = wait(py, self.wait)?;
        let path = path_of(self.path)?;
        let engine = match &path {
            None => py.detach(|| options.open_in_memory()).or_raise(py)?,
            Some(path) => open_waiting(py, &options, path, wait)?,
        };
        let opened =
            Opened { path, durability, read_only: self.read_only, quantization, memory_budget, threads };
        Ok(VecStore { engine, opened })
    }
}

/// Returns the path, `None` for a store in memory.
fn path_of(object: &Bound<'_, PyAny>) -> PyResult<Option<PathBuf>> {
    let py = object.py();
    if object.cast::<PyString>().is_ok_and(|name| name == IN_MEMORY) {
        return Ok(None);
    }
    let path: PathBuf = object.extract()?;
    let bytes = path.as_os_str().as_encoded_bytes();
    if bytes.is_empty() || bytes.contains(&0) {
        let got = if bytes.is_empty() { "an empty one" } else { "one with a NUL character" };
        return Err(invalid(py, format!("path: expected the path of a directory, got {got}")));
    }
    Ok(Some(path))
}

/// Opens a store, trying again until `wait` has passed while another process has it. Ctrl-C ends the wait.
fn open_waiting(
    py: Python<'_>,
    options: &OpenOptions,
    path: &Path,
    wait: Duration,
) -> PyResult<vecstore::VecStore> {
    // The store outlives changes of the current directory.
    let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let started = Instant::now();
    loop {
        let left = wait.saturating_sub(started.elapsed());
        let attempt = options.clone().wait(left.min(SIGNAL_POLL));
        match py.detach(|| attempt.open(path)) {
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
                     memory_budget=None, threads=None, analyzer=None, text_fields=None),
        text_signature = "(path, *, dim=None, metric=None, durability='commit', read_only=False, wait=0.0, quantization='auto', memory_budget=None, threads=None, analyzer=None, text_fields=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn __new__(
        path: &Bound<'_, PyAny>,
        dim: Option<Int>,
        metric: Option<MetricName>,
        durability: DurabilityName,
        read_only: bool,
        wait: Number,
        quantization: QuantizationName,
        memory_budget: Option<Int>,
        threads: Option<Int>,
        analyzer: Option<AnalyzerName>,
        text_fields: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
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
                     memory_budget=None, threads=None, analyzer=None, text_fields=None),
        text_signature = "(path, *, dim=None, metric=None, durability='commit', read_only=False, wait=0.0, quantization='auto', memory_budget=None, threads=None, analyzer=None, text_fields=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn open(
        path: &Bound<'_, PyAny>,
        dim: Option<Int>,
        metric: Option<MetricName>,
        durability: DurabilityName,
        read_only: bool,
        wait: Number,
        quantization: QuantizationName,
        memory_budget: Option<Int>,
        threads: Option<Int>,
        analyzer: Option<AnalyzerName>,
        text_fields: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
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
        }
        .open()
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
        self.run(py, vecstore::VecStore::close)
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        slf.get().check_open(slf.py())?;
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

    /// Returns the number of components of every vector; None before the first upsert if `dim` was not given.
    ///
    /// Examples
    /// --------
    /// >>> store.dimension()
    /// 3
    fn dimension(&self, py: Python<'_>) -> PyResult<Option<usize>> {
        self.check_open(py)?;
        Ok(py.detach(|| self.engine.dim()))
    }

    /// The metric, such as `cosine`.
    ///
    /// Examples
    /// --------
    /// >>> store.distance_metric
    /// 'cosine'
    #[getter]
    fn distance_metric(&self) -> &'static str {
        self.engine.metric().name()
    }

    /// How the store was opened, as a `Config`: path, dim, metric, durability, read_only, quantization,
    /// memory_budget, threads, analyzer, text_fields.
    ///
    /// Examples
    /// --------
    /// >>> store.config.durability
    /// 'commit'
    #[getter]
    fn config<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let opened = &self.opened;
        let dim = self.dimension(py)?;
        let parts = (
            self.shown_path(),
            dim,
            self.engine.metric().name(),
            opened.durability.name(),
            opened.read_only,
            opened.quantization.name(),
            opened.memory_budget,
            opened.threads,
            self.engine.analyzer().to_string(),
            PyTuple::new(py, self.engine.text_fields())?,
        );
        plain_value(py, "Config", parts)
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
        this.check_open(py)?;
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
        self.opened
            .path
            .as_ref()
            .map_or_else(|| IN_MEMORY.to_owned(), |path| path.to_string_lossy().into_owned())
    }
}
