//! Floats in an order of all of them.

use std::cmp::Ordering;

/// A float that orders as [`f32::total_cmp`] has it: heaps and sorts need an order of all values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Total(pub(crate) f32);

impl Ord for Total {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Total {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Total {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Total {}
