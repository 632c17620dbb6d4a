//! The collections of a database: finding, making, renaming, deleting and setting them.
//!
//! No log holds these changes, so each is published twice: if the newest manifest is damaged, the one before says the same.
//! A crash before the first leaves what was there before, and at most a directory that no manifest names, which the next
//! open removes; a crash after it leaves the change.

use std::sync::Arc;

use super::create::create_collection;
use super::manifests::{newest_manifest, retry};
use super::{CollectionConfig, Shared, check_name, collection_dir};
use crate::collection::Core;
use crate::error::{Error, ErrorKind, Result};
use crate::field_index::FieldChoices;
use crate::record::shown;
use crate::storage::Uuid;
use crate::storage::manifest::{self, CollectionEntry, Manifest};
use crate::storage::settings::Settings;

impl Shared {
    /// Returns the entry of a collection in the current manifest.
    pub(crate) fn entry(&self, uuid: Uuid) -> Result<CollectionEntry> {
        let catalog = self.catalog.lock();
        let entry = catalog.current.collections.iter().find(|entry| entry.uuid == uuid);
        entry.cloned().ok_or_else(|| Error::closed("the collection was deleted"))
    }

    /// Returns the entry of a collection, in a process that only reads as the one that writes has published it last.
    pub(crate) fn current_entry(&self, uuid: Uuid) -> Result<CollectionEntry> {
        self.follow()?;
        self.entry(uuid)
    }

    /// Returns the entry of the collection of this name.
    pub(crate) fn find_entry(&self, name: &str) -> Result<Option<CollectionEntry>> {
        self.follow()?;
        let catalog = self.catalog.lock();
        Ok(catalog.current.collections.iter().find(|entry| entry.name == name).cloned())
    }

    /// Returns the entry of the collection of this name, which must be there.
    pub(crate) fn entry_named(&self, name: &str) -> Result<CollectionEntry> {
        self.find_entry(name)?.ok_or_else(|| no_collection(name))
    }

    /// Returns the entries of all collections, in no order.
    pub(crate) fn entries(&self) -> Result<Vec<CollectionEntry>> {
        self.follow()?;
        Ok(self.catalog.lock().current.collections.clone())
    }

    /// Returns the names of all collections, sorted.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        self.follow()?;
        let catalog = self.catalog.lock();
        let mut names: Vec<String> =
            catalog.current.collections.iter().map(|entry| entry.name.clone()).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// In a process that only reads, looks whether the one that writes has published a manifest since.
    fn follow(&self) -> Result<()> {
        self.check_open()?;
        if self.is_writer() {
            return Ok(());
        }
        let (vfs, root) = (&*self.vfs, &self.root);
        let known = self.catalog.lock().current.generation;
        let is_there = |generation| {
            let path = root.join(manifest::file_name(generation));
            vfs.stat(&path).map(|found| found.is_some()).map_err(|error| Error::io("look for", &path, error))
        };
        if is_there(known + 1)? || !is_there(known)? {
            let newest = retry(vfs, root, || newest_manifest(vfs, root))?;
            for entry in &newest.collections {
                if let Some(core) = self.known_core(entry.uuid) {
                    core.adopt_settings(entry);
                }
            }
            self.catalog.lock().current = newest;
        }
        Ok(())
    }

    /// Makes a collection.
    pub(crate) fn create_collection(
        self: &Arc<Self>,
        name: &str,
        config: &CollectionConfig,
    ) -> Result<Arc<Core>> {
        self.check_writer()?;
        check_name(name, "collection")?;
        config.check()?;
        let _changing = self.changing.lock();
        if self.find_entry(name)?.is_some() {
            return Err(already_there(name));
        }
        let entry = create_collection(&*self.vfs, &self.root, name, config)?;
        let made = self.publish_twice(|manifest| manifest.collections.push(entry.clone()));
        if let Err(error) = made {
            if self.check_manifest().is_ok() {
                _ = self.vfs.remove_dir_all(&collection_dir(&self.root, entry.uuid));
            }
            return Err(error);
        }
        Ok(self.core(&entry))
    }

    /// Gives a collection another name.
    pub(crate) fn rename_collection(&self, name: &str, new_name: &str) -> Result<()> {
        self.check_writer()?;
        check_name(new_name, "collection")?;
        let _changing = self.changing.lock();
        let entry = self.entry_named(name)?;
        if name == new_name {
            return Ok(());
        }
        if self.find_entry(new_name)?.is_some() {
            return Err(already_there(new_name));
        }
        self.change_entry(entry.uuid, |entry| new_name.clone_into(&mut entry.name))?;
        if let Some(core) = self.known_core(entry.uuid) {
            core.set_name(new_name);
        }
        Ok(())
    }

    /// Deletes a collection with all its files. Calls that are under way in it end first, or fail with `Closed`, as all
    /// later ones do.
    pub(crate) fn delete_collection(&self, name: &str) -> Result<bool> {
        self.check_writer()?;
        let _changing = self.changing.lock();
        let Some(entry) = self.find_entry(name)? else { return Ok(false) };
        let delete = || self.change(|manifest| manifest.collections.retain(|one| one.uuid != entry.uuid));
        let deleted = match self.known_core(entry.uuid) {
            Some(core) => core.delete(delete),
            None => delete(),
        };
        let twice = deleted?;
        self.forget_core(entry.uuid);
        if twice {
            // What another process has mapped stays, on some systems, until the next open.
            _ = self.vfs.remove_dir_all(&collection_dir(&self.root, entry.uuid));
        }
        Ok(true)
    }

    /// Changes the settings of a collection.
    pub(crate) fn set(&self, name: &str, change: impl FnOnce(&mut Settings)) -> Result<()> {
        self.check_writer()?;
        let _changing = self.changing.lock();
        let entry = self.entry_named(name)?;
        self.set_entry(&entry, |settings| {
            change(settings);
            Ok(())
        })
    }

    /// Changes the field indexes of a collection.
    pub(crate) fn set_fields(
        &self,
        uuid: Uuid,
        change: impl FnOnce(&mut FieldChoices) -> Result<()>,
    ) -> Result<()> {
        self.check_writer()?;
        let _changing = self.changing.lock();
        let entry = self.entry(uuid)?;
        self.set_entry(&entry, |settings| change(Arc::make_mut(&mut settings.fields)))
    }

    fn set_entry(
        &self,
        entry: &CollectionEntry,
        change: impl FnOnce(&mut Settings) -> Result<()>,
    ) -> Result<()> {
        let mut settings = entry.settings.clone();
        change(&mut settings)?;
        if settings == entry.settings {
            return Ok(());
        }
        self.change_entry(entry.uuid, |one| one.settings = settings.clone())?;
        if let Some(core) = self.known_core(entry.uuid) {
            core.set_limits(&settings);
        }
        Ok(())
    }

    /// Publishes a manifest with another entry for one collection.
    pub(crate) fn publish_entry(&self, entry: CollectionEntry) -> Result<()> {
        self.publish(|manifest| {
            if let Some(present) = manifest.collections.iter_mut().find(|present| present.uuid == entry.uuid)
            {
                // Those may have been changed since the entry was read.
                let name = std::mem::take(&mut present.name);
                let settings = std::mem::take(&mut present.settings);
                let snapshots = std::mem::take(&mut present.snapshots);
                *present = CollectionEntry { name, settings, snapshots, ..entry };
            }
        })
    }

    /// Changes an entry that is there, twice.
    pub(crate) fn change_entry(&self, uuid: Uuid, change: impl FnOnce(&mut CollectionEntry)) -> Result<()> {
        self.publish_twice(|manifest| {
            if let Some(entry) = manifest.collections.iter_mut().find(|entry| entry.uuid == uuid) {
                change(entry);
            }
        })
    }

    fn publish_twice(&self, change: impl FnOnce(&mut Manifest)) -> Result<()> {
        self.change(change).map(drop)
    }

    /// Publishes a change twice. Returns whether the second time succeeded, too: if not, the change is made, but not yet safe
    /// from damage to the newest manifest.
    pub(super) fn change(&self, change: impl FnOnce(&mut Manifest)) -> Result<bool> {
        self.publish(change)?;
        Ok(self.publish(|_| ()).is_ok())
    }

    pub(crate) fn check_writer(&self) -> Result<()> {
        self.check_open()?;
        if self.is_writer() {
            return Ok(());
        }
        Err(Error::unsupported("the database was opened read-only: open it without read_only to change it"))
    }
}

pub(crate) fn no_collection(name: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("no collection is named `{}`", shown(name)))
}

fn already_there(name: &str) -> Error {
    Error::new(ErrorKind::AlreadyExists, format!("there is a collection named `{}` already", shown(name)))
}
