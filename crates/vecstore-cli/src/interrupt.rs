//! Ctrl-C during work that has something to tidy up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use vecstore::{Error, ErrorKind};

/// Notices Ctrl-C until it is dropped. The second one ends the process as ever.
pub(crate) struct Interrupt {
    pressed: Arc<AtomicBool>,
    registered: Vec<signal_hook::SigId>,
}

impl Interrupt {
    /// Where signals cannot be caught, Ctrl-C ends the process as ever.
    pub(crate) fn new() -> Self {
        let pressed = Arc::new(AtomicBool::new(false));
        let signal = signal_hook::consts::SIGINT;
        // In this order: the first Ctrl-C finds the flag down, and raises it.
        let registered = [
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&pressed)),
            signal_hook::flag::register(signal, Arc::clone(&pressed)),
        ];
        Self { pressed, registered: registered.into_iter().flatten().collect() }
    }

    pub(crate) fn was_pressed(&self) -> bool {
        self.pressed.load(Ordering::SeqCst)
    }

    /// Returns an error once Ctrl-C was pressed, for calls that an error ends.
    pub(crate) fn check(&self) -> vecstore::Result<()> {
        if self.was_pressed() { Err(Error::new(ErrorKind::Closed, "interrupted")) } else { Ok(()) }
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        for id in self.registered.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}
