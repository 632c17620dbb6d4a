//! Ends long calls early: whoever waits for a call sets a flag, and the call's long loops look at it now and then.
//!
//! The flag goes with the thread that makes the call, not through its arguments: what takes milliseconds need not know of it,
//! and a call that is not watched pays for one look at a thread-local. A call that works on several threads takes
//! [`Interrupt::current`] along.
//!
//! ```
//! use vecstore_interrupt::Interrupt;
//!
//! let interrupt = Interrupt::default();
//! let count = interrupt.watch(|| {
//!     let mut count = 0;
//!     while !vecstore_interrupt::is_requested() {
//!         count += 1;
//!         if count == 1000 {
//!             interrupt.request(); // another thread would
//!         }
//!     }
//!     count
//! });
//! assert_eq!(count, 1000);
//! assert!(!vecstore_interrupt::is_requested()); // of this thread's next call
//! ```

#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    static CURRENT: RefCell<Interrupt> = const { RefCell::new(Interrupt(None)) };
}

/// The wish that a call end early. Clones are the same wish.
#[derive(Clone, Debug)]
pub struct Interrupt(Option<Arc<AtomicBool>>);

impl Default for Interrupt {
    /// Makes a wish that nobody has yet.
    fn default() -> Self {
        Self(Some(Arc::default()))
    }
}

impl Interrupt {
    /// Returns the wish that this thread's call is watched for; one that nobody can have if it is not watched.
    pub fn current() -> Self {
        CURRENT.with_borrow(Self::clone)
    }

    /// Asks for an early end.
    pub fn request(&self) {
        if let Some(flag) = &self.0 {
            flag.store(true, Ordering::Relaxed);
        }
    }

    /// Returns whether an early end was asked for.
    #[inline]
    pub fn is_requested(&self) -> bool {
        self.0.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    /// Makes a call on this thread that is watched for this wish, also by what it calls.
    pub fn watch<T>(&self, call: impl FnOnce() -> T) -> T {
        let _restored = Restore(CURRENT.replace(self.clone()));
        call()
    }
}

/// Returns whether an early end of this thread's call was asked for.
#[inline]
pub fn is_requested() -> bool {
    CURRENT.with_borrow(Interrupt::is_requested)
}

/// Puts back what the thread was watched for before, after a panic too.
struct Restore(Interrupt);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_within_calls_have_their_own_wish() {
        let (outer, inner) = (Interrupt::default(), Interrupt::default());
        outer.watch(|| {
            inner.request();
            assert!(inner.watch(is_requested));
            assert!(!is_requested());
            outer.request();
            assert!(is_requested());
        });
        assert!(!is_requested());
    }

    #[test]
    fn a_panic_ends_the_watch() {
        let interrupt = Interrupt::default();
        interrupt.request();
        let outcome = std::panic::catch_unwind(|| interrupt.watch(|| panic!("a test")));
        assert!(outcome.is_err() && !is_requested());
    }

    #[test]
    fn threads_take_it_along() {
        let interrupt = Interrupt::default();
        interrupt.watch(|| {
            let taken = Interrupt::current();
            let other = std::thread::spawn(move || {
                assert!(!is_requested());
                taken.watch(|| while !is_requested() {});
            });
            interrupt.request();
            other.join().expect("the thread ends");
        });
    }

    #[test]
    fn nobody_interrupts_what_is_not_watched() {
        Interrupt::current().request();
        assert!(!is_requested());
    }
}
