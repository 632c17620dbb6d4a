//! Backups hold what had been acknowledged, cost what is new, and are checked when they are restored.

use std::path::{Path, PathBuf};

use tempfile::tempdir;
use vecstore::{CollectionConfig, ErrorKind, Metadata, NamespaceQuotas, VecDatabase, VecStore};

use crate::{fill, ids};

fn files(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn a_backup_made_during_writes_holds_all_that_was_acknowledged_before_it() {
    let directory = tempdir().unwrap();
    let [live, backup, restored] = ["live", "backup", "restored"].map(|name| directory.path().join(name));
    let store = VecStore::open(&live).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (0..80).for_each(|call| fill(&store, call * 10, call * 10 + 10)));
        let mut n = 0;
        while !writer.is_finished() || n == 0 {
            let before = store.len().unwrap();
            store.backup(&backup, n % 2 == 0).unwrap();
            let after = store.len().unwrap();
            let to = restored.join(n.to_string());
            VecDatabase::restore_backup(&backup, &to).unwrap();
            let found = VecStore::open(&to).unwrap().len().unwrap();
            assert!(
                (before..=after).contains(&found) && found.is_multiple_of(10),
                "{before} {found} {after}"
            );
            n += 1;
        }
    });
}

#[test]
fn a_second_backup_copies_what_is_new() {
    let directory = tempdir().unwrap();
    let [live, backup, restored] = ["live", "backup", "restored"].map(|name| directory.path().join(name));
    let store = VecStore::open(&live).unwrap();
    fill(&store, 0, 2_000);
    let first = store.backup(&backup, true).unwrap();
    assert_eq!((first.copied_files, first.kept_files), (1, 0));
    let again = store.backup(&backup, true).unwrap();
    assert_eq!((again.copied_files, again.copied_bytes, again.kept_files), (0, 0, 1));
    let whole = store.backup(&backup, false).unwrap();
    assert_eq!((whole.copied_files, whole.kept_files), (1, 0));
    store.delete("00007").unwrap();
    fill(&store, 2_000, 2_010);
    let new = store.backup(&backup, true).unwrap();
    assert!(new.copied_bytes < first.copied_bytes / 5 && new.kept_files >= 1, "{new:?}");
    store.compact().unwrap();
    store.backup(&backup, true).unwrap();
    assert_eq!(
        files(&backup).iter().filter(|path| path.extension().is_some_and(|name| name == "seg")).count(),
        1
    );
    VecDatabase::restore_backup(&backup, &restored).unwrap();
    assert_eq!(ids(&VecStore::open(&restored).unwrap()), ids(&store));
}

#[test]
fn no_damage_to_a_backup_goes_unnoticed() {
    let directory = tempdir().unwrap();
    let [live, backup] = ["live", "backup"].map(|name| directory.path().join(name));
    let store = VecStore::open(&live).unwrap();
    fill(&store, 0, 50);
    store.compact().unwrap();
    store.delete("00003").unwrap();
    store.backup(&backup, true).unwrap();
    let damaged = files(&backup);
    let named = |path: &&PathBuf| !path.ends_with("LOCK") && !path.to_str().unwrap().ends_with(".log");
    let mut checked = 0;
    for path in damaged.iter().filter(named) {
        let intact = std::fs::read(path).unwrap();
        for at in [0, intact.len() / 3, intact.len() / 2, intact.len() - 1] {
            let mut bytes = intact.clone();
            bytes[at] ^= 0x20;
            std::fs::write(path, &bytes).unwrap();
            let to = directory.path().join(format!("restored-{checked}"));
            match VecDatabase::restore_backup(&backup, &to) {
                Err(error) => assert!(
                    matches!(error.kind(), ErrorKind::Corrupted | ErrorKind::Unsupported),
                    "{}: {error}",
                    path.display()
                ),
                // There are two manifests, and padding holds nothing.
                Ok(()) => assert_eq!(ids(&VecStore::open(&to).unwrap()), ids(&store), "{}", path.display()),
            }
            checked += 1;
        }
        std::fs::write(path, &intact).unwrap();
    }
    assert!(checked >= 12);
}

#[test]
fn a_collection_comes_back_from_a_backup() {
    let directory = tempdir().unwrap();
    let [live, backup] = ["live", "backup"].map(|name| directory.path().join(name));
    let database = VecDatabase::open(&live).unwrap();
    let quotas = NamespaceQuotas::unlimited().max_vectors(40);
    let config = CollectionConfig::new().quotas(quotas);
    let a = database.create_collection("a", &config).unwrap();
    let b = database.create_collection("b", &CollectionConfig::new()).unwrap();
    fill(&a, 0, 30);
    fill(&b, 0, 5);
    database.backup(&backup, true).unwrap();
    // In its place, with handles that go on.
    fill(&a, 30, 40);
    a.delete("00000").unwrap();
    database.restore_collection("a", &backup).unwrap();
    assert_eq!((a.len().unwrap(), b.len().unwrap()), (30, 5));
    fill(&a, 30, 31);
    // After it was deleted.
    database.delete_collection("a").unwrap();
    let back = database.restore_collection("a", &backup).unwrap();
    assert_eq!(back.config().unwrap(), config.dim(2));
    assert_eq!(back.len().unwrap(), 30);
    // Where something is in the way, or nothing is to be found.
    assert_eq!(database.restore_collection("c", &backup).unwrap_err().kind(), ErrorKind::NotFound);
    database.rename_collection("b", "c").unwrap();
    assert_eq!(database.restore_collection("b", &backup).unwrap_err().kind(), ErrorKind::AlreadyExists);
    database.close().unwrap();
    let database = VecDatabase::open(&live).unwrap();
    assert_eq!(database.get_collection("a").unwrap().unwrap().len().unwrap(), 30);
}

#[test]
fn collections_are_backed_up_beside_each_other() {
    let directory = tempdir().unwrap();
    let [live, backup, restored] = ["live", "backup", "restored"].map(|name| directory.path().join(name));
    let database = VecDatabase::open(&live).unwrap();
    for (n, name) in ["a", "b", "c"].into_iter().enumerate() {
        let collection = database.create_collection(name, &CollectionConfig::new()).unwrap();
        fill(&collection, 0, n + 1);
        collection.backup(&backup, true).unwrap();
    }
    database.delete_collection("b").unwrap();
    VecDatabase::restore_backup(&backup, restored.join("three")).unwrap();
    database.backup(&backup, true).unwrap();
    VecDatabase::restore_backup(&backup, restored.join("two")).unwrap();
    let names = |name: &str| VecDatabase::open(restored.join(name)).unwrap().list_collections().unwrap();
    assert_eq!(
        (names("three"), names("two")),
        (vec!["a".into(), "b".into(), "c".into()], vec!["a".into(), "c".into()])
    );
}

#[test]
fn a_backup_can_be_read_and_written_to_as_a_store_and_restored_with_what_was_written() {
    let directory = tempdir().unwrap();
    let [backup, restored] = ["backup", "restored"].map(|name| directory.path().join(name));
    let store = VecStore::options().open_in_memory().unwrap();
    fill(&store, 0, 10);
    store.backup(&backup, true).unwrap();
    let opened = VecStore::open(&backup).unwrap();
    opened.upsert("more", &[1.0, 1.0], &Metadata::new()).unwrap();
    assert_eq!(store.backup(&backup, true).unwrap_err().kind(), ErrorKind::Locked);
    drop(opened);
    VecDatabase::restore_backup(&backup, &restored).unwrap();
    assert_eq!(VecStore::open(&restored).unwrap().len().unwrap(), 11);
    store.backup(&backup, true).unwrap();
    assert_eq!(VecStore::open(&backup).unwrap().len().unwrap(), 10);
}

#[test]
fn a_directory_that_is_no_place_for_it_is_refused_and_left_alone() {
    let directory = tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let store = VecStore::open(path("live")).unwrap();
    fill(&store, 0, 10);
    fill(&VecStore::open(path("other")).unwrap(), 0, 3);
    std::fs::create_dir(path("foreign")).unwrap();
    std::fs::write(path("foreign").join("notes.txt"), "mine").unwrap();
    std::fs::write(path("file"), "mine").unwrap();
    let kind = |to: &str| store.backup(path(to), true).unwrap_err().kind();
    assert_eq!(kind("live"), ErrorKind::InvalidInput);
    assert_eq!(kind("live/collections/backup"), ErrorKind::InvalidInput);
    assert_eq!(kind("other"), ErrorKind::AlreadyExists);
    assert_eq!(kind("foreign"), ErrorKind::InvalidInput);
    assert_eq!(kind("file"), ErrorKind::InvalidInput);
    assert_eq!(VecStore::open(path("other")).unwrap().len().unwrap(), 3);
    store.backup(path("backup"), true).unwrap();
    let restored =
        |from: &str, to: &str| VecDatabase::restore_backup(path(from), path(to)).unwrap_err().kind();
    assert_eq!(restored("backup", "other"), ErrorKind::AlreadyExists);
    assert_eq!(restored("backup", "foreign"), ErrorKind::AlreadyExists);
    assert_eq!(restored("backup", "file"), ErrorKind::AlreadyExists);
    assert_eq!(restored("foreign", "new"), ErrorKind::InvalidInput);
    assert_eq!(restored("nowhere", "new"), ErrorKind::Io);
    assert!(!path("new").exists());
}

#[test]
fn a_reader_backs_up_what_was_acknowledged_while_another_handle_writes_and_merges() {
    let directory = tempdir().unwrap();
    let [live, backup, restored] = ["live", "backup", "restored"].map(|name| directory.path().join(name));
    // Segments and logs come and go all the time.
    let store = VecStore::options().memory_budget(8 << 20).open(&live).unwrap();
    fill(&store, 0, 10);
    let reader = VecStore::options().read_only(true).open(&live).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for call in 1..60 {
                fill(&store, call * 10, call * 10 + 10);
                if call % 5 == 0 {
                    store.compact().unwrap();
                }
            }
        });
        let mut n = 0;
        while !writer.is_finished() || n == 0 {
            let before = store.len().unwrap();
            reader.backup(&backup, n % 2 == 0).unwrap();
            let after = store.len().unwrap();
            let to = restored.join(n.to_string());
            VecDatabase::restore_backup(&backup, &to).unwrap();
            let copy = VecStore::open(&to).unwrap();
            let found = copy.len().unwrap();
            assert!(
                (before..=after).contains(&found) && found.is_multiple_of(10),
                "{before} {found} {after}"
            );
            assert!(copy.verify().unwrap().is_ok());
            n += 1;
        }
    });
}

#[test]
fn a_reader_and_a_writer_back_up_to_one_place_in_turn() {
    let directory = tempdir().unwrap();
    let [live, backup, restored] = ["live", "backup", "restored"].map(|name| directory.path().join(name));
    let store = VecStore::open(&live).unwrap();
    let reader = || VecStore::options().read_only(true).open(&live).unwrap();
    for round in 0..6 {
        fill(&store, round * 100, round * 100 + 100);
        if round % 3 == 0 {
            store.soft_delete(&format!("{:05}", round * 100)).unwrap();
        }
        match round % 2 {
            0 => reader().backup(&backup, true).unwrap(),
            _ => store.backup(&backup, true).unwrap(),
        };
        let to = restored.join(round.to_string());
        VecDatabase::restore_backup(&backup, &to).unwrap();
        let copy = VecStore::open(&to).unwrap();
        assert_eq!(copy.len().unwrap(), store.len().unwrap());
        assert_eq!(copy.deleted_count().unwrap(), store.deleted_count().unwrap());
    }
    // Nothing of earlier rounds is left over.
    let logs = files(&backup).iter().filter(|path| path.extension().is_some_and(|one| one == "log")).count();
    assert_eq!(logs, 1);
}

#[test]
fn a_restore_exchanges_a_damaged_file_for_that_of_the_backup() {
    let directory = tempdir().unwrap();
    let [live, backup] = ["live", "backup"].map(|name| directory.path().join(name));
    let database = VecDatabase::open(&live).unwrap();
    let collection = database.create_collection("a", &CollectionConfig::new()).unwrap();
    fill(&collection, 0, 2_000);
    database.backup(&backup, true).unwrap();
    let segment = |root: &Path| {
        let is_segment = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "seg");
        files(root).into_iter().find(is_segment).unwrap()
    };
    let mut bytes = std::fs::read(segment(&live)).unwrap();
    bytes[5] ^= 0x40;
    std::fs::write(segment(&live), &bytes).unwrap();
    assert!(!collection.verify().unwrap().is_ok());
    let restored = database.restore_collection("a", &backup).unwrap();
    assert!(restored.verify().unwrap().is_ok());
    assert_eq!(restored.len().unwrap(), 2_000);
    assert_eq!(restored.get("00000").unwrap().unwrap().vector, [1.0, 0.0]);
}
