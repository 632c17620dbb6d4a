//! Values that have an order among each other: what columns hold, and what is counted and sorted by.

use super::column::{Column, Entry};
use super::layout::part;
use super::number::Key;
use super::reader::Section;
use crate::codec::{Reader, WriteFields};
use crate::error::{Error, Result};
use crate::metadata::{DateTime, Value, ValueRef};

/// A value in the order of all values: first by type, as the variants stand here, then within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scalar<'a> {
    Bool(bool),
    /// Integers and floats by value.
    Number(Key),
    /// An instant, in microseconds since 1970.
    Time(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl<'a> Scalar<'a> {
    /// Takes a value; null, NaN, lists and maps are none.
    pub(crate) fn of(value: ValueRef<'a>) -> Option<Self> {
        match value {
            ValueRef::Bool(value) => Some(Self::Bool(value)),
            ValueRef::Int(value) => Some(Self::Number(Key::of_int(value))),
            ValueRef::Float(value) => Key::of_float(value).map(Self::Number),
            ValueRef::DateTime(time) => Some(Self::Time(time.unix_micros())),
            ValueRef::Str(text) => Some(Self::Text(text)),
            ValueRef::Bytes(bytes) => Some(Self::Bytes(bytes)),
            ValueRef::Null | ValueRef::List(_) | ValueRef::Map(_) => None,
        }
    }

    /// Takes a value as callers give it.
    pub(crate) fn of_value(value: &'a Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Int(value) => Some(Self::Number(Key::of_int(*value))),
            Value::Float(value) => Key::of_float(*value).map(Self::Number),
            Value::DateTime(time) => Some(Self::Time(time.unix_micros())),
            Value::Str(text) => Some(Self::Text(text)),
            Value::Bytes(bytes) => Some(Self::Bytes(bytes)),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Returns the value: numbers without a fraction as integers, instants in UTC.
    pub(crate) fn value(self) -> Result<Value> {
        Ok(match self {
            Self::Bool(value) => Value::Bool(value),
            Self::Number(key) => key.value(),
            Self::Time(micros) => Value::DateTime(DateTime::new(micros, 0)?),
            Self::Text(text) => Value::Str(text.to_owned()),
            Self::Bytes(bytes) => Value::Bytes(bytes.to_owned()),
        })
    }

    /// Returns whether two values are of one type.
    pub(crate) fn is_like(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }

    /// Returns the column of `part` that holds it; truth values are in none.
    pub(super) fn column(self) -> Option<usize> {
        match self {
            Self::Bool(_) => None,
            Self::Number(_) => Some(part::NUMBERS),
            Self::Time(_) => Some(part::TIMES),
            Self::Text(_) => Some(part::STRINGS),
            Self::Bytes(_) => Some(part::BYTES),
        }
    }

    /// Reads a value of a column that is `column` in `part`.
    pub(super) fn in_column(section: &Section<'_>, column: &Column<'a>, part: usize, n: u32) -> Result<Self> {
        match (column.entry(n)?, part) {
            (Entry::Key(key), part::NUMBERS) => Ok(Self::Number(key)),
            (Entry::Key(key), part::TIMES) => Ok(Self::Time(key.int())),
            (Entry::Text(bytes), part::BYTES) => Ok(Self::Bytes(bytes)),
            (Entry::Text(bytes), part::STRINGS) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Self::Text(text)),
                Err(_) => Err(section.corrupted("a text is malformed")),
            },
            _ => Err(section.corrupted("a column has values of another type")),
        }
    }

    /// Writes the value: u8 type, then itself up to the end.
    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        match self {
            Self::Bool(value) => out.extend([0, u8::from(value)]),
            Self::Number(key) => {
                out.put_u8(1);
                key.words().into_iter().for_each(|word| out.put_u64(word));
            }
            Self::Time(micros) => {
                out.put_u8(2);
                out.put_u64(micros as u64);
            }
            Self::Text(text) => {
                out.put_u8(3);
                out.put(text.as_bytes());
            }
            Self::Bytes(bytes) => {
                out.put_u8(4);
                out.put(bytes);
            }
        }
    }

    /// Reads what `encode` has written.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self> {
        let malformed = || Error::invalid("no value");
        let (&kind, rest) = bytes.split_first().ok_or_else(malformed)?;
        let mut reader = Reader::new(rest, "value");
        Ok(match kind {
            0 => match rest {
                [value @ (0 | 1)] => return Ok(Self::Bool(*value == 1)),
                _ => return Err(malformed()),
            },
            3 => return std::str::from_utf8(rest).map(Self::Text).map_err(|_| malformed()),
            4 => return Ok(Self::Bytes(rest)),
            1 => {
                let key = Key::of_words([reader.u64()?, reader.u64()?]);
                reader.finish()?;
                Self::Number(key)
            }
            2 => {
                let micros = reader.u64()? as i64;
                reader.finish()?;
                Self::Time(micros)
            }
            _ => return Err(malformed()),
        })
    }
}
