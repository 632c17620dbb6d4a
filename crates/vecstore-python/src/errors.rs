//! Errors: the engine's kinds become the exception classes of `vecstore._errors`.

use std::io;

use pyo3::exceptions::{PyTypeError, PyUnicodeEncodeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::type_object::PyTypeCheck;
use pyo3::types::PyType;
use vecstore::{Error, ErrorKind};

static ERRORS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();

/// Turns a result of the engine into one of Python.
pub(crate) trait OrRaise<T> {
    /// Returns the value, or the exception that the error is in Python.
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for vecstore::Result<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| exception(py, &error))
    }
}

/// Returns the exception that an error of the engine is in Python.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let message = error.message();
    match (class_name(error.kind()), errno(error)) {
        (name @ "StorageError", Some(errno)) => make(py, name, (errno, message.to_owned())),
        (name, _) => make(py, name, (message.to_owned(),)),
    }
}

/// Makes an `InvalidInputError`.
pub(crate) fn invalid(py: Python<'_>, message: impl Into<String>) -> PyErr {
    make(py, "InvalidInputError", (message.into(),))
}

/// Makes a `CorruptionError`.
pub(crate) fn corruption(py: Python<'_>, message: impl Into<String>) -> PyErr {
    make(py, "CorruptionError", (message.into(),))
}

/// Makes a `FilterError`.
pub(crate) fn filter_error(py: Python<'_>, message: impl Into<String>) -> PyErr {
    make(py, "FilterError", (message.into(),))
}

/// Makes the `TypeError` for an argument of a type that is not accepted.
pub(crate) fn wrong_type(what: &str, expected: &str, got: &Bound<'_, PyAny>) -> PyErr {
    PyTypeError::new_err(format!("{what}: expected {expected}, got {}", type_name(got)))
}

/// Returns an object as what it must be; `what` names the argument in the error.
pub(crate) fn checked<'a, 'py, T: PyTypeCheck>(
    object: &'a Bound<'py, PyAny>,
    what: &str,
    expected: &str,
) -> PyResult<&'a Bound<'py, T>> {
    object.cast().map_err(|_| wrong_type(what, expected, object))
}

/// Returns the name of an object's type.
pub(crate) fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "an object of no name".to_owned(), |name| name.to_string())
}

/// Gives a string that is not valid Unicode, which Python's may be, the error of an invalid argument.
pub(crate) fn unencodable(py: Python<'_>, what: &str, error: PyErr) -> PyErr {
    if error.is_instance_of::<PyUnicodeEncodeError>(py) {
        invalid(py, format!("{what}: expected valid Unicode, got a string with lone surrogates"))
    } else {
        error
    }
}

/// Returns whether an exception is one of this package's.
pub(crate) fn is_own(py: Python<'_>, error: &PyErr) -> bool {
    class(py, "VecStoreError").is_ok_and(|class| error.is_instance(py, &class))
}

fn make<A>(py: Python<'_>, name: &str, arguments: A) -> PyErr
where
    A: pyo3::PyErrArguments + Send + Sync + 'static,
{
    match class(py, name) {
        Ok(class) => PyErr::from_type(class, arguments),
        Err(error) => error,
    }
}

fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyType>> {
    let module = ERRORS.get_or_try_init(py, || py.import("vecstore._errors").map(Bound::unbind))?;
    Ok(module.bind(py).getattr(name)?.cast_into()?)
}

fn class_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "NotFoundError",
        ErrorKind::AlreadyExists => "AlreadyExistsError",
        ErrorKind::InvalidInput => "InvalidInputError",
        ErrorKind::DimensionMismatch => "DimensionMismatchError",
        ErrorKind::Filter => "FilterError",
        ErrorKind::QuotaExceeded => "QuotaExceededError",
        ErrorKind::Locked => "StoreLockedError",
        ErrorKind::Closed => "ClosedError",
        ErrorKind::Corrupted => "CorruptionError",
        ErrorKind::Io => "StorageError",
        ErrorKind::Unsupported => "UnsupportedError",
        _ => "VecStoreError",
    }
}

/// Returns the number of the operating system's error, also where the standard library made the error itself.
fn errno(error: &Error) -> Option<i32> {
    const ENOENT: i32 = 2;
    const EACCES: i32 = 13;
    error.raw_os_error().or_else(|| {
        let source = std::error::Error::source(error)?.downcast_ref::<io::Error>()?;
        match source.kind() {
            io::ErrorKind::NotFound => Some(ENOENT),
            io::ErrorKind::PermissionDenied => Some(EACCES),
            _ => None,
        }
    })
}
