//! A collection: records of one dimension and metric, their log, and the upkeep that turns the one into segments.

mod commit;
mod exchange;
mod explain;
mod matches;
mod memory;
mod merge;
mod new_segment;
mod part;
mod policy;
mod read;
mod recovery;
mod replacement;
mod scroll;
mod seal;
mod snapshot;
mod stats;
mod upkeep;
mod verify;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex};

pub(crate) use part::{Part, PartView};
pub(crate) use policy::GRAPH_ROWS_MIN;
pub(crate) use recovery::{apply as replay_call, log_seqs};
pub(crate) use snapshot::{Location, Snapshot};

pub use scroll::{Page, Records, ScrollRequest};
pub use stats::Stats;
pub use verify::{Problem, VerifyReport};

use crate::database::{Shared, collection_dir};
use crate::error::{Error, Result};
use crate::query::Scoring;
use crate::storage::Uuid;
use crate::storage::manifest::CollectionEntry;
use commit::Committer;
use merge::{MergeFailure, Turn};
use recovery::Follower;
use upkeep::Upkeep;

/// Records of one dimension and one metric.
///
/// All methods take `&self` and may be called from any number of threads. Writes return when they have the durability
/// the store was opened with; reads see what was committed when they started, and never wait for writes.
#[derive(Clone, Debug)]
pub struct Collection {
    pub(crate) core: Arc<Core>,
}

/// The state of an open collection.
#[derive(Debug)]
pub(crate) struct Core {
    shared: Arc<Shared>,
    uuid: Uuid,
    name: String,
    directory: PathBuf,
    scoring: Scoring,
    source: Source,
    counters: Counters,
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
    queries: AtomicU64,
    upserts: AtomicU64,
    deletes: AtomicU64,
}

impl Core {
    /// Opens a collection that the manifest lists.
    pub(crate) fn open(shared: &Arc<Shared>, entry: &CollectionEntry) -> Result<Arc<Self>> {
        let directory = collection_dir(&shared.root, entry.uuid);
        let scoring = Scoring::new(entry.metric);
        let source = if shared.is_writer() {
            Source::Writer(Box::new(Writer::open(shared, &directory, entry, scoring)?))
        } else {
            Source::Follower(Box::new(Follower::open(shared, &directory, entry.uuid, scoring)?))
        };
        Ok(Arc::new(Self {
            shared: Arc::clone(shared),
            uuid: entry.uuid,
            name: entry.name.clone(),
            directory,
            scoring,
            source,
            counters: Counters::default(),
        }))
    }

    fn writer(&self) -> Result<&Writer> {
        self.shared.check_open()?;
        match &self.source {
            Source::Writer(writer) => Ok(writer),
            Source::Follower(_) => {
                Err(Error::unsupported("the store was opened read-only: open it without read_only to write"))
            }
        }
    }

    /// Returns the committed records.
    pub(crate) fn snapshot(&self) -> Result<Arc<Snapshot>> {
        self.shared.check_open()?;
        match &self.source {
            Source::Writer(writer) => Ok(writer.committer.published()),
            Source::Follower(follower) => follower.snapshot(self),
        }
    }

    /// Sets the dimension of a collection that has none yet.
    pub(crate) fn adopt_dim(&self, dim: Option<usize>) {
        if let Source::Writer(writer) = &self.source {
            writer.committer.adopt_dim(dim);
        }
    }

    fn now(&self) -> u64 {
        self.shared.clock.now_unix_ms()
    }
}

impl Writer {
    fn open(shared: &Shared, directory: &Path, entry: &CollectionEntry, scoring: Scoring) -> Result<Self> {
        let (snapshot, log, upkeep) = if shared.logged {
            let opened = recovery::open_for_writing(shared, directory, entry, scoring)?;
            (opened.snapshot, Some(opened.log), opened.upkeep)
        } else {
            (Snapshot { dim: entry.dim, ..Snapshot::default() }, None, Upkeep::new(1, Vec::new()))
        };
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
