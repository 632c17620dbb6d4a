//! What a query found, as Python sees it.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyTuple, PyType};
use vecstore::metadata::DocumentRef;
use vecstore::{Hit, Hits, Include};

use crate::arguments::Number;
use crate::errors::{OrRaise, checked};
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
    // A field that the interpreter reads without a call.
    /// The record's id.
    #[pyo3(get)]
    id: Py<PyString>,
    score: f64,
    distance: f64,
    metadata: PyOnceLock<Py<PyDict>>,
    /// The metadata as the store keeps it. A dict is made when it is read: most are not, and it takes longer than all the
    /// rest. It is a copy: what a neighbor held on to of the store could be the files of a segment.
    document: Option<Box<[u8]>>,
    text: Option<Py<PyString>>,
    vector: Option<Box<Components>>,
}

/// A vector, and the list of it when it has been read.
struct Components {
    components: Vec<f32>,
    list: PyOnceLock<Py<PyList>>,
}

impl Components {
    fn new(components: Vec<f32>) -> Box<Self> {
        Box::new(Self { components, list: PyOnceLock::new() })
    }
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

/// `vecstore.NeighborList`: a list that can become a table.
static LIST: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Converts hits, which [`touch`] has read or which are in memory, to a list of `Neighbor`.
pub(crate) fn neighbor_list<'py>(
    py: Python<'py>,
    hits: &Hits,
    include: Include,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::new(py, hits.iter().map(|hit| Included { hit, include }))?;
    // A class of Python, since the stable ABI has no subclass of list; to copy the list takes no longer than to fill it.
    Ok(LIST.import(py, "vecstore._neighbors", "NeighborList")?.call1((list,))?.cast_into::<PyList>()?)
}

/// A hit that becomes a `Neighbor` in its place in the list.
struct Included<'a> {
    hit: Hit<'a>,
    include: Include,
}

impl<'py> IntoPyObject<'py> for Included<'_> {
    type Target = Neighbor;
    type Output = Bound<'py, Neighbor>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, Neighbor>> {
        let Self { hit, include } = self;
        let neighbor = Neighbor::new(
            py,
            hit.id().or_raise(py)?,
            [hit.score(), hit.distance()],
            if include.metadata { Some(hit.encoded_metadata().or_raise(py)?.into()) } else { None },
            if include.text { hit.text().or_raise(py)? } else { None },
            if include.vector { Some(hit.vector().or_raise(py)?.to_vec()) } else { None },
        );
        Bound::new(py, neighbor)
    }
}

impl Neighbor {
    /// Makes a neighbor of what a search found.
    pub(crate) fn new(
        py: Python<'_>,
        id: &str,
        [score, distance]: [f32; 2],
        document: Option<Box<[u8]>>,
        text: Option<&str>,
        vector: Option<Vec<f32>>,
    ) -> Self {
        Self {
            id: PyString::new(py, id).unbind(),
            score: score.into(),
            distance: distance.into(),
            metadata: PyOnceLock::new(),
            document,
            text: text.map(|text| PyString::new(py, text).unbind()),
            vector: vector.map(Components::new),
        }
    }

    fn dict<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyDict>> {
        let make = || -> PyResult<Py<PyDict>> {
            let dict = match &self.document {
                Some(document) => {
                    dict_of(py, DocumentRef::new(document).or_raise(py)?, &mut KeyObjects::default())?
                }
                None => PyDict::new(py),
            };
            Ok(dict.unbind())
        };
        Ok(self.metadata.get_or_try_init(py, make)?.bind(py))
    }

    /// Returns the same neighbor with another score. What was read of its metadata is the same dict.
    pub(crate) fn with_score(&self, py: Python<'_>, score: f64) -> Self {
        let metadata = PyOnceLock::new();
        if let Some(dict) = self.metadata.get(py) {
            _ = metadata.set(py, dict.clone_ref(py));
        }
        Self {
            id: self.id.clone_ref(py),
            score,
            distance: self.distance,
            metadata,
            document: self.document.clone(),
            text: self.text.as_ref().map(|text| text.clone_ref(py)),
            vector: self.components().map(|components| Components::new(components.to_vec())),
        }
    }

    pub(crate) fn id<'py>(&self, py: Python<'py>) -> &Bound<'py, PyString> {
        self.id.bind(py)
    }

    pub(crate) fn own_score(&self) -> f64 {
        self.score
    }

    pub(crate) fn components(&self) -> Option<&[f32]> {
        self.vector.as_ref().map(|vector| vector.components.as_slice())
    }
}

#[pymethods]
impl Neighbor {
    /// For annotations: `Neighbor[list[float]]` has vectors.
    #[classmethod]
    fn __class_getitem__<'py>(
        cls: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        cls.py().import("types")?.getattr("GenericAlias")?.call1((cls, item))
    }

    #[new]
    #[pyo3(signature = (id, score, distance, metadata=None, vector=None, text=None))]
    fn __new__(
        id: &Bound<'_, PyAny>,
        score: Number,
        distance: Number,
        metadata: Option<&Bound<'_, PyAny>>,
        vector: Option<&Bound<'_, PyAny>>,
        text: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let metadata = metadata.map(|metadata| checked::<PyDict>(metadata, "metadata", "a dict or None"));
        let metadata = metadata.transpose()?;
        let text = text.map(|text| checked::<PyString>(text, "text", "a str or None")).transpose()?;
        let vector = vector.map(|components| self::vector(components, "vector")).transpose()?;
        let dict = PyOnceLock::new();
        if let Some(metadata) = metadata {
            _ = dict.set(id.py(), metadata.clone().unbind());
        }
        Ok(Self {
            id: checked::<PyString>(id, "id", "a str")?.clone().unbind(),
            score: score.named("score")?,
            distance: distance.named("distance")?,
            metadata: dict,
            document: None,
            text: text.cloned().map(Bound::unbind),
            vector: vector.map(Components::new),
        })
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
    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyDict>> {
        self.dict(py)
    }

    /// The record's vector as a list of floats, the same list each time; None if it was not included.
    #[getter]
    fn vector<'py>(&self, py: Python<'py>) -> PyResult<Option<&Bound<'py, PyList>>> {
        match &self.vector {
            Some(vector) => float_list(py, &vector.list, Some(&vector.components)),
            None => Ok(None),
        }
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
            && self.dict(py)?.eq(other.dict(py)?)?
            && self.components() == other.components()
            && same_text(py, self.text.as_ref(), other.text.as_ref())?;
        Ok(equal.into_pyobject(py)?.to_owned().into_any().unbind())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut shown = format!(
            "Neighbor(id={}, score={:.6}, distance={:.6}, metadata={}",
            self.id.bind(py).repr()?,
            self.score,
            self.distance,
            self.dict(py)?.repr()?
        );
        if let Some(components) = self.components() {
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
            (&this.id, this.score, this.distance, this.dict(py)?, this.vector(py)?, this.text.as_ref());
        Ok((slf.get_type().into_any(), parts.into_pyobject(py)?))
    }
}
