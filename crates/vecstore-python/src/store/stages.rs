//! Searches in stages.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyList};
use vecstore::limits::MAX_K;
use vecstore::{Fusion, Include, MultiQuery, PrefetchQuery, QueryStage, Rerank, SparseQuery, TextQuery};

use super::BaseCollection;
use super::boosts::boosts;
use super::search::{asked, at_least, is_value};
use super::texts::{asked_hybrid, field_boosts, matching};
use crate::arguments::{FusionName, Included, Int, Keywords, Number, Text};
use crate::errors::{OrRaise, invalid, wrong_type};
use crate::filters::{filter, optional_filter};
use crate::sparse::sparse_vector;
use crate::vectors::{multi_vector, vector};

/// How deep prefetches are read; the engine has a limit of its own, below this, which it tells.
const DEPTH_MAX: usize = 12;

/// The arguments of a stage.
struct Arguments<'py>(Bound<'py, PyAny>);

impl<'py> Arguments<'py> {
    fn any(&self, name: &str) -> PyResult<Bound<'py, PyAny>> {
        self.0.get_item(name)
    }

    fn optional(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(Some(self.any(name)?).filter(|value| !value.is_none()))
    }

    fn k(&self) -> PyResult<usize> {
        self.any("k")?.extract::<Int>()?.within(self.0.py(), "k", 1..=MAX_K)
    }

    fn optional_k(&self) -> PyResult<Option<usize>> {
        if self.any("k")?.is_none() { Ok(None) } else { self.k().map(Some) }
    }

    /// Reads what a search of texts or sparse vectors is asked besides.
    fn options(&self) -> PyResult<vecstore::QueryOptions> {
        let filter = self.optional("filter")?;
        let k = self.any("k")?.extract()?;
        let min_score = self.any("min_score")?.extract()?;
        matching(self.0.py(), (k, Int::Fits(0)), (filter.as_ref(), None), min_score, self.optional("boost")?)
    }
}

/// Reads a `PrefetchQuery`, and what its neighbors carry.
fn prefetch(query: &Bound<'_, PyAny>, depth: usize) -> PyResult<(PrefetchQuery, Include)> {
    let py = query.py();
    if !is_value(query, "PrefetchQuery")? {
        return Err(wrong_type("query", "a PrefetchQuery", query));
    }
    let given = query.getattr("stages")?;
    let items = given.try_iter().map_err(|_| wrong_type("stages", "a list of QueryStage", &given))?;
    let mut stages = Vec::new();
    for (at, item) in items.enumerate() {
        let item = item?;
        if !is_value(&item, "QueryStage")? {
            return Err(wrong_type(&format!("stages[{at}]"), "a QueryStage", &item));
        }
        stages.push(stage(&item, depth)?);
    }
    let filter: Option<Bound<'_, PyAny>> = query.getattr("filter")?.extract()?;
    let min_score: Option<Number> = query.getattr("min_score")?.extract()?;
    let mut read = PrefetchQuery::new(stages)
        .filter(optional_filter(filter.as_ref(), None)?)
        .offset(query.getattr("offset")?.extract::<Int>()?.within(py, "offset", 0..=MAX_K)?)
        .min_score(min_score.map(|score| score.named("min_score")).transpose()?.map(at_least));
    let k = query.getattr("k")?;
    if !k.is_none() {
        read = read.k(k.extract::<Int>()?.within(py, "k", 1..=MAX_K)?);
    }
    let Included(include) = query.getattr("include")?.extract()?;
    Ok((read, include))
}

/// Reads a `QueryStage`.
fn stage(stage: &Bound<'_, PyAny>, depth: usize) -> PyResult<QueryStage> {
    let py = stage.py();
    if depth == DEPTH_MAX {
        return Err(invalid(py, "prefetches may nest 8 deep, got more"));
    }
    let kind = Text::new(&stage.getattr("kind")?, "kind")?;
    let arguments = Arguments(stage.getattr("arguments")?);
    Ok(match &*kind {
        "vector_search" => asked(&arguments.any("query")?)?.0.into(),
        "hybrid_search" => asked_hybrid(&arguments.any("query")?)?.0.into(),
        "text_search" => {
            let keywords: Keywords = arguments.any("keywords")?.extract()?;
            let query = TextQuery::new(&*keywords).options(arguments.options()?);
            let boosts = field_boosts(Some(&arguments.any("boosts")?))?;
            boosts.into_iter().fold(query, |query, (field, factor)| query.boost(field, factor)).into()
        }
        "sparse_search" => {
            let sparse = sparse_vector(&arguments.any("indices_values")?, "indices_values")?;
            SparseQuery::new(sparse).options(arguments.options()?).into()
        }
        "multi_search" => {
            let query = MultiQuery::new(multi_vector(&arguments.any("vectors")?, "vectors")?);
            let mut query = query.options(arguments.options()?).exact(arguments.any("exact")?.extract()?);
            if let Some(candidates) = arguments.optional("candidates")? {
                query = query.candidates(candidates.extract::<Int>()?.within(py, "candidates", 1..=MAX_K)?);
            }
            query.into()
        }
        "fusion" => fusion(&arguments, depth)?,
        "filter" => QueryStage::Filter(filter(&arguments.any("filter")?, None)?),
        "rerank" => {
            let optional = |name| arguments.optional(name);
            let by = match (optional("vector")?, optional("vectors")?, optional("score")?) {
                (Some(components), None, None) => Rerank::Vector(vector(&components, "vector")?),
                (None, Some(vectors), None) => Rerank::Vectors(multi_vector(&vectors, "vectors")?),
                (None, None, Some(score)) => Rerank::Expression(Text::new(&score, "score")?.to_owned()),
                (None, None, None) => {
                    return Err(invalid(py, "rerank: expected a vector, vectors or a score, got none"));
                }
                _ => {
                    return Err(invalid(
                        py,
                        "rerank: expected one of vector, vectors and score, got several",
                    ));
                }
            };
            QueryStage::Rerank { by, k: arguments.optional_k()? }
        }
        "boost" => {
            QueryStage::Boost { boosts: boosts(Some(&arguments.any("boost")?))?, k: arguments.optional_k()? }
        }
        "mmr" => QueryStage::Mmr {
            k: arguments.k()?,
            lambda: arguments.any("lambda_")?.extract::<Number>()?.named("lambda_")? as f32,
            vector: match arguments.optional("vector")? {
                Some(components) => Some(vector(&components, "vector")?),
                None => None,
            },
        },
        "limit" => QueryStage::Limit(arguments.k()?),
        "min_score" => {
            let score = arguments.any("score")?.extract::<Number>()?.named("score")?;
            QueryStage::MinScore(at_least(score))
        }
        other => {
            let start: String = other.chars().take(40).collect();
            return Err(invalid(py, format!("there is no stage of the kind `{}`", start.escape_debug())));
        }
    })
}

fn fusion(arguments: &Arguments<'_>, depth: usize) -> PyResult<QueryStage> {
    let py = arguments.0.py();
    let name: FusionName = arguments.any("fusion")?.extract()?;
    let mut fusion: Fusion = name.parse().or_raise(py)?;
    if let Fusion::Rrf { k } = &mut fusion {
        *k = arguments.any("rrf_k")?.extract::<Number>()?.named("rrf_k")? as f32;
    }
    let mut queries = Vec::new();
    for item in arguments.any("prefetch")?.try_iter()? {
        let item = item?;
        queries.push(match is_value(&item, "QueryStage")? {
            true => PrefetchQuery::new([stage(&item, depth + 1)?]),
            false => prefetch(&item, depth + 1)?.0,
        });
    }
    let weights = match arguments.optional("weights")? {
        Some(weights) => {
            let weight = |weight: PyResult<Bound<'_, PyAny>>| -> PyResult<f32> {
                Ok(weight?.extract::<Number>()?.named("weights")? as f32)
            };
            weights.try_iter()?.map(weight).collect::<PyResult<_>>()?
        }
        None => Vec::new(),
    };
    Ok(QueryStage::Fusion { prefetch: queries, fusion, weights, k: arguments.k()? })
}

#[pymethods]
impl BaseCollection {
    /// Searches in stages, all of one moment: the first stage searches, the others filter, rescore, reorder or cut.
    ///
    /// Parameters
    /// ----------
    /// query : PrefetchQuery
    ///     With stages made by the methods of `QueryStage`. At most 256, nested 8 deep.
    ///
    /// Returns
    /// -------
    /// list of Neighbor
    ///     `score` is that of the last stage that gave one.
    ///
    /// Raises
    /// ------
    /// InvalidInputError
    ///     For stages in a wrong order or with arguments out of range. The message names the stage.
    ///
    /// Examples
    /// --------
    /// >>> stages = [
    /// ...     vecstore.QueryStage.vector_search([1, 0, 0], k=100),
    /// ...     vecstore.QueryStage.filter({"kind": "fruit"}),
    /// ...     vecstore.QueryStage.rerank([0, 0, 1], k=1),
    /// ... ]
    /// >>> [neighbor.id for neighbor in store.prefetch_query(vecstore.PrefetchQuery(stages))]
    /// ['pear']
    fn prefetch_query<'py>(&self, query: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let (read, include) = prefetch(query, 0)?;
        self.matched(query.py(), Included(include), |engine| engine.search_staged(&read))
    }

    /// Runs one stage of a `PrefetchQuery`, the one at a place in it, on ids with scores that were found elsewhere; a fusion
    /// takes one list of each query that it fuses, any other stage one list.
    fn _search_stage<'py>(
        &self,
        at: usize,
        stage: &Bound<'py, PyAny>,
        found: Vec<Vec<(String, f32)>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let read = self::stage(stage, 0)?;
        self.matched(stage.py(), Included(Include::default()), |engine| {
            engine.search_stage(at, &read, &found)
        })
    }
}
