//! Promises of field indexes: the same answers as the documents give, whatever was left out; and no bytes do harm.

mod equivalence;
mod forged;
mod speed;

use std::ops::Range;

use super::{Caps, FieldChoices, FieldIndex, FieldWriter, Source};
use crate::error::{Error, Result};
use crate::metadata::{DocumentRef, Metadata, encode};

/// A section in memory.
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Source for Bytes {
    fn bytes(&self, range: Range<usize>) -> Result<&[u8]> {
        self.0.get(range).ok_or_else(|| Error::corrupted("asked for bytes beyond the section"))
    }
}

impl Bytes {
    pub(super) fn index(&self, rows: usize) -> Result<FieldIndex<'_>> {
        FieldIndex::open(self, 0..self.0.len(), rows)
    }
}

pub(super) fn write(documents: &[Vec<u8>], caps: Caps) -> Bytes {
    write_chosen(documents, caps, &FieldChoices::default())
}

pub(super) fn write_chosen(documents: &[Vec<u8>], caps: Caps, choices: &FieldChoices) -> Bytes {
    let mut writer = FieldWriter::with_caps(documents.len(), caps, choices);
    documents.iter().for_each(|document| writer.push(DocumentRef::new(document).ok()));
    let mut bytes = Vec::new();
    writer
        .finish(&mut |part| {
            bytes.extend_from_slice(part);
            Ok(())
        })
        .unwrap();
    Bytes(bytes)
}

pub(super) fn encoded(documents: &[Metadata]) -> Vec<Vec<u8>> {
    documents.iter().map(|document| encode(document).unwrap()).collect()
}
