//! Metadata into Python objects, with the types it went in with.

use std::cell::Cell;
use std::marker::PhantomData;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyList, PyString};
use vecstore::metadata::{DocumentRef, ValueRef};
use vecstore::{Metadata, Value};

use crate::datetimes::datetime_out;
use crate::errors::OrRaise;

/// Keys made lately: records mostly share their keys, whose objects (and hashes) then need not be made again.
///
/// The table is the thread's, taken for as long as this lives and given back: making one would take longer than
/// converting a record. A key whose place another has taken is made anew.
pub(crate) struct KeyObjects<'py> {
    table: Option<Box<Table>>,
    attached: PhantomData<Python<'py>>,
}

type Table = [Option<(Box<str>, Py<PyString>)>; KEY_PLACES];

/// Few enough to stay in cache, and for ten keys to share a place rarely.
const KEY_PLACES: usize = 1 << 8;

/// Longer keys are made each time.
const KEY_BYTES_MAX: usize = 64;

thread_local! {
    static TABLE: Cell<Option<Box<Table>>> = const { Cell::new(None) };
}

impl Default for KeyObjects<'_> {
    fn default() -> Self {
        Self { table: TABLE.take(), attached: PhantomData }
    }
}

impl Drop for KeyObjects<'_> {
    fn drop(&mut self) {
        if self.table.is_some() {
            TABLE.set(self.table.take());
        }
    }
}

impl<'py> KeyObjects<'py> {
    fn get(&mut self, py: Python<'py>, key: &str) -> Bound<'py, PyString> {
        let table = self.table.get_or_insert_with(|| Box::new([const { None }; KEY_PLACES]));
        let place = &mut table[place(key)];
        if let Some((text, object)) = place
            && **text == *key
        {
            return object.bind(py).clone();
        }
        let object = PyString::new(py, key);
        if key.len() <= KEY_BYTES_MAX {
            *place = Some((key.into(), object.clone().unbind()));
        }
        object
    }
}

/// Returns the place of a key: from its length and four of its bytes, which mostly tell keys apart.
fn place(key: &str) -> usize {
    let len = key.len();
    let byte = |at: usize| key.as_bytes().get(at).copied().unwrap_or(0);
    let mixed = u32::from_le_bytes([byte(0), byte(len / 3), byte(len / 2), byte(len.wrapping_sub(1))]);
    // The high bits of the product depend on all bits of what was multiplied.
    let product = (mixed ^ (len as u32) << 12).wrapping_mul(0x9e37_79b1);
    (product >> 24) as usize
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

/// Makes the object of a value that came out of the engine.
pub(crate) fn object_of_tree<'py>(
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
