//! A chunk, as Python sees it.

use std::ops::Range;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PySlice, PyString, PyTuple};
use vecstore_text::split::{Chunks, FieldValue, char_ranges};

use crate::arguments::Int;
use crate::errors::wrong_type;

/// A piece of a text, and where it stands there: ``text[chunk.char_start:chunk.char_end] == chunk.content``.
///
/// A chunk of a ``str`` holds on to it, and reads its content from there each time.
///
/// Parameters
/// ----------
/// index : int
///     Its place among the chunks, from 0.
/// content : str
///     Its text.
/// char_start, char_end : int
///     Where it stands, in characters.
/// byte_start, byte_end : int
///     The same in bytes of UTF-8.
/// metadata : dict, optional
///     What the splitter knows of the place: headings, symbols, a path. Often empty.
///
/// Examples
/// --------
/// >>> from vecstore.rag import RecursiveCharacterTextSplitter
/// >>> RecursiveCharacterTextSplitter(10, 0).split_with_metadata("Caf\u00e9 au lait")[1]
/// TextChunk(index=1, content='lait', char_start=8, char_end=12, byte_start=9, byte_end=13, metadata={})
#[pyclass(frozen, weakref, module = "vecstore.rag")]
pub(crate) struct TextChunk {
    /// Its place among the chunks, from 0.
    #[pyo3(get)]
    index: usize,
    content: Content,
    chars: Range<usize>,
    bytes: Range<usize>,
    /// What the splitter found, until the metadata is asked for.
    found: Option<Arc<Chunks>>,
    metadata: PyOnceLock<Py<PyDict>>,
}

enum Content {
    Own(Py<PyString>),
    /// In the text it was cut from, at `chars`.
    Of(Py<PyString>),
}

/// Makes the chunks of a text.
pub(super) fn chunk_list<'py>(
    source: &Bound<'py, PyAny>,
    text: &str,
    chunks: Chunks,
) -> PyResult<Bound<'py, PyList>> {
    let py = source.py();
    let chars = py.detach(|| char_ranges(text, chunks.ranges()));
    let chunks = Arc::new(chunks);
    let whole = source.cast::<PyString>().ok();
    let made = chars.into_iter().zip(chunks.ranges()).enumerate().map(|(index, (chars, bytes))| TextChunk {
        index,
        content: match whole {
            Some(whole) => Content::Of(whole.clone().unbind()),
            None => Content::Own(PyString::new(py, &text[bytes.clone()]).unbind()),
        },
        chars,
        bytes: bytes.clone(),
        found: (!chunks.context(index).is_empty()).then(|| Arc::clone(&chunks)),
        metadata: PyOnceLock::new(),
    });
    PyList::new(py, made.collect::<Vec<_>>())
}

impl TextChunk {
    fn text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        match &self.content {
            Content::Own(text) => Ok(text.bind(py).clone()),
            Content::Of(text) => {
                let slice = PySlice::new(py, self.chars.start as isize, self.chars.end as isize, 1);
                Ok(text.bind(py).as_any().get_item(slice)?.cast_into()?)
            }
        }
    }

    fn dict<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyDict>> {
        let make = || {
            let dict = PyDict::new(py);
            for field in self.found.as_deref().map_or(&[][..], |chunks| chunks.context(self.index)) {
                match &field.value {
                    FieldValue::Text(text) => dict.set_item(field.name, text)?,
                    FieldValue::Texts(texts) => dict.set_item(field.name, texts)?,
                    FieldValue::Numbers(numbers) => dict.set_item(field.name, numbers)?,
                }
            }
            Ok::<_, PyErr>(dict.unbind())
        };
        Ok(self.metadata.get_or_try_init(py, make)?.bind(py))
    }

    fn parts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        (
            self.index,
            self.text(py)?,
            self.chars.start,
            self.chars.end,
            self.bytes.start,
            self.bytes.end,
            self.dict(py)?,
        )
            .into_pyobject(py)
    }
}

#[pymethods]
impl TextChunk {
    #[new]
    #[pyo3(signature = (index, content, char_start, char_end, byte_start, byte_end, metadata=None))]
    fn new(
        index: Int,
        content: Bound<'_, PyAny>,
        char_start: Int,
        char_end: Int,
        byte_start: Int,
        byte_end: Int,
        metadata: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let py = content.py();
        let place = |number: Int, name: &str| number.within(py, name, 0..=isize::MAX as usize);
        let content =
            content.cast_into().map_err(|other| wrong_type("content", "a str", &other.into_inner()))?;
        let known = PyOnceLock::new();
        if let Some(metadata) = metadata {
            let metadata = metadata.cast_into::<PyDict>();
            let metadata = metadata.map_err(|other| wrong_type("metadata", "a dict", &other.into_inner()))?;
            known.get_or_init(py, || metadata.unbind());
        }
        Ok(Self {
            index: place(index, "index")?,
            content: Content::Own(content.unbind()),
            chars: place(char_start, "char_start")?..place(char_end, "char_end")?,
            bytes: place(byte_start, "byte_start")?..place(byte_end, "byte_end")?,
            found: None,
            metadata: known,
        })
    }

    /// Its text.
    #[getter]
    fn content<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        self.text(py)
    }

    /// Where it starts in the text, in characters.
    #[getter]
    fn char_start(&self) -> usize {
        self.chars.start
    }

    /// Where it ends in the text, in characters.
    #[getter]
    fn char_end(&self) -> usize {
        self.chars.end
    }

    /// Where it starts in the text, in bytes of UTF-8.
    #[getter]
    fn byte_start(&self) -> usize {
        self.bytes.start
    }

    /// Where it ends in the text, in bytes of UTF-8.
    #[getter]
    fn byte_end(&self) -> usize {
        self.bytes.end
    }

    /// What the splitter knows of its place. The dict is the chunk's own.
    #[getter]
    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.dict(py).cloned()
    }

    /// The number of its characters.
    fn __len__(&self) -> usize {
        self.chars.len()
    }

    fn __str__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        self.text(py)
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let Ok(other) = other.cast::<Self>() else { return Ok(py.NotImplemented()) };
        let equal = self.parts(py)?.eq(other.get().parts(py)?)?;
        Ok(equal.into_pyobject(py)?.to_owned().into_any().unbind())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "TextChunk(index={}, content={}, char_start={}, char_end={}, byte_start={}, byte_end={}, metadata={})",
            self.index,
            self.text(py)?.repr()?,
            self.chars.start,
            self.chars.end,
            self.bytes.start,
            self.bytes.end,
            self.dict(py)?.repr()?
        ))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        Ok((slf.get_type().into_any(), slf.get().parts(slf.py())?))
    }
}
