//! Making, finding, renaming and deleting collections, and what they are set to.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyList};

use super::VecDatabase;
use super::collection::Collection;
use super::config::{config_in, quotas_in};
use super::stats::{aggregate_value, namespace_value};
use crate::arguments::{CollectionName, NewName, Status, flags};
use crate::errors::OrRaise;
use crate::store::{backup_value, disk_path};

#[pymethods]
impl VecDatabase {
    /// Makes a collection, durably.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     1 to 1,024 bytes of UTF-8 without control characters.
    /// config : CollectionConfig, optional
    ///     Dimension, metric, quantization and quotas; kept for as long as the collection is there.
    ///
    /// Raises
    /// ------
    /// AlreadyExistsError
    ///     If there is a collection of that name.
    ///
    /// Examples
    /// --------
    /// >>> database = vecstore.VecDatabase(":memory:")
    /// >>> database.create_collection("docs", vecstore.CollectionConfig(dim=3, metric="l2")).config.metric
    /// 'euclidean'
    #[pyo3(signature = (name, config=None))]
    fn create_collection(
        &self,
        py: Python<'_>,
        name: CollectionName,
        config: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<Collection>> {
        let config = config_in(py, config)?;
        let made = self.run(py, |engine| engine.create_collection(&name, &config))?;
        Collection::make(py, made)
    }

    /// Returns the collection of this name; None if there is none.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     Of the collection.
    ///
    /// Examples
    /// --------
    /// >>> database = vecstore.VecDatabase(":memory:")
    /// >>> database.get_collection("docs") is None
    /// True
    fn get_collection(&self, py: Python<'_>, name: CollectionName) -> PyResult<Option<Py<Collection>>> {
        let found = self.run(py, |engine| engine.get_collection(&name))?;
        found.map(|found| Collection::make(py, found)).transpose()
    }

    /// Returns the collection of this name; makes it with `config` if there is none. One that is there keeps its own config.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     Of the collection.
    /// config : CollectionConfig, optional
    ///     Of a collection that is made now.
    ///
    /// Examples
    /// --------
    /// >>> database = vecstore.VecDatabase(":memory:")
    /// >>> database.get_or_create_collection("docs").name()
    /// 'docs'
    #[pyo3(signature = (name, config=None))]
    fn get_or_create_collection(
        &self,
        py: Python<'_>,
        name: CollectionName,
        config: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<Collection>> {
        let config = config_in(py, config)?;
        let found = self.run(py, |engine| engine.get_or_create_collection(&name, &config))?;
        Collection::make(py, found)
    }

    /// Returns the names of the collections, sorted.
    ///
    /// Examples
    /// --------
    /// >>> database = vecstore.VecDatabase(":memory:")
    /// >>> _ = database.create_collection("b"), database.create_collection("a")
    /// >>> database.list_collections()
    /// ['a', 'b']
    fn list_collections(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.run(py, |engine| engine.list_collections())
    }

    /// The same as `list_collections`.
    ///
    /// Examples
    /// --------
    /// >>> vecstore.VecDatabase(":memory:").collection_names()
    /// []
    fn collection_names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.list_collections(py)
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.list_collections(py)?.len())
    }

    /// A database is true, empty or not.
    fn __bool__(&self) -> bool {
        true
    }

    fn __contains__(&self, py: Python<'_>, name: CollectionName) -> PyResult<bool> {
        Ok(self.run(py, |engine| engine.get_collection(&name))?.is_some())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        PyList::new(py, self.list_collections(py)?)?.as_any().try_iter().map(Bound::into_any)
    }

    /// Deletes a collection with all its records, snapshots and files, durably, and returns whether it was there.
    ///
    /// Calls that are under way in it end first; later ones raise `ClosedError`.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     Of the collection.
    ///
    /// Examples
    /// --------
    /// >>> database = vecstore.VecDatabase(":memory:")
    /// >>> _ = database.create_collection("docs")
    /// >>> database.delete_collection("docs"), database.delete_collection("docs")
    /// (True, False)
    fn delete_collection(&self, py: Python<'_>, name: CollectionName) -> PyResult<bool> {
        self.run(py, |engine| engine.delete_collection(&name))
    }

    /// Gives a collection another name, durably. Objects of it go on under the new name.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     Of the collection.
    /// new_name : str
    ///     1 to 1,024 bytes of UTF-8 without control characters.
    ///
    /// Raises
    /// ------
    /// NotFoundError, AlreadyExistsError
    ///     If there is no collection of the one name, or is one of the other.
    ///
    /// Examples
    /// --------
    /// >>> database = vecstore.VecDatabase(":memory:")
    /// >>> docs = database.create_collection("docs")
    /// >>> database.rename_collection("docs", "papers")
    /// >>> docs.name()
    /// 'papers'
    fn rename_collection(&self, py: Python<'_>, name: CollectionName, new_name: NewName) -> PyResult<()> {
        self.run(py, |engine| engine.rename_collection(&name, &new_name))
    }

    /// Returns sums over all collections, as an `AggregateStats`. Opens each of them, one after the other.
    ///
    /// Examples
    /// --------
    /// >>> database = vecstore.VecDatabase(":memory:")
    /// >>> database.create_collection("docs").upsert("a", [1, 0])
    /// >>> sums = database.aggregate_stats()
    /// >>> sums.total_namespaces, sums["total_vectors"]
    /// (1, 1)
    fn aggregate_stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let stats = self.run(py, |engine| engine.aggregate_stats())?;
        aggregate_value(py, &stats)
    }

    /// Returns figures about a collection, as `Collection.stats`.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     Of the collection.
    ///
    /// Examples
    /// --------
    /// >>> database = vecstore.VecDatabase(":memory:")
    /// >>> _ = database.create_collection("docs")
    /// >>> database.stats("docs").vector_count
    /// 0
    fn stats<'py>(&self, py: Python<'py>, name: CollectionName) -> PyResult<Bound<'py, PyAny>> {
        let stats = self.run(py, |engine| engine.stats(&name))?;
        namespace_value(py, &stats)
    }

    /// Sets what a collection may grow to. What it has grown to already stays.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     The collection.
    /// quotas : NamespaceQuotas
    ///     Looked at when a call adds records of new ids; reads, deletes and updates are never refused.
    ///
    /// Examples
    /// --------
    /// >>> database = vecstore.VecDatabase(":memory:")
    /// >>> docs = database.create_collection("docs")
    /// >>> database.update_quotas("docs", vecstore.NamespaceQuotas(max_vectors=1))
    /// >>> docs.upsert("a", [1, 0])
    /// >>> docs.upsert("b", [0, 1])
    /// Traceback (most recent call last):
    /// vecstore.QuotaExceededError: collection `docs` is over its quota max_vectors
    fn update_quotas(&self, py: Python<'_>, name: CollectionName, quotas: &Bound<'_, PyAny>) -> PyResult<()> {
        let quotas = quotas_in(quotas)?;
        self.run(py, |engine| engine.update_quotas(&name, quotas))
    }

    /// Sets what may be done with a collection.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     The collection.
    /// status : NamespaceStatus or str
    ///     `Active`: reads and writes; `ReadOnly`: reads; `Suspended`, `PendingDeletion`: neither; a name may be in lower
    ///     case, and with `_` between its words. What is not served raises `UnsupportedError`. Figures, settings, snapshots, backups and deletion work in every status.
    ///
    /// Examples
    /// --------
    /// >>> database = vecstore.VecDatabase(":memory:")
    /// >>> docs = database.create_collection("docs")
    /// >>> database.update_status("docs", vecstore.NamespaceStatus.ReadOnly)
    /// >>> docs.upsert("a", [1, 0])
    /// Traceback (most recent call last):
    /// vecstore.UnsupportedError: collection `docs` has the status ReadOnly and takes no writes
    fn update_status(&self, py: Python<'_>, name: CollectionName, status: Status) -> PyResult<()> {
        let status = status.parse().or_raise(py)?;
        self.run(py, |engine| engine.update_status(&name, status))
    }

    /// Copies all collections to a directory of their own, each as of a moment after the call began. The parameters and the
    /// result are those of `Collection.backup`.
    ///
    /// Examples
    /// --------
    /// >>> import tempfile
    /// >>> database = vecstore.VecDatabase(":memory:")
    /// >>> _ = database.create_collection("docs")
    /// >>> with tempfile.TemporaryDirectory() as directory:
    /// ...     database.backup(directory).collections
    /// 1
    #[pyo3(signature = (path, incremental=true))]
    fn backup<'py>(
        &self,
        path: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = flags::incremental)] incremental: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = path.py();
        let path = disk_path(path)?;
        let report = self.run_long(py, |engine| engine.backup(&path, incremental))?;
        backup_value(py, report)
    }

    /// Backs up one collection, as `Collection.backup`.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     Of the collection.
    /// path : path
    ///     A directory of its own.
    /// incremental : bool
    ///     Whether files that are there from an earlier backup are kept.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     If there is no such collection.
    ///
    /// Examples
    /// --------
    /// >>> import tempfile
    /// >>> database = vecstore.VecDatabase(":memory:")
    /// >>> _ = database.create_collection("docs")
    /// >>> with tempfile.TemporaryDirectory() as directory:
    /// ...     database.backup_collection("docs", directory).collections
    /// 1
    #[pyo3(signature = (name, path, incremental=true))]
    fn backup_collection<'py>(
        &self,
        name: CollectionName,
        path: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = flags::incremental)] incremental: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = path.py();
        let path = disk_path(path)?;
        let report = self.run_long(py, |engine| engine.backup_collection(&name, &path, incremental))?;
        backup_value(py, report)
    }

    /// Brings a collection back from a backup of it, under its name: if it is here, its records become those of the backup;
    /// otherwise it is made, with the config it had.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     Of the collection.
    /// path : path
    ///     Of a backup of it.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     If the backup has no collection of that name, and more than one.
    /// AlreadyExistsError
    ///     If another collection has the name here, or this one is here under another.
    /// CorruptionError
    ///     If a file of the backup is damaged; nothing is changed then.
    ///
    /// Examples
    /// --------
    /// >>> import tempfile
    /// >>> database = vecstore.VecDatabase(":memory:")
    /// >>> docs = database.create_collection("docs")
    /// >>> docs.upsert("a", [1, 0])
    /// >>> with tempfile.TemporaryDirectory() as directory:
    /// ...     _ = docs.backup(directory)
    /// ...     _ = database.delete_collection("docs")
    /// ...     len(database.restore_collection("docs", directory))
    /// 1
    fn restore_collection(
        &self,
        py: Python<'_>,
        name: CollectionName,
        path: &Bound<'_, PyAny>,
    ) -> PyResult<Py<Collection>> {
        let path = disk_path(path)?;
        let restored = self.run_long(py, |engine| engine.restore_collection(&name, &path))?;
        Collection::make(py, restored)
    }
}
