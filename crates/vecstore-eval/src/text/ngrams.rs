//! Bags of n-grams.

use std::collections::HashMap;
use std::hash::Hash;

/// Counts the runs of `n` items.
pub(super) fn count<T: Eq + Hash>(items: &[T], n: usize) -> HashMap<&[T], usize> {
    let mut counts = HashMap::new();
    for gram in items.windows(n.max(1)) {
        *counts.entry(gram).or_insert(0) += 1;
    }
    counts
}

/// Returns the size of the intersection of two bags.
pub(super) fn shared<T: Eq + Hash>(a: &HashMap<&[T], usize>, b: &HashMap<&[T], usize>) -> usize {
    a.iter().map(|(gram, &count)| count.min(b.get(gram).copied().unwrap_or(0))).sum()
}
