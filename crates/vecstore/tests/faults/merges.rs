//! What happens while a merge writes its segment: calls, seals, crashes, failures, closing, compacting.
//!
//! Without background threads, `compact` merges, and the file system shows each call before it is made: there the
//! test does what other threads would do meanwhile, the same each time.

use std::cell::Cell;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use vecstore::{Durability, ErrorKind, Record, VecStore};
use vecstore_testkit::{Call, CallKind, CrashMode, Fault, FaultVfs, Model, Repeat, Rng};

use crate::script::{DIM, Step, step};
use crate::subject::{PATH, check_answers, options, read};

/// The least there is. Calls that write wait while more is in memory.
const MEMORY_BUDGET: usize = 8 << 20;

/// Going on after a crash takes as long as looking at five others.
const GO_ON_EVERY: usize = 5;

/// Far beyond what anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

thread_local! {
    /// The calls of a reader are not watched.
    static READING: Cell<bool> = const { Cell::new(false) };
}

fn open(vfs: &FaultVfs, durability: Durability) -> VecStore {
    crate::subject::open(vfs, durability).unwrap()
}

fn is_segment(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "seg")
}

fn segment_files(vfs: &FaultVfs) -> usize {
    vfs.files().iter().filter(|(path, _)| is_segment(path)).count()
}

/// A record that fills the memory budget alone.
fn ballast(name: &str) -> Record {
    Record::new(format!("ballast {name}"), [0.5; DIM]).with_text("ballast ".repeat(MEMORY_BUDGET / 8 + 1))
}

/// The disk before a call. The number of acknowledged calls is its mark.
struct Image {
    call: Call,
    disk: FaultVfs,
    barrier: usize,
}

/// A store, what it should hold, and a reader beside it.
struct Subject {
    vfs: FaultVfs,
    durability: Durability,
    store: VecStore,
    reader: VecStore,
    model: Mutex<Model<Record>>,
    /// How many calls are durable whatever the durability.
    barrier: Mutex<usize>,
    images: Mutex<Vec<Image>>,
}

impl Subject {
    fn new(durability: Durability) -> Arc<Self> {
        let vfs = FaultVfs::new();
        let store = open(&vfs, durability);
        let reader = options(&vfs, durability).read_only(true).open(PATH).unwrap();
        let model = Mutex::new(Model::new());
        Arc::new(Self {
            vfs,
            durability,
            store,
            reader,
            model,
            barrier: Mutex::new(0),
            images: Mutex::default(),
        })
    }

    fn perform(&self, step: &Step) {
        let calls = {
            let mut model = self.model.lock().unwrap();
            let changes = step.changes(&model);
            model.apply(changes);
            model.calls()
        };
        step.perform(&self.store).unwrap();
        self.vfs.mark(calls as u64);
    }

    fn perform_some(&self, rng: &mut Rng, count: usize) {
        let steps = std::iter::repeat_with(|| step(rng, DIM));
        let steps =
            steps.filter(|step| !matches!(step, Step::Compact | Step::Index(..) | Step::Reopen | Step::Save));
        steps.take(count).for_each(|step| self.perform(&step));
    }

    /// Seals, as the thread for it would.
    fn seal(&self) {
        self.perform(&Step::Upsert(Record::new("sealed", [0.5; DIM]), None));
        self.store.seal().unwrap();
        assert_eq!(self.store.stats().unwrap().unsealed_rows, 0);
        *self.barrier.lock().unwrap() = self.model.lock().unwrap().calls();
    }

    fn compact(&self) -> vecstore::Result<usize> {
        let outcome = self.store.compact();
        if outcome.is_ok() {
            *self.barrier.lock().unwrap() = self.model.lock().unwrap().calls();
        }
        outcome
    }

    fn check(&self, store: &VecStore) {
        let model = self.model.lock().unwrap();
        let expected = model.after(model.calls());
        assert!(read(store).unwrap() == expected, "the records differ");
        check_answers(store, &expected).unwrap();
        assert!(store.verify().unwrap().is_ok());
    }

    /// Notes the disk, and looks at it as another process would.
    fn look(&self, call: &Call, disk: FaultVfs) {
        let acknowledged = disk.marked() as usize;
        let barrier = *self.barrier.lock().unwrap();
        self.images.lock().unwrap().push(Image { call: call.clone(), disk, barrier });
        READING.set(true);
        let found = read(&self.reader).unwrap_or_else(|error| panic!("{call}: a reader fails: {error}"));
        READING.set(false);
        let seen = self.model.lock().unwrap().check_between(acknowledged..=acknowledged + 1, &found);
        seen.unwrap_or_else(|mismatch| panic!("{call}: a reader sees other records: {mismatch}"));
    }

    /// Takes each image through recovery.
    fn check_images(&self, seed: u64) {
        let model = self.model.lock().unwrap();
        let images = std::mem::take(&mut *self.images.lock().unwrap());
        println!("{:?}: {} calls", self.durability, images.len());
        for (n, Image { call, disk, barrier }) in images.into_iter().enumerate() {
            let acknowledged = disk.marked() as usize;
            for mode in CrashMode::ALL {
                let image = disk.crash(&mut Rng::new(seed ^ call.number), mode);
                let is_power_cut = mode != CrashMode::KeepAll && self.durability != Durability::Commit;
                let kept = if is_power_cut { barrier } else { acknowledged };
                let store = open(&image, self.durability);
                let found = read(&store).unwrap();
                model
                    .check_between(kept..=acknowledged + 1, &found)
                    .unwrap_or_else(|mismatch| panic!("{call}, {mode:?}: {mismatch}"));
                assert!(store.verify().unwrap().is_ok());
                if n % GO_ON_EVERY != 0 {
                    continue;
                }
                // What is sealed and merged from there on must not bring anything back.
                store.delete("id-00").unwrap();
                store.compact().unwrap();
                let mut expected = found;
                expected.remove("id-00");
                assert!(read(&store).unwrap() == expected, "{call}, {mode:?}: compaction changed records");
                store.close().unwrap();
                assert!(read(&open(&image, self.durability)).unwrap() == expected, "{call}, {mode:?}");
            }
        }
    }
}

/// Runs `meanwhile` before each call that is made on the segment that a merge writes, and on what it publishes then,
/// with the number of that call. What `meanwhile` does itself is not shown to it.
fn while_merging(subject: &Arc<Subject>, meanwhile: impl Fn(usize, &Call) + Send + Sync + 'static) {
    #[derive(Default)]
    struct Seen {
        segments: usize,
        calls: usize,
        busy: bool,
    }
    let seen = Mutex::new(Seen::default());
    let watched = Arc::clone(subject);
    subject.vfs.watch(move |call, disk| {
        if READING.get() {
            return;
        }
        watched.look(call, disk);
        let number = {
            let mut seen = seen.lock().unwrap();
            if seen.busy {
                return;
            }
            // The first segment is what `compact` seals.
            seen.segments += usize::from(call.kind == CallKind::Create && is_segment(&call.path));
            let publishes = call.path.parent().is_some_and(|parent| parent.ends_with("tmp"));
            // Removing the old ones comes last, under the lock that a seal takes.
            let writes = is_segment(&call.path) && call.kind != CallKind::RemoveFile;
            if seen.segments < 2 || !(writes || publishes) {
                return;
            }
            seen.calls += 1;
            seen.busy = true;
            seen.calls
        };
        meanwhile(number, call);
        seen.lock().unwrap().busy = false;
    });
}

fn stop_watching(subject: &Subject) {
    subject.vfs.watch(|_, _| {});
}

fn survives(durability: Durability, seed: u64) {
    let subject = Subject::new(durability);
    let mut rng = Rng::new(seed);
    subject.perform_some(&mut rng, 40);
    subject.compact().unwrap();
    subject.perform_some(&mut rng, 20);
    let (busy, rng) = (Arc::clone(&subject), Mutex::new(rng));
    while_merging(&subject, move |_, call| {
        let mut rng = rng.lock().unwrap();
        busy.perform_some(&mut rng, 3);
        // The segment is created, written, synced and mapped.
        if is_segment(&call.path) {
            busy.seal();
            busy.perform_some(&mut rng, 3);
        }
    });
    subject.compact().unwrap();
    stop_watching(&subject);
    subject.check(&subject.store);
    assert!(subject.store.stats().unwrap().segments >= 3, "a seal during the merge was lost");
    subject.check_images(seed);
    subject.store.close().unwrap();
    subject.check(&open(&subject.vfs, durability));
}

#[test]
fn a_stop_at_any_call_keeps_what_was_acknowledged_with_a_merge_in_flight() {
    for seed in 1..=3 {
        survives(Durability::Commit, seed);
    }
}

#[test]
fn a_stop_at_any_call_keeps_what_was_durable_with_a_merge_in_flight_under_weaker_durability() {
    survives(Durability::Interval, 4);
    survives(Durability::None, 5);
}

/// The checkpoint of a seal drops the log that a removal was in; only the marks of the new segment tell of it.
#[test]
fn what_was_removed_during_a_merge_stays_removed_when_a_seal_has_dropped_the_log() {
    let subject = Subject::new(Durability::Commit);
    let record = |id: &str| Record::new(id, [1.0; DIM]);
    for id in ["deleted", "replaced", "hidden", "kept"] {
        subject.perform(&Step::Upsert(record(id), None));
    }
    subject.perform(&Step::Upsert(record("restored"), None));
    subject.perform(&Step::SoftDelete("restored".to_owned()));
    subject.compact().unwrap();
    subject.perform(&Step::Upsert(record("second segment"), None));
    let busy = Arc::clone(&subject);
    while_merging(&subject, move |number, _| {
        if number == 2 {
            busy.perform(&Step::Delete("deleted".to_owned()));
            busy.perform(&Step::Upsert(record("replaced").with_text("new"), None));
            busy.perform(&Step::SoftDelete("hidden".to_owned()));
            busy.perform(&Step::Restore("restored".to_owned()));
            busy.seal();
        }
    });
    subject.compact().unwrap();
    stop_watching(&subject);
    subject.check(&subject.store);
    let image = subject.vfs.fork();
    subject.check(&open(&image, Durability::Commit));
    subject.compact().unwrap();
    subject.check(&subject.store);
    assert_eq!(subject.store.stats().unwrap().dead_rows, 0);
}

#[test]
fn a_merge_that_fails_after_a_seal_loses_nothing_and_leaves_no_file() {
    for failing in 1..=40 {
        let subject = Subject::new(Durability::Commit);
        let mut rng = Rng::new(failing);
        subject.perform_some(&mut rng, 30);
        subject.compact().unwrap();
        subject.perform_some(&mut rng, 10);
        let (busy, rng) = (Arc::clone(&subject), Mutex::new(rng));
        while_merging(&subject, move |number, _| {
            if number == 1 {
                let mut rng = rng.lock().unwrap();
                busy.perform_some(&mut rng, 5);
                busy.seal();
                busy.perform_some(&mut rng, 5);
                busy.vfs.fail_at(busy.vfs.calls() + failing, Fault::NoSpace, Repeat::Once);
            }
        });
        let outcome = subject.compact();
        stop_watching(&subject);
        let struck = subject.vfs.faults_struck() > 0;
        subject.vfs.clear_faults();
        if let Err(error) = outcome {
            assert!(struck);
            assert_eq!(error.raw_os_error(), Some(28), "{error}");
            subject.check(&subject.store);
        }
        subject.check(&open(&subject.vfs.fork(), Durability::Commit));
        subject.compact().unwrap();
        subject.check(&subject.store);
        assert_eq!(segment_files(&subject.vfs), 1, "a file was left");
    }
}

/// Waits for what another thread is about to do.
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::yield_now();
    }
}

/// Has a merge in the background stop before it writes its file, and says when it does. It goes on when the sender that
/// is returned sends or is dropped.
fn held_merge(vfs: &FaultVfs, store: &VecStore) -> mpsc::Sender<()> {
    for n in 0..40 {
        let record = Record::new(format!("{n}"), [n as f32; DIM]);
        store.upsert_record(&record.with_text("text ".repeat(40_000)), None).unwrap();
    }
    store.compact().unwrap();
    let (reached, arrival) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let hold = Mutex::new(Some((reached, released)));
    vfs.watch(move |call, _| {
        let is_merge = std::thread::current().name() == Some("vecstore-merge");
        if is_merge && call.kind == CallKind::Write && is_segment(&call.path) {
            let held = hold.lock().unwrap().take();
            if let Some((reached, released)) = held {
                reached.send(()).unwrap();
                _ = released.recv_timeout(PATIENCE);
            }
        }
    });
    // More than a fifth.
    store.delete_many((0..10).map(|n| n.to_string()).collect::<Vec<_>>().iter().map(String::as_str)).unwrap();
    arrival.recv_timeout(PATIENCE).expect("a merge is due");
    release
}

fn with_threads(vfs: &FaultVfs) -> VecStore {
    options(vfs, Durability::Commit).memory_budget(MEMORY_BUDGET as u64).background(true).open(PATH).unwrap()
}

#[test]
fn closing_cancels_a_merge_that_is_under_way() {
    let vfs = FaultVfs::new();
    let store = with_threads(&vfs);
    let release = held_merge(&vfs, &store);
    let expected = read(&store).unwrap();
    std::thread::scope(|scope| {
        let closing = scope.spawn(|| store.close());
        wait_until("the store is marked closed", || store.is_closed());
        drop(release);
        closing.join().unwrap().unwrap();
    });
    let trace = vfs.trace();
    let merged = trace.iter().rfind(|call| call.kind == CallKind::Create && is_segment(&call.path)).unwrap();
    let writes = trace.iter().filter(|call| call.kind == CallKind::Write && call.path == merged.path).count();
    assert_eq!(writes, 1, "the merge went on after it was cancelled");
    assert_eq!(segment_files(&vfs), 1, "the cancelled merge left its file");
    assert!(read(&open(&vfs, Durability::Commit)).unwrap() == expected);
}

#[test]
fn closing_cancels_a_compaction_on_another_thread() {
    let subject = Subject::new(Durability::Commit);
    subject.perform(&Step::Upsert(ballast("first"), None));
    subject.compact().unwrap();
    subject.perform(&Step::Upsert(Record::new("second", [1.0; DIM]), None));
    let (closer, closed) = mpsc::channel();
    let busy = Arc::clone(&subject);
    while_merging(&subject, move |number, _| {
        if number == 2 {
            let store = busy.store.clone();
            let closer = closer.clone();
            std::thread::spawn(move || closer.send(store.close()).unwrap());
            wait_until("the store is marked closed", || busy.store.is_closed());
        }
    });
    assert_eq!(subject.compact().unwrap_err().kind(), ErrorKind::Closed);
    closed.recv_timeout(PATIENCE).unwrap().unwrap();
    stop_watching(&subject);
    subject.check(&open(&subject.vfs, Durability::Commit));
}

#[test]
fn a_seal_does_not_wait_for_a_merge() {
    let vfs = FaultVfs::new();
    let store = with_threads(&vfs);
    let release = held_merge(&vfs, &store);
    // Far beyond the memory budget: these calls wait for seals.
    for n in 0..5 {
        store.upsert_record(&ballast(&n.to_string()), None).unwrap();
    }
    wait_until("rows are sealed", || store.stats().unwrap().segments > 1);
    let expected = read(&store).unwrap();
    drop(release);
    wait_until("the merge has ended", || store.stats().unwrap().dead_rows == 0);
    assert!(read(&store).unwrap() == expected);
    store.close().unwrap();
    assert!(read(&open(&vfs, Durability::Commit)).unwrap() == expected);
}

#[test]
fn compacting_waits_for_a_merge_and_leaves_one_segment() {
    let vfs = FaultVfs::new();
    let store = with_threads(&vfs);
    let release = held_merge(&vfs, &store);
    store.delete("20").unwrap();
    store.upsert_record(&Record::new("new", [7.0; DIM]), None).unwrap();
    let expected = read(&store).unwrap();
    std::thread::scope(|scope| {
        let compacting = scope.spawn(|| store.compact());
        drop(release);
        compacting.join().unwrap().unwrap();
    });
    let stats = store.stats().unwrap();
    assert_eq!((stats.segments, stats.dead_rows, stats.unsealed_rows), (1, 0, 0));
    assert!(read(&store).unwrap() == expected);
}

#[test]
fn a_store_that_is_left_alone_settles_into_one_segment() {
    let vfs = FaultVfs::new();
    let store = with_threads(&vfs);
    for n in 0..30 {
        store.upsert_record(&Record::new(format!("{n}"), [n as f32; DIM]), None).unwrap();
        if n % 10 == 9 {
            store.seal().unwrap();
        }
    }
    assert_eq!(store.stats().unwrap().segments, 3);
    let expected = read(&store).unwrap();
    wait_until("the segments are merged", || store.stats().unwrap().segments == 1);
    assert!(read(&store).unwrap() == expected);
    store.close().unwrap();
    assert!(read(&open(&vfs, Durability::Commit)).unwrap() == expected);
}
