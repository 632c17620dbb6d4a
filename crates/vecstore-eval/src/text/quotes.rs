//! Quotations: what an answer puts in quotation marks must stand in a context word for word.

use std::ops::Range;

/// A quotation of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotedSpan {
    /// Its bytes in the answer, without the marks.
    pub range: Range<usize>,
    /// The first context that has it.
    pub context: Option<usize>,
}

/// Returns the quotations of at least `min_words` words, and where they are from.
///
/// Marks are `"..."`, curly double quotes and guillemets. Case, white space and the kind of apostrophes make no
/// difference, nor does a comma or full stop before the closing mark.
///
/// # Examples
/// ```
/// let spans = vecstore_eval::quoted_spans("He said \"to be  or not.\"", &["To be or not to be"], 2);
/// assert_eq!(spans[0].context, Some(0));
/// ```
pub fn quoted_spans(answer: &str, contexts: &[&str], min_words: usize) -> Vec<QuotedSpan> {
    let contexts: Vec<String> = contexts.iter().map(|text| plain(text)).collect();
    let mut spans = Vec::new();
    let mut open: Option<(char, usize)> = None;
    for (at, character) in answer.char_indices() {
        match (open, character) {
            (Some((closing, start)), found) if found == closing => {
                open = None;
                let wanted = plain(answer[start..at].trim().trim_end_matches([',', '.']));
                if wanted.split(' ').filter(|word| !word.is_empty()).count() >= min_words {
                    let context = contexts.iter().position(|context| context.contains(&wanted));
                    spans.push(QuotedSpan { range: start..at, context });
                }
            }
            (None, '"') => open = Some(('"', at + 1)),
            (None, '\u{201c}') => open = Some(('\u{201d}', at + character.len_utf8())),
            (None, '\u{ab}') => open = Some(('\u{bb}', at + character.len_utf8())),
            _ => {}
        }
    }
    spans
}

fn plain(text: &str) -> String {
    let text =
        text.to_lowercase().replace(['\u{2018}', '\u{2019}'], "'").replace(['\u{201c}', '\u{201d}'], "\"");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
