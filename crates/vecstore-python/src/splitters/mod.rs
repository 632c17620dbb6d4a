//! Splitters: `vecstore.rag` makes its classes of these.

mod chunk;
mod core;
mod make;
mod semantic;
mod sizer;
mod source;

use std::sync::Arc;

use pyo3::prelude::*;
use vecstore_text::split::SplitError;

use crate::errors::invalid;

pub(crate) use self::chunk::TextChunk;
pub(crate) use self::core::SplitterCore;
pub(crate) use self::make::{
    split_code, split_html, split_json, split_languages, split_markdown, split_recursive, split_sentences,
    split_tokens, token_count,
};
pub(crate) use self::semantic::{PySession, SemanticCore, split_semantic};

/// Turns an error of splitting into an exception: that of the callback, or one of an argument.
fn exception(py: Python<'_>, error: SplitError) -> PyErr {
    let message = error.to_string();
    match error.into_source().map(|source| source.downcast::<PyErr>()) {
        Some(Ok(raised)) => *raised,
        _ => invalid(py, message),
    }
}

/// Turns a result of the text crate into one of Python.
trait OrSplitError<T> {
    fn or_split_error(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrSplitError<T> for vecstore_text::split::Result<T> {
    fn or_split_error(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| exception(py, error))
    }
}

/// A splitter, and whether it calls into Python.
type Shared = Arc<dyn vecstore_text::split::Splitter>;
