//! An embedded vector database: records with vectors, metadata and text in a directory, searched by nearness and
//! filtered exactly.
//!
//! ```
//! use vecstore::{Metadata, Query, VecStore, field};
//!
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path();
//! let store = VecStore::open(path)?;
//! store.upsert("intro", &[0.9, 0.1, 0.0], &Metadata::from([("page", 1.into())]))?;
//! store.upsert("index", &[0.0, 0.2, 0.9], &Metadata::from([("page", 90.into())]))?;
//!
//! let query = Query::new([1.0, 0.0, 0.0]).k(3).filter(field("page").lt(50));
//! for neighbor in store.query(&query)? {
//!     println!("{} {:.3} {:?}", neighbor.id, neighbor.score, neighbor.metadata);
//! }
//! # Ok::<(), vecstore::Error>(())
//! ```
//!
//! # What it promises
//!
//! - **When a write returns, it survives a power cut** ([`Durability::Commit`], the default). Threads that write at the
//!   same time share one sync; [`Collection::upsert_many`] writes any number of records with one.
//! - **A call is atomic**: after a crash all of it is there, or none.
//! - **Every byte an answer rests on is checksummed.** A flipped bit is an error of kind [`ErrorKind::Corrupted`], never
//!   a wrong answer. [`Collection::verify`] checks everything at once.
//! - **A filter never costs results**: a query returns `min(k, matches)` records, the nearest that match.
//! - **Readers never wait**, neither for writers nor for the disk's syncs. Each read is of one moment.
//!
//! # Concepts
//!
//! A [`VecStore`] is one collection in a directory of its own. A record has an id, a vector, [`Metadata`], and perhaps
//! a text and a time to live. [`Filter`]s are built with [`field`], parsed from text ([`Filter::parse`]), or read
//! from Mongo-style documents ([`Filter::from_value`]).
//!
//! New records are in memory and in a write-ahead log. In the background they are sealed into immutable, checksummed,
//! memory-mapped segments, which are merged as they grow in number. None of this has to be asked for.
//!
//! # Limits
//!
//! One process writes to a store at a time; any number may read it ([`OpenOptions::read_only`]). The disk must keep
//! what it says it has synced; network file systems often do not. Truncating a store's files under a running process
//! can end it with SIGBUS. Ids have at most 1,024 bytes, vectors 65,536 components, metadata 1 MiB and 64 levels.

#![deny(unsafe_code)]

mod codec;
mod collection;
mod database;
mod error;
mod field_index;
mod filter;
#[cfg(any(test, fuzzing))]
#[cfg_attr(fuzzing, doc(hidden))]
pub mod fuzzing;
mod index;
pub mod limits;
mod memory_check;
pub mod metadata;
mod multi_vector;
mod options;
mod quantization;
mod query;
mod record;
mod repair;
mod sparse;
mod storage;
mod store;
mod sync;
mod text_index;
mod total;
mod vec_database;
pub mod vfs;

pub use collection::{
    Collection, CompactionConfig, CompactionResult, Facet, FieldIndexSummary, NamespaceStats, OrderBy, Page,
    Problem, RangeFacet, Records, ScrollRequest, SnapshotSummary, Stats, VerifyReport,
};
pub use database::{BackupReport, CollectionConfig, NamespaceQuotas, NamespaceStatus};
pub use error::{Error, ErrorKind, Result};
pub use field_index::FieldKind;
pub use filter::{Condition, FieldBuilder, Filter, GeoPoint, Matcher, element, field};
pub use metadata::{DateTime, Metadata, Value};
pub use multi_vector::MultiVector;
pub use options::{Clock, Durability, OpenOptions, SystemClock};
pub use quantization::Quantization;
pub use query::{
    ArmRank, Boost, BoostMode, Decay, DecayShape, Duplicate, DuplicateQuery, Example, FieldBoost,
    FilterBoost, Fusion, GraphLayout, Group, GroupQuery, Highlight, Hit, Hits, HybridHits, HybridQuery,
    IdQuery, Include, MmrQuery, Modifier, MultiQuery, Neighbor, Origin, PartKind, PrefetchQuery, PrefixQuery,
    Query, QueryEstimate, QueryOptions, QueryPlan, QueryStage, QueryStep, Rankings, RecommendQuery, Rerank,
    SearchMethod, SparseQuery, StepOutcome, StepReason, Strategy, TextQuery, TextStatistics, UniqueOutcome,
    choose_diverse,
};
pub use record::{Batch, BatchOutcome, Extras, Operation, Record};
pub use repair::{Loss, RepairReport};
pub use sparse::SparseVector;
pub use store::VecStore;
pub use vec_database::{AggregateStats, VecDatabase};
pub use vecstore_interrupt::Interrupt;
pub use vecstore_kernels::Metric;
pub use vecstore_text::{Analyzer, UnknownAnalyzer};
