//! `F`: filters written as comparisons.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use vecstore::{Condition, Filter, Metadata, Value};

use crate::arguments::{Affix, Flags, Number, Path, Pattern, Words, flags};
use crate::errors::{OrRaise, filter_error, wrong_type};
use crate::filters::FilterExpr;
use crate::metadata_in::value;

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
            Some(path) => FilterExpr::condition(py, Filter::Field { path: path.clone(), condition }, false),
            None => FilterExpr::condition(py, Filter::Element(condition), true),
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
    ///
    /// Parameters
    /// ----------
    /// values : iterable
    ///     One of them must equal.
    ///
    /// Examples
    /// --------
    /// >>> store.count(vecstore.F("kind").is_in(["fruit", "nut"]))
    /// 2
    fn is_in(&self, py: Python<'_>, values: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        self.condition(py, Condition::In(operands(values)?))
    }

    /// Matches what `is_in` does not; also records without the field, unless None is among the values.
    ///
    /// Parameters
    /// ----------
    /// values : iterable
    ///     None of them may equal.
    ///
    /// Examples
    /// --------
    /// >>> store.count(vecstore.F("kind").not_in(["fruit", "nut"]))
    /// 1
    fn not_in(&self, py: Python<'_>, values: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        self.condition(py, Condition::NotIn(operands(values)?))
    }

    /// Matches a value from `low` to `high`, both included.
    ///
    /// Parameters
    /// ----------
    /// low, high : value
    ///     Of one kind: numbers, strings or times.
    ///
    /// Examples
    /// --------
    /// >>> store.count(vecstore.F("price").between(3, 4))
    /// 2
    fn between(
        &self,
        py: Python<'_>,
        low: &Bound<'_, PyAny>,
        high: &Bound<'_, PyAny>,
    ) -> PyResult<FilterExpr> {
        self.condition(py, Condition::Between(value(low, "low")?, value(high, "high")?))
    }

    /// Matches if the field is there, even as None; with False, if it is not.
    ///
    /// Parameters
    /// ----------
    /// present : bool
    ///     Whether it must be there.
    ///
    /// Examples
    /// --------
    /// >>> store.count(vecstore.F("price").exists()), store.count(vecstore.F("none").exists())
    /// (3, 0)
    #[pyo3(signature = (present=true))]
    fn exists(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = flags::present)] present: bool,
    ) -> PyResult<FilterExpr> {
        self.condition(py, Condition::Exists(present))
    }

    /// Matches a list with an element equal to `value`, or a string with it as a substring.
    ///
    /// Parameters
    /// ----------
    /// value : value
    ///     An element, or a substring.
    ///
    /// Examples
    /// --------
    /// >>> store.patch_metadata("apple", {"tags": ["red", "sweet"], "at": {"lat": 52.5, "lon": 13.4}})
    /// >>> store.count(vecstore.F("tags").contains("red")), store.count(vecstore.F("kind").contains("rui"))
    /// (1, 2)
    fn contains(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        self.condition(py, Condition::Contains(self::value(value, "value")?))
    }

    /// Matches a list or string that contains one of `values`.
    ///
    /// Parameters
    /// ----------
    /// values : iterable
    ///     Elements, or substrings.
    ///
    /// Examples
    /// --------
    /// >>> store.patch_metadata("apple", {"tags": ["red", "sweet"], "at": {"lat": 52.5, "lon": 13.4}})
    /// >>> store.count(vecstore.F("tags").contains_any(["red", "green"]))
    /// 1
    fn contains_any(&self, py: Python<'_>, values: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        self.condition(py, Condition::ContainsAny(operands(values)?))
    }

    /// Matches a list or string that contains all of `values`.
    ///
    /// Parameters
    /// ----------
    /// values : iterable
    ///     Elements, or substrings.
    ///
    /// Examples
    /// --------
    /// >>> store.patch_metadata("apple", {"tags": ["red", "sweet"], "at": {"lat": 52.5, "lon": 13.4}})
    /// >>> store.count(vecstore.F("tags").contains_all(["red", "green"]))
    /// 0
    fn contains_all(&self, py: Python<'_>, values: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        self.condition(py, Condition::ContainsAll(operands(values)?))
    }

    /// Matches a list of `length` elements.
    ///
    /// Parameters
    /// ----------
    /// length : int
    ///     How many elements.
    ///
    /// Examples
    /// --------
    /// >>> store.patch_metadata("apple", {"tags": ["red", "sweet"], "at": {"lat": 52.5, "lon": 13.4}})
    /// >>> store.count(vecstore.F("tags").size(2))
    /// 1
    fn size(&self, py: Python<'_>, length: crate::arguments::Int) -> PyResult<FilterExpr> {
        let length = length.within(py, "length", 0..=u32::MAX as usize)?;
        self.condition(py, Condition::Size(length as u32))
    }

    /// Matches a string that starts with `prefix`, or a list with an element that does.
    ///
    /// Parameters
    /// ----------
    /// prefix : str
    ///     Case counts.
    ///
    /// Examples
    /// --------
    /// >>> store.count(vecstore.F("kind").starts_with("veg"))
    /// 1
    fn starts_with(&self, py: Python<'_>, prefix: Affix) -> PyResult<FilterExpr> {
        self.condition(py, Condition::StartsWith(prefix.to_owned()))
    }

    /// Matches a string that ends with `suffix`, or a list with an element that does.
    ///
    /// Parameters
    /// ----------
    /// suffix : str
    ///     Case counts.
    ///
    /// Examples
    /// --------
    /// >>> store.count(vecstore.F("kind").ends_with("ble"))
    /// 1
    fn ends_with(&self, py: Python<'_>, suffix: Affix) -> PyResult<FilterExpr> {
        self.condition(py, Condition::EndsWith(suffix.to_owned()))
    }

    /// Matches a whole string of the form of `pattern`: `%` is any text, `_` one character, `\` quotes the next.
    ///
    /// Parameters
    /// ----------
    /// pattern : str
    ///     As in SQL; case counts.
    ///
    /// Examples
    /// --------
    /// >>> store.count(vecstore.F("kind").like("fr%"))
    /// 2
    fn like(&self, py: Python<'_>, pattern: Pattern) -> PyResult<FilterExpr> {
        self.condition(py, Condition::Like(pattern.to_owned()))
    }

    /// Matches a string in which `pattern` is found, in linear time; no look-around.
    ///
    /// Flags: letters of `i` (ignore case), `m` (lines), `s` (dot matches a line end), `x` (ignore blanks).
    ///
    /// Parameters
    /// ----------
    /// pattern : str
    ///     A regular expression without look-around and back references.
    /// flags : str, optional
    ///     Letters, as above.
    ///
    /// Examples
    /// --------
    /// >>> store.count(vecstore.F("kind").regex("^FRUIT$", "i"))
    /// 2
    #[pyo3(signature = (pattern, flags=None))]
    fn regex(&self, py: Python<'_>, pattern: Pattern, flags: Option<Flags>) -> PyResult<FilterExpr> {
        let flags = flags.map_or_else(String::new, |flags| flags.to_owned());
        self.condition(py, Condition::Regex { pattern: pattern.to_owned(), flags })
    }

    /// Matches a string that has every word of `words`, in any case and order.
    ///
    /// Parameters
    /// ----------
    /// words : str
    ///     Separated by blanks.
    ///
    /// Examples
    /// --------
    /// >>> store.patch_metadata("apple", {"title": "The red apple"})
    /// >>> store.count(vecstore.F("title").text("apple RED"))
    /// 1
    fn text(&self, py: Python<'_>, words: Words) -> PyResult<FilterExpr> {
        self.condition(py, Condition::Text(words.to_owned()))
    }

    /// Matches a list with an element that satisfies `filter`, whose paths start at the element.
    ///
    /// Parameters
    /// ----------
    /// filter : filter
    ///     What one and the same element must satisfy.
    ///
    /// Examples
    /// --------
    /// >>> store.patch_metadata("apple", {"sold": [{"day": 1, "count": 5}, {"day": 2, "count": 1}]})
    /// >>> store.count(vecstore.F("sold").elem_match({"day": 1, "count": {"$gt": 3}}))
    /// 1
    fn elem_match(&self, py: Python<'_>, filter: &Bound<'_, PyAny>) -> PyResult<FilterExpr> {
        let inner = match filter.cast::<FilterExpr>() {
            Ok(expression) => expression.get().filter.clone(),
            Err(_) if filter.is_instance_of::<PyDict>() => return self.of_dict(py, "$elem_match", filter),
            Err(_) => crate::filters::filter(filter, None)?,
        };
        self.condition(py, Condition::ElemMatch(Box::new(inner)))
    }

    /// Matches a point (a dict with `lat` and `lon`, in degrees) at most `radius` metres from `center`.
    ///
    /// Parameters
    /// ----------
    /// center : dict or pair
    ///     `{"lat": ..., "lon": ...}`, or latitude and longitude in degrees.
    /// radius : float
    ///     In meters.
    ///
    /// Examples
    /// --------
    /// >>> store.patch_metadata("apple", {"tags": ["red", "sweet"], "at": {"lat": 52.5, "lon": 13.4}})
    /// >>> store.count(vecstore.F("at").geo_radius({"lat": 52.5, "lon": 13.5}, 10_000))
    /// 1
    fn geo_radius(&self, py: Python<'_>, center: &Bound<'_, PyAny>, radius: Number) -> PyResult<FilterExpr> {
        let operand = PyDict::new(py);
        operand.set_item("center", center)?;
        operand.set_item("radius", radius.named("radius")?)?;
        self.of_dict(py, "$geo_radius", &operand)
    }

    /// Matches a point in the box between the corners `top_left` (north-west) and `bottom_right` (south-east).
    ///
    /// Parameters
    /// ----------
    /// top_left, bottom_right : dict or pair
    ///     Corners, as `geo_radius` takes a center.
    ///
    /// Examples
    /// --------
    /// >>> store.patch_metadata("apple", {"tags": ["red", "sweet"], "at": {"lat": 52.5, "lon": 13.4}})
    /// >>> store.count(vecstore.F("at").geo_box({"lat": 53, "lon": 13}, {"lat": 52, "lon": 14}))
    /// 1
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
                FilterExpr::condition(py, filter.or_raise(py)?, false)
            }
            None => {
                let whole = Metadata::new().with("element", Metadata::new().with("$elem_match", condition));
                let whole = Filter::from_value(&whole.into()).or_raise(py)?;
                match &whole {
                    Filter::Field { condition: Condition::ElemMatch(inner), .. } => {
                        FilterExpr::condition(py, (**inner).clone(), true)
                    }
                    _ => Err(filter_error(py, "filter: expected a condition on an element")),
                }
            }
        }
    }
}
