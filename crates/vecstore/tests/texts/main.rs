//! Searches by words, by sparse vectors, and by both with vectors.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "tests make files of their own")]

mod hybrid;
mod oracle;
mod persistence;
mod shards;
mod syntax;

use vecstore::{Durability, Neighbor, Record, VecStore};

fn in_memory() -> VecStore {
    VecStore::options().durability(Durability::None).open_in_memory().unwrap()
}

fn add(store: &VecStore, id: &str, text: &str) {
    store.upsert_record(&Record::new(id, [1.0, id.len() as f32]).with_text(text), None).unwrap();
}

fn ids(found: &[Neighbor]) -> Vec<&str> {
    found.iter().map(|hit| hit.id.as_str()).collect()
}
