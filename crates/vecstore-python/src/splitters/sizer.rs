//! Sizers from Python: names, and callables.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;
use vecstore_text::split::{Bytes, Chars, Encoding, Result, Sizer, SplitError};

use crate::arguments::{Int, Text};
use crate::errors::{invalid, wrong_type};

/// A sizer, and whether it calls into Python.
pub(super) struct Chosen {
    pub(super) sizer: Arc<dyn Sizer>,
    pub(super) calls_python: bool,
}

/// Reads the argument `sizer`.
pub(super) fn choose(object: &Bound<'_, PyAny>) -> PyResult<Chosen> {
    let py = object.py();
    if object.is_instance_of::<PyString>() {
        let name = Text::new(object, "sizer")?;
        let sizer: Arc<dyn Sizer> = match &*name {
            "chars" => Arc::new(Chars),
            "bytes" => Arc::new(Bytes),
            name => Arc::new(Encoding::parse(name).map_err(|_| {
                let message = format!(
                    "sizer: expected `chars`, `bytes`, `cl100k`, `o200k` or a callable, got `{name}`"
                );
                invalid(py, message)
            })?),
        };
        return Ok(Chosen { sizer, calls_python: false });
    }
    if !object.is_callable() {
        return Err(wrong_type("sizer", "a name or a callable", object));
    }
    Ok(Chosen { sizer: Arc::new(Callable(object.clone().unbind())), calls_python: true })
}

/// A callable that measures a `str`.
struct Callable(Py<PyAny>);

impl Callable {
    fn call(&self, py: Python<'_>, text: &str) -> PyResult<usize> {
        let size = self.0.bind(py).call1((text,))?;
        match size.extract::<Int>()? {
            Int::Not(other) => Err(PyTypeError::new_err(format!("sizer: expected an int, got {other}"))),
            int => int.within(py, "sizer: a size", 0..=i64::MAX as usize),
        }
    }
}

impl Sizer for Callable {
    fn size(&self, text: &str) -> Result<usize> {
        Python::attach(|py| self.call(py, text))
            .map_err(|error| SplitError::callback("the sizer raised an exception", Box::new(error)))
    }
}
