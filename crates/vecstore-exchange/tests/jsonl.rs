//! Files of JSON Lines as their users meet them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "the files are the subject")]

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use vecstore::{
    DateTime, Error, ErrorKind, Metadata, MultiVector, Record, ScrollRequest, SparseVector, Value, VecStore,
};
use vecstore_exchange::{
    ExportOptions, ImportOptions, export_jsonl, import_jsonl, record_from_json, record_to_json, unobserved,
};

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
        any::<String>().prop_map(Value::Str),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
        (0_i64..4_000_000_000_000_000, -86_399..86_400_i32)
            .prop_map(|(micros, offset)| Value::DateTime(DateTime::new(micros, offset).unwrap())),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            maps(inner).prop_map(Value::Map),
        ]
    })
}

fn maps(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Metadata> {
    let key = prop_oneof![any::<String>(), r"\$?\$?(bytes|datetime|float)"];
    prop::collection::btree_map(key, inner, 0..6).prop_map(|map| map.into_iter().collect())
}

fn records() -> impl Strategy<Value = Record> {
    let float = any::<u32>().prop_map(f32::from_bits).prop_filter("finite", |number| number.is_finite());
    let sparse = prop::collection::btree_map(any::<u32>(), float.clone(), 0..6);
    let vectors = prop::collection::vec(prop::array::uniform3(float.clone()), 1..4);
    let rest = (
        prop::option::of(any::<String>()),
        prop::option::of(sparse),
        prop::option::of(vectors),
        any::<bool>(),
    );
    ("\\PC{1,12}", prop::collection::vec(float, 3), maps(values()), rest, prop::option::of(1_u64..)).prop_map(
        |(id, vector, metadata, (text, sparse, vectors, deleted), expires)| {
            let mut record = Record::new(id, vector).with_metadata(metadata);
            record.vectors = vectors.map(|vectors| MultiVector::new(3, vectors.concat()).unwrap());
            record.text = text;
            record.sparse = sparse.map(|sparse| SparseVector::new(sparse).unwrap());
            record.deleted = deleted;
            record.expires_at_unix_ms = expires;
            record
        },
    )
}

/// Equal to the last bit, also where no number equals itself.
fn shown(record: &Record) -> String {
    let bits: Vec<u32> = record.vector.iter().map(|number| number.to_bits()).collect();
    format!("{bits:?} {record:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_record_comes_back_from_its_line(record in records()) {
        let mut line = Vec::new();
        record_to_json(&record, &mut line);
        let again = record_from_json(&line).unwrap();
        prop_assert_eq!(shown(&again), shown(&record));
        let mut twice = Vec::new();
        record_to_json(&again, &mut twice);
        prop_assert_eq!(line, twice);
    }

    #[test]
    fn noise_is_refused_or_read(noise in prop::collection::vec(any::<u8>(), 0..80)) {
        _ = record_from_json(&noise);
    }
}

struct Files {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Files {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { path: directory.path().to_owned(), _directory: directory }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(&self.path).unwrap();
        let mut names: Vec<String> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn memory() -> VecStore {
    VecStore::options().open_in_memory().unwrap()
}

fn all(store: &VecStore) -> Vec<Record> {
    store.records(&ScrollRequest::new().all()).unwrap().collect::<vecstore::Result<_>>().unwrap()
}

fn lines(count: usize) -> String {
    (0..count).map(|n| format!("{{\"id\":\"id-{n:05}\",\"vector\":[1,{n}]}}\n")).collect()
}

#[test]
fn a_store_goes_through_a_file_with_what_is_hidden_and_what_expires() {
    let files = Files::new();
    let store = memory();
    let metadata = Metadata::new().with("n", 1).with("x", 1.0).with("raw", Value::Bytes(vec![0, 255]));
    let mut record = Record::new("a", [0.1, -0.0]).with_metadata(metadata).with_text("words");
    record.sparse = Some(SparseVector::new([(7, 0.5)]).unwrap());
    record.expires_at_unix_ms = Some(4_000_000_000_123);
    store.upsert_record(&record, None).unwrap();
    store.upsert("hidden", &[1.0, 2.0], &Metadata::new()).unwrap();
    store.soft_delete("hidden").unwrap();

    let file = files.at("all.jsonl");
    let report =
        export_jsonl(&store, &file, &ExportOptions::default().deleted(true), &mut unobserved).unwrap();
    assert_eq!((report.records, report.bytes), (2, fs::metadata(&file).unwrap().len()));
    let copy = memory();
    import_jsonl(&copy, &file, &ImportOptions::default(), &mut unobserved).unwrap();
    assert_eq!(all(&copy), all(&store));
    assert_eq!(copy.len().unwrap(), 1);

    export_jsonl(&store, &file, &ExportOptions::default(), &mut unobserved).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 1);
    assert_eq!(files.names(), ["all.jsonl"]);
}

#[test]
fn soft_deleted_records_survive_a_reopening() {
    let files = Files::new();
    let file = files.at("in.jsonl");
    fs::write(&file, "{\"id\":\"a\",\"vector\":[1],\"deleted\":true}\n{\"id\":\"b\",\"vector\":[2]}\n")
        .unwrap();
    let store = VecStore::open(files.at("store")).unwrap();
    import_jsonl(&store, &file, &ImportOptions::default(), &mut unobserved).unwrap();
    assert_eq!((store.len().unwrap(), store.deleted_count().unwrap()), (1, 1));
    store.close().unwrap();
    let store = VecStore::open(files.at("store")).unwrap();
    assert!(store.restore("a").unwrap());
    assert_eq!(store.get("a").unwrap().unwrap().vector, [1.0]);
}

#[test]
fn a_bad_line_is_named_and_whole_batches_before_it_stay() {
    let files = Files::new();
    let file = files.at("in.jsonl");
    for (bad, kind, why) in [
        ("{\"id\":\"x\",\"vector\":[1,", ErrorKind::InvalidInput, "line 26, column 22: EOF"),
        ("{\"id\":\"x\",\"vector\":[1,2,3]}", ErrorKind::DimensionMismatch, "line 26, record `x`"),
        ("{\"id\":\"\",\"vector\":[1,2]}", ErrorKind::InvalidInput, "line 26, record ``"),
        ("{\"id\":\"x\",\"vector\":[0,0]}", ErrorKind::InvalidInput, "lines 21 to 26"),
        ("\u{0}\u{1}", ErrorKind::InvalidInput, "line 26, column 1"),
    ] {
        fs::write(&file, lines(25) + bad).unwrap();
        let store = memory();
        let options = ImportOptions::default().batch_records(10).unwrap();
        let error = import_jsonl(&store, &file, &options, &mut unobserved).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(why), "{error}");
        assert!(error.message().contains("20 records before it are imported"), "{error}");
        assert_eq!(store.len().unwrap(), 20);
    }
}

#[test]
fn empty_lines_and_a_byte_order_mark_are_passed_over() {
    let files = Files::new();
    let file = files.at("in.jsonl");
    fs::write(&file, format!("\u{feff}\r\n\n  {}\r\n", lines(2).replace('\n', "\r\n"))).unwrap();
    let store = memory();
    assert_eq!(import_jsonl(&store, &file, &ImportOptions::default(), &mut unobserved).unwrap().records, 2);
    fs::write(&file, "").unwrap();
    assert_eq!(import_jsonl(&store, &file, &ImportOptions::default(), &mut unobserved).unwrap().records, 0);
}

#[test]
fn an_interrupted_import_goes_on_where_it_was() {
    let files = Files::new();
    let (file, note) = (files.at("in.jsonl"), files.at("note"));
    fs::write(&file, lines(95)).unwrap();
    let store = VecStore::open(files.at("store")).unwrap();
    let options = ImportOptions::default().batch_records(10).unwrap().checkpoint(note.clone());
    let stop_at = |records| {
        move |progress: vecstore_exchange::Progress| match progress.records {
            n if n >= records => Err(Error::new(ErrorKind::Closed, "interrupted")),
            _ => Ok(()),
        }
    };
    assert!(import_jsonl(&store, &file, &options, &mut stop_at(30)).is_err());
    assert_eq!(store.len().unwrap(), 30);
    assert!(import_jsonl(&store, &file, &options, &mut stop_at(60)).is_err());
    let report = import_jsonl(&store, &file, &options, &mut unobserved).unwrap();
    assert_eq!((report.records, report.resumed_at, report.batches), (95, 60, 4));
    assert_eq!(store.len().unwrap(), 95);
    assert!(!note.exists());
}

#[test]
fn a_checkpoint_of_something_else_is_passed_over() {
    let files = Files::new();
    let (file, note) = (files.at("in.jsonl"), files.at("note"));
    fs::write(&file, lines(30)).unwrap();
    let options = ImportOptions::default().batch_records(10).unwrap().checkpoint(note.clone());
    let mut stop = |progress: vecstore_exchange::Progress| match progress.records {
        20.. => Err(Error::new(ErrorKind::Closed, "interrupted")),
        _ => Ok(()),
    };
    let store = VecStore::open(files.at("store")).unwrap();
    assert!(import_jsonl(&store, &file, &options, &mut stop).is_err());
    let kept = fs::read(&note).unwrap();
    // Another store, as if the first had been removed and made anew.
    let other = VecStore::open(files.at("other")).unwrap();
    let report = import_jsonl(&other, &file, &options, &mut unobserved).unwrap();
    assert_eq!((report.resumed_at, other.len().unwrap()), (0, 30));
    // Another file.
    fs::write(&note, &kept).unwrap();
    fs::write(&file, lines(31)).unwrap();
    let report = import_jsonl(&store, &file, &options, &mut unobserved).unwrap();
    assert_eq!((report.resumed_at, store.len().unwrap()), (0, 31));
    // A file of the caller's is not overwritten.
    fs::write(&note, "dear diary").unwrap();
    let error = import_jsonl(&store, &file, &options, &mut unobserved).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert_eq!(fs::read_to_string(&note).unwrap(), "dear diary");
}

#[test]
fn an_export_that_fails_leaves_the_file_that_was_there() {
    let files = Files::new();
    let file = files.at("out.jsonl");
    fs::write(&file, "before").unwrap();
    let store = memory();
    store.upsert("a", &[1.0], &Metadata::new()).unwrap();
    let mut stop = |_| Err(Error::new(ErrorKind::Closed, "interrupted"));
    assert!(export_jsonl(&store, &file, &ExportOptions::default(), &mut stop).is_err());
    assert_eq!(fs::read_to_string(&file).unwrap(), "before");
    assert_eq!(files.names(), ["out.jsonl"]);
    let nowhere = files.at("no/such/file.jsonl");
    let error = export_jsonl(&store, &nowhere, &ExportOptions::default(), &mut unobserved).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    let error = import_jsonl(&store, &nowhere, &ImportOptions::default(), &mut unobserved).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
}
