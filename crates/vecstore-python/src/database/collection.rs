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

/// Calls a function of `vecstore._texts` with the collection and other arguments.
fn with_texts<'py>(
    slf: &Bound<'py, Collection>,
    function: &str,
    arguments: impl IntoIterator<Item = Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = slf.py();
    let arguments = [slf.clone().into_any()].into_iter().chain(arguments);
    let arguments = pyo3::types::PyTuple::new(py, arguments.collect::<Vec<_>>())?;
    py.import("vecstore._texts")?.getattr(function)?.call1(arguments)
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

    /// Splits a text, embeds the chunks and upserts them as the records `{doc_id}_0`, `{doc_id}_1` and so on, in one atomic
    /// write. Chunks that an earlier and longer text of the document has left are removed then. Returns how many chunks
    /// there are.
    ///
    /// The text of each record is its chunk. Its metadata has the same as `text`, and `chunk_index`, `doc_id`, `start` and
    /// `end` (where the chunk is in the text, in characters).
    ///
    /// Parameters
    /// ----------
    /// doc_id : str
    ///     The id of the document.
    /// text : str
    ///     What to split.
    /// splitter : object or callable
    ///     With `split_with_metadata(text)` or `split_text(text)`, as those of `vecstore.rag`; or called with the text, and
    ///     returning a list of str. Of plain strings, each is looked for from the end of the one before on, or from its
    ///     start where they overlap.
    /// embedder : object or callable
    ///     With `embed_batch(texts)` or `embed(text)`; or called with each text, and returning a vector.
    ///
    /// Examples
    /// --------
    /// >>> docs = vecstore.VecDatabase(":memory:").create_collection("docs")
    /// >>> docs.upsert_chunks("intro", "one. two", lambda text: text.split(". "), lambda text: [len(text), 1])
    /// 2
    /// >>> docs.get("intro_1").metadata
    /// {'text': 'two', 'chunk_index': 1, 'doc_id': 'intro', 'start': 5, 'end': 8}
    fn upsert_chunks<'py>(
        slf: &Bound<'py, Self>,
        doc_id: Bound<'py, PyString>,
        text: Bound<'py, PyString>,
        splitter: Bound<'py, PyAny>,
        embedder: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        with_texts(slf, "upsert_chunks", [doc_id.into_any(), text.into_any(), splitter, embedder])
    }

    /// Embeds texts and upserts them, in one atomic write. Returns how many records there were.
    ///
    /// Parameters
    /// ----------
    /// items : iterable
    ///     Of `(id, text)`, `(id, text, metadata)`, or dicts with the keys id, text and perhaps metadata.
    /// embedder : object or callable
    ///     As in `upsert_chunks`.
    ///
    /// Examples
    /// --------
    /// >>> docs = vecstore.VecDatabase(":memory:").create_collection("docs")
    /// >>> docs.batch_upsert_texts([("a", "one"), ("b", "three", {"n": 3})], lambda text: [len(text), 1])
    /// 2
    /// >>> docs.get_text("b")
    /// 'three'
    fn batch_upsert_texts<'py>(
        slf: &Bound<'py, Self>,
        items: Bound<'py, PyAny>,
        embedder: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        with_texts(slf, "batch_upsert_texts", [items, embedder])
    }

    /// Embeds a text and returns the records nearest to it, as `query` does.
    ///
    /// Examples
    /// --------
    /// >>> docs = vecstore.VecDatabase(":memory:").create_collection("docs")
    /// >>> embedder = lambda text: [len(text), 1]
    /// >>> docs.batch_upsert_texts([("a", "one"), ("b", "seventeen")], embedder)
    /// 2
    /// >>> docs.query_text("eighteen", embedder, k=1)[0].id
    /// 'b'
    #[pyo3(
        signature = (text, embedder, k=None, filter=None),
        text_signature = "($self, text, embedder, k=10, filter=None)"
    )]
    fn query_text<'py>(
        slf: &Bound<'py, Self>,
        text: Bound<'py, PyString>,
        embedder: Bound<'py, PyAny>,
        k: Option<Bound<'py, PyAny>>,
        filter: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let k = match k {
            Some(k) => k,
            None => 10i32.into_pyobject(py)?.into_any(),
        };
        let filter = filter.unwrap_or_else(|| py.None().into_bound(py));
        with_texts(slf, "query_text", [text.into_any(), embedder, k, filter])
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
