//! Names are data: none of them becomes a path.

use tempfile::tempdir;
use vecstore::{CollectionConfig, ErrorKind, VecDatabase};

use crate::{fill, ids};

#[test]
fn any_name_without_control_characters_works_and_touches_nothing_outside() {
    let outside = tempdir().unwrap();
    let root = outside.path().join("database");
    std::fs::write(outside.path().join("x"), "mine").unwrap();
    let long = "n".repeat(300);
    let names = [
        "../x",
        "/etc/passwd",
        "..",
        ".",
        "a/b/c",
        "C:\\x",
        "CON",
        "NUL",
        "LOCK",
        "manifest-0000000001",
        " ",
        "*?",
        &long,
        "\u{1F600}",
        "\u{e9}",
        "e\u{301}",
        "A",
        "a",
        "default",
        "tmp",
        "%2e%2e",
        "'; DROP TABLE",
        "\u{202e}x",
    ];
    let database = VecDatabase::open(&root).unwrap();
    for (n, name) in names.iter().enumerate() {
        fill(&database.create_collection(name, &CollectionConfig::new()).unwrap(), n, n + 1);
    }
    database.close().unwrap();
    let database = VecDatabase::open(&root).unwrap();
    let mut sorted = names.map(str::to_owned);
    sorted.sort_unstable();
    assert_eq!(database.list_collections().unwrap(), sorted);
    for (n, name) in names.iter().enumerate() {
        assert_eq!(ids(&database.get_collection(name).unwrap().unwrap()), [format!("{n:05}")], "{name}");
        assert!(database.delete_collection(name).unwrap());
    }
    let left: Vec<_> =
        std::fs::read_dir(outside.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2);
    assert_eq!(std::fs::read_to_string(outside.path().join("x")).unwrap(), "mine");
}

#[test]
fn names_that_are_empty_too_long_or_hold_control_characters_are_refused() {
    let database = VecDatabase::open_in_memory().unwrap();
    let fits = "n".repeat(1024);
    let there = database.create_collection(&fits, &CollectionConfig::new()).unwrap();
    for bad in ["", &"n".repeat(1025), "a\0b", "a\nb", "\u{7f}", "\u{85}"] {
        let errors = [
            database.create_collection(bad, &CollectionConfig::new()).unwrap_err(),
            database.rename_collection(&fits, bad).unwrap_err(),
            there.create_snapshot(bad).unwrap_err(),
        ];
        assert!(errors.iter().all(|error| error.kind() == ErrorKind::InvalidInput), "{bad:?}: {errors:?}");
    }
}
