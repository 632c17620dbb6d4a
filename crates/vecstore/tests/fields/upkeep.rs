//! Upkeep that nobody asks for.

use std::time::{Duration, Instant};

use vecstore::{Durability, FieldKind, Metadata, VecStore, field};

use super::support::fill;

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn disk_comes_down_by_itself_after_a_delete_of_half() {
    let directory = tempfile::tempdir().unwrap();
    let store = VecStore::options().durability(Durability::None).open(directory.path()).unwrap();
    fill(&store, 0..20_000, |n| {
        Metadata::new()
            .with("half", n % 2 == 0)
            .with("text", format!("a text that takes some room {n}").repeat(20))
    });
    store.compact().unwrap();
    let before = store.stats().unwrap().disk_bytes;
    assert_eq!(store.delete_where(&field("half").eq(true)).unwrap(), 10_000);
    wait_until("the space of removed records is freed", || {
        let stats = store.stats().unwrap();
        stats.dead_rows == 0 && stats.disk_bytes < before * 7 / 10
    });
    assert_eq!(store.len().unwrap(), 10_000);
    assert_eq!(store.count(&field("half").eq(false)).unwrap(), 10_000);
}

#[test]
fn records_that_come_after_an_index_was_asked_for_get_it_in_the_background() {
    let store = VecStore::options().open_in_memory().unwrap();
    store.create_index("n", FieldKind::Number).unwrap();
    fill(&store, 0..17_000, |n| Metadata::new().with("n", n as i64));
    wait_until("the records are sealed", || {
        store
            .list_indexes()
            .unwrap()
            .iter()
            .any(|index| index.kind == Some(FieldKind::Number) && index.records == 17_000)
    });
}
