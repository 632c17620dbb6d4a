//! When to seal, and what to merge.
//!
//! While writes go on, only what is needed is merged: segments full of dead rows, and segments of about the same size, so
//! that their number stays small and a row is rewritten once for each fourfold growth of the collection. When writes
//! pause, what is left is settled into few segments, still so that a rewritten row ends in a segment larger by half at
//! least, or else after a pause as long as the merge gains little.

use std::collections::BTreeMap;
use std::time::Duration;

use super::memory::Graphs;
use super::part::{Part, PartView};
use super::snapshot::Snapshot;
use crate::query::SIGN_ROWS_MIN;

/// Rows in memory are scanned in full by every query, so they are sealed before a scan of them takes long.
const SEAL_ROWS: usize = 16_384;

/// Large vectors are sealed earlier, so that opening after a crash never replays much.
const SEAL_BYTES: u64 = 64 << 20;

/// Deletes fill the log, too; without rows in memory it is cut at this length.
const LOG_BYTES_MAX: u64 = 64 << 20;

/// Segments of about the same size are merged this many at a time. What comes out is of the next tier: with a larger
/// ratio it would be rewritten in its own tier again.
const TIER_SEGMENTS: usize = 4;
const TIER_RATIO: u64 = 4;

/// Rows of a segment are numbered in 32 bits.
pub(super) const MERGED_ROWS_MAX: usize = u32::MAX as usize / 2;

/// A segment with more dead rows than this share is written again without them.
pub(super) const DEAD_SHARE: f64 = 0.2;

/// Rows in memory are sealed when this share of them has expired: less would make many small segments of what is left.
const EXPIRED_SHARE: f64 = 0.5;

/// When nothing was written for this long, a writer that sends one batch after the other has come to an end.
pub(super) const IDLE: Duration = Duration::from_secs(1);

/// Up to here a scan is about as fast as a graph. A merge of more rows makes a graph, if the collection has graphs.
pub(crate) const GRAPH_ROWS_MIN: usize = 4_096;

/// A pause is used for a merge if the largest segment has no more than this many times the rows of the others.
const SETTLED_RATIO: usize = 2;

/// Segments below either limit are merged whatever their sizes, if the pause is long enough.
const SMALL_ROWS: usize = 65_536;
const SMALL_SHARE: usize = 8;

pub(super) fn segments(snapshot: &Snapshot) -> impl Iterator<Item = &PartView> {
    snapshot.parts.iter().filter(|view| matches!(view.part, Part::Segment(_)))
}

pub(super) fn in_memory(snapshot: &Snapshot) -> impl Iterator<Item = &PartView> {
    snapshot.parts.iter().filter(|view| matches!(view.part, Part::Memory(_)))
}

/// Returns the rows in memory that queries scan by their signs and that have none yet.
pub(super) fn young(snapshot: &Snapshot) -> impl Iterator<Item = &PartView> {
    in_memory(snapshot).filter(|view| view.part.len() >= SIGN_ROWS_MIN && view.part.lacks_signs())
}

fn rows_in_memory(snapshot: &Snapshot) -> usize {
    in_memory(snapshot).map(|view| view.part.len()).sum()
}

/// Returns whether the rows in memory, or a log of deletes, should go to a segment.
pub(super) fn seal_is_due(published: &Snapshot, log_bytes: u64, seal_bytes: u64) -> bool {
    rows_in_memory(published) >= SEAL_ROWS
        || published.memory_bytes() >= SEAL_BYTES.min(seal_bytes)
        || log_bytes >= LOG_BYTES_MAX
}

/// Returns whether so many rows in memory have expired that the log should be dropped, and the rest go to a segment.
pub(super) fn has_expired_rows_due(published: &Snapshot, now: u64) -> bool {
    let expiring = || in_memory(published).filter(|view| view.part.has_expiry());
    let expired: usize = expiring().map(|view| view.live() - view.kept_rows(now).count()).sum();
    expired > 0 && expired as f64 >= rows_in_memory(published) as f64 * EXPIRED_SHARE
}

/// Returns whether the rows in memory should go to a segment once nothing is written any more, for a graph to be made.
pub(super) fn seals_when_idle(published: &Snapshot, graphs: Graphs) -> bool {
    rows_in_memory(published) > graphs.rows_min
}

/// Returns whether a segment should have a graph and has none. A merge of that segment alone must give it one.
pub(super) fn lacks_graph(view: &PartView, graphs: Graphs) -> bool {
    let can_have = view.live() > graphs.rows_min && view.live() <= graphs.rows_max;
    can_have && !view.needs_no_graph()
}

/// Returns whether a segment has so many dead rows that it should be written again.
pub(super) fn has_dead_rows_due(published: &Snapshot) -> bool {
    segments(published).any(|view| is_wasteful(view, view.marks.dead.len()))
}

fn is_wasteful(view: &PartView, wasted: usize) -> bool {
    wasted as f64 > view.part.len() as f64 * DEAD_SHARE
}

/// What to merge.
pub(super) enum Due {
    Now(Vec<PartView>),
    /// Something, when nothing was written for this long.
    WhenIdle(Duration),
    Nothing,
}

/// Returns the segments to merge next, when nothing was written for `idle`: one with many dead or expired rows, several
/// of about the same size, or, in a pause, what is not settled.
pub(super) fn due_for_merge(
    published: &Snapshot,
    seal_bytes: u64,
    graphs: Graphs,
    now: u64,
    idle: Duration,
) -> Due {
    let kept =
        |view: &&PartView| if view.part.has_expiry() { view.kept_rows(now).count() } else { view.live() };
    // Segments with nothing left cost nothing to drop: all of them at once.
    let empty: Vec<PartView> = segments(published).filter(|view| kept(view) == 0).cloned().collect();
    if !empty.is_empty() {
        return Due::Now(empty);
    }
    if let Some(view) = segments(published).find(|view| is_wasteful(view, view.part.len() - kept(view))) {
        return Due::Now(vec![view.clone()]);
    }
    let views: Vec<&PartView> = segments(published).collect();
    let sizes: Vec<Size> = views.iter().map(|view| Size::of(view, seal_bytes, graphs)).collect();
    let chosen = |numbers: Vec<usize>| Due::Now(numbers.into_iter().map(|n| views[n].clone()).collect());
    if let Some(numbers) = full_tier(&sizes, graphs.rows_max) {
        return chosen(numbers);
    }
    let unsettled = unsettled(&sizes, graphs.rows_max);
    let earliest = unsettled.iter().map(|&(pause, _)| pause).min();
    match unsettled.into_iter().find(|&(pause, _)| pause <= idle) {
        Some((_, numbers)) => chosen(numbers),
        None => earliest.map_or(Due::Nothing, Due::WhenIdle),
    }
}

/// What the choice of segments goes by.
#[derive(Clone, Copy, Debug)]
struct Size {
    live: usize,
    tier: u32,
    lacks_graph: bool,
}

impl Size {
    fn of(view: &PartView, seal_bytes: u64, graphs: Graphs) -> Self {
        let bytes = match &view.part {
            Part::Segment(segment) => segment.file_bytes(),
            Part::Memory(_) => 0,
        };
        let row_bytes = bytes / view.part.len().max(1) as u64;
        let sealed_at_once = (row_bytes * SEAL_ROWS as u64).min(SEAL_BYTES.min(seal_bytes));
        let tier = tier(row_bytes * view.live() as u64, sealed_at_once);
        Self { live: view.live(), tier, lacks_graph: lacks_graph(view, graphs) }
    }
}

/// Returns how many times fourfold the live bytes of a segment exceed what is sealed at once.
fn tier(bytes: u64, sealed_at_once: u64) -> u32 {
    (bytes / sealed_at_once.max(1)).max(1).ilog(TIER_RATIO)
}

/// Returns the segments of the smallest tier that has many: all of them, or the smallest if together they have too many rows.
fn full_tier(sizes: &[Size], rows_max: usize) -> Option<Vec<usize>> {
    let mut tiers: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (number, size) in sizes.iter().enumerate() {
        tiers.entry(size.tier).or_default().push(number);
    }
    let full = tiers.into_values().filter(|numbers| numbers.len() >= TIER_SEGMENTS);
    full.map(|numbers| fitting(numbers, sizes, rows_max)).find(|numbers| numbers.len() > 1)
}

/// Returns the smallest of some segments that have no more than `rows_max` rows together.
fn fitting(mut numbers: Vec<usize>, sizes: &[Size], rows_max: usize) -> Vec<usize> {
    numbers.sort_by_key(|&number| sizes[number].live);
    let mut rows = 0;
    let fit = numbers.iter().take_while(|&&number| {
        rows += sizes[number].live;
        rows <= rows_max
    });
    let count = fit.count();
    numbers.truncate(count);
    numbers
}

/// Cuts segments into groups that have no more than `rows_max` rows each, smaller ones together; a segment of more is alone.
pub(super) fn groups(mut views: Vec<PartView>, rows_max: usize) -> Vec<Vec<PartView>> {
    views.sort_by_key(PartView::live);
    let mut groups: Vec<Vec<PartView>> = Vec::new();
    let mut rows = 0;
    for view in views {
        rows += view.live();
        match groups.last_mut() {
            Some(group) if rows <= rows_max => group.push(view),
            _ => {
                rows = view.live();
                groups.push(vec![view]);
            }
        }
    }
    groups
}

/// Returns what to merge in a pause, the best first, each with how long the pause must have been.
fn unsettled(sizes: &[Size], rows_max: usize) -> Vec<(Duration, Vec<usize>)> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&number| sizes[number].live);
    let largest = order.last().map_or(0, |&number| sizes[number].live);
    let (mut balanced, mut small) = (0, None);
    let mut before = 0;
    for (n, &number) in order.iter().enumerate() {
        let live = sizes[number].live;
        if n > 0 && before + live <= rows_max {
            if live <= SETTLED_RATIO * before {
                balanced = n + 1;
            }
            if live < SMALL_ROWS.max(largest / SMALL_SHARE) {
                small = Some((n + 1, u32::try_from(live / before.max(1)).unwrap_or(u32::MAX).max(1)));
            }
        }
        before += live;
    }
    let mut found = Vec::new();
    if let Some((count, ratio)) = small.filter(|&(count, _)| count > balanced) {
        found.push((IDLE.saturating_mul(ratio), order[..count].to_vec()));
    }
    if balanced > 0 {
        found.push((IDLE, order[..balanced].to_vec()));
    }
    found.extend(order.iter().find(|&&number| sizes[number].lacks_graph).map(|&number| (IDLE, vec![number])));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW_BYTES: u64 = 2_000;

    fn size(live: usize) -> Size {
        let tier = tier(live as u64 * ROW_BYTES, SEAL_ROWS as u64 * ROW_BYTES);
        Size { live, tier, lacks_graph: false }
    }

    /// Segments and how often their rows were rewritten in all.
    #[derive(Default)]
    struct Simulation {
        sizes: Vec<Size>,
        rewritten: usize,
    }

    impl Simulation {
        fn merge(&mut self, numbers: &[usize]) {
            let rows = numbers.iter().map(|&number| self.sizes[number].live).sum();
            let mut number = 0;
            self.sizes.retain(|_| {
                number += 1;
                !numbers.contains(&(number - 1))
            });
            self.sizes.push(size(rows));
            self.rewritten += rows;
        }

        fn load(&mut self, rows: usize, sealed: usize) {
            for _ in 0..rows / sealed {
                self.sizes.push(size(sealed));
                while let Some(numbers) = full_tier(&self.sizes, MERGED_ROWS_MAX) {
                    self.merge(&numbers);
                }
            }
        }

        fn pause(&mut self, idle: Duration) {
            while let Some((_, numbers)) =
                unsettled(&self.sizes, MERGED_ROWS_MAX).into_iter().find(|&(pause, _)| pause <= idle)
            {
                self.merge(&numbers);
            }
        }
    }

    #[test]
    fn a_load_of_a_million_rows_rewrites_each_less_than_three_times_and_settles_in_one_segment() {
        for sealed in [16_384, 17_000, 20_000, 30_000, 60_000] {
            let mut simulation = Simulation::default();
            simulation.load(1_000_000, sealed);
            assert!(simulation.rewritten < 2_100_000, "{sealed}: {}", simulation.rewritten);
            simulation.pause(IDLE);
            assert!(simulation.rewritten < 3_000_000, "{sealed}: {}", simulation.rewritten);
            assert!(simulation.sizes.len() <= 2, "{sealed}: {:?}", simulation.sizes);
        }
    }

    #[test]
    fn pauses_between_batches_do_not_make_rows_be_rewritten_again_and_again() {
        let mut simulation = Simulation::default();
        for _ in 0..200 {
            simulation.load(5_000, 5_000);
            simulation.pause(IDLE);
        }
        assert!(simulation.rewritten < 8_000_000, "{}", simulation.rewritten);
        assert!(simulation.sizes.len() <= 8, "{:?}", simulation.sizes);
    }

    #[test]
    fn small_segments_are_merged_after_a_longer_pause_and_large_ones_left_alone() {
        let sizes = [1_000_000, 50_000, 1_000].map(size).to_vec();
        let mut simulation = Simulation { sizes, rewritten: 0 };
        simulation.pause(IDLE);
        assert_eq!(simulation.sizes.len(), 3);
        simulation.pause(IDLE * 60);
        let mut live: Vec<usize> = simulation.sizes.iter().map(|size| size.live).collect();
        live.sort_unstable();
        assert_eq!(live, [51_000, 1_000_000]);
        simulation.pause(IDLE * 3_600);
        assert_eq!(simulation.sizes.len(), 2);
    }

    #[test]
    fn no_merge_has_more_rows_than_fit() {
        let mut sizes: Vec<Size> = [16_384; 5].map(size).to_vec();
        assert_eq!(full_tier(&sizes, 20_000), None);
        assert_eq!(full_tier(&sizes, 50_000).map(|numbers| numbers.len()), Some(3));
        sizes.truncate(3);
        assert_eq!(unsettled(&sizes, 20_000), []);
        assert_eq!(unsettled(&sizes, 40_000)[0].1.len(), 2);
    }

    #[test]
    fn a_segment_without_a_graph_is_rewritten_by_itself_if_it_is_not_merged() {
        let mut sizes = [600_000, 16_384].map(size);
        assert!(unsettled(&sizes, MERGED_ROWS_MAX).is_empty());
        sizes[1].lacks_graph = true;
        assert_eq!(unsettled(&sizes, MERGED_ROWS_MAX), [(IDLE, vec![1])]);
        sizes[0].live = 20_000;
        assert_eq!(unsettled(&sizes, MERGED_ROWS_MAX)[0], (IDLE, vec![1, 0]));
    }
}
