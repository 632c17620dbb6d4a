//! The disk fails and the process lives on: typed errors, no effect, reads go on, and all is right afterwards.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};

use vecstore::{Durability, Error, ErrorKind, Record, Result, VecStore};
use vecstore_testkit::{Call, CallKind, Change, CrashMode, Fault, FaultVfs, Model, Outcome, Repeat, Rng};

use crate::script::{DIM, GRAPH_DIM, Step, script};
use crate::soak::count;
use crate::subject::{PATH, check_answers, open, read};

/// Steps of the script, more than 1,000 calls on the file system; `VECSTORE_FAULT_STEPS` in the environment changes it.
const STEPS: u64 = 190;

/// Steps that a fault may go unnoticed before it is taken to have been harmless.
const STEPS_UNNOTICED: usize = 12;

/// How many steps are tried while the fault lasts, and as many after it.
const STEPS_AFTER: usize = 4;

type Records = BTreeMap<String, Record>;

/// A store, what it should hold, and what it may hold besides.
struct Subject {
    vfs: FaultVfs,
    durability: Durability,
    store: Option<VecStore>,
    model: Model<Record>,
    /// The changes of a call that failed when it was not certain what reached the disk.
    pending: Option<Vec<Change<Record>>>,
}

impl Subject {
    fn new(vfs: FaultVfs, durability: Durability) -> Self {
        Self { vfs, durability, store: None, model: Model::new(), pending: None }
    }

    /// Performs a step; notes its effect if it succeeds, and checks that it has none if it fails.
    fn perform(&mut self, step: &Step) -> Result<(), Error> {
        let changes = step.changes(&self.model);
        if matches!(step, Step::Reopen) || self.store.is_none() {
            if let Some(store) = self.store.take() {
                _ = store.close();
            }
            let store = open(&self.vfs, self.durability)?;
            self.adopt(&read(&store).unwrap());
            self.store = Some(store);
            return Ok(());
        }
        let store = self.store.as_ref().expect("opened above");
        match step.perform(store) {
            Ok(()) => {
                self.model.apply(changes);
                if !step.is_barrier() {
                    self.pending = None;
                }
            }
            Err(error) => {
                if !is_poison(&error) {
                    self.pending = Some(changes);
                }
                check_error(&error);
                assert!(
                    read(store).unwrap() == self.current(),
                    "{step:?} failed with `{error}`, but had an effect"
                );
                return Err(error);
            }
        }
        Ok(())
    }

    fn current(&self) -> Records {
        self.model.after(self.model.calls())
    }

    /// Checks what a reopened store holds, and goes on from that.
    fn adopt(&mut self, found: &Records) {
        let mut model = self.model.clone();
        model.apply(self.pending.take().unwrap_or_default());
        let calls = model.check_between(self.model.calls()..=model.calls(), found).unwrap();
        model.rewind(calls);
        self.model = model;
    }
}

/// A store that was poisoned says how to go on.
fn is_poison(error: &Error) -> bool {
    error.message().contains("until it is opened again")
}

fn check_error(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
}

/// Whether it can be unknown what reached the disk: a sync failed, or a name that was being changed, or a write
/// failed and could not be taken back.
fn may_poison(trace: &[Call]) -> bool {
    let injected = trace.iter().filter(|call| matches!(call.outcome, Outcome::Injected(_)));
    let mut writes = 0;
    for call in injected {
        match call.kind {
            CallKind::Sync | CallKind::SyncDir | CallKind::Rename | CallKind::Stat => return true,
            CallKind::Write => writes += 1,
            _ => {}
        }
    }
    writes > 1
}

/// A moment when the script has closed the store and is about to open it: a fault that comes later is tried from here.
struct Start {
    disk: FaultVfs,
    /// Calls on the file system, and steps of the script, up to here.
    calls: u64,
    steps: usize,
    model: Model<Record>,
}

/// Runs the whole script without a fault. Returns the places to start from and all calls.
fn rehearse(vfs: &FaultVfs, steps: &[Step], durability: Durability) -> (Vec<Start>, Vec<Call>) {
    let mut subject = Subject::new(vfs.clone(), durability);
    let mut starts = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        if matches!(step, Step::Reopen)
            && let Some(store) = subject.store.take()
        {
            store.close().unwrap();
        }
        if subject.store.is_none() {
            let (disk, model) = (vfs.fork(), subject.model.clone());
            starts.push(Start { disk, calls: vfs.calls(), steps: n, model });
        }
        subject.perform(step).unwrap();
    }
    subject.store.take().unwrap().close().unwrap();
    (starts, vfs.trace())
}

/// Runs the script into the planned fault, on through it, and past its end. Returns whether the fault was noticed.
fn run_into_fault(
    vfs: &FaultVfs,
    model: Model<Record>,
    steps: &[Step],
    durability: Durability,
    seed: u64,
) -> bool {
    let mut subject = Subject { model, ..Subject::new(vfs.clone(), durability) };
    let mut steps = steps.iter();
    let (mut noticed, mut unnoticed) = (false, 0);
    for step in steps.by_ref() {
        noticed = subject.perform(step).is_err();
        unnoticed += usize::from(vfs.faults_struck() > 0);
        if noticed || unnoticed > STEPS_UNNOTICED {
            break;
        }
    }
    for step in steps.by_ref().take(STEPS_AFTER) {
        _ = subject.perform(step);
    }
    let may_poison = may_poison(&vfs.trace());
    vfs.clear_faults();
    for step in steps.take(STEPS_AFTER) {
        if let Err(error) = subject.perform(step) {
            assert!(may_poison && is_poison(&error), "{step:?} after the fault was over: {error}");
        }
    }
    check_crashes(&subject, seed);
    check_reopened(subject, seed);
    noticed
}

/// Kills the process or cuts the power now.
fn check_crashes(subject: &Subject, seed: u64) {
    for mode in CrashMode::ALL {
        if mode != CrashMode::KeepAll && subject.durability != Durability::Commit {
            continue;
        }
        let image = subject.vfs.crash(&mut Rng::new(seed), mode);
        let mut after = Subject::new(image.clone(), subject.durability);
        after.model = subject.model.clone();
        after.pending = subject.pending.clone();
        let store = open(&image, subject.durability).unwrap_or_else(|error| panic!("{mode:?}: {error}"));
        after.adopt(&read(&store).unwrap());
        assert!(store.verify().unwrap().is_ok(), "{mode:?}: {:?}", store.verify());
    }
}

/// Opens the store again in the same process, writes on, and cuts the power.
fn check_reopened(mut subject: Subject, seed: u64) {
    subject.perform(&Step::Reopen).unwrap();
    let store = subject.store.as_ref().unwrap();
    assert!(store.verify().unwrap().is_ok(), "{:?}", store.verify());
    let mut expected = subject.current();
    let new = Record::new("after the fault", vec![0.5; store.dim().unwrap_or(DIM)]);
    store.upsert_record(&new, None).unwrap();
    store.save().unwrap();
    expected.insert(new.id.clone(), new);
    check_answers(store, &expected).unwrap();
    for mode in [CrashMode::KeepAll, CrashMode::DropAllUnsynced, CrashMode::ALL[2 + seed as usize % 4]] {
        let image = subject.vfs.crash(&mut Rng::new(seed), mode);
        let store = open(&image, subject.durability)
            .unwrap_or_else(|error| panic!("{mode:?} after the fault and a reopen: {error}"));
        assert!(read(&store).unwrap() == expected, "{mode:?} after the fault and a reopen lost records");
    }
}

/// Runs the script once for each fault, kind of repetition and call in `calls`, each time from where the store was opened
/// last before that call, and reports the failures together.
fn assert_faults_are_survived(
    make: impl Fn() -> FaultVfs,
    durability: Durability,
    faults: &[Fault],
    every: u64,
) {
    let steps = script(7, count("VECSTORE_FAULT_STEPS", STEPS) as usize, DIM);
    let (starts, trace) = rehearse(&make(), &steps, durability);
    // The weaker levels sync less.
    let enough = trace.len() >= 1_000 || durability != Durability::Commit;
    assert!(enough || count("VECSTORE_FAULT_STEPS", STEPS) < STEPS, "{}", trace.len());
    let (mut runs, mut noticed) = (0, 0);
    let mut failures = Vec::new();
    for &fault in faults {
        for repeat in Repeat::ALL {
            // What a failed sync of the directories above took, no later sync of them brings back; the store cannot
            // make them anew.
            let above = |call: &Call| call.kind == CallKind::SyncDir && !call.path.starts_with(PATH);
            let applies = trace.iter().filter(|call| fault.applies_to(call.kind) && !above(call));
            for call in applies.filter(|call| call.number % every == 0) {
                let start = starts.iter().rfind(|start| start.calls < call.number);
                let start = start.expect("the first is before all calls");
                let vfs = start.disk.fork();
                vfs.fail_at(call.number - start.calls, fault, repeat);
                runs += 1;
                let rest = &steps[start.steps..];
                let run = AssertUnwindSafe(|| {
                    run_into_fault(&vfs, start.model.clone(), rest, durability, call.number)
                });
                match panic::catch_unwind(run) {
                    Ok(seen) => noticed += usize::from(seen),
                    Err(payload) => {
                        failures.push(format!("{fault:?} {repeat:?} {call}: {}", brief(&*payload)));
                    }
                }
            }
        }
    }
    println!("{durability:?}: {} calls, {runs} runs, {noticed} in which a call failed", trace.len());
    let shown = failures.iter().take(25).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{} of {runs} runs failed:\n{shown}", failures.len());
    // At the weaker levels most syncs are of no call.
    assert!(noticed > runs / 10, "{noticed} of {runs}");
}

/// Returns the start of what a panic says.
fn brief(payload: &dyn std::any::Any) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default();
    text.chars().take(400).collect()
}

#[test]
fn a_full_disk_or_failing_write_has_no_effect() {
    let faults = [Fault::NoSpace, Fault::ShortWrite { percent: 50 }];
    assert_faults_are_survived(FaultVfs::new, Durability::Commit, &faults, 1);
}

#[test]
fn a_failing_disk_has_no_effect() {
    assert_faults_are_survived(FaultVfs::new, Durability::Commit, &[Fault::Io], 1);
}

#[test]
fn a_failed_sync_has_no_effect() {
    assert_faults_are_survived(FaultVfs::new, Durability::Commit, &[Fault::FailedSync], 1);
}

#[test]
fn faults_have_no_effect_whatever_the_durability() {
    for durability in [Durability::Interval, Durability::None] {
        assert_faults_are_survived(FaultVfs::new, durability, &Fault::ALL, 7);
    }
}

#[test]
fn faults_have_no_effect_where_open_files_cannot_be_removed() {
    assert_faults_are_survived(FaultVfs::windows_like, Durability::Commit, &Fault::ALL, 7);
}

#[test]
fn a_failed_sync_stops_writes_until_the_store_is_opened_again() {
    let vfs = FaultVfs::new();
    let store = open(&vfs, Durability::Commit).unwrap();
    store.upsert_record(&Record::new("before", [1.0; DIM]), None).unwrap();
    let syncs = vfs.trace().iter().filter(|call| call.kind == CallKind::Sync).count() as u64;
    vfs.fail_nth(CallKind::Sync, syncs + 1, Fault::FailedSync, Repeat::Once);
    let failed = store.upsert_record(&Record::new("during", [2.0; DIM]), None).unwrap_err();
    check_error(&failed);
    let refused = store.upsert_record(&Record::new("after", [3.0; DIM]), None).unwrap_err();
    check_error(&refused);
    assert!(is_poison(&refused), "{refused}");
    assert_eq!(store.len().unwrap(), 1);
    assert!(store.delete("before").is_err());
    assert!(store.compact().is_err());
    _ = store.close();
    let store = open(&vfs, Durability::Commit).unwrap();
    store.upsert_record(&Record::new("after", [3.0; DIM]), None).unwrap();
    assert!(store.contains("before").unwrap());
}

#[test]
fn a_sync_that_failed_is_not_tried_again() {
    let vfs = FaultVfs::new();
    let store = open(&vfs, Durability::None).unwrap();
    store.upsert_record(&Record::new("acknowledged", [1.0; DIM]), None).unwrap();
    vfs.fail_at(vfs.calls() + 1, Fault::FailedSync, Repeat::Once);
    check_error(&store.save().unwrap_err());
    assert!(store.save().is_err(), "the second save returned as if everything were durable");
}

#[test]
fn closing_says_if_acknowledged_writes_could_not_be_made_durable() {
    let vfs = FaultVfs::new();
    let store = open(&vfs, Durability::None).unwrap();
    store.upsert_record(&Record::new("acknowledged", [1.0; DIM]), None).unwrap();
    vfs.fail_at(vfs.calls() + 1, Fault::FailedSync, Repeat::Onwards);
    assert!(store.save().is_err());
    assert!(store.close().is_err(), "close returned as if everything were durable");
}

#[test]
fn a_full_disk_is_survived_and_space_lets_the_store_go_on() {
    assert_full_disks_are_survived(DIM, 1_500);
}

#[test]
fn a_full_disk_is_survived_where_segments_have_graphs() {
    assert_full_disks_are_survived(GRAPH_DIM, 9_000);
}

fn assert_full_disks_are_survived(dim: usize, step_bytes: u64) {
    let steps = script(11, 150, dim);
    let (mut failed, mut capacity) = (0, 0);
    while capacity < 400_000 {
        let vfs = FaultVfs::new();
        vfs.set_capacity(Some(capacity));
        let mut subject = Subject::new(vfs.clone(), Durability::Commit);
        let mut steps = steps.iter();
        for step in steps.by_ref().take(100) {
            if let Err(error) = subject.perform(step) {
                failed += 1;
                assert_eq!(error.raw_os_error(), Some(28), "{error}");
                assert!(!is_poison(&error), "{error}");
            }
        }
        vfs.set_capacity(None);
        for step in steps.by_ref().take(25) {
            subject.perform(step).unwrap_or_else(|error| panic!("{step:?} with space again: {error}"));
        }
        check_crashes(&subject, capacity);
        check_reopened(subject, capacity);
        capacity += step_bytes;
    }
    println!("{failed} calls failed for lack of space");
    assert!(failed > 80, "{failed}");
}

#[test]
fn a_large_write_that_failed_does_not_keep_later_ones_waiting() {
    let vfs = FaultVfs::new();
    let options = VecStore::options().vfs(std::sync::Arc::new(vfs.clone())).memory_budget(8 << 20);
    let store = options.open(PATH).unwrap();
    let batch = |rows: u32| {
        let mut batch = vecstore::Batch::new(1024).unwrap();
        for n in 0..rows {
            batch.push(&Record::new(format!("{n}"), vec![1.0; 1024]), None).unwrap();
        }
        batch
    };
    vfs.set_capacity(Some(vfs.bytes_used() + (1 << 20)));
    assert_eq!(store.upsert_many(batch(3000)).unwrap_err().raw_os_error(), Some(28));
    assert_eq!(store.upsert_many(batch(10)).unwrap(), 10);
    assert_eq!(store.len().unwrap(), 10);
}
