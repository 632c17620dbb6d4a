//! Reading of columns: where a value is, how many rows have it, and which.

use std::ops::Range;

use super::layout::{ColumnPlace, Values};
use super::number::Key;
use super::ordinals::Ordinals;
use super::reader::Section;
use super::row_ids::clear_tail;
use crate::error::Result;
use crate::storage::row_set::Bits;

/// Returns the bytes that a row takes in a segment of `rows` rows.
pub(super) fn row_width(rows: usize) -> usize {
    if rows <= 1 << 16 { 2 } else { 4 }
}

/// A value of a column; values of one column are in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entry<'a> {
    Key(Key),
    Text(&'a [u8]),
}

/// A column; its bytes are read when they are used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column<'a> {
    section: Section<'a>,
    place: ColumnPlace,
    /// Where the parts after the values start.
    texts: u64,
    ends: u64,
    dense: u64,
    bitmaps: u64,
    rows: u64,
    ordinals: u64,
}

impl<'a> Column<'a> {
    pub(super) fn new(section: Section<'a>, place: ColumnPlace) -> Self {
        // Forged counts saturate, and are beyond the section then.
        let [distinct, entries, dense, dense_entries] =
            [place.distinct, place.entries, place.dense, place.dense_entries].map(u64::from);
        let after_values = match place.values {
            Values::Keys => place.offset.saturating_add(distinct * 8),
            Values::WideKeys => place.offset.saturating_add(distinct * 16),
            Values::Texts => place.offset.saturating_add(distinct * 4),
        };
        let ends = after_values.saturating_add(place.text_bytes);
        let dense_start = ends.saturating_add(if place.is_unique { 0 } else { distinct * 4 });
        let bitmaps = dense_start.saturating_add(dense * 8);
        let words = section.rows.div_ceil(64) as u64;
        let rows = bitmaps.saturating_add((dense * 8).saturating_mul(words));
        let width = row_width(section.rows) as u64;
        let ordinals = rows.saturating_add(entries.saturating_sub(dense_entries) * width);
        Self { section, place, texts: after_values, ends, dense: dense_start, bitmaps, rows, ordinals }
    }

    /// Returns whether two columns of one segment are the same.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.place.offset == other.place.offset
    }

    pub(super) fn distinct(&self) -> u32 {
        self.place.distinct
    }

    pub(super) fn has_times(&self) -> bool {
        self.place.has_times
    }

    /// Returns the bytes it takes.
    pub(super) fn bytes(&self) -> u64 {
        let ordinals = self.section.rows as u64 * u64::from(self.place.ordinal_width);
        self.ordinals.saturating_add(ordinals).saturating_sub(self.place.offset)
    }

    /// Returns a value by its ordinal.
    pub(super) fn entry(&self, n: u32) -> Result<Entry<'a>> {
        match self.place.values {
            Values::Texts => self.text_at(n).map(Entry::Text),
            Values::Keys | Values::WideKeys => self.key_at(n).map(Entry::Key),
        }
    }

    fn u32_at(&self, start: u64, n: u32) -> Result<u32> {
        self.section.u32_at(start.saturating_add(u64::from(n) * 4))
    }

    fn key_at(&self, n: u32) -> Result<Key> {
        let upper = self.section.u64_at(self.place.offset.saturating_add(u64::from(n) * 8))?;
        if self.place.values == Values::Keys {
            return Ok(Key { upper, lower: Key::WHOLE });
        }
        let at = (u64::from(self.place.distinct) + u64::from(n)) * 8;
        Ok(Key { upper, lower: self.section.u64_at(self.place.offset.saturating_add(at))? })
    }

    fn text_at(&self, n: u32) -> Result<&'a [u8]> {
        let start = if n == 0 { 0 } else { self.u32_at(self.place.offset, n - 1)? };
        let end = self.u32_at(self.place.offset, n)?;
        if start > end || u64::from(end) > self.place.text_bytes {
            return Err(self.section.corrupted("a text is beyond its column"));
        }
        self.section.bytes(self.texts + u64::from(start), (end - start) as usize)
    }

    /// Returns the first ordinal of which `is_before` is false.
    fn partition(&self, mut is_before: impl FnMut(u32) -> Result<bool>) -> Result<u32> {
        let (mut low, mut high) = (0, self.place.distinct);
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(middle)? { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }

    /// Returns the number of keys below `key`, or also equal to it.
    pub(super) fn keys_before(&self, key: Key, or_equal: bool) -> Result<u32> {
        if self.place.values == Values::Texts {
            return Err(self.section.corrupted("a column of texts stands where keys should"));
        }
        self.partition(|n| self.key_at(n).map(|found| found < key || or_equal && found == key))
    }

    /// Returns the number of texts below `text`, or also equal to it.
    pub(super) fn texts_before(&self, text: &[u8], or_equal: bool) -> Result<u32> {
        self.check_texts()?;
        self.partition(|n| self.text_at(n).map(|found| found < text || or_equal && found == text))
    }

    fn check_texts(&self) -> Result<()> {
        if self.place.values == Values::Texts {
            return Ok(());
        }
        Err(self.section.corrupted("a column of keys stands where texts should"))
    }

    pub(super) fn find_key(&self, key: Key) -> Result<Option<u32>> {
        let at = self.keys_before(key, false)?;
        Ok((at < self.place.distinct && self.key_at(at)? == key).then_some(at))
    }

    pub(super) fn find_text(&self, text: &[u8]) -> Result<Option<u32>> {
        let at = self.texts_before(text, false)?;
        Ok((at < self.place.distinct && self.text_at(at)? == text).then_some(at))
    }

    /// Returns the ordinals of the texts that start with `prefix`.
    pub(super) fn with_prefix(&self, prefix: &[u8]) -> Result<Range<u32>> {
        let start = self.texts_before(prefix, false)?;
        let end =
            self.partition(|n| self.text_at(n).map(|found| found < prefix || found.starts_with(prefix)))?;
        Ok(start..end.max(start))
    }

    /// Tests every distinct text. Returns ranges of ordinals, or `None` if there are too many to try.
    pub(super) fn scan_texts(&self, mut test: impl FnMut(&str) -> bool) -> Result<Option<Vec<Range<u32>>>> {
        self.check_texts()?;
        if self.place.distinct > self.section.tried_texts_max {
            return Ok(None);
        }
        let ends = self.section.bytes(self.place.offset, self.place.distinct as usize * 4)?;
        let texts = self.section.bytes(self.texts, self.place.text_bytes as usize)?;
        let mut ranges: Vec<Range<u32>> = Vec::new();
        let mut start = 0;
        for (n, &end) in (0..).zip(ends.as_chunks().0) {
            let end = u32::from_le_bytes(end) as usize;
            let text = texts.get(start..end).and_then(|text| std::str::from_utf8(text).ok());
            start = end;
            if test(text.ok_or_else(|| self.section.corrupted("a text is malformed"))?) {
                match ranges.last_mut() {
                    Some(last) if last.end == n => last.end += 1,
                    _ => ranges.push(n..n + 1),
                }
            }
        }
        Ok(Some(ranges))
    }

    /// Returns how many entries have an ordinal below `ordinal`.
    fn entries_before(&self, ordinal: u32) -> Result<u32> {
        match ordinal {
            0 => Ok(0),
            _ if self.place.is_unique => Ok(ordinal),
            _ => self.u32_at(self.ends, ordinal - 1),
        }
    }

    /// Returns how many rows have a value in the range; with several values a row counts for each.
    pub(super) fn count(&self, range: &Range<u32>) -> Result<usize> {
        let (before, after) = (self.entries_before(range.start)?, self.entries_before(range.end)?);
        Ok(after.saturating_sub(before) as usize)
    }

    /// Returns how many dense values have an ordinal below `ordinal`, and their entries.
    fn dense_before(&self, ordinal: u32) -> Result<(u32, u32)> {
        let (mut low, mut high) = (0, self.place.dense);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.u32_at(self.dense, middle * 2)? < ordinal { low = middle + 1 } else { high = middle }
        }
        let entries = if low == 0 { 0 } else { self.u32_at(self.dense, low * 2 - 1)? };
        Ok((low, entries))
    }

    /// Returns the bitmaps of the dense values in a range, and the bytes of the rows of the others.
    fn rows_of(&self, range: &Range<u32>) -> Result<(&'a [[u8; 8]], &'a [u8])> {
        let (dense_start, entries_start) = self.dense_before(range.start)?;
        let (dense_end, entries_end) = self.dense_before(range.end)?;
        let words = self.section.rows.div_ceil(64);
        let bitmaps = self.section.bytes(
            self.bitmaps.saturating_add(u64::from(dense_start) * words as u64 * 8),
            (dense_end.saturating_sub(dense_start) as usize).saturating_mul(words * 8),
        )?;
        let start = self.entries_before(range.start)?.checked_sub(entries_start);
        let end = self.entries_before(range.end)?.checked_sub(entries_end);
        let width = row_width(self.section.rows);
        let (Some(start), Some(len)) =
            (start, end.zip(start).and_then(|(end, start)| end.checked_sub(start)))
        else {
            return Err(self.section.corrupted("the ends of a column do not ascend"));
        };
        let sparse = self.place.entries.saturating_sub(self.place.dense_entries);
        if start.checked_add(len).is_none_or(|end| end > sparse) {
            return Err(self.section.corrupted("the rows of a value are beyond their column"));
        }
        let offset = self.rows.saturating_add(u64::from(start) * width as u64);
        Ok((bitmaps.as_chunks().0, self.section.bytes(offset, len as usize * width)?))
    }

    /// Returns the ordinals of the rows, if they are stored.
    pub(super) fn ordinals(&self) -> Result<Option<Ordinals<'a>>> {
        let width = self.place.ordinal_width;
        let bytes = self.section.bytes(self.ordinals, self.section.rows * usize::from(width))?;
        Ok(Ordinals::new(bytes, width))
    }

    pub(super) fn has_ordinals(&self) -> bool {
        self.place.ordinal_width > 0
    }

    /// Sets the bits of the rows that have a value in the range.
    pub(super) fn scatter(&self, range: &Range<u32>, words: &mut [u64]) -> Result<()> {
        // Comparing an ordinal takes about 1/8 of the time of setting a bit.
        if range.len() > 1
            && self.has_ordinals()
            && self.count(range)? > self.section.rows / 8
            && let Some(ordinals) = self.ordinals()?
        {
            ordinals.scan(range, words);
            return Ok(());
        }
        let (bitmaps, sparse) = self.rows_of(range)?;
        for bitmap in bitmaps.chunks_exact(words.len().max(1)) {
            words.iter_mut().zip(bitmap).for_each(|(word, &stored)| *word |= u64::from_le_bytes(stored));
        }
        let mut is_within = true;
        let mut set = |row: u32| match words.get_mut(row as usize / 64) {
            Some(word) => *word |= 1 << (row % 64),
            None => is_within = false,
        };
        if row_width(self.section.rows) == 2 {
            sparse.as_chunks().0.iter().for_each(|&row| set(u16::from_le_bytes(row).into()));
        } else {
            sparse.as_chunks().0.iter().for_each(|&row| set(u32::from_le_bytes(row)));
        }
        clear_tail(words, self.section.rows);
        if is_within { Ok(()) } else { Err(self.section.corrupted("a row is beyond the last")) }
    }

    /// Appends the rows that have a value in the range: ascending if it is one value that is not dense, otherwise in any
    /// order.
    pub(super) fn collect(&self, range: &Range<u32>, rows: &mut Vec<u32>) -> Result<()> {
        let (bitmaps, sparse) = self.rows_of(range)?;
        for bitmap in bitmaps.chunks_exact(self.section.rows.div_ceil(64).max(1)) {
            for (n, &word) in (0u32..).zip(bitmap) {
                rows.extend(Bits(u64::from_le_bytes(word)).map(|bit| n * 64 + bit));
            }
        }
        if row_width(self.section.rows) == 2 {
            rows.extend(sparse.as_chunks().0.iter().map(|&row| u32::from(u16::from_le_bytes(row))));
        } else {
            rows.extend(sparse.as_chunks().0.iter().map(|&row| u32::from_le_bytes(row)));
        }
        Ok(())
    }

    /// Counts the rows that have each value, only those of `among` if it is given. Values that no row has are left out.
    pub(super) fn tally(
        &self,
        among: Option<&[u64]>,
        add: &mut dyn FnMut(u32, usize) -> Result<()>,
    ) -> Result<()> {
        let Some(among) = among else {
            for n in 0..self.place.distinct {
                let count = self.count(&(n..n + 1))?;
                if count > 0 {
                    add(n, count)?;
                }
            }
            return Ok(());
        };
        let (bitmaps, sparse) = self.rows_of(&(0..self.place.distinct))?;
        let width = row_width(self.section.rows);
        let words = self.section.rows.div_ceil(64);
        let (mut dense, mut at) = (0, 0);
        for n in 0..self.place.distinct {
            let count = if dense < self.place.dense && self.u32_at(self.dense, dense * 2)? == n {
                let bitmap = &bitmaps[dense as usize * words..(dense as usize + 1) * words];
                dense += 1;
                let both =
                    |(stored, among): (&[u8; 8], &u64)| (u64::from_le_bytes(*stored) & among).count_ones();
                bitmap.iter().zip(among).map(|pair| both(pair) as usize).sum()
            } else {
                let end = at + self.count(&(n..n + 1))? * width;
                let rows = sparse.get(at..end);
                at = end;
                let is_among =
                    |row: u32| among.get(row as usize / 64).is_some_and(|word| word >> (row % 64) & 1 == 1);
                let rows =
                    rows.ok_or_else(|| self.section.corrupted("the ends of a column do not ascend"))?;
                if width == 2 {
                    rows.as_chunks().0.iter().filter(|row| is_among(u16::from_le_bytes(**row).into())).count()
                } else {
                    rows.as_chunks().0.iter().filter(|row| is_among(u32::from_le_bytes(**row))).count()
                }
            };
            if count > 0 {
                add(n, count)?;
            }
        }
        Ok(())
    }

    /// Returns the bitmap of a value, if it is dense.
    pub(super) fn bitmap(&self, range: &Range<u32>) -> Result<Option<&'a [[u8; 8]]>> {
        if range.len() != 1 {
            return Ok(None);
        }
        let (bitmaps, _) = self.rows_of(range)?;
        Ok((!bitmaps.is_empty()).then_some(bitmaps))
    }

    /// Reads everything, setting bits of `words` on the way.
    pub(super) fn verify(&self, words: &mut [u64]) -> Result<()> {
        let malformed = |what| Err(self.section.corrupted(what));
        for n in 1..self.place.distinct {
            let ascends = match self.place.values {
                Values::Texts => self.text_at(n - 1)? < self.text_at(n)?,
                Values::Keys | Values::WideKeys => self.key_at(n - 1)? < self.key_at(n)?,
            };
            if !ascends || self.entries_before(n - 1)? > self.entries_before(n)? {
                return malformed("the values of a column do not ascend");
            }
        }
        let all = 0..self.place.distinct;
        if self.count(&all)? != self.place.entries as usize {
            return malformed("a column has another number of entries than it says");
        }
        self.ordinals()?;
        let mut rows = Vec::new();
        self.collect(&all, &mut rows)?;
        self.scatter(&all, words)?;
        if rows.iter().any(|&row| row as usize >= self.section.rows) {
            return malformed("a row is beyond the last");
        }
        Ok(())
    }
}
