//! Records as callers give and get them.

use std::collections::HashSet;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::limits::{MAX_CALL_BYTES, MAX_DIM, MAX_ID_BYTES, MAX_TEXT_BYTES};
use crate::memory_check::check_memory;
use crate::metadata::{Document, Metadata};
use crate::multi_vector::MultiVector;
use crate::sparse::SparseVector;
use crate::storage::body::{Body, SparseRef, TokensRef, encode_sparse};
use crate::storage::rows::RowsBuilder;

/// A record: an id, a vector and what is known about them.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// The id, unique in its collection.
    pub id: String,
    /// The vector, as it was given.
    pub vector: Vec<f32>,
    /// Several vectors, if they were given; `vector` is then what plain searches find the record by.
    pub vectors: Option<MultiVector>,
    /// The metadata, empty if none was given.
    pub metadata: Metadata,
    /// The text, if one was given.
    pub text: Option<String>,
    /// The sparse vector, if one was given.
    pub sparse: Option<SparseVector>,
    /// When the record expires, in milliseconds since the Unix epoch, if it does.
    pub expires_at_unix_ms: Option<u64>,
    /// Whether the record is soft-deleted. Only listings of deleted records return such records; one that is written with
    /// this set is hidden from the start.
    pub deleted: bool,
}

impl Record {
    /// Makes a record of an id and a vector.
    pub fn new(id: impl Into<String>, vector: impl Into<Vec<f32>>) -> Self {
        Self { id: id.into(), vector: vector.into(), ..Self::default() }
    }

    /// Sets the metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: impl Into<Metadata>) -> Self {
        self.metadata = metadata.into();
        self
    }

    /// Sets several vectors: see [`Collection::upsert_multi`](crate::Collection::upsert_multi).
    #[must_use]
    pub fn with_vectors(mut self, vectors: MultiVector) -> Self {
        self.vectors = Some(vectors);
        self
    }

    /// Sets the text.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// Sets the sparse vector.
    #[must_use]
    pub fn with_sparse(mut self, sparse: SparseVector) -> Self {
        self.sparse = Some(sparse);
        self
    }
}

/// Records on their way into a collection, in columns. Adding to it checks what can be checked without the
/// collection.
///
/// # Examples
///
/// ```
/// use vecstore::{Batch, Record, VecStore};
///
/// let store = VecStore::options().open_in_memory()?;
/// let mut batch = Batch::new(2)?;
/// batch.push(&Record::new("a", [1.0, 0.0]).with_metadata([("page", 1.into())]), None)?;
/// batch.push(&Record::new("b", [0.0, 1.0]), None)?;
/// store.upsert_many(batch)?;
/// assert_eq!(store.len()?, 2);
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batch {
    pub(crate) rows: RowsBuilder,
    /// Times to live, as (row, time); they count from the moment of the write.
    pub(crate) ttls: Vec<(usize, Duration)>,
    /// The ids whose last record is soft-deleted.
    pub(crate) hidden: HashSet<String>,
}

impl Batch {
    /// Makes an empty batch of vectors of `dim` components.
    ///
    /// # Errors
    ///
    /// `InvalidInput` unless `dim` is between 1 and 65,536; `Io` if the memory cannot be had.
    pub fn new(dim: usize) -> Result<Self> {
        Self::with_capacity(dim, 0)
    }

    /// Makes an empty batch with space for `records`.
    pub fn with_capacity(dim: usize, records: usize) -> Result<Self> {
        if !(1..=MAX_DIM).contains(&dim) {
            return Err(Error::invalid(format!(
                "a vector has between 1 and {MAX_DIM} components, got {dim}"
            )));
        }
        // More than a call may hold is refused as it is added, not reserved in advance.
        let records = records.min(MAX_CALL_BYTES / (dim * 4));
        check_memory(records * (dim * 4 + 8), "a batch")?;
        Ok(Self { rows: RowsBuilder::with_capacity(records, dim), ttls: Vec::new(), hidden: HashSet::new() })
    }

    /// Returns the number of records.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a record; of records with the same id the last counts. `ttl` is how long it lives after the write;
    /// without it, `expires_at_unix_ms` counts. One that is `deleted` is written soft-deleted, and never seen by reads.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for an empty or too long id, metadata or text; `DimensionMismatch` for a vector of another
    /// dimension than the batch has. The batch stays as it was.
    pub fn push(&mut self, record: &Record, ttl: Option<Duration>) -> Result<()> {
        let document = Document::new(&record.metadata)?;
        let (text, sparse) = (record.text.as_deref(), record.sparse.as_ref());
        let extras = Extras { text, sparse, vectors: record.vectors.as_ref() };
        self.push_with(&record.id, &record.vector, &document, extras, ttl)?;
        if let (Some(at), None) = (record.expires_at_unix_ms, ttl) {
            self.rows.set_last_expiry(at);
        }
        if record.deleted {
            self.hidden.insert(record.id.clone());
        }
        Ok(())
    }

    /// Adds a record whose metadata is encoded already (see [`crate::metadata::DocumentBuilder`]).
    pub fn push_encoded(
        &mut self,
        id: &str,
        vector: &[f32],
        document: &Document,
        text: Option<&str>,
        ttl: Option<Duration>,
    ) -> Result<()> {
        self.push_with_sparse(id, vector, document, text, None, ttl)
    }

    /// Does what [`Batch::push_encoded`] does for a record that may have a sparse vector.
    pub fn push_with_sparse(
        &mut self,
        id: &str,
        vector: &[f32],
        document: &Document,
        text: Option<&str>,
        sparse: Option<&SparseVector>,
        ttl: Option<Duration>,
    ) -> Result<()> {
        self.push_with(id, vector, document, Extras { text, sparse, vectors: None }, ttl)
    }

    /// Does what [`Batch::push_encoded`] does for a record with all it can have.
    pub fn push_with(
        &mut self,
        id: &str,
        vector: &[f32],
        document: &Document,
        extras: Extras<'_>,
        ttl: Option<Duration>,
    ) -> Result<()> {
        let Extras { text, sparse, vectors } = extras;
        check_id(id)?;
        if vector.len() != self.rows.dim() {
            return Err(dimension_mismatch(self.rows.dim(), vector.len()));
        }
        check_text(text)?;
        if let Some(vectors) = vectors
            && vectors.dim() != self.rows.dim()
        {
            return Err(dimension_mismatch(self.rows.dim(), vectors.dim()));
        }
        let tokens = vectors.map(|vectors| TokensRef::new(vectors.components()));
        let document = document.as_bytes();
        let sparse = sparse.map(|sparse| encode_sparse(sparse.components()));
        let sparse = sparse.as_deref();
        let extra = text.map_or(0, str::len)
            + sparse.map_or(0, <[u8]>::len)
            + vectors.map_or(0, |vectors| vectors.components().len() * 4);
        let bytes = id.len() + vector.len() * 4 + document.len() + extra + 36;
        let before = self.rows.vectors().len() * 4 + self.rows.variable_bytes() + self.len() * 32;
        if before + bytes > MAX_CALL_BYTES {
            return Err(Error::invalid(format!(
                "one call may write {MAX_CALL_BYTES} bytes, record `{}` would make it {}: split the batch",
                shown(id),
                before + bytes
            )));
        }
        check_memory(self.rows.growth(vector.len(), bytes), "a batch")?;
        if let Some(ttl) = ttl {
            self.ttls.push((self.len(), ttl));
        }
        self.rows.push(id, vector, &Body { document, text, sparse: sparse.map(SparseRef::new), tokens }, 0);
        if !self.hidden.is_empty() {
            self.hidden.remove(id);
        }
        Ok(())
    }
}

/// What a record may have besides an id, a vector and metadata.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras<'a> {
    /// The text.
    pub text: Option<&'a str>,
    /// The sparse vector.
    pub sparse: Option<&'a SparseVector>,
    /// Several vectors.
    pub vectors: Option<&'a MultiVector>,
}

/// Checks that a string may be the id of a record.
pub(crate) fn check_id(id: &str) -> Result<()> {
    if id.is_empty() {
        return Err(Error::invalid("an id must not be empty"));
    }
    if id.len() > MAX_ID_BYTES {
        return Err(Error::invalid(format!(
            "an id may have {MAX_ID_BYTES} bytes, got {} (`{}`)",
            id.len(),
            shown(id)
        )));
    }
    Ok(())
}

pub(crate) fn check_text(text: Option<&str>) -> Result<()> {
    let len = text.map_or(0, str::len);
    if len > MAX_TEXT_BYTES {
        return Err(Error::invalid(format!("a text may have {MAX_TEXT_BYTES} bytes, got {len}")));
    }
    Ok(())
}

pub(crate) fn dimension_mismatch(expected: usize, got: usize) -> Error {
    Error::new(
        crate::ErrorKind::DimensionMismatch,
        format!("dimension mismatch: expected a vector of {expected} components, got {got}"),
    )
}

/// Returns the start of an id, for messages.
pub(crate) fn shown(id: &str) -> String {
    let mut start: String = id.chars().take(40).collect();
    if start.len() < id.len() {
        start.push_str("...");
    }
    start.escape_debug().to_string()
}

/// One operation of [`Collection::batch_execute`](crate::Collection::batch_execute).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Operation {
    /// Adds or replaces a record; it lives for `ttl` if given.
    Upsert {
        /// The record.
        record: Record,
        /// How long it lives.
        ttl: Option<Duration>,
    },
    /// Removes a record; fails if it is not there.
    Delete {
        /// Its id.
        id: String,
    },
    /// Hides a record; fails if it is not there.
    SoftDelete {
        /// Its id.
        id: String,
    },
    /// Shows a hidden record again; fails if there is none.
    Restore {
        /// Its id.
        id: String,
    },
    /// Replaces the metadata of a record; fails if it is not there.
    UpdateMetadata {
        /// Its id.
        id: String,
        /// The new metadata.
        metadata: Metadata,
    },
}

impl Operation {
    /// Returns the name of the operation, in snake case.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Upsert { .. } => "upsert",
            Self::Delete { .. } => "delete",
            Self::SoftDelete { .. } => "soft_delete",
            Self::Restore { .. } => "restore",
            Self::UpdateMetadata { .. } => "update_metadata",
        }
    }
}

/// What became of a batch of operations. Those that did not fail were applied together, atomically.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct BatchOutcome {
    /// How many operations were applied.
    pub succeeded: usize,
    /// The operations that failed: position, name, and why.
    pub failed: Vec<(usize, &'static str, Error)>,
    /// How long the call took.
    pub duration: Duration,
}
