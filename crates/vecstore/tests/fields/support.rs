//! Records and stores for the tests.

use vecstore::{Batch, Durability, Metadata, Record, VecStore};

/// Opens a store in memory whose upkeep happens when it is asked for.
pub(crate) fn store() -> VecStore {
    VecStore::options().background(false).open_in_memory().unwrap()
}

/// Opens a store on disk whose upkeep happens when it is asked for.
pub(crate) fn store_at(path: &std::path::Path) -> VecStore {
    VecStore::options().background(false).durability(Durability::None).open(path).unwrap()
}

/// Upserts records `id-<n>` with this metadata.
pub(crate) fn fill(store: &VecStore, numbers: std::ops::Range<usize>, metadata: impl Fn(usize) -> Metadata) {
    let mut batch = Batch::with_capacity(2, numbers.len()).unwrap();
    for n in numbers {
        let record = Record::new(format!("id-{n:06}"), [1.0, n as f32]).with_metadata(metadata(n));
        batch.push(&record, None).unwrap();
    }
    store.upsert_many(batch).unwrap();
}
