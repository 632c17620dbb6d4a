//! Making splitters of the options that Python gives.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyString;
use vecstore_text::split::{
    CodeSplitter, Encoding, HtmlSplitter, JsonSplitter, Keep, Language, Limits, MarkdownSplitter, Recursive,
    SentenceRules, SentenceSplitter, TokenSplitter,
};

use super::OrSplitError;
use super::core::{SplitterCore, run};
use super::sizer;
use super::source::Source;
use crate::arguments::{Int, Text};
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

/// Returns a splitter into windows of tokens of an encoding, or of words that a callable counts the tokens of.
#[pyfunction]
#[pyo3(name = "_split_tokens")]
pub(crate) fn split_tokens(
    py: Python<'_>,
    max_tokens: Int,
    token_overlap: Int,
    encoding: &Bound<'_, PyAny>,
    graphemes: bool,
) -> PyResult<SplitterCore> {
    let limits = limits(py, max_tokens, token_overlap, ["max_tokens", "token_overlap"])?;
    if encoding.is_instance_of::<PyString>() {
        let encoding = Encoding::parse(&Text::new(encoding, "encoding")?).or_split_error(py)?;
        let splitter = TokenSplitter::new(limits, encoding).graphemes(graphemes);
        return Ok(SplitterCore::new(Arc::new(splitter), false));
    }
    let chosen = sizer::choose(encoding)?;
    let words = Recursive::new(limits).separators(&[" ", ""]).or_split_error(py)?;
    let words = words.sizer(chosen.sizer).strip(false).graphemes(graphemes);
    Ok(SplitterCore::new(Arc::new(words), chosen.calls_python))
}

/// Returns a splitter into sentences; without `corrected`, by UAX 29 alone.
#[pyfunction]
#[pyo3(name = "_split_sentences")]
pub(crate) fn split_sentences(
    py: Python<'_>,
    chunk_size: Int,
    chunk_overlap: Int,
    sizer: &Bound<'_, PyAny>,
    abbreviations: Vec<String>,
    corrected: bool,
) -> PyResult<SplitterCore> {
    let limits = limits(py, chunk_size, chunk_overlap, ["chunk_size", "chunk_overlap"])?;
    let chosen = sizer::choose(sizer)?;
    let rules = if corrected { SentenceRules::default() } else { SentenceRules::unicode() };
    let splitter =
        SentenceSplitter::new(limits).sizer(chosen.sizer).rules(rules.abbreviations(abbreviations));
    Ok(SplitterCore::new(Arc::new(splitter), chosen.calls_python))
}

/// Defines a function that returns a splitter without options of its own.
macro_rules! simple_splitters {
    ($($function:ident $name:literal $splitter:ident)*) => {$(
        #[doc = concat!("Returns a `", stringify!($splitter), "`.")]
        #[pyfunction]
        #[pyo3(name = $name)]
        pub(crate) fn $function(
            py: Python<'_>,
            chunk_size: Int,
            chunk_overlap: Int,
            sizer: &Bound<'_, PyAny>,
        ) -> PyResult<SplitterCore> {
            let limits = limits(py, chunk_size, chunk_overlap, ["chunk_size", "chunk_overlap"])?;
            let chosen = sizer::choose(sizer)?;
            let splitter = $splitter::new(limits).sizer(chosen.sizer);
            Ok(SplitterCore::new(Arc::new(splitter), chosen.calls_python))
        }
    )*};
}

simple_splitters! {
    split_markdown "_split_markdown" MarkdownSplitter
    split_html "_split_html" HtmlSplitter
    split_json "_split_json" JsonSplitter
}

/// Returns a splitter of source code; without a language, of any.
#[pyfunction]
#[pyo3(name = "_split_code")]
pub(crate) fn split_code(
    py: Python<'_>,
    chunk_size: Int,
    chunk_overlap: Int,
    sizer: &Bound<'_, PyAny>,
    language: Option<&str>,
) -> PyResult<SplitterCore> {
    let limits = limits(py, chunk_size, chunk_overlap, ["chunk_size", "chunk_overlap"])?;
    let chosen = sizer::choose(sizer)?;
    let language = language.map_or(Ok(Language::Any), Language::parse).or_split_error(py)?;
    let splitter = CodeSplitter::new(limits, language).sizer(chosen.sizer);
    Ok(SplitterCore::new(Arc::new(splitter), chosen.calls_python))
}

/// Returns the names of the languages that code is split by.
#[pyfunction]
#[pyo3(name = "_split_languages")]
pub(crate) fn split_languages() -> Vec<&'static str> {
    Language::names().collect()
}

/// Returns the number of tokens of a text.
#[pyfunction]
#[pyo3(name = "_token_count")]
pub(crate) fn token_count(py: Python<'_>, text: &Bound<'_, PyAny>, encoding: &str) -> PyResult<usize> {
    let encoding = Encoding::parse(encoding).or_split_error(py)?;
    let source = Source::new(text)?;
    run(py, source.len(), || encoding.count(&source))
}
