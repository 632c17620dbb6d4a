//! What a query found, as Python sees it.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use vecstore::{Hits, Include};

use crate::errors::OrRaise;
use crate::metadata_out::{KeyObjects, dict_of};
use crate::records::{float_list, same_text, shown_vector};
use crate::vectors::vector;

/// A record near the query, as `VecStore.query` returns it. `SearchResult` is the same class.
///
/// Parameters
/// ----------
/// id : str
///     The record's id.
/// score : float
///     Larger is better: the cosine similarity, the dot product, or 1 / (1 + distance).
/// distance : float
///     Smaller is nearer, in the metric's own unit.
/// metadata : dict, optional
///     The record's metadata; an empty dict if there is none or it was not included.
/// vector : sequence of numbers, optional
///     The record's vector, if it was included.
/// text : str, optional
///     The record's text, if it was included and there is one.
///
/// Examples
/// --------
/// >>> neighbor = store.query([1.0, 0.0, 0.0], k=1)[0]
/// >>> neighbor.id, round(neighbor.score, 3), neighbor.metadata
/// ('apple', 0.994, {'kind': 'fruit', 'price': 3})
#[pyclass(frozen, weakref, module = "vecstore")]
pub(crate) struct Neighbor {
    id: Py<PyString>,
    score: f64,
    distance: f64,
    metadata: Py<PyDict>,
    components: Option<Vec<f32>>,
    vector: PyOnceLock<Py<PyList>>,
    text: Option<Py<PyString>>,
}

/// Reads what is included of each hit once without the GIL: a first touch may wait for the disk.
pub(crate) fn touch(hits: &Hits, include: Include) -> vecstore::Result<()> {
    for hit in hits.iter() {
        hit.id()?;
        if include.metadata || include.text {
            hit.text()?;
        }
        if include.vector {
            hit.vector()?;
        }
    }
    Ok(())
}

/// Converts hits, which [`touch`] has read, to a list of `Neighbor`.
pub(crate) fn neighbor_list<'py>(
    py: Python<'py>,
    hits: &Hits,
    include: Include,
    keys: &mut KeyObjects<'py>,
) -> PyResult<Bound<'py, PyList>> {
    let mut neighbors = Vec::with_capacity(hits.len());
    for hit in hits.iter() {
        let metadata =
            if include.metadata { dict_of(py, hit.document().or_raise(py)?, keys)? } else { PyDict::new(py) };
        let text = if include.text { hit.text().or_raise(py)? } else { None };
        neighbors.push(Neighbor {
            id: PyString::new(py, hit.id().or_raise(py)?).unbind(),
            score: hit.score().into(),
            distance: hit.distance().into(),
            metadata: metadata.unbind(),
            components: if include.vector { Some(hit.vector().or_raise(py)?.to_vec()) } else { None },
            vector: PyOnceLock::new(),
            text: text.map(|text| PyString::new(py, text).unbind()),
        });
    }
    PyList::new(py, neighbors)
}

#[pymethods]
impl Neighbor {
    #[new]
    #[pyo3(signature = (id, score, distance, metadata=None, vector=None, text=None))]
    fn __new__(
        id: &Bound<'_, PyString>,
        score: f64,
        distance: f64,
        metadata: Option<&Bound<'_, PyDict>>,
        vector: Option<&Bound<'_, PyAny>>,
        text: Option<Bound<'_, PyString>>,
    ) -> PyResult<Self> {
        Ok(Self {
            id: id.clone().unbind(),
            score,
            distance,
            metadata: metadata.cloned().unwrap_or_else(|| PyDict::new(id.py())).unbind(),
            components: vector.map(|components| self::vector(components, "vector")).transpose()?,
            vector: PyOnceLock::new(),
            text: text.map(Bound::unbind),
        })
    }

    /// The record's id.
    #[getter]
    fn id(&self) -> &Py<PyString> {
        &self.id
    }

    /// Larger is better: the cosine similarity, the dot product, or 1 / (1 + distance).
    #[getter]
    fn score(&self) -> f64 {
        self.score
    }

    /// Smaller is nearer, in the metric's own unit.
    #[getter]
    fn distance(&self) -> f64 {
        self.distance
    }

    /// The record's metadata, the same dict each time; empty if there is none or it was not included.
    #[getter]
    fn metadata(&self) -> &Py<PyDict> {
        &self.metadata
    }

    /// The record's vector as a list of floats, the same list each time; None if it was not included.
    #[getter]
    fn vector<'py>(&self, py: Python<'py>) -> PyResult<Option<&Bound<'py, PyList>>> {
        float_list(py, &self.vector, self.components.as_deref())
    }

    /// The record's text; None if there is none or it was not included.
    #[getter]
    fn text(&self) -> Option<&Py<PyString>> {
        self.text.as_ref()
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let Ok(other) = other.cast::<Self>() else { return Ok(py.NotImplemented()) };
        let other = other.get();
        let equal = self.id.bind(py).as_any().eq(&other.id)?
            && (self.score, self.distance) == (other.score, other.distance)
            && self.metadata.bind(py).eq(&other.metadata)?
            && self.components == other.components
            && same_text(py, self.text.as_ref(), other.text.as_ref())?;
        Ok(equal.into_pyobject(py)?.to_owned().into_any().unbind())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut shown = format!(
            "Neighbor(id={}, score={:.6}, distance={:.6}, metadata={}",
            self.id.bind(py).repr()?,
            self.score,
            self.distance,
            self.metadata.bind(py).repr()?
        );
        if let Some(components) = &self.components {
            shown.push_str(&format!(", vector={}", shown_vector(components)));
        }
        if let Some(text) = &self.text {
            shown.push_str(&format!(", text={}", text.bind(py).repr()?));
        }
        Ok(shown + ")")
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (py, this) = (slf.py(), slf.get());
        let parts =
            (&this.id, this.score, this.distance, &this.metadata, this.vector(py)?, this.text.as_ref());
        Ok((slf.get_type().into_any(), parts.into_pyobject(py)?))
    }
}
