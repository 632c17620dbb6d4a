//! What the columns of a part know of a filter, worked out once for each part and search.
//!
//! Where few rows match, only those are scored; elsewhere candidates are tested by their columns before, or instead
//! of, reading their documents.

use super::plan::SearchMethod;
use super::scan::{RUN_ROWS, Search, Task};
use super::topk::TopK;
use crate::collection::{Part, PartView};
use crate::error::Result;
use crate::field_index::{RowFilter, RowIds};
use crate::filter::Matcher;
use crate::metadata::DocumentRef;
use crate::storage::segment::Segment;

/// Up to this share of the rows (1 in 20), scoring rows one by one beats a scan of all codes: a row of 384 components
/// takes about 0.2 us, a scan of codes 0.015 us a row and a look at the rows in reach.
const FEW_SHARE: usize = 20;

/// The most distinct strings that a search tries a pattern on: 50 us, a few percent of a scan. Beyond that it is
/// better tried on the candidates.
pub(super) const TRIED_TEXTS_MAX: u32 = 1_024;

/// A filter as one part sees it.
#[derive(Debug)]
pub(crate) enum PartFilter<'s> {
    /// There is no filter.
    Everything,
    /// Only the documents tell.
    Documents(&'s Matcher),
    /// A test of columns; documents decide on what passes, unless it is exact.
    Columns { filter: RowFilter<'s>, matcher: &'s Matcher, at_most: usize },
    /// These few rows; documents decide on the undecided.
    Few { rows: Vec<u32>, undecided: RowIds, matcher: &'s Matcher },
}

impl<'s> PartFilter<'s> {
    /// Works out what to ask the columns of a part for a search of vectors.
    pub(crate) fn for_search(view: &'s PartView, matcher: Option<&'s Matcher>) -> Result<Self> {
        Self::new(view, matcher, view.part.len() / FEW_SHARE)
    }

    /// Works out what to ask the columns of a part with a graph for an approximate search.
    ///
    /// A walk visits about `VISITS / s` rows where a share `s` matches, each for `VISIT_ROWS` times what scoring a row on
    /// its codes costs: scoring all `s n` that match is less work while `s n < sqrt(VISITS VISIT_ROWS n)`.
    pub(crate) fn for_graph(view: &'s PartView, matcher: Option<&'s Matcher>) -> Result<Self> {
        const VISITS: usize = 30;
        const VISIT_ROWS: usize = 26;
        Self::new(view, matcher, (VISITS * VISIT_ROWS * view.part.len()).isqrt())
    }

    /// Returns how many rows match at most, if that is known.
    pub(crate) fn at_most(&self) -> Option<usize> {
        match self {
            Self::Everything | Self::Documents(_) => None,
            Self::Columns { at_most, .. } => Some(*at_most),
            Self::Few { rows, .. } => Some(rows.len()),
        }
    }

    /// Works out what to ask the columns of a part for rows that come one by one.
    pub(crate) fn for_rows(view: &'s PartView, matcher: Option<&'s Matcher>) -> Result<Self> {
        Self::new(view, matcher, view.part.len())
    }

    fn new(view: &'s PartView, matcher: Option<&'s Matcher>, few_max: usize) -> Result<Self> {
        let Some(matcher) = matcher else { return Ok(Self::Everything) };
        let Part::Segment(segment) = &view.part else { return Ok(Self::Documents(matcher)) };
        let Some(fields) = segment.fields()? else { return Ok(Self::Documents(matcher)) };
        let plan = fields.plan_trying(matcher, TRIED_TEXTS_MAX)?;
        let cardinality = plan.cardinality()?;
        if cardinality.at_most <= few_max {
            let selection = plan.select()?;
            let rows = selection.rows.iter().collect();
            return Ok(Self::Few { rows, undecided: selection.undecided, matcher });
        }
        if cardinality.at_least == 0 && cardinality.at_most == view.part.len() {
            return Ok(Self::Documents(matcher)); // the columns know nothing
        }
        Ok(Self::Columns { filter: plan.row_filter()?, matcher, at_most: cardinality.at_most })
    }

    /// Returns whether a row matches.
    pub(crate) fn matches(&self, view: &PartView, row: u32) -> Result<bool> {
        let by_document =
            |matcher: &Matcher| Ok(matcher.matches(DocumentRef::new(view.part.body(row)?.document)?));
        match self {
            Self::Everything => Ok(true),
            Self::Documents(matcher) => by_document(matcher),
            Self::Columns { filter, matcher, .. } => match filter.matches(row) {
                false => Ok(false),
                true if filter.is_exact() => Ok(true),
                true => by_document(matcher),
            },
            Self::Few { rows, undecided, matcher } => match rows.binary_search(&row) {
                Err(_) => Ok(false),
                Ok(_) if undecided.contains(row) => by_document(matcher),
                Ok(_) => Ok(true),
            },
        }
    }
}

impl Search<'_> {
    /// Returns those of the rows of a task that a filter selects that are wanted. Documents decide on the undecided.
    fn wanted_of(
        &self,
        task: &Task<'_>,
        rows: impl Iterator<Item = u32>,
        undecided: &RowIds,
        matcher: &Matcher,
    ) -> Result<Vec<u32>> {
        let view = task.view;
        let is_decided = undecided.is_empty();
        let all_visible = view.marks.is_empty() && !view.part.has_expiry();
        let mut wanted = Vec::with_capacity(rows.size_hint().0);
        for row in rows {
            if (all_visible || view.is_visible(row, self.now)?)
                && (is_decided
                    || !undecided.contains(row)
                    || matcher.matches(DocumentRef::new(view.part.body(row)?.document)?))
            {
                wanted.push(row);
            }
        }
        Ok(wanted)
    }

    /// Returns those of a few rows, which are ascending, that are in a task and wanted.
    pub(super) fn few_wanted(
        &self,
        task: &Task<'_>,
        rows: &[u32],
        undecided: &RowIds,
        matcher: &Matcher,
    ) -> Result<Vec<u32>> {
        // A scan by several threads has many tasks, each of which has few of the rows.
        let before = |row: usize| rows.partition_point(|&other| (other as usize) < row);
        let rows = &rows[before(task.rows.start)..before(task.rows.end)];
        self.wanted_of(task, rows.iter().copied(), undecided, matcher)
    }

    /// Returns the rows of a task that match, if its columns know anything of it.
    pub(super) fn matches_of(
        &self,
        task: &Task<'_>,
        segment: &Segment,
        matcher: &Matcher,
    ) -> Result<Option<Vec<u32>>> {
        let Some(fields) = segment.fields()? else { return Ok(None) };
        let selection = fields.plan_trying(matcher, TRIED_TEXTS_MAX)?.select()?;
        let rows = selection.rows.iter().filter(|&row| task.rows.contains(&(row as usize)));
        self.wanted_of(task, rows, &selection.undecided, matcher).map(Some)
    }

    /// Offers a few rows to the best of each query.
    pub(super) fn scan_few<'s>(
        &self,
        task: &Task<'s>,
        segment: &'s Segment,
        wanted: &[u32],
        queries: &[f32],
        best: &mut [TopK<'s>],
    ) -> Result<()> {
        let watch = self.watch();
        let vectors = segment.vectors_of(wanted)?;
        let mut keys = [0.0; RUN_ROWS];
        for (query, best) in queries.chunks_exact(self.dim).zip(best) {
            for rows in wanted.chunks(RUN_ROWS) {
                let keys = &mut keys[..rows.len()];
                self.scoring.kernels.gather(self.scoring.op(), query, vectors, rows, keys);
                for (&row, key) in rows.iter().zip(keys) {
                    if self.scoring.uses_norms() {
                        let norm = segment.inverse_norms(row as usize..row as usize + 1)?;
                        self.scoring.keys(norm, std::slice::from_mut(key));
                    } else {
                        self.scoring.keys(&[], std::slice::from_mut(key));
                    }
                    self.offer_row(task, row, *key, best)?;
                }
            }
        }
        let scored = wanted.len() * queries.len() / self.dim;
        self.record(watch, task, SearchMethod::MatchesByVectors, |step| step.full_distances = scored);
        Ok(())
    }
}
