//! Making a section of the bodies of rows, in memory, and writing it.

use vecstore_text::{Analyzer, Scratch};

use super::bound::Bound;
use super::config::TextConfig;
use super::{BLOCK_ROWS, HEAD_WORDS, MAGIC, SPARSE, packing};
use crate::error::{Error, Result};
use crate::field_index::Interner;
use crate::metadata::{DocumentRef, ValueRef};
use crate::storage::body::Body;

/// Set in a term of a row that a value follows: how often the row has it, unless that is once, or a weight.
const HAS_VALUE: u32 = 1 << 31;

/// The most bytes of distinct keys, whose ends have 32 bits.
const KEY_BYTES_MAX: usize = u32::MAX as usize - 1024;

/// Where section bytes go.
type Put<'p> = dyn FnMut(&[u8]) -> Result<()> + 'p;

/// The terms of rows, collected.
pub(crate) struct TextWriter<'c> {
    config: &'c TextConfig,
    scratch: Scratch,
    keys: Interner,
    key: Vec<u8>,
    /// Numbers of the terms of the row that is being read, repeated as they are in it.
    row: Vec<u32>,
    /// For each row its distinct terms, with values.
    terms: Vec<u32>,
    /// End of each row in `terms`.
    ends: Vec<usize>,
    /// For each field the length of each row's text plus 1; as far as rows have one.
    lengths: Vec<Vec<u32>>,
}

impl<'c> TextWriter<'c> {
    pub(crate) fn new(config: &'c TextConfig) -> Self {
        Self {
            config,
            scratch: Scratch::default(),
            keys: Interner::default(),
            key: Vec::new(),
            row: Vec::new(),
            terms: Vec::new(),
            ends: Vec::new(),
            lengths: vec![Vec::new(); config.field_count()],
        }
    }

    /// Returns whether no row had a text or a sparse vector.
    pub(crate) fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.lengths.iter().all(Vec::is_empty)
    }

    /// Adds the next row. One whose body cannot be read has no terms: reading the record fails, and says so.
    pub(crate) fn push(&mut self, body: Option<Body<'_>>) -> Result<()> {
        if let Some(body) = body {
            self.row.clear();
            if let Some(text) = body.text {
                self.push_text(0, text);
            }
            for (path, field) in self.config.fields.iter().zip(1..) {
                let value = DocumentRef::new(body.document).ok().and_then(|document| document.get_path(path));
                match value {
                    Some(ValueRef::Str(text)) => self.push_text(field, text),
                    Some(ValueRef::List(list)) => {
                        for item in list.iter() {
                            if let Ok(ValueRef::Str(text)) = item {
                                self.push_text(field, text);
                            }
                        }
                    }
                    _ => {}
                }
            }
            self.count_terms();
            for (dimension, weight) in body.sparse.into_iter().flat_map(|sparse| sparse.iter()) {
                let number = self.keys.intern(&super::sparse_key(dimension));
                self.terms.extend([number | HAS_VALUE, weight.to_bits()]);
            }
        }
        self.ends.push(self.terms.len());
        if self.keys.text_bytes() > KEY_BYTES_MAX || self.keys.len() > (HAS_VALUE - 1) as usize {
            return Err(Error::unsupported("the texts have too many distinct terms for one segment"));
        }
        Ok(())
    }

    fn push_text(&mut self, field: usize, text: &str) {
        let before = self.row.len();
        let Self { config, scratch, keys, key, row, .. } = self;
        let analyzer: Analyzer = config.analyzer;
        analyzer.analyze(text, scratch, |term| {
            key.clear();
            key.push(field as u8);
            key.extend_from_slice(term.term.as_bytes());
            row.push(keys.intern(key));
        });
        let added = (self.row.len() - before) as u32;
        let lengths = &mut self.lengths[field];
        lengths.resize(self.ends.len() + 1, 0);
        let length = &mut lengths[self.ends.len()];
        *length = (*length).max(1) + added;
    }

    /// Moves the terms of a row to those of all rows, each once.
    fn count_terms(&mut self) {
        self.row.sort_unstable();
        for same in self.row.chunk_by(|a, b| a == b) {
            match same.len() {
                1 => self.terms.push(same[0]),
                count => self.terms.extend([same[0] | HAS_VALUE, count as u32]),
            }
        }
    }

    /// Writes the section.
    pub(crate) fn finish(mut self, put: &mut Put<'_>) -> Result<()> {
        let rows = self.ends.len();
        self.lengths.iter_mut().for_each(|lengths| {
            if !lengths.is_empty() {
                lengths.resize(rows, 0);
            }
        });
        let terms = self.keys.len();
        let mut order: Vec<u32> = (0..terms as u32).collect();
        order.sort_unstable_by(|&a, &b| self.keys.get(a).cmp(self.keys.get(b)));
        let (starts, postings) = self.postings();
        let mut out = Output { put, position: 0 };
        let mut infos: Vec<u8> = Vec::with_capacity(terms * super::INFO_BYTES);
        let mut words = Vec::new();
        for &term in &order {
            let postings = &postings[starts[term as usize]..starts[term as usize + 1]];
            let field = self.keys.get(term)[0];
            let lengths = self.lengths.get(usize::from(field)).map(Vec::as_slice);
            let (place, len) = match postings {
                &[one] => (one, 0),
                _ => {
                    let place = out.position;
                    words.clear();
                    encode(postings, lengths, &mut words);
                    out.put(bytemuck::cast_slice(&words))?;
                    (place, words.len() as u32)
                }
            };
            infos.extend_from_slice(&place.to_le_bytes());
            infos.extend_from_slice(&(postings.len() as u32).to_le_bytes());
            infos.extend_from_slice(&len.to_le_bytes());
            for word in bound(postings, lengths).to_words() {
                infos.extend_from_slice(&word.to_le_bytes());
            }
        }
        drop(postings);
        let fields = self.put_lengths(&mut out)?;
        out.align(4)?;
        let ends_at = out.position;
        let mut end = 0u32;
        for &term in &order {
            end += self.keys.get(term).len() as u32;
            out.put(&end.to_le_bytes())?;
        }
        let keys_at = out.position;
        for &term in &order {
            out.put(self.keys.get(term))?;
        }
        out.align(8)?;
        let infos_at = out.position;
        out.put(&infos)?;
        let fields_at = out.position;
        out.put(bytemuck::cast_slice(&fields))?;
        out.put(bytemuck::cast_slice(&[ends_at, keys_at, infos_at, fields_at]))?;
        out.put(bytemuck::cast_slice(&[terms as u32, rows as u32, self.lengths.len() as u32, 0, 0, 0]))?;
        out.put(MAGIC)
    }

    /// Returns for each term where its postings start (and those of the last end), and the postings: rows, with counts or
    /// weights above.
    fn postings(&mut self) -> (Vec<usize>, Vec<u64>) {
        let flat = std::mem::take(&mut self.terms);
        let mut starts = vec![0usize; self.keys.len() + 1];
        let mut at = 0;
        while at < flat.len() {
            starts[(flat[at] & !HAS_VALUE) as usize + 1] += 1;
            at += if flat[at] & HAS_VALUE == 0 { 1 } else { 2 };
        }
        for term in 1..starts.len() {
            starts[term] += starts[term - 1];
        }
        let mut next = starts.clone();
        let mut postings = vec![0u64; starts[starts.len() - 1]];
        let (mut row, mut at) = (0, 0);
        while at < flat.len() {
            while self.ends[row] <= at {
                row += 1;
            }
            let term = (flat[at] & !HAS_VALUE) as usize;
            let value = if flat[at] & HAS_VALUE == 0 { 1 } else { flat[at + 1] };
            at += if flat[at] & HAS_VALUE == 0 { 1 } else { 2 };
            postings[next[term]] = row as u64 | u64::from(value) << 32;
            next[term] += 1;
        }
        (starts, postings)
    }

    /// Writes the lengths of all fields, and returns what the section says of each.
    fn put_lengths(&self, out: &mut Output<'_, '_>) -> Result<Vec<[u64; 4]>> {
        let mut fields = Vec::new();
        for lengths in &self.lengths {
            let mut field = [0u64; 4];
            for &length in lengths.iter().filter(|&&length| length > 0) {
                field[0] += 1;
                field[1] += u64::from(length - 1);
            }
            out.align(4)?;
            field[2] = out.position;
            field[3] = match lengths.iter().max() {
                None => 0,
                Some(0..=0xFF) => 1,
                Some(0x100..=0xFFFF) => 2,
                Some(_) => 4,
            };
            for length in lengths {
                out.put(&length.to_le_bytes()[..field[3] as usize])?;
            }
            fields.push(field);
        }
        Ok(fields)
    }
}

/// Where the section goes, and how far it is.
struct Output<'o, 'p> {
    put: &'o mut Put<'p>,
    position: u64,
}

impl Output<'_, '_> {
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.position += bytes.len() as u64;
        (self.put)(bytes)
    }

    fn align(&mut self, align: u64) -> Result<()> {
        let gap = self.position.next_multiple_of(align) - self.position;
        self.put(&[0; 8][..gap as usize])
    }
}

/// Returns the bound of some postings: of a text field, whose lengths are given, or of a dimension.
fn bound(postings: &[u64], lengths: Option<&[u32]>) -> Bound {
    match lengths {
        Some(lengths) => Bound::of_text(postings.iter().map(|&posting| {
            let length = lengths.get(posting as u32 as usize).copied().unwrap_or(0);
            ((posting >> 32) as u32, length.saturating_sub(1))
        })),
        None => Bound::of_sparse(postings.iter().map(|&posting| f32::from_bits((posting >> 32) as u32))),
    }
}

/// Encodes the list of a term in more than one row.
fn encode(postings: &[u64], lengths: Option<&[u32]>, out: &mut Vec<u32>) {
    out.resize(postings.len().div_ceil(BLOCK_ROWS) * HEAD_WORDS, 0);
    let mut next = 0;
    for (n, block) in postings.chunks(BLOCK_ROWS).enumerate() {
        let (mut gaps, mut values) = ([0; BLOCK_ROWS], [0; BLOCK_ROWS]);
        let (gaps, values) = (&mut gaps[..block.len()], &mut values[..block.len()]);
        for ((gap, value), &posting) in gaps.iter_mut().zip(values.iter_mut()).zip(block) {
            let row = posting as u32;
            *gap = row - next;
            next = row + 1;
            *value = (posting >> 32) as u32;
        }
        let bound = bound(block, lengths).to_words();
        let head = [next - 1, out.len() as u32, bound[0], bound[1]];
        out[n * HEAD_WORDS..][..HEAD_WORDS].copy_from_slice(&head);
        let gap_bits = packing::bits_of(gaps.iter().copied());
        if lengths.is_some() {
            values.iter_mut().for_each(|count| *count -= 1);
            let count_bits = packing::bits_of(values.iter().copied());
            out.push(gap_bits | count_bits << 8);
            packing::pack(gaps, gap_bits, out);
            packing::pack(values, count_bits, out);
        } else {
            out.push(gap_bits);
            packing::pack(gaps, gap_bits, out);
            out.extend_from_slice(values);
        }
    }
}

/// A field number is never that of sparse dimensions.
const _: () = assert!(super::config::TEXT_FIELDS_MAX < SPARSE as usize);
