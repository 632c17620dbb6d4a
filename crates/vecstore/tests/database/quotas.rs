//! Quotas hold for new records only; a status says what is served.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vecstore::{
    Batch, Clock, Collection, CollectionConfig, ErrorKind, Metadata, NamespaceQuotas, NamespaceStatus,
    Operation, Query, Record, VecDatabase, VecStore,
};

use crate::{fill, ids};

fn limited(quotas: NamespaceQuotas) -> Collection {
    let database = VecDatabase::open_in_memory().unwrap();
    database.create_collection("limited", &CollectionConfig::new().quotas(quotas)).unwrap()
}

fn add(collection: &Collection, id: &str) -> vecstore::Result<()> {
    collection.upsert(id, &[1.0, 2.0], &Metadata::new())
}

#[test]
fn a_full_collection_takes_updates_and_deletes_and_serves_reads() {
    let collection = limited(NamespaceQuotas::unlimited().max_vectors(3));
    fill(&collection, 0, 3);
    let error = add(&collection, "new").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
    let expected =
        "collection `limited` is over its quota max_vectors: the limit is 3, got 1 new records for 3";
    assert_eq!(error.message(), expected);
    add(&collection, "00001").unwrap();
    collection.update_metadata("00001", &Metadata::from([("a", 1.into())])).unwrap();
    collection.update_vector("00002", &[5.0, 5.0]).unwrap();
    collection.soft_delete("00002").unwrap();
    assert_eq!(add(&collection, "new").unwrap_err().kind(), ErrorKind::QuotaExceeded);
    add(&collection, "00002").unwrap();
    assert_eq!(collection.query(&Query::new([1.0, 0.0])).unwrap().len(), 3);
    // A batch with one new record too many changes nothing, not even what it updates.
    let mut batch = Batch::new(2).unwrap();
    for id in ["00000", "new"] {
        batch.push(&Record::new(id, vec![9.0, 9.0]), None).unwrap();
    }
    assert_eq!(collection.upsert_many(batch).unwrap_err().kind(), ErrorKind::QuotaExceeded);
    assert_eq!(collection.get("00000").unwrap().unwrap().vector, [1.0, 0.0]);
    let operations = [
        Operation::Upsert { record: Record::new("new", vec![1.0, 1.0]), ttl: None },
        Operation::Delete { id: "00000".into() },
        Operation::Upsert { record: Record::new("other", vec![1.0, 1.0]), ttl: None },
    ];
    let outcome = collection.batch_execute(&operations).unwrap();
    assert_eq!((outcome.succeeded, outcome.failed[0].0), (2, 0));
    assert_eq!(outcome.failed[0].2.kind(), ErrorKind::QuotaExceeded);
    assert_eq!(ids(&collection), ["00001", "00002", "other"]);
    assert_eq!(collection.namespace_stats().unwrap().quota_utilization, 1.0);
}

#[test]
fn each_quota_is_enforced_and_named() {
    let cases = [
        (NamespaceQuotas::unlimited().max_dimension(1), "max_dimension"),
        (NamespaceQuotas::unlimited().max_batch_size(0), "max_batch_size"),
        (NamespaceQuotas::unlimited().max_storage_bytes(10), "max_storage_bytes"),
        (NamespaceQuotas::unlimited().max_vectors(0), "max_vectors"),
    ];
    for (quotas, name) in cases {
        let error = add(&limited(quotas), "a").unwrap_err();
        assert!(error.kind() == ErrorKind::QuotaExceeded && error.message().contains(name), "{error}");
    }
    let collection = limited(NamespaceQuotas::unlimited().max_storage_bytes(10_000));
    let added = (0..1_000).take_while(|n| add(&collection, &format!("{n:03}")).is_ok()).count();
    let stats = collection.namespace_stats().unwrap();
    assert!((500..1_000).contains(&added) && stats.storage_bytes <= 10_000, "{added} {stats:?}");
    // Sealing changes what the records take on disk, and neither the figure nor the quota.
    collection.compact().unwrap();
    assert_eq!(collection.namespace_stats().unwrap().storage_bytes, stats.storage_bytes);
    collection.delete("000").unwrap();
    add(&collection, "xyz").unwrap();
}

#[test]
fn quotas_are_exact_when_many_threads_write() {
    let collection = limited(NamespaceQuotas::unlimited().max_vectors(100));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let collection = &collection;
            scope.spawn(move || (0..50).for_each(|n| _ = add(collection, &format!("{thread}-{n}"))));
        }
    });
    assert_eq!(collection.len().unwrap(), 100);
}

#[derive(Debug)]
struct HandClock(AtomicU64);

impl Clock for HandClock {
    fn now_unix_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn expired_records_make_room() {
    let clock = Arc::new(HandClock(AtomicU64::new(1_000_000)));
    let database = VecDatabase::options().clock(Arc::clone(&clock) as _).open_database_in_memory().unwrap();
    let quotas = NamespaceQuotas::unlimited().max_vectors(2);
    let collection = database.create_collection("a", &CollectionConfig::new().quotas(quotas)).unwrap();
    add(&collection, "stays").unwrap();
    collection.upsert_record(&Record::new("brief", vec![1.0, 1.0]), Some(Duration::from_secs(1))).unwrap();
    assert_eq!(add(&collection, "new").unwrap_err().kind(), ErrorKind::QuotaExceeded);
    clock.0.fetch_add(2_000, Ordering::Relaxed);
    add(&collection, "new").unwrap();
}

#[test]
fn quotas_and_status_are_kept_and_can_be_changed() {
    let directory = tempfile::tempdir().unwrap();
    let database = VecDatabase::open(directory.path()).unwrap();
    let collection = database.create_collection("a", &CollectionConfig::new()).unwrap();
    fill(&collection, 0, 5);
    database.update_quotas("a", NamespaceQuotas::free_tier().max_vectors(2)).unwrap();
    database.update_status("a", NamespaceStatus::ReadOnly).unwrap();
    assert_eq!(
        database.update_quotas("b", NamespaceQuotas::default()).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    drop(collection);
    database.close().unwrap();

    let database = VecDatabase::open(directory.path()).unwrap();
    let collection = database.get_collection("a").unwrap().unwrap();
    let stats = collection.namespace_stats().unwrap();
    assert_eq!((stats.status, stats.quota_utilization), (NamespaceStatus::ReadOnly, 2.5));
    assert_eq!(collection.len().unwrap(), 5);
    let error = collection.delete("00000").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("ReadOnly"), "{error}");
    for refusing in [NamespaceStatus::Suspended, NamespaceStatus::PendingDeletion] {
        database.update_status("a", refusing).unwrap();
        assert_eq!(collection.len().unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(add(&collection, "00000").unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(database.stats("a").unwrap().status, refusing);
    }
    assert_eq!(database.aggregate_stats().unwrap().active_namespaces, 0);
    database.update_status("a", NamespaceStatus::Active).unwrap();
    add(&collection, "00000").unwrap();
    assert_eq!(add(&collection, "new").unwrap_err().kind(), ErrorKind::QuotaExceeded);
    database.update_quotas("a", NamespaceQuotas::unlimited()).unwrap();
    add(&collection, "new").unwrap();
    assert_eq!(database.aggregate_stats().unwrap().total_vectors, 6);
}

#[test]
fn a_store_that_was_never_set_to_anything_is_of_the_first_format() {
    let directory = tempfile::tempdir().unwrap();
    let features = |path: &std::path::Path| {
        let mut names: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with("manifest-"));
        std::fs::read(names.iter().max().unwrap()).unwrap()[12]
    };
    fill(&VecStore::open(directory.path()).unwrap(), 0, 3);
    assert_eq!(features(directory.path()), 0);
    let database = VecDatabase::open(directory.path()).unwrap();
    database.update_status("default", NamespaceStatus::ReadOnly).unwrap();
    assert_eq!(features(directory.path()), 2);
}

#[test]
fn rows_in_memory_that_have_expired_leave_by_themselves() {
    let clock = Arc::new(HandClock(AtomicU64::new(1_000_000)));
    let database = VecDatabase::options().clock(Arc::clone(&clock) as _).open_database_in_memory().unwrap();
    let collection = database.create_collection("a", &CollectionConfig::new()).unwrap();
    for n in 0..50 {
        let record = Record::new(n.to_string(), vec![1.0, 1.0]);
        collection.upsert_record(&record, (n % 5 > 0).then_some(Duration::from_secs(1))).unwrap();
    }
    clock.0.fetch_add(2_000, Ordering::Relaxed);
    // The threads look every ten seconds, and when something is opened.
    add(&database.create_collection("b", &CollectionConfig::new()).unwrap(), "x").unwrap();
    let started = std::time::Instant::now();
    while collection.stats().unwrap().unsealed_rows > 0 {
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", collection.stats());
        std::thread::yield_now();
    }
    let stats = collection.stats().unwrap();
    assert_eq!((stats.active, stats.dead_rows, stats.segments), (10, 0, 1));
}
