//! Sentences of an answer, with where they are.

use std::ops::Range;

/// Words that end with a point and no sentence.
const ABBREVIATIONS: &[&str] =
    &["al", "cf", "dr", "e.g", "etc", "fig", "i.e", "jr", "mr", "mrs", "ms", "no", "prof", "sr", "st", "vs"];

/// Returns the byte ranges of the sentences of a text, without the white space around them.
///
/// A sentence ends at `.`, `!`, `?` or their full-width forms, with closing quotes, brackets and citation markers
/// (`[1]`) that follow, before white space; and at a line break. Points within numbers, after one letter and after
/// common abbreviations end none.
///
/// # Examples
/// ```
/// use vecstore_eval::sentences;
///
/// let text = "It costs 3.50, e.g. at noon. [1] Not \"free\"! ";
/// let parts: Vec<&str> = sentences(text).into_iter().map(|range| &text[range]).collect();
/// assert_eq!(parts, ["It costs 3.50, e.g. at noon. [1]", "Not \"free\"!"]);
/// ```
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(current) = text[at..].chars().next() {
        let after = at + current.len_utf8();
        at = after;
        match current {
            '\n' => {
                push(&mut found, text, start..after);
                start = after;
            }
            '.' | '!' | '?' if !ends_abbreviation(&text[start..after]) => {
                let end = after + closing(&text[after..]);
                if text[end..].chars().next().is_none_or(char::is_whitespace) {
                    push(&mut found, text, start..end);
                    start = end;
                    at = end;
                }
            }
            '\u{3002}' | '\u{ff01}' | '\u{ff1f}' => {
                let end = after + closing(&text[after..]);
                push(&mut found, text, start..end);
                start = end;
                at = end;
            }
            _ => {}
        }
    }
    push(&mut found, text, start..text.len());
    found
}

fn push(found: &mut Vec<Range<usize>>, text: &str, range: Range<usize>) {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    let end = start + part.trim().len();
    if text[start..end].contains(char::is_alphanumeric) {
        found.push(start..end);
    }
}

fn ends_abbreviation(sentence: &str) -> bool {
    let Some(before) = sentence.strip_suffix('.') else { return false };
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    let one_letter = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    one_letter || ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

/// Returns the length of what closes a sentence after its last mark.
fn closing(rest: &str) -> usize {
    let mut end = 0;
    loop {
        let tail = &rest[end..];
        let quotes = tail.len()
            - tail.trim_start_matches(['.', '!', '?', '"', '\'', ')', ']', '\u{201d}', '\u{2019}']).len();
        let tail = &tail[quotes..];
        let marker = tail.len() - tail.trim_start_matches(' ').len();
        let bracket = match tail[marker..].strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((inner, _)) if super::citations::is_marker(inner) => marker + inner.len() + 2,
            _ => 0,
        };
        if quotes + bracket == 0 {
            return end;
        }
        end += quotes + bracket;
    }
}
