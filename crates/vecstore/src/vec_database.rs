//! The database: a directory of collections.

use std::path::Path;
use std::sync::Arc;

use crate::collection::{Collection, Core, NamespaceStats};
use crate::database::{
    self, BackupReport, CollectionConfig, Handle, NamespaceQuotas, NamespaceStatus, Shared, no_collection,
};
use crate::error::Result;
use crate::options::OpenOptions;

/// Collections in one directory, each with a dimension, a metric and options of its own, under one lock.
///
/// Collections are opened when they are first used, and closed again when many others are: thousands of small ones cost
/// little. Background threads, memory budget, durability and the threads for queries are the database's; all collections
/// share them. A [`VecStore`](crate::VecStore) is a database with the one collection `default`.
///
/// A name is 1 to 1,024 bytes of UTF-8 without control characters, compared byte by byte. It never becomes a path.
///
/// Dropping the last handle of the database and of its collections closes it; [`VecDatabase::close`] does the same and
/// reports errors.
///
/// # Examples
///
/// ```
/// use vecstore::{CollectionConfig, Metadata, Metric, Query, VecDatabase};
///
/// let directory = tempfile::tempdir().unwrap();
/// let database = VecDatabase::open(directory.path())?;
/// let acme = database.create_collection("tenant/acme", &CollectionConfig::new().metric(Metric::Dot))?;
/// acme.upsert("a", &[1.0, 0.0], &Metadata::new())?;
/// assert_eq!(database.list_collections()?, ["tenant/acme"]);
/// assert_eq!(acme.query(&Query::new([0.5, 0.5]).k(1))?[0].id, "a");
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct VecDatabase {
    handle: Arc<Handle>,
}

/// Sums over the collections of a database at one moment, for each of them nearly the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AggregateStats {
    /// Collections.
    pub total_namespaces: usize,
    /// Those with the status Active.
    pub active_namespaces: usize,
    /// Records, soft-deleted ones included.
    pub total_vectors: usize,
    /// Records that reads return.
    pub active_vectors: usize,
    /// Soft-deleted records.
    pub deleted_vectors: usize,
    /// Calls that read or wrote records, since the database was opened.
    pub total_requests: u64,
    /// Queries answered since the database was opened.
    pub total_queries: u64,
    /// Records upserted since the database was opened.
    pub total_upserts: u64,
    /// Records deleted since the database was opened.
    pub total_deletes: u64,
    /// Bytes of the live records.
    pub storage_bytes: u64,
    /// Bytes of rows in memory.
    pub memory_bytes: u64,
    /// Bytes of the files of all collections.
    pub disk_bytes: u64,
}

impl VecDatabase {
    /// Opens the database at `path` with the default options, creating it without collections if it does not exist. See
    /// [`OpenOptions::open_database`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        OpenOptions::new().open_database(path)
    }

    /// Opens a new, empty database that never touches disk and is gone when it is dropped.
    pub fn open_in_memory() -> Result<Self> {
        OpenOptions::new().open_database_in_memory()
    }

    /// Returns the default options, to change some of them.
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    pub(crate) fn open_with(path: &Path, options: &OpenOptions) -> Result<Self> {
        Self::with(Shared::open(path, options, None)?, options)
    }

    pub(crate) fn open_in_memory_with(options: &OpenOptions) -> Result<Self> {
        Self::with(Shared::in_memory(options, None)?, options)
    }

    fn with(shared: Arc<Shared>, options: &OpenOptions) -> Result<Self> {
        let handle = Arc::new(Handle { shared });
        let shared = &handle.shared;
        if options.background && shared.is_writer() {
            shared.start_background()?;
        }
        Ok(Self { handle })
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    fn collection(&self, core: Arc<Core>) -> Collection {
        Collection { core, handle: Arc::clone(&self.handle) }
    }

    /// Makes a collection, durably.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if there is one of that name, `InvalidInput` for a bad name or option, `Io`. Nothing is changed then.
    pub fn create_collection(&self, name: &str, config: &CollectionConfig) -> Result<Collection> {
        self.shared().create_collection(name, config).map(|core| self.collection(core))
    }

    /// Returns the collection of this name, if there is one. Opens none of its files yet.
    pub fn get_collection(&self, name: &str) -> Result<Option<Collection>> {
        let entry = self.shared().find_entry(name)?;
        Ok(entry.map(|entry| self.collection(self.shared().core(&entry))))
    }

    /// Returns the collection of this name; makes it with `config` if there is none. One that is there keeps its own config.
    pub fn get_or_create_collection(&self, name: &str, config: &CollectionConfig) -> Result<Collection> {
        loop {
            if let Some(collection) = self.get_collection(name)? {
                return Ok(collection);
            }
            match self.create_collection(name, config) {
                // Another thread was faster.
                Err(error) if error.kind() == crate::ErrorKind::AlreadyExists => {}
                made => return made,
            }
        }
    }

    /// Returns the names of the collections, sorted.
    pub fn list_collections(&self) -> Result<Vec<String>> {
        self.shared().names()
    }

    /// Deletes a collection with all its records, snapshots and files, durably. Returns whether it was there. Calls that are
    /// under way in it end first; all later ones fail with `Closed`.
    pub fn delete_collection(&self, name: &str) -> Result<bool> {
        self.shared().delete_collection(name)
    }

    /// Gives a collection another name, durably. Handles of it go on under the new name.
    ///
    /// # Errors
    ///
    /// `NotFound`, `AlreadyExists`, `InvalidInput` for a bad name, `Io`. Nothing is changed then.
    pub fn rename_collection(&self, name: &str, new_name: &str) -> Result<()> {
        self.shared().rename_collection(name, new_name)
    }

    /// Sets what a collection may grow to. What it has grown to already stays.
    pub fn update_quotas(&self, name: &str, quotas: NamespaceQuotas) -> Result<()> {
        self.shared().set(name, |settings| settings.quotas = quotas)
    }

    /// Sets what may be done with a collection.
    pub fn update_status(&self, name: &str, status: NamespaceStatus) -> Result<()> {
        self.shared().set(name, |settings| settings.status = status)
    }

    /// Returns figures about a collection.
    ///
    /// # Errors
    ///
    /// `NotFound`; and what reading the collection fails with.
    pub fn stats(&self, name: &str) -> Result<NamespaceStats> {
        let collection = self.get_collection(name)?.ok_or_else(|| no_collection(name))?;
        collection.namespace_stats()
    }

    /// Returns sums over all collections. Opens each of them, one after the other.
    pub fn aggregate_stats(&self) -> Result<AggregateStats> {
        let mut sums = AggregateStats::default();
        for entry in self.shared().entries()? {
            let stats = match self.collection(self.shared().core(&entry)).namespace_stats() {
                // Deleted meanwhile.
                Err(error) if error.kind() == crate::ErrorKind::Closed && !self.is_closed() => continue,
                stats => stats?,
            };
            sums.total_namespaces += 1;
            sums.active_namespaces += usize::from(stats.status == NamespaceStatus::Active);
            sums.total_vectors += stats.vector_count;
            sums.active_vectors += stats.active_count;
            sums.deleted_vectors += stats.deleted_count;
            sums.total_requests += stats.total_requests;
            sums.total_queries += stats.total_queries;
            sums.total_upserts += stats.total_upserts;
            sums.total_deletes += stats.total_deletes;
            sums.storage_bytes += stats.storage_bytes;
            sums.memory_bytes += stats.memory_bytes;
            sums.disk_bytes += stats.disk_bytes;
        }
        Ok(sums)
    }

    /// Copies all collections to a directory of their own, each as of a moment after the call began. See
    /// [`Collection::backup`].
    pub fn backup(&self, path: impl AsRef<Path>, incremental: bool) -> Result<BackupReport> {
        let shared = self.shared();
        let cores: Vec<Arc<Core>> = shared.entries()?.iter().map(|entry| shared.core(entry)).collect();
        shared.back_up(&cores, path.as_ref(), incremental, true)
    }

    /// Copies one collection to a directory of its own. See [`Collection::backup`].
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such collection.
    pub fn backup_collection(
        &self,
        name: &str,
        path: impl AsRef<Path>,
        incremental: bool,
    ) -> Result<BackupReport> {
        self.get_collection(name)?.ok_or_else(|| no_collection(name))?.backup(path, incremental)
    }

    /// Brings a collection back from a backup of it, under its name. If it is here, its records become those of the backup;
    /// otherwise it is made, with the config it had.
    ///
    /// # Errors
    ///
    /// `NotFound` if the backup has no collection of that name, and more than one; `AlreadyExists` if another collection has the
    /// name here, or this one is here under another; `Corrupted` if a file of the backup fails its checksums. Nothing is
    /// changed then.
    pub fn restore_collection(&self, name: &str, path: impl AsRef<Path>) -> Result<Collection> {
        let core = self.shared().restore_collection(name, path.as_ref())?;
        Ok(self.collection(core))
    }

    /// Makes a database (or store) of a backup, in a directory that is empty or not there yet. Every byte is checked.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if the directory holds something, `InvalidInput` if `path` is no backup, `Corrupted`, `Io`. What was
    /// copied by then stays, without a manifest: no database can be opened there.
    pub fn restore_backup(path: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<()> {
        OpenOptions::new().restore_backup(path, to)
    }

    /// Returns the path the database was opened with.
    pub fn path(&self) -> &Path {
        &self.shared().root
    }

    /// Returns whether the database was closed.
    pub fn is_closed(&self) -> bool {
        self.shared().check_open().is_err()
    }

    /// Makes everything durable and closes the database, for all handles of it and of its collections. Closing again does
    /// nothing.
    ///
    /// # Errors
    ///
    /// `Io` if it could not be made durable. The database is closed all the same.
    pub fn close(&self) -> Result<()> {
        self.handle.close()
    }
}

impl OpenOptions {
    /// Makes a store or database of a backup on the file system of these options. See [`VecDatabase::restore_backup`].
    pub fn restore_backup(&self, path: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<()> {
        database::restore_backup(self, path.as_ref(), to.as_ref())
    }
}

impl Collection {
    /// Copies the collection to a directory of its own, as of a moment after the call began, while reads and writes go on.
    ///
    /// With `incremental`, files that are in the backup from before are left as they are; without, all are copied. Every
    /// file is checked when it is copied. Several collections of one database may be backed up to one directory. Settings are
    /// in the backup, snapshots are not. The backup of a store in memory goes to disk.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the directory is no place for it, `AlreadyExists` if it holds another database, `Locked` if it is
    /// open, `Corrupted` if a file fails its checksums, `Io`. The backup that was there before is whole then.
    pub fn backup(&self, path: impl AsRef<Path>, incremental: bool) -> Result<BackupReport> {
        self.core.check_open()?;
        self.handle.shared.back_up(&[Arc::clone(&self.core)], path.as_ref(), incremental, false)
    }
}
