//! What a store does in one process, on a real directory and in memory.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "tests make files of their own")]

use std::collections::HashMap;
use std::time::Duration;

use vecstore::{
    Batch, Durability, ErrorKind, Metadata, Metric, Operation, Query, Record, ScrollRequest, Value, VecStore,
    field,
};

fn vector(seed: u64, dim: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    (0..dim).map(|_| next()).collect()
}

fn batch(ids: std::ops::Range<u64>, dim: usize) -> Batch {
    let mut batch = Batch::with_capacity(dim, ids.clone().count()).unwrap();
    for n in ids {
        let metadata = Metadata::from([("n", Value::Int(n as i64)), ("even", Value::Bool(n % 2 == 0))]);
        batch
            .push(&Record::new(format!("id-{n:06}"), vector(n + 1, dim)).with_metadata(metadata), None)
            .unwrap();
    }
    batch
}

#[test]
fn records_come_back_as_they_were_given_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let record = Record::new("a\0b", vec![1.0, -0.0, 3.5])
        .with_metadata([("flag", Value::Bool(true)), ("n", Value::Int(1)), ("x", Value::Float(1.0))])
        .with_text("some text");
    let store = VecStore::open(directory.path()).unwrap();
    store.upsert_record(&record, None).unwrap();
    assert_eq!(store.get("a\0b").unwrap().unwrap(), record);
    store.close().unwrap();
    assert_eq!(store.get("a\0b").unwrap_err().kind(), ErrorKind::Closed);
    let store = VecStore::open(directory.path()).unwrap();
    assert_eq!(store.get("a\0b").unwrap().unwrap(), record);
    assert_eq!(store.dim(), Some(3));
    assert!(store.verify().unwrap().is_ok());
}

#[test]
fn sealed_and_merged_records_are_the_same_records() {
    let directory = tempfile::tempdir().unwrap();
    let store = VecStore::options().durability(Durability::None).open(directory.path()).unwrap();
    for start in (0..50_000).step_by(1000) {
        store.upsert_many(batch(start..start + 1000, 8)).unwrap();
    }
    for n in (0..50_000).step_by(3) {
        assert!(store.delete(&format!("id-{n:06}")).unwrap());
    }
    assert_eq!(store.len().unwrap(), 50_000 - 16_667);
    let before: Vec<Record> = store.iter().unwrap().map(|record| record.unwrap()).collect();
    store.compact().unwrap();
    assert_eq!(store.stats().unwrap().segments, 1);
    assert_eq!(store.stats().unwrap().dead_rows, 0);
    let after: Vec<Record> = store.iter().unwrap().map(|record| record.unwrap()).collect();
    assert!(before == after);
    let query = Query::new(vector(77, 8)).k(20).filter(field("even").eq(true));
    let nearest = store.query(&query).unwrap();
    store.close().unwrap();
    let store = VecStore::open(directory.path()).unwrap();
    assert_eq!(store.query(&query).unwrap(), nearest);
    assert_eq!(store.len().unwrap(), 50_000 - 16_667);
    assert!(store.verify().unwrap().is_ok(), "{:?}", store.verify());
}

#[test]
fn the_nearest_are_those_of_a_brute_force_search_for_every_metric() {
    for metric in Metric::ALL {
        let store = VecStore::options().metric(metric).open_in_memory().unwrap();
        store.upsert_many(batch(0..700, 17)).unwrap();
        let query = vector(12345, 17);
        let kernels = vecstore_kernels::Kernels::detect();
        let mut expected: Vec<(f32, String)> = (0..700)
            .map(|n| (kernels.distance(metric, &query, &vector(n + 1, 17)), format!("id-{n:06}")))
            .collect();
        expected.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        let found = store.query(&Query::new(query).k(10)).unwrap();
        assert_eq!(found.len(), 10);
        for (found, (distance, id)) in found.iter().zip(&expected) {
            assert!(
                (found.distance - distance).abs() <= 1e-5 * distance.abs().max(1.0),
                "{metric}: {found:?} {id} {distance}"
            );
        }
    }
}

#[test]
fn equal_distances_are_ordered_by_id() {
    let store = VecStore::options().metric(Metric::Euclidean).open_in_memory().unwrap();
    for id in ["d", "b", "a", "e", "c"] {
        store.upsert(id, &[1.0, 1.0], &Metadata::new()).unwrap();
    }
    let ids = |k| -> Vec<String> {
        store.query(&Query::new([0.0, 0.0]).k(k)).unwrap().into_iter().map(|found| found.id).collect()
    };
    assert_eq!(ids(3), ["a", "b", "c"]);
    assert_eq!(ids(100), ["a", "b", "c", "d", "e"]);
}

#[test]
fn only_a_search_of_few_records_in_memory_is_brief() {
    let options = vecstore::QueryOptions::new();
    let store = VecStore::options().open_in_memory().unwrap();
    assert!(store.is_brief(&options));
    store.upsert_many(batch(0..100, 48)).unwrap();
    assert!(store.is_brief(&options));
    assert!(!store.is_brief(&options.clone().filter(field("n").lt(5))));
    store.upsert_many(batch(100..2_000, 48)).unwrap();
    assert!(!store.is_brief(&options));

    let directory = tempfile::tempdir().unwrap();
    let store = VecStore::open(directory.path()).unwrap();
    store.upsert_many(batch(0..100, 48)).unwrap();
    assert!(store.is_brief(&options));
    store.close().unwrap();
    let store = VecStore::open(directory.path()).unwrap();
    store.compact().unwrap();
    assert!(!store.is_brief(&options), "a segment may have to be read from disk");
    let reader = VecStore::options().read_only(true).open(directory.path()).unwrap();
    assert!(!reader.is_brief(&options), "a reader looks for what the writer has done");
}

#[test]
fn hits_keep_their_moment_and_their_metadata_decodes() {
    let store = VecStore::options().open_in_memory().unwrap();
    store.upsert_many(batch(0..20, 48)).unwrap();
    let query = vector(8, 48);
    let hits = store.search_vector(&query, &vecstore::QueryOptions::new().k(1)).unwrap();
    let expected = store.query(&Query::new(query).k(1)).unwrap();
    store.delete(&expected[0].id).unwrap();
    let hit = hits.get(0).unwrap();
    assert_eq!(hit.id().unwrap(), expected[0].id);
    let metadata = vecstore::metadata::decode(hit.encoded_metadata().unwrap()).unwrap();
    assert_eq!(Some(metadata), expected[0].metadata);
}

#[test]
fn a_recall_that_is_no_share_is_refused() {
    let store = VecStore::options().open_in_memory().unwrap();
    store.upsert("a", &[1.0, 0.0], &Metadata::new()).unwrap();
    for recall in [0.0, -0.5, 1.01, f32::NAN, f32::INFINITY] {
        let error = store.query(&Query::new([1.0, 0.0]).recall(recall)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.message(), format!("recall must be above 0 and at most 1, got {recall}"));
    }
}

#[test]
fn an_exact_search_finds_all_whatever_the_recall() {
    let store = VecStore::options().open_in_memory().unwrap();
    store.upsert_many(batch(0..3_000, 48)).unwrap();
    let query = Query::new(vector(7_001, 48));
    let truth = store.query(&query.clone().recall(1.0)).unwrap();
    assert_eq!(truth.len(), 10);
    for recall in [f32::MIN_POSITIVE, 0.5, 0.95, 1.0] {
        assert_eq!(store.query(&query.clone().recall(recall).exact(true)).unwrap(), truth);
    }
}

#[test]
fn a_batch_of_operations_reports_what_it_could_not_do_and_does_the_rest() {
    let store = VecStore::options().open_in_memory().unwrap();
    store.upsert("a", &[1.0, 0.0], &Metadata::new()).unwrap();
    let outcome = store
        .batch_execute(&[
            Operation::Upsert { record: Record::new("b", [0.0, 1.0]), ttl: None },
            Operation::Delete { id: "missing".to_owned() },
            Operation::Upsert { record: Record::new("c", [0.0, 1.0, 2.0]), ttl: None },
            Operation::SoftDelete { id: "a".to_owned() },
            Operation::UpdateMetadata { id: "b".to_owned(), metadata: Metadata::from([("x", 1.into())]) },
        ])
        .unwrap();
    assert_eq!(outcome.succeeded, 3);
    let failed: Vec<_> = outcome.failed.iter().map(|(at, name, error)| (*at, *name, error.kind())).collect();
    assert_eq!(failed, [(1, "delete", ErrorKind::NotFound), (2, "upsert", ErrorKind::DimensionMismatch)]);
    assert_eq!(store.len().unwrap(), 1);
    assert_eq!(store.get("b").unwrap().unwrap().metadata, Metadata::from([("x", 1.into())]));
    assert!(store.restore("a").unwrap());
    assert_eq!(store.len().unwrap(), 2);
}

#[test]
fn random_writes_leave_what_a_map_holds() {
    let directory = tempfile::tempdir().unwrap();
    let mut model: HashMap<String, (Vec<f32>, bool)> = HashMap::new();
    let mut store = VecStore::options().durability(Durability::None).open(directory.path()).unwrap();
    for step in 0u64..6000 {
        let roll = step.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let id = format!("k{}", roll % 300);
        match roll / 300 % 10 {
            0..6 => {
                let vector = vector(step + 1, 6);
                store.upsert(&id, &vector, &Metadata::new()).unwrap();
                model.insert(id, (vector, false));
            }
            6 => assert_eq!(store.delete(&id).unwrap(), model.remove(&id).is_some()),
            7 => {
                let expected = model.get_mut(&id).is_some_and(|(_, hidden)| !std::mem::replace(hidden, true));
                assert_eq!(store.soft_delete(&id).unwrap(), expected);
            }
            8 => {
                let expected = model.get_mut(&id).is_some_and(|(_, hidden)| std::mem::replace(hidden, false));
                assert_eq!(store.restore(&id).unwrap(), expected);
            }
            _ if step % 7 == 0 => _ = store.compact().unwrap(),
            _ if step % 5 == 0 => {
                store.close().unwrap();
                store = VecStore::options().durability(Durability::None).open(directory.path()).unwrap();
            }
            _ => {}
        }
        if step % 500 == 0 {
            let all: HashMap<String, (Vec<f32>, bool)> = store
                .records(&ScrollRequest::new().all())
                .unwrap()
                .map(|record| record.map(|record| (record.id, (record.vector, record.deleted))).unwrap())
                .collect();
            assert_eq!(all, model, "after step {step}");
        }
    }
}

#[test]
fn a_page_goes_on_where_the_last_one_ended() {
    let store = VecStore::options().open_in_memory().unwrap();
    store.upsert_many(batch(0..250, 4)).unwrap();
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = store.scroll(&ScrollRequest::new().limit(100).after(cursor)).unwrap();
        seen.extend(page.records.into_iter().map(|record| record.id));
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..250).map(|n| format!("id-{n:06}")).collect::<Vec<_>>());
}

#[test]
fn an_expired_record_is_never_returned() {
    let store = VecStore::options().open_in_memory().unwrap();
    store.upsert_record(&Record::new("gone", [1.0, 0.0]), Some(Duration::ZERO)).unwrap();
    store.upsert_record(&Record::new("there", [1.0, 0.0]), Some(Duration::from_secs(3600))).unwrap();
    assert_eq!(store.get("gone").unwrap(), None);
    assert_eq!(store.len().unwrap(), 1);
    assert_eq!(store.query(&Query::new([1.0, 0.0])).unwrap().len(), 1);
    assert_eq!(store.scroll(&ScrollRequest::new()).unwrap().records.len(), 1);
    assert_eq!(store.expire().unwrap(), 1);
    assert_eq!(store.expire().unwrap(), 0);
}

#[test]
fn a_second_writer_is_refused_and_a_reader_follows_the_first() {
    let directory = tempfile::tempdir().unwrap();
    let writer = VecStore::open(directory.path()).unwrap();
    let refused = VecStore::open(directory.path()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Locked);
    assert!(refused.message().contains(&std::process::id().to_string()), "{refused}");
    let reader = VecStore::options().read_only(true).open(directory.path()).unwrap();
    for n in 0..40_000u64 {
        if n % 1000 == 0 {
            writer.upsert_many(batch(n..n + 1000, 8)).unwrap();
            assert_eq!(reader.len().unwrap() as u64, n + 1000);
        }
    }
    assert_eq!(reader.upsert("x", &[0.0; 8], &Metadata::new()).unwrap_err().kind(), ErrorKind::Unsupported);
    writer.compact().unwrap();
    assert_eq!(reader.len().unwrap(), 40_000);
    drop(writer);
    VecStore::open(directory.path()).unwrap();
}

#[test]
fn many_threads_write_and_read_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let store = VecStore::open(directory.path()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0u64..8 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..200 {
                    let id = format!("{thread}-{n}");
                    store.upsert(&id, &vector(n + 1, 4), &Metadata::new()).unwrap();
                    assert!(store.contains(&id).unwrap());
                }
            });
        }
    });
    assert_eq!(store.len().unwrap(), 1600);
    store.close().unwrap();
    assert_eq!(VecStore::open(directory.path()).unwrap().len().unwrap(), 1600);
}

/// Vectors in tight clusters, with repeats: many keys are equal or nearly so.
fn clustered(seed: u64, dim: usize) -> Vec<f32> {
    let center = vector(seed % 7 + 1000, dim);
    let spread = [0.0, 1e-6, 1e-3, 0.1][(seed / 7 % 4) as usize];
    let noise = vector(seed / 3 + 5000, dim);
    center.iter().zip(&noise).map(|(center, noise)| center + spread * noise).collect()
}

#[test]
fn a_search_through_codes_gives_the_same_answer_as_a_search_of_full_vectors() {
    for metric in [Metric::Cosine, Metric::Dot, Metric::Euclidean] {
        for dim in [32, 33, 100, 384] {
            let open = || VecStore::options().metric(metric).open_in_memory().unwrap();
            let (sealed, unsealed) = (open(), open());
            let rows = || {
                let mut batch = Batch::new(dim).unwrap();
                for n in 0..3000u64 {
                    let metadata = [("n", Value::Int(n as i64 % 10))];
                    let record = Record::new(format!("{n}"), clustered(n, dim)).with_metadata(metadata);
                    batch.push(&record, None).unwrap();
                }
                if metric != Metric::Cosine {
                    batch.push(&Record::new("zero", vec![0.0; dim]), None).unwrap();
                }
                batch
            };
            sealed.upsert_many(rows()).unwrap();
            sealed.compact().unwrap();
            unsealed.upsert_many(rows()).unwrap();
            assert_eq!((sealed.stats().unwrap().segments, unsealed.stats().unwrap().segments), (1, 0));
            for seed in 0..40 {
                let query = Query::new(clustered(seed * 31, dim)).k(1 + seed as usize * 3);
                for query in [query.clone(), query.filter(field("n").lt(3))] {
                    assert_eq!(
                        sealed.query(&query).unwrap(),
                        unsealed.query(&query).unwrap(),
                        "{metric} {dim} {seed}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_nearest_are_found_among_vectors_of_any_magnitude() {
    for metric in [Metric::Cosine, Metric::Dot, Metric::Euclidean] {
        for magnitude in [1e-34f32, 1e-30, 1e-20, 1e-15, 1e15, 1e18, 1e25, 1e37] {
            let store = VecStore::options().metric(metric).open_in_memory().unwrap();
            let scaled =
                |seed| -> Vec<f32> { vector(seed, 40).iter().map(|value| value * magnitude).collect() };
            let mut batch = Batch::new(40).unwrap();
            for n in 0..500 {
                batch.push(&Record::new(format!("{n}"), scaled(n + 1)), None).unwrap();
            }
            store.upsert_many(batch).unwrap();
            let query = Query::new(scaled(8)).k(500);
            let unsealed = store.query(&query).unwrap();
            assert!(
                unsealed.iter().all(|found| !found.score.is_nan() && !found.distance.is_nan()),
                "{metric} {magnitude}"
            );
            assert_eq!(unsealed.len(), 500, "{metric} {magnitude}");
            store.compact().unwrap();
            assert_eq!(store.query(&query).unwrap(), unsealed, "{metric} {magnitude}");
            assert_eq!(store.query(&query.k(7)).unwrap(), unsealed[..7], "{metric} {magnitude}");
            if metric == Metric::Cosine || (metric == Metric::Euclidean && magnitude > 1e-19) {
                assert_eq!(unsealed[0].id, "7", "{metric} {magnitude}");
            }
        }
    }
}

#[test]
fn a_reader_follows_a_writer_that_seals_several_times_between_two_reads() {
    let directory = tempfile::tempdir().unwrap();
    let writer = VecStore::options().background(false).open(directory.path()).unwrap();
    writer.upsert_many(batch(0..10, 4)).unwrap();
    let reader = VecStore::options().read_only(true).open(directory.path()).unwrap();
    assert_eq!(reader.len().unwrap(), 10);
    for seal in 1..5 {
        writer.upsert_many(batch(seal * 10..seal * 10 + 10, 4)).unwrap();
        writer.compact().unwrap();
    }
    writer.upsert_many(batch(50..60, 4)).unwrap();
    assert_eq!(reader.len().unwrap(), 60);
    assert!(reader.verify().unwrap().is_ok(), "{:?}", reader.verify());
    assert!(writer.verify().unwrap().is_ok(), "{:?}", writer.verify());
}

#[test]
fn a_directory_with_foreign_files_is_refused_and_left_alone() {
    for foreign in ["tmp/mine.txt", "collections/mine.txt", "collections/mine/a.txt", "mine.txt"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(foreign);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "mine").unwrap();
        assert_eq!(
            VecStore::open(directory.path()).unwrap_err().kind(),
            ErrorKind::InvalidInput,
            "{foreign}"
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    }
}

#[test]
fn compaction_frees_expired_records() {
    let directory = tempfile::tempdir().unwrap();
    let store = VecStore::open(directory.path()).unwrap();
    for n in 0..100 {
        let ttl = if n % 2 == 0 { Duration::ZERO } else { Duration::from_secs(3600) };
        store.upsert_record(&Record::new(format!("{n}"), vector(n + 1, 4)), Some(ttl)).unwrap();
    }
    store.soft_delete("1").unwrap();
    store.compact().unwrap();
    let stats = store.stats().unwrap();
    assert_eq!((stats.active, stats.deleted, stats.dead_rows), (49, 1, 0));
    assert!(store.restore("1").unwrap());
    store.close().unwrap();
    assert_eq!(VecStore::open(directory.path()).unwrap().len().unwrap(), 50);
}

#[test]
fn verify_finds_nothing_while_others_write() {
    let directory = tempfile::tempdir().unwrap();
    let store = VecStore::open(directory.path()).unwrap();
    store.upsert("first", &vector(1, 8), &Metadata::new()).unwrap();
    let reader = VecStore::options().read_only(true).open(directory.path()).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..400 {
                store.upsert(&format!("{n}"), &vector(n + 1, 8), &Metadata::new()).unwrap();
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        while !done.load(std::sync::atomic::Ordering::Relaxed) {
            for handle in [&store, &reader] {
                let report = handle.verify().unwrap();
                assert!(report.is_ok(), "{report:?}");
            }
        }
    });
}

/// Rows in memory have no columns; rows of segments do. Every way to use a filter must answer the same.
#[test]
fn columns_of_segments_change_no_answer() {
    let directory = tempfile::tempdir().unwrap();
    let store =
        VecStore::options().durability(Durability::None).background(false).open(directory.path()).unwrap();
    let plain = VecStore::options().background(false).open_in_memory().unwrap();
    let dim = 40;
    for store in [&store, &plain] {
        let mut batch = Batch::with_capacity(dim, 3_000).unwrap();
        for n in 0..3_000u64 {
            let metadata = Metadata::new()
                .with("n", n as i64)
                .with("group", ["a", "b", "c", "d"][n as usize % 4])
                .with("rare", (n % 500 == 7).then_some(1.5))
                .with("tags", [n as i64 % 3, n as i64 % 70])
                .with("deep", Metadata::new().with("text", format!("{} of many", n * 7_919 % 3_000)))
                .with("prose", "word ".repeat(if n % 100 == 3 { 80 } else { 1 }));
            let record = Record::new(format!("id-{n}"), vector(n + 1, dim)).with_metadata(metadata);
            let ttl = n.is_multiple_of(11).then_some(Duration::from_nanos(1));
            batch.push(&record, ttl.filter(|_| n > 1_500)).unwrap();
        }
        store.upsert_many(batch).unwrap();
        store.upsert("bare", &vector(9_999, dim), &Metadata::new()).unwrap();
    }
    store.compact().unwrap();
    for store in [&store, &plain] {
        for n in (0..3_000).step_by(13) {
            store.delete(&format!("id-{n}")).unwrap();
            store.soft_delete(&format!("id-{}", n + 1)).unwrap();
        }
    }
    assert_eq!(store.stats().unwrap().segments, 1);
    let filters = [
        field("n").lt(20),
        field("n").lt(1_500),
        field("n").between(100, 180) & field("group").eq("b"),
        field("rare").eq(1.5),
        field("rare").exists(true) & field("rare").ne(Value::Null),
        field("tags").eq(69),
        field("tags.1").eq(69),
        field("deep.text").starts_with("29"),
        field("deep.text").regex("^1.* of"),
        field("prose").text("word"),
        field("prose").eq("word ".repeat(80)),
        field("prose").eq("word ".repeat(80)) & field("n").lt(1_000),
        field("n").exists(false),
        !field("n").exists(true) | field("n").eq(3),
        field("absent").eq(1),
        field("absent").ne(1),
    ];
    for filter in &filters {
        assert_eq!(store.count(filter).unwrap(), plain.count(filter).unwrap(), "{filter:?}");
        let request = ScrollRequest::new().filter(filter.clone()).limit(5_000);
        let (page, plain_page) = (store.scroll(&request).unwrap(), plain.scroll(&request).unwrap());
        assert!(page.records == plain_page.records, "{filter:?}");
        for k in [1, 10, 4_000] {
            let query = Query::new(vector(777, dim)).k(k).filter(filter.clone());
            assert_eq!(store.query(&query).unwrap(), plain.query(&query).unwrap(), "{filter:?}");
        }
        let both = [vector(5, dim), vector(6, dim)].concat();
        let options = vecstore::QueryOptions::new().k(7).filter(filter.clone());
        let batch = |store: &VecStore| -> Vec<_> {
            let hits = store.search_batch(&both, dim, &options).unwrap();
            hits.iter().map(|hits| hits.to_neighbors(vecstore::Include::default()).unwrap()).collect()
        };
        assert_eq!(batch(&store), batch(&plain), "{filter:?}");
    }
    assert!(store.verify().unwrap().is_ok());
    for filter in filters.iter().take(6) {
        assert_eq!(store.delete_where(filter).unwrap(), plain.delete_where(filter).unwrap(), "{filter:?}");
    }
    let ids = |store: &VecStore| -> Vec<String> {
        store.iter().unwrap().map(|record| record.unwrap().id).collect()
    };
    assert_eq!(ids(&store), ids(&plain));
}

/// Whoever removes the directory of a store takes its log along: nothing may be acknowledged into nowhere.
#[test]
#[cfg(unix)]
fn a_write_into_a_store_whose_directory_was_removed_is_not_acknowledged() {
    for durability in [Durability::Commit, Durability::Interval, Durability::None] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        let store = VecStore::options().durability(durability).open(&path).unwrap();
        store.upsert("before", &[1.0], &Metadata::new()).unwrap();
        std::fs::remove_dir_all(&path).unwrap();
        let refused = store.upsert("after", &[1.0], &Metadata::new()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Io);
        assert!(refused.message().contains("removed while the store was open"), "{refused}");
        assert!(!store.contains("after").unwrap() && store.contains("before").unwrap());
        drop(store);
        assert!(VecStore::open(&path).unwrap().is_empty().unwrap());
    }
}
