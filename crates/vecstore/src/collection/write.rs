//! Writing records.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::quota::QuotaCheck;
use super::read::not_found;
use super::snapshot::{Location, Snapshot};
use super::{Collection, Core, Writer, count};
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::limits::MAX_CALL_BYTES;
use crate::memory_check::check_memory;
use crate::metadata::{self, Document, Metadata};
use crate::record::{Batch, BatchOutcome, Operation, Record, check_id, dimension_mismatch, shown};
use crate::storage::body::Body;
use crate::storage::rows::{Rows, RowsBuilder};
use crate::storage::wal::{Frame, Payload};

impl Collection {
    /// Adds a record, or replaces the one with its id, soft-deleted or not.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a bad id, vector, metadata or text; `DimensionMismatch`; `Io` if it could not be made
    /// durable. Nothing is changed then.
    pub fn upsert(&self, id: &str, vector: &[f32], metadata: &Metadata) -> Result<()> {
        let mut batch = Batch::with_capacity(vector.len(), 1)?;
        batch.push_encoded(id, vector, &Document::new(metadata)?, None, None)?;
        self.upsert_many(batch).map(drop)
    }

    /// Adds or replaces a record with all it can have. `ttl` is how long it lives.
    pub fn upsert_record(&self, record: &Record, ttl: Option<Duration>) -> Result<()> {
        let mut batch = Batch::with_capacity(record.vector.len(), 1)?;
        batch.push(record, ttl)?;
        self.upsert_many(batch).map(drop)
    }

    /// Adds or replaces records, all or none of them. Returns how many distinct ids there were.
    ///
    /// Writes one log frame and syncs at most once, whatever the number of records.
    pub fn upsert_many(&self, mut batch: Batch) -> Result<usize> {
        let core = &self.core;
        let writer = core.writer()?;
        core.check_writable()?;
        if batch.is_empty() {
            return Ok(0);
        }
        // The table of ids, norms, and the call as it is logged, but for the vectors; and all of it once more if ids repeat.
        let rest = batch.rows.len() * 64 + batch.rows.variable_bytes();
        check_memory(2 * rest + batch.rows.vectors().len() * 4, "a write")?;
        let hidden = std::mem::take(&mut batch.hidden);
        let rows = Arc::new(core.prepare(batch)?);
        let mut payload = Payload::default();
        payload.upsert_some_hidden(&rows, &hidden);
        writer.wait_for_upkeep(core)?;
        let mut frame = Some(writer.frame(payload)?);
        core.write_with(&writer, |next, _| {
            next.check_dim(rows.dim())?;
            QuotaCheck::new(core).admit(core, next, &rows)?;
            next.upsert_some_hidden(&rows, &hidden)?;
            Ok(((), frame.take()))
        })?;
        count(&core.counters.upserts, rows.len() as u64);
        Ok(rows.len())
    }

    /// Replaces the metadata of a record.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such record, or it is soft-deleted or expired.
    pub fn update_metadata(&self, id: &str, metadata: &Metadata) -> Result<()> {
        let document = metadata::encode(metadata)?;
        self.core.rewrite(id, |_| Ok(Rewrite { document: Some(document), ..Rewrite::default() }))
    }

    /// Sets entries of the metadata of a record; other entries stay. An entry set to null is stored as null.
    pub fn patch_metadata(&self, id: &str, changes: &Metadata) -> Result<()> {
        self.core.rewrite(id, |old| {
            let mut patched = old.metadata.clone();
            for (key, value) in changes.iter() {
                patched.insert(key, value.clone());
            }
            Ok(Rewrite { document: Some(metadata::encode(&patched)?), ..Rewrite::default() })
        })
    }

    /// Replaces the vector of a record. One that had several has only this one then.
    pub fn update_vector(&self, id: &str, vector: &[f32]) -> Result<()> {
        self.core.rewrite(id, |_| Ok(Rewrite { vector: Some(vector), ..Rewrite::default() }))
    }

    /// Replaces or removes the text of a record.
    pub fn update_text(&self, id: &str, text: Option<&str>) -> Result<()> {
        crate::record::check_text(text)?;
        self.core.rewrite(id, |_| Ok(Rewrite { text: Some(text), ..Rewrite::default() }))
    }

    /// Lets a record expire after `ttl` from now, or never.
    pub fn set_ttl(&self, id: &str, ttl: Option<Duration>) -> Result<()> {
        let expiry = ttl.map_or(0, |ttl| expiry_after(self.core.now(), ttl));
        self.core.rewrite(id, |_| Ok(Rewrite { expiry: Some(expiry), ..Rewrite::default() }))
    }

    /// Removes a record, soft-deleted or not. Returns whether it was there.
    pub fn delete(&self, id: &str) -> Result<bool> {
        Ok(self.delete_many([id])? == 1)
    }

    /// Removes a record.
    ///
    /// # Errors
    ///
    /// `NotFound` if it is not there.
    pub fn remove(&self, id: &str) -> Result<()> {
        if self.delete(id)? { Ok(()) } else { Err(not_found(id)) }
    }

    /// Removes records, all or none of them. Returns how many were there.
    pub fn delete_many<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Result<usize> {
        let ids: Vec<&str> = ids.into_iter().map(|id| check_id(id).map(|()| id)).collect::<Result<_>>()?;
        let now = self.core.now();
        let counted = self.core.write(|next, writer| {
            let mut found = Vec::new();
            let mut counted = 0;
            for id in ids {
                if let Some(location) = next.locate(id)? {
                    counted += usize::from(!next.part(location).is_expired(location.row, now)?);
                    next.kill(location);
                    found.push(id);
                }
            }
            let mut payload = Payload::default();
            if !found.is_empty() {
                payload.delete(found.iter().copied());
            }
            Ok((counted, writer.frame_unless_empty(payload)?))
        })?;
        count(&self.core.counters.deletes, counted as u64);
        Ok(counted)
    }

    /// Removes every record that matches, atomically. Soft-deleted records stay. Returns how many were removed.
    pub fn delete_where(&self, filter: &Filter) -> Result<usize> {
        let matcher = filter.compile()?;
        let now = self.core.now();
        let removed = self.core.remove_where(|next, found| {
            next.for_each_match(&matcher, now, |location| found.push(location))
        })?;
        count(&self.core.counters.deletes, removed as u64);
        Ok(removed)
    }

    /// Removes the records that have expired. Returns how many there were. Expired records are never returned,
    /// removed or not; removing them frees their space.
    pub fn expire(&self) -> Result<usize> {
        let now = self.core.now();
        self.core.remove_where(|next, found| {
            for (part, view) in next.parts.iter().enumerate().filter(|(_, view)| view.part.has_expiry()) {
                for row in view.live_rows() {
                    if view.is_expired(row, now)? {
                        found.push(Location { part, row });
                    }
                }
            }
            Ok(())
        })
    }

    /// Hides a record from every read until it is restored. Returns whether it was there and visible.
    pub fn soft_delete(&self, id: &str) -> Result<bool> {
        check_id(id)?;
        let now = self.core.now();
        self.core.write(|next, writer| {
            let Some(location) = next.locate_visible(id, now)? else { return Ok((false, None)) };
            next.set_hidden(location, true);
            let mut payload = Payload::default();
            payload.hide([id]);
            Ok((true, Some(writer.frame(payload)?)))
        })
    }

    /// Shows a soft-deleted record again. Returns whether there was one.
    pub fn restore(&self, id: &str) -> Result<bool> {
        check_id(id)?;
        let now = self.core.now();
        self.core.write(|next, writer| {
            let Some(location) = next.locate(id)? else { return Ok((false, None)) };
            if next.part(location).is_expired(location.row, now)? {
                return Ok((false, None));
            }
            let mut payload = Payload::default();
            payload.unhide([id]);
            let restored = next.set_hidden(location, false);
            Ok((restored, if restored { Some(writer.frame(payload)?) } else { None }))
        })
    }

    /// Applies operations in order, as one atomic write. An operation that is not possible is reported and left
    /// out; the others are applied.
    ///
    /// # Errors
    ///
    /// Only if the whole write fails; nothing is changed then.
    pub fn batch_execute(&self, operations: &[Operation]) -> Result<BatchOutcome> {
        let started = Instant::now();
        let core = &self.core;
        core.writer()?.wait_for_upkeep(core)?;
        let mut outcome = core.write(|next, writer| {
            let mut quota = QuotaCheck::new(core);
            let mut outcome = BatchOutcome::default();
            let mut payload = Payload::default();
            for (position, operation) in operations.iter().enumerate() {
                match core.execute(next, &mut payload, &mut quota, operation) {
                    Ok(()) => outcome.succeeded += 1,
                    Err(error) if error.is_users() => {
                        outcome.failed.push((position, operation.name(), error));
                    }
                    Err(error) => return Err(error),
                }
                next.merge_small_parts()?;
            }
            Ok((outcome, writer.frame_unless_empty(payload)?))
        })?;
        outcome.duration = started.elapsed();
        Ok(outcome)
    }

    /// Waits until everything acknowledged so far is on disk, whatever the durability.
    pub fn save(&self) -> Result<()> {
        self.core.writer()?.committer.sync().map(drop)
    }
}

/// What changes in a record that is written again; `None` stays as it was.
#[derive(Default)]
struct Rewrite<'a> {
    document: Option<Vec<u8>>,
    vector: Option<&'a [f32]>,
    text: Option<Option<&'a str>>,
    expiry: Option<u64>,
}

pub(super) fn expiry_after(now: u64, ttl: Duration) -> u64 {
    // 0 stands for never, so a record can expire no earlier than a millisecond after the epoch.
    now.saturating_add(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)).max(1)
}

impl Core {
    /// Checks a batch and freezes it.
    pub(super) fn prepare(&self, mut batch: Batch) -> Result<Rows> {
        let now = self.now();
        for (row, ttl) in std::mem::take(&mut batch.ttls) {
            batch.rows.set_expiry(row, expiry_after(now, ttl));
        }
        self.freeze(batch.rows)
    }

    pub(super) fn freeze(&self, rows: RowsBuilder) -> Result<Rows> {
        let name = |row: usize| format!("vector of record `{}`", shown(rows.id(row)));
        let norms = self.scoring.check(rows.dim(), rows.vectors(), name)?;
        Ok(rows.build(norms))
    }

    /// Runs a change on a copy of the working snapshot, and commits it if it succeeds and has a frame. A change
    /// without one had nothing to do; it still waits for what it saw to be durable.
    fn write<T>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Snapshot, &Writer) -> Result<(T, Option<Frame>)>,
    ) -> Result<T> {
        self.write_with(&*self.writer()?, change)
    }

    pub(super) fn write_with<T>(
        &self,
        writer: &Writer,
        change: impl FnOnce(&mut Snapshot, &Writer) -> Result<(T, Option<Frame>)>,
    ) -> Result<T> {
        self.check_writable()?;
        self.counters.request();
        let committer = &writer.committer;
        committer.check_poison()?;
        let (value, ticket) = {
            let mut working = committer.lock_working();
            let mut next = working.snapshot.clone();
            let (value, frame) = change(&mut next, writer)?;
            let ticket = match frame {
                Some(frame) => {
                    next.merge_small_parts()?;
                    committer.stage(&mut working, next, frame)
                }
                None => committer.ticket(&working),
            };
            (value, ticket)
        };
        committer.commit(ticket)?;
        self.request_upkeep(writer);
        Ok(value)
    }

    /// Writes a record again with changes. `change` sees the record as it is.
    fn rewrite<'a>(
        self: &Arc<Self>,
        id: &str,
        change: impl FnOnce(&Record) -> Result<Rewrite<'a>>,
    ) -> Result<()> {
        check_id(id)?;
        self.writer()?.wait_for_upkeep(self)?;
        let now = self.now();
        self.write(|next, writer| {
            let location = next.locate_visible(id, now)?.ok_or_else(|| not_found(id))?;
            let old = next.record(location)?;
            let rows = Arc::new(self.rewritten(next, location, &old, &change(&old)?)?);
            let mut payload = Payload::default();
            payload.upsert(&rows);
            next.upsert(&rows)?;
            Ok(((), Some(writer.frame(payload)?)))
        })
    }

    fn rewritten(
        &self,
        next: &Snapshot,
        location: Location,
        old: &Record,
        change: &Rewrite<'_>,
    ) -> Result<Rows> {
        let vector = change.vector.unwrap_or(&old.vector);
        next.check_dim(vector.len())?;
        let part = &next.part(location).part;
        let document = match &change.document {
            Some(document) => document,
            None => part.body(location.row)?.document,
        };
        let text = change.text.unwrap_or(old.text.as_deref());
        let sparse = part.body(location.row)?.sparse;
        let expiry = change.expiry.or(old.expires_at_unix_ms).unwrap_or(0);
        let mut rows = RowsBuilder::with_capacity(1, vector.len());
        // They would no longer be those that the vector is the mean of.
        let tokens = part.body(location.row)?.tokens.filter(|_| change.vector.is_none());
        rows.push(&old.id, vector, &Body { document, text, sparse, tokens }, expiry);
        self.freeze(rows)
    }

    fn remove_where(
        self: &Arc<Self>,
        find: impl FnOnce(&Snapshot, &mut Vec<Location>) -> Result<()>,
    ) -> Result<usize> {
        self.write(|next, writer| {
            let mut found = Vec::new();
            find(next, &mut found)?;
            let mut payload = Payload::default();
            if !found.is_empty() {
                let ids = found.iter().map(|&location| next.part(location).part.id(location.row));
                payload.delete(ids.collect::<Result<Vec<_>>>()?);
            }
            let frame = writer.frame_unless_empty(payload)?;
            found.iter().for_each(|&location| next.kill(location));
            Ok((found.len(), frame))
        })
    }

    /// Applies one operation of a batch to `next` and notes it in the payload; changes neither if it fails.
    fn execute(
        &self,
        next: &mut Snapshot,
        payload: &mut Payload,
        quota: &mut QuotaCheck,
        operation: &Operation,
    ) -> Result<()> {
        let now = self.now();
        match operation {
            Operation::Upsert { record, ttl } => {
                let mut batch = Batch::with_capacity(record.vector.len(), 1)?;
                batch.push(record, *ttl)?;
                let hidden = std::mem::take(&mut batch.hidden);
                let rows = Arc::new(self.prepare(batch)?);
                next.check_dim(rows.dim())?;
                quota.admit(self, next, &rows)?;
                next.upsert_some_hidden(&rows, &hidden)?;
                payload.upsert_some_hidden(&rows, &hidden);
            }
            Operation::Delete { id } => {
                check_id(id)?;
                let location = next.locate(id)?.ok_or_else(|| not_found(id))?;
                next.kill(location);
                payload.delete([id.as_str()]);
            }
            Operation::SoftDelete { id } => {
                check_id(id)?;
                let location = next.locate_visible(id, now)?.ok_or_else(|| not_found(id))?;
                next.set_hidden(location, true);
                payload.hide([id.as_str()]);
            }
            Operation::Restore { id } => {
                check_id(id)?;
                let hidden = next.locate(id)?.filter(|&location| next.is_hidden(location));
                next.set_hidden(hidden.ok_or_else(|| not_found(id))?, false);
                payload.unhide([id.as_str()]);
            }
            Operation::UpdateMetadata { id, metadata } => {
                check_id(id)?;
                let document = Some(metadata::encode(metadata)?);
                let location = next.locate_visible(id, now)?.ok_or_else(|| not_found(id))?;
                let old = next.record(location)?;
                let change = Rewrite { document, ..Rewrite::default() };
                let rows = Arc::new(self.rewritten(next, location, &old, &change)?);
                next.upsert(&rows)?;
                payload.upsert(&rows);
            }
        }
        Ok(())
    }
}

impl Payload {
    /// Adds the operations of rows of which those with these ids are soft-deleted.
    fn upsert_some_hidden(&mut self, rows: &Arc<Rows>, hidden: &HashSet<String>) {
        self.upsert(rows);
        if !hidden.is_empty() {
            self.hide(hidden.iter().map(String::as_str));
        }
    }
}

impl Writer {
    /// Makes the frame of a payload; without a log nobody reads it.
    fn frame(&self, payload: Payload) -> Result<Frame> {
        if payload.len() > MAX_CALL_BYTES {
            return Err(Error::invalid(format!(
                "one call may write {MAX_CALL_BYTES} bytes, this one takes {}: split it",
                payload.len()
            )));
        }
        Ok(if self.committer.has_log() { Frame::new(payload) } else { Frame::new(Payload::default()) })
    }

    pub(super) fn frame_unless_empty(&self, payload: Payload) -> Result<Option<Frame>> {
        if payload.is_empty() { Ok(None) } else { self.frame(payload).map(Some) }
    }
}

impl Snapshot {
    pub(super) fn check_dim(&self, dim: usize) -> Result<()> {
        match self.dim {
            Some(expected) if expected != dim => Err(dimension_mismatch(expected, dim)),
            _ => Ok(()),
        }
    }

    /// Adds rows, of which those with these ids are soft-deleted.
    fn upsert_some_hidden(&mut self, rows: &Arc<Rows>, hidden: &HashSet<String>) -> Result<()> {
        self.upsert(rows)?;
        for id in hidden {
            if let Some(location) = self.locate(id)? {
                self.set_hidden(location, true);
            }
        }
        Ok(())
    }

    /// Returns the bytes of rows in memory.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.parts.iter().map(|view| view.memory_bytes() as u64).sum()
    }
}

/// Whether an error is the caller's own, so that one operation of a batch may be skipped for it.
trait IsUsers {
    fn is_users(&self) -> bool;
}

impl IsUsers for Error {
    fn is_users(&self) -> bool {
        use crate::ErrorKind;
        matches!(
            self.kind(),
            ErrorKind::NotFound
                | ErrorKind::InvalidInput
                | ErrorKind::DimensionMismatch
                | ErrorKind::AlreadyExists
                | ErrorKind::QuotaExceeded
        )
    }
}
