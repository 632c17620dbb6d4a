//! What a section has of each path, in figures.

use super::column::{Column, Entry};
use super::field::Table;
use super::layout::part;
use super::reader::FieldIndex;
use crate::error::Result;

/// The field of one path in one segment, in figures.
#[derive(Clone, Debug)]
pub(crate) struct FieldSummary<'a> {
    pub(crate) path: &'a str,
    pub(crate) types: Vec<&'static str>,
    /// Rows that have the path.
    pub(crate) records: usize,
    /// Rows with a value that no column has.
    pub(crate) unindexed: usize,
    pub(crate) bytes: u64,
    tables: [Table<'a>; 2],
}

const SET_TYPES: [(usize, &str); 5] = [
    (part::NULLS, "null"),
    (part::FALSES, "bool"),
    (part::TRUES, "bool"),
    (part::LISTS, "list"),
    (part::MAPS, "map"),
];
const COLUMN_TYPES: [(usize, &str); part::COLUMNS] =
    [(part::NUMBERS, "number"), (part::STRINGS, "string"), (part::BYTES, "bytes"), (part::TIMES, "datetime")];

impl<'a> FieldIndex<'a> {
    /// Returns the figures of each path, in order.
    pub(crate) fn summaries(&self) -> impl Iterator<Item = Result<FieldSummary<'a>>> {
        let index = *self;
        (0..self.path_count()).map(move |n| index.summary(n))
    }

    fn summary(&self, n: u32) -> Result<FieldSummary<'a>> {
        let field = self.field_at(n)?;
        let tables = [field.values(), field.elements()];
        let mut types = Vec::new();
        let mut add = |name| {
            if !types.contains(&name) {
                types.push(name);
            }
        };
        for table in &tables {
            let sets = SET_TYPES.iter().filter(|&&(set, _)| !table.set(set).is_empty());
            sets.for_each(|&(_, name)| add(name));
            let columns = COLUMN_TYPES.iter().filter(|&&(column, _)| table.column(column).is_some());
            columns.for_each(|&(_, name)| add(name));
        }
        let mut words = vec![0; self.rows().div_ceil(64)];
        for table in &tables {
            table.set(part::LONG).scatter(&mut words)?;
            table.set(part::DROPPED).scatter(&mut words)?;
        }
        Ok(FieldSummary {
            path: self.path_text(n)?,
            types,
            records: field.exists().len(),
            unindexed: words.iter().map(|word| word.count_ones() as usize).sum(),
            bytes: field.bytes(),
            tables,
        })
    }
}

/// Returns how many distinct values some fields of the same path have together.
pub(crate) fn count_distinct(fields: &[FieldSummary<'_>]) -> Result<usize> {
    let tables = || fields.iter().flat_map(|field| &field.tables);
    let mut count = 0;
    for set in [part::NULLS, part::FALSES, part::TRUES] {
        count += usize::from(tables().any(|table| !table.set(set).is_empty()));
    }
    for column in 0..part::COLUMNS {
        let columns: Vec<Column<'_>> = tables().filter_map(|table| table.column(column)).collect();
        count += match &columns[..] {
            [column] => column.distinct() as usize,
            columns => merged_len(columns)?,
        };
    }
    Ok(count)
}

fn entry<'a>(column: &Column<'a>, n: u32) -> Result<Option<Entry<'a>>> {
    (n < column.distinct()).then(|| column.entry(n)).transpose()
}

/// Counts the values of columns whose values are in order.
fn merged_len(columns: &[Column<'_>]) -> Result<usize> {
    let mut heads: Vec<(u32, Option<Entry<'_>>)> =
        columns.iter().map(|column| Ok((0, entry(column, 0)?))).collect::<Result<_>>()?;
    let mut count = 0;
    while let Some(least) = heads.iter().filter_map(|(_, entry)| *entry).min() {
        count += 1;
        for ((next, head), column) in heads.iter_mut().zip(columns) {
            if *head == Some(least) {
                *next += 1;
                *head = entry(column, *next)?;
            }
        }
    }
    Ok(count)
}
