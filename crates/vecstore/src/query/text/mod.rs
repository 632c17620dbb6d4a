//! Searches by words and by sparse vectors: what callers ask, and what that means to the inverted indexes.

mod best;
mod highlight;
mod parse;
mod phrase;
mod plan;
mod run;
mod statistics;

pub use highlight::Highlight;
pub(crate) use highlight::highlight;
pub(crate) use plan::Plan;
pub(crate) use run::{TextSearch, search_texts, statistics};
pub use statistics::TextStatistics;

use super::options::{QueryOptions, search_setters};
use crate::error::{Error, Result};
use crate::limits::MAX_QUERY_TEXT_BYTES;
use crate::sparse::SparseVector;

/// A search for the records whose texts match words best, by BM25 (k1 1.2, b 0.75).
///
/// | in the words | matches |
/// |---|---|
/// | `solar panel` | records with either, those with both first |
/// | `+solar panel` | records with `solar`; `panel` adds to their score |
/// | `solar -panel` | records with `solar` and without `panel` |
/// | `"solar panel"` | records with the two next to each other, in this order |
/// | `sol*` | records with a word that starts so; of more than 1,024 such words, the most frequent |
///
/// A word that occurs twice counts twice. Words that the analyzer leaves out (stop words) match nothing and exclude nothing.
///
/// # Examples
///
/// ```
/// use vecstore::{Record, TextQuery, VecStore};
///
/// let store = VecStore::options().open_in_memory()?;
/// store.upsert_record(&Record::new("a", [1.0, 0.0]).with_text("A red fox"), None)?;
/// store.upsert_record(&Record::new("b", [0.0, 1.0]).with_text("A red car"), None)?;
/// let found = store.text_query(&TextQuery::new("red -car"))?;
/// assert_eq!(found.len(), 1);
/// assert_eq!(found[0].id, "a");
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TextQuery {
    pub(crate) keywords: String,
    pub(crate) boosts: Vec<(String, f32)>,
    pub(crate) options: QueryOptions,
    pub(crate) statistics: Option<TextStatistics>,
}

impl TextQuery {
    /// Makes a search for the 10 records that match `keywords` best.
    pub fn new(keywords: impl Into<String>) -> Self {
        Self {
            keywords: keywords.into(),
            boosts: Vec::new(),
            options: QueryOptions::default(),
            statistics: None,
        }
    }

    /// Scores by these statistics instead of those of the collection that is searched: see [`TextStatistics`].
    pub fn statistics(mut self, statistics: TextStatistics) -> Self {
        self.statistics = Some(statistics);
        self
    }

    /// Multiplies what a field adds to scores: `text` for the records' own texts, or one of the
    /// [`text_fields`](crate::OpenOptions::text_fields); 1 without it. With 0 the field is not searched.
    pub fn boost(mut self, field: impl Into<String>, factor: f32) -> Self {
        self.boosts.push((field.into(), factor));
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.options.check()?;
        check_keywords(&self.keywords)
    }
}

pub(crate) fn check_keywords(keywords: &str) -> Result<()> {
    if keywords.len() > MAX_QUERY_TEXT_BYTES {
        return Err(Error::invalid(format!(
            "the keywords of a query may have {MAX_QUERY_TEXT_BYTES} bytes, got {}",
            keywords.len()
        )));
    }
    Ok(())
}

/// A search for the records whose sparse vectors have the largest dot product with one. Records that share no dimension with
/// it are not found.
///
/// # Examples
///
/// ```
/// use vecstore::{Record, SparseQuery, SparseVector, VecStore};
///
/// let store = VecStore::options().open_in_memory()?;
/// let sparse = SparseVector::new([(7, 0.5), (90, 1.0)])?;
/// store.upsert_record(&Record::new("a", [1.0, 0.0]).with_sparse(sparse), None)?;
/// let found = store.sparse_query(&SparseQuery::new(SparseVector::new([(90, 2.0)])?))?;
/// assert_eq!((found[0].id.as_str(), found[0].score), ("a", 2.0));
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SparseQuery {
    pub(crate) sparse: SparseVector,
    pub(crate) options: QueryOptions,
}

impl SparseQuery {
    /// Makes a search for the 10 records with the largest dot products.
    pub fn new(sparse: SparseVector) -> Self {
        Self { sparse, options: QueryOptions::default() }
    }
}

search_setters!(TextQuery SparseQuery);
