//! Distinct values and counts by value.

use std::time::Duration;

use vecstore::{DateTime, ErrorKind, Facet, Metadata, Record, Value, VecStore, field};

use super::support::{fill, store};

fn pairs(facets: Vec<Facet>) -> Vec<(Value, usize)> {
    facets.into_iter().map(|facet| (facet.value, facet.count)).collect()
}

/// Calls with the records in memory, and then in segments.
fn in_memory_and_sealed(store: &VecStore, check: impl Fn()) {
    check();
    store.seal().unwrap();
    check();
    store.compact().unwrap();
    check();
}

#[test]
fn values_are_distinct_by_type_and_come_in_order() {
    let store = store();
    let time = DateTime::parse("2024-05-01T12:00:00+02:00").unwrap();
    let values = [
        Value::from("1"),
        Value::Int(1),
        Value::Float(1.0),
        Value::Bool(true),
        Value::Null,
        Value::Float(1.5),
        Value::Float(-0.0),
        Value::Float(f64::NAN),
        Value::Float(1e300),
        Value::Int(i64::MAX),
        Value::Bytes(vec![1]),
        Value::DateTime(time),
        Value::DateTime(DateTime::parse("2024-05-01T10:00:00Z").unwrap()),
        Value::from(["x", "y", "x"]),
        Value::List(vec![Value::from([1, 2]), Value::from("x")]),
        Value::from(Metadata::new().with("a", 1).with("b", 2)),
        Value::from(Metadata::new().with("b", 2.0).with("a", 1)),
        Value::List(Vec::new()),
        Value::from("l".repeat(300)),
    ];
    fill(&store, 0..values.len(), |n| Metadata::new().with("v", values[n].clone()));
    fill(&store, 100..110, |_| Metadata::new().with("other", 1));
    in_memory_and_sealed(&store, || {
        let distinct = store.distinct("v", None).unwrap();
        let expected = [
            Value::Null,
            Value::Bool(true),
            Value::Int(0),
            Value::Int(1),
            Value::Float(1.5),
            Value::Int(i64::MAX),
            Value::Float(1e300),
            Value::DateTime(DateTime::new(time.unix_micros(), 0).unwrap()),
            Value::from("1"),
            Value::from("l".repeat(300)),
            Value::from("x"),
            Value::from("y"),
            Value::Bytes(vec![1]),
            Value::from([1, 2]),
        ];
        assert_eq!(distinct[..expected.len()], expected);
        assert!(matches!(distinct[expected.len()..], [Value::Map(_)]), "{distinct:?}");
        let facets = pairs(store.facets("v", None, Some(2)).unwrap());
        assert_eq!(
            facets,
            [(Value::Int(1), 2), (Value::DateTime(DateTime::new(time.unix_micros(), 0).unwrap()), 2)]
        );
        assert_eq!(store.distinct("nowhere", None).unwrap(), []);
        assert_eq!(pairs(store.facets("other", None, None).unwrap()), [(Value::Int(1), 10)]);
    });
}

#[test]
fn counts_leave_out_what_was_deleted_hidden_or_has_expired() {
    let store = store();
    fill(&store, 0..3_000, |n| {
        Metadata::new().with("c", ["a", "b", "c"][n % 3]).with("id", n as i64).with("tags", [n as i64 % 5, 7])
    });
    store.seal().unwrap();
    store.delete_where(&field("id").lt(30)).unwrap();
    assert!(store.soft_delete("id-000030").unwrap());
    let short = Record::new("short", [1.0, 1.0]).with_metadata(Metadata::new().with("c", "a"));
    store.upsert_record(&short, Some(Duration::ZERO)).unwrap();
    in_memory_and_sealed(&store, || {
        let facets = pairs(store.facets("c", None, None).unwrap());
        assert_eq!(facets, [(Value::from("b"), 990), (Value::from("c"), 990), (Value::from("a"), 989)]);
        let filter = field("c").eq("a") & field("id").lt(60);
        assert_eq!(
            pairs(store.facets("id", Some(&filter), Some(2)).unwrap()),
            [(Value::Int(33), 1), (Value::Int(36), 1)]
        );
        let tags = pairs(store.facets("tags", None, Some(1)).unwrap());
        assert_eq!(tags, [(Value::Int(7), 2_969)]);
        assert_eq!(
            store.distinct("tags", Some(&field("id").is_in([31, 32]))).unwrap(),
            [1, 2, 7].map(Value::Int)
        );
    });
}

#[test]
fn ranges_count_numbers_times_and_elements() {
    let store = store();
    fill(&store, 0..1_000, |n| {
        let time = DateTime::new(n as i64 * 1_000_000, 0).unwrap();
        let price = if n % 2 == 0 { Value::Int(n as i64) } else { Value::from([n as i64, 2_000]) };
        Metadata::new().with("price", price).with("at", time)
    });
    in_memory_and_sealed(&store, || {
        let bounds = [Some(Value::Int(0)), Some(Value::Float(99.5)), Some(Value::Int(1_000)), None];
        let counts: Vec<usize> =
            store.range_facets("price", None, &bounds).unwrap().iter().map(|range| range.count).collect();
        assert_eq!(counts, [100, 900, 500]);
        let times = [None, Some(Value::DateTime(DateTime::new(10_000_000, 0).unwrap()))];
        assert_eq!(store.range_facets("at", Some(&field("price").gt(3)), &times).unwrap()[0].count, 3);
    });
}

#[test]
fn bounds_that_do_not_ascend_are_refused() {
    let store = store();
    let (one, two) = (Some(Value::Int(1)), Some(Value::Int(2)));
    for bounds in [
        vec![],
        vec![one.clone()],
        vec![None, None],
        vec![two.clone(), one.clone()],
        vec![one.clone(), Some(Value::Float(1.0))],
        vec![one.clone(), Some(Value::from("2"))],
        vec![one.clone(), None, two.clone()],
        vec![Some(Value::Float(f64::NAN)), two.clone()],
        vec![Some(Value::Bool(false)), Some(Value::Bool(true))],
    ] {
        let error = store.range_facets("x", None, &bounds).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{bounds:?}");
        assert!(error.message().contains("buckets"), "{error}");
    }
    assert_eq!(store.facets("x", None, Some(0)).unwrap_err().kind(), ErrorKind::InvalidInput);
}
