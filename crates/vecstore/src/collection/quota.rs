//! Keeping a collection within its quotas.

use super::snapshot::Snapshot;
use super::{Core, PartView};
use crate::database::NamespaceQuotas;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::rows::Rows;

/// What one call has added so far, held against the quotas.
pub(super) struct QuotaCheck {
    quotas: NamespaceQuotas,
    now: u64,
    added: usize,
}

impl QuotaCheck {
    pub(super) fn new(core: &Core) -> Self {
        Self { quotas: core.quotas(), now: core.now(), added: 0 }
    }

    /// Fails if the rows, once in `next`, would be beyond a quota. Rows of ids that are there are always let in.
    pub(super) fn admit(&mut self, core: &Core, next: &Snapshot, rows: &Rows) -> Result<()> {
        if self.quotas.are_unlimited() {
            return Ok(());
        }
        let is_new = |row: &u32| next.locate(rows.id(*row)).map(|found| found.is_none());
        let mut new = 0;
        for row in 0..rows.len() as u32 {
            new += usize::from(is_new(&row)?);
        }
        if new == 0 {
            return Ok(());
        }
        let exceeded = |quota: &str, limit: u64, asked: String| {
            Err(Error::new(
                ErrorKind::QuotaExceeded,
                format!(
                    "collection `{}` is over its quota {quota}: the limit is {limit}, {asked}",
                    core.name()
                ),
            ))
        };
        let NamespaceQuotas { max_vectors, max_storage_bytes, max_dimension, max_batch_size } = self.quotas;
        if let Some(limit) = max_dimension.filter(|&limit| rows.dim() > limit) {
            return exceeded("max_dimension", limit as u64, format!("got vectors of {}", rows.dim()));
        }
        let added = self.added + new;
        if let Some(limit) = max_batch_size.filter(|&limit| added > limit) {
            return exceeded("max_batch_size", limit as u64, format!("got {added} new records in one call"));
        }
        if let Some(limit) = max_vectors {
            // Counted exactly only where it matters: telling which have expired takes a look at each.
            let mut present = next.live();
            if present + new > limit {
                present = next.unexpired(self.now);
            }
            if present + new > limit {
                return exceeded("max_vectors", limit as u64, format!("got {new} new records for {present}"));
            }
        }
        if let Some(limit) = max_storage_bytes {
            let present = next.record_bytes();
            let asked = rows.record_bytes() * new as u64 / rows.len() as u64;
            if present + asked > limit {
                let asked = format!("got {asked} bytes of new records for {present}");
                return exceeded("max_storage_bytes", limit, asked);
            }
        }
        self.added = added;
        Ok(())
    }
}

impl Snapshot {
    /// Returns the bytes of the records: vectors, ids, metadata and texts.
    pub(super) fn record_bytes(&self) -> u64 {
        self.parts.iter().map(PartView::record_bytes).sum()
    }

    /// Returns the number of records that have not expired, hidden ones included.
    pub(super) fn unexpired(&self, now: u64) -> usize {
        let count = |view: &PartView| {
            if view.part.has_expiry() { view.kept_rows(now).count() } else { view.live() }
        };
        self.parts.iter().map(count).sum()
    }
}
