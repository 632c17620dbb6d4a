//! The store: what it has in common with a collection of a database, by what the methods do, and what it has besides.

mod batch;
mod boosts;
mod duplicates;
mod embedding;
mod explain;
mod fields;
mod listing;
mod multi;
mod open;
mod plain_query;
mod read;
mod repair;
mod search;
mod shards;
mod snapshots;
mod stages;
mod texts;
mod tools;
mod upkeep;
mod write;

use pyo3::prelude::*;
use pyo3::types::PyAny;

pub(crate) use batch::named;
pub(crate) use listing::RecordIterator;
pub(crate) use open::{disk_path, named_disk_path, path_of, reopened, restore_backup, shown_path, waiting};
pub(crate) use plain_query::install as install_plain_query;
pub(crate) use shards::fuse;
pub(crate) use snapshots::backup_value;

use crate::errors::{OrRaise, exception};
use crate::signals::interruptible;

/// A vector store in a directory of its own, or in memory: records with an id, a vector, metadata, and perhaps a
/// text and a time to live.
///
/// A write that has returned survives a power cut (`durability="commit"`). All methods may be called from any number
/// of threads, and release the GIL while the engine works for longer than that takes. One process writes to a store at a time; any number may
/// read it with `read_only=True`.
///
/// Parameters
/// ----------
/// path : str or os.PathLike
///     The directory; made if it is not there. `":memory:"` is a store that never touches disk.
/// dim : int, optional
///     The number of components of every vector, 1 to 65,536. Without it the first upsert sets it.
/// metric : str, optional
///     `cosine` (the default of a new store), `dot`, `euclidean`, `manhattan`, `hamming`, `jaccard`, `chebyshev`,
///     `canberra`, `braycurtis`, or an alias (`dotproduct`, `l2`, `l1`, `linf`). An existing store keeps its own.
/// durability : str
///     `commit`: a write that returned is on disk. `interval`: on disk within 100 ms. `none`: at `save()` or close.
/// read_only : bool
///     Opens an existing store without a lock, beside the process that writes to it.
/// wait : float
///     How many seconds to wait for another process to close the store.
/// quantization : str
///     What graphs of new segments are walked on; an exact query finds the same with each. Hot memory a row at 384
///     dimensions: `auto`: 2,368 bytes, the fastest, while that fits `memory_budget`, else as `int4`. `int8`: 520 bytes.
///     `int4`: 328 bytes. `none`: no codes, 1,668 bytes. Each segment is searched by what it has; `compact()` writes
///     those again that are of another kind.
/// memory_budget : int, optional
///     Bytes of memory, at least 8 MiB; half of the machine's if not given. A quarter (8 to 512 MiB) is for rows that wait
///     to be written to segments. The build of a graph takes no more (about 730 to 920 bytes a row at 384 dimensions): larger
///     segments stay apart, and `stats().upkeep_error` says so if there can be none. With `auto`, what does not fit gets
///     the smaller layout.
/// threads : int, optional
///     Most threads that one query uses; one for each core if not given.
/// analyzer : str, optional
///     How a new store makes terms of texts: `standard` (if not given): Unicode words in lower case, accents folded. A
///     language (`english`, `german`, 16 more): those without its stop words, stemmed; `english:stem` or `english:stop` do
///     one of the two. `cjk`: pairs of Chinese, Japanese and Korean characters. `code`: identifiers and the words in them.
///     `ngram`, `ngram:2-4`: runs of characters. `whitespace`: what stands between spaces. A store keeps its own.
/// text_fields : list of str, optional
///     Up to 15 fields of the metadata that a new store searches beside the records' texts. A store keeps its own.
/// partition_by : str, optional
///     The path of the metadata, dotted, that says whose a record of a new store is, such as that of a tenant. A search whose
///     filter fixes the value there (`{"tenant": "x"}`, alone, beside others, or one of up to 16 values) takes about as long
///     as in a store of that tenant alone, and answers the same as without the option. A store keeps its own.
/// schema : dict, optional
///     The field indexes that the store has to have, as `{path: kind}`: those that it lacks are created, as by `create_index`.
///     What records hold is not restricted, and other paths are indexed as they come.
///
/// Raises
/// ------
/// StoreLockedError
///     If another process, or another handle in this one, has the store open for writing; it names the process.
/// InvalidInputError
///     If the path is not a store, or an option is out of range or does not fit the store.
/// DimensionMismatchError
///     If the store has another dimension.
/// CorruptionError, UnsupportedError, StorageError
///     If the files are damaged, written by a newer version, or cannot be read or written.
///
/// Examples
/// --------
/// >>> with vecstore.VecStore(":memory:", metric="cosine") as fruits:
/// ...     fruits.upsert("apple", [0.9, 0.1], {"kind": "fruit"})
/// ...     [neighbor.id for neighbor in fruits.query([1.0, 0.0], k=1)]
/// ['apple']
#[pyclass(frozen, subclass, extends = BaseCollection, module = "vecstore")]
pub(crate) struct VecStore {
    engine: vecstore::VecStore,
    opened: open::Opened,
}

/// What a store and a collection of a database have in common: everything that concerns their records.
///
/// There is nothing that is only this: `VecStore` makes stores, `VecDatabase` has collections.
///
/// Examples
/// --------
/// >>> isinstance(store, vecstore.BaseCollection)
/// True
#[pyclass(frozen, weakref, subclass, module = "vecstore")]
pub(crate) struct BaseCollection {
    engine: vecstore::Collection,
}

impl BaseCollection {
    pub(crate) fn new(engine: vecstore::Collection) -> Self {
        Self { engine }
    }

    pub(crate) fn engine(&self) -> &vecstore::Collection {
        &self.engine
    }

    /// Runs a call of the engine without the GIL.
    pub(crate) fn run<T: Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&vecstore::Collection) -> vecstore::Result<T> + Send,
    ) -> PyResult<T> {
        py.detach(|| call(&self.engine)).or_raise(py)
    }

    /// Does the same for a call that may take long: Ctrl-C ends it.
    pub(crate) fn run_long<T: Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&vecstore::Collection) -> vecstore::Result<T> + Send,
    ) -> PyResult<T> {
        interruptible(py, || call(&self.engine))?.or_raise(py)
    }

    /// Adds the records of a batch; Ctrl-C ends the wait for the disk to catch up with many.
    pub(crate) fn add(&self, py: Python<'_>, batch: vecstore::Batch) -> PyResult<usize> {
        const LONG_ROWS: usize = 10_000;
        if batch.len() < LONG_ROWS {
            return self.run(py, |engine| engine.upsert_many(batch));
        }
        self.run_long(py, |engine| engine.upsert_many(batch))
    }

    /// Fails if calls on the records do, for methods that would otherwise answer from what they know.
    pub(crate) fn check_open(&self, py: Python<'_>) -> PyResult<()> {
        if !self.engine.is_closed() {
            return Ok(());
        }
        // Any call of the engine says why.
        match py.detach(|| self.engine.deleted_count()) {
            Err(error) => Err(exception(py, &error)),
            Ok(_) => Ok(()),
        }
    }
}

#[pymethods]
impl BaseCollection {
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
}

impl Drop for VecStore {
    fn drop(&mut self) {
        // Closing waits for the disk, which must not hold up other threads of Python.
        let close = || _ = self.engine.close();
        if Python::try_attach(|py| py.detach(close)).is_none() {
            close();
        }
    }
}

/// Makes a plain value type of `vecstore._values`, which is imported when it is first needed.
pub(crate) fn plain_value<'py>(
    py: Python<'py>,
    class: &str,
    parts: impl pyo3::call::PyCallArgs<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    py.import("vecstore._values")?.getattr(class)?.call1(parts)
}
