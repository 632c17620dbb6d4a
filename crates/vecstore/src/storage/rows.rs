//! A block of rows in memory, immutable once built: what one write call brought, or several such blocks merged.
//!
//! The same bytes are the `rows` operation of a WAL frame:
//!
//! ```text
//! u32  rows
//! u32  dim
//! u32  flags: bit 0, there are expiry times; bit 1, there are bodies with sparse vectors; bit 2, with several vectors
//! u32  zero
//! u16  x rows   length of each id
//! ..            ids, UTF-8, one after the other
//! u32  x rows   length of each body (see `body`)
//! ..            bodies
//! u64  x rows   expiry in Unix milliseconds, 0 for never (only with flag bit 0)
//! f32  x rows x dim   vectors
//! ```

use std::ops::{Index, Range};
use std::sync::{Arc, OnceLock};

use super::body::Body;
use super::id_index;
use crate::codec::{Reader, WriteFields};
use crate::error::{Error, Result};
use crate::index::FlatSigns;
use crate::limits::{MAX_DIM, MAX_ID_BYTES};
use crate::text_index::TextState;

const FLAG_EXPIRY: u32 = 1;
/// A version that knows of no sparse vectors would take their bodies for damaged; this one it refuses as a whole.
const FLAG_SPARSE: u32 = 2;
/// Likewise.
const FLAG_TOKENS: u32 = 4;

/// Up to this many rows, comparing each id is faster than a table (and takes no memory).
const ROWS_WITHOUT_INDEX: usize = 8;

/// Variable-length values, one after the other: strings in a `String`, so that none is checked again when it is read, or
/// bytes in a `Vec<u8>`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Packed<S> {
    ends: Vec<u32>,
    values: S,
}

impl<S: Default + AsRef<[u8]> + Index<Range<usize>>> Packed<S> {
    fn with_capacity(items: usize) -> Self {
        Self { ends: Vec::with_capacity(items), values: S::default() }
    }

    fn push_with(&mut self, write: impl FnOnce(&mut S)) {
        write(&mut self.values);
        let end = self.values.as_ref().len();
        self.ends.push(u32::try_from(end).expect("a batch is bounded well below 4 GiB"));
    }

    fn get(&self, n: usize) -> &S::Output {
        let start = if n == 0 { 0 } else { self.ends[n - 1] };
        &self.values[start as usize..self.ends[n] as usize]
    }

    fn lengths(&self) -> impl Iterator<Item = u32> + '_ {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        self.ends.iter().zip(starts).map(|(end, start)| end - start)
    }
}

/// Columns of rows being collected. Ids may repeat until [`RowsBuilder::build`].
#[derive(Clone, Debug)]
pub(crate) struct RowsBuilder {
    dim: usize,
    ids: Packed<String>,
    bodies: Packed<Vec<u8>>,
    expiry: Vec<u64>,
    vectors: Vec<f32>,
}

impl RowsBuilder {
    pub(crate) fn with_capacity(rows: usize, dim: usize) -> Self {
        Self {
            dim,
            ids: Packed::with_capacity(rows),
            bodies: Packed::with_capacity(rows),
            expiry: Vec::new(),
            vectors: Vec::with_capacity(rows * dim),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.ends.len()
    }

    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    pub(crate) fn vectors(&self) -> &[f32] {
        &self.vectors
    }

    pub(crate) fn id(&self, row: usize) -> &str {
        self.ids.get(row)
    }

    /// Returns the bytes that the variable-length columns take.
    pub(crate) fn variable_bytes(&self) -> usize {
        self.ids.values.len() + self.bodies.values.len()
    }

    /// Returns the bytes of memory that another row would take, of so many components and no more than so many bytes in all: a
    /// column that is full moves to twice its size.
    pub(crate) fn growth(&self, components: usize, bytes: usize) -> usize {
        let doubled = |len: usize, capacity: usize, more: usize, each: usize| {
            if len + more > capacity { (2 * capacity).max(len + more) * each } else { 0 }
        };
        let (bodies, ids) = (&self.bodies.values, &self.ids.values);
        doubled(self.vectors.len(), self.vectors.capacity(), components, 4)
            + doubled(bodies.len(), bodies.capacity(), bytes - components * 4, 1)
            + doubled(ids.len(), ids.capacity(), MAX_ID_BYTES, 1)
    }

    /// Appends a row; the vector must have `dim` components.
    pub(crate) fn push(&mut self, id: &str, vector: &[f32], body: &Body<'_>, expiry: u64) {
        debug_assert_eq!(vector.len(), self.dim);
        self.ids.push_with(|out| out.push_str(id));
        self.bodies.push_with(|out| body.encode(out));
        if expiry != 0 || !self.expiry.is_empty() {
            self.expiry.resize(self.len() - 1, 0);
            self.expiry.push(expiry);
        }
        self.vectors.extend_from_slice(vector);
    }

    /// Sets the expiry of a row.
    pub(crate) fn set_expiry(&mut self, row: usize, expiry: u64) {
        self.expiry.resize(self.len(), 0);
        self.expiry[row] = expiry;
    }

    /// Sets the expiry of the row pushed last.
    pub(crate) fn set_last_expiry(&mut self, expiry: u64) {
        self.set_expiry(self.len() - 1, expiry);
    }

    /// Freezes the rows, with the inverse norms of their vectors (none where the metric needs none). Of rows with the
    /// same id only the last is kept.
    pub(crate) fn build(mut self, inverse_norms: Vec<f32>) -> Rows {
        let rows = self.len();
        if !self.expiry.is_empty() {
            self.expiry.resize(rows, 0);
        }
        let (index, repeated) = self.index();
        if !repeated.contains(&true) {
            return Rows {
                columns: self,
                index,
                inverse_norms,
                sorted: OnceLock::new(),
                signs: OnceLock::new(),
                texts: TextState::default(),
            };
        }
        let mut kept = Self::with_capacity(rows, self.dim);
        let mut kept_norms = Vec::new();
        for row in (0..rows).filter(|&row| !repeated[row]) {
            let body = Body::decode(self.bodies.get(row)).expect("bodies are pushed encoded");
            let vector = &self.vectors[row * self.dim..][..self.dim];
            kept.push(self.id(row), vector, &body, self.expiry.get(row).copied().unwrap_or(0));
            kept_norms.extend(inverse_norms.get(row));
        }
        kept.build(kept_norms)
    }

    /// Builds the id table, and tells for each row whether a later one has the same id.
    fn index(&self) -> (Vec<u64>, Vec<bool>) {
        let rows = self.len();
        let mut repeated = vec![false; rows];
        let mut table = vec![0; id_index::capacity(rows)];
        for row in (0..rows).rev() {
            let id = self.id(row);
            let hash = id_index::hash_id(id);
            let same = |other: u32| self.ids.get(other as usize) == id;
            if id_index::candidates(table.len(), hash, |n| Some(table[n])).any(same) {
                repeated[row] = true;
            } else {
                id_index::insert(&mut table, hash, row as u32);
            }
        }
        if rows <= ROWS_WITHOUT_INDEX {
            table = Vec::new();
        }
        (table, repeated)
    }
}

/// An immutable block of rows with distinct ids.
#[derive(Debug)]
pub(crate) struct Rows {
    columns: RowsBuilder,
    index: Vec<u64>,
    inverse_norms: Vec<f32>,
    sorted: OnceLock<Arc<Vec<u32>>>,
    signs: OnceLock<Option<Box<FlatSigns>>>,
    texts: TextState,
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    pub(crate) fn dim(&self) -> usize {
        self.columns.dim
    }

    pub(crate) fn id(&self, row: u32) -> &str {
        self.columns.id(row as usize)
    }

    pub(crate) fn body_bytes(&self, row: u32) -> &[u8] {
        self.columns.bodies.get(row as usize)
    }

    pub(crate) fn body(&self, row: u32) -> Body<'_> {
        Body::decode(self.body_bytes(row)).expect("bodies are checked when rows are built")
    }

    pub(crate) fn has_expiry(&self) -> bool {
        !self.columns.expiry.is_empty()
    }

    /// Returns the expiry of a row in Unix milliseconds; 0 is never.
    pub(crate) fn expiry(&self, row: u32) -> u64 {
        self.columns.expiry.get(row as usize).copied().unwrap_or(0)
    }

    pub(crate) fn vectors(&self) -> &[f32] {
        &self.columns.vectors
    }

    /// Returns the place for the rows in one bit a component.
    pub(crate) fn signs(&self) -> &OnceLock<Option<Box<FlatSigns>>> {
        &self.signs
    }

    /// Returns the text index of the rows.
    pub(crate) fn texts(&self) -> &TextState {
        &self.texts
    }

    /// Returns the place for the rows in order of id.
    pub(crate) fn sorted(&self) -> &OnceLock<Arc<Vec<u32>>> {
        &self.sorted
    }

    pub(crate) fn has_norms(&self) -> bool {
        !self.inverse_norms.is_empty()
    }

    pub(crate) fn inverse_norms(&self) -> &[f32] {
        &self.inverse_norms
    }

    /// Returns the bytes of the vectors, ids, metadata and texts.
    pub(crate) fn record_bytes(&self) -> u64 {
        (self.columns.vectors.len() * 4 + self.columns.variable_bytes()) as u64
    }

    /// Returns the bytes of memory that the block holds.
    pub(crate) fn memory_bytes(&self) -> usize {
        let signs = self.signs.get().and_then(Option::as_ref).map_or(0, |signs| signs.memory_bytes());
        let columns = &self.columns;
        columns.vectors.len() * 4
            + signs
            + self.texts.memory_bytes()
            + columns.variable_bytes()
            + columns.len() * 8
            + columns.expiry.len() * 8
            + self.index.len() * 8
    }

    pub(crate) fn find(&self, id: &str, hash: u64) -> Option<u32> {
        let same = |&row: &u32| self.columns.ids.get(row as usize) == id;
        if self.index.is_empty() {
            return (0..self.len() as u32).find(same);
        }
        id_index::candidates(self.index.len(), hash, |n| Some(self.index[n])).find(same)
    }

    /// Returns everything of the encoded form that comes before the vectors.
    pub(crate) fn encode_without_vectors(&self) -> Vec<u8> {
        let columns = &self.columns;
        let rows = self.len();
        let mut out = Vec::with_capacity(16 + rows * 14 + columns.variable_bytes());
        out.put_u32(rows as u32);
        out.put_u32(columns.dim as u32);
        let has_sparse = (0..rows).any(|row| Body::is_sparse(columns.bodies.get(row)));
        let sparse = if has_sparse { FLAG_SPARSE } else { 0 };
        let has_tokens = (0..rows).any(|row| Body::has_tokens(columns.bodies.get(row)));
        let tokens = if has_tokens { FLAG_TOKENS } else { 0 };
        out.put_u32(if self.has_expiry() { FLAG_EXPIRY } else { 0 } | sparse | tokens);
        out.put_u32(0);
        columns.ids.lengths().for_each(|len| out.put_u16(len as u16));
        out.put(columns.ids.values.as_bytes());
        columns.bodies.lengths().for_each(|len| out.put_u32(len));
        out.put(&columns.bodies.values);
        columns.expiry.iter().for_each(|&at| out.put_u64(at));
        out
    }

    /// Returns the encoded form of the vectors.
    pub(crate) fn encoded_vectors(&self) -> &[u8] {
        bytemuck::cast_slice(&self.columns.vectors)
    }

    /// Reads the encoded form.
    pub(crate) fn decode(
        bytes: &[u8],
        inverse_norms: impl FnOnce(usize, &[f32]) -> Vec<f32>,
    ) -> Result<Self> {
        let mut reader = Reader::new(bytes, "WAL rows");
        let rows = reader.count(2 + 4)?;
        let dim = reader.u32()? as usize;
        let flags = reader.u32()?;
        if dim == 0
            || dim > MAX_DIM
            || flags & !(FLAG_EXPIRY | FLAG_SPARSE | FLAG_TOKENS) != 0
            || reader.u32()? != 0
        {
            return Err(Error::corrupted(format!(
                "WAL rows: dimension {dim} or flags {flags:#x} out of range"
            )));
        }
        let id_lengths: Vec<u16> = (0..rows).map(|_| reader.u16()).collect::<Result<_>>()?;
        let mut ids = Packed::<String>::with_capacity(rows);
        for len in id_lengths {
            let id = std::str::from_utf8(reader.bytes(usize::from(len))?);
            let Some(id) = id.ok().filter(|id| (1..=MAX_ID_BYTES).contains(&id.len())) else {
                return Err(Error::corrupted("WAL rows: an id is empty, too long or not UTF-8"));
            };
            ids.push_with(|out| out.push_str(id));
        }
        let body_lengths: Vec<u32> = (0..rows).map(|_| reader.u32()).collect::<Result<_>>()?;
        let mut bodies = Packed::<Vec<u8>>::with_capacity(rows);
        for len in body_lengths {
            let body = reader.bytes(len as usize)?;
            Body::decode(body)?;
            bodies.push_with(|out| out.put(body));
        }
        let expiry: Vec<u64> = match flags & FLAG_EXPIRY {
            0 => Vec::new(),
            _ => (0..rows).map(|_| reader.u64()).collect::<Result<_>>()?,
        };
        let floats =
            rows.checked_mul(dim).filter(|&floats| floats.checked_mul(4) == Some(reader.remaining()));
        let Some(floats) = floats else {
            return Err(Error::corrupted(format!("WAL rows: {rows} x {dim} vectors do not fill the frame")));
        };
        let mut vectors = vec![0.0f32; floats];
        bytemuck::cast_slice_mut::<f32, u8>(&mut vectors).copy_from_slice(reader.bytes(floats * 4)?);
        reader.finish()?;
        let norms = inverse_norms(dim, &vectors);
        Ok(RowsBuilder { dim, ids, bodies, expiry, vectors }.build(norms))
    }
}

#[cfg(target_endian = "big")]
compile_error!("rows are mapped from disk as little-endian; this target is big-endian");
