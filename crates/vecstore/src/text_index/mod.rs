//! The inverted index of the rows of one segment or block: for each term of their texts, and each dimension of their
//! sparse vectors, the rows that have it.
//!
//! A [`TextWriter`] is fed the bodies in order of row and makes one section of bytes. A [`TextIndex`] reads such a section:
//! it finds [`List`]s, which [`Cursor`](cursor::Cursor)s walk, and [`search`](search::search) merges those of a query into the best rows
//! without looking at blocks that cannot hold one.
//!
//! Nothing here does I/O: bytes come from a `Source`, which checks what it gives.
//!
//! ```text
//! lists           of terms in more than one row, each at a multiple of 4:
//!   heads         per block of up to 128 rows: u32 last row, u32 where its words start (in words from the list's start),
//!                 bound (8 bytes)
//!   blocks        u32 words each: u8 bits of a row, u8 bits of a count, u16 zero; the rows, as differences less 1 from the
//!                 row before (from -1 at the start of the list); the counts less 1, or f32 weights of a sparse dimension.
//!                 128 numbers are packed in four interleaved lanes of 32, fewer one after the other
//! lengths         per field: u8, u16 or u32 x rows: terms of the row's text plus 1, 0 where it has none; from a multiple of 4
//! key ends        u32 x terms: end of each key in the keys
//! keys            ascending by byte: u8 field and the term, or 255 and a dimension as u32, big-endian
//! infos           per term: u64 place, u32 rows, u32 words of its list, bound (8 bytes); from a multiple of 8
//!                 the place is where the list starts; of a term in one row it is the row and, above, its count or weight
//! fields          per field: u64 rows with a text, u64 terms in them, u64 where its lengths are, u64 bytes of a length
//! end, 64 bytes   u64 offsets of key ends, keys, infos and fields; u32 terms, u32 rows, u32 fields, u32 zero, u64 zero,
//!                 magic "vsTXT\r\n\x1a"
//!
//! bound of a text term     u16 the most times a row has it, u16 the least lengths of rows that have it once, twice, and more
//!                          often; what is more than 65,535, and of no row, stands as that
//! bound of a dimension     f32 largest weight, f32 smallest weight
//! ```
//!
//! Field 0 is the text of the record; the others are the fields of the metadata that the collection was made with. Offsets
//! count from the start of the section.
//!
//! **Validity.** The blocks of the segment have checksums. All the same no offset, count or row is trusted: what does not
//! fit is `Corrupted`, and what cannot be told leads to other answers, not to a panic.

mod bound;
mod config;
mod cursor;
mod live;
mod memory;
mod packing;
mod reader;
mod search;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use config::TextConfig;
pub(crate) use cursor::Weight;
pub(crate) use live::TextState;
pub(crate) use memory::MemoryTextIndex;
pub(crate) use reader::{FieldTotals, List, TextIndex};
pub(crate) use search::{Clauses, Sink, search};
pub(crate) use writer::TextWriter;

/// Rows in a block: a block is decoded in about 100 ns, and its bound is tight enough to skip most.
const BLOCK_ROWS: usize = 128;

const MAGIC: &[u8; 8] = b"vsTXT\r\n\x1a";
const END_BYTES: usize = 64;
const INFO_BYTES: usize = 24;
const FIELD_BYTES: usize = 32;
/// Of the head of a block, in words.
const HEAD_WORDS: usize = 4;

/// The field number of sparse dimensions.
const SPARSE: u8 = u8::MAX;

/// Returns the key of a term of a field.
pub(crate) fn text_key(field: usize, term: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + term.len());
    key.push(field as u8);
    key.extend_from_slice(term.as_bytes());
    key
}

/// Returns the key of a dimension of sparse vectors.
pub(crate) fn sparse_key(dimension: u32) -> [u8; 5] {
    let [a, b, c, d] = dimension.to_be_bytes();
    [SPARSE, a, b, c, d]
}
