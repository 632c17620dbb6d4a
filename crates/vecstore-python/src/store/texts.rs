//! Searching by words, by sparse vectors, and by both kinds with vectors.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyList};
use vecstore::limits::MAX_K;
use vecstore::{
    Fusion, Highlight, Hits, HybridHits, HybridQuery, Include, QueryOptions, SparseQuery, TextQuery,
};

use super::search::Wanted;
use super::{BaseCollection, plain_value};
use crate::arguments::{
    After, Before, FusionName, Id, Included, Int, Keywords, Number, RecordText, Text, flags, recall,
};
use crate::errors::{OrRaise, invalid, wrong_type};
use crate::neighbors::{neighbor_list, touch};
use crate::sparse::sparse_vector;
use crate::vectors::vector;

/// Reads the arguments that all these searches have.
pub(super) fn matching<'py>(
    py: Python<'py>,
    (k, offset): (Int, Int),
    (filter, params): (Option<&Bound<'py, PyAny>>, Option<&Bound<'py, PyAny>>),
    min_score: Option<Number>,
    boost: Option<Bound<'py, PyAny>>,
) -> PyResult<QueryOptions> {
    let (recall, exact) = (Number::Is(0.95), false);
    Wanted { k, filter, params, recall, exact, offset, min_score, boost }.options(py)
}

/// Reads what fields count, by name.
pub(super) fn field_boosts(boosts: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<(String, f32)>> {
    let Some(boosts) = boosts.filter(|boosts| !boosts.is_none()) else { return Ok(Vec::new()) };
    let Ok(dict) = boosts.cast::<PyDict>() else {
        return Err(wrong_type("boosts", "a dict of field to number", boosts));
    };
    let boost = |(field, factor): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let field = Text::new(&field, "boosts")?.to_owned();
        let factor = factor.extract::<Number>()?.named(&format!("boosts[{field:?}]"))?;
        Ok((field, factor as f32))
    };
    dict.iter().map(boost).collect()
}

/// The arguments of a hybrid search besides those.
struct Fusing {
    alpha: Number,
    fusion: FusionName,
    rrf_k: Number,
    candidates: Option<Int>,
    autocut: Option<Int>,
    recall: Number,
    exact: bool,
}

fn hybrid(
    vector: &Bound<'_, PyAny>,
    keywords: &str,
    options: QueryOptions,
    boosts: Vec<(String, f32)>,
    fusing: Fusing,
) -> PyResult<HybridQuery> {
    let py = vector.py();
    let mut fusion: Fusion = fusing.fusion.parse().or_raise(py)?;
    if let Fusion::Rrf { k } = &mut fusion {
        *k = fusing.rrf_k.named("rrf_k")? as f32;
    }
    let alpha = fusing.alpha.named("alpha")?;
    // Checked before it is rounded: no number beyond 1 becomes 1.
    if !(0.0..=1.0).contains(&alpha) {
        return Err(invalid(py, format!("alpha must be between 0 and 1, got {alpha}")));
    }
    let mut query = HybridQuery::new(self::vector(vector, "vector")?, keywords)
        .options(options)
        .alpha(alpha as f32)
        .fusion(fusion)
        .recall(recall(py, fusing.recall)?)
        .exact(fusing.exact);
    if let Some(candidates) = fusing.candidates {
        query = query.candidates(candidates.within(py, "candidates", 1..=MAX_K)?);
    }
    if let Some(jumps) = fusing.autocut {
        query = query.autocut(jumps.within(py, "autocut", 1..=1000)?);
    }
    for (field, factor) in boosts {
        query = query.boost(field, factor);
    }
    Ok(query)
}

/// Reads a `HybridQuery`, and what its neighbors carry.
pub(super) fn asked_hybrid(query: &Bound<'_, PyAny>) -> PyResult<(HybridQuery, Include)> {
    let py = query.py();
    let filter: Option<Bound<'_, PyAny>> = query.getattr("filter")?.extract()?;
    let (k, offset) = (query.getattr("k")?.extract()?, query.getattr("offset")?.extract()?);
    let min_score = query.getattr("min_score")?.extract()?;
    let boost: Option<Bound<'_, PyAny>> = query.getattr("boost")?.extract()?;
    let options = matching(py, (k, offset), (filter.as_ref(), None), min_score, boost)?;
    let fusing = Fusing {
        alpha: query.getattr("alpha")?.extract()?,
        fusion: query.getattr("fusion")?.extract()?,
        rrf_k: query.getattr("rrf_k")?.extract()?,
        candidates: query.getattr("candidates")?.extract()?,
        autocut: query.getattr("autocut")?.extract()?,
        recall: query.getattr("recall")?.extract()?,
        exact: query.getattr("exact")?.extract()?,
    };
    let keywords: Keywords = query.getattr("keywords")?.extract()?;
    let boosts = field_boosts(Some(&query.getattr("boosts")?))?;
    let Included(include) = query.getattr("include")?.extract()?;
    Ok((hybrid(&query.getattr("vector")?, &keywords, options, boosts, fusing)?, include))
}

impl BaseCollection {
    pub(super) fn matched<'py>(
        &self,
        py: Python<'py>,
        Included(include): Included,
        search: impl FnOnce(&vecstore::Collection) -> vecstore::Result<Hits> + Send,
    ) -> PyResult<Bound<'py, PyList>> {
        let hits = self.run(py, |engine| {
            let hits = search(engine)?;
            touch(&hits, include)?;
            Ok(hits)
        })?;
        neighbor_list(py, &hits, include)
    }

    /// Runs a hybrid query and returns its neighbors, each with where each arm had it.
    pub(super) fn explain_hybrid<'py>(
        &self,
        py: Python<'py>,
        query: &HybridQuery,
        include: Include,
        offset: usize,
        names: (&str, f64),
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let found: HybridHits = self.run(py, |engine| {
            let found = engine.search_hybrid(query)?;
            touch(found.hits(), include)?;
            Ok(found)
        })?;
        let neighbors = neighbor_list(py, found.hits(), include)?;
        let explained = |(at, neighbor): (usize, Bound<'py, PyAny>)| {
            let (vector, text) = (found.vector_arm(at), found.text_arm(at));
            let parts = (
                offset + at + 1,
                names.0,
                names.1,
                vector.map(|arm| arm.rank + 1),
                vector.map(|arm| arm.score),
                text.map(|arm| arm.rank + 1),
                text.map(|arm| arm.score),
            );
            let explanation = plain_value(py, "HybridExplanation", parts)?;
            plain_value(py, "ExplainedNeighbor", (neighbor, explanation))
        };
        neighbors.iter().enumerate().map(explained).collect()
    }
}

#[pymethods]
impl BaseCollection {
    /// Sets the text of a record, and makes it findable by its words. The rest of the record stays.
    ///
    /// Parameters
    /// ----------
    /// id : str
    ///     Of the record.
    /// text : str
    ///     Replaces the text that was there.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     If there is no such record.
    ///
    /// Examples
    /// --------
    /// >>> store.index_text("apple", "a crisp red apple")
    /// >>> store.text_query("crisp")[0].id
    /// 'apple'
    fn index_text(&self, py: Python<'_>, id: Id, text: RecordText) -> PyResult<()> {
        self.run(py, |engine| engine.index_text(&id, &text))
    }

    /// Returns the records whose texts match words best, by BM25, best first, ties broken by id.
    ///
    /// `solar panel` finds records with either word; `+solar` must be there, `-panel` must not; `"solar panel"` are the two
    /// in a row; `sol*` is any word that starts so.
    ///
    /// Parameters
    /// ----------
    /// keywords : str
    ///     At most 64 KiB. What the analyzer makes no term of (stop words, punctuation) finds nothing.
    /// k : int
    ///     The most neighbors, 1 to 16,777,216.
    /// filter : dict, str or FilterExpr, optional
    ///     Restricts the search. It changes no score: those go by all records of the store.
    /// offset : int
    ///     How many of the best are left out, for paging.
    /// min_score : float, optional
    ///     Leaves out neighbors of a lower score.
    /// boost : Decay, FieldBoost, FilterBoost or list of them, optional
    ///     Changes scores by metadata. The order is that of boosted scores over all records found.
    /// boosts : dict of str to float, optional
    ///     What multiplies the score of a field: of `text`, or of one of the store's `text_fields`; 1 if it is not named. With
    ///     0 the field is not searched.
    /// include : iterable of str
    ///     Of `metadata`, `vector` and `text`, what each neighbor carries.
    /// params : dict, optional
    ///     What `:name` in a filter given as a string stands for.
    ///
    /// Returns
    /// -------
    /// list of Neighbor
    ///     `score` is the BM25 score, `distance` the same with its sign changed.
    ///
    /// Examples
    /// --------
    /// >>> store.index_text("apple", "a crisp red apple")
    /// >>> store.index_text("leek", "a crisp green leek")
    /// >>> [neighbor.id for neighbor in store.text_query("crisp -green")]
    /// ['apple']
    #[pyo3(
        signature = (keywords, k=Int::Fits(10), filter=None, *, offset=Int::Fits(0), min_score=None, boost=None, boosts=None,
                     include=Included::DEFAULT, params=None),
        text_signature = "($self, keywords, k=10, filter=None, *, offset=0, min_score=None, boosts=None, include=..., params=None, boost=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn text_query<'py>(
        &self,
        py: Python<'py>,
        keywords: Keywords,
        k: Int,
        filter: Option<&Bound<'py, PyAny>>,
        offset: Int,
        min_score: Option<Number>,
        boost: Option<Bound<'py, PyAny>>,
        boosts: Option<&Bound<'py, PyAny>>,
        include: Included,
        params: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let options = matching(py, (k, offset), (filter, params), min_score, boost)?;
        let mut query = TextQuery::new(&*keywords).options(options);
        for (field, factor) in field_boosts(boosts)? {
            query = query.boost(field, factor);
        }
        self.matched(py, include, |engine| engine.search_text(&query))
    }

    /// Returns the records whose sparse vectors have the largest dot product with one, best first, ties broken by id.
    ///
    /// Parameters
    /// ----------
    /// indices_values : pair (indices, values), or dict of int to float
    ///     In any order; each index, 0 to 4,294,967,295, once. Also a list of tuples (index, value), and objects with
    ///     `indices` and `values`.
    ///
    /// The other parameters are those of `text_query`.
    ///
    /// Returns
    /// -------
    /// list of Neighbor
    ///     Only records that share an index with it. `score` is the dot product.
    ///
    /// Examples
    /// --------
    /// >>> store.upsert("fig", [1, 0, 0], sparse={7: 0.5, 90: 1.0})
    /// >>> store.sparse_query(([90, 7], [2.0, 1.0]))[0].score
    /// 2.5
    #[pyo3(
        signature = (indices_values, k=Int::Fits(10), filter=None, *, offset=Int::Fits(0), min_score=None, boost=None,
                     include=Included::DEFAULT, params=None),
        text_signature = "($self, indices_values, k=10, filter=None, *, offset=0, min_score=None, include=..., params=None, boost=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn sparse_query<'py>(
        &self,
        indices_values: &Bound<'py, PyAny>,
        k: Int,
        filter: Option<&Bound<'py, PyAny>>,
        offset: Int,
        min_score: Option<Number>,
        boost: Option<Bound<'py, PyAny>>,
        include: Included,
        params: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = indices_values.py();
        let options = matching(py, (k, offset), (filter, params), min_score, boost)?;
        let query = SparseQuery::new(sparse_vector(indices_values, "indices_values")?).options(options);
        self.matched(py, include, |engine| engine.search_sparse(&query))
    }

    /// Returns the records that match a vector and words best, best first, ties broken by id.
    ///
    /// Two searches, the arms, each find their best records, and a fusion makes one ranking of both.
    ///
    /// Parameters
    /// ----------
    /// vector : sequence of numbers or buffer, of the shape (dim,)
    ///     As in `query`.
    /// keywords : str
    ///     As in `text_query`.
    /// k : int
    ///     The most neighbors, 1 to 16,777,216.
    /// alpha : float
    ///     How much the vector counts: 1 is the ranking of the vector alone, 0 that of the words alone.
    /// filter : dict, str or FilterExpr, optional
    ///     Restricts both arms.
    /// fusion : str
    ///     `rrf`: by reciprocal ranks. `relative`: by scores, each arm's from 0 to 1. `dbsf`: by scores in standard deviations
    ///     of the arm. `weighted`: by raw scores. `max`, `min`, `mnz`: the largest, the smallest, or the sum times the number
    ///     of arms, of relative scores. `borda`: by places. `isr`: by inverse squares of ranks.
    /// rrf_k : float
    ///     How little the first ranks of `rrf` stand out.
    /// candidates : int, optional
    ///     How many records each arm finds; as many as are wanted if not given. With more, such as 50, records that are
    ///     good but not best in both arms move up; each arm takes longer. Pages follow each other only if it is set.
    /// autocut : int, optional
    ///     Ends the results at so many jumps of the fused scores.
    /// boosts : dict of str to float, optional
    ///     As in `text_query`.
    /// recall, exact
    ///     Of the vector's arm, as in `query`.
    /// offset, min_score, boost, include, params
    ///     As in `query`; `min_score` and `boost` are of the fused score. With `boost`, each arm finds 16 times what is
    ///     wanted, at least 256, unless `candidates` says how many.
    ///
    /// Returns
    /// -------
    /// list of Neighbor
    ///     `score` is the fused score. `query_explain(HybridQuery(...))` also says where each arm had them.
    ///
    /// Examples
    /// --------
    /// >>> store.index_text("leek", "a crisp green leek")
    /// >>> [neighbor.id for neighbor in store.hybrid_query([1, 0, 0], "crisp", k=2, alpha=0.4)]
    /// ['leek', 'apple']
    #[pyo3(
        signature = (vector, keywords, k=Int::Fits(10), alpha=Number::Is(0.7), filter=None, *,
                     fusion=None, rrf_k=Number::Is(60.0), candidates=None, autocut=None, boosts=None,
                     recall=Number::Is(0.95), exact=false, offset=Int::Fits(0), min_score=None, boost=None,
                     include=Included::DEFAULT, params=None),
        text_signature = "($self, vector, keywords, k=10, alpha=0.7, filter=None, *, fusion='rrf', rrf_k=60.0, candidates=None, autocut=None, boosts=None, recall=0.95, exact=False, offset=0, min_score=None, include=..., params=None, boost=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn hybrid_query<'py>(
        &self,
        vector: &Bound<'py, PyAny>,
        keywords: Keywords,
        k: Int,
        alpha: Number,
        filter: Option<&Bound<'py, PyAny>>,
        fusion: Option<FusionName>,
        rrf_k: Number,
        candidates: Option<Int>,
        autocut: Option<Int>,
        boosts: Option<&Bound<'py, PyAny>>,
        recall: Number,
        #[pyo3(from_py_with = flags::exact)] exact: bool,
        offset: Int,
        min_score: Option<Number>,
        boost: Option<Bound<'py, PyAny>>,
        include: Included,
        params: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = vector.py();
        let options = matching(py, (k, offset), (filter, params), min_score, boost)?;
        let fusion = match fusion {
            Some(fusion) => fusion,
            None => FusionName::default_of(py)?,
        };
        let fusing = Fusing { alpha, fusion, rrf_k, candidates, autocut, recall, exact };
        let query = hybrid(vector, &keywords, options, field_boosts(boosts)?, fusing)?;
        self.matched(py, include, |engine| Ok(engine.search_hybrid(&query)?.hits().clone()))
    }

    /// Returns passages of a text that show what of the keywords is in it, as the store's analyzer sees it.
    ///
    /// Parameters
    /// ----------
    /// keywords : str
    ///     As in `text_query`.
    /// text : str
    ///     Such as `neighbor.text`, or any other.
    /// before, after : str
    ///     What stands around a word that was asked for.
    /// length : int
    ///     The most characters of a passage, without these marks; 0 is the whole text.
    /// passages : int
    ///     The most passages: those with the most different words, in the order of the text.
    ///
    /// Returns
    /// -------
    /// list of str
    ///     Empty if nothing of the keywords is in the text.
    ///
    /// Examples
    /// --------
    /// >>> store.highlight("crisp", "a crisp red apple")
    /// ['a <b>crisp</b> red apple']
    #[pyo3(
        signature = (keywords, text, *, before=None, after=None, length=Int::Fits(160), passages=Int::Fits(3)),
        text_signature = "($self, keywords, text, *, before='<b>', after='</b>', length=160, passages=3)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn highlight(
        &self,
        py: Python<'_>,
        keywords: Keywords,
        text: RecordText,
        before: Option<Before>,
        after: Option<After>,
        length: Int,
        passages: Int,
    ) -> PyResult<Vec<String>> {
        let how = Highlight {
            before: before.as_deref().unwrap_or("<b>").to_owned(),
            after: after.as_deref().unwrap_or("</b>").to_owned(),
            length: length.within(py, "length", 0..=1 << 24)?,
            passages: passages.within(py, "passages", 0..=1000)?,
        };
        self.run(py, |engine| engine.highlight(&keywords, &text, &how))
    }
}
