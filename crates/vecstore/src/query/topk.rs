//! The best k of what has been seen, ties broken by id.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A candidate. Orders by key, then by id, so that the largest is the worst.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) key: f32,
    pub(crate) id: &'a str,
    pub(crate) part: u32,
    pub(crate) row: u32,
}

impl Ord for Candidate<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        // -0.0 and 0.0 are the same distance, which total_cmp alone would tell apart.
        (self.key + 0.0).total_cmp(&(other.key + 0.0)).then_with(|| self.id.cmp(other.id))
    }
}

impl PartialOrd for Candidate<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate<'_> {}

/// Candidates that there is room for from the start; who asks for more may get far fewer.
const RESERVED_MAX: usize = 256;

/// Keeps the best `k` candidates offered to it.
#[derive(Debug)]
pub(crate) struct TopK<'a> {
    k: usize,
    heap: BinaryHeap<Candidate<'a>>,
}

impl<'a> TopK<'a> {
    pub(crate) fn new(k: usize) -> Self {
        Self { k, heap: BinaryHeap::with_capacity(k.min(RESERVED_MAX)) }
    }

    /// Returns the largest key that may still be among the best; a candidate above it need not be offered.
    pub(crate) fn limit(&self) -> f32 {
        if self.heap.len() < self.k {
            f32::INFINITY
        } else {
            self.heap.peek().map_or(f32::INFINITY, |worst| worst.key)
        }
    }

    pub(crate) fn offer(&mut self, candidate: Candidate<'a>) {
        if self.heap.len() < self.k {
            self.heap.push(candidate);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && candidate < *worst
        {
            *worst = candidate;
        }
    }

    pub(crate) fn merge(mut self, other: Self) -> Self {
        other.heap.into_iter().for_each(|candidate| self.offer(candidate));
        self
    }

    /// Returns the candidates, best first.
    pub(crate) fn into_sorted(self) -> Vec<Candidate<'a>> {
        self.heap.into_sorted_vec()
    }
}
