//! Which interpreter of the process the module belongs to: objects of one must not get into another.

use std::sync::atomic::{AtomicI64, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;

/// The interpreter that the module was made in; none has a negative number.
static OWNER: AtomicI64 = AtomicI64::new(-1);

/// Notes which interpreter made the module first.
pub(crate) fn note(py: Python<'_>) {
    // Fails for every later one, which is then told that the module is not its own.
    let _ = OWNER.compare_exchange(-1, running(py), Ordering::Relaxed, Ordering::Relaxed);
}

/// Whether this is the interpreter that made the module. Python before 3.12 lets others import it as well.
#[pyfunction(name = "_is_own_interpreter")]
pub(crate) fn is_own_interpreter(py: Python<'_>) -> bool {
    OWNER.load(Ordering::Relaxed) == running(py)
}

fn running(_: Python<'_>) -> i64 {
    // SAFETY: the token says that this thread is attached to an interpreter, so that there is a current one, and it
    // lives as long as the thread is attached. Both calls only read.
    unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) }
}
