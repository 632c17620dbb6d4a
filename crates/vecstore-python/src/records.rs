//! A stored record, as Python sees it.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDateTime, PyDict, PyList, PyString, PyTuple};
use vecstore::{DateTime, MultiVector, SparseVector};

use crate::arguments::{Text, flags};
use crate::datetimes::{datetime_in, datetime_out};
use crate::errors::{OrRaise, checked, invalid};
use crate::metadata_out::{KeyObjects, dict_of_tree};
use crate::signals::look_at_signals;
use crate::sparse::{sparse_dict, sparse_vector};
use crate::vectors::{multi_vector, vector};

/// A record: an id, a vector, and what is known about them.
///
/// Reads return records, and `VecStore.batch_upsert` accepts them. Two records are equal if all their parts are.
///
/// Parameters
/// ----------
/// id : str
///     The id, 1 to 1,024 bytes of UTF-8.
/// vector : sequence of numbers, or None
///     The components; kept as 32-bit floats.
/// metadata : dict, optional
///     Types as given: None, bool, int (64 bits), float, str, bytes, aware datetime, list, dict.
/// text : str, optional
///     The text of the record.
/// sparse : dict of int to float, or pair (indices, values), optional
///     The sparse vector of the record.
/// expires_at : datetime, optional
///     When the record expires (aware); None means never.
/// deleted : bool
///     Whether the record is soft-deleted.
/// vectors : array of the shape (n, dim), optional
///     The several vectors of the record: see `VecStore.upsert_multi`.
///
/// Examples
/// --------
/// >>> record = vecstore.Record("a", [1.0, 0.0], {"page": 3})
/// >>> record.metadata["page"]
/// 3
#[pyclass(frozen, weakref, module = "vecstore")]
pub(crate) struct Record {
    id: Py<PyString>,
    components: Option<Vec<f32>>,
    vector: PyOnceLock<Py<PyList>>,
    metadata: Py<PyDict>,
    text: Option<Py<PyString>>,
    sparse: Option<SparseVector>,
    multi: Option<MultiVector>,
    pub(crate) expires_at_ms: Option<u64>,
    pub(crate) deleted: bool,
}

impl Record {
    /// Converts a record of the engine, with its vector or without.
    pub(crate) fn new<'py>(
        py: Python<'py>,
        record: vecstore::Record,
        with_vector: bool,
        keys: &mut KeyObjects<'py>,
    ) -> PyResult<Self> {
        Ok(Self {
            id: PyString::new(py, &record.id).unbind(),
            components: with_vector.then_some(record.vector),
            vector: PyOnceLock::new(),
            metadata: dict_of_tree(py, &record.metadata, keys)?.unbind(),
            text: record.text.map(|text| PyString::new(py, &text).unbind()),
            sparse: record.sparse,
            multi: record.vectors,
            expires_at_ms: record.expires_at_unix_ms,
            deleted: record.deleted,
        })
    }

    pub(crate) fn components(&self) -> Option<&[f32]> {
        self.components.as_deref()
    }

    pub(crate) fn id_object(&self) -> &Py<PyString> {
        &self.id
    }

    pub(crate) fn metadata_object(&self) -> &Py<PyDict> {
        &self.metadata
    }

    /// Returns the sparse vector as a dict.
    pub(crate) fn sparse_dict<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        self.sparse.as_ref().map(|sparse| sparse_dict(py, sparse)).transpose()
    }

    /// Returns the several vectors.
    pub(crate) fn multi(&self) -> Option<&MultiVector> {
        self.multi.as_ref()
    }

    pub(crate) fn text_object(&self) -> Option<&Py<PyString>> {
        self.text.as_ref()
    }
}

/// Converts records of the engine to a list.
pub(crate) fn record_list(
    py: Python<'_>,
    records: Vec<vecstore::Record>,
    with_vectors: bool,
) -> PyResult<Bound<'_, PyList>> {
    let mut keys = KeyObjects::default();
    let records: Vec<_> = records
        .into_iter()
        .enumerate()
        .map(|(at, record)| {
            look_at_signals(py, at)?;
            Record::new(py, record, with_vectors, &mut keys)
        })
        .collect::<PyResult<_>>()?;
    PyList::new(py, records)
}

#[pymethods]
impl Record {
    #[new]
    #[pyo3(signature = (id, vector, metadata=None, *, text=None, sparse=None, expires_at=None, deleted=false, vectors=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn __new__(
        id: &Bound<'_, PyAny>,
        vector: Option<&Bound<'_, PyAny>>,
        metadata: Option<&Bound<'_, PyAny>>,
        text: Option<&Bound<'_, PyAny>>,
        sparse: Option<&Bound<'_, PyAny>>,
        expires_at: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = flags::deleted)] deleted: bool,
        vectors: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let py = id.py();
        Text::new(id, "id")?;
        let metadata = metadata.map(|metadata| checked::<PyDict>(metadata, "metadata", "a dict or None"));
        let metadata = metadata.transpose()?;
        let text = text.map(|text| checked::<PyString>(text, "text", "a str or None")).transpose()?;
        let time = |time| unix_ms(py, checked::<PyDateTime>(time, "expires_at", "a datetime or None")?);
        let expires_at_ms = expires_at.map(time).transpose()?;
        Ok(Self {
            id: checked::<PyString>(id, "id", "a str")?.clone().unbind(),
            components: vector.map(|components| self::vector(components, "vector")).transpose()?,
            vector: PyOnceLock::new(),
            metadata: metadata.cloned().unwrap_or_else(|| PyDict::new(py)).unbind(),
            text: text.cloned().map(Bound::unbind),
            sparse: sparse.map(|sparse| sparse_vector(sparse, "sparse")).transpose()?,
            multi: vectors.map(|vectors| multi_vector(vectors, "vectors")).transpose()?,
            expires_at_ms,
            deleted,
        })
    }

    /// The id.
    #[getter]
    fn id(&self) -> &Py<PyString> {
        &self.id
    }

    /// The vector as a list of floats, the same list each time; None if it was not asked for.
    #[getter]
    fn vector<'py>(&self, py: Python<'py>) -> PyResult<Option<&Bound<'py, PyList>>> {
        float_list(py, &self.vector, self.components.as_deref())
    }

    /// The metadata, the same dict each time; empty if there is none.
    #[getter]
    fn metadata(&self) -> &Py<PyDict> {
        &self.metadata
    }

    /// The text, or None.
    #[getter]
    fn text(&self) -> Option<&Py<PyString>> {
        self.text.as_ref()
    }

    /// The sparse vector as a dict from index to weight, ascending; None if there is none.
    #[getter]
    fn sparse<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        self.sparse_dict(py)
    }

    /// The several vectors as a list of lists of floats, if the record was written with several and they were asked for.
    #[getter]
    fn vectors(&self) -> Option<Vec<&[f32]>> {
        self.multi.as_ref().map(|multi| multi.iter().collect())
    }

    /// When the record expires, as an aware datetime in UTC; None if it does not.
    #[getter]
    fn expires_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDateTime>>> {
        let Some(ms) = self.expires_at_ms else { return Ok(None) };
        let micros = i64::try_from(ms).ok().and_then(|ms| ms.checked_mul(1000)).unwrap_or(i64::MAX);
        // Longer than any that this package sets: shown as the last moment that a datetime has.
        let last = 253_402_300_799_999_999;
        datetime_out(py, DateTime::new(micros.min(last), 0).or_raise(py)?).map(Some)
    }

    /// Whether the record is soft-deleted.
    #[getter]
    fn deleted(&self) -> bool {
        self.deleted
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let Ok(other) = other.cast::<Self>() else { return Ok(py.NotImplemented()) };
        let other = other.get();
        let equal = self.id.bind(py).as_any().eq(&other.id)?
            && self.components == other.components
            && self.metadata.bind(py).eq(&other.metadata)?
            && same_text(py, self.text.as_ref(), other.text.as_ref())?
            && self.sparse == other.sparse
            && self.multi == other.multi
            && (self.expires_at_ms, self.deleted) == (other.expires_at_ms, other.deleted);
        Ok(equal.into_pyobject(py)?.to_owned().into_any().unbind())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut shown = format!("Record(id={}, ", self.id.bind(py).repr()?);
        shown.push_str(&match &self.components {
            Some(components) => format!("vector={}", shown_vector(components)),
            None => "vector=None".to_owned(),
        });
        shown.push_str(&format!(", metadata={}", self.metadata.bind(py).repr()?));
        if let Some(text) = &self.text {
            shown.push_str(&format!(", text={}", text.bind(py).repr()?));
        }
        if let Some(sparse) = self.sparse_dict(py)? {
            shown.push_str(&format!(", sparse={}", sparse.repr()?));
        }
        if let Some(multi) = &self.multi {
            shown.push_str(&format!(", vectors=<{} x {}>", multi.len(), multi.dim()));
        }
        if let Some(time) = self.expires_at(py)? {
            shown.push_str(&format!(", expires_at={}", time.str()?));
        }
        if self.deleted {
            shown.push_str(", deleted=True");
        }
        Ok(shown + ")")
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (py, this) = (slf.py(), slf.get());
        let make = py.import("vecstore._vecstore")?.getattr("_record")?;
        let rest = (this.sparse_dict(py)?, this.expires_at(py)?, this.deleted);
        let (text, vectors) = (this.text.as_ref(), this.vectors());
        let parts = (&this.id, this.vector(py)?, &this.metadata, text, rest.0, rest.1, rest.2, vectors);
        Ok((make, parts.into_pyobject(py)?))
    }
}

/// Makes a record of its parts in order, for unpickling.
#[pyfunction]
#[pyo3(name = "_record")]
#[expect(clippy::too_many_arguments, reason = "they are what a record is made of")]
pub(crate) fn record_of_parts(
    id: &Bound<'_, PyAny>,
    vector: Option<&Bound<'_, PyAny>>,
    metadata: Option<&Bound<'_, PyAny>>,
    text: Option<&Bound<'_, PyAny>>,
    sparse: Option<&Bound<'_, PyAny>>,
    expires_at: Option<&Bound<'_, PyAny>>,
    deleted: bool,
    vectors: Option<&Bound<'_, PyAny>>,
) -> PyResult<Record> {
    Record::__new__(id, vector, metadata, text, sparse, expires_at, deleted, vectors)
}

/// Returns the list of a vector's components, made at the first call.
pub(crate) fn float_list<'a, 'py>(
    py: Python<'py>,
    made: &'a PyOnceLock<Py<PyList>>,
    components: Option<&[f32]>,
) -> PyResult<Option<&'a Bound<'py, PyList>>> {
    let Some(components) = components else { return Ok(None) };
    let list = made.get_or_try_init(py, || Ok::<_, PyErr>(PyList::new(py, components)?.unbind()))?;
    Ok(Some(list.bind(py)))
}

/// Shows the start of a vector.
pub(crate) fn shown_vector(components: &[f32]) -> String {
    const SHOWN: usize = 4;
    let start: Vec<String> = components.iter().take(SHOWN).map(|number| format!("{number:?}")).collect();
    let rest =
        if components.len() > SHOWN { format!(", ... {} in all", components.len()) } else { String::new() };
    format!("[{}{rest}]", start.join(", "))
}

pub(crate) fn same_text(
    py: Python<'_>,
    one: Option<&Py<PyString>>,
    other: Option<&Py<PyString>>,
) -> PyResult<bool> {
    match (one, other) {
        (Some(one), Some(other)) => one.bind(py).as_any().eq(other),
        (one, other) => Ok(one.is_none() == other.is_none()),
    }
}

fn unix_ms(py: Python<'_>, time: &Bound<'_, PyDateTime>) -> PyResult<u64> {
    let micros = datetime_in(time, || "expires_at".to_owned())?.unix_micros();
    u64::try_from(micros / 1000)
        .ok()
        .filter(|&ms| ms > 0)
        .ok_or_else(|| invalid(py, format!("expires_at must be after 1970, got {time}")))
}
