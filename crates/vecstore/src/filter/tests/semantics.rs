use super::{fault, matches};
use crate::error::Result;
use crate::filter::{Filter, GeoPoint, element, field};
use crate::metadata::{DateTime, Metadata, Value};

/// Checks what a filter says of a value stored at `x`, and that its complement says the opposite.
#[track_caller]
fn expect(filter: &Filter, stored: impl Into<Value>, expected: bool) {
    let metadata = Metadata::new().with("x", stored);
    let answer = matches(filter, &metadata).expect("the filter compiles");
    assert_eq!(answer, expected, "{filter:?} on {metadata:?}");
    let complement = matches(&!filter.clone(), &metadata).expect("the complement compiles");
    assert_ne!(answer, complement);
}

#[test]
fn a_missing_field_equals_null() -> Result<()> {
    let empty = Metadata::new();
    for (filter, expected) in [
        (field("x").eq(Value::Null), true),
        (field("x").ne(1), true),
        (field("x").not_in([1]), true),
        (!field("x").gt(1), true),
        (field("x").is_in([Value::Null]), true),
        (field("x").ne(Value::Null), false),
        (field("x").exists(false), true),
        (field("x").exists(true), false),
        (field("x").lt(1), false),
        (field("x").contains(Value::Null), false),
    ] {
        assert_eq!(matches(&filter, &empty)?, expected, "{filter:?}");
    }
    expect(&field("x").exists(true), Value::Null, true);
    expect(&field("x").eq(Value::Null), Value::Null, true);
    Ok(())
}

#[test]
fn numbers_compare_exactly_across_types() {
    let odd = (1_i64 << 53) + 1;
    expect(&field("x").eq(1.0), 1, true);
    expect(&field("x").eq(1), 1.0, true);
    expect(&field("x").eq((1_i64 << 53) as f64), odd, false);
    expect(&field("x").gt((1_i64 << 53) as f64), odd, true);
    expect(&field("x").lt(odd), (1_i64 << 53) as f64, true);
    expect(&field("x").lt(i64::MAX as f64), i64::MAX, true);
    expect(&field("x").gte(i64::MIN as f64), i64::MIN, true);
    expect(&field("x").lt(-1), -1.5, true);
    expect(&field("x").lt(f64::INFINITY), i64::MAX, true);
    expect(&field("x").eq(-0.0), 0, true);
    for nan in [field("x").eq(f64::NAN), field("x").lte(f64::NAN), field("x").is_in([f64::NAN])] {
        expect(&nan, f64::NAN, false);
        expect(&nan, 0, false);
    }
}

#[test]
fn types_keep_apart() {
    expect(&field("x").eq(1), true, false);
    expect(&field("x").eq(true), 1, false);
    expect(&field("x").eq(true), true, true);
    expect(&field("x").eq("1"), 1, false);
    expect(&field("x").lt("b"), 1, false);
    expect(&field("x").lt(2), "1", false);
    expect(&field("x").lt(true), false, false);
    expect(&field("x").gte(Value::Null), Value::Null, false);
    expect(&field("x").eq("a"), b"a".as_slice(), false);
    expect(&field("x").lt(b"b".as_slice()), b"a".as_slice(), true);
    let error = fault(field("x").lt([1]).compile());
    assert_eq!(error, "filter: $lt on `x`: expected an operand that has an order, got a list");
    assert!(fault(field("x").between(1, Metadata::new()).compile()).contains("got a map"));
}

#[test]
fn a_list_matches_by_itself_or_an_element() {
    expect(&field("x").eq("a"), ["a", "b"], true);
    expect(&field("x").ne("a"), ["a", "b"], false);
    expect(&field("x").eq(["a", "b"]), ["a", "b"], true);
    expect(&field("x").eq(["b", "a"]), ["a", "b"], false);
    expect(&field("x").is_in(["z", "b"]), ["a", "b"], true);
    expect(&field("x").eq(["a"]), [["a"], ["b"]], true);
    expect(&field("x").gt(0), [1, 2], false);
    expect(&field("x").starts_with("b"), ["a", "bc"], true);
    expect(&field("x").size(2), ["a", "b"], true);
    expect(&field("x").size(2), "ab", false);
}

#[test]
fn maps_are_equal_in_any_order() {
    let stored = Metadata::new().with("a", 1).with("b", ["x"]);
    expect(&field("x").eq(Metadata::new().with("b", ["x"]).with("a", 1.0)), stored.clone(), true);
    expect(&field("x").eq(Metadata::new().with("a", 1)), stored.clone(), false);
    expect(&field("x.b.0").eq("x"), stored, true);
}

#[test]
fn times_compare_with_iso_strings() -> Result<()> {
    let time = DateTime::parse("2024-05-01T10:00:00Z")?;
    expect(&field("x").eq("2024-05-01T12:00:00+02:00"), time, true);
    expect(&field("x").eq(time), "2024-05-01 10:00", true);
    expect(&field("x").gt("2024-05-01"), time, true);
    expect(&field("x").between("2024-05-01", "2024-05-02"), time, true);
    expect(&field("x").lt(time), "2024-04-30", true);
    expect(&field("x").lt(time), "not a time", false);
    expect(&field("x").is_in([Value::from(time); 1]), "2024-05-01T10:00Z", true);
    expect(&field("x").eq("2024-05-01T10:00:00Z"), "2024-05-01T10:00:00+00:00", false); // two strings
    Ok(())
}

#[test]
fn text_operators_read_strings() {
    expect(&field("x").contains("an"), "banana", true);
    expect(&field("x").contains_any(["q", "na"]), "banana", true);
    expect(&field("x").contains_all(["b", "na"]), "banana", true);
    expect(&field("x").contains_all(["b", "q"]), "banana", false);
    expect(&field("x").contains_all([1, 2]), [2, 1, 3], true);
    expect(&field("x").like("b%n_"), "banana", true);
    expect(&field("x").like("b%n"), "banana", false);
    expect(&field("x").like("100\\%"), "100%", true);
    expect(&field("x").like("a_b"), "a\nb", true);
    expect(&field("x").like("_"), "\u{e9}", true);
    expect(&field("x").regex("n.n"), "banana", true);
    expect(&field("x").regex("^B"), "banana", false);
    expect(&field("x").regex_with_flags("^B", "i"), "banana", true);
    expect(&field("x").text("QUICK fox"), "The quick, brown fox.", true);
    expect(&field("x").text("fo"), "The quick, brown fox.", false);
    expect(&field("x").text("\u{c9}T\u{c9}"), "l'\u{e9}t\u{e9}", true);
    assert!(fault(field("x").text(" .,").compile()).contains("at least one word"));
    assert!(fault(field("x").regex("(").compile()).starts_with("filter: $regex on `x`: "));
    assert!(fault(field("x").regex_with_flags("a", "iq").compile()).contains("unknown flag `q`"));
}

#[test]
fn elem_match_asks_one_element() {
    let scores: Value = [1, 4, 9].into();
    expect(&field("x").elem_match(element().gt(3) & element().lt(5)), scores.clone(), true);
    expect(&field("x").elem_match(element().gt(4) & element().lt(9)), scores.clone(), false);
    expect(&field("x").elem_match(!element().gt(0)), scores.clone(), false);
    expect(&field("x").elem_match(field("a").ne(1)), scores, false);
    let item = |a: i64, b: i64| Value::from(Metadata::new().with("a", a).with("b", b));
    let both = field("x").elem_match(field("a").eq(1) & field("b").eq(2));
    expect(&both, Value::List(vec![item(1, 1), item(1, 2)]), true);
    expect(&both, Value::List(vec![item(1, 1), item(2, 2)]), false);
    expect(&both, item(1, 2), false);
}

#[test]
fn points_are_found_on_the_globe() {
    let point = |lat: f64, lon: f64| Metadata::new().with("lat", lat).with("lon", lon);
    let (paris, london) = (GeoPoint::new(48.8566, 2.3522), point(51.5074, -0.1278));
    expect(&field("x").geo_radius(paris, 344_000.0), london.clone(), true); // 343.6 km
    expect(&field("x").geo_radius(paris, 343_000.0), london.clone(), false);
    expect(&field("x").geo_radius(paris, 1e12), point(-48.8566, -177.6478), true);
    expect(&field("x").geo_radius(GeoPoint::new(0.0, 179.9), 30_000.0), point(0.0, -179.9), true);
    let pacific = field("x").geo_box(GeoPoint::new(10.0, 170.0), GeoPoint::new(-10.0, -170.0));
    expect(&pacific, point(0.0, 175.0), true);
    expect(&pacific, point(0.0, -175.0), true);
    expect(&pacific, point(0.0, 0.0), false);
    expect(&pacific, point(91.0, 175.0), false);
    expect(&pacific, Value::List(vec![london.into(), point(0.0, 180.0).into()]), true);
    assert!(fault(field("x").geo_radius(paris, -1.0).compile()).contains("at least 0 metres, got -1"));
    assert!(fault(field("x").geo_radius(GeoPoint::new(91.0, 0.0), 1.0).compile()).contains("got 91 and 0"));
    assert!(
        fault(field("x").geo_box(GeoPoint::new(0.0, 0.0), GeoPoint::new(1.0, 1.0)).compile())
            .contains("north")
    );
}

#[test]
fn long_lists_agree_with_short_ones() {
    let many: Vec<Value> = (0..1000).map(Value::from).chain(["a".into(), Value::Null, 0.5.into()]).collect();
    let filter = field("x").is_in(many);
    for present in
        [Value::from(7), 7.0.into(), 0.5.into(), "a".into(), Value::Null, Value::List(vec![7.into()])]
    {
        expect(&filter, present, true);
    }
    for absent in [Value::from(1000), 7.5.into(), "b".into(), true.into(), Value::List(vec![])] {
        expect(&filter, absent, false);
    }
}
