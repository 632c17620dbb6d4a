//! How far an import is, for formats that Python reads.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyAny;
use vecstore_exchange::Position;

use crate::errors::{OrRaise, invalid};
use crate::store::{BaseCollection, named_disk_path};

/// The checkpoint of an import into a collection.
#[pyclass(frozen, name = "_Checkpoint", module = "vecstore._vecstore")]
pub(crate) struct Checkpoint {
    inner: Mutex<Option<vecstore_exchange::Checkpoint>>,
    position: Position,
    engine: vecstore::Collection,
}

#[pymethods]
impl Checkpoint {
    #[new]
    fn __new__(
        collection: &Bound<'_, BaseCollection>,
        path: &Bound<'_, PyAny>,
        source: &str,
    ) -> PyResult<Self> {
        let (py, path) = (path.py(), named_disk_path(path, "checkpoint")?);
        let engine = collection.get().engine().clone();
        let opened =
            py.detach(|| vecstore_exchange::Checkpoint::open(&path, source, &engine)).or_raise(py)?;
        Ok(Self { position: opened.position(), inner: Mutex::new(Some(opened)), engine })
    }

    /// Rows of the source that were done when the checkpoint was read.
    #[getter]
    fn items(&self) -> u64 {
        self.position.items
    }

    /// Records that were written then.
    #[getter]
    fn records(&self) -> u64 {
        self.position.records
    }

    /// Makes what was written durable, and notes that so much is done.
    fn advance(&self, py: Python<'_>, items: u64, records: u64) -> PyResult<()> {
        let advance = || {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(checkpoint) = inner.as_mut() else { return Ok(false) };
            checkpoint.advance(&self.engine, Position { items, records, offset: 0 }).map(|()| true)
        };
        if py.detach(advance).or_raise(py)? {
            return Ok(());
        }
        Err(invalid(py, "the checkpoint is finished"))
    }

    /// Removes the file: the import is done.
    fn finish(&self) {
        if let Some(checkpoint) = self.inner.lock().unwrap_or_else(PoisonError::into_inner).take() {
            checkpoint.finish();
        }
    }
}
