//! What `vecstore.distributed` needs of a collection that holds a part of the records: statistics of texts out and in, keys
//! that merge as one store orders, and whole records by their ids.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyBytes, PyDict, PyList};
use vecstore::{Rankings, TextQuery, TextStatistics, metadata};

use super::BaseCollection;
use super::boosts::boosts;
use super::search::Wanted;
use super::texts::{field_boosts, matching};
use super::tools::recommend_query;
use crate::arguments::{FusionName, Included, Int, Keywords, Number, Strategy, texts};
use crate::errors::OrRaise;
use crate::exchange::RowBatches;
use crate::metadata_in;
use crate::packed_answers::pack;

/// Counts by term, as Python has them.
type Counts = BTreeMap<Vec<u8>, u64>;

fn dict_of_counts<'py>(py: Python<'py>, counts: &Counts) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, count) in counts {
        dict.set_item(PyBytes::new(py, key), count)?;
    }
    Ok(dict)
}

fn text_query(keywords: &str, field_boosts: Vec<(String, f32)>) -> TextQuery {
    field_boosts.into_iter().fold(TextQuery::new(keywords), |query, (field, by)| query.boost(field, by))
}

#[pymethods]
impl BaseCollection {
    /// Returns what `text_query` scores these keywords by: for each field its records and their terms, records by term, and
    /// for each prefix records by term.
    #[pyo3(signature = (keywords, boosts=None))]
    #[expect(clippy::type_complexity, reason = "it is a tuple in Python")]
    fn _text_statistics<'py>(
        &self,
        py: Python<'py>,
        keywords: Keywords,
        boosts: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Vec<(u64, u64)>, Bound<'py, PyDict>, Vec<Bound<'py, PyDict>>)> {
        let query = text_query(&keywords, field_boosts(boosts)?);
        let found = self.run(py, |engine| engine.text_statistics(&query))?;
        let prefixes = found.prefixes.iter().map(|terms| dict_of_counts(py, terms));
        Ok((found.fields, dict_of_counts(py, &found.terms)?, prefixes.collect::<PyResult<_>>()?))
    }

    /// Does what `text_query` does, scored by the sum of what `_text_statistics` of several collections returned.
    #[pyo3(signature = (statistics, keywords, k, filter=None, *, min_score=None, boost=None, boosts=None,
                        include=Included::DEFAULT, params=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn _text_query<'py>(
        &self,
        py: Python<'py>,
        statistics: (Vec<(u64, u64)>, Counts, Vec<Counts>),
        keywords: Keywords,
        k: Int,
        filter: Option<&Bound<'py, PyAny>>,
        min_score: Option<Number>,
        boost: Option<Bound<'py, PyAny>>,
        boosts: Option<&Bound<'py, PyAny>>,
        include: Included,
        params: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let options = matching(py, (k, Int::Fits(0)), (filter, params), min_score, boost)?;
        let (fields, terms, prefixes) = statistics;
        let query = text_query(&keywords, field_boosts(boosts)?)
            .options(options)
            .statistics(TextStatistics { fields, terms, prefixes });
        self.matched(py, include, |engine| engine.search_text(&query))
    }

    /// Does what `recommend` does, and returns it in bytes, for `_merge_answers`.
    #[pyo3(signature = (positive, negative, k, filter=None, *, strategy=None, recall=Number::Is(0.95), exact=false,
                        min_score=None, boost=None, include=Included::DEFAULT, params=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn _recommended<'py>(
        &self,
        positive: &Bound<'py, PyAny>,
        negative: &Bound<'py, PyAny>,
        k: Int,
        filter: Option<&Bound<'py, PyAny>>,
        strategy: Option<Strategy>,
        recall: Number,
        exact: bool,
        min_score: Option<Number>,
        boost: Option<Bound<'py, PyAny>>,
        include: Included,
        params: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let py = positive.py();
        let is_boosted = boost.as_ref().map_or(Ok(false), PyAnyMethods::is_truthy)?;
        let wanted = Wanted { k, filter, params, recall, exact, offset: Int::Fits(0), min_score, boost };
        let query = recommend_query(positive, Some(negative), strategy, wanted)?;
        let packed =
            self.run(py, |engine| pack(&[engine.search_recommended(&query)?], include.0, is_boosted))?;
        Ok(PyBytes::new(py, &packed))
    }

    /// Returns the records with these ids, soft-deleted ones included, as `_RowBatches` hands them out. Those that are not
    /// there are passed over.
    fn _rows_of(&self, py: Python<'_>, ids: &Bound<'_, PyAny>, batch_rows: usize) -> PyResult<RowBatches> {
        let ids = texts(ids, "ids")?;
        let records = self.run(py, |engine| engine.records_of(ids.iter().map(|id| &**id)))?;
        Ok(RowBatches::new(records, batch_rows.max(1)))
    }
}

/// Makes one ranking of two, of a vector and of words, as `hybrid_query` does: ids with their scores, best first.
#[pyfunction(name = "_fuse")]
#[pyo3(signature = (vector_arm, text_arm, alpha, fusion, rrf_k, autocut=None, boost=None, metadatas=None,
                    now_unix_ms=0))]
#[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub(crate) fn fuse<'py>(
    py: Python<'py>,
    vector_arm: Vec<(String, f32)>,
    text_arm: Vec<(String, f32)>,
    alpha: Number,
    fusion: FusionName,
    rrf_k: Number,
    autocut: Option<Int>,
    boost: Option<&Bound<'py, PyAny>>,
    metadatas: Option<&Bound<'py, PyDict>>,
    now_unix_ms: u64,
) -> PyResult<Vec<(String, f32)>> {
    let mut fusion: vecstore::Fusion = fusion.parse().or_raise(py)?;
    if let vecstore::Fusion::Rrf { k } = &mut fusion {
        *k = rrf_k.named("rrf_k")? as f32;
    }
    let alpha = alpha.named("alpha")? as f32;
    let rankings = Rankings { arms: [&vector_arm, &text_arm], alpha, fusion };
    let mut fused = rankings.fused().or_raise(py)?;
    let boosts = boosts(boost)?;
    if !boosts.is_empty() {
        let mut documents = BTreeMap::new();
        for (id, one) in metadatas.into_iter().flatten() {
            let metadata = metadata_in::metadata(Some(&one), "metadata", py)?;
            documents.insert(id.extract::<String>()?, metadata::encode(&metadata).or_raise(py)?);
        }
        let empty = metadata::encode(&vecstore::Metadata::default()).or_raise(py)?;
        let document = |id: &str| documents.get(id).unwrap_or(&empty).clone();
        Rankings::boost(&mut fused, &boosts, now_unix_ms, document).or_raise(py)?;
    }
    if let Some(jumps) = autocut {
        Rankings::autocut(&mut fused, jumps.within(py, "autocut", 1..=1000)?).or_raise(py)?;
    }
    Ok(fused)
}
