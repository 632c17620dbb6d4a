//! Random metadata for property tests.

use proptest::prelude::*;

use crate::metadata::{DateTime, Metadata, Value};

/// Any scalar, floats by their bits.
pub(crate) fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-200_i64..70_000).prop_map(Value::Int),
        any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
        ".{0,12}".prop_map(Value::Str),
        "[a-z]{120,140}".prop_map(Value::Str),
        proptest::collection::vec(any::<u8>(), 0..8).prop_map(Value::Bytes),
        (-62_000_000_000_000_000_i64..253_000_000_000_000_000, -86_399_i32..86_400)
            .prop_map(|(micros, offset)| DateTime::new(micros, offset).map_or(Value::Null, Value::DateTime)),
    ]
}

/// Keys that collide and that have dots, so that paths meet literal keys.
pub(crate) fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[abc](\\.[abc0-2]){0,2}", ".{0,4}"]
}

/// Any metadata, with nested containers.
pub(crate) fn metadata() -> impl Strategy<Value = Metadata> {
    let value = scalar().prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            proptest::collection::vec((key(), inner), 0..6)
                .prop_map(|entries| Value::Map(entries.into_iter().collect())),
        ]
    });
    proptest::collection::vec((key(), value), 0..8).prop_map(|entries| entries.into_iter().collect())
}
