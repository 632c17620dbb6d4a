//! When to seal, and what to merge.

use std::collections::HashMap;

use super::part::{Part, PartView};
use super::snapshot::Snapshot;
use crate::error::Result;

/// Rows in memory are scanned in full by every query, so they are sealed before a scan of them takes long.
const SEAL_ROWS: usize = 16_384;

/// Large vectors are sealed earlier, so that opening after a crash never replays much.
const SEAL_BYTES: u64 = 64 << 20;

/// Deletes fill the log, too; without rows in memory it is cut at this length.
const LOG_BYTES_MAX: u64 = 64 << 20;

/// Segments of about the same size are merged this many at a time, so that a row is rewritten a few times for each
/// eightfold growth of the collection.
const TIER_SEGMENTS: usize = 4;
const TIER_RATIO: u64 = 8;

/// Fewer rows are scanned as fast as a graph of them is searched.
pub(super) const GRAPH_ROWS_MIN: usize = 4096;

/// Rows of a segment are numbered in 32 bits.
pub(super) const MERGED_ROWS_MAX: usize = u32::MAX as usize / 2;

/// A segment with more dead rows than this share is written again without them.
pub(super) const DEAD_SHARE: f64 = 0.2;

pub(super) fn segments(snapshot: &Snapshot) -> impl Iterator<Item = &PartView> {
    snapshot.parts.iter().filter(|view| matches!(view.part, Part::Segment(_)))
}

pub(super) fn in_memory(snapshot: &Snapshot) -> impl Iterator<Item = &PartView> {
    snapshot.parts.iter().filter(|view| matches!(view.part, Part::Memory(_)))
}

/// Returns whether the rows in memory, or a log of deletes, should go to a segment.
pub(super) fn seal_is_due(published: &Snapshot, log_bytes: u64, seal_bytes: u64) -> bool {
    let rows: usize = in_memory(published).map(|view| view.part.len()).sum();
    rows >= SEAL_ROWS || published.memory_bytes() >= SEAL_BYTES.min(seal_bytes) || log_bytes >= LOG_BYTES_MAX
}

/// Returns whether a segment has so many dead rows that it should be written again.
pub(super) fn has_dead_rows_due(published: &Snapshot) -> bool {
    segments(published).any(|view| is_wasteful(view, view.marks.dead.len()))
}

fn is_wasteful(view: &PartView, wasted: usize) -> bool {
    wasted as f64 > view.part.len() as f64 * DEAD_SHARE
}

/// Returns the segments to merge next: one with many dead or expired rows, or several of about the same size.
pub(super) fn due_for_merge(published: &Snapshot, seal_bytes: u64, now: u64) -> Result<Vec<PartView>> {
    let kept =
        |view: &&PartView| if view.part.has_expiry() { view.kept_rows(now).count() } else { view.live() };
    // Segments with nothing left cost nothing to drop: all of them at once.
    let empty: Vec<PartView> = segments(published).filter(|view| kept(view) == 0).cloned().collect();
    if !empty.is_empty() {
        return Ok(empty);
    }
    if let Some(view) = segments(published).find(|view| is_wasteful(view, view.part.len() - kept(view))) {
        return Ok(vec![view.clone()]);
    }
    let mut tiers: HashMap<u32, Vec<&PartView>> = HashMap::new();
    for view in segments(published) {
        tiers.entry(tier(view, seal_bytes)).or_default().push(view);
    }
    let full = tiers
        .into_iter()
        .filter(|(_, views)| views.len() >= TIER_SEGMENTS)
        .filter(|(_, views)| views.iter().map(|view| view.live()).sum::<usize>() <= MERGED_ROWS_MAX)
        .min_by_key(|&(tier, _)| tier);
    Ok(full.map_or_else(Vec::new, |(_, views)| views.into_iter().cloned().collect()))
}

/// Returns how many times eightfold the live rows of a segment exceed what is sealed at once.
fn tier(view: &PartView, seal_bytes: u64) -> u32 {
    let Part::Segment(segment) = &view.part else { return 0 };
    let row_bytes = segment.file_bytes() / view.part.len().max(1) as u64;
    let sealed_at_once = (row_bytes * SEAL_ROWS as u64).min(SEAL_BYTES.min(seal_bytes)).max(1);
    (row_bytes * view.live() as u64 / sealed_at_once).max(1).ilog(TIER_RATIO)
}
