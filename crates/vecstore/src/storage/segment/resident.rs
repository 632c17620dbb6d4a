//! A copy in memory of what searches of a segment read all over.
//!
//! A step of a search touches two or three places of the mapped file, each in a page of 4 KiB whose address the processor
//! has to look up, in a virtual machine twice over. The copy lies in large pages: searches are 8 % faster at 62,000 rows
//! of 384 components and 20 % at a million. It holds what stands between the vectors and the table of ids: codes, graph,
//! norms and ids. Its bytes were checked when they were copied.
//!
//! A thread of its own makes it once a segment has been searched often enough, if it fits the budget. Then the memory that
//! the file took there is given back, so that there is one copy in the process.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::reader::Segment;
use crate::database::give_way;
use crate::error::Error;
use crate::index::SignRows;
use crate::query::Scoring;
use crate::vfs::LargeMemory;

/// Searches after which a copy is worth its time: that of some 2,000 searches at 62,000 rows.
const WALKS: u32 = 1000;

/// Searches that score many rows that match, after which signs of all rows are worth their time: that of some 100 of them.
const MATCHES_SCORED: u32 = 32;

/// Bytes copied before the next look at whether to go on.
const RUN_BYTES: usize = 4 << 20;

/// What all copies of a database share.
#[derive(Debug)]
pub(crate) struct Residency {
    bytes_max: u64,
    bytes: AtomicU64,
    stopped: AtomicBool,
}

impl Residency {
    pub(crate) fn new(bytes_max: u64) -> Arc<Self> {
        Arc::new(Self { bytes_max, bytes: AtomicU64::new(0), stopped: AtomicBool::new(false) })
    }

    /// Makes copies under way give up, and lets no more be made.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn claim(self: &Arc<Self>, bytes: u64) -> Option<Claim> {
        let claim = Claim { residency: Arc::clone(self), bytes };
        // The claim gives them back if they are too many.
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        (before + bytes <= self.bytes_max).then_some(claim)
    }
}

/// A share of the budget.
#[derive(Debug)]
struct Claim {
    residency: Arc<Residency>,
    bytes: u64,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.residency.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A copy of a range of the file.
#[derive(Debug)]
pub(super) struct Resident {
    start: usize,
    memory: LargeMemory,
    _claim: Claim,
}

impl Resident {
    /// Returns the copy, and where in the file it starts.
    pub(super) fn bytes(&self) -> (&[u8], usize) {
        (&self.memory, self.start)
    }

    /// Returns a range of the file, if the copy has it.
    #[inline]
    pub(super) fn get(&self, range: &Range<usize>) -> Option<&[u8]> {
        let start = range.start.checked_sub(self.start)?;
        self.memory.get(start..start + range.len())
    }
}

/// Signs of the rows that a search scores where many match.
#[derive(Debug)]
pub(super) struct ResidentSigns {
    signs: SignRows,
    _claim: Claim,
}

impl Segment {
    /// Returns the bytes of the copy and of the signs of rows, if there are any.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let copy = self.resident.get().map_or(0, |resident| resident.memory.len());
        (copy + self.sign_rows.get().map_or(0, |signs| signs.signs.memory_bytes())) as u64
    }

    /// Returns the signs of the rows, if they were made.
    pub(crate) fn sign_rows(&self) -> Option<&SignRows> {
        self.sign_rows.get().map(|signs| &signs.signs)
    }

    /// Notes that a search scored many rows that match. The one that makes it worth while has signs of all rows made, in the
    /// background.
    pub(crate) fn note_matches(self: &Arc<Self>, residency: &Arc<Residency>, scoring: Scoring) {
        if self.matches_scored.fetch_add(1, Ordering::Relaxed) != MATCHES_SCORED {
            return;
        }
        let (segment, residency) = (Arc::clone(self), Arc::clone(residency));
        // It does not give way: it takes as long as some hundred of the searches that it then makes faster.
        let make = move || segment.make_sign_rows(&residency, scoring);
        // Where no thread is to be had, codes do.
        _ = std::thread::Builder::new().name("vecstore-signs".to_owned()).spawn(make);
    }

    /// Makes the signs of all rows, unless that is too much, or codes are damaged: who reads the damage will say so.
    fn make_sign_rows(&self, residency: &Arc<Residency>, scoring: Scoring) {
        let Ok(Some(space)) = self.graph_space(scoring.metric) else { return };
        let bytes = SignRows::bytes_of(space, self.dim(), self.len());
        let Some(claim) = residency.claim(bytes as u64) else { return };
        let read = |row: usize, vector: &mut [f32]| match residency.is_stopped() {
            false => self.read_codes(row, vector),
            true => Err(Error::closed("the store is closing")),
        };
        if let Ok(signs) = SignRows::encode(scoring.kernels, space, self.dim(), self.len(), read) {
            _ = self.sign_rows.set(ResidentSigns { signs, _claim: claim });
        }
    }

    /// Notes a search. The one that makes it worth while has a copy made, in the background.
    pub(crate) fn note_walk(self: &Arc<Self>, residency: &Arc<Residency>) {
        if self.walks.fetch_add(1, Ordering::Relaxed) != WALKS || !self.map.is_releasable() {
            return;
        }
        let (segment, residency) = (Arc::clone(self), Arc::clone(residency));
        let copy = move || {
            give_way();
            segment.make_resident(&residency);
        };
        // Where no thread is to be had, the file does.
        _ = std::thread::Builder::new().name("vecstore-resident".to_owned()).spawn(copy);
    }

    /// Copies what searches read all over, unless that is too much, or damaged: who reads the damage will say so.
    fn make_resident(&self, residency: &Arc<Residency>) {
        let Some(range) = self.hot_range() else { return };
        let Some(claim) = residency.claim(range.len() as u64) else { return };
        let Ok(mut memory) = LargeMemory::new(range.len()) else { return };
        for (n, run) in memory.chunks_mut(RUN_BYTES).enumerate() {
            let start = range.start + n * RUN_BYTES;
            match self.checked(start..start + run.len()) {
                Ok(bytes) if !residency.is_stopped() => run.copy_from_slice(bytes),
                _ => return,
            }
        }
        if self.resident.set(Resident { start: range.start, memory, _claim: claim }).is_ok() {
            self.map.release(range);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_share_a_budget_and_give_back_what_they_took() {
        let residency = Residency::new(100);
        let first = residency.claim(60).unwrap();
        assert!(residency.claim(41).is_none());
        let second = residency.claim(40).unwrap();
        assert!(residency.claim(1).is_none());
        drop(first);
        assert!(residency.claim(60).is_some());
        drop(second);
        assert_eq!(residency.bytes.load(Ordering::Relaxed), 0);
    }
}
