//! What is computed of texts. Offsets go out in characters, as Python counts.

use std::collections::HashMap;

use pyo3::prelude::*;
use vecstore::Interrupt;
use vecstore_rag::{Chunk, ContextWindow, PackOrder};

use super::counter;
use crate::evaluation::Characters;
use crate::signals::work;

/// A citation: number, marker, claim, evidence, support, whether it is supported, missing numbers.
type Cited =
    (usize, (usize, usize), (usize, usize), Option<(usize, usize)>, Option<f64>, Option<bool>, Vec<String>);

/// The citations, and where sentences without one start and end.
type Report = (Vec<Cited>, Vec<(usize, usize)>);

/// Estimates the number of tokens of a text.
#[pyfunction]
#[pyo3(name = "_rag_estimate_tokens")]
pub(crate) fn rag_estimate_tokens(text: &str) -> usize {
    vecstore_rag::estimate_tokens(text)
}

/// Returns the longest prefix of a text of at most `budget` tokens that ends at a boundary.
#[pyfunction]
#[pyo3(name = "_rag_truncate")]
pub(crate) fn rag_truncate<'a>(
    text: &'a str,
    budget: usize,
    count: Option<&Bound<'_, PyAny>>,
) -> PyResult<&'a str> {
    vecstore_rag::truncate_to_tokens(text, budget, &mut counter(count))
}

/// Packs texts into a budget; returns the place, the text and the tokens of each that was packed.
#[pyfunction]
#[pyo3(name = "_rag_pack")]
#[expect(clippy::too_many_arguments, reason = "the options of a window, one by one")]
pub(crate) fn rag_pack(
    py: Python<'_>,
    texts: Vec<String>,
    max_tokens: usize,
    reserved_tokens: usize,
    text_tokens_max: Option<usize>,
    truncate: bool,
    duplicate_threshold: Option<f64>,
    edges_first: bool,
    numbered: bool,
    count: Option<&Bound<'_, PyAny>>,
) -> PyResult<Vec<(usize, String, usize)>> {
    let window = ContextWindow::new(max_tokens)
        .reserve(reserved_tokens)
        .text_tokens_max(text_tokens_max)
        .truncate(truncate)
        .numbered(numbered)
        .order(if edges_first { PackOrder::EdgesFirst } else { PackOrder::Rank });
    // Told apart here, without the GIL, which the counter needs.
    let kept: Vec<usize> = match duplicate_threshold {
        Some(threshold) => {
            work(py, size(&texts), || vecstore_rag::without_near_duplicates(&texts, threshold))?
        }
        None => (0..texts.len()).collect(),
    };
    let unlike: Vec<&str> = kept.iter().map(|&at| texts[at].as_str()).collect();
    let packed = window.pack(&unlike, &mut counter(count))?;
    Ok(packed.into_iter().map(|one| (kept[one.source], one.text.to_owned(), one.tokens)).collect())
}

/// Returns the places of the texts that are not nearly the same as one before them.
#[pyfunction]
#[pyo3(name = "_rag_unlike")]
pub(crate) fn rag_unlike(py: Python<'_>, texts: Vec<String>, threshold: f64) -> PyResult<Vec<usize>> {
    work(py, size(&texts), || vecstore_rag::without_near_duplicates(&texts, threshold))
}

/// Replaces words of a query by their synonyms.
#[pyfunction]
#[pyo3(name = "_rag_synonyms")]
pub(crate) fn rag_synonyms(query: &str, synonyms: Vec<(String, Vec<String>)>) -> Vec<String> {
    vecstore_rag::expand_with_synonyms(query, &borrowed(&synonyms))
}

/// Puts a query in other words by rules.
#[pyfunction]
#[pyo3(name = "_rag_reword")]
pub(crate) fn rag_reword(query: &str, synonyms: Vec<(String, Vec<String>)>, most: usize) -> Vec<String> {
    vecstore_rag::reword(query, &borrowed(&synonyms), most)
}

fn borrowed(synonyms: &[(String, Vec<String>)]) -> Vec<(&str, &[String])> {
    synonyms.iter().map(|(word, others)| (word.as_str(), others.as_slice())).collect()
}

/// Makes the beginning of an answer of a question.
#[pyfunction]
#[pyo3(name = "_rag_answer_opening")]
pub(crate) fn rag_answer_opening(query: &str) -> String {
    vecstore_rag::answer_opening(query)
}

/// Gives a question other beginnings.
#[pyfunction]
#[pyo3(name = "_rag_variations")]
pub(crate) fn rag_variations(query: &str, prefixes: Vec<String>) -> Vec<String> {
    vecstore_rag::generate_variations(query, &prefixes)
}

/// Splits a question into simpler ones by rules.
#[pyfunction]
#[pyo3(name = "_rag_decompose")]
pub(crate) fn rag_decompose(query: &str, most: usize) -> Vec<String> {
    vecstore_rag::decompose(query, most)
}

/// Reads the lines of a list that a model wrote.
#[pyfunction]
#[pyo3(name = "_rag_parse_lines")]
pub(crate) fn rag_parse_lines(answer: &str, most: usize) -> Vec<String> {
    vecstore_rag::parse_lines(answer, most)
}

/// Hashes the words of texts into vectors.
#[pyfunction]
#[pyo3(name = "_rag_hashed")]
pub(crate) fn rag_hashed(py: Python<'_>, texts: Vec<String>, dim: usize) -> PyResult<Vec<Vec<f32>>> {
    let embedder = vecstore_rag::HashingEmbedder::new(dim);
    work(py, size(&texts), || {
        let interrupt = Interrupt::current();
        texts.iter().take_while(|_| !interrupt.is_requested()).map(|text| embedder.vector(text)).collect()
    })
}

/// Merges chunks (document, start, text) that meet: document, start, end, text, places of the chunks.
#[pyfunction]
#[pyo3(name = "_rag_merge")]
pub(crate) fn rag_merge(
    py: Python<'_>,
    chunks: Vec<(String, usize, String)>,
    gap: usize,
) -> Vec<(String, usize, usize, String, Vec<usize>)> {
    let chunk = |(doc_id, start, text)| Chunk { doc_id, start, text };
    let chunks: Vec<Chunk> = chunks.into_iter().map(chunk).collect();
    let merged = py.detach(|| vecstore_rag::merge_chunks(&chunks, gap));
    merged.into_iter().map(|one| (one.doc_id, one.start, one.end, one.text, one.chunks)).collect()
}

/// Checks the citations of an answer: the citations, and the sentences without one.
#[pyfunction]
#[pyo3(name = "_rag_citations")]
pub(crate) fn rag_citations(
    py: Python<'_>,
    answer: &str,
    sources: Vec<String>,
    threshold: f64,
) -> PyResult<Report> {
    let report = work(py, answer.len() + size(&sources), || vecstore_rag::check_citations(answer, &sources))?;
    let characters = Characters::new(answer);
    let at = |range: &std::ops::Range<usize>| (characters.at(range.start), characters.at(range.end));
    let mut counted: HashMap<usize, Characters<'_>> = HashMap::new();
    let citations = report
        .citations
        .iter()
        .map(|one| {
            let source = one.number.checked_sub(1).and_then(|place| Some((place, sources.get(place)?)));
            let evidence = one.evidence.as_ref().zip(source).map(|(range, (place, source))| {
                let characters = counted.entry(place).or_insert_with(|| Characters::new(source));
                (characters.at(range.start), characters.at(range.end))
            });
            let supported = one.is_supported(threshold);
            (
                one.number,
                at(&one.marker),
                at(&one.claim),
                evidence,
                one.support,
                supported,
                one.missing_numbers.clone(),
            )
        })
        .collect();
    Ok((citations, report.uncited.iter().map(at).collect()))
}

fn size(texts: &[String]) -> usize {
    texts.iter().map(String::len).sum()
}
