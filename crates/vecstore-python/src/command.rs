//! The command `vecstore`, for the entry point of the Python package.

use std::ffi::OsString;
use std::io;

use pyo3::prelude::*;

/// Runs the command with what stands behind its name, prints to the process's own output, and returns the exit status.
#[pyfunction]
#[pyo3(name = "_command")]
pub(crate) fn command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| vecstore_cli::run(arguments, &mut io::stdout().lock(), &mut io::stderr().lock()))
}
