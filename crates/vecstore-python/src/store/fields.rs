//! Field indexes, and what is counted from them.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyList, PyString, PyTuple};
use vecstore::{FieldKind, OrderBy, Value};

use super::{BaseCollection, plain_value};
use crate::arguments::{Int, KindName, Path, Text};
use crate::errors::{OrRaise, invalid, wrong_type};
use crate::filters::optional_filter;
use crate::metadata_in::value;
use crate::metadata_out::{KeyObjects, object_of_tree};

#[pymethods]
impl BaseCollection {
    /// Has the values at a path of the metadata held by an index, durably.
    ///
    /// Most paths have an index without being asked for. This one has no caps: it holds a path beyond the first 1,024, strings
    /// up to 1,024 bytes (256 otherwise), and values of any total size. Answers are the same with and without.
    ///
    /// Returns when each segment has it; those that must be written again for it are copied, while reads and writes go on.
    ///
    /// Parameters
    /// ----------
    /// path : str
    ///     Such as `price` or `author.name`.
    /// kind : str, optional
    ///     What to hold: `any` (if not given), `keyword`, `number`, `bool`, `datetime` or `geo` (the numbers `lat` and `lon` of
    ///     points). Values of other types are read from the records.
    ///
    /// Raises
    /// ------
    /// InvalidInputError
    ///     If there is no such kind, the path is none, or it is one more than 256.
    ///
    /// Examples
    /// --------
    /// >>> store.create_index("price", "number")
    /// >>> [(index.path, index.kind) for index in store.list_indexes()]
    /// [('price', 'number')]
    #[pyo3(signature = (path, kind=None))]
    fn create_index(&self, py: Python<'_>, path: Path, kind: Option<KindName>) -> PyResult<()> {
        let kind = kind.map_or(Ok(FieldKind::Any), |kind| kind.parse()).or_raise(py)?;
        self.run(py, |engine| engine.create_index(&path, kind))
    }

    /// Has no values at a path held by an index, durably, and returns whether there was one. `create_index` brings it back.
    ///
    /// Filters on the path read the records then, and find the same. What it took on disk is free when this returns.
    ///
    /// Examples
    /// --------
    /// >>> store.drop_index("no such")
    /// False
    fn drop_index(&self, py: Python<'_>, path: Path) -> PyResult<bool> {
        self.run(py, |engine| engine.drop_index(&path))
    }

    /// Returns the field indexes, by path: those that were asked for, and those that were made by themselves.
    ///
    /// Records that are in memory yet are in none; they are read one by one.
    ///
    /// Returns
    /// -------
    /// list of FieldIndex
    ///     path, kind (None if it was made by itself), automatic, types (of the values), records, unindexed, distinct, bytes.
    ///
    /// Examples
    /// --------
    /// >>> store.list_indexes()
    /// []
    fn list_indexes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let indexes = self.run(py, |engine| engine.list_indexes())?;
        let values = indexes.into_iter().map(|index| {
            let types = PyTuple::new(py, &index.types)?;
            let kind = index.kind.map(FieldKind::name);
            let automatic = index.is_automatic();
            plain_value(
                py,
                "FieldIndex",
                (
                    index.path,
                    kind,
                    automatic,
                    types,
                    index.records,
                    index.unindexed,
                    index.distinct,
                    index.bytes,
                ),
            )
        });
        PyList::new(py, values.collect::<PyResult<Vec<_>>>()?)
    }

    /// Returns the distinct values that records have at a path, of those that match.
    ///
    /// Of a list each element counts; a list in a list is a value, and so is a dict. Records without the path have none. They
    /// come in order: None, False, True, numbers, datetimes, strings, bytes, lists, dicts. 1 and 1.0 are one number, returned as
    /// an int as any number without a fraction; True is no number. Datetimes are instants, returned in UTC. NaN is left out.
    ///
    /// Parameters
    /// ----------
    /// path : str
    ///     Such as `price` or `author.name`.
    /// filter : dict, str or FilterExpr, optional
    ///     Looks only at records that match.
    /// params : dict, optional
    ///     Values for `:name` in a filter string.
    ///
    /// Examples
    /// --------
    /// >>> store.distinct("kind"), store.distinct("price", "kind = 'fruit'")
    /// (['fruit', 'vegetable'], [3, 4])
    #[pyo3(signature = (path, filter=None, *, params=None))]
    fn distinct<'py>(
        &self,
        py: Python<'py>,
        path: Path,
        filter: Option<&Bound<'py, PyAny>>,
        params: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let filter = optional_filter(filter, params)?;
        let values = self.run(py, |engine| engine.distinct(&path, filter.as_ref()))?;
        let mut keys = KeyObjects::default();
        let objects = values.iter().map(|value| object_of_tree(py, value, &mut keys));
        PyList::new(py, objects.collect::<PyResult<Vec<_>>>()?)
    }

    /// Returns how many records have each value at a path, of those that match; or how many have one in each range.
    ///
    /// The most frequent come first, then in the order of `distinct`, with the same rules for values. A record counts once for
    /// each value it has.
    ///
    /// Parameters
    /// ----------
    /// path : str
    ///     Such as `kind` or `author.name`.
    /// filter : dict, str or FilterExpr, optional
    ///     Counts only records that match.
    /// limit : int, optional
    ///     At most so many values; all of them if not given.
    /// buckets : list, optional
    ///     Bounds in ascending order, numbers, datetimes or strings: counts values from one (inclusive) to the next
    ///     (exclusive). None as the first or the last is no bound.
    /// params : dict, optional
    ///     Values for `:name` in a filter string.
    ///
    /// Returns
    /// -------
    /// list of Facet, or of RangeFacet
    ///     Named tuples (value, count), so that `dict(store.facets("kind"))` looks up counts; with buckets (start, end, count).
    ///
    /// Examples
    /// --------
    /// >>> dict(store.facets("kind"))
    /// {'fruit': 2, 'vegetable': 1}
    /// >>> [(bucket.start, bucket.count) for bucket in store.facets("price", buckets=[0, 4, None])]
    /// [(0, 2), (4, 1)]
    #[pyo3(signature = (path, filter=None, *, limit=None, buckets=None, params=None))]
    fn facets<'py>(
        &self,
        py: Python<'py>,
        path: Path,
        filter: Option<&Bound<'py, PyAny>>,
        limit: Option<Int>,
        buckets: Option<&Bound<'py, PyAny>>,
        params: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let filter = optional_filter(filter, params)?;
        let limit = limit.map(|limit| limit.within(py, "limit", 1..=usize::MAX >> 1)).transpose()?;
        let mut keys = KeyObjects::default();
        if let Some(buckets) = buckets {
            if limit.is_some() {
                return Err(invalid(
                    py,
                    "facets: limit is for values, and buckets are as many as they are: give one of them",
                ));
            }
            let bounds = bounds(buckets)?;
            let ranges = self.run(py, |engine| engine.range_facets(&path, filter.as_ref(), &bounds))?;
            let mut bound = |value: &Option<Value>| {
                value.as_ref().map(|value| object_of_tree(py, value, &mut keys)).transpose()
            };
            let values = ranges.iter().map(|range| {
                plain_value(py, "RangeFacet", (bound(&range.start)?, bound(&range.end)?, range.count))
            });
            return PyList::new(py, values.collect::<PyResult<Vec<_>>>()?);
        }
        let facets = self.run(py, |engine| engine.facets(&path, filter.as_ref(), limit))?;
        let values = facets.iter().map(|facet| {
            plain_value(py, "Facet", (object_of_tree(py, &facet.value, &mut keys)?, facet.count))
        });
        PyList::new(py, values.collect::<PyResult<Vec<_>>>()?)
    }
}

fn bounds(buckets: &Bound<'_, PyAny>) -> PyResult<Vec<Option<Value>>> {
    if buckets.is_instance_of::<PyString>() {
        return Err(wrong_type("buckets", "a list of bounds", buckets));
    }
    let items = buckets.try_iter().map_err(|_| wrong_type("buckets", "a list of bounds", buckets))?;
    let bound = |item: PyResult<Bound<'_, PyAny>>| {
        let value = value(&item?, "buckets")?;
        Ok(if value.is_null() { None } else { Some(value) })
    };
    items.map(bound).collect()
}

/// Reads the argument `order_by`: a path, `-` before it for descending; or a pair of a path and a direction.
pub(super) fn order_by(object: &Bound<'_, PyAny>) -> PyResult<OrderBy> {
    const EXPECTED: &str = "a str, or a pair (path, 'asc' or 'desc')";
    let py = object.py();
    if object.is_instance_of::<PyString>() {
        return Text::new(object, "order_by")?.parse().or_raise(py);
    }
    let pair: (Bound<'_, PyAny>, Bound<'_, PyAny>) =
        object.extract().map_err(|_| wrong_type("order_by", EXPECTED, object))?;
    let (path, direction) = (Text::new(&pair.0, "order_by")?, Text::new(&pair.1, "order_by")?);
    match &*direction {
        "asc" => Ok(OrderBy::ascending(&*path)),
        "desc" => Ok(OrderBy::descending(&*path)),
        other => {
            Err(invalid(py, format!("order_by: expected `asc` or `desc`, got `{}`", other.escape_debug())))
        }
    }
}
