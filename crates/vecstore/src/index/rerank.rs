//! How many results of a walk are scored on full vectors.

use super::compact::PointCodes;
use super::layout::Layout;

/// Recalls beyond which what codes rank far behind matters, for codes of 8 bits and of 4. They are among those that widths
/// are measured for: between one of them and the next, the width is at least what the larger number of results needs.
const HIGH_RECALL_BYTES: f32 = 0.95;
const HIGH_RECALL_NIBBLES: f32 = 0.98;

/// Returns how many of the nearest by their codes are scored on full vectors, for `k` wanted at a recall.
pub(crate) fn reranked(layout: Layout, k: usize, recall: f32) -> usize {
    match layout {
        // Among many near equals 8 bits a component rank some neighbors behind more than a few others.
        Layout::Fast | Layout::Compact(PointCodes::Bytes) if recall > HIGH_RECALL_BYTES => 2 * k + 10,
        Layout::Fast | Layout::Compact(PointCodes::Bytes) => k + k / 4 + 5,
        Layout::Compact(PointCodes::Nibbles) if recall > HIGH_RECALL_NIBBLES => (4 * k).max(k + 96),
        Layout::Compact(PointCodes::Nibbles) => (2 * k).max(k + 32),
        Layout::Compact(PointCodes::Full) => k,
    }
}
