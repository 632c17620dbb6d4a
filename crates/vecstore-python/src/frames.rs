//! Records and results for other libraries: Arrow, pandas, polars, notebooks; and columns of theirs as arguments.
//!
//! `vecstore._frames`, `vecstore._html` and `vecstore._columns` do the work, and import what they need when they are called.

use pyo3::call::PyCallArgs;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyAny;

use crate::arguments::flags;
use crate::database::VecDatabase;
use crate::query_batch::QueryBatch;
use crate::store::BaseCollection;

fn made<'py>(
    py: Python<'py>,
    module: &str,
    function: &str,
    arguments: impl PyCallArgs<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    py.import(module)?.getattr(function)?.call1(arguments)
}

/// Whether the object is a column or a frame of Arrow, pandas, polars or the like.
pub(crate) fn is_columnar(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let (py, class) = (object.py(), object.get_type());
    Ok(class.hasattr(intern!(py, "__arrow_c_stream__"))?
        || class.hasattr(intern!(py, "__arrow_c_array__"))?
        || class.hasattr(intern!(py, "to_numpy"))?)
}

/// Returns the values of a column as a list, the rows of a frame as a list of dicts, and anything else as it is.
pub(crate) fn items<'py>(object: &Bound<'py, PyAny>, what: &str) -> PyResult<Bound<'py, PyAny>> {
    if !is_columnar(object)? {
        return Ok(object.clone());
    }
    made(object.py(), "vecstore._columns", "items", (object, what))
}

/// Returns the vectors of a column as an array of the shape (n, dim), or as a list where that cannot be.
pub(crate) fn matrix<'py>(object: &Bound<'py, PyAny>, what: &str) -> PyResult<Bound<'py, PyAny>> {
    made(object.py(), "vecstore._columns", "matrix", (object, what))
}

#[pymethods]
impl BaseCollection {
    /// Returns the records as a table of Arrow, in order of id. Needs `vecstore[arrow]`.
    ///
    /// The columns are id, vector (a fixed-size list of float32), metadata (JSON), text, and where a record has them vectors
    /// (several of each), sparse_indices, sparse_values and expires_at_unix_ms: those that `import_arrow` reads. Bytes and
    /// datetimes in metadata are `{"$bytes": base64}` and `{"$datetime": text}`.
    ///
    /// Parameters
    /// ----------
    /// filter : dict, str or FilterExpr, optional
    ///     Only records that match.
    /// params : dict, optional
    ///     Values for `:name` in a filter string.
    /// with_vectors : bool
    ///     Whether there is a column of vectors.
    ///
    /// Examples
    /// --------
    /// >>> store.to_arrow({"kind": "fruit"}).column("id").to_pylist()
    /// ['apple', 'pear']
    #[pyo3(signature = (filter=None, *, params=None, with_vectors=true))]
    fn to_arrow<'py>(
        slf: &Bound<'py, Self>,
        filter: Option<&Bound<'py, PyAny>>,
        params: Option<&Bound<'py, PyAny>>,
        #[pyo3(from_py_with = flags::with_vectors)] with_vectors: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        made(slf.py(), "vecstore._frames", "store_to_arrow", (slf, filter, params, with_vectors))
    }

    /// Returns the records as a frame of pandas, in order of id, with the columns id, vector (arrays), metadata (dicts)
    /// and text. Needs `vecstore[pandas]`.
    ///
    /// Parameters
    /// ----------
    /// filter : dict, str or FilterExpr, optional
    ///     Only records that match.
    /// params : dict, optional
    ///     Values for `:name` in a filter string.
    /// with_vectors : bool
    ///     Whether there is a column of vectors.
    ///
    /// Examples
    /// --------
    /// >>> store.to_pandas("price > 2").metadata.str["price"].tolist()
    /// [3, 4]
    #[pyo3(signature = (filter=None, *, params=None, with_vectors=true))]
    fn to_pandas<'py>(
        slf: &Bound<'py, Self>,
        filter: Option<&Bound<'py, PyAny>>,
        params: Option<&Bound<'py, PyAny>>,
        #[pyo3(from_py_with = flags::with_vectors)] with_vectors: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        made(slf.py(), "vecstore._frames", "store_to_pandas", (slf, filter, params, with_vectors))
    }

    /// Returns the records as a frame of polars, in order of id, with the columns id, vector (an Array of Float32),
    /// metadata (JSON, as in `to_arrow`) and text. Needs `vecstore[polars]`.
    ///
    /// Parameters
    /// ----------
    /// filter : dict, str or FilterExpr, optional
    ///     Only records that match.
    /// params : dict, optional
    ///     Values for `:name` in a filter string.
    /// with_vectors : bool
    ///     Whether there is a column of vectors.
    ///
    /// Examples
    /// --------
    /// >>> store.to_polars()["id"].to_list()
    /// ['apple', 'leek', 'pear']
    #[pyo3(signature = (filter=None, *, params=None, with_vectors=true))]
    fn to_polars<'py>(
        slf: &Bound<'py, Self>,
        filter: Option<&Bound<'py, PyAny>>,
        params: Option<&Bound<'py, PyAny>>,
        #[pyo3(from_py_with = flags::with_vectors)] with_vectors: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        made(slf.py(), "vecstore._frames", "store_to_polars", (slf, filter, params, with_vectors))
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        slf: &Bound<'py, Self>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let table = made(py, "vecstore._frames", "store_to_arrow", (slf, py.None(), py.None(), true))?;
        table.call_method1(intern!(py, "__arrow_c_stream__"), (requested_schema,))
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        made(slf.py(), "vecstore._html", "of_store", (slf,))
    }
}

#[pymethods]
impl VecDatabase {
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        made(slf.py(), "vecstore._html", "of_database", (slf,))
    }
}

#[pymethods]
impl QueryBatch {
    /// Returns the neighbors of all queries as a table of Arrow: query (its number, from 0), id, score, distance,
    /// metadata (JSON), and text and vector if they were included. Needs `vecstore[arrow]`.
    ///
    /// Examples
    /// --------
    /// >>> store.query_batch([[1, 0, 0], [0, 1, 0]], k=1).to_arrow().select(["query", "id"]).to_pylist()
    /// [{'query': 0, 'id': 'apple'}, {'query': 1, 'id': 'leek'}]
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        made(slf.py(), "vecstore._frames", "batch_to_arrow", (slf,))
    }

    /// Returns the neighbors of all queries as a frame of pandas. Needs `vecstore[pandas]`.
    ///
    /// Examples
    /// --------
    /// >>> store.query_batch([[1, 0, 0], [0, 1, 0]], k=1).to_pandas().id.tolist()
    /// ['apple', 'leek']
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        made(slf.py(), "vecstore._frames", "batch_to_pandas", (slf,))
    }

    /// Returns the neighbors of all queries as a frame of polars. Needs `vecstore[polars]`.
    ///
    /// Examples
    /// --------
    /// >>> store.query_batch([[1, 0, 0], [0, 1, 0]], k=1).to_polars()["id"].to_list()
    /// ['apple', 'leek']
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        made(slf.py(), "vecstore._frames", "batch_to_polars", (slf,))
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        slf: &Bound<'py, Self>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let table = made(py, "vecstore._frames", "batch_to_arrow", (slf,))?;
        table.call_method1(intern!(py, "__arrow_c_stream__"), (requested_schema,))
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        made(slf.py(), "vecstore._html", "of_batch", (slf,))
    }
}
