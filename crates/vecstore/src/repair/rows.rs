//! Rows in memory on their way to a new segment.

use crate::collection::Part;
use crate::error::Result;
use crate::storage::segment::RowSource;

/// The rows to keep, by part and row.
pub(super) struct KeptRows<'a> {
    pub(super) parts: &'a [Part],
    pub(super) rows: Vec<(usize, u32)>,
}

impl KeptRows<'_> {
    fn at(&self, row: usize) -> (&Part, u32) {
        let (part, row) = self.rows[row];
        (&self.parts[part], row)
    }
}

impl RowSource for KeptRows<'_> {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn dim(&self) -> usize {
        self.parts[0].dim()
    }

    fn vector(&self, row: usize) -> Result<&[f32]> {
        let (part, row) = self.at(row);
        part.vector(row)
    }

    fn id(&self, row: usize) -> Result<&str> {
        let (part, row) = self.at(row);
        part.id(row)
    }

    fn body_bytes(&self, row: usize) -> Result<&[u8]> {
        let (part, row) = self.at(row);
        part.body_bytes(row)
    }

    fn expiry(&self, row: usize) -> Result<u64> {
        let (part, row) = self.at(row);
        part.expiry(row)
    }
}
