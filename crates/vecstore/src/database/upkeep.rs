//! What the background threads do: the same for each open collection.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Next, Shared};
use crate::collection::{Core, seal_bytes};
use crate::error::{Error, Result};
use crate::options::Durability;

impl Shared {
    /// Starts the background threads.
    pub(crate) fn start_background(self: &Arc<Self>) -> Result<()> {
        let failed = |error| Error::io("start a thread for", &self.root, error);
        let background = &self.background;
        let (sealed, merged) = (Arc::downgrade(self), Arc::downgrade(self));
        let seal = move || Some(sealed.upgrade()?.seal_step());
        let merge = move || Some(merged.upgrade()?.merge_step());
        background.start_upkeep(seal, merge).map_err(failed)?;
        if self.durability == Durability::Interval {
            let shared = Arc::downgrade(self);
            let sync = move || {
                // A failure poisons the log, so that the next write reports it.
                shared.upgrade()?.open_cores().iter().for_each(|core| _ = core.sync_if_unsynced());
                Some(())
            };
            background.start_sync(sync).map_err(failed)?;
        }
        Ok(())
    }

    /// Seals what is due, the collection with the most rows in memory first. While together they hold more than one may,
    /// each is sealed whatever it holds.
    fn seal_step(&self) -> Result<Next> {
        let mut cores = self.open_cores();
        cores.sort_by_cached_key(|core| std::cmp::Reverse(core.unsealed_bytes()));
        each(&cores, |core| core.seal_step(self.unsealed_is_due()))
    }

    fn merge_step(&self) -> Result<Next> {
        each(
            &self.open_cores(),
            |core| if self.is_closing() { Ok(Next::OnRequest) } else { core.merge_step() },
        )
    }

    /// Returns whether the rows in memory, of all collections, are as many bytes as are sealed at the latest.
    pub(crate) fn unsealed_is_due(&self) -> bool {
        self.unsealed_bytes() >= seal_bytes(self.memory_budget)
    }

    /// Returns the bytes of rows in memory, of all collections.
    pub(crate) fn unsealed_bytes(&self) -> u64 {
        self.unsealed.load(Ordering::Relaxed)
    }

    /// Notes that a collection has so many bytes of rows in memory where it had others before.
    pub(crate) fn note_unsealed(&self, before: u64, now: u64) {
        self.unsealed.fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
    }
}

/// Does a step of each collection, also if it fails for some. Returns when to look again.
fn each(cores: &[Arc<Core>], step: impl Fn(&Core) -> Result<Next>) -> Result<Next> {
    let mut next = Next::OnRequest;
    let mut failure = None;
    for core in cores {
        match step(core) {
            Ok(one) => next = next.or(one),
            Err(error) => failure = Some(error),
        }
    }
    failure.map_or(Ok(next), Err)
}
