//! Field indexes: typed columns over the metadata of the rows of one segment, which turn a filter into an exact set of
//! rows without reading documents.
//!
//! A [`FieldWriter`] is fed the documents in order of row and makes one section of bytes. A [`FieldIndex`] reads such a
//! section; [`FieldIndex::plan`] makes a `Plan` of a compiled filter, which counts (`Plan::cardinality`), selects
//! (`Plan::select`) or tests single rows (`Plan::row_filter`). What the columns cannot tell is left to the
//! documents: a selection then has more rows than match, and names those to look at. It never has fewer.
//!
//! Nothing here does I/O: bytes come from a [`Source`], which checks what it gives.
//!
//! ```text
//! columns and row sets, in any order, each at a multiple of 8
//! directory:
//!   u32 x paths     end of each path in the text of paths
//!   u32 x paths     end of each field in the fields
//!   text of paths   UTF-8, ascending by byte
//!   fields          one for each path:
//!     row set: rows that have the path
//!     u8   bit 0: the values at the path; bit 1: the elements of lists at the path; bit 2: the lengths of such lists;
//!          bits 3 to 7: what was chosen for the path (see `storage::settings`; 0: nothing), so that it can be told whether
//!          the section is as it is asked for; nothing else depends on it
//!     table of values, table of elements, column of lengths; each only where its bit is set
//!   row set: rows that no column tells of; row set: rows with a path that is not in the directory
//! end, 32 bytes:
//!   u64 offset of the directory, u32 length of the directory, u32 rows, u16 paths,
//!   u16 bytes of the longest string in a column, u32 length of the text of paths, magic "vsFLD\r\n\x1a"
//!
//! table     u16 bits: null, false, true, list, map, long, dropped (row sets), numbers, strings, bytes, times (columns);
//!           then what the bits say, in this order
//! row set   u8 form (0 none, 1 all, 2 list, 3 all but a list, 4 bitmap), u32 rows in it; forms 2 to 4: u64 offset
//!           list: u32 x length, ascending; bitmap: u64 x ceil(rows / 64)
//! column    u8 form (0 keys, 1 keys of two words, 2 texts), u8 bits (0: no value occurs twice; 1: some text reads as a
//!           time), u8 width of ordinals (0: none), u8 zero, u32 distinct values, u32 entries, u32 dense values,
//!           u32 entries of dense values, u64 length of texts, u64 offset; at the offset, without gaps:
//!   values    keys: u64 x distinct, ascending, twice for two words (upper words first);
//!             texts: u32 x distinct ends, then the bytes, ascending
//!   ends      u32 x distinct: entries of values up to and including each; absent if no value occurs twice
//!   dense     per dense value: u32 ordinal, u32 entries of dense values up to and including it
//!   bitmaps   per dense value: u64 x ceil(rows / 64)
//!   rows      of the other values, ascending for each: u16 if the segment has at most 65,536 rows, otherwise u32
//!   ordinals  per row, in the width given: ordinal of its value plus 1, or 0 if it has none
//! ```
//!
//! A key is an integer with its sign bit flipped, or a number in two words (see `number`). Offsets count from the start
//! of the section.
//!
//! **Validity.** The blocks of the segment have checksums. All the same no offset, count or row is trusted: what does
//! not fit is `Corrupted`.

mod choices;
mod column;
mod column_writer;
mod elements;
mod field;
mod interner;
mod layout;
mod leaf;
mod number;
mod ordinals;
mod path_columns;
mod plan;
mod predicate;
mod reader;
mod row_ids;
mod row_set_writer;
mod scalar;
mod stored_set;
mod summary;
mod table_writer;
mod walk;
mod writer;

#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::error::Result;

pub use choices::FieldKind;
pub(crate) use choices::{Choice, FieldChoices, check_path};
pub(crate) use interner::Interner;
pub(crate) use path_columns::{PathColumns, ValueCursor, ValueRows};
pub(crate) use plan::Selection;
pub(crate) use predicate::RowFilter;
pub(crate) use reader::FieldIndex;
pub(crate) use row_ids::{RowIds, rows_of_words};
pub(crate) use scalar::Scalar;
pub(crate) use summary::{FieldSummary, count_distinct};
pub(crate) use writer::FieldWriter;

/// What is left out of the columns, so that one odd record or field cannot make an index many times its own size. What is
/// left out is marked, and its rows are left to the documents.
#[derive(Clone, Copy, Debug)]
struct Caps {
    /// The most paths with columns, first come, first served. Records of one kind have tens; thousands are keys that are
    /// data (a map from user to score, say), of which each would cost about 100 bytes and a lookup.
    paths: usize,
    /// The longest path, in bytes; with the number of paths, it bounds the directory to 256 KiB of text.
    path_bytes: usize,
    /// The most dots in a path, which bounds how deep maps are walked.
    path_dots: usize,
    /// The longest string or byte string in a column. Ids, names, URLs and hashes are shorter; what is longer is prose,
    /// which filters search rather than compare, and which a dictionary would only store a second time.
    value_bytes: usize,
    /// The most fields and list elements of one row: 500,000 fit in a document.
    row_values: usize,
    /// The most bytes of distinct strings in a column. One of distinct URLs (80 bytes) has room; it takes as much as the
    /// documents hold of it.
    text_bytes: usize,
    /// What the writer may hold. Six fields of the packages of the benchmark, one of them a distinct name, take about 100
    /// bytes a row. When there is more, the largest column is given up.
    writer_bytes: usize,
}

impl Caps {
    fn new(rows: usize) -> Self {
        Self {
            paths: 1_024,
            path_bytes: 256,
            path_dots: 8,
            value_bytes: 256,
            row_values: 4_096,
            text_bytes: rows.saturating_mul(128).clamp(1 << 20, u32::MAX as usize), // ends have 32 bits
            writer_bytes: rows.saturating_mul(192).max(16 << 20),
        }
    }

    /// Returns the caps of a path that somebody asked for an index on: what is left out is what would make searches slower
    /// than reading the documents.
    fn asked(self, rows: usize) -> Self {
        Self {
            value_bytes: self.value_bytes.max(1_024),
            text_bytes: self.text_bytes.max(rows.saturating_mul(512).clamp(16 << 20, u32::MAX as usize)),
            ..self
        }
    }
}

/// Where the bytes of a section come from. Checks them before it gives them.
pub(crate) trait Source: Sync {
    /// Returns a range of bytes, or `Corrupted` if they are not there or not what was written.
    fn bytes(&self, range: Range<usize>) -> Result<&[u8]>;
}
