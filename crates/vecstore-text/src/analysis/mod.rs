//! Analyzers: from a text to the terms that a search compares, with where each was.
//!
//! An analyzer is chosen by name, which a store keeps: what was indexed with one must be searched with the same.
//!
//! | name | terms |
//! |---|---|
//! | `standard` | Unicode words in lower case, accents folded |
//! | `english`, and 17 other languages | those, without the language's stop words, stemmed |
//! | `english:stem`, `english:stop` | only stemmed, only without stop words |
//! | `cjk` | as `standard`, but pairs of neighboring Chinese, Japanese and Korean characters |
//! | `code` | identifiers, and the words in them: `parseURL` gives `parseurl`, `parse`, `url` |
//! | `ngram`, `ngram:2-4` | every run of 3 (of 2 to 4) characters of each word |
//! | `whitespace` | what stands between white space, as it is |

mod fold;
mod identifiers;
mod language;
mod words;

use std::fmt;
use std::str::FromStr;

use rust_stemmers::Stemmer;

pub use language::Language;
use words::{Word, words};

/// The longest term in bytes of UTF-8. What is longer is cut, in texts as in queries: no word of a language is as long.
pub const MAX_TERM_BYTES: usize = 255;

/// The longest n-gram, in characters.
const NGRAM_MAX: usize = 16;

/// A term of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term<'a> {
    /// The term as the index has it.
    pub term: &'a str,
    /// Where it starts in the text, in bytes.
    pub start: usize,
    /// Where it ends in the text, in bytes.
    pub end: usize,
    /// Which word of the text it is. Stop words count, so that a phrase is as wide as it was written.
    pub position: u32,
}

/// A term of a text that stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The term as the index has it.
    pub term: String,
    /// Where it starts in the text, in bytes.
    pub start: usize,
    /// Where it ends in the text, in bytes.
    pub end: usize,
    /// Which word of the text it is.
    pub position: u32,
}

/// Buffers that analysis reuses from one text to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    term: String,
    folded: String,
    ends: Vec<usize>,
}

/// Makes terms of texts.
///
/// # Examples
///
/// ```
/// use vecstore_text::Analyzer;
///
/// let analyzer = Analyzer::default();
/// let tokens = analyzer.tokens("Cr\u{e8}me br\u{fb}l\u{e9}e, 2 eggs");
/// let terms: Vec<&str> = tokens.iter().map(|token| token.term.as_str()).collect();
/// assert_eq!(terms, ["creme", "brulee", "2", "eggs"]);
/// assert_eq!(analyzer.to_string(), "standard");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Analyzer(Kind);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Standard,
    Language {
        language: Language,
        stems: bool,
        stops: bool,
    },
    Cjk,
    Code,
    Ngram {
        min: usize,
        max: usize,
    },
    Whitespace,
}

/// There is no analyzer of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownAnalyzer(String);

impl fmt::Display for UnknownAnalyzer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start: String = self.0.chars().take(40).collect();
        write!(
            f,
            "analyzer must be standard, cjk, code, ngram (or ngram:MIN-MAX, up to {NGRAM_MAX}), whitespace, or a language \
             (perhaps with :stem or :stop) of {}; got `{}`",
            Language::ALL.map(Language::name).join(", "),
            start.escape_debug()
        )
    }
}

impl std::error::Error for UnknownAnalyzer {}

impl FromStr for Analyzer {
    type Err = UnknownAnalyzer;

    fn from_str(name: &str) -> Result<Self, UnknownAnalyzer> {
        let unknown = || UnknownAnalyzer(name.to_owned());
        let (base, option) = name.split_once(':').map_or((name, None), |(base, option)| (base, Some(option)));
        let kind = match (base, option) {
            ("standard", None) => Kind::Standard,
            ("cjk", None) => Kind::Cjk,
            ("code", None) => Kind::Code,
            ("whitespace", None) => Kind::Whitespace,
            ("ngram", None) => Kind::Ngram { min: 3, max: 3 },
            ("ngram", Some(range)) => {
                let (min, max) = range.split_once('-').unwrap_or((range, range));
                let number = |text: &str| text.parse().ok().filter(|n| (1..=NGRAM_MAX).contains(n));
                let (Some(min), Some(max)) = (number(min), number(max)) else { return Err(unknown()) };
                if min > max {
                    return Err(unknown());
                }
                Kind::Ngram { min, max }
            }
            (base, option) => {
                let language = Language::from_name(base).ok_or_else(unknown)?;
                let (stems, stops) = match option {
                    None => (true, true),
                    Some("stem") => (true, false),
                    Some("stop") => (false, true),
                    Some(_) => return Err(unknown()),
                };
                Kind::Language { language, stems, stops }
            }
        };
        Ok(Self(kind))
    }
}

impl fmt::Display for Analyzer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Standard => f.write_str("standard"),
            Kind::Cjk => f.write_str("cjk"),
            Kind::Code => f.write_str("code"),
            Kind::Whitespace => f.write_str("whitespace"),
            Kind::Ngram { min: 3, max: 3 } => f.write_str("ngram"),
            Kind::Ngram { min, max } => write!(f, "ngram:{min}-{max}"),
            Kind::Language { language, stems, stops } => {
                f.write_str(language.name())?;
                f.write_str(match (stems, stops) {
                    (true, true) => "",
                    (true, false) => ":stem",
                    _ => ":stop",
                })
            }
        }
    }
}

impl Analyzer {
    /// Calls `each` for every term of a text, in order.
    pub fn analyze(&self, text: &str, scratch: &mut Scratch, mut each: impl FnMut(Term<'_>)) {
        match self.0 {
            Kind::Standard => standard(text, scratch, &mut each),
            Kind::Language { language, stems, stops } => {
                let stemmer = stems.then(|| language.stemmer());
                in_language(text, language, stemmer.as_ref(), stops, scratch, &mut each);
            }
            Kind::Cjk => cjk(text, scratch, &mut each),
            Kind::Code => identifiers::analyze(text, scratch, &mut each),
            Kind::Ngram { min, max } => ngrams(text, min, max, scratch, &mut each),
            Kind::Whitespace => whitespace(text, &mut each),
        }
    }

    /// Returns the terms of a text.
    pub fn tokens(&self, text: &str) -> Vec<Token> {
        let mut tokens = Vec::new();
        self.analyze(text, &mut Scratch::default(), |term| {
            let Term { term, start, end, position } = term;
            tokens.push(Token { term: term.to_owned(), start, end, position });
        });
        tokens
    }

    /// Takes apart what a query asks for by its beginning: what stands before the last word, and the start that terms must
    /// have, in the case and the letters of the index, but neither stemmed nor left out as a stop word. The start is empty if
    /// the text does not end in a word.
    pub fn split_prefix<'t>(&self, text: &'t str) -> (&'t str, String) {
        let start = match self.0 {
            Kind::Whitespace => return ("", text.to_owned()),
            Kind::Code => identifiers::last_start(text),
            _ => {
                let mut last = None;
                words(text, |word| last = Some(word));
                last.filter(|word| word.end == text.len()).map_or(text.len(), |word| word.start)
            }
        };
        let mut folded = String::new();
        fold::lower_and_fold(&text[start..], &mut folded);
        (&text[..start], folded)
    }
}

fn whitespace(text: &str, each: &mut dyn FnMut(Term<'_>)) {
    for (word, position) in text.split_whitespace().zip(0..) {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        each(Term { term: cut(word), start, end: start + word.len(), position });
    }
}

fn standard(text: &str, scratch: &mut Scratch, each: &mut dyn FnMut(Term<'_>)) {
    let mut position = 0;
    words(text, |Word { start, end, .. }| {
        fold::lower_and_fold(&text[start..end], &mut scratch.term);
        if !scratch.term.is_empty() {
            each(Term { term: cut(&scratch.term), start, end, position });
            position += 1;
        }
    });
}

fn in_language(
    text: &str,
    language: Language,
    stemmer: Option<&Stemmer>,
    stops: bool,
    scratch: &mut Scratch,
    each: &mut dyn FnMut(Term<'_>),
) {
    let mut position = 0;
    let apostrophes = language.elides();
    words::words_with(text, apostrophes, |Word { start, end, .. }| {
        fold::lower(&text[start..end], &mut scratch.term);
        let word = language.without_elision(&scratch.term);
        position += 1;
        if word.is_empty() || (stops && language.is_stop_word(word)) {
            return;
        }
        let stem = stemmer.map(|stemmer| stemmer.stem(word));
        fold::fold(stem.as_deref().unwrap_or(word), &mut scratch.folded);
        if !scratch.folded.is_empty() {
            each(Term { term: cut(&scratch.folded), start, end, position: position - 1 });
        }
    });
}

/// Joins neighboring ideographs and kana in pairs; a single one stands alone.
fn cjk(text: &str, scratch: &mut Scratch, each: &mut dyn FnMut(Term<'_>)) {
    let mut position = 0;
    let mut before: Option<Word> = None;
    let mut was_paired = false;
    let mut all: Vec<Word> = Vec::new();
    words(text, |word| all.push(word));
    let mut emit = |start: usize, end: usize, position: u32| {
        fold::lower_and_fold(&text[start..end], &mut scratch.term);
        if !scratch.term.is_empty() {
            each(Term { term: cut(&scratch.term), start, end, position });
        }
    };
    // Runs of Hangul and Katakana come as words; they are cut into characters as ideographs are.
    let characters = all.iter().flat_map(|word| {
        let text = &text[word.start..word.end];
        let splits = word.is_single || text.chars().all(words::is_cjk);
        let count = if splits { text.chars().count() } else { 1 };
        let mut at = word.start;
        let mut chars = text.chars();
        (0..count).map(move |_| {
            let start = at;
            at = if splits { at + chars.next().map_or(0, char::len_utf8) } else { word.end };
            Word { start, end: at, is_single: splits }
        })
    });
    for word in characters {
        match before {
            Some(last) if word.is_single && last.is_single && last.end == word.start => {
                emit(last.start, word.end, position);
                position += 1;
                was_paired = true;
            }
            _ => {
                if let Some(last) = before.filter(|last| last.is_single && !was_paired) {
                    emit(last.start, last.end, position);
                    position += 1;
                }
                was_paired = false;
                if !word.is_single {
                    emit(word.start, word.end, position);
                    position += 1;
                }
            }
        }
        before = Some(word);
    }
    if let Some(last) = before.filter(|last| last.is_single && !was_paired) {
        emit(last.start, last.end, position);
    }
}

/// Every run of `min` to `max` characters of each word; a shorter word is a term itself.
fn ngrams(text: &str, min: usize, max: usize, scratch: &mut Scratch, each: &mut dyn FnMut(Term<'_>)) {
    let mut position = 0;
    words(text, |Word { start, end, .. }| {
        fold::lower_and_fold(&text[start..end], &mut scratch.term);
        let term = scratch.term.as_str();
        scratch.ends.clear();
        scratch.ends.extend(term.char_indices().map(|(at, _)| at));
        scratch.ends.push(term.len());
        let characters = scratch.ends.len() - 1;
        if characters == 0 {
            return;
        }
        if characters < min {
            each(Term { term: cut(term), start, end, position });
            position += 1;
            return;
        }
        for first in 0..=characters - min {
            for last in first + min..=characters.min(first + max) {
                let gram = &term[scratch.ends[first]..scratch.ends[last]];
                each(Term { term: gram, start, end, position });
            }
            position += 1;
        }
    });
}

/// Cuts a term to the most bytes it may have.
fn cut(term: &str) -> &str {
    if term.len() <= MAX_TERM_BYTES {
        return term;
    }
    let end = (0..=MAX_TERM_BYTES).rev().find(|&end| term.is_char_boundary(end));
    &term[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests;
