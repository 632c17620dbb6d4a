//! What is known of the texts of a part beside its section: an index in memory where it has none, and how much of what the
//! section counts is of rows that are dead by now.
//!
//! Statistics count live rows only, hidden and expired ones included, so that scores do not depend on when a row that was
//! replaced is dropped for good. Dead rows of a part only ever become more, in the snapshots that readers see: their
//! number says which they are, and what was counted for it holds.

use std::collections::HashMap;
use std::sync::OnceLock;

use parking_lot::Mutex;

use super::reader::{FieldTotals, List, TextIndex};
use super::{MemoryTextIndex, Weight};
use crate::error::Result;
use crate::storage::row_set::RowSet;

/// Counts that are kept; more, and all are counted anew.
const KEPT_MAX: usize = 8192;

/// Of one part.
#[derive(Debug, Default)]
pub(crate) struct TextState {
    index: OnceLock<Option<Box<MemoryTextIndex>>>,
    counts: Mutex<Counts>,
}

/// What was counted while so many rows were dead.
#[derive(Debug, Default)]
struct Counts {
    dead: usize,
    rows: HashMap<usize, u32>,
    fields: HashMap<usize, FieldTotals>,
}

impl Counts {
    fn of(&mut self, dead: usize) -> &mut Self {
        if self.dead != dead || self.rows.len() > KEPT_MAX {
            *self = Self { dead, ..Self::default() };
        }
        self
    }
}

impl TextState {
    /// Returns the index in memory, which `make` makes the first time.
    pub(crate) fn index(
        &self,
        make: impl FnOnce() -> Result<Option<MemoryTextIndex>>,
    ) -> Result<Option<TextIndex<'_>>> {
        let index = match self.index.get() {
            Some(index) => index,
            None => {
                let made = make()?.map(Box::new);
                self.index.get_or_init(|| made)
            }
        };
        index.as_ref().map(|index| index.index()).transpose()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.index.get().and_then(Option::as_ref).map_or(0, |index| index.memory_bytes())
    }

    /// Returns how many rows of a list are not dead.
    pub(crate) fn live_rows(&self, index: &TextIndex<'_>, list: &List<'_>, dead: &RowSet) -> Result<u32> {
        if dead.is_empty() {
            return Ok(list.rows);
        }
        if let Some(&rows) = self.counts.lock().of(dead.len()).rows.get(&list.ordinal) {
            return Ok(rows);
        }
        let mut rows = 0;
        let mut cursor = index.cursor(list, Weight::Nothing)?;
        cursor.for_each_row(|row| rows += u32::from(!dead.contains(row)))?;
        self.counts.lock().of(dead.len()).rows.insert(list.ordinal, rows);
        Ok(rows)
    }

    /// Returns how many rows that are not dead have a text in a field, and how many terms those have.
    pub(crate) fn live_totals(
        &self,
        index: &TextIndex<'_>,
        field: usize,
        dead: &RowSet,
    ) -> Result<FieldTotals> {
        let mut totals = index.totals(field);
        if dead.is_empty() || totals.rows == 0 {
            return Ok(totals);
        }
        if let Some(&totals) = self.counts.lock().of(dead.len()).fields.get(&field) {
            return Ok(totals);
        }
        let lengths = index.lengths(field)?;
        for length in dead.iter().filter_map(|row| lengths.of(row)) {
            totals.rows = totals.rows.saturating_sub(1);
            totals.terms = totals.terms.saturating_sub(u64::from(length));
        }
        self.counts.lock().of(dead.len()).fields.insert(field, totals);
        Ok(totals)
    }
}
