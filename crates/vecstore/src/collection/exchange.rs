//! The exchange of parts for a new segment: in the manifest, and then in the snapshots. Under the `upkeep` lock.

use std::collections::{HashMap, HashSet};

use super::new_segment::{Made, NewSegment};
use super::part::{Part, PartView};
use super::policy::segments;
use super::snapshot::Snapshot;
use super::upkeep::{SavedMarks, Upkeep};
use super::{Core, Writer};
use crate::error::{Error, Result};
use crate::storage::Uuid;
use crate::storage::manifest::{CollectionEntry, SegmentEntry};
use crate::storage::marks::{self, Marks};

/// What the manifest is to say of the collection.
pub(super) struct Draft<'a> {
    core: &'a Core,
    made: Made<'a>,
    entry: CollectionEntry,
    saved: HashMap<Uuid, SavedMarks>,
}

impl<'a> Draft<'a> {
    /// Starts from the current manifest. `made` are the files made for the next one so far.
    pub(super) fn new(core: &'a Core, upkeep: &Upkeep, made: Made<'a>) -> Result<Self> {
        Ok(Self { core, made, entry: core.entry()?, saved: upkeep.saved_marks.clone() })
    }

    /// Puts a segment in the place of `views`, with its marks as they are in `as_of`, which must be durable: rows that
    /// died since the segment was written may have been replaced by rows that are in the log, or in a segment already.
    ///
    /// `as_of` may be ahead of the checkpoint. Calls between the two are replayed over rows that have their effects
    /// already, which is safe: nobody finds a record that is dead, and hiding or unhiding twice is the same as once.
    pub(super) fn replace(&mut self, views: &[PartView], new: &NewSegment, as_of: &Snapshot) -> Result<()> {
        let replaced: HashSet<Uuid> = views.iter().filter_map(|view| uuid_of(&view.part)).collect();
        self.entry.segments.retain(|segment| !replaced.contains(&segment.uuid));
        self.saved.retain(|segment, _| !replaced.contains(segment));
        if let Some(segment) = &new.segment {
            let uuid = segment.uuid();
            let (rows, checksum) = (segment.len() as u64, segment.checksum());
            self.entry.segments.push(SegmentEntry { uuid, rows, checksum, marks: None });
            self.save_marks(uuid, &new.replacement.marks(as_of), as_of.lsn)?;
        }
        // Recovery must not do with less of the log than the marks were made with.
        self.entry.durable_lsn = self.entry.durable_lsn.max(as_of.lsn);
        Ok(())
    }

    /// Makes the manifest a checkpoint of `boundary`: logs before `first_log` are no longer needed.
    pub(super) fn checkpoint(&mut self, boundary: &Snapshot, first_log: u64) -> Result<()> {
        self.entry.checkpoint_lsn = boundary.lsn;
        self.entry.first_log = first_log;
        self.entry.dim = boundary.dim;
        for view in segments(boundary) {
            let uuid = uuid_of(&view.part).expect("`segments` yields segments");
            self.save_marks(uuid, &view.marks, boundary.lsn)?;
        }
        Ok(())
    }

    /// Publishes the manifest, exchanges the parts in the snapshots, and removes the files that nothing names any more.
    pub(super) fn publish(mut self, writer: &Writer, upkeep: &mut Upkeep, new: NewSegment) -> Result<()> {
        let core = self.core;
        for segment in &mut self.entry.segments {
            segment.marks = self.saved.get(&segment.uuid).map(|saved| (saved.generation, saved.checksum));
        }
        let directory = &core.directory;
        core.shared.vfs.sync_dir(directory).map_err(|error| Error::io("sync", directory, error))?;
        core.shared.publish_entry(self.entry)?;
        self.made.published();
        upkeep.saved_marks = self.saved;
        let part = new.part();
        writer.committer.replace(|id| new.replacement.with_part(part, id));
        core.shared.collect_garbage(core.uuid)
    }

    /// Writes the marks of a segment, as of a call, unless they are on disk already.
    fn save_marks(&mut self, segment: Uuid, marks: &Marks, lsn: u64) -> Result<()> {
        let known = self.saved.get(&segment);
        if known.map_or(marks.is_empty(), |known| known.marks == *marks) {
            return Ok(());
        }
        // Lsns never come twice, also where a collection goes back to a snapshot: then neither do the names of marks, which a
        // backup may have from before.
        let mut generation = (known.map_or(0, |known| known.generation) + 1).max(lsn);
        let vfs = &*self.core.shared.vfs;
        let path = loop {
            let path = self.core.directory.join(marks::file_name(segment, generation));
            match vfs.stat(&path) {
                Ok(None) => break path,
                // Left over from an attempt that failed.
                Ok(Some(_)) => generation += 1,
                Err(error) => return Err(Error::io("look for", &path, error)),
            }
        };
        self.made.begin(&path);
        let checksum = marks::write(vfs, &path, segment, generation, marks)?;
        self.saved.insert(segment, SavedMarks { generation, checksum, marks: marks.clone() });
        Ok(())
    }
}

fn uuid_of(part: &Part) -> Option<Uuid> {
    match part {
        Part::Segment(segment) => Some(segment.uuid()),
        Part::Memory(_) => None,
    }
}
