//! What the committer shares between threads: the real thing or, with `--cfg vecstore_loom`, a stand-in that loom runs
//! through every order in which threads can meet (`make loom`).

#[cfg(not(vecstore_loom))]
mod real {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
    pub(crate) use std::thread::{self, Thread};

    pub(crate) use arc_swap::ArcSwap;
    pub(crate) use parking_lot::{Mutex, MutexGuard};
}

#[cfg(vecstore_loom)]
mod modelled {
    use std::ops::Deref;
    use std::sync::Arc;

    pub(crate) use loom::sync::MutexGuard;
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
    pub(crate) use loom::thread::{self, Thread};

    /// A mutex without poisoning, as the real one is.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("a thread of the model has panicked")
        }
    }

    /// A pointer that is exchanged as a whole. A lock stands for the one atomic operation of the real one.
    #[derive(Debug)]
    pub(crate) struct ArcSwap<T>(loom::sync::Mutex<Arc<T>>);

    impl<T> ArcSwap<T> {
        pub(crate) fn from_pointee(value: T) -> Self {
            Self(loom::sync::Mutex::new(Arc::new(value)))
        }

        pub(crate) fn load_full(&self) -> Arc<T> {
            Arc::clone(&self.0.lock().expect("a thread of the model has panicked"))
        }

        pub(crate) fn load(&self) -> impl Deref<Target = Arc<T>> {
            Loaded(self.load_full())
        }

        pub(crate) fn store(&self, value: Arc<T>) {
            *self.0.lock().expect("a thread of the model has panicked") = value;
        }
    }

    struct Loaded<T>(Arc<T>);

    impl<T> Deref for Loaded<T> {
        type Target = Arc<T>;

        fn deref(&self) -> &Arc<T> {
            &self.0
        }
    }
}

#[cfg(vecstore_loom)]
pub(crate) use modelled::*;
#[cfg(not(vecstore_loom))]
pub(crate) use real::*;
