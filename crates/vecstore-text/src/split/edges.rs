//! The edges of chunks: white space that is stripped, and the boundaries of grapheme clusters.

use std::cell::{Cell, OnceCell};
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

/// Half of a flag, of which two in a row are one character to a reader: which two, the whole run tells.
const REGIONAL_INDICATORS: std::ops::RangeInclusive<char> = '\u{1f1e6}'..='\u{1f1ff}';
const INDICATOR_BYTES: usize = 4;
/// Up to here a run of indicators is counted from the place that is asked for; longer ones are looked up.
const COUNTED_INDICATORS: usize = 32;

/// The edges of one text. It knows what would else be looked for again and again: runs of flags, and where white space
/// begins that many nested ranges end with.
pub(crate) struct Edges<'t> {
    text: &'t str,
    /// Runs of more than `COUNTED_INDICATORS`, in order.
    flags: OnceCell<Vec<Range<usize>>>,
    /// The end of a range, and where the white space before it begins.
    space: Cell<(usize, usize)>,
}

impl<'t> Edges<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, flags: OnceCell::new(), space: Cell::new((0, 0)) }
    }

    /// Returns the range without white space at its ends, which may be empty.
    pub(crate) fn stripped(&self, mut range: Range<usize>) -> Range<usize> {
        let (end, space) = self.space.get();
        if end == range.end && space >= range.start {
            range.end = space;
            return self.without_space_in_front(range);
        }
        let raw = range.end;
        range.end = range.start + self.text[range.clone()].trim_end_matches(is_space).len();
        self.space.set((raw, range.end));
        self.without_space_in_front(range)
    }

    fn without_space_in_front(&self, range: Range<usize>) -> Range<usize> {
        range.end - self.text[range.clone()].trim_start_matches(is_space).len()..range.end
    }

    /// Returns whether there is nothing but white space in a range.
    pub(crate) fn is_blank(&self, range: Range<usize>) -> bool {
        range.is_empty() || self.stripped(range).is_empty()
    }

    /// As [`stripped`](Self::stripped), but a space that carries a mark stays with it.
    pub(crate) fn stripped_between_graphemes(&self, range: Range<usize>) -> Range<usize> {
        let mut kept = self.stripped(range.clone());
        if kept.is_empty() {
            return kept;
        }
        while kept.start > range.start && !self.is_boundary(kept.start) {
            kept.start -= self.text[..kept.start].chars().next_back().map_or(1, char::len_utf8);
        }
        while kept.end < range.end && !self.is_boundary(kept.end) {
            kept.end += self.text[kept.end..].chars().next().map_or(1, char::len_utf8);
        }
        kept
    }

    /// Returns the first place from `position` on that is between two grapheme clusters.
    pub(crate) fn boundary_from(&self, mut position: usize) -> usize {
        while !self.is_boundary(position) {
            position += self.text[position..].chars().next().map_or(1, char::len_utf8);
        }
        position
    }

    /// Returns whether a chunk may begin at `position` without cutting what a reader sees as one character.
    pub(crate) fn is_boundary(&self, position: usize) -> bool {
        let bytes = self.text.as_bytes();
        if position == 0 || position >= bytes.len() {
            return true;
        }
        let (before, after) = (bytes[position - 1], bytes[position]);
        if before.is_ascii() && after.is_ascii() {
            return !(before == b'\r' && after == b'\n');
        }
        if let Some(before) = self.indicators_before(position) {
            return before % 2 == 0;
        }
        // The whole text is one piece, so the cursor never asks for more.
        GraphemeCursor::new(position, self.text.len(), true).is_boundary(self.text, 0).unwrap_or(true)
    }

    /// Returns how many regional indicators are before a place, if it is between two.
    fn indicators_before(&self, position: usize) -> Option<usize> {
        let is_one =
            |character: Option<char>| character.is_some_and(|one| REGIONAL_INDICATORS.contains(&one));
        if !is_one(self.text[position..].chars().next()) {
            return None;
        }
        let before = self.text[..position].chars().rev().take(COUNTED_INDICATORS);
        let count = before.take_while(|one| REGIONAL_INDICATORS.contains(one)).count();
        if count < COUNTED_INDICATORS {
            return (count > 0).then_some(count);
        }
        let flags = self.flags.get_or_init(|| runs_of_indicators(self.text));
        let run = flags.get(flags.partition_point(|run| run.end <= position))?;
        Some((position - run.start) / INDICATOR_BYTES)
    }
}

/// Returns the runs of more regional indicators than are counted each time.
fn runs_of_indicators(text: &str) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut run = 0..0;
    for (at, _) in text.match_indices(|character| REGIONAL_INDICATORS.contains(&character)) {
        if at == run.end && !run.is_empty() {
            run.end += INDICATOR_BYTES;
            continue;
        }
        runs.push(std::mem::replace(&mut run, at..at + INDICATOR_BYTES));
    }
    runs.push(run);
    runs.retain(|run| run.len() > COUNTED_INDICATORS * INDICATOR_BYTES);
    runs
}

/// Returns the largest number from 1 to `most` that fits, where all smaller ones do, or 0 if 1 does not.
///
/// Asks for numbers of at most twice the result.
pub(crate) fn most_that_fit<E>(
    most: usize,
    mut fits: impl FnMut(usize) -> Result<bool, E>,
) -> Result<usize, E> {
    let (mut fitting, mut step) = (0, 1);
    while fitting < most && fits((fitting + step).min(most))? {
        fitting = (fitting + step).min(most);
        step *= 2;
    }
    while step > 1 {
        step /= 2;
        if fitting > 0 && fitting + step < most && fits(fitting + step)? {
            fitting += step;
        }
    }
    Ok(fitting)
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
        assert_eq!(&text[Edges::new(text).stripped_between_graphemes(0..text.len())], " \u{301}word \u{301}");
    }

    #[test]
    fn flags_are_told_apart_in_runs_of_any_length() {
        for count in [1, 2, 31, 32, 33, 34, 200] {
            let text = format!("a{}b", "\u{1f1e6}".repeat(count));
            let edges = Edges::new(&text);
            let expected: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
            let places = text.char_indices().map(|(at, _)| at);
            assert_eq!(places.filter(|&at| edges.is_boundary(at)).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn white_space_is_found_again() {
        let text = " a b   ";
        let edges = Edges::new(text);
        for _ in 0..2 {
            assert_eq!(edges.stripped(0..7), 1..4);
            assert_eq!(edges.stripped(2..7), 3..4);
            assert_eq!(edges.stripped(5..7), 5..5);
            assert_eq!(edges.stripped(0..4), 1..4);
        }
    }

    #[test]
    fn the_most_that_fit_are_found() {
        for most in 0..40 {
            for limit in 0..40 {
                assert_eq!(
                    most_that_fit(most, |count| Ok::<_, ()>(count <= limit)).unwrap(),
                    most.min(limit)
                );
            }
        }
    }
}
