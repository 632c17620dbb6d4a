//! Closing a database: with its last handle, or earlier.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Shared;
use crate::error::Result;

/// Closes the database when the last handle of it, or of one of its collections, is dropped.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
}

impl Handle {
    pub(crate) fn close(&self) -> Result<()> {
        self.shared.close()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Whoever wants to know calls `close`.
        _ = self.close();
    }
}

impl Shared {
    fn close(&self) -> Result<()> {
        if !self.begin_close() {
            return Ok(());
        }
        self.background.stop();
        let cores = self.end_opening();
        let mut outcome = Ok(());
        for core in &cores {
            outcome = outcome.and(core.close());
        }
        // What is noted guards against rot; nothing depends on it.
        if self.has_notes() && self.is_writer() {
            outcome = outcome.and(self.publish(|_| ()));
        }
        if self.is_writer() {
            outcome = outcome.and(self.leave_previous());
            for core in &cores {
                outcome = outcome.and(self.remove_unnamed(core.uuid()));
            }
        }
        self.forget_cores();
        self.lock.lock().take();
        outcome
    }

    /// Marks the database closed; returns whether this call did it. A fork never closes what its parent opened.
    fn begin_close(&self) -> bool {
        if self.is_forked() || self.closed.swap(true, Ordering::AcqRel) {
            return false;
        }
        self.residency.iter().for_each(|residency| residency.stop());
        true
    }
}
