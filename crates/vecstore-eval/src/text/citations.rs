//! Citations: markers such as `[2]` in an answer, and whether the contexts they name support what they stand by.
//!
//! Precision and recall are those of Gao et al. 2023 (ALCE), with lexical support in place of a model's entailment.

use std::ops::Range;

use super::grounding::Evidence;
use super::sentences::sentences;
use super::words::words;

/// A marker of an answer; `[1, 3]` is two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    /// The bytes of the marker in the answer.
    pub range: Range<usize>,
    /// The number in it: 1 is the first context.
    pub number: usize,
    /// Whether the context exists, and supports its sentence by itself or is needed for it.
    pub correct: bool,
}

/// The citations of an answer, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CitationCheck {
    /// Every marker in order.
    pub citations: Vec<Citation>,
    /// Each sentence, and whether the contexts it cites support it together.
    pub sentences: Vec<(Range<usize>, bool)>,
}

impl CitationCheck {
    /// Returns the share of citations that are correct, or `None` without citations.
    pub fn precision(&self) -> Option<f64> {
        share(self.citations.iter().map(|citation| citation.correct))
    }

    /// Returns the share of sentences that their citations support, or `None` without sentences.
    pub fn recall(&self) -> Option<f64> {
        share(self.sentences.iter().map(|&(_, supported)| supported))
    }
}

fn share(values: impl ExactSizeIterator<Item = bool>) -> Option<f64> {
    let whole = values.len();
    (whole > 0).then(|| values.filter(|&value| value).count() as f64 / whole as f64)
}

/// Checks the markers of an answer. `threshold` is the share of a sentence's content words that is support.
///
/// # Examples
/// ```
/// use vecstore_eval::check_citations;
///
/// let contexts = ["Lions live in prides.", "Tigers live alone."];
/// let check = check_citations("Lions live in prides [1]. Tigers live alone [1].", &contexts, 0.6);
/// assert_eq!((check.precision(), check.recall()), (Some(0.5), Some(0.5)));
/// ```
pub fn check_citations(answer: &str, contexts: &[&str], threshold: f64) -> CitationCheck {
    let evidence = Evidence::new(contexts);
    let mut check = CitationCheck::default();
    for range in sentences(answer).into_iter().take_while(|_| !vecstore_interrupt::is_requested()) {
        let (bare, markers) = without_markers(answer, range.clone());
        let found = words(&bare);
        let mut cited: Vec<usize> = markers
            .iter()
            .filter_map(|&(_, number)| number.checked_sub(1).filter(|&context| context < contexts.len()))
            .collect();
        cited.sort_unstable();
        cited.dedup();
        let supports = |among: &[usize]| {
            let (coverage, numbers) = evidence.coverage(&found, among);
            !among.is_empty() && numbers && coverage >= threshold
        };
        let together = supports(&cited);
        for (marker, number) in markers {
            let correct =
                number.checked_sub(1).filter(|context| cited.contains(context)).is_some_and(|context| {
                    let others: Vec<usize> =
                        cited.iter().copied().filter(|&other| other != context).collect();
                    supports(&[context]) || (together && !supports(&others))
                });
            check.citations.push(Citation { range: marker, number, correct });
        }
        if !found.is_empty() {
            check.sentences.push((range, together));
        }
    }
    check
}

/// Whether the inside of brackets is a citation: numbers with commas between them, perhaps after `^`.
pub(super) fn is_marker(inner: &str) -> bool {
    let inner = inner.strip_prefix('^').unwrap_or(inner);
    inner.split(',').all(|number| {
        let number = number.trim();
        (1..=4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Returns a sentence without its markers, and the markers.
pub(super) fn without_markers(answer: &str, range: Range<usize>) -> (String, Vec<(Range<usize>, usize)>) {
    let mut bare = String::new();
    let mut markers = Vec::new();
    let mut at = range.start;
    while let Some(open) = answer[at..range.end].find('[').map(|open| at + open) {
        bare.push_str(&answer[at..open]);
        match answer[open + 1..range.end].split_once(']') {
            Some((inner, _)) if is_marker(inner) => {
                let end = open + inner.len() + 2;
                let numbers =
                    inner.trim_start_matches('^').split(',').filter_map(|number| number.trim().parse().ok());
                markers.extend(numbers.map(|number| (open..end, number)));
                bare.push(' ');
                at = end;
            }
            _ => {
                bare.push('[');
                at = open + 1;
            }
        }
    }
    bare.push_str(&answer[at..range.end]);
    (bare, markers)
}
