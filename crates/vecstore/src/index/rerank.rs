//! How many results of a walk are scored on full vectors.

use super::compact::PointCodes;

/// A recall beyond which what 4-bit codes rank far behind matters. One of those that widths are measured for: between it and
/// the next, the width is at least what the larger number of results needs.
const HIGH_RECALL: f32 = 0.98;

/// Returns how many results of a compact graph are scored on full vectors, for `k` wanted at a recall.
pub(crate) fn reranked(codes: PointCodes, k: usize, recall: f32) -> usize {
    match codes {
        PointCodes::Nibbles if recall > HIGH_RECALL => (4 * k).max(k + 96),
        PointCodes::Nibbles => (2 * k).max(k + 32),
        PointCodes::Bytes => k + k / 2 + 10,
        PointCodes::Full => k,
    }
}
