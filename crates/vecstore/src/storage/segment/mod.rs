//! A segment: an immutable file of rows, mapped into memory and checked block by block at first touch.
//!
//! ```text
//! sections, each at a multiple of 64 (vectors and codes: of 4096), the gaps zeros:
//!   1 vectors     f32 x dim x rows
//!   2 norms       f32 x rows          inverse norms; only where the metric is cosine
//!   3 id ends     u64 x rows          end of each id in section 4
//!   4 ids         UTF-8
//!   5 id table    u64 x capacity      see `id_index`
//!   6 body ends   u64 x rows
//!   7 bodies      see `body`
//!   8 expiry      u64 x rows          Unix milliseconds, 0 for never; only if a row has one
//!   9 codes       i8 x dim x rows     see `vecstore_kernels::Kernels::encode`; only where the metric can use them
//!  10 factors     f32 x rows scales, f32 x rows errors, f32 x rows norms of the codes; with section 9
//!  11 fields      see `field_index`; only if a row has metadata; with feature bit 0
//!  12 graph head    f32 length of the longest vector (metric dot; 0 otherwise), f32 x 6 slacks (see `index::widths`),
//!                   u32 zero; with sections 9, 13 and 14 if there is a graph: feature bit 1
//!  13 graph entries blocks of signs of the rows where searches start (see `vecstore_kernels`)
//!  14 graph blocks  for each row f32 square, f32 factor, 56 zeros, the block of signs of its neighbors
//!  15 neighbors     u32 x 32 x rows     of each row; feature bit 2, with sections 12 and 13, which then holds
//!                                       u32 numbers of rows; without section 14
//!  16 nibbles       for each row a row in 4 bits a component of its rotated point (see `vecstore_kernels`); with
//!                   section 15 where the graph is walked on such codes
//!  17 graph factors f32 square, f32 factor for each row (see `index::Space`); with sections 9 and 15 where the graph
//!                   is walked on 8-bit codes. With section 15 but neither 16 nor 17, it is walked on the vectors
//!  18 text          see `text_index`; only if a row has a text or a sparse vector; with feature bit 3
//!  64 row sums      u64 x rows          see `row_sum`; feature bit 7. Only repair reads them: they tell which rows of a
//!                                       damaged block are whole
//! footer, at a multiple of 64:
//!   u16 format major, u16 minor, u32 feature bits (bit 0: there may be a section 11; bit 1: there may be sections 12 to
//!     14; bit 2: there may be sections 15 to 17; bit 3: there may be a section 18, and sparse vectors in bodies; bit 4: there may be
//!     several vectors in bodies; bit 7:
//!     there may be a section 64; a reader refuses unknown ones)
//!   16 bytes uuid, 16 bytes uuid of the collection
//!   u64 rows, u32 dim, u32 count of sections
//!   per section: u32 kind, u32 zero, u64 offset, u64 length
//!   u64 per block of 64 KiB of everything before the footer (the last block may be short): its XXH3-64
//! tail, the last 32 bytes:
//!   u64 offset of the footer, u64 XXH3-64 of the footer, u64 zero, magic "vsSEG\r\n\x1a"
//! ```
//!
//! **Validity.** The footer is checked when the segment is opened, and its checksum is also in the manifest, so that
//! one segment cannot stand in for another. A block is checked the first time one of its bytes is used; until it
//! passes, no byte of it reaches an answer. Once a block has passed, it is not checked again while the file is open.
//!
//! **Write order.** A segment is written under its final, random name and synced; then the directory is synced; then
//! a manifest names it. A crash before that is safe: nothing names the file, and recovery removes it.

mod code_scorer;
mod compact;
mod graph;
mod reader;
mod resident;
mod rewrite;
mod row_sum;
mod salvage;
mod writer;

use crate::codec::{Reader, WriteFields};
use crate::error::{Error, Result};
use crate::storage::Uuid;

pub(crate) use graph::AnyGraph;
pub(crate) use reader::{Codes, Segment};
pub(crate) use resident::Residency;
pub(crate) use rewrite::rewrite_fields;
pub(crate) use salvage::{Remains, SalvagedRows};
pub(crate) use writer::{Cancelled, Contents, RowSource, write};

const MAGIC: &[u8; 8] = b"vsSEG\r\n\x1a";
const FORMAT_MAJOR: u16 = 1;
const FORMAT_MINOR: u16 = 0;
/// There may be a field index, which a reader without it would take for an unknown section.
const FEATURE_FIELDS: u32 = 1;
/// The segment has a graph. A reader that does not know of graphs would find the sections unknown.
const FEATURE_GRAPH: u32 = 2;
/// The graph is compact: what a reader that knows only of blocks would find missing.
const FEATURE_COMPACT_GRAPH: u32 = 4;
/// There is a text index; bodies may have sparse vectors, which a reader without them would take for damage.
const FEATURE_TEXT: u32 = 8;
/// Bodies may have several vectors, which a reader without them would take for damage.
const FEATURE_TOKENS: u32 = 1 << 4;
/// There are checksums of rows.
const FEATURE_ROW_SUMS: u32 = 1 << 7;
const FEATURES: u32 =
    FEATURE_FIELDS | FEATURE_GRAPH | FEATURE_COMPACT_GRAPH | FEATURE_TEXT | FEATURE_TOKENS | FEATURE_ROW_SUMS;
const TAIL_BYTES: usize = 32;
const SECTION_ALIGN: u64 = 64;
/// Of the sections that scans read.
const SCAN_ALIGN: u64 = 4096;

/// Large enough that hashing runs at memory speed, small enough that one cold record costs about 3 microseconds.
const BLOCK_BYTES: usize = 64 << 10;

/// Returns the name of the file of the segment.
pub(crate) fn file_name(uuid: Uuid) -> String {
    format!("{uuid}.seg")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Vectors = 1,
    Norms = 2,
    IdEnds = 3,
    Ids = 4,
    IdTable = 5,
    BodyEnds = 6,
    Bodies = 7,
    Expiry = 8,
    Codes = 9,
    Factors = 10,
    Fields = 11,
    GraphHead = 12,
    GraphEntries = 13,
    GraphBlocks = 14,
    GraphNeighbors = 15,
    GraphNibbles = 16,
    GraphFactors = 17,
    Text = 18,
    RowSums = 64,
}

impl Kind {
    const ALL: [Self; 19] = [
        Self::Vectors,
        Self::Norms,
        Self::IdEnds,
        Self::Ids,
        Self::IdTable,
        Self::BodyEnds,
        Self::Bodies,
        Self::Expiry,
        Self::Codes,
        Self::Factors,
        Self::Fields,
        Self::GraphHead,
        Self::GraphEntries,
        Self::GraphBlocks,
        Self::GraphNeighbors,
        Self::GraphNibbles,
        Self::GraphFactors,
        Self::Text,
        Self::RowSums,
    ];
}

#[derive(Clone, Copy, Debug)]
struct Section {
    kind: Kind,
    offset: u64,
    len: u64,
}

/// The part of a segment that says where everything is and what it hashes to.
#[derive(Clone, Debug)]
struct Footer {
    uuid: Uuid,
    collection: Uuid,
    rows: u64,
    dim: u32,
    /// Whether bodies may have several vectors.
    has_tokens: bool,
    sections: Vec<Section>,
    blocks: Vec<u64>,
    /// Where it starts, and everything before it ends.
    offset: u64,
}

impl Footer {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u16(FORMAT_MAJOR);
        out.put_u16(FORMAT_MINOR);
        let has = |kind| self.sections.iter().any(|section| section.kind == kind);
        let feature = |bit, kind| if has(kind) { bit } else { 0 };
        out.put_u32(
            feature(FEATURE_FIELDS, Kind::Fields)
                | feature(FEATURE_GRAPH, Kind::GraphHead)
                | feature(FEATURE_COMPACT_GRAPH, Kind::GraphNeighbors)
                | feature(FEATURE_TEXT, Kind::Text)
                | feature(FEATURE_ROW_SUMS, Kind::RowSums)
                | if self.has_tokens { FEATURE_TOKENS } else { 0 },
        );
        out.put(&self.uuid.0);
        out.put(&self.collection.0);
        out.put_u64(self.rows);
        out.put_u32(self.dim);
        out.put_u32(self.sections.len() as u32);
        for section in &self.sections {
            out.put_u32(section.kind as u32);
            out.put_u32(0);
            out.put_u64(section.offset);
            out.put_u64(section.len);
        }
        self.blocks.iter().for_each(|&hash| out.put_u64(hash));
        out
    }

    fn decode(bytes: &[u8], offset: u64) -> Result<Self> {
        let mut reader = Reader::new(bytes, "segment footer");
        let (major, _minor) = (reader.u16()?, reader.u16()?);
        let features = reader.u32()?;
        if major != FORMAT_MAJOR || features & !FEATURES != 0 {
            return Err(Error::unsupported(format!(
                "segment format {major} with features {features:#x}; this version reads format {FORMAT_MAJOR}: \
                 open the store with a newer vecstore"
            )));
        }
        let uuid = Uuid(reader.array()?);
        let collection = Uuid(reader.array()?);
        let rows = reader.u64()?;
        let dim = reader.u32()?;
        let mut sections = Vec::new();
        for _ in 0..reader.count(24)? {
            let kind = reader.u32()?;
            reader.u32()?;
            let (start, len) = (reader.u64()?, reader.u64()?);
            let kind = Kind::ALL.into_iter().find(|&known| known as u32 == kind);
            let kind = kind.ok_or_else(|| Error::corrupted("segment footer: unknown section"))?;
            if start.checked_add(len).is_none_or(|end| end > offset) {
                return Err(Error::corrupted(format!("segment footer: section {kind:?} is beyond the file")));
            }
            sections.push(Section { kind, offset: start, len });
        }
        let blocks = (0..offset.div_ceil(BLOCK_BYTES as u64)).map(|_| reader.u64()).collect::<Result<_>>()?;
        reader.finish()?;
        let has_tokens = features & FEATURE_TOKENS != 0;
        Ok(Self { uuid, collection, rows, dim, has_tokens, sections, blocks, offset })
    }
}
