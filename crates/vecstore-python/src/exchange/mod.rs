//! Export and import: JSON Lines here, by `vecstore_exchange`; other formats by `vecstore._exchange`, through the rows that
//! `rows` hands out and takes.

mod checkpoint;
mod formats;
mod jsonl;
mod metadata;
mod rows;

use std::path::PathBuf;

use pyo3::prelude::*;
use vecstore_exchange::{ExportOptions, ImportOptions, Progress};

pub(crate) use checkpoint::Checkpoint;
pub(crate) use metadata::{metadata_from_json, metadata_to_json};
pub(crate) use rows::RowBatches;

use crate::arguments::Int;
use crate::errors::OrRaise;
use crate::filters::optional_filter;
use crate::store::named_disk_path;

/// The most records of one atomic write of an import.
const BATCH_SIZE_MAX: usize = 1 << 24;

/// What a call shows of itself: a bar, a callable of the caller's, or nothing. It looks at signals, too.
struct Watcher {
    shown: Option<Py<PyAny>>,
}

impl Watcher {
    fn new(progress: &Bound<'_, PyAny>, what: &str, unit: &str) -> PyResult<Self> {
        let start = progress.py().import("vecstore._progress")?.getattr("start")?;
        let shown = start.call1((progress, what, unit))?;
        Ok(Self { shown: (!shown.is_none()).then(|| shown.unbind()) })
    }

    /// Makes a call without the GIL. An exception of Python in between ends it, and is raised.
    fn watch<T: Send>(
        self,
        py: Python<'_>,
        call: impl FnOnce(&mut (dyn FnMut(Progress) -> vecstore::Result<()> + Send)) -> vecstore::Result<T> + Send,
    ) -> PyResult<T> {
        let mut raised = None;
        let outcome = py.detach(|| {
            let mut observer = |progress: Progress| {
                let told = Python::attach(|py| {
                    py.check_signals()?;
                    match &self.shown {
                        Some(shown) => {
                            shown.call_method1(py, "advance", (progress.done, progress.total)).map(drop)
                        }
                        None => Ok(()),
                    }
                });
                told.map_err(|error| {
                    raised = Some(error);
                    vecstore::Error::new(vecstore::ErrorKind::Closed, "interrupted")
                })
            };
            call(&mut observer)
        });
        let closed = self.shown.map_or(Ok(()), |shown| shown.call_method0(py, "close").map(drop));
        match (raised, outcome) {
            (Some(raised), Err(_)) => Err(raised),
            (_, outcome) => outcome.or_raise(py).and_then(|value| closed.map(|()| value)),
        }
    }
}

/// Reads what is to be exported.
fn export_options(
    filter: Option<&Bound<'_, PyAny>>,
    params: Option<&Bound<'_, PyAny>>,
    include_deleted: bool,
) -> PyResult<ExportOptions> {
    Ok(ExportOptions::default().filter(optional_filter(filter, params)?).deleted(include_deleted))
}

/// Reads how records are to be imported.
fn import_options(
    py: Python<'_>,
    batch_size: Int,
    checkpoint: Option<&Bound<'_, PyAny>>,
) -> PyResult<ImportOptions> {
    let records = batch_size.within(py, "batch_size", 1..=BATCH_SIZE_MAX)?;
    let checkpoint: Option<PathBuf> =
        checkpoint.map(|path| named_disk_path(path, "checkpoint")).transpose()?;
    Ok(ImportOptions::default().batch_records(records).or_raise(py)?.checkpoint(checkpoint))
}
