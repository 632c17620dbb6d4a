//! Figures about a collection among others.

use super::{Collection, count};
use crate::database::NamespaceStatus;
use crate::error::Result;

/// Figures about a collection of a database at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NamespaceStats {
    /// The name of the collection.
    pub namespace_id: String,
    /// Records, soft-deleted ones included.
    pub vector_count: usize,
    /// Records that reads return.
    pub active_count: usize,
    /// Soft-deleted records.
    pub deleted_count: usize,
    /// The dimension, once known.
    pub dimension: Option<usize>,
    /// How much of the quota that is used most is used: 1.0 for all of it, 0.0 without quotas. More than 1.0 if a quota was
    /// set below what was there.
    pub quota_utilization: f64,
    /// Calls that read or wrote records, since the database was opened.
    pub total_requests: u64,
    /// Queries answered since the database was opened.
    pub total_queries: u64,
    /// Records upserted since the database was opened.
    pub total_upserts: u64,
    /// Records deleted since the database was opened.
    pub total_deletes: u64,
    /// What may be done with the collection.
    pub status: NamespaceStatus,
    /// Bytes of the live records: vectors, ids, metadata and texts. The quota of storage goes by it; what dead records take
    /// until their space is free does not count.
    pub storage_bytes: u64,
    /// Segments on disk.
    pub segments: usize,
    /// Bytes of rows in memory.
    pub memory_bytes: u64,
    /// Bytes of the collection's files: segments, marks, and logs with the space reserved in them.
    pub disk_bytes: u64,
}

impl Collection {
    /// Returns figures about the collection as one of a database. Lists its directory.
    pub fn namespace_stats(&self) -> Result<NamespaceStats> {
        let core = &self.core;
        let storage_bytes = core.any_snapshot()?.record_bytes();
        let stats = self.stats()?;
        let vector_count = stats.active + stats.deleted;
        Ok(NamespaceStats {
            namespace_id: self.name(),
            vector_count,
            active_count: stats.active,
            deleted_count: stats.deleted,
            dimension: stats.dim,
            quota_utilization: core.quotas().utilization(vector_count, storage_bytes),
            total_requests: core.counters.requests.load(std::sync::atomic::Ordering::Relaxed),
            total_queries: stats.queries,
            total_upserts: stats.upserts,
            total_deletes: stats.deletes,
            status: core.status(),
            storage_bytes,
            segments: stats.segments,
            memory_bytes: stats.memory_bytes,
            disk_bytes: stats.disk_bytes,
        })
    }
}

impl super::Counters {
    /// Counts a call that reads or writes records.
    pub(super) fn request(&self) {
        count(&self.requests, 1);
    }
}
