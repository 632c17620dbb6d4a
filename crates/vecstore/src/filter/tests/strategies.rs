//! Random filters and documents over so few names and values that they meet often.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::filter::{Condition, Filter, GeoPoint};
use crate::metadata::{DateTime, Metadata, Value};

const TWO_POW_53: i64 = 1 << 53;
const MAY_FIRST_MICROS: i64 = 1_714_521_600_000_000;

fn datetime(micros: i64, offset_seconds: i32) -> Value {
    Value::DateTime(DateTime::new(micros, offset_seconds).expect("in range"))
}

fn text() -> impl Strategy<Value = String> {
    select(vec![
        "",
        "a",
        "b",
        "ab",
        "A b",
        "b a",
        "a_b",
        "100%",
        "x\\y",
        "it's \"so\"",
        "\u{c9}t\u{e9} ab",
        "2024-05-01",
        "2024-05-01T00:00:00Z",
        "2024-05-01T02:00:00+02:00",
        "2024-05-02",
        "\n\t",
    ])
    .prop_map(str::to_owned)
}

pub(crate) fn scalar() -> impl Strategy<Value = Value> {
    let fixed = select(vec![
        Value::Null,
        Value::Bool(false),
        Value::Bool(true),
        Value::Int(TWO_POW_53),
        Value::Int(TWO_POW_53 + 1),
        Value::Int(i64::MAX),
        Value::Int(i64::MIN),
        Value::Float(TWO_POW_53 as f64),
        Value::Float(i64::MAX as f64),
        Value::Float(i64::MIN as f64),
        Value::Float(f64::NAN),
        Value::Float(f64::INFINITY),
        Value::Float(-0.0),
        Value::Float(1.5),
        Value::Float(-0.5),
        Value::Bytes(vec![]),
        Value::Bytes(vec![1, 2]),
        Value::Bytes(b"a".to_vec()),
        datetime(MAY_FIRST_MICROS, 0),
        datetime(MAY_FIRST_MICROS, 7200),
        datetime(MAY_FIRST_MICROS + 1, 0),
    ]);
    prop_oneof![
        2 => fixed,
        1 => (-1_i64..3).prop_map(Value::Int),
        1 => (-1_i32..3).prop_map(|int| Value::Float(int.into())),
        2 => text().prop_map(Value::Str),
    ]
}

fn name() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "b", "c", "lat", "lon", "a.b"])
}

fn path() -> impl Strategy<Value = String> {
    select(vec!["a", "b", "c", "a.b", "b.a", "a.0", "b.1.a", "a.b.c", "absent"]).prop_map(str::to_owned)
}

fn stored_point() -> impl Strategy<Value = Value> {
    (
        select(vec![-90.0, -10.0, 0.0, 45.5, 90.0, 91.0]),
        select(vec![-180.0, -179.0, 0.0, 10.25, 179.0, 181.0]),
    )
        .prop_map(|(lat, lon)| Metadata::new().with("lat", lat).with("lon", lon).into())
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            2 => vec(inner.clone(), 0..4).prop_map(Value::List),
            2 => vec((name(), inner), 0..4).prop_map(|entries| Value::Map(entries.into_iter().collect())),
            1 => stored_point(),
        ]
    })
}

pub(crate) fn document() -> impl Strategy<Value = Metadata> {
    vec((name(), value()), 0..6).prop_map(|entries| entries.into_iter().collect())
}

fn operands() -> impl Strategy<Value = Vec<Value>> {
    prop_oneof![vec(value(), 0..4), vec(value(), 9..20)]
}

/// Points off the lattice of stored points, so that rounding decides nothing.
fn center() -> impl Strategy<Value = GeoPoint> {
    (-89.0..89.0, -179.5..179.5).prop_map(|(lat, lon)| GeoPoint::new(lat, lon))
}

fn geo_box() -> impl Strategy<Value = Condition> {
    (center(), center()).prop_map(|(mut a, mut b)| {
        if a.lat < b.lat {
            std::mem::swap(&mut a.lat, &mut b.lat);
        }
        Condition::GeoBox { top_left: a, bottom_right: b }
    })
}

pub(crate) fn leaf_condition() -> impl Strategy<Value = Condition> {
    let pattern = || {
        select(vec![
            "%", "_", "a", "a%", "%b", "%a%", "_b", "a\\_b", "100\\%", "A_b", "%\\", "x\\\\y", "_%_", "",
        ])
    };
    prop_oneof![
        3 => value().prop_map(Condition::Eq),
        2 => value().prop_map(Condition::Ne),
        1 => scalar().prop_map(Condition::Gt),
        1 => scalar().prop_map(Condition::Gte),
        1 => scalar().prop_map(Condition::Lt),
        1 => scalar().prop_map(Condition::Lte),
        1 => (scalar(), scalar()).prop_map(|(low, high)| Condition::Between(low, high)),
        2 => operands().prop_map(Condition::In),
        1 => operands().prop_map(Condition::NotIn),
        1 => any::<bool>().prop_map(Condition::Exists),
        2 => value().prop_map(Condition::Contains),
        1 => operands().prop_map(Condition::ContainsAny),
        1 => operands().prop_map(Condition::ContainsAll),
        1 => (0_u32..4).prop_map(Condition::Size),
        1 => text().prop_map(Condition::StartsWith),
        1 => text().prop_map(Condition::EndsWith),
        2 => pattern().prop_map(|pattern| Condition::Like(pattern.to_owned())),
        1 => (select(vec!["a", "^A", "b$", ".", "\\d+", "a b|b"]), select(vec!["", "i", "is", "mx"]))
            .prop_map(|(pattern, flags)| Condition::Regex { pattern: pattern.to_owned(), flags: flags.to_owned() }),
        1 => select(vec!["a", "A B", "b a!", "\u{e9}t\u{e9}", "so it"]).prop_map(|words| Condition::Text(words.to_owned())),
        1 => (center(), 0.0..2.1e7).prop_map(|(center, radius_meters)| Condition::GeoRadius { center, radius_meters }),
        1 => geo_box(),
    ]
}

fn combined(leaf: impl Strategy<Value = Filter> + 'static) -> impl Strategy<Value = Filter> {
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Filter::And),
            vec(inner.clone(), 0..4).prop_map(Filter::Or),
            inner.prop_map(|filter| !filter),
        ]
    })
}

pub(crate) fn filter() -> impl Strategy<Value = Filter> {
    let element_leaf = prop_oneof![
        leaf_condition().prop_map(Filter::Element),
        (path(), leaf_condition()).prop_map(|(path, condition)| Filter::Field { path, condition }),
    ];
    let leaf = prop_oneof![
        6 => (path(), leaf_condition()).prop_map(|(path, condition)| Filter::Field { path, condition }),
        1 => (path(), combined(element_leaf)).prop_map(|(path, inner)| Filter::Field {
            path,
            condition: Condition::ElemMatch(Box::new(inner)),
        }),
    ];
    combined(leaf)
}
