//! The text to split, from `str` or UTF-8 `bytes`, without a copy where that can be had.
//!
//! The stable interface of Python 3.9 encodes a `str` into new bytes, which for a long text is as much memory again.
//! Every CPython has a function that lends the bytes of an ASCII string where they lie, and of others those it has encoded
//! once and keeps with the string; only the stable interface of 3.9 does not list it. So long texts ask for it at run time.

use std::ops::Deref;
use std::os::raw::{c_char, c_void};

use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyString};
use pyo3::{ffi, intern};

use crate::errors::{invalid, unencodable, wrong_type};

/// Shorter texts are copied: looking the function up takes longer.
const LENT_CHARS: usize = 1 << 16;

/// Longer texts that are not ASCII are encoded each time, since what is encoded once stays with the string for good.
const KEPT_CHARS: usize = 32 << 20;

type Lender = unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::Py_ssize_t) -> *const c_char;

/// A text, usable without the GIL.
pub(super) enum Source {
    Copied(PyBackedStr),
    Bytes(PyBackedBytes),
    Lent(Lent),
}

/// The bytes of a string in UTF-8, and the string that owns them.
pub(super) struct Lent {
    start: *const u8,
    length: usize,
    _owner: Py<PyString>,
}

// SAFETY: a string never changes, the reference keeps it alive, and its bytes are only read.
unsafe impl Send for Lent {}
// SAFETY: as above.
unsafe impl Sync for Lent {}

impl Source {
    /// Reads a `str`, or `bytes` of UTF-8.
    pub(super) fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = object.py();
        if let Ok(text) = object.cast::<PyString>() {
            if text.len()? >= LENT_CHARS
                && let Some(lent) = lend(text)?
            {
                return Ok(Self::Lent(lent));
            }
            return object.extract().map(Self::Copied).map_err(|error| unencodable(py, "text", error));
        }
        let Ok(bytes) = object.cast::<PyBytes>() else {
            return Err(wrong_type("text", "a str or bytes of UTF-8", object));
        };
        let bytes = PyBackedBytes::from(bytes.clone());
        match std::str::from_utf8(&bytes) {
            Ok(_) => Ok(Self::Bytes(bytes)),
            Err(error) => Err(invalid(
                py,
                format!("text: expected UTF-8, got an invalid sequence at byte {}", error.valid_up_to()),
            )),
        }
    }
}

impl Deref for Source {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Copied(text) => text,
            // SAFETY: `new` has checked that the bytes are UTF-8, and bytes never change.
            Self::Bytes(bytes) => unsafe { std::str::from_utf8_unchecked(bytes) },
            // SAFETY: the string, alive while `self` is, has that many bytes of UTF-8, and never changes.
            Self::Lent(lent) => unsafe {
                std::str::from_utf8_unchecked(std::slice::from_raw_parts(lent.start, lent.length))
            },
        }
    }
}

fn lend(text: &Bound<'_, PyString>) -> PyResult<Option<Lent>> {
    let py = text.py();
    if text.len()? > KEPT_CHARS && !text.call_method0(intern!(py, "isascii"))?.is_truthy()? {
        return Ok(None);
    }
    let Some(lender) = lender(py) else { return Ok(None) };
    let mut length: ffi::Py_ssize_t = -1;
    // SAFETY: the function has this signature in every CPython since 3.7, the object is a string, the GIL is held.
    let start = unsafe { lender(text.as_ptr(), &raw mut length) };
    if start.is_null() {
        return Err(unencodable(py, "text", PyErr::fetch(py)));
    }
    let Ok(length) = usize::try_from(length) else { return Ok(None) };
    Ok(Some(Lent { start: start.cast(), length, _owner: text.clone().unbind() }))
}

fn lender(py: Python<'_>) -> Option<Lender> {
    static ADDRESS: PyOnceLock<usize> = PyOnceLock::new();
    let address = *ADDRESS.get_or_init(py, || address(py).unwrap_or(0));
    if address == 0 {
        return None;
    }
    // SAFETY: the address is that of `PyUnicode_AsUTF8AndSize`, whose signature `Lender` is.
    Some(unsafe { std::mem::transmute::<*const c_void, Lender>(address as *const c_void) })
}

/// Asks `ctypes`, which finds the function on every platform.
fn address(py: Python<'_>) -> PyResult<usize> {
    let ctypes = py.import("ctypes")?;
    let function = ctypes.getattr("pythonapi")?.getattr("PyUnicode_AsUTF8AndSize")?;
    ctypes.call_method1("cast", (function, ctypes.getattr("c_void_p")?))?.getattr("value")?.extract()
}
