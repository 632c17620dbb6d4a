//! The dict spelling, read: `{"price": {"$lt": 10}, "tags": "x"}`.

use std::fmt;

use crate::error::{Error, Result};
use crate::filter::limits::{MAX_FILTER_DEPTH, check_operand};
use crate::filter::mongo_operators::{FIELD_OPERATORS, read_condition};
use crate::filter::{Condition, Filter};
use crate::metadata::{Metadata, Value};

impl Filter {
    /// Reads a Mongo-style dict.
    ///
    /// The entries of a dict must all hold. A key is a dotted path, or `$and`, `$or` or `$nor` with a list of dicts, or
    /// `$not` with a dict. The value of a path is a dict of operators, which must all hold; any other value means
    /// `$eq`, and a list means `$in`. A dict without `$` keys is a value to be equal to. The empty dict matches all.
    ///
    /// # Errors
    ///
    /// `Filter` naming what is wrong and where in the dict; an unknown operator is always an error.
    ///
    /// # Examples
    ///
    /// ```
    /// use vecstore::{Filter, Metadata, Value};
    ///
    /// let dict = Metadata::new().with("price", Metadata::new().with("$less", 10));
    /// let error = Filter::from_value(&Value::from(dict)).expect_err("there is no such operator");
    /// assert!(error.message().starts_with("filter: unknown operator `$less` at `price`"));
    /// ```
    pub fn from_value(value: &Value) -> Result<Self> {
        let Value::Map(map) = value else {
            return Err(Error::filter(format!("filter: expected a map, got {}", value.type_name())));
        };
        let filter = read_map(map, &At::top(), Scope { in_element: false, depth: 1 })?;
        filter.check()?;
        Ok(filter)
    }
}

/// Where in the dict something stands; a list on the stack, written out only into an error.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    outer: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Top,
    Key(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    fn top() -> Self {
        Self { outer: None, step: Step::Top }
    }

    pub(super) fn key(&'a self, key: &'a str) -> Self {
        Self { outer: Some(self), step: Step::Key(key) }
    }

    fn index(&'a self, index: usize) -> Self {
        Self { outer: Some(self), step: Step::Index(index) }
    }

    /// Makes an error of what was expected here and the type that was got.
    pub(super) fn expected(&self, what: &str, got: &Value) -> Error {
        self.fault(&format!("expected {what}, got {}", got.type_name()))
    }

    /// Makes an error about this place.
    pub(super) fn fault(&self, fault: &str) -> Error {
        Error::filter(format!("filter: {fault} at {self}"))
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut steps = Vec::new();
        let mut at = Some(self);
        while let Some(here) = at {
            steps.push(here.step);
            at = here.outer;
        }
        let mut path = String::new();
        for step in steps.iter().rev() {
            match step {
                Step::Top => {}
                Step::Index(index) => path.push_str(&format!("[{index}]")),
                Step::Key(key) if path.is_empty() => path.push_str(key),
                Step::Key(key) => path.push_str(&format!(".{key}")),
            }
        }
        if path.is_empty() { f.write_str("the top level") } else { write!(f, "`{path}`") }
    }
}

/// What surrounds a dict of filters.
#[derive(Clone, Copy)]
pub(super) struct Scope {
    /// Whether the dict is about a list element, so that operators may stand without a field.
    in_element: bool,
    depth: usize,
}

impl Scope {
    fn deeper(self, at: &At<'_>) -> Result<Self> {
        if self.depth == MAX_FILTER_DEPTH {
            let got = self.depth + 1;
            return Err(at.fault(&format!(
                "it nests too deep (expected at most {MAX_FILTER_DEPTH} levels, got at least {got})"
            )));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn element(self, at: &At<'_>) -> Result<Self> {
        Ok(Self { in_element: true, ..self.deeper(at)? })
    }
}

/// What a dict of operators is about.
#[derive(Clone, Copy)]
enum Subject<'a> {
    Field(&'a str),
    Element,
}

impl Subject<'_> {
    fn filter(self, condition: Condition) -> Filter {
        match self {
            Self::Field(path) => Filter::Field { path: path.to_owned(), condition },
            Self::Element => Filter::Element(condition),
        }
    }
}

fn read_map(map: &Metadata, at: &At<'_>, scope: Scope) -> Result<Filter> {
    let mut filters = Vec::with_capacity(map.len());
    for (key, value) in map.iter() {
        let here = at.key(key);
        match key {
            "$and" => filters.push(Filter::And(read_list(value, &here, scope)?)),
            "$or" => filters.push(Filter::Or(read_list(value, &here, scope)?)),
            "$nor" => {
                let any = Filter::Or(read_list(value, &here, scope.deeper(&here)?)?);
                filters.push(Filter::Not(Box::new(any)));
            }
            "$not" => {
                let Value::Map(inner) = value else { return Err(here.expected("a map", value)) };
                filters.push(Filter::Not(Box::new(read_map(inner, &here, scope.deeper(&here)?)?)));
            }
            operator if operator.starts_with('$') && scope.in_element => {
                read_operator(map, operator, value, Subject::Element, at, scope, &mut filters)?;
            }
            operator if FIELD_OPERATORS.contains(&operator) => {
                return Err(
                    at.fault(&format!("expected a field around `{operator}`, got the operator alone"))
                );
            }
            unknown if unknown.starts_with('$') => {
                return Err(unknown_operator(unknown, "$and, $or, $not, $nor", at));
            }
            path => read_field(path, value, &here, scope, &mut filters)?,
        }
    }
    Ok(only_or_all(filters))
}

fn only_or_all(mut filters: Vec<Filter>) -> Filter {
    match filters.pop() {
        Some(only) if filters.is_empty() => only,
        last => {
            filters.extend(last);
            Filter::And(filters)
        }
    }
}

fn read_list(value: &Value, at: &At<'_>, scope: Scope) -> Result<Vec<Filter>> {
    let Value::List(items) = value else { return Err(at.expected("a list of maps", value)) };
    let scope = scope.deeper(at)?;
    let read_item = |(index, item): (usize, &Value)| match item {
        Value::Map(map) => read_map(map, &at.index(index), scope),
        other => Err(at.index(index).expected("a map", other)),
    };
    items.iter().enumerate().map(read_item).collect()
}

fn read_field(path: &str, value: &Value, at: &At<'_>, scope: Scope, filters: &mut Vec<Filter>) -> Result<()> {
    let subject = Subject::Field(path);
    match value {
        Value::Map(map) if map.keys().any(|key| key.starts_with('$')) => {
            read_operators(map, subject, at, scope, filters)
        }
        Value::List(items) => {
            check_operand(value).map_err(|fault| at.fault(&fault))?;
            filters.push(subject.filter(Condition::In(items.clone())));
            Ok(())
        }
        plain => {
            check_operand(plain).map_err(|fault| at.fault(&fault))?;
            filters.push(subject.filter(Condition::Eq(plain.clone())));
            Ok(())
        }
    }
}

fn read_operators(
    map: &Metadata,
    subject: Subject<'_>,
    at: &At<'_>,
    scope: Scope,
    filters: &mut Vec<Filter>,
) -> Result<()> {
    for (operator, operand) in map.iter() {
        if !operator.starts_with('$') {
            return Err(at.fault(&format!(
                "expected only operators beside each other, got the plain key `{operator}`"
            )));
        }
        match (operator, subject) {
            ("$not", Subject::Field(path)) => {
                let here = at.key(operator);
                let mut inner = Vec::new();
                read_field(path, operand, &here, scope.deeper(&here)?, &mut inner)?;
                filters.push(Filter::Not(Box::new(only_or_all(inner))));
            }
            _ => read_operator(map, operator, operand, subject, at, scope, filters)?,
        }
    }
    Ok(())
}

/// Reads one operator of `map`, whose other entries may modify it.
fn read_operator(
    map: &Metadata,
    operator: &str,
    operand: &Value,
    subject: Subject<'_>,
    at: &At<'_>,
    scope: Scope,
    filters: &mut Vec<Filter>,
) -> Result<()> {
    let here = at.key(operator);
    let condition = match operator {
        "$elem_match" => {
            let Value::Map(inner) = operand else { return Err(here.expected("a map", operand)) };
            Condition::ElemMatch(Box::new(read_map(inner, &here, scope.element(&here)?)?))
        }
        "$options" if map.contains_key("$regex") => return Ok(()), // read with $regex
        _ => {
            check_operand(operand).map_err(|fault| here.fault(&fault))?;
            let Some(condition) = read_condition(operator, operand, map.get("$options"), &here)? else {
                return Err(unknown_operator(operator, &FIELD_OPERATORS.join(", "), at));
            };
            condition
        }
    };
    filters.push(subject.filter(condition));
    Ok(())
}

fn unknown_operator(operator: &str, known: &str, at: &At<'_>) -> Error {
    Error::filter(format!("filter: unknown operator `{operator}` at {at}; the operators here are {known}"))
}
