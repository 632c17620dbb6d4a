//! Arguments of plain types: whole numbers, times, strings, what to include.

use std::ops::RangeInclusive;
use std::time::Duration;

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBool, PyDict, PyString};
use vecstore::Include;

use crate::errors::{invalid, unencodable, wrong_type};

/// The longest time to live, so that its end lies before the year 10000, which no `datetime` reaches.
const TTL_SECONDS_MAX: f64 = 2.5e11;

/// A whole number, of any size.
#[derive(Clone, Copy)]
pub(crate) enum Int {
    /// One of 64 bits.
    Fits(i64),
    /// A larger one.
    Beyond,
}

impl FromPyObject<'_, '_> for Int {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyBool>() {
            return Err(PyTypeError::new_err("expected an int, got bool"));
        }
        match object.extract() {
            Ok(number) => Ok(Self::Fits(number)),
            Err(error) if error.is_instance_of::<PyOverflowError>(object.py()) => Ok(Self::Beyond),
            Err(error) => Err(error),
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
        };
        let (low, high) = range.into_inner();
        Err(invalid(py, format!("{name} must be between {low} and {high}, got {got}")))
    }
}

/// A string that is valid Unicode, usable without the GIL.
pub(crate) struct Text(PyBackedStr);

impl std::ops::Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl FromPyObject<'_, '_> for Text {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        object.extract().map(Self).map_err(|error| unencodable(object.py(), "a string", error))
    }
}

/// Returns the strings of an iterable that is not itself a string. `what` names it in errors.
pub(crate) fn texts(values: &Bound<'_, PyAny>, what: &str) -> PyResult<Vec<Text>> {
    if values.is_instance_of::<PyString>() || values.is_instance_of::<PyDict>() {
        return Err(wrong_type(what, "a list of str", values));
    }
    let values = values.try_iter().map_err(|_| wrong_type(what, "a list of str", values))?;
    let text = |(at, value): (usize, PyResult<Bound<'_, PyAny>>)| {
        let value = value?;
        if !value.is_instance_of::<PyString>() {
            return Err(wrong_type(&format!("{what}[{at}]"), "a str", &value));
        }
        value.extract()
    };
    values.enumerate().map(text).collect()
}

/// Reads a time to live.
pub(crate) fn ttl(py: Python<'_>, seconds: f64) -> PyResult<Duration> {
    if !(0.0..=TTL_SECONDS_MAX).contains(&seconds) {
        return Err(invalid(py, format!("ttl_seconds must be between 0 and {TTL_SECONDS_MAX:e}, got {seconds}")));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Reads how long to wait; infinity is for ever.
pub(crate) fn wait(py: Python<'_>, seconds: f64) -> PyResult<Duration> {
    if seconds.is_nan() || seconds < 0.0 {
        return Err(invalid(py, format!("wait must be a number of seconds of at least 0, got {seconds}")));
    }
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

/// Checks a wanted recall. Search is exact today, which meets every one.
pub(crate) fn check_recall(py: Python<'_>, recall: f64) -> PyResult<()> {
    if recall > 0.0 && recall <= 1.0 {
        return Ok(());
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
