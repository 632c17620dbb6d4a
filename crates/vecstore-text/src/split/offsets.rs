//! From byte offsets to character offsets, in one pass over the text.

use std::ops::Range;

/// Turns byte ranges whose starts do not decrease into character ranges.
///
/// Costs the length of the text, and of what the ranges share.
#[must_use]
pub fn char_ranges(text: &str, ranges: &[Range<usize>]) -> Vec<Range<usize>> {
    if text.is_ascii() {
        return ranges.to_vec();
    }
    let (mut at, mut before) = (0, 0);
    ranges
        .iter()
        .map(|range| {
            before += text[at..range.start].chars().count();
            at = range.start;
            before..before + text[range.clone()].chars().count()
        })
        .collect()
}
