//! A record as a line of JSON.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use vecstore::limits::{MAX_DIM, MAX_MULTI_COMPONENTS, MAX_SPARSE_COMPONENTS};
use vecstore::{Error, ErrorKind, MultiVector, Record, Result, SparseVector};

use crate::value::{MetadataSeed, write_json, write_map};

const FIELDS: &[&str] =
    &["id", "vector", "vectors", "metadata", "text", "sparse", "expires_at_unix_ms", "deleted"];

/// Writes a record as a JSON object, without a line break.
pub fn record_to_json(record: &Record, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":");
    write_json(out, &record.id);
    out.extend_from_slice(b",\"vector\":");
    write_json(out, &record.vector);
    if let Some(vectors) = &record.vectors {
        out.extend_from_slice(b",\"vectors\":");
        let mut opening = b'[';
        for vector in vectors.iter() {
            out.push(std::mem::replace(&mut opening, b','));
            write_json(out, vector);
        }
        out.push(b']');
    }
    if !record.metadata.is_empty() {
        out.extend_from_slice(b",\"metadata\":");
        write_map(out, &record.metadata);
    }
    if let Some(text) = &record.text {
        out.extend_from_slice(b",\"text\":");
        write_json(out, text);
    }
    if let Some(sparse) = &record.sparse {
        let (indices, values): (Vec<u32>, Vec<f32>) = sparse.components().iter().copied().unzip();
        out.extend_from_slice(b",\"sparse\":{\"indices\":");
        write_json(out, indices);
        out.extend_from_slice(b",\"values\":");
        write_json(out, values);
        out.push(b'}');
    }
    if let Some(at) = record.expires_at_unix_ms {
        out.extend_from_slice(b",\"expires_at_unix_ms\":");
        write_json(out, at);
    }
    if record.deleted {
        out.extend_from_slice(b",\"deleted\":true");
    }
    out.push(b'}');
}

/// Reads a record from a JSON object.
///
/// # Errors
///
/// `InvalidInput`, with the column, if the bytes are no such object.
pub fn record_from_json(json: &[u8]) -> Result<Record> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let read = serde::Deserializer::deserialize_map(&mut reader, RecordVisitor);
    read.and_then(|record| reader.end().map(|()| record)).map_err(|error| {
        // A line is its own text, so that serde_json's line is always the first.
        let why = error.to_string();
        let why = why.split(" at line ").next().unwrap_or_default();
        Error::new(ErrorKind::InvalidInput, format!("column {}: {why}", error.column()))
    })
}

struct RecordVisitor;

impl<'de> Visitor<'de> for RecordVisitor {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with {}", FIELDS.join(", "))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Record, A::Error> {
        let mut record = Record::default();
        let mut seen = [false; FIELDS.len()];
        while let Some(name) = fields.next_key::<String>()? {
            let Some(at) = FIELDS.iter().position(|field| *field == name) else {
                return Err(A::Error::unknown_field(&name, FIELDS));
            };
            if std::mem::replace(&mut seen[at], true) {
                return Err(A::Error::custom(format!("expected the field `{name}` once, got it twice")));
            }
            match at {
                0 => record.id = fields.next_value()?,
                1 => record.vector = fields.next_value_seed(Numbers::new(MAX_DIM))?,
                2 => record.vectors = fields.next_value_seed(OrNull(MultiVectorSeed))?,
                3 => record.metadata = fields.next_value_seed(OrNull(MetadataSeed))?.unwrap_or_default(),
                4 => record.text = fields.next_value()?,
                5 => record.sparse = fields.next_value_seed(OrNull(SparseSeed))?,
                6 => record.expires_at_unix_ms = fields.next_value()?,
                _ => record.deleted = fields.next_value()?,
            }
        }
        for required in 0..2 {
            if !seen[required] {
                return Err(A::Error::missing_field(FIELDS[required]));
            }
        }
        Ok(record)
    }
}

/// Reads what another seed does, or null.
struct OrNull<S>(S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for OrNull<S> {
    type Value = Option<S::Value>;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_option(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for OrNull<S> {
    type Value = Option<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or null")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        self.0.deserialize(reader).map(Some)
    }
}

/// Reads an array of at most so many numbers.
struct Numbers<T> {
    max: usize,
    kind: std::marker::PhantomData<T>,
}

impl<T> Numbers<T> {
    fn new(max: usize) -> Self {
        Self { max, kind: std::marker::PhantomData }
    }
}

impl<'de, T: serde::Deserialize<'de>> DeserializeSeed<'de> for Numbers<T> {
    type Value = Vec<T>;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Vec<T>, D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de, T: serde::Deserialize<'de>> Visitor<'de> for Numbers<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut numbers = Vec::new();
        while numbers.len() < self.max {
            let Some(number) = items.next_element()? else { return Ok(numbers) };
            numbers.push(number);
        }
        match items.next_element::<IgnoredAny>()? {
            None => Ok(numbers),
            Some(_) => Err(A::Error::custom(format!("expected at most {} numbers, got more", self.max))),
        }
    }
}

/// Reads an array of vectors of one dimension.
struct MultiVectorSeed;

impl<'de> DeserializeSeed<'de> for MultiVectorSeed {
    type Value = MultiVector;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<MultiVector, D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for MultiVectorSeed {
    type Value = MultiVector;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of vectors or null")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut vectors: A) -> Result<MultiVector, A::Error> {
        let (mut dim, mut components) = (0, Vec::<f32>::new());
        while let Some(vector) = vectors.next_element_seed(Numbers::<f32>::new(MAX_DIM))? {
            if components.is_empty() {
                dim = vector.len();
            }
            if vector.len() != dim || vector.is_empty() {
                let (expected, got) = (dim.max(1), vector.len());
                return Err(A::Error::custom(format!(
                    "vectors: expected {expected} components in each, got {got}"
                )));
            }
            if components.len() + vector.len() > MAX_MULTI_COMPONENTS {
                return Err(A::Error::custom(format!(
                    "vectors: expected at most {MAX_MULTI_COMPONENTS} components together, got more"
                )));
            }
            components.extend(vector);
        }
        if components.is_empty() {
            return Err(A::Error::custom("vectors: expected at least one, got none"));
        }
        MultiVector::new(dim, components).map_err(|error| A::Error::custom(error.message()))
    }
}

struct SparseSeed;

impl<'de> DeserializeSeed<'de> for SparseSeed {
    type Value = SparseVector;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<SparseVector, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for SparseSeed {
    type Value = SparseVector;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with indices, values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<SparseVector, A::Error> {
        let (mut indices, mut values) = (None::<Vec<u32>>, None::<Vec<f32>>);
        while let Some(name) = fields.next_key::<String>()? {
            match name.as_str() {
                "indices" if indices.is_none() => {
                    indices = Some(fields.next_value_seed(Numbers::new(MAX_SPARSE_COMPONENTS))?);
                }
                "values" if values.is_none() => {
                    values = Some(fields.next_value_seed(Numbers::new(MAX_SPARSE_COMPONENTS))?);
                }
                _ => return Err(A::Error::unknown_field(&name, &["indices", "values"])),
            }
        }
        let indices = indices.ok_or_else(|| A::Error::missing_field("indices"))?;
        let values = values.ok_or_else(|| A::Error::missing_field("values"))?;
        if indices.len() != values.len() {
            let (indices, values) = (indices.len(), values.len());
            return Err(A::Error::custom(format!(
                "sparse: expected a value for each index, got {indices} and {values}"
            )));
        }
        SparseVector::new(indices.into_iter().zip(values)).map_err(|error| A::Error::custom(error.message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Record> {
        record_from_json(json.as_bytes())
    }

    fn written(record: &Record) -> String {
        let mut out = Vec::new();
        record_to_json(record, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_whole_record_comes_back() {
        let json = r#"{"id":"a\n","vector":[0.1,-0.0,1e-45,3.4028235e+38],"vectors":[[0.5,-0.0,1e-45,3.0],[1.0,2.0,3.0,4.0]],"metadata":{"n":1},"text":"","sparse":{"indices":[3,7],"values":[0.5,-0.0]},"expires_at_unix_ms":18446744073709551615,"deleted":true}"#;
        let record = read(json).unwrap();
        assert_eq!(written(&record), json);
        assert_eq!(
            record.vector.iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
            [0x3dcc_cccd, 0x8000_0000, 1, 0x7f7f_ffff]
        );
    }

    #[test]
    fn every_bit_of_a_vector_comes_back() {
        // Floats all over the range, by a step that shares no factor with it.
        let bits = (0..=u32::MAX).step_by(86_028_121).chain([0x0000_0001, 0x007f_ffff, 0x7f7f_ffff]);
        let vector: Vec<f32> = bits.map(f32::from_bits).filter(|number| number.is_finite()).collect();
        let again = read(&written(&Record::new("a", vector.clone()))).unwrap().vector;
        assert!(vector.iter().zip(&again).all(|(one, other)| one.to_bits() == other.to_bits()));
    }

    #[test]
    fn a_decimal_that_doubles_would_round_twice_is_rounded_once() {
        // Just above the middle between two floats, by less than a double can tell.
        let between = "1.00000005960464477539062500000000001";
        let record = read(&format!(r#"{{"id":"a","vector":[{between}]}}"#)).unwrap();
        assert_eq!(record.vector[0].to_bits(), 0x3f80_0001);
    }

    #[test]
    fn what_is_no_record_is_refused_with_its_place() {
        for (json, why) in [
            (r#"{"vector":[1]}"#, "missing field `id`"),
            (r#"{"id":"a"}"#, "missing field `vector`"),
            (r#"{"id":7,"vector":[1]}"#, "column 7: invalid type: integer `7`, expected a string"),
            (r#"{"id":"a","vector":[1],"embedding":[1]}"#, "unknown field `embedding`, expected one of"),
            (r#"{"id":"a","id":"b","vector":[1]}"#, "once"),
            (r#"{"id":"a","vector":[1e39]}"#, "out of range"),
            (r#"{"id":"a","vector":[NaN]}"#, "expected"),
            (r#"{"id":"a","vector":[null]}"#, "null"),
            (r#"{"id":"a","vector":[1]} x"#, "trailing"),
            (r#"{"id":"a","vector":[1"#, "EOF"),
            (r#"[1,2]"#, "expected an object with id, vector"),
            (r#"{"id":"a","vector":[1],"sparse":{"indices":[1],"values":[]}}"#, "for each index"),
            (r#"{"id":"a","vector":[1],"sparse":{"indices":[1,1],"values":[1,2]}}"#, "1 twice"),
            (r#"{"id":"a","vector":[1],"vectors":[]}"#, "at least one"),
            (r#"{"id":"a","vector":[1],"vectors":[[]]}"#, "expected 1 components in each, got 0"),
            (r#"{"id":"a","vector":[1],"vectors":[[1],[1,2]]}"#, "expected 1 components in each, got 2"),
            (r#"{"id":"a","vector":[1],"vectors":[1]}"#, "expected an array of numbers"),
            (r#"{"id":"a","vector":[1],"vectors":{}}"#, "expected an array of vectors or null"),
            (r#"{"id":"a","vector":[1],"expires_at_unix_ms":-1}"#, "-1"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.message().contains(why), "{json}: {error}");
        }
        let long = format!(r#"{{"id":"a","vector":[{}0]}}"#, "0,".repeat(70_000));
        assert!(read(&long).unwrap_err().message().contains("at most 65536"));
        let many = format!(r#"{{"id":"a","vector":[1],"vectors":[{}[0]]}}"#, "[0],".repeat(1 << 22));
        assert!(read(&many).unwrap_err().message().contains("at most 4194304"));
    }
}
