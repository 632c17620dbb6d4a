//! Vectors in: arrays of numpy, buffers, and sequences of numbers, into 32-bit floats.

use numpy::npyffi::NPY_TYPES;
use numpy::{
    PyArray1, PyArrayDescrMethods, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyException, PyMemoryError, PyOverflowError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyComplex, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PySequence, PySet,
    PyString, PyTuple,
};
use vecstore::MultiVector;

use crate::errors::{OrRaise, invalid, wrong_type};
use crate::frames::{is_columnar, matrix};
use crate::numpy_interop::{as_array, loaded, require};

const EXPECTED: &str =
    "a vector (a list or tuple of numbers, a numpy array, an array.array or another buffer)";
const EXPECTED_MANY: &str = "vectors (a 2-D array, or a list of vectors)";

/// Reads one vector. `what` names it in errors.
pub(crate) fn vector(object: &Bound<'_, PyAny>, what: &str) -> PyResult<Vec<f32>> {
    let mut components = Vec::new();
    extend(&mut components, object, &|| what.to_owned())?;
    Ok(components)
}

/// Returns the components of a vector where they lie, if it is an array of one dimension, of contiguous f32, and of no
/// subclass, which may mean more than the numbers that lie there.
///
/// Unlike `PyReadonlyArray` this makes no note of who reads, which would take longer than reading.
///
/// # Safety
///
/// Until the last use of the slice, this thread must keep the GIL, and run no code of Python.
pub(crate) unsafe fn in_place<'a>(object: &'a Bound<'_, PyAny>) -> PyResult<Option<&'a [f32]>> {
    let Some(array) = as_array(object)? else { return Ok(None) };
    let dtype = array.dtype();
    if !array.is_exact_instance_of::<PyUntypedArray>()
        || array.ndim() != 1
        || !array.is_c_contiguous()
        || !array.is_aligned()
        || dtype.num() != NPY_TYPES::NPY_FLOAT as i32
        || dtype.is_native_byteorder() == Some(false)
    {
        return Ok(None);
    }
    // SAFETY: it is an array of one dimension whose elements are f32, aligned and of native byte order, as just checked.
    let array = unsafe { array.cast_unchecked::<PyArray1<f32>>() };
    // SAFETY: nothing writes to it or frees it while no code of Python runs, which the caller sees to.
    Ok(unsafe { array.as_slice() }.ok())
}

/// Appends the components of one vector.
fn extend(out: &mut Vec<f32>, object: &Bound<'_, PyAny>, what: &dyn Fn() -> String) -> PyResult<()> {
    if let Ok(items) = object.cast::<PyList>() {
        return extend_items(out, items.len(), items.iter(), what);
    }
    if let Ok(items) = object.cast::<PyTuple>() {
        return extend_items(out, items.len(), items.iter(), what);
    }
    // SAFETY: copying runs no code of Python.
    if let Some(components) = unsafe { in_place(object)? } {
        out.extend_from_slice(components);
        return Ok(());
    }
    if let Some(array) = as_array(object)? {
        return extend_array(out, array, what);
    }
    if is_no_vector(object) {
        return Err(wrong_type(&what(), EXPECTED, object));
    }
    if let Some(array) = converted(object, what)? {
        return extend(out, &array, what);
    }
    if let Ok(view) = PyMemoryView::from(object) {
        let numbers = buffer(&view, what)?;
        one_dimension(object.py(), &numbers.shape, what)?;
        out.extend_from_slice(numbers.components.as_slice());
        return Ok(());
    }
    match object.cast::<PySequence>() {
        Ok(items) => extend(out, items.to_list()?.as_any(), what),
        Err(_) => Err(wrong_type(&what(), EXPECTED, object)),
    }
}

/// Makes room for so many more numbers, or raises `MemoryError`.
pub(crate) fn reserve(out: &mut Vec<f32>, len: usize) -> PyResult<()> {
    out.try_reserve(len).map_err(|_| PyMemoryError::new_err(format!("not enough memory for {len} numbers")))
}

fn extend_items<'py>(
    out: &mut Vec<f32>,
    len: usize,
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    what: &dyn Fn() -> String,
) -> PyResult<()> {
    reserve(out, len)?;
    for (at, item) in items.enumerate() {
        let number = match item.cast_exact::<PyFloat>() {
            Ok(number) => number.value(),
            Err(_) => number(&item, at, what)?,
        };
        out.push(number as f32);
    }
    Ok(())
}

/// Reads a component that is not plainly a float.
fn number(item: &Bound<'_, PyAny>, at: usize, what: &dyn Fn() -> String) -> PyResult<f64> {
    let refused = || wrong_type(&format!("component {at} of {}", what()), "a number", item);
    if item.is_instance_of::<PyBool>() || item.is_instance_of::<PyString>() || item.is_none() {
        return Err(refused());
    }
    item.extract().map_err(|error: PyErr| {
        if error.is_instance_of::<PyOverflowError>(item.py()) {
            let message = format!("component {at} of {}: expected a number that a float can hold", what());
            invalid(item.py(), message)
        } else if item.is_instance_of::<PyInt>() || !error.is_instance_of::<PyTypeError>(item.py()) {
            error
        } else {
            refused()
        }
    })
}

fn extend_array(
    out: &mut Vec<f32>,
    array: &Bound<'_, PyUntypedArray>,
    what: &dyn Fn() -> String,
) -> PyResult<()> {
    match Numbers::of_array(array, what)? {
        Numbers::Objects(items) => extend(out, &items, what),
        numbers => {
            one_dimension(array.py(), array.shape(), what)?;
            numbers.extend(0..array.len(), out)
        }
    }
}

fn one_dimension(py: Python<'_>, shape: &[usize], what: &dyn Fn() -> String) -> PyResult<()> {
    if shape.len() == 1 {
        return Ok(());
    }
    Err(invalid(py, format!("{}: expected one dimension, got the shape {}", what(), shown(shape))))
}

/// Writes a shape as Python does.
fn shown(shape: &[usize]) -> String {
    match shape {
        [one] => format!("({one},)"),
        many => format!("({})", many.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// Whether the object is of a type that a vector never is, though it could be read as a buffer or iterated over.
fn is_no_vector(object: &Bound<'_, PyAny>) -> bool {
    object.is_none()
        || object.is_instance_of::<PyString>()
        || object.is_instance_of::<PyBytes>()
        || object.is_instance_of::<PyByteArray>()
        || object.is_instance_of::<PyDict>()
        || object.is_instance_of::<PySet>()
        || object.is_instance_of::<PyComplex>()
}

/// Returns the array that a tensor, series or the like says it is: what has `__array__` comes with numpy, and what has
/// `__dlpack__` is read where it lies.
fn converted<'py>(
    object: &Bound<'py, PyAny>,
    what: &dyn Fn() -> String,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let (py, class) = (object.py(), object.get_type());
    if !class.hasattr(intern!(py, "__array__"))? {
        if !class.hasattr(intern!(py, "__dlpack__"))? {
            return Ok(None);
        }
        let array = require(py)?
            .call_method1(intern!(py, "from_dlpack"), (object,))
            .map_err(|error| unreadable(object, &what(), error))?;
        return Ok(as_array(&array)?.is_some().then_some(array));
    }
    let Some(numpy) = loaded(py)? else { return Ok(None) };
    let array = numpy.call_method1(intern!(py, "asarray"), (object,))?;
    Ok(as_array(&array)?.is_some().then_some(array))
}

/// Names the argument whose `__dlpack__` gave nothing that numpy reads: memory of an accelerator, a type of its own.
fn unreadable(object: &Bound<'_, PyAny>, what: &str, error: PyErr) -> PyErr {
    let py = object.py();
    if !error.is_instance_of::<PyException>(py) || error.is_instance_of::<PyMemoryError>(py) {
        return error;
    }
    let named = wrong_type(what, "a tensor that numpy can read through DLPack", object);
    named.set_cause(py, Some(error));
    named
}

/// The numbers of an array, contiguous and aligned.
enum Numbers<'py> {
    Single(PyReadonlyArrayDyn<'py, f32>),
    Double(PyReadonlyArrayDyn<'py, f64>),
    /// An array of Python objects, as a list.
    Objects(Bound<'py, PyAny>),
    Owned(Vec<f32>),
}

impl<'py> Numbers<'py> {
    fn of_array(array: &Bound<'py, PyUntypedArray>, what: &dyn Fn() -> String) -> PyResult<Self> {
        let py = array.py();
        if !array.is_exact_instance_of::<PyUntypedArray>() {
            refuse_masked(array, what)?;
        }
        if let Ok(single) = array.extract::<PyReadonlyArrayDyn<'_, f32>>()
            && single.is_c_contiguous()
            && single.as_slice().is_ok()
        {
            return Ok(Self::Single(single));
        }
        if let Ok(double) = array.extract::<PyReadonlyArrayDyn<'_, f64>>()
            && double.is_c_contiguous()
            && double.as_slice().is_ok()
        {
            return Ok(Self::Double(double));
        }
        let dtype = array.dtype();
        let kind: String = dtype.getattr(intern!(py, "kind"))?.extract()?;
        let wanted = match (kind.as_str(), dtype.getattr(intern!(py, "itemsize"))?.extract::<usize>()?) {
            ("f", 4) => "float32",
            ("f" | "i" | "u", _) => "float64",
            ("O", _) => return Ok(Self::Objects(array.call_method0(intern!(py, "tolist"))?)),
            _ => {
                let message = format!("{}: expected an array of numbers, got one of {dtype}", what());
                return Err(PyTypeError::new_err(message));
            }
        };
        let numpy = require(py)?;
        let plain = numpy.call_method1(intern!(py, "require"), (array, wanted, ["C", "A"]))?;
        Ok(match wanted {
            "float32" => Self::Single(plain.extract()?),
            _ => Self::Double(plain.extract()?),
        })
    }

    fn extend(&self, range: std::ops::Range<usize>, out: &mut Vec<f32>) -> PyResult<()> {
        match self {
            Self::Single(array) => out.extend_from_slice(&array.as_slice().map_err(not_plain)?[range]),
            Self::Double(array) => {
                out.extend(array.as_slice().map_err(not_plain)?[range].iter().map(|&number| number as f32));
            }
            Self::Owned(numbers) => out.extend_from_slice(&numbers[range]),
            Self::Objects(_) => {}
        }
        Ok(())
    }

    fn as_slice(&self) -> &[f32] {
        match self {
            Self::Single(array) => array.as_slice().unwrap_or_default(),
            Self::Owned(numbers) => numbers,
            Self::Double(_) | Self::Objects(_) => &[],
        }
    }
}

/// Refuses an array of `numpy.ma` with masked components: what lies under the mask is no number of the caller's.
fn refuse_masked(array: &Bound<'_, PyUntypedArray>, what: &dyn Fn() -> String) -> PyResult<()> {
    let py = array.py();
    let masked = require(py)?.getattr(intern!(py, "ma"))?;
    if masked.call_method1(intern!(py, "is_masked"), (array,))?.extract()? {
        let message = format!("{}: expected an array without masked components, got one with some", what());
        return Err(invalid(py, message));
    }
    Ok(())
}

fn not_plain(error: impl std::fmt::Display) -> PyErr {
    pyo3::exceptions::PyRuntimeError::new_err(format!("numpy made no contiguous array: {error}"))
}

/// The numbers of a buffer that is not numpy's.
struct Buffer {
    components: Numbers<'static>,
    shape: Vec<usize>,
}

/// Reads a buffer. The stable ABI of Python 3.9 has no access to it but through `memoryview`.
fn buffer(view: &Bound<'_, PyMemoryView>, what: &dyn Fn() -> String) -> PyResult<Buffer> {
    let py = view.py();
    let format: String = view.getattr(intern!(py, "format"))?.extract()?;
    let shape: Vec<usize> = view.getattr(intern!(py, "shape"))?.extract()?;
    let bytes = view.call_method0(intern!(py, "tobytes"))?.cast_into::<PyBytes>()?;
    let mut components = Vec::new();
    let native = if cfg!(target_endian = "little") { '<' } else { '>' };
    match format.trim_start_matches(['@', '=', '<', '>', '!']) {
        "f" if !format.starts_with(['<', '>', '!']) || format.starts_with(native) => {
            let items = bytes.as_bytes().chunks_exact(4);
            components.extend(items.map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]])));
        }
        "b" | "B" | "h" | "H" | "i" | "I" | "l" | "L" | "q" | "Q" | "n" | "N" | "e" | "f" | "d" => {
            // Orders of bytes, and sizes that go by them, are as `struct` has them.
            let (order, letter) = format.split_at(format.len() - 1);
            let many = format!("{order}{}{letter}", shape.iter().product::<usize>());
            let unpack = py.import(intern!(py, "struct"))?.getattr(intern!(py, "unpack"))?;
            let items = unpack.call1((many, bytes))?.cast_into::<PyTuple>()?;
            extend_items(&mut components, items.len(), items.iter(), what)?;
        }
        other => {
            let message =
                format!("{}: expected a buffer of numbers, got one of the format `{other}`", what());
            return Err(PyTypeError::new_err(message));
        }
    }
    Ok(Buffer { components: Numbers::Owned(components), shape })
}

/// Reads several vectors of one record. `what` names them in errors.
pub(crate) fn multi_vector(object: &Bound<'_, PyAny>, what: &'static str) -> PyResult<MultiVector> {
    let py = object.py();
    let rows = Rows::new(object, what, None)?;
    let (mut scratch, mut components, mut dim) = (Vec::new(), Vec::new(), 0);
    for row in 0..rows.len() {
        let vector = rows.get(row, what, &mut scratch)?;
        if row > 0 && vector.len() != dim {
            let message =
                format!("{what}[{row}]: expected {dim} components as the first, got {}", vector.len());
            return Err(invalid(py, message));
        }
        dim = vector.len();
        components.extend_from_slice(vector);
    }
    if components.is_empty() {
        return Err(invalid(py, format!("{what}: expected at least one vector, got none")));
    }
    MultiVector::new(dim, components).or_raise(py)
}

/// Vectors of the rows of a batch, read one at a time.
pub(crate) struct Rows<'py> {
    source: Source<'py>,
    len: usize,
}

enum Source<'py> {
    Matrix { numbers: Numbers<'py>, dim: usize },
    Items(Bound<'py, PyList>),
}

impl<'py> Rows<'py> {
    /// Opens a 2-D array, a flat buffer of `expected` vectors, or a sequence of vectors.
    pub(crate) fn new(
        object: &Bound<'py, PyAny>,
        what: &'static str,
        expected: Option<usize>,
    ) -> PyResult<Self> {
        let named = || what.to_owned();
        if let Ok(items) = object.cast::<PyList>() {
            return Ok(Self::items(items.clone()));
        }
        if let Ok(items) = object.cast::<PyTuple>() {
            return Ok(Self::items(items.to_list()));
        }
        if let Some(array) = as_array(object)? {
            return Self::of_array(array, what);
        }
        if is_no_vector(object) {
            return Err(wrong_type(what, EXPECTED_MANY, object));
        }
        if is_columnar(object)? {
            return Self::of_made(&matrix(object, what)?, what, expected);
        }
        if let Some(array) = converted(object, &named)? {
            return Self::new(&array, what, expected);
        }
        if let Ok(view) = PyMemoryView::from(object) {
            let Buffer { components, shape } = buffer(&view, &named)?;
            let (len, dim) = match (shape.as_slice(), expected) {
                (&[len, dim], _) => (len, dim),
                (&[all], Some(len)) if len > 0 && all % len == 0 => (len, all / len),
                _ => {
                    let message = format!(
                        "{what}: expected a 2-D buffer, or a flat one of a multiple of {} numbers, got the shape {}",
                        expected.unwrap_or(1),
                        shown(&shape)
                    );
                    return Err(invalid(object.py(), message));
                }
            };
            return Ok(Self { source: Source::Matrix { numbers: components, dim }, len });
        }
        match object.try_iter() {
            Ok(items) => {
                let list = PyList::empty(object.py());
                for item in items {
                    list.append(item?)?;
                }
                Ok(Self::items(list))
            }
            Err(_) => Err(wrong_type(what, EXPECTED_MANY, object)),
        }
    }

    /// Opens what a column was made, an array or a list: anything else would be made again.
    fn of_made(made: &Bound<'py, PyAny>, what: &'static str, expected: Option<usize>) -> PyResult<Self> {
        match as_array(made)? {
            Some(array) => Self::of_array(array, what),
            None if made.is_instance_of::<PyList>() => Self::new(made, what, expected),
            None => Err(wrong_type(what, EXPECTED_MANY, made)),
        }
    }

    fn items(items: Bound<'py, PyList>) -> Self {
        Self { len: items.len(), source: Source::Items(items) }
    }

    fn of_array(array: &Bound<'py, PyUntypedArray>, what: &'static str) -> PyResult<Self> {
        let numbers = Numbers::of_array(array, &|| what.to_owned())?;
        if let Numbers::Objects(items) = &numbers {
            return Ok(Self::items(items.cast::<PyList>()?.clone()));
        }
        match *array.shape() {
            [len, dim] => Ok(Self { source: Source::Matrix { numbers, dim }, len }),
            ref shape => {
                let message =
                    format!("{what}: expected an array of the shape (n, dim), got {}", shown(shape));
                Err(invalid(array.py(), message))
            }
        }
    }

    /// Returns the number of vectors.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns a vector, where it lies or in `scratch`.
    pub(crate) fn get<'a>(&'a self, at: usize, what: &str, scratch: &'a mut Vec<f32>) -> PyResult<&'a [f32]> {
        scratch.clear();
        match &self.source {
            Source::Matrix { numbers: numbers @ (Numbers::Single(_) | Numbers::Owned(_)), dim } => {
                return Ok(&numbers.as_slice()[at * dim..(at + 1) * dim]);
            }
            Source::Matrix { numbers, dim } => numbers.extend(at * dim..(at + 1) * dim, scratch)?,
            Source::Items(items) => extend(scratch, &items.get_item(at)?, &|| format!("{what}[{at}]"))?,
        }
        Ok(scratch)
    }
}
