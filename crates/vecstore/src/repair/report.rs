//! What a repair found, saved and gave up.

use std::path::{Path, PathBuf};

use crate::collection::{Problem, VerifyReport};
use crate::error::Error;

/// Ids of lost records that are listed by name; beyond that they are counted.
const LOST_IDS_MAX: usize = 100_000;

/// Something that could not be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loss {
    /// The file it was in.
    pub path: PathBuf,
    /// What is lost, in words.
    pub message: String,
    /// How many records, if that is known; calls that are lost may have held any number.
    pub records: Option<u64>,
}

/// What [`VecStore::repair`](crate::VecStore::repair) found, saved and gave up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RepairReport {
    /// Records that are there after the repair, soft-deleted ones included.
    pub records: usize,
    /// What was wrong; empty if all was well, and then nothing was changed.
    pub problems: Vec<Problem>,
    /// What could not be saved; empty if nothing is lost.
    pub lost: Vec<Loss>,
    /// Ids of the lost records whose ids can still be read, without those that were deleted or replaced later.
    pub lost_ids: Vec<String>,
    /// Single flipped bits that were put back; what they were in is not lost.
    pub bits_restored: usize,
    /// Damaged files, where they were moved to. They are not needed any more.
    pub set_aside: Vec<PathBuf>,
    files: usize,
    bytes: u64,
}

impl RepairReport {
    /// Returns whether nothing was wrong.
    pub fn was_ok(&self) -> bool {
        self.problems.is_empty()
    }

    /// Returns whether everything that was acknowledged is there.
    pub fn is_lossless(&self) -> bool {
        self.lost.is_empty()
    }

    pub(super) fn checked(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }

    pub(super) fn problem(&mut self, path: &Path, error: &Error) {
        self.problems.push(Problem { path: path.to_owned(), message: error.message().to_owned() });
    }

    pub(super) fn lost(&mut self, path: &Path, records: Option<u64>, message: String) {
        self.lost.push(Loss { path: path.to_owned(), message, records });
    }

    pub(super) fn lost_id(&mut self, id: &str) {
        if self.lost_ids.len() < LOST_IDS_MAX {
            self.lost_ids.push(id.to_owned());
        }
    }

    pub(super) fn into_verify_report(self) -> VerifyReport {
        let Self { files, bytes, records, problems, .. } = self;
        VerifyReport { files, bytes, records, problems }
    }
}
