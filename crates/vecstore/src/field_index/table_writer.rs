//! Collecting the values at a path, or the elements of the lists at it, by type.

use super::Caps;
use super::column_writer::ColumnWriter;
use super::layout::{TablePlace, part};
use super::number::Key;
use super::row_set_writer::RowSetWriter;
use super::writer::Output;
use crate::error::Result;
use crate::metadata::ValueRef;

#[derive(Debug, Default)]
pub(super) struct TableWriter {
    sets: [RowSetWriter; part::SETS],
    columns: [ColumnWriter; part::COLUMNS],
    /// Which columns were given up.
    dropped: [bool; part::COLUMNS],
}

impl TableWriter {
    /// Makes a table without the columns that are not to be held.
    pub(super) fn holding(holds: impl Fn(usize) -> bool) -> Self {
        Self { dropped: std::array::from_fn(|column| !holds(column)), ..Self::default() }
    }

    /// Adds a value. A column of too many bytes of strings is given up.
    pub(super) fn push(&mut self, row: u32, value: ValueRef<'_>, caps: Caps) {
        match value {
            ValueRef::Null => self.sets[part::NULLS].push(row),
            ValueRef::Bool(false) => self.sets[part::FALSES].push(row),
            ValueRef::Bool(true) => self.sets[part::TRUES].push(row),
            ValueRef::List(_) => self.sets[part::LISTS].push(row),
            ValueRef::Map(_) => self.sets[part::MAPS].push(row),
            ValueRef::Int(value) => self.push_key(row, part::NUMBERS, Key::of_int(value)),
            ValueRef::Float(value) => {
                // No condition is true of NaN but that it is there.
                if let Some(key) = Key::of_float(value) {
                    self.push_key(row, part::NUMBERS, key);
                }
            }
            ValueRef::DateTime(time) => self.push_key(row, part::TIMES, Key::of_int(time.unix_micros())),
            ValueRef::Str(text) => self.push_text(row, part::STRINGS, text.as_bytes(), caps),
            ValueRef::Bytes(bytes) => self.push_text(row, part::BYTES, bytes, caps),
        }
    }

    fn push_key(&mut self, row: u32, column: usize, key: Key) {
        if self.dropped[column] {
            self.sets[part::DROPPED].push(row);
        } else {
            self.columns[column].push_key(row, key);
        }
    }

    fn push_text(&mut self, row: u32, column: usize, text: &[u8], caps: Caps) {
        if text.len() > caps.value_bytes {
            self.sets[part::LONG].push(row);
            return;
        }
        if !self.dropped[column] && self.columns[column].text_bytes() + text.len() > caps.text_bytes {
            self.drop_column(column);
        }
        if self.dropped[column] {
            self.sets[part::DROPPED].push(row);
        } else {
            self.columns[column].push(row, text);
        }
    }

    /// Gives up a column: of its rows the index says only that they have values.
    pub(super) fn drop_column(&mut self, column: usize) {
        self.dropped[column] = true;
        let given_up = std::mem::take(&mut self.columns[column]);
        self.sets[part::DROPPED].extend(given_up.rows());
    }

    /// Returns the column that takes the most memory, and how much that is.
    pub(super) fn largest(&self) -> (usize, usize) {
        let sizes = self.columns.iter().map(ColumnWriter::memory_bytes).enumerate();
        sizes.max_by_key(|&(_, bytes)| bytes).unwrap_or_default()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.columns.iter().map(ColumnWriter::memory_bytes).sum::<usize>()
            + self.sets.iter().map(RowSetWriter::memory_bytes).sum::<usize>()
    }

    pub(super) fn write(self, rows: u32, is_single: bool, out: &mut Output<'_>) -> Result<TablePlace> {
        let mut place = TablePlace::default();
        for (place, set) in place.sets.iter_mut().zip(&self.sets) {
            *place = set.write(rows, out)?;
        }
        for (n, column) in self.columns.into_iter().enumerate() {
            if !column.is_empty() {
                let are_texts = matches!(n, part::STRINGS | part::BYTES);
                place.columns[n] = Some(column.write(rows, (are_texts, is_single), out)?);
            }
        }
        Ok(place)
    }
}
