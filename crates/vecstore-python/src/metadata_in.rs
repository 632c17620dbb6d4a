//! Python objects into metadata documents, and into trees of values for filters. One walk serves both.

use std::fmt;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{
    PyBool, PyBytes, PyDateTime, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple,
};
use vecstore::metadata::{Document, DocumentBuilder};
use vecstore::{DateTime, Metadata, Result, Value};

use crate::datetimes::datetime_in;
use crate::errors::{OrRaise, invalid, unencodable, wrong_type};
use crate::numpy_interop::scalar_item;
use crate::value_builder::ValueBuilder;

/// What takes the values of a walk, in order. Containers it refuses bound the walk's recursion.
pub(crate) trait Sink {
    fn null(&mut self) -> Result<()>;
    fn bool(&mut self, value: bool) -> Result<()>;
    fn int(&mut self, value: i64) -> Result<()>;
    fn float(&mut self, value: f64) -> Result<()>;
    fn str(&mut self, value: &str) -> Result<()>;
    fn bytes(&mut self, value: &[u8]) -> Result<()>;
    fn datetime(&mut self, value: DateTime) -> Result<()>;
    fn begin_list(&mut self) -> Result<()>;
    fn end_list(&mut self) -> Result<()>;
    fn begin_map(&mut self) -> Result<()>;
    fn end_map(&mut self) -> Result<()>;
    fn key(&mut self, key: &str) -> Result<()>;
}

impl Sink for DocumentBuilder {
    fn null(&mut self) -> Result<()> {
        self.push_null()
    }
    fn bool(&mut self, value: bool) -> Result<()> {
        self.push_bool(value)
    }
    fn int(&mut self, value: i64) -> Result<()> {
        self.push_int(value)
    }
    fn float(&mut self, value: f64) -> Result<()> {
        self.push_float(value)
    }
    fn str(&mut self, value: &str) -> Result<()> {
        self.push_str(value)
    }
    fn bytes(&mut self, value: &[u8]) -> Result<()> {
        self.push_bytes(value)
    }
    fn datetime(&mut self, value: DateTime) -> Result<()> {
        self.push_datetime(value)
    }
    fn begin_list(&mut self) -> Result<()> {
        self.begin_list()
    }
    fn end_list(&mut self) -> Result<()> {
        self.end_list()
    }
    fn begin_map(&mut self) -> Result<()> {
        self.begin_map()
    }
    fn end_map(&mut self) -> Result<()> {
        self.end_map()
    }
    fn key(&mut self, key: &str) -> Result<()> {
        self.key(key)
    }
}

/// Encodes a dict, or nothing, as a document. `what` names it in errors.
pub(crate) fn document(
    metadata: Option<&Bound<'_, PyAny>>,
    what: &str,
    keys: &mut Keys,
) -> PyResult<Document> {
    let mut builder = DocumentBuilder::new();
    let Some(metadata) = metadata.filter(|metadata| !metadata.is_none()) else {
        return Ok(Document::from_builder(builder).expect("an empty document is whole"));
    };
    let dict = mapping(metadata)?.ok_or_else(|| wrong_type(what, "a dict or None", metadata))?;
    push_entries(&mut builder, &dict, &At::top(what), keys)?;
    Document::from_builder(builder).or_raise(metadata.py())
}

/// Returns a dict, or a copy of another mapping as one; `None` if the object is no mapping.
pub(crate) fn mapping<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    if let Ok(dict) = object.cast::<PyDict>() {
        return Ok(Some(dict.clone()));
    }
    let Ok(mapping) = object.cast::<PyMapping>() else { return Ok(None) };
    let dict = PyDict::new(object.py());
    dict.update(mapping)?;
    Ok(Some(dict))
}

/// Reads metadata as a tree, within the limits of a document.
pub(crate) fn metadata(
    metadata: Option<&Bound<'_, PyAny>>,
    what: &str,
    py: Python<'_>,
) -> PyResult<Metadata> {
    let document = document(metadata, what, &mut Keys::default())?;
    vecstore::metadata::decode(document.as_bytes()).or_raise(py)
}

/// Reads any value; `what` names it in errors. The limits are those of a filter.
pub(crate) fn value(object: &Bound<'_, PyAny>, what: &str) -> PyResult<Value> {
    let mut builder = ValueBuilder::default();
    push(&mut builder, object, &At::top(what), &mut Keys::default())?;
    Ok(builder.finish())
}

/// Keys seen lately: the dicts of a batch mostly share their key objects, which then need no decoding.
#[derive(Default)]
pub(crate) struct Keys {
    seen: Vec<(Py<PyString>, Box<str>)>,
    next: usize,
}

/// More distinct keys than this are decoded each time.
const KEYS_MAX: usize = 64;

impl Keys {
    /// Calls `act` with the text of a key.
    fn with<T>(&mut self, key: &Bound<'_, PyString>, act: impl FnOnce(&str) -> T) -> PyResult<T> {
        // Dicts of one shape have their keys in one order, so the next one is mostly the right one.
        let order = (self.next..self.seen.len()).chain(0..self.next);
        for at in order {
            if self.seen[at].0.as_ptr() == key.as_ptr() {
                self.next = (at + 1) % self.seen.len();
                return Ok(act(&self.seen[at].1));
            }
        }
        let text =
            key.extract::<PyBackedStr>().map_err(|error| unencodable(key.py(), "a metadata key", error))?;
        if self.seen.len() < KEYS_MAX {
            self.seen.push((key.clone().unbind(), (*text).into()));
            self.next = 0;
        }
        Ok(act(&text))
    }
}

/// Where in the metadata a value stands; a list on the stack, written out only into an error.
#[derive(Clone, Copy)]
struct At<'a> {
    outer: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Top(&'a str),
    Key(&'a Bound<'a, PyString>),
    Index(usize),
}

impl<'a> At<'a> {
    fn top(what: &'a str) -> Self {
        Self { outer: None, step: Step::Top(what) }
    }

    fn inner(&'a self, step: Step<'a>) -> Self {
        Self { outer: Some(self), step }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut steps = vec![self.step];
        let mut at = self;
        while let Some(outer) = at.outer {
            steps.push(outer.step);
            at = outer;
        }
        for step in steps.iter().rev() {
            match step {
                Step::Top(what) => f.write_str(what)?,
                Step::Key(key) => {
                    write!(f, "[{:?}]", key.to_string_lossy().chars().take(40).collect::<String>())?;
                }
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Pushes a value of one of the types that metadata has. The common ones are told by their exact type first.
fn push<S: Sink>(sink: &mut S, object: &Bound<'_, PyAny>, at: &At<'_>, keys: &mut Keys) -> PyResult<()> {
    let py = object.py();
    if let Ok(text) = object.cast_exact::<PyString>() {
        push_str(sink, text, at)
    } else if let Ok(number) = object.cast_exact::<PyInt>() {
        push_int(sink, number, at)
    } else if let Ok(number) = object.cast_exact::<PyFloat>() {
        sink.float(number.value()).or_raise(py)
    } else if let Ok(truth) = object.cast_exact::<PyBool>() {
        sink.bool(truth.is_true()).or_raise(py)
    } else if object.is_none() {
        sink.null().or_raise(py)
    } else if let Ok(items) = object.cast::<PyList>() {
        push_items(sink, items.iter(), at, py, keys)
    } else if let Ok(dict) = object.cast::<PyDict>() {
        sink.begin_map().or_raise(py)?;
        push_entries(sink, dict, at, keys)?;
        sink.end_map().or_raise(py)
    } else if let Ok(items) = object.cast::<PyTuple>() {
        push_items(sink, items.iter(), at, py, keys)
    } else {
        push_rare(sink, object, at, keys)
    }
}

/// Pushes a value that is none of the common types: subclasses, bytes, times, scalars of numpy.
fn push_rare<S: Sink>(sink: &mut S, object: &Bound<'_, PyAny>, at: &At<'_>, keys: &mut Keys) -> PyResult<()> {
    let py = object.py();
    if let Ok(text) = object.cast::<PyString>() {
        push_str(sink, text, at)
    } else if let Ok(bytes) = object.cast::<PyBytes>() {
        sink.bytes(bytes.as_bytes()).or_raise(py)
    } else if let Ok(number) = object.cast::<PyInt>() {
        push_int(sink, number, at)
    } else if let Ok(number) = object.cast::<PyFloat>() {
        sink.float(number.value()).or_raise(py)
    } else if let Ok(time) = object.cast::<PyDateTime>() {
        sink.datetime(datetime_in(time, || at.to_string())?).or_raise(py)
    } else if let Some(item) = scalar_item(object)? {
        // Of another type than the scalar, so this does not come back here.
        push(sink, &item, at, keys)
    } else {
        Err(wrong_type(
            &at.to_string(),
            "None, a bool, int, float, str, bytes, datetime, list, tuple or dict",
            object,
        ))
    }
}

fn push_str<S: Sink>(sink: &mut S, text: &Bound<'_, PyString>, at: &At<'_>) -> PyResult<()> {
    let py = text.py();
    let text = text.extract::<PyBackedStr>().map_err(|error| unencodable(py, &at.to_string(), error))?;
    sink.str(&text).or_raise(py)
}

fn push_int<S: Sink>(sink: &mut S, number: &Bound<'_, PyInt>, at: &At<'_>) -> PyResult<()> {
    let py = number.py();
    match number.extract() {
        Ok(number) => sink.int(number).or_raise(py),
        Err(_) => Err(invalid(py, format!("{at}: expected an int of 64 bits, got a larger one"))),
    }
}

fn push_items<'py, S: Sink>(
    sink: &mut S,
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    at: &At<'_>,
    py: Python<'py>,
    keys: &mut Keys,
) -> PyResult<()> {
    sink.begin_list().or_raise(py)?;
    for (index, item) in items.enumerate() {
        push(sink, &item, &at.inner(Step::Index(index)), keys)?;
    }
    sink.end_list().or_raise(py)
}

fn push_entries<S: Sink>(
    sink: &mut S,
    dict: &Bound<'_, PyDict>,
    at: &At<'_>,
    keys: &mut Keys,
) -> PyResult<()> {
    let py = dict.py();
    let len = dict.len();
    for (key, value) in dict.iter() {
        let Ok(key) = key.cast::<PyString>() else {
            return Err(wrong_type(&format!("a key of {at}"), "a str", &key));
        };
        keys.with(key, |key| sink.key(key))?.or_raise(py)?;
        push(sink, &value, &at.inner(Step::Key(key)), keys)?;
        // A tzinfo is code of the caller's; the iterator would panic.
        if dict.len() != len {
            return Err(invalid(py, format!("{at} changed while it was read")));
        }
    }
    Ok(())
}
