//! What is left after a crash.

use std::sync::Arc;

use crate::inode::{Inode, Stale};
use crate::names::NodeId;
use crate::{FaultVfs, Rng};

/// What a crash takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashMode {
    /// The process is killed and the machine lives on: everything written is there, and what was not synced is
    /// still not durable. The same as [`FaultVfs::fork`].
    KeepAll,
    /// The power is cut and nothing survives that was not synced.
    DropAllUnsynced,
    /// The power is cut and of what was not synced some survives, by chance.
    Random {
        /// Which name operations survive.
        names: NameOrder,
        /// What is read where a file has its new length but not its new data.
        holes: Holes,
    },
}

impl CrashMode {
    /// Each mode once.
    pub const ALL: [Self; 6] = [
        Self::KeepAll,
        Self::DropAllUnsynced,
        Self::Random { names: NameOrder::Ordered, holes: Holes::Zeros },
        Self::Random { names: NameOrder::Ordered, holes: Holes::Stale },
        Self::Random { names: NameOrder::Reordered, holes: Holes::Zeros },
        Self::Random { names: NameOrder::Reordered, holes: Holes::Stale },
    ];
}

/// Which of the name operations that were not synced survive a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameOrder {
    /// Those up to some point in time, over all directories: a journal, as ext4, xfs and NTFS keep.
    Ordered,
    /// Any, but none whose predecessor on the same name is lost. A rename has happened or has not.
    Reordered,
}

/// What is read from blocks that a file was given but that were never written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holes {
    /// Zeros.
    Zeros,
    /// Sectors that some file of this file system held before, as ext4 with `data=writeback` allows. Blocks that
    /// [`allocate`](vecstore::vfs::VfsFile::allocate) reserved read as zeros even so.
    Stale,
}

impl FaultVfs {
    /// Makes the file system that a crash leaves: a new one, with no locks, no open files and no planned faults,
    /// all of whose contents are durable (but see [`CrashMode::KeepAll`]). This one is not changed. The same
    /// calls, mode and generator give the same image.
    pub fn crash(&self, rng: &mut Rng, mode: CrashMode) -> Self {
        let (disk, mark) = {
            let state = self.state();
            (state.disk.clone(), state.mark)
        };
        let image = match mode {
            CrashMode::KeepAll => return self.fork(),
            CrashMode::DropAllUnsynced => {
                disk.after_cut(disk.names().durable().clone(), |inode| Inode::settled(inode.only_durable()))
            }
            CrashMode::Random { names, holes } => {
                let mut rng = rng.split();
                let names = match names {
                    NameOrder::Ordered => {
                        let survivors = rng.below(disk.names().pending() as u64 + 1);
                        disk.names().in_order(survivors as usize)
                    }
                    NameOrder::Reordered => {
                        let of = rng.below(3) + 2;
                        disk.names().chosen(|| !rng.one_in(of))
                    }
                };
                let inodes = || disk.inodes().map(|(_, inode): (NodeId, &Arc<Inode>)| Arc::clone(inode));
                let stale = (holes == Holes::Stale).then(|| Stale::new(inodes()));
                disk.after_cut(names, |inode| Inode::settled(inode.by_chance(&mut rng, stale.as_ref())))
            }
        };
        Self::from_disk(image, mark)
    }

    /// Returns a checksum of all names and contents, by which a test can count how many different images it has
    /// seen. What is durable of them makes no difference.
    pub fn fingerprint(&self) -> u64 {
        let state = self.state();
        let mut sum = Fnv::default();
        for (path, node) in state.disk.files() {
            let content = state.disk.inode(node).current();
            sum.add(path.as_os_str().as_encoded_bytes());
            sum.add(&content.len().to_le_bytes());
            for (block, page) in content.written_pages() {
                sum.add(&block.to_le_bytes());
                sum.add(page);
            }
        }
        sum.0
    }
}

/// FNV-1a over 64-bit words: quick, and as good as it needs to be to tell images apart.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for word in bytes.chunks(8) {
            let mut padded = [0; 8];
            padded[..word.len()].copy_from_slice(word);
            self.0 = (self.0 ^ u64::from_le_bytes(padded)).wrapping_mul(0x0000_0100_0000_01b3);
            self.0 ^= self.0 >> 32;
        }
    }
}
