//! `$like` patterns: `%` is any text, `_` one character, `\` makes the next character literal.

use regex::{Regex, RegexBuilder};

use crate::filter::limits::MAX_FILTER_REGEX_BYTES;

/// A compiled pattern; the common forms need no automaton.
#[derive(Clone, Debug)]
pub(crate) enum LikePattern {
    Exact(String),
    Prefix(String),
    Suffix(String),
    Substring(String),
    General(Regex),
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Literal(char),
    AnyCharacter,
    AnyText,
}

impl LikePattern {
    pub(super) fn new(pattern: &str) -> Result<Self, regex::Error> {
        let parts = parse(pattern);
        let (starts_open, rest) = match parts.split_first() {
            Some((Part::AnyText, rest)) => (true, rest),
            _ => (false, parts.as_slice()),
        };
        let (ends_open, rest) = match rest.split_last() {
            Some((Part::AnyText, rest)) => (true, rest),
            _ => (false, rest),
        };
        let Some(text) = literal_text(rest) else { return Ok(Self::General(general(&parts)?)) };
        Ok(match (starts_open, ends_open) {
            (false, false) => Self::Exact(text),
            (false, true) => Self::Prefix(text),
            (true, false) => Self::Suffix(text),
            (true, true) => Self::Substring(text),
        })
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(whole) => text == whole,
            Self::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Self::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Self::Substring(part) => text.contains(part.as_str()),
            Self::General(regex) => regex.is_match(text),
        }
    }
}

/// Splits a pattern; neighbouring `%` become one, and a `\` at the end stands for itself.
fn parse(pattern: &str) -> Vec<Part> {
    let mut parts = Vec::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        let part = match character {
            '%' => Part::AnyText,
            '_' => Part::AnyCharacter,
            '\\' => Part::Literal(characters.next().unwrap_or('\\')),
            other => Part::Literal(other),
        };
        if part != Part::AnyText || parts.last() != Some(&Part::AnyText) {
            parts.push(part);
        }
    }
    parts
}

fn literal_text(parts: &[Part]) -> Option<String> {
    parts
        .iter()
        .map(|part| match part {
            Part::Literal(character) => Some(*character),
            Part::AnyCharacter | Part::AnyText => None,
        })
        .collect()
}

fn general(parts: &[Part]) -> Result<Regex, regex::Error> {
    let mut source = String::from(r"(?s)\A");
    for part in parts {
        match part {
            Part::AnyText => source.push_str(".*"),
            Part::AnyCharacter => source.push('.'),
            Part::Literal(character) => source.push_str(&regex::escape(character.encode_utf8(&mut [0; 4]))),
        }
    }
    source.push_str(r"\z");
    RegexBuilder::new(&source).size_limit(MAX_FILTER_REGEX_BYTES).build()
}
