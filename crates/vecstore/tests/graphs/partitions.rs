//! Collections whose rows are partitioned: the same answers as without, and searches of nothing but the partition.

use std::collections::HashMap;

use vecstore::{
    Batch, CollectionConfig, ErrorKind, Filter, Metadata, Metric, OpenOptions, Query, QueryOptions, Record,
    SearchMethod, StepReason, Value, VecDatabase, VecStore, field,
};
use vecstore_testkit::{Clusters, FaultVfs, Rng};

use crate::sets::{K, PATH, answers, options, recall};

const DIM: usize = 32;

/// A tenant whose part of the graph is walked.
const LARGE_ROWS: usize = 8_300;
/// One whose signs are scanned.
const MIDDLE_ROWS: usize = 700;
/// One whose vectors are scanned.
const SMALL_ROWS: usize = 30;

fn partitioned(metric: Metric) -> OpenOptions {
    options(metric).partition_by("user.tenant")
}

fn of_tenant(tenant: impl Into<Value>) -> Metadata {
    Metadata::new().with("user", Metadata::new().with("tenant", tenant))
}

fn tenant(name: &str) -> Filter {
    field("user.tenant").eq(name)
}

fn batch(records: &[Record]) -> Batch {
    let mut batch = Batch::new(DIM).unwrap();
    records.iter().for_each(|record| batch.push(record, None).unwrap());
    batch
}

/// Records of tenants of different sizes, mixed, and queries.
fn tenants() -> (Vec<Record>, Vec<Vec<f32>>) {
    let sizes = [("large", LARGE_ROWS), ("middle", MIDDLE_ROWS), ("small", SMALL_ROWS), ("rest", 900)];
    let mut owners: Vec<&str> = sizes.iter().flat_map(|&(name, rows)| vec![name; rows]).collect();
    let mut rng = Rng::new(5);
    for n in (1..owners.len()).rev() {
        owners.swap(n, rng.below(n as u64 + 1) as usize);
    }
    let mut clusters = Clusters::new(51, DIM, 30);
    let vectors = clusters.vectors(owners.len());
    let record = |(n, (vector, owner)): (usize, (Vec<f32>, &str))| {
        let metadata = of_tenant(owner).with("n", Value::Int(n as i64 % 10));
        Record::new(format!("{n:06}"), vector).with_metadata(metadata)
    };
    (vectors.into_iter().zip(owners).enumerate().map(record).collect(), clusters.vectors(150))
}

#[test]
fn a_filter_on_a_tenant_searches_its_rows_alone_and_finds_its_nearest() {
    let (records, queries) = tenants();
    let store = partitioned(Metric::Cosine).open_in_memory().unwrap();
    store.upsert_many(batch(&records)).unwrap();
    store.compact().unwrap();
    for (name, rows, method) in [
        ("large", LARGE_ROWS, SearchMethod::GraphWalk),
        ("middle", MIDDLE_ROWS, SearchMethod::ScanSigns),
        ("small", SMALL_ROWS, SearchMethod::ScanVectors),
    ] {
        let plan = store.explain(&Query::new(queries[0].as_slice()).filter(tenant(name))).unwrap();
        let [step] = &plan.steps[..] else { panic!("{name}: {plan:?}") };
        assert_eq!(
            (step.method, step.reason, step.matches_at_most),
            (method, StepReason::Partition, Some(rows)),
            "{name}"
        );
        assert!(step.distances() < rows.max(3_000) + 100, "{name}: {step:?}");
        for filter in [tenant(name), tenant(name) & field("n").lt(5), field("n").lt(7) & tenant(name)] {
            let options = QueryOptions::new().filter(filter);
            let found = recall(
                &answers(&store, &queries, &options),
                &answers(&store, &queries, &options.exact(true)),
            );
            assert!(found >= 0.945, "{name}: recall {found}");
        }
    }
    // All rows are found as without partitions.
    let found = answers(&store, &queries, &QueryOptions::new());
    let all = recall(&found, &answers(&store, &queries, &QueryOptions::new().exact(true)));
    assert!(all >= 0.935, "recall {all}");
    let nobody = store.query(&Query::new(queries[0].as_slice()).filter(tenant("nobody"))).unwrap();
    assert_eq!(nobody, []);
}

#[test]
fn several_tenants_are_searched_each_by_itself() {
    let (records, queries) = tenants();
    let store = partitioned(Metric::Euclidean).open_in_memory().unwrap();
    store.upsert_many(batch(&records)).unwrap();
    store.compact().unwrap();
    let filter = field("user.tenant").is_in(["small", "middle", "nobody", "large"]);
    let plan = store.explain(&Query::new(queries[0].as_slice()).filter(filter.clone())).unwrap();
    assert!(plan.steps.iter().all(|step| step.reason == StepReason::Partition), "{plan:?}");
    assert_eq!(plan.steps.len(), 3);
    let options = QueryOptions::new().filter(filter);
    let found = answers(&store, &queries, &options);
    let found = recall(&found, &answers(&store, &queries, &options.exact(true)));
    assert!(found >= 0.945, "recall {found}");
}

/// What a store holds, by id: the vector and the value that says whose it is.
type Model = HashMap<String, (Vec<f32>, Option<Value>)>;

/// Values of all kinds, some of which equal each other.
fn owner(rng: &mut Rng) -> Option<Value> {
    let text = |text: &str| Some(Value::from(text));
    match rng.below(12) {
        0 => None,
        1 => Some(Value::Null),
        2 => Some(Value::Int(1)),
        3 => Some(Value::Float(1.0)),
        4 => Some(Value::Float(1.5)),
        5 => Some(Value::from(["a", "b"])),
        6 => text("2024-02-29T12:00:00Z"),
        7 => Some(vecstore::DateTime::parse("2024-02-29T13:00:00+01:00").unwrap().into()),
        8 => Some(Value::Bool(true)),
        _ => text(["a", "b", "c"][rng.below(3) as usize]),
    }
}

fn asked() -> Vec<Filter> {
    let path = || field("user.tenant");
    vec![
        path().eq("a"),
        path().eq("b") & field("even").eq(true),
        path().is_in(["a", "b"]),
        path().is_in(["a", "c", "1", "x"]),
        path().eq(1),
        path().eq(1.5),
        path().eq(true),
        path().eq(Value::Null),
        path().eq("2024-02-29T12:00:00Z"),
        path().eq(vecstore::DateTime::parse("2024-02-29T12:00:00Z").unwrap()),
        path().eq(Value::from(["a", "b"])),
        path().ne("a"),
        path().eq("a") | field("even").eq(true),
    ]
}

/// Checks that the store answers as one that is not partitioned, in which every record is scored.
fn check(store: &VecStore, model: &Model, rng: &mut Rng) {
    let plain = options(store.metric()).open_in_memory().unwrap();
    let mut batch = Batch::new(DIM).unwrap();
    for (id, (vector, owner)) in model {
        batch.push(&record(id, vector.clone(), owner.clone()), None).unwrap();
    }
    plain.upsert_many(batch).unwrap();
    for filter in asked() {
        let query = Query::new(rng.vector(DIM)).k(K).filter(filter.clone());
        let truth = plain.query(&query.clone().exact(true)).unwrap();
        let ids = |found: &[vecstore::Neighbor]| -> Vec<String> {
            found.iter().map(|hit| hit.id.clone()).collect()
        };
        assert_eq!(ids(&store.query(&query.clone().exact(true)).unwrap()), ids(&truth), "{filter:?}");
        let found = store.query(&query).unwrap();
        assert_eq!(found.len(), truth.len(), "{filter:?}");
        let matcher = filter.compile().unwrap();
        for hit in &found {
            let document = vecstore::metadata::encode(hit.metadata.as_ref().unwrap()).unwrap();
            assert!(matcher.matches(vecstore::metadata::DocumentRef::new(&document).unwrap()), "{filter:?}");
        }
        let near = recall(&[ids(&found)], &[ids(&truth)]);
        assert!(near >= 0.7, "{filter:?}: {near}");
        assert_eq!(store.count(&filter).unwrap(), plain.count(&filter).unwrap(), "{filter:?}");
    }
}

fn record(id: &str, vector: Vec<f32>, owner: Option<Value>) -> Record {
    let metadata = owner.map_or_else(Metadata::new, of_tenant);
    Record::new(id, vector).with_metadata(metadata.with("even", id.ends_with(['0', '2', '4', '6', '8'])))
}

/// Records move between tenants, come and go, before and after seals, merges and reopening.
#[test]
fn answers_are_those_of_a_store_without_partitions_whatever_is_written() {
    for metric in [Metric::Cosine, Metric::Dot, Metric::Manhattan] {
        let disk = FaultVfs::new();
        let open = || {
            let options = partitioned(metric).vfs(std::sync::Arc::new(disk.clone())).graph_rows_min(150);
            options.open(PATH).unwrap()
        };
        let mut store = open();
        let (mut rng, mut model) = (Rng::new(9), Model::new());
        for round in 0..8 {
            let mut records = Vec::new();
            for _ in 0..120 {
                let id = format!("{}", rng.below(400));
                let (vector, owner) = (rng.vector(DIM), owner(&mut rng));
                records.push(record(&id, vector.clone(), owner.clone()));
                model.insert(id, (vector, owner));
            }
            store.upsert_many(batch(&records)).unwrap();
            for _ in 0..20 {
                let id = format!("{}", rng.below(400));
                assert_eq!(store.delete(&id).unwrap(), model.remove(&id).is_some());
            }
            match round % 4 {
                0 => store.seal().unwrap(),
                2 => drop(store.compact().unwrap()),
                3 => {
                    store.close().unwrap();
                    store = open();
                }
                _ => {}
            }
            check(&store, &model, &mut rng);
        }
        assert_eq!(store.delete_where(&tenant("a")).unwrap(), store_of(&mut model, "a"));
        check(&store, &model, &mut rng);
        store.compact().unwrap();
        check(&store, &model, &mut rng);
        assert!(store.verify().unwrap().is_ok());
    }
}

/// Takes the records of a tenant, also those that belong to others beside it, out of the model.
fn store_of(model: &mut Model, name: &str) -> usize {
    let before = model.len();
    model.retain(|_, (_, owner)| match owner {
        Some(Value::Str(text)) => text != name,
        Some(Value::List(list)) => !list.contains(&Value::from(name)),
        _ => true,
    });
    before - model.len()
}

#[test]
fn the_path_is_kept_and_another_refused() {
    let disk = FaultVfs::new();
    let on_disk = || options(Metric::Cosine).vfs(std::sync::Arc::new(disk.clone()));
    let store = on_disk().partition_by("user.tenant").open(PATH).unwrap();
    store.upsert("a", &[1.0, 0.0], &Metadata::new()).unwrap();
    store.close().unwrap();
    let store = on_disk().open(PATH).unwrap();
    assert_eq!(store.partition_by(), Some("user.tenant"));
    assert_eq!(store.config().unwrap().get_partition_by(), Some("user.tenant"));
    store.close().unwrap();
    let error = on_disk().partition_by("tenant").open(PATH).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().contains("partitioned by `user.tenant`, got partition_by `tenant`"), "{error}");
    let plain = FaultVfs::new();
    let open = || options(Metric::Cosine).vfs(std::sync::Arc::new(plain.clone()));
    open().open(PATH).unwrap().close().unwrap();
    let error = open().partition_by("tenant").open(PATH).unwrap_err();
    assert!(error.message().contains("not partitioned, got partition_by `tenant`"), "{error}");
    for path in ["", "$a", &"x".repeat(1025)] {
        let error = options(Metric::Cosine).partition_by(path).open_in_memory().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.message().contains("partition_by must be a path of the metadata"), "{error}");
    }
    let error = VecStore::options().partition_by("tenant").open_database_in_memory().unwrap_err();
    assert!(error.message().contains("partition_by is an option of a collection"), "{error}");
    let database = VecDatabase::open_in_memory().unwrap();
    let config = CollectionConfig::new().partition_by("tenant");
    assert_eq!(database.create_collection("docs", &config).unwrap().partition_by(), Some("tenant"));
}

/// The order of segments, and of rows in them, leaves no trace in which rows stand together.
#[test]
fn a_tenant_that_grew_and_shrank_is_found_whole() {
    let store = partitioned(Metric::Cosine).open_in_memory().unwrap();
    let mut rng = Rng::new(2);
    for load in 0..5 {
        let records: Vec<Record> = (0..400)
            .map(|n| {
                let name = if n % 3 == 0 { "a" } else { "b" };
                record(&format!("{}", load * 400 + n), rng.vector(DIM), Some(Value::from(name)))
            })
            .collect();
        store.upsert_many(batch(&records)).unwrap();
        store.seal().unwrap();
    }
    let all = |name: &str| {
        let query = Query::new(vec![0.5; DIM]).k(10_000).filter(tenant(name));
        store.query(&query).unwrap().len()
    };
    let a = 5 * 134;
    assert_eq!((all("a"), all("b")), (a, 2_000 - a));
    store.compact().unwrap();
    assert_eq!((all("a"), all("b")), (a, 2_000 - a));
    assert_eq!(store.delete_where(&tenant("b")).unwrap(), 2_000 - a);
    assert_eq!((all("a"), all("b")), (a, 0));
    store.compact().unwrap();
    assert_eq!((all("a"), all("b")), (a, 0));
}
