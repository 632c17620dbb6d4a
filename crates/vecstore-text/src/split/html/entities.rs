//! What is seen of a piece of HTML: text with white space collapsed and character references resolved.

use std::ops::Range;

/// References to characters by name that are common in text.
static NAMED: &[(&str, char)] = &[
    ("amp", '&'),
    ("apos", '\''),
    ("bull", '\u{2022}'),
    ("cent", '\u{a2}'),
    ("copy", '\u{a9}'),
    ("deg", '\u{b0}'),
    ("eacute", '\u{e9}'),
    ("egrave", '\u{e8}'),
    ("euro", '\u{20ac}'),
    ("gt", '>'),
    ("hellip", '\u{2026}'),
    ("laquo", '\u{ab}'),
    ("ldquo", '\u{201c}'),
    ("lsquo", '\u{2018}'),
    ("lt", '<'),
    ("mdash", '\u{2014}'),
    ("middot", '\u{b7}'),
    ("minus", '\u{2212}'),
    ("nbsp", '\u{a0}'),
    ("ndash", '\u{2013}'),
    ("para", '\u{b6}'),
    ("pound", '\u{a3}'),
    ("quot", '"'),
    ("raquo", '\u{bb}'),
    ("rdquo", '\u{201d}'),
    ("reg", '\u{ae}'),
    ("rsquo", '\u{2019}'),
    ("sect", '\u{a7}'),
    ("szlig", '\u{df}'),
    ("times", '\u{d7}'),
    ("trade", '\u{2122}'),
    ("auml", '\u{e4}'),
    ("ouml", '\u{f6}'),
    ("uuml", '\u{fc}'),
    ("Auml", '\u{c4}'),
    ("Ouml", '\u{d6}'),
    ("Uuml", '\u{dc}'),
    ("yen", '\u{a5}'),
];

/// The longest reference that is resolved, with its `&` and `;`.
const REFERENCE_BYTES: usize = 12;

/// Returns what is seen of the runs of text that lie in a range, with a line end where there is a break between runs; no
/// more than the first `most` bytes.
pub(super) fn shown(
    text: &str,
    range: &Range<usize>,
    runs: impl Iterator<Item = Range<usize>>,
    breaks: &[usize],
    most: usize,
) -> String {
    let mut shown = String::new();
    let mut last = None;
    for run in runs {
        let run = run.start.max(range.start)..run.end.min(range.end);
        if shown.len() >= most {
            break;
        }
        if run.is_empty() {
            continue;
        }
        let next_break = last.and_then(|end| breaks.get(breaks.partition_point(|&at| at < end)));
        if next_break.is_some_and(|&at| at <= run.start) {
            shown.truncate(shown.trim_end().len());
            if !shown.is_empty() {
                shown.push('\n');
            }
        }
        last = Some(run.end);
        push_collapsed(&mut shown, &text[run], most);
    }
    let mut end = shown.len().min(most);
    while !shown.is_char_boundary(end) {
        end -= 1;
    }
    shown.truncate(shown[..end].trim_end().len());
    shown
}

fn push_collapsed(shown: &mut String, text: &str, most: usize) {
    let mut rest = text.trim_ascii_start();
    if rest.len() < text.len() && !shown.is_empty() && !shown.ends_with([' ', '\n']) {
        shown.push(' ');
    }
    while let Some(character) = rest.chars().next().filter(|_| shown.len() < most) {
        let (character, length) = match character {
            '&' => reference(rest).unwrap_or(('&', 1)),
            other => (other, other.len_utf8()),
        };
        rest = &rest[length..];
        if !character.is_ascii_whitespace() {
            shown.push(character);
        } else if !shown.is_empty() && !shown.ends_with([' ', '\n']) {
            shown.push(' ');
        }
    }
}

/// Returns the character of the reference that a text starts with, and the length of the reference.
fn reference(text: &str) -> Option<(char, usize)> {
    let head = text.as_bytes().get(..text.len().min(REFERENCE_BYTES))?;
    let end = memchr::memchr(b';', head)?;
    let name = text.get(1..end)?;
    let character = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|&character| character != '\0')?
        }
        None => NAMED.iter().find(|(known, _)| *known == name)?.1,
    };
    Some((character, end + 1))
}
