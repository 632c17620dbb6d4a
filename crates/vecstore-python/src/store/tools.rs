//! Searching by examples, for unlike records, and in groups.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyList, PyString};
use vecstore::limits::MAX_K;
use vecstore::{Example, GroupQuery, IdQuery, MmrQuery, RecommendQuery};

use super::search::Wanted;
use super::{BaseCollection, plain_value};
use crate::arguments::{By, Id, Included, Int, Number, Strategy, Text, flags};
use crate::errors::{OrRaise, wrong_type};
use crate::metadata_out::{KeyObjects, object_of_tree};
use crate::neighbors::{neighbor_list, touch};
use crate::vectors::vector;

const EXAMPLES: &str = "ids or vectors";

/// Reads examples: ids and vectors, or one id.
fn examples(object: &Bound<'_, PyAny>, what: &str) -> PyResult<Vec<Example>> {
    if object.is_instance_of::<PyString>() {
        return Ok(vec![Example::Id(Text::new(object, what)?.to_owned())]);
    }
    let items = object.try_iter().map_err(|_| wrong_type(what, EXAMPLES, object))?;
    let example = |(at, item): (usize, PyResult<Bound<'_, PyAny>>)| {
        let (item, what) = (item?, format!("{what}[{at}]"));
        Ok(match item.is_instance_of::<PyString>() {
            true => Example::Id(Text::new(&item, &what)?.to_owned()),
            false => Example::Vector(vector(&item, &what)?),
        })
    };
    items.enumerate().map(example).collect()
}

/// Reads what is recommended by.
pub(super) fn recommend_query<'py>(
    positive: &Bound<'py, PyAny>,
    negative: Option<&Bound<'py, PyAny>>,
    strategy: Option<Strategy>,
    wanted: Wanted<'_, 'py>,
) -> PyResult<RecommendQuery> {
    let py = positive.py();
    let mut query = RecommendQuery::new().options(wanted.options(py)?);
    if let Some(strategy) = strategy {
        query = query.strategy(strategy.parse().or_raise(py)?);
    }
    query = examples(positive, "positive")?.into_iter().fold(query, RecommendQuery::like);
    if let Some(negative) = negative {
        query = examples(negative, "negative")?.into_iter().fold(query, RecommendQuery::unlike);
    }
    Ok(query)
}

#[pymethods]
impl BaseCollection {
    /// Returns records like some examples and unlike others, best first, ties broken by id. Records that are examples are
    /// not among them.
    ///
    /// Parameters
    /// ----------
    /// positive : list of str and vectors
    ///     What is wanted: ids of records, or vectors.
    /// negative : list of str and vectors
    ///     What is not.
    /// k : int
    ///     The most neighbors, 1 to 16,777,216.
    /// filter : dict, str or FilterExpr, optional
    ///     Restricts the search.
    /// strategy : str
    ///     `average_vector`: what is nearest to the mean of the positive examples, or with negative ones to twice that less
    ///     their mean (under cosine each example counts with length 1); it needs a positive one. `best_score`: by the best score
    ///     with a positive example; records that are as like a negative one come last. `sum_scores`: by the sum of scores with
    ///     the positive examples less that with the negative ones.
    /// recall, exact, offset, min_score, boost, include, params
    ///     As in `query`.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     If an example is the id of no record.
    /// InvalidInputError
    ///     If there are no examples, or more than 1,024.
    ///
    /// Examples
    /// --------
    /// >>> [neighbor.id for neighbor in store.recommend(["apple"], ["leek"])]
    /// ['pear']
    #[pyo3(
        signature = (positive, negative=None, k=Int::Fits(10), filter=None, *, strategy=None, recall=Number::Is(0.95),
                     exact=false, offset=Int::Fits(0), min_score=None, boost=None, include=Included::DEFAULT,
                     params=None),
        text_signature = "($self, positive, negative=(), k=10, filter=None, *, strategy='average_vector', recall=0.95, exact=False, offset=0, min_score=None, include=..., params=None, boost=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn recommend<'py>(
        &self,
        positive: &Bound<'py, PyAny>,
        negative: Option<&Bound<'py, PyAny>>,
        k: Int,
        filter: Option<&Bound<'py, PyAny>>,
        strategy: Option<Strategy>,
        recall: Number,
        #[pyo3(from_py_with = flags::exact)] exact: bool,
        offset: Int,
        min_score: Option<Number>,
        boost: Option<Bound<'py, PyAny>>,
        include: Included,
        params: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = positive.py();
        let wanted = Wanted { k, filter, params, recall, exact, offset, min_score, boost };
        let query = recommend_query(positive, negative, strategy, wanted)?;
        self.matched(py, include, |engine| engine.search_recommended(&query))
    }

    /// Returns the records nearest to one that is there already, best first, ties broken by id.
    ///
    /// Parameters
    /// ----------
    /// id : str
    ///     The record.
    /// include_self : bool
    ///     Whether the record itself may be among the results.
    ///
    /// The other parameters are those of `query`.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     If there is no such record.
    ///
    /// Examples
    /// --------
    /// >>> [neighbor.id for neighbor in store.query_by_id("apple")]
    /// ['pear', 'leek']
    #[pyo3(
        signature = (id, k=Int::Fits(10), filter=None, *, include_self=false, recall=Number::Is(0.95), exact=false,
                     offset=Int::Fits(0), min_score=None, boost=None, include=Included::DEFAULT, params=None),
        text_signature = "($self, id, k=10, filter=None, *, include_self=False, recall=0.95, exact=False, offset=0, min_score=None, include=..., params=None, boost=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn query_by_id<'py>(
        &self,
        py: Python<'py>,
        id: Id,
        k: Int,
        filter: Option<&Bound<'py, PyAny>>,
        #[pyo3(from_py_with = flags::include_self)] include_self: bool,
        recall: Number,
        #[pyo3(from_py_with = flags::exact)] exact: bool,
        offset: Int,
        min_score: Option<Number>,
        boost: Option<Bound<'py, PyAny>>,
        include: Included,
        params: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let wanted = Wanted { k, filter, params, recall, exact, offset, min_score, boost };
        let mut query = IdQuery::new(&*id).options(wanted.options(py)?);
        if include_self {
            query = query.include_itself();
        }
        self.matched(py, include, |engine| engine.search_by_id(&query))
    }

    /// Returns records that are near a vector and unlike each other, in the order in which they are chosen.
    ///
    /// Of the `fetch_k` nearest, one by one that with the largest `lambda_ * score - (1 - lambda_) * similarity`, where
    /// similarity is the largest score with one chosen before (maximal marginal relevance).
    ///
    /// Parameters
    /// ----------
    /// vector : sequence of numbers or buffer, of the shape (dim,)
    ///     What to search for.
    /// k : int
    ///     The most neighbors.
    /// fetch_k : int
    ///     Of how many of the nearest they are chosen, at most 65,536; of k, if that is more.
    /// lambda_ : float
    ///     How much nearness counts, 0 to 1.
    ///
    /// The other parameters are those of `query`.
    ///
    /// Returns
    /// -------
    /// list of Neighbor
    ///     `score` is that with the vector.
    ///
    /// Examples
    /// --------
    /// >>> [neighbor.id for neighbor in store.mmr_query([1, 0, 0], k=2, lambda_=0.3)]
    /// ['apple', 'leek']
    #[pyo3(
        signature = (vector, k=Int::Fits(10), fetch_k=Int::Fits(50), lambda_=Number::Is(0.5), filter=None, *,
                     recall=Number::Is(0.95), exact=false, offset=Int::Fits(0), min_score=None, boost=None,
                     include=Included::DEFAULT, params=None),
        text_signature = "($self, vector, k=10, fetch_k=50, lambda_=0.5, filter=None, *, recall=0.95, exact=False, offset=0, min_score=None, include=..., params=None, boost=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn mmr_query<'py>(
        &self,
        vector: &Bound<'py, PyAny>,
        k: Int,
        fetch_k: Int,
        lambda_: Number,
        filter: Option<&Bound<'py, PyAny>>,
        recall: Number,
        #[pyo3(from_py_with = flags::exact)] exact: bool,
        offset: Int,
        min_score: Option<Number>,
        boost: Option<Bound<'py, PyAny>>,
        include: Included,
        params: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = vector.py();
        let wanted = Wanted { k, filter, params, recall, exact, offset, min_score, boost };
        let query = MmrQuery::new(self::vector(vector, "vector")?)
            .options(wanted.options(py)?)
            .fetch_k(fetch_k.within(py, "fetch_k", 1..=65_536)?)
            .lambda(lambda_.named("lambda_")? as f32);
        self.matched(py, include, |engine| engine.search_mmr(&query))
    }

    /// Returns the best records of the best groups: of those with the same value at a path of the metadata.
    ///
    /// The groups are those of the records nearest to the vector, in this order. The search goes on until all are full, or
    /// there are no more records: one group that has most of the nearest hides no other.
    ///
    /// Parameters
    /// ----------
    /// vector : sequence of numbers or buffer, of the shape (dim,)
    ///     What to search for.
    /// by : str
    ///     The path. A record with a list there is in the group of each element. One without a value, or with None, NaN or a
    ///     dict, is in none. 1 and 1.0 are the same, True and "1" others.
    /// groups : int
    ///     The most groups.
    /// group_size : int
    ///     The most neighbors of a group.
    ///
    /// The other parameters are those of `query`.
    ///
    /// Returns
    /// -------
    /// list of Group
    ///     With `value` and `neighbors`, best first.
    ///
    /// Examples
    /// --------
    /// >>> for group in store.group_query([1, 0, 0], by="kind", group_size=1):
    /// ...     print(group.value, [neighbor.id for neighbor in group.neighbors])
    /// fruit ['apple']
    /// vegetable ['leek']
    #[pyo3(
        signature = (vector, by, groups=Int::Fits(10), group_size=Int::Fits(3), filter=None, *,
                     recall=Number::Is(0.95), exact=false, min_score=None, boost=None, include=Included::DEFAULT,
                     params=None),
        text_signature = "($self, vector, by, groups=10, group_size=3, filter=None, *, recall=0.95, exact=False, min_score=None, include=..., params=None, boost=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn group_query<'py>(
        &self,
        vector: &Bound<'py, PyAny>,
        by: By,
        groups: Int,
        group_size: Int,
        filter: Option<&Bound<'py, PyAny>>,
        recall: Number,
        #[pyo3(from_py_with = flags::exact)] exact: bool,
        min_score: Option<Number>,
        boost: Option<Bound<'py, PyAny>>,
        include: Included,
        params: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let py = vector.py();
        let k = Int::Fits(groups.within(py, "groups", 1..=MAX_K)? as i64);
        let wanted = Wanted { k, filter, params, recall, exact, offset: Int::Fits(0), min_score, boost };
        let query = GroupQuery::new(self::vector(vector, "vector")?, &*by)
            .options(wanted.options(py)?)
            .group_size(group_size.within(py, "group_size", 1..=MAX_K)?);
        let Included(include) = include;
        let groups = self.run(py, |engine| {
            let groups = engine.group_query(&query)?;
            groups.iter().try_for_each(|group| touch(&group.hits, include))?;
            Ok(groups)
        })?;
        let group = |group: &vecstore::Group| {
            let value = object_of_tree(py, &group.value, &mut KeyObjects::default())?;
            plain_value(py, "Group", (value, neighbor_list(py, &group.hits, include)?))
        };
        groups.iter().map(group).collect()
    }
}
