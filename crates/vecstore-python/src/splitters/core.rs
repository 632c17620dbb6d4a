//! What every splitter of `vecstore.rag` is built on.

use std::num::NonZeroUsize;
use std::ops::Range;

use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use vecstore_text::split::{Chunks, char_ranges, split_many};

use super::chunk::chunk_list;
use super::source::Source;
use super::{OrSplitError, Shared};
use crate::arguments::Int;
use crate::errors::{invalid, wrong_type};
use crate::numpy_interop;
use crate::signals::interruptible;

/// Short texts are split with the GIL: handing it over takes longer.
const BRIEF_BYTES: usize = 2048;

/// From here on Ctrl-C ends the call.
const LONG_BYTES: usize = 1 << 20;

/// A splitter with its options.
#[pyclass(frozen, name = "_Splitter", module = "vecstore._vecstore")]
pub(crate) struct SplitterCore {
    splitter: Shared,
    /// A sizer in Python needs the GIL anyway.
    calls_python: bool,
}

impl SplitterCore {
    pub(super) fn new(splitter: Shared, calls_python: bool) -> Self {
        Self { splitter, calls_python }
    }

    fn run<T: Send>(&self, py: Python<'_>, bytes: usize, work: impl FnOnce() -> T + Send) -> PyResult<T> {
        if self.calls_python { Ok(work()) } else { run(py, bytes, work) }
    }

    fn chunks(&self, py: Python<'_>, text: &str) -> PyResult<Chunks> {
        self.run(py, text.len(), || self.splitter.split(text))?.or_split_error(py)
    }
}

/// Does work on as many bytes of text: without the GIL if that pays, and so that Ctrl-C ends it if it takes long.
pub(super) fn run<T: Send>(py: Python<'_>, bytes: usize, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    match bytes {
        LONG_BYTES.. => interruptible(py, work),
        bytes if bytes > BRIEF_BYTES => Ok(py.detach(work)),
        _ => Ok(work()),
    }
}

#[pymethods]
impl SplitterCore {
    /// Returns the chunks as strings.
    fn split_text<'py>(&self, text: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let source = Source::new(text)?;
        string_list(text.py(), &source, &self.chunks(text.py(), &source)?)
    }

    /// Returns the chunks with their places.
    fn split_with_metadata<'py>(&self, text: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let source = Source::new(text)?;
        chunk_list(text, &source, self.chunks(text.py(), &source)?)
    }

    /// Returns an array of starts and ends, in characters or in bytes.
    fn split_offsets<'py>(&self, text: &Bound<'py, PyAny>, unit: &str) -> PyResult<Bound<'py, PyAny>> {
        let source = Source::new(text)?;
        offset_array(text.py(), &source, unit, || self.chunks(text.py(), &source))
    }

    /// Returns the chunks of many texts as strings.
    fn split_many<'py>(
        &self,
        texts: &Bound<'py, PyAny>,
        threads: Option<Int>,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = texts.py();
        if texts.is_instance_of::<PyString>() {
            return Err(wrong_type("texts", "an iterable of texts", texts));
        }
        let threads = threads.map(|threads| threads.within(py, "threads", 1..=1024)).transpose()?;
        let threads = threads.and_then(NonZeroUsize::new);
        let sources = texts.try_iter()?.map(|text| Source::new(&text?)).collect::<PyResult<Vec<_>>>()?;
        let borrowed: Vec<&str> = sources.iter().map(|source| &**source).collect();
        let bytes = borrowed.iter().map(|text| text.len()).sum();
        let threads = if self.calls_python { NonZeroUsize::new(1) } else { threads };
        let all =
            self.run(py, bytes, || split_many(&*self.splitter, &borrowed, threads))?.or_split_error(py)?;
        let lists = borrowed.iter().zip(&all).map(|(text, chunks)| string_list(py, text, chunks));
        PyList::new(py, lists.collect::<PyResult<Vec<_>>>()?)
    }
}

/// Makes strings of chunks.
pub(super) fn string_list<'py>(py: Python<'py>, text: &str, chunks: &Chunks) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, chunks.ranges().iter().map(|range| PyString::new(py, &text[range.clone()])))
}

/// Makes an array of starts and ends, in characters or in bytes; everything is checked before there are chunks.
pub(super) fn offset_array<'py>(
    py: Python<'py>,
    text: &str,
    unit: &str,
    chunks: impl FnOnce() -> PyResult<Chunks>,
) -> PyResult<Bound<'py, PyAny>> {
    let in_chars = match unit {
        "chars" => true,
        "bytes" => false,
        other => return Err(invalid(py, format!("unit: expected `chars` or `bytes`, got `{other}`"))),
    };
    numpy_interop::require(py)?;
    let chunks = chunks()?;
    let ranges = chunks.ranges();
    let offsets = py.detach(|| if in_chars { flat(&char_ranges(text, ranges)) } else { flat(ranges) });
    Ok(PyArray1::from_vec(py, offsets).reshape([chunks.len(), 2])?.into_any())
}

fn flat(ranges: &[Range<usize>]) -> Vec<i64> {
    ranges.iter().flat_map(|range| [range.start as i64, range.end as i64]).collect()
}
