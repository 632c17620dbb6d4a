//! A collection: records of one dimension and metric, their log, and the upkeep that turns the one into segments.

mod boosted;
mod commit;
mod diverse;
mod duplicates;
mod exchange;
mod explain;
mod facets;
mod fields;
mod groups;
mod hybrid;
mod matches;
mod memory;
mod merge;
mod multi;
mod namespace_stats;
mod new_segment;
mod opening;
mod order;
mod part;
mod partitions;
mod policy;
mod prefix;
mod quota;
mod ranking;
mod read;
mod recommend;
mod recovery;
mod replacement;
mod scroll;
mod seal;
mod settings;
mod snapshot;
mod snapshots;
mod staged;
mod stats;
mod text;
mod upkeep;
mod verify;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use parking_lot::{Condvar, Mutex, RwLock};

pub(crate) use memory::seal_bytes;
pub(crate) use part::{Part, PartView};
pub(crate) use policy::GRAPH_ROWS_MIN;
pub(crate) use recovery::{apply as replay_call, log_seqs};
pub(crate) use snapshot::{Location, Snapshot};

pub use facets::{Facet, RangeFacet};
pub use fields::FieldIndexSummary;
pub use namespace_stats::NamespaceStats;
pub use order::OrderBy;
pub use scroll::{Page, Records, ScrollRequest};
pub use snapshots::SnapshotSummary;
pub use stats::Stats;
pub use upkeep::{CompactionConfig, CompactionResult};
pub use verify::{Problem, VerifyReport};

use crate::database::{Handle, Shared, collection_dir};
use crate::error::{Error, Result};
use crate::query::Scoring;
use crate::storage::Uuid;
use crate::storage::manifest::CollectionEntry;
use crate::storage::settings::Settings;
use crate::text_index::TextConfig;
use commit::Committer;
use merge::{MergeFailure, Turn};
use recovery::Follower;
use upkeep::Upkeep;

/// Records of one dimension and one metric.
///
/// All methods take `&self` and may be called from any number of threads. Writes return when they have the durability
/// the store was opened with; reads see what was committed when they started, and never wait for writes.
///
/// The database stays open as long as there is a handle of it or of one of its collections, unless it is closed. Calls on a
/// collection that was deleted fail with [`ErrorKind::Closed`](crate::ErrorKind::Closed); one that was renamed goes on.
#[derive(Clone, Debug)]
pub struct Collection {
    pub(crate) core: Arc<Core>,
    pub(crate) handle: Arc<Handle>,
}

/// The state of a collection, open or not.
#[derive(Debug)]
pub(crate) struct Core {
    shared: Arc<Shared>,
    uuid: Uuid,
    name: RwLock<Arc<str>>,
    directory: PathBuf,
    scoring: Scoring,
    text: TextConfig,
    /// The path by whose value rows stand together in segments.
    partition_by: Option<Arc<str>>,
    /// `None` while the collection is not open: the next call that needs it opens it.
    source: RwLock<Option<Source>>,
    settings: Mutex<Settings>,
    counters: Counters,
    /// Bytes of rows in memory, as the database counts them.
    unsealed: AtomicU64,
    /// Milliseconds from `made`; opening counts as a write.
    last_write_ms: AtomicU64,
    /// How many queries there had been at the last seal.
    queries_at_seal: AtomicU64,
    made: Instant,
    /// How many wait for the collection to be unused: merges give up.
    retiring: AtomicUsize,
    /// Whether it was used since somebody last looked for collections to close.
    used: AtomicBool,
    deleted: AtomicBool,
}

/// Where the records come from.
#[derive(Debug)]
enum Source {
    /// This process writes.
    Writer(Box<Writer>),
    /// Another process may write; this one follows.
    Follower(Box<Follower>),
}

/// What a collection needs to be written to.
#[derive(Debug)]
struct Writer {
    committer: Committer,
    /// Held for the whole of a merge. Taken before `upkeep`.
    merging: Mutex<Turn>,
    /// Held while files and snapshots are exchanged.
    upkeep: Mutex<Upkeep>,
    /// Signalled when a seal has ended, for writers that got too far ahead of it.
    sealed: Condvar,
    /// Why the last seal failed, if it did.
    sealing: Mutex<Option<Error>>,
    /// Why the last merges failed, if they did.
    merge_failure: Mutex<Option<MergeFailure>>,
    /// Bytes of rows in memory that are sealed at the latest.
    seal_bytes: u64,
}

/// Calls since the collection was opened.
#[derive(Debug, Default)]
struct Counters {
    requests: AtomicU64,
    queries: AtomicU64,
    upserts: AtomicU64,
    deletes: AtomicU64,
}

impl Core {
    /// Makes a collection that the manifest lists, not open yet.
    pub(crate) fn new(shared: &Arc<Shared>, entry: &CollectionEntry) -> Self {
        Self {
            shared: Arc::clone(shared),
            uuid: entry.uuid,
            name: RwLock::new(Arc::from(entry.name.as_str())),
            directory: collection_dir(&shared.root, entry.uuid),
            scoring: Scoring::new(entry.metric),
            text: entry.text.clone(),
            partition_by: entry.settings.partition_by.clone(),
            source: RwLock::new(None),
            settings: Mutex::new(entry.settings.clone()),
            counters: Counters::default(),
            unsealed: AtomicU64::new(0),
            last_write_ms: AtomicU64::new(0),
            queries_at_seal: AtomicU64::new(0),
            made: Instant::now(),
            retiring: AtomicUsize::new(0),
            used: AtomicBool::new(false),
            deleted: AtomicBool::new(false),
        }
    }

    fn now(&self) -> u64 {
        self.shared.clock.now_unix_ms()
    }
}

impl Writer {
    fn open(shared: &Shared, directory: &Path, entry: &CollectionEntry, scoring: Scoring) -> Result<Self> {
        let recovery::Opened { snapshot, log, upkeep } =
            recovery::open_for_writing(shared, directory, entry, scoring)?;
        Ok(Self {
            committer: Committer::new(snapshot, log, shared.durability),
            merging: Mutex::new(Turn),
            upkeep: Mutex::new(upkeep),
            sealed: Condvar::new(),
            sealing: Mutex::new(None),
            merge_failure: Mutex::new(None),
            seal_bytes: memory::seal_bytes(shared.memory_budget),
        })
    }
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}
