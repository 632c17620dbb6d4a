//! Stores written by released versions open and hold what they held. `fixtures/<format>` has them; they were made by
//! `make_the_fixtures` below, and are never changed: a new format gets a directory of its own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "the fixtures are copied before they are opened")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use vecstore::{
    Clock, DateTime, FieldKind, Metadata, Metric, MultiQuery, MultiVector, OpenOptions, Quantization, Query,
    Record, ScrollRequest, SparseQuery, SparseVector, Value, VecStore, field,
};

/// The format that this version writes.
const FORMAT: &str = "1.0";

/// In the year 2100: no time to live of a fixture has ended.
const NOW_UNIX_MS: u64 = 4_102_444_800_000;

#[derive(Debug)]
struct StoppedClock;

impl Clock for StoppedClock {
    fn now_unix_ms(&self) -> u64 {
        NOW_UNIX_MS
    }
}

/// A store among the fixtures.
struct Fixture {
    name: &'static str,
    metric: Metric,
    dim: usize,
    quantization: Quantization,
    /// With several vectors (feature bit 4 of segments) and sparse ones, and what a manifest says of field indexes, of the
    /// partition and of snapshots (its settings 4 to 6).
    is_rich: bool,
}

/// Every kind of file, section and value.
const FIXTURES: [Fixture; 7] = [
    Fixture {
        name: "cosine",
        metric: Metric::Cosine,
        dim: 32,
        quantization: Quantization::Auto,
        is_rich: false,
    },
    Fixture { name: "dot", metric: Metric::Dot, dim: 33, quantization: Quantization::Auto, is_rich: false },
    Fixture {
        name: "euclidean-int8",
        metric: Metric::Euclidean,
        dim: 32,
        quantization: Quantization::Int8,
        is_rich: false,
    },
    Fixture {
        name: "cosine-int4",
        metric: Metric::Cosine,
        dim: 64,
        quantization: Quantization::Int4,
        is_rich: false,
    },
    Fixture {
        name: "dot-none",
        metric: Metric::Dot,
        dim: 32,
        quantization: Quantization::None,
        is_rich: false,
    },
    Fixture {
        name: "manhattan",
        metric: Metric::Manhattan,
        dim: 3,
        quantization: Quantization::Auto,
        is_rich: false,
    },
    Fixture {
        name: "rich",
        metric: Metric::Cosine,
        dim: 32,
        quantization: Quantization::Auto,
        is_rich: true,
    },
];

/// Records that are in the segment, by number; later ones are in the log only.
const SEALED: u64 = 40;
const RECORDS: u64 = 46;

impl Fixture {
    fn directory(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(FORMAT).join(self.name)
    }

    fn options(&self) -> OpenOptions {
        let options = VecStore::options()
            .metric(self.metric)
            .quantization(self.quantization)
            .clock(Arc::new(StoppedClock))
            .background(false)
            .graph_rows_min(8);
        if self.is_rich { options.partition_by("tag") } else { options }
    }

    fn vector(&self, n: u64) -> Vec<f32> {
        (0..self.dim as u64).map(|at| ((n * n * 3 + at * 7 + n * at * 13) % 101) as f32 - 50.5).collect()
    }

    /// The record as it was written first.
    fn record(&self, n: u64) -> Record {
        let mut metadata = Metadata::new()
            .with("n", n as i64)
            .with("half", n as f64 / 2.0)
            .with("even", n.is_multiple_of(2))
            .with("tag", ["red", "green", "blue"][n as usize % 3]);
        if n == 3 {
            metadata.insert("nothing", Value::Null);
            metadata.insert("bytes", Value::Bytes(vec![0, 255, 7]));
            metadata.insert("when", DateTime::parse("2024-02-29T12:30:00.5+02:00").unwrap());
            metadata.insert("list", vec![Value::from(1), "two".into(), Value::Null]);
            metadata.insert(
                "deep",
                Value::Map(Metadata::new().with("er", Value::Map(Metadata::new().with("\u{e9}", 1)))),
            );
        }
        let mut record = Record::new(format!("id-{n:02}"), self.vector(n)).with_metadata(metadata);
        if self.is_rich && n.is_multiple_of(3) {
            let vectors = (0..=n % 4).flat_map(|at| self.vector(n + 100 * at)).collect();
            record.vectors = Some(MultiVector::new(self.dim, vectors).unwrap());
        }
        if self.is_rich && n.is_multiple_of(5) {
            record.sparse = Some(SparseVector::new([(n as u32, 0.5), (1 << 20, -1.5)]).unwrap());
        }
        if n.is_multiple_of(4) { record.with_text(format!("text number {n}")) } else { record }
    }

    /// What a store of the fixtures holds, by number.
    fn expected(&self) -> Vec<Record> {
        let mut records: Vec<Record> =
            (0..RECORDS).filter(|n| *n != 5 && *n != 41).map(|n| self.record(n)).collect();
        for record in &mut records {
            match record.id.as_str() {
                // Hidden before the seal, after it, and in the log.
                "id-07" | "id-11" | "id-42" => record.deleted = true,
                "id-09" => record.expires_at_unix_ms = Some(NOW_UNIX_MS + 1_000_000),
                "id-12" => record.metadata = Metadata::new().with("changed", true),
                _ => {}
            }
        }
        records
    }

    fn make(&self) {
        let path = self.directory();
        fs::remove_dir_all(&path).ok();
        let store = self.options().open(&path).unwrap();
        for n in 0..SEALED {
            let ttl = (n == 9).then_some(Duration::from_secs(1000));
            store.upsert_record(&self.record(n), ttl).unwrap();
        }
        store.soft_delete("id-07").unwrap();
        if self.is_rich {
            store.create_index("n", FieldKind::Number).unwrap();
            store.drop_index("half").unwrap();
        }
        store.compact().unwrap();
        if self.is_rich {
            store.create_snapshot("before \u{e9}").unwrap();
        }
        // Marks of the segment, as of a second seal with rows of its own.
        store.delete("id-05").unwrap();
        store.soft_delete("id-11").unwrap();
        store.update_metadata("id-12", &Metadata::new().with("changed", true)).unwrap();
        store.seal().unwrap();
        for n in SEALED..RECORDS {
            store.upsert_record(&self.record(n), None).unwrap();
        }
        store.delete("id-41").unwrap();
        store.soft_delete("id-42").unwrap();
        store.save().unwrap();
        store.close().unwrap();
    }

    fn copy(&self) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        copy(&self.directory(), &directory.path().join("store"));
        directory
    }

    fn check(&self, store: &VecStore) {
        let read = store.records(&ScrollRequest::new().all()).unwrap();
        let found: Vec<Record> = read.map(|record| record.unwrap()).collect();
        assert_eq!(found, self.expected(), "{}", self.name);
        let report = store.verify().unwrap();
        assert!(report.is_ok(), "{}: {:?}", self.name, report.problems);
        for record in self.expected().iter().filter(|record| !record.deleted).step_by(5) {
            let query = Query::new(record.vector.clone()).k(1);
            let query = if self.metric == Metric::Dot {
                query.filter(field("n").eq(record.metadata.get("n").cloned().unwrap()))
            } else {
                query
            };
            for query in [query.clone(), query.exact(true)] {
                let hits = store.query(&query).unwrap();
                assert_eq!(hits[0].metadata, Some(record.metadata.clone()), "{}", self.name);
            }
        }
        assert_eq!(store.count(&field("tag").eq("red").and(field("n").lt(30))).unwrap(), 9);
        if self.is_rich {
            self.check_rich(store);
        }
    }

    fn check_rich(&self, store: &VecStore) {
        assert_eq!(store.config().unwrap().get_partition_by(), Some("tag"));
        let indexes = store.list_indexes().unwrap();
        let kinds: Vec<_> = indexes.iter().filter_map(|index| Some((&*index.path, index.kind?))).collect();
        assert_eq!(kinds, [("n", FieldKind::Number)]);
        assert!(indexes.iter().all(|index| index.path != "half"));
        assert_eq!(store.count(&field("half").lt(5)).unwrap(), 8);
        let records = self.expected();
        let visible = || records.iter().filter(|record| !record.deleted);
        for record in visible().filter(|record| record.vectors.as_ref().is_some_and(|all| all.len() > 1)) {
            let query = MultiQuery::new(record.vectors.clone().unwrap());
            assert_eq!(store.multi_query(&query.exact(true).k(1)).unwrap()[0].id, record.id);
        }
        let hits = store.sparse_query(&SparseQuery::new(SparseVector::new([(1 << 20, 1.0)]).unwrap()).k(100));
        assert_eq!(hits.unwrap().len(), visible().filter(|record| record.sparse.is_some()).count());
        assert_eq!(store.list_snapshots().unwrap()[0].name, "before \u{e9}");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { _ = fs::copy(&path, &target).unwrap() }
    }
}

#[test]
fn stores_of_the_first_format_open_and_hold_what_they_held() {
    for fixture in &FIXTURES {
        let directory = fixture.copy();
        let path = directory.path().join("store");
        fixture.check(&fixture.options().read_only(true).open(&path).unwrap());
        let store = fixture.options().open(&path).unwrap();
        fixture.check(&store);
        // All files are written anew in the format of this version.
        store.compact().unwrap();
        fixture.check(&store);
        store.close().unwrap();
        fixture.check(&fixture.options().open(&path).unwrap());
        assert!(VecStore::repair(&path).unwrap().was_ok());
    }
}

#[test]
fn the_fixtures_have_every_kind_of_file() {
    for fixture in &FIXTURES {
        let collection =
            fs::read_dir(fixture.directory().join("collections")).unwrap().next().unwrap().unwrap();
        let names: Vec<String> = fs::read_dir(collection.path())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        for ending in [".seg", ".del", ".log"] {
            assert!(names.iter().any(|name| name.ends_with(ending)), "{}: {names:?}", fixture.name);
        }
    }
}

/// Makes the fixtures that are not there: a new one, or, only ever before a format is released, one that was removed.
/// `cargo test -p vecstore --test format -- --ignored`
#[test]
#[ignore = "run by hand, before a format is released"]
fn make_the_fixtures() {
    FIXTURES.iter().filter(|fixture| !fixture.directory().exists()).for_each(Fixture::make);
}
