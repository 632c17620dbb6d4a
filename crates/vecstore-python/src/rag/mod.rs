//! `vecstore-rag` in Python: what `vecstore.rag` is made of.
//!
//! The classes of Python hold the callables and make the calls; here are their state and all that is computed.

mod caches;
mod flow;
mod memory;
mod prompt;
mod ranking;
mod texts;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use vecstore_rag::Error;

use crate::errors::{exception, invalid};

pub(crate) use caches::{EmbeddingCache, SemanticCache};
pub(crate) use flow::Flow;
pub(crate) use memory::Memory;
pub(crate) use prompt::Prompt;
pub(crate) use ranking::{
    rag_average, rag_bm25, rag_borda, rag_context, rag_max_sim, rag_mmr, rag_ranking, rag_rescored, rag_rrf,
    rag_weighted,
};
pub(crate) use texts::{
    rag_answer_opening, rag_citations, rag_decompose, rag_estimate_tokens, rag_hashed, rag_merge, rag_pack,
    rag_parse_lines, rag_reword, rag_synonyms, rag_truncate, rag_unlike, rag_variations,
};

/// Turns a result of the crate into one of Python.
trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for vecstore_rag::Result<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| raised(py, &error))
    }
}

fn raised(py: Python<'_>, error: &Error) -> PyErr {
    match error {
        Error::Store(error) => exception(py, error),
        other => invalid(py, other.to_string()),
    }
}

/// Calls a function of `vecstore.rag` on a store or collection.
pub(crate) fn call_rag<'py>(
    store: &Bound<'py, PyAny>,
    function: &str,
    arguments: impl IntoIterator<Item = (&'static str, Option<Bound<'py, PyAny>>)>,
) -> PyResult<Bound<'py, PyAny>> {
    let keywords = PyDict::new(store.py());
    for (name, value) in arguments {
        if let Some(value) = value {
            keywords.set_item(name, value)?;
        }
    }
    store.py().import("vecstore.rag._chunks")?.getattr(function)?.call((store,), Some(&keywords))
}

/// Returns a counter of tokens: a callable of Python, or the estimate.
fn counter<'a>(callable: Option<&'a Bound<'_, PyAny>>) -> impl FnMut(&str) -> PyResult<usize> + 'a {
    move |text| {
        let Some(callable) = callable else { return Ok(vecstore_rag::estimate_tokens(text)) };
        let counted = callable.call1((text,))?;
        counted.extract().map_err(|_| {
            let shown =
                counted.repr().map_or_else(|_| "something else".to_owned(), |shown| shown.to_string());
            invalid(callable.py(), format!("token counter: expected an int of at least 0, got {shown}"))
        })
    }
}
