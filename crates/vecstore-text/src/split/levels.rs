//! How plain text falls apart when it is too long for a chunk: into ever smaller pieces, down to characters.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::edges;
use super::error::Result;
use super::packer::Packer;
use super::ruler::Ruler;
use super::sentence::{SentenceRules, sentence_ends};

/// A size of pieces. A piece has the white space behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Up to a blank line.
    Paragraphs,
    Lines,
    Sentences,
    /// Between white space.
    Words,
    /// Between the word boundaries of UAX 29: text without spaces has these.
    WordParts,
    Graphemes,
    Characters,
}

/// Text in sentences.
pub(crate) static PROSE: &[Level] =
    &[Level::Sentences, Level::Words, Level::WordParts, Level::Graphemes, Level::Characters];
/// Text in lines: code, tables, logs.
pub(crate) static LINES: &[Level] =
    &[Level::Paragraphs, Level::Lines, Level::Words, Level::WordParts, Level::Graphemes, Level::Characters];
/// A sentence.
pub(crate) static WORDS: &[Level] = &[Level::Words, Level::WordParts, Level::Graphemes, Level::Characters];

/// Pushes a range as one piece if it fits in a chunk, else in the pieces of the first level, and so on.
///
/// White space at its ends is left to the chunk it falls in, or between chunks.
pub(crate) fn push_text(packer: &mut Packer<'_, '_>, range: Range<usize>, levels: &[Level]) -> Result<()> {
    let range = packer.ruler().edges.stripped_between_graphemes(range);
    if range.is_empty() {
        return Ok(());
    }
    let size = packer.ruler().size_within(range.clone(), packer.chunk_size())?;
    if let Some(size) = size {
        return packer.push(range, size);
    }
    let Some((level, finer)) = levels.split_first() else {
        // A single character that is larger than a chunk.
        let size = packer.ruler().size(range.clone())?;
        return packer.push(range, size);
    };
    level.pieces(packer.ruler(), range, &mut |piece| push_text(packer, piece, finer))
}

/// Pushes a range in the pieces of the first level, whether it fits or not.
pub(crate) fn push_pieces(packer: &mut Packer<'_, '_>, range: Range<usize>, levels: &[Level]) -> Result<()> {
    let Some((level, finer)) = levels.split_first() else { return push_text(packer, range, levels) };
    level.pieces(packer.ruler(), range, &mut |piece| push_text(packer, piece, finer))
}

impl Level {
    /// Calls `piece` with each piece of a range, in order.
    fn pieces(
        self,
        ruler: &Ruler<'_>,
        range: Range<usize>,
        piece: &mut dyn FnMut(Range<usize>) -> Result<()>,
    ) -> Result<()> {
        let text = ruler.text;
        let mut start = range.start;
        let mut cut = |end: usize| {
            let whole = end >= range.end || self == Self::Characters;
            if start < end && (whole || ruler.edges.is_boundary(end)) {
                let from = std::mem::replace(&mut start, end);
                return piece(from..end);
            }
            Ok(())
        };
        match self {
            Self::Paragraphs => {
                each_line(
                    text,
                    &range,
                    |line_start, end, blank| {
                        if blank && line_start > range.start { cut(end) } else { Ok(()) }
                    },
                )?;
            }
            Self::Lines => each_line(text, &range, |_, end, _| cut(end))?,
            Self::Sentences => sentence_ends(text, range.clone(), &SentenceRules::default(), &mut cut)?,
            Self::Words => {
                let mut in_space = false;
                for (at, character) in text[range.clone()].char_indices() {
                    let space = edges::is_space(character);
                    if in_space && !space {
                        cut(range.start + at)?;
                    }
                    in_space = space;
                }
            }
            Self::WordParts => {
                for (at, part) in text[range.clone()].split_word_bound_indices() {
                    cut(range.start + at + part.len())?;
                }
            }
            Self::Graphemes => {
                for end in edges::grapheme_ends(text, &range) {
                    cut(end)?;
                }
            }
            Self::Characters => {
                for end in edges::char_ends(text, &range) {
                    cut(end)?;
                }
            }
        }
        cut(range.end)
    }
}

/// Calls `line` with the start and end of each line, and whether it is blank.
fn each_line(
    text: &str,
    range: &Range<usize>,
    mut line: impl FnMut(usize, usize, bool) -> Result<()>,
) -> Result<()> {
    let bytes = &text.as_bytes()[..range.end];
    let mut start = range.start;
    while start < range.end {
        let end = memchr::memchr(b'\n', &bytes[start..]).map_or(range.end, |at| start + at + 1);
        line(start, end, bytes[start..end].iter().all(u8::is_ascii_whitespace))?;
        start = end;
    }
    Ok(())
}
