//! One file: what the disk holds for certain, what a reader sees, and the writes in between.
//!
//! The unit a disk writes is a sector of 512 bytes, and it comes from the page cache: a sector that reaches the
//! disk carries every earlier write to that sector with it. Sectors are otherwise independent, also those of one
//! write, and the length is independent of them all.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Rng;
use crate::content::{Content, pieces};

/// What a disk writes whole or not at all.
pub(crate) const SECTOR_BYTES: usize = 512;

/// What a file promises about a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The next sync makes it durable.
    Unsynced,
    /// A sync of it failed. Linux marks its pages clean then, so no later sync writes it; by chance it may be on
    /// the disk all the same.
    Lost,
    /// It is durable, but follows a lost one and so cannot be folded into the durable contents yet.
    Synced,
}

/// A change since the durable contents.
#[derive(Clone, Debug)]
struct Change {
    offset: u64,
    /// Empty for a change of the length alone.
    bytes: Arc<[u8]>,
    /// Up to here the file had blocks of its own before, which cannot hold what another file left behind.
    len_before: u64,
    len_after: u64,
    fate: Fate,
}

/// A file, with or without a name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inode {
    durable: Content,
    current: Content,
    changes: Vec<Change>,
}

impl Inode {
    /// A file whose contents are all durable.
    pub(crate) fn settled(content: Content) -> Self {
        Self { durable: content.clone(), current: content, changes: Vec::new() }
    }

    /// What a reader sees.
    pub(crate) fn current(&self) -> &Content {
        &self.current
    }

    pub(crate) fn write(&mut self, bytes: &[u8], offset: u64) {
        if bytes.is_empty() {
            return;
        }
        let len_before = self.current.len();
        self.current.write(bytes, offset);
        self.push(offset, bytes, len_before);
    }

    /// Extends the file with zeros; a shorter length changes nothing.
    pub(crate) fn extend(&mut self, len: u64) {
        let len_before = self.current.len();
        if len > len_before {
            self.current.set_len(len);
            self.push(len, &[], len_before);
        }
    }

    /// Replaces the contents, as truncating and writing does.
    pub(crate) fn replace(&mut self, bytes: &[u8]) {
        let len_before = self.current.len();
        self.current = Content::from_bytes(bytes);
        self.push(0, bytes, len_before);
    }

    fn push(&mut self, offset: u64, bytes: &[u8], len_before: u64) {
        let len_after = self.current.len();
        self.changes.push(Change {
            offset,
            bytes: bytes.into(),
            len_before,
            len_after,
            fate: Fate::Unsynced,
        });
    }

    /// Makes the contents and the length durable, but for what a failed sync lost.
    pub(crate) fn sync(&mut self) {
        if self.changes.iter().any(|change| change.fate == Fate::Lost) {
            self.settle_unsynced(Fate::Synced);
        } else {
            self.durable = self.current.clone();
            self.changes.clear();
        }
    }

    /// Fails to make them durable: no later sync will.
    pub(crate) fn fail_sync(&mut self) {
        self.settle_unsynced(Fate::Lost);
    }

    fn settle_unsynced(&mut self, fate: Fate) {
        for change in &mut self.changes {
            if change.fate == Fate::Unsynced {
                change.fate = fate;
            }
        }
    }

    /// What a power cut leaves if it takes all it may.
    pub(crate) fn only_durable(&self) -> Content {
        let (_, len) = self.certain_len();
        self.survivors(len, |_, _| false).content
    }

    /// What a power cut leaves by chance; `stale` fills blocks that the file got but never wrote.
    pub(crate) fn by_chance(&self, rng: &mut Rng, stale: Option<&Stale>) -> Content {
        if self.changes.is_empty() {
            return self.durable.clone();
        }
        let survivors = match rng.below(4) {
            0 => return self.current.clone(),
            1 => return self.only_durable(),
            2 => self.written_in_order(rng),
            _ => self.written_at_random(rng),
        };
        let mut content = survivors.content;
        if let Some(stale) = stale {
            self.expose(stale, &survivors.newest, &mut content, rng);
        }
        content
    }

    /// The changes up to some point reached the disk, the one at that point in part.
    fn written_in_order(&self, rng: &mut Rng) -> Survivors {
        let torn = rng.below(self.changes.len() as u64) as usize;
        // A length from before one that is durable is gone for good.
        let (included, _) = self.certain_len();
        let len = if rng.one_in(2) && torn >= included {
            self.changes[torn].len_after
        } else {
            self.random_len(rng)
        };
        self.survivors(len, |index, _| index < torn || (index == torn && rng.one_in(2)))
    }

    /// Each change reached the disk, or did not, or did in part.
    fn written_at_random(&self, rng: &mut Rng) -> Survivors {
        let extents: Vec<u64> = self.changes.iter().map(|_| rng.below(3)).collect();
        let len = self.random_len(rng);
        self.survivors(len, |index, _| match extents[index] {
            0 => false,
            1 => true,
            _ => rng.one_in(2),
        })
    }

    /// The last length that is durable, and the number of changes that it includes.
    fn certain_len(&self) -> (usize, u64) {
        match self.changes.iter().rposition(|change| change.fate == Fate::Synced) {
            Some(index) => (index + 1, self.changes[index].len_after),
            None => (0, self.durable.len()),
        }
    }

    /// One of the lengths the file had since the one that is certain, favouring the first and the last.
    fn random_len(&self, rng: &mut Rng) -> u64 {
        let (included, certain) = self.certain_len();
        match rng.below(3) {
            0 => certain,
            1 => self.current.len(),
            _ => {
                let index = included as u64 + rng.below((self.changes.len() - included) as u64 + 1);
                self.changes.get(index as usize).map_or(self.current.len(), |change| change.len_after)
            }
        }
    }

    /// Applies, sector by sector, all changes up to the newest one that is durable or that `reached` the disk.
    fn survivors(&self, len: u64, mut reached: impl FnMut(usize, u64) -> bool) -> Survivors {
        let mut newest = BTreeMap::new();
        for (index, change) in self.changes.iter().enumerate() {
            for piece in pieces(change.offset, change.bytes.len(), SECTOR_BYTES) {
                if change.fate == Fate::Synced || reached(index, piece.block) {
                    newest.insert(piece.block, index);
                }
            }
        }
        let mut content = self.durable.clone();
        for (index, change) in self.changes.iter().enumerate() {
            for piece in pieces(change.offset, change.bytes.len(), SECTOR_BYTES) {
                if newest.get(&piece.block).is_some_and(|&last| index <= last) {
                    content.write(&change.bytes[piece.start..piece.end], change.offset + piece.start as u64);
                }
            }
        }
        content.set_len(len);
        Survivors { content, newest }
    }

    /// Fills sectors that a write allocated but that never reached the disk with what was there before.
    fn expose(&self, stale: &Stale, newest: &BTreeMap<u64, usize>, content: &mut Content, rng: &mut Rng) {
        let len = content.len();
        for change in &self.changes {
            let fresh = change.len_before.max(self.durable.len());
            for piece in pieces(change.offset, change.bytes.len(), SECTOR_BYTES) {
                let start = piece.block * SECTOR_BYTES as u64;
                if start >= fresh && start < len && !newest.contains_key(&piece.block) && rng.one_in(2) {
                    content.write(&stale.sector(rng), start);
                }
            }
        }
        content.set_len(len);
    }
}

/// The outcome of a power cut for one file.
struct Survivors {
    content: Content,
    /// The newest change that reached each sector.
    newest: BTreeMap<u64, usize>,
}

/// Sectors that lie around on the disk.
#[derive(Debug)]
pub(crate) struct Stale {
    sources: Vec<Content>,
}

impl Stale {
    pub(crate) fn new(inodes: impl Iterator<Item = Arc<Inode>>) -> Self {
        let sources = inodes.flat_map(|inode| [inode.durable.clone(), inode.current.clone()]);
        Self { sources: sources.filter(|content| content.len() > 0).collect() }
    }

    fn sector(&self, rng: &mut Rng) -> [u8; SECTOR_BYTES] {
        let mut sector = [0; SECTOR_BYTES];
        if !self.sources.is_empty() {
            let source = &self.sources[rng.below(self.sources.len() as u64) as usize];
            let block = rng.below(source.len().div_ceil(SECTOR_BYTES as u64));
            source.read(&mut sector, block * SECTOR_BYTES as u64);
        }
        sector
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(durable: &[u8]) -> Inode {
        Inode::settled(Content::from_bytes(durable))
    }

    #[test]
    fn sync_makes_contents_and_length_durable() {
        let mut inode = file(b"");
        inode.extend(100);
        inode.write(b"abc", 10);
        assert_eq!(inode.only_durable().len(), 0);
        inode.sync();
        assert_eq!(inode.only_durable().to_vec(), inode.current().to_vec());
        assert_eq!(inode.only_durable().len(), 100);
    }

    #[test]
    fn a_length_made_durable_after_a_failed_sync_stays() {
        for seed in 0..500 {
            let mut inode = file(b"");
            inode.write(b"lost", 0);
            inode.fail_sync();
            inode.write(b"kept", 5_000);
            inode.sync();
            inode.write(b"perhaps", 9_000);
            let left = inode.by_chance(&mut Rng::new(seed), None).to_vec();
            assert_eq!(left.get(5_000..5_004), Some(b"kept".as_slice()), "seed {seed}");
        }
    }

    #[test]
    fn torn_writes_are_torn_on_sector_bounds() {
        let old = vec![1_u8; 2_000];
        let new = vec![2_u8; 1_500];
        let mut seen_torn = false;
        for seed in 0..500 {
            let mut inode = file(&old);
            inode.write(&new, 300);
            let left = inode.by_chance(&mut Rng::new(seed), None).to_vec();
            assert_eq!(left.len(), 2_000);
            let sectors: Vec<u8> = [300, 512, 1_024, 1_536].map(|start| left[start]).to_vec();
            for (piece, &value) in pieces(300, 1_500, SECTOR_BYTES).zip(&sectors) {
                assert!(left[300 + piece.start..300 + piece.end].iter().all(|&byte| byte == value));
            }
            assert!(left[..300].iter().chain(&left[1_800..]).all(|&byte| byte == 1));
            seen_torn |= sectors.contains(&1) && sectors.contains(&2);
        }
        assert!(seen_torn);
    }

    #[test]
    fn a_sector_carries_the_earlier_writes_to_it() {
        for seed in 0..500 {
            let mut inode = file(&[0; 512]);
            inode.write(b"first", 0);
            inode.write(b"second", 100);
            let left = inode.by_chance(&mut Rng::new(seed), None).to_vec();
            if &left[100..106] == b"second" {
                assert_eq!(&left[..5], b"first", "seed {seed}");
            }
        }
    }

    #[test]
    fn data_of_a_failed_sync_is_never_made_durable() {
        let mut inode = file(b"");
        inode.write(&[1; 512], 0);
        inode.fail_sync();
        inode.sync();
        assert_eq!(inode.current().len(), 512);
        assert_eq!(inode.only_durable().len(), 0);
        inode.write(&[2; 512], 512);
        inode.sync();
        let left = inode.only_durable().to_vec();
        assert_eq!(left.len(), 1_024);
        assert_eq!(left[..512], [0; 512]);
        assert_eq!(left[512..], [2; 512]);
    }

    #[test]
    fn the_length_and_the_data_survive_independently() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..500 {
            let mut inode = file(b"");
            inode.write(&[1; 512], 0);
            inode.write(&[2; 512], 512);
            let left = inode.by_chance(&mut Rng::new(seed), None).to_vec();
            seen.insert((left.len(), left.first().copied(), left.get(512).copied()));
        }
        assert!(seen.contains(&(1_024, Some(0), Some(2))), "the later write without the earlier one");
        assert!(seen.contains(&(1_024, Some(1), Some(0))), "a hole at the end");
        assert!(seen.contains(&(512, Some(1), None)), "the length in between");
        assert!(seen.contains(&(0, None, None)), "nothing");
    }

    #[test]
    fn only_blocks_never_written_show_stale_data() {
        let stale = Stale { sources: vec![Content::from_bytes(&[9; 4_096])] };
        let mut exposed = false;
        for seed in 0..200 {
            let mut inode = file(&[1; 512]);
            inode.extend(1_024);
            inode.write(&[2; 1_024], 512);
            let left = inode.by_chance(&mut Rng::new(seed), Some(&stale)).to_vec();
            assert_eq!(left[..512], [1; 512]);
            if let Some(preallocated) = left.get(512..1_024) {
                assert!(!preallocated.contains(&9));
            }
            exposed |= left.len() > 1_024 && left[1_024..].contains(&9);
        }
        assert!(exposed);
    }
}
