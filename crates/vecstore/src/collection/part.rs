//! A part: a block of rows in memory or a segment on disk, seen through one set of methods.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::error::Result;
use crate::index::FlatSigns;
use crate::query::Scoring;
use crate::storage::body::Body;
use crate::storage::marks::Marks;
use crate::storage::rows::Rows;
use crate::storage::segment::Segment;
use crate::text_index::{MemoryTextIndex, TextConfig, TextIndex, TextState};

/// A block of rows that never changes.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Memory(Arc<Rows>),
    Segment(Arc<Segment>),
}

impl Part {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Memory(rows) => rows.len(),
            Self::Segment(segment) => segment.len(),
        }
    }

    pub(crate) fn dim(&self) -> usize {
        match self {
            Self::Memory(rows) => rows.dim(),
            Self::Segment(segment) => segment.dim(),
        }
    }

    pub(crate) fn find(&self, id: &str, hash: u64) -> Result<Option<u32>> {
        match self {
            Self::Memory(rows) => Ok(rows.find(id, hash)),
            Self::Segment(segment) => segment.find(id, hash),
        }
    }

    pub(crate) fn id(&self, row: u32) -> Result<&str> {
        match self {
            Self::Memory(rows) => Ok(rows.id(row)),
            Self::Segment(segment) => segment.id(row),
        }
    }

    /// Returns the rows in ascending order of id. Sorts them the first time.
    pub(crate) fn rows_by_id(&self) -> Result<Arc<Vec<u32>>> {
        let sorted = match self {
            Self::Memory(rows) => rows.sorted(),
            Self::Segment(segment) => segment.sorted(),
        };
        if let Some(order) = sorted.get() {
            return Ok(Arc::clone(order));
        }
        let ids: Vec<&str> = (0..self.len() as u32).map(|row| self.id(row)).collect::<Result<_>>()?;
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        order.sort_unstable_by_key(|&row| ids[row as usize]);
        Ok(Arc::clone(sorted.get_or_init(|| Arc::new(order))))
    }

    /// Returns the index of the texts and sparse vectors, and what is known beside; `None` if no row has any. Rows in memory,
    /// and those of a segment that was written before there were such indexes, are indexed the first time.
    pub(crate) fn text_index(&self, config: &TextConfig) -> Result<Option<(TextIndex<'_>, &TextState)>> {
        let state = match self {
            Self::Memory(rows) => rows.texts(),
            Self::Segment(segment) => segment.texts(),
        };
        if let Self::Segment(segment) = self
            && let Some(index) = segment.text()?
        {
            return Ok(Some((index, state)));
        }
        let index = state.index(|| {
            MemoryTextIndex::new(config, (0..self.len() as u32).map(|row| self.body(row).map(Some)))
        })?;
        Ok(index.map(|index| (index, state)))
    }

    /// Returns whether the rows' signs were not asked for yet.
    pub(crate) fn lacks_signs(&self) -> bool {
        self.sign_place().get().is_none()
    }

    fn sign_place(&self) -> &OnceLock<Option<Box<FlatSigns>>> {
        match self {
            Self::Memory(rows) => rows.signs(),
            Self::Segment(segment) => segment.signs(),
        }
    }

    /// Returns the rows in one bit a component; `None` if their metric, or vectors of extreme length, rule it out.
    /// Encodes them the first time.
    pub(crate) fn signs(&self, scoring: Scoring) -> Result<Option<&FlatSigns>> {
        let place = self.sign_place();
        if let Some(signs) = place.get() {
            return Ok(signs.as_deref());
        }
        let dim = self.dim();
        let signs = match scoring.space(dim, self.len(), |row| self.vector(row as u32))? {
            Some(space) => {
                let vector = |row| self.vector(row as u32);
                Some(Box::new(FlatSigns::encode(scoring.kernels, space, dim, self.len(), vector)?))
            }
            None => None,
        };
        Ok(place.get_or_init(|| signs).as_deref())
    }

    pub(crate) fn body_bytes(&self, row: u32) -> Result<&[u8]> {
        match self {
            Self::Memory(rows) => Ok(rows.body_bytes(row)),
            Self::Segment(segment) => segment.body_bytes(row),
        }
    }

    pub(crate) fn body(&self, row: u32) -> Result<Body<'_>> {
        match self {
            Self::Memory(rows) => Ok(rows.body(row)),
            Self::Segment(segment) => segment.body(row),
        }
    }

    pub(crate) fn has_expiry(&self) -> bool {
        match self {
            Self::Memory(rows) => rows.has_expiry(),
            Self::Segment(segment) => segment.has_expiry(),
        }
    }

    pub(crate) fn expiry(&self, row: u32) -> Result<u64> {
        match self {
            Self::Memory(rows) => Ok(rows.expiry(row)),
            Self::Segment(segment) => segment.expiry(row),
        }
    }

    /// Returns the vectors of rows `rows`, row-major.
    pub(crate) fn vectors(&self, rows: Range<usize>) -> Result<&[f32]> {
        match self {
            Self::Memory(block) => Ok(&block.vectors()[rows.start * block.dim()..rows.end * block.dim()]),
            Self::Segment(segment) => segment.vectors(rows),
        }
    }

    pub(crate) fn vector(&self, row: u32) -> Result<&[f32]> {
        self.vectors(row as usize..row as usize + 1)
    }

    /// Returns the key of a row with a query as [`Scoring::queries`] makes it.
    pub(crate) fn key(&self, scoring: Scoring, query: &[f32], row: u32) -> Result<f32> {
        let mut key = [scoring.kernels.raw(scoring.op(), query, self.vector(row)?)];
        scoring.keys(self.inverse_norms_of(scoring, row)?, &mut key);
        Ok(key[0])
    }

    /// Returns the inverse norm of a row, if the metric uses it.
    pub(crate) fn inverse_norms_of(&self, scoring: Scoring, row: u32) -> Result<&[f32]> {
        if scoring.uses_norms() { self.inverse_norms(row as usize..row as usize + 1) } else { Ok(&[]) }
    }

    /// Returns the inverse norms of rows `rows`; `None` in a part that has none because its metric needs none.
    pub(crate) fn inverse_norms(&self, rows: Range<usize>) -> Result<&[f32]> {
        match self {
            Self::Memory(block) => Ok(&block.inverse_norms()[rows]),
            Self::Segment(segment) => segment.inverse_norms(rows),
        }
    }
}

/// A part as one snapshot sees it.
#[derive(Clone, Debug)]
pub(crate) struct PartView {
    /// Distinguishes the parts of a collection; newer parts have larger numbers.
    pub(crate) id: u64,
    pub(crate) part: Part,
    pub(crate) marks: Marks,
}

impl PartView {
    /// Returns the number of rows that are records: not replaced and not deleted, hidden ones included.
    pub(crate) fn live(&self) -> usize {
        self.part.len() - self.marks.dead.len()
    }

    /// Returns whether the part is searched through a graph.
    pub(crate) fn needs_no_graph(&self) -> bool {
        match &self.part {
            Part::Memory(_) => false,
            Part::Segment(segment) => segment.has_graph() || segment.is_graphless(),
        }
    }

    /// Returns the bytes of the live records: their vectors, ids, metadata and texts, those of the dead taken to be of
    /// the same size.
    pub(crate) fn record_bytes(&self) -> u64 {
        let bytes = match &self.part {
            Part::Memory(rows) => rows.record_bytes(),
            Part::Segment(segment) => segment.record_bytes(),
        };
        let (live, rows) = (self.live() as u128, self.part.len().max(1) as u128);
        u64::try_from(u128::from(bytes) * live / rows).unwrap_or(u64::MAX)
    }

    /// Returns the bytes of memory that the rows take; none for a segment, which is mapped.
    pub(crate) fn memory_bytes(&self) -> usize {
        match &self.part {
            Part::Memory(rows) => rows.memory_bytes(),
            Part::Segment(_) => 0,
        }
    }

    /// Returns the rows `64 * word..64 * word + 64` that can be seen, as bits.
    pub(crate) fn visible_word(&self, word: usize) -> u64 {
        let rows = self.part.len() - word * 64;
        let present = if rows >= 64 { u64::MAX } else { (1 << rows) - 1 };
        present & !self.marks.dead.word(word) & !self.marks.hidden.word(word)
    }

    /// Returns whether a row is neither dead, nor hidden, nor expired at `now` (Unix milliseconds).
    pub(crate) fn is_visible(&self, row: u32, now: u64) -> Result<bool> {
        Ok(!self.marks.dead.contains(row)
            && !self.marks.hidden.contains(row)
            && !self.is_expired(row, now)?)
    }

    pub(crate) fn is_expired(&self, row: u32, now: u64) -> Result<bool> {
        let expiry = self.part.expiry(row)?;
        Ok(expiry != 0 && expiry <= now)
    }

    /// Iterates over the rows that a rewrite keeps: live and, at `now`, not expired. One whose expiry cannot be read is
    /// kept, so that reading it fails where it is needed.
    pub(crate) fn kept_rows(&self, now: u64) -> impl Iterator<Item = u32> + '_ {
        self.live_rows().filter(move |&row| !self.is_expired(row, now).unwrap_or(false))
    }

    /// Iterates over the live rows, hidden ones included.
    pub(crate) fn live_rows(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.part.len() as u32).filter(|&row| !self.marks.dead.contains(row))
    }
}
