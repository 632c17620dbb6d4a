//! Identifiers of programs, and the words in them.
//!
//! `parseHTTPResponse2` is a term as a whole and in parts: `parse`, `http`, `response`, `2`. So is `snake_case_name`, whose
//! whole is `snake_case_name`. An identifier of one part is one term.

use super::words::is_cjk;
use super::{Scratch, Term, cut, fold};

pub(super) fn analyze(text: &str, scratch: &mut Scratch, each: &mut dyn FnMut(Term<'_>)) {
    let mut position = 0;
    let mut rest = 0;
    while let Some(found) = text[rest..].find(belongs) {
        let start = rest + found;
        let end = text[start..].find(|character| !belongs(character)).map_or(text.len(), |len| start + len);
        rest = end;
        identifier(text, start, end, &mut position, scratch, each);
    }
}

/// Returns where the identifier starts that a text ends in; its length if it ends in none.
pub(super) fn last_start(text: &str) -> usize {
    let before = text.char_indices().rev().find(|&(_, character)| !belongs(character));
    before.map_or(0, |(at, character)| at + character.len_utf8())
}

fn belongs(character: char) -> bool {
    character.is_alphanumeric()
        || character == '_'
        || unicode_normalization::char::is_combining_mark(character)
}

fn identifier(
    text: &str,
    start: usize,
    end: usize,
    position: &mut u32,
    scratch: &mut Scratch,
    each: &mut dyn FnMut(Term<'_>),
) {
    // `_private` and `__init__` are found without their underscores.
    let trimmed = text[start..end].trim_matches('_');
    if trimmed.is_empty() {
        return;
    }
    let start = start + text[start..end].find(|character| character != '_').unwrap_or(0);
    let end = start + trimmed.len();
    parts(trimmed, &mut scratch.ends);
    let whole_at = *position;
    let single = scratch.ends.len() == 2;
    fold::lower_and_fold(trimmed, &mut scratch.term);
    if !scratch.term.is_empty() {
        each(Term { term: cut(&scratch.term), start, end, position: whole_at });
    }
    if !single {
        for pair in scratch.ends.chunks_exact(2) {
            fold::lower_and_fold(&trimmed[pair[0]..pair[1]], &mut scratch.term);
            if !scratch.term.is_empty() {
                let (start, end) = (start + pair[0], start + pair[1]);
                each(Term { term: cut(&scratch.term), start, end, position: *position });
                *position += 1;
            }
        }
    }
    *position = (*position).max(whole_at + 1);
}

#[derive(Clone, Copy, PartialEq)]
enum Class {
    Lower,
    Upper,
    Digit,
    Ideograph,
    Underscore,
}

fn class(character: char) -> Class {
    if character == '_' {
        Class::Underscore
    } else if character.is_numeric() {
        Class::Digit
    } else if is_cjk(character) {
        Class::Ideograph
    } else if character.is_uppercase() {
        Class::Upper
    } else {
        Class::Lower
    }
}

/// Replaces `ends` by the start and the end of each part: at underscores, between classes of characters (except from one
/// capital to the small letters it begins), and before the last of several capitals that small letters follow.
fn parts(identifier: &str, ends: &mut Vec<usize>) {
    ends.clear();
    let mut open: Option<usize> = None;
    let mut before: Option<(usize, Class)> = None;
    let mut capitals = 0;
    for (at, character) in identifier.char_indices() {
        let now = class(character);
        let close = |open: &mut Option<usize>, at: usize, ends: &mut Vec<usize>| {
            if let Some(start) = open.take().filter(|&start| start < at) {
                ends.extend([start, at]);
            }
        };
        match (before.map(|(_, class)| class), now) {
            (_, Class::Underscore) => close(&mut open, at, ends),
            (Some(Class::Upper), Class::Lower) => {
                if let Some((last, _)) = before.filter(|_| capitals > 1) {
                    close(&mut open, last, ends);
                    open = Some(last);
                }
            }
            (Some(last), now) if last != now => {
                close(&mut open, at, ends);
                open = Some(at);
            }
            (None, _) => open = Some(at),
            _ => {}
        }
        capitals = if now == Class::Upper { capitals + 1 } else { 0 };
        before = Some((at, now));
    }
    if let Some(start) = open.filter(|&start| start < identifier.len()) {
        ends.extend([start, identifier.len()]);
    }
}
