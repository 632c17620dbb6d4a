//! The store: a database with one collection.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use crate::collection::Collection;
use crate::database::{Handle, Shared, no_collection};
use crate::error::{Error, Result};
use crate::options::OpenOptions;
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
        Self::with(&Shared::open(path, options, Some(COLLECTION))?, options)
    }

    pub(crate) fn open_in_memory_with(options: &OpenOptions) -> Result<Self> {
        Self::with(&Shared::in_memory(options, Some(COLLECTION))?, options)
    }

    fn with(shared: &Arc<Shared>, options: &OpenOptions) -> Result<Self> {
        let handle = Arc::new(Handle { shared: Arc::clone(shared) });
        let entry = match shared.find_entry(COLLECTION)? {
            Some(entry) => entry,
            // The directory is a database without one.
            None if shared.is_writer() => {
                shared.create_collection(COLLECTION, &options.collection_config())?;
                shared.entry_named(COLLECTION)?
            }
            None => return Err(no_collection(COLLECTION)),
        };
        if let Some(metric) = options.metric
            && metric != entry.metric
        {
            return Err(Error::invalid(format!(
                "the store `{}` has the metric {}, got {metric}: a store keeps the metric it was made with",
                shared.root.display(),
                entry.metric
            )));
        }
        options.check_text(&entry.text, &shared.root)?;
        options.check_partition(entry.settings.partition_by.as_deref(), &shared.root)?;
        let core = shared.core(&entry);
        core.set_quantization(options.quantization.unwrap_or_default());
        if let (Some(expected), Some(got)) = (core.dim()?, options.dim)
            && expected != got
        {
            return Err(Error::new(
                crate::ErrorKind::DimensionMismatch,
                format!("the store `{}` has the dimension {expected}, got dim={got}", shared.root.display()),
            ));
        }
        if options.background && shared.is_writer() {
            shared.start_background()?;
        }
        core.adopt_dim(options.dim)?;
        let collection = Collection { core, handle };
        collection.adopt_schema(&options.schema)?;
        Ok(Self { collection })
    }

    /// Returns the path the store was opened with.
    pub fn path(&self) -> &Path {
        &self.collection.handle.shared.root
    }

    /// Returns whether the store was closed.
    pub fn is_closed(&self) -> bool {
        self.collection.is_closed()
    }

    /// Makes everything durable and closes the store, for all clones. Closing again does nothing.
    ///
    /// # Errors
    ///
    /// `Io` if it could not be made durable. The store is closed all the same.
    pub fn close(&self) -> Result<()> {
        self.collection.handle.close()
    }
}

impl Deref for VecStore {
    type Target = Collection;

    fn deref(&self) -> &Collection {
        &self.collection
    }
}
