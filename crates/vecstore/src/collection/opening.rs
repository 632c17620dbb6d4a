//! Opening a collection when a call needs it, and closing it: for good, to make room for others, or to exchange its records.
//!
//! A call holds `source` for reading: a write to its end, a read only until it has its snapshot. Whoever closes the
//! collection holds it for writing, and so waits for writes and upkeep; merges, which may take minutes, see `retiring` and
//! give up. No call takes `source` twice.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::{MappedRwLockReadGuard, RwLockReadGuard};
use vecstore_interrupt::Interrupt;

use super::recovery::Follower;
use super::{Core, Snapshot, Source, Writer};
use crate::database::{Note, refuse_link};
use crate::error::{Error, Result};
use crate::storage::Uuid;

/// What an open collection is read from or written to; it stays open meanwhile.
type Opened<'a, T> = MappedRwLockReadGuard<'a, T>;

impl Core {
    /// Returns what the collection is open for writing with, opening it if it is not.
    pub(super) fn writer(self: &Arc<Self>) -> Result<Opened<'_, Writer>> {
        MappedRwLockReadGuard::try_map(self.source()?, |source| match source {
            Source::Writer(writer) => Some(&**writer),
            Source::Follower(_) => None,
        })
        .map_err(|_| Error::unsupported("the store was opened read-only: open it without read_only to write"))
    }

    /// Returns the committed records, for a call that reads them.
    pub(crate) fn snapshot(self: &Arc<Self>) -> Result<Arc<Snapshot>> {
        let snapshot = self.any_snapshot()?;
        self.check_readable()?;
        self.counters.request();
        Ok(snapshot)
    }

    /// Returns the committed records, whatever the status of the collection.
    pub(super) fn any_snapshot(self: &Arc<Self>) -> Result<Arc<Snapshot>> {
        match &*self.source()? {
            Source::Writer(writer) => Ok(writer.committer.published()),
            Source::Follower(follower) => follower.snapshot(self),
        }
    }

    /// Sets the dimension of a collection that has none yet.
    pub(crate) fn adopt_dim(self: &Arc<Self>, dim: Option<usize>) -> Result<()> {
        if let Source::Writer(writer) = &*self.source()? {
            writer.committer.adopt_dim(dim);
        }
        Ok(())
    }

    pub(super) fn source(self: &Arc<Self>) -> Result<Opened<'_, Source>> {
        loop {
            self.check_open()?;
            if let Ok(source) = RwLockReadGuard::try_map(self.source.read(), Option::as_ref) {
                // Read first: a line of memory that all threads write to would be slow.
                if !self.used.load(Ordering::Relaxed) {
                    self.used.store(true, Ordering::Relaxed);
                }
                return Ok(source);
            }
            self.open()?;
        }
    }

    /// Calls `look` with what the collection is open for writing with, if it is and that can be told at once.
    pub(super) fn if_writing<T>(&self, look: impl FnOnce(&Writer) -> T) -> Option<T> {
        match self.source.try_read()?.as_ref()? {
            Source::Writer(writer) => Some(look(writer)),
            Source::Follower(_) => None,
        }
    }

    /// Calls `step` with what the collection is open for writing with, if it is. For background threads: those who wait to
    /// close the collection let them go first, since writers may be waiting for them in turn.
    pub(super) fn while_writing<T>(&self, step: impl FnOnce(&Writer) -> T) -> Option<T> {
        match self.source.read_recursive().as_ref()? {
            Source::Writer(writer) => Some(step(writer)),
            Source::Follower(_) => None,
        }
    }

    /// Opens the collection if nobody has meanwhile.
    fn open(self: &Arc<Self>) -> Result<()> {
        let mut source = self.source.write();
        self.check_open()?;
        if source.is_none() {
            *source = Some(self.open_files()?);
        }
        drop(source);
        self.shared.close_unused();
        Ok(())
    }

    fn open_files(self: &Arc<Self>) -> Result<Source> {
        let shared = &self.shared;
        let opened = if shared.is_writer() {
            let entry = shared.entry(self.uuid)?;
            refuse_link(&*shared.vfs, &self.directory)?;
            shared.remove_unnamed(self.uuid)?;
            Source::Writer(Box::new(Writer::open(shared, &self.directory, &entry, self.scoring)?))
        } else {
            Source::Follower(Box::new(Follower::open(self)?))
        };
        shared.note_open(self)?;
        self.note_write();
        if let Source::Writer(writer) = &opened {
            self.note_unsealed(writer);
            // The last process may have left some.
            shared.background.seal.request();
            shared.background.merge.request();
        }
        Ok(opened)
    }

    pub(crate) fn dim(self: &Arc<Self>) -> Result<Option<usize>> {
        Ok(self.any_snapshot()?.dim)
    }

    pub(crate) fn check_open(&self) -> Result<()> {
        self.shared.check_open()?;
        if self.deleted.load(Ordering::Acquire) { Err(self.deleted_error()) } else { Ok(()) }
    }

    fn deleted_error(&self) -> Error {
        Error::closed(format!("the collection `{}` was deleted", self.name()))
    }

    /// Returns whether work that takes long should give up.
    pub(super) fn is_retiring(&self) -> bool {
        self.shared.is_closing() || self.retiring.load(Ordering::Acquire) > 0
    }

    /// Returns what tells work of this call that takes long whether to give up.
    pub(super) fn given_up(&self) -> impl Fn() -> bool + Sync {
        let interrupt = Interrupt::current();
        move || self.is_retiring() || interrupt.is_requested()
    }

    /// Returns why work that takes long gave up.
    pub(super) fn retiring_error(&self) -> Error {
        if self.shared.is_closing() {
            return self.shared.closed_error();
        }
        if !self.is_retiring() {
            return Error::interrupted();
        }
        Error::closed(format!(
            "the work on collection `{}` was given up: it is being deleted or restored",
            self.name()
        ))
    }

    /// Closes the collection for the end of the database: makes everything durable and leaves little to replay.
    pub(crate) fn close(&self) -> Result<()> {
        let mut source = self.source.write();
        match source.take() {
            Some(opened) => self.finish(&opened),
            None => Ok(()),
        }
    }

    /// Closes the collection unless it is busy or was used since the last time.
    pub(crate) fn close_unless_used(&self) {
        if self.used.swap(false, Ordering::Relaxed) {
            return;
        }
        let Some(mut source) = self.source.try_write() else { return };
        let Some(opened) = &*source else { return };
        // If it cannot be made durable it stays, for the next write to say so.
        if self.finish(opened).is_ok() {
            *source = None;
        }
    }

    /// Closes the collection and runs something while nobody can open it. The next call opens it again. All calls so far are
    /// durable then, and the next manifest says so.
    pub(super) fn while_closed<T>(self: &Arc<Self>, run: impl FnOnce() -> Result<T>) -> Result<T> {
        self.retiring.fetch_add(1, Ordering::AcqRel);
        let mut source = self.source.write();
        self.retiring.fetch_sub(1, Ordering::AcqRel);
        self.check_open()?;
        let opened = match source.take() {
            Some(opened) => opened,
            None => self.open_files()?,
        };
        self.finish(&opened)?;
        run()
    }

    /// Closes the collection for good if `delete` succeeds.
    pub(crate) fn delete<T>(&self, delete: impl FnOnce() -> Result<T>) -> Result<T> {
        self.retiring.fetch_add(1, Ordering::AcqRel);
        let mut source = self.source.write();
        self.retiring.fetch_sub(1, Ordering::AcqRel);
        let deleted = delete()?;
        self.deleted.store(true, Ordering::Release);
        if source.take().is_some() {
            self.forget_unsealed();
            self.shared.note_closed(self.uuid, None);
        }
        Ok(deleted)
    }

    fn finish(&self, opened: &Source) -> Result<()> {
        let note = match opened {
            Source::Writer(writer) => self.close_writer(writer),
            Source::Follower(_) => Ok(None),
        };
        self.forget_unsealed();
        self.shared.note_closed(self.uuid, *note.as_ref().unwrap_or(&None));
        note.map(drop)
    }

    /// Makes everything durable and leaves little to replay. Returns what is to be noted in the manifest.
    fn close_writer(&self, writer: &Writer) -> Result<Option<Note>> {
        let mut upkeep = writer.upkeep.lock();
        if !writer.committer.has_log() {
            // In memory, only segments outlive this.
            self.seal(writer, &mut upkeep)?;
            return Ok(None);
        }
        let poisoned = writer.committer.check_poison();
        if poisoned.is_ok() && writer.committer.log_bytes() > super::upkeep::CLOSE_LOG_BYTES {
            // If there is no room for a segment, the log has it all.
            _ = self.seal(writer, &mut upkeep);
        }
        let closed = writer.committer.close(self.shared.closed_error());
        poisoned?;
        let (durable_lsn, dim) = (closed?, writer.committer.published().dim);
        let is_news = self.entry()?.durable_lsn < durable_lsn;
        Ok(is_news.then_some(Note { durable_lsn, dim }))
    }

    /// Lets the database know how many bytes of rows are in memory.
    pub(super) fn note_unsealed(&self, writer: &Writer) {
        let now = writer.committer.with_published(Snapshot::memory_bytes);
        self.shared.note_unsealed(self.unsealed.swap(now, Ordering::Relaxed), now);
    }

    fn forget_unsealed(&self) {
        self.shared.note_unsealed(self.unsealed.swap(0, Ordering::Relaxed), 0);
    }

    /// Returns the bytes of rows in memory that the database knows of.
    pub(crate) fn unsealed_bytes(&self) -> u64 {
        self.unsealed.load(Ordering::Relaxed)
    }

    /// Notes that something was written just now.
    pub(super) fn note_write(&self) {
        self.last_write_ms.store(self.made.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    pub(crate) fn uuid(&self) -> Uuid {
        self.uuid
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }
}
