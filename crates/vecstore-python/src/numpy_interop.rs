//! numpy, only where the caller already uses it: neither importing this package nor lists of floats need it.

use numpy::PyUntypedArray;
use pyo3::exceptions::{PyImportError, PyModuleNotFoundError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

static NUMPY: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
static GENERIC: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Returns numpy if it has been imported. Without it there are no arrays, and the crate `numpy` must not be asked.
pub(crate) fn loaded(py: Python<'_>) -> PyResult<Option<&Bound<'_, PyModule>>> {
    if let Some(numpy) = NUMPY.get(py) {
        return Ok(Some(numpy.bind(py)));
    }
    let modules = py.import("sys")?.getattr(intern!(py, "modules"))?;
    let Ok(numpy) = modules.get_item(intern!(py, "numpy")) else { return Ok(None) };
    // While numpy itself is being imported, its arrays are not there yet.
    if !numpy.hasattr(intern!(py, "ndarray"))? {
        return Ok(None);
    }
    let Ok(numpy) = numpy.cast_into::<PyModule>() else { return Ok(None) };
    Ok(Some(NUMPY.get_or_init(py, || numpy.unbind()).bind(py)))
}

/// Imports numpy for a result that is made of its arrays.
pub(crate) fn require(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    let missing = |error: PyErr| {
        if !error.is_instance_of::<PyModuleNotFoundError>(py) {
            return error;
        }
        let named = PyImportError::new_err("arrays need numpy: pip install 'vecstore[numpy]'");
        named.set_cause(py, Some(error));
        named
    };
    Ok(NUMPY.get_or_try_init(py, || py.import("numpy").map(Bound::unbind).map_err(missing))?.bind(py))
}

/// Returns the object as an array of whatever type, if it is one.
pub(crate) fn as_array<'a, 'py>(
    object: &'a Bound<'py, PyAny>,
) -> PyResult<Option<&'a Bound<'py, PyUntypedArray>>> {
    Ok(loaded(object.py())?.and_then(|_| object.cast::<PyUntypedArray>().ok()))
}

/// Returns the Python value of a scalar of numpy, `None` if the object is none or has no Python value.
pub(crate) fn scalar_item<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = object.py();
    let Some(numpy) = loaded(py)? else { return Ok(None) };
    let generic = GENERIC
        .get_or_try_init(py, || Ok::<_, PyErr>(numpy.getattr("generic")?.cast_into::<PyType>()?.unbind()))?;
    if !object.is_instance(generic.bind(py))? {
        return Ok(None);
    }
    let item = object.call_method0(intern!(py, "item"))?;
    Ok((!item.is_instance(generic.bind(py))?).then_some(item))
}
