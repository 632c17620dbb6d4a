//! Opening and closing a database, and what its object says about itself.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyString};
use vecstore::OpenOptions;

use super::VecDatabase;
use crate::arguments::{DurabilityName, Int, Number, flags, wait};
use crate::errors::OrRaise;
use crate::store::{path_of, restore_backup, shown_path, waiting};

/// The largest number of threads a query may be given.
const THREADS_MAX: usize = 1024;

/// How a database was opened.
pub(super) struct Opened {
    /// `None` in memory.
    path: Option<PathBuf>,
    read_only: bool,
}

/// The arguments of opening, as Python gives them.
struct Arguments<'py> {
    path: &'py Bound<'py, PyAny>,
    durability: DurabilityName,
    read_only: bool,
    wait: Number,
    memory_budget: Option<Int>,
    threads: Option<Int>,
}

impl Arguments<'_> {
    fn open(self) -> PyResult<VecDatabase> {
        let py = self.path.py();
        let DurabilityName(durability) = self.durability;
        let mut options = OpenOptions::new().durability(durability).read_only(self.read_only);
        if let Some(bytes) = self.memory_budget {
            options = options.memory_budget(bytes.within(py, "memory_budget", 0..=usize::MAX >> 1)? as u64);
        }
        if let Some(threads) = self.threads {
            options = options.threads(threads.within(py, "threads", 1..=THREADS_MAX)?);
        }
        let wait = wait(py, self.wait)?;
        let path = path_of(self.path)?;
        let engine = match &path {
            None => py.detach(|| options.open_database_in_memory()).or_raise(py)?,
            Some(path) => waiting(py, &options, path, wait, OpenOptions::open_database)?,
        };
        Ok(VecDatabase { engine, opened: Opened { path, read_only: self.read_only } })
    }
}

#[pymethods]
impl VecDatabase {
    #[new]
    #[pyo3(
        signature = (path, *, durability=DurabilityName::DEFAULT, read_only=false, wait=Number::Is(0.0),
                     memory_budget=None, threads=None),
        text_signature = "(path, *, durability='commit', read_only=False, wait=0.0, memory_budget=None, threads=None)"
    )]
    fn __new__(
        path: &Bound<'_, PyAny>,
        durability: DurabilityName,
        #[pyo3(from_py_with = flags::read_only)] read_only: bool,
        wait: Number,
        memory_budget: Option<Int>,
        threads: Option<Int>,
    ) -> PyResult<Self> {
        Arguments { path, durability, read_only, wait, memory_budget, threads }.open()
    }

    /// Opens a database: the same as `VecDatabase(path, ...)`, with the same parameters.
    ///
    /// Examples
    /// --------
    /// >>> vecstore.VecDatabase.open(":memory:").list_collections()
    /// []
    #[staticmethod]
    #[pyo3(
        signature = (path, *, durability=DurabilityName::DEFAULT, read_only=false, wait=Number::Is(0.0),
                     memory_budget=None, threads=None),
        text_signature = "(path, *, durability='commit', read_only=False, wait=0.0, memory_budget=None, threads=None)"
    )]
    fn open(
        path: &Bound<'_, PyAny>,
        durability: DurabilityName,
        #[pyo3(from_py_with = flags::read_only)] read_only: bool,
        wait: Number,
        memory_budget: Option<Int>,
        threads: Option<Int>,
    ) -> PyResult<Self> {
        Arguments { path, durability, read_only, wait, memory_budget, threads }.open()
    }

    /// Makes a database of a backup, in a directory that is empty or not there yet. Every byte is checked.
    ///
    /// Parameters
    /// ----------
    /// path : str or os.PathLike
    ///     The directory of the backup, as `backup` made it.
    /// to : str or os.PathLike
    ///     Where the database is to be.
    ///
    /// Raises
    /// ------
    /// AlreadyExistsError
    ///     If there is something at `to`.
    /// InvalidInputError, CorruptionError, StorageError
    ///     If there is no backup, it is damaged, or files cannot be read or written.
    ///
    /// Examples
    /// --------
    /// >>> import tempfile
    /// >>> with tempfile.TemporaryDirectory() as directory:
    /// ...     with vecstore.VecDatabase(directory + "/database") as database:
    /// ...         _ = database.create_collection("docs")
    /// ...         _ = database.backup(directory + "/backup")
    /// ...     vecstore.VecDatabase.restore_backup(directory + "/backup", directory + "/restored")
    /// ...     with vecstore.VecDatabase(directory + "/restored") as restored:
    /// ...         restored.list_collections()
    /// ['docs']
    #[staticmethod]
    #[pyo3(name = "restore_backup")]
    fn restored_backup(path: &Bound<'_, PyAny>, to: &Bound<'_, PyAny>) -> PyResult<()> {
        restore_backup(path, to)
    }

    /// Makes everything durable and closes the database with all its collections; closing again does nothing.
    ///
    /// Calls of other threads that are under way finish; later ones raise `ClosedError`.
    ///
    /// Raises
    /// ------
    /// StorageError
    ///     If it could not be made durable. The database is closed all the same.
    ///
    /// Examples
    /// --------
    /// >>> database = vecstore.VecDatabase(":memory:")
    /// >>> database.close()
    /// >>> database.list_collections()
    /// Traceback (most recent call last):
    /// vecstore.ClosedError: the database was closed
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, vecstore::VecDatabase::close)
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        // Any call says whether it is closed.
        slf.get().run(slf.py(), |engine| engine.list_collections())?;
        Ok(slf)
    }

    #[pyo3(signature = (exc_type, exc_value, traceback, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        exc_type: &Bound<'_, PyAny>,
        exc_value: &Bound<'_, PyAny>,
        traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        _ = (exc_type, exc_value, traceback);
        self.close(py)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let path = PyString::new(py, &shown_path(self.opened.path.as_deref())).repr()?.to_string();
        if self.engine.is_closed() {
            return Ok(format!("VecDatabase({path}, closed)"));
        }
        let collections = self.run(py, |engine| engine.list_collections())?.len();
        let read_only = if self.opened.read_only { ", read_only=True" } else { "" };
        Ok(format!("VecDatabase({path}, collections={collections}{read_only})"))
    }
}
