//! Splitting by meaning: Python embeds, in its own time.

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyList;
use vecstore_text::split::{Chunks, SemanticOptions, SemanticSession, Threshold};

use super::OrSplitError;
use super::chunk::chunk_list;
use super::core::{offset_array, string_list};
use super::sizer;
use super::source::Source;
use crate::arguments::{Int, Number};
use crate::errors::invalid;
use crate::vectors::vector;

/// The options of a splitter by meaning.
#[pyclass(frozen, name = "_SemanticCore", module = "vecstore._vecstore")]
pub(crate) struct SemanticCore(SemanticOptions);

/// The splitting of one text: batches of texts out, vectors in, chunks at the end.
#[pyclass(frozen, name = "_SemanticSession", module = "vecstore._vecstore")]
pub(crate) struct PySession {
    text: Py<PyAny>,
    source: Source,
    session: Mutex<Option<SemanticSession>>,
}

/// Returns a splitter by meaning.
#[pyfunction]
#[pyo3(name = "_split_semantic")]
#[expect(clippy::too_many_arguments, reason = "one for each option")]
pub(crate) fn split_semantic(
    py: Python<'_>,
    max_chunk_size: Int,
    min_chunk_size: Int,
    threshold: &str,
    amount: Option<Number>,
    buffer_size: Int,
    batch_size: Int,
    sizer: &Bound<'_, PyAny>,
) -> PyResult<SemanticCore> {
    let most = i64::MAX as usize;
    let largest = max_chunk_size.within(py, "max_chunk_size", 1..=most)?;
    let least = min_chunk_size.within(py, "min_chunk_size", 0..=most)?;
    let buffer = buffer_size.within(py, "buffer_size", 0..=1000)?;
    let batch = batch_size.within(py, "batch_size", 1..=1 << 20)?;
    let name = if threshold == "absolute" { "similarity_threshold" } else { "amount" };
    let amount = amount.map(|amount| amount.named(name)).transpose()?;
    let threshold = Threshold::parse(threshold, amount).or_split_error(py)?;
    let options = SemanticOptions::new(largest, least).or_split_error(py)?;
    let options = options.threshold(threshold).or_split_error(py)?;
    Ok(SemanticCore(options.buffer(buffer).batch(batch).sizer(sizer::choose(sizer)?.sizer)))
}

#[pymethods]
impl SemanticCore {
    /// Begins to split a text.
    fn session(&self, text: &Bound<'_, PyAny>) -> PyResult<PySession> {
        let source = Source::new(text)?;
        let session = text.py().detach(|| SemanticSession::new(&source, self.0.clone()));
        Ok(PySession { text: text.clone().unbind(), source, session: Mutex::new(Some(session)) })
    }
}

impl PySession {
    fn chunks(&self, py: Python<'_>) -> PyResult<Chunks> {
        let Some(session) = self.session.lock().take() else {
            return Err(invalid(py, "the text has been split already"));
        };
        // A sizer in Python takes the GIL back for each call.
        py.detach(|| session.finish(&self.source)).or_split_error(py)
    }
}

#[pymethods]
impl PySession {
    /// Returns the texts whose vectors are wanted next; none when all are there.
    fn next_batch<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let mut session = self.session.lock();
        let batch = session.as_mut().map(|session| session.next_batch(&self.source)).unwrap_or_default();
        PyList::new(py, batch)
    }

    /// Takes the vectors of the batch.
    fn supply(&self, vectors: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = vectors.py();
        let rows = vectors
            .try_iter()?
            .enumerate()
            .map(|(at, row)| vector(&row?, &format!("embedder: vector {at}")))
            .collect::<PyResult<Vec<_>>>()?;
        match self.session.lock().as_mut() {
            Some(session) => session.supply(rows.iter().map(Vec::as_slice)).or_split_error(py),
            None => Err(invalid(py, "the text has been split already")),
        }
    }

    /// Returns the chunks as strings.
    fn texts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        string_list(py, &self.source, &self.chunks(py)?)
    }

    /// Returns the chunks with their places.
    fn text_chunks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        chunk_list(self.text.bind(py), &self.source, self.chunks(py)?)
    }

    /// Returns an array of starts and ends.
    fn offsets<'py>(&self, py: Python<'py>, unit: &str) -> PyResult<Bound<'py, PyAny>> {
        offset_array(py, &self.source, unit, || self.chunks(py))
    }
}
