//! Creating, dropping and listing field indexes.

use vecstore::limits::{MAX_FIELD_INDEXES, MAX_FIELD_PATH_BYTES};
use vecstore::{ErrorKind, FieldIndexSummary, FieldKind, Metadata, Value, VecDatabase, VecStore, field};

use super::support::{fill, store, store_at};

fn index(store: &VecStore, path: &str) -> Option<FieldIndexSummary> {
    store.list_indexes().unwrap().into_iter().find(|index| index.path == path)
}

/// More paths than are indexed by themselves: of records `n`, key `k<n % 1,100>` counts in tens.
fn wide(n: usize) -> Metadata {
    Metadata::new().with(format!("k{:04}", n % 1_100), (n / 1_100) as i64).with("n", n as i64)
}

#[test]
fn indexes_are_made_by_themselves_and_listed_with_what_they_hold() {
    let store = store();
    fill(&store, 0..1_000, |n| {
        let mut metadata = Metadata::new().with("n", (n % 10) as i64).with("tags", ["x", ["y", "z"][n % 2]]);
        if n % 2 == 0 {
            metadata.insert("mixed", Value::from(if n % 4 == 0 { "text" } else { "other" }));
        } else {
            metadata.insert("mixed", Value::Int(1));
        }
        metadata
    });
    assert_eq!(store.list_indexes().unwrap(), [], "rows in memory are in none");
    store.seal().unwrap();
    let paths: Vec<String> = store.list_indexes().unwrap().into_iter().map(|index| index.path).collect();
    assert_eq!(paths, ["mixed", "n", "tags"]);
    let n = index(&store, "n").unwrap();
    assert!(n.is_automatic() && n.bytes >= 1_000, "{n:?}");
    assert_eq!((n.types, n.records, n.unindexed, n.distinct), (vec!["number"], 1_000, 0, 10));
    let tags = index(&store, "tags").unwrap();
    assert_eq!((tags.types, tags.distinct), (vec!["list", "string"], 3));
    let mixed = index(&store, "mixed").unwrap();
    assert_eq!((mixed.types, mixed.distinct), (vec!["number", "string"], 3));
    fill(&store, 1_000..1_100, |n| Metadata::new().with("n", n as i64));
    store.seal().unwrap();
    assert_eq!(index(&store, "n").unwrap().distinct, 110, "of several segments together");
}

#[test]
fn a_path_beyond_the_automatic_ones_is_indexed_when_asked_for_and_stays_so() {
    let directory = tempfile::tempdir().unwrap();
    let store = store_at(directory.path());
    fill(&store, 0..3_300, wide);
    store.compact().unwrap();
    assert_eq!(index(&store, "k1099"), None);
    let filter = field("k1099").gte(1);
    let before = store.count(&filter).unwrap();
    store.create_index("k1099", FieldKind::Any).unwrap();
    let made = index(&store, "k1099").unwrap();
    assert_eq!((made.kind, made.records, made.distinct), (Some(FieldKind::Any), 3, 3));
    assert_eq!(store.count(&filter).unwrap(), before);
    store.close().unwrap();
    let store = store_at(directory.path());
    assert_eq!(index(&store, "k1099").unwrap(), made);
    fill(&store, 3_300..6_600, wide);
    store.seal().unwrap();
    assert_eq!(index(&store, "k1099").unwrap().records, 6, "seals honor it");
    store.compact().unwrap();
    assert_eq!(index(&store, "k1099").unwrap().distinct, 6, "so do merges");
    assert!(store.verify().unwrap().is_ok());
}

#[test]
fn a_dropped_index_takes_no_bytes_and_comes_back_when_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let store = store_at(directory.path());
    let metadata =
        |n: usize| Metadata::new().with("name", format!("a name of some length, {n}")).with("n", n as i64);
    fill(&store, 0..5_000, metadata);
    store.seal().unwrap();
    let held = index(&store, "name").unwrap().bytes;
    assert!(held > 5_000 * 20, "{held}");
    let before = store.stats().unwrap().disk_bytes;
    assert!(store.drop_index("name").unwrap());
    assert_eq!(index(&store, "name"), None);
    let after = store.stats().unwrap().disk_bytes;
    assert!(before - after > held * 9 / 10, "{before} {after} {held}");
    assert!(!store.drop_index("name").unwrap(), "there is none any more");
    assert!(!store.drop_index("never there").unwrap());
    fill(&store, 5_000..6_000, metadata);
    store.close().unwrap();
    let store = store_at(directory.path());
    store.compact().unwrap();
    assert_eq!(index(&store, "name"), None, "merges leave it out");
    assert_eq!(store.count(&field("name").starts_with("a name of some length, 59")).unwrap(), 111);
    assert_eq!(store.count(&field("name").exists(true)).unwrap(), 6_000);
    store.create_index("name", FieldKind::Keyword).unwrap();
    let back = index(&store, "name").unwrap();
    assert_eq!((back.kind, back.distinct, back.unindexed), (Some(FieldKind::Keyword), 6_000, 0));
    assert_eq!(store.count(&field("name").starts_with("a name of some length, 59")).unwrap(), 111);
}

#[test]
fn a_kind_leaves_values_of_other_types_to_the_records() {
    let store = store();
    fill(&store, 0..4_000, |n| {
        let value = if n % 2 == 0 { Value::Int(n as i64) } else { Value::from(format!("text {n}")) };
        Metadata::new().with("v", value)
    });
    store.seal().unwrap();
    let any = index(&store, "v").unwrap();
    assert_eq!((any.unindexed, any.distinct), (0, 4_000));
    store.create_index("v", FieldKind::Number).unwrap();
    let numbers = index(&store, "v").unwrap();
    assert_eq!((numbers.unindexed, numbers.distinct, numbers.types), (2_000, 2_000, vec!["number"]));
    assert!(numbers.bytes < any.bytes);
    assert_eq!(store.count(&field("v").eq("text 7")).unwrap(), 1);
    assert_eq!(store.count(&field("v").lt(10)).unwrap(), 5);
    store.create_index("v", FieldKind::Any).unwrap();
    assert_eq!(index(&store, "v").unwrap().distinct, 4_000);
}

#[test]
fn long_strings_and_deep_paths_are_held_when_asked_for() {
    let store = store();
    let deep = (0..20).fold(Value::Int(7), |value, _| Value::from(Metadata::new().with("d", value)));
    let path = ["d"; 21].join(".");
    fill(&store, 0..300, |n| {
        Metadata::new().with("url", format!("{}{n}", "u".repeat(600))).with("d", deep.clone())
    });
    store.seal().unwrap();
    assert_eq!(index(&store, "url").unwrap().unindexed, 300);
    assert_eq!(index(&store, &path), None);
    store.create_index("url", FieldKind::Any).unwrap();
    store.create_index(&path, FieldKind::Number).unwrap();
    let url = index(&store, "url").unwrap();
    assert_eq!((url.unindexed, url.distinct), (0, 300));
    assert_eq!(index(&store, &path).unwrap().records, 300);
    assert_eq!(store.count(&field(&path).eq(7)).unwrap(), 300);
    assert_eq!(store.count(&field("url").ends_with("u12")).unwrap(), 1);
}

#[test]
fn an_index_on_points_holds_their_parts() {
    let store = store();
    fill(&store, 0..2_000, |n| {
        let point = Metadata::new().with("lat", (n % 90) as f64).with("lon", (n % 180) as f64);
        Metadata::new().with("place", point)
    });
    store.create_index("place", FieldKind::Geo).unwrap();
    store.seal().unwrap();
    let kinds: Vec<(String, bool)> =
        store.list_indexes().unwrap().into_iter().map(|index| (index.path, index.kind.is_some())).collect();
    assert_eq!(
        kinds,
        [("place", true), ("place.lat", false), ("place.lon", false)].map(|(p, k)| (p.to_owned(), k))
    );
    let near = field("place").geo_radius(vecstore::GeoPoint::new(10.0, 10.0), 50_000.0);
    assert_eq!(store.count(&near).unwrap(), (0..2_000).filter(|n| n % 90 == 10 && n % 180 == 10).count());
}

#[test]
fn an_index_that_is_there_in_full_costs_no_rewrite() {
    let directory = tempfile::tempdir().unwrap();
    let store = store_at(directory.path());
    fill(&store, 0..100, |n| Metadata::new().with("n", n as i64));
    store.seal().unwrap();
    let segments = || {
        let mut names: Vec<_> =
            walk(directory.path()).into_iter().filter(|name| name.ends_with(".seg")).collect();
        names.sort();
        names
    };
    let before = segments();
    store.create_index("n", FieldKind::Any).unwrap();
    store.create_index("not there", FieldKind::Number).unwrap();
    assert_eq!(segments(), before);
    assert_eq!(index(&store, "n").unwrap().kind, Some(FieldKind::Any));
    assert_eq!(index(&store, "not there").unwrap().records, 0);
    store.drop_index("n").unwrap();
    assert_ne!(segments(), before);
}

fn walk(directory: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "a test looks at the files")]
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path.to_str().unwrap().to_owned());
        }
    }
    found
}

#[test]
fn marks_and_writes_survive_while_columns_are_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = store_at(directory.path());
    fill(&store, 0..1_000, |n| Metadata::new().with("n", n as i64));
    store.seal().unwrap();
    assert_eq!(store.delete_where(&field("n").lt(100)).unwrap(), 100);
    assert!(store.soft_delete("id-000500").unwrap());
    fill(&store, 900..1_000, |n| Metadata::new().with("n", -(n as i64)));
    store.drop_index("n").unwrap();
    let check = |store: &VecStore| {
        assert_eq!(store.len().unwrap(), 899);
        assert_eq!(store.count(&field("n").gte(0)).unwrap(), 799);
        assert_eq!(store.deleted_count().unwrap(), 1);
    };
    check(&store);
    store.close().unwrap();
    let store = store_at(directory.path());
    check(&store);
    assert!(store.verify().unwrap().is_ok());
    store.compact().unwrap();
    check(&store);
}

#[test]
fn a_choice_that_no_index_can_follow_is_refused() {
    let store = store();
    let refused = |path: &str, part: &str| {
        for error in
            [store.create_index(path, FieldKind::Any).unwrap_err(), store.drop_index(path).unwrap_err()]
        {
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.message().contains(part), "{error}");
        }
    };
    refused("", "1 to 1024 bytes");
    refused(&"p".repeat(MAX_FIELD_PATH_BYTES + 1), "got 1025");
    refused("$where", "starts with `$`");
    refused(&["x"; 65].join("."), "got 65");
    for n in 0..MAX_FIELD_INDEXES {
        store.create_index(&format!("path {n}"), FieldKind::Any).unwrap();
    }
    refused("one more", "256");
    store.create_index("path 7", FieldKind::Keyword).unwrap();
    for name in ["hash", "", "KEYWORD", "text"] {
        assert_eq!(name.parse::<FieldKind>().unwrap_err().kind(), ErrorKind::InvalidInput, "{name}");
    }
    assert!("text".parse::<FieldKind>().unwrap_err().message().contains("text_fields"));
    assert_eq!("float".parse::<FieldKind>().unwrap(), FieldKind::Number);
}

#[test]
fn odd_paths_are_paths_like_any_other() {
    let store = store();
    let paths = ["caf\u{e9} \u{1f600}", "a.b", "a b", "a\\b", "x..y", ".", "a\nb", "0"];
    fill(&store, 0..100, |n| {
        paths.iter().map(|&path| (path.to_owned(), Value::Int((n % 3) as i64))).collect()
    });
    for path in paths {
        store.create_index(path, FieldKind::Number).unwrap();
    }
    store.seal().unwrap();
    for path in paths {
        assert_eq!(index(&store, path).unwrap().distinct, 3, "{path:?}");
        assert_eq!(store.count(&field(path).eq(1)).unwrap(), 33, "{path:?}");
    }
}

#[test]
fn collections_have_choices_of_their_own_and_keep_them_in_backups() {
    let directory = tempfile::tempdir().unwrap();
    let database = VecDatabase::open_in_memory().unwrap();
    let config = vecstore::CollectionConfig::new();
    let (a, b) = (
        database.create_collection("a", &config).unwrap(),
        database.create_collection("b", &config).unwrap(),
    );
    for collection in [&a, &b] {
        collection.upsert("x", &[1.0, 2.0], &Metadata::new().with("n", 1)).unwrap();
    }
    a.create_index("n", FieldKind::Number).unwrap();
    assert_eq!((a.list_indexes().unwrap().len(), b.list_indexes().unwrap().len()), (1, 0));
    let path = directory.path().join("backup");
    a.backup(&path, true).unwrap();
    database.delete_collection("a").unwrap();
    assert_eq!(a.create_index("n", FieldKind::Any).unwrap_err().kind(), ErrorKind::Closed);
    let a = database.restore_collection("a", &path).unwrap();
    assert_eq!(a.list_indexes().unwrap()[0].kind, Some(FieldKind::Number));
}
