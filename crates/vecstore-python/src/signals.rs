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

use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use vecstore::Interrupt;

/// How often signals are looked at.
pub(crate) const SIGNAL_POLL: Duration = Duration::from_millis(50);

/// Makes a call without the GIL that an exception of a signal handler ends, and raises that. The thread costs about 30 us: what
/// takes less than some milliseconds need not come here.
pub(crate) fn interruptible<T: Send>(py: Python<'_>, call: impl FnOnce() -> T + Send) -> PyResult<T> {
    match py.import(intern!(py, "threading")) {
        Ok(threading) if is_main_thread(&threading)? => {}
        Ok(_) => return Ok(py.detach(call)),
        // A process that may open no more files cannot import what tells. It gets its answer, and Ctrl-C after that.
        Err(error) if error.is_instance_of::<PyException>(py) => return Ok(py.detach(call)),
        Err(error) => return Err(error),
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

/// Looks at signals now and then in a loop that makes objects of Python.
pub(crate) fn look_at_signals(py: Python<'_>, step: usize) -> PyResult<()> {
    if step % 1024 == 1023 { py.check_signals() } else { Ok(()) }
}

/// From here on work on text may take long.
const LONG_BYTES: usize = 64 << 10;

/// Does work on as many bytes of text without the GIL; Ctrl-C ends it if they are many.
pub(crate) fn work<T: Send>(py: Python<'_>, bytes: usize, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    if bytes < LONG_BYTES { Ok(py.detach(work)) } else { interruptible(py, work) }
}

/// Fails with what a signal handler raises: these are the first steps of Python's since a signal that came before the call.
fn is_main_thread(threading: &Bound<'_, PyModule>) -> PyResult<bool> {
    let py = threading.py();
    let main = threading.call_method0(intern!(py, "main_thread"))?.getattr(intern!(py, "ident"))?;
    threading.call_method0(intern!(py, "get_ident"))?.eq(main)
}
