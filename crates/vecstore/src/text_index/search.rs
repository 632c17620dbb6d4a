//! The best rows of one index for a query: windows of rows, of which only those lists are added up that a row among the
//! best must be in, and the others are asked about rows that may still get there.
//!
//! This is MaxScore (Turtle and Flood, 1995) with the bounds of blocks (Ding and Suel, SIGIR 2011), decided anew for each
//! window. A window reaches as far as some blocks of each list do, and its rows are completed list by list, many at a time. What a row's terms add is rounded to 32 bits first and summed up in 64, which is exact for all but extreme
//! weights: so a score does not depend on the order in which the lists were added.

use super::cursor::{Bounded, Cursor, least_sum};
use crate::error::Result;
use crate::total::Total;

/// Rows in a window at least: their sums stay in the first-level cache, and it has enough of them to pay for its bounds.
const WINDOW_ROWS_MIN: u32 = 2048;

/// Rows in a window at most, so that their sums stay in the second-level cache.
const WINDOW_ROWS_MAX: u32 = 8192;

/// Blocks that a window has of each list, and of a list that alone can make a row good enough. Fewer, and bounds are tighter;
/// more, and there are fewer windows.
const WINDOW_BLOCKS: usize = 2;
const WINDOW_BLOCKS_ALONE: usize = 4;

/// Rows that are completed between two looks at what a row must have.
const BATCH_ROWS: usize = 128;

/// For how many wanted rows a floor is looked for.
const FLOOR_ROWS_MAX: usize = 256;

/// Blocks in which it is looked for: the best of so many.
const FLOOR_BLOCKS: usize = 4;
const FLOOR_BOUNDS: usize = 64;

/// Rows that are asked about for each that is wanted.
const FLOOR_ASKED: usize = 4;

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

    /// Returns how many of the best rows are wanted.
    fn wanted(&self) -> usize;

    /// Returns whether a row may be taken at all.
    fn accepts(&mut self, row: u32) -> Result<bool>;

    /// Takes a row that has at least the least score, if it may be taken.
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

/// Returns a score that as many rows have at least as are wanted, so that none with less is among the best: what the best
/// rows of the list that adds most have of that list alone.
///
/// Without it the first windows are searched as if everything in them might be among the best, which takes half of the time
/// where there are few windows.
fn floor(clauses: &mut Clauses<'_>, by_most: &[usize], rows: u32, sink: &mut dyn Sink) -> Result<f32> {
    let wanted = sink.wanted();
    let is_of_use = (1..=FLOOR_ROWS_MAX).contains(&wanted)
        && sink.least() == f32::NEG_INFINITY
        && clauses.excluded.is_empty() // whose cursors never go back
        && clauses.scored.iter().all(Cursor::only_adds);
    let list = by_most.iter().rev().find(|&&at| clauses.scored[at].count as usize >= wanted.max(2));
    let (true, Some(&list)) = (is_of_use, list) else { return Ok(f32::NEG_INFINITY) };
    let mut cursor = clauses.scored[list].clone();
    let mut best: Vec<(Total, u32)> = Vec::new();
    for block in cursor.best_blocks(FLOOR_BOUNDS).into_iter().take(FLOOR_BLOCKS) {
        let (found, scores) = cursor.all_of(block)?;
        best.extend(scores.iter().map(|&score| Total(score)).zip(found.iter().copied()));
    }
    best.retain(|&(_, row)| row < rows);
    // Where fewer of them are taken, as by a filter, this was in vain; but asking about more of them may take long.
    let asked = best.len().min(wanted * FLOOR_ASKED);
    if asked < best.len() {
        best.select_nth_unstable_by(asked, |a, b| b.cmp(a));
    }
    best.truncate(asked);
    best.sort_unstable_by(|a, b| b.cmp(a));
    let mut taken = 0;
    for (score, row) in best {
        taken += usize::from(sink.accepts(row)?);
        if taken == wanted {
            return Ok(score.0);
        }
    }
    Ok(f32::NEG_INFINITY)
}

/// Rows that are in any list.
fn any_of(clauses: &mut Clauses<'_>, rows: u32, sink: &mut dyn Sink) -> Result<()> {
    let mut window = Window::new();
    let count = clauses.scored.len();
    // By the most they add, with the sums of that up to each: lists that cannot make a row good enough begin no window.
    let mut by_most: Vec<usize> = (0..count).collect();
    by_most.sort_unstable_by(|&a, &b| clauses.scored[a].most.total_cmp(&clauses.scored[b].most));
    let floor = floor(clauses, &by_most, rows, sink)?;
    let (mut passive, mut passive_most) = (0, 0.0);
    let mut mosts = vec![0.0; count];
    let mut order: Vec<usize> = (0..count).collect();
    let mut rest_mosts = vec![0.0; count];
    let mut found: Vec<(u32, f64)> = Vec::new();
    let mut candidates: Vec<(u32, f64)> = Vec::new();
    let mut from = 0;
    loop {
        let least = sink.least().max(floor);
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
        let alone = passive + 1 == count;
        let ahead = if alone { WINDOW_BLOCKS_ALONE } else { WINDOW_BLOCKS };
        let last = by_most[passive..].iter().filter_map(|&at| clauses.scored[at].reach(ahead)).min();
        let reach = last.map_or(rows, |last| last.saturating_add(1));
        let most = if alone { rows } else { start.saturating_add(WINDOW_ROWS_MAX) };
        let end = reach.min(most).max(start.saturating_add(WINDOW_ROWS_MIN)).min(rows);
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
            rest_mosts[asked] = asked_most;
            asked_most += mosts[order[asked]];
            asked += 1;
        }
        found.clear();
        if let &[lead] = &order[asked..] {
            clauses.scored[lead].find_within((start, end), asked_most, least, &mut found)?;
        } else {
            for &at in &order[asked..] {
                window.add(&mut clauses.scored[at], (start, end), total - mosts[at], least)?;
            }
            let enough = least_sum(least) - asked_most;
            window.drain(|row, sum| {
                if sum >= enough {
                    found.push((row, sum));
                }
                Ok(())
            })?;
        }
        for batch in found.chunks(BATCH_ROWS) {
            let least = sink.least().max(floor);
            candidates.clear();
            candidates.extend_from_slice(batch);
            for (&at, &others) in order[..asked].iter().zip(&rest_mosts).rev() {
                clauses.scored[at].complete(&mut candidates, others, least)?;
            }
            for &(row, sum) in &candidates {
                let score = sum as f32;
                if score >= sink.least().max(floor) && clauses.is_not_excluded(row)? {
                    sink.offer(row, score)?;
                }
            }
        }
        skip(clauses, &by_most[passive..], end);
    }
}

/// Rows that are in a list of each group that is required. The smallest group says which rows there are to look at.
fn all_of(clauses: &mut Clauses<'_>, rows: u32, sink: &mut dyn Sink) -> Result<()> {
    let count =
        |group: &Vec<usize>| -> u64 { group.iter().map(|&at| u64::from(clauses.scored[at].count)).sum() };
    let Some(smallest) = clauses.required.iter().min_by_key(|group| count(group)) else { return Ok(()) };
    // These run ahead of those that score.
    let mut leaders: Vec<Cursor<'_>> = smallest.iter().map(|&at| clauses.scored[at].clone()).collect();
    let mut window = Window::new();
    let mut from = 0;
    loop {
        let next = leaders.iter().filter_map(Cursor::next_row).min();
        let Some(start) = next.map(|next| next.max(from)).filter(|&start| start < rows) else {
            return Ok(());
        };
        let end = start.saturating_add(WINDOW_ROWS_MIN).min(rows);
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
    fn new() -> Self {
        Self { start: 0, sums: Vec::new(), hits: Vec::new() }
    }

    fn add(&mut self, cursor: &mut Cursor<'_>, range: (u32, u32), others: f64, least: f32) -> Result<()> {
        self.start = range.0;
        let len = (range.1 - range.0) as usize;
        if len > self.sums.len() {
            self.sums.resize(len, 0.0);
            self.hits.resize(len.div_ceil(64), 0);
        }
        let (sums, hits) = (&mut self.sums[..len], &mut self.hits[..len.div_ceil(64)]);
        cursor.add_within(range, sums, hits, others, least)
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
