//! Caches over stores of their own.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use vecstore::Metadata;
use vecstore_rag::SemanticCacheOptions;

use super::OrRaise;
use crate::arguments::{Number, ttl};
use crate::metadata_in::value;
use crate::metadata_out::{KeyObjects, dict_of_tree};
use crate::vectors::vector;

/// The store behind `vecstore.rag.CachedEmbedder`.
#[pyclass(frozen, name = "_RagEmbeddingCache", module = "vecstore._vecstore")]
pub(crate) struct EmbeddingCache(pub(super) Arc<vecstore_rag::EmbeddingCache>);

#[pymethods]
impl EmbeddingCache {
    #[new]
    fn __new__(py: Python<'_>, path: Option<PathBuf>, capacity: usize) -> PyResult<Self> {
        let cache = py.detach(|| match path {
            Some(path) => vecstore_rag::EmbeddingCache::open(path),
            None => vecstore_rag::EmbeddingCache::in_memory(capacity),
        });
        Ok(Self(Arc::new(cache.or_raise(py)?)))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        py.detach(|| self.0.len()).or_raise(py)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.0.close()).or_raise(py)
    }
}

/// An entry: id, a dict with the value, similarity, question.
type Found<'py> = (String, Bound<'py, PyDict>, f64, String);

/// The store behind `vecstore.rag.SemanticCache`.
#[pyclass(frozen, name = "_RagSemanticCache", module = "vecstore._vecstore")]
pub(crate) struct SemanticCache(vecstore_rag::SemanticCache);

#[pymethods]
impl SemanticCache {
    #[new]
    fn __new__(
        py: Python<'_>,
        capacity: usize,
        similarity_threshold: f64,
        ttl_seconds: Option<Number>,
        path: Option<PathBuf>,
    ) -> PyResult<Self> {
        let ttl = ttl_seconds.map(|seconds| ttl(py, seconds)).transpose()?;
        let options = SemanticCacheOptions::new(capacity, similarity_threshold).or_raise(py)?.ttl(ttl);
        let cache = py.detach(|| match path {
            Some(path) => options.open(path),
            None => options.in_memory(),
        });
        Ok(Self(cache.or_raise(py)?))
    }

    fn insert(
        &self,
        py: Python<'_>,
        scope: &str,
        key: &Bound<'_, PyAny>,
        query: &str,
        kept: &Bound<'_, PyAny>,
    ) -> PyResult<(String, Vec<String>)> {
        let (key, kept) = (vector(key, "query")?, value(kept, "value")?);
        py.detach(|| self.0.insert(scope, &key, query, kept)).or_raise(py)
    }

    /// Returns the id, a dict with the value, the similarity and the question of what was found.
    fn get<'py>(
        &self,
        py: Python<'py>,
        scope: &str,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Found<'py>>> {
        let key = vector(key, "query")?;
        let Some(hit) = py.detach(|| self.0.get(scope, &key)).or_raise(py)? else { return Ok(None) };
        let dict = dict_of_tree(py, &Metadata::new().with("value", hit.value), &mut KeyObjects::default())?;
        Ok(Some((hit.id, dict, hit.similarity, hit.query)))
    }

    fn contains(&self, py: Python<'_>, scope: &str, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let key = vector(key, "query")?;
        py.detach(|| self.0.contains(scope, &key)).or_raise(py)
    }

    fn remove(&self, py: Python<'_>, id: &str) -> PyResult<bool> {
        py.detach(|| self.0.remove(id)).or_raise(py)
    }

    fn remove_expired(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        py.detach(|| self.0.remove_expired()).or_raise(py)
    }

    fn clear(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.0.clear()).or_raise(py)
    }

    /// Returns entries, capacity, hits, misses and evictions.
    fn stats(&self, py: Python<'_>) -> PyResult<(usize, usize, u64, u64, u64)> {
        let stats = py.detach(|| self.0.stats()).or_raise(py)?;
        Ok((stats.entries, stats.capacity, stats.hits, stats.misses, stats.evictions))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.0.close()).or_raise(py)
    }
}
