//! The store: a database with one collection.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use crate::collection::{Collection, Core};
use crate::database::Shared;
use crate::error::{Error, Result};
use crate::options::{Durability, OpenOptions};
use crate::repair::RepairReport;

/// The name of the collection of a store.
const COLLECTION: &str = "default";

/// A collection of records in a directory of its own. Everything a [`Collection`] can do, a store can.
///
/// Dropping the last clone closes the store; [`VecStore::close`] does the same and reports errors.
///
/// # Examples
///
/// ```
/// use vecstore::{Metadata, Query, VecStore};
///
/// let directory = tempfile::tempdir().unwrap();
/// let store = VecStore::open(directory.path())?;
/// store.upsert("a", &[1.0, 0.0], &Metadata::from([("page", 1.into())]))?;
/// store.upsert("b", &[0.6, 0.8], &Metadata::new())?;
/// let nearest = store.query(&Query::new([1.0, 0.1]).k(1))?;
/// assert_eq!(nearest[0].id, "a");
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct VecStore {
    collection: Collection,
    handle: Arc<Handle>,
}

/// Closes the store when the last clone is dropped.
#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    core: Arc<Core>,
}

impl VecStore {
    /// Opens the store at `path` with the default options, creating it if it does not exist. See
    /// [`OpenOptions::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        OpenOptions::new().open(path)
    }

    /// Repairs the store at `path`, which must not be open: keeps all records that can be read, makes indexes anew, and
    /// says what is lost. A store with nothing wrong is left as it is. Single flipped bits are put back. Damaged files are
    /// moved to `damaged/` in the store, and may be removed.
    ///
    /// Takes up to as long as writing all records anew, and as much space on disk as the damaged segments.
    ///
    /// # Errors
    ///
    /// `Locked` if the store is open for writing; `NotFound` or `InvalidInput` if there is no store; `InvalidInput` too if
    /// all manifests are lost and nothing else tells the metric (give it with
    /// [`OpenOptions::metric`], then [`OpenOptions::repair`]); `Unsupported` if a newer version wrote it; `Io` if the disk
    /// cannot be read or is full. After an error nothing has changed.
    ///
    /// # Examples
    ///
    /// ```
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("store");
    /// # vecstore::VecStore::open(&path)?.upsert("a", &[1.0, 0.0], &vecstore::Metadata::new())?;
    /// let report = vecstore::VecStore::repair(&path)?;
    /// assert!(report.was_ok() && report.is_lossless());
    /// # Ok::<(), vecstore::Error>(())
    /// ```
    pub fn repair(path: impl AsRef<Path>) -> Result<RepairReport> {
        OpenOptions::new().repair(path)
    }

    /// Returns the default options, to change some of them.
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    pub(crate) fn open_with(path: &Path, options: &OpenOptions) -> Result<Self> {
        Self::with(Shared::open(path, options, COLLECTION)?, options)
    }

    pub(crate) fn open_in_memory_with(options: &OpenOptions) -> Result<Self> {
        Self::with(Shared::in_memory(options, COLLECTION)?, options)
    }

    fn with(shared: Arc<Shared>, options: &OpenOptions) -> Result<Self> {
        let entry = shared.entry_named(COLLECTION)?;
        if let Some(metric) = options.metric
            && metric != entry.metric
        {
            return Err(Error::invalid(format!(
                "the store `{}` has the metric {}, got {metric}: a store keeps the metric it was made with",
                shared.root.display(),
                entry.metric
            )));
        }
        let core = Core::open(&shared, &entry)?;
        let collection = Collection { core: Arc::clone(&core) };
        if let (Some(expected), Some(got)) = (collection.dim(), options.dim)
            && expected != got
        {
            return Err(Error::new(
                crate::ErrorKind::DimensionMismatch,
                format!("the store `{}` has the dimension {expected}, got dim={got}", shared.root.display()),
            ));
        }
        if options.background && shared.is_writer() {
            start_background(&shared, &core)?;
        }
        core.adopt_dim(options.dim);
        Ok(Self { collection, handle: Arc::new(Handle { shared, core }) })
    }

    /// Returns the path the store was opened with.
    pub fn path(&self) -> &Path {
        &self.handle.shared.root
    }

    /// Returns whether the store was closed.
    pub fn is_closed(&self) -> bool {
        self.handle.shared.check_open().is_err()
    }

    /// Makes everything durable and closes the store, for all clones. Closing again does nothing.
    ///
    /// # Errors
    ///
    /// `Io` if it could not be made durable. The store is closed all the same.
    pub fn close(&self) -> Result<()> {
        self.handle.close()
    }
}

impl Handle {
    fn close(&self) -> Result<()> {
        if !self.shared.begin_close() {
            return Ok(());
        }
        self.shared.background.stop();
        let outcome = self.core.close();
        self.shared.release_lock();
        outcome
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Whoever wants to know calls `close`.
        _ = self.close();
    }
}

impl Deref for VecStore {
    type Target = Collection;

    fn deref(&self) -> &Collection {
        &self.collection
    }
}

fn start_background(shared: &Shared, core: &Arc<Core>) -> Result<()> {
    let failed = |error| Error::io("start a thread for", &shared.root, error);
    let background = &shared.background;
    let (sealed, merged) = (Arc::downgrade(core), Arc::downgrade(core));
    let seal = move || Some(sealed.upgrade()?.seal_step());
    let merge = move || Some(merged.upgrade()?.merge_step());
    background.start_upkeep(seal, merge).map_err(failed)?;
    // The last process may have left some.
    background.seal.request();
    background.merge.request();
    if shared.durability == Durability::Interval {
        let collection = Arc::downgrade(core);
        // A failure poisons the log, so that the next write reports it.
        let sync = move || collection.upgrade()?.sync_if_unsynced().map_or(Some(()), Some);
        shared.background.start_sync(sync).map_err(failed)?;
    }
    Ok(())
}
