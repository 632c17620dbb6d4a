//! The best rows of a search by terms. Ids, which break ties, are read of few of them: they lie all over a segment, and
//! reading one costs as much as scoring a hundred rows.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::error::Result;
use crate::query::hits::FoundRow;
use crate::query::topk::Candidate;
use crate::total::Total;

/// Rows that are kept beyond twice those that are wanted, before those that cannot be among the best are let go.
const SPARE_ROWS: usize = 256;

/// Scores that there is room for from the start.
const RESERVED_MAX: usize = 256;

/// Collects rows, and keeps those with the best scores.
#[derive(Debug)]
pub(super) struct Best {
    limit: usize,
    /// The best scores, the least of them on top.
    scores: BinaryHeap<Reverse<Total>>,
    /// All rows that reached the least score when they came.
    rows: Vec<FoundRow>,
}

impl Best {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, scores: BinaryHeap::with_capacity(limit.min(RESERVED_MAX)), rows: Vec::new() }
    }

    /// Returns the least score that a row must have.
    pub(super) fn least(&self) -> f32 {
        match self.scores.peek() {
            Some(Reverse(least)) if self.scores.len() == self.limit => least.0,
            _ if self.limit == 0 => f32::INFINITY,
            _ => f32::NEG_INFINITY,
        }
    }

    /// Takes a row. `id` tells the id of any that was taken.
    pub(super) fn offer<'s>(
        &mut self,
        (part, row): (u32, u32),
        score: f32,
        id: impl Fn(u32, u32) -> Result<&'s str>,
    ) -> Result<()> {
        let score = score + 0.0;
        if score < self.least() {
            return Ok(());
        }
        if self.scores.len() < self.limit {
            self.scores.push(Reverse(Total(score)));
        } else if let Some(mut least) = self.scores.peek_mut()
            && score > least.0.0
        {
            *least = Reverse(Total(score));
        }
        self.rows.push(FoundRow { key: -score, part, row });
        if self.rows.len() >= 2 * self.limit + SPARE_ROWS {
            self.prune(id)?;
        }
        Ok(())
    }

    /// Lets go of rows that are not among the best.
    fn prune<'s>(&mut self, id: impl Fn(u32, u32) -> Result<&'s str>) -> Result<()> {
        let least = self.least();
        self.rows.retain(|row| -row.key >= least);
        if self.rows.len() >= self.limit + SPARE_ROWS {
            // Many with the same score.
            self.rows = sorted(&self.rows, self.limit, id)?;
        }
        Ok(())
    }

    /// Returns the rows, best first, ties broken by id.
    pub(super) fn into_sorted<'s>(self, id: impl Fn(u32, u32) -> Result<&'s str>) -> Result<Vec<FoundRow>> {
        let least = self.least();
        let rows: Vec<FoundRow> = self.rows.into_iter().filter(|row| -row.key >= least).collect();
        sorted(&rows, self.limit, id)
    }
}

fn sorted<'s>(
    rows: &[FoundRow],
    limit: usize,
    id: impl Fn(u32, u32) -> Result<&'s str>,
) -> Result<Vec<FoundRow>> {
    let candidate = |found: &FoundRow| {
        let FoundRow { key, part, row } = *found;
        Ok(Candidate { key, id: id(part, row)?, part, row })
    };
    let mut candidates: Vec<Candidate<'s>> = rows.iter().map(candidate).collect::<Result<_>>()?;
    candidates.sort_unstable();
    candidates.truncate(limit);
    Ok(candidates.iter().map(FoundRow::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(rows: usize) -> Vec<String> {
        // Not in the order of rows.
        (0..rows).map(|row| format!("{:05}", row * 7919 % rows)).collect()
    }

    fn check(scores: &[f32], limit: usize) {
        let ids = ids(scores.len());
        let id = |_: u32, row: u32| Ok(ids[row as usize].as_str());
        let mut best = Best::new(limit);
        for (row, &score) in scores.iter().enumerate() {
            if score >= best.least() {
                best.offer((0, row as u32), score, id).unwrap();
            }
            assert!(best.rows.len() <= 2 * limit + SPARE_ROWS);
        }
        let mut expected: Vec<u32> = (0..scores.len() as u32).collect();
        let score = |row: u32| scores[row as usize] + 0.0;
        expected.sort_by(|&a, &b| {
            score(b).total_cmp(&score(a)).then_with(|| ids[a as usize].cmp(&ids[b as usize]))
        });
        expected.truncate(limit);
        let found: Vec<u32> = best.into_sorted(id).unwrap().iter().map(|found| found.row).collect();
        assert_eq!(found, expected, "limit {limit}");
    }

    #[test]
    fn the_best_are_kept_whatever_the_order_and_the_ties() {
        for limit in [0, 1, 2, 10, 300, 5000] {
            check(&[], limit);
            check(&vec![1.5; 3000], limit);
            check(&(0..3000).map(|n| n as f32).collect::<Vec<_>>(), limit);
            check(&(0..3000).map(|n| -(n as f32)).collect::<Vec<_>>(), limit);
            check(&(0..3000).map(|n| (n * 7 % 5) as f32 - 2.0).collect::<Vec<_>>(), limit);
            check(&(0..3000).map(|n| if n % 3 == 0 { 0.0 } else { -0.0 }).collect::<Vec<_>>(), limit);
        }
    }

    #[test]
    fn ids_are_read_of_few() {
        let read = std::cell::Cell::new(0);
        let id = |_: u32, _: u32| {
            read.set(read.get() + 1);
            Ok("a")
        };
        let mut best = Best::new(10);
        for row in 0..100_000_u32 {
            best.offer((0, row), (row.wrapping_mul(2_654_435_761) >> 8) as f32, id).unwrap();
        }
        assert_eq!(best.into_sorted(id).unwrap().len(), 10);
        assert!(read.get() <= 12, "{}", read.get());
    }
}
