//! Opening a section, and finding the field of a path in it.

use std::cmp::Ordering;
use std::ops::Range;

use super::Source;
use super::choices::{Choice, FieldChoices};
use super::field::Field;
use super::layout::{END_BYTES, FieldPlace, MAGIC, SetPlace};
use super::plan::Plan;
use super::stored_set::StoredSet;
use crate::codec::Reader;
use crate::error::{Error, Result};
use crate::filter::Matcher;

/// A section of a source.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    source: &'a dyn Source,
    start: usize,
    len: usize,
    /// The rows of the segment.
    pub(super) rows: usize,
    /// The longest string in a column, in bytes.
    pub(super) longest: usize,
    /// The most distinct texts that a condition may be tried on.
    pub(super) tried_texts_max: u32,
}

impl std::fmt::Debug for Section<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Section").field("start", &self.start).field("len", &self.len).finish_non_exhaustive()
    }
}

impl<'a> Section<'a> {
    /// Returns `len` bytes from `offset` of the section on.
    pub(super) fn bytes(&self, offset: u64, len: usize) -> Result<&'a [u8]> {
        let start = usize::try_from(offset).ok().filter(|&start| start <= self.len);
        match start {
            Some(start) if len <= self.len - start => {
                self.source.bytes(self.start + start..self.start + start + len)
            }
            _ => Err(self.corrupted("something is beyond the section")),
        }
    }

    pub(super) fn u32_at(&self, offset: u64) -> Result<u32> {
        let bytes = self.bytes(offset, 4)?;
        Ok(u32::from_le_bytes(bytes.try_into().map_err(|_| self.corrupted("a number is cut short"))?))
    }

    pub(super) fn u64_at(&self, offset: u64) -> Result<u64> {
        let bytes = self.bytes(offset, 8)?;
        Ok(u64::from_le_bytes(bytes.try_into().map_err(|_| self.corrupted("a number is cut short"))?))
    }

    #[cold]
    pub(super) fn corrupted(&self, what: &str) -> Error {
        Error::corrupted(format!("field index: {what}"))
    }
}

/// The field index of a segment: a view that is made in about 50 ns and reads bytes as they are needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldIndex<'a> {
    section: Section<'a>,
    paths: u32,
    /// Offsets of the parts of the directory.
    path_ends: u64,
    field_ends: u64,
    text: u64,
    fields: u64,
    text_len: u32,
    /// Rows that no column tells of.
    pub(super) opaque: StoredSet<'a>,
    /// Rows with a path that is not in the directory.
    pub(super) partial: StoredSet<'a>,
}

impl<'a> FieldIndex<'a> {
    /// Opens the section in `range` of `source`, of a segment of `rows` rows. O(1).
    ///
    /// # Errors
    ///
    /// `Corrupted` if it is not a field index for so many rows.
    pub(crate) fn open(source: &'a dyn Source, range: Range<usize>, rows: usize) -> Result<Self> {
        let mut section = Section {
            source,
            start: range.start,
            len: range.len(),
            rows,
            longest: 0,
            tried_texts_max: u32::MAX,
        };
        let end = range.len().checked_sub(END_BYTES).ok_or_else(|| section.corrupted("it is too short"))?;
        let mut reader = Reader::new(section.bytes(end as u64, END_BYTES)?, "field index");
        let offset = reader.u64()?;
        let (len, found_rows) = (reader.u32()?, reader.u32()?);
        let (paths, longest, text_len) = (u32::from(reader.u16()?), reader.u16()?, reader.u32()?);
        section.longest = longest.into();
        if reader.bytes(8)? != MAGIC || found_rows as usize != rows {
            return Err(section.corrupted("it does not end as one of this segment does"));
        }
        let path_ends = offset;
        let field_ends = path_ends.saturating_add(u64::from(paths) * 4);
        let text = field_ends.saturating_add(u64::from(paths) * 4);
        let fields = text.saturating_add(u64::from(text_len));
        if offset.checked_add(len.into()) != Some(end as u64) || fields > end as u64 {
            return Err(section.corrupted("the directory does not fit"));
        }
        let none = StoredSet::new(section, SetPlace::default());
        let mut index = Self {
            section,
            paths,
            path_ends,
            field_ends,
            text,
            fields,
            text_len,
            opaque: none,
            partial: none,
        };
        let fields_len =
            if paths == 0 { 0 } else { section.u32_at(field_ends + u64::from(paths - 1) * 4)? };
        let sets = fields + u64::from(fields_len);
        let len =
            (end as u64).checked_sub(sets).ok_or_else(|| section.corrupted("the directory is cut short"))?;
        let mut reader = Reader::new(section.bytes(sets, len as usize)?, "field index");
        index.opaque = StoredSet::new(section, SetPlace::decode(&mut reader)?);
        index.partial = StoredSet::new(section, SetPlace::decode(&mut reader)?);
        reader.finish()?;
        Ok(index)
    }

    /// Returns the number of rows of the segment.
    pub(crate) fn rows(&self) -> usize {
        self.section.rows
    }

    /// Works out how a filter reads the columns. O(conditions), and O(distinct strings) for each condition that tries
    /// them one by one (`$regex`, `$ends_with`, `$text`, a substring, a time among strings); nothing else grows with the
    /// rows.
    ///
    /// # Errors
    ///
    /// This and what is asked of the plan: `Corrupted`.
    pub(crate) fn plan(&self, matcher: &Matcher) -> Result<Plan<'a>> {
        Plan::new(self, &matcher.root)
    }

    /// Does what `plan` does, but leaves conditions to the documents that would try more than `texts_max` strings (each
    /// takes about 50 ns): for searches that look at few rows.
    pub(crate) fn plan_trying(&self, matcher: &Matcher, texts_max: u32) -> Result<Plan<'a>> {
        let section = Section { tried_texts_max: texts_max, ..self.section };
        Plan::new(&Self { section, ..*self }, &matcher.root)
    }

    /// Returns whether the section is what it would be if it were written anew under these choices.
    pub(crate) fn honors(&self, choices: &FieldChoices) -> Result<bool> {
        for (path, choice) in choices.resolved() {
            let honors = match self.field(&path)? {
                Some(field) => field.honors(choice),
                // No row has the path, unless it was left out.
                None => choice == Choice::Dropped || self.partial.is_empty(),
            };
            if !honors {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads every column and row set. Returns the first thing that is malformed.
    pub(crate) fn verify(&self) -> Result<()> {
        let mut words = vec![0; self.rows().div_ceil(64)];
        self.opaque.scatter(&mut words)?;
        self.partial.scatter(&mut words)?;
        for n in 0..self.paths {
            if n > 0 && self.path(n - 1)? >= self.path(n)? {
                return Err(self.section.corrupted("the paths are not in order"));
            }
            self.field_at(n)?.verify(&mut words)?;
        }
        Ok(())
    }

    pub(super) fn section(&self) -> Section<'a> {
        self.section
    }

    pub(super) fn path_count(&self) -> u32 {
        self.paths
    }

    pub(super) fn path_text(&self, n: u32) -> Result<&'a str> {
        std::str::from_utf8(self.path(n)?).map_err(|_| self.section.corrupted("a path is no text"))
    }

    /// Returns whether some row has the path, as far as it is indexed.
    pub(crate) fn has_path(&self, path: &str) -> Result<bool> {
        Ok(self.field(path)?.is_some_and(|field| !field.exists().is_empty()))
    }

    fn path(&self, n: u32) -> Result<&'a [u8]> {
        let (start, end) = self.item(self.path_ends, n)?;
        if end > self.text_len {
            return Err(self.section.corrupted("a path is beyond the directory"));
        }
        self.section.bytes(self.text + u64::from(start), (end - start) as usize)
    }

    /// Returns where item `n` starts and ends.
    fn item(&self, ends: u64, n: u32) -> Result<(u32, u32)> {
        let start = if n == 0 { 0 } else { self.section.u32_at(ends + u64::from(n - 1) * 4)? };
        let end = self.section.u32_at(ends + u64::from(n) * 4)?;
        if start > end {
            return Err(self.section.corrupted("the directory is not in order"));
        }
        Ok((start, end))
    }

    pub(super) fn field_at(&self, n: u32) -> Result<Field<'a>> {
        let (start, end) = self.item(self.field_ends, n)?;
        let bytes = self.section.bytes(self.fields + u64::from(start), (end - start) as usize)?;
        Ok(Field::new(self.section, FieldPlace::decode(bytes)?))
    }

    /// Returns the field at exactly this path.
    pub(super) fn field(&self, path: &str) -> Result<Option<Field<'a>>> {
        let (mut low, mut high) = (0, self.paths);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.path(middle)?.cmp(path.as_bytes()) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return self.field_at(middle).map(Some),
            }
        }
        Ok(None)
    }
}
