//! What is asked for of a database, of its collections and of its stores is what they have; the rest is refused by name.

use std::time::Duration;

use vecstore::{
    Analyzer, Batch, CollectionConfig, CompactionConfig, Durability, ErrorKind, Extras, FieldKind, Metadata,
    Metric, MultiVector, NamespaceQuotas, NamespaceStatus, Quantization, Record, Value, VecDatabase,
    VecStore,
};

#[test]
fn the_config_of_a_collection_is_what_was_asked_for() {
    let config = CollectionConfig::new()
        .dim(3)
        .metric(Metric::Euclidean)
        .quantization(Quantization::Int4)
        .quotas(NamespaceQuotas::pro_tier())
        .analyzer(Analyzer::default())
        .text_fields(["title"])
        .partition_by("tenant");
    let database = VecDatabase::open_in_memory().unwrap();
    let made = database.create_collection("a", &config).unwrap().config().unwrap();
    for config in [config, made] {
        assert_eq!(config.get_dim(), Some(3));
        assert_eq!(config.get_metric(), Metric::Euclidean);
        assert_eq!(config.get_quantization(), Quantization::Int4);
        assert_eq!(config.get_quotas(), NamespaceQuotas::pro_tier());
        assert_eq!(config.get_analyzer(), Analyzer::default());
        assert_eq!(config.get_text_fields(), ["title"]);
        assert_eq!(config.get_partition_by(), Some("tenant"));
    }
    assert!(!database.is_closed());
    database.close().unwrap();
    assert!(database.is_closed());
}

#[test]
fn names_of_options_are_read_as_they_are_written_and_others_refused() {
    for status in NamespaceStatus::ALL {
        assert_eq!(status.name().parse::<NamespaceStatus>().unwrap(), status);
    }
    for durability in [Durability::Commit, Durability::Interval, Durability::None] {
        assert_eq!(durability.name().parse::<Durability>().unwrap(), durability);
    }
    for quantization in [Quantization::Auto, Quantization::None, Quantization::Int8, Quantization::Int4] {
        assert_eq!(quantization.name().parse::<Quantization>().unwrap(), quantization);
    }
    let refused = [
        "gone".parse::<NamespaceStatus>().unwrap_err(),
        "gone".parse::<Durability>().unwrap_err(),
        "gone".parse::<Quantization>().unwrap_err(),
        VecStore::options().dim(0).open_in_memory().unwrap_err(),
        VecStore::options().memory_budget(1).open_in_memory().unwrap_err(),
        VecStore::options().partition_by("").open_in_memory().unwrap_err(),
        Batch::with_capacity(0, 1).unwrap_err(),
        Batch::with_capacity(65_537, 1).unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains("got"), "{error}");
    }
}

#[test]
fn a_store_has_the_indexes_of_its_schema_and_waits_as_long_as_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let options = || {
        let options = VecStore::options().dim(2).durability(Durability::None);
        options.schema([("year", FieldKind::Number)]).wait(Duration::from_millis(1))
    };
    let store = options().open(directory.path()).unwrap();
    assert_eq!(store.path(), directory.path());
    assert!(store.list_indexes().unwrap().iter().any(|index| index.path == "year"));
    assert_eq!(options().open(directory.path()).unwrap_err().kind(), ErrorKind::Locked);
}

#[test]
fn compaction_waits_until_as_much_is_dead_as_was_asked_for() {
    let store = VecStore::options().dim(2).background(false).open_in_memory().unwrap();
    super::fill(&store, 0, 100);
    store.compact().unwrap();
    for n in 0..10 {
        assert!(store.delete(&format!("{n:05}")).unwrap());
    }
    let asked =
        |share, rows| store.maybe_compact(&CompactionConfig::new().min_dead_share(share).min_dead_rows(rows));
    assert!(!store.maybe_compact(&CompactionConfig::default()).unwrap().compacted);
    assert!(!asked(0.0, 11).unwrap().compacted);
    assert!(asked(0.05, 10).unwrap().compacted);
    assert!(!asked(0.0, 1).unwrap().compacted, "nothing is dead any more");
    assert_eq!(asked(1.5, 1).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(store.len().unwrap(), 90);
}

#[test]
fn a_patch_sets_some_entries_and_leaves_the_others() {
    let store = VecStore::options().dim(1).open_in_memory().unwrap();
    let metadata = Metadata::from([("kept", Value::Int(1)), ("set", Value::Int(2))]);
    store.upsert_record(&Record::new("a", vec![1.0]).with_metadata(metadata), None).unwrap();
    store.patch_metadata("a", &Metadata::from([("set", Value::Bool(true)), ("new", Value::Null)])).unwrap();
    let patched = store.get("a").unwrap().unwrap().metadata;
    let expected = [("kept", Value::Int(1)), ("set", Value::Bool(true)), ("new", Value::Null)];
    assert_eq!(patched, Metadata::from(expected));
    assert_eq!(store.patch_metadata("b", &Metadata::default()).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_record_that_a_batch_cannot_hold_changes_nothing_of_it() {
    let mut batch = Batch::new(2).unwrap();
    batch.push(&Record::new("a", vec![1.0, 2.0]), Some(Duration::from_secs(60))).unwrap();
    let vectors = MultiVector::new(3, vec![1.0; 3]).unwrap();
    let (long_id, text) = ("i".repeat(100_000), "t".repeat(100 << 20));
    let wrong = [
        Record::new("", vec![1.0, 2.0]),
        Record::new(long_id, vec![1.0, 2.0]),
        Record::new("b", vec![1.0]),
        Record::new("b", vec![1.0, 2.0]).with_text(text),
        Record::new("b", vec![1.0, 2.0]).with_vectors(vectors),
    ];
    for record in wrong {
        assert!(batch.push(&record, None).is_err());
    }
    assert_eq!(batch.len(), 1);
    assert!(Extras::default().text.is_none());
}
