//! The short way into `VecStore.query`.
//!
//! Where the stable ABI is that of Python 3.9, PyO3 has arguments packed into a tuple and a dict and reads the names of
//! keywords letter by letter, which takes about as long as making the answer. Here a call with nothing unusual about it is
//! answered from the arguments as the interpreter has them. All else, wrong arguments included, is left to the method
//! that PyO3 made: it alone says what arguments may be.

use std::ffi::{CString, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{mem, ptr, slice};

use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use pyo3::{Borrowed, ffi, intern};
use vecstore::QueryOptions;
use vecstore::limits::MAX_K;

use super::BaseCollection;
use crate::arguments::{Included, Number, recall};

/// The method that PyO3 made.
static FULL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Arguments come as an array, positional ones first. In CPython since 3.7 with this value, in the stable ABI since 3.10.
const METH_FASTCALL: c_int = 0x80;

type FastCall = unsafe extern "C" fn(
    *mut ffi::PyObject,
    *const *mut ffi::PyObject,
    ffi::Py_ssize_t,
    *mut ffi::PyObject,
) -> *mut ffi::PyObject;

/// Puts the short way in the place of the method that PyO3 made, under its name, signature and docstring.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<BaseCollection>();
    let full = class.getattr("query")?;
    let signature: String = full.getattr("__text_signature__")?.extract()?;
    let doc: String = full.getattr("__doc__")?.extract()?;
    let doc = CString::new(format!("query{signature}\n--\n\n{doc}"))?;
    if FULL.set(py, full.unbind()).is_err() {
        return Ok(());
    }
    // SAFETY: METH_FASTCALL | METH_KEYWORDS tells the interpreter what the function takes.
    let function = unsafe { mem::transmute::<FastCall, ffi::PyCFunction>(query) };
    // Never freed: the class refers to it for as long as it is there.
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: c"query".as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunction: function },
        ml_flags: METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: doc.into_raw(),
    }));
    // SAFETY: the class is a type, and the definition is complete and stays.
    let method =
        unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyDescr_NewMethod(class.as_type_ptr(), definition))? };
    class.setattr("query", method)
}

/// # Safety
///
/// Called by the interpreter, attached, by the convention METH_FASTCALL | METH_KEYWORDS.
unsafe extern "C" fn query(
    slf: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    positional: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let answer = || {
        Python::attach(|py| {
            // SAFETY: these are what the caller of this function must give.
            let call = unsafe { Call::new(py, slf, arguments, positional as usize, names) };
            match call.answer() {
                Ok(answer) => answer.into_ptr(),
                Err(error) => {
                    error.restore(py);
                    ptr::null_mut()
                }
            }
        })
    };
    // A panic must not cross into the interpreter; PyO3's methods raise the same.
    catch_unwind(AssertUnwindSafe(answer)).unwrap_or_else(|_| {
        Python::attach(|py| PanicException::new_err("the search panicked").restore(py));
        ptr::null_mut()
    })
}

/// The arguments of a call.
struct Call<'a, 'py> {
    slf: Borrowed<'a, 'py, PyAny>,
    positional: &'a [Borrowed<'a, 'py, PyAny>],
    /// The values of keywords, and their names; no names if there are none.
    keywords: &'a [Borrowed<'a, 'py, PyAny>],
    names: Option<Borrowed<'a, 'py, PyTuple>>,
}

impl<'a, 'py> Call<'a, 'py> {
    /// # Safety
    ///
    /// The arguments are those of a call by the convention METH_FASTCALL | METH_KEYWORDS, which is not over during 'a.
    unsafe fn new(
        py: Python<'py>,
        slf: *mut ffi::PyObject,
        arguments: *const *mut ffi::PyObject,
        positional: usize,
        names: *mut ffi::PyObject,
    ) -> Self {
        // SAFETY: by the convention `slf` is an object, `names` null or a tuple of str, both borrowed from the caller.
        let (slf, names) = unsafe { (Borrowed::from_ptr(py, slf), Borrowed::from_ptr_or_opt(py, names)) };
        let names = names.and_then(|names| names.cast::<PyTuple>().ok());
        let count = positional + names.map_or(0, |names| names.len());
        let values: &[Borrowed<'a, 'py, PyAny>] = if count == 0 {
            &[]
        } else {
            // SAFETY: there are as many values as positional arguments and names, each an object borrowed from the
            // caller; `Borrowed` is a pointer to one.
            unsafe { slice::from_raw_parts(arguments.cast(), count) }
        };
        let (positional, keywords) = values.split_at(positional);
        Self { slf, positional, keywords, names }
    }

    fn answer(&self) -> PyResult<Bound<'py, PyAny>> {
        match self.plain_answer()? {
            Some(answer) => Ok(answer.into_any()),
            None => self.full_answer(),
        }
    }

    /// Answers the call if there is nothing unusual about it.
    fn plain_answer(&self) -> PyResult<Option<Bound<'py, PyList>>> {
        let py = self.slf.py();
        let (Ok(store), [vector, more @ ..]) = (self.slf.cast::<BaseCollection>(), self.positional) else {
            return Ok(None);
        };
        let mut options = QueryOptions::new();
        let mut include = Included::DEFAULT;
        match more {
            [] => {}
            [k] => match plain_k(k) {
                Some(k) => options = options.k(k),
                None => return Ok(None),
            },
            [..] => return Ok(None),
        }
        for (at, value) in self.keywords.iter().enumerate() {
            let Some(name) = self.names.as_ref().and_then(|names| names.get_borrowed_item(at).ok()) else {
                return Ok(None);
            };
            // The names of keywords in code are interned: the same name is the same object.
            let is = |known: &Bound<'py, PyString>| name.is(known);
            if is(intern!(py, "k"))
                && more.is_empty()
                && let Some(k) = plain_k(value)
            {
                options = options.k(k);
            } else if is(intern!(py, "include")) {
                include = value.extract()?;
            } else if is(intern!(py, "recall"))
                && let Ok(number) = value.cast_exact::<PyFloat>()
            {
                options = options.recall(recall(py, Number::Is(number.value()))?);
            } else if is(intern!(py, "exact"))
                && let Ok(exact) = value.cast_exact::<PyBool>()
            {
                options = options.exact(exact.is_true());
            } else {
                return Ok(None);
            }
        }
        store.get().neighbors(vector, &options, include).map(Some)
    }

    fn full_answer(&self) -> PyResult<Bound<'py, PyAny>> {
        let py = self.slf.py();
        let positional: Vec<_> = [&self.slf].into_iter().chain(self.positional).collect();
        let positional = PyTuple::new(py, positional)?;
        let keywords = PyDict::new(py);
        for (at, value) in self.keywords.iter().enumerate() {
            if let Some(names) = &self.names {
                keywords.set_item(names.get_borrowed_item(at)?, value)?;
            }
        }
        FULL.get(py).expect("it is set before this is called").bind(py).call(positional, Some(&keywords))
    }
}

/// Returns a k that is an int in range.
fn plain_k(value: &Bound<'_, PyAny>) -> Option<usize> {
    let k = value.cast_exact::<PyInt>().ok()?.extract().ok()?;
    (1..=MAX_K).contains(&k).then_some(k)
}
