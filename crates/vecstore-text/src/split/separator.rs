//! Separators: strings, patterns, or nothing, which is between every two characters.

use std::ops::Range;

use memchr::memmem::Finder;

use super::edges::{self, Edges};
use super::error::Result;
use super::pattern::Pattern;
use super::ruler::Ruler;

/// What becomes of a separator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// It starts the piece after it.
    #[default]
    Start,
    /// It ends the piece before it.
    End,
    /// It is in neither piece; it stays in the text between two pieces of one chunk.
    Drop,
}

/// Where to split.
#[derive(Clone, Debug)]
pub(crate) enum Separator {
    Byte(u8),
    Literal(Box<Finder<'static>>),
    Pattern(Box<Pattern>),
    /// The empty string.
    Characters,
}

impl Separator {
    pub(crate) fn literal(text: &str) -> Self {
        if text.is_empty() {
            return Self::Characters;
        }
        if let [byte] = *text.as_bytes() {
            return Self::Byte(byte);
        }
        Self::Literal(Box::new(Finder::new(text).into_owned()))
    }

    pub(crate) fn pattern(pattern: &str) -> Result<Self> {
        if pattern.is_empty() {
            return Ok(Self::Characters);
        }
        Ok(Self::Pattern(Box::new(Pattern::new(pattern)?)))
    }

    /// Returns whether the separator is in the text.
    pub(crate) fn is_in(&self, text: &str) -> Result<bool> {
        match self {
            Self::Byte(byte) => Ok(memchr::memchr(*byte, text.as_bytes()).is_some()),
            Self::Literal(finder) => Ok(finder.find(text.as_bytes()).is_some()),
            Self::Pattern(pattern) => pattern.is_in(text),
            Self::Characters => Ok(true),
        }
    }

    /// Calls `piece` with every piece of a range, in order; none is empty.
    pub(crate) fn pieces(
        &self,
        ruler: &Ruler<'_>,
        range: Range<usize>,
        keep: Keep,
        graphemes: bool,
        piece: &mut dyn FnMut(Range<usize>) -> Result<()>,
    ) -> Result<()> {
        let text = ruler.text;
        let slice = &text[range.clone()];
        let mut cut = Cutter { edges: &ruler.edges, keep, graphemes, start: range.start, piece };
        match self {
            Self::Byte(byte) => {
                for at in memchr::memchr_iter(*byte, slice.as_bytes()) {
                    cut.at(range.start + at..range.start + at + 1)?;
                }
            }
            Self::Literal(finder) => {
                let length = finder.needle().len();
                for at in finder.find_iter(slice.as_bytes()) {
                    cut.at(range.start + at..range.start + at + length)?;
                }
            }
            Self::Pattern(pattern) => {
                pattern.matches(slice, &mut |found| {
                    cut.at(range.start + found.start..range.start + found.end)
                })?;
            }
            Self::Characters if graphemes => {
                for end in edges::grapheme_ends(text, &range) {
                    cut.until(end)?;
                }
            }
            Self::Characters => {
                for end in edges::char_ends(text, &range) {
                    cut.until(end)?;
                }
            }
        }
        cut.until(range.end)
    }
}

/// Turns matches into pieces.
struct Cutter<'a> {
    edges: &'a Edges<'a>,
    keep: Keep,
    graphemes: bool,
    start: usize,
    piece: &'a mut dyn FnMut(Range<usize>) -> Result<()>,
}

impl Cutter<'_> {
    fn at(&mut self, separator: Range<usize>) -> Result<()> {
        let (end, next) = match self.keep {
            Keep::Start => (separator.start, separator.start),
            Keep::End => (separator.end, separator.end),
            Keep::Drop => (separator.start, separator.end),
        };
        if self.graphemes && !(self.is_boundary(end) && self.is_boundary(next)) {
            return Ok(());
        }
        self.until(end)?;
        self.start = next;
        Ok(())
    }

    fn until(&mut self, end: usize) -> Result<()> {
        if self.start < end {
            (self.piece)(self.start..end)?;
            self.start = end;
        }
        Ok(())
    }

    fn is_boundary(&self, position: usize) -> bool {
        self.edges.is_boundary(position)
    }
}
