//! Citations: the markers `[n]` of an answer, checked against the sources they point to.

use std::collections::HashSet;
use std::ops::Range;

use vecstore::Interrupt;

use crate::words::{content_words, is_number, sentences};

/// One number of a marker such as `[2]`, `[1, 3]` or `[1-3]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Citation {
    /// The number, from 1.
    pub number: usize,
    /// Where the marker is in the answer, in bytes.
    pub marker: Range<usize>,
    /// The sentence it vouches for, in bytes: the one it is in, or the one before where it stands after the full stop.
    pub claim: Range<usize>,
    /// The sentences of the source that share the most of the claim's words, in bytes; none if there is no such source.
    pub evidence: Option<Range<usize>>,
    /// The share of the claim's words that the evidence has; none if there is no such source, or the claim has no words that
    /// say anything.
    pub support: Option<f64>,
    /// Numbers of the claim that the evidence does not have.
    pub missing_numbers: Vec<String>,
}

impl Citation {
    /// Returns whether the evidence has at least this share of the claim's words, and all its numbers. Unknown where nothing can
    /// be said.
    pub fn is_supported(&self, threshold: f64) -> Option<bool> {
        match self.support {
            Some(support) => Some(support >= threshold && self.missing_numbers.is_empty()),
            None if self.evidence.is_none() => Some(false),
            None => None,
        }
    }
}

/// What the markers of an answer are worth.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CitationReport {
    /// Each number of each marker, in the order of the answer.
    pub citations: Vec<Citation>,
    /// Sentences that say something and have no marker, in bytes.
    pub uncited: Vec<Range<usize>>,
}

/// Finds the markers of an answer and what in the sources stands behind them. Source 1 is the first.
///
/// Words are compared without case, plural `s` and stop words; this finds a source that does not speak of the matter, not one
/// that denies it. Markers in code and links (`` `a[1]` ``, `[1](there)`) are none. O(answer + sources cited). A call that
/// was asked to end ([`Interrupt`]) leaves out what it did not get to.
///
/// # Examples
///
/// ```
/// let sources = ["Segments are immutable. The log is synced before a write returns."];
/// let report = vecstore_rag::check_citations("A write returns after the log is synced [1]. Pigs fly [2].", &sources);
/// assert_eq!(report.citations[0].is_supported(0.5), Some(true));
/// assert_eq!(report.citations[0].evidence.as_ref().map(|range| &sources[0][range.clone()]),
///     Some("The log is synced before a write returns."));
/// assert_eq!(report.citations[1].is_supported(0.5), Some(false));
/// ```
pub fn check_citations(answer: &str, sources: &[impl AsRef<str>]) -> CitationReport {
    let markers = markers(answer);
    let claims = claims(answer, &markers);
    let mut prepared: Vec<Option<Source>> = (0..sources.len()).map(|_| None).collect();
    let mut report = CitationReport::default();
    let mut cited = vec![false; claims.len()];
    let interrupt = Interrupt::current();
    for marker in markers.iter().take_while(|_| !interrupt.is_requested()) {
        let at = claim_of(&claims, marker);
        if let Some(cited) = cited.get_mut(at) {
            *cited = true;
        }
        let claim = claims.get(at).cloned().unwrap_or_else(|| marker.place.clone());
        let words: Vec<String> = claim_words(answer, &claim, &markers);
        for &number in &marker.numbers {
            let mut citation = Citation {
                number,
                marker: marker.place.clone(),
                claim: claim.clone(),
                evidence: None,
                support: None,
                missing_numbers: Vec::new(),
            };
            if let Some(place) = number.checked_sub(1)
                && let Some(text) = sources.get(place)
            {
                let source = prepared[place].get_or_insert_with(|| Source::new(text.as_ref()));
                source.judge(&words, &mut citation);
            }
            report.citations.push(citation);
        }
    }
    let says_something = |claim: &Range<usize>| !claim_words(answer, claim, &markers).is_empty();
    report.uncited = claims
        .into_iter()
        .zip(cited)
        .filter(|(claim, cited)| !cited && says_something(claim))
        .map(|(claim, _)| claim)
        .collect();
    report
}

/// A marker and the numbers in it.
#[derive(Debug)]
struct Marker {
    place: Range<usize>,
    numbers: Vec<usize>,
}

/// Most numbers that a range such as `[1-9]` may stand for.
const RANGE_MAX: usize = 100;

fn markers(answer: &str) -> Vec<Marker> {
    let mut found = Vec::new();
    let bytes = answer.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'`' => at = after_code(bytes, at),
            b'[' => {
                let end = answer[at..].find(']').map(|length| at + length + 1);
                let Some(end) = end else { break };
                let is_link = bytes.get(end) == Some(&b'(');
                match numbers(&answer[at + 1..end - 1]) {
                    Some(numbers) if !is_link => {
                        found.push(Marker { place: at..end, numbers });
                        at = end;
                    }
                    _ => at += 1,
                }
            }
            _ => at += 1,
        }
    }
    found
}

/// Returns the place after a run of code that begins with backticks at `at`, or after the backticks if none closes it.
fn after_code(bytes: &[u8], at: usize) -> usize {
    let ticks = bytes[at..].iter().take_while(|&&byte| byte == b'`').count();
    let mut next = at + ticks;
    while next < bytes.len() {
        let run = bytes[next..].iter().take_while(|&&byte| byte == b'`').count();
        if run == ticks {
            return next + run;
        }
        next += run.max(1);
    }
    at + ticks
}

/// Reads `1`, `1, 3`, `1-3` (with any dash), `^1`, or none of them.
fn numbers(inner: &str) -> Option<Vec<usize>> {
    let mut numbers = Vec::new();
    for part in inner.split([',', ';']) {
        let part = part.trim().trim_start_matches('^');
        let number = |text: &str| -> Option<usize> {
            let text = text.trim();
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        };
        match part.split_once(['-', '\u{2013}', '\u{2014}']) {
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last)?);
                if first > last || last - first >= RANGE_MAX {
                    return None;
                }
                numbers.extend(first..=last);
            }
            None => numbers.push(number(part)?),
        }
    }
    Some(numbers)
}

/// Returns the sentences of an answer. One of nothing but markers belongs to the one before it.
fn claims(answer: &str, markers: &[Marker]) -> Vec<Range<usize>> {
    let mut claims: Vec<Range<usize>> = Vec::new();
    for sentence in whole_markers(answer, sentences(answer), markers) {
        // Markers at the beginning of a sentence vouch for the one that ended before them.
        let mut start = sentence.start;
        while let Some(marker) = markers.iter().find(|marker| marker.place.start == start)
            && !claims.is_empty()
            && marker.place.end <= sentence.end
        {
            let rest = &answer[marker.place.end..sentence.end];
            start = marker.place.end + (rest.len() - rest.trim_start().len());
        }
        if start > sentence.start
            && let Some(before) = claims.last_mut()
        {
            let taken = answer[..start].trim_end().len();
            before.end = before.end.max(taken);
        }
        if answer[start..sentence.end].trim_matches(|c: char| c.is_whitespace() || c == '.').is_empty() {
            continue;
        }
        claims.push(start..sentence.end);
    }
    claims
}

/// Moves the ends of sentences out of markers: by the rules of Unicode, the bracket of `mice.[1] Pigs` closes the sentence before.
fn whole_markers(answer: &str, mut sentences: Vec<Range<usize>>, markers: &[Marker]) -> Vec<Range<usize>> {
    for n in 1..sentences.len() {
        let start = sentences[n].start;
        let cut = markers.iter().find(|marker| marker.place.start < start && start < marker.place.end);
        if let Some(marker) = cut {
            let before = sentences[n - 1].start.min(marker.place.start)..marker.place.start;
            sentences[n - 1].end = before.start + answer[before].trim_end().len();
            sentences[n].start = marker.place.start;
        }
    }
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

fn claim_of(claims: &[Range<usize>], marker: &Marker) -> usize {
    claims.partition_point(|claim| claim.end < marker.place.end)
}

/// Returns the words of a claim that say something, without its markers.
fn claim_words(answer: &str, claim: &Range<usize>, markers: &[Marker]) -> Vec<String> {
    let mut text = String::new();
    let mut at = claim.start;
    for marker in
        markers.iter().filter(|marker| claim.start <= marker.place.start && marker.place.end <= claim.end)
    {
        text.push_str(&answer[at..marker.place.start]);
        text.push(' ');
        at = marker.place.end;
    }
    text.push_str(&answer[at..claim.end]);
    let mut words: Vec<String> = content_words(&text).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Sentences of a source that are looked at together: a claim may sum up that many.
const EVIDENCE_SENTENCES: usize = 2;

struct Source {
    sentences: Vec<(Range<usize>, HashSet<String>)>,
}

impl Source {
    fn new(text: &str) -> Self {
        let words = |range: Range<usize>| {
            let words = content_words(&text[range.clone()]).collect();
            (range, words)
        };
        Self { sentences: sentences(text).into_iter().map(words).collect() }
    }

    fn judge(&self, words: &[String], citation: &mut Citation) {
        let held = |range: &[(Range<usize>, HashSet<String>)]| {
            words.iter().filter(|word| range.iter().any(|(_, words)| words.contains(*word))).count()
        };
        // The shortest of those that hold the most.
        let mut best: Option<(usize, usize, usize)> = None;
        for count in 1..=EVIDENCE_SENTENCES.min(self.sentences.len()) {
            for (start, window) in self.sentences.windows(count).enumerate() {
                let held = held(window);
                if best.is_none_or(|(most, _, _)| held > most) {
                    best = Some((held, start, start + count));
                }
            }
        }
        let Some((held, start, end)) = best else {
            // A source without sentences has nothing to say for any claim.
            citation.evidence = Some(0..0);
            citation.support = (!words.is_empty()).then_some(0.0);
            citation.missing_numbers = words.iter().filter(|word| is_number(word)).cloned().collect();
            return;
        };
        let window = &self.sentences[start..end];
        citation.evidence = Some(window[0].0.start..window[window.len() - 1].0.end);
        if !words.is_empty() {
            citation.support = Some(held as f64 / words.len() as f64);
        }
        let missing =
            |word: &&String| is_number(word) && !window.iter().any(|(_, words)| words.contains(*word));
        citation.missing_numbers = words.iter().filter(missing).cloned().collect();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers_in(answer: &str) -> Vec<usize> {
        let report = check_citations(answer, &[] as &[&str]);
        report.citations.into_iter().map(|citation| citation.number).collect()
    }

    #[test]
    fn markers_are_read_in_every_spelling() {
        assert_eq!(numbers_in("a [1], b [2, 3] and [4-6]; c[7][8]. [^9]"), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(
            numbers_in("`a[1]` and ``` b[2] ``` [3](x) [x] [] [-1] [1-900] [2-1] [0x1] [12"),
            [] as [usize; 0]
        );
        assert_eq!(numbers_in("[99999999999999999999999] ` [1]"), [1]);
    }

    #[test]
    fn a_marker_vouches_for_its_sentence_or_the_one_before() {
        let answer = "Logs are synced. [1] Segments are sealed [2]. Snakes bite.";
        let report = check_citations(answer, &["Logs are synced.", "Nothing here."]);
        let claims: Vec<&str> = report.citations.iter().map(|one| &answer[one.claim.clone()]).collect();
        assert_eq!(claims, ["Logs are synced. [1]", "Segments are sealed [2]."]);
        assert_eq!(report.citations[0].support, Some(1.0));
        assert_eq!(report.citations[1].support, Some(0.0));
        let uncited: Vec<&str> = report.uncited.iter().map(|range| &answer[range.clone()]).collect();
        assert_eq!(uncited, ["Snakes bite."]);
    }

    #[test]
    fn a_marker_right_behind_a_full_stop_belongs_to_that_sentence() {
        for (answer, expected) in [
            ("Snakes eat mice.[1] Pigs fly.", "Snakes eat mice.[1]"),
            ("Snakes eat mice.[1]", "Snakes eat mice.[1]"),
            ("Snakes eat mice![1][1] Pigs fly.", "Snakes eat mice![1][1]"),
        ] {
            let report = check_citations(answer, &["Snakes eat mice."]);
            for one in &report.citations {
                assert_eq!(&answer[one.claim.clone()], expected);
                assert_eq!(one.is_supported(0.9), Some(true), "{answer}");
            }
            let uncited: Vec<&str> = report.uncited.iter().map(|range| &answer[range.clone()]).collect();
            assert!(uncited.iter().all(|&range| range == "Pigs fly."), "{uncited:?}");
        }
    }

    #[test]
    fn a_number_that_is_not_in_the_source_is_no_support() {
        let source = ["The release of 2019 added 14 metrics."];
        let report = check_citations(
            "The release of 2019 added 15 metrics [1]. The release of 2019 added metrics [1].",
            &source,
        );
        assert_eq!(report.citations[0].missing_numbers, ["15"]);
        assert_eq!(report.citations[0].is_supported(0.5), Some(false));
        assert_eq!(report.citations[1].is_supported(0.9), Some(true));
    }

    #[test]
    fn a_source_that_is_not_there_supports_nothing() {
        let report = check_citations("Pigs fly [0] [3]. It is [1].", &["", "x"]);
        let supported: Vec<Option<bool>> = report.citations.iter().map(|one| one.is_supported(0.5)).collect();
        assert_eq!(supported, [Some(false), Some(false), None]);
    }

    proptest! {
        #[test]
        fn any_answer_is_answered(answer in "([a-zA-Z.!\n `\\[\\](),0-9\u{e9}-]|\\[1\\]){0,40}", source in "\\PC{0,40}") {
            let report = check_citations(&answer, &[&source]);
            for citation in report.citations {
                prop_assert!(answer[citation.marker.clone()].starts_with('['));
                prop_assert!(answer.get(citation.claim).is_some());
                if let Some(evidence) = citation.evidence {
                    prop_assert!(source.get(evidence).is_some());
                }
            }
        }
    }
}
