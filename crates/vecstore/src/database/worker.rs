//! A background thread that looks for work when it is asked to, when nothing was written for a while, and every minute.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// How often a thread looks for what time alone makes due: records that have expired.
const LOOK: Duration = Duration::from_secs(60);

/// When a thread looks for work again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// At once: something was done, and there may be more.
    Again,
    /// When nothing was written for this long.
    WhenIdle(Duration),
    /// After this time.
    After(Duration),
    /// When it is asked to.
    OnRequest,
}

/// The signals of one thread.
#[derive(Debug, Default)]
pub(crate) struct Worker {
    signal: Mutex<Signal>,
    signalled: Condvar,
}

#[derive(Debug, Default)]
struct Signal {
    requested: bool,
    /// For how long nothing must have been written.
    idle: Option<Duration>,
    rest: Option<Duration>,
    stop: bool,
    running: bool,
}

impl Worker {
    /// Asks for a look soon.
    pub(crate) fn request(&self) {
        let mut signal = self.signal.lock();
        if !std::mem::replace(&mut signal.requested, true) {
            self.signalled.notify_all();
        }
    }

    /// Asks for a look when nothing was written for this long.
    pub(crate) fn request_when_idle(&self, idle: Duration) {
        let mut signal = self.signal.lock();
        if signal.idle.is_none_or(|known| known > idle) {
            signal.idle = Some(idle);
            self.signalled.notify_all();
        }
    }

    /// Returns whether the thread is there to answer requests.
    pub(super) fn is_running(&self) -> bool {
        self.signal.lock().running
    }

    pub(super) fn started(&self) {
        self.signal.lock().running = true;
    }

    pub(super) fn plan(&self, next: Next) {
        match next {
            Next::Again => self.request(),
            Next::WhenIdle(idle) => self.request_when_idle(idle),
            Next::After(rest) => self.signal.lock().rest = Some(rest),
            Next::OnRequest => {}
        }
    }

    /// Waits until there is reason to look. Returns whether to go on. Writes do not wake the thread: when they have
    /// pushed on the moment that it waits for, it learns of that at the moment.
    pub(super) fn wait(&self, last_write: impl Fn() -> Instant) -> bool {
        let mut signal = self.signal.lock();
        let look = Instant::now() + signal.rest.take().unwrap_or(LOOK);
        while !signal.stop && !signal.requested {
            let until = signal.idle.map_or(look, |idle| look.min(last_write() + idle));
            if until <= Instant::now() {
                break;
            }
            self.signalled.wait_until(&mut signal, until);
        }
        signal.requested = false;
        signal.idle = None;
        !signal.stop
    }

    /// Returns whether to go on after some time.
    pub(super) fn rest(&self, time: Duration) -> bool {
        let mut signal = self.signal.lock();
        self.signalled.wait_while_for(&mut signal, |signal| !signal.stop, time);
        !signal.stop
    }

    pub(super) fn stop(&self) {
        let mut signal = self.signal.lock();
        signal.stop = true;
        signal.running = false;
        self.signalled.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_looks_when_nothing_was_written_for_as_long_as_it_asked() {
        let worker = Worker::default();
        let start = Instant::now();
        worker.plan(Next::WhenIdle(Duration::from_millis(30)));
        assert!(worker.wait(|| start + Duration::from_millis(30)));
        assert!(start.elapsed() >= Duration::from_millis(60));
    }

    #[test]
    fn a_request_and_a_stop_end_the_wait_at_once() {
        let worker = Worker::default();
        worker.plan(Next::After(Duration::from_secs(3600)));
        worker.request();
        assert!(worker.wait(Instant::now));
        worker.stop();
        assert!(!worker.wait(Instant::now));
        assert!(!worker.rest(Duration::from_secs(3600)));
    }
}
