//! Collecting the values of a column, and writing them in order with the rows that have them.

use super::interner::Interner;
use super::layout::{ColumnPlace, Values};
use super::number::Key;
use super::writer::Output;
use crate::codec::WriteFields;
use crate::error::Result;
use crate::metadata::DateTime;

/// From this share of rows on (1/8), ordinals pay: they take less than the rows themselves, and a scan of all of them
/// is faster than setting a bit for each row of a range.
const ORDINALS_SHARE: usize = 8;

/// Values and the rows that have them.
#[derive(Debug, Default)]
pub(super) struct ColumnWriter {
    values: Interner,
    /// Row and number of value, by row.
    entries: Vec<(u32, u32)>,
    /// The row that had each value last, where rows may have several values.
    last_rows: Vec<u32>,
}

impl ColumnWriter {
    pub(super) fn memory_bytes(&self) -> usize {
        self.values.memory_bytes() + 8 * self.entries.capacity() + 4 * self.last_rows.capacity()
    }

    pub(super) fn text_bytes(&self) -> usize {
        self.values.text_bytes()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = u32> {
        self.entries.iter().map(|&(row, _)| row)
    }

    /// Adds a value of a row that may have others, of which the same one counts once.
    pub(super) fn push(&mut self, row: u32, value: &[u8]) {
        let number = self.values.intern(value);
        match self.last_rows.get_mut(number as usize) {
            Some(last) if *last == row => return,
            Some(last) => *last = row,
            None => self.last_rows.push(row),
        }
        self.entries.push((row, number));
    }

    pub(super) fn push_key(&mut self, row: u32, key: Key) {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&key.upper.to_be_bytes());
        bytes[8..].copy_from_slice(&key.lower.to_be_bytes());
        self.push(row, &bytes);
    }

    /// Writes the column. `are_texts` tells strings and bytes from keys; `is_single` that no row has two values.
    pub(super) fn write(
        self,
        rows: u32,
        (are_texts, is_single): (bool, bool),
        out: &mut Output<'_>,
    ) -> Result<ColumnPlace> {
        let offset = out.align()?;
        let order = self.order();
        let mut place = ColumnPlace {
            distinct: order.len() as u32,
            entries: self.entries.len() as u32,
            is_unique: order.len() == self.entries.len(),
            offset,
            ..ColumnPlace::default()
        };
        if are_texts {
            self.write_texts(&order, &mut place, out)?;
        } else {
            self.write_keys(&order, &mut place, out)?;
        }
        let mut ranks = vec![0; order.len()];
        order.iter().enumerate().for_each(|(rank, &number)| ranks[number as usize] = rank as u32);
        let mut counts = vec![0u32; order.len()];
        self.entries.iter().for_each(|&(_, number)| counts[ranks[number as usize] as usize] += 1);
        if !place.is_unique {
            let mut end = 0;
            for count in &counts {
                end += count;
                out.put(&end.to_le_bytes())?;
            }
        }
        self.write_rows(rows, (&ranks, &counts), &mut place, out)?;
        let is_name = are_texts && order.len() > self.entries.len() / 2;
        if is_single && !is_name && self.entries.len() >= rows as usize / ORDINALS_SHARE {
            let mut ordinals = vec![0u32; rows as usize];
            for &(row, number) in &self.entries {
                ordinals[row as usize] = ranks[number as usize] + 1;
            }
            place.ordinal_width = match order.len() {
                0..=0xff => 1,
                0x100..=0xffff => 2,
                _ => 4,
            };
            let width = usize::from(place.ordinal_width);
            let mut bytes = Vec::with_capacity(ordinals.len() * width);
            ordinals.iter().for_each(|ordinal| bytes.put(&ordinal.to_le_bytes()[..width]));
            out.put(&bytes)?;
        }
        Ok(place)
    }

    /// Returns the numbers of the values in ascending order of the values.
    fn order(&self) -> Vec<u32> {
        // Most differ in their first bytes; comparing those needs no look at the values.
        let head = |value: &[u8]| {
            let mut head = [0; 8];
            let len = value.len().min(8);
            head[..len].copy_from_slice(&value[..len]);
            u64::from_be_bytes(head)
        };
        let mut order: Vec<(u64, u32)> =
            (0..self.values.len() as u32).map(|number| (head(self.values.get(number)), number)).collect();
        order.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| self.values.get(a.1).cmp(self.values.get(b.1)))
        });
        order.into_iter().map(|(_, number)| number).collect()
    }

    fn write_texts(&self, order: &[u32], place: &mut ColumnPlace, out: &mut Output<'_>) -> Result<()> {
        place.values = Values::Texts;
        place.text_bytes = self.values.text_bytes() as u64;
        let mut bytes = Vec::with_capacity(order.len() * 4);
        let mut end = 0;
        for &number in order {
            end += self.values.get(number).len() as u32;
            bytes.put_u32(end);
        }
        out.put(&bytes)?;
        for &number in order {
            let value = self.values.get(number);
            place.has_times |=
                std::str::from_utf8(value).is_ok_and(|text| DateTime::try_parse(text).is_some());
            out.put(value)?;
        }
        Ok(())
    }

    fn write_keys(&self, order: &[u32], place: &mut ColumnPlace, out: &mut Output<'_>) -> Result<()> {
        let word = |number: u32, at: usize| {
            let bytes = self.values.get(number)[at..].first_chunk().expect("keys have 16 bytes");
            u64::from_be_bytes(*bytes)
        };
        let is_wide = order.iter().any(|&number| word(number, 8) != Key::WHOLE);
        place.values = if is_wide { Values::WideKeys } else { Values::Keys };
        for at in [0, 8].into_iter().take(1 + usize::from(is_wide)) {
            for &number in order {
                out.put(&word(number, at).to_le_bytes())?;
            }
        }
        Ok(())
    }

    fn write_rows(
        &self,
        rows: u32,
        (ranks, counts): (&[u32], &[u32]),
        place: &mut ColumnPlace,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let words = (rows as usize).div_ceil(64);
        let width = super::column::row_width(rows as usize);
        let is_dense = |count: u32| count as usize * width > words * 8;
        // The place of each value: of its next row among the rows, or of its bitmap among the bitmaps.
        let mut next = vec![0u32; counts.len()];
        let mut sparse_entries = 0;
        let mut table = Vec::new();
        for (rank, &count) in counts.iter().enumerate() {
            if is_dense(count) {
                next[rank] = place.dense;
                place.dense += 1;
                place.dense_entries += count;
                table.put_u32(rank as u32);
                table.put_u32(place.dense_entries);
            } else {
                next[rank] = sparse_entries;
                sparse_entries += count;
            }
        }
        let mut bitmaps = vec![0u64; place.dense as usize * words];
        let mut sorted = vec![0u32; sparse_entries as usize];
        for &(row, number) in &self.entries {
            let rank = ranks[number as usize] as usize;
            if is_dense(counts[rank]) {
                bitmaps[next[rank] as usize * words + row as usize / 64] |= 1 << (row % 64);
            } else {
                sorted[next[rank] as usize] = row;
                next[rank] += 1;
            }
        }
        out.put(&table)?;
        for word in bitmaps {
            out.put(&word.to_le_bytes())?;
        }
        let mut bytes = Vec::with_capacity(sorted.len() * width);
        sorted.iter().for_each(|row| bytes.put(&row.to_le_bytes()[..width]));
        out.put(&bytes)
    }
}
