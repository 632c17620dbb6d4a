//! JSON Lines.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyBool};
use vecstore_exchange::{export_jsonl, import_jsonl};

use super::{Watcher, export_options, import_options};
use crate::arguments::{Int, flags};
use crate::store::{BaseCollection, disk_path, plain_value};

fn shown<'py>(py: Python<'py>, progress: Option<Bound<'py, PyAny>>) -> Bound<'py, PyAny> {
    progress.unwrap_or_else(|| PyBool::new(py, false).to_owned().into_any())
}

#[pymethods]
impl BaseCollection {
    /// Writes the records of this moment to a file of JSON Lines, one record a line, in ascending order of id.
    ///
    /// Every type of metadata and every bit of a vector is kept; `import_jsonl` of any store brings them back. The file
    /// appears whole, in the place of one that was there, or not at all. Expired records are left out.
    ///
    /// Parameters
    /// ----------
    /// path : str or os.PathLike
    ///     The file.
    /// filter : dict, str or FilterExpr, optional
    ///     Exports only records that match.
    /// include_deleted : bool
    ///     Whether soft-deleted records are exported as well, marked as such.
    /// progress : bool or callable
    ///     True shows how far it is; a callable gets (done, total), about once in a thousand records.
    /// params : dict, optional
    ///     Values for `:name` in a filter string.
    ///
    /// Returns
    /// -------
    /// ExportResult
    ///     records, bytes.
    ///
    /// Raises
    /// ------
    /// StorageError, CorruptionError
    ///     If the file cannot be written, or a record is damaged.
    ///
    /// Examples
    /// --------
    /// >>> import tempfile, pathlib
    /// >>> with tempfile.TemporaryDirectory() as directory:
    /// ...     file = pathlib.Path(directory) / "fruits.jsonl"
    /// ...     store.export_jsonl(file).records
    /// ...     vecstore.VecStore(":memory:").import_jsonl(file).records
    /// 3
    /// 3
    #[pyo3(signature = (path, *, filter=None, include_deleted=false, progress=None, params=None),
           text_signature = "($self, path, *, filter=None, include_deleted=False, progress=False, params=None)")]
    fn export_jsonl<'py>(
        &self,
        path: &Bound<'py, PyAny>,
        filter: Option<&Bound<'py, PyAny>>,
        #[pyo3(from_py_with = flags::include_deleted)] include_deleted: bool,
        progress: Option<Bound<'py, PyAny>>,
        params: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, path) = (path.py(), disk_path(path)?);
        let options = export_options(filter, params, include_deleted)?;
        let watcher = Watcher::new(&shown(py, progress), "export", "records")?;
        let report = watcher.watch(py, |observer| export_jsonl(self.engine(), &path, &options, observer))?;
        plain_value(py, "ExportResult", (report.records, report.bytes))
    }

    /// Upserts the records of a file of JSON Lines, as `export_jsonl` writes it.
    ///
    /// Each batch is one atomic write. A bad line stops the import; batches before it stay. Nothing is doubled when an
    /// import is run again, since records are upserts; with a checkpoint it does not begin again, either.
    ///
    /// Parameters
    /// ----------
    /// path : str or os.PathLike
    ///     The file: an object on each line with `id` and `vector`, and perhaps `metadata`, `text`, `sparse`,
    ///     `expires_at_unix_ms` and `deleted`.
    /// batch_size : int
    ///     The most records of one write.
    /// checkpoint : str or os.PathLike, optional
    ///     A small file that says how far the import is: if it is there, the import goes on from it. It is written after
    ///     each batch and removed at the end. One of another file or store is passed over.
    /// progress : bool or callable
    ///     True shows how far it is; a callable gets (done, total), in bytes, once a batch.
    ///
    /// Returns
    /// -------
    /// ImportResult
    ///     records (in all), resumed_at (how many of them an earlier attempt had written), batches.
    ///
    /// Raises
    /// ------
    /// InvalidInputError, DimensionMismatchError
    ///     If a line is not a record of this store; it is named, and so is what was written before it.
    ///
    /// Examples
    /// --------
    /// >>> import tempfile, pathlib
    /// >>> with tempfile.TemporaryDirectory() as directory:
    /// ...     file = pathlib.Path(directory) / "nuts.jsonl"
    /// ...     _ = file.write_text('{"id": "nut", "vector": [0.2, 0.2, 0.9]}')
    /// ...     store.import_jsonl(file).records
    /// 1
    #[pyo3(signature = (path, *, batch_size=Int::Fits(1000), checkpoint=None, progress=None),
           text_signature = "($self, path, *, batch_size=1000, checkpoint=None, progress=False)")]
    fn import_jsonl<'py>(
        &self,
        path: &Bound<'py, PyAny>,
        batch_size: Int,
        checkpoint: Option<&Bound<'py, PyAny>>,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, path) = (path.py(), disk_path(path)?);
        let options = import_options(py, batch_size, checkpoint)?;
        let watcher = Watcher::new(&shown(py, progress), "import", "bytes")?;
        let report = watcher.watch(py, |observer| import_jsonl(self.engine(), &path, &options, observer))?;
        plain_value(py, "ImportResult", (report.records, report.resumed_at, report.batches))
    }
}
