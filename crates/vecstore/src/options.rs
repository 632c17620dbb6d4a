//! How a store is opened.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vecstore_kernels::Metric;
use vecstore_text::Analyzer;

use crate::collection::{GRAPH_ROWS_MIN, VerifyReport};
use crate::database::CollectionConfig;
use crate::error::{Error, Result};
use crate::field_index::{Choice, FieldChoices, FieldKind};
use crate::limits::MAX_DIM;
use crate::quantization::Quantization;
use crate::repair::{self, RepairReport};
use crate::store::VecStore;
use crate::text_index::TextConfig;
use crate::vec_database::VecDatabase;
use crate::vfs::{DiskVfs, MemoryVfs, Vfs, physical_memory_bytes};

/// What an acknowledged write has survived when the call returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Durability {
    /// A power cut: the call returns after a sync, which all threads that write at that moment share.
    #[default]
    Commit,
    /// The end of the process. A sync follows within 100 ms, so that a power cut takes at most the last 100 ms.
    Interval,
    /// The end of the process. Nothing is synced before [`Collection::save`](crate::Collection::save), close, or background
    /// work that needs it; for bulk loads.
    None,
}

impl Durability {
    /// Returns the name that options use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Interval => "interval",
            Self::None => "none",
        }
    }
}

impl std::str::FromStr for Durability {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "commit" => Ok(Self::Commit),
            "interval" => Ok(Self::Interval),
            "none" => Ok(Self::None),
            _ => {
                Err(Error::invalid(format!("durability must be one of commit, interval, none; got `{name}`")))
            }
        }
    }
}

/// The source of the current time, for records that expire.
pub trait Clock: std::fmt::Debug + Send + Sync + 'static {
    /// Returns the time in milliseconds since the Unix epoch.
    fn now_unix_ms(&self) -> u64;
}

/// The time of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_unix_ms(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
    }
}

/// The options of a store, with defaults for all of them.
///
/// # Examples
///
/// ```
/// use vecstore::{Durability, Metric, VecStore};
///
/// let store = VecStore::options().dim(3).metric(Metric::Dot).durability(Durability::None).open_in_memory()?;
/// assert_eq!(store.dim(), Some(3));
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct OpenOptions {
    pub(crate) dim: Option<usize>,
    pub(crate) metric: Option<Metric>,
    pub(crate) analyzer: Option<Analyzer>,
    pub(crate) text_fields: Option<Vec<String>>,
    pub(crate) partition_by: Option<String>,
    pub(crate) schema: Vec<(String, FieldKind)>,
    pub(crate) durability: Durability,
    pub(crate) read_only: bool,
    pub(crate) wait: Duration,
    memory_budget: Option<u64>,
    pub(crate) quantization: Option<Quantization>,
    pub(crate) threads: usize,
    pub(crate) vfs: Arc<dyn Vfs>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) background: bool,
    pub(crate) graph_rows_min: usize,
}

/// The least that is taken if nothing is said: enough to build the graphs of some 200,000 vectors of 384 components.
const MEMORY_BUDGET_BYTES_DEFAULT_MIN: u64 = 512 << 20;

/// Below this not even one block of rows and its segment buffer fit.
pub(crate) const MEMORY_BUDGET_BYTES_MIN: u64 = 8 << 20;

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            dim: None,
            metric: None,
            analyzer: None,
            text_fields: None,
            partition_by: None,
            schema: Vec::new(),
            durability: Durability::Commit,
            read_only: false,
            wait: Duration::ZERO,
            memory_budget: None,
            quantization: None,
            threads: 0,
            vfs: Arc::new(DiskVfs),
            clock: Arc::new(SystemClock),
            background: true,
            graph_rows_min: GRAPH_ROWS_MIN,
        }
    }
}

impl OpenOptions {
    /// Returns the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the dimension. Without it the first upsert sets it. Opening an existing store of another dimension
    /// fails.
    pub fn dim(mut self, dim: usize) -> Self {
        self.dim = Some(dim);
        self
    }

    /// Sets the metric of a new store; cosine without it. Opening an existing store of another metric fails.
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metric = Some(metric);
        self
    }

    /// Sets how a new store makes terms of texts, in records and in queries; `standard` without it. Opening an existing
    /// store of another analyzer fails.
    pub fn analyzer(mut self, analyzer: Analyzer) -> Self {
        self.analyzer = Some(analyzer);
        self
    }

    /// Sets which fields of the metadata a new store searches beside the records' texts: up to 15 paths whose values are
    /// strings, or lists of them. Opening an existing store of other fields fails.
    pub fn text_fields<S: Into<String>>(mut self, paths: impl IntoIterator<Item = S>) -> Self {
        self.text_fields = Some(paths.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the path of the metadata by whose value the records of a new store are partitioned: see
    /// [`CollectionConfig::partition_by`]. A store that is there keeps what it was made with; without this option any fits.
    pub fn partition_by(mut self, path: impl Into<String>) -> Self {
        self.partition_by = Some(path.into());
        self
    }

    /// Sets which field indexes the store has to have, by path: those that it lacks are created when it is opened, as by
    /// [`Collection::create_index`](crate::Collection::create_index). What records hold is not restricted. A store that is
    /// opened read-only must have them.
    pub fn schema<S: Into<String>>(mut self, fields: impl IntoIterator<Item = (S, FieldKind)>) -> Self {
        self.schema = fields.into_iter().map(|(path, kind)| (path.into(), kind)).collect();
        self
    }

    /// Sets what an acknowledged write has survived.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Opens an existing store for reading only. It takes no lock, so that any number of processes may read beside
    /// the one that writes; each read sees what the writer has committed by then.
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// Sets how long to wait for another process to close the store before giving up.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Sets how many bytes of memory the store goes by: without it half of the machine's, or of what the control group of
    /// the process may use, at least 512 MiB; on systems other than Linux, where that is not known, 512 MiB. At least
    /// 8 MiB.
    ///
    /// - A quarter, at most 512 MiB and at least 8, bounds the rows that wait in memory to be written to segments. Writers that
    ///   get ahead of the disk by more wait for it.
    /// - The build of a segment's graph takes no more: segments whose rows would take more (2,400 bytes for each row of 384
    ///   components) stay apart. If not even one of 4,097 rows can be built, no segment has a graph, searches scan all rows,
    ///   and [`Stats::upkeep_error`](crate::Stats::upkeep_error) says what is needed.
    /// - With [`Quantization::Auto`], a graph gets the fast layout if it fits together with the other graphs of the
    ///   collection, or else a compact one.
    ///
    /// Segments are mapped files, which the operating system keeps in memory as there is room: that is not bounded.
    pub fn memory_budget(mut self, bytes: u64) -> Self {
        self.memory_budget = Some(bytes);
        self
    }

    /// Sets what new segments hold beside full vectors for searches to read. It holds for this handle of a
    /// store. The collections of a database have it from their [`CollectionConfig`].
    pub fn quantization(mut self, quantization: Quantization) -> Self {
        self.quantization = Some(quantization);
        self
    }

    /// Sets how many threads a query may use; 0 is one for each core.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets the file system, for tests and special places.
    pub fn vfs(mut self, vfs: Arc<dyn Vfs>) -> Self {
        self.vfs = vfs;
        self
    }

    /// Sets the clock that expiry goes by, for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets whether sealing and compaction run in a thread of their own (the default). Without it they run in
    /// [`Collection::compact`](crate::Collection::compact) and at close, for tests that count every call.
    pub fn background(mut self, background: bool) -> Self {
        self.background = background;
        self
    }

    /// Sets beyond how many rows a merge makes a graph, for tests that want graphs of few rows.
    #[doc(hidden)]
    pub fn graph_rows_min(mut self, rows: usize) -> Self {
        self.graph_rows_min = rows;
        self
    }

    /// Opens the store at `path`, creating it if it does not exist (unless read-only).
    ///
    /// # Errors
    ///
    /// `Locked` if another process or handle writes to it, `InvalidInput` if the path is not a store or the options
    /// do not fit it, `Corrupted` if its files are damaged, `Unsupported` if a newer version wrote it, `Io`
    /// otherwise.
    pub fn open(self, path: impl AsRef<Path>) -> Result<VecStore> {
        self.check()?;
        VecStore::open_with(path.as_ref(), &self)
    }

    /// Opens a new, empty store that never touches disk and is gone when it is dropped.
    pub fn open_in_memory(mut self) -> Result<VecStore> {
        self.check()?;
        if self.read_only {
            return Err(Error::invalid("a store in memory cannot be read-only: it starts empty"));
        }
        self.vfs = Arc::new(MemoryVfs::default());
        VecStore::open_in_memory_with(&self)
    }

    /// Checks every byte of the store at `path`, whether it can be opened or not: every damaged block of every file is
    /// named. Changes nothing, and may run beside a process that writes. Of these options it takes the file system.
    ///
    /// # Errors
    ///
    /// `NotFound` or `InvalidInput` if there is no store, `Unsupported` if a newer version wrote it, `Io` if it cannot be
    /// read; damage is in the report.
    pub fn verify(&self, path: impl AsRef<Path>) -> Result<VerifyReport> {
        repair::check(path.as_ref(), self)
    }

    /// Repairs the store at `path`, giving up what cannot be read; see [`VecStore::repair`]. Of these options it takes the
    /// file system, how long to wait for the lock, and, for a store whose manifests are all lost, the metric, the analyzer,
    /// the text fields, the quantization and the path that partitions it.
    ///
    /// # Errors
    ///
    /// As [`VecStore::repair`].
    pub fn repair(&self, path: impl AsRef<Path>) -> Result<RepairReport> {
        self.check()?;
        repair::repair(path.as_ref(), self)
    }

    fn check(&self) -> Result<()> {
        if let Some(dim) = self.dim
            && !(1..=MAX_DIM).contains(&dim)
        {
            return Err(Error::invalid(format!("dim must be between 1 and {MAX_DIM}, got {dim}")));
        }
        if let Some(bytes) = self.memory_budget
            && bytes < MEMORY_BUDGET_BYTES_MIN
        {
            return Err(Error::invalid(format!(
                "memory_budget must be at least {MEMORY_BUDGET_BYTES_MIN} bytes, got {bytes}"
            )));
        }
        let mut choices = FieldChoices::default();
        for (path, kind) in &self.schema {
            choices.set(path, Choice::Asked(*kind))?;
        }
        self.collection_config().check()
    }

    /// Fails if a store that is there makes terms in another way than was asked for.
    pub(crate) fn check_text(&self, found: &TextConfig, root: &Path) -> Result<()> {
        if let Some(analyzer) = self.analyzer
            && analyzer != found.analyzer
        {
            return Err(Error::invalid(format!(
                "the store `{}` has the analyzer {}, got {analyzer}: a store keeps the analyzer it was made with",
                root.display(),
                found.analyzer
            )));
        }
        if let Some(fields) = &self.text_fields
            && *fields != *found.fields
        {
            return Err(Error::invalid(format!(
                "the store `{}` has the text fields {:?}, got {fields:?}: a store keeps those it was made with",
                root.display(),
                found.fields
            )));
        }
        Ok(())
    }

    /// Fails if a store that is there is partitioned in another way than was asked for.
    pub(crate) fn check_partition(&self, found: Option<&str>, root: &Path) -> Result<()> {
        match &self.partition_by {
            Some(path) if found != Some(path) => Err(Error::invalid(format!(
                "the store `{}` is {}, got partition_by `{path}`: a store keeps what it was made with",
                root.display(),
                found.map_or("not partitioned".to_owned(), |found| format!("partitioned by `{found}`")),
            ))),
            _ => Ok(()),
        }
    }

    /// Opens the database at `path`, creating it without collections if it does not exist (unless read-only). Dimension,
    /// metric, quantization and analyzer are matters of its collections and must not be set here.
    ///
    /// # Errors
    ///
    /// As [`OpenOptions::open`].
    pub fn open_database(self, path: impl AsRef<Path>) -> Result<VecDatabase> {
        self.check()?;
        self.check_database()?;
        VecDatabase::open_with(path.as_ref(), &self)
    }

    /// Opens a new, empty database that never touches disk and is gone when it is dropped.
    pub fn open_database_in_memory(mut self) -> Result<VecDatabase> {
        self.check()?;
        self.check_database()?;
        if self.read_only {
            return Err(Error::invalid("a database in memory cannot be read-only: it starts empty"));
        }
        self.vfs = Arc::new(MemoryVfs::default());
        VecDatabase::open_in_memory_with(&self)
    }

    fn check_database(&self) -> Result<()> {
        let given = [
            ("dim", self.dim.is_some()),
            ("metric", self.metric.is_some()),
            ("quantization", self.quantization.is_some()),
            ("analyzer", self.analyzer.is_some()),
            ("text_fields", self.text_fields.is_some()),
            ("partition_by", self.partition_by.is_some()),
            ("schema", !self.schema.is_empty()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(Error::invalid(format!(
                "{option} is an option of a collection, not of a database: give it in a CollectionConfig"
            ))),
            None => Ok(()),
        }
    }

    /// Returns how the collection of a new store is made.
    pub(crate) fn collection_config(&self) -> CollectionConfig {
        let config = CollectionConfig::new().dim(self.dim).metric(self.metric.unwrap_or(Metric::Cosine));
        let config = config
            .analyzer(self.analyzer.unwrap_or_default())
            .text_fields(self.text_fields.iter().flatten().cloned());
        CollectionConfig { partition_by: self.partition_by.clone(), ..config }
    }

    /// Returns the memory budget that holds.
    pub(crate) fn memory_budget_bytes(&self) -> u64 {
        self.memory_budget.unwrap_or_else(|| {
            let half = physical_memory_bytes().map_or(0, |bytes| bytes / 2);
            half.max(MEMORY_BUDGET_BYTES_DEFAULT_MIN)
        })
    }
}
