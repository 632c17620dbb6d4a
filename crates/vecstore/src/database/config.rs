//! How a new collection is made, and what it may be named.

use std::sync::Arc;

use vecstore_kernels::Metric;
use vecstore_text::Analyzer;

use crate::error::{Error, Result};
use crate::limits::{MAX_COLLECTION_NAME_BYTES, MAX_DIM, MAX_PARTITION_PATH_BYTES};
use crate::quantization::Quantization;
use crate::record::shown;
use crate::storage::settings::Settings;
use crate::text_index::TextConfig;

use super::quotas::NamespaceQuotas;

/// How a collection is made. All of it is kept in the manifest and holds for as long as the collection is there.
///
/// # Examples
///
/// ```
/// use vecstore::{CollectionConfig, Metric, VecDatabase};
///
/// let database = VecDatabase::open_in_memory()?;
/// let config = CollectionConfig::new().dim(3).metric(Metric::Dot);
/// let colors = database.create_collection("colors", &config)?;
/// assert_eq!((colors.dim(), colors.metric()), (Some(3), Metric::Dot));
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct CollectionConfig {
    pub(crate) dim: Option<usize>,
    pub(crate) metric: Metric,
    pub(crate) quantization: Quantization,
    pub(crate) quotas: NamespaceQuotas,
    pub(crate) analyzer: Analyzer,
    pub(crate) text_fields: Vec<String>,
    pub(crate) partition_by: Option<String>,
}

impl Default for CollectionConfig {
    fn default() -> Self {
        Self {
            dim: None,
            metric: Metric::Cosine,
            quantization: Quantization::default(),
            quotas: NamespaceQuotas::default(),
            analyzer: Analyzer::default(),
            text_fields: Vec::new(),
            partition_by: None,
        }
    }
}

impl CollectionConfig {
    /// Returns the defaults: cosine, the dimension of the first record, no quotas.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the dimension. Without it the first upsert sets it.
    pub fn dim(mut self, dim: impl Into<Option<usize>>) -> Self {
        self.dim = dim.into();
        self
    }

    /// Sets the metric.
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metric = metric;
        self
    }

    /// Sets what segments hold beside full vectors for searches to read.
    pub fn quantization(mut self, quantization: Quantization) -> Self {
        self.quantization = quantization;
        self
    }

    /// Sets what the collection may grow to.
    pub fn quotas(mut self, quotas: NamespaceQuotas) -> Self {
        self.quotas = quotas;
        self
    }

    /// Sets how terms are made of texts, for full-text search.
    pub fn analyzer(mut self, analyzer: Analyzer) -> Self {
        self.analyzer = analyzer;
        self
    }

    /// Sets the paths of the metadata whose strings are searched beside the records' texts.
    pub fn text_fields(mut self, paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.text_fields = paths.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the path of the metadata, dotted, whose value tells to which partition a record belongs: that of its tenant, say.
    ///
    /// Records of a partition stand together in segments, so that a search whose filter fixes the value (equal to it, or to
    /// one of a few, alone or beside other conditions) reads those alone, at about the cost of a collection that holds
    /// nothing else. Answers are the same with and without. Records without the path are a partition of their own.
    pub fn partition_by(mut self, path: impl Into<String>) -> Self {
        self.partition_by = Some(path.into());
        self
    }

    /// Returns the path by which the records are partitioned.
    pub fn get_partition_by(&self) -> Option<&str> {
        self.partition_by.as_deref()
    }

    /// Returns the dimension, if it is known.
    pub fn get_dim(&self) -> Option<usize> {
        self.dim
    }

    /// Returns the metric.
    pub fn get_metric(&self) -> Metric {
        self.metric
    }

    /// Returns what segments hold beside full vectors.
    pub fn get_quantization(&self) -> Quantization {
        self.quantization
    }

    /// Returns what the collection may grow to.
    pub fn get_quotas(&self) -> NamespaceQuotas {
        self.quotas
    }

    /// Returns how terms are made of texts.
    pub fn get_analyzer(&self) -> Analyzer {
        self.analyzer
    }

    /// Returns the paths of the metadata whose strings are searched beside the records' texts.
    pub fn get_text_fields(&self) -> &[String] {
        &self.text_fields
    }

    pub(crate) fn text(&self) -> Result<TextConfig> {
        TextConfig::new(self.analyzer, &self.text_fields)
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.text()?;
        self.partition_by.as_deref().map_or(Ok(()), check_partition_path)?;
        match self.dim {
            Some(dim) if !(1..=MAX_DIM).contains(&dim) => {
                Err(Error::invalid(format!("dim must be between 1 and {MAX_DIM}, got {dim}")))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            quantization: self.quantization,
            quotas: self.quotas,
            partition_by: self.partition_by.as_deref().map(Arc::from),
            ..Settings::default()
        }
    }
}

/// Checks a path that partitions records: one that a filter can name.
pub(crate) fn check_partition_path(path: &str) -> Result<()> {
    if path.is_empty() || path.len() > MAX_PARTITION_PATH_BYTES || path.starts_with('$') {
        return Err(Error::invalid(format!(
            "partition_by must be a path of the metadata, of 1 to {MAX_PARTITION_PATH_BYTES} bytes and without a `$` in \
             front, got {} bytes: `{}`",
            path.len(),
            shown(path)
        )));
    }
    Ok(())
}

/// Checks the name of a collection or of a snapshot. Names are data: they never become a path, so that whatever else they
/// hold is theirs. They are compared byte by byte.
pub(crate) fn check_name(name: &str, what: &str) -> Result<()> {
    if name.is_empty() || name.len() > MAX_COLLECTION_NAME_BYTES {
        return Err(Error::invalid(format!(
            "the name of a {what} has 1 to {MAX_COLLECTION_NAME_BYTES} bytes of UTF-8, got {}: `{}`",
            name.len(),
            shown(name)
        )));
    }
    match name.char_indices().find(|(_, character)| character.is_control()) {
        Some((at, control)) => Err(Error::invalid(format!(
            "the name of a {what} has no control characters, got {control:?} at byte {at}"
        ))),
        None => Ok(()),
    }
}
