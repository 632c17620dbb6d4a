//! Readers beside a writer: other handles on the same files, as other processes have them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use vecstore::{Batch, Durability, ErrorKind, Metadata, Record, Value, VecStore};
use vecstore_testkit::{CallKind, CrashMode, FaultVfs, Rng};

use crate::script::DIM;
use crate::subject::{PATH, open, options, read};

const BATCH: u64 = 6;

/// Every call writes all records anew, with its number.
fn write(store: &VecStore, call: u64) {
    let mut batch = Batch::new(DIM).unwrap();
    for n in 0..BATCH {
        let record = Record::new(format!("id-{n}"), [call as f32 + 1.0; DIM]);
        let metadata = Metadata::from([("call", Value::Int(call as i64))]);
        batch.push(&record.with_metadata(metadata), None).unwrap();
    }
    store.upsert_many(batch).unwrap();
}

/// Returns the number of the last call that a reader sees, having checked that it sees all of it.
fn last_call(records: &BTreeMap<String, Record>) -> u64 {
    let calls: Vec<&Value> = records.values().filter_map(|record| record.metadata.get("call")).collect();
    let Some(&first) = calls.first() else { return 0 };
    assert_eq!(calls.len() as u64, BATCH);
    assert!(calls.iter().all(|&call| call == first), "half of a batch: {calls:?}");
    let Value::Int(call) = first else { panic!("{first:?}") };
    *call as u64
}

thread_local! {
    /// A reader's own calls are not watched.
    static READING: Cell<bool> = const { Cell::new(false) };
}

#[derive(Debug, Default)]
struct Seen {
    looks: u64,
    last: u64,
    failures: Vec<String>,
}

/// Has a reader look at the store before every call of a writer on the file system.
#[test]
fn a_reader_sees_only_whole_and_durable_calls_and_none_is_taken_back() {
    let vfs = FaultVfs::new();
    let writer = open(&vfs, Durability::Commit).unwrap();
    write(&writer, 1);
    let reader = options(&vfs, Durability::Commit).read_only(true).open(PATH).unwrap();
    let acknowledged = Arc::new(AtomicU64::new(1));
    let seen = Arc::new(Mutex::new(Seen::default()));
    let (noted, sink) = (Arc::clone(&acknowledged), Arc::clone(&seen));
    vfs.watch(move |call, disk| {
        if READING.replace(true) {
            return;
        }
        let mut seen = sink.lock().unwrap();
        seen.looks += 1;
        let acknowledged = noted.load(Ordering::Relaxed);
        match read(&reader) {
            Ok(records) => {
                let found = last_call(&records);
                if found < acknowledged || found < seen.last {
                    let last = seen.last;
                    seen.failures
                        .push(format!("{call}: sees {found}, acknowledged {acknowledged}, seen {last}"));
                }
                if found > acknowledged {
                    let cut = disk.crash(&mut Rng::new(1), CrashMode::DropAllUnsynced);
                    let kept = last_call(&read(&open(&cut, Durability::Commit).unwrap()).unwrap());
                    if kept < found {
                        seen.failures
                            .push(format!("{call}: sees {found}, of which a power cut leaves {kept}"));
                    }
                }
                seen.last = found;
            }
            Err(error) => seen.failures.push(format!("{call}: {:?} {error}", error.kind())),
        }
        READING.set(false);
    });
    for call in 2..60 {
        write(&writer, call);
        acknowledged.store(call, Ordering::Relaxed);
        if call % 9 == 0 {
            writer.compact().unwrap();
        }
    }
    let seen = seen.lock().unwrap();
    println!("{} looks", seen.looks);
    assert!(seen.failures.is_empty(), "{} of {}: {:#?}", seen.failures.len(), seen.looks, seen.failures);
}

/// Another thread writes after a seal has made the next log and before it goes on in it.
#[test]
fn a_reader_sees_no_call_before_it_is_durable_while_the_log_is_changed() {
    let vfs = FaultVfs::new();
    let writer = open(&vfs, Durability::Commit).unwrap();
    write(&writer, 1);
    let reader = options(&vfs, Durability::Commit).read_only(true).open(PATH).unwrap();
    let began = AtomicU64::new(0);
    let other = writer.clone();
    let failures = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&failures);
    vfs.watch(move |call, disk| {
        if READING.get() {
            return;
        }
        if call.kind == CallKind::SyncDir && began.fetch_add(1, Ordering::Relaxed) == 0 {
            std::thread::scope(|scope| _ = scope.spawn(|| write(&other, 2)));
            // The image is of before that write.
            return;
        }
        READING.set(true);
        let found = last_call(&read(&reader).unwrap());
        let cut = disk.crash(&mut Rng::new(1), CrashMode::DropAllUnsynced);
        let kept = last_call(&read(&open(&cut, Durability::Commit).unwrap()).unwrap());
        READING.set(false);
        if kept < found {
            sink.lock().unwrap().push(format!("{call}: sees {found}, of which a power cut leaves {kept}"));
        }
    });
    writer.compact().unwrap();
    let failures = failures.lock().unwrap();
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn a_reader_that_looks_seldom_catches_up_with_many_checkpoints() {
    for checkpoints in 1..6 {
        let vfs = FaultVfs::new();
        let writer = open(&vfs, Durability::Commit).unwrap();
        write(&writer, 1);
        let reader = options(&vfs, Durability::Commit).read_only(true).open(PATH).unwrap();
        assert_eq!(last_call(&read(&reader).unwrap()), 1);
        for call in 0..checkpoints {
            write(&writer, call + 2);
            writer.compact().unwrap();
        }
        write(&writer, 100);
        assert_eq!(last_call(&read(&reader).unwrap()), 100, "after {checkpoints} checkpoints");
        writer.close().unwrap();
        let writer = open(&vfs, Durability::Commit).unwrap();
        write(&writer, 101);
        assert_eq!(
            last_call(&read(&reader).unwrap()),
            101,
            "after {checkpoints} checkpoints and a reopening"
        );
    }
}

#[test]
fn readers_follow_a_writer_that_crashes_and_recovers() {
    let vfs = FaultVfs::new();
    let mut acknowledged = 0;
    for round in 0..20 {
        let writer = open(&vfs, Durability::Commit).unwrap();
        let reader = options(&vfs, Durability::Commit).read_only(true).open(PATH).unwrap();
        vfs.stop_at(vfs.calls() + 20 + round * 3);
        let mut next = acknowledged;
        loop {
            let mut batch = Batch::new(DIM).unwrap();
            for n in 0..BATCH {
                let metadata = Metadata::from([("call", Value::Int(next as i64 + 1))]);
                batch
                    .push(&Record::new(format!("id-{n}"), [1.0; DIM]).with_metadata(metadata), None)
                    .unwrap();
            }
            if writer.upsert_many(batch).is_err() {
                break;
            }
            next += 1;
        }
        vfs.clear_faults();
        drop(writer);
        let writer = open(&vfs, Durability::Commit).unwrap();
        let kept = last_call(&read(&writer).unwrap());
        assert!((next..=next + 1).contains(&kept));
        assert_eq!(last_call(&read(&reader).unwrap()), kept, "round {round}");
        acknowledged = kept;
        writer.close().unwrap();
    }
}

#[test]
fn many_readers_see_whole_batches_while_a_writer_seals_in_the_background() {
    let vfs = FaultVfs::new();
    let writer = options(&vfs, Durability::Commit).background(true).open(PATH).unwrap();
    write(&writer, 1);
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let reader = options(&vfs, Durability::Commit).read_only(true).open(PATH).unwrap();
                let mut last = 0;
                while done.load(Ordering::Relaxed) == 0 {
                    let found = last_call(&read(&reader).unwrap());
                    assert!(found >= last, "went back from {last} to {found}");
                    last = found;
                }
            });
        }
        for call in 2..400 {
            write(&writer, call);
            if call % 40 == 0 {
                writer.compact().unwrap();
            }
        }
        done.store(1, Ordering::Relaxed);
    });
}

#[test]
fn a_second_writer_is_refused_until_the_first_is_gone() {
    let vfs = FaultVfs::new();
    let first = open(&vfs, Durability::Commit).unwrap();
    write(&first, 1);
    assert_eq!(open(&vfs, Durability::Commit).unwrap_err().kind(), ErrorKind::Locked);
    // The process is killed: its lock goes with it.
    let image = vfs.fork();
    let second = open(&image, Durability::Commit).unwrap();
    assert_eq!(last_call(&read(&second).unwrap()), 1);
    first.close().unwrap();
    open(&vfs, Durability::Commit).unwrap();
}
