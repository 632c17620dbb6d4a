//! The formats that `vecstore._exchange` reads and writes.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::store::BaseCollection;

/// Calls a function of `vecstore._exchange.<module>` with a collection, an argument, and what was given by name.
fn call<'py>(
    collection: &Bound<'py, BaseCollection>,
    module: &str,
    function: &str,
    argument: Bound<'py, PyAny>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let module = collection.py().import(format!("vecstore._exchange.{module}"))?;
    module.getattr(function)?.call((collection, argument), options)
}

#[pymethods]
impl BaseCollection {
    /// Writes the records of this moment to a Parquet file, in ascending order of id. Needs `vecstore[arrow]`.
    ///
    /// The columns are `id`, `vector` (a list of float32 of fixed size), `vectors` (a list of such lists, of records that
    /// have several), `metadata` (JSON, as in `export_jsonl`), `text`, `sparse_indices`, `sparse_values`,
    /// `expires_at_unix_ms` and `deleted`. The file appears whole or not at all.
    ///
    /// Parameters
    /// ----------
    /// path : str or os.PathLike
    ///     The file.
    /// filter : dict, str or FilterExpr, optional
    ///     Exports only records that match.
    /// params : dict, optional
    ///     Values for `:name` in a filter string.
    /// include_deleted : bool
    ///     Whether soft-deleted records are exported as well; False if not given.
    /// batch_size : int
    ///     The most records of a row group, and in memory at once; 10,000 if not given.
    /// compression : str
    ///     `zstd` if not given, or another that pyarrow knows.
    /// progress : bool or callable
    ///     As in `export_jsonl`.
    ///
    /// Returns
    /// -------
    /// ExportResult
    ///     records, bytes.
    ///
    /// Examples
    /// --------
    /// >>> import tempfile, pathlib
    /// >>> directory = pathlib.Path(tempfile.mkdtemp())
    /// >>> store.export_parquet(directory / "fruits.parquet").records
    /// 3
    #[pyo3(
        signature = (path, **options),
        text_signature = "($self, path, *, filter=None, params=None, include_deleted=False, batch_size=10000, compression=\"zstd\", progress=False)"
    )]
    fn export_parquet<'py>(
        slf: &Bound<'py, Self>,
        path: Bound<'py, PyAny>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        call(slf, "arrow", "export_parquet", path, options)
    }

    /// Upserts the rows of a Parquet file, of `export_parquet` or any other. Needs `vecstore[arrow]`.
    ///
    /// Parameters
    /// ----------
    /// path : str or os.PathLike
    ///     The file.
    /// id, vector, text, metadata : str
    ///     The names of the columns: `id`, `vector`, `text` and `metadata` if not given. Ids may be integers. Without a
    ///     column for metadata, all columns that stand for nothing else are its fields.
    /// batch_size : int
    ///     The most records of one atomic write; 1,000 if not given.
    /// checkpoint : str or os.PathLike, optional
    ///     As in `import_jsonl`.
    /// progress : bool or callable
    ///     As in `import_jsonl`, in rows.
    ///
    /// Returns
    /// -------
    /// ImportResult
    ///     records, resumed_at, batches.
    ///
    /// Raises
    /// ------
    /// InvalidInputError
    ///     If the file is not Parquet or ends early, or a row is no record; batches before it stay.
    ///
    /// Examples
    /// --------
    /// >>> import tempfile, pathlib
    /// >>> directory = pathlib.Path(tempfile.mkdtemp())
    /// >>> file = directory / "fruits.parquet"
    /// >>> _ = store.export_parquet(file)
    /// >>> vecstore.VecStore(":memory:").import_parquet(file).records
    /// 3
    #[pyo3(
        signature = (path, **options),
        text_signature = "($self, path, *, id=\"id\", vector=\"vector\", text=\"text\", metadata=\"metadata\", batch_size=1000, checkpoint=None, progress=False)"
    )]
    fn import_parquet<'py>(
        slf: &Bound<'py, Self>,
        path: Bound<'py, PyAny>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        call(slf, "arrow", "import_parquet", path, options)
    }

    /// Upserts the rows of Arrow data: a table, a batch, a reader, or anything with the Arrow stream of the PyCapsule
    /// protocol (`__arrow_c_stream__`), such as frames of polars and pandas. Needs `vecstore[arrow]`.
    ///
    /// Parameters
    /// ----------
    /// data : object
    ///     The rows. A stream is read batch by batch.
    /// id, vector, text, metadata : str
    ///     As in `import_parquet`.
    /// batch_size : int
    ///     The most records of one atomic write; 1,000 if not given.
    /// progress : bool or callable
    ///     As in `import_parquet`.
    ///
    /// Returns
    /// -------
    /// ImportResult
    ///     records, resumed_at (0), batches.
    ///
    /// Examples
    /// --------
    /// >>> import pyarrow
    /// >>> table = pyarrow.table({"id": ["fig"], "vector": [[0.8, 0.1, 0.2]], "kind": ["fruit"]})
    /// >>> store.import_arrow(table).records
    /// 1
    /// >>> store.get("fig").metadata
    /// {'kind': 'fruit'}
    #[pyo3(
        signature = (data, **options),
        text_signature = "($self, data, *, id=\"id\", vector=\"vector\", text=\"text\", metadata=\"metadata\", batch_size=1000, progress=False)"
    )]
    fn import_arrow<'py>(
        slf: &Bound<'py, Self>,
        data: Bound<'py, PyAny>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        call(slf, "arrow", "import_arrow", data, options)
    }

    /// Writes the records of this moment to a file of numpy (`.npz`), in ascending order of id.
    ///
    /// `vectors` in it is a float32 array of the shape (n, dim); `records` are the bytes of the lines that `export_jsonl`
    /// would write, without the vectors; `several` has the several vectors of records that have them, one after the other.
    /// The file appears whole or not at all.
    ///
    /// Parameters
    /// ----------
    /// path : str or os.PathLike
    ///     The file.
    /// filter : dict, str or FilterExpr, optional
    ///     Exports only records that match.
    /// params : dict, optional
    ///     Values for `:name` in a filter string.
    /// include_deleted : bool
    ///     Whether soft-deleted records are exported as well; False if not given.
    /// progress : bool or callable
    ///     As in `export_jsonl`.
    ///
    /// Returns
    /// -------
    /// ExportResult
    ///     records, bytes.
    ///
    /// Examples
    /// --------
    /// >>> import tempfile, pathlib
    /// >>> directory = pathlib.Path(tempfile.mkdtemp())
    /// >>> file = directory / "fruits.npz"
    /// >>> _ = store.export_numpy(file)
    /// >>> import numpy
    /// >>> with numpy.load(file) as arrays:
    /// ...     arrays["vectors"].shape
    /// (3, 3)
    #[pyo3(
        signature = (path, **options),
        text_signature = "($self, path, *, filter=None, params=None, include_deleted=False, progress=False)"
    )]
    fn export_numpy<'py>(
        slf: &Bound<'py, Self>,
        path: Bound<'py, PyAny>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        call(slf, "numpy", "export_numpy", path, options)
    }

    /// Upserts the vectors of a file of numpy: an `.npz` of `export_numpy`, one with the arrays `vectors` and perhaps `ids`,
    /// or an `.npy`. Nothing in it is unpickled.
    ///
    /// Parameters
    /// ----------
    /// path : str or os.PathLike
    ///     The file.
    /// ids : list of str, optional
    ///     An id for each row; without it and without ids in the file, the number of the row.
    /// metadatas : list of dict or None, optional
    ///     Metadata for each row, unless the file has them.
    /// batch_size : int
    ///     The most records of one atomic write; 1,000 if not given.
    /// checkpoint : str or os.PathLike, optional
    ///     As in `import_jsonl`.
    /// progress : bool or callable
    ///     As in `import_jsonl`, in rows.
    ///
    /// Returns
    /// -------
    /// ImportResult
    ///     records, resumed_at, batches.
    ///
    /// Raises
    /// ------
    /// InvalidInputError
    ///     If the file is not of numpy or ends early, or a row is no record; batches before it stay.
    ///
    /// Examples
    /// --------
    /// >>> import tempfile, pathlib
    /// >>> directory = pathlib.Path(tempfile.mkdtemp())
    /// >>> import numpy
    /// >>> file = directory / "nuts.npy"
    /// >>> numpy.save(file, [[0.2, 0.2, 0.9]])
    /// >>> store.import_numpy(file, ids=["nut"]).records
    /// 1
    #[pyo3(
        signature = (path, **options),
        text_signature = "($self, path, *, ids=None, metadatas=None, batch_size=1000, checkpoint=None, progress=False)"
    )]
    fn import_numpy<'py>(
        slf: &Bound<'py, Self>,
        path: Bound<'py, PyAny>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        call(slf, "numpy", "import_numpy", path, options)
    }
}
