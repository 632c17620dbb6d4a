//! What collections are set to, between Python and the engine.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyTuple};
use vecstore::limits::MAX_DIM;
use vecstore::{Analyzer, CollectionConfig, Metric, NamespaceQuotas, UnknownAnalyzer};

use crate::arguments::{AnalyzerName, Int, MetricName, PartitionPath, QuantizationName, texts};
use crate::errors::{invalid, wrong_type};
use crate::store::plain_value;

/// Reads a `CollectionConfig`; the defaults if there is none.
pub(super) fn config_in(py: Python<'_>, config: Option<&Bound<'_, PyAny>>) -> PyResult<CollectionConfig> {
    let Some(config) = config else { return Ok(CollectionConfig::new()) };
    let expected = py.import("vecstore._values")?.getattr("CollectionConfig")?;
    if !config.is_instance(&expected)? {
        return Err(wrong_type("config", "a CollectionConfig", config));
    }
    let metric: MetricName = config.getattr("metric")?.extract()?;
    let metric: Metric = metric.parse().map_err(|error| invalid(py, format!("metric: {error}")))?;
    let QuantizationName(quantization) = config.getattr("quantization")?.extract()?;
    let dim: Option<Int> = config.getattr("dim")?.extract()?;
    let dim = dim.map(|dim| dim.within(py, "dim", 1..=MAX_DIM)).transpose()?;
    let quotas = config.getattr("quotas")?;
    let quotas = if quotas.is_none() { NamespaceQuotas::unlimited() } else { quotas_in(&quotas)? };
    let analyzer: AnalyzerName = config.getattr("analyzer")?.extract()?;
    let analyzer: Analyzer =
        analyzer.parse().map_err(|error: UnknownAnalyzer| invalid(py, error.to_string()))?;
    let fields = texts(&config.getattr("text_fields")?, "text_fields")?;
    let partition_by: Option<PartitionPath> = config.getattr("partition_by")?.extract()?;
    let config = CollectionConfig::new()
        .dim(dim)
        .metric(metric)
        .quantization(quantization)
        .quotas(quotas)
        .analyzer(analyzer)
        .text_fields(fields.iter().map(|field| (**field).to_owned()));
    Ok(match partition_by {
        Some(path) => config.partition_by(&*path),
        None => config,
    })
}

/// Makes a `CollectionConfig`.
pub(super) fn config_value<'py>(py: Python<'py>, config: &CollectionConfig) -> PyResult<Bound<'py, PyAny>> {
    let quotas = plain_value(py, "NamespaceQuotas", limits(config.get_quotas()))?;
    let parts = (
        config.get_dim(),
        config.get_metric().name(),
        config.get_quantization().name(),
        quotas,
        config.get_analyzer().to_string(),
        PyTuple::new(py, config.get_text_fields())?,
        config.get_partition_by(),
    );
    plain_value(py, "CollectionConfig", parts)
}

/// Reads a `NamespaceQuotas`.
pub(super) fn quotas_in(quotas: &Bound<'_, PyAny>) -> PyResult<NamespaceQuotas> {
    let py = quotas.py();
    let expected = py.import("vecstore._values")?.getattr("NamespaceQuotas")?;
    if !quotas.is_instance(&expected)? {
        return Err(wrong_type("quotas", "a NamespaceQuotas", quotas));
    }
    let limit = |name: &str| -> PyResult<Option<usize>> {
        let limit: Option<Int> = quotas.getattr(name)?.extract()?;
        limit.map(|limit| limit.within(py, name, 0..=usize::MAX >> 1)).transpose()
    };
    Ok(NamespaceQuotas::unlimited()
        .max_vectors(limit("max_vectors")?)
        .max_storage_bytes(limit("max_storage_bytes")?.map(|bytes| bytes as u64))
        .max_dimension(limit("max_dimension")?)
        .max_batch_size(limit("max_batch_size")?))
}

type Limits = (Option<usize>, Option<u64>, Option<usize>, Option<usize>);

fn limits(quotas: NamespaceQuotas) -> Limits {
    (quotas.max_vectors, quotas.max_storage_bytes, quotas.max_dimension, quotas.max_batch_size)
}

/// Returns the limits of the presets, for `NamespaceQuotas`: of the free tier, or of the other.
#[pyfunction]
#[pyo3(name = "_quota_preset")]
pub(crate) fn quota_preset(free: bool) -> Limits {
    limits(if free { NamespaceQuotas::free_tier() } else { NamespaceQuotas::pro_tier() })
}
