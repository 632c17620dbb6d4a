//! Finding records that are like others, and keeping them out.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyList};
use vecstore::{Duplicate, DuplicateQuery};

use super::batch::Columns;
use super::{BaseCollection, plain_value};
use crate::arguments::{Number, flags, recall};
use crate::filters::optional_filter;

fn asked(
    py: Python<'_>,
    threshold: Number,
    filter: (Option<&Bound<'_, PyAny>>, Option<&Bound<'_, PyAny>>),
    recall: Number,
    exact: bool,
) -> PyResult<DuplicateQuery> {
    let threshold = super::search::at_least(threshold.named("threshold")?);
    let recall = self::recall(py, recall)?;
    Ok(DuplicateQuery::new(threshold).filter(optional_filter(filter.0, filter.1)?).recall(if exact {
        1.0
    } else {
        recall
    }))
}

fn duplicate_list<'py>(py: Python<'py>, duplicates: &[Duplicate]) -> PyResult<Bound<'py, PyList>> {
    let duplicate =
        |found: &Duplicate| plain_value(py, "Duplicate", (&found.id, &found.of, f64::from(found.score)));
    PyList::new(py, duplicates.iter().map(duplicate).collect::<PyResult<Vec<_>>>()?)
}

#[pymethods]
impl BaseCollection {
    /// Returns the records that are too like another one, in order of id. Without them no two records are so like each
    /// other.
    ///
    /// In that order, a record is kept unless its score with one kept before is at least the threshold. One search for each
    /// record: a third of a second for 10,000 of 384 components, on one core.
    ///
    /// Parameters
    /// ----------
    /// threshold : float
    ///     A score, as of `query`.
    /// filter : dict, str or FilterExpr, optional
    ///     Looks at records alone that match.
    /// recall : float
    ///     As in `query`.
    /// exact : bool
    ///     Whether to compare every record with every other.
    /// params : dict, optional
    ///     Values for `:name` in a filter string.
    ///
    /// Returns
    /// -------
    /// list of Duplicate
    ///     Named tuples `id`, `of` (the kept record that it is most like), `score`.
    ///
    /// Examples
    /// --------
    /// >>> [(found.id, found.of) for found in store.find_duplicates(0.98)]
    /// [('pear', 'apple')]
    #[pyo3(
        signature = (threshold=Number::Is(0.98), filter=None, *, recall=Number::Is(0.99), exact=false, params=None),
        text_signature = "($self, threshold=0.98, filter=None, *, recall=0.99, exact=False, params=None)"
    )]
    fn find_duplicates<'py>(
        &self,
        py: Python<'py>,
        threshold: Number,
        filter: Option<&Bound<'py, PyAny>>,
        recall: Number,
        #[pyo3(from_py_with = flags::exact)] exact: bool,
        params: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let query = asked(py, threshold, (filter, params), recall, exact)?;
        let found = self.run_long(py, |engine| engine.find_duplicates(&query))?;
        duplicate_list(py, &found)
    }

    /// Adds or replaces the records that are not like another one, all or none of those, and says which were left out.
    ///
    /// A record is left out if its score with a record of another id is at least the threshold: with one that is there
    /// already, or with one before it in the call. Other writes wait meanwhile, so that two threads that bring the same do not
    /// both bring it.
    ///
    /// Parameters
    /// ----------
    /// ids, vectors, metadatas, texts, sparse
    ///     As in `upsert_many`.
    /// threshold : float
    ///     A score, as of `query`.
    /// recall, exact
    ///     As in `find_duplicates`.
    ///
    /// Returns
    /// -------
    /// UniqueResult
    ///     With `written` and `duplicates`.
    ///
    /// Examples
    /// --------
    /// >>> result = store.upsert_unique(["fig", "nut"], [[0.9, 0.1, 0.0], [0.0, 0.0, 1.0]])
    /// >>> result.written, [(found.id, found.of) for found in result.duplicates]
    /// (1, [('fig', 'apple')])
    #[pyo3(
        signature = (ids, vectors, metadatas=None, *, threshold=Number::Is(0.98), texts=None, sparse=None,
                     recall=Number::Is(0.99), exact=false),
        text_signature = "($self, ids, vectors, metadatas=None, *, threshold=0.98, texts=None, sparse=None, recall=0.99, exact=False)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn upsert_unique<'py>(
        &self,
        py: Python<'py>,
        ids: &Bound<'py, PyAny>,
        vectors: &Bound<'py, PyAny>,
        metadatas: Option<&Bound<'py, PyAny>>,
        threshold: Number,
        texts: Option<&Bound<'py, PyAny>>,
        sparse: Option<&Bound<'py, PyAny>>,
        recall: Number,
        #[pyo3(from_py_with = flags::exact)] exact: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let query = asked(py, threshold, (None, None), recall, exact)?;
        let outcome = match (Columns { ids, vectors, metadatas, texts, sparse }).batch(py, false)? {
            Some(batch) => self.run_long(py, |engine| engine.upsert_unique(batch, &query))?,
            None => {
                self.check_open(py)?;
                vecstore::UniqueOutcome::default()
            }
        };
        plain_value(py, "UniqueResult", (outcome.written, duplicate_list(py, &outcome.duplicates)?))
    }
}
