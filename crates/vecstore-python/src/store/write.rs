//! Writing records one by one, and what removes them.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyAny;
use vecstore::Batch;

use super::BaseCollection;
use crate::arguments::{Id, Number, RecordText, Text, texts, ttl};
use crate::errors::OrRaise;
use crate::filters::filter;
use crate::metadata_in::{Keys, document, metadata};
use crate::sparse::sparse_vector;
use crate::vectors::vector;

impl BaseCollection {
    fn upsert_one(
        &self,
        id: &Bound<'_, PyAny>,
        vector: &Bound<'_, PyAny>,
        metadata: Option<&Bound<'_, PyAny>>,
        text: Option<RecordText>,
        sparse: Option<&Bound<'_, PyAny>>,
        ttl: Option<Duration>,
    ) -> PyResult<()> {
        let py = id.py();
        let id = Text::new(id, "id")?;
        let components = self::vector(vector, "vector")?;
        let document = document(metadata, "metadata", &mut Keys::default())?;
        let mut batch = Batch::with_capacity(components.len(), 1).or_raise(py)?;
        let sparse = sparse.map(|sparse| sparse_vector(sparse, "sparse")).transpose()?;
        let (text, sparse) = (text.as_deref(), sparse.as_ref());
        batch.push_with_sparse(&id, &components, &document, text, sparse, ttl).or_raise(py)?;
        self.run(py, |engine| engine.upsert_many(batch)).map(drop)
    }
}

#[pymethods]
impl BaseCollection {
    /// Adds a record, or replaces the one with its id, soft-deleted or not.
    ///
    /// Syncs once; threads that write at the same time share the sync. For many records use `upsert_many`.
    ///
    /// Parameters
    /// ----------
    /// id : str
    ///     1 to 1,024 bytes of UTF-8.
    /// vector : sequence of numbers or buffer, of the shape (dim,)
    ///     A list or tuple, a numpy array of any number type and stride, an array.array, a tensor on the CPU.
    /// metadata : dict, optional
    ///     None, bool, int (64 bits), float, str, bytes, aware datetime, list, dict; at most 1 MiB and 64 levels.
    /// text : str, optional
    ///     At most 16 MiB. `text_query` finds the record by its words.
    /// sparse : dict of int to float, or pair (indices, values), optional
    ///     A sparse vector of up to 65,536 components, in any order; each index once. `sparse_query` finds the record by it.
    /// ttl_seconds : float, optional
    ///     How long the record lives; for ever if not given.
    ///
    /// Raises
    /// ------
    /// InvalidInputError
    ///     For a bad id, a component that is not finite, a zero vector under cosine, metadata over a limit.
    /// DimensionMismatchError
    ///     For a vector of another length than the store's.
    /// StorageError
    ///     If it could not be made durable; nothing is changed then.
    ///
    /// Examples
    /// --------
    /// >>> store.upsert("plum", [0.7, 0.3, 0.1], {"kind": "fruit"}, text="a plum", ttl_seconds=3600)
    /// >>> store.get("plum").text
    /// 'a plum'
    #[pyo3(signature = (id, vector, metadata=None, *, text=None, sparse=None, ttl_seconds=None))]
    fn upsert(
        &self,
        id: &Bound<'_, PyAny>,
        vector: &Bound<'_, PyAny>,
        metadata: Option<&Bound<'_, PyAny>>,
        text: Option<RecordText>,
        sparse: Option<&Bound<'_, PyAny>>,
        ttl_seconds: Option<Number>,
    ) -> PyResult<()> {
        let lives = ttl_seconds.map(|seconds| ttl(id.py(), seconds)).transpose()?;
        self.upsert_one(id, vector, metadata, text, sparse, lives)
    }

    /// Adds or replaces a record that lives for `ttl_seconds`.
    ///
    /// Parameters
    /// ----------
    /// id, vector, metadata
    ///     As in `upsert`.
    /// ttl_seconds : float
    ///     How long it lives, in seconds, above 0.
    ///
    /// Examples
    /// --------
    /// >>> store.upsert_with_ttl("session", [0.1, 0.2, 0.3], {"user": 7}, 60)
    /// >>> store.get("session").expires_at is not None
    /// True
    fn upsert_with_ttl(
        &self,
        id: &Bound<'_, PyAny>,
        vector: &Bound<'_, PyAny>,
        metadata: Option<&Bound<'_, PyAny>>,
        ttl_seconds: Number,
    ) -> PyResult<()> {
        self.upsert_one(id, vector, metadata, None, None, Some(ttl(id.py(), ttl_seconds)?))
    }

    /// Lets a record expire `ttl_seconds` from now; None lets it live for ever.
    ///
    /// Parameters
    /// ----------
    /// id : str
    ///     Of the record.
    /// ttl_seconds : float or None
    ///     How long it lives from now, in seconds; None: for ever.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     If there is no such record.
    ///
    /// Examples
    /// --------
    /// >>> store.set_ttl("apple", 3600)
    /// >>> store.set_ttl("apple", None)
    /// >>> store.get("apple").expires_at is None
    /// True
    fn set_ttl(&self, py: Python<'_>, id: Id, ttl_seconds: Option<Number>) -> PyResult<()> {
        let lives = ttl_seconds.map(|seconds| ttl(py, seconds)).transpose()?;
        self.run(py, |engine| engine.set_ttl(&id, lives))
    }

    /// Removes the records that have expired and returns how many there were. Reads never return expired records,
    /// removed or not.
    ///
    /// Examples
    /// --------
    /// >>> store.upsert_with_ttl("brief", [1, 0, 0], None, 0)
    /// >>> "brief" in store, store.expire_ttl_records()
    /// (False, 1)
    fn expire_ttl_records(&self, py: Python<'_>) -> PyResult<usize> {
        self.run(py, |engine| engine.expire())
    }

    /// Replaces the metadata of a record.
    ///
    /// Parameters
    /// ----------
    /// id : str
    ///     Of the record.
    /// metadata : dict or None
    ///     Replaces what was there.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     If there is no such record.
    ///
    /// Examples
    /// --------
    /// >>> store.update_metadata("apple", {"price": 5})
    /// >>> store.get("apple").metadata
    /// {'price': 5}
    #[pyo3(signature = (id, metadata))]
    fn update_metadata(&self, py: Python<'_>, id: Id, metadata: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let metadata = self::metadata(metadata, "metadata", py)?;
        self.run(py, |engine| engine.update_metadata(&id, &metadata))
    }

    /// Sets entries of the metadata of a record; the others stay. An entry set to None is stored as None.
    ///
    /// Parameters
    /// ----------
    /// id : str
    ///     Of the record.
    /// changes : dict
    ///     Fields and their new values; None is a value.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     If there is no such record.
    ///
    /// Examples
    /// --------
    /// >>> store.patch_metadata("apple", {"price": 5})
    /// >>> store.get("apple").metadata
    /// {'kind': 'fruit', 'price': 5}
    fn patch_metadata(&self, py: Python<'_>, id: Id, changes: &Bound<'_, PyAny>) -> PyResult<()> {
        let changes = self::metadata(Some(changes), "changes", py)?;
        self.run(py, |engine| engine.patch_metadata(&id, &changes))
    }

    /// Replaces the vector of a record.
    ///
    /// Parameters
    /// ----------
    /// id : str
    ///     Of the record.
    /// vector : sequence of numbers or buffer, of the shape (dim,)
    ///     The new one.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     If there is no such record.
    ///
    /// Examples
    /// --------
    /// >>> store.update_vector("apple", [0.0, 0.0, 1.0])
    /// >>> store.query([0, 0, 1], k=1)[0].id
    /// 'apple'
    fn update_vector(&self, py: Python<'_>, id: Id, vector: &Bound<'_, PyAny>) -> PyResult<()> {
        let components = self::vector(vector, "vector")?;
        self.run(py, |engine| engine.update_vector(&id, &components))
    }

    /// Removes a record, soft-deleted or not, and returns whether it was there.
    ///
    /// Parameters
    /// ----------
    /// id : str
    ///     Of the record.
    ///
    /// Examples
    /// --------
    /// >>> store.delete("apple"), store.delete("apple")
    /// (True, False)
    fn delete(&self, py: Python<'_>, id: Id) -> PyResult<bool> {
        self.run(py, |engine| engine.delete(&id))
    }

    /// Removes records, all or none of them, and returns how many were there.
    ///
    /// Parameters
    /// ----------
    /// ids : iterable of str
    ///     Of records; those that are not there count for nothing.
    ///
    /// Examples
    /// --------
    /// >>> store.delete_many(["apple", "pear", "no such"])
    /// 2
    fn delete_many(&self, py: Python<'_>, ids: &Bound<'_, PyAny>) -> PyResult<usize> {
        let ids = texts(ids, "ids")?;
        self.run(py, |engine| engine.delete_many(ids.iter().map(|id| &**id)))
    }

    /// Removes every record that matches, atomically, and returns how many there were. Soft-deleted records stay.
    ///
    /// Parameters
    /// ----------
    /// filter : dict, str or FilterExpr
    ///     What to remove.
    /// params : dict, optional
    ///     Values for `:name` in a filter string.
    ///
    /// Examples
    /// --------
    /// >>> store.delete_where({"kind": "fruit"})
    /// 2
    #[pyo3(signature = (filter, *, params=None))]
    fn delete_where(
        &self,
        py: Python<'_>,
        filter: &Bound<'_, PyAny>,
        params: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<usize> {
        let filter = self::filter(filter, params)?;
        self.run_long(py, |engine| engine.delete_where(&filter))
    }

    /// Removes a record.
    ///
    /// Parameters
    /// ----------
    /// id : str
    ///     Of the record.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     If it is not there.
    ///
    /// Examples
    /// --------
    /// >>> store.remove("no such")
    /// Traceback (most recent call last):
    /// vecstore.NotFoundError: no record has the id `no such`
    fn remove(&self, py: Python<'_>, id: Id) -> PyResult<()> {
        self.run(py, |engine| engine.remove(&id))
    }

    /// Hides a record from every read until `restore`, and returns whether it was there.
    ///
    /// Parameters
    /// ----------
    /// id : str
    ///     Of the record.
    ///
    /// Examples
    /// --------
    /// >>> store.soft_delete("apple"), "apple" in store
    /// (True, False)
    fn soft_delete(&self, py: Python<'_>, id: Id) -> PyResult<bool> {
        self.run(py, |engine| engine.soft_delete(&id))
    }

    /// Shows a soft-deleted record again, and returns whether there was one.
    ///
    /// Parameters
    /// ----------
    /// id : str
    ///     Of the record.
    ///
    /// Examples
    /// --------
    /// >>> store.soft_delete("apple"), store.restore("apple"), "apple" in store
    /// (True, True, True)
    fn restore(&self, py: Python<'_>, id: Id) -> PyResult<bool> {
        self.run(py, |engine| engine.restore(&id))
    }

    /// Waits until everything acknowledged so far is on disk, whatever the durability.
    ///
    /// Examples
    /// --------
    /// >>> store.save()
    fn save(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |engine| engine.save())
    }

    /// The same as `save`.
    ///
    /// Examples
    /// --------
    /// >>> store.flush()
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.save(py)
    }
}
