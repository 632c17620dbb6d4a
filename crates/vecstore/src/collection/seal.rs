//! Sealing: the rows in memory go to a segment, and the log they are in is dropped.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::exchange::Draft;
use super::new_segment::Made;
use super::part::PartView;
use super::policy::{in_memory, segments};
use super::snapshot::Snapshot;
use super::upkeep::Upkeep;
use super::{Core, Writer};
use crate::error::{Error, Result};
use crate::storage::wal::{self, LogWriter};

impl Core {
    /// Moves all rows in memory to a segment and drops the log they are in. Returns the records as of the checkpoint that
    /// the manifest has then.
    pub(super) fn seal(&self, writer: &Writer, upkeep: &mut Upkeep) -> Result<Arc<Snapshot>> {
        let committer = &writer.committer;
        committer.check_poison()?;
        let published = committer.published();
        // Without a log nothing tells that marks have changed but themselves.
        let is_sealed = if committer.has_log() {
            committer.log_bytes() <= wal::EMPTY_BYTES
        } else {
            segments(&published).all(|view| upkeep.has_saved(view))
        };
        if in_memory(&published).next().is_none() && is_sealed {
            return Ok(published);
        }
        // An empty log need not be left: it stays the one to write to. Neither need one that was begun for a seal that failed:
        // what it holds up to the boundary is not replayed.
        let rotates =
            committer.has_log() && committer.log_bytes() > wal::EMPTY_BYTES && !upkeep.has_begun_log;
        let next = rotates.then(|| self.next_log(upkeep.log_seq + 1)).transpose()?;
        let boundary = committer.rotate(next)?;
        upkeep.log_seq += u64::from(rotates);
        let outcome = self.seal_up_to(writer, upkeep, &boundary);
        upkeep.has_begun_log = outcome.is_err() && (rotates || upkeep.has_begun_log);
        match &outcome {
            // There may be enough segments to merge now, or some to settle in a pause.
            Ok(()) => self.shared.background.merge.request(),
            Err(_) => committer.reopen_parts(),
        }
        self.note_unsealed(writer);
        self.queries_at_seal.store(self.counters.queries.load(Ordering::Relaxed), Ordering::Relaxed);
        outcome.map(|()| Arc::new(boundary))
    }

    fn next_log(&self, seq: u64) -> Result<LogWriter> {
        let vfs = &*self.shared.vfs;
        let path = self.directory.join(wal::file_name(seq));
        // A log of that number can be left over from an attempt that failed before anything was written to it.
        if vfs.stat(&path).is_ok_and(|found| found.is_some()) {
            vfs.remove_file(&path).map_err(|error| Error::io("remove", &path, error))?;
        }
        LogWriter::create(vfs, &self.directory, seq, self.uuid, self.shared.new_uuid()?)
    }

    fn seal_up_to(&self, writer: &Writer, upkeep: &mut Upkeep, boundary: &Snapshot) -> Result<()> {
        let sealed: Vec<PartView> = in_memory(boundary).cloned().collect();
        let mut made = Made::new(self);
        // Never cancelled: it is short, and closing may be what asks for it.
        let new = self.write_segment(&sealed, self.now(), None, &mut made, &|| false)?;
        let mut draft = Draft::new(self, upkeep, made)?;
        draft.replace(&sealed, &new, boundary)?;
        draft.checkpoint(boundary, upkeep.log_seq)?;
        draft.publish(writer, upkeep, new)
    }
}
