//! The limits of what a record, a call and a query may hold, in one place.

/// The longest id, in bytes of UTF-8.
pub const MAX_ID_BYTES: usize = 1024;

/// The longest name of a collection or of a snapshot, in bytes of UTF-8.
pub const MAX_COLLECTION_NAME_BYTES: usize = 1024;

/// The longest path that partitions records, in bytes of UTF-8.
pub const MAX_PARTITION_PATH_BYTES: usize = 1024;

/// The largest dimension of a vector.
pub const MAX_DIM: usize = 65_536;

/// The longest text of a record, in bytes of UTF-8.
pub const MAX_TEXT_BYTES: usize = 16 << 20;

/// The most components of a sparse vector.
pub const MAX_SPARSE_COMPONENTS: usize = 65_536;

/// The most components of the several vectors of a record: 32,768 of 128.
pub const MAX_MULTI_COMPONENTS: usize = 4 << 20;

/// The longest text of a query, in bytes of UTF-8.
pub const MAX_QUERY_TEXT_BYTES: usize = 64 << 10;

/// The most bytes that one atomic call may write: a WAL frame has a 32-bit length.
pub const MAX_CALL_BYTES: usize = (u32::MAX - 4096) as usize;

/// The most neighbors that a query may ask for, and the most it may leave out.
pub const MAX_K: usize = 1 << 24;

/// The most paths of a collection for which indexes were created or dropped.
pub const MAX_FIELD_INDEXES: usize = 256;

/// The longest path of an index that is created or dropped, in bytes of UTF-8.
pub const MAX_FIELD_PATH_BYTES: usize = 1024;

pub use crate::filter::{
    MAX_FILTER_DEPTH, MAX_FILTER_LIST_LEN, MAX_FILTER_NODES, MAX_FILTER_PATTERN_BYTES, MAX_FILTER_REGEX_BYTES,
};
pub use crate::metadata::{MAX_METADATA_BYTES, MAX_METADATA_DEPTH};
