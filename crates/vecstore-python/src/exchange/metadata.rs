//! Metadata as JSON, for the formats that have no types for it.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict};

use crate::errors::OrRaise;
use crate::metadata_in::metadata;
use crate::metadata_out::{KeyObjects, dict_of_tree};

/// Writes a dict of metadata as JSON, with the types that JSON lacks as objects with one key.
#[pyfunction]
#[pyo3(name = "_metadata_to_json")]
pub(crate) fn metadata_to_json(metadata: &Bound<'_, PyAny>) -> PyResult<String> {
    let metadata = self::metadata(Some(metadata), "metadata", metadata.py())?;
    Ok(vecstore_exchange::metadata_to_json(&metadata))
}

/// Reads a dict of metadata from JSON.
#[pyfunction]
#[pyo3(name = "_metadata_from_json")]
pub(crate) fn metadata_from_json<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyDict>> {
    let metadata = vecstore_exchange::metadata_from_json(json).or_raise(py)?;
    dict_of_tree(py, &metadata, &mut KeyObjects::default())
}
