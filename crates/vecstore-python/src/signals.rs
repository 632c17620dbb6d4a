//! Ctrl-C during calls that may take long.
//!
//! Python handles signals on its main thread, and only between its own steps. So what that thread calls is done on another one,
//! while it looks at signals. If a handler raises, the call is asked to end (`vecstore::Interrupt`) and waited for, since it
//! borrows what the caller holds; then the exception is raised, whatever the call came to.

use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use pyo3::intern;
use pyo3::prelude::*;
use vecstore::Interrupt;

/// How often signals are looked at.
pub(crate) const SIGNAL_POLL: Duration = Duration::from_millis(50);

/// Makes a call without the GIL that an exception of a signal handler ends, and raises that. The thread costs about 30 us: what
/// takes less than some milliseconds need not come here.
pub(crate) fn interruptible<T: Send>(py: Python<'_>, call: impl FnOnce() -> T + Send) -> PyResult<T> {
    // A process that may open no more files cannot import what tells. It gets its answer, and Ctrl-C after that.
    if !is_main_thread(py).unwrap_or(false) {
        return Ok(py.detach(call));
    }
    let interrupt = Interrupt::default();
    let mut raised = None;
    let outcome = py.detach(|| {
        let call = Mutex::new(Some(call));
        let take = || call.lock().ok().and_then(|mut call| call.take());
        thread::scope(|scope| {
            let (done, wait) = channel();
            let work = |done: Sender<T>| {
                if let Some(call) = take() {
                    // The receiver waits for it.
                    let _ = done.send(interrupt.watch(call));
                }
            };
            let spawned =
                thread::Builder::new().name("vecstore-call".into()).spawn_scoped(scope, move || work(done));
            let Ok(worker) = spawned else {
                // Where no thread can be had, nobody looks at signals.
                return take().map(|call| call());
            };
            loop {
                match wait.recv_timeout(SIGNAL_POLL) {
                    Ok(value) => return Some(value),
                    Err(RecvTimeoutError::Timeout) if raised.is_none() => {
                        raised = Python::attach(|py| py.check_signals()).err();
                        raised.iter().for_each(|_| interrupt.request());
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => {
                        return worker.join().map_or_else(|panic| resume_unwind(panic), |()| None);
                    }
                }
            }
        })
    });
    match raised {
        Some(raised) => Err(raised),
        None => Ok(outcome.expect("a thread that ends without a panic has sent")),
    }
}

fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    let threading = py.import(intern!(py, "threading"))?;
    let main = threading.call_method0(intern!(py, "main_thread"))?.getattr(intern!(py, "ident"))?;
    threading.call_method0(intern!(py, "get_ident"))?.eq(main)
}
