//! Records of several vectors.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyList};
use vecstore::limits::MAX_K;
use vecstore::{Batch, Extras, MultiQuery, MultiVector};

use super::BaseCollection;
use super::batch::{at_row, check_count, column, named};
use super::search::Wanted;
use crate::arguments::{Id, Included, Int, Number, RecordText, Text, flags, texts, ttl};
use crate::errors::{OrRaise, wrong_type};
use crate::metadata_in::{Keys, document};
use crate::sparse::sparse_vector;
use crate::vectors::multi_vector;

#[pymethods]
impl BaseCollection {
    /// Adds a record of several vectors, such as one for each token of a text, or replaces the one with its id.
    ///
    /// `multi_query` finds it by late interaction. Its `vector`, by which the other searches find it, is their mean (under
    /// cosine of those with length 1), or the first of them where they cancel each other out.
    ///
    /// Parameters
    /// ----------
    /// id : str
    ///     1 to 1,024 bytes of UTF-8.
    /// vectors : array of the shape (n, dim), or list of vectors
    ///     At most 4,194,304 components.
    /// metadata, text, sparse, ttl_seconds
    ///     As in `upsert`.
    ///
    /// Examples
    /// --------
    /// >>> store.upsert_multi("fig", [[1, 0, 0], [0, 0, 1]], {"kind": "fruit"})
    /// >>> store.get("fig").vectors, store.get("fig").vector
    /// ([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], [0.5, 0.0, 0.5])
    #[pyo3(signature = (id, vectors, metadata=None, *, text=None, sparse=None, ttl_seconds=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn upsert_multi(
        &self,
        py: Python<'_>,
        id: Id,
        vectors: &Bound<'_, PyAny>,
        metadata: Option<&Bound<'_, PyAny>>,
        text: Option<RecordText>,
        sparse: Option<&Bound<'_, PyAny>>,
        ttl_seconds: Option<Number>,
    ) -> PyResult<()> {
        let lives = ttl_seconds.map(|seconds| ttl(py, seconds)).transpose()?;
        let vectors = multi_vector(vectors, "vectors")?;
        let document = document(metadata, "metadata", &mut Keys::default())?;
        let sparse = sparse.map(|sparse| sparse_vector(sparse, "sparse")).transpose()?;
        self.run(py, |engine| {
            let mut batch = Batch::with_capacity(vectors.dim(), 1)?;
            let extras = Extras { text: text.as_deref(), sparse: sparse.as_ref(), vectors: Some(&vectors) };
            batch.push_with(&id, &engine.mean_vector(&vectors)?, &document, extras, lives)?;
            engine.upsert_many(batch)
        })
        .map(drop)
    }

    /// Adds or replaces records of several vectors, all or none of them, and returns how many distinct ids there were.
    ///
    /// Parameters
    /// ----------
    /// ids : list of str
    ///     One for each item of `vectors`.
    /// vectors : list of arrays of the shape (n, dim)
    ///     The vectors of each record, as many as it has.
    /// metadatas, texts
    ///     As in `upsert_many`.
    ///
    /// Examples
    /// --------
    /// >>> store.upsert_multi_many(["fig", "nut"], [[[1, 0, 0], [0, 0, 1]], [[0, 1, 0]]])
    /// 2
    #[pyo3(signature = (ids, vectors, metadatas=None, *, texts=None))]
    fn upsert_multi_many(
        &self,
        py: Python<'_>,
        ids: &Bound<'_, PyAny>,
        vectors: &Bound<'_, PyAny>,
        metadatas: Option<&Bound<'_, PyAny>>,
        texts: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<usize> {
        let ids = self::texts(ids, "ids")?;
        let items = vectors.try_iter().map_err(|_| wrong_type("vectors", "a list of 2-D arrays", vectors))?;
        let read = |(at, item): (usize, PyResult<Bound<'_, PyAny>>)| {
            multi_vector(&item?, "vectors").map_err(|error| named(py, "vectors", at, error))
        };
        let vectors: Vec<MultiVector> = items.enumerate().map(read).collect::<PyResult<_>>()?;
        check_count(py, "vectors", vectors.len(), ids.len())?;
        let metadatas = column(metadatas, "metadatas", ids.len())?;
        let texts = column(texts, "texts", ids.len())?;
        let Some(first) = vectors.first() else {
            self.check_open(py)?;
            return Ok(0);
        };
        let mut batch = Batch::with_capacity(first.dim(), ids.len()).or_raise(py)?;
        let mut keys = Keys::default();
        for (row, (id, vectors)) in ids.iter().zip(&vectors).enumerate() {
            let metadata = metadatas.as_ref().map(|all| all.get_item(row)).transpose()?;
            let metadata = metadata.filter(|metadata| !metadata.is_none());
            let document = document(metadata.as_ref(), "metadatas", &mut keys)
                .map_err(|error| named(py, "metadatas", row, error))?;
            let text =
                texts.as_ref().map(|all| all.get_item(row)).transpose()?.filter(|text| !text.is_none());
            let text = text.map(|text| Text::new(&text, &format!("texts[{row}]"))).transpose()?;
            let extras = Extras { text: text.as_deref(), sparse: None, vectors: Some(vectors) };
            let mean = self.engine.mean_vector(vectors).map_err(|error| at_row(py, row, &error))?;
            batch.push_with(id, &mean, &document, extras, None).map_err(|error| at_row(py, row, &error))?;
        }
        self.add(py, batch)
    }

    /// Returns the records that score best by late interaction, best first, ties broken by id: by the sum, over the given
    /// vectors, of the best score of one of the record's vectors with that (MaxSim, as in ColBERT).
    ///
    /// A record that was written with one vector has that one. Candidates are the records whose means are nearest to the
    /// mean of the given vectors and to each of them. They are ordered by scores that are exact.
    ///
    /// Parameters
    /// ----------
    /// vectors : array of the shape (n, dim), or list of vectors
    ///     At most 4,096.
    /// candidates : int, optional
    ///     About how many records are scored. If not given, 10 k, at least 200, and twice as many again as long as that
    ///     changes which are the best, up to 16 times as many.
    /// exact : bool
    ///     Whether to score every record.
    ///
    /// The other parameters are those of `query`.
    ///
    /// Examples
    /// --------
    /// >>> store.upsert_multi("fig", [[1, 0, 0], [0, 0, 1]])
    /// >>> best = store.multi_query([[1, 0, 0], [0, 0, 1]], k=1)[0]
    /// >>> best.id, best.score
    /// ('fig', 2.0)
    #[pyo3(
        signature = (vectors, k=Int::Fits(10), filter=None, *, candidates=None, recall=Number::Is(0.95), exact=false,
                     offset=Int::Fits(0), min_score=None, boost=None, include=Included::DEFAULT, params=None),
        text_signature = "($self, vectors, k=10, filter=None, *, candidates=None, recall=0.95, exact=False, offset=0, min_score=None, include=..., params=None, boost=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn multi_query<'py>(
        &self,
        vectors: &Bound<'py, PyAny>,
        k: Int,
        filter: Option<&Bound<'py, PyAny>>,
        candidates: Option<Int>,
        recall: Number,
        #[pyo3(from_py_with = flags::exact)] exact: bool,
        offset: Int,
        min_score: Option<Number>,
        boost: Option<Bound<'py, PyAny>>,
        include: Included,
        params: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = vectors.py();
        let wanted = Wanted { k, filter, params, recall, exact, offset, min_score, boost };
        let mut query = MultiQuery::new(multi_vector(vectors, "vectors")?).options(wanted.options(py)?);
        if let Some(candidates) = candidates {
            query = query.candidates(candidates.within(py, "candidates", 1..=MAX_K)?);
        }
        self.matched(py, include, |engine| engine.search_multi(&query))
    }
}
