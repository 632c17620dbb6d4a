//! The newest manifest is damaged: the one before it leads to the same records.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use vecstore::{Durability, ErrorKind};
use vecstore_testkit::FaultVfs;

use crate::script::{DIM, script};
use crate::stop::run;
use crate::subject::{PATH, check_answers, open, options, read};

fn manifests(vfs: &FaultVfs) -> Vec<PathBuf> {
    let in_root = |path: &Path| path.parent() == Some(Path::new(PATH));
    let named = |path: &Path| path.to_string_lossy().contains("manifest-");
    vfs.files().into_iter().map(|(path, _)| path).filter(|path| in_root(path) && named(path)).collect()
}

/// Returns the disk at each call after which the set of the collection's files or the manifests was another.
fn boundaries() -> Vec<FaultVfs> {
    let vfs = FaultVfs::new();
    let found = Arc::new(Mutex::new((HashSet::new(), Vec::new())));
    let sink = Arc::clone(&found);
    vfs.watch(move |_, disk| {
        let names: Vec<PathBuf> = disk.files().into_iter().map(|(path, _)| path).collect();
        let mut sink = sink.lock().unwrap();
        if !manifests(&disk).is_empty() && sink.0.insert(names) {
            sink.1.push(disk);
        }
    });
    run(&vfs, &script(4, 150, DIM), Durability::Commit).unwrap();
    let mut found = found.lock().unwrap();
    std::mem::take(&mut found.1)
}

#[test]
fn a_damaged_newest_manifest_costs_no_records() {
    let boundaries = boundaries();
    println!("{} boundaries", boundaries.len());
    assert!(boundaries.len() > 100);
    for disk in boundaries {
        let intact = disk.fork();
        let expected = read(&open(&intact, Durability::Commit).unwrap()).unwrap();
        let names = manifests(&disk);
        let [.., before, newest] = names.as_slice() else {
            // Only while the store is being created: there is nothing to lose yet.
            assert!(expected.is_empty());
            continue;
        };
        let at = disk.files().iter().find(|(path, _)| path == newest).unwrap().1 / 2;
        disk.flip(newest, at, 0x10).unwrap();
        let reader = options(&disk, Durability::Commit).read_only(true).open(PATH).unwrap();
        assert!(read(&reader).unwrap() == expected, "reading only, without {}", newest.display());
        assert!(!reader.verify().unwrap().is_ok(), "verify did not see the damage of {}", newest.display());
        drop(reader);
        let fallen_back = disk.fork();
        let store = open(&fallen_back, Durability::Commit).unwrap();
        check_answers(&store, &expected).unwrap();
        store.compact().unwrap();
        store.close().unwrap();
        let store = open(&fallen_back, Durability::Commit).unwrap();
        check_answers(&store, &expected).unwrap();

        disk.flip(before, 20, 0x10).unwrap();
        for read_only in [true, false] {
            let error = options(&disk, Durability::Commit).read_only(read_only).open(PATH).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupted, "{error}");
        }
    }
}
