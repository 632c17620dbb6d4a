use super::fault;
use crate::error::Result;
use crate::filter::{
    Condition, Filter, MAX_FILTER_DEPTH, MAX_FILTER_LIST_LEN, MAX_FILTER_NODES, MAX_FILTER_PATTERN_BYTES,
    element, field,
};
use crate::metadata::{Metadata, Value};

fn parse(text: &str) -> Result<Filter> {
    Filter::parse(text, &Metadata::new())
}

#[test]
fn depth_is_limited_in_every_spelling() {
    let nots = |count: usize| (0..count).fold(field("a").eq(1), |inner, _| !inner);
    let deepest = nots(MAX_FILTER_DEPTH - 1);
    let dict = deepest.to_value().expect("within the limit");
    assert_eq!(Filter::from_value(&dict).ok().as_ref(), Some(&deepest));
    assert!(deepest.compile().is_ok());
    let message = fault(nots(MAX_FILTER_DEPTH).compile());
    assert_eq!(message, "filter nests too deep: expected at most 64 levels, got at least 65");

    let deeper = Value::from(Metadata::new().with("$not", dict));
    assert!(fault(Filter::from_value(&deeper)).contains("nests too deep"));
    let text = format!("{}a = 1", "NOT ".repeat(MAX_FILTER_DEPTH));
    assert!(fault(parse(&text)).contains("got at least 65"));
    let parens = |count: usize| format!("{}a = 1{}", "(".repeat(count), ")".repeat(count));
    assert!(parse(&parens(MAX_FILTER_DEPTH)).is_ok());
    assert!(fault(parse(&parens(MAX_FILTER_DEPTH + 1))).contains("position 64"));
}

#[test]
fn filters_100_000_levels_deep_are_refused_and_dropped() {
    for level in [
        |inner: Filter| !inner,
        |inner: Filter| Filter::And(vec![inner]),
        |inner: Filter| Filter::Or(vec![field("a").eq(1), inner]),
        |inner: Filter| field("a").elem_match(inner),
        |inner: Filter| Filter::Element(Condition::ElemMatch(Box::new(inner))),
    ] {
        let deep = (0..100_000).fold(field("a").eq(1), |inner, _| level(inner));
        let _ = fault(deep.compile());
        let _ = fault(deep.to_value());
    }
    for key in ["$not", "a", "$elem_match"] {
        let deep = (0..100_000).fold(Value::from(1), |inner, _| Metadata::new().with(key, inner).into());
        let _ = fault(Filter::from_value(&deep));
        let deep = (0..100_000).fold(Value::from(1), |inner, _| {
            Value::from(Metadata::new().with("a", Metadata::new().with(key, inner)))
        });
        let _ = fault(Filter::from_value(&deep));
    }
    let and = (0..100_000).fold(Value::from(Metadata::new()), |inner, _| {
        Metadata::new().with("$and", Value::List(vec![inner])).into()
    });
    assert!(fault(Filter::from_value(&and)).contains("nests too deep"));
    let operand = (0..100_000).fold(Value::Null, |inner, _| Value::List(vec![inner]));
    let message = fault(Filter::parse("a = :p", &Metadata::new().with("p", operand)));
    assert!(message.contains("parameter `p`: an operand nests too deep"), "{message}");
}

#[test]
fn a_text_of_200_000_openings_is_refused_at_once() {
    for opening in ["(", "NOT ", "not(", "NOT NOT ("] {
        assert!(fault(parse(&opening.repeat(200_000))).contains("at most 64 nested parentheses and NOTs"));
    }
}

#[test]
fn nodes_are_limited() {
    let wide = |count: usize| Filter::And(vec![field("a").eq(1); count]);
    assert!(wide(MAX_FILTER_NODES - 1).compile().is_ok());
    assert!(fault(wide(MAX_FILTER_NODES).compile()).contains("expected at most 4096 conditions"));
    let text = vec!["a = 1"; 100_000].join(" OR ");
    assert!(fault(parse(&text)).contains("expected at most 4096 conditions"));
}

#[test]
fn lists_and_patterns_are_limited() {
    let over = MAX_FILTER_LIST_LEN + 1;
    assert!(field("a").is_in(vec![1; MAX_FILTER_LIST_LEN]).compile().is_ok());
    let message = fault(field("a").is_in(vec![1; over]).compile());
    assert_eq!(
        message,
        "filter: $in on `a`: a list operand is too long: expected at most 65536 elements, got 65537"
    );
    assert!(fault(field("a").eq(vec![1; over]).compile()).contains("got 65537"));
    assert!(
        fault(field("a").elem_match(element().contains_all(vec![1; over])).compile()).contains("got 65537")
    );
    assert!(fault(parse(&format!("a IN ({})", vec!["1"; over].join(",")))).contains("got 65537"));
    let dict = Metadata::new().with("a", vec![1; over]);
    assert!(fault(Filter::from_value(&dict.into())).contains("got 65537 at `a`"));

    let long = "x".repeat(MAX_FILTER_PATTERN_BYTES + 1);
    for filter in [
        field("a").like(&long),
        field("a").regex(&long),
        field("a").starts_with(&long),
        field("a").text(&long),
    ] {
        assert!(fault(filter.compile()).contains("expected at most 65536 bytes, got 65537"));
    }
    assert!(field("a").regex("^\\w{1,64}$").compile().is_ok());
    assert!(
        fault(field("a").regex("(\\w{100}){100}").compile())
            .contains("expected at most 4194304 bytes compiled")
    );
}
