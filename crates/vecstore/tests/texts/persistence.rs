//! What a store keeps of how it makes terms.

use std::time::Duration;

use vecstore::{ErrorKind, Record, SparseQuery, SparseVector, TextQuery, VecStore};

use super::{add, ids};

#[test]
fn the_analyzer_is_kept_and_another_one_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = VecStore::options()
        .analyzer("english".parse().unwrap())
        .text_fields(["title"])
        .open(directory.path())
        .unwrap();
    add(&store, "a", "running dogs");
    store.close().unwrap();
    for (compact, read_only) in [(false, false), (true, false), (false, true)] {
        let store = VecStore::options().read_only(read_only).open(directory.path()).unwrap();
        assert_eq!(store.analyzer().to_string(), "english");
        assert_eq!(store.text_fields(), ["title"]);
        assert_eq!(ids(&store.text_query(&TextQuery::new("dog run")).unwrap()), ["a"]);
        if compact {
            store.compact().unwrap();
        }
        store.close().unwrap();
    }
    let error = VecStore::options().analyzer("standard".parse().unwrap()).open(directory.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().contains("has the analyzer english, got standard"), "{error}");
    let error = VecStore::options().text_fields(["name"]).open(directory.path()).unwrap_err();
    assert!(error.message().contains("[\"title\"], got [\"name\"]"), "{error}");
}

#[test]
fn sparse_vectors_come_back_as_they_were_given() {
    let directory = tempfile::tempdir().unwrap();
    let record = Record::new("a", [1.0, 2.0])
        .with_text("text")
        .with_sparse(SparseVector::new([(u32::MAX, 1.5), (0, -2.0)]).unwrap());
    let store = VecStore::open(directory.path()).unwrap();
    store.upsert_record(&record, None).unwrap();
    store.update_vector("a", &[1.0, 2.0]).unwrap();
    for compact in [false, true] {
        if compact {
            store.compact().unwrap();
        }
        assert_eq!(store.get("a").unwrap().unwrap(), record);
        let query = SparseQuery::new(SparseVector::new([(u32::MAX, 2.0)]).unwrap());
        assert_eq!(store.sparse_query(&query).unwrap()[0].score, 3.0);
    }
    store.close().unwrap();
    assert_eq!(VecStore::open(directory.path()).unwrap().get("a").unwrap().unwrap(), record);
}

#[test]
fn expired_and_hidden_texts_are_never_found() {
    let store = super::in_memory();
    let record = |id: &str| Record::new(id, [1.0, 2.0]).with_text("fox");
    store.upsert_record(&record("gone"), Some(Duration::ZERO)).unwrap();
    store.upsert_record(&record("hidden"), None).unwrap();
    store.upsert_record(&record("there"), None).unwrap();
    store.soft_delete("hidden").unwrap();
    for _ in 0..2 {
        assert_eq!(ids(&store.text_query(&TextQuery::new("fox")).unwrap()), ["there"]);
        assert!(!store.has_text("hidden").unwrap() && !store.has_text("gone").unwrap());
        assert!(store.has_text("there").unwrap() && !store.has_text("no such").unwrap());
        store.compact().unwrap();
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A store that was written before segments had text indexes: eight texts with `fox` in a segment, one of them deleted in the
/// log, and one more in the log.
#[test]
fn texts_of_a_store_from_before_there_were_indexes_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/1.0-before-texts");
    copy(&fixture, directory.path());
    for compact in [false, true, false] {
        let store = VecStore::open(directory.path()).unwrap();
        assert_eq!(store.text_query(&TextQuery::new("fox").k(20)).unwrap().len(), 8);
        assert_eq!(ids(&store.text_query(&TextQuery::new("late")).unwrap()), ["id-12"]);
        assert_eq!(ids(&store.text_query(&TextQuery::new("number5")).unwrap()), ["id-5"]);
        assert!(store.verify().unwrap().is_ok());
        if compact {
            store.compact().unwrap();
        }
        store.close().unwrap();
    }
}
