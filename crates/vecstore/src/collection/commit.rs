//! Group commit: many threads write, one of them at a time writes to the log for all that wait.
//!
//! A call changes the *working* snapshot under the writer's lock and queues its frame. Then it waits until the frame
//! is committed: written, and with `Durability::Commit` synced. Whoever finds nobody at it takes the whole queue,
//! commits it with one sync, and publishes the snapshot of that moment to the readers. So readers never see what
//! could still be lost, and never wait.
//!
//! If the log cannot be written, every call since the last commit fails and the working snapshot goes back to the
//! published one: a call that fails has no effect. Lsns are given anew then; *epochs* tell the calls apart. If it
//! is not certain what reached the disk (a failed sync), the collection is poisoned: it takes no more writes until it
//! is opened again.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::replacement::Replacement;
use super::snapshot::Snapshot;
use crate::error::{Error, Result};
use crate::options::Durability;
use crate::storage::wal::{Frame, LogWriter};
use crate::sync::{ArcSwap, AtomicBool, AtomicU64, AtomicUsize, Mutex, MutexGuard, Ordering, Thread, thread};
use crate::vfs::VfsFile;

/// About half of the fastest sync: longer than threads take to wake and write again, short beside what they share.
const GATHER_TIME: Duration = Duration::from_micros(60);

/// A call that waits for its commit. While one is out, failures are remembered for it.
#[derive(Debug)]
#[must_use]
pub(crate) struct Ticket {
    epoch: u64,
    lsn: u64,
}

/// The state that a call changes under the writer's lock.
#[derive(Debug)]
pub(crate) struct Working {
    pub(crate) snapshot: Snapshot,
    queue: Vec<Queued>,
    epoch: u64,
    /// Exchanges of parts that a commit under way may not have seen.
    replacements: Vec<Arc<Replacement>>,
}

#[derive(Debug)]
enum Queued {
    Frame(Frame),
    /// Later frames go to another log, if one is given. The snapshot is that of all frames before.
    Rotate(Option<Box<LogWriter>>, Box<Snapshot>),
}

#[derive(Debug, Default)]
struct State {
    committed: u64,
    leading: bool,
    /// Threads to wake when the commit under way ends.
    waiting: Vec<Thread>,
    /// How many calls the last commit was for.
    group: usize,
    failures: Vec<Failure>,
    poison: Option<Error>,
}

#[derive(Debug)]
struct Failure {
    epoch: u64,
    committed: u64,
    error: Error,
}

/// The log of a collection and the snapshots before and after commit.
#[derive(Debug)]
pub(crate) struct Committer {
    published: ArcSwap<Snapshot>,
    working: Mutex<Working>,
    state: Mutex<State>,
    /// Tickets that are out.
    tickets: AtomicUsize,
    /// The length of the queue.
    queued: AtomicUsize,
    /// `State::committed` for those who only want to know whether they are done, and whether any call failed: then
    /// they must look closer.
    committed: AtomicU64,
    failed: AtomicBool,
    /// Used by the leader alone. Without a log (a store in memory) calls are committed at once.
    log: Mutex<Option<LogWriter>>,
    syncing: Mutex<()>,
    logged: bool,
    durability: Durability,
    durable: AtomicU64,
    log_bytes: AtomicU64,
    unsynced: AtomicBool,
}

impl Committer {
    /// Starts with the records of `snapshot`, all of which are durable.
    pub(crate) fn new(snapshot: Snapshot, log: Option<LogWriter>, durability: Durability) -> Self {
        let state = State { committed: snapshot.lsn, ..State::default() };
        Self {
            state: Mutex::new(state),
            tickets: AtomicUsize::new(0),
            queued: AtomicUsize::new(0),
            committed: AtomicU64::new(snapshot.lsn),
            failed: AtomicBool::new(false),
            durable: AtomicU64::new(snapshot.lsn),
            log_bytes: AtomicU64::new(log.as_ref().map_or(0, LogWriter::tail)),
            logged: log.is_some(),
            log: Mutex::new(log),
            syncing: Mutex::new(()),
            durability,
            unsynced: AtomicBool::new(false),
            published: ArcSwap::from_pointee(snapshot.clone()),
            working: Mutex::new(Working { snapshot, queue: Vec::new(), epoch: 0, replacements: Vec::new() }),
        }
    }

    /// Returns the committed records.
    pub(crate) fn published(&self) -> Arc<Snapshot> {
        self.published.load_full()
    }

    /// Calls `look` with the committed records, for a look that is over at once.
    pub(crate) fn with_published<T>(&self, look: impl FnOnce(&Snapshot) -> T) -> T {
        look(&self.published.load())
    }

    /// Returns the bytes in the log that is written to now.
    pub(crate) fn log_bytes(&self) -> u64 {
        self.log_bytes.load(Ordering::Relaxed)
    }

    /// Returns whether there is committed data that a power cut could take.
    pub(crate) fn is_unsynced(&self) -> bool {
        self.unsynced.load(Ordering::Relaxed)
    }

    pub(crate) fn lock_working(&self) -> MutexGuard<'_, Working> {
        self.working.lock()
    }

    /// Fails if a write failed in a way that only opening the store again can clear up.
    pub(crate) fn check_poison(&self) -> Result<()> {
        self.state.lock().poison.as_ref().map_or(Ok(()), |error| Err(error.duplicate()))
    }

    /// Makes `next` the working snapshot and queues the frame that leads to it. The caller holds the lock.
    pub(crate) fn stage(&self, working: &mut Working, mut next: Snapshot, mut frame: Frame) -> Ticket {
        next.lsn = working.snapshot.lsn + 1;
        frame.set_lsn(next.lsn);
        working.snapshot = next;
        working.queue.push(Queued::Frame(frame));
        self.queued.store(working.queue.len(), Ordering::Relaxed);
        self.ticket(working)
    }

    /// Returns a ticket for everything staged so far.
    pub(crate) fn ticket(&self, working: &Working) -> Ticket {
        self.tickets.fetch_add(1, Ordering::AcqRel);
        Ticket { epoch: working.epoch, lsn: working.snapshot.lsn }
    }

    /// Waits until the call of this ticket is committed, or does the commit for all that wait.
    pub(crate) fn commit(&self, ticket: Ticket) -> Result<()> {
        let outcome = loop {
            if self.committed.load(Ordering::Acquire) >= ticket.lsn && !self.failed.load(Ordering::Acquire) {
                break Ok(());
            }
            let mut state = self.state.lock();
            if let Some(outcome) = state.outcome(&ticket) {
                break outcome;
            }
            if state.leading {
                state.waiting.push(thread::current());
                drop(state);
                // Each thread waits by itself: those that a commit served go on side by side, not one after the other
                // as they would from a condition variable.
                thread::park();
            } else {
                state.leading = true;
                let group = state.group;
                drop(state);
                self.gather(group);
                self.lead();
            }
        };
        self.return_ticket(ticket);
        outcome
    }

    fn return_ticket(&self, _: Ticket) {
        if self.tickets.fetch_sub(1, Ordering::AcqRel) == 1 && self.failed.load(Ordering::Acquire) {
            // Tickets are given out under the lock of the working state: none can be while it is held.
            let _working = self.working.lock();
            let mut state = self.state.lock();
            if self.tickets.load(Ordering::Acquire) == 0 {
                state.failures.clear();
                self.failed.store(false, Ordering::Release);
            }
        }
    }

    /// Returns whether calls are logged.
    pub(crate) fn has_log(&self) -> bool {
        self.logged
    }

    /// Commits everything staged so far, durably, and goes on in `next` if given. Returns the snapshot at the boundary; its parts in
    /// memory are the rows to seal, and are not merged any more.
    pub(crate) fn rotate(&self, next: Option<LogWriter>) -> Result<Snapshot> {
        self.become_leader();
        let (boundary, ticket) = {
            let mut working = self.working.lock();
            working.snapshot.open_from = working.snapshot.next_part;
            let boundary = working.snapshot.clone();
            working.queue.push(Queued::Rotate(next.map(Box::new), Box::new(boundary.clone())));
            (boundary, self.ticket(&working))
        };
        self.lead();
        self.commit(ticket)?;
        self.check_poison()?;
        Ok(boundary)
    }

    /// Waits until no commit is under way and keeps others from starting one.
    fn become_leader(&self) {
        loop {
            let mut state = self.state.lock();
            if !std::mem::replace(&mut state.leading, true) {
                return;
            }
            state.waiting.push(thread::current());
            drop(state);
            thread::park();
        }
    }

    /// Syncs a log. The system reports a failure to one of those who sync a file at the same time, so they take turns,
    /// and the one that learns of it tells the others.
    fn sync_file(&self, file: &dyn VfsFile, path: &Path) -> Result<()> {
        let _turn = self.syncing.lock();
        self.check_poison()?;
        let synced = file.sync().and_then(|()| has_name(file));
        synced.map_err(|error| {
            let error = Error::io("sync", path, error);
            self.poison(&error);
            error
        })
    }

    fn poison(&self, error: &Error) {
        let message = format!("{}; the store takes no more writes until it is opened again", error.message());
        self.state.lock().poison.get_or_insert_with(|| Error::with_message(error, message));
    }

    /// Runs something while nothing is written to the log.
    pub(crate) fn pause<T>(&self, run: impl FnOnce() -> T) -> T {
        let _log = self.log.lock();
        run()
    }

    /// Gives back parts that were to be sealed: they may be merged again.
    pub(crate) fn reopen_parts(&self) {
        let mut working = self.working.lock();
        working.snapshot.open_from = 0;
        let mut published = Snapshot::clone(&self.published.load());
        published.open_from = 0;
        self.published.store(Arc::new(published));
    }

    /// Sets the dimension if it is not known yet.
    pub(crate) fn adopt_dim(&self, dim: Option<usize>) {
        let mut working = self.working.lock();
        working.snapshot.dim = working.snapshot.dim.or(dim);
        let mut published = Snapshot::clone(&self.published.load());
        published.dim = published.dim.or(dim);
        self.published.store(Arc::new(published));
    }

    /// Exchanges parts in the published and the working snapshot.
    pub(crate) fn replace(&self, replacement: impl FnOnce(u64) -> Replacement) {
        let mut working = self.working.lock();
        let id = working.snapshot.next_part;
        let replacement = Arc::new(replacement(id));
        let mut published = Snapshot::clone(&self.published.load());
        for snapshot in [&mut working.snapshot, &mut published] {
            replacement.apply(snapshot);
            snapshot.next_part = snapshot.next_part.max(id + 1);
        }
        self.published.store(Arc::new(published));
        working.replacements.push(replacement);
    }

    /// Waits a little for calls that were part of the last group and are about to come again: they have just been
    /// woken, and without them every sync would serve only some of the threads. A lone writer never waits.
    fn gather(&self, group: usize) {
        // A model has no clock, and tries all orders anyway.
        if group < 2 || self.durability != Durability::Commit || cfg!(vecstore_loom) {
            return;
        }
        let start = Instant::now();
        while self.queued.load(Ordering::Relaxed) < group && start.elapsed() < GATHER_TIME {
            thread::yield_now();
        }
    }

    /// Commits the queue. Called with `leading` set, by whoever set it; clears it and wakes who waits.
    fn lead(&self) {
        let mut log = self.log.lock();
        let poison = self.check_poison();
        match poison {
            Err(error) => self.fail(Failed::Nothing(error)),
            Ok(()) => self.commit_queue(&mut log),
        }
        drop(log);
        self.stop_leading();
    }

    fn stop_leading(&self) {
        let waiting = {
            let mut state = self.state.lock();
            state.leading = false;
            std::mem::take(&mut state.waiting)
        };
        waiting.iter().for_each(Thread::unpark);
    }

    fn commit_queue(&self, log: &mut Option<LogWriter>) {
        let (queue, last) = {
            let mut working = self.working.lock();
            // What happens from here on is seen by this commit or noted for it.
            working.replacements.clear();
            self.queued.store(0, Ordering::Relaxed);
            (std::mem::take(&mut working.queue), working.snapshot.clone())
        };
        let mut frames = Vec::new();
        self.state.lock().group = queue.len();
        let mut outcome = Ok(());
        for queued in queue {
            match queued {
                Queued::Frame(frame) => frames.push(frame),
                Queued::Rotate(next, boundary) => {
                    outcome = self.write(log.as_mut(), &frames, &boundary, true);
                    if outcome.is_err() {
                        break;
                    }
                    frames.clear();
                    if let Some(next) = next {
                        self.log_bytes.store(next.tail(), Ordering::Relaxed);
                        *log = Some(*next);
                    }
                }
            }
        }
        if outcome.is_ok() {
            outcome = self.write(log.as_mut(), &frames, &last, false);
        }
        if let Err(failed) = outcome {
            self.fail(failed);
        }
    }

    /// Writes frames, syncs them where the durability asks for it, and publishes the snapshot they lead to.
    fn write(
        &self,
        log: Option<&mut LogWriter>,
        frames: &[Frame],
        after: &Snapshot,
        sync: bool,
    ) -> Result<(), Failed> {
        if let Some(log) = log {
            let synced = self.durability == Durability::Commit;
            let written = log.append(frames, self.durable.load(Ordering::Relaxed), synced);
            written.map_err(Failed::Unknown)?.map_err(Failed::Nothing)?;
            self.log_bytes.store(log.tail(), Ordering::Relaxed);
            if sync || (synced && !frames.is_empty()) {
                self.sync_file(&*log.file(), log.path()).map_err(Failed::Unknown)?;
                self.durable.store(after.lsn, Ordering::Relaxed);
                self.unsynced.store(false, Ordering::Relaxed);
                // Only a note, for readers and against rot: the calls are durable without it.
                _ = log.write_watermark(after.lsn);
            } else if !frames.is_empty() {
                has_name(&*log.file())
                    .map_err(|error| Failed::Unknown(Error::io("write", log.path(), error)))?;
                self.unsynced.store(true, Ordering::Relaxed);
            }
        }
        self.publish(after);
        self.state.lock().committed = after.lsn;
        self.committed.store(after.lsn, Ordering::Release);
        Ok(())
    }

    fn publish(&self, after: &Snapshot) {
        let working = self.working.lock();
        let mut after = after.clone();
        for replacement in &working.replacements {
            replacement.apply(&mut after);
        }
        after.next_part = after.next_part.max(working.snapshot.next_part);
        self.published.store(Arc::new(after));
    }

    fn fail(&self, failed: Failed) {
        let (error, unknown) = match failed {
            Failed::Nothing(error) => (error, false),
            Failed::Unknown(error) => (error, true),
        };
        if unknown {
            self.poison(&error);
        }
        let mut working = self.working.lock();
        let mut state = self.state.lock();
        let next_part = working.snapshot.next_part;
        working.queue.clear();
        working.snapshot = Snapshot::clone(&self.published.load());
        // Numbers of parts are never used twice: an exchange under way knows parts by them.
        working.snapshot.next_part = next_part;
        let committed = state.committed;
        self.failed.store(true, Ordering::Release);
        state.failures.push(Failure { epoch: working.epoch, committed, error });
        working.epoch += 1;
    }

    /// Makes everything committed so far durable, whatever the durability. Returns the lsn up to which it is.
    pub(crate) fn sync(&self) -> Result<u64> {
        let ticket = self.ticket(&self.lock_working());
        let lsn = ticket.lsn;
        self.commit(ticket)?;
        self.check_poison()?;
        let (file, lsn, path) = {
            // Taking the log waits for a commit under way; what is committed then is in this file or synced before.
            let log = self.log.lock();
            let Some(log) = log.as_ref() else { return Ok(lsn) };
            self.unsynced.store(false, Ordering::Relaxed);
            (log.file(), self.state.lock().committed, log.path().to_owned())
        };
        if self.durable.load(Ordering::Relaxed) < lsn {
            if let Err(error) = self.sync_file(&*file, &path) {
                // A commit under way is let finish: what it publishes is not taken back.
                self.become_leader();
                self.fail(Failed::Unknown(error.duplicate()));
                self.stop_leading();
                return Err(error);
            }
            self.durable.fetch_max(lsn, Ordering::Relaxed);
        }
        Ok(lsn)
    }

    /// Makes everything durable and notes in the log that it is, for a clean end. Calls that come later fail: when this
    /// returns, nothing is being written, and another process may write to the log. Returns the lsn up to which
    /// everything is durable.
    pub(crate) fn close(&self, closed: Error) -> Result<u64> {
        let synced = self.sync();
        self.become_leader();
        self.state.lock().poison.get_or_insert(closed);
        let noted = synced.and_then(|durable| {
            if let Some(log) = self.log.lock().as_ref() {
                log.write_watermark(durable)?;
                log.sync()?;
            }
            Ok(durable)
        });
        self.stop_leading();
        noted
    }
}

/// Fails if the log was removed: whoever removed the directory of the store took it along, and nothing in it will be found
/// again.
fn has_name(file: &dyn VfsFile) -> io::Result<()> {
    if file.has_name()? {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::NotFound, "it was removed while the store was open"))
}

enum Failed {
    /// Nothing was written.
    Nothing(Error),
    /// Something may have been written.
    Unknown(Error),
}

impl State {
    /// Returns how the call ended, if it did.
    fn outcome(&self, ticket: &Ticket) -> Option<Result<()>> {
        let failed = |failure: &&Failure| failure.epoch == ticket.epoch && failure.committed < ticket.lsn;
        if let Some(failure) = self.failures.iter().find(failed) {
            return Some(Err(failure.error.duplicate()));
        }
        (ticket.lsn <= self.committed).then_some(Ok(()))
    }
}

#[cfg(all(test, vecstore_loom))]
mod loom_tests;
