//! How far the words of an answer come from its contexts: a check that costs no judge.
//!
//! A sentence is supported by a context if the context has at least a threshold of the sentence's content words, and
//! all of its numbers. It catches invented figures and passages from elsewhere; it does not see a negation or words
//! put together into a new claim, for which a judge is needed.

use std::collections::HashSet;
use std::ops::Range;

use super::citations::without_markers;
use super::sentences::sentences;
use super::words::{Word, names, words};

/// What the contexts say for a sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct SentenceSupport {
    /// Its bytes in the answer.
    pub range: Range<usize>,
    /// The share of its content words that its best context has; 1 for a sentence without any.
    pub coverage: f64,
    /// The context that has most of them, if there is any.
    pub context: Option<usize>,
    /// Whether coverage reaches the threshold and no number is missing.
    pub supported: bool,
    /// Its numbers that no context has.
    pub missing_numbers: Vec<String>,
    /// Its names that no context has.
    pub missing_names: Vec<String>,
}

/// What the contexts say for an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Grounding {
    /// Each sentence in order.
    pub sentences: Vec<SentenceSupport>,
    /// The share of the answer's distinct runs of three words that a context has; of its words if it has fewer than
    /// three.
    pub ngram_support: f64,
}

impl Grounding {
    /// Returns the share of supported sentences, or `None` for an answer without sentences.
    pub fn score(&self) -> Option<f64> {
        let supported = self.sentences.iter().filter(|sentence| sentence.supported).count();
        (!self.sentences.is_empty()).then(|| supported as f64 / self.sentences.len() as f64)
    }
}

/// The words of contexts, looked up many times.
pub(super) struct Evidence {
    pub(super) words: Vec<HashSet<String>>,
}

impl Evidence {
    pub(super) fn new(contexts: &[&str]) -> Self {
        Self {
            words: contexts
                .iter()
                .map(|text| words(text).into_iter().map(|word| word.text).collect())
                .collect(),
        }
    }

    /// Returns the share of content words that the contexts of `among` have together, and whether they have all numbers.
    pub(super) fn coverage(&self, sentence: &[Word], among: &[usize]) -> (f64, bool) {
        let content: HashSet<&str> =
            sentence.iter().filter(|word| word.is_content()).map(|word| word.text.as_str()).collect();
        let has = |text: &str| among.iter().any(|&context| self.words[context].contains(text));
        let found = content.iter().filter(|text| has(text)).count();
        let coverage = if content.is_empty() { 1.0 } else { found as f64 / content.len() as f64 };
        (coverage, sentence.iter().filter(|word| word.is_number()).all(|word| has(&word.text)))
    }

    fn knows(&self, word: &Word) -> bool {
        self.words.iter().any(|context| context.contains(&word.text))
    }
}

/// Checks each sentence of an answer against the contexts. `threshold` is the share of content words needed.
///
/// # Examples
/// ```
/// use vecstore_eval::ground;
///
/// let grounding = ground("Rust 1.0 came in 2015. It was made in Oslo.", &["Rust 1.0 was released in May 2015"], 0.5);
/// assert_eq!(grounding.score(), Some(0.5));
/// assert_eq!(grounding.sentences[1].missing_names, ["oslo"]);
/// ```
pub fn ground(answer: &str, contexts: &[&str], threshold: f64) -> Grounding {
    let evidence = Evidence::new(contexts);
    let sentences = sentences(answer)
        .into_iter()
        .map(|range| {
            // The number of a citation is no claim.
            let (sentence, _) = without_markers(answer, range.clone());
            let found = words(&sentence);
            let mut best = (None, 0.0, false);
            for context in 0..contexts.len() {
                let (coverage, numbers) = evidence.coverage(&found, &[context]);
                if best.0.is_none() || (numbers, coverage) > (best.2, best.1) {
                    best = (Some(context), coverage, numbers);
                }
            }
            let unknown = |word: &&Word| !evidence.knows(word);
            SentenceSupport {
                coverage: best.1,
                context: best.0,
                supported: best.0.is_some() && best.2 && best.1 >= threshold,
                missing_numbers: texts(found.iter().filter(|word| word.is_number()).filter(unknown)),
                missing_names: texts(names(&sentence, &found).filter(unknown)),
                range,
            }
        })
        .collect();
    Grounding { sentences, ngram_support: ngram_support(answer, contexts) }
}

fn texts<'a>(words: impl Iterator<Item = &'a Word>) -> Vec<String> {
    words.map(|word| word.text.clone()).collect()
}

fn ngram_support(answer: &str, contexts: &[&str]) -> f64 {
    let plain = |text: &str| -> Vec<String> { words(text).into_iter().map(|word| word.text).collect() };
    let answer = plain(&without_markers(answer, 0..answer.len()).0);
    let n = answer.len().clamp(1, 3);
    let contexts: Vec<Vec<String>> = contexts.iter().map(|text| plain(text)).collect();
    let known: HashSet<&[String]> = contexts.iter().flat_map(|context| context.windows(n)).collect();
    let grams: HashSet<&[String]> = answer.windows(n).collect();
    if grams.is_empty() { 0.0 } else { grams.intersection(&known).count() as f64 / grams.len() as f64 }
}

/// Returns, for each context, the share of the answer's sentences that it supports best. A context with 0 was not used.
pub fn context_utilisation(grounding: &Grounding, contexts: usize) -> Vec<f64> {
    let mut used = vec![0.0; contexts];
    for sentence in grounding.sentences.iter().filter(|sentence| sentence.supported) {
        if let Some(share) = sentence.context.and_then(|context| used.get_mut(context)) {
            *share += 1.0 / grounding.sentences.len() as f64;
        }
    }
    used
}
