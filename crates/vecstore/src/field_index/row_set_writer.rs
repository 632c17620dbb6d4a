//! Collecting rows that come in ascending order, and writing them in the smallest form.

use super::layout::{SetForm, SetPlace};
use super::writer::Output;
use crate::codec::WriteFields;
use crate::error::Result;

/// Rows as runs: a set of all rows is one.
#[derive(Clone, Debug, Default)]
pub(super) struct RowSetWriter {
    /// First row, and the row after the last.
    runs: Vec<(u32, u32)>,
    len: u32,
}

impl RowSetWriter {
    pub(super) fn memory_bytes(&self) -> usize {
        self.runs.capacity() * 8
    }

    /// Adds a row, the last one added or a later one.
    pub(super) fn push(&mut self, row: u32) {
        match self.runs.last_mut() {
            Some((_, end)) if *end > row => return,
            Some((_, end)) if *end == row => *end += 1,
            _ => self.runs.push((row, row + 1)),
        }
        self.len += 1;
    }

    /// Adds rows in any order.
    pub(super) fn extend(&mut self, rows: impl Iterator<Item = u32>) {
        let mut all: Vec<u32> = self.iter().chain(rows).collect();
        all.sort_unstable();
        *self = Self::default();
        all.into_iter().for_each(|row| self.push(row));
    }

    fn iter(&self) -> impl Iterator<Item = u32> {
        self.runs.iter().flat_map(|&(start, end)| start..end)
    }

    fn gaps(&self, rows: u32) -> impl Iterator<Item = u32> {
        let starts = std::iter::once(0).chain(self.runs.iter().map(|&(_, end)| end));
        let ends = self.runs.iter().map(|&(start, _)| start).chain([rows]);
        starts.zip(ends).flat_map(|(start, end)| start..end)
    }

    pub(super) fn write(&self, rows: u32, out: &mut Output<'_>) -> Result<SetPlace> {
        let words = (rows as usize).div_ceil(64);
        let listed = (self.len as usize).min((rows - self.len) as usize);
        let form = match self.len {
            0 => SetForm::None,
            len if len == rows => SetForm::All,
            _ if listed * 4 > words * 8 => SetForm::Bitmap,
            len if len as usize == listed => SetForm::List,
            _ => SetForm::AllBut,
        };
        let offset = out.align()?;
        let mut bytes = Vec::new();
        match form {
            SetForm::None | SetForm::All => {}
            SetForm::List => self.iter().for_each(|row| bytes.put_u32(row)),
            SetForm::AllBut => self.gaps(rows).for_each(|row| bytes.put_u32(row)),
            SetForm::Bitmap => {
                let mut bits = vec![0u64; words];
                self.iter().for_each(|row| bits[row as usize / 64] |= 1 << (row % 64));
                bits.iter().for_each(|&word| bytes.put_u64(word));
            }
        }
        out.put(&bytes)?;
        Ok(SetPlace { form, len: self.len, offset })
    }
}
