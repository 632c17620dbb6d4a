//! Where sentences end: the boundaries of UAX 29, less those that are none in text as people write it.

use std::collections::HashSet;
use std::ops::Range;

use super::abbreviations;
use super::unicode::unicode_ends;
use crate::split::edges::is_space;
use crate::split::error::Result;

/// How sentences are told apart.
///
/// By default, of the boundaries of UAX 29 these are none:
///
/// - a line end inside a paragraph without a mark before it, unless a list item follows: lines are wrapped;
/// - the stop of an abbreviation ("e.g.", "Dr.", "No. 5", "J. Smith") or of a list number ("1. First"), where what
///   follows does not look like a new sentence;
/// - a mark of ASCII directly before a letter or digit ("Yahoo!", "?query=").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SentenceRules {
    unicode_only: bool,
    abbreviations: HashSet<String>,
}

impl SentenceRules {
    /// Returns the rules of UAX 29 and no others.
    pub fn unicode() -> Self {
        Self { unicode_only: true, abbreviations: HashSet::new() }
    }

    /// Adds abbreviations, without their last full stop, in whatever case.
    #[must_use]
    pub fn abbreviations<S: AsRef<str>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        let words = words.into_iter();
        self.abbreviations.extend(words.map(|word| word.as_ref().trim_end_matches('.').to_lowercase()));
        self
    }

    fn keeps_its_stop(&self, word: &str, following: &str) -> bool {
        abbreviations::keeps_its_stop(word, following)
            || !self.abbreviations.is_empty() && self.abbreviations.contains(&word.to_lowercase())
    }

    /// Returns whether a boundary of UAX 29 ends a sentence here.
    fn is_end(&self, text: &str, at: usize) -> bool {
        let following = text[at..].trim_start_matches([' ', '\t']);
        if following.starts_with(is_space) {
            // Of several line ends the last one decides.
            return false;
        }
        let before = text[..at].trim_end_matches(is_space);
        let space = &text[before.len()..at];
        let newlines = space.bytes().filter(|&byte| byte == b'\n').count();
        if newlines > 1 || before.is_empty() {
            return newlines > 1;
        }
        let closed = before.trim_end_matches(is_closing);
        let Some(mark) = closed.chars().next_back().filter(|&mark| is_mark(mark)) else {
            // Only the line end made the boundary; other separators than line feeds end paragraphs.
            return newlines == 0 || starts_item(following);
        };
        if space.is_empty() && mark.is_ascii() {
            return !following.starts_with(char::is_alphanumeric);
        }
        if mark != '.' {
            return true;
        }
        if newlines == 1 && following.starts_with(char::is_lowercase) {
            return false;
        }
        let word = last_word(&closed[..closed.len() - 1]);
        let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        let line = closed[..closed.len() - 1 - word.len()].trim_end_matches([' ', '\t']);
        let at_line_start = line.is_empty() || line.ends_with('\n');
        !(is_number && at_line_start || self.keeps_its_stop(word, following))
    }
}

/// Returns the byte range of each sentence, with the white space behind it; together they are the whole text.
///
/// Costs the length of the text.
#[must_use]
pub fn sentences(text: &str, rules: &SentenceRules) -> Vec<Range<usize>> {
    let (mut start, mut found) = (0, Vec::new());
    let collected = sentence_ends(text, 0..text.len(), rules, &mut |end| {
        found.push(std::mem::replace(&mut start, end)..end);
        Ok(())
    });
    debug_assert!(collected.is_ok(), "collecting does not fail");
    found
}

/// Calls `end` with the end of each sentence of a range, in order; the last is that of the range.
pub(crate) fn sentence_ends(
    text: &str,
    range: Range<usize>,
    rules: &SentenceRules,
    end: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<()> {
    let slice = &text[range.clone()];
    unicode_ends(slice, &mut |at| {
        if at == slice.len() || rules.unicode_only || rules.is_end(slice, at) {
            end(range.start + at)
        } else {
            Ok(())
        }
    })
}

fn is_closing(character: char) -> bool {
    matches!(
        character,
        '"' | '\''
            | ')'
            | ']'
            | '}'
            | '\u{2019}'
            | '\u{201d}'
            | '\u{bb}'
            | '\u{203a}'
            | '\u{300d}'
            | '\u{300f}'
            | '\u{ff09}'
            | '\u{3011}'
            | '\u{300b}'
            | '*'
            | '_'
            | '`'
    )
}

/// The marks that end sentences; those of scripts not listed still do, by UAX 29, before white space.
fn is_mark(character: char) -> bool {
    matches!(
        character,
        '.' | '!'
            | '?'
            | '\u{2026}'
            | '\u{3002}'
            | '\u{ff01}'
            | '\u{ff1f}'
            | '\u{ff0e}'
            | '\u{ff61}'
            | '\u{964}'
            | '\u{965}'
            | '\u{61f}'
            | '\u{6d4}'
            | '\u{589}'
            | '\u{203c}'
            | '\u{2047}'
            ..='\u{2049}' | '\u{1362}' | '\u{104a}' | '\u{104b}' | '\u{17d4}' | '\u{17d5}'
    )
}

/// Returns the letters, digits and inner full stops at the end of a text.
fn last_word(text: &str) -> &str {
    /// No abbreviation is longer; a text without spaces is not read through for each boundary.
    const LONGEST_BYTES: usize = 48;
    let mut start = text.len();
    for character in text.chars().rev() {
        if !(character.is_alphanumeric() || character == '.') || text.len() - start > LONGEST_BYTES {
            break;
        }
        start -= character.len_utf8();
    }
    text[start..].trim_start_matches('.')
}

/// Returns whether a line starts with a bullet or a number as lists have.
fn starts_item(line: &str) -> bool {
    let rest = line.trim_start_matches(|character: char| character.is_ascii_digit());
    let marker = if rest.len() < line.len() { &['.', ')'][..] } else { &['-', '*', '+', '\u{2022}'][..] };
    rest.starts_with(marker) && rest.chars().nth(1).is_some_and(is_space)
}
