//! Walking a document where it lies: nothing is copied, and what is passed over is skipped by its length.

use crate::error::{Error, Result};
use crate::metadata::DateTime;
use crate::metadata::document::{MAX_METADATA_BYTES, MAX_METADATA_DEPTH, VERSION, tag};

/// A map inside an encoded document, or the whole document.
///
/// Any bytes are safe to walk. A lookup that meets malformed bytes returns `None`; an iterator yields one error and
/// ends. Containers nested deeper than [`MAX_METADATA_DEPTH`] are malformed, so recursion over values is bounded.
///
/// # Examples
///
/// ```
/// use vecstore::Metadata;
/// use vecstore::metadata::{DocumentRef, ValueRef, encode};
///
/// let author = Metadata::new().with("name", "Herbert");
/// let bytes = encode(&Metadata::new().with("title", "Dune").with("author", author))?;
/// let document = DocumentRef::new(&bytes)?;
/// assert!(matches!(document.get("title"), Some(ValueRef::Str("Dune"))));
/// assert!(matches!(document.get_path("author.name"), Some(ValueRef::Str("Herbert"))));
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DocumentRef<'a> {
    entries: &'a [u8],
    depth: usize,
}

/// A list inside an encoded document; as safe to walk as a [`DocumentRef`].
#[derive(Clone, Copy, Debug)]
pub struct ListRef<'a> {
    items: &'a [u8],
    depth: usize,
}

/// A value inside an encoded document.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// A null.
    Null,
    /// A truth value.
    Bool(bool),
    /// A 64-bit signed integer.
    Int(i64),
    /// A 64-bit float.
    Float(f64),
    /// A string.
    Str(&'a str),
    /// A byte string.
    Bytes(&'a [u8]),
    /// An instant with its UTC offset.
    DateTime(DateTime),
    /// A list.
    List(ListRef<'a>),
    /// A map.
    Map(DocumentRef<'a>),
}

/// What is wrong with the bytes.
type Malformed = &'static str;
/// A part of the bytes, and the rest after it.
type Taken<'a, T> = Result<(T, &'a [u8]), Malformed>;

const TRUNCATED: Malformed = "a value ends past its container";

fn corrupted(what: Malformed) -> Error {
    Error::corrupted(format!("metadata document: {what}"))
}

impl<'a> DocumentRef<'a> {
    /// Opens a document; checks its version and size, not its content.
    ///
    /// # Errors
    ///
    /// `Corrupted` if the bytes are empty, longer than [`MAX_METADATA_BYTES`], or of another format version.
    pub fn new(bytes: &'a [u8]) -> Result<Self> {
        match bytes {
            _ if bytes.len() > MAX_METADATA_BYTES => Err(corrupted("it is longer than the size limit")),
            [VERSION, entries @ ..] => Ok(Self { entries, depth: 1 }),
            [] => Err(corrupted("it is empty")),
            [_, ..] => Err(corrupted("unknown format version")),
        }
    }

    /// Returns a document without entries.
    pub const fn empty() -> Self {
        Self { entries: &[], depth: 1 }
    }

    /// Returns whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Iterates over the entries in the order they were given.
    pub fn iter(&self) -> Entries<'a> {
        Entries { rest: self.entries, depth: self.depth }
    }

    /// Returns the value at `key`, read literally: a dot in it separates nothing.
    pub fn get(&self, key: &str) -> Option<ValueRef<'a>> {
        let mut rest = self.entries;
        while !rest.is_empty() {
            let (found, value) = take_sized(rest).ok()?;
            if found == key.as_bytes() {
                return take_value(value, self.depth).ok().map(|(value, _)| value);
            }
            rest = skip_value(value).ok()?;
        }
        None
    }

    /// Returns the value at a dotted path.
    ///
    /// At each map the rest of the path is first looked up as one literal key, then its part before the first dot. At a
    /// list that part is a decimal index.
    pub fn get_path(&self, path: &str) -> Option<ValueRef<'a>> {
        let (mut document, mut path) = (*self, path);
        loop {
            let Some((head, tail)) = path.split_once('.') else { return document.get(path) };
            let (mut value, mut tail) = match document.get_either(path, head)? {
                Found::Whole(value) => return Some(value),
                Found::Head(value) => (value, tail),
            };
            while let ValueRef::List(list) = value {
                let (index, after) =
                    tail.split_once('.').map_or((tail, None), |(index, after)| (index, Some(after)));
                value = list.get(parse_index(index)?)?;
                let Some(after) = after else { return Some(value) };
                tail = after;
            }
            let ValueRef::Map(inner) = value else { return None };
            (document, path) = (inner, tail);
        }
    }

    /// Finds `whole`, or failing that `head`, in one pass.
    fn get_either(&self, whole: &str, head: &str) -> Option<Found<'a>> {
        let mut at_head = None;
        let mut rest = self.entries;
        while !rest.is_empty() {
            let (found, value) = take_sized(rest).ok()?;
            if found == whole.as_bytes() {
                return take_value(value, self.depth).ok().map(|(value, _)| Found::Whole(value));
            }
            if found == head.as_bytes() {
                at_head = Some(value);
            }
            rest = skip_value(value).ok()?;
        }
        take_value(at_head?, self.depth).ok().map(|(value, _)| Found::Head(value))
    }

    /// Counts the entries. O(entries).
    pub fn count(&self) -> usize {
        self.iter().take_while(Result::is_ok).count()
    }
}

enum Found<'a> {
    Whole(ValueRef<'a>),
    Head(ValueRef<'a>),
}

/// Reads a list index: decimal digits only, so that `+1` and `-1` are keys that no list has.
fn parse_index(text: &str) -> Option<usize> {
    let is_index = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_index.then(|| text.parse().ok())?
}

impl<'a> ListRef<'a> {
    /// Iterates over the items.
    pub fn iter(&self) -> Items<'a> {
        Items { rest: self.items, depth: self.depth }
    }

    /// Returns whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns the item at `index`. O(index).
    pub fn get(&self, index: usize) -> Option<ValueRef<'a>> {
        let mut rest = self.items;
        for _ in 0..index {
            rest = skip_value(rest).ok()?;
        }
        take_value(rest, self.depth).ok().map(|(value, _)| value)
    }

    /// Counts the items; bytes that are malformed end the count. O(items).
    pub fn count(&self) -> usize {
        let mut rest = self.items;
        let mut count = 0;
        while !rest.is_empty() {
            let Ok(after) = skip_value(rest) else { break };
            rest = after;
            count += 1;
        }
        count
    }
}

/// The entries of a map, made by [`DocumentRef::iter`]; ends after the first error.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<(&'a str, ValueRef<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let rest = std::mem::take(&mut self.rest); // stays empty if the entry is malformed
        Some(take_entry(rest, self.depth).map_err(corrupted).map(|(entry, rest)| {
            self.rest = rest;
            entry
        }))
    }
}

/// The items of a list, made by [`ListRef::iter`]; ends after the first error.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<ValueRef<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let rest = std::mem::take(&mut self.rest); // stays empty if the item is malformed
        Some(take_value(rest, self.depth).map_err(corrupted).map(|(value, rest)| {
            self.rest = rest;
            value
        }))
    }
}

fn take_varint(bytes: &[u8]) -> Taken<'_, usize> {
    match *bytes {
        [a, ref rest @ ..] if a < 0x80 => Ok((usize::from(a), rest)),
        [a, b, ref rest @ ..] if b < 0x80 && b != 0 => {
            Ok((usize::from(a & 0x7f) | usize::from(b) << 7, rest))
        }
        [a, b, c, ref rest @ ..] if b >= 0x80 && c < 0x80 && c != 0 => {
            Ok((usize::from(a & 0x7f) | usize::from(b & 0x7f) << 7 | usize::from(c) << 14, rest))
        }
        _ => Err("a length is malformed"),
    }
}

#[inline]
fn take_sized(bytes: &[u8]) -> Taken<'_, &[u8]> {
    let (length, rest) = take_varint(bytes)?;
    rest.split_at_checked(length).ok_or(TRUNCATED)
}

fn take_array<const N: usize>(bytes: &[u8]) -> Taken<'_, [u8; N]> {
    bytes.split_first_chunk::<N>().map(|(array, rest)| (*array, rest)).ok_or(TRUNCATED)
}

#[inline]
fn skip_value(bytes: &[u8]) -> Result<&[u8], Malformed> {
    let (&tag, rest) = bytes.split_first().ok_or(TRUNCATED)?;
    let width = match tag {
        tag::NULL | tag::FALSE | tag::TRUE => 0,
        tag::INT_8 => 1,
        tag::INT_16 => 2,
        tag::INT_32 => 4,
        tag::INT_64 | tag::FLOAT | tag::DATETIME_UTC => 8,
        tag::DATETIME_OFFSET => 12,
        tag::STR | tag::BYTES | tag::LIST | tag::MAP => return take_sized(rest).map(|(_, rest)| rest),
        _ => return Err("unknown value tag"),
    };
    rest.get(width..).ok_or(TRUNCATED)
}

fn take_entry(bytes: &[u8], depth: usize) -> Taken<'_, (&str, ValueRef<'_>)> {
    let (key, rest) = take_sized(bytes)?;
    let key = str::from_utf8(key).map_err(|_| "a key is not UTF-8")?;
    let (value, rest) = take_value(rest, depth)?;
    Ok(((key, value), rest))
}

/// Takes one value out of a container that is `depth` deep.
#[inline]
fn take_value(bytes: &[u8], depth: usize) -> Taken<'_, ValueRef<'_>> {
    let (&tag, rest) = bytes.split_first().ok_or(TRUNCATED)?;
    Ok(match tag {
        tag::NULL => (ValueRef::Null, rest),
        tag::FALSE => (ValueRef::Bool(false), rest),
        tag::TRUE => (ValueRef::Bool(true), rest),
        tag::INT_8 => take_array(rest).map(|(b, rest)| (ValueRef::Int(i8::from_le_bytes(b).into()), rest))?,
        tag::INT_16 => {
            take_array(rest).map(|(b, rest)| (ValueRef::Int(i16::from_le_bytes(b).into()), rest))?
        }
        tag::INT_32 => {
            take_array(rest).map(|(b, rest)| (ValueRef::Int(i32::from_le_bytes(b).into()), rest))?
        }
        tag::INT_64 => take_array(rest).map(|(b, rest)| (ValueRef::Int(i64::from_le_bytes(b)), rest))?,
        tag::FLOAT => take_array(rest).map(|(b, rest)| (ValueRef::Float(f64::from_le_bytes(b)), rest))?,
        tag::STR => {
            let (text, rest) = take_sized(rest)?;
            (ValueRef::Str(str::from_utf8(text).map_err(|_| "a string is not UTF-8")?), rest)
        }
        tag::BYTES => take_sized(rest).map(|(bytes, rest)| (ValueRef::Bytes(bytes), rest))?,
        tag::DATETIME_UTC | tag::DATETIME_OFFSET => take_datetime(tag, rest)?,
        tag::LIST | tag::MAP if depth >= MAX_METADATA_DEPTH => {
            return Err("containers nest deeper than the limit");
        }
        tag::LIST => take_sized(rest)
            .map(|(items, rest)| (ValueRef::List(ListRef { items, depth: depth + 1 }), rest))?,
        tag::MAP => take_sized(rest)
            .map(|(entries, rest)| (ValueRef::Map(DocumentRef { entries, depth: depth + 1 }), rest))?,
        _ => return Err("unknown value tag"),
    })
}

fn take_datetime(tag: u8, bytes: &[u8]) -> Taken<'_, ValueRef<'_>> {
    let (micros, rest) = take_array(bytes)?;
    let (offset, rest) =
        if tag == tag::DATETIME_OFFSET { take_array(rest)? } else { (0_i32.to_le_bytes(), rest) };
    let datetime = DateTime::checked(i64::from_le_bytes(micros), i32::from_le_bytes(offset));
    Ok((ValueRef::DateTime(datetime.ok_or("a datetime is out of range")?), rest))
}
