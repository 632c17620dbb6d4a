//! Which points a search has met.

/// One bit a point, and the list of those set, so that forgetting costs no more than what was met.
#[derive(Debug, Default)]
pub(super) struct Visited {
    bits: Vec<u64>,
    met: Vec<u32>,
}

impl Visited {
    /// Makes room for points below `count`.
    pub(super) fn reserve(&mut self, count: usize) {
        self.bits.resize(self.bits.len().max(count.div_ceil(64)), 0);
    }

    /// Marks a point. Returns whether it was not yet.
    #[inline]
    pub(super) fn add(&mut self, point: u32) -> bool {
        let word = &mut self.bits[point as usize / 64];
        let bit = 1 << (point % 64);
        let is_new = *word & bit == 0;
        if is_new {
            *word |= bit;
            self.met.push(point);
        }
        is_new
    }

    /// Returns whether a point is marked. One that there is no room for is not.
    #[inline]
    pub(super) fn contains(&self, point: u32) -> bool {
        self.bits.get(point as usize / 64).is_some_and(|word| word >> (point % 64) & 1 == 1)
    }

    /// Forgets all points.
    pub(super) fn clear(&mut self) {
        for point in self.met.drain(..) {
            self.bits[point as usize / 64] = 0;
        }
    }
}
