//! A database: a directory with one lock, one manifest, and collections.
//!
//! ```text
//! LOCK                      held by the process that writes
//! manifest-<generation>     the last two generations
//! collections/<uuid>/       logs, segments and marks of one collection
//! tmp/                      a manifest being written; emptied when the database is opened
//! ```

mod background;
mod backup;
mod closing;
mod collections;
mod config;
mod create;
mod garbage;
mod manifests;
mod priority;
mod quotas;
mod registry;
mod status;
mod upkeep;
mod worker;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

pub(crate) use background::Background;
pub use backup::BackupReport;
pub(crate) use backup::{check_files, restore_backup};
pub(crate) use closing::Handle;
pub(crate) use collections::no_collection;
pub use config::CollectionConfig;
pub(crate) use config::{check_name, check_partition_path};
use create::{check_is_ours, create};
pub(crate) use create::{create_dirs, refuse_link};
pub(crate) use garbage::file_names;
use manifests::{Found, manifests};
pub(crate) use manifests::{newest_manifest, retry};
pub(crate) use priority::give_way;
pub use quotas::NamespaceQuotas;
pub(crate) use registry::Note;
use registry::Registry;
pub use status::NamespaceStatus;
pub(crate) use worker::Next;

use crate::error::{Error, ErrorKind, Result};
use crate::options::{Clock, Durability, OpenOptions};
use crate::storage::Uuid;
use crate::storage::manifest::{self, CollectionEntry, Manifest};
use crate::storage::segment::Residency;
use crate::vfs::{LockGuard, LockOutcome, Vfs};

pub(crate) const LOCK: &str = "LOCK";
pub(crate) const COLLECTIONS: &str = "collections";
pub(crate) const TMP: &str = "tmp";

/// ENOENT, and ERROR_FILE_NOT_FOUND on Windows.
const NO_ENTRY: i32 = 2;

/// How often a locked database is tried again while waiting for it.
const LOCK_POLL: Duration = Duration::from_millis(10);

/// What all parts of an open database share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) vfs: Arc<dyn Vfs>,
    pub(crate) root: PathBuf,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) durability: Durability,
    pub(crate) memory_budget: u64,
    pub(crate) graph_rows_min: usize,
    /// Whether calls are logged: not in memory, where nothing outlives the process.
    pub(crate) logged: bool,
    /// Copies of what is searched often. None in a process that only reads: it shares the file's memory with others.
    pub(crate) residency: Option<Arc<Residency>>,
    threads: usize,
    pool: OnceLock<Option<rayon::ThreadPool>>,
    catalog: Mutex<Catalog>,
    registry: Registry,
    /// Held while collections are made, renamed, deleted or set.
    changing: Mutex<()>,
    /// Bytes of rows in memory, of all collections.
    unsealed: AtomicU64,
    /// Files that are being made or copied, and that no manifest need name.
    unnamed: Mutex<HashMap<PathBuf, usize>>,
    process: u32,
    closed: AtomicBool,
    pub(crate) background: Arc<Background>,
    lock: Mutex<Option<Box<dyn LockGuard>>>,
}

#[derive(Debug)]
struct Catalog {
    current: Manifest,
    /// The manifest before, which recovery falls back on: its files stay.
    previous: Option<Manifest>,
    poison: Option<Error>,
}

impl Catalog {
    /// Returns the entries of both kept manifests.
    fn entries(&self) -> impl Iterator<Item = &CollectionEntry> {
        let kept = [Some(&self.current), self.previous.as_ref()];
        kept.into_iter().flatten().flat_map(|manifest| &manifest.collections)
    }
}

impl Shared {
    /// Opens a database, creating it if it is not there: with the collection of this name, or none.
    pub(crate) fn open(root: &Path, options: &OpenOptions, name: Option<&str>) -> Result<Arc<Self>> {
        let vfs = &*options.vfs;
        // The process may change its directory while the store is open.
        let absolute = std::path::absolute(root).map_err(|error| Error::io("open", root, error))?;
        let root = absolute.as_path();
        let stat = vfs.stat(root).map_err(|error| Error::io("open", root, error))?;
        match stat {
            Some(stat) if !stat.is_dir => {
                return Err(Error::invalid(format!("`{}` is a file, expected a directory", root.display())));
            }
            None if options.read_only => {
                return Err(Error::io("open", root, io::Error::from_raw_os_error(NO_ENTRY)));
            }
            None => create_dirs(vfs, root)?,
            Some(_) => {}
        }
        if options.read_only {
            let manifest = retry(vfs, root, || newest_manifest(vfs, root))?;
            return Ok(Arc::new(Self::new(root, options, manifest, None, None)));
        }
        check_is_ours(vfs, root)?;
        let lock = take_lock(vfs, root, options.wait)?;
        let Found { current, previous, damaged, old } = manifests(vfs, root)?;
        let (current, previous) = match current {
            Some(current) => {
                // A process that was killed may have named it and not synced the name; what older ones need goes below.
                vfs.sync_dir(root).map_err(|error| Error::io("sync", root, error))?;
                (current, previous)
            }
            None => create(vfs, root, options, name)?,
        };
        // The number of a damaged one is needed for the next generation.
        for path in damaged.into_iter().map(|(path, _)| path).chain(old) {
            vfs.remove_file(&path).map_err(|error| Error::io("remove", &path, error))?;
        }
        let shared = Self::new(root, options, current, previous, Some(lock));
        shared.remove_debris()?;
        shared.complete_creation()?;
        Ok(Arc::new(shared))
    }

    /// Publishes the second manifest of a database whose creation was killed after the first.
    fn complete_creation(&self) -> Result<()> {
        let incomplete = {
            let catalog = self.catalog.lock();
            catalog.previous.is_none() && catalog.current.generation == 1
        };
        if incomplete { self.publish(|_| ()) } else { Ok(()) }
    }

    /// Makes a database in memory.
    pub(crate) fn in_memory(options: &OpenOptions, name: Option<&str>) -> Result<Arc<Self>> {
        let root = Path::new("memory");
        create_dirs(&*options.vfs, root)?;
        let (current, previous) = create(&*options.vfs, root, options, name)?;
        let mut shared = Self::new(root, options, current, previous, None);
        shared.logged = false;
        Ok(Arc::new(shared))
    }

    fn new(
        root: &Path,
        options: &OpenOptions,
        current: Manifest,
        previous: Option<Manifest>,
        lock: Option<Box<dyn LockGuard>>,
    ) -> Self {
        let residency = lock.is_some().then(|| Residency::new(options.memory_budget_bytes()));
        Self {
            vfs: Arc::clone(&options.vfs),
            residency,
            root: root.to_owned(),
            clock: Arc::clone(&options.clock),
            durability: options.durability,
            memory_budget: options.memory_budget_bytes(),
            graph_rows_min: options.graph_rows_min,
            logged: true,
            threads: options.threads,
            pool: OnceLock::new(),
            catalog: Mutex::new(Catalog { current, previous, poison: None }),
            registry: Registry::default(),
            changing: Mutex::default(),
            unsealed: AtomicU64::new(0),
            unnamed: Mutex::default(),
            process: std::process::id(),
            closed: AtomicBool::new(false),
            background: Arc::default(),
            lock: Mutex::new(lock),
        }
    }

    /// Fails if the database was closed, or belongs to the process this one was forked from: its threads, and the
    /// right to write, stayed there.
    pub(crate) fn check_open(&self) -> Result<()> {
        if self.is_closing() {
            return Err(self.closed_error());
        }
        if self.is_forked() {
            return Err(Error::closed(format!(
                "the store `{}` was opened by process {}, of which this one is a fork: open it again here",
                self.root.display(),
                self.process
            )));
        }
        Ok(())
    }

    pub(crate) fn closed_error(&self) -> Error {
        Error::closed(format!("the store `{}` is closed", self.root.display()))
    }

    fn is_forked(&self) -> bool {
        std::process::id() != self.process
    }

    /// Runs long background work on threads of its own, so that no query waits for it: half of those that queries may use.
    pub(crate) fn with_upkeep_threads<T: Send>(&self, run: impl FnOnce() -> T + Send) -> T {
        let threads = (self.thread_count() / 2).max(1);
        let name = |n| format!("vecstore-build-{n}");
        let builder = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(name);
        match builder.start_handler(|_| give_way()).build() {
            Ok(pool) => pool.install(run),
            // Where no threads can be had, this one does it all.
            Err(_) => run(),
        }
    }

    fn thread_count(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }

    /// Returns the threads for a scan of `bytes` bytes; `None` if one thread is enough.
    pub(crate) fn pool(&self, bytes: usize) -> Option<&rayon::ThreadPool> {
        if self.threads == 1 || bytes < (1 << 20) {
            return None;
        }
        let make = || {
            let threads = self.thread_count();
            let name = |n| format!("vecstore-query-{n}");
            // Where no threads can be had, queries run on the caller's.
            (threads > 1).then(|| {
                rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(name).build().ok()
            })?
        };
        self.pool.get_or_init(make).as_ref()
    }

    pub(crate) fn new_uuid(&self) -> Result<Uuid> {
        new_uuid()
    }

    fn publish(&self, change: impl FnOnce(&mut Manifest)) -> Result<()> {
        let lock = self.lock.lock();
        if self.logged && lock.is_none() {
            // Another process may be writing by now.
            return Err(self.closed_error());
        }
        let mut catalog = self.catalog.lock();
        if lock.as_ref().is_some_and(|lock| !lock.is_current()) {
            // Nothing may be written to, or removed from, a store that is another one by now.
            let message =
                format!("the directory of the store `{}` was removed while it was open", self.root.display());
            catalog.poison.get_or_insert(Error::closed(message));
        }
        if let Some(error) = &catalog.poison {
            return Err(error.duplicate());
        }
        let mut next = catalog.current.clone();
        let noted = self.apply_notes(&mut next.collections);
        change(&mut next);
        next.generation += 1;
        if let Err(error) = next.publish(&*self.vfs, &self.root) {
            // If the name is there, a crash may find the new manifest or the old one; both must keep their files,
            // so nothing is published or removed until the database is opened again.
            let path = self.root.join(manifest::file_name(next.generation));
            if !matches!(self.vfs.stat(&path), Ok(None)) {
                let message = format!(
                    "{}; it is not known which manifest is on disk: nothing more is published until it is opened again",
                    error.message()
                );
                catalog.poison = Some(Error::with_message(&error, message));
            }
            return Err(error);
        }
        self.drop_notes(&noted);
        let previous = std::mem::replace(&mut catalog.current, next);
        let old = catalog.previous.replace(previous);
        if let Some(old) = old {
            // The two newest are enough; a failure leaves debris for the next open.
            _ = self.vfs.remove_file(&self.root.join(manifest::file_name(old.generation)));
        }
        Ok(())
    }

    /// Fails if it is not known which manifest is on disk.
    pub(crate) fn check_manifest(&self) -> Result<()> {
        self.catalog.lock().poison.as_ref().map_or(Ok(()), |error| Err(error.duplicate()))
    }

    /// Checks the manifests on disk: path, length, and what is wrong.
    pub(crate) fn verify_manifests(&self) -> Result<Vec<(PathBuf, u64, Option<Error>)>> {
        if !self.logged {
            return Ok(Vec::new());
        }
        let found = manifests(&*self.vfs, &self.root)?;
        let kept = [found.current, found.previous].into_iter().flatten();
        let kept = kept.map(|manifest| (self.root.join(manifest::file_name(manifest.generation)), None));
        let damaged = found.damaged.into_iter().map(|(path, problem)| (path, Some(problem)));
        let with_len = |(path, problem): (PathBuf, Option<Error>)| {
            let len = self.vfs.stat(&path).ok().flatten().map_or(0, |stat| stat.len);
            (path, len, problem)
        };
        Ok(kept.chain(damaged).map(with_len).collect())
    }

    /// Returns whether closing has begun: what takes long gives up then.
    pub(crate) fn is_closing(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Returns whether the database is open for writing.
    pub(crate) fn is_writer(&self) -> bool {
        !self.logged || self.lock.lock().is_some()
    }
}

pub(crate) fn collection_dir(root: &Path, uuid: Uuid) -> PathBuf {
    root.join(COLLECTIONS).join(uuid.to_string())
}

pub(crate) fn new_uuid() -> Result<Uuid> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(ErrorKind::Io, format!("the system gives no random numbers: {error}")))?;
    Ok(Uuid(bytes))
}

pub(crate) fn take_lock(vfs: &dyn Vfs, root: &Path, wait: Duration) -> Result<Box<dyn LockGuard>> {
    let path = root.join(LOCK);
    let holder = format!("process {}", std::process::id());
    let deadline = Instant::now().checked_add(wait);
    loop {
        match vfs.lock(&path, &holder).map_err(|error| Error::io("lock", &path, error))? {
            LockOutcome::Acquired(guard) => return Ok(guard),
            LockOutcome::Held { holder } if deadline.is_some_and(|deadline| Instant::now() >= deadline) => {
                let holder = if holder.is_empty() { "another process".to_owned() } else { holder };
                return Err(Error::new(
                    ErrorKind::Locked,
                    format!(
                        "the store `{}` is open for writing in {holder}: close it there, or open it read-only here",
                        root.display()
                    ),
                ));
            }
            LockOutcome::Held { .. } => std::thread::sleep(LOCK_POLL),
        }
    }
}
