//! A database of collections.

mod collection;
mod collections;
mod config;
mod open;
mod stats;

pub(crate) use collection::Collection;
pub(crate) use config::quota_preset;

use pyo3::prelude::*;

use crate::errors::OrRaise;
use crate::signals::interruptible;

/// Collections in one directory, each with a dimension, a metric and options of its own.
///
/// Collections are opened when they are first used, and closed when many others are: thousands of small ones cost little.
/// A name is 1 to 1,024 bytes of UTF-8 without control characters; it never becomes a path. A `VecStore` is a database with
/// the one collection `default`.
///
/// The database stays open as long as there is an object of it or of one of its collections, unless it is closed.
///
/// Parameters
/// ----------
/// path : str or os.PathLike
///     The directory; made if it is not there. `":memory:"` is a database that never touches disk.
/// durability : str
///     `commit`: a write that returned is on disk. `interval`: on disk within 100 ms. `none`: at `save()` or close.
/// read_only : bool
///     Opens an existing database without a lock, beside the process that writes to it.
/// wait : float
///     How many seconds to wait for another process to close the database.
/// memory_budget : int, optional
///     Bytes of memory for all collections together, at least 8 MiB; half of the machine's if not given. See `VecStore`.
/// threads : int, optional
///     Most threads that one query uses; one for each core if not given.
///
/// Raises
/// ------
/// StoreLockedError
///     If another process, or another object in this one, has the database open for writing; it names the process.
/// InvalidInputError
///     If the path is not a database, or an option is out of range.
/// CorruptionError, UnsupportedError, StorageError
///     If the files are damaged, written by a newer version, or cannot be read or written.
///
/// Examples
/// --------
/// >>> with vecstore.VecDatabase(":memory:") as database:
/// ...     fruits = database.create_collection("fruits", vecstore.CollectionConfig(metric="dot"))
/// ...     fruits.upsert("apple", [0.9, 0.1], {"kind": "fruit"})
/// ...     database.list_collections()
/// ['fruits']
#[pyclass(frozen, weakref, subclass, module = "vecstore")]
pub(crate) struct VecDatabase {
    engine: vecstore::VecDatabase,
    opened: open::Opened,
}

impl VecDatabase {
    /// Runs a call of the engine without the GIL.
    fn run<T: Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&vecstore::VecDatabase) -> vecstore::Result<T> + Send,
    ) -> PyResult<T> {
        py.detach(|| call(&self.engine)).or_raise(py)
    }

    /// Does the same for a call that may take long: Ctrl-C ends it.
    fn run_long<T: Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&vecstore::VecDatabase) -> vecstore::Result<T> + Send,
    ) -> PyResult<T> {
        interruptible(py, || call(&self.engine))?.or_raise(py)
    }
}
