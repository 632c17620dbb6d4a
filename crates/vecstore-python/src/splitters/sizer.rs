//! Sizers from Python: names, and callables.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
    Ok(Chosen {
        sizer: Arc::new(Callable { sizer: object.clone().unbind(), calls: AtomicUsize::new(0) }),
        calls_python: true,
    })
}

/// A callable that measures a `str`.
struct Callable {
    sizer: Py<PyAny>,
    calls: AtomicUsize,
}

/// After how many calls other threads get a turn.
const TURN_CALLS: usize = 256;

impl Callable {
    fn call(&self, py: Python<'_>, text: &str) -> PyResult<usize> {
        let size = self.sizer.bind(py).call1((text,))?;
        // A callable that is written in C, such as `len`, takes no step of Python, at which it would look at signals and
        // give way to other threads.
        py.check_signals()?;
        if self.calls.fetch_add(1, Ordering::Relaxed) % TURN_CALLS == TURN_CALLS - 1 {
            py.detach(|| ());
        }
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
