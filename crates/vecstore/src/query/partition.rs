//! Searches in a partition: what a filter says of the value at the path that partitions the collection.
//!
//! The columns of a segment tell in which rows the value is. Where those stand together, as segments of a partitioned
//! collection are written, the search is of that range of rows and no other, as if the segment held nothing else: a scan of
//! its vectors if they are few, of its signs if they are more, and a walk of the graph that stays in the range if they are
//! many. Which rows match is known to be the same either way: a range that is more than the partition's rows, or a filter with
//! more conditions, is tested row by row.

use std::ops::Range;

use super::approximate::{SIGN_ROWS_MIN, SignScan};
use super::plan::SearchMethod;
use super::scan::{RUN_ROWS, Search, Task, is_beyond};
use super::selection::{PartFilter, TRIED_TEXTS_MAX};
use super::topk::TopK;
use crate::collection::{Part, PartView};
use crate::error::Result;
use crate::field_index::{FieldIndex, RowIds};
use crate::filter::{Matcher, Node, Test};
use crate::index::APART_POINTS_MIN;

/// The most values that a filter may fix: each is looked up in each segment, and its rows are searched by themselves.
const VALUES_MAX: usize = 16;

/// What a filter says of partitions.
#[derive(Clone, Debug)]
pub(crate) struct PartitionFilter {
    /// A test for each value that the path may have.
    values: Vec<Matcher>,
    /// The filter asks for nothing else.
    is_all: bool,
}

impl PartitionFilter {
    /// Returns what a filter says of the value at a path, if it fixes it.
    pub(crate) fn of(matcher: &Matcher, path: &str) -> Option<Self> {
        let mut root = &matcher.root;
        while let Node::All(nodes) = root
            && let [only] = &nodes[..]
        {
            root = only;
        }
        let (node, test) = fixing(root, path)?;
        let Node::Field { path, .. } = node else { return None };
        let value = |test| Matcher { root: Node::Field { path: path.clone(), test } };
        let values = match test {
            Test::Equal(operand) => vec![value(Test::Equal(operand.clone()))],
            Test::In(operands) => {
                let operands = operands.operands(VALUES_MAX)?;
                operands.into_iter().map(|operand| value(Test::Equal(operand))).collect()
            }
            _ => return None,
        };
        Some(Self { values, is_all: std::ptr::eq(node, root) })
    }
}

/// Returns the node that fixes the value at a path, and its test. Recursion is bounded by the depth of filters.
fn fixing<'m>(node: &'m Node, path: &str) -> Option<(&'m Node, &'m Test)> {
    match node {
        Node::All(nodes) => nodes.iter().find_map(|node| fixing(node, path)),
        Node::Field { path: at, test: test @ (Test::Equal(_) | Test::In(_)) } if at.as_str() == path => {
            Some((node, test))
        }
        _ => None,
    }
}

/// The rows of a part that are searched, and what is asked of them.
#[derive(Debug)]
pub(super) struct Stretches<'s> {
    /// The rows, and whether they are those of one partition.
    pub(super) ranges: Vec<Range<usize>>,
    pub(super) filter: PartFilter<'s>,
    /// Whether the ranges are those of partitions.
    pub(super) is_partition: bool,
}

impl<'s> Stretches<'s> {
    /// Returns all rows of a part.
    pub(super) fn all(view: &PartView, filter: PartFilter<'s>) -> Self {
        Self { ranges: std::iter::once(0..view.part.len()).collect(), filter, is_partition: false }
    }

    /// Returns the rows of the partitions that a filter names, if they stand together in a part.
    pub(super) fn of_partitions(
        view: &'s PartView,
        partition: Option<&PartitionFilter>,
        filter: impl FnOnce() -> Result<PartFilter<'s>>,
    ) -> Result<Option<Self>> {
        let (Some(partition), Part::Segment(segment)) = (partition, &view.part) else { return Ok(None) };
        let Some(fields) = segment.fields()? else { return Ok(None) };
        let mut ranges = Vec::with_capacity(partition.values.len());
        let mut is_exact = true;
        for value in &partition.values {
            let Some((range, is_all)) = range_of(fields, value)? else { return Ok(None) };
            is_exact &= is_all;
            if !range.is_empty() {
                ranges.push(range);
            }
        }
        ranges.sort_unstable_by_key(|range| range.start);
        // A row whose value is a list may equal two of them.
        if ranges.windows(2).any(|two| two[0].end > two[1].start) {
            return Ok(None);
        }
        let filter = if partition.is_all && is_exact { PartFilter::Everything } else { filter()? };
        Ok(Some(Self { ranges, filter, is_partition: true }))
    }

    /// Returns the rows that an exact search looks at: those of the partitions that a filter names, and a few about them, so
    /// that ranges start and end where words of marks do; all without such.
    pub(super) fn of_words(view: &'s PartView, search: &Search<'s>) -> Result<Self> {
        let filter = || PartFilter::for_search(view, search.filter);
        let named = Self::of_partitions(view, search.partition, || Ok(PartFilter::Everything))?;
        let Some(Self { mut ranges, .. }) = named else { return Ok(Self::all(view, filter()?)) };
        for range in &mut ranges {
            *range = range.start / 64 * 64..range.end.next_multiple_of(64).min(view.part.len());
        }
        ranges.dedup_by(|range, before| {
            let meets = range.start <= before.end;
            if meets {
                before.end = range.end.max(before.end);
            }
            meets
        });
        Ok(Self { ranges, filter: filter()?, is_partition: false })
    }
}

/// Returns the rows with a value, if they stand together, and whether each has it for certain.
fn range_of(fields: FieldIndex<'_>, value: &Matcher) -> Result<Option<(Range<usize>, bool)>> {
    let selection = fields.plan_trying(value, TRIED_TEXTS_MAX)?.select()?;
    let rows = &selection.rows;
    let (first, last) = match rows {
        RowIds::List(list) => (list.first().copied(), list.last().copied()),
        RowIds::Bits { words, .. } => {
            let set = |(_, word): &(usize, &u64)| **word != 0;
            let first = words.iter().enumerate().find(set);
            let last = words.iter().enumerate().rfind(set);
            (
                first.map(|(n, word)| n as u32 * 64 + word.trailing_zeros()),
                last.map(|(n, word)| n as u32 * 64 + 63 - word.leading_zeros()),
            )
        }
    };
    let (Some(first), Some(last)) = (first, last) else { return Ok(Some((0..0, true))) };
    let range = first as usize..last as usize + 1;
    Ok((range.len() == rows.len()).then(|| (range, selection.is_exact())))
}

impl Search<'_> {
    /// Searches the rows of a partition in a segment: not by exact search.
    pub(super) fn in_partition<'s>(
        &self,
        task: &Task<'s>,
        query: usize,
        scan: &mut SignScan,
        best: &mut TopK<'s>,
    ) -> Result<()> {
        if task.rows.len() >= SIGN_ROWS_MIN
            && let Part::Segment(segment) = &task.view.part
            && let Some(signs) = segment.signs_of(self.scoring, &task.rows)?
        {
            return self.scan_signs(task, &signs, query, scan, best);
        }
        self.scan_stretch(task, query, best)
    }

    /// Returns whether the rows of a task are so many that a walk among them pays.
    pub(super) fn is_walked(task: &Task<'_>) -> bool {
        !task.is_partition || task.rows.len() >= APART_POINTS_MIN
    }

    /// Scores the rows of a task, which may start anywhere, on their full vectors.
    fn scan_stretch<'s>(&self, task: &Task<'s>, query: usize, best: &mut TopK<'s>) -> Result<()> {
        let watch = self.watch();
        let mut keys = [0.0; RUN_ROWS];
        for start in task.rows.clone().step_by(RUN_ROWS) {
            let run = start..task.rows.end.min(start + RUN_ROWS);
            let norms =
                if self.scoring.uses_norms() { task.view.part.inverse_norms(run.clone())? } else { &[] };
            let keys = &mut keys[..run.len()];
            let vectors = task.view.part.vectors(run.clone())?;
            self.scoring.kernels.scan(self.scoring.op(), self.query(query), vectors, keys);
            self.scoring.keys(norms, keys);
            for (row, &mut key) in run.zip(keys) {
                let row = row as u32;
                if !is_beyond(key, best.limit())
                    && task.view.is_visible(row, self.now)?
                    && task.filter.matches(task.view, row)?
                {
                    self.offer_row(task, row, key, best)?;
                }
            }
        }
        self.record(watch, task, SearchMethod::ScanVectors, |step| {
            step.full_distances = task.rows.len();
        });
        Ok(())
    }
}
