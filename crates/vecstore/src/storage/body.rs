//! The body of a record: its metadata document, its sparse vector, its vectors beyond one and its text, as one run of bytes.
//!
//! ```text
//! u32  length of the document in bits 0..29; bit 31 is set if there is a text, bit 30 if there is a sparse vector, bit 29 if
//!      there are several vectors
//! ..   document (see `metadata::document`)
//! u32  components, then u32 dimension of each, ascending, then f32 weight of each; only with bit 30
//! u32  components of the several vectors together, a multiple of the dimension, then f32 each; only with bit 29
//! ..   text, UTF-8, to the end
//! ```

use std::fmt;

use crate::codec::{Reader, WriteFields};
use crate::error::{Error, Result};
use crate::limits::{MAX_MULTI_COMPONENTS, MAX_SPARSE_COMPONENTS};

const HAS_TEXT: u32 = 1 << 31;
const HAS_SPARSE: u32 = 1 << 30;
const HAS_TOKENS: u32 = 1 << 29;

/// A body, borrowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<'a> {
    pub(crate) document: &'a [u8],
    pub(crate) text: Option<&'a str>,
    pub(crate) sparse: Option<SparseRef<'a>>,
    /// Several vectors, as a record of late interaction has them.
    pub(crate) tokens: Option<TokensRef<'a>>,
}

impl<'a> Body<'a> {
    /// Appends the encoded body to `out`.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let text = if self.text.is_some() { HAS_TEXT } else { 0 };
        let sparse = if self.sparse.is_some() { HAS_SPARSE } else { 0 };
        let tokens = if self.tokens.is_some() { HAS_TOKENS } else { 0 };
        out.put_u32(self.document.len() as u32 | text | sparse | tokens);
        out.put(self.document);
        if let Some(sparse) = self.sparse {
            out.put_u32((sparse.0.len() / 8) as u32);
            out.put(sparse.0);
        }
        if let Some(tokens) = self.tokens {
            out.put_u32((tokens.0.len() / 4) as u32);
            out.put(tokens.0);
        }
        out.put(self.text.unwrap_or_default().as_bytes());
    }

    /// Returns whether an encoded body has a sparse vector.
    pub(crate) fn is_sparse(bytes: &[u8]) -> bool {
        Reader::new(bytes, "record body").u32().is_ok_and(|head| head & HAS_SPARSE != 0)
    }

    /// Returns whether an encoded body has several vectors.
    pub(crate) fn has_tokens(bytes: &[u8]) -> bool {
        Reader::new(bytes, "record body").u32().is_ok_and(|head| head & HAS_TOKENS != 0)
    }

    /// Reads a body.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "record body");
        let head = reader.u32()?;
        let document = reader.bytes((head & !(HAS_TEXT | HAS_SPARSE | HAS_TOKENS)) as usize)?;
        let sparse = if head & HAS_SPARSE == 0 {
            None
        } else {
            let count = reader.count(8)?;
            Some(SparseRef::decode(reader.bytes(count * 8)?)?)
        };
        let tokens = if head & HAS_TOKENS == 0 {
            None
        } else {
            let count = reader.count(4)?;
            if !(1..=MAX_MULTI_COMPONENTS).contains(&count) {
                return Err(Error::corrupted(
                    "the several vectors of a record have too many components, or none",
                ));
            }
            Some(TokensRef(reader.bytes(count * 4)?))
        };
        let rest = reader.bytes(reader.remaining())?;
        if head & HAS_TEXT == 0 {
            Reader::new(rest, "record body").finish()?;
            return Ok(Self { document, text: None, sparse, tokens });
        }
        let text = std::str::from_utf8(rest).map_err(|_| Error::corrupted("record text is not UTF-8"))?;
        Ok(Self { document, text: Some(text), sparse, tokens })
    }
}

/// Several vectors, encoded: their components, one vector after the other.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct TokensRef<'a>(&'a [u8]);

impl<'a> TokensRef<'a> {
    /// Takes components.
    pub(crate) fn new(components: &'a [f32]) -> Self {
        Self(bytemuck::cast_slice(components))
    }

    /// Iterates over the components.
    pub(crate) fn components(self) -> impl Iterator<Item = f32> + 'a {
        self.0.chunks_exact(4).map(|bytes| f32::from_le_bytes(four(bytes)))
    }
}

impl fmt::Debug for TokensRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.components()).finish()
    }
}

/// A sparse vector, encoded: dimensions, ascending, then weights.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct SparseRef<'a>(&'a [u8]);

impl<'a> SparseRef<'a> {
    /// Takes what [`encode_sparse`] has made.
    pub(crate) fn new(encoded: &'a [u8]) -> Self {
        Self(encoded)
    }

    fn decode(bytes: &'a [u8]) -> Result<Self> {
        let sparse = Self(bytes);
        let mut last = None;
        for (dimension, weight) in sparse.iter() {
            if last.is_some_and(|last| dimension <= last) || !weight.is_finite() {
                return Err(Error::corrupted("a sparse vector is out of order or not finite"));
            }
            last = Some(dimension);
        }
        if bytes.len() / 8 > MAX_SPARSE_COMPONENTS {
            return Err(Error::corrupted("a sparse vector has too many components"));
        }
        Ok(sparse)
    }

    /// Iterates over dimensions and weights.
    pub(crate) fn iter(self) -> impl Iterator<Item = (u32, f32)> + 'a {
        let (dimensions, weights) = self.0.split_at(self.0.len() / 2);
        let dimensions = dimensions.chunks_exact(4).map(|bytes| u32::from_le_bytes(four(bytes)));
        dimensions.zip(weights.chunks_exact(4).map(|bytes| f32::from_le_bytes(four(bytes))))
    }
}

fn four(bytes: &[u8]) -> [u8; 4] {
    bytes.try_into().expect("a chunk has four bytes")
}

impl fmt::Debug for SparseRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Encodes a sparse vector whose dimensions ascend.
pub(crate) fn encode_sparse(components: &[(u32, f32)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(components.len() * 8);
    components.iter().for_each(|&(dimension, _)| out.put_u32(dimension));
    components.iter().for_each(|&(_, weight)| out.put_u32(weight.to_bits()));
    out
}
