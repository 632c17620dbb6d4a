//! A walk along one list, block by block.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::bound::{self, most};
use super::reader::{Lengths, List, Place};
use super::{BLOCK_ROWS, HEAD_WORDS, packing};
use crate::error::{Error, Result};
use crate::total::Total;

/// What a row's count or weight is worth to a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Weight {
    /// `weight * count / (count + base + slope * length)`: BM25.
    Text { weight: f32, base: f32, slope: f32 },
    /// `weight * value`: a term of a dot product.
    Sparse { weight: f32 },
    /// Nothing: what counts is which rows there are.
    Nothing,
}

/// A block, in the order of the most that a row of it can add; of equals the earlier is the larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bounded {
    pub(super) most: Total,
    pub(super) block: Reverse<usize>,
}

/// A list that is being walked for a query. It never goes back.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    words: &'a [u32],
    lengths: Lengths<'a>,
    weight: Weight,
    /// Rows of the list.
    pub(super) count: u32,
    blocks: usize,
    /// The block the walk is at; `blocks` at the end.
    block: usize,
    /// Before it no row of the current block is asked for any more.
    position: usize,
    /// The block whose rows are decoded, and whether their scores are.
    decoded: usize,
    is_scored: bool,
    len: usize,
    rows: Box<[u32; BLOCK_ROWS]>,
    scores: Box<[f32; BLOCK_ROWS]>,
    /// The most that any row of the list can add.
    pub(super) most: f32,
    /// No row has less for being in the list.
    only_adds: bool,
    /// The block whose bound was computed last, and that bound.
    bounded: (usize, f32),
}

/// Of how many blocks the bounds are looked at, before that of the whole list has to do.
const BOUNDS: usize = 8;

const NONE: usize = usize::MAX;

/// Returns what a sum in 64 bits must have at least to be `least` in 32, or a little less.
pub(super) fn least_sum(least: f32) -> f64 {
    f64::from(least.next_down())
}

/// A row is looked for among the last rows of runs of so many first, and then in its run: two steps, where halving takes seven.
const RUN: usize = 16;
const RUNS: usize = BLOCK_ROWS / RUN;

impl<'a> Cursor<'a> {
    pub(crate) fn new(list: &List<'a>, lengths: Lengths<'a>, weight: Weight) -> Result<Self> {
        let mut cursor = Self {
            words: &[],
            lengths,
            weight,
            count: list.rows,
            blocks: 1,
            block: 0,
            position: 0,
            decoded: NONE,
            is_scored: false,
            len: 0,
            rows: Box::new([u32::MAX; BLOCK_ROWS]),
            scores: Box::new([0.0; BLOCK_ROWS]),
            most: most(list.bound, &weight),
            only_adds: bound::only_adds(list.bound, &weight),
            bounded: (NONE, 0.0),
        };
        match list.place {
            Place::One { row, value } => {
                (cursor.decoded, cursor.is_scored, cursor.len) = (0, true, 1);
                cursor.rows[0] = row;
                cursor.scores[0] = cursor.score(row, value);
                cursor.most = cursor.scores[0].max(0.0);
                cursor.bounded = (0, cursor.most);
            }
            Place::Words(words) => {
                cursor.words = words;
                cursor.blocks = (list.rows as usize).div_ceil(BLOCK_ROWS);
                if words.len() < cursor.blocks * HEAD_WORDS {
                    return Err(malformed());
                }
            }
        }
        Ok(cursor)
    }

    /// Returns whether no row has less for being in the list.
    pub(super) fn only_adds(&self) -> bool {
        self.only_adds
    }

    fn score(&self, row: u32, value: u32) -> f32 {
        match self.weight {
            Weight::Text { weight, base, slope } => {
                let count = value as f32;
                weight * (count / (count + (base + slope * self.lengths.get(row) as f32)))
            }
            Weight::Sparse { weight } => weight * f32::from_bits(value),
            Weight::Nothing => 0.0,
        }
    }

    /// Returns how many rows of the decoded block are before `row`.
    #[inline(always)]
    fn rank(&self, row: u32) -> usize {
        let runs = (0..RUNS).map(|run| usize::from(self.rows[run * RUN + RUN - 1] < row)).sum::<usize>();
        let Some(run) = self.rows[..].as_chunks::<RUN>().0.get(runs) else { return BLOCK_ROWS };
        runs * RUN + run.iter().map(|&other| u32::from(other < row)).sum::<u32>() as usize
    }

    /// Returns the last row of a block.
    #[inline]
    fn last_row(&self, block: usize) -> u32 {
        match self.words.get(block * HEAD_WORDS) {
            Some(&row) => row,
            None => self.rows[0],
        }
    }

    /// Returns the first row that a block may have.
    fn first_row(&self, block: usize) -> u32 {
        if block == 0 { 0 } else { self.last_row(block - 1).saturating_add(1) }
    }

    /// Returns the most that a row of a block can add.
    fn block_most(&mut self, block: usize) -> f32 {
        if self.bounded.0 != block {
            let head = block * HEAD_WORDS;
            self.bounded = (block, most([self.words[head + 2], self.words[head + 3]], &self.weight));
        }
        self.bounded.1
    }

    /// Returns the last row of the next `ahead` blocks, `None` at the end.
    pub(super) fn reach(&self, ahead: usize) -> Option<u32> {
        (self.block < self.blocks).then(|| self.last_row((self.block + ahead).min(self.blocks) - 1))
    }

    /// Returns a row that is not after the next one, `None` at the end.
    pub(super) fn next_row(&self) -> Option<u32> {
        if self.block >= self.blocks {
            return None;
        }
        if self.decoded == self.block {
            return self.rows[..self.len].get(self.position).copied();
        }
        Some(self.first_row(self.block))
    }

    /// Moves so that no row before `row` is met any more, without decoding.
    pub(super) fn skip_to(&mut self, row: u32) {
        self.move_to_block_of(row);
        if self.decoded == self.block {
            self.position = self.position.max(self.rank(row));
            if self.position >= self.len {
                self.block += 1;
                self.position = 0;
            }
        }
    }

    /// Returns the most that a row in `start..end` can add.
    pub(super) fn most_within(&mut self, start: u32, end: u32) -> f32 {
        self.skip_to(start);
        let mut most = 0.0f32;
        for block in self.block..self.blocks.min(self.block + BOUNDS) {
            if self.first_row(block) >= end {
                return most;
            }
            most = most.max(self.block_most(block));
        }
        let next = self.block + BOUNDS;
        if next < self.blocks && self.first_row(next) < end { self.most } else { most }
    }

    #[inline]
    fn decode(&mut self) -> Result<()> {
        if self.decoded == self.block { Ok(()) } else { self.decode_block() }
    }

    fn decode_block(&mut self) -> Result<()> {
        let (block, count) = (self.block, self.count as usize);
        self.len = BLOCK_ROWS.min(count - block * BLOCK_ROWS);
        let data = self.words.get(self.words[block * HEAD_WORDS + 1] as usize..).ok_or_else(malformed)?;
        let (&bits, data) = data.split_first().ok_or_else(malformed)?;
        let before = if block == 0 { u32::MAX } else { self.last_row(block - 1) };
        if !packing::unpack_rows(data, bits & 0xFF, self.len, before, &mut self.rows) {
            return Err(malformed());
        }
        self.rows[self.len..].fill(u32::MAX);
        if self.rows[self.len - 1] != self.last_row(block) {
            return Err(malformed());
        }
        self.decoded = block;
        self.is_scored = false;
        self.position = 0;
        Ok(())
    }

    /// Returns the counts or weights of the decoded block, and the bits of a count.
    fn values(&self) -> Result<(&'a [u32], u32)> {
        let start = self.words[self.block * HEAD_WORDS + 1] as usize;
        let data = self.words.get(start..).ok_or_else(malformed)?;
        let (&bits, data) = data.split_first().ok_or_else(malformed)?;
        let data = data.get(packing::words_of(self.len, bits & 0xFF)..).ok_or_else(malformed)?;
        Ok((data, bits >> 8 & 0xFF))
    }

    /// Returns what one row of the decoded block adds.
    fn score_at(&self, at: usize) -> Result<f32> {
        if self.is_scored || self.weight == Weight::Nothing {
            return Ok(self.scores[at]);
        }
        let (data, bits) = self.values()?;
        let value = match self.weight {
            Weight::Text { .. } => packing::get(data, bits, self.len, at).map(|count| count.wrapping_add(1)),
            _ => data.get(at).copied(),
        };
        value.map(|value| self.score(self.rows[at], value)).ok_or_else(malformed)
    }

    /// Computes what each row of the decoded block adds.
    fn score_block(&mut self) -> Result<()> {
        if self.is_scored || self.weight == Weight::Nothing {
            return Ok(());
        }
        let (data, bits) = self.values()?;
        let len = self.len;
        match self.weight {
            Weight::Text { weight, base, slope } => {
                let mut counts = [0; BLOCK_ROWS];
                if !packing::unpack(data, bits, len, &mut counts) {
                    return Err(malformed());
                }
                let mut lengths = [0; BLOCK_ROWS];
                self.lengths.gather(&self.rows[..len], &mut lengths);
                for ((score, count), length) in self.scores.iter_mut().zip(counts).zip(lengths) {
                    let count = count.wrapping_add(1) as f32;
                    *score = weight * (count / (count + (base + slope * length as f32)));
                }
            }
            Weight::Sparse { weight } => {
                let values = data.get(..len).ok_or_else(malformed)?;
                for (score, &value) in self.scores.iter_mut().zip(values) {
                    *score = weight * f32::from_bits(value);
                }
            }
            Weight::Nothing => {}
        }
        self.is_scored = true;
        Ok(())
    }

    /// Moves to the block that `row` is in, if it is in the list at all, without decoding it.
    fn move_to_block_of(&mut self, row: u32) {
        let before = self.block;
        while self.block < self.blocks && self.last_row(self.block) < row {
            self.block += 1;
        }
        if self.block != before {
            self.position = 0;
        }
    }

    /// Moves to `row` and returns what it adds, `None` if it is not in the list.
    pub(super) fn seek(&mut self, row: u32) -> Result<Option<f32>> {
        self.move_to_block_of(row);
        if self.block >= self.blocks {
            return Ok(None);
        }
        self.decode()?;
        self.position = self.rank(row);
        if self.rows[..self.len].get(self.position) != Some(&row) {
            return Ok(None);
        }
        // Of most blocks that are asked, one row or two are: fewer than pay for scoring all.
        self.score_at(self.position).map(Some)
    }

    /// Adds what the list adds to the sums of some rows, ascending. Lets go of those that do not reach `least` with `others`
    /// more.
    pub(super) fn complete(&mut self, found: &mut Vec<(u32, f64)>, others: f64, least: f32) -> Result<()> {
        let enough = least_sum(least) - others;
        let (mut kept, mut n) = (0, 0);
        while n < found.len() {
            self.move_to_block_of(found[n].0);
            if self.block >= self.blocks {
                // No more of the list.
                while n < found.len() {
                    found[kept] = found[n];
                    kept += usize::from(found[n].1 >= enough);
                    n += 1;
                }
                break;
            }
            let last = self.last_row(self.block);
            // What a sum must have here, as the block says, which is more than the window does.
            let promising = enough - f64::from(self.block_most(self.block));
            while n < found.len() && found[n].0 <= last && found[n].1 < promising {
                n += 1;
            }
            if n == found.len() || found[n].0 > last {
                continue; // without decoding the block
            }
            self.decode()?;
            while n < found.len() && found[n].0 <= last {
                let (row, mut sum) = found[n];
                n += 1;
                if sum < promising {
                    continue;
                }
                let position = self.rank(row);
                if self.rows.get(position) == Some(&row) {
                    // Of most blocks that are asked, one row or two are: fewer than pay for scoring all.
                    sum += f64::from(self.score_at(position)?);
                }
                found[kept] = (row, sum);
                kept += usize::from(sum >= enough);
            }
        }
        found.truncate(kept);
        Ok(())
    }

    /// Adds what the rows in `start..end` add to their places in `sums`, and notes them in `hits`. Leaves out blocks none of
    /// whose rows reaches `least` with `others` more.
    pub(super) fn add_within(
        &mut self,
        (start, end): (u32, u32),
        sums: &mut [f64],
        hits: &mut [u64],
        others: f64,
        least: f32,
    ) -> Result<()> {
        self.skip_to(start);
        while self.block < self.blocks {
            let first = self.first_row(self.block);
            if first >= end {
                break;
            }
            let last = self.last_row(self.block);
            if ((f64::from(self.block_most(self.block)) + others) as f32) < least {
                if last >= end {
                    break;
                }
                self.block += 1;
                self.position = 0;
                continue;
            }
            self.decode()?;
            self.score_block()?;
            let stop = if last < end { self.len } else { self.rank(end) };
            let from = if first < start { self.position.max(self.rank(start)) } else { self.position };
            let rows = self.rows.get(from..stop).into_iter().flatten();
            for (&row, &score) in rows.zip(self.scores.get(from..stop).into_iter().flatten()) {
                let place = row.wrapping_sub(start) as usize;
                // Malformed rows may lie anywhere.
                if let (Some(sum), Some(hits)) = (sums.get_mut(place), hits.get_mut(place / 64)) {
                    *sum += f64::from(score);
                    *hits |= 1 << (place % 64);
                }
            }
            if last >= end {
                self.position = stop;
                break;
            }
            self.block += 1;
            self.position = 0;
        }
        Ok(())
    }

    /// Appends the rows in `start..end` and what they add to `found`, but for those that do not reach `least` with `others`
    /// more.
    pub(super) fn find_within(
        &mut self,
        (start, end): (u32, u32),
        others: f64,
        least: f32,
        found: &mut Vec<(u32, f64)>,
    ) -> Result<()> {
        // A little less, so that rounding leaves out no row that is good enough.
        let own = ((f64::from(least) - others) as f32).next_down();
        self.skip_to(start);
        while self.block < self.blocks {
            let first = self.first_row(self.block);
            if first >= end {
                break;
            }
            let last = self.last_row(self.block);
            if self.block_most(self.block) >= own {
                self.decode()?;
                self.score_block()?;
                let stop = if last < end { self.len } else { self.rank(end) };
                let from = if first < start { self.position.max(self.rank(start)) } else { self.position };
                // Where each row goes is the next place, taken if the row is good enough: which cannot be foreseen, so that
                // nothing branches on it.
                let mut kept = found.len();
                found.resize(kept + stop.saturating_sub(from), (0, 0.0));
                let rows = self.rows.get(from..stop).into_iter().flatten();
                for (&row, &score) in rows.zip(self.scores.get(from..stop).into_iter().flatten()) {
                    found[kept] = (row, f64::from(score));
                    let is_within = row.wrapping_sub(start) < end - start;
                    kept += usize::from((score >= own) & is_within);
                }
                found.truncate(kept);
                self.position = stop;
            }
            if last >= end {
                break;
            }
            self.block += 1;
            self.position = 0;
        }
        Ok(())
    }

    /// Returns the blocks by the most that a row of each can add, the largest on top.
    pub(super) fn blocks_by_most(&mut self) -> BinaryHeap<Bounded> {
        let blocks = 0..self.blocks;
        blocks.map(|block| Bounded { most: Total(self.block_most(block)), block: Reverse(block) }).collect()
    }

    /// Returns some of the first `count` blocks, those first of which a row can add most.
    pub(super) fn best_blocks(&mut self, count: usize) -> Vec<usize> {
        let mut blocks: Vec<(f32, usize)> =
            (0..self.blocks.min(count)).map(|block| (self.block_most(block), block)).collect();
        blocks.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        blocks.into_iter().map(|(_, block)| block).collect()
    }

    /// Returns the rows of a block and what each adds, whatever the walk has passed already.
    pub(super) fn all_of(&mut self, block: usize) -> Result<(&[u32], &[f32])> {
        self.block = block;
        self.decode()?;
        self.score_block()?;
        Ok((&self.rows[..self.len], &self.scores[..self.len]))
    }

    /// Calls `each` for every row of the list that is left.
    pub(crate) fn for_each_row(&mut self, mut each: impl FnMut(u32)) -> Result<()> {
        while self.block < self.blocks {
            self.decode()?;
            self.rows[self.position..self.len].iter().for_each(|&row| each(row));
            self.block += 1;
            self.position = 0;
        }
        Ok(())
    }

    /// Checks that the rows ascend below `rows`, that there are counts, and that no row is worth more than the bounds say.
    pub(super) fn verify(&mut self, rows: u32) -> Result<()> {
        let mut least = 0;
        while self.block < self.blocks {
            self.decode()?;
            self.score_block()?;
            let most = self.block_most(self.block).min(self.most);
            for at in 0..self.len {
                if self.rows[at] < least || self.rows[at] >= rows || self.scores[at] > most {
                    return Err(malformed());
                }
                least = self.rows[at] + 1;
            }
            self.block += 1;
        }
        Ok(())
    }
}

pub(super) fn malformed() -> Error {
    Error::corrupted("a list of the text index is malformed")
}
