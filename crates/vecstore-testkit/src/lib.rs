//! A file system that fails on purpose, the crash images it leaves, and a model of what a store should hold.
//!
//! For the tests of vecstore alone; it is not published. Everything is deterministic: the same calls and seeds
//! give the same images, traces and answers.
//!
//! # The file system
//! [`FaultVfs`] keeps, for each file, the bytes that are durable and the writes since, and for all directories
//! the names that are durable and the operations since. What makes which durable:
//!
//! | call | makes durable |
//! |---|---|
//! | `VfsFile::sync` | the bytes and the length of that file, not its name |
//! | `Vfs::sync_dir` | the names in that directory, not the name of the directory itself, nor any bytes; a rename counts to the directory that gets the name |
//! | everything else | nothing |
//!
//! A failed sync makes nothing durable, and neither does any later one for the same data: on Linux they count as
//! clean from then on, though readers still see them.
//!
//! [`FaultVfs::crash`] gives the file system that a crash leaves, by [`CrashMode`]. In a random power cut
//! - each sector of 512 bytes of each write reaches the disk or does not, whatever happens to its neighbours;
//!   one that does carries every earlier write to that sector, since both come from one page in memory;
//! - the length is any that the file had since the one that is durable; bytes inside it that did not arrive
//!   read as before, and beyond the old length as zeros ([`Holes`] offers worse);
//! - of the name operations a prefix survives, or any consistent choice ([`NameOrder`]). So a file may be there
//!   and empty, or gone while a younger one is there.
//!
//! A crash image is again a [`FaultVfs`], for a second crash during recovery.
//!
//! # Faults
//! Every call has a number, from 1, and a record in [`FaultVfs::trace`]. [`FaultVfs::stop_at`] kills the process
//! there, [`FaultVfs::fail_at`] lets it see a [`Fault`], [`FaultVfs::watch`] shows the state before each call of
//! one run, and [`FaultVfs::set_capacity`] fills the disk. Bit rot is done by [`FaultVfs::flip`],
//! [`FaultVfs::truncate`], [`FaultVfs::swap_blocks`] and [`FaultVfs::overwrite`].
//!
//! # The model
//! [`Model`] knows the records after each call of a script and tells whether a store holds those after K or K+1
//! calls. [`Ranking`] is the right answer to a search, in f64. [`Clusters`] draws vectors like embeddings.
//!
//! # Examples
//! Whatever call the process is killed at, a log holds what was acknowledged:
//! ```
//! use std::io::{self, IoSlice};
//! use std::path::Path;
//! use vecstore::vfs::{Vfs, VfsFile};
//! use vecstore_testkit::{CrashMode, FaultVfs, Rng};
//!
//! /// Appends the bytes 1, 2, 3 to a log, noting each that is durable.
//! fn script(vfs: &FaultVfs) -> io::Result<()> {
//!     let log = vfs.create(Path::new("/log"))?;
//!     vfs.sync_dir(Path::new("/"))?;
//!     for byte in 1..=3 {
//!         log.write_all_at(&[IoSlice::new(&[byte])], u64::from(byte) - 1)?;
//!         log.sync()?;
//!         vfs.mark(u64::from(byte));
//!     }
//!     Ok(())
//! }
//!
//! let complete = FaultVfs::new();
//! script(&complete)?;
//! for call in 1..=complete.calls() {
//!     let vfs = FaultVfs::new();
//!     vfs.stop_at(call);
//!     assert!(script(&vfs).is_err());
//!     for mode in CrashMode::ALL {
//!         let image = vfs.crash(&mut Rng::new(call), mode);
//!         let log = image.read("/log").unwrap_or_default();
//!         assert!(log.len() as u64 >= image.marked());
//!         assert!(log.iter().take(image.marked() as usize).eq([1, 2, 3].iter().take(image.marked() as usize)));
//!     }
//! }
//! # Ok::<(), io::Error>(())
//! ```
//!
//! # Limits
//! Disks that report a sync before it is done, network file systems and rot under a live mapping are not
//! modelled. A stopped call has no effect at all; a kill in the middle of a write is a [`Fault::ShortWrite`]
//! followed by a stop at the next call.
#![forbid(unsafe_code)]

mod aligned;
mod clusters;
mod content;
mod crash;
mod disk;
mod error;
mod exact;
mod fault;
mod file;
mod inode;
mod model;
mod names;
mod ranking;
mod rng;
mod rot;
mod rules;
mod state;
mod texts;
mod trace;
mod vfs;

pub use clusters::Clusters;
pub use crash::{CrashMode, Holes, NameOrder};
pub use exact::{ExactDistance, exact_distance};
pub use fault::{Fault, Repeat};
pub use model::{Change, Mismatch, Model};
pub use ranking::{Hit, Ranking};
pub use rng::Rng;
pub use texts::{Texts, check_ranking, ranked_sparse};
pub use trace::{Call, CallKind, Outcome};
pub use vfs::FaultVfs;
