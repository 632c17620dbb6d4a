//! Many texts on several threads.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use vecstore_interrupt::Interrupt;

use super::Splitter;
use super::chunks::Chunks;
use super::error::Result;

/// Below this much text, starting threads takes longer than they save.
const PARALLEL_BYTES: usize = 256 << 10;

/// Splits many texts, on up to `threads` threads (`None`: one for each core); the results are in the order of the
/// texts.
///
/// # Errors
///
/// The error of the first text that has one.
pub fn split_many(
    splitter: &dyn Splitter,
    texts: &[&str],
    threads: Option<NonZeroUsize>,
) -> Result<Vec<Chunks>> {
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    let cores = threads.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let workers = if bytes < PARALLEL_BYTES { 1 } else { cores.min(texts.len()) };
    if workers <= 1 {
        return texts.iter().map(|text| splitter.split(text)).collect();
    }
    let next = AtomicUsize::new(0);
    let interrupt = Interrupt::current();
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(text) = texts.get(index) else { return done };
            let chunks = splitter.split(text);
            let failed = chunks.is_err();
            done.push((index, chunks));
            if failed {
                // Texts before this one are taken already, so the first error is among the results.
                next.store(texts.len(), Ordering::Relaxed);
                return done;
            }
        }
    };
    let mut results = thread::scope(|scope| {
        let handles: Vec<_> = (1..workers).map(|_| scope.spawn(|| interrupt.watch(work))).collect();
        let mut results = work();
        for handle in handles {
            match handle.join() {
                Ok(done) => results.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    });
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, chunks)| chunks).collect()
}
