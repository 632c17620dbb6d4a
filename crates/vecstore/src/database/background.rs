//! Threads that work while callers do something else.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;

use super::priority::give_way;
use super::worker::{Next, Worker};
use crate::error::Result;

/// The most that a power cut takes under `Durability::Interval`.
const SYNC_INTERVAL: Duration = Duration::from_millis(100);

/// How long a thread rests after a failure; a full disk is not asked again at once.
const REST: Duration = Duration::from_secs(1);

/// The background threads of a database, which serve all its collections. Sealing and merging have one each: a merge may
/// take minutes, and rows in memory must not wait for it.
#[derive(Debug, Default)]
pub(crate) struct Background {
    pub(crate) seal: Worker,
    pub(crate) merge: Worker,
    sync: Worker,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Background {
    /// Returns whether somebody will do the upkeep that is asked for.
    pub(crate) fn does_upkeep(&self) -> bool {
        self.seal.is_running()
    }

    /// Starts a thread each for sealing and merging. A step is done whenever it is asked for, or when the last one said. A
    /// thread ends when its step returns `None`.
    pub(crate) fn start_upkeep(
        self: &Arc<Self>,
        seal: impl Fn() -> Option<Result<Next>> + Send + 'static,
        merge: impl Fn() -> Option<Result<Next>> + Send + 'static,
    ) -> io::Result<()> {
        let background = Arc::clone(self);
        self.spawn("vecstore-merge", move || {
            // Writers wait for a seal, if for any; nobody waits for a merge.
            give_way();
            background.run(&background.merge, merge);
        })?;
        let background = Arc::clone(self);
        self.spawn("vecstore-seal", move || background.run(&background.seal, seal))?;
        self.seal.started();
        Ok(())
    }

    /// Starts a thread that calls `sync` every 100 ms. It ends when `sync` returns `None`.
    pub(crate) fn start_sync(
        self: &Arc<Self>,
        sync: impl Fn() -> Option<()> + Send + 'static,
    ) -> io::Result<()> {
        let background = Arc::clone(self);
        let run = move || while background.sync.rest(SYNC_INTERVAL) && sync().is_some() {};
        self.spawn("vecstore-sync", run)
    }

    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run)?;
        self.threads.lock().push(thread);
        Ok(())
    }

    fn run(&self, worker: &Worker, step: impl Fn() -> Option<Result<Next>>) {
        while worker.wait() {
            match step() {
                None => return,
                Some(Ok(next)) => worker.plan(next),
                // Writers keep asking meanwhile.
                Some(Err(_)) if !worker.rest(REST) => return,
                Some(Err(_)) => worker.request(),
            }
        }
    }

    /// Ends the threads. Nothing runs in the background when this returns.
    pub(crate) fn stop(&self) {
        [&self.seal, &self.merge, &self.sync].into_iter().for_each(Worker::stop);
        let threads = std::mem::take(&mut *self.threads.lock());
        for thread in threads {
            // A panic in one has been reported by the panic hook; closing goes on.
            _ = thread.join();
        }
    }
}
