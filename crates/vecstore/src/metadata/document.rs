//! The binary form of a record's metadata.
//!
//! ```text
//! document  u8 version = 1, then entries to the end of the slice
//! entry     varint key length, key (UTF-8), value
//! value     u8 tag, payload
//!
//! tag  type      payload
//!  0   null      none
//!  1   false     none
//!  2   true      none
//!  3   int       i8       integers take the narrowest of the four forms
//!  4   int       i16
//!  5   int       i32
//!  6   int       i64
//!  7   float     f64, its bits as given (NaN payloads are kept)
//!  8   string    varint length, UTF-8
//!  9   bytes     varint length, bytes
//! 10   datetime  i64 microseconds since 1970 UTC; offset 0
//! 11   datetime  i64 microseconds since 1970 UTC, i32 seconds east of UTC (not 0)
//! 12   list      varint length in bytes, values
//! 13   map       varint length in bytes, entries
//! ```
//!
//! Numbers are little-endian; a varint is LEB128 in its shortest form, at most 3 bytes. Every string and container says
//! its length, so a lookup skips what it passes without reading it.
//!
//! Valid: the version is known, no key is twice in a map, strings are UTF-8, lengths end where their container ends,
//! containers (the document itself being the first) nest at most [`MAX_METADATA_DEPTH`] deep, and the whole is at most
//! [`MAX_METADATA_BYTES`] long. A document has no checksum; the block or frame that holds it does.

use crate::error::{Error, Result};
use crate::metadata::{DocumentBuilder, DocumentRef, ListRef, Metadata, Value, ValueRef};

/// The most containers that may nest in metadata; the metadata itself is the first.
///
/// Bounds the stack of everything that walks a document.
pub const MAX_METADATA_DEPTH: usize = 64;

/// The largest encoded metadata, in bytes (1 MiB).
///
/// Keeps a record far below the size of a WAL frame, and every length a varint of at most 3 bytes.
pub const MAX_METADATA_BYTES: usize = 1 << 20;

/// The first byte of every document.
pub(super) const VERSION: u8 = 1;

pub(super) mod tag {
    pub(in crate::metadata) const NULL: u8 = 0;
    pub(in crate::metadata) const FALSE: u8 = 1;
    pub(in crate::metadata) const TRUE: u8 = 2;
    pub(in crate::metadata) const INT_8: u8 = 3;
    pub(in crate::metadata) const INT_16: u8 = 4;
    pub(in crate::metadata) const INT_32: u8 = 5;
    pub(in crate::metadata) const INT_64: u8 = 6;
    pub(in crate::metadata) const FLOAT: u8 = 7;
    pub(in crate::metadata) const STR: u8 = 8;
    pub(in crate::metadata) const BYTES: u8 = 9;
    pub(in crate::metadata) const DATETIME_UTC: u8 = 10;
    pub(in crate::metadata) const DATETIME_OFFSET: u8 = 11;
    pub(in crate::metadata) const LIST: u8 = 12;
    pub(in crate::metadata) const MAP: u8 = 13;
}

/// Encodes metadata as a document.
///
/// # Errors
///
/// `InvalidInput` if it nests deeper than [`MAX_METADATA_DEPTH`] or encodes to more than [`MAX_METADATA_BYTES`]; the
/// message has the path of the value that went over.
///
/// # Examples
///
/// ```
/// use vecstore::Metadata;
/// use vecstore::metadata::{decode, encode};
///
/// let metadata = Metadata::new().with("title", "Dune").with("in_print", true);
/// assert_eq!(decode(&encode(&metadata)?)?, metadata);
/// # Ok::<(), vecstore::Error>(())
/// ```
pub fn encode(metadata: &Metadata) -> Result<Vec<u8>> {
    let mut builder = DocumentBuilder::new();
    for (key, value) in metadata {
        builder.key(key)?;
        builder.push_value(value)?;
    }
    builder.finish()
}

/// Decodes a document to a tree; any bytes are safe to pass. Allocates in proportion to the document, which is limited.
///
/// # Errors
///
/// `Corrupted` if the bytes are not a valid document.
pub fn decode(bytes: &[u8]) -> Result<Metadata> {
    metadata_of(DocumentRef::new(bytes)?)
}

/// Recursion is bounded: the reader refuses containers nested deeper than the limit.
fn metadata_of(document: DocumentRef<'_>) -> Result<Metadata> {
    let mut metadata = Metadata::new();
    for entry in document.iter() {
        let (key, value) = entry?;
        if metadata.insert(key, value_of(value)?).is_some() {
            return Err(Error::corrupted(format!("metadata document: the key `{key}` is twice in one map")));
        }
    }
    Ok(metadata)
}

fn list_of(list: ListRef<'_>) -> Result<Vec<Value>> {
    list.iter().map(|item| value_of(item?)).collect()
}

fn value_of(value: ValueRef<'_>) -> Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Bool(value) => Value::Bool(value),
        ValueRef::Int(value) => Value::Int(value),
        ValueRef::Float(value) => Value::Float(value),
        ValueRef::Str(value) => Value::Str(value.to_owned()),
        ValueRef::Bytes(value) => Value::Bytes(value.to_owned()),
        ValueRef::DateTime(value) => Value::DateTime(value),
        ValueRef::List(list) => Value::List(list_of(list)?),
        ValueRef::Map(document) => Value::Map(metadata_of(document)?),
    })
}

impl DocumentRef<'_> {
    /// Copies the map into a tree.
    ///
    /// # Errors
    ///
    /// `Corrupted` if the bytes are not valid.
    pub fn to_metadata(&self) -> Result<Metadata> {
        metadata_of(*self)
    }
}

impl ValueRef<'_> {
    /// Copies the value into a tree.
    ///
    /// # Errors
    ///
    /// `Corrupted` if the bytes of a container are not valid.
    pub fn to_value(&self) -> Result<Value> {
        value_of(*self)
    }
}

/// The bytes of a whole, valid document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    bytes: Vec<u8>,
}

impl Document {
    /// Encodes metadata.
    ///
    /// # Errors
    ///
    /// As [`encode`].
    pub fn new(metadata: &Metadata) -> Result<Self> {
        Ok(Self { bytes: encode(metadata)? })
    }

    /// Ends the document that a builder was given.
    ///
    /// # Errors
    ///
    /// As [`DocumentBuilder::finish`].
    pub fn from_builder(builder: DocumentBuilder) -> Result<Self> {
        Ok(Self { bytes: builder.finish()? })
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}
