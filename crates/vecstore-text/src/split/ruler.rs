//! Sizes of ranges of one text, in constant time where the sizer allows it.

use std::cell::OnceCell;
use std::ops::Range;

use super::edges::Edges;
use super::error::Result;
use super::sizer::{Measure, Sizer};

/// How far apart the marks of the character index are: a range is counted within two such blocks at most.
const BLOCK_BYTES: usize = 1024;
/// Ranges up to here are counted; longer ones are looked up.
const COUNTED_BYTES: usize = 4 * BLOCK_BYTES;

/// A sizer laid along a text.
pub(crate) struct Ruler<'t> {
    pub(crate) text: &'t str,
    pub(crate) edges: Edges<'t>,
    sizer: &'t dyn Sizer,
    scale: Scale,
}

enum Scale {
    /// A byte is a unit: bytes, or characters of ASCII.
    Bytes,
    /// Characters; `before[i]` is their number before byte `i * BLOCK_BYTES`.
    Chars {
        before: OnceCell<Vec<usize>>,
    },
    Other,
}

impl<'t> Ruler<'t> {
    pub(crate) fn new(text: &'t str, sizer: &'t dyn Sizer) -> Self {
        let scale = match sizer.measure() {
            Measure::Bytes => Scale::Bytes,
            Measure::Chars if text.is_ascii() => Scale::Bytes,
            Measure::Chars => Scale::Chars { before: OnceCell::new() },
            Measure::Other => Scale::Other,
        };
        Self { text, edges: Edges::new(text), sizer, scale }
    }

    /// Returns whether the size of a text is the sum of the sizes of its parts.
    pub(crate) fn is_additive(&self) -> bool {
        !matches!(self.scale, Scale::Other)
    }

    /// Returns the size of a range.
    pub(crate) fn size(&self, range: Range<usize>) -> Result<usize> {
        match &self.scale {
            Scale::Bytes => Ok(range.len()),
            Scale::Chars { before } => Ok(self.chars(before, range)),
            Scale::Other if range.is_empty() => Ok(0),
            Scale::Other => self.sizer.size(&self.text[range]),
        }
    }

    /// Returns the size of a range if it is at most `limit`.
    pub(crate) fn size_within(&self, range: Range<usize>, limit: usize) -> Result<Option<usize>> {
        if matches!(self.scale, Scale::Other) && !range.is_empty() {
            return self.sizer.size_within(&self.text[range], limit);
        }
        // A character has at most four bytes, so most of what is too long need not be counted.
        if range.len() / 4 > limit {
            return Ok(None);
        }
        let size = self.size(range)?;
        Ok((size <= limit).then_some(size))
    }

    /// Returns whether a range measures at most `limit`.
    pub(crate) fn fits(&self, range: Range<usize>, limit: usize) -> Result<bool> {
        Ok(self.size_within(range, limit)?.is_some())
    }

    fn chars(&self, before: &OnceCell<Vec<usize>>, range: Range<usize>) -> usize {
        if range.len() <= COUNTED_BYTES {
            return self.text[range].chars().count();
        }
        let before = before.get_or_init(|| marks(self.text));
        let upto = |position: usize| {
            let block = position / BLOCK_BYTES;
            before[block] + starts(&self.text.as_bytes()[block * BLOCK_BYTES..position])
        };
        upto(range.end) - upto(range.start)
    }
}

fn marks(text: &str) -> Vec<usize> {
    let mut total = 0;
    let mut before = Vec::with_capacity(text.len() / BLOCK_BYTES + 1);
    for block in text.as_bytes().chunks(BLOCK_BYTES) {
        before.push(total);
        total += starts(block);
    }
    before.push(total);
    before
}

/// Counts the bytes that start a character.
fn starts(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xC0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::Chars;

    #[test]
    fn long_ranges_count_as_short_ones_do() {
        let text = "a\u{e9}\u{4e2d}\u{1f600}".repeat(1500);
        let ruler = Ruler::new(&text, &Chars);
        for (start, end) in [(0, text.len()), (1, text.len() - 4), (10, 10 + 4100), (0, 6000), (30, 9000)] {
            let expected = text[start..end].chars().count();
            assert_eq!(ruler.size(start..end).unwrap(), expected, "{start}..{end}");
        }
    }
}
