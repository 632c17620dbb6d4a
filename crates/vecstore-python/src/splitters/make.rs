//! Making splitters of the options that Python gives.

use std::sync::Arc;

use pyo3::prelude::*;
use vecstore_text::split::{Encoding, Keep, Limits, Recursive, TokenSplitter};

use super::OrSplitError;
use super::core::SplitterCore;
use super::sizer;
use super::source::Source;
use crate::arguments::Int;
use crate::errors::invalid;

/// Reads the two sizes under the names that the caller gave them.
fn limits(py: Python<'_>, size: Int, overlap: Int, names: [&str; 2]) -> PyResult<Limits> {
    let most = i64::MAX as usize;
    let size = size.within(py, names[0], 1..=most)?;
    let overlap = overlap.within(py, names[1], 0..=most)?;
    Limits::named(size, overlap, names).or_split_error(py)
}

/// Returns a splitter by separators; `keep` is "start", "end" or "drop".
#[pyfunction]
#[pyo3(name = "_split_recursive")]
#[expect(clippy::too_many_arguments, reason = "one for each option")]
pub(crate) fn split_recursive(
    py: Python<'_>,
    chunk_size: Int,
    chunk_overlap: Int,
    sizer: &Bound<'_, PyAny>,
    separators: Option<Vec<String>>,
    patterns: bool,
    keep: &str,
    strip: bool,
    graphemes: bool,
) -> PyResult<SplitterCore> {
    let limits = limits(py, chunk_size, chunk_overlap, ["chunk_size", "chunk_overlap"])?;
    let chosen = sizer::choose(sizer)?;
    let keep = match keep {
        "start" => Keep::Start,
        "end" => Keep::End,
        "drop" => Keep::Drop,
        other => {
            let message = format!("keep_separator: expected True, False, `start` or `end`, got `{other}`");
            return Err(invalid(py, message));
        }
    };
    let mut splitter =
        Recursive::new(limits).sizer(chosen.sizer).keep(keep).strip(strip).graphemes(graphemes);
    if let Some(separators) = separators {
        splitter = if patterns {
            splitter.patterns(&separators).or_split_error(py)?
        } else {
            splitter.separators(&separators).or_split_error(py)?
        };
    }
    Ok(SplitterCore::new(Arc::new(splitter), chosen.calls_python))
}

/// Returns a splitter into windows of tokens.
#[pyfunction]
#[pyo3(name = "_split_tokens")]
pub(crate) fn split_tokens(
    py: Python<'_>,
    max_tokens: Int,
    token_overlap: Int,
    encoding: &str,
    graphemes: bool,
) -> PyResult<SplitterCore> {
    let limits = limits(py, max_tokens, token_overlap, ["max_tokens", "token_overlap"])?;
    let encoding = Encoding::parse(encoding).or_split_error(py)?;
    Ok(SplitterCore::new(Arc::new(TokenSplitter::new(limits, encoding).graphemes(graphemes)), false))
}

/// Returns the number of tokens of a text.
#[pyfunction]
#[pyo3(name = "_token_count")]
pub(crate) fn token_count(py: Python<'_>, text: &Bound<'_, PyAny>, encoding: &str) -> PyResult<usize> {
    let encoding = Encoding::parse(encoding).or_split_error(py)?;
    let source = Source::new(text)?;
    Ok(py.detach(|| encoding.count(&source)))
}
