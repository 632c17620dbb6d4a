//! Boosts of scores, as Python has them.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDateTime, PyDelta, PyList, PyString, PyTuple};
use vecstore::{Boost, BoostMode, DateTime, Decay, DecayShape, FieldBoost, FilterBoost, Modifier, Origin};

use super::search::is_value;
use crate::arguments::{Number, Text};
use crate::datetimes::datetime_in;
use crate::errors::{OrRaise, invalid, wrong_type};
use crate::filters::filter;

const EXPECTED: &str = "a Decay, FieldBoost or FilterBoost, or a list of them";

/// Reads one boost, a list of them, or none.
pub(super) fn boosts(object: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<Boost>> {
    let Some(object) = object.filter(|object| !object.is_none()) else { return Ok(Vec::new()) };
    if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        return object.try_iter()?.map(|item| one(&item?)).collect();
    }
    Ok(vec![one(object)?])
}

fn one(object: &Bound<'_, PyAny>) -> PyResult<Boost> {
    if is_value(object, "Decay")? {
        return Ok(decay(object)?.into());
    }
    if is_value(object, "FieldBoost")? {
        return Ok(field(object)?.into());
    }
    if is_value(object, "FilterBoost")? {
        let weight = number(object, "FilterBoost", "weight")?;
        let filter = filter(&object.getattr("filter")?, None)?;
        return Ok(FilterBoost::new(filter, weight).mode(mode(object)?).into());
    }
    Err(wrong_type("boost", EXPECTED, object))
}

fn decay(object: &Bound<'_, PyAny>) -> PyResult<Decay> {
    const CLASS: &str = "Decay";
    let shape = named(
        object,
        "kind",
        &[("exp", DecayShape::Exponential), ("gauss", DecayShape::Gauss), ("linear", DecayShape::Linear)],
    )?;
    Ok(Decay::new(path(object)?, origin(object)?, distance(object, "scale")?)
        .offset(distance(object, "offset")?)
        .decay(number(object, CLASS, "decay")?)
        .shape(shape)
        .weight(number(object, CLASS, "weight")?)
        .missing(number(object, CLASS, "missing")?)
        .mode(mode(object)?))
}

fn field(object: &Bound<'_, PyAny>) -> PyResult<FieldBoost> {
    const CLASS: &str = "FieldBoost";
    let modifier = named(
        object,
        "modifier",
        &[
            ("none", Modifier::None),
            ("log1p", Modifier::Log1p),
            ("sqrt", Modifier::Sqrt),
            ("square", Modifier::Square),
        ],
    )?;
    let boost = FieldBoost::new(path(object)?)
        .factor(number(object, CLASS, "factor")?)
        .modifier(modifier)
        .missing(number(object, CLASS, "missing")?)
        .mode(mode(object)?);
    Ok(if object.getattr("most")?.is_none() { boost } else { boost.most(number(object, CLASS, "most")?) })
}

fn path(object: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(Text::new(&object.getattr("path")?, "path")?.to_owned())
}

fn number(object: &Bound<'_, PyAny>, class: &str, name: &str) -> PyResult<f64> {
    object.getattr(name)?.extract::<Number>()?.named(&format!("{class}: {name}"))
}

/// Reads a distance: a number, or how many seconds a timedelta has.
fn distance(object: &Bound<'_, PyAny>, name: &str) -> PyResult<f64> {
    let given = object.getattr(name)?;
    match given.is_instance_of::<PyDelta>() {
        true => given.call_method0("total_seconds")?.extract(),
        false => number(object, "Decay", name),
    }
}

fn origin(object: &Bound<'_, PyAny>) -> PyResult<Origin> {
    let origin = object.getattr("origin")?;
    if origin.is_none() {
        return Ok(Origin::Now);
    }
    if let Ok(time) = origin.cast::<PyDateTime>() {
        return datetime_in(time, || "Decay: origin".to_owned()).map(Origin::Time);
    }
    if origin.is_instance_of::<PyString>() {
        let time = DateTime::parse(&Text::new(&origin, "Decay: origin")?);
        return time.map(Origin::Time).or_raise(origin.py());
    }
    number(object, "Decay", "origin").map(Origin::Number)
}

fn mode(object: &Bound<'_, PyAny>) -> PyResult<BoostMode> {
    named(object, "mode", &[("multiply", BoostMode::Multiply), ("add", BoostMode::Add)])
}

/// Reads one of several names.
fn named<T: Copy>(object: &Bound<'_, PyAny>, name: &str, names: &[(&str, T)]) -> PyResult<T> {
    let given = Text::new(&object.getattr(name)?, name)?;
    match names.iter().find(|(known, _)| *known == &*given) {
        Some((_, value)) => Ok(*value),
        None => {
            let known: Vec<&str> = names.iter().map(|(known, _)| *known).collect();
            let start: String = given.chars().take(40).collect();
            let message =
                format!("{name} must be one of {}; got `{}`", known.join(", "), start.escape_debug());
            Err(invalid(object.py(), message))
        }
    }
}
