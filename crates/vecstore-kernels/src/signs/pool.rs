//! The candidates of a search.

use super::SIGN_ROWS;
use crate::aligned::Aligned;
use crate::nearest::{key_of, value_of};

/// Places that kernels may write to beyond what they add.
const SLACK: usize = 2 * SIGN_ROWS;

/// Places that the first candidate makes.
const FIRST_PLACES: usize = 1024;

/// Candidates of a search: estimated squared distances and ids, in no order.
///
/// Kept unordered, since adding one is then a store, and finding the nearest of some hundreds takes a few
/// instructions for each sixteen. Distances are not NaN.
#[derive(Clone, Debug, Default)]
pub struct CandidatePool {
    /// Distances as integers of the same order (see [`nearest`](crate::nearest)).
    pub(super) keys: Aligned<i32, 16>,
    pub(super) ids: Aligned<u32, 16>,
    pub(super) len: usize,
}

impl CandidatePool {
    /// Removes all candidates.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Returns how many candidates there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a candidate.
    #[inline]
    pub fn push(&mut self, distance: f32, id: u32) {
        self.reserve();
        self.keys[self.len] = key_of(distance);
        self.ids[self.len] = id;
        self.len += 1;
    }

    /// Returns the candidates' distances and ids.
    pub fn entries(&self) -> impl Iterator<Item = (f32, u32)> + '_ {
        self.keys().iter().map(|&key| value_of(key)).zip(self.ids[..self.len].iter().copied())
    }

    /// The body of [`Kernels::retain_below`](crate::Kernels::retain_below).
    #[inline]
    pub(crate) fn retain_below(
        &mut self,
        bound: f32,
        retain: impl FnOnce(&mut [i32], &mut [u32], i32) -> usize,
    ) {
        // Both zeros have one value and two keys; a bound of NaN keeps nothing.
        let bound = if bound.is_nan() { i32::MIN } else { key_of(if bound == 0.0 { -0.0 } else { bound }) };
        let len = self.len;
        self.len = retain(&mut self.keys[..len], &mut self.ids[..len], bound);
    }

    /// Removes those of the candidates from the `start`th on whose id is one that `is_removed` names.
    pub fn remove_from(&mut self, start: usize, is_removed: impl Fn(u32) -> bool) {
        let mut kept = start;
        for at in start..self.len {
            if !is_removed(self.ids[at]) {
                (self.keys[kept], self.ids[kept]) = (self.keys[at], self.ids[at]);
                kept += 1;
            }
        }
        self.len = kept;
    }

    /// Makes those of the candidates from the `start`th on whose id is one that `is_put_back` names as much farther as `share` of
    /// their distance.
    pub fn put_back_from(&mut self, start: usize, share: f32, mut is_put_back: impl FnMut(u32) -> bool) {
        let candidates = self.keys[..self.len].iter_mut().zip(&self.ids[..self.len]).skip(start);
        for (key, &id) in candidates {
            if is_put_back(id) {
                let distance = value_of(*key);
                *key = key_of(distance + share * distance.abs());
            }
        }
    }

    /// Moves all but the `kept` nearest to another pool. Returns the least distance of those moved.
    ///
    /// Of candidates at the same distance more may be moved than asked for.
    ///
    /// # Panics
    ///
    /// Panics unless there are more than `kept`.
    pub fn move_farther(&mut self, kept: usize, to: &mut Self) -> f32 {
        let mut keys = self.keys().to_vec();
        let (_, &mut pivot, _) = keys.select_nth_unstable(kept);
        let mut stay = 0;
        for at in 0..self.len {
            let (key, id) = (self.keys[at], self.ids[at]);
            if key < pivot {
                (self.keys[stay], self.ids[stay]) = (key, id);
                stay += 1;
            } else {
                to.push(value_of(key), id);
            }
        }
        self.len = stay;
        value_of(pivot)
    }

    /// Makes room for a block and the kernels' slack.
    #[inline]
    pub(crate) fn reserve(&mut self) {
        if self.keys.len() < self.len + SIGN_ROWS + SLACK {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        let len = (2 * self.keys.len()).max(FIRST_PLACES);
        self.keys.resize(len, i32::MAX);
        self.ids.resize(len, 0);
    }

    #[inline]
    pub(crate) fn keys(&self) -> &[i32] {
        &self.keys[..self.len]
    }

    /// Returns the distance of the candidate at a place.
    #[inline]
    pub(crate) fn distance(&self, at: usize) -> f32 {
        value_of(self.keys[at])
    }

    #[inline]
    pub(crate) fn take(&mut self, at: usize) -> (f32, u32) {
        let (keys, ids) = (&mut self.keys[..self.len], &mut self.ids[..self.len]);
        let taken = (value_of(keys[at]), ids[at]);
        self.len -= 1;
        keys[at] = keys[self.len];
        ids[at] = ids[self.len];
        taken
    }
}
