//! Sparse vectors, in the forms that Python programs have them.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use vecstore::SparseVector;

use crate::errors::{invalid, wrong_type};

/// What may stand for a sparse vector, for errors.
const EXPECTED: &str = "a dict of int to float, a pair (indices, values), or a list of tuples (index, value)";

/// Reads a sparse vector; `what` names it in errors.
pub(crate) fn sparse_vector(object: &Bound<'_, PyAny>, what: &str) -> PyResult<SparseVector> {
    let py = object.py();
    let pairs = if let Ok(dict) = object.cast::<PyDict>() {
        let pair = |(index, weight): (Bound<'_, PyAny>, Bound<'_, PyAny>)| component(&index, &weight, what);
        dict.iter().map(pair).collect::<PyResult<Vec<_>>>()?
    } else if let Some(pairs) = listed(object) {
        let pair = |pair: Bound<'_, PyTuple>| component(&pair.get_item(0)?, &pair.get_item(1)?, what);
        pairs.into_iter().map(pair).collect::<PyResult<_>>()?
    } else {
        let (indices, weights) = columns(object, what)?;
        if indices.len() != weights.len() {
            let message = format!(
                "{what}: expected a value for each index, got {} and {}",
                indices.len(),
                weights.len()
            );
            return Err(invalid(py, message));
        }
        indices
            .iter()
            .zip(weights.iter())
            .map(|(index, weight)| component(index, weight, what))
            .collect::<PyResult<_>>()?
    };
    SparseVector::new(pairs).map_err(|error| {
        let message = error.message().replacen("sparse vector", what, 1);
        invalid(py, message)
    })
}

/// Returns the pairs of a list of tuples.
fn listed<'py>(object: &Bound<'py, PyAny>) -> Option<Vec<Bound<'py, PyTuple>>> {
    let list = object.cast::<PyList>().ok()?;
    let pair = |item: Bound<'py, PyAny>| item.cast_into::<PyTuple>().ok().filter(|pair| pair.len() == 2);
    list.iter().map(pair).collect()
}

/// Indices, and as many values.
type Columns<'py> = (Vec<Bound<'py, PyAny>>, Vec<Bound<'py, PyAny>>);

/// Returns the indices and the values of a pair, or of an object that has them by name.
fn columns<'py>(object: &Bound<'py, PyAny>, what: &str) -> PyResult<Columns<'py>> {
    let named = |name: &str| object.getattr_opt(name);
    let (indices, weights) = match (named("indices")?, named("values")?) {
        (Some(indices), Some(values)) if !values.is_callable() => (indices, values),
        // A row of a matrix of scipy.
        (Some(indices), _) if object.hasattr("data")? => (indices, object.getattr("data")?),
        _ => {
            let two = || -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
                if object.len()? != 2 {
                    return Err(wrong_type(what, EXPECTED, object));
                }
                Ok((object.get_item(0)?, object.get_item(1)?))
            };
            two().map_err(|_| wrong_type(what, EXPECTED, object))?
        }
    };
    let items = |column: Bound<'py, PyAny>| -> PyResult<Vec<Bound<'py, PyAny>>> {
        column.try_iter().map_err(|_| wrong_type(what, EXPECTED, object))?.collect()
    };
    Ok((items(indices)?, items(weights)?))
}

fn component(index: &Bound<'_, PyAny>, weight: &Bound<'_, PyAny>, what: &str) -> PyResult<(u32, f32)> {
    let Ok(index) = index.extract::<u32>() else {
        let message = format!("{what}: expected an index from 0 to 4294967295, got {}", index.repr()?);
        return Err(invalid(index.py(), message));
    };
    match weight.extract::<f64>() {
        Ok(weight) => Ok((index, weight as f32)),
        Err(_) => {
            let message = format!("{what}: expected a number for index {index}, got {}", weight.repr()?);
            Err(invalid(weight.py(), message))
        }
    }
}

/// Returns a sparse vector as a dict.
pub(crate) fn sparse_dict<'py>(py: Python<'py>, sparse: &SparseVector) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (index, weight) in sparse.components() {
        dict.set_item(index, weight)?;
    }
    Ok(dict)
}
