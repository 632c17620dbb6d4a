//! Metrics of texts. Offsets go out in characters, as Python counts.

use pyo3::prelude::*;
use vecstore_eval::{BleuStatistics, ChrfStatistics};

use crate::errors::invalid;
use crate::signals::work;

/// A sentence: start, end, coverage, context, supported, missing numbers, missing names.
type Support = (usize, usize, f64, Option<usize>, bool, Vec<String>, Vec<String>);
/// A citation: start, end, number, correct.
type Cited = (usize, usize, usize, bool);
/// A sentence: start, end, supported.
type Sentence = (usize, usize, bool);

/// Turns byte offsets of a text, asked for in any order, into character offsets.
pub(crate) struct Characters<'a> {
    text: &'a str,
    starts: Option<Vec<usize>>,
}

impl<'a> Characters<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let starts = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Self { text, starts }
    }

    pub(crate) fn at(&self, byte: usize) -> usize {
        debug_assert!(self.text.is_char_boundary(byte), "ranges of the crate lie between characters");
        match &self.starts {
            Some(starts) => starts.partition_point(|&start| start < byte),
            None => byte,
        }
    }
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// Whether an answer is the truth after normalisation.
#[pyfunction]
#[pyo3(name = "_eval_exact_match")]
pub(crate) fn eval_exact_match(answer: &str, truth: &str) -> bool {
    vecstore_eval::exact_match(answer, truth)
}

/// Returns the words that exact match compares.
#[pyfunction]
#[pyo3(name = "_eval_normalize")]
pub(crate) fn eval_normalize(text: &str) -> String {
    vecstore_eval::normalize_answer(text)
}

/// Returns the F1 of words.
#[pyfunction]
#[pyo3(name = "_eval_token_f1")]
pub(crate) fn eval_token_f1(answer: &str, truth: &str) -> f64 {
    vecstore_eval::token_f1(answer, truth)
}

/// Returns precision, recall and F1 of a kind of ROUGE: "1" to "9", "L" or "Lsum".
#[pyfunction]
#[pyo3(name = "_eval_rouge")]
pub(crate) fn eval_rouge(
    py: Python<'_>,
    kind: &str,
    answer: &str,
    reference: &str,
) -> PyResult<(f64, f64, f64)> {
    let overlap = work(py, answer.len().max(reference.len()), || match kind {
        "L" => Some(vecstore_eval::rouge_l(answer, reference)),
        "Lsum" => Some(vecstore_eval::rouge_lsum(answer, reference)),
        number => {
            let n = number.parse().ok().filter(|n| (1..=9).contains(n))?;
            Some(vecstore_eval::rouge_n(answer, reference, n))
        }
    })?;
    let overlap =
        overlap.ok_or_else(|| invalid(py, format!("rouge: expected 1 to 9, L or Lsum, got `{kind}`")))?;
    Ok((overlap.precision, overlap.recall, overlap.f1))
}

/// Returns BLEU of answers, each against its references: of a sentence if there is one, else of the corpus.
#[pyfunction]
#[pyo3(name = "_eval_bleu")]
pub(crate) fn eval_bleu(answers: Vec<String>, references: Vec<Vec<String>>, sentence: bool) -> f64 {
    let mut sum = BleuStatistics::default();
    for (answer, references) in answers.iter().zip(&references) {
        sum += vecstore_eval::bleu_statistics(answer, &borrowed(references));
    }
    vecstore_eval::bleu(&sum, sentence)
}

/// Returns chrF of answers, each against its references.
#[pyfunction]
#[pyo3(name = "_eval_chrf")]
pub(crate) fn eval_chrf(answers: Vec<String>, references: Vec<Vec<String>>, word_order: usize) -> f64 {
    let mut sum = ChrfStatistics::default();
    for (answer, references) in answers.iter().zip(&references) {
        sum += &vecstore_eval::chrf_statistics(answer, &borrowed(references), word_order);
    }
    vecstore_eval::chrf(&sum)
}

/// Returns the character ranges of the sentences of a text.
#[pyfunction]
#[pyo3(name = "_eval_sentences")]
pub(crate) fn eval_sentences(text: &str) -> Vec<(usize, usize)> {
    let characters = Characters::new(text);
    let ranges = vecstore_eval::sentences(text).into_iter();
    ranges.map(|range| (characters.at(range.start), characters.at(range.end))).collect()
}

/// Checks the sentences of an answer against its contexts: the sentences, the share of runs of words that contexts
/// have, and the share of sentences each context supports.
#[pyfunction]
#[pyo3(name = "_eval_ground")]
pub(crate) fn eval_ground(
    py: Python<'_>,
    answer: &str,
    contexts: Vec<String>,
    threshold: f64,
) -> (Vec<Support>, f64, Vec<f64>) {
    let grounding = py.detach(|| vecstore_eval::ground(answer, &borrowed(&contexts), threshold));
    let used = vecstore_eval::context_utilisation(&grounding, contexts.len());
    let characters = Characters::new(answer);
    let sentences = grounding
        .sentences
        .into_iter()
        .map(|sentence| {
            (
                characters.at(sentence.range.start),
                characters.at(sentence.range.end),
                sentence.coverage,
                sentence.context,
                sentence.supported,
                sentence.missing_numbers,
                sentence.missing_names,
            )
        })
        .collect();
    (sentences, grounding.ngram_support, used)
}

/// Returns the quotations of an answer: start, end, the context each is from.
#[pyfunction]
#[pyo3(name = "_eval_quotes")]
pub(crate) fn eval_quotes(
    answer: &str,
    contexts: Vec<String>,
    min_words: usize,
) -> Vec<(usize, usize, Option<usize>)> {
    let characters = Characters::new(answer);
    vecstore_eval::quoted_spans(answer, &borrowed(&contexts), min_words)
        .into_iter()
        .map(|span| (characters.at(span.range.start), characters.at(span.range.end), span.context))
        .collect()
}

/// Checks the citations of an answer: the citations, and each sentence with whether its citations support it.
#[pyfunction]
#[pyo3(name = "_eval_citations")]
pub(crate) fn eval_citations(
    py: Python<'_>,
    answer: &str,
    contexts: Vec<String>,
    threshold: f64,
) -> PyResult<(Vec<Cited>, Vec<Sentence>)> {
    let check =
        work(py, answer.len(), || vecstore_eval::check_citations(answer, &borrowed(&contexts), threshold))?;
    let characters = Characters::new(answer);
    let citations = check
        .citations
        .iter()
        .map(|one| (characters.at(one.range.start), characters.at(one.range.end), one.number, one.correct))
        .collect();
    let sentences = check
        .sentences
        .iter()
        .map(|(range, supported)| (characters.at(range.start), characters.at(range.end), *supported))
        .collect();
    Ok((citations, sentences))
}
