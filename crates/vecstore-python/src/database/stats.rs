//! Figures of the engine as values of Python.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict};
use vecstore::{AggregateStats, NamespaceStats};

fn value<'py>(py: Python<'py>, class: &str, parts: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    py.import("vecstore._values")?.getattr(class)?.call((), Some(parts))
}

/// Makes a `NamespaceStats`.
pub(super) fn namespace_value<'py>(py: Python<'py>, stats: &NamespaceStats) -> PyResult<Bound<'py, PyAny>> {
    let status = py.import("vecstore._values")?.getattr("NamespaceStatus")?.getattr(stats.status.name())?;
    let parts = PyDict::new(py);
    parts.set_item("namespace_id", &stats.namespace_id)?;
    parts.set_item("vector_count", stats.vector_count)?;
    parts.set_item("active_count", stats.active_count)?;
    parts.set_item("deleted_count", stats.deleted_count)?;
    parts.set_item("dimension", stats.dimension)?;
    parts.set_item("quota_utilization", stats.quota_utilization)?;
    parts.set_item("total_requests", stats.total_requests)?;
    parts.set_item("total_queries", stats.total_queries)?;
    parts.set_item("total_upserts", stats.total_upserts)?;
    parts.set_item("total_deletes", stats.total_deletes)?;
    parts.set_item("status", status)?;
    parts.set_item("storage_bytes", stats.storage_bytes)?;
    parts.set_item("segments", stats.segments)?;
    parts.set_item("memory_bytes", stats.memory_bytes)?;
    parts.set_item("disk_bytes", stats.disk_bytes)?;
    value(py, "NamespaceStats", &parts)
}

/// Makes an `AggregateStats`.
pub(super) fn aggregate_value<'py>(py: Python<'py>, stats: &AggregateStats) -> PyResult<Bound<'py, PyAny>> {
    let parts = PyDict::new(py);
    parts.set_item("total_namespaces", stats.total_namespaces)?;
    parts.set_item("active_namespaces", stats.active_namespaces)?;
    parts.set_item("total_vectors", stats.total_vectors)?;
    parts.set_item("active_vectors", stats.active_vectors)?;
    parts.set_item("deleted_vectors", stats.deleted_vectors)?;
    parts.set_item("total_requests", stats.total_requests)?;
    parts.set_item("total_queries", stats.total_queries)?;
    parts.set_item("total_upserts", stats.total_upserts)?;
    parts.set_item("total_deletes", stats.total_deletes)?;
    parts.set_item("storage_bytes", stats.storage_bytes)?;
    parts.set_item("memory_bytes", stats.memory_bytes)?;
    parts.set_item("disk_bytes", stats.disk_bytes)?;
    value(py, "AggregateStats", &parts)
}
