//! What a section has of one path.

use super::choices::Choice;
use super::column::Column;
use super::layout::{ColumnPlace, FieldPlace, TablePlace, part};
use super::reader::Section;
use super::stored_set::StoredSet;
use crate::error::Result;

/// The columns and row sets of one path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    section: Section<'a>,
    place: FieldPlace,
}

impl<'a> Field<'a> {
    pub(super) fn new(section: Section<'a>, place: FieldPlace) -> Self {
        Self { section, place }
    }

    /// Returns the rows that have the path.
    pub(super) fn exists(&self) -> StoredSet<'a> {
        StoredSet::new(self.section, self.place.exists)
    }

    /// Returns the values at the path.
    pub(super) fn values(&self) -> Table<'a> {
        Table { section: self.section, place: self.place.values }
    }

    /// Returns the elements of the lists at the path.
    pub(super) fn elements(&self) -> Table<'a> {
        Table { section: self.section, place: self.place.elements }
    }

    /// Returns the rows that have a list at the path.
    pub(super) fn lists(&self) -> StoredSet<'a> {
        self.values().set(part::LISTS)
    }

    /// Returns the lengths of the lists.
    pub(super) fn sizes(&self) -> Option<Column<'a>> {
        self.place.sizes.map(|place| Column::new(self.section, place))
    }

    /// Returns the bytes of the columns and row sets.
    pub(super) fn bytes(&self) -> u64 {
        let tables = [self.values(), self.elements()];
        let sets = tables.iter().flat_map(|table| (0..part::SETS).map(|set| table.set(set)));
        let columns =
            tables.iter().flat_map(|table| (0..part::COLUMNS).filter_map(|column| table.column(column)));
        let sets: u64 = sets.chain([self.exists()]).map(|set| set.bytes()).sum();
        sets + columns.chain(self.sizes()).map(|column| column.bytes()).sum::<u64>()
    }

    /// Returns whether the field is what it would be if it were written anew under a choice.
    pub(super) fn honors(&self, choice: Choice) -> bool {
        let tables = [self.values(), self.elements()];
        let holds_no_other = || {
            let mut columns = (0..part::COLUMNS).filter(|&column| !choice.holds(column));
            columns.all(|column| tables.iter().all(|table| table.column(column).is_none()))
        };
        let leaves_nothing_out = || {
            let left_out = [part::LONG, part::DROPPED];
            tables.iter().all(|table| left_out.into_iter().all(|set| table.set(set).is_empty()))
        };
        self.place.choice == choice.code()
            || holds_no_other() && (choice == Choice::Dropped || leaves_nothing_out())
    }

    /// Reads everything, setting bits of `words` on the way.
    pub(super) fn verify(&self, words: &mut [u64]) -> Result<()> {
        self.exists().scatter(words)?;
        let columns = |place: &TablePlace| place.columns;
        for table in [self.values(), self.elements()] {
            (0..part::SETS).try_for_each(|set| table.set(set).scatter(words))?;
        }
        let tables = [columns(&self.place.values), columns(&self.place.elements)];
        let columns = tables.into_iter().flatten().chain([self.place.sizes]).flatten();
        columns
            .map(|place: ColumnPlace| Column::new(self.section, place))
            .try_for_each(|column| column.verify(words))
    }
}

/// The values of one path by type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'a> {
    section: Section<'a>,
    place: TablePlace,
}

impl<'a> Table<'a> {
    /// Returns a row set by its number in `part`.
    pub(super) fn set(&self, set: usize) -> StoredSet<'a> {
        StoredSet::new(self.section, self.place.sets[set])
    }

    /// Returns the length of the longest string that columns hold.
    pub(super) fn longest(&self) -> usize {
        self.section.longest
    }

    /// Returns a column by its number in `part`, if it has any values.
    pub(super) fn column(&self, column: usize) -> Option<Column<'a>> {
        self.place.columns[column].map(|place| Column::new(self.section, place))
    }
}
