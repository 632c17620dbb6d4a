//! What a collection may grow to.

/// What a collection may grow to: no limit unless one is set. Kept in the manifest.
///
/// Quotas are looked at when a call adds records of new ids. Reads, deletes, and writes to records that are there are never
/// refused, whatever the collection has grown to. A call that would go beyond a quota changes nothing and fails with
/// [`ErrorKind::QuotaExceeded`](crate::ErrorKind::QuotaExceeded).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct NamespaceQuotas {
    /// The most records, soft-deleted ones included; expired ones do not count.
    pub max_vectors: Option<usize>,
    /// The most bytes of records, as [`NamespaceStats::storage_bytes`](crate::NamespaceStats) counts them.
    pub max_storage_bytes: Option<u64>,
    /// The largest dimension of vectors.
    pub max_dimension: Option<usize>,
    /// The most records of new ids that one call may add.
    pub max_batch_size: Option<usize>,
}

impl NamespaceQuotas {
    /// Returns quotas without a limit.
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// Returns 10,000 records of up to 1,536 dimensions in 100 MiB, added 1,000 at a time.
    pub fn free_tier() -> Self {
        Self {
            max_vectors: Some(10_000),
            max_storage_bytes: Some(100 << 20),
            max_dimension: Some(1_536),
            max_batch_size: Some(1_000),
        }
    }

    /// Returns 1,000,000 records of up to 4,096 dimensions in 10 GiB, added 10,000 at a time.
    pub fn pro_tier() -> Self {
        Self {
            max_vectors: Some(1_000_000),
            max_storage_bytes: Some(10 << 30),
            max_dimension: Some(4_096),
            max_batch_size: Some(10_000),
        }
    }

    /// Sets the most records.
    #[must_use]
    pub fn max_vectors(mut self, vectors: impl Into<Option<usize>>) -> Self {
        self.max_vectors = vectors.into();
        self
    }

    /// Sets the most bytes.
    #[must_use]
    pub fn max_storage_bytes(mut self, bytes: impl Into<Option<u64>>) -> Self {
        self.max_storage_bytes = bytes.into();
        self
    }

    /// Sets the largest dimension.
    #[must_use]
    pub fn max_dimension(mut self, dim: impl Into<Option<usize>>) -> Self {
        self.max_dimension = dim.into();
        self
    }

    /// Sets the most new records of one call.
    #[must_use]
    pub fn max_batch_size(mut self, records: impl Into<Option<usize>>) -> Self {
        self.max_batch_size = records.into();
        self
    }

    pub(crate) fn are_unlimited(&self) -> bool {
        *self == Self::default()
    }

    /// Returns how much of the quota that is used most is used, 1.0 for all of it; 0.0 without quotas.
    pub(crate) fn utilization(&self, vectors: usize, storage_bytes: u64) -> f64 {
        let share = |used: f64, limit: Option<f64>| match limit {
            None => 0.0,
            Some(limit) if limit > 0.0 => used / limit,
            Some(_) => f64::from(u8::from(used > 0.0)),
        };
        let vectors = share(vectors as f64, self.max_vectors.map(|limit| limit as f64));
        vectors.max(share(storage_bytes as f64, self.max_storage_bytes.map(|limit| limit as f64)))
    }
}
