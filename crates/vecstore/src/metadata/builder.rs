//! The one encoder of documents: values are pushed in order, and lengths are filled in as containers end.

use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::metadata::document::{MAX_METADATA_BYTES, MAX_METADATA_DEPTH, VERSION, tag};
use crate::metadata::{DateTime, Value};

/// Up to this many keys, comparing each pair beats hashing (both are about 0.2 us at 16 keys).
const PAIRWISE_KEYS: usize = 16;
/// The longest path an error message shows, in characters.
const SHOWN_PATH_CHARS: usize = 200;

/// Writes a document value by value, without a [`Value`] tree in between.
///
/// The builder starts inside the document's own map. In a map each value follows its key; in a list values follow each
/// other. After an error the builder is spent: drop it.
///
/// # Examples
///
/// ```
/// use vecstore::Metadata;
/// use vecstore::metadata::{DocumentBuilder, decode};
///
/// let mut builder = DocumentBuilder::new();
/// builder.key("price")?;
/// builder.push_int(10)?;
/// builder.key("tags")?;
/// builder.begin_list()?;
/// builder.push_str("new")?;
/// builder.end_list()?;
/// let document = builder.finish()?;
/// assert_eq!(decode(&document)?, Metadata::new().with("price", 10).with("tags", ["new"]));
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Debug)]
pub struct DocumentBuilder {
    bytes: Vec<u8>,
    /// The open containers, outermost first; the first is the document and stays open until `finish`.
    frames: Vec<Frame>,
    /// Where in `bytes` the keys of the open maps are, those of the outermost first.
    keys: Vec<(usize, usize)>,
}

/// An open container.
#[derive(Debug)]
struct Frame {
    kind: Kind,
    /// Where the container's one-byte length placeholder is.
    length_at: usize,
    /// How many of the builder's `keys` belong to outer maps.
    outer_keys: usize,
    /// How many values were pushed.
    values: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    List,
    Map,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Map => "map",
        }
    }
}

impl Default for DocumentBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl DocumentBuilder {
    /// Starts an empty document.
    pub fn new() -> Self {
        let mut bytes = Vec::with_capacity(128); // most metadata fits: one allocation
        bytes.push(VERSION);
        let document = Frame { kind: Kind::Map, length_at: 0, outer_keys: 0, values: 0 };
        Self { bytes, frames: vec![document], keys: Vec::with_capacity(8) }
    }

    /// Starts an entry; its value comes next.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the size limit is passed, or if the innermost open container is a list or awaits a value.
    pub fn key(&mut self, key: &str) -> Result<()> {
        let frame = self.frame()?;
        if frame.kind == Kind::List {
            return Err(misuse("a key inside a list"));
        }
        if self.awaits_value()? {
            return Err(misuse("a key where the value of the key before it should be"));
        }
        self.reserve(key.len())?;
        push_varint(&mut self.bytes, key.len());
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key.as_bytes());
        self.keys.push((start, self.bytes.len()));
        Ok(())
    }

    /// Pushes a null.
    ///
    /// # Errors
    ///
    /// Like every push: `InvalidInput` if the size limit is passed, or in a map if no key was given.
    pub fn push_null(&mut self) -> Result<()> {
        self.push_scalar(tag::NULL, &[])
    }

    /// Pushes a truth value.
    ///
    /// # Errors
    ///
    /// As [`push_null`](Self::push_null).
    pub fn push_bool(&mut self, value: bool) -> Result<()> {
        self.push_scalar(if value { tag::TRUE } else { tag::FALSE }, &[])
    }

    /// Pushes an integer.
    ///
    /// # Errors
    ///
    /// As [`push_null`](Self::push_null).
    pub fn push_int(&mut self, value: i64) -> Result<()> {
        if let Ok(value) = i8::try_from(value) {
            self.push_scalar(tag::INT_8, &value.to_le_bytes())
        } else if let Ok(value) = i16::try_from(value) {
            self.push_scalar(tag::INT_16, &value.to_le_bytes())
        } else if let Ok(value) = i32::try_from(value) {
            self.push_scalar(tag::INT_32, &value.to_le_bytes())
        } else {
            self.push_scalar(tag::INT_64, &value.to_le_bytes())
        }
    }

    /// Pushes a float, bit for bit.
    ///
    /// # Errors
    ///
    /// As [`push_null`](Self::push_null).
    pub fn push_float(&mut self, value: f64) -> Result<()> {
        self.push_scalar(tag::FLOAT, &value.to_le_bytes())
    }

    /// Pushes a string.
    ///
    /// # Errors
    ///
    /// As [`push_null`](Self::push_null).
    pub fn push_str(&mut self, value: &str) -> Result<()> {
        self.push_sized(tag::STR, value.as_bytes())
    }

    /// Pushes a byte string.
    ///
    /// # Errors
    ///
    /// As [`push_null`](Self::push_null).
    pub fn push_bytes(&mut self, value: &[u8]) -> Result<()> {
        self.push_sized(tag::BYTES, value)
    }

    /// Pushes an instant.
    ///
    /// # Errors
    ///
    /// As [`push_null`](Self::push_null).
    pub fn push_datetime(&mut self, value: DateTime) -> Result<()> {
        let micros = value.unix_micros().to_le_bytes();
        if value.offset_seconds() == 0 {
            return self.push_scalar(tag::DATETIME_UTC, &micros);
        }
        self.push_scalar(tag::DATETIME_OFFSET, &micros)?;
        self.bytes.extend_from_slice(&value.offset_seconds().to_le_bytes());
        self.check_size(0)
    }

    /// Pushes a whole tree; its depth is checked on the way down, so any depth is safe to pass.
    ///
    /// # Errors
    ///
    /// As [`push_null`](Self::push_null), and `InvalidInput` if the depth limit is passed.
    pub fn push_value(&mut self, value: &Value) -> Result<()> {
        match value {
            Value::Null => self.push_null(),
            Value::Bool(value) => self.push_bool(*value),
            Value::Int(value) => self.push_int(*value),
            Value::Float(value) => self.push_float(*value),
            Value::Str(value) => self.push_str(value),
            Value::Bytes(value) => self.push_bytes(value),
            Value::DateTime(value) => self.push_datetime(*value),
            Value::List(items) => {
                self.begin_list()?;
                for item in items {
                    self.push_value(item)?;
                }
                self.end_list()
            }
            Value::Map(map) => {
                self.begin_map()?;
                for (key, value) in map {
                    self.key(key)?;
                    self.push_value(value)?;
                }
                self.end_map()
            }
        }
    }

    /// Opens a list as the next value.
    ///
    /// # Errors
    ///
    /// As [`push_null`](Self::push_null), and `InvalidInput` if the depth limit is passed.
    pub fn begin_list(&mut self) -> Result<()> {
        self.begin(Kind::List, tag::LIST)
    }

    /// Closes the innermost list.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the innermost open container is not a list.
    pub fn end_list(&mut self) -> Result<()> {
        self.end(Kind::List)
    }

    /// Opens a map as the next value.
    ///
    /// # Errors
    ///
    /// As [`push_null`](Self::push_null), and `InvalidInput` if the depth limit is passed.
    pub fn begin_map(&mut self) -> Result<()> {
        self.begin(Kind::Map, tag::MAP)
    }

    /// Closes the innermost map.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the innermost open container is not a map, awaits a value, or has a key twice.
    pub fn end_map(&mut self) -> Result<()> {
        self.end(Kind::Map)
    }

    /// Ends the document and returns its bytes.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if a container is open, a key awaits its value, or a key is twice.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        if let [_, .., open] = self.frames.as_slice() {
            return Err(misuse(&format!("the end of the document inside a {}", open.kind.name())));
        }
        if self.awaits_value()? {
            return Err(misuse("the end of the document where a value should be"));
        }
        self.check_keys(0)?;
        Ok(std::mem::take(&mut self.bytes))
    }

    fn frame(&self) -> Result<&Frame> {
        self.frames.last().ok_or_else(|| misuse("an end without a beginning"))
    }

    /// Returns whether the innermost container is a map with a key that has no value yet.
    fn awaits_value(&self) -> Result<bool> {
        let frame = self.frame()?;
        Ok(frame.kind == Kind::Map && self.keys.len() - frame.outer_keys > frame.values)
    }

    /// Counts a value into the innermost container.
    fn place_value(&mut self) -> Result<()> {
        let keys = self.keys.len();
        let Some(frame) = self.frames.last_mut() else { return Err(misuse("a value after the end")) };
        if frame.kind == Kind::Map && keys - frame.outer_keys == frame.values {
            return Err(misuse("a value in a map where a key should be"));
        }
        frame.values += 1;
        Ok(())
    }

    fn push_scalar(&mut self, tag: u8, payload: &[u8]) -> Result<()> {
        self.place_value()?;
        self.bytes.push(tag);
        self.bytes.extend_from_slice(payload);
        self.check_size(0)
    }

    fn push_sized(&mut self, tag: u8, payload: &[u8]) -> Result<()> {
        self.place_value()?;
        self.reserve(payload.len())?;
        self.bytes.push(tag);
        push_varint(&mut self.bytes, payload.len());
        self.bytes.extend_from_slice(payload);
        self.check_size(0)
    }

    /// Checks the size before `additional` bytes are copied.
    fn reserve(&mut self, additional: usize) -> Result<()> {
        self.check_size(additional)?;
        self.bytes.reserve(additional + 4); // and a tag and a length
        Ok(())
    }

    fn check_size(&self, additional: usize) -> Result<()> {
        let size = self.bytes.len().saturating_add(additional);
        if size <= MAX_METADATA_BYTES {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "metadata too large at {}: expected at most {MAX_METADATA_BYTES} encoded bytes, got at least {size}",
            self.path()
        )))
    }

    fn begin(&mut self, kind: Kind, tag: u8) -> Result<()> {
        self.place_value()?;
        if self.frames.len() == MAX_METADATA_DEPTH {
            return Err(Error::invalid(format!(
                "metadata too deep at {}: expected at most {MAX_METADATA_DEPTH} nested containers, got at least {}",
                self.path(),
                MAX_METADATA_DEPTH + 1
            )));
        }
        self.bytes.push(tag);
        let length_at = self.bytes.len();
        self.bytes.push(0);
        self.frames.push(Frame { kind, length_at, outer_keys: self.keys.len(), values: 0 });
        self.check_size(0)
    }

    fn end(&mut self, kind: Kind) -> Result<()> {
        let innermost = self.frame()?.kind;
        if self.frames.len() == 1 || innermost != kind {
            return Err(misuse(&format!("the end of a {} that is not open", kind.name())));
        }
        if self.awaits_value()? {
            return Err(misuse("the end of a map where a value should be"));
        }
        let Some(frame) = self.frames.pop() else { return Err(misuse("an end without a beginning")) };
        self.check_keys(frame.outer_keys)?;
        self.keys.truncate(frame.outer_keys);
        self.fill_length(frame.length_at);
        self.check_size(0)
    }

    /// Writes the length of the container whose placeholder is at `length_at`, moving its content if one byte is short.
    fn fill_length(&mut self, length_at: usize) {
        let length = self.bytes.len() - length_at - 1;
        if let Ok(short) = u8::try_from(length)
            && short < 0x80
        {
            self.bytes[length_at] = short;
            return;
        }
        let mut varint = Vec::with_capacity(4);
        push_varint(&mut varint, length);
        self.bytes.splice(length_at..=length_at, varint);
    }

    /// Checks that the keys of the innermost map, those from `first` on, differ.
    fn check_keys(&self, first: usize) -> Result<()> {
        let key = |&(start, end): &(usize, usize)| &self.bytes[start..end];
        let keys = &self.keys[first..];
        let twice = if keys.len() <= PAIRWISE_KEYS {
            keys.iter().enumerate().find(|(at, one)| keys[..*at].iter().any(|other| key(other) == key(one)))
        } else {
            let mut seen = HashSet::with_capacity(keys.len());
            keys.iter().enumerate().find(|(_, one)| !seen.insert(key(one)))
        };
        match twice {
            None => Ok(()),
            Some((_, one)) => Err(Error::invalid(format!(
                "metadata has the key `{}` twice in one map",
                String::from_utf8_lossy(key(one))
            ))),
        }
    }

    /// Returns the path of the value being pushed, for messages.
    fn path(&self) -> String {
        let mut path = String::new();
        for (at, frame) in self.frames.iter().enumerate() {
            let keys_end = self.frames.get(at + 1).map_or(self.keys.len(), |inner| inner.outer_keys);
            match frame.kind {
                Kind::List => path.push_str(&format!("[{}]", frame.values.saturating_sub(1))),
                Kind::Map if keys_end > frame.outer_keys => {
                    let (start, end) = self.keys[keys_end - 1];
                    let separator = if path.is_empty() { "" } else { "." };
                    path.push_str(separator);
                    path.push_str(&String::from_utf8_lossy(&self.bytes[start..end]));
                }
                Kind::Map => {}
            }
        }
        if path.chars().count() > SHOWN_PATH_CHARS {
            path = path.chars().take(SHOWN_PATH_CHARS).collect::<String>() + "...";
        }
        format!("`{path}`")
    }
}

fn misuse(got: &str) -> Error {
    Error::invalid(format!("document builder: got {got}"))
}

fn push_varint(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
