//! Several threads write at once, sharing syncs, and the power is cut at any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Barrier, Mutex};

use vecstore::{Batch, Durability, Record, VecStore};
use vecstore_testkit::{Call, CrashMode, FaultVfs, Rng};

use crate::script::DIM;
use crate::subject::{PATH, open, options, read};

/// The mark of an image has 16 bits for each.
const THREADS: usize = 4;
const CALLS: usize = 50;

/// Counts the acknowledged calls of each thread in the file system's mark, which an image takes with it: what it
/// holds is at least as new as its mark.
#[derive(Clone)]
struct Acknowledged {
    vfs: FaultVfs,
    turn: Arc<Mutex<()>>,
}

impl Acknowledged {
    fn add(&self, thread: usize) {
        let _turn = self.turn.lock().unwrap();
        self.vfs.mark(self.vfs.marked() + (1 << (16 * thread)));
    }

    fn of(image: &FaultVfs, thread: usize) -> usize {
        usize::from((image.marked() >> (16 * thread)) as u16)
    }
}

/// A call writes a batch of 1 to 3 records that belong together.
fn ids(thread: usize, call: usize) -> Vec<String> {
    (0..1 + call % 3).map(|n| format!("{thread}-{call}-{n}")).collect()
}

fn write(store: &VecStore, thread: usize, acknowledged: &Acknowledged) {
    for call in 0..CALLS {
        let mut batch = Batch::new(DIM).unwrap();
        for id in ids(thread, call) {
            batch.push(&Record::new(id, [call as f32 + 1.0; DIM]), None).unwrap();
        }
        store.upsert_many(batch).unwrap();
        acknowledged.add(thread);
    }
}

fn images(durability: Durability, background: bool) -> Vec<(Call, FaultVfs)> {
    let vfs = FaultVfs::new();
    let store = options(&vfs, durability).background(background).open(PATH).unwrap();
    let images = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&images);
    vfs.watch(move |call, disk| {
        if call.kind.changes_disk() {
            sink.lock().unwrap().push((call.clone(), disk));
        }
    });
    let acknowledged = Acknowledged { vfs, turn: Arc::default() };
    let start = Barrier::new(THREADS + 1);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (store, acknowledged, start) = (&store, &acknowledged, &start);
            scope.spawn(move || {
                start.wait();
                write(store, thread, acknowledged);
            });
        }
        start.wait();
        for _ in 0..4 {
            store.compact().unwrap();
        }
    });
    store.close().unwrap();
    std::mem::take(&mut *images.lock().unwrap())
}

/// Checks that the records are those of the first calls of each thread, whole, with all that were acknowledged.
fn check(image: &FaultVfs, found: &BTreeMap<String, Record>) {
    let acknowledged = |thread| Acknowledged::of(image, thread);
    check_between(std::array::from_fn(acknowledged), std::array::from_fn(|n| acknowledged(n) + 1), found);
}

/// Checks that the records are those of the first calls of each thread, whole, and how many those are.
fn check_between(from: [usize; THREADS], to: [usize; THREADS], found: &BTreeMap<String, Record>) {
    let mut rest: BTreeSet<&str> = found.keys().map(String::as_str).collect();
    for thread in 0..THREADS {
        let present = (0..CALLS).take_while(|&call| found.contains_key(&ids(thread, call)[0])).count();
        let allowed = from[thread]..=to[thread];
        assert!(allowed.contains(&present), "thread {thread}: {present} calls there, expected {allowed:?}");
        for call in 0..present {
            for id in ids(thread, call) {
                assert!(rest.remove(id.as_str()), "the batch of `{id}` is not whole");
                assert_eq!(found[&id].vector, [call as f32 + 1.0; DIM]);
            }
        }
    }
    assert!(rest.is_empty(), "{rest:?}");
}

fn assert_survives(durability: Durability, background: bool, modes: &[CrashMode]) {
    let images = images(durability, background);
    let mut checked = 0;
    for (call, disk) in &images {
        for &mode in modes {
            let image = disk.crash(&mut Rng::new(call.number), mode);
            let store = open(&image, durability).unwrap_or_else(|error| panic!("{call}, {mode:?}: {error}"));
            check(&image, &read(&store).unwrap());
            checked += 1;
        }
    }
    println!("{} calls, {checked} images", images.len());
}

#[test]
fn what_any_thread_had_acknowledged_survives_a_power_cut() {
    assert_survives(Durability::Commit, false, &CrashMode::ALL);
}

#[test]
fn what_any_thread_had_acknowledged_survives_with_upkeep_in_the_background() {
    assert_survives(Durability::Commit, true, &CrashMode::ALL[..3]);
}

#[test]
fn what_any_thread_had_acknowledged_survives_a_kill_under_weaker_durability() {
    for durability in [Durability::Interval, Durability::None] {
        assert_survives(durability, true, &[CrashMode::KeepAll]);
    }
}

const BACKUP: &str = "/home/backup";

/// What had been made while others wrote, each with the calls of each thread that were acknowledged before it was begun.
#[derive(Clone, Debug, Default)]
struct Kept {
    backup: Option<[usize; THREADS]>,
    snapshots: BTreeMap<String, [usize; THREADS]>,
}

/// Snapshots come and go and backups are made while threads write: after a power cut at any moment each that had been made
/// is there, with the records of a moment not before its call.
#[test]
fn snapshots_and_backups_made_under_load_survive_a_power_cut_at_any_moment() {
    let vfs = FaultVfs::new();
    let store = options(&vfs, Durability::Commit).background(true).open(PATH).unwrap();
    let (images, kept) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Kept::default())));
    let (sink, noted) = (Arc::clone(&images), Arc::clone(&kept));
    vfs.watch(move |call, disk| {
        if call.kind.changes_disk() {
            let kept = noted.lock().unwrap().clone();
            sink.lock().unwrap().push((call.clone(), disk, kept));
        }
    });
    let acknowledged = Acknowledged { vfs: vfs.clone(), turn: Arc::default() };
    let start = Barrier::new(THREADS + 1);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (store, acknowledged, start) = (&store, &acknowledged, &start);
            scope.spawn(move || {
                start.wait();
                write(store, thread, acknowledged);
            });
        }
        start.wait();
        for n in 0..5 {
            let floor = || std::array::from_fn(|thread| Acknowledged::of(&vfs, thread));
            let before = floor();
            store.create_snapshot(&format!("{n}")).unwrap();
            kept.lock().unwrap().snapshots.insert(format!("{n}"), before);
            let before = floor();
            store.backup(BACKUP, n % 2 == 0).unwrap();
            kept.lock().unwrap().backup = Some(before);
            if n % 2 == 1 {
                // From here on it may be gone.
                kept.lock().unwrap().snapshots.remove(&format!("{}", n - 1));
                assert!(store.delete_snapshot(&format!("{}", n - 1)).unwrap());
            }
            store.compact().unwrap();
        }
    });
    store.close().unwrap();
    let (mut snapshots, mut backups) = (0, 0);
    let images = std::mem::take(&mut *images.lock().unwrap());
    for (n, (call, disk, kept)) in images.iter().enumerate() {
        let mode = CrashMode::ALL[n % CrashMode::ALL.len()];
        let image = disk.crash(&mut Rng::new(call.number), mode);
        let look = || {
            if let Some(from) = kept.backup {
                options(&image, Durability::Commit).restore_backup(BACKUP, "/home/restored").unwrap();
                let restored = options(&image, Durability::Commit).open("/home/restored").unwrap();
                check_between(from, [CALLS; THREADS], &read(&restored).unwrap());
                backups += 1;
            }
            let store = open(&image, Durability::Commit).unwrap();
            check(&image, &read(&store).unwrap());
            for (name, &from) in &kept.snapshots {
                store.restore_snapshot(name).unwrap();
                check_between(from, [CALLS; THREADS], &read(&store).unwrap());
                snapshots += 1;
            }
        };
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(look))
            .unwrap_or_else(|_| panic!("{call}, {mode:?}: see above"));
    }
    println!("{} calls, {snapshots} snapshots and {backups} backups came back", images.len());
    assert!(snapshots > 200 && backups > 200, "{snapshots} {backups}");
}
