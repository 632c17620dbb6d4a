//! The tokens of a model, and byte-pair encoding with them.
//!
//! The files `*.vocabulary` hold the tokens in the order of their ranks: a byte of length, then the bytes. They were
//! written from the tables in `bpe-openai` 0.3.2, whose own form takes 47 MB of a binary; these take 2.3.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Up to this length, pairs are looked for by scanning; beyond, a heap keeps the order.
const SCANNED_BYTES: usize = 64;
const NO_RANK: u32 = u32::MAX;

/// Tokens by their bytes, and in the order they are merged in.
pub(crate) struct Vocabulary {
    bytes: &'static [u8],
    /// Where the token of each rank starts in `bytes`; its length is the byte before.
    starts: Vec<u32>,
    /// Open addressing: a rank, or `NO_RANK`.
    table: Vec<u32>,
    /// Ranks of tokens of two bytes, which are asked for most.
    pairs: Vec<u32>,
    longest: usize,
}

impl Vocabulary {
    pub(crate) fn new(bytes: &'static [u8]) -> Self {
        let mut starts = Vec::new();
        let mut at = 0;
        while let Some(&length) = bytes.get(at) {
            starts.push(u32::try_from(at + 1).unwrap_or(NO_RANK));
            at += 1 + usize::from(length);
        }
        let mut vocabulary = Self {
            bytes,
            table: vec![NO_RANK; (starts.len() * 2).next_power_of_two()],
            starts,
            pairs: vec![NO_RANK; 1 << 16],
            longest: 0,
        };
        for rank in 0..u32::try_from(vocabulary.starts.len()).unwrap_or(NO_RANK) {
            vocabulary.insert(rank);
        }
        vocabulary
    }

    /// Returns the length of the longest token.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// Returns whether the bytes are one token.
    pub(crate) fn is_token(&self, bytes: &[u8]) -> bool {
        self.rank(bytes) != NO_RANK
    }

    /// Calls `end` with where each token of `bytes` ends, in order.
    pub(crate) fn encode(&self, bytes: &[u8], mut end: impl FnMut(usize)) {
        if bytes.len() <= 1 || self.is_token(bytes) {
            if !bytes.is_empty() {
                end(bytes.len());
            }
        } else if bytes.len() <= SCANNED_BYTES {
            self.encode_short(bytes, end);
        } else {
            self.encode_long(bytes, end);
        }
    }

    /// Merges the pair of the least rank, the first of them, until there is none.
    fn encode_short(&self, bytes: &[u8], mut end: impl FnMut(usize)) {
        // Each part's start, and the rank of it together with the next part.
        let mut parts = [(0_usize, NO_RANK); SCANNED_BYTES + 1];
        let mut count = bytes.len();
        for (at, part) in parts.iter_mut().enumerate().take(count + 1) {
            *part = (at, bytes.get(at..at + 2).map_or(NO_RANK, |pair| self.rank(pair)));
        }
        loop {
            let mut best = (NO_RANK, 0);
            for (at, &(_, rank)) in parts[..count].iter().enumerate() {
                if rank < best.0 {
                    best = (rank, at);
                }
            }
            let (rank, at) = best;
            if rank == NO_RANK {
                break;
            }
            parts.copy_within(at + 2..count + 1, at + 1);
            count -= 1;
            let joined = |first: usize| {
                if first + 2 > count {
                    NO_RANK
                } else {
                    self.rank(&bytes[parts[first].0..parts[first + 2].0])
                }
            };
            let after = joined(at);
            let before = at.checked_sub(1).map(joined);
            parts[at].1 = after;
            if let Some(rank) = before {
                parts[at - 1].1 = rank;
            }
        }
        for part in &parts[1..=count] {
            end(part.0);
        }
    }

    /// As [`encode_short`](Self::encode_short), in `O(n log n)`.
    fn encode_long(&self, bytes: &[u8], mut end: impl FnMut(usize)) {
        let length = bytes.len();
        // For the start of a part: where the next one starts, where the previous one does; 0 length marks merged parts.
        let mut next: Vec<usize> = (1..=length).collect();
        let mut previous: Vec<usize> = (0..length).map(|at| at.wrapping_sub(1)).collect();
        let mut alive = vec![true; length];
        let mut heap: BinaryHeap<_> = (0..length - 1)
            .filter_map(|at| {
                let rank = self.rank(&bytes[at..at + 2]);
                (rank != NO_RANK).then_some(Reverse((rank, at, at + 2)))
            })
            .collect();
        while let Some(Reverse((_, at, stop))) = heap.pop() {
            // Stale entries: a part that is gone, or a pair that has grown since.
            if !alive[at] || next[at] >= length || next[next[at]] != stop {
                continue;
            }
            let middle = next[at];
            alive[middle] = false;
            next[at] = stop;
            if stop < length {
                previous[stop] = at;
                self.offer(bytes, at, next[stop], &mut heap);
            }
            let before = previous[at];
            if before < length {
                self.offer(bytes, before, stop, &mut heap);
            }
        }
        let mut at = 0;
        while at < length {
            at = next[at];
            end(at);
        }
    }

    fn offer(
        &self,
        bytes: &[u8],
        start: usize,
        stop: usize,
        heap: &mut BinaryHeap<Reverse<(u32, usize, usize)>>,
    ) {
        let rank = self.rank(&bytes[start..stop]);
        if rank != NO_RANK {
            heap.push(Reverse((rank, start, stop)));
        }
    }

    fn insert(&mut self, rank: u32) {
        let bytes = self.token(rank);
        self.longest = self.longest.max(bytes.len());
        if let [first, second] = *bytes {
            self.pairs[pair_index(first, second)] = rank;
        }
        let mask = self.table.len() - 1;
        let mut slot = hash(bytes) & mask;
        while self.table[slot] != NO_RANK {
            slot = (slot + 1) & mask;
        }
        self.table[slot] = rank;
    }

    fn rank(&self, bytes: &[u8]) -> u32 {
        if let [first, second] = *bytes {
            return self.pairs[pair_index(first, second)];
        }
        if bytes.len() > self.longest {
            return NO_RANK;
        }
        let mask = self.table.len() - 1;
        let mut slot = hash(bytes) & mask;
        loop {
            let rank = self.table[slot];
            if rank == NO_RANK || self.token(rank) == bytes {
                return rank;
            }
            slot = (slot + 1) & mask;
        }
    }

    fn token(&self, rank: u32) -> &'static [u8] {
        let start = self.starts[rank as usize] as usize;
        &self.bytes[start..start + usize::from(self.bytes[start - 1])]
    }
}

fn pair_index(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

fn hash(bytes: &[u8]) -> usize {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(FACTOR).rotate_left(29);
    let mut words = bytes.chunks_exact(8);
    let mut hash = bytes.len() as u64;
    for word in &mut words {
        hash = mix(hash, word.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)));
    }
    hash = mix(hash, words.remainder().iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)));
    (hash ^ hash >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::super::Encoding;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_ways_of_merging_agree(text in "[a-e \u{e9}\u{4e2d}]{2,60}") {
            for encoding in [Encoding::Cl100k, Encoding::O200k] {
                let vocabulary = encoding.vocabulary();
                let (mut short, mut long) = (Vec::new(), Vec::new());
                prop_assume!(text.len() <= super::SCANNED_BYTES);
                vocabulary.encode_short(text.as_bytes(), |end| short.push(end));
                vocabulary.encode_long(text.as_bytes(), |end| long.push(end));
                prop_assert_eq!(&short, &long);
                prop_assert_eq!(short.last(), Some(&text.len()));
            }
        }
    }
}
