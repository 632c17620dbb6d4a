use proptest::prelude::*;

use super::fault;
use crate::error::Result;
use crate::filter::{Filter, field};
use crate::metadata::{Metadata, Value};

fn parse(text: &str) -> Result<Filter> {
    Filter::parse(text, &Metadata::new())
}

#[test]
fn operators_read_as_the_builder_writes() -> Result<()> {
    let cases = [
        ("a = 1", field("a").eq(1)),
        ("a == 'x'", field("a").eq("x")),
        ("a != -1.5e3", field("a").ne(-1500.0)),
        ("a<>true", field("a").ne(true)),
        ("a.b<NULL", field("a.b").lt(Value::Null)),
        ("a<=-2", field("a").lte(-2)),
        ("a>.5", field("a").gt(0.5)),
        ("a >= \"x\"", field("a").gte("x")),
        ("a In (1, 'b')", field("a").is_in([Value::from(1), "b".into()])),
        ("a NOT IN (1)", field("a").not_in([1])),
        ("a BETWEEN 1 AND 2 AND b = 1", field("a").between(1, 2) & field("b").eq(1)),
        ("a not between 1 and 2", !field("a").between(1, 2)),
        ("a LIKE 'x\\%%'", field("a").like("x\\%%")),
        ("a NOT LIKE 'x'", !field("a").like("x")),
        ("a CONTAINS 1", field("a").contains(1)),
        ("a STARTSWITH 'x'", field("a").starts_with("x")),
        ("a NOT ENDSWITH 'x'", !field("a").ends_with("x")),
        ("a IS NULL", field("a").eq(Value::Null)),
        ("a IS NOT NULL", field("a").ne(Value::Null)),
        ("EXISTS(a.b)", field("a.b").exists(true)),
        ("exists = 1", field("exists").eq(1)),
        ("contains contains 'x'", field("contains").contains("x")),
        ("tags.0 = 1", field("tags.0").eq(1)),
        ("`a-b`.`and` = 1", field("a-b.and").eq(1)),
        ("a.and = 1", field("a.and").eq(1)),
        ("`a``b` = 1", field("a`b").eq(1)),
        ("a = 'it''s'", field("a").eq("it's")),
        (r#"a = 'it\'s \\ "'"#, field("a").eq(r#"it's \ ""#)),
        ("a = \"say \"\"x\"\"\"", field("a").eq("say \"x\"")),
        ("a=1 OR b=2 AND NOT c=3", field("a").eq(1) | (field("b").eq(2) & !field("c").eq(3))),
        ("(a=1 OR b=2) AND c=3", Filter::And(vec![field("a").eq(1) | field("b").eq(2), field("c").eq(3)])),
        ("not (a=1)", !field("a").eq(1)),
        ("a = 9223372036854775807", field("a").eq(i64::MAX)),
        ("a = -9223372036854775808", field("a").eq(i64::MIN)),
        ("\u{e9}t\u{e9} = 1", field("\u{e9}t\u{e9}").eq(1)),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text).map_err(|error| format!("{text}: {error}")), Ok(expected), "{text}");
    }
    Ok(())
}

#[test]
fn parameters_are_bound_by_name() -> Result<()> {
    let parameters = Metadata::new().with("low", 1).with("names", ["a", "b"]);
    let filter = Filter::parse("x > :low AND y IN $names AND z != $low", &parameters)?;
    assert_eq!(filter, field("x").gt(1) & field("y").is_in(["a", "b"]) & field("z").ne(1));
    assert_eq!(
        fault(Filter::parse("x > :hi", &Metadata::new())),
        "filter string: expected a value for the parameter `hi` at position 4, got none among the parameters given"
    );
    assert_eq!(
        fault(Filter::parse("x > 1", &parameters)),
        "filter string: the parameter `low` was given but is not used"
    );
    assert!(
        fault(Filter::parse("x > :low", &Metadata::new().with("low", [1])))
            .contains("has an order, got a list")
    );
    assert!(
        fault(Filter::parse("x IN :low", &Metadata::new().with("low", 1)))
            .contains("a parameter that is a list")
    );
    Ok(())
}

#[test]
fn errors_say_what_was_expected_where() {
    let cases = [
        ("", "expected a field, NOT or `(` at position 0, got the end of the text"),
        ("price < ", "expected a value at position 8, got the end of the text"),
        ("\u{e9}t\u{e9} < )", "expected a value at position 6, got `)`"),
        ("a = 1 b = 2", "expected AND, OR or the end of the text at position 6, got `b`"),
        ("a = 1)", "expected AND, OR or the end of the text at position 5, got `)`"),
        ("(a = 1", "expected `)` at position 6, got the end of the text"),
        ("a IN ()", "expected a value at position 6, got `)`"),
        (
            "a NOT 1",
            "expected IN, BETWEEN, LIKE, CONTAINS, STARTSWITH or ENDSWITH after NOT at position 6, got the number 1",
        ),
        ("a IS 1", "expected NULL or NOT NULL at position 5, got the number 1"),
        ("a BETWEEN 1 OR 2", "expected AND and the upper bound of BETWEEN at position 12, got `OR`"),
        ("a = 'x", "expected a closing ' for the text that starts at position 4, got the end of the text"),
        ("a = 'x\\q'", "expected one of n r t \\ ' \" % _ after the backslash at position 6, got `q`"),
        (
            "a = 9223372036854775808",
            "expected an integer of 64 bits at position 4, got `9223372036854775808`",
        ),
        ("a = 1e999", "expected a number within the range of a 64-bit float at position 4, got `1e999`"),
        ("a = 10abc", "expected a number at position 4, got `10abc`"),
        ("a = 1.2.3", "expected a number at position 4, got `1.2.3`"),
        ("a LIKE 1", "expected a string at position 7, got the number 1"),
        ("a ; b", "expected a field, a value or an operator at position 2, got `;`"),
        ("a. = 1", "expected a name after `.` at position 2, got ` `"),
        (
            "a",
            "expected an operator (= == != <> < <= > >= IN NOT BETWEEN LIKE CONTAINS STARTSWITH ENDSWITH IS) at position 1",
        ),
        ("'a' = 1", "expected a field, NOT or `(` at position 0, got the string 'a'"),
        ("null = 1", "expected a field, NOT or `(` at position 0, got `null`"),
        ("a = b", "expected a value at position 4, got `b`"),
        ("a = :", "expected a name after the `:` or `$` of a parameter at position 4, got none"),
    ];
    for (text, expected) in cases {
        let message = fault(parse(text));
        assert!(
            message.starts_with(&format!("filter string: {expected}")),
            "{text}\nexpected {expected}\n     got {message}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn noise_never_panics(text in ".{0,40}") {
        let _ = parse(&text);
    }

    #[test]
    fn token_soup_never_panics(tokens in proptest::collection::vec(proptest::sample::select(vec![
        "a", "a.b", "`x", "`x`", "=", "<", "<=", "!=", "IN", "NOT", "AND", "OR", "BETWEEN", "LIKE", "IS", "NULL", "EXISTS",
        "CONTAINS", "(", ")", ",", "1", "-", "1.5", "'s'", "\"", "'", "\\", ":p", "$", ".", "\u{e9}", "\u{2003}", "true",
    ]), 0..14), spaced: bool) {
        let _ = Filter::parse(&tokens.join(if spaced { " " } else { "" }), &Metadata::new().with("p", 1));
    }
}
