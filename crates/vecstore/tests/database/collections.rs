//! Collections are apart from each other, keep what they were made with, and can be renamed and deleted while in use.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tempfile::tempdir;
use vecstore::{
    CollectionConfig, ErrorKind, Metadata, Metric, NamespaceQuotas, NamespaceStatus, Quantization, Query,
    VecDatabase, VecStore,
};

use crate::{fill, ids};

#[test]
fn each_collection_has_its_own_records_dimension_metric_and_options_also_after_reopening() {
    let directory = tempdir().unwrap();
    let quotas = NamespaceQuotas::unlimited().max_vectors(7);
    let configs = [
        ("a", CollectionConfig::new().dim(2).metric(Metric::Dot)),
        ("b", CollectionConfig::new().dim(3).quantization(Quantization::Int8)),
        ("c", CollectionConfig::new().dim(2).metric(Metric::Manhattan).quotas(quotas)),
    ];
    let database = VecDatabase::open(directory.path()).unwrap();
    for (name, config) in &configs {
        let made = database.create_collection(name, config).unwrap();
        let dim = config.get_dim().unwrap();
        made.upsert(&format!("in {name}"), &vec![1.0; dim], &Metadata::new()).unwrap();
    }
    database.close().unwrap();
    let database = VecDatabase::open(directory.path()).unwrap();
    assert_eq!(database.list_collections().unwrap(), ["a", "b", "c"]);
    for (name, config) in &configs {
        let found = database.get_collection(name).unwrap().unwrap();
        assert_eq!(found.config().unwrap(), *config);
        assert_eq!(ids(&found), [format!("in {name}")]);
        let wrong = found.upsert("x", &[1.0; 5], &Metadata::new()).unwrap_err();
        assert_eq!(wrong.kind(), ErrorKind::DimensionMismatch);
    }
    // The metric is not only kept: the same query has another answer.
    let score = |name: &str| {
        let query = Query::new([3.0, 0.0]);
        database.get_collection(name).unwrap().unwrap().query(&query).unwrap()[0].distance
    };
    assert_eq!((score("a"), score("c")), (-3.0, 3.0));
}

#[test]
fn a_name_is_taken_once_and_finding_what_is_not_there_finds_nothing() {
    let database = VecDatabase::open_in_memory().unwrap();
    database.create_collection("a", &CollectionConfig::new()).unwrap();
    let again = database.create_collection("a", &CollectionConfig::new()).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AlreadyExists);
    assert!(database.get_collection("b").unwrap().is_none());
    assert!(!database.delete_collection("b").unwrap());
    assert_eq!(database.stats("b").unwrap_err().kind(), ErrorKind::NotFound);
    let there = CollectionConfig::new().metric(Metric::Dot);
    assert_eq!(database.get_or_create_collection("a", &there).unwrap().metric(), Metric::Cosine);
    assert_eq!(database.get_or_create_collection("b", &there).unwrap().metric(), Metric::Dot);
}

#[test]
fn a_store_is_a_database_with_the_collection_default() {
    let directory = tempdir().unwrap();
    let store = VecStore::open(directory.path()).unwrap();
    fill(&store, 0, 3);
    assert_eq!(VecDatabase::open(directory.path()).unwrap_err().kind(), ErrorKind::Locked);
    store.close().unwrap();
    let database = VecDatabase::open(directory.path()).unwrap();
    assert_eq!(database.list_collections().unwrap(), ["default"]);
    fill(&database.get_collection("default").unwrap().unwrap(), 3, 5);
    database.create_collection("other", &CollectionConfig::new()).unwrap();
    database.close().unwrap();
    let store = VecStore::open(directory.path()).unwrap();
    assert_eq!(store.len().unwrap(), 5);
    drop(store);
    let empty = tempdir().unwrap();
    VecDatabase::open(empty.path()).unwrap().close().unwrap();
    fill(&VecStore::open(empty.path()).unwrap(), 0, 1);
    assert_eq!(VecDatabase::open(empty.path()).unwrap().list_collections().unwrap(), ["default"]);
}

#[test]
fn a_collection_keeps_its_database_open() {
    let directory = tempdir().unwrap();
    let collection = VecDatabase::open(directory.path())
        .unwrap()
        .create_collection("a", &CollectionConfig::new())
        .unwrap();
    fill(&collection, 0, 1);
    assert_eq!(VecDatabase::open(directory.path()).unwrap_err().kind(), ErrorKind::Locked);
    drop(collection);
    VecDatabase::open(directory.path()).unwrap();
}

#[test]
fn a_renamed_collection_goes_on_under_its_new_name() {
    let directory = tempdir().unwrap();
    let database = VecDatabase::open(directory.path()).unwrap();
    let collection = database.create_collection("old", &CollectionConfig::new()).unwrap();
    database.create_collection("taken", &CollectionConfig::new()).unwrap();
    fill(&collection, 0, 2);
    let taken = database.rename_collection("old", "taken").unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
    assert_eq!(database.rename_collection("none", "new").unwrap_err().kind(), ErrorKind::NotFound);
    database.rename_collection("old", "new").unwrap();
    assert_eq!(collection.name(), "new");
    fill(&collection, 2, 3);
    assert!(database.get_collection("old").unwrap().is_none());
    database.close().unwrap();
    let database = VecDatabase::open(directory.path()).unwrap();
    assert_eq!(database.list_collections().unwrap(), ["new", "taken"]);
    assert_eq!(database.get_collection("new").unwrap().unwrap().len().unwrap(), 3);
}

#[test]
fn a_collection_deleted_while_in_use_is_closed_to_every_call_and_its_files_are_gone() {
    let directory = tempdir().unwrap();
    let database = VecDatabase::open(directory.path()).unwrap();
    let kept = database.create_collection("kept", &CollectionConfig::new()).unwrap();
    fill(&kept, 0, 10);
    let doomed = database.create_collection("doomed", &CollectionConfig::new()).unwrap();
    fill(&doomed, 0, 500);
    let hits = doomed.search(&Query::new([1.0, 3.0]).k(5)).unwrap();
    let records = doomed.iter().unwrap();
    let (stop, failures) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (doomed, stop, failures) = (doomed.clone(), &stop, &failures);
            scope.spawn(move || {
                for n in 0.. {
                    let outcome = match thread {
                        0 => doomed.upsert(&n.to_string(), &[1.0, 2.0], &Metadata::new()),
                        1 => doomed.query(&Query::new([1.0, 2.0])).map(drop),
                        2 => doomed.compact().map(drop),
                        _ => doomed.delete(&n.to_string()).map(drop),
                    };
                    if let Err(error) = outcome {
                        assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
                        failures.fetch_add(1, Ordering::Relaxed);
                        break;
                    }
                    assert!(!stop.load(Ordering::Relaxed), "a call on a deleted collection succeeded");
                }
            });
        }
        while doomed.stats().is_ok_and(|stats| stats.lsn < 20) {
            std::thread::yield_now();
        }
        assert!(database.delete_collection("doomed").unwrap());
        // Calls that had begun before may succeed; those after may not.
        assert!(doomed.len().unwrap_err().message().contains("`doomed` was deleted"));
    });
    assert_eq!(failures.into_inner(), 4);
    // What was found before is there to its end.
    assert_eq!(hits.to_neighbors(vecstore::Include::default()).unwrap().len(), 5);
    assert_eq!(records.filter(|record| record.is_ok()).count(), 500);
    assert!(doomed.is_closed());
    assert_eq!(std::fs::read_dir(directory.path().join("collections")).unwrap().count(), 1);
    // The name is free, and nothing of the old records comes back.
    let anew = database.create_collection("doomed", &CollectionConfig::new()).unwrap();
    assert!(anew.is_empty().unwrap());
    assert_eq!(doomed.len().unwrap_err().kind(), ErrorKind::Closed);
    drop((anew, doomed));
    database.close().unwrap();
    let database = VecDatabase::open(directory.path()).unwrap();
    assert_eq!(database.get_collection("kept").unwrap().unwrap().len().unwrap(), 10);
}

#[test]
fn a_process_that_reads_sees_collections_come_and_go() {
    let directory = tempdir().unwrap();
    let database = VecDatabase::open(directory.path()).unwrap();
    let reader = VecDatabase::options().read_only(true).open_database(directory.path()).unwrap();
    assert_eq!(reader.list_collections().unwrap(), [""; 0]);
    fill(&database.create_collection("a", &CollectionConfig::new()).unwrap(), 0, 4);
    let followed = reader.get_collection("a").unwrap().unwrap();
    assert_eq!(followed.len().unwrap(), 4);
    let refused = reader.create_collection("b", &CollectionConfig::new()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert_eq!(reader.delete_collection("a").unwrap_err().kind(), ErrorKind::Unsupported);
    database.delete_collection("a").unwrap();
    assert_eq!(reader.list_collections().unwrap(), [""; 0]);
    assert_eq!(followed.len().unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn options_of_a_collection_are_refused_for_a_database() {
    let directory = tempdir().unwrap();
    let error = VecDatabase::options().dim(3).open_database(directory.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().starts_with("dim is an option of a collection"), "{error}");
}

#[test]
fn a_process_that_reads_sees_names_status_and_quotas_change() {
    let directory = tempdir().unwrap();
    let writer = VecDatabase::open(directory.path()).unwrap();
    let written = writer.create_collection("a", &CollectionConfig::new()).unwrap();
    written.upsert("x", &[1.0], &Metadata::new()).unwrap();
    let reader = VecDatabase::options().read_only(true).open_database(directory.path()).unwrap();
    let read = reader.get_collection("a").unwrap().unwrap();
    assert_eq!(read.len().unwrap(), 1);
    writer.rename_collection("a", "b").unwrap();
    let quotas = NamespaceQuotas::unlimited().max_vectors(7);
    writer.update_quotas("b", quotas).unwrap();
    writer.update_status("b", NamespaceStatus::Suspended).unwrap();
    let refused = read.len().unwrap_err();
    assert!(refused.message().contains("`b`") && refused.message().contains("Suspended"), "{refused}");
    writer.update_status("b", NamespaceStatus::Active).unwrap();
    assert_eq!(read.len().unwrap(), 1);
    assert_eq!((&*read.name(), read.config().unwrap().get_quotas()), ("b", quotas));
}
