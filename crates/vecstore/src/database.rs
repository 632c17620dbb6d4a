//! A database: a directory with one lock, one manifest, and collections.
//!
//! ```text
//! LOCK                      held by the process that writes
//! manifest-<generation>     the last two generations
//! collections/<uuid>/       logs, segments and marks of one collection
//! tmp/                      a manifest being written; emptied when the database is opened
//! ```

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use vecstore_kernels::Metric;

use crate::collection::Core;
use crate::error::{Error, ErrorKind, Result};
use crate::options::{Clock, Durability, OpenOptions};
use crate::storage::manifest::{self, CollectionEntry, Manifest};
use crate::storage::wal::{self, LogWriter};
use crate::storage::{Uuid, marks, segment};
use crate::vfs::{LockGuard, LockOutcome, Vfs};

const LOCK: &str = "LOCK";
const COLLECTIONS: &str = "collections";
const TMP: &str = "tmp";

/// How often a locked database is tried again while waiting for it.
const LOCK_POLL: Duration = Duration::from_millis(10);

/// The most that a power cut takes under `Durability::Interval`.
const SYNC_INTERVAL: Duration = Duration::from_millis(100);

/// How long upkeep rests after a failure; a full disk is not asked again at once.
const UPKEEP_REST: Duration = Duration::from_secs(1);

/// What all parts of an open database share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) vfs: Arc<dyn Vfs>,
    pub(crate) root: PathBuf,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) durability: Durability,
    pub(crate) memory_budget: u64,
    /// Whether calls are logged: not in memory, where nothing outlives the process.
    pub(crate) logged: bool,
    threads: usize,
    pool: OnceLock<Option<rayon::ThreadPool>>,
    catalog: Mutex<Catalog>,
    process: u32,
    closed: AtomicBool,
    signal: Mutex<Signal>,
    signalled: Condvar,
    lock: Mutex<Option<Box<dyn LockGuard>>>,
}

#[derive(Debug)]
struct Catalog {
    current: Manifest,
    /// The manifest before, which recovery falls back on: its files stay.
    previous: Option<Manifest>,
    poison: Option<Error>,
}

#[derive(Debug, Default)]
struct Signal {
    requested: bool,
    stop: bool,
    threads: Vec<JoinHandle<()>>,
    has_thread: bool,
}

/// A writer may replace and remove files while a reader opens them; then the newer manifest is read instead. It
/// publishes a few manifests a second at most.
const READ_ATTEMPTS: usize = 20;

/// Reads files that a writer may be replacing: again, if they are gone or half written.
pub(crate) fn retry<T>(read: impl Fn() -> Result<T>) -> Result<T> {
    for _ in 1..READ_ATTEMPTS {
        match read() {
            Err(error) if matches!(error.kind(), ErrorKind::Io | ErrorKind::Corrupted) => {}
            outcome => return outcome,
        }
    }
    read()
}

/// Reads the newest manifest that counts.
pub(crate) fn newest_manifest(vfs: &dyn Vfs, root: &Path) -> Result<Manifest> {
    manifests(vfs, root)?.current.ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidInput,
            format!("`{}` is not a vecstore store: it has no manifest", root.display()),
        )
    })
}

/// The manifests that a database directory holds.
struct Found {
    current: Option<Manifest>,
    previous: Option<Manifest>,
    /// Manifests that fail their checksum.
    damaged: Vec<(PathBuf, Error)>,
    /// Manifests older than the newest two.
    old: Vec<PathBuf>,
}

fn manifests(vfs: &dyn Vfs, root: &Path) -> Result<Found> {
    let entries = vfs.list(root).map_err(|error| Error::io("list", root, error))?;
    let names = entries.iter().filter_map(|entry| entry.path.file_name()?.to_str());
    let mut generations: Vec<u64> = names.filter_map(manifest::parse_file_name).collect();
    generations.sort_unstable_by(|a, b| b.cmp(a));
    let mut found = Found { current: None, previous: None, damaged: Vec::new(), old: Vec::new() };
    for (age, generation) in generations.into_iter().enumerate() {
        let path = root.join(manifest::file_name(generation));
        // An older one would lead to files that are gone.
        if age >= 2 {
            found.old.push(path);
            continue;
        }
        let bytes = vfs.map(&path).map_err(|error| Error::io("read", &path, error))?;
        match read_manifest(&bytes, &path, generation) {
            Ok(manifest) if found.current.is_none() => found.current = Some(manifest),
            Ok(manifest) => found.previous = Some(manifest),
            // Of a newer version for sure: what an older manifest says no longer holds.
            Err(error) if error.kind() == ErrorKind::Unsupported && Manifest::is_intact(&bytes) => {
                return Err(error);
            }
            Err(error) => found.damaged.push((path, error)),
        }
    }
    match found.damaged.first() {
        Some((_, error)) if found.current.is_none() => Err(error.duplicate()),
        _ => Ok(found),
    }
}

fn read_manifest(bytes: &[u8], path: &Path, generation: u64) -> Result<Manifest> {
    let manifest = Manifest::decode(bytes)
        .map_err(|error| Error::new(error.kind(), format!("`{}`: {}", path.display(), error.message())))?;
    if manifest.generation != generation {
        return Err(Error::corrupted(format!(
            "`{}` is of generation {}",
            path.display(),
            manifest.generation
        )));
    }
    Ok(manifest)
}

impl Shared {
    /// Opens a database, creating it with one collection if it is not there.
    pub(crate) fn open(root: &Path, options: &OpenOptions, name: &str) -> Result<Arc<Self>> {
        let vfs = &*options.vfs;
        let stat = vfs.stat(root).map_err(|error| Error::io("open", root, error))?;
        match stat {
            Some(stat) if !stat.is_dir => {
                return Err(Error::invalid(format!("`{}` is a file, expected a directory", root.display())));
            }
            None if options.read_only => {
                return Err(Error::io("open", root, io::Error::from(io::ErrorKind::NotFound)));
            }
            None => create_dirs(vfs, root)?,
            Some(_) => {}
        }
        if options.read_only {
            let manifest = retry(|| newest_manifest(vfs, root))?;
            return Ok(Arc::new(Self::new(root, options, manifest, None, None)));
        }
        check_is_ours(vfs, root)?;
        let lock = take_lock(vfs, root, options.wait)?;
        let Found { current, previous, damaged, old } = manifests(vfs, root)?;
        let (current, previous) = match current {
            Some(current) => (current, previous),
            None => create(vfs, root, options, name)?,
        };
        // The number of a damaged one is needed for the next generation.
        for path in damaged.into_iter().map(|(path, _)| path).chain(old) {
            vfs.remove_file(&path).map_err(|error| Error::io("remove", &path, error))?;
        }
        let shared = Self::new(root, options, current, previous, Some(lock));
        shared.remove_debris()?;
        Ok(Arc::new(shared))
    }

    /// Makes a database in memory.
    pub(crate) fn in_memory(options: &OpenOptions, name: &str) -> Result<Arc<Self>> {
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
        Self {
            vfs: Arc::clone(&options.vfs),
            root: root.to_owned(),
            clock: Arc::clone(&options.clock),
            durability: options.durability,
            memory_budget: options.memory_budget,
            logged: true,
            threads: options.threads,
            pool: OnceLock::new(),
            catalog: Mutex::new(Catalog { current, previous, poison: None }),
            process: std::process::id(),
            closed: AtomicBool::new(false),
            signal: Mutex::new(Signal::default()),
            signalled: Condvar::new(),
            lock: Mutex::new(lock),
        }
    }

    /// Fails if the database was closed, or belongs to the process this one was forked from: its threads, and the
    /// right to write, stayed there.
    pub(crate) fn check_open(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) {
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

    /// Returns the threads for a scan of `bytes` bytes; `None` if one thread is enough.
    pub(crate) fn pool(&self, bytes: usize) -> Option<&rayon::ThreadPool> {
        if self.threads == 1 || bytes < (1 << 20) {
            return None;
        }
        let make = || {
            let threads = match self.threads {
                0 => std::thread::available_parallelism().map_or(1, usize::from),
                threads => threads,
            };
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

    /// Returns the entry of a collection in the current manifest.
    pub(crate) fn entry(&self, uuid: Uuid) -> Result<CollectionEntry> {
        let catalog = self.catalog.lock();
        let entry = catalog.current.collections.iter().find(|entry| entry.uuid == uuid);
        entry.cloned().ok_or_else(|| Error::closed("the collection was deleted"))
    }

    /// Returns the entry of the collection of this name.
    pub(crate) fn entry_named(&self, name: &str) -> Result<CollectionEntry> {
        let catalog = self.catalog.lock();
        let entry = catalog.current.collections.iter().find(|entry| entry.name == name);
        entry
            .cloned()
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("no collection is named `{name}`")))
    }

    /// Publishes a manifest with another entry for one collection.
    pub(crate) fn publish_entry(&self, entry: CollectionEntry) -> Result<()> {
        self.publish(|manifest| {
            if let Some(present) = manifest.collections.iter_mut().find(|present| present.uuid == entry.uuid)
            {
                *present = entry;
            }
        })
    }

    fn publish(&self, change: impl FnOnce(&mut Manifest)) -> Result<()> {
        let lock = self.lock.lock();
        if self.logged && lock.is_none() {
            // Another process may be writing by now.
            return Err(self.closed_error());
        }
        let mut catalog = self.catalog.lock();
        if let Some(error) = &catalog.poison {
            return Err(error.duplicate());
        }
        let mut next = catalog.current.clone();
        change(&mut next);
        next.generation += 1;
        if let Err(error) = next.publish(&*self.vfs, &self.root) {
            // If the name is there, a crash may find the new manifest or the old one; both must keep their files,
            // so nothing is published or removed until the database is opened again.
            let path = self.root.join(manifest::file_name(next.generation));
            if !matches!(self.vfs.stat(&path), Ok(None)) {
                catalog.poison = Some(error.duplicate());
            }
            return Err(error);
        }
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

    /// Removes files that only older manifests name. If the previous manifest still names some, the current one is
    /// published once more, so that the previous is no longer needed.
    pub(crate) fn collect_garbage(&self) -> Result<()> {
        let stale = {
            let catalog = self.catalog.lock();
            catalog
                .previous
                .as_ref()
                .is_some_and(|previous| previous.collections != catalog.current.collections)
        };
        if stale {
            self.publish(|_| ())?;
        }
        self.remove_unnamed()
    }

    /// Removes files of collections that neither kept manifest names, and drafts of manifests.
    fn remove_debris(&self) -> Result<()> {
        let tmp = self.root.join(TMP);
        if let Ok(drafts) = self.vfs.list(&tmp) {
            for draft in drafts {
                self.vfs.remove_file(&draft.path).map_err(|error| Error::io("remove", &draft.path, error))?;
            }
        } else {
            create_dirs(&*self.vfs, &tmp)?;
        }
        self.remove_unnamed()
    }

    fn remove_unnamed(&self) -> Result<()> {
        let lock = self.lock.lock();
        let catalog = self.catalog.lock();
        if catalog.poison.is_some() || (self.logged && lock.is_none()) {
            return Ok(());
        }
        let kept = || [Some(&catalog.current), catalog.previous.as_ref()].into_iter().flatten();
        let entries = || kept().flat_map(|manifest| &manifest.collections);
        let uuids: HashSet<Uuid> = entries().map(|entry| entry.uuid).collect();
        for uuid in uuids {
            let directory = collection_dir(&self.root, uuid);
            let entries = || entries().filter(|entry| entry.uuid == uuid);
            let named: HashSet<String> = entries()
                .flat_map(|entry| &entry.segments)
                .flat_map(|segment| {
                    let marks =
                        segment.marks.map(|(generation, _)| marks::file_name(segment.uuid, generation));
                    std::iter::once(segment::file_name(segment.uuid)).chain(marks)
                })
                .collect();
            let first_log = entries().map(|entry| entry.first_log).min().unwrap_or(0);
            let found = self.vfs.list(&directory).map_err(|error| Error::io("list", &directory, error))?;
            for file in found {
                let name = file.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                let needed = match wal::parse_file_name(name) {
                    Some(seq) => seq >= first_log,
                    None => named.contains(name),
                };
                if !needed {
                    // A file that another process still maps cannot be removed everywhere; the next time will do.
                    _ = self.vfs.remove_file(&file.path);
                }
            }
        }
        Ok(())
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

    pub(crate) fn request_upkeep(&self) {
        self.signal.lock().requested = true;
        self.signalled.notify_all();
    }

    pub(crate) fn has_upkeep_thread(&self) -> bool {
        self.signal.lock().has_thread
    }

    /// Starts the threads that work for a collection in the background for as long as it lives.
    pub(crate) fn start_background(self: &Arc<Self>, core: &Arc<Core>) -> Result<()> {
        self.spawn("vecstore-upkeep", core, Self::run_upkeep)?;
        self.signal.lock().has_thread = true;
        if self.durability == Durability::Interval {
            // Upkeep may take longer than the interval.
            self.spawn("vecstore-sync", core, Self::run_sync)?;
        }
        Ok(())
    }

    fn spawn(self: &Arc<Self>, name: &str, core: &Arc<Core>, run: fn(&Self, &Weak<Core>)) -> Result<()> {
        let (shared, core) = (Arc::clone(self), Arc::downgrade(core));
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || run(&shared, &core))
            .map_err(|error| Error::io("start a thread for", &self.root, error))?;
        self.signal.lock().threads.push(thread);
        Ok(())
    }

    fn run_upkeep(&self, core: &Weak<Core>) {
        let mut failed = false;
        loop {
            {
                let mut signal = self.signal.lock();
                if failed {
                    // Writers keep asking; a disk that was full a moment ago is not asked again at once.
                    self.signalled.wait_while_for(&mut signal, |signal| !signal.stop, UPKEEP_REST);
                } else {
                    self.signalled.wait_while(&mut signal, |signal| !signal.stop && !signal.requested);
                }
                if signal.stop {
                    return;
                }
                signal.requested = false;
            }
            let Some(core) = core.upgrade() else { return };
            let outcome = core.upkeep_step();
            failed = outcome.is_err();
            if outcome.is_ok_and(|did| did) {
                self.signal.lock().requested = true;
            }
        }
    }

    fn run_sync(&self, core: &Weak<Core>) {
        loop {
            let mut signal = self.signal.lock();
            self.signalled.wait_while_for(&mut signal, |signal| !signal.stop, SYNC_INTERVAL);
            if signal.stop {
                return;
            }
            drop(signal);
            let Some(core) = core.upgrade() else { return };
            // A failure poisons the log, so that the next write reports it.
            _ = core.sync_if_unsynced();
        }
    }

    /// Ends the background threads. No upkeep runs when this returns.
    pub(crate) fn stop_background(&self) {
        let threads = {
            let mut signal = self.signal.lock();
            signal.stop = true;
            signal.has_thread = false;
            std::mem::take(&mut signal.threads)
        };
        self.signalled.notify_all();
        for thread in threads {
            // The last handle may be dropped by one of these threads itself. A panic in one has been reported by the
            // panic hook; closing goes on.
            if thread.thread().id() != std::thread::current().id() {
                _ = thread.join();
            }
        }
    }

    /// Marks the database closed; returns whether this call did it. A fork never closes what its parent opened.
    pub(crate) fn begin_close(&self) -> bool {
        !self.is_forked() && !self.closed.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn release_lock(&self) {
        self.lock.lock().take();
    }

    /// Returns whether the database is open for writing.
    pub(crate) fn is_writer(&self) -> bool {
        !self.logged || self.lock.lock().is_some()
    }
}

pub(crate) fn collection_dir(root: &Path, uuid: Uuid) -> PathBuf {
    root.join(COLLECTIONS).join(uuid.to_string())
}

fn new_uuid() -> Result<Uuid> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(ErrorKind::Io, format!("the system gives no random numbers: {error}")))?;
    Ok(Uuid(bytes))
}

/// Creates a directory and makes its name, and those above it that were missing, durable.
fn create_dirs(vfs: &dyn Vfs, path: &Path) -> Result<()> {
    let missing = |path: &&Path| matches!(vfs.stat(path), Ok(None));
    let made: Vec<&Path> =
        path.ancestors().filter(|path| !path.as_os_str().is_empty()).take_while(missing).collect();
    vfs.create_dir_all(path).map_err(|error| Error::io("create", path, error))?;
    for directory in made {
        let parent = match directory.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) => parent,
            None => continue,
        };
        vfs.sync_dir(parent).map_err(|error| Error::io("sync", parent, error))?;
    }
    Ok(())
}

/// Fails if a directory holds something that no database puts there and nothing that one does.
fn check_is_ours(vfs: &dyn Vfs, root: &Path) -> Result<()> {
    let entries = vfs.list(root).map_err(|error| Error::io("list", root, error))?;
    let name =
        |path: &Path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned).unwrap_or_default();
    let names: Vec<String> = entries.iter().map(|entry| name(&entry.path)).collect();
    if names.iter().any(|name| manifest::parse_file_name(name).is_some()) {
        return Ok(());
    }
    if let Some(foreign) = names.iter().find(|name| ![LOCK, COLLECTIONS, TMP].contains(&name.as_str())) {
        return Err(Error::invalid(format!(
            "`{}` is not a vecstore store: it has no manifest, but `{foreign}`; give an empty or a new directory",
            root.display()
        )));
    }
    Ok(())
}

fn take_lock(vfs: &dyn Vfs, root: &Path, wait: Duration) -> Result<Box<dyn LockGuard>> {
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

/// Creates an empty database with one collection. A crash before the first manifest leaves nothing but empty
/// directories and an empty log, which the next open starts over from.
fn create(
    vfs: &dyn Vfs,
    root: &Path,
    options: &OpenOptions,
    name: &str,
) -> Result<(Manifest, Option<Manifest>)> {
    let collections = root.join(COLLECTIONS);
    if vfs.stat(&collections).map_err(|error| Error::io("look for", &collections, error))?.is_some() {
        check_holds_nothing(vfs, &collections)?;
        vfs.remove_dir_all(&collections).map_err(|error| Error::io("remove", &collections, error))?;
    }
    let uuid = new_uuid()?;
    let directory = collection_dir(root, uuid);
    create_dirs(vfs, &directory)?;
    create_dirs(vfs, &root.join(TMP))?;
    LogWriter::create(vfs, &directory, 1, uuid, new_uuid()?)?;
    vfs.sync_dir(root).map_err(|error| Error::io("sync", root, error))?;
    let first = Manifest {
        database: new_uuid()?,
        generation: 1,
        collections: vec![CollectionEntry {
            uuid,
            name: name.to_owned(),
            metric: options.metric.unwrap_or(Metric::Cosine),
            dim: options.dim,
            checkpoint_lsn: 0,
            first_log: 1,
            durable_lsn: 0,
            segments: Vec::new(),
        }],
    };
    // Twice, since no log could make up for the loss of the first.
    first.publish(vfs, root)?;
    let second = Manifest { generation: 2, ..first.clone() };
    second.publish(vfs, root)?;
    Ok((second, Some(first)))
}

/// Fails if there are records under `collections`: then it is the manifests that are missing.
fn check_holds_nothing(vfs: &dyn Vfs, collections: &Path) -> Result<()> {
    let list = |path: &Path| vfs.list(path).map_err(|error| Error::io("list", path, error));
    for directory in list(collections)? {
        for file in if directory.is_dir { list(&directory.path)? } else { Vec::new() } {
            let name = file.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let empty = wal::parse_file_name(name).is_some() && wal::is_empty(vfs, &file.path)?;
            if !empty {
                return Err(Error::corrupted(format!(
                    "`{}` holds records, but the manifests that list them are missing",
                    file.path.display()
                )));
            }
        }
    }
    Ok(())
}
