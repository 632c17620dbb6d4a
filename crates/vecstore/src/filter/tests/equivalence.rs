use proptest::prelude::*;

use super::oracle::holds;
use super::strategies::{document, filter, leaf_condition, value};
use crate::error::Result;
use crate::filter::{Condition, Filter};
use crate::metadata::{DocumentRef, Metadata, Value, encode};

/// Prints a filter in the string spelling, its harder values as parameters; `None` if the spelling lacks an operator.
fn print(filter: &Filter, parameters: &mut Metadata) -> Option<String> {
    let mut join = |filters: &[Filter], word: &str| {
        let parts = filters.iter().map(|filter| print(filter, parameters)).collect::<Option<Vec<_>>>()?;
        (!parts.is_empty()).then(|| format!("({})", parts.join(word)))
    };
    match filter {
        Filter::And(filters) => join(filters, " and "),
        Filter::Or(filters) => join(filters, " OR "),
        Filter::Not(filter) => Some(format!("NOT {}", print(filter, parameters)?)),
        Filter::Field { path, condition } => print_condition(path, condition, parameters),
        _ => None,
    }
}

fn print_condition(path: &str, condition: &Condition, parameters: &mut Metadata) -> Option<String> {
    let mut value = |value: &Value| print_value(value, parameters);
    Some(match condition {
        Condition::Eq(Value::Null) => format!("{path} IS NULL"),
        Condition::Ne(Value::Null) => format!("{path} is not null"),
        Condition::Eq(operand) => format!("{path} == {}", value(operand)),
        Condition::Ne(operand) => format!("{path}<>{}", value(operand)),
        Condition::Gt(operand) => format!("`{path}`>{}", value(operand)),
        Condition::Gte(operand) => format!("{path} >= {}", value(operand)),
        Condition::Lt(operand) => format!("{path}<{}", value(operand)),
        Condition::Lte(operand) => format!("{path} <= {}", value(operand)),
        Condition::Between(low, high) => format!("{path} BETWEEN {} AND {}", value(low), value(high)),
        Condition::In(operands) if operands.len() % 2 == 1 => {
            format!("{path} IN ({})", operands.iter().map(value).collect::<Vec<_>>().join(", "))
        }
        Condition::In(operands) => format!("{path} in {}", value(&Value::List(operands.clone()))),
        Condition::NotIn(operands) => format!("{path} NOT IN {}", value(&Value::List(operands.clone()))),
        Condition::Exists(true) => format!("EXISTS({path})"),
        Condition::Contains(operand) => format!("{path} CONTAINS {}", value(operand)),
        Condition::StartsWith(text) => format!("{path} STARTSWITH {}", value(&text.into())),
        Condition::EndsWith(text) => format!("{path} ENDSWITH {}", value(&text.into())),
        Condition::Like(pattern) => format!("{path} LIKE {}", value(&pattern.into())),
        _ => return None,
    })
}

fn print_value(value: &Value, parameters: &mut Metadata) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) if value.is_finite() => format!("{value:?}"),
        Value::Str(text) if text.len() % 2 == 0 => {
            format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
        }
        Value::Str(text) => {
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
        }
        other => {
            let name = format!("p{}", parameters.len());
            let parameter = format!("{}{name}", if parameters.len().is_multiple_of(2) { ':' } else { '$' });
            parameters.insert(name, other.clone());
            parameter
        }
    }
}

fn answer(filter: &Filter, document: &[u8]) -> Result<bool> {
    Ok(filter.compile()?.matches(DocumentRef::new(document)?))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn every_spelling_agrees_with_the_oracle(filter in filter(), documents in proptest::collection::vec(document(), 6)) {
        let dict = Filter::from_value(&filter.to_value()?)?;
        let mut parameters = Metadata::new();
        let text = print(&filter, &mut parameters);
        let parsed = text.as_ref().map(|text| Filter::parse(text, &parameters)).transpose()?;
        for document in documents {
            let bytes = encode(&document)?;
            let expected = holds(&filter, &Value::Map(document));
            prop_assert_eq!(answer(&filter, &bytes)?, expected, "the tree");
            prop_assert_eq!(answer(&dict, &bytes)?, expected, "the dict");
            prop_assert_eq!(answer(&!filter.clone(), &bytes)?, !expected, "the complement");
            if let Some(parsed) = &parsed {
                prop_assert_eq!(answer(parsed, &bytes)?, expected, "the string {:?}", &text);
            }
        }
    }

    #[test]
    fn every_condition_agrees_with_the_oracle(condition in leaf_condition(), stored in proptest::collection::vec(value(), 24)) {
        let filter = Filter::Field { path: "a".to_owned(), condition };
        let matcher = filter.compile()?;
        for stored in stored {
            let document = Metadata::new().with("a", stored);
            let bytes = encode(&document)?;
            let answer = matcher.matches(DocumentRef::new(&bytes)?);
            prop_assert_eq!(answer, holds(&filter, &Value::Map(document.clone())), "{:?}", document);
        }
    }

    #[test]
    fn the_dict_of_a_filter_reads_as_the_same_filter(filter in filter()) {
        let again = Filter::from_value(&filter.to_value()?)?;
        prop_assert_eq!(format!("{again:?}"), format!("{filter:?}")); // NaN differs from itself, its print does not
    }
}
