//! What a collection is set to while it is open: its name, status, quotas and quantization.

use std::sync::Arc;

use super::{Collection, Core};
use crate::database::{CollectionConfig, NamespaceQuotas, NamespaceStatus};
use crate::error::Result;
use crate::field_index::FieldChoices;
use crate::quantization::Quantization;
use crate::storage::manifest::CollectionEntry;
use crate::storage::settings::Settings;

impl Collection {
    /// Returns what the collection is set to.
    pub fn config(&self) -> Result<CollectionConfig> {
        let core = &self.core;
        let config = CollectionConfig::new()
            .dim(core.dim()?)
            .metric(core.scoring.metric)
            .quantization(core.quantization())
            .quotas(core.quotas())
            .analyzer(core.text.analyzer)
            .text_fields(core.text.fields.iter().cloned());
        Ok(CollectionConfig { partition_by: core.partition_by.as_deref().map(str::to_owned), ..config })
    }

    /// Returns the path by which the records are partitioned: see [`CollectionConfig::partition_by`].
    pub fn partition_by(&self) -> Option<&str> {
        self.core.partition_by.as_deref()
    }
}

impl Core {
    pub(crate) fn name(&self) -> Arc<str> {
        Arc::clone(&self.name.read())
    }

    pub(crate) fn set_name(&self, name: &str) {
        *self.name.write() = Arc::from(name);
    }

    pub(crate) fn status(&self) -> NamespaceStatus {
        self.settings.lock().status
    }

    pub(crate) fn quotas(&self) -> NamespaceQuotas {
        self.settings.lock().quotas
    }

    pub(crate) fn field_choices(&self) -> Arc<FieldChoices> {
        Arc::clone(&self.settings.lock().fields)
    }

    pub(crate) fn quantization(&self) -> Quantization {
        self.settings.lock().quantization
    }

    /// Takes status, quotas and field indexes from what the manifest says now.
    pub(crate) fn set_limits(&self, settings: &Settings) {
        let mut held = self.settings.lock();
        (held.status, held.quotas) = (settings.status, settings.quotas);
        held.fields = Arc::clone(&settings.fields);
    }

    /// Takes name, status and quotas from the manifest that another process has published.
    pub(crate) fn adopt_settings(&self, entry: &CollectionEntry) {
        if *self.name() != *entry.name {
            self.set_name(&entry.name);
        }
        self.set_limits(&entry.settings);
    }

    /// Sets what segments are written with by this process, whatever the manifest says.
    pub(crate) fn set_quantization(&self, quantization: Quantization) {
        self.settings.lock().quantization = quantization;
    }

    pub(super) fn check_readable(&self) -> Result<()> {
        let status = self.status();
        if status.allows_reads() { Ok(()) } else { Err(status.refusal(&self.name())) }
    }

    pub(super) fn check_writable(&self) -> Result<()> {
        let status = self.status();
        if status.allows_writes() { Ok(()) } else { Err(status.refusal(&self.name())) }
    }
}
