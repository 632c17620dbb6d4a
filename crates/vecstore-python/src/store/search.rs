//! Searching.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyList};
use vecstore::limits::{MAX_DIM, MAX_K};
use vecstore::{Include, PrefixQuery, QueryOptions};

use super::BaseCollection;
use super::boosts::boosts;
use crate::arguments::{Included, Int, Number, flags, recall};
use crate::errors::{OrRaise, invalid, wrong_type};
use crate::filters::optional_filter;
use crate::neighbors::{neighbor_list, touch};
use crate::query_batch::QueryBatch;
use crate::vectors::{Rows, in_place, reserve, vector};

/// From so many searches on, Ctrl-C ends a batch.
const LONG_QUERIES: usize = 256;

/// The arguments that every search has.
pub(super) struct Wanted<'a, 'py> {
    pub(super) k: Int,
    pub(super) filter: Option<&'a Bound<'py, PyAny>>,
    pub(super) params: Option<&'a Bound<'py, PyAny>>,
    pub(super) recall: Number,
    pub(super) exact: bool,
    pub(super) offset: Int,
    pub(super) min_score: Option<Number>,
    pub(super) boost: Option<Bound<'py, PyAny>>,
}

impl<'a, 'py> Wanted<'a, 'py> {
    /// Reads a `Query`, whose filter is given beside it.
    fn of_query(query: &Bound<'py, PyAny>, filter: Option<&'a Bound<'py, PyAny>>) -> PyResult<Self> {
        Ok(Self {
            k: query.getattr("k")?.extract()?,
            filter,
            params: None,
            recall: query.getattr("recall")?.extract()?,
            exact: query.getattr("exact")?.extract()?,
            offset: query.getattr("offset")?.extract()?,
            min_score: query.getattr("min_score")?.extract()?,
            boost: query.getattr("boost")?.extract()?,
        })
    }

    pub(super) fn options(self, py: Python<'_>) -> PyResult<QueryOptions> {
        let recall = recall(py, self.recall)?;
        let min_score = self.min_score.map(|score| score.named("min_score")).transpose()?.map(at_least);
        if min_score.is_some_and(f32::is_nan) {
            return Err(invalid(py, "min_score must be a number, got NaN"));
        }
        let options = QueryOptions::new()
            .k(self.k.within(py, "k", 1..=MAX_K)?)
            .offset(self.offset.within(py, "offset", 0..=MAX_K)?)
            .filter(optional_filter(self.filter, self.params)?)
            .min_score(min_score)
            .recall(recall)
            .exact(self.exact);
        Ok(boosts(self.boost.as_ref())?.into_iter().fold(options, QueryOptions::boost))
    }
}

impl BaseCollection {
    pub(super) fn neighbors<'py>(
        &self,
        vector: &Bound<'py, PyAny>,
        options: &QueryOptions,
        Included(include): Included,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = vector.py();
        if self.engine.is_brief(options) {
            // SAFETY: the engine runs no code of Python, and the slice is not used after the search.
            let hits = match unsafe { in_place(vector)? } {
                Some(components) => self.engine.search_vector(components, options),
                None => self.engine.search_vector(&self::vector(vector, "vector")?, options),
            };
            return neighbor_list(py, &hits.or_raise(py)?, include);
        }
        // A copy: without the GIL, other threads may write to the array.
        let components = self::vector(vector, "vector")?;
        let search = || {
            let hits = self.engine.search_vector(&components, options)?;
            touch(&hits, include)?;
            Ok(hits)
        };
        neighbor_list(py, &py.detach(search).or_raise(py)?, include)
    }
}

#[pymethods]
impl BaseCollection {
    /// Returns the records nearest to a vector, best first, ties broken by id.
    ///
    /// With a filter these are the nearest of the records that match: never fewer than min(k, matches).
    ///
    /// Parameters
    /// ----------
    /// vector : sequence of numbers or buffer, of the shape (dim,)
    ///     What to search for.
    /// k : int
    ///     The most neighbors, 1 to 16,777,216.
    /// filter : dict, str or FilterExpr, optional
    ///     Restricts the search: `{"price": {"$lt": 10}}`, `"price < 10"`, or `F("price") < 10`.
    /// recall : float
    ///     The share of the true neighbors that the search is tuned to find at least, above 0 and at most 1. It holds
    ///     on average: a single query may find fewer.
    /// exact : bool
    ///     Whether to compare the vector with every record, whatever the recall.
    /// offset : int
    ///     How many of the nearest are left out, for paging.
    /// min_score : float, optional
    ///     Leaves out neighbors of a lower score.
    /// boost : Decay, FieldBoost, FilterBoost or list of them, optional
    ///     Changes scores by metadata. With `exact` the order is that of boosted scores over all records. Otherwise the
    ///     search looks at the 16 k (at least 256) nearest, then at four times as many, until nothing further away could
    ///     be among the best, or it has looked at 16,384.
    /// include : iterable of str, `("metadata",)` if not given
    ///     What neighbors carry besides id, score and distance: `metadata`, `vector`, `text`.
    /// params : dict, optional
    ///     Values for `:name` in a filter string.
    /// prefix_dim : int, optional
    ///     Compares every record on so many first components alone (of a Matryoshka model), whatever the recall, and orders
    ///     the best 10 k, at least 100, by whole vectors.
    ///
    /// Returns
    /// -------
    /// list of Neighbor
    ///
    /// Raises
    /// ------
    /// InvalidInputError
    ///     For a vector that is not finite, or zero under cosine, or an argument out of range.
    /// DimensionMismatchError, FilterError
    ///
    /// Examples
    /// --------
    /// >>> for neighbor in store.query([1.0, 0.0, 0.0], k=2, filter={"kind": "fruit"}):
    /// ...     print(neighbor.id, round(neighbor.score, 3), neighbor.metadata["price"])
    /// apple 0.994 3
    /// pear 0.963 4
    #[pyo3(
        signature = (vector, k=Int::Fits(10), filter=None, *, recall=Number::Is(0.95), exact=false, offset=Int::Fits(0),
                     min_score=None, boost=None, include=Included::DEFAULT, params=None,
                     prefix_dim=None),
        text_signature = "($self, vector, k=10, filter=None, *, recall=0.95, exact=False, offset=0, min_score=None, include=..., params=None, boost=None, prefix_dim=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn query<'py>(
        &self,
        vector: &Bound<'py, PyAny>,
        k: Int,
        filter: Option<&Bound<'py, PyAny>>,
        recall: Number,
        #[pyo3(from_py_with = flags::exact)] exact: bool,
        offset: Int,
        min_score: Option<Number>,
        boost: Option<Bound<'py, PyAny>>,
        include: Included,
        params: Option<&Bound<'py, PyAny>>,
        prefix_dim: Option<Int>,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = vector.py();
        let wanted = Wanted { k, filter, params, recall, exact, offset, min_score, boost };
        let options = wanted.options(py)?;
        let Some(prefix_dim) = prefix_dim else { return self.neighbors(vector, &options, include) };
        if exact {
            return Err(invalid(py, "prefix_dim and exact=True contradict each other: give one of them"));
        }
        let prefix_dim = prefix_dim.within(py, "prefix_dim", 1..=MAX_DIM)?;
        let query = PrefixQuery::new(self::vector(vector, "vector")?, prefix_dim).options(options);
        self.matched(py, include, |engine| engine.search_prefix(&query))
    }

    /// Searches for several vectors at once, which reads each record once for several of them.
    ///
    /// Parameters
    /// ----------
    /// vectors : array of the shape (n, dim), or list of vectors
    ///     What to search for.
    ///
    /// The other parameters are those of `query`.
    ///
    /// Returns
    /// -------
    /// QueryBatch
    ///     A sequence of n lists of `Neighbor`, with all ids and scores as arrays in `ids` and `scores`.
    ///
    /// Examples
    /// --------
    /// >>> found = store.query_batch([[1, 0, 0], [0, 1, 0]], k=1)
    /// >>> [row[0].id for row in found]
    /// ['apple', 'leek']
    #[pyo3(
        signature = (vectors, k=Int::Fits(10), filter=None, *, recall=Number::Is(0.95), exact=false, offset=Int::Fits(0),
                     min_score=None, boost=None, include=Included::DEFAULT, params=None),
        text_signature = "($self, vectors, k=10, filter=None, *, recall=0.95, exact=False, offset=0, min_score=None, include=..., params=None, boost=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn query_batch<'py>(
        &self,
        vectors: &Bound<'py, PyAny>,
        k: Int,
        filter: Option<&Bound<'py, PyAny>>,
        recall: Number,
        #[pyo3(from_py_with = flags::exact)] exact: bool,
        offset: Int,
        min_score: Option<Number>,
        boost: Option<Bound<'py, PyAny>>,
        include: Included,
        params: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<QueryBatch> {
        let py = vectors.py();
        let options = Wanted { k, filter, params, recall, exact, offset, min_score, boost }.options(py)?;
        let rows = Rows::new(vectors, "vectors", None)?;
        if rows.len() == 0 {
            self.check_open(py)?;
            return Ok(QueryBatch::new(Vec::new(), include.0));
        }
        let (mut scratch, mut components) = (Vec::new(), Vec::new());
        let mut dim = 0;
        for row in 0..rows.len() {
            let vector = rows.get(row, "vectors", &mut scratch)?;
            if row > 0 && vector.len() != dim {
                let message =
                    format!("vectors[{row}]: expected {dim} components as the first, got {}", vector.len());
                return Err(invalid(py, message));
            }
            if row == 0 {
                dim = vector.len();
                reserve(&mut components, rows.len().saturating_mul(dim))?;
            }
            components.extend_from_slice(vector);
        }
        let search = |engine: &vecstore::Collection| engine.search_batch(&components, dim, &options);
        let answers =
            if rows.len() < LONG_QUERIES { self.run(py, search) } else { self.run_long(py, search) }?;
        Ok(QueryBatch::new(answers, include.0))
    }

    /// Returns the k records nearest to a vector among those that match: `query(vector, k, filter)`.
    ///
    /// Parameters
    /// ----------
    /// vector : sequence of numbers or buffer, of the shape (dim,)
    ///     What to search for.
    /// k : int
    ///     The most neighbors.
    /// filter : dict, str, FilterExpr or None
    ///     As in `query`.
    /// params : dict, optional
    ///     Values for `:name` in a filter string.
    ///
    /// Examples
    /// --------
    /// >>> store.query_with_filter([1, 0, 0], 1, "kind = 'vegetable'")[0].id
    /// 'leek'
    #[pyo3(signature = (vector, k, filter, *, params=None))]
    fn query_with_filter<'py>(
        &self,
        vector: &Bound<'py, PyAny>,
        k: Int,
        filter: Option<&Bound<'py, PyAny>>,
        params: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let wanted = Wanted {
            k,
            filter,
            params,
            recall: Number::Is(0.95),
            exact: false,
            offset: Int::Fits(0),
            min_score: None,
            boost: None,
        };
        self.neighbors(vector, &wanted.options(vector.py())?, Included::DEFAULT)
    }

    /// Runs a `Query` with the recall of a preset, instead of its own.
    ///
    /// Parameters
    /// ----------
    /// query : Query
    ///     What to search for, and all else: k, filter, offset, min_score, include.
    /// params : HNSWSearchParams
    ///     Such as `HNSWSearchParams.high_recall()`.
    ///
    /// Examples
    /// --------
    /// >>> query = vecstore.Query([1, 0, 0], k=1)
    /// >>> store.query_with_params(query, vecstore.HNSWSearchParams.high_recall())[0].id
    /// 'apple'
    fn query_with_params<'py>(
        &self,
        query: &Bound<'py, PyAny>,
        params: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        for (object, name, class) in [(query, "query", "Query"), (params, "params", "HNSWSearchParams")] {
            if !is_value(object, class)? {
                return Err(wrong_type(name, &format!("a {class}"), object));
            }
        }
        let filter: Option<Bound<'py, PyAny>> = query.getattr("filter")?.extract()?;
        let mut wanted = Wanted::of_query(query, filter.as_ref())?;
        wanted.recall = params.getattr("recall")?.extract()?;
        self.neighbors(
            &query.getattr("vector")?,
            &wanted.options(query.py())?,
            query.getattr("include")?.extract()?,
        )
    }
}

/// Reads a `Query`, or a vector that stands for one, and what its neighbors carry.
pub(super) fn asked(query: &Bound<'_, PyAny>) -> PyResult<(vecstore::Query, Include)> {
    if !is_value(query, "Query")? {
        return Ok((vecstore::Query::new(vector(query, "query")?), Included::DEFAULT.0));
    }
    let filter: Option<Bound<'_, PyAny>> = query.getattr("filter")?.extract()?;
    let options = Wanted::of_query(query, filter.as_ref())?.options(query.py())?;
    let Included(include) = query.getattr("include")?.extract()?;
    let components = vector(&query.getattr("vector")?, "vector")?;
    Ok((vecstore::Query::new(components).options(options), include))
}

/// Returns whether an object is of a class of `vecstore._values`.
pub(super) fn is_value(object: &Bound<'_, PyAny>, class: &str) -> PyResult<bool> {
    object.is_instance(&object.py().import("vecstore._values")?.getattr(class)?)
}

/// Returns the least f32 that is not below a number: no score that is below it as an f64 passes.
pub(super) fn at_least(number: f64) -> f32 {
    let rounded = number as f32;
    if f64::from(rounded) < number { rounded.next_up() } else { rounded }
}
