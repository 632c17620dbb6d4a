//! The corpus of the fuzzer, in every test run; and where it started from.
#![expect(
    clippy::disallowed_methods,
    reason = "the corpus is read from, and its start written to, the repository"
)]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::{Filter, Value, VecStore};

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target)
}

#[test]
fn the_corpus_of_every_target_is_refused_or_read() {
    for (name, run) in TARGETS {
        let mut files: Vec<PathBuf> =
            fs::read_dir(corpus(name)).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{name} has no corpus");
        let mut bytes = 0;
        for file in &files {
            let content = fs::read(file).unwrap();
            bytes += content.len();
            let outcome = std::panic::catch_unwind(|| run(&content));
            assert!(outcome.is_ok(), "{name}: {}", file.display());
        }
        println!("{name}: {} inputs, {bytes} bytes", files.len());
    }
}

/// Writes the inputs that fuzzing starts from: files of a small store, and filters of every kind.
#[test]
#[ignore = "run by hand when a format changes"]
fn write_the_start_of_the_corpus() {
    let save = |target: &str, name: &str, bytes: &[u8]| {
        fs::create_dir_all(corpus(target)).unwrap();
        fs::write(corpus(target).join(name), bytes).unwrap();
    };
    let vfs = MemoryVfs::default();
    let options = VecStore::options().vfs(Arc::new(vfs.clone())).background(false).graph_rows_min(8);
    let store = options.open("/store").unwrap();
    for n in 0..12_i64 {
        let metadata =
            Metadata::new().with("n", n).with("tag", "red").with("list", vec![Value::from(n), "x".into()]);
        let vector: Vec<f32> = (0..32).map(|at| (at as f32 + n as f32).sin()).collect();
        store.upsert(&format!("id-{n}"), &vector, &metadata).unwrap();
        save("metadata", &format!("record-{n}"), &metadata::encode(&metadata).unwrap());
    }
    store.soft_delete("id-3").unwrap();
    let read = |suffix: &str| {
        let mut found = Vec::new();
        let mut directories = vec![PathBuf::from("/store")];
        while let Some(directory) = directories.pop() {
            for entry in vfs.list(&directory).unwrap() {
                if entry.is_dir {
                    directories.push(entry.path);
                } else if entry.path.to_string_lossy().contains(suffix) {
                    found.push(entry.path);
                }
            }
        }
        found.sort();
        found.into_iter().map(|path| vfs.map(&path).unwrap().to_vec()).collect::<Vec<_>>()
    };
    for (n, log) in read("wal-").into_iter().enumerate() {
        let used = log.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
        for mode in [0, 1] {
            save("wal", &format!("log-{n}-{mode}"), &[&[mode], &log[..used]].concat());
        }
        let mut calls = Vec::new();
        let mut at = 64;
        while at + 32 <= used && log[at + 24] == 1 {
            let len = u32::from_le_bytes(log[at..at + 4].try_into().unwrap()) as usize;
            calls.put_u16(len as u16);
            calls.put(&log[at + 32..at + 32 + len]);
            at += 32 + len.next_multiple_of(8);
        }
        save("wal_call", &format!("calls-{n}"), &calls);
    }
    store.compact().unwrap();
    store.delete("id-5").unwrap();
    let _ = store.upsert("id-20", &[0.5; 32], &Metadata::new());
    store.seal().unwrap();
    for (n, manifest) in read("manifest-").into_iter().enumerate() {
        save("manifest", &format!("manifest-{n}"), &manifest[..manifest.len() - 8]);
    }
    for (n, marks) in read(".del").into_iter().enumerate() {
        save("marks", &format!("marks-{n}"), &marks[..marks.len() - 8]);
    }
    for (n, segment) in read(".seg").into_iter().enumerate() {
        let tail = segment.len() - 32;
        let footer = u64::from_le_bytes(segment[tail..tail + 8].try_into().unwrap()) as usize;
        let end = tail - footer.div_ceil(64 << 10) * 8;
        let len = ((end - footer) as u16).to_le_bytes();
        save("segment", &format!("segment-{n}"), &[&segment[..end], &len].concat());
    }
    let texts = [
        "a = 1 AND b != 'x' OR NOT (c < 2.5)",
        "price BETWEEN 1 AND 10 AND tag IN ('red', \"blue\") AND name NOT IN ('x')",
        "a.b.c LIKE '%x_' AND d IS NOT NULL AND e IS NULL",
        "tags CONTAINS 'x' AND name STARTSWITH 'ab' AND at > '2024-01-01T00:00:00Z'",
        "x == true and y <> null",
    ];
    for (n, text) in texts.into_iter().enumerate() {
        let filter = Filter::parse(text, &Metadata::new()).unwrap();
        save("filter_text", &format!("filter-{n}"), text.as_bytes());
        if let Value::Map(map) = &filter.to_value().unwrap() {
            save("filter_dict", &format!("filter-{n}"), &metadata::encode(map).unwrap());
        }
    }
    let operators = [
        "$eq",
        "$ne",
        "$gt",
        "$gte",
        "$lt",
        "$lte",
        "$in",
        "$nin",
        "$exists",
        "$contains",
        "$contains_any",
        "$contains_all",
        "$size",
        "$starts_with",
        "$ends_with",
        "$like",
        "$regex",
        "$text",
        "$between",
        "$elem_match",
        "$geo_radius",
        "$geo_box",
        "$not",
    ];
    for operator in operators {
        let operand = Metadata::new().with(operator, vec![Value::from(1), Value::from(2)]);
        let map = Metadata::new().with("a", Value::Map(operand));
        save("filter_dict", &operator[1..], &metadata::encode(&map).unwrap());
    }
}
