//! The collections that this process knows, and those among them that are open.
//!
//! A collection is opened by the first call that needs its records. Only so many are open at a time, each with a file and
//! the rows of its log: beyond that, one that was not used lately is closed again, without a call noticing.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Shared;
use crate::collection::Core;
use crate::error::Result;
use crate::storage::Uuid;
use crate::storage::manifest::CollectionEntry;

/// How many collections are open at a time: each holds one open file, and systems allow a process 1,024 and often 256.
const OPEN_MAX: usize = 128;

#[derive(Debug, Default)]
pub(super) struct Registry {
    collections: Mutex<Collections>,
    /// What is known of closed collections and not in the manifest yet; the next manifest has it.
    notes: Mutex<HashMap<Uuid, Note>>,
}

#[derive(Debug, Default)]
struct Collections {
    known: HashMap<Uuid, Arc<Core>>,
    /// The one that is looked at first for closing is in front.
    open: Vec<Arc<Core>>,
    closed: bool,
}

/// What closing a collection leaves to be noted in the manifest: nothing that recovery needs, but a guard against rot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Note {
    pub(crate) durable_lsn: u64,
    pub(crate) dim: Option<usize>,
}

impl Shared {
    /// Returns the collection of an entry: the same one each time.
    pub(crate) fn core(self: &Arc<Self>, entry: &CollectionEntry) -> Arc<Core> {
        let mut collections = self.registry.collections.lock();
        let make = || Arc::new(Core::new(self, entry));
        Arc::clone(collections.known.entry(entry.uuid).or_insert_with(make))
    }

    /// Returns the collection of this identity if any call asked for it before.
    pub(super) fn known_core(&self, uuid: Uuid) -> Option<Arc<Core>> {
        self.registry.collections.lock().known.get(&uuid).cloned()
    }

    pub(super) fn forget_core(&self, uuid: Uuid) {
        self.registry.collections.lock().known.remove(&uuid);
        self.registry.notes.lock().remove(&uuid);
    }

    /// Returns the collections that are open.
    pub(crate) fn open_cores(&self) -> Vec<Arc<Core>> {
        self.registry.collections.lock().open.clone()
    }

    /// Notes that a collection was opened. Fails if the database was closed meanwhile.
    pub(crate) fn note_open(&self, core: &Arc<Core>) -> Result<()> {
        let mut collections = self.registry.collections.lock();
        if collections.closed {
            return Err(self.closed_error());
        }
        collections.open.push(Arc::clone(core));
        Ok(())
    }

    /// Notes that a collection was closed.
    pub(crate) fn note_closed(&self, uuid: Uuid, note: Option<Note>) {
        self.registry.collections.lock().open.retain(|core| core.uuid() != uuid);
        if let Some(note) = note {
            self.registry.notes.lock().insert(uuid, note);
        }
    }

    /// Closes collections while more are open than may be: those that were not used since the last look first.
    pub(crate) fn close_unused(&self) {
        // In memory, a closed collection would be an empty one.
        if !self.logged {
            return;
        }
        let mut looks = 0;
        loop {
            let candidate = {
                let mut collections = self.registry.collections.lock();
                let count = collections.open.len();
                // Twice round: the first look takes away the mark of use. Those that are busy stay.
                if count <= OPEN_MAX || looks > 2 * count {
                    return;
                }
                let core = collections.open.remove(0);
                collections.open.push(Arc::clone(&core));
                core
            };
            looks += 1;
            candidate.close_unless_used();
        }
    }

    /// Lets no collection be opened any more, and returns those that are open.
    pub(super) fn end_opening(&self) -> Vec<Arc<Core>> {
        let mut collections = self.registry.collections.lock();
        collections.closed = true;
        collections.open.clone()
    }

    /// Lets go of the collections, which hold on to this.
    pub(super) fn forget_cores(&self) {
        let mut collections = self.registry.collections.lock();
        collections.known.clear();
        collections.open.clear();
    }

    /// Puts the notes about closed collections into entries, and returns which they were.
    pub(super) fn apply_notes(&self, entries: &mut [CollectionEntry]) -> Vec<(Uuid, u64)> {
        let notes = self.registry.notes.lock();
        if notes.is_empty() {
            return Vec::new();
        }
        for entry in entries {
            if let Some(note) = notes.get(&entry.uuid) {
                entry.durable_lsn = entry.durable_lsn.max(note.durable_lsn);
                entry.dim = entry.dim.or(note.dim);
            }
        }
        notes.iter().map(|(&uuid, note)| (uuid, note.durable_lsn)).collect()
    }

    /// Forgets notes that are in the manifest now.
    pub(super) fn drop_notes(&self, applied: &[(Uuid, u64)]) {
        let mut notes = self.registry.notes.lock();
        for (uuid, durable_lsn) in applied {
            if notes.get(uuid).is_some_and(|note| note.durable_lsn == *durable_lsn) {
                notes.remove(uuid);
            }
        }
    }

    pub(super) fn has_notes(&self) -> bool {
        !self.registry.notes.lock().is_empty()
    }
}
