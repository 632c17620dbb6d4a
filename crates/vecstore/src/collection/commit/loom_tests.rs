//! Group commit and the exchange of snapshots in every order in which threads can meet, up to a bound on how often one
//! is interrupted. Run by `make loom`; `LOOM_MAX_PREEMPTIONS` sets the bound.

use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64 as Counter;

use loom::thread;

use super::*;
use crate::collection::part::{Part, PartView};
use crate::storage::Uuid;
use crate::storage::body::Body;
use crate::storage::rows::{Rows, RowsBuilder};
use crate::storage::wal::Payload;
use crate::vfs::{DirEntry, LockOutcome, Mapping, MemoryVfs, Stat, Vfs};

/// How many orders a model was run in.
static ORDERS: Counter = Counter::new(0);

fn model(name: &str, run: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    ORDERS.store(0, Ordering::Relaxed);
    builder.check(move || {
        ORDERS.fetch_add(1, Ordering::Relaxed);
        run();
    });
    println!("{name}: {} orders", ORDERS.load(Ordering::Relaxed));
}

/// A file system in memory on which one sync or write fails.
#[derive(Debug)]
struct FailingVfs {
    inner: MemoryVfs,
    calls: Arc<Counter>,
    /// The write or sync that fails, from 1; 0 for none.
    failing: u64,
}

#[derive(Debug)]
struct FailingFile {
    inner: Box<dyn VfsFile>,
    calls: Arc<Counter>,
    failing: u64,
}

impl FailingFile {
    fn count(&self) -> io::Result<()> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        if call == self.failing { Err(io::Error::from_raw_os_error(5)) } else { Ok(()) }
    }
}

impl VfsFile for FailingFile {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.inner.read_exact_at(buffer, offset)
    }

    fn write_all_at(&self, slices: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.count()?;
        self.inner.write_all_at(slices, offset)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.inner.allocate(len)
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn sync(&self) -> io::Result<()> {
        self.count()?;
        self.inner.sync()
    }
}

impl Vfs for FailingVfs {
    fn create(&self, path: &Path) -> io::Result<Box<dyn VfsFile>> {
        let inner = self.inner.create(path)?;
        Ok(Box::new(FailingFile { inner, calls: Arc::clone(&self.calls), failing: self.failing }))
    }

    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn VfsFile>> {
        self.inner.open(path, write)
    }

    fn map(&self, path: &Path) -> io::Result<Mapping> {
        self.inner.map(path)
    }

    fn rename_no_replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.inner.rename_no_replace(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.inner.remove_file(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.inner.create_dir_all(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.inner.remove_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.inner.list(path)
    }

    fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        self.inner.stat(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.inner.sync_dir(path)
    }

    fn lock(&self, path: &Path, holder: &str) -> io::Result<LockOutcome> {
        self.inner.lock(path, holder)
    }
}

/// Where the log is.
const DIRECTORY: &str = "collection";

fn log(vfs: &FailingVfs, seq: u64) -> LogWriter {
    LogWriter::create(vfs, Path::new(DIRECTORY), seq, Uuid([1; 16]), Uuid([seq as u8; 16]))
        .expect("the file system is in memory")
}

/// A committer with a log. The sync of its creation is not counted.
fn committer(failing: u64) -> (Arc<Committer>, FailingVfs) {
    let vfs = FailingVfs { inner: MemoryVfs::default(), calls: Arc::default(), failing };
    vfs.create_dir_all(Path::new(DIRECTORY)).expect("the file system is in memory");
    // Counted from the end of this.
    vfs.calls.store(u64::MAX / 2, Ordering::Relaxed);
    let log = log(&vfs, 1);
    vfs.calls.store(0, Ordering::Relaxed);
    (Arc::new(Committer::new(Snapshot::default(), Some(log), Durability::Commit)), vfs)
}

fn rows(id: &str) -> Arc<Rows> {
    let mut builder = RowsBuilder::with_capacity(1, 1);
    builder.push(id, &[1.0], &Body { document: &[], text: None, sparse: None, tokens: None }, 0);
    Arc::new(builder.build(Vec::new()))
}

/// What a call of the API does: changes a copy of the working snapshot, queues the frame, and waits.
fn upsert(committer: &Committer, id: &str) -> Result<()> {
    let rows = rows(id);
    let mut payload = Payload::default();
    payload.upsert(&rows);
    let frame = Frame::new(payload);
    let ticket = {
        let mut working = committer.lock_working();
        let mut next = working.snapshot.clone();
        next.upsert(&rows)?;
        committer.stage(&mut working, next, frame)
    };
    committer.commit(ticket)
}

fn has(snapshot: &Snapshot, id: &str) -> bool {
    snapshot.locate(id).expect("rows in memory can be read").is_some()
}

#[test]
fn a_call_that_returned_is_published_and_readers_see_calls_in_order() {
    model("two writers, one reader", || {
        let (committer, _vfs) = committer(0);
        let writer = {
            let committer = Arc::clone(&committer);
            thread::spawn(move || {
                upsert(&committer, "a").expect("nothing fails");
                assert!(has(&committer.published(), "a"), "acknowledged, and not there");
            })
        };
        let reader = {
            let committer = Arc::clone(&committer);
            thread::spawn(move || {
                let first = committer.published();
                let second = committer.published();
                assert!(first.lsn <= second.lsn, "time ran backwards");
                for id in ["a", "b"] {
                    assert!(!has(&first, id) || has(&second, id), "`{id}` was taken back");
                }
                assert_eq!(second.live() as u64, second.lsn, "a snapshot of half a call");
            })
        };
        upsert(&committer, "b").expect("nothing fails");
        assert!(has(&committer.published(), "b"), "acknowledged, and not there");
        writer.join().expect("no thread panics");
        reader.join().expect("no thread panics");
        let last = committer.published();
        assert_eq!((last.lsn, last.live()), (2, 2));
    });
}

/// Whichever write or sync fails: who got an error has no effect, who got none is there.
#[test]
fn a_call_that_failed_has_no_effect_and_the_others_stand() {
    for failing in 1..=6 {
        model(&format!("two writers, call {failing} on the file fails"), move || {
            let (committer, vfs) = committer(failing);
            let writer = {
                let committer = Arc::clone(&committer);
                thread::spawn(move || upsert(&committer, "a").is_ok())
            };
            let b = upsert(&committer, "b").is_ok();
            let a = writer.join().expect("no thread panics");
            let last = committer.published();
            assert_eq!((has(&last, "a"), has(&last, "b")), (a, b));
            assert_eq!(last.lsn, u64::from(a) + u64::from(b));
            if vfs.calls.load(Ordering::Relaxed) < failing {
                // The fault is yet to come.
            } else if committer.check_poison().is_ok() {
                upsert(&committer, "c").expect("the fault is over");
                assert_eq!(committer.published().lsn, last.lsn + 1);
            } else {
                assert!(upsert(&committer, "c").is_err(), "a poisoned committer took a call");
                assert!(!has(&committer.published(), "c"));
            }
        });
    }
}

/// A seal or merge exchanges parts while a call is on its way: neither is lost.
#[test]
fn an_exchange_of_parts_and_a_call_do_not_undo_each_other() {
    model("a writer and an exchange of parts", || {
        let (committer, _vfs) = committer(0);
        upsert(&committer, "old").expect("nothing fails");
        let old: Vec<PartView> = committer.published().parts.clone();
        let exchange = {
            let committer = Arc::clone(&committer);
            thread::spawn(move || {
                let merged = rows("old");
                let replacement = Replacement::of(&old, &[(0, 0)]);
                committer.replace(|id| replacement.with_part(Some(Part::Memory(merged)), id));
            })
        };
        upsert(&committer, "new").expect("nothing fails");
        exchange.join().expect("no thread panics");
        let last = committer.published();
        assert!(has(&last, "old") && has(&last, "new"));
        assert_eq!((last.live(), last.parts.len()), (2, 2));
        let working = committer.lock_working();
        assert_eq!((working.snapshot.live(), working.snapshot.parts.len()), (2, 2));
        let ids = |snapshot: &Snapshot| snapshot.parts.iter().map(|view| view.id).collect::<Vec<_>>();
        assert_eq!(ids(&last), ids(&working.snapshot), "the two snapshots hold different parts");
    });
}

/// A seal goes on in another log while calls come: each is on one side of the boundary.
#[test]
fn a_change_of_logs_loses_no_call() {
    model("a writer and a change of logs", || {
        let (committer, vfs) = committer(0);
        let next = log(&vfs, 2);
        let writer = {
            let committer = Arc::clone(&committer);
            thread::spawn(move || upsert(&committer, "a").expect("nothing fails"))
        };
        let boundary = committer.rotate(Some(next)).expect("nothing fails");
        writer.join().expect("no thread panics");
        let last = committer.published();
        assert!(has(&last, "a"));
        assert!(boundary.lsn <= last.lsn && boundary.live() as u64 == boundary.lsn);
        let in_log = |seq| {
            let path = Path::new(DIRECTORY).join(crate::storage::wal::file_name(seq));
            let log = crate::storage::wal::Log::read(&vfs, &path, Uuid([1; 16])).expect("the log is whole");
            log.calls().count() as u64
        };
        assert_eq!((in_log(1), in_log(2)), (boundary.lsn, 1 - boundary.lsn), "the call is in the wrong log");
    });
}

/// `save` returns: what was acknowledged before is durable.
#[test]
fn a_barrier_covers_what_was_acknowledged_before_it() {
    model("a writer and a barrier", || {
        let (committer, _vfs) = committer(0);
        let writer = {
            let committer = Arc::clone(&committer);
            thread::spawn(move || upsert(&committer, "a").expect("nothing fails"))
        };
        upsert(&committer, "b").expect("nothing fails");
        let before = committer.published().lsn;
        assert!(committer.sync().expect("nothing fails") >= before);
        writer.join().expect("no thread panics");
    });
}
