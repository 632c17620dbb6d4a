//! Arguments of plain types: whole numbers, times, strings, what to include.

use std::ops::{Deref, RangeInclusive};
use std::time::Duration;

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBool, PyDict, PyString, PyTuple};
use vecstore::{Durability, Include, Quantization};

use crate::errors::{OrRaise, invalid, type_name, unencodable, wrong_type};
use crate::frames::items;

/// The longest time to live, so that its end lies before the year 10000, which no `datetime` reaches.
const TTL_SECONDS_MAX: f64 = 2.5e11;

/// A whole number, or what was given instead: the error that names the argument is made where the name is known.
pub(crate) enum Int {
    /// One of 64 bits.
    Fits(i64),
    /// A larger one.
    Beyond,
    /// Something else, by the name of its type.
    Not(String),
}

impl FromPyObject<'_, '_> for Int {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyBool>() {
            return Ok(Self::Not(type_name(&object)));
        }
        match object.extract() {
            Ok(number) => Ok(Self::Fits(number)),
            Err(error) if error.is_instance_of::<PyOverflowError>(object.py()) => Ok(Self::Beyond),
            Err(error) if error.is_instance_of::<PyTypeError>(object.py()) => {
                Ok(Self::Not(type_name(&object)))
            }
            Err(error) => Err(error), // what the object's own code raised
        }
    }
}

impl Int {
    /// Returns the number if it lies in the range.
    pub(crate) fn within(self, py: Python<'_>, name: &str, range: RangeInclusive<usize>) -> PyResult<usize> {
        let got = match self {
            Self::Fits(number) => match usize::try_from(number) {
                Ok(number) if range.contains(&number) => return Ok(number),
                _ => number.to_string(),
            },
            Self::Beyond => "an int beyond 64 bits".to_owned(),
            Self::Not(other) => {
                return Err(PyTypeError::new_err(format!("{name}: expected an int, got {other}")));
            }
        };
        let (low, high) = range.into_inner();
        Err(invalid(py, format!("{name} must be between {low} and {high}, got {got}")))
    }
}

/// A number, or what was given instead.
pub(crate) enum Number {
    /// A number.
    Is(f64),
    /// Something else, by the name of its type.
    Not(String),
}

impl FromPyObject<'_, '_> for Number {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyBool>() {
            return Ok(Self::Not(type_name(&object)));
        }
        match object.extract() {
            Ok(number) => Ok(Self::Is(number)),
            // An int beyond every float is rounded as a float would be.
            Err(error) if error.is_instance_of::<PyOverflowError>(object.py()) => {
                Ok(Self::Is(if object.lt(0)? { f64::NEG_INFINITY } else { f64::INFINITY }))
            }
            Err(error) if error.is_instance_of::<PyTypeError>(object.py()) => {
                Ok(Self::Not(type_name(&object)))
            }
            Err(error) => Err(error), // what the object's own code raised
        }
    }
}

impl Number {
    /// Returns the number.
    pub(crate) fn named(self, name: &str) -> PyResult<f64> {
        match self {
            Self::Is(number) => Ok(number),
            Self::Not(other) => Err(PyTypeError::new_err(format!("{name}: expected a number, got {other}"))),
        }
    }
}

/// A string that is valid Unicode, usable without the GIL.
pub(crate) struct Text(PyBackedStr);

impl Text {
    /// Reads a string; `what` names it in errors.
    pub(crate) fn new(object: &Bound<'_, PyAny>, what: &str) -> PyResult<Self> {
        if !object.is_instance_of::<PyString>() {
            return Err(wrong_type(what, "a str", object));
        }
        object.extract().map(Self).map_err(|error| unencodable(object.py(), what, error))
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Defines string arguments that know their name.
macro_rules! named_texts {
    ($($type:ident $name:literal)*) => {$(
        #[doc = concat!("The argument `", $name, "`.")]
        pub(crate) struct $type(Text);

        impl Deref for $type {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl FromPyObject<'_, '_> for $type {
            type Error = PyErr;

            fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
                Text::new(&object, $name).map(Self)
            }
        }
    )*};
}

named_texts! {
    Id "id"
    RecordText "text"
    Cursor "cursor"
    MetricName "metric"
    AnalyzerName "analyzer"
    FusionName "fusion"
    Keywords "keywords"
    Path "path"
    KindName "kind"
    Pattern "pattern"
    Strategy "strategy"
    By "by"
    Words "words"
    Affix "prefix or suffix"
    Flags "flags"
    SnapshotName "name"
    CollectionName "name"
    NewName "new_name"
    Before "before"
    After "after"
    Status "status"
    PartitionPath "partition_by"
}

/// Defines how bool arguments are read, which then name themselves in errors.
macro_rules! named_flags {
    ($($name:ident)*) => {$(
        #[doc = concat!("Reads the argument `", stringify!($name), "`.")]
        pub(crate) fn $name(object: &Bound<'_, PyAny>) -> PyResult<bool> {
            object.extract().map_err(|_| wrong_type(stringify!($name), "a bool", object))
        }
    )*};
}

/// Arguments that are a bool, for `from_py_with`.
pub(crate) mod flags {
    use super::{Bound, PyAny, PyAnyMethods, PyResult, wrong_type};

    named_flags! { deleted exact include_deleted include_self incremental present progress read_only with_vectors }
}

impl FusionName {
    /// What holds if nothing is said.
    pub(crate) fn default_of(py: Python<'_>) -> PyResult<Self> {
        PyString::new(py, "rrf").extract()
    }
}

/// The argument `durability`.
pub(crate) struct DurabilityName(pub(crate) Durability);

impl DurabilityName {
    /// What holds if nothing is said.
    pub(crate) const DEFAULT: Self = Self(Durability::Commit);
}

impl FromPyObject<'_, '_> for DurabilityName {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        Text::new(&object, "durability")?.parse().map(Self).or_raise(object.py())
    }
}

/// The argument `quantization`.
pub(crate) struct QuantizationName(pub(crate) Quantization);

impl QuantizationName {
    /// What holds if nothing is said.
    pub(crate) const DEFAULT: Self = Self(Quantization::Auto);
}

impl FromPyObject<'_, '_> for QuantizationName {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        Text::new(&object, "quantization")?.parse().map(Self).or_raise(object.py())
    }
}

/// Returns the strings of an iterable that is not itself a string. `what` names it in errors.
pub(crate) fn texts(values: &Bound<'_, PyAny>, what: &str) -> PyResult<Vec<Text>> {
    if values.is_instance_of::<PyString>() || values.is_instance_of::<PyDict>() {
        return Err(wrong_type(what, "a list of str", values));
    }
    let listed = items(values, what)?;
    let values = listed.try_iter().map_err(|_| wrong_type(what, "a list of str", values))?;
    let text = |(at, value): (usize, PyResult<Bound<'_, PyAny>>)| {
        // The name is written out only into an error.
        let value = value?;
        if value.is_instance_of::<PyString>() {
            Text::new(&value, what)
        } else {
            Text::new(&value, &format!("{what}[{at}]"))
        }
    };
    values.enumerate().map(text).collect()
}

/// Reads a time to live.
pub(crate) fn ttl(py: Python<'_>, seconds: Number) -> PyResult<Duration> {
    let seconds = seconds.named("ttl_seconds")?;
    if !(0.0..=TTL_SECONDS_MAX).contains(&seconds) {
        return Err(invalid(
            py,
            format!("ttl_seconds must be between 0 and {TTL_SECONDS_MAX:e}, got {seconds}"),
        ));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Reads how long to wait; infinity is for ever.
pub(crate) fn wait(py: Python<'_>, seconds: Number) -> PyResult<Duration> {
    let seconds = seconds.named("wait")?;
    if seconds.is_nan() || seconds < 0.0 {
        return Err(invalid(py, format!("wait must be a number of seconds of at least 0, got {seconds}")));
    }
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

/// Reads the wanted recall, checked before it is rounded: no number beyond 1 becomes 1.
pub(crate) fn recall(py: Python<'_>, recall: Number) -> PyResult<f32> {
    let recall = recall.named("recall")?;
    if recall > 0.0 && recall <= 1.0 {
        return Ok((recall as f32).max(f32::MIN_POSITIVE));
    }
    Err(invalid(py, format!("recall must be above 0 and at most 1, got {recall}")))
}

/// What results carry besides id, score and distance.
#[derive(Clone, Copy)]
pub(crate) struct Included(pub(crate) Include);

impl Included {
    /// What is included if nothing is said.
    pub(crate) const DEFAULT: Self = Self(Include { metadata: true, vector: false, text: false });
}

impl FromPyObject<'_, '_> for Included {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let mut include = Include { metadata: false, vector: false, text: false };
        if object.cast::<PyTuple>().is_ok_and(|names| names.is_empty()) {
            return Ok(Self(include));
        }
        for name in texts(&object, "include")? {
            match &*name {
                "metadata" => include.metadata = true,
                "vector" => include.vector = true,
                "text" => include.text = true,
                other => {
                    let message = format!("include: expected names of metadata, vector, text; got `{other}`");
                    return Err(invalid(object.py(), message));
                }
            }
        }
        Ok(Self(include))
    }
}
