//! Reading records by id, and counting.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyList};
use vecstore::ErrorKind;

use super::BaseCollection;

use crate::arguments::{Id, texts};
use crate::errors::OrRaise;
use crate::filters::optional_filter;
use crate::metadata_out::KeyObjects;
use crate::records::Record;
use crate::signals::look_at_signals;

#[pymethods]
impl BaseCollection {
    /// Returns the record with this id; None if there is none, or it is soft-deleted or expired.
    ///
    /// Parameters
    /// ----------
    /// id : str
    ///     Of the record.
    ///
    /// Examples
    /// --------
    /// >>> store.get("apple").metadata
    /// {'kind': 'fruit', 'price': 3}
    /// >>> store.get("no such") is None
    /// True
    fn get(&self, py: Python<'_>, id: Id) -> PyResult<Option<Record>> {
        let found = self.run(py, |engine| engine.get(&id))?;
        found.map(|record| Record::new(py, record, true, &mut KeyObjects::default())).transpose()
    }

    /// Returns the records with these ids in the order asked for, None where there is none; all of one moment.
    ///
    /// Parameters
    /// ----------
    /// ids : iterable of str
    ///     Of records.
    ///
    /// Examples
    /// --------
    /// >>> [record and record.id for record in store.get_many(["pear", "no such", "apple"])]
    /// ['pear', None, 'apple']
    fn get_many<'py>(&self, py: Python<'py>, ids: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let ids = texts(ids, "ids")?;
        let found = self.run(py, |engine| engine.get_many(ids.iter().map(|id| &**id)))?;
        let mut keys = KeyObjects::default();
        let records: Vec<Option<Record>> = found
            .into_iter()
            .enumerate()
            .map(|(at, record)| {
                look_at_signals(py, at)?;
                record.map(|record| Record::new(py, record, true, &mut keys)).transpose()
            })
            .collect::<PyResult<_>>()?;
        PyList::new(py, records)
    }

    fn __contains__(&self, py: Python<'_>, id: Id) -> PyResult<bool> {
        self.run(py, |engine| engine.contains(&id))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.run(py, |engine| engine.len())
    }

    /// A store is true, empty or not.
    fn __bool__(&self) -> bool {
        true
    }

    /// Returns the number of records, without soft-deleted and expired ones; `len(store)` is the same.
    ///
    /// Examples
    /// --------
    /// >>> store.len()
    /// 3
    fn len(&self, py: Python<'_>) -> PyResult<usize> {
        self.__len__(py)
    }

    /// Returns the number of records that match, or of all of them: of segments from their field indexes, mostly without a
    /// look at single records.
    ///
    /// Parameters
    /// ----------
    /// filter : dict, str or FilterExpr, optional
    ///     What to count; all if not given.
    /// params : dict, optional
    ///     Values for `:name` in a filter string.
    ///
    /// Examples
    /// --------
    /// >>> store.count(), store.count({"price": {"$lt": 4}}), store.count("price < :most", params={"most": 3})
    /// (3, 2, 1)
    #[pyo3(signature = (filter=None, *, params=None))]
    fn count(
        &self,
        py: Python<'_>,
        filter: Option<&Bound<'_, PyAny>>,
        params: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<usize> {
        match optional_filter(filter, params)? {
            Some(filter) => self.run(py, |engine| engine.count(&filter)),
            None => self.__len__(py),
        }
    }

    /// Returns whether there are no records.
    ///
    /// Examples
    /// --------
    /// >>> store.is_empty()
    /// False
    fn is_empty(&self, py: Python<'_>) -> PyResult<bool> {
        self.run(py, |engine| engine.is_empty())
    }

    /// Returns the number of records that reads return: the same as `len(store)`.
    ///
    /// Examples
    /// --------
    /// >>> store.active_count()
    /// 3
    fn active_count(&self, py: Python<'_>) -> PyResult<usize> {
        self.__len__(py)
    }

    /// Returns the number of soft-deleted records.
    ///
    /// Examples
    /// --------
    /// >>> store.soft_delete("leek"), store.deleted_count()
    /// (True, 1)
    fn deleted_count(&self, py: Python<'_>) -> PyResult<usize> {
        self.run(py, |engine| engine.deleted_count())
    }

    /// Returns the text of a record, None if it has none.
    ///
    /// Parameters
    /// ----------
    /// id : str
    ///     Of the record.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     If there is no such record.
    ///
    /// Examples
    /// --------
    /// >>> store.upsert("fig", [1, 0, 0], text="a fig")
    /// >>> store.get_text("fig")
    /// 'a fig'
    fn get_text(&self, py: Python<'_>, id: Id) -> PyResult<Option<String>> {
        self.run(py, |engine| engine.text(&id))
    }

    /// Returns whether there is a record with this id that has a text.
    ///
    /// Parameters
    /// ----------
    /// id : str
    ///     Of the record.
    ///
    /// Examples
    /// --------
    /// >>> store.has_text("apple")
    /// False
    fn has_text(&self, py: Python<'_>, id: Id) -> PyResult<bool> {
        match py.detach(|| self.engine.text(&id)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            text => Ok(text.or_raise(py)?.is_some()),
        }
    }
}
