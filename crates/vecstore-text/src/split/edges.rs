//! The edges of chunks: white space that is stripped, and the boundaries of grapheme clusters.

use std::ops::Range;

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

/// Returns whether `str.strip` of Python removes the character: white space, and four separators of ASCII.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// Returns the range without white space at its ends, which may be empty.
pub(crate) fn stripped(text: &str, range: Range<usize>) -> Range<usize> {
    let slice = &text[range.clone()];
    let kept = slice.trim_end_matches(is_space);
    let end = range.start + kept.len();
    end - kept.trim_start_matches(is_space).len()..end
}

/// As [`stripped`], but a space that carries a mark stays with it.
pub(crate) fn stripped_between_graphemes(text: &str, range: Range<usize>) -> Range<usize> {
    let mut kept = stripped(text, range.clone());
    if kept.is_empty() {
        return kept;
    }
    while kept.start > range.start && !is_grapheme_boundary(text, kept.start) {
        kept.start -= text[..kept.start].chars().next_back().map_or(1, char::len_utf8);
    }
    while kept.end < range.end && !is_grapheme_boundary(text, kept.end) {
        kept.end += text[kept.end..].chars().next().map_or(1, char::len_utf8);
    }
    kept
}

/// Returns whether a chunk may begin at `position` without cutting what a reader sees as one character.
pub(crate) fn is_grapheme_boundary(text: &str, position: usize) -> bool {
    let bytes = text.as_bytes();
    if position == 0 || position >= bytes.len() {
        return true;
    }
    let (before, after) = (bytes[position - 1], bytes[position]);
    if before.is_ascii() && after.is_ascii() {
        return !(before == b'\r' && after == b'\n');
    }
    // The whole text is one piece, so the cursor never asks for more.
    GraphemeCursor::new(position, text.len(), true).is_boundary(text, 0).unwrap_or(true)
}

/// Calls `each` with the end of every grapheme cluster of a range.
pub(crate) fn grapheme_ends(text: &str, range: &Range<usize>) -> impl Iterator<Item = usize> {
    let start = range.start;
    text[range.clone()].grapheme_indices(true).map(move |(at, cluster)| start + at + cluster.len())
}

/// Returns the end of every character of a range.
pub(crate) fn char_ends(text: &str, range: &Range<usize>) -> impl Iterator<Item = usize> {
    let start = range.start;
    text[range.clone()].char_indices().map(move |(at, character)| start + at + character.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_what_python_strips() {
        // `"".join(c for c in map(chr, range(0x110000)) if c.isspace())`
        let python = "\t\n\u{b}\u{c}\r\u{1c}\u{1d}\u{1e}\u{1f} \u{85}\u{a0}\u{1680}\u{2000}\u{2001}\u{2002}\
                      \u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200a}\u{2028}\u{2029}\
                      \u{202f}\u{205f}\u{3000}";
        let ours: String = (0..=0x0010_FFFF).filter_map(char::from_u32).filter(|&c| is_space(c)).collect();
        assert_eq!(ours, python);
    }

    #[test]
    fn a_space_that_carries_a_mark_stays() {
        let text = "  \u{301}word \u{301} ";
        assert_eq!(&text[stripped(text, 0..text.len())], "\u{301}word \u{301}");
        assert_eq!(&text[stripped_between_graphemes(text, 0..text.len())], " \u{301}word \u{301}");
    }
}
