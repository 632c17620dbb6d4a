//! Tests of single rows, for candidates that come one by one.

use super::leaf::{Leaf, Part};
use super::ordinals::Ordinals;
use super::plan::{Plan, Step};
use crate::error::Result;

/// A filter that tests one row at a time, without a bitmap of the rows wherever columns have ordinals.
#[derive(Clone, Debug)]
pub(crate) struct RowFilter<'a> {
    test: RowTest<'a>,
    is_exact: bool,
}

impl RowFilter<'_> {
    /// Returns whether a row of the segment matches or, unless the filter is exact, may match. A few nanoseconds for each
    /// condition.
    #[inline]
    pub(crate) fn matches(&self, row: u32) -> bool {
        self.test.matches(row)
    }

    /// Returns whether every row that passes matches; otherwise its document decides.
    pub(crate) fn is_exact(&self) -> bool {
        self.is_exact
    }
}

#[derive(Clone, Debug)]
pub(super) enum RowTest<'a> {
    All(Vec<RowTest<'a>>),
    Any(Vec<RowTest<'a>>),
    Not(Box<RowTest<'a>>),
    Everything,
    /// The ordinal plus 1 is in a range of `len` from `first`.
    Within {
        ordinals: Ordinals<'a>,
        first: u32,
        len: u32,
    },
    /// The ordinal plus 1 is in a set.
    Among {
        ordinals: Ordinals<'a>,
        set: Vec<u64>,
    },
    Stored(&'a [[u8; 8]]),
    Bits(Vec<u64>),
}

impl RowTest<'_> {
    #[inline]
    pub(super) fn matches(&self, row: u32) -> bool {
        let bit = |word: u64| word >> (row % 64) & 1 == 1;
        match self {
            Self::Within { ordinals, first, len } => ordinals.get(row).wrapping_sub(*first) < *len,
            Self::Among { ordinals, set } => {
                let ordinal = ordinals.get(row);
                set.get(ordinal as usize / 64).is_some_and(|word| word >> (ordinal % 64) & 1 == 1)
            }
            Self::Stored(words) => {
                words.get(row as usize / 64).is_some_and(|&word| bit(u64::from_le_bytes(word)))
            }
            Self::Bits(words) => words.get(row as usize / 64).is_some_and(|&word| bit(word)),
            Self::All(tests) => tests.iter().all(|test| test.matches(row)),
            Self::Any(tests) => tests.iter().any(|test| test.matches(row)),
            Self::Not(test) => !test.matches(row),
            Self::Everything => true,
        }
    }
}

/// Which bound of a step is tested.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Lower,
    Upper,
}

pub(super) fn row_filter<'a>(plan: &Plan<'a>) -> Result<RowFilter<'a>> {
    Ok(RowFilter { test: build(&plan.root, Side::Upper, plan.rows)?, is_exact: is_exact(&plan.root) })
}

/// Returns a test of a step that is exact and takes no work for each row of the segment to make; `None` for others.
pub(super) fn cheap<'a>(step: &Step<'a>) -> Result<Option<RowTest<'a>>> {
    let Step::Leaf(leaf) = step else { return Ok(None) };
    if !leaf.maybe.is_empty() {
        return Ok(None);
    }
    for part in &leaf.yes {
        let is_cheap = match part {
            Part::Everything => true,
            Part::Set(set) | Part::Outside(set) => set.is_all() || set.bitmap()?.is_some(),
            Part::Values(column, ranges) => match &ranges[..] {
                [range] => column.has_ordinals() || column.bitmap(range)?.is_some(),
                _ => false,
            },
        };
        if !is_cheap {
            return Ok(None);
        }
    }
    any_part(&leaf.yes, 0).map(Some)
}

fn is_exact(step: &Step<'_>) -> bool {
    match step {
        Step::All(steps) | Step::Any(steps) => steps.iter().all(is_exact),
        Step::Not(step) => is_exact(step),
        Step::AtMost(_) => false,
        Step::Leaf(leaf) => leaf.maybe.is_empty(),
    }
}

fn build<'a>(step: &Step<'a>, side: Side, rows: usize) -> Result<RowTest<'a>> {
    let all =
        |steps: &[Step<'a>]| steps.iter().map(|step| build(step, side, rows)).collect::<Result<Vec<_>>>();
    Ok(match (step, side) {
        (Step::All(steps), _) => RowTest::All(all(steps)?),
        (Step::Any(steps), _) => RowTest::Any(all(steps)?),
        (Step::Not(step), Side::Upper) => RowTest::Not(Box::new(build(step, Side::Lower, rows)?)),
        (Step::Not(step), Side::Lower) => RowTest::Not(Box::new(build(step, Side::Upper, rows)?)),
        (Step::AtMost(step), Side::Upper) => build(step, Side::Upper, rows)?,
        (Step::AtMost(_), Side::Lower) => RowTest::Any(Vec::new()),
        (Step::Leaf(Leaf { yes, maybe, .. }), _) if maybe.is_empty() => any_part(yes, rows)?,
        (Step::Leaf(Leaf { yes, maybe, .. }), Side::Upper) => {
            RowTest::Any(vec![any_part(yes, rows)?, any_part(maybe, rows)?])
        }
        (Step::Leaf(Leaf { yes, maybe, .. }), Side::Lower) => {
            RowTest::All(vec![any_part(yes, rows)?, RowTest::Not(Box::new(any_part(maybe, rows)?))])
        }
    })
}

fn any_part<'a>(parts: &[Part<'a>], rows: usize) -> Result<RowTest<'a>> {
    if let [part] = parts {
        return one_part(part, rows);
    }
    Ok(RowTest::Any(parts.iter().map(|part| one_part(part, rows)).collect::<Result<_>>()?))
}

fn one_part<'a>(part: &Part<'a>, rows: usize) -> Result<RowTest<'a>> {
    match part {
        Part::Everything => return Ok(RowTest::Everything),
        Part::Set(set) if set.is_all() => return Ok(RowTest::Everything),
        Part::Set(set) => {
            if let Some(words) = set.bitmap()? {
                return Ok(RowTest::Stored(words));
            }
        }
        Part::Outside(set) => return Ok(RowTest::Not(Box::new(one_part(&Part::Set(*set), rows)?))),
        Part::Values(column, ranges) => {
            if let [range] = &ranges[..]
                && let Some(words) = column.bitmap(range)?
            {
                return Ok(RowTest::Stored(words));
            }
            if let Some(ordinals) = column.ordinals()? {
                if let [range] = &ranges[..] {
                    return Ok(RowTest::Within {
                        ordinals,
                        first: range.start + 1,
                        len: range.end - range.start,
                    });
                }
                let mut set = vec![0u64; column.distinct() as usize / 64 + 1];
                for ordinal in ranges.iter().flat_map(|range| range.start + 1..=range.end) {
                    set[ordinal as usize / 64] |= 1 << (ordinal % 64);
                }
                return Ok(RowTest::Among { ordinals, set });
            }
        }
    }
    let mut words = vec![0; rows.div_ceil(64)];
    part.scatter(&mut words, rows)?;
    Ok(RowTest::Bits(words))
}
