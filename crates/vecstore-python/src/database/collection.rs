//! A collection of a database: what it has beside its records.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyString};

use super::config::config_value;
use super::stats::namespace_value;
use crate::store::BaseCollection;

/// A collection of a database: records of one dimension and metric. Everything that `VecStore` does with records, it does.
///
/// `VecDatabase` makes and finds them. Calls on a collection that was deleted, or whose database was closed, raise
/// `ClosedError`; one that was renamed goes on.
///
/// Examples
/// --------
/// >>> docs = vecstore.VecDatabase(":memory:").create_collection("docs")
/// >>> docs.upsert("a", [1.0, 0.0], {"page": 3})
/// >>> docs.query([1.0, 0.1], k=1)[0].id, len(docs)
/// ('a', 1)
#[pyclass(frozen, subclass, extends = BaseCollection, module = "vecstore")]
pub(crate) struct Collection;

impl Collection {
    pub(super) fn make(py: Python<'_>, engine: vecstore::Collection) -> PyResult<Py<Self>> {
        Py::new(py, PyClassInitializer::from(BaseCollection::new(engine)).add_subclass(Self))
    }
}

#[pymethods]
impl Collection {
    /// Returns the name.
    ///
    /// Examples
    /// --------
    /// >>> vecstore.VecDatabase(":memory:").create_collection("docs").name()
    /// 'docs'
    fn name(slf: &Bound<'_, Self>) -> String {
        slf.as_super().get().engine().name()
    }

    /// The name: `stats().namespace_id` is the same.
    ///
    /// Examples
    /// --------
    /// >>> vecstore.VecDatabase(":memory:").create_collection("docs").namespace
    /// 'docs'
    #[getter]
    fn namespace(slf: &Bound<'_, Self>) -> String {
        slf.as_super().get().engine().name()
    }

    /// What the collection is set to, as a `CollectionConfig`: dim, metric, quantization, quotas.
    ///
    /// Examples
    /// --------
    /// >>> vecstore.VecDatabase(":memory:").create_collection("docs").config.metric
    /// 'cosine'
    #[getter]
    fn config<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let (py, base) = (slf.py(), slf.as_super().get());
        let config = base.run(py, |engine| engine.config())?;
        config_value(py, &config)
    }

    /// Returns figures about the collection at this moment, as a `NamespaceStats`.
    ///
    /// Examples
    /// --------
    /// >>> docs = vecstore.VecDatabase(":memory:").create_collection("docs")
    /// >>> docs.upsert("a", [1.0, 0.0])
    /// >>> stats = docs.stats()
    /// >>> stats.vector_count, stats["dimension"], stats.status.name
    /// (1, 2, 'Active')
    fn stats<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let (py, base) = (slf.py(), slf.as_super().get());
        let stats = base.run(py, |engine| engine.namespace_stats())?;
        namespace_value(py, &stats)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let (py, engine) = (slf.py(), slf.as_super().get().engine());
        let name = PyString::new(py, &engine.name()).repr()?.to_string();
        let metric = engine.metric().name();
        if engine.is_closed() {
            return Ok(format!("Collection({name}, metric='{metric}', closed)"));
        }
        let vectors = match py.detach(|| engine.namespace_stats()) {
            Ok(stats) => stats.active_count.to_string(),
            Err(error) => format!("unknown: {error}"),
        };
        let dim = py.detach(|| engine.dim()).map_or_else(|| "None".to_owned(), |dim| dim.to_string());
        Ok(format!("Collection({name}, vectors={vectors}, dim={dim}, metric='{metric}')"))
    }
}
