//! Writing of segments, one section after the other, in one pass over the file.

use std::io::{self, IoSlice};
use std::path::Path;

use super::row_sum::row_sum;
use super::{BLOCK_BYTES, Footer, Kind, MAGIC, SCAN_ALIGN, SECTION_ALIGN, Section};
use vecstore_kernels::Kernels;

use crate::codec::WriteFields;
use crate::error::{Error, Result};
use crate::field_index::{FieldChoices, FieldWriter};
use crate::index::{AnyDraft, CompactDraft, Draft, PointCodes, Space, Widths};
use crate::metadata::DocumentRef;
use crate::storage::body::Body;
use crate::storage::{Uuid, id_index};
use crate::text_index::{TextConfig, TextWriter};
use crate::vfs::{Vfs, VfsFile};

/// Large writes keep the disk busy; the buffer is also where blocks are hashed.
const BUFFER_BYTES: usize = 16 * BLOCK_BYTES;

/// The rows of a segment to be, by position.
pub(crate) trait RowSource: Sync {
    fn rows(&self) -> usize;
    fn dim(&self) -> usize;
    fn vector(&self, row: usize) -> Result<&[f32]>;
    fn id(&self, row: usize) -> Result<&str>;
    fn body_bytes(&self, row: usize) -> Result<&[u8]>;
    fn expiry(&self, row: usize) -> Result<u64>;
}

/// Asked again and again by what takes long, from any thread: whether to give up.
pub(crate) type Cancelled<'a> = dyn Fn() -> bool + Sync + 'a;

type InverseNorm<'a> = dyn Fn(&[f32]) -> f32 + 'a;

/// What a segment holds besides the rows, by the metric of its collection.
#[derive(Clone, Copy)]
pub(crate) struct Contents<'a> {
    /// Computes the inverse norm of a vector.
    pub(crate) inverse_norm: Option<&'a InverseNorm<'a>>,
    /// Whether there are codes.
    pub(crate) codes: bool,
    pub(crate) kernels: Kernels,
    pub(crate) cancelled: &'a Cancelled<'a>,
    /// How terms are made of texts.
    pub(crate) text: &'a TextConfig,
    /// Which fields have columns.
    pub(crate) fields: &'a FieldChoices,
    /// The graph over the rows, in their order.
    pub(crate) graph: Option<(&'a AnyDraft<'a>, Widths)>,
}

/// Rows whose blocks are encoded at once, on several threads.
const GRAPH_ROWS: usize = 4096;

/// Writes a segment to `path` and syncs it (not its name). Returns the checksum of its footer.
///
/// # Errors
///
/// `Closed` if it was cancelled, which is noticed within a mebibyte.
pub(crate) fn write(
    vfs: &dyn Vfs,
    path: &Path,
    (uuid, collection): (Uuid, Uuid),
    source: &dyn RowSource,
    contents: Contents<'_>,
) -> Result<u64> {
    let mut out = Output::create(vfs, path, contents.cancelled)?;
    let rows = source.rows();

    out.begin(Kind::Vectors)?;
    for row in 0..rows {
        out.put(bytemuck::cast_slice(source.vector(row)?))?;
    }
    if contents.codes {
        out.put_codes(source, contents.kernels)?;
    }
    if let Some((draft, widths)) = contents.graph {
        out.put_graph(draft, widths, rows)?;
    }
    if let Some(inverse_norm) = contents.inverse_norm {
        out.begin(Kind::Norms)?;
        for row in 0..rows {
            out.put(&inverse_norm(source.vector(row)?).to_le_bytes())?;
        }
    }
    let mut table = vec![0; id_index::capacity(rows)];
    let mut end = 0u64;
    out.begin(Kind::IdEnds)?;
    for row in 0..rows {
        let id = source.id(row)?;
        id_index::insert(&mut table, id_index::hash_id(id), row as u32);
        end += id.len() as u64;
        out.put(&end.to_le_bytes())?;
    }
    out.begin(Kind::Ids)?;
    for row in 0..rows {
        out.put(source.id(row)?.as_bytes())?;
    }
    out.begin(Kind::IdTable)?;
    out.put(bytemuck::cast_slice(&table))?;
    drop(table);
    out.begin(Kind::BodyEnds)?;
    end = 0;
    for row in 0..rows {
        end += source.body_bytes(row)?.len() as u64;
        out.put(&end.to_le_bytes())?;
    }
    out.begin(Kind::Bodies)?;
    let mut fields = FieldWriter::new(rows, contents.fields);
    let mut texts = TextWriter::new(contents.text);
    for row in 0..rows {
        let body = source.body_bytes(row)?;
        out.put(body)?;
        out.has_tokens |= Body::has_tokens(body);
        let body = Body::decode(body).ok();
        fields.push(body.and_then(|body| DocumentRef::new(body.document).ok()));
        texts.push(body)?;
    }
    if !fields.is_empty() {
        out.begin(Kind::Fields)?;
        fields.finish(&mut |bytes| out.put(bytes))?;
    }
    if !texts.is_empty() {
        out.begin(Kind::Text)?;
        texts.finish(&mut |bytes| out.put(bytes))?;
    }
    let mut expires = false;
    for row in 0..rows {
        expires |= source.expiry(row)? != 0;
    }
    if expires {
        out.begin(Kind::Expiry)?;
        for row in 0..rows {
            out.put(&source.expiry(row)?.to_le_bytes())?;
        }
    }
    out.begin(Kind::RowSums)?;
    for row in 0..rows {
        let (id, vector, body) = (source.id(row)?, source.vector(row)?, source.body_bytes(row)?);
        out.put(
            &row_sum(id.as_bytes(), bytemuck::cast_slice(vector), body, source.expiry(row)?).to_le_bytes(),
        )?;
    }
    out.finish(uuid, collection, rows as u64, source.dim() as u32)
}

/// A segment as it is written, one section after the other.
pub(super) struct Output<'a> {
    file: Box<dyn VfsFile>,
    path: &'a Path,
    buffer: Vec<u8>,
    written: u64,
    pub(super) has_tokens: bool,
    sections: Vec<Section>,
    blocks: Vec<u64>,
    cancelled: &'a Cancelled<'a>,
}

impl<'a> Output<'a> {
    pub(super) fn create(vfs: &dyn Vfs, path: &'a Path, cancelled: &'a Cancelled<'a>) -> Result<Self> {
        let file = vfs.create(path).map_err(|error| Error::io("create", path, error))?;
        Ok(Self {
            file,
            path,
            buffer: Vec::new(),
            written: 0,
            has_tokens: false,
            sections: Vec::new(),
            blocks: Vec::new(),
            cancelled,
        })
    }

    fn position(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    fn end_section(&mut self) {
        let position = self.position();
        if let Some(open) = self.sections.last_mut() {
            open.len = position - open.offset;
        }
    }

    pub(super) fn begin(&mut self, kind: Kind) -> Result<()> {
        self.end_section();
        let is_scanned = matches!(
            kind,
            Kind::Vectors | Kind::Codes | Kind::GraphBlocks | Kind::GraphNeighbors | Kind::GraphNibbles
        );
        self.align(if is_scanned { SCAN_ALIGN } else { SECTION_ALIGN })?;
        self.sections.push(Section { kind, offset: self.position(), len: 0 });
        Ok(())
    }

    fn align(&mut self, align: u64) -> Result<()> {
        let gap = self.position().next_multiple_of(align) - self.position();
        self.put(&[0; SCAN_ALIGN as usize][..gap as usize])
    }

    pub(super) fn put(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BUFFER_BYTES - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == BUFFER_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Hashes and writes the buffer. Except at the end, the buffer holds whole blocks then.
    fn flush(&mut self) -> Result<()> {
        if (self.cancelled)() {
            return Err(Error::closed(format!("the writing of `{}` was cancelled", self.path.display())));
        }
        self.blocks.extend(self.buffer.chunks(BLOCK_BYTES).map(xxhash_rust::xxh3::xxh3_64));
        self.write_at_end().map_err(|error| Error::io("write", self.path, error))
    }

    fn write_at_end(&mut self) -> io::Result<()> {
        self.file.write_all_at(&[IoSlice::new(&self.buffer)], self.written)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn put_codes(&mut self, source: &dyn RowSource, kernels: Kernels) -> Result<()> {
        let rows = source.rows();
        let mut codes = vec![0; source.dim()];
        let (mut scales, mut errors, mut norms) =
            (Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows));
        self.begin(Kind::Codes)?;
        for row in 0..rows {
            let factors = kernels.encode(source.vector(row)?, &mut codes);
            scales.push(factors.scale);
            errors.push(factors.error);
            norms.push(factors.norm);
            self.put(bytemuck::cast_slice(&codes))?;
        }
        self.begin(Kind::Factors)?;
        for column in [scales, errors, norms] {
            self.put(bytemuck::cast_slice(&column))?;
        }
        Ok(())
    }

    fn put_graph(&mut self, draft: &AnyDraft<'_>, widths: Widths, rows: usize) -> Result<()> {
        self.begin(Kind::GraphHead)?;
        let longest = if let Space::Dot { longest } = draft.space() { longest } else { 0.0 };
        self.put(&longest.to_le_bytes())?;
        self.put(bytemuck::cast_slice(&widths.0))?;
        self.put(&[0; 4])?;
        match draft {
            AnyDraft::Fast(draft) => self.put_blocks(draft, rows),
            AnyDraft::Compact(draft) => self.put_compact(draft),
        }
    }

    fn put_blocks(&mut self, draft: &Draft<'_>, rows: usize) -> Result<()> {
        self.begin(Kind::GraphEntries)?;
        self.put(draft.entries())?;
        self.begin(Kind::GraphBlocks)?;
        for first in (0..rows).step_by(GRAPH_ROWS) {
            self.put(&draft.blocks(first..rows.min(first + GRAPH_ROWS))?)?;
        }
        Ok(())
    }

    fn put_compact(&mut self, draft: &CompactDraft<'_>) -> Result<()> {
        self.begin(Kind::GraphEntries)?;
        self.put(bytemuck::cast_slice(draft.entries()))?;
        self.begin(Kind::GraphNeighbors)?;
        self.put(bytemuck::cast_slice(draft.adjacency()))?;
        match draft.codes_kind() {
            PointCodes::Nibbles => {
                self.begin(Kind::GraphNibbles)?;
                self.put(draft.nibbles())
            }
            PointCodes::Bytes => {
                self.begin(Kind::GraphFactors)?;
                self.put(bytemuck::cast_slice(draft.factors()))
            }
            PointCodes::Full => Ok(()),
        }
    }

    pub(super) fn finish(mut self, uuid: Uuid, collection: Uuid, rows: u64, dim: u32) -> Result<u64> {
        self.end_section();
        self.align(SECTION_ALIGN)?;
        self.flush()?;
        let offset = self.written;
        let (sections, blocks) = (std::mem::take(&mut self.sections), std::mem::take(&mut self.blocks));
        let has_tokens = self.has_tokens;
        let footer = Footer { uuid, collection, rows, dim, has_tokens, sections, blocks, offset }.encode();
        let checksum = xxhash_rust::xxh3::xxh3_64(&footer);
        self.buffer = footer;
        self.buffer.put_u64(offset);
        self.buffer.put_u64(checksum);
        self.buffer.put_u64(0);
        self.buffer.put(MAGIC);
        self.write_at_end().map_err(|error| Error::io("write", self.path, error))?;
        self.file.sync().map_err(|error| Error::io("sync", self.path, error))?;
        Ok(checksum)
    }
}
