//! Reading of a section: which lists there are, and how long the texts of the rows.

use std::ops::Range;

use vecstore_interrupt::Interrupt;

use super::cursor::{Cursor, Weight, malformed};
use super::{BLOCK_ROWS, END_BYTES, FIELD_BYTES, INFO_BYTES, MAGIC, SPARSE};
use crate::codec::Reader;
use crate::error::{Error, Result};
use crate::field_index::Source;

/// Texts of one field, and terms in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldTotals {
    pub(crate) rows: u64,
    pub(crate) terms: u64,
}

#[derive(Clone, Copy, Debug)]
struct Field {
    totals: FieldTotals,
    lengths: usize,
    width: usize,
}

/// How many terms the text of each row has, plus 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lengths<'a> {
    bytes: &'a [u8],
    width: usize,
}

impl<'a> Lengths<'a> {
    /// Those of lists that need none.
    pub(crate) const NONE: Self = Self { bytes: &[], width: 0 };

    /// Returns the terms of a row's text; `None` if it has no text.
    pub(crate) fn of(&self, row: u32) -> Option<u32> {
        self.stored(row).checked_sub(1)
    }

    pub(super) fn get(&self, row: u32) -> u32 {
        self.stored(row).saturating_sub(1)
    }

    #[inline]
    fn stored(&self, row: u32) -> u32 {
        let row = row as usize;
        match self.width {
            1 => self.bytes.get(row).map_or(0, |&length| u32::from(length)),
            2 => self.at::<2>(row).map_or(0, |bytes| u32::from(u16::from_le_bytes(bytes))),
            4 => self.at::<4>(row).map_or(0, u32::from_le_bytes),
            _ => 0,
        }
    }

    fn at<const N: usize>(&self, row: usize) -> Option<[u8; N]> {
        self.bytes.get(row * N..)?.first_chunk().copied()
    }

    pub(super) fn gather(&self, rows: &[u32], out: &mut [u32; BLOCK_ROWS]) {
        if self.width == 1 {
            for (out, &row) in out.iter_mut().zip(rows) {
                *out = self.bytes.get(row as usize).map_or(0, |&length| u32::from(length).saturating_sub(1));
            }
        } else {
            out.iter_mut().zip(rows).for_each(|(out, &row)| *out = self.get(row));
        }
    }
}

/// Where the rows of a term are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    One { row: u32, value: u32 },
    Words(&'a [u32]),
}

/// The rows that have a term.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List<'a> {
    /// Which term of the index it is.
    pub(crate) ordinal: usize,
    /// How many rows there are.
    pub(crate) rows: u32,
    /// The field, or [`SPARSE`].
    field: u8,
    pub(super) place: Place<'a>,
    pub(super) bound: [u32; 2],
}

impl List<'_> {
    pub(crate) fn is_sparse(&self) -> bool {
        self.field == SPARSE
    }
}

/// The inverted index of one section, open.
#[derive(Clone)]
pub(crate) struct TextIndex<'a> {
    source: &'a dyn Source,
    start: usize,
    rows: usize,
    terms: usize,
    fields: Vec<Field>,
    /// Checked when first asked for, as what follows.
    ends: Range<usize>,
    keys: Range<usize>,
    infos: Range<usize>,
}

impl<'a> TextIndex<'a> {
    /// Opens the section at `range` of a source, over `rows` rows.
    pub(crate) fn open(source: &'a dyn Source, range: Range<usize>, rows: usize) -> Result<Self> {
        let end = range.len().checked_sub(END_BYTES).ok_or_else(misplaced)?;
        let mut reader = Reader::new(source.bytes(range.start + end..range.end)?, "text index");
        let offset = |reader: &mut Reader<'_>| {
            let offset = usize::try_from(reader.u64()?).ok().filter(|&offset| offset <= end);
            offset.ok_or_else(misplaced)
        };
        let (ends, keys) = (offset(&mut reader)?, offset(&mut reader)?);
        let (infos, fields) = (offset(&mut reader)?, offset(&mut reader)?);
        let (terms, found_rows) = (reader.u32()? as usize, reader.u32()? as usize);
        let (field_count, zero) = (reader.u32()? as usize, reader.u32()?);
        let zeros = reader.u64()?;
        let fits = reader.bytes(8)? == MAGIC
            && zero == 0
            && zeros == 0
            && found_rows == rows
            && ends % 4 == 0
            && infos % 8 == 0
            && keys == ends + 4 * terms
            && keys <= infos
            && fields == infos + INFO_BYTES * terms
            && end == fields + FIELD_BYTES * field_count;
        if !fits {
            return Err(misplaced());
        }
        let mut reader = Reader::new(source.bytes(range.start + fields..range.start + end)?, "text index");
        let mut field = || {
            let totals = FieldTotals { rows: reader.u64()?, terms: reader.u64()? };
            let (lengths, width) = (reader.u64()? as usize, reader.u64()? as usize);
            let fits = matches!(width, 0 | 1 | 2 | 4)
                && lengths.checked_add(width * rows).is_some_and(|behind| behind <= ends)
                && totals.rows <= rows as u64;
            if fits { Ok(Field { totals, lengths, width }) } else { Err(misplaced()) }
        };
        let fields = (0..field_count).map(|_| field()).collect::<Result<Vec<_>>>()?;
        let at = |from: usize, len: usize| range.start + from..range.start + from + len;
        Ok(Self {
            source,
            start: range.start,
            rows,
            terms,
            fields,
            ends: at(ends, 4 * terms),
            keys: at(keys, infos - keys),
            infos: at(infos, INFO_BYTES * terms),
        })
    }

    /// Returns how many rows have a text in a field, and how many terms those have.
    pub(crate) fn totals(&self, field: usize) -> FieldTotals {
        self.fields.get(field).map_or_else(FieldTotals::default, |field| field.totals)
    }

    /// Returns the lengths of the texts in a field.
    pub(crate) fn lengths(&self, field: usize) -> Result<Lengths<'a>> {
        let Some(field) = self.fields.get(field) else { return Ok(Lengths::NONE) };
        let start = self.start + field.lengths;
        Ok(Lengths { bytes: self.source.bytes(start..start + field.width * self.rows)?, width: field.width })
    }

    fn dictionary(&self) -> Result<(&'a [u32], &'a [u8])> {
        Ok((words(self.source.bytes(self.ends.clone())?)?, self.source.bytes(self.keys.clone())?))
    }

    fn key<'k>(ends: &[u32], keys: &'k [u8], term: usize) -> Result<&'k [u8]> {
        let start = if term == 0 { 0 } else { ends[term - 1] };
        keys.get(start as usize..ends[term] as usize).ok_or_else(misplaced)
    }

    /// Returns the first term whose key is not before `key`.
    fn position(ends: &[u32], keys: &[u8], key: &[u8]) -> Result<usize> {
        let (mut low, mut high) = (0, ends.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if Self::key(ends, keys, middle)? < key { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }

    /// Returns the list of a key.
    pub(crate) fn find(&self, key: &[u8]) -> Result<Option<List<'a>>> {
        let (ends, keys) = self.dictionary()?;
        let term = Self::position(ends, keys, key)?;
        if term == self.terms || Self::key(ends, keys, term)? != key {
            return Ok(None);
        }
        self.list(term, key[0]).map(Some)
    }

    /// Calls `each` with every key that starts with a prefix, in order, and its list.
    pub(crate) fn for_each_with_prefix(
        &self,
        prefix: &[u8],
        mut each: impl FnMut(&'a [u8], List<'a>) -> Result<()>,
    ) -> Result<()> {
        let (ends, keys) = self.dictionary()?;
        for term in Self::position(ends, keys, prefix)?..self.terms {
            let key = Self::key(ends, keys, term)?;
            if !key.starts_with(prefix) {
                break;
            }
            each(key, self.list(term, key[0])?)?;
        }
        Ok(())
    }

    fn list(&self, ordinal: usize, field: u8) -> Result<List<'a>> {
        let start = self.infos.start + ordinal * INFO_BYTES;
        let mut reader = Reader::new(self.source.bytes(start..start + INFO_BYTES)?, "text index");
        let (place, rows, len) = (reader.u64()?, reader.u32()?, reader.u32()? as usize);
        let bound = [reader.u32()?, reader.u32()?];
        let place = if len == 0 {
            if rows != 1 || place as u32 as usize >= self.rows {
                return Err(malformed());
            }
            Place::One { row: place as u32, value: (place >> 32) as u32 }
        } else {
            let place = usize::try_from(place).ok().filter(|place| place % 4 == 0);
            let within = self.ends.start - self.start;
            let end = place.and_then(|place| place.checked_add(len * 4)).filter(|&end| end <= within);
            let (Some(place), Some(end)) = (place, end) else { return Err(malformed()) };
            if rows == 0 || rows as usize > self.rows {
                return Err(malformed());
            }
            Place::Words(words(self.source.bytes(self.start + place..self.start + end)?)?)
        };
        Ok(List { ordinal, rows, field, place, bound })
    }

    /// Opens a list for a walk.
    pub(crate) fn cursor(&self, list: &List<'a>, weight: Weight) -> Result<Cursor<'a>> {
        let lengths = if list.is_sparse() { Lengths::NONE } else { self.lengths(usize::from(list.field))? };
        Cursor::new(list, lengths, weight)
    }

    /// Checks that everything can be read and is in order.
    pub(crate) fn verify(&self) -> Result<()> {
        let (ends, keys) = self.dictionary()?;
        let mut before: Option<&[u8]> = None;
        for term in 0..self.terms {
            Error::check_interrupt(&Interrupt::current())?;
            let key = Self::key(ends, keys, term)?;
            if before.is_some_and(|before| before >= key) || key.len() < 2 {
                return Err(Error::corrupted("the terms of the text index are not in order"));
            }
            before = Some(key);
            let list = self.list(term, key[0])?;
            let weight = match list.is_sparse() {
                true => Weight::Sparse { weight: 1.0 },
                false => Weight::Text { weight: 1.0, base: 0.5, slope: 0.1 },
            };
            self.cursor(&list, weight)?.verify(self.rows as u32)?;
        }
        for (n, field) in self.fields.iter().enumerate() {
            let lengths = self.lengths(n)?;
            let mut totals = FieldTotals::default();
            for length in (0..self.rows as u32).filter_map(|row| lengths.of(row)) {
                totals.rows += 1;
                totals.terms += u64::from(length);
            }
            if totals != field.totals {
                return Err(Error::corrupted("the lengths of the text index do not add up"));
            }
        }
        Ok(())
    }
}

fn words(bytes: &[u8]) -> Result<&[u32]> {
    if bytes.is_empty() {
        return Ok(&[]); // which may lie anywhere
    }
    bytemuck::try_cast_slice(bytes)
        .map_err(|_| Error::unsupported("the file system maps files at addresses that are no multiple of 4"))
}

fn misplaced() -> Error {
    Error::corrupted("the text index is malformed")
}
