//! The exchange of parts for the segment that was made of them, in snapshots that have moved on meanwhile.

use std::collections::HashMap;

use super::part::{Part, PartView};
use super::snapshot::Snapshot;
use crate::storage::marks::Marks;

/// No row: the row was dead or expired when the segment was written.
const NONE: u32 = u32::MAX;

/// Parts, the segment that holds their live rows, and which row went where.
#[derive(Debug)]
pub(crate) struct Replacement {
    old: HashMap<u64, Vec<u32>>,
    new: Option<Part>,
    new_id: u64,
}

impl Replacement {
    /// Notes where the rows of `views` went: `rows` are the view and the row in it of each row of the new segment, in
    /// the order that the segment holds them in, whatever that is. Rows that are not among them are gone.
    pub(crate) fn of(views: &[PartView], rows: &[(u32, u32)]) -> Self {
        let mut maps: Vec<Vec<u32>> = views.iter().map(|view| vec![NONE; view.part.len()]).collect();
        for (new, &(view, row)) in rows.iter().enumerate() {
            maps[view as usize][row as usize] = new as u32;
        }
        Self { old: views.iter().map(|view| view.id).zip(maps).collect(), new: None, new_id: 0 }
    }

    /// Names the part that takes the place of the others; without one they held no live rows.
    pub(crate) fn with_part(mut self, new: Option<Part>, new_id: u64) -> Self {
        self.new = new;
        self.new_id = new_id;
        self
    }

    /// Returns the marks of the new segment in a snapshot that still has the old parts: its rows that are dead or hidden
    /// there.
    pub(crate) fn marks(&self, snapshot: &Snapshot) -> Marks {
        let mut marks = Marks::default();
        for view in &snapshot.parts {
            let Some(map) = self.old.get(&view.id) else { continue };
            let moved = |row: u32| Some(map[row as usize]).filter(|&new| new != NONE);
            for row in view.marks.dead.iter().filter_map(moved) {
                marks.dead.insert(row);
            }
            for row in view.marks.hidden.iter().filter_map(moved) {
                marks.hidden.insert(row);
            }
        }
        marks
    }

    /// Exchanges the parts in a snapshot. What happened to the rows since the segment was written is carried over.
    pub(crate) fn apply(&self, snapshot: &mut Snapshot) {
        let marks = self.marks(snapshot);
        snapshot.parts.retain(|view| !self.old.contains_key(&view.id));
        if let Some(part) = &self.new {
            // In front: parts in memory that may still be merged stay together at the end.
            snapshot.parts.insert(0, PartView { id: self.new_id, part: part.clone(), marks });
        }
    }
}
