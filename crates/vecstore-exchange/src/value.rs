//! Metadata as JSON. The rules are in the documentation of the crate.

use std::cell::Cell;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use vecstore::limits::{MAX_METADATA_BYTES, MAX_METADATA_DEPTH};
use vecstore::{DateTime, Error, ErrorKind, Metadata, Result, Value};

const BYTES: &str = "$bytes";
const DATETIME: &str = "$datetime";
const FLOAT: &str = "$float";
const TAGS: [&str; 3] = [BYTES, DATETIME, FLOAT];

/// Writes metadata as a JSON object on one line.
pub fn metadata_to_json(metadata: &Metadata) -> String {
    let mut out = Vec::with_capacity(64);
    write_map(&mut out, metadata);
    String::from_utf8(out).expect("strings are UTF-8 and the rest is ASCII")
}

/// Reads metadata from a JSON object.
///
/// # Errors
///
/// `InvalidInput`, with the place, if the text is no such object or beyond the limits of metadata.
pub fn metadata_from_json(json: &str) -> Result<Metadata> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let read = MetadataSeed.deserialize(&mut reader).and_then(|metadata| reader.end().map(|()| metadata));
    read.map_err(|error| Error::new(ErrorKind::InvalidInput, format!("metadata: {error}")))
}

/// Writes what `serde_json` writes of a value that cannot fail: a number or a string.
pub(crate) fn write_json(out: &mut Vec<u8>, value: impl serde::Serialize) {
    serde_json::to_writer(out, &value).expect("numbers and strings can be written to memory");
}

pub(crate) fn write_map(out: &mut Vec<u8>, map: &Metadata) {
    out.push(b'{');
    for (n, (key, value)) in map.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        if is_tag(key.trim_start_matches('$')) && key.starts_with('$') {
            write_json(out, format!("${key}"));
        } else {
            write_json(out, key);
        }
        out.push(b':');
        write_value(out, value);
    }
    out.push(b'}');
}

/// Returns whether a key without its signs in front is that of a tag.
fn is_tag(bare: &str) -> bool {
    TAGS.iter().any(|tag| &tag[1..] == bare)
}

fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(value) => write_json(out, value),
        Value::Int(value) => write_json(out, value),
        Value::Float(value) if value.is_finite() => write_json(out, value),
        Value::Float(value) => write_tag(out, FLOAT, &not_finite(*value)),
        Value::Str(value) => write_json(out, value),
        Value::Bytes(value) => write_tag(out, BYTES, &STANDARD.encode(value)),
        Value::DateTime(value) => write_tag(out, DATETIME, &value.to_string()),
        Value::List(items) => {
            out.push(b'[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                write_value(out, item);
            }
            out.push(b']');
        }
        Value::Map(map) => write_map(out, map),
    }
}

fn write_tag(out: &mut Vec<u8>, tag: &str, text: &str) {
    out.push(b'{');
    write_json(out, tag);
    out.push(b':');
    write_json(out, text);
    out.push(b'}');
}

fn not_finite(value: f64) -> String {
    if value.to_bits() == f64::NAN.to_bits() {
        "NaN".to_owned()
    } else if value.is_nan() {
        format!("{:#018x}", value.to_bits())
    } else if value > 0.0 {
        "Infinity".to_owned()
    } else {
        "-Infinity".to_owned()
    }
}

/// Returns what a tag stands for.
fn tagged(tag: &str, text: &str) -> Result<Value, String> {
    match tag {
        BYTES => {
            STANDARD.decode(text).map(Value::Bytes).map_err(|error| format!("{BYTES}: not base64: {error}"))
        }
        DATETIME => {
            let read = DateTime::parse(text).map(Value::DateTime);
            read.map_err(|error| format!("{DATETIME}: {}", error.message()))
        }
        _ => {
            let read = match text {
                "NaN" => Some(f64::NAN),
                "Infinity" => Some(f64::INFINITY),
                "-Infinity" => Some(f64::NEG_INFINITY),
                _ => {
                    let bits = text.strip_prefix("0x").and_then(|bits| u64::from_str_radix(bits, 16).ok());
                    bits.map(f64::from_bits)
                }
            };
            read.map(Value::Float).ok_or_else(|| {
                let text: String = text.chars().take(40).collect();
                format!(
                    "{FLOAT}: expected NaN, Infinity, -Infinity or bits in hexadecimal, got {:?}",
                    text.as_str()
                )
            })
        }
    }
}

/// Reads an object as metadata.
pub(crate) struct MetadataSeed;

impl<'de> DeserializeSeed<'de> for MetadataSeed {
    type Value = Metadata;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Metadata, D::Error> {
        let left = Cell::new(MAX_METADATA_BYTES);
        reader.deserialize_map(DocumentVisitor(&left))
    }
}

struct DocumentVisitor<'a>(&'a Cell<usize>);

impl<'de> Visitor<'de> for DocumentVisitor<'_> {
    type Value = Metadata;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Metadata, A::Error> {
        let mut map = Metadata::new();
        let values = ValueSeed { left: self.0, depth: 1 };
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(values)?;
            values.insert(&mut map, key, value)?;
        }
        Ok(map)
    }
}

/// Reads a value; `left` bounds what all values of a document take.
#[derive(Clone, Copy)]
struct ValueSeed<'a> {
    left: &'a Cell<usize>,
    depth: usize,
}

impl ValueSeed<'_> {
    fn take<E: serde::de::Error>(&self, bytes: usize) -> Result<(), E> {
        let left = self.left.get().checked_sub(bytes);
        self.left.set(
            left.ok_or_else(|| E::custom(format!("metadata may take {MAX_METADATA_BYTES} bytes, got more")))?,
        );
        Ok(())
    }

    fn inside<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_METADATA_DEPTH {
            return Err(E::custom(format!("metadata may be {MAX_METADATA_DEPTH} levels deep, got more")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn insert<E: serde::de::Error>(&self, map: &mut Metadata, key: String, value: Value) -> Result<(), E> {
        self.take(key.len() + 1)?;
        let escaped = key.starts_with("$$") && is_tag(key.trim_start_matches('$'));
        let key = if escaped { key[1..].to_owned() } else { key };
        if map.contains_key(&key) {
            return Err(E::custom(format!("expected each key once, got `{}` twice", key.escape_debug())));
        }
        map.insert(key, value);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        self.take(1)?;
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of metadata")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        let value = i64::try_from(value);
        value
            .map(Value::Int)
            .map_err(|_| E::custom("expected an integer of 64 bits with a sign, got a larger one"))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.take(value.len())?;
        Ok(Value::Str(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Metadata::new();
        let Some(mut key) = entries.next_key::<String>()? else { return Ok(Value::Map(map)) };
        let tag = TAGS.iter().find(|tag| **tag == key);
        // What a tag holds is no deeper than its own object, which is not one of the tree.
        let mut inside = if tag.is_some() { self } else { self.inside()? };
        let mut value = entries.next_value_seed(inside)?;
        let second = entries.next_key::<String>()?;
        if let (Some(tag), Value::Str(text), None) = (tag, &value, &second) {
            return tagged(tag, text).map_err(A::Error::custom);
        }
        if tag.is_some() {
            inside = self.inside()?;
        }
        let mut next = second;
        loop {
            inside.insert(&mut map, key, value)?;
            let Some(following) = next else { return Ok(Value::Map(map)) };
            key = following;
            value = entries.next_value_seed(inside)?;
            next = entries.next_key::<String>()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Result<Value> {
        let mut read = metadata_from_json(&format!("{{\"v\":{json}}}"))?;
        Ok(read.remove("v").unwrap())
    }

    #[test]
    fn every_type_has_one_spelling_and_comes_back() {
        let cases = [
            ("null", Value::Null),
            ("true", true.into()),
            ("1", 1.into()),
            ("1.0", 1.0.into()),
            ("-0.0", (-0.0).into()),
            ("1e+300", 1e300.into()),
            ("-9223372036854775808", i64::MIN.into()),
            ("\"x\"", "x".into()),
            (r#"{"$bytes":"AAH/"}"#, Value::Bytes(vec![0, 1, 255])),
            (r#"{"$float":"-Infinity"}"#, f64::NEG_INFINITY.into()),
            (r#"{"$datetime":"2024-05-01T12:00:00.000001+02:00"}"#, {
                Value::DateTime(DateTime::parse("2024-05-01T12:00:00.000001+02:00").unwrap())
            }),
            (r#"{"$$bytes":"AAH/"}"#, Value::Map(Metadata::new().with("$bytes", "AAH/"))),
            (r#"{"$$$float":1}"#, Value::Map(Metadata::new().with("$$float", 1))),
            (r#"{"$other":1}"#, Value::Map(Metadata::new().with("$other", 1))),
            (
                "[1,[2.5,{}]]",
                Value::List(vec![1.into(), Value::List(vec![2.5.into(), Value::Map(Metadata::new())])]),
            ),
        ];
        for (json, expected) in cases {
            let read = value(json).unwrap();
            assert_eq!(format!("{read:?}"), format!("{expected:?}"), "{json}");
            assert_eq!(metadata_to_json(&Metadata::new().with("v", expected)), format!("{{\"v\":{json}}}"));
        }
    }

    #[test]
    fn a_nan_keeps_its_bits() {
        for bits in [f64::NAN.to_bits(), 0xfff8_0000_0000_0001] {
            let json = metadata_to_json(&Metadata::new().with("v", f64::from_bits(bits)));
            let read = metadata_from_json(&json).unwrap();
            assert_eq!(read.get("v").and_then(Value::as_float).map(f64::to_bits), Some(bits), "{json}");
        }
    }

    #[test]
    fn a_key_that_reads_like_a_tag_among_others_is_a_key() {
        let read = value(r#"{"$bytes":"AA==","other":1}"#).unwrap();
        assert_eq!(read.as_map().and_then(|map| map.get("$bytes")), Some(&Value::from("AA==")));
    }

    #[test]
    fn what_metadata_cannot_hold_is_refused() {
        let deep = format!("{}1{}", "[".repeat(64), "]".repeat(64));
        let wide = format!("[{}0]", "0,".repeat(1 << 20));
        for (json, why) in [
            (deep.as_str(), "levels deep"),
            (wide.as_str(), "may take"),
            (r#"{"a":1,"a":2}"#, "`a` twice"),
            ("18446744073709551615", "64 bits"),
            (r#"{"$bytes":"?"}"#, "base64"),
            (r#"{"$datetime":"soon"}"#, "datetime"),
            (r#"{"$float":"1"}"#, "hexadecimal"),
            (r#""\ud800""#, "hex escape"),
            ("1]", "expected"),
        ] {
            let error = value(json).unwrap_err();
            assert!(error.message().contains(why), "{json:.40}: {error}");
        }
    }
}
