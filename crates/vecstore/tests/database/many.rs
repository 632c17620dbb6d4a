//! Many collections share threads, files and memory.

use tempfile::tempdir;
use vecstore::{CollectionConfig, NamespaceQuotas, VecDatabase};

use crate::fill;

/// More than are open at a time.
const COLLECTIONS: usize = 300;

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

#[test]
fn collections_beyond_those_that_are_open_at_a_time_keep_their_records_and_counts() {
    let directory = tempdir().unwrap();
    let database = VecDatabase::options()
        .durability(vecstore::Durability::None)
        .open_database(directory.path())
        .unwrap();
    let before = open_files();
    let quotas = NamespaceQuotas::unlimited().max_vectors(4);
    let config = CollectionConfig::new().quotas(quotas);
    let collections: Vec<_> = (0..COLLECTIONS)
        .map(|n| {
            let made = database.create_collection(&n.to_string(), &config).unwrap();
            fill(&made, 0, 2);
            made
        })
        .collect();
    // Handles of all are there; the files of most are not open.
    assert!(open_files() < before + 200, "{} files", open_files());
    for collection in &collections {
        fill(collection, 2, 4);
        assert!(collection.upsert("over", &[1.0, 1.0], &vecstore::Metadata::new()).is_err());
    }
    for (n, collection) in collections.iter().enumerate() {
        let stats = collection.namespace_stats().unwrap();
        assert_eq!((stats.vector_count, stats.total_upserts), (4, 4), "{n}");
    }
    let sums = database.aggregate_stats().unwrap();
    assert_eq!((sums.total_namespaces, sums.total_vectors), (COLLECTIONS, COLLECTIONS * 4));
    database.close().unwrap();
    let database = VecDatabase::open(directory.path()).unwrap();
    assert_eq!(database.aggregate_stats().unwrap().total_vectors, COLLECTIONS * 4);
}

#[test]
fn many_collections_of_one_letter_names_are_found_again() {
    // The shortest entries of a manifest, and nothing else in it.
    let directory = tempdir().unwrap();
    let database = VecDatabase::open(directory.path()).unwrap();
    let names: Vec<String> = ('a'..='z').map(String::from).collect();
    for name in &names {
        database.create_collection(name, &CollectionConfig::new()).unwrap();
    }
    database.close().unwrap();
    assert_eq!(VecDatabase::open(directory.path()).unwrap().list_collections().unwrap(), names);
}

#[test]
fn threads_on_more_collections_than_are_open_never_lose_a_write() {
    let database = tempdir().unwrap();
    let database =
        VecDatabase::options().durability(vecstore::Durability::None).open_database(database.path()).unwrap();
    let collections: Vec<_> = (0..COLLECTIONS / 2)
        .map(|n| database.create_collection(&n.to_string(), &CollectionConfig::new()).unwrap())
        .collect();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let collections = &collections;
            scope.spawn(move || {
                for n in 0..collections.len() * 2 {
                    let collection = &collections[(n * 7 + thread * 31) % collections.len()];
                    let start = thread * 10_000 + n;
                    fill(collection, start, start + 1);
                    assert!(collection.contains(&format!("{start:05}")).unwrap());
                }
            });
        }
    });
    assert_eq!(database.aggregate_stats().unwrap().total_vectors, collections.len() * 8);
}
