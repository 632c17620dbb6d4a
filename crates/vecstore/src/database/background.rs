//! Threads that work while callers do something else.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::error::Result;

/// The most that a power cut takes under `Durability::Interval`.
const SYNC_INTERVAL: Duration = Duration::from_millis(100);

/// How often upkeep looks for what time alone makes due: records that have expired.
const UPKEEP_LOOK: Duration = Duration::from_secs(60);

/// How long upkeep rests after a failure; a full disk is not asked again at once.
const UPKEEP_REST: Duration = Duration::from_secs(1);

/// The background threads of a database.
#[derive(Debug, Default)]
pub(crate) struct Background {
    signal: Mutex<Signal>,
    signalled: Condvar,
}

#[derive(Debug, Default)]
struct Signal {
    requested: bool,
    stop: bool,
    threads: Vec<JoinHandle<()>>,
    upkeep: bool,
}

impl Background {
    /// Asks for upkeep soon.
    pub(crate) fn request_upkeep(&self) {
        self.signal.lock().requested = true;
        self.signalled.notify_all();
    }

    /// Returns whether somebody will do the upkeep that is asked for.
    pub(crate) fn does_upkeep(&self) -> bool {
        self.signal.lock().upkeep
    }

    /// Starts a thread that calls `step` whenever upkeep is asked for and every minute, and again while there was something to do. It ends
    /// when `step` returns `None`.
    pub(crate) fn start_upkeep(
        self: &Arc<Self>,
        step: impl Fn() -> Option<Result<bool>> + Send + 'static,
    ) -> io::Result<()> {
        let background = Arc::clone(self);
        self.spawn("vecstore-upkeep", move || background.run_upkeep(step))?;
        self.signal.lock().upkeep = true;
        Ok(())
    }

    /// Starts a thread that calls `sync` every 100 ms. It has a thread of its own, since a step of upkeep may take
    /// longer. It ends when `sync` returns `None`.
    pub(crate) fn start_sync(
        self: &Arc<Self>,
        sync: impl Fn() -> Option<()> + Send + 'static,
    ) -> io::Result<()> {
        let background = Arc::clone(self);
        self.spawn("vecstore-sync", move || while background.rest(SYNC_INTERVAL) && sync().is_some() {})
    }

    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run)?;
        self.signal.lock().threads.push(thread);
        Ok(())
    }

    fn run_upkeep(&self, step: impl Fn() -> Option<Result<bool>>) {
        while self.wait_for_request() {
            match step() {
                None => return,
                Some(Ok(did)) => self.signal.lock().requested |= did,
                // Writers keep asking meanwhile.
                Some(Err(_)) if !self.rest(UPKEEP_REST) => return,
                Some(Err(_)) => self.signal.lock().requested = true,
            }
        }
    }

    /// Returns whether to go on when there is something to do.
    fn wait_for_request(&self) -> bool {
        let mut signal = self.signal.lock();
        self.signalled.wait_while_for(&mut signal, |signal| !signal.stop && !signal.requested, UPKEEP_LOOK);
        signal.requested = false;
        !signal.stop
    }

    /// Returns whether to go on after some time.
    fn rest(&self, time: Duration) -> bool {
        let mut signal = self.signal.lock();
        self.signalled.wait_while_for(&mut signal, |signal| !signal.stop, time);
        !signal.stop
    }

    /// Ends the threads. Nothing runs in the background when this returns.
    pub(crate) fn stop(&self) {
        let threads = {
            let mut signal = self.signal.lock();
            signal.stop = true;
            signal.upkeep = false;
            std::mem::take(&mut signal.threads)
        };
        self.signalled.notify_all();
        for thread in threads {
            // A panic in one has been reported by the panic hook; closing goes on.
            _ = thread.join();
        }
    }
}
