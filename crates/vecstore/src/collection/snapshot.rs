//! A snapshot: the records of a collection as of one lsn. Cheap to clone, and the only thing readers ever see.

use std::sync::Arc;

use super::part::{Part, PartView};
use crate::error::{Error, Result};
use crate::memory_check::check_memory;
use crate::storage::id_index::hash_id;
use crate::storage::marks::Marks;
use crate::storage::rows::{Rows, RowsBuilder};
use crate::storage::wal::Op;

/// Where a record is: the position of its part in the snapshot, and its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Location {
    pub(crate) part: usize,
    pub(crate) row: u32,
}

/// The records as of one lsn. At most one live row has a given id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) lsn: u64,
    pub(crate) dim: Option<usize>,
    pub(crate) parts: Vec<PartView>,
    /// The number of the next part.
    pub(crate) next_part: u64,
    /// Parts in memory from this number on may be merged; those before are being sealed.
    pub(crate) open_from: u64,
}

/// Small blocks in memory are merged this many at a time, so that a collection written one record at a time has
/// few of them: each row is copied at most twice before it is sealed.
const MERGE_FACTOR: usize = 32;

/// Blocks with long texts are left as they are: copying them costs more than looking at them one by one.
const MERGED_BYTES_MAX: usize = 64 << 20;

impl Snapshot {
    /// Returns where the live row of this id is.
    pub(crate) fn locate(&self, id: &str) -> Result<Option<Location>> {
        let hash = hash_id(id);
        // Newest first: what was written lately is asked for most.
        for (part, view) in self.parts.iter().enumerate().rev() {
            if let Some(row) = view.part.find(id, hash)?
                && !view.marks.dead.contains(row)
            {
                return Ok(Some(Location { part, row }));
            }
        }
        Ok(None)
    }

    pub(crate) fn part(&self, location: Location) -> &PartView {
        &self.parts[location.part]
    }

    pub(crate) fn is_hidden(&self, location: Location) -> bool {
        self.part(location).marks.hidden.contains(location.row)
    }

    /// Returns the number of records, hidden ones included.
    pub(crate) fn live(&self) -> usize {
        self.parts.iter().map(PartView::live).sum()
    }

    /// Adds a part with a new number.
    pub(crate) fn push_part(&mut self, part: Part, marks: Marks) {
        self.parts.push(PartView { id: self.next_part, part, marks });
        self.next_part += 1;
    }

    /// Replaces or adds the records of `rows`. Changes nothing if it fails.
    pub(crate) fn upsert(&mut self, rows: &Arc<Rows>) -> Result<()> {
        if self.dim.is_some_and(|dim| dim != rows.dim()) {
            return Err(Error::corrupted(format!(
                "rows of dimension {} in a collection of another",
                rows.dim()
            )));
        }
        let replaced: Vec<Location> = (0..rows.len() as u32)
            .filter_map(|row| self.locate(rows.id(row)).transpose())
            .collect::<Result<_>>()?;
        replaced.into_iter().for_each(|location| self.kill(location));
        self.dim = Some(rows.dim());
        self.push_part(Part::Memory(Arc::clone(rows)), Marks::default());
        Ok(())
    }

    pub(crate) fn kill(&mut self, location: Location) {
        let marks = &mut self.parts[location.part].marks;
        marks.dead.insert(location.row);
        marks.hidden.remove(location.row);
    }

    pub(crate) fn set_hidden(&mut self, location: Location, hidden: bool) -> bool {
        let marks = &mut self.parts[location.part].marks;
        if hidden { marks.hidden.insert(location.row) } else { marks.hidden.remove(location.row) }
    }

    /// Applies an operation from the log. An operation on a record that is no longer there does nothing: the parts
    /// may hold the effect of later operations already.
    pub(crate) fn replay(&mut self, op: Op<'_>) -> Result<()> {
        match op {
            Op::Upsert(rows) => {
                self.upsert(&Arc::from(rows))?;
                self.merge_small_parts()
            }
            Op::Delete(ids) => self.for_each(&ids, Self::kill),
            Op::Hide(ids) => {
                self.for_each(&ids, |snapshot, location| _ = snapshot.set_hidden(location, true))
            }
            Op::Unhide(ids) => {
                self.for_each(&ids, |snapshot, location| _ = snapshot.set_hidden(location, false))
            }
        }
    }

    fn for_each(&mut self, ids: &[&str], act: impl Fn(&mut Self, Location)) -> Result<()> {
        for id in ids {
            if let Some(location) = self.locate(id)? {
                act(self, location);
            }
        }
        Ok(())
    }

    /// Merges the newest parts in memory when there are many small ones.
    pub(crate) fn merge_small_parts(&mut self) -> Result<()> {
        let open_from = self.open_from;
        for limit in [MERGE_FACTOR, MERGE_FACTOR * MERGE_FACTOR] {
            let small = |view: &&PartView| {
                view.id >= open_from && matches!(&view.part, Part::Memory(rows) if rows.len() < limit)
            };
            let run = self.parts.iter().rev().take_while(small).count();
            let bytes: usize = self.parts[self.parts.len() - run..].iter().map(PartView::memory_bytes).sum();
            if run >= MERGE_FACTOR && bytes <= MERGED_BYTES_MAX {
                let merged = self.parts.split_off(self.parts.len() - run);
                self.push_merged(&merged)?;
            }
        }
        Ok(())
    }

    fn push_merged(&mut self, views: &[PartView]) -> Result<()> {
        let rows: usize = views.iter().map(PartView::live).sum();
        let Some(first) = views.first().filter(|_| rows > 0) else { return Ok(()) };
        check_memory(views.iter().map(PartView::memory_bytes).sum(), "merging rows in memory")?;
        let mut merged = RowsBuilder::with_capacity(rows, first.part.dim());
        let mut marks = Marks::default();
        let with_norms = matches!(&first.part, Part::Memory(rows) if rows.has_norms());
        for view in views {
            for row in view.live_rows() {
                if view.marks.hidden.contains(row) {
                    marks.hidden.insert(merged.len() as u32);
                }
                merged.push(
                    view.part.id(row)?,
                    view.part.vector(row)?,
                    &view.part.body(row)?,
                    view.part.expiry(row)?,
                );
            }
        }
        let mut norms = Vec::new();
        if with_norms {
            for view in views {
                let all = view.part.inverse_norms(0..view.part.len())?;
                norms.extend(view.live_rows().map(|row| all[row as usize]));
            }
        }
        self.push_part(Part::Memory(Arc::new(merged.build(norms))), marks);
        Ok(())
    }
}
