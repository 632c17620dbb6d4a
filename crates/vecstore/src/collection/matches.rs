//! Which rows match a filter, and how many: from the columns of segments where they tell, otherwise from the documents.

use vecstore_interrupt::Interrupt;

use super::part::{Part, PartView};
use super::snapshot::{Location, Snapshot};
use crate::error::{Error, Result};
use crate::field_index::{FieldIndex, RowIds};
use crate::filter::Matcher;
use crate::metadata::DocumentRef;
use crate::storage::marks::Marks;

/// Up to this share of the rows (1 in 256) and a few, rows that are deleted or hidden are taken off a count one by one.
const MARKED_SHARE: usize = 256;
const MARKED_FEW: usize = 4;

/// How many documents are read before looking whether the call was interrupted.
const INTERRUPT_ROWS: u32 = 4096;

impl Snapshot {
    /// Calls `act` for every visible row that matches.
    pub(super) fn for_each_match(
        &self,
        matcher: &Matcher,
        now: u64,
        mut act: impl FnMut(Location),
    ) -> Result<()> {
        for (part, view) in self.parts.iter().enumerate() {
            let mut add = |row| act(Location { part, row });
            match view.fields()? {
                Some(fields) => view.for_each_selected(fields, matcher, now, &mut add)?,
                None => {
                    for row in 0..view.part.len() as u32 {
                        if row % INTERRUPT_ROWS == 0 {
                            Error::check_interrupt(&Interrupt::current())?;
                        }
                        if view.is_visible(row, now)? && view.document_matches(row, matcher)? {
                            add(row);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Counts the visible rows that match.
    pub(super) fn count_matches(&self, matcher: &Matcher, now: u64) -> Result<usize> {
        let mut count = 0;
        let mut others = Self::default();
        for view in &self.parts {
            match view.fields()?.map(|fields| view.count_in_columns(fields, matcher)).transpose()?.flatten() {
                Some(matches) => count += matches,
                None => others.parts.push(view.clone()),
            }
        }
        others.for_each_match(matcher, now, |_| count += 1)?;
        Ok(count)
    }
}

impl PartView {
    pub(super) fn fields(&self) -> Result<Option<FieldIndex<'_>>> {
        match &self.part {
            Part::Segment(segment) => segment.fields(),
            Part::Memory(_) => Ok(None),
        }
    }

    pub(super) fn document_matches(&self, row: u32, matcher: &Matcher) -> Result<bool> {
        Ok(matcher.matches(DocumentRef::new(self.part.body(row)?.document)?))
    }

    fn for_each_selected(
        &self,
        fields: FieldIndex<'_>,
        matcher: &Matcher,
        now: u64,
        act: &mut dyn FnMut(u32),
    ) -> Result<()> {
        let selection = fields.plan(matcher)?.select()?;
        for row in selection.rows.iter() {
            if self.is_visible(row, now)?
                && (!selection.undecided.contains(row) || self.document_matches(row, matcher)?)
            {
                act(row);
            }
        }
        Ok(())
    }

    /// Counts the visible rows that match without looking at each, if that can be done.
    fn count_in_columns(&self, fields: FieldIndex<'_>, matcher: &Matcher) -> Result<Option<usize>> {
        if self.part.has_expiry() {
            return Ok(None);
        }
        let plan = fields.plan(matcher)?;
        if self.marks.is_empty()
            && let Some(count) = plan.cardinality()?.exact()
        {
            return Ok(Some(count));
        }
        let selection = plan.select()?;
        if !selection.is_exact() {
            return Ok(None);
        }
        let Marks { dead, hidden } = &self.marks;
        if dead.len() + hidden.len() <= self.part.len() / MARKED_SHARE + MARKED_FEW {
            // A few rows are looked up in less time than all bits are counted again.
            let hidden = hidden.iter().filter(|&row| !dead.contains(row));
            let invisible = dead.iter().chain(hidden).filter(|&row| selection.rows.contains(row)).count();
            return Ok(Some(selection.cardinality() - invisible));
        }
        Ok(Some(match &selection.rows {
            RowIds::Bits { words, .. } => {
                let visible = |(n, word): (usize, &u64)| (word & self.visible_word(n)).count_ones() as usize;
                words.iter().enumerate().map(visible).sum()
            }
            RowIds::List(list) => list
                .iter()
                .filter(|row| self.visible_word(**row as usize / 64) >> (**row % 64) & 1 == 1)
                .count(),
        }))
    }
}
