//! Filters in their three spellings: dicts, strings, and expressions made with `F`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use vecstore::{Condition, Filter, Metadata, Value};

use crate::arguments::{Affix, Flags, Path, Pattern, Text, Words};
use crate::errors::{OrRaise, filter_error, wrong_type};
use crate::metadata_in::value;
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
    if object.is_instance_of::<PyDict>() {
        return Filter::from_value(&value(object, "filter")?).or_raise(py);
    }
    Err(wrong_type("filter", EXPECTED, object))
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
    match value(params, "params")? {
        Value::Map(ref map) => Ok(map.clone()),
        _ => Err(wrong_type("params", "a dict", params)),
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
    text: &Bound<'_, PyString>,
    params: Option<&Bound<'_, PyAny>>,
) -> PyResult<FilterExpr> {
    Ok(FilterExpr { filter: filter(text.as_any(), params)?, about_element: false })
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
    filter: Filter,
    /// Whether it is about a list element, for use inside `elem_match` only.
    about_element: bool,
}

impl FilterExpr {
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
        Ok(Self { filter: self::filter(filter, params)?, about_element: false })
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

/// The field at a dotted path of the metadata; comparing it makes a filter.
///
/// `==`, `!=`, `<`, `<=`, `>`, `>=` and the methods below return a `FilterExpr`; so does `F.element()` with them,
/// for use inside `elem_match`. A field that is missing equals None.
///
/// Parameters
/// ----------
/// path : str
///     Such as `price` or `author.name`; in a list a part may be an index.
///
/// Examples
/// --------
/// >>> F = vecstore.F
/// >>> wanted = (F("price") < 4) & F("kind").is_in(["fruit", "nut"])
/// >>> [neighbor.id for neighbor in store.query([1, 0, 0], filter=wanted)]
/// ['apple']
#[pyclass(frozen, weakref, module = "vecstore")]
pub(crate) struct F {
    path: Option<String>,
}

impl F {
    fn condition(&self, py: Python<'_>, condition: Condition) -> PyResult<FilterExpr> {
        match &self.path {
            Some(path) => FilterExpr::checked(py, Filter::Field { path: path.clone(), condition }, false),
            None => FilterExpr::checked(py, Filter::Element(condition), true),
        }
    }
}

/// Reads the operands of a list condition.
fn operands(values: &Bound<'_, PyAny>) -> PyResult<Vec<Value>> {
    if values.is_instance_of::<PyString>() || values.is_instance_of::<PyDict>() {
        return Err(wrong_type("values", "a list", values));
    }
    let values = values.try_iter().map_err(|_| wrong_type("values", "a list", values))?;
    values.map(|item| value(&item?, "a value")).collect()
}

#[pymethods]
impl F {
    #[new]
    fn __new__(path: Path) -> Self {
        Self { path: Some(path.to_owned()) }
    }

    /// Returns the list element at hand, to be compared inside `elem_match`.
    ///
    /// Examples
    /// --------
    /// >>> F = vecstore.F
    /// >>> F("scores").elem_match((F.element() > 3) & (F.element() < 5))
    /// FilterExpr({'scores': {'$elem_match': {'$and': [{'$gt': 3}, {'$lt': 5}]}}})
    #[staticmethod]
    fn element() -> Self {
        Self { path: None }
    }

    fn __eq__(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        self.condition(py, Condition::Eq(self::value(value, "value")?))
    }

    fn __ne__(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        self.condition(py, Condition::Ne(self::value(value, "value")?))
    }

    fn __lt__(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        self.condition(py, Condition::Lt(self::value(value, "value")?))
    }

    fn __le__(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        self.condition(py, Condition::Lte(self::value(value, "value")?))
    }

    fn __gt__(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        self.condition(py, Condition::Gt(self::value(value, "value")?))
    }

    fn __ge__(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        self.condition(py, Condition::Gte(self::value(value, "value")?))
    }

    /// Matches a value equal to one of `values`, or a list with an element that is.
    fn is_in(&self, py: Python<'_>, values: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        self.condition(py, Condition::In(operands(values)?))
    }

    /// Matches what `is_in` does not; also records without the field, unless None is among the values.
    fn not_in(&self, py: Python<'_>, values: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        self.condition(py, Condition::NotIn(operands(values)?))
    }

    /// Matches a value from `low` to `high`, both included.
    fn between(
        &self,
        py: Python<'_>,
        low: &Bound<'_, PyAny>,
        high: &Bound<'_, PyAny>,
    ) -> PyResult<FilterExpr> {
        self.condition(py, Condition::Between(value(low, "low")?, value(high, "high")?))
    }

    /// Matches if the field is there, even as None; with False, if it is not.
    #[pyo3(signature = (present=true))]
    fn exists(&self, py: Python<'_>, present: bool) -> PyResult<FilterExpr> {
        self.condition(py, Condition::Exists(present))
    }

    /// Matches a list with an element equal to `value`, or a string with it as a substring.
    fn contains(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        self.condition(py, Condition::Contains(self::value(value, "value")?))
    }

    /// Matches a list or string that contains one of `values`.
    fn contains_any(&self, py: Python<'_>, values: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        self.condition(py, Condition::ContainsAny(operands(values)?))
    }

    /// Matches a list or string that contains all of `values`.
    fn contains_all(&self, py: Python<'_>, values: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        self.condition(py, Condition::ContainsAll(operands(values)?))
    }

    /// Matches a list of `length` elements.
    fn size(&self, py: Python<'_>, length: crate::arguments::Int) -> PyResult<FilterExpr> {
        let length = length.within(py, "length", 0..=u32::MAX as usize)?;
        self.condition(py, Condition::Size(length as u32))
    }

    /// Matches a string that starts with `prefix`, or a list with an element that does.
    fn starts_with(&self, py: Python<'_>, prefix: Affix) -> PyResult<FilterExpr> {
        self.condition(py, Condition::StartsWith(prefix.to_owned()))
    }

    /// Matches a string that ends with `suffix`, or a list with an element that does.
    fn ends_with(&self, py: Python<'_>, suffix: Affix) -> PyResult<FilterExpr> {
        self.condition(py, Condition::EndsWith(suffix.to_owned()))
    }

    /// Matches a whole string of the form of `pattern`: `%` is any text, `_` one character, `\` quotes the next.
    fn like(&self, py: Python<'_>, pattern: Pattern) -> PyResult<FilterExpr> {
        self.condition(py, Condition::Like(pattern.to_owned()))
    }

    /// Matches a string in which `pattern` is found, in linear time; no look-around.
    ///
    /// Flags: letters of `i` (ignore case), `m` (lines), `s` (dot matches a line end), `x` (ignore blanks).
    #[pyo3(signature = (pattern, flags=None))]
    fn regex(&self, py: Python<'_>, pattern: Pattern, flags: Option<Flags>) -> PyResult<FilterExpr> {
        let flags = flags.map_or_else(String::new, |flags| flags.to_owned());
        self.condition(py, Condition::Regex { pattern: pattern.to_owned(), flags })
    }

    /// Matches a string that has every word of `words`, in any case and order.
    fn text(&self, py: Python<'_>, words: Words) -> PyResult<FilterExpr> {
        self.condition(py, Condition::Text(words.to_owned()))
    }

    /// Matches a list with an element that satisfies `filter`, whose paths start at the element.
    fn elem_match(&self, py: Python<'_>, filter: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        let inner = match filter.cast::<FilterExpr>() {
            Ok(expression) => expression.get().filter.clone(),
            Err(_) if filter.is_instance_of::<PyDict>() => return self.of_dict(py, "$elem_match", filter),
            Err(_) => self::filter(filter, None)?,
        };
        self.condition(py, Condition::ElemMatch(Box::new(inner)))
    }

    /// Matches a point (a dict with `lat` and `lon`, in degrees) at most `radius` metres from `center`.
    fn geo_radius(&self, py: Python<'_>, center: &Bound<'_, PyAny>, radius: f64) -> PyResult<FilterExpr> {
        let operand = PyDict::new(py);
        operand.set_item("center", center)?;
        operand.set_item("radius", radius)?;
        self.of_dict(py, "$geo_radius", &operand)
    }

    /// Matches a point in the box between the corners `top_left` (north-west) and `bottom_right` (south-east).
    fn geo_box(
        &self,
        py: Python<'_>,
        top_left: &Bound<'_, PyAny>,
        bottom_right: &Bound<'_, PyAny>,
    ) -> PyResult<FilterExpr> {
        let operand = PyDict::new(py);
        operand.set_item("top_left", top_left)?;
        operand.set_item("bottom_right", bottom_right)?;
        self.of_dict(py, "$geo_box", &operand)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        match &self.path {
            Some(path) => Ok(format!("F({})", PyString::new(py, path).repr()?)),
            None => Ok("F.element()".to_owned()),
        }
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let class = slf.get_type();
        match &slf.get().path {
            Some(path) => Ok((class.into_any(), (path,).into_pyobject(slf.py())?)),
            None => Ok((class.getattr("element")?, PyTuple::empty(slf.py()))),
        }
    }
}

impl F {
    /// Makes a condition of an operand that the dict spelling knows how to read.
    fn of_dict(&self, py: Python<'_>, operator: &str, operand: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        let condition = Metadata::new().with(operator, value(operand, operator)?);
        match &self.path {
            Some(path) => {
                let filter = Filter::from_value(&Metadata::new().with(path.as_str(), condition).into());
                FilterExpr::checked(py, filter.or_raise(py)?, false)
            }
            None => {
                let whole = Metadata::new().with("element", Metadata::new().with("$elem_match", condition));
                let whole = Filter::from_value(&whole.into()).or_raise(py)?;
                match &whole {
                    Filter::Field { condition: Condition::ElemMatch(inner), .. } => {
                        FilterExpr::checked(py, (**inner).clone(), true)
                    }
                    _ => Err(filter_error(py, "filter: expected a condition on an element")),
                }
            }
        }
    }
}
