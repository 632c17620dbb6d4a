//! The answers to a batch of queries, converted as far as they are looked at.

use numpy::{PyArray1, PyArrayMethods};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PySlice, PyType};
use vecstore::{Hits, Include};

use crate::errors::OrRaise;
use crate::neighbors::{neighbor_list, touch};
use crate::numpy_interop::require;
use crate::packed_answers::pack;

/// The answers of `VecStore.query_batch`, one for each query: a sequence of lists of `Neighbor`.
///
/// The lists are made as they are asked for; `ids` and `scores` give all of them as arrays without making any.
///
/// Examples
/// --------
/// >>> found = store.query_batch([[1, 0, 0], [0, 1, 0]], k=2)
/// >>> [[neighbor.id for neighbor in row] for row in found]
/// [['apple', 'pear'], ['leek', 'pear']]
#[pyclass(frozen, weakref, module = "vecstore")]
pub(crate) struct QueryBatch {
    answers: Vec<Hits>,
    include: Include,
}

impl QueryBatch {
    pub(crate) fn new(answers: Vec<Hits>, include: Include) -> Self {
        Self { answers, include }
    }

    fn row<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyList>> {
        let hits = &self.answers[row];
        py.detach(|| touch(hits, self.include)).or_raise(py)?;
        neighbor_list(py, hits, self.include)
    }

    /// Returns the length of the longest answer.
    fn width(&self) -> usize {
        self.answers.iter().map(Hits::len).max().unwrap_or(0)
    }
}

#[pymethods]
impl QueryBatch {
    /// For annotations: `QueryBatch[list[float]]` has vectors.
    #[classmethod]
    fn __class_getitem__<'py>(
        cls: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        cls.py().import("types")?.getattr("GenericAlias")?.call1((cls, item))
    }

    /// The ids as an object array of numpy, of the shape (queries, most neighbors). Where a query found fewer, None.
    ///
    /// Examples
    /// --------
    /// >>> store.query_batch([[1, 0, 0]], k=2).ids.tolist()
    /// [['apple', 'pear']]
    #[getter]
    fn ids<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let width = self.width();
        let include = Include { metadata: false, vector: false, text: false };
        py.detach(|| self.answers.iter().try_for_each(|hits| touch(hits, include))).or_raise(py)?;
        let mut ids = Vec::with_capacity(self.answers.len() * width);
        for hits in &self.answers {
            for hit in hits.iter() {
                ids.push(hit.id().or_raise(py)?.into_pyobject(py)?.into_any());
            }
            ids.extend((hits.len()..width).map(|_| py.None().into_bound(py)));
        }
        let flat = require(py)?.call_method1("empty", (ids.len(), "O"))?;
        flat.set_item(PySlice::full(py), PyList::new(py, ids)?)?;
        flat.call_method1("reshape", ((self.answers.len(), width),))
    }

    /// The scores as a float32 array of numpy, of the shape of `ids`. Where a query found fewer, NaN.
    ///
    /// Examples
    /// --------
    /// >>> store.query_batch([[1, 0, 0]], k=2).scores.shape
    /// (1, 2)
    #[getter]
    fn scores<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        require(py)?;
        let width = self.width();
        let mut scores = Vec::with_capacity(self.answers.len() * width);
        for hits in &self.answers {
            scores.extend(hits.iter().map(|hit| hit.score()));
            scores.extend((hits.len()..width).map(|_| f32::NAN));
        }
        Ok(PyArray1::from_vec(py, scores).reshape([self.answers.len(), width])?.into_any())
    }

    /// What the neighbors of an answer are ordered by, smaller first, ties by id: distances before they are rounded to the
    /// metric's own unit.
    fn _keys(&self, row: usize) -> PyResult<Vec<f32>> {
        match self.answers.get(row) {
            Some(hits) => Ok(hits.iter().map(|hit| hit.key()).collect()),
            None => Err(PyIndexError::new_err(format!("query {row} of {}", self.answers.len()))),
        }
    }

    /// All answers in bytes, for `_merge_answers`; `is_by_score` where they are ordered by boosted scores.
    fn _packed<'py>(&self, py: Python<'py>, is_by_score: bool) -> PyResult<Bound<'py, PyBytes>> {
        let packed = py.detach(|| pack(&self.answers, self.include, is_by_score)).or_raise(py)?;
        Ok(PyBytes::new(py, &packed))
    }

    fn __len__(&self) -> usize {
        self.answers.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        if let Ok(slice) = index.cast::<PySlice>() {
            let range = slice.indices(self.answers.len() as isize)?;
            let lists = PyList::empty(py);
            for step in 0..range.slicelength {
                let row = range.start + step as isize * range.step;
                lists.append(self.row(py, row as usize)?)?;
            }
            return Ok(lists);
        }
        let index: isize = index.extract()?;
        let row = if index < 0 { index + self.answers.len() as isize } else { index };
        match usize::try_from(row) {
            Ok(row) if row < self.answers.len() => self.row(py, row),
            _ => Err(PyIndexError::new_err(format!(
                "query {index} of {}: the index is out of range",
                self.answers.len()
            ))),
        }
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        // Rows are made one at a time.
        let builtins = slf.py().import("builtins")?;
        let rows = builtins.call_method1("range", (slf.get().answers.len(),))?;
        builtins.call_method1("map", (slf.getattr("__getitem__")?, rows))
    }

    fn __repr__(&self) -> String {
        format!("QueryBatch(queries={}, neighbors={})", self.answers.len(), self.width())
    }
}
