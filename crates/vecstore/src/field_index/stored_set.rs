//! Row sets as they are in a section.

use super::layout::{SetForm, SetPlace};
use super::reader::Section;
use super::row_ids::clear_tail;
use crate::error::Result;

/// A row set in a section; its bytes are read when it is used.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoredSet<'a> {
    section: Section<'a>,
    place: SetPlace,
}

impl<'a> StoredSet<'a> {
    pub(super) fn new(section: Section<'a>, place: SetPlace) -> Self {
        Self { section, place }
    }

    /// Returns the number of rows.
    pub(super) fn len(&self) -> usize {
        match self.place.form {
            SetForm::None => 0,
            SetForm::All => self.section.rows,
            _ => (self.place.len as usize).min(self.section.rows),
        }
    }

    /// Returns the bytes it takes.
    pub(super) fn bytes(&self) -> u64 {
        (match self.place.form {
            SetForm::None | SetForm::All => 0,
            SetForm::List => self.len() * 4,
            SetForm::AllBut => (self.section.rows - self.len()) * 4,
            SetForm::Bitmap => self.section.rows.div_ceil(64) * 8,
        }) as u64
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn is_all(&self) -> bool {
        self.place.form == SetForm::All
    }

    /// Returns the bitmap, if it is stored as one.
    pub(super) fn bitmap(&self) -> Result<Option<&'a [[u8; 8]]>> {
        match self.place.form {
            SetForm::Bitmap => self.words().map(Some),
            _ => Ok(None),
        }
    }

    fn words(&self) -> Result<&'a [[u8; 8]]> {
        let words = self.section.rows.div_ceil(64);
        Ok(self.section.bytes(self.place.offset, words * 8)?.as_chunks().0)
    }

    fn list(&self, len: usize) -> Result<impl Iterator<Item = u32> + use<'a>> {
        let bytes = self.section.bytes(self.place.offset, len * 4)?;
        Ok(bytes.as_chunks().0.iter().map(|&row| u32::from_le_bytes(row)))
    }

    /// Sets the bits of the rows.
    pub(super) fn scatter(&self, words: &mut [u64]) -> Result<()> {
        let rows = self.section.rows;
        match self.place.form {
            SetForm::None => {}
            SetForm::All => {
                words.fill(u64::MAX);
                clear_tail(words, rows);
            }
            SetForm::List => {
                for row in self.list(self.len())? {
                    let word = words.get_mut(row as usize / 64);
                    *word.ok_or_else(|| self.section.corrupted("a row is beyond the last"))? |=
                        1 << (row % 64);
                }
                clear_tail(words, rows);
            }
            SetForm::AllBut => {
                let mut missing = vec![0u64; words.len()];
                for row in self.list(rows - self.len())? {
                    let word = missing.get_mut(row as usize / 64);
                    *word.ok_or_else(|| self.section.corrupted("a row is beyond the last"))? |=
                        1 << (row % 64);
                }
                words.iter_mut().zip(&missing).for_each(|(word, missing)| *word |= !missing);
                clear_tail(words, rows);
            }
            SetForm::Bitmap => {
                for (word, &stored) in words.iter_mut().zip(self.words()?) {
                    *word |= u64::from_le_bytes(stored);
                }
                clear_tail(words, rows);
            }
        }
        Ok(())
    }

    /// Appends the rows of a list to `rows`. Returns `false` if it is stored in another form.
    pub(super) fn collect(&self, rows: &mut Vec<u32>) -> Result<bool> {
        match self.place.form {
            SetForm::None => Ok(true),
            SetForm::List => {
                rows.extend(self.list(self.len())?);
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}
