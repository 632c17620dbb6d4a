use super::fault;
use crate::error::Result;
use crate::filter::{Condition, Filter, GeoPoint, element, field};
use crate::metadata::{Metadata, Value};

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Metadata::from(entries).into()
}

fn one(key: &str, value: impl Into<Value>) -> Value {
    Metadata::new().with(key, value).into()
}

#[test]
fn entries_and_operators_are_joined_by_and() -> Result<()> {
    let dict = map([("a", map([("$gt", 1.into()), ("$lt", 5.into())])), ("tags", "x".into())]);
    let expected = field("a").gt(1) & field("a").lt(5) & field("tags").eq("x");
    assert_eq!(Filter::from_value(&dict)?, expected);
    assert_eq!(Filter::from_value(&map([]))?, Filter::default());
    Ok(())
}

#[test]
fn plain_values_are_eq_and_lists_are_in() -> Result<()> {
    assert_eq!(Filter::from_value(&one("a", Value::Null))?, field("a").eq(Value::Null));
    assert_eq!(Filter::from_value(&one("a", ["x", "y"]))?, field("a").is_in(["x", "y"]));
    assert_eq!(Filter::from_value(&one("a", one("b", 1)))?, field("a").eq(one("b", 1)));
    assert_eq!(Filter::from_value(&one("a", map([])))?, field("a").eq(map([])));
    Ok(())
}

#[test]
fn logic_nests() -> Result<()> {
    let either = Value::List(vec![one("a", 1), one("b", 2)]);
    let or = field("a").eq(1) | field("b").eq(2);
    assert_eq!(Filter::from_value(&one("$or", either.clone()))?, or);
    assert_eq!(Filter::from_value(&one("$nor", either))?, !or);
    let not_range = !(field("a").gt(1) & field("a").lt(5));
    assert_eq!(
        Filter::from_value(&one("a", one("$not", map([("$gt", 1.into()), ("$lt", 5.into())]))))?,
        not_range
    );
    assert_eq!(Filter::from_value(&one("$not", one("a", 1)))?, !field("a").eq(1));
    Ok(())
}

#[test]
fn elem_match_takes_operators_or_fields() -> Result<()> {
    let range = map([("$gt", 3.into()), ("$lt", 5.into())]);
    let scalars = field("a").elem_match(element().gt(3) & element().lt(5));
    assert_eq!(Filter::from_value(&one("a", one("$elem_match", range)))?, scalars);
    let fields = field("a").elem_match(field("b").eq(1));
    assert_eq!(Filter::from_value(&one("a", one("$elem_match", one("b", 1))))?, fields);
    Ok(())
}

#[test]
fn regex_flags_have_three_homes() -> Result<()> {
    let expected = field("a").regex_with_flags("x", "i");
    let beside = map([("$regex", "x".into()), ("$options", "i".into())]);
    let inside = one("$regex", map([("pattern", "x".into()), ("flags", "i".into())]));
    assert_eq!(Filter::from_value(&one("a", beside))?, expected);
    assert_eq!(Filter::from_value(&one("a", inside))?, expected);
    Ok(())
}

#[test]
fn geo_operands_take_maps_and_lists() -> Result<()> {
    let center = map([("lat", 1.into()), ("lon", 2.5.into())]);
    let expected = field("a").geo_radius(GeoPoint::new(1.0, 2.5), 100.0);
    for center in [center, Value::List(vec![1.into(), 2.5.into()])] {
        let circle = map([("center", center), ("radius", 100.into())]);
        assert_eq!(Filter::from_value(&one("a", one("$geo_radius", circle)))?, expected);
    }
    Ok(())
}

#[test]
fn errors_say_what_and_where() {
    let cases = [
        (Value::Null, "filter: expected a map, got null"),
        (
            one("a", one("$foo", 1)),
            "filter: unknown operator `$foo` at `a`; the operators here are $eq, $ne, ",
        ),
        (
            one("$foo", 1),
            "filter: unknown operator `$foo` at the top level; the operators here are $and, $or, $not, $nor",
        ),
        (one("$lt", 1), "filter: expected a field around `$lt`, got the operator alone at the top level"),
        (one("$and", one("a", 1)), "filter: expected a list of maps, got map at `$and`"),
        (one("$or", Value::List(vec![one("a", 1), 3.into()])), "filter: expected a map, got int at `$or[1]`"),
        (
            one("$or", Value::List(vec![one("a.b", one("$exists", 1))])),
            "filter: expected a bool, got int at `$or[0].a.b.$exists`",
        ),
        (
            one("a", map([("$gt", 1.into()), ("b", 2.into())])),
            "filter: expected only operators beside each other, got the plain key `b` at `a`",
        ),
        (one("a", one("$in", "x")), "filter: expected a list, got string at `a.$in`"),
        (
            one("a", one("$between", [1])),
            "filter: expected a list of 2 bounds, got 1 elements at `a.$between`",
        ),
        (one("a", one("$size", -1)), "filter: expected an int from 0 to 4294967295, got -1 at `a.$size`"),
        (one("a", one("$options", "i")), "filter: unknown operator `$options` at `a`"),
        (one("a", one("$geo_box", map([]))), "filter: expected the key `top_left`, got none at `a.$geo_box`"),
        (one("a", one("$lt", [1])), "filter: $lt on `a`: expected an operand that has an order, got a list"),
        (one("a", one("$elem_match", one("$foo", 1))), "filter: unknown operator `$foo` at `a.$elem_match`"),
    ];
    for (dict, expected) in cases {
        let message = fault(Filter::from_value(&dict));
        assert!(message.starts_with(expected), "expected {expected}\n     got {message}");
    }
}

#[test]
fn every_operator_is_known_and_every_known_operator_is_read() {
    for operator in crate::filter::mongo_operators::FIELD_OPERATORS {
        let result = Filter::from_value(&one("a", one(operator, map([]))));
        assert!(!result.is_err_and(|error| error.message().contains("unknown operator")), "{operator}");
    }
}

#[test]
fn what_no_dict_can_spell_is_not_written() {
    assert!(fault(field("$a").eq(1).to_value()).contains("cannot start with `$`"));
    assert!(fault(element().eq(1).to_value()).contains("only inside $elem_match"));
    assert_eq!(Condition::Exists(true).operator(), "$exists");
}
