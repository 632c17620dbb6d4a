//! Snapshots keep records as they were, through writes, upkeep and reopening.

use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::tempdir;
use vecstore::{Collection, CollectionConfig, ErrorKind, Metadata, VecDatabase, VecStore};

use crate::{fill, ids};

/// Writes, deletes and rewrites, so that every snapshot shares some files with the next and not others.
fn story(collection: &Collection) -> Vec<(String, Vec<String>)> {
    let mut told = Vec::new();
    let mut tell = |name: &str| {
        let made = collection.create_snapshot(name).unwrap();
        let records = ids(collection);
        assert_eq!((made.name.as_str(), made.record_count), (name, records.len()));
        told.push((name.to_owned(), records));
    };
    tell("empty");
    fill(collection, 0, 100);
    tell("a hundred");
    (0..50).for_each(|n| assert!(collection.delete(&format!("{n:05}")).unwrap()));
    collection.soft_delete("00060").unwrap();
    tell("fewer");
    collection.compact().unwrap();
    tell("as many");
    fill(collection, 20, 70);
    tell("../more");
    told
}

#[test]
fn any_snapshot_can_be_gone_back_to_in_any_order_also_after_reopening() {
    let directory = tempdir().unwrap();
    let store = VecStore::open(directory.path()).unwrap();
    let told = story(&store);
    for (name, records) in told.iter().rev().chain(&told) {
        store.restore_snapshot(name).unwrap();
        assert_eq!(&ids(&store), records, "{name}");
        store.upsert("a stray", &[1.0, 0.0], &Metadata::new()).unwrap();
        assert!(store.verify().unwrap().is_ok());
    }
    store.close().unwrap();
    let store = VecStore::open(directory.path()).unwrap();
    let listed: Vec<String> =
        store.list_snapshots().unwrap().into_iter().map(|snapshot| snapshot.name).collect();
    assert!(listed.iter().eq(told.iter().map(|(name, _)| name)));
    for (name, records) in &told {
        store.restore_snapshot(name).unwrap();
        store.compact().unwrap();
        assert_eq!(&ids(&store), records, "{name}");
    }
    assert_eq!(store.deleted_count().unwrap(), 0);
    store.restore_snapshot("fewer").unwrap();
    assert!(store.restore("00060").unwrap());
}

#[test]
fn a_store_in_memory_has_snapshots_too() {
    let store = VecStore::options().open_in_memory().unwrap();
    for (name, records) in story(&store).iter().rev() {
        store.restore_snapshot(name).unwrap();
        assert_eq!(&ids(&store), records, "{name}");
    }
}

#[test]
fn a_snapshot_copies_nothing_and_its_files_go_when_it_is_deleted() {
    let directory = tempdir().unwrap();
    let store = VecStore::open(directory.path()).unwrap();
    fill(&store, 0, 5_000);
    store.compact().unwrap();
    let before = store.stats().unwrap().disk_bytes;
    (0..20).for_each(|n| _ = store.create_snapshot(&n.to_string()).unwrap());
    assert_eq!(store.stats().unwrap().disk_bytes, before);
    fill(&store, 0, 5_000);
    store.compact().unwrap();
    assert!(store.stats().unwrap().disk_bytes > before * 3 / 2);
    (0..20).for_each(|n| assert!(store.delete_snapshot(&n.to_string()).unwrap()));
    assert!(store.stats().unwrap().disk_bytes < before * 3 / 2);
    assert!(!store.delete_snapshot("0").unwrap());
    assert_eq!(store.restore_snapshot("0").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_name_of_a_snapshot_is_taken_once_in_each_collection() {
    let database = VecDatabase::open_in_memory().unwrap();
    let [a, b] = ["a", "b"].map(|name| database.create_collection(name, &CollectionConfig::new()).unwrap());
    a.create_snapshot("s").unwrap();
    assert_eq!(a.create_snapshot("s").unwrap_err().kind(), ErrorKind::AlreadyExists);
    b.create_snapshot("s").unwrap();
    a.delete_snapshot("s").unwrap();
    assert_eq!(b.list_snapshots().unwrap().len(), 1);
}

#[test]
fn snapshots_under_load_are_of_whole_calls() {
    let directory = tempdir().unwrap();
    let store = VecStore::open(directory.path()).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            // Each call writes ten records.
            for call in 0..60 {
                fill(&store, call * 10, call * 10 + 10);
            }
        });
        let mut taken = 0;
        while !writer.is_finished() {
            let made = store.create_snapshot(&format!("{taken}")).unwrap();
            assert_eq!(made.record_count % 10, 0);
            taken += 1;
        }
    });
    fill(&store, 0, 600);
    for snapshot in store.list_snapshots().unwrap().iter().step_by(7) {
        store.restore_snapshot(&snapshot.name).unwrap();
        assert_eq!(store.len().unwrap(), snapshot.record_count);
    }
}

/// What a writer had acknowledged after the last time of going back is there, and every batch is whole.
#[test]
fn going_back_under_load_leaves_whole_calls() {
    let directory = tempdir().unwrap();
    let store = VecStore::open(directory.path()).unwrap();
    fill(&store, 0, 20);
    store.create_snapshot("start").unwrap();
    let (mut times, done) = (0, AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            (2..80).for_each(|call| fill(&store, call * 10, call * 10 + 10));
            done.store(true, Ordering::Relaxed);
        });
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let found = ids(&store).len();
                assert!(found >= 20 && found.is_multiple_of(10), "{found}");
            }
        });
        while !done.load(Ordering::Relaxed) {
            store.restore_snapshot("start").unwrap();
            times += 1;
            if times % 3 == 0 {
                store.create_snapshot(&format!("{times}")).unwrap();
                assert!(store.delete_snapshot(&format!("{times}")).unwrap());
            }
        }
    });
    assert!(times > 0);
    store.restore_snapshot("start").unwrap();
    fill(&store, 900, 910);
    let expected = ids(&store);
    assert_eq!(expected.len(), 30);
    store.close().unwrap();
    let store = VecStore::open(directory.path()).unwrap();
    assert!(ids(&store) == expected && store.verify().unwrap().is_ok());
}

#[test]
fn a_damaged_snapshot_is_refused_before_anything_is_replaced() {
    let directory = tempdir().unwrap();
    let store = VecStore::open(directory.path()).unwrap();
    fill(&store, 0, 5_000);
    store.create_snapshot("kept").unwrap();
    let collection = std::fs::read_dir(directory.path().join("collections")).unwrap().next().unwrap();
    let mut files = std::fs::read_dir(collection.unwrap().path()).unwrap().map(|file| file.unwrap().path());
    let segment = files.find(|path| path.extension().is_some_and(|extension| extension == "seg")).unwrap();
    store.delete("00001").unwrap();
    store.compact().unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[3] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let before = ids(&store);
    let refused = store.restore_snapshot("kept").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Corrupted, "{refused}");
    assert_eq!(ids(&store), before);
    store.upsert("after", &[1.0, 0.0], &Metadata::new()).unwrap();
    std::fs::remove_file(&segment).unwrap();
    assert!(store.restore_snapshot("kept").is_err());
    assert_eq!(store.len().unwrap(), before.len() + 1);
}
