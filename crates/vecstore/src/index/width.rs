//! How many points a walk goes by.
//!
//! A bound on the distance alone lets a walk where rows lie densely visit thousands that are hardly farther than the last
//! result. So it also ends when the nearest candidate is farther than the nearest few that were visited: the `ef` of HNSW
//! (Malkov and Yashunin, 2018), as a second bound, of which most walks are done before they come to it. At 250k
//! embeddings the visits for a recall of .995 fall from 245 to 161, and those of one walk in a hundred from 2,800 to 490.

use std::collections::BinaryHeap;

/// The width for a slack of 0.
const WIDTH: f32 = 30.0;

/// How the width grows with the slack: a walk that may look further also has more to go by. Of 4, 5, 6 and 8 the one with
/// which 62k, 250k and 1M embeddings took the fewest visits from a recall of .99 on.
const GROWTH: f32 = 6.0;

/// Returns the width of a walk for `k` results with a slack.
pub(crate) fn width(slack: f32, k: usize) -> usize {
    /// The `k` that the constants are for.
    const K: f32 = 10.0;
    let width = WIDTH * (GROWTH * slack.min(1.0)).exp() * (k as f32 / K).max(1.0);
    (width as usize).max(k)
}

/// The distances of the nearest points that a walk has visited.
#[derive(Debug, Default)]
pub(super) struct Nearest {
    /// As the bits of floats that are not negative, which order as they do; the largest first.
    nearest: BinaryHeap<u32>,
    width: usize,
}

impl Nearest {
    /// Begins a walk that goes by `width` points, at least one.
    pub(super) fn begin(&mut self, width: usize) {
        self.nearest.clear();
        self.width = width;
    }

    /// Takes note of the distance of a point that was visited.
    #[inline]
    pub(super) fn note(&mut self, distance: f32) {
        let distance = distance.max(0.0).to_bits();
        if self.nearest.len() < self.width {
            self.nearest.push(distance);
        } else if let Some(mut farthest) = self.nearest.peek_mut()
            && distance < *farthest
        {
            *farthest = distance;
        }
    }

    /// Returns the distance from which on nothing is visited any more.
    #[inline]
    pub(super) fn bound(&self) -> f32 {
        match self.nearest.peek() {
            Some(&farthest) if self.nearest.len() >= self.width => f32::from_bits(farthest),
            _ => f32::INFINITY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_the_distance_of_the_last_within_the_width() {
        let mut nearest = Nearest::default();
        for _ in 0..2 {
            nearest.begin(3);
            let mut seen = Vec::new();
            for distance in [5.0, 0.0, 9.0, 2.0, 7.0, 2.0, -0.0, f32::INFINITY, 1.0] {
                nearest.note(distance);
                seen.push(distance);
                seen.sort_by(f32::total_cmp);
                assert_eq!(nearest.bound(), seen.get(2).copied().unwrap_or(f32::INFINITY));
            }
        }
    }

    #[test]
    fn the_width_grows_with_the_slack_and_with_k_and_holds_k() {
        assert_eq!(width(0.0, 10), 30);
        assert!(width(0.1, 10) > 50 && width(0.1, 10) < 60);
        assert_eq!(width(0.0, 100), 300);
        assert_eq!(width(-10.0, 7), 7);
        assert!(width(crate::index::SCAN, 10) > 10_000);
    }
}
