use proptest::prelude::*;

use super::strategies::{key, metadata};
use crate::error::{ErrorKind, Result};
use crate::metadata::{DocumentBuilder, DocumentRef, Metadata, Value, ValueRef, decode, encode};

/// Writes a tree so that values which are equal but not the same differ: types, float bits, offsets and order show.
fn exact(value: &Value) -> String {
    match value {
        Value::Float(value) => format!("float {:x}", value.to_bits()),
        Value::DateTime(value) => format!("datetime {} {}", value.unix_micros(), value.offset_seconds()),
        Value::List(items) => format!("{:?}", items.iter().map(exact).collect::<Vec<_>>()),
        Value::Map(map) => exact_map(map),
        scalar => format!("{scalar:?}"),
    }
}

fn exact_map(map: &Metadata) -> String {
    format!("{:?}", map.iter().map(|(key, value)| (key, exact(value))).collect::<Vec<_>>())
}

/// Looks a path up in a tree, by the rule as documented.
pub(crate) fn lookup<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let parts = path.split_once('.');
    match value {
        Value::Map(map) => match map.get(path) {
            Some(whole) => Some(whole),
            None => parts.and_then(|(head, tail)| lookup(map.get(head)?, tail)),
        },
        Value::List(items) => {
            let (head, tail) = parts.map_or((path, None), |(head, tail)| (head, Some(tail)));
            if head.is_empty() || !head.chars().all(|digit| digit.is_ascii_digit()) {
                return None;
            }
            let item = items.get(head.parse::<usize>().ok()?)?;
            tail.map_or(Some(item), |tail| lookup(item, tail))
        }
        _ => None,
    }
}

/// Walks everything reachable, as a binding would.
fn walk(document: DocumentRef<'_>) {
    fn walk_value(value: ValueRef<'_>) {
        match value {
            ValueRef::Map(map) => walk(map),
            ValueRef::List(list) => {
                let _ = (list.count(), list.get(3).is_some());
                list.iter().flatten().for_each(walk_value);
            }
            _ => {}
        }
    }
    let _ = (document.count(), document.get("a").is_some(), document.get_path("a.b.0").is_some());
    document.iter().flatten().for_each(|(_, value)| walk_value(value));
}

proptest! {
    #[test]
    fn decoding_gives_back_every_value_with_its_type(metadata in metadata()) {
        let decoded = decode(&encode(&metadata)?)?;
        prop_assert_eq!(exact_map(&decoded), exact_map(&metadata));
    }

    #[test]
    fn a_lookup_that_skips_finds_what_the_tree_has(metadata in metadata(), paths in proptest::collection::vec(key(), 12)) {
        let bytes = encode(&metadata)?;
        let document = DocumentRef::new(&bytes)?;
        let tree = Value::Map(metadata.clone());
        let own = metadata.keys().map(str::to_owned).collect::<Vec<_>>();
        for path in paths.iter().chain(&own) {
            let found = document.get_path(path).map(|value| value.to_value()).transpose()?;
            prop_assert_eq!(found.as_ref().map(exact), lookup(&tree, path).map(exact), "path {}", path);
            let literal = document.get(path).map(|value| value.to_value()).transpose()?;
            prop_assert_eq!(literal.as_ref().map(exact), metadata.get(path).map(exact));
        }
    }

    #[test]
    fn noise_never_panics(mut bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0_u8..16], 1..96)) {
        bytes[0] = 1;
        let _ = decode(&bytes);
        walk(DocumentRef::new(&bytes)?);
    }

    #[test]
    fn a_changed_document_never_panics(metadata in metadata(), at in any::<prop::sample::Index>(), byte: u8, cut: bool) {
        let mut bytes = encode(&metadata)?;
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        if let Ok(document) = DocumentRef::new(&bytes) {
            walk(document);
        }
        if let Ok(decoded) = decode(&bytes) {
            prop_assert!(encode(&decoded).is_ok());
        }
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes_or_shorter(bytes in proptest::collection::vec(0_u8..16, 0..48)) {
        let bytes = [&[1], bytes.as_slice()].concat();
        if let Ok(metadata) = decode(&bytes) {
            prop_assert!(encode(&metadata)?.len() <= bytes.len());
        }
    }
}

fn kind_of<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

#[test]
fn malformed_documents_are_corrupted() {
    let cases: [(&str, &[u8]); 11] = [
        ("empty", &[]),
        ("unknown version", &[2]),
        ("key past the end", &[1, 2, b'a']),
        ("value missing", &[1, 1, b'a']),
        ("unknown tag", &[1, 1, b'a', 14]),
        ("key twice", &[1, 1, b'a', 0, 1, b'a', 0]),
        ("key not UTF-8", &[1, 1, 0xff, 0]),
        ("string not UTF-8", &[1, 1, b'a', 8, 1, 0xff]),
        ("trailing bytes after the last entry", &[1, 1, b'a', 0, 0]),
        ("length in a longer form than needed", &[1, 0x81, 0x00, b'a', 0]),
        ("datetime out of range", &[1, 1, b'a', 10, 255, 255, 255, 255, 255, 255, 255, 127]),
    ];
    for (name, bytes) in cases {
        assert_eq!(kind_of(decode(bytes)), Some(ErrorKind::Corrupted), "{name}");
    }
    let mut deep = vec![1];
    let mut inner = vec![0];
    for _ in 0..64 {
        let mut list = vec![12, u8::try_from(inner.len()).expect("63 levels are 127 bytes")];
        list.extend(inner);
        inner = list;
    }
    deep.extend([1, b'a']);
    deep.extend(inner);
    assert_eq!(kind_of(decode(&deep)), Some(ErrorKind::Corrupted));
}

#[test]
fn a_literal_key_with_dots_is_found_before_the_path() -> Result<()> {
    let nested = Metadata::new().with("b", 1);
    let bytes = encode(&Metadata::new().with("a", nested.clone()).with("a.b", 2))?;
    assert!(matches!(DocumentRef::new(&bytes)?.get_path("a.b"), Some(ValueRef::Int(2))));
    let bytes = encode(&Metadata::new().with("a", nested))?;
    assert!(matches!(DocumentRef::new(&bytes)?.get_path("a.b"), Some(ValueRef::Int(1))));
    Ok(())
}

#[test]
fn a_number_in_a_path_indexes_a_list() -> Result<()> {
    let item = Metadata::new().with("x", Value::from([Value::from([7])]));
    let bytes = encode(&Metadata::new().with("list", Value::List(vec![Value::Null, item.into()])))?;
    let document = DocumentRef::new(&bytes)?;
    assert!(matches!(document.get_path("list.1.x.0.0"), Some(ValueRef::Int(7))));
    for absent in ["list.2", "list.+1", "list.", "list.1.x.0.0.0", "list.x", "list.99999999999999999999"] {
        assert!(document.get_path(absent).is_none(), "{absent}");
    }
    Ok(())
}

#[test]
fn the_builder_refuses_what_is_no_document() -> Result<()> {
    let invalid = Some(ErrorKind::InvalidInput);
    assert_eq!(kind_of(DocumentBuilder::new().push_int(1)), invalid);
    assert_eq!(kind_of(DocumentBuilder::new().end_map()), invalid);
    let mut builder = DocumentBuilder::new();
    builder.key("a")?;
    assert_eq!(kind_of(builder.key("b")), invalid);
    let mut builder = DocumentBuilder::new();
    builder.key("a")?;
    assert_eq!(kind_of(builder.finish()), invalid);
    let mut builder = DocumentBuilder::new();
    builder.key("a")?;
    builder.begin_list()?;
    assert_eq!(kind_of(builder.key("b")), invalid);
    assert_eq!(kind_of(builder.end_map()), invalid);
    assert_eq!(kind_of(builder.finish()), invalid);
    Ok(())
}

#[test]
fn the_builder_refuses_a_key_twice_in_one_map() -> Result<()> {
    for others in [0, 100] {
        let mut builder = DocumentBuilder::new();
        for key in 0..others {
            builder.key(&key.to_string())?;
            builder.push_null()?;
        }
        builder.key("same")?;
        builder.begin_map()?;
        builder.key("same")?; // another map: allowed
        builder.push_null()?;
        builder.end_map()?;
        builder.key("same")?;
        builder.push_null()?;
        let error = builder.finish().expect_err("a key is twice");
        assert!(error.message().contains("`same`"), "{error}");
    }
    Ok(())
}

#[test]
fn order_is_kept_and_does_not_count() -> Result<()> {
    let forth = Metadata::from([("b", 1.into()), ("a", 2.into())]);
    let back = Metadata::from([("a", 2.into()), ("b", 1.into())]);
    assert_eq!(forth, back);
    assert_eq!(decode(&encode(&forth)?)?.keys().collect::<Vec<_>>(), ["b", "a"]);
    Ok(())
}
