//! Listing records in the order of their ids, or of a value.

use std::collections::VecDeque;
use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyList};
use vecstore::limits::MAX_K;
use vecstore::{Interrupt, Records, ScrollRequest};

use super::fields::order_by as order_of;
use super::{BaseCollection, plain_value};
use crate::arguments::{Cursor, Int, flags};
use crate::errors::OrRaise;
use crate::filters::optional_filter;
use crate::metadata_out::KeyObjects;
use crate::records::{Record, record_list};

/// Records read ahead by an iterator, so that the GIL is released once for several of them.
const READ_AHEAD: usize = 64;

impl BaseCollection {
    fn list<'py>(&self, py: Python<'py>, request: &ScrollRequest) -> PyResult<Bound<'py, PyList>> {
        let records = self.run_long(py, |engine| {
            let interrupt = Interrupt::current();
            let records = engine.records(request)?.take_while(|_| !interrupt.is_requested());
            records.collect::<vecstore::Result<Vec<_>>>()
        })?;
        record_list(py, records, true)
    }
}

#[pymethods]
impl BaseCollection {
    /// Returns a page of records, in ascending order of id (by code point) if nothing else is asked for.
    ///
    /// Each page is of the moment it is asked for; a record that is there throughout is listed exactly once, if its value of
    /// `order_by` does not change meanwhile.
    ///
    /// Parameters
    /// ----------
    /// filter : dict, str or FilterExpr, optional
    ///     Lists only records that match.
    /// limit : int
    ///     The most records of a page, 1 to 16,777,216.
    /// cursor : str, optional
    ///     The cursor of the page before, of the same order. In order of id, it is the id after which this page starts.
    /// with_vectors : bool
    ///     Whether the records carry their vectors.
    /// order_by : str or tuple, optional
    ///     A path, such as `price`, the smallest value first; `-price` or `("price", "desc")`: the largest first. By type
    ///     first: False, True, numbers, datetimes, strings, bytes. Records with no such value come last either way, ties in
    ///     order of id.
    /// params : dict, optional
    ///     Values for `:name` in a filter string.
    ///
    /// Returns
    /// -------
    /// Page
    ///     A named tuple: records (a list of `Record`), cursor (None after the last page).
    ///
    /// Examples
    /// --------
    /// >>> records, cursor = store.scroll(limit=2)
    /// >>> [record.id for record in records], cursor
    /// (['apple', 'leek'], 'leek')
    /// >>> records, cursor = store.scroll(limit=2, cursor=cursor)
    /// >>> [record.id for record in records], cursor
    /// (['pear'], None)
    /// >>> [record.id for record in store.scroll(order_by="-price").records]
    /// ['pear', 'apple', 'leek']
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    #[pyo3(
        signature = (filter=None, *, limit=Int::Fits(100), cursor=None, with_vectors=false, order_by=None, params=None),
        text_signature = "($self, filter=None, *, limit=100, cursor=None, with_vectors=False, order_by=None, \
                          params=None)"
    )]
    fn scroll<'py>(
        &self,
        py: Python<'py>,
        filter: Option<&Bound<'py, PyAny>>,
        limit: Int,
        cursor: Option<Cursor>,
        #[pyo3(from_py_with = flags::with_vectors)] with_vectors: bool,
        order_by: Option<&Bound<'py, PyAny>>,
        params: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = ScrollRequest::new()
            .filter(optional_filter(filter, params)?)
            .limit(limit.within(py, "limit", 1..=MAX_K)?)
            .after(cursor.map(|cursor| cursor.to_owned()))
            .vectors(with_vectors)
            .order_by(order_by.map(order_of).transpose()?);
        let page = self.run(py, |engine| engine.scroll(&request))?;
        plain_value(py, "Page", (record_list(py, page.records, with_vectors)?, page.cursor))
    }

    /// Iterates over the records of this moment in ascending order of id, whatever is written meanwhile.
    fn __iter__(&self, py: Python<'_>) -> PyResult<RecordIterator> {
        let records = self.run(py, |engine| engine.iter())?;
        Ok(RecordIterator { state: Mutex::new(State { records, ahead: VecDeque::new() }) })
    }

    /// Returns all records, soft-deleted ones too, in ascending order of id.
    ///
    /// Examples
    /// --------
    /// >>> store.soft_delete("leek")
    /// True
    /// >>> [(record.id, record.deleted) for record in store.list_all()]
    /// [('apple', False), ('leek', True), ('pear', False)]
    fn list_all<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.list(py, &ScrollRequest::new().all())
    }

    /// Returns the records that reads return, in ascending order of id.
    ///
    /// Examples
    /// --------
    /// >>> [record.id for record in store.list_active()]
    /// ['apple', 'leek', 'pear']
    fn list_active<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.list(py, &ScrollRequest::new())
    }

    /// Returns the soft-deleted records in ascending order of id.
    ///
    /// Examples
    /// --------
    /// >>> store.soft_delete("leek")
    /// True
    /// >>> [record.id for record in store.list_deleted()]
    /// ['leek']
    fn list_deleted<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.list(py, &ScrollRequest::new().deleted())
    }
}

/// Iterates over the records of one moment; `iter(store)` makes one.
///
/// Examples
/// --------
/// >>> records = iter(store)
/// >>> next(records).id
/// 'apple'
#[pyclass(frozen, module = "vecstore")]
pub(crate) struct RecordIterator {
    state: Mutex<State>,
}

struct State {
    records: Records,
    ahead: VecDeque<vecstore::Record>,
}

impl State {
    fn next(&mut self) -> vecstore::Result<Option<vecstore::Record>> {
        if self.ahead.is_empty() {
            for record in self.records.by_ref().take(READ_AHEAD) {
                self.ahead.push_back(record?);
            }
        }
        Ok(self.ahead.pop_front())
    }
}

#[pymethods]
impl RecordIterator {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Record>> {
        // `list` takes all records without a step of Python in between, at which it would look at signals.
        py.check_signals()?;
        // The lock is taken without the GIL: another thread may hold it while it waits for the disk.
        let next = py.detach(|| {
            let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            state.next()
        });
        let record = next.or_raise(py)?;
        record.map(|record| Record::new(py, record, true, &mut KeyObjects::default())).transpose()
    }
}
