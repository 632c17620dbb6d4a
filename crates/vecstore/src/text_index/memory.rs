//! The section of rows in memory, made when a query first needs it.

use std::ops::Range;

use super::config::TextConfig;
use super::reader::TextIndex;
use super::writer::TextWriter;
use crate::error::{Error, Result};
use crate::field_index::Source;
use crate::storage::body::Body;

/// A section in memory.
#[derive(Debug)]
pub(crate) struct MemoryTextIndex {
    rows: usize,
    len: usize,
    /// The bytes, where numbers of 32 bits can be read in place.
    words: Vec<u64>,
}

impl MemoryTextIndex {
    /// Indexes bodies; `None` if none has a text or a sparse vector.
    pub(crate) fn new<'b>(
        config: &TextConfig,
        bodies: impl Iterator<Item = Result<Option<Body<'b>>>>,
    ) -> Result<Option<Self>> {
        let mut writer = TextWriter::new(config);
        let mut rows = 0;
        for body in bodies {
            writer.push(body?)?;
            rows += 1;
        }
        if writer.is_empty() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        writer.finish(&mut |part| {
            bytes.extend_from_slice(part);
            Ok(())
        })?;
        let mut words = vec![0; bytes.len().div_ceil(8)];
        bytemuck::cast_slice_mut::<u64, u8>(&mut words)[..bytes.len()].copy_from_slice(&bytes);
        Ok(Some(Self { rows, len: bytes.len(), words }))
    }

    pub(crate) fn index(&self) -> Result<TextIndex<'_>> {
        TextIndex::open(self, 0..self.len, self.rows)
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.words.len() * 8
    }
}

impl Source for MemoryTextIndex {
    fn bytes(&self, range: Range<usize>) -> Result<&[u8]> {
        let bytes: &[u8] = bytemuck::cast_slice(&self.words);
        bytes.get(range).ok_or_else(|| Error::corrupted("asked for bytes beyond the text index"))
    }
}
