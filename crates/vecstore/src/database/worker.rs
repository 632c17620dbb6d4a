//! A background thread that looks for work when it is asked to, at a time that was agreed, and every ten seconds.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// How often a thread looks for what time alone makes due: records that have expired.
const LOOK: Duration = Duration::from_secs(10);

/// When a thread looks for work again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// At once: something was done, and there may be more.
    Again,
    /// After this time.
    After(Duration),
    /// When it is asked to.
    OnRequest,
}

impl Next {
    /// Returns the earlier of two.
    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Again, _) | (_, Self::Again) => Self::Again,
            (Self::After(one), Self::After(other)) => Self::After(one.min(other)),
            (Self::OnRequest, next) | (next, Self::OnRequest) => next,
        }
    }
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
    due: Option<Instant>,
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

    /// Asks for a look after this time at the latest.
    pub(crate) fn request_after(&self, time: Duration) {
        let due = Instant::now() + time;
        let mut signal = self.signal.lock();
        if signal.due.is_none_or(|known| known > due) {
            signal.due = Some(due);
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
            Next::After(time) => self.request_after(time),
            Next::OnRequest => {}
        }
    }

    /// Waits until there is reason to look. Returns whether to go on.
    pub(super) fn wait(&self) -> bool {
        let mut signal = self.signal.lock();
        let look = Instant::now() + LOOK;
        while !signal.stop && !signal.requested {
            let until = signal.due.map_or(look, |due| due.min(look));
            if until <= Instant::now() {
                break;
            }
            self.signalled.wait_until(&mut signal, until);
        }
        signal.requested = false;
        signal.due = None;
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
    fn a_thread_looks_at_the_earliest_time_that_was_asked_for() {
        let worker = Worker::default();
        let start = Instant::now();
        worker.plan(Next::After(Duration::from_millis(30)).or(Next::After(Duration::from_secs(9))));
        worker.request_after(Duration::from_secs(5));
        assert!(worker.wait());
        assert!((30..4_000).contains(&start.elapsed().as_millis()));
    }

    #[test]
    fn a_request_and_a_stop_end_the_wait_at_once() {
        let worker = Worker::default();
        worker.plan(Next::After(Duration::from_secs(3600)));
        worker.request();
        assert!(worker.wait());
        worker.stop();
        assert!(!worker.wait());
        assert!(!worker.rest(Duration::from_secs(3600)));
    }
}
