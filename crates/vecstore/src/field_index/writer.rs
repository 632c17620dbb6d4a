//! The writer: documents in order of row in, one section out.

use super::Caps;
use super::choices::{Choice, FieldChoices};
use super::column_writer::ColumnWriter;
use super::interner::Interner;
use super::layout::{END_BYTES, FieldPlace, MAGIC};
use super::number::Key;
use super::row_set_writer::RowSetWriter;
use super::table_writer::TableWriter;
use super::walk::{Found, Walk};
use crate::codec::WriteFields;
use crate::error::Result;
use crate::metadata::{DocumentRef, ValueRef};

/// After so many rows the memory is added up; in between it grows by 100 KiB or so with records of common size.
const MEMORY_CHECK_ROWS: u32 = 256;

/// Where the bytes of a section go, in order.
pub(super) struct Output<'a> {
    sink: &'a mut dyn FnMut(&[u8]) -> Result<()>,
    buffer: Vec<u8>,
    written: u64,
}

/// Many fields have few bytes; the sink gets more at once.
const OUTPUT_BYTES: usize = 64 << 10;

impl Output<'_> {
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<()> {
        if self.buffer.len() + bytes.len() > OUTPUT_BYTES {
            self.flush()?;
        }
        if bytes.len() >= OUTPUT_BYTES {
            self.written += bytes.len() as u64;
            return (self.sink)(bytes);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        (self.sink)(&self.buffer)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Fills up to a multiple of 8 and returns the position.
    pub(super) fn align(&mut self) -> Result<u64> {
        let position = self.written + self.buffer.len() as u64;
        let aligned = position.next_multiple_of(8);
        self.put(&[0; 8][..(aligned - position) as usize])?;
        Ok(aligned)
    }
}

/// What is known of one path.
#[derive(Debug, Default)]
struct FieldColumns {
    exists: RowSetWriter,
    values: TableWriter,
    elements: TableWriter,
    sizes: ColumnWriter,
    /// The last row that had the path.
    last_row: Option<u32>,
    choice: Option<Choice>,
}

impl FieldColumns {
    fn chosen(choice: Option<Choice>) -> Self {
        let table = || {
            choice.map_or_else(TableWriter::default, |choice| {
                TableWriter::holding(|column| choice.holds(column))
            })
        };
        Self { values: table(), elements: table(), choice, ..Self::default() }
    }

    fn memory_bytes(&self) -> usize {
        self.exists.memory_bytes()
            + self.values.memory_bytes()
            + self.elements.memory_bytes()
            + self.sizes.memory_bytes()
    }
}

/// Collects the fields of the rows of a segment. Holds at most 16 MiB, or 192 bytes for each row it is made for, of values (and
/// what the paths take that an index was asked for on);
/// beside them up to 8 bytes for each path that a row has (none while all rows have it), and while it writes, about as
/// much again as the column at hand.
#[derive(Debug)]
pub(crate) struct FieldWriter {
    rows: u32,
    next: u32,
    paths: Interner,
    /// The paths from the start that there are choices for, or that lead to such.
    reserved: usize,
    fields: Vec<FieldColumns>,
    /// Rows that are left to their documents altogether.
    opaque: RowSetWriter,
    /// Rows with a path that has no columns.
    partial: RowSetWriter,
    path: Vec<u8>,
    caps: Caps,
    /// Of paths that were asked for.
    asked_caps: Caps,
}

impl FieldWriter {
    /// Makes a writer for `rows` rows.
    pub(crate) fn new(rows: usize, choices: &FieldChoices) -> Self {
        Self::with_caps(rows, Caps::new(rows), choices)
    }

    pub(super) fn with_caps(rows: usize, caps: Caps, choices: &FieldChoices) -> Self {
        let (mut paths, mut fields) = (Interner::default(), Vec::new());
        let resolved = choices.resolved();
        for (path, choice) in &resolved {
            paths.intern(path.as_bytes());
            fields.push(FieldColumns::chosen(Some(*choice)));
        }
        for (path, _) in resolved.iter().filter(|(_, choice)| *choice != Choice::Dropped) {
            path.match_indices('.').for_each(|(dot, _)| _ = paths.intern(&path.as_bytes()[..dot]));
        }
        fields.resize_with(paths.len(), FieldColumns::default);
        Self {
            rows: rows as u32,
            next: 0,
            reserved: paths.len(),
            paths,
            fields,
            opaque: RowSetWriter::default(),
            partial: RowSetWriter::default(),
            path: Vec::new(),
            caps,
            asked_caps: caps.asked(rows),
        }
    }

    /// Returns whether no row has had metadata.
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.iter().all(|field| field.last_row.is_none())
            && self.opaque.memory_bytes() + self.partial.memory_bytes() == 0
    }

    /// Adds the document of the next row; `None` if it cannot be read.
    pub(crate) fn push(&mut self, document: Option<DocumentRef<'_>>) {
        let row = self.next;
        self.next += 1;
        let Some(document) = document else {
            self.opaque.push(row);
            return;
        };
        let mut found = Vec::new();
        let (paths, caps, reserved) = (&mut self.paths, self.caps, self.reserved);
        let mut number = |path: &[u8], is_within| match paths.find(path) {
            Some(found) => Some(found),
            None => (is_within && paths.len() - reserved < caps.paths).then(|| paths.intern(path)),
        };
        let mut walk = Walk::new(&mut found, &mut number, caps);
        walk.map(document, &mut self.path, 0);
        let mut outcome = walk.outcome;
        self.fields.resize_with(self.paths.len(), FieldColumns::default);
        // Nothing of an opaque row may be in a column, so what it has is looked through before any of it is added.
        for found in &found {
            let last_row = &mut self.fields[found.path as usize].last_row;
            outcome.is_opaque |= last_row.replace(row) == Some(row);
        }
        if outcome.is_opaque {
            self.opaque.push(row);
            return;
        }
        if outcome.is_partial {
            self.partial.push(row);
        }
        found.iter().for_each(|found| self.add(row, found));
        if self.next.is_multiple_of(MEMORY_CHECK_ROWS) {
            self.keep_within_memory();
        }
    }

    fn add(&mut self, row: u32, found: &Found<'_>) {
        let field = &mut self.fields[found.path as usize];
        field.exists.push(row);
        let caps = if field.choice.is_some() { self.asked_caps } else { self.caps };
        field.values.push(row, found.value, caps);
        if let ValueRef::List(list) = found.value {
            let mut len = 0;
            for item in list.iter().flatten() {
                len += 1;
                field.elements.push(row, item, caps);
            }
            field.sizes.push_key(row, Key::of_int(len));
        }
    }

    fn keep_within_memory(&mut self) {
        let is_automatic = |field: &FieldColumns| field.choice.is_none();
        loop {
            let automatic = self.fields.iter().filter(|field| is_automatic(field));
            if automatic.map(FieldColumns::memory_bytes).sum::<usize>() <= self.caps.writer_bytes {
                return;
            }
            let automatic = self.fields.iter_mut().filter(|field| is_automatic(field));
            let tables = automatic.flat_map(|field| [&mut field.values, &mut field.elements]);
            let Some(table) = tables.max_by_key(|table| table.largest().1) else { return };
            let (column, bytes) = table.largest();
            if bytes == 0 {
                return; // only row sets and lengths are left, which are bounded by the rows and the paths
            }
            table.drop_column(column);
        }
    }

    /// Writes the section to `sink`, piece by piece.
    pub(crate) fn finish(mut self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.keep_within_memory();
        let mut out = Output { sink, buffer: Vec::with_capacity(OUTPUT_BYTES), written: 0 };
        let mut order: Vec<u32> = (0..self.paths.len() as u32).collect();
        order.sort_unstable_by_key(|&number| self.paths.get(number));
        let mut fields = Vec::new();
        let (mut path_ends, mut field_ends, mut text) = (Vec::new(), Vec::new(), Vec::new());
        for number in order {
            let field = std::mem::take(&mut self.fields[number as usize]);
            let sizes = (!field.sizes.is_empty()).then_some(field.sizes);
            let place = FieldPlace {
                exists: field.exists.write(self.rows, &mut out)?,
                values: field.values.write(self.rows, true, &mut out)?,
                elements: field.elements.write(self.rows, false, &mut out)?,
                sizes: sizes.map(|sizes| sizes.write(self.rows, (false, true), &mut out)).transpose()?,
                choice: field.choice.map_or(0, Choice::code),
            };
            place.encode(&mut fields);
            field_ends.put_u32(fields.len() as u32);
            text.put(self.paths.get(number));
            path_ends.put_u32(text.len() as u32);
        }
        self.opaque.write(self.rows, &mut out)?.encode(&mut fields);
        self.partial.write(self.rows, &mut out)?.encode(&mut fields);
        let offset = out.align()?;
        let len = path_ends.len() + field_ends.len() + text.len() + fields.len();
        for bytes in [path_ends, field_ends, text.clone(), fields] {
            out.put(&bytes)?;
        }
        let mut end = Vec::with_capacity(END_BYTES);
        end.put_u64(offset);
        end.put_u32(len as u32);
        end.put_u32(self.rows);
        end.put_u16(self.paths.len() as u16);
        end.put_u16(self.caps.value_bytes as u16);
        end.put_u32(text.len() as u32);
        end.put(MAGIC);
        out.put(&end)?;
        out.flush()
    }
}
