//! The best rows of one index for a query: windows of rows, of which only those lists are added up that a row among the
//! best must be in, and the others are asked about rows that may still get there.
//!
//! This is MaxScore (Turtle and Flood, 1995) with the bounds of blocks (Ding and Suel, SIGIR 2011), decided anew for each
//! window. What a row's terms add is rounded to 32 bits first and summed up in 64, which is exact for all but extreme
//! weights: so a score does not depend on the order in which the lists were added.

use super::cursor::{Bounded, Cursor};
use crate::error::Result;

/// Rows in a window: their sums stay in the first-level cache.
const WINDOW_ROWS: u32 = 2048;

/// What is searched for in one index.
#[derive(Debug, Default)]
pub(crate) struct Clauses<'a> {
    /// What adds to the score of a row.
    pub(crate) scored: Vec<Cursor<'a>>,
    /// Of each group of scored lists, a row must be in one.
    pub(crate) required: Vec<Vec<usize>>,
    /// Lists that a row must not be in.
    pub(crate) excluded: Vec<Cursor<'a>>,
}

/// Where rows go that may be among the best.
pub(crate) trait Sink {
    /// Returns the least score that a row must have.
    fn least(&self) -> f32;

    /// Takes a row that has at least that.
    fn offer(&mut self, row: u32, score: f32) -> Result<()>;
}

/// Offers the rows that match, of `rows` rows or of those that are listed, in ascending order.
pub(crate) fn search(
    clauses: &mut Clauses<'_>,
    rows: usize,
    among: Option<&[u32]>,
    sink: &mut dyn Sink,
) -> Result<()> {
    if clauses.scored.is_empty() || clauses.required.iter().any(Vec::is_empty) {
        return Ok(());
    }
    match among {
        Some(among) => among_rows(clauses, among, sink),
        None if clauses.is_one_list() => one_of(clauses, rows as u32, sink),
        None if clauses.required.is_empty() => any_of(clauses, rows as u32, sink),
        None => all_of(clauses, rows as u32, sink),
    }
}

/// Looks at some rows one by one.
fn among_rows(clauses: &mut Clauses<'_>, rows: &[u32], sink: &mut dyn Sink) -> Result<()> {
    for &row in rows {
        let (mut sum, mut found) = (0.0, false);
        for cursor in &mut clauses.scored {
            if let Some(score) = cursor.seek(row)? {
                sum += f64::from(score);
                found = true;
            }
        }
        let score = sum as f32;
        if found && score >= sink.least() && clauses.allow(row)? {
            sink.offer(row, score)?;
        }
    }
    Ok(())
}

/// Rows of the only list: its blocks from the best on, until none can hold a row among the best.
fn one_of(clauses: &mut Clauses<'_>, rows: u32, sink: &mut dyn Sink) -> Result<()> {
    let cursor = &mut clauses.scored[0];
    let mut blocks = cursor.blocks_by_most();
    let mut least = sink.least();
    while let Some(Bounded { block, .. }) = blocks.pop().filter(|block| block.most.0 >= least) {
        let (block_rows, scores) = cursor.all_of(block.0)?;
        for (&row, &score) in block_rows.iter().zip(scores) {
            if score >= least && row < rows {
                sink.offer(row, score)?;
                least = sink.least();
            }
        }
    }
    Ok(())
}

/// Rows that are in any list.
fn any_of(clauses: &mut Clauses<'_>, rows: u32, sink: &mut dyn Sink) -> Result<()> {
    let mut window = Window::new(rows);
    let count = clauses.scored.len();
    // By the most they add, with the sums of that up to each: lists that cannot make a row good enough begin no window.
    let mut by_most: Vec<usize> = (0..count).collect();
    by_most.sort_unstable_by(|&a, &b| clauses.scored[a].most.total_cmp(&clauses.scored[b].most));
    let (mut passive, mut passive_most) = (0, 0.0);
    let mut mosts = vec![0.0; count];
    let mut order: Vec<usize> = (0..count).collect();
    let mut rest_mosts = vec![0.0; count];
    let mut found = Vec::new();
    let mut from = 0;
    loop {
        let least = sink.least();
        while passive < count {
            let most = passive_most + f64::from(clauses.scored[by_most[passive]].most);
            if most as f32 >= least {
                break;
            }
            passive_most = most;
            passive += 1;
        }
        let next = by_most[passive..].iter().filter_map(|&at| clauses.scored[at].next_row()).min();
        let Some(start) = next.map(|next| next.max(from)).filter(|&start| start < rows) else {
            return Ok(());
        };
        let end = start.saturating_add(WINDOW_ROWS).min(rows);
        from = end;
        let mut total = 0.0;
        for (most, cursor) in mosts.iter_mut().zip(&mut clauses.scored) {
            *most = f64::from(cursor.most_within(start, end));
            total += *most;
        }
        if (total as f32) < least {
            skip(clauses, &by_most[passive..], end);
            continue;
        }
        order.sort_unstable_by(|&a, &b| mosts[a].total_cmp(&mosts[b]));
        let mut asked = 0;
        let mut asked_most = 0.0;
        while asked + 1 < count && ((asked_most + mosts[order[asked]]) as f32) < least {
            asked_most += mosts[order[asked]];
            rest_mosts[asked] = asked_most;
            asked += 1;
        }
        let asks = Asks { which: &order[..asked], mosts: &rest_mosts };
        if let &[lead] = &order[asked..] {
            found.clear();
            clauses.scored[lead].find_within((start, end), asked_most, least, &mut found)?;
            for &(row, score) in &found {
                asks.complete(clauses, row, f64::from(score), sink)?;
            }
        } else {
            for &at in &order[asked..] {
                window.add(&mut clauses.scored[at], (start, end), total - mosts[at], least)?;
            }
            window.drain(|row, sum| asks.complete(clauses, row, sum, sink))?;
        }
        skip(clauses, &by_most[passive..], end);
    }
}

/// Lists that are asked only about rows that may still be good enough: by the most they add, with the sums of that up to each.
struct Asks<'w> {
    which: &'w [usize],
    mosts: &'w [f64],
}

impl Asks<'_> {
    /// Adds what these lists add to the sum of a row, and offers the row if that is enough.
    fn complete(&self, clauses: &mut Clauses<'_>, row: u32, mut sum: f64, sink: &mut dyn Sink) -> Result<()> {
        let least = sink.least();
        for (n, (&at, &most)) in self.which.iter().zip(self.mosts).enumerate().rev() {
            if ((sum + most) as f32) < least {
                return Ok(());
            }
            // The block says more than the window. Most rows end here, before the block is decoded.
            let cursor = &mut clauses.scored[at];
            let others = if n == 0 { 0.0 } else { self.mosts[n - 1] };
            if ((sum + others + f64::from(cursor.most_at(row))) as f32) < least {
                return Ok(());
            }
            if let Some(score) = cursor.seek(row)? {
                sum += f64::from(score);
            }
        }
        let score = sum as f32;
        if score >= least && clauses.is_not_excluded(row)? {
            sink.offer(row, score)?;
        }
        Ok(())
    }
}

/// Rows that are in a list of each group that is required. The smallest group says which rows there are to look at.
fn all_of(clauses: &mut Clauses<'_>, rows: u32, sink: &mut dyn Sink) -> Result<()> {
    let count =
        |group: &Vec<usize>| -> u64 { group.iter().map(|&at| u64::from(clauses.scored[at].count)).sum() };
    let Some(smallest) = clauses.required.iter().min_by_key(|group| count(group)) else { return Ok(()) };
    // These run ahead of those that score.
    let mut leaders: Vec<Cursor<'_>> = smallest.iter().map(|&at| clauses.scored[at].clone()).collect();
    let mut window = Window::new(rows);
    let mut from = 0;
    loop {
        let next = leaders.iter().filter_map(Cursor::next_row).min();
        let Some(start) = next.map(|next| next.max(from)).filter(|&start| start < rows) else {
            return Ok(());
        };
        let end = start.saturating_add(WINDOW_ROWS).min(rows);
        from = end;
        let least = sink.least();
        let total: f64 =
            clauses.scored.iter_mut().map(|cursor| f64::from(cursor.most_within(start, end))).sum();
        if (total as f32) >= least {
            for leader in &mut leaders {
                window.add(leader, (start, end), 0.0, f32::NEG_INFINITY)?;
            }
            window.drain(|row, _| {
                if !clauses.allow(row)? {
                    return Ok(());
                }
                let mut sum = 0.0;
                for cursor in &mut clauses.scored {
                    sum += f64::from(cursor.seek(row)?.unwrap_or(0.0));
                }
                let score = sum as f32;
                if score >= sink.least() {
                    sink.offer(row, score)?;
                }
                Ok(())
            })?;
        }
        leaders.iter_mut().for_each(|leader| leader.skip_to(end));
    }
}

fn skip(clauses: &mut Clauses<'_>, which: &[usize], end: u32) {
    for &at in which {
        clauses.scored[at].skip_to(end);
    }
}

impl Clauses<'_> {
    /// Returns how many rows the scored lists have, those in several counted several times.
    pub(crate) fn rows(&self) -> u64 {
        self.scored.iter().map(|cursor| u64::from(cursor.count)).sum()
    }

    /// Returns whether there is one list and nothing else.
    fn is_one_list(&self) -> bool {
        self.scored.len() == 1 && self.required.is_empty() && self.excluded.is_empty()
    }

    /// Returns whether a row is in each required group and in no excluded list.
    fn allow(&mut self, row: u32) -> Result<bool> {
        for group in &self.required {
            let mut found = false;
            for &at in group {
                found = found || self.scored[at].seek(row)?.is_some();
            }
            if !found {
                return Ok(false);
            }
        }
        self.is_not_excluded(row)
    }

    fn is_not_excluded(&mut self, row: u32) -> Result<bool> {
        for cursor in &mut self.excluded {
            if cursor.seek(row)?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Sums of a run of rows, and which rows have one.
struct Window {
    start: u32,
    sums: Vec<f64>,
    hits: Vec<u64>,
}

impl Window {
    /// Makes a window for an index of so many rows.
    fn new(rows: u32) -> Self {
        let len = rows.min(WINDOW_ROWS) as usize;
        Self { start: 0, sums: vec![0.0; len], hits: vec![0; len.div_ceil(64)] }
    }

    fn add(&mut self, cursor: &mut Cursor<'_>, range: (u32, u32), others: f64, least: f32) -> Result<()> {
        self.start = range.0;
        cursor.add_within(range, &mut self.sums, &mut self.hits, others, least)
    }

    /// Calls `each` for every row with a sum, in order, and empties the window.
    fn drain(&mut self, mut each: impl FnMut(u32, f64) -> Result<()>) -> Result<()> {
        for (word, hits) in self.hits.iter_mut().enumerate() {
            let mut left = std::mem::take(hits);
            while left != 0 {
                let place = word * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                let sum = std::mem::replace(&mut self.sums[place], 0.0);
                each(self.start + place as u32, sum)?;
            }
        }
        Ok(())
    }
}
