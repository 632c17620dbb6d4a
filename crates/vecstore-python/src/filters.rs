//! Filters in their three spellings: dicts, strings, and expressions made with `F`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use vecstore::{Condition, Filter, Metadata, Value};

use crate::arguments::Text;
use crate::errors::{OrRaise, checked, filter_error, wrong_type};
use crate::metadata_in::{mapping, value};
use crate::metadata_out::{KeyObjects, dict_of_tree};

const EXPECTED: &str = "a filter (a dict, a string or a FilterExpr)";

/// Reads a filter in any spelling. `params` are bound to the parameters of a string.
pub(crate) fn filter(object: &Bound<'_, PyAny>, params: Option<&Bound<'_, PyAny>>) -> PyResult<Filter> {
    let py = object.py();
    if let Ok(text) = object.cast::<PyString>() {
        return Filter::parse(&Text::new(text, "filter")?, &parameters(params)?).or_raise(py);
    }
    if params.is_some() {
        return Err(filter_error(py, "filter: params are for filters written as a string"));
    }
    if let Ok(expression) = object.cast::<FilterExpr>() {
        let expression = expression.get();
        expression.check_complete(py)?;
        return Ok(expression.filter.clone());
    }
    let dict = mapping(object)?.ok_or_else(|| wrong_type("filter", EXPECTED, object))?;
    Filter::from_value(&value(&dict, "filter")?).or_raise(py)
}

/// Reads a filter that may be left out.
pub(crate) fn optional_filter(
    object: Option<&Bound<'_, PyAny>>,
    params: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<Filter>> {
    match (object, params) {
        (Some(object), _) => filter(object, params).map(Some),
        (None, None) => Ok(None),
        (None, Some(params)) => Err(filter_error(params.py(), "filter: params were given without a filter")),
    }
}

fn parameters(params: Option<&Bound<'_, PyAny>>) -> PyResult<Metadata> {
    let Some(params) = params else { return Ok(Metadata::new()) };
    let dict = mapping(params)?.ok_or_else(|| wrong_type("params", "a dict", params))?;
    match value(&dict, "params")? {
        Value::Map(ref map) => Ok(map.clone()),
        _ => Ok(Metadata::new()),
    }
}

/// Parses a filter string, such as `price < 10 AND category IN ('a', 'b')`.
///
/// Parameters
/// ----------
/// text : str
///     Operators: = == != <> < <= > >=, IN, NOT IN, BETWEEN, LIKE, CONTAINS, STARTSWITH, ENDSWITH, IS [NOT] NULL,
///     EXISTS, AND, OR, NOT, parentheses. Keywords in any case, dotted paths, strings in either quote.
/// params : dict, optional
///     Values for `:name` or `$name` in the text.
///
/// Returns
/// -------
/// FilterExpr
///
/// Raises
/// ------
/// FilterError
///     With the position of what is wrong; also for a parameter that is missing or not used.
///
/// Examples
/// --------
/// >>> vecstore.parse_filter("price < :most AND kind = 'fruit'", {"most": 4})
/// FilterExpr({'$and': [{'price': {'$lt': 4}}, {'kind': {'$eq': 'fruit'}}]})
#[pyfunction]
#[pyo3(signature = (text, params=None))]
pub(crate) fn parse_filter(
    text: &Bound<'_, PyAny>,
    params: Option<&Bound<'_, PyAny>>,
) -> PyResult<FilterExpr> {
    let text = checked::<PyString>(text, "text", "a str")?;
    FilterExpr::condition(text.py(), filter(text.as_any(), params)?, false)
}

/// A filter: made with `F`, by `parse_filter`, or of a dict, a string or another filter.
///
/// Combine filters with `&`, `|` and `~` (not with `and`, `or`, `not`, which Python does not let a class define).
/// Filters are equal if they have the same form, and can be pickled.
///
/// Parameters
/// ----------
/// filter : dict, str or FilterExpr
///     In any spelling.
/// params : dict, optional
///     Values for `:name` or `$name` in a string.
///
/// Raises
/// ------
/// FilterError
///     If it is malformed or over a limit (64 levels, 4,096 conditions, lists of 65,536).
///
/// Examples
/// --------
/// >>> cheap = vecstore.FilterExpr({"price": {"$lt": 4}})
/// >>> fruit = vecstore.F("kind") == "fruit"
/// >>> store.count(cheap & fruit), store.count(cheap & ~fruit)
/// (1, 1)
#[pyclass(frozen, weakref, module = "vecstore")]
pub(crate) struct FilterExpr {
    pub(crate) filter: Filter,
    /// Whether it is about a list element, for use inside `elem_match` only.
    about_element: bool,
}

impl FilterExpr {
    /// Keeps one condition, after compiling it: a pattern that is none is an error here, not at its first use.
    pub(crate) fn condition(py: Python<'_>, filter: Filter, about_element: bool) -> PyResult<Self> {
        let whole = if about_element { inside_a_list(filter.clone()) } else { filter.clone() };
        whole.compile().or_raise(py)?;
        Ok(Self { filter, about_element })
    }

    /// Shows the filter of a query, which has passed all checks.
    pub(crate) fn of_query(filter: Filter) -> Self {
        Self { filter, about_element: false }
    }

    /// Keeps a filter that is within the limits, so that cloning and comparing it are safe.
    fn checked(py: Python<'_>, filter: Filter, about_element: bool) -> PyResult<Self> {
        if about_element {
            inside_a_list(filter.clone()).check().or_raise(py)?;
        } else {
            filter.check().or_raise(py)?;
        }
        Ok(Self { filter, about_element })
    }

    fn check_complete(&self, py: Python<'_>) -> PyResult<()> {
        if self.about_element { self.filter.check().or_raise(py) } else { Ok(()) }
    }

    fn combined(
        &self,
        py: Python<'_>,
        other: &Bound<'_, PyAny>,
        combine: impl FnOnce(Filter, Filter) -> Filter,
    ) -> PyResult<Py<PyAny>> {
        let Ok(other) = other.cast::<Self>() else { return Ok(py.NotImplemented()) };
        let other = other.get();
        let combined = combine(self.filter.clone(), other.filter.clone());
        let combined = Self::checked(py, combined, self.about_element || other.about_element)?;
        Ok(Py::new(py, combined)?.into_any())
    }

    fn dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = |filter: &Filter| match filter.to_value().or_raise(py)? {
            Value::Map(ref map) => dict_of_tree(py, map, &mut KeyObjects::default()),
            _ => Ok(PyDict::new(py)),
        };
        if !self.about_element {
            return dict(&self.filter);
        }
        let whole = dict(&inside_a_list(self.filter.clone()))?;
        let inner = whole.get_item("element")?.and_then(|inner| inner.get_item("$elem_match").ok());
        Ok(inner.map(Bound::cast_into::<PyDict>).transpose()?.unwrap_or_else(|| PyDict::new(py)))
    }
}

fn inside_a_list(filter: Filter) -> Filter {
    Filter::Field { path: "element".to_owned(), condition: Condition::ElemMatch(Box::new(filter)) }
}

#[pymethods]
impl FilterExpr {
    #[new]
    #[pyo3(signature = (filter, params=None))]
    fn __new__(filter: &Bound<'_, PyAny>, params: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        Self::condition(filter.py(), self::filter(filter, params)?, false)
    }

    /// Returns the filter as a dict, the spelling that the other two are read as.
    ///
    /// Examples
    /// --------
    /// >>> (vecstore.F("price") < 10).to_dict()
    /// {'price': {'$lt': 10}}
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.dict(py)
    }

    fn __and__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.combined(py, other, Filter::and)
    }

    fn __or__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.combined(py, other, Filter::or)
    }

    fn __invert__(&self, py: Python<'_>) -> PyResult<Self> {
        Self::checked(py, Filter::Not(Box::new(self.filter.clone())), self.about_element)
    }

    fn __bool__(&self) -> PyResult<bool> {
        Err(PyTypeError::new_err(
            "a filter has no truth value: combine filters with &, | and ~ and put comparisons in parentheses, \
             instead of `and`, `or`, `not` or `1 < F('x') < 2`",
        ))
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let Ok(other) = other.cast::<Self>() else { return Ok(py.NotImplemented()) };
        let equal = self.filter == other.get().filter;
        Ok(equal.into_pyobject(py)?.to_owned().into_any().unbind())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("FilterExpr({})", self.dict(py)?.repr()?))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let this = slf.get();
        this.check_complete(slf.py())?;
        Ok((slf.get_type().into_any(), (this.dict(slf.py())?,).into_pyobject(slf.py())?))
    }
}
