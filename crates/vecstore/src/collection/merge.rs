//! Merging: the live rows of some segments go to one. The segment may take minutes to write, and sealing goes on
//! meanwhile: only the exchange holds the `upkeep` lock.

use std::time::{Duration, Instant};

use super::exchange::Draft;
use super::new_segment::{Made, NewSegment};
use super::part::{Part, PartView};
use super::{Core, Writer};
use crate::error::{Error, ErrorKind, Result};

const REST_FIRST: Duration = Duration::from_secs(1);
const REST_DOUBLINGS: u32 = 10;

/// Held by whoever merges, from choosing the segments to exchanging them. Segments are removed by merges alone, so that
/// those chosen are still there when the new one is written, whatever is sealed meanwhile.
#[derive(Debug)]
pub(super) struct Turn;

/// Merges that failed, one after the other.
#[derive(Debug)]
pub(super) struct MergeFailure {
    pub(super) error: Error,
    count: u32,
    again: Instant,
}

impl Core {
    pub(super) fn merge(&self, writer: &Writer, turn: &mut Turn, views: &[PartView]) -> Result<()> {
        let outcome = self.merge_views(writer, turn, views).map_err(|error| self.unless_retiring(error));
        writer.note_merge(outcome.as_ref().err());
        outcome
    }

    /// Writes a segment again, with the columns that are chosen now.
    pub(super) fn reindex(&self, writer: &Writer, turn: &mut Turn, view: &PartView) -> Result<()> {
        let outcome = self.reindex_view(writer, turn, view).map_err(|error| self.unless_retiring(error));
        writer.note_merge(outcome.as_ref().err());
        outcome
    }

    /// Whoever writes a segment is told to give up, but not why.
    fn unless_retiring(&self, error: Error) -> Error {
        if error.kind() == ErrorKind::Closed && self.given_up()() { self.retiring_error() } else { error }
    }

    fn reindex_view(&self, writer: &Writer, _: &mut Turn, view: &PartView) -> Result<()> {
        let Part::Segment(segment) = &view.part else { return Ok(()) };
        writer.committer.check_poison()?;
        self.shared.check_manifest()?;
        let mut made = Made::new(self);
        let new = self.rewrite_fields(view, segment, &mut made, &self.given_up())?;
        self.exchange(writer, std::slice::from_ref(view), new, made)
    }

    fn merge_views(&self, writer: &Writer, _: &mut Turn, views: &[PartView]) -> Result<()> {
        // What cannot be published is not worth writing.
        writer.committer.check_poison()?;
        self.shared.check_manifest()?;
        let mut made = Made::new(self);
        let others = Some(self.other_hot_bytes(&writer.committer.published(), views));
        let new = self.write_segment(views, self.now(), others, &mut made, &self.given_up())?;
        self.exchange(writer, views, new, made)
    }

    /// Puts a new segment in the place of `views`.
    fn exchange(&self, writer: &Writer, views: &[PartView], new: NewSegment, made: Made<'_>) -> Result<()> {
        let mut upkeep = writer.upkeep.lock();
        // What happened to the rows up to here is in the log, or was, if a seal has dropped it since: it goes to the marks
        // of the new segment. What happens from here on stays in the log.
        let as_of = writer.committer.published();
        // The new segment and its marks leave out rows whose removal, and whose replacement, may only be in the log: that
        // must not be lost once they are gone. So the log is synced after the snapshot was taken.
        writer.committer.sync()?;
        let mut draft = Draft::new(self, &upkeep, made)?;
        draft.replace(views, &new, &as_of)?;
        draft.publish(writer, &mut upkeep, new)
    }
}

impl Writer {
    /// Rests longer after each merge that failed: one for which the disk has no room writes a lot before it fails.
    fn note_merge(&self, error: Option<&Error>) {
        let mut failure = self.merge_failure.lock();
        if error.is_some_and(|error| matches!(error.kind(), ErrorKind::Closed | ErrorKind::Interrupted)) {
            return;
        }
        *failure = error.map(|error| {
            let count = failure.as_ref().map_or(0, |failure| failure.count) + 1;
            let rest = REST_FIRST * 2u32.pow(count.min(REST_DOUBLINGS));
            MergeFailure { error: error.duplicate(), count, again: Instant::now() + rest }
        });
    }

    /// Returns for how long not to merge, after merges that failed.
    pub(super) fn merge_rest(&self) -> Option<Duration> {
        let failure = self.merge_failure.lock();
        let rest = failure.as_ref()?.again.saturating_duration_since(Instant::now());
        (!rest.is_zero()).then_some(rest)
    }
}
