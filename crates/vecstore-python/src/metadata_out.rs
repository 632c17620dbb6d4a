//! Metadata into Python objects, with the types it went in with.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyList, PyString};
use vecstore::metadata::{DocumentRef, ValueRef};
use vecstore::{Metadata, Value};

use crate::datetimes::datetime_out;
use crate::errors::OrRaise;

/// Keys made lately: records mostly share their keys, whose objects (and hashes) then need not be made again.
#[derive(Default)]
pub(crate) struct KeyObjects<'py> {
    made: Vec<(Box<str>, Bound<'py, PyString>)>,
    next: usize,
}

/// More distinct keys than this are made each time.
const KEYS_MAX: usize = 64;

impl<'py> KeyObjects<'py> {
    fn get(&mut self, py: Python<'py>, key: &str) -> Bound<'py, PyString> {
        let order = (self.next..self.made.len()).chain(0..self.next);
        for at in order {
            if &*self.made[at].0 == key {
                self.next = (at + 1) % self.made.len();
                return self.made[at].1.clone();
            }
        }
        let object = PyString::new(py, key);
        if self.made.len() < KEYS_MAX {
            self.made.push((key.into(), object.clone()));
            self.next = 0;
        }
        object
    }
}

/// Makes the dict of an encoded document. The document bounds the recursion: it nests at most 64 deep.
pub(crate) fn dict_of<'py>(
    py: Python<'py>,
    document: DocumentRef<'_>,
    keys: &mut KeyObjects<'py>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for entry in document.iter() {
        let (key, value) = entry.or_raise(py)?;
        let key = keys.get(py, key);
        dict.set_item(key, object_of(py, value, keys)?)?;
    }
    Ok(dict)
}

fn object_of<'py>(
    py: Python<'py>,
    value: ValueRef<'_>,
    keys: &mut KeyObjects<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        ValueRef::Null => py.None().into_bound(py),
        ValueRef::Bool(value) => PyBool::new(py, value).to_owned().into_any(),
        ValueRef::Int(value) => value.into_pyobject(py)?.into_any(),
        ValueRef::Float(value) => PyFloat::new(py, value).into_any(),
        ValueRef::Str(value) => PyString::new(py, value).into_any(),
        ValueRef::Bytes(value) => PyBytes::new(py, value).into_any(),
        ValueRef::DateTime(value) => datetime_out(py, value)?.into_any(),
        ValueRef::List(items) => {
            let list = PyList::empty(py);
            for item in items.iter() {
                list.append(object_of(py, item.or_raise(py)?, keys)?)?;
            }
            list.into_any()
        }
        ValueRef::Map(document) => dict_of(py, document, keys)?.into_any(),
    })
}

/// Makes the dict of a tree that came out of the engine, and so is within its limits.
pub(crate) fn dict_of_tree<'py>(
    py: Python<'py>,
    metadata: &Metadata,
    keys: &mut KeyObjects<'py>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, value) in metadata.iter() {
        let key = keys.get(py, key);
        dict.set_item(key, object_of_tree(py, value, keys)?)?;
    }
    Ok(dict)
}

fn object_of_tree<'py>(
    py: Python<'py>,
    value: &Value,
    keys: &mut KeyObjects<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Value::Int(value) => value.into_pyobject(py)?.into_any(),
        Value::Float(value) => PyFloat::new(py, *value).into_any(),
        Value::Str(value) => PyString::new(py, value).into_any(),
        Value::Bytes(value) => PyBytes::new(py, value).into_any(),
        Value::DateTime(value) => datetime_out(py, *value)?.into_any(),
        Value::List(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(object_of_tree(py, item, keys)?)?;
            }
            list.into_any()
        }
        Value::Map(map) => dict_of_tree(py, map, keys)?.into_any(),
    })
}
