//! The process stops, or the power is cut, at every call that a script makes on the file system.

use std::collections::{BTreeMap, HashSet};
use std::ops::RangeInclusive;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::{Arc, Mutex};

use vecstore::{Durability, Record, Result};
use vecstore_testkit::{Call, CallKind, CrashMode, FaultVfs, Model, Rng};

use crate::script::{DIM, GRAPH_DIM, Step, script};
use crate::soak::count;
use crate::subject::{PATH, check_answers, open, read};

/// Steps of a script; `VECSTORE_STOP_STEPS` in the environment changes it.
const STEPS: u64 = 300;

/// Steps of the long script, in percent of the others: more than 5,000 calls on the file system.
const LONG_PERCENT: u64 = 320;

/// Of the power cuts at one call of the long script, so many of the five kinds are tried, going round.
const LONG_MODES: usize = 2;

/// Recovering from a crash during recovery takes as long as from 30 others.
const SECOND_CRASH_EVERY: usize = 100;

/// What had happened when an image was taken: how many steps had returned, and how many of them were before the
/// last barrier.
#[derive(Clone, Copy, Debug)]
struct Progress {
    acknowledged: usize,
    barrier: usize,
}

impl Progress {
    fn note(self, vfs: &FaultVfs) {
        vfs.mark((self.barrier as u64) << 32 | self.acknowledged as u64);
    }

    fn of(vfs: &FaultVfs) -> Self {
        let mark = vfs.marked();
        Self { acknowledged: mark as u32 as usize, barrier: (mark >> 32) as usize }
    }

    /// The numbers of steps that may be there after a crash.
    fn allowed(self, durability: Durability, power_cut: bool) -> RangeInclusive<usize> {
        let kept =
            if power_cut && durability != Durability::Commit { self.barrier } else { self.acknowledged };
        kept..=self.acknowledged + 1
    }
}

/// Runs a script from the creation of the store to its end, noting the progress.
pub(crate) fn run(vfs: &FaultVfs, steps: &[Step], durability: Durability) -> Result<Model<Record>> {
    let mut model = Model::new();
    let mut progress = Progress { acknowledged: 0, barrier: 0 };
    let mut store = open(vfs, durability)?;
    for step in steps {
        let changes = step.changes(&model);
        if matches!(step, Step::Reopen) {
            store.close()?;
            progress.barrier = progress.acknowledged;
            progress.note(vfs);
            store = open(vfs, durability)?;
        } else {
            step.perform(&store)?;
        }
        model.apply(changes);
        progress.acknowledged += 1;
        if step.is_barrier() {
            progress.barrier = progress.acknowledged;
        }
        progress.note(vfs);
    }
    store.close()?;
    Ok(model)
}

/// A crash to recover from.
struct Crash {
    call: Call,
    disk: FaultVfs,
}

fn crashes(vfs: &FaultVfs, steps: &[Step], durability: Durability) -> (Model<Record>, Vec<Crash>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    vfs.watch(move |call, disk| sink.lock().unwrap().push(Crash { call: call.clone(), disk }));
    let model = run(vfs, steps, durability).unwrap();
    let crashes = std::mem::take(&mut *seen.lock().unwrap());
    (model, crashes)
}

#[derive(Debug, Default)]
struct Tally {
    calls: usize,
    images: usize,
    cuts: usize,
    repeated: usize,
    second: usize,
    failures: Vec<String>,
}

/// Takes each image of each crash through recovery and compares what is there with the model. A stop of the process is
/// tried at every call, and so are `modes` of the five kinds of power cut.
fn check_all(vfs: &FaultVfs, durability: Durability, seed: u64, (dim, percent, modes): Script) -> Tally {
    let steps = script(seed, (count("VECSTORE_STOP_STEPS", STEPS) * percent / 100) as usize, dim);
    let (model, crashes) = crashes(vfs, &steps, durability);
    let mut rng = Rng::new(seed);
    let mut tally = Tally { calls: crashes.len(), ..Tally::default() };
    let mut seen = HashSet::new();
    for (n, Crash { call, disk }) in crashes.into_iter().enumerate() {
        for (kind, mode) in CrashMode::ALL.into_iter().enumerate() {
            // The first is a stop of the process.
            if kind > 0 && (kind + n * modes) % (CrashMode::ALL.len() - 1) >= modes {
                continue;
            }
            let image = disk.crash(&mut rng, mode);
            // What is durable of an image matters too; only images after a power cut are the same if they look so.
            if mode != CrashMode::KeepAll && !seen.insert((image.fingerprint(), image.marked())) {
                tally.repeated += 1;
                continue;
            }
            tally.images += 1;
            tally.cuts += usize::from(mode != CrashMode::KeepAll);
            let second = if tally.images.is_multiple_of(SECOND_CRASH_EVERY) {
                Second::Everywhere
            } else if mode == CrashMode::KeepAll && names_a_manifest(&call) {
                Second::Naming
            } else {
                Second::Nowhere
            };
            let progress = Progress::of(&disk);
            let check = || {
                let recovery =
                    Recovery { model: &model, durability, progress, dim, seed: rng.clone().next_u64() };
                recovery.check(&image, mode != CrashMode::KeepAll, second)
            };
            let outcome = panic::catch_unwind(AssertUnwindSafe(check));
            match outcome.unwrap_or_else(|_| Err("panicked, see above".to_owned())) {
                Ok(second) => tally.second += second,
                Err(what) => tally.failures.push(format!("{call}, {mode:?}, {progress:?}: {what}")),
            }
        }
    }
    tally
}

/// Where recovery from an image is stopped as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Second {
    Nowhere,
    /// Where it has named a manifest and not synced the name, as the first stop was: names of several in a row are not
    /// durable then.
    Naming,
    Everywhere,
}

fn names_a_manifest(call: &Call) -> bool {
    call.kind == CallKind::SyncDir && *call.path == *Path::new(PATH)
}

struct Recovery<'a> {
    model: &'a Model<Record>,
    durability: Durability,
    progress: Progress,
    dim: usize,
    seed: u64,
}

impl Recovery<'_> {
    /// Recovers from an image, and from crashes during that recovery. Returns how many of those.
    fn check(&self, image: &FaultVfs, power_cut: bool, second: Second) -> Result<usize, String> {
        let mut seconds = 0;
        if second != Second::Nowhere {
            for (call, mode, again) in self.crashes_of_recovery(image, second) {
                seconds += 1;
                let recovered = self.recover(&again, power_cut || mode != CrashMode::KeepAll);
                recovered.map_err(|error| format!("second crash at {call}, {mode:?}: {error}"))?;
            }
        }
        self.recover(image, power_cut)?;
        Ok(seconds)
    }

    /// Returns disks after a crash at each call of an open, with the mode going round; or after a stop of the process
    /// where it names a manifest.
    fn crashes_of_recovery(&self, image: &FaultVfs, second: Second) -> Vec<(Call, CrashMode, FaultVfs)> {
        let disks = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&disks);
        let vfs = image.fork();
        vfs.watch(move |call, disk| {
            if second == Second::Everywhere || names_a_manifest(call) {
                sink.lock().unwrap().push((call.clone(), disk));
            }
        });
        // What it returns is checked on the same image without crashes.
        _ = open(&vfs, self.durability);
        let mut rng = Rng::new(self.seed);
        let disks = std::mem::take(&mut *disks.lock().unwrap());
        let crash = |(n, (call, disk)): (usize, (Call, FaultVfs))| {
            let mode = match second {
                Second::Everywhere => CrashMode::ALL[n % CrashMode::ALL.len()],
                Second::Naming | Second::Nowhere => CrashMode::KeepAll,
            };
            (call, mode, disk.crash(&mut rng, mode))
        };
        disks.into_iter().enumerate().map(crash).collect()
    }

    /// Opens a disk, compares, writes on, cuts the power, and compares again.
    fn recover(&self, disk: &FaultVfs, power_cut: bool) -> Result<(), String> {
        let allowed = self.progress.allowed(self.durability, power_cut);
        let say =
            |what: &'static str| move |error: vecstore::Error| format!("{what}: {:?} {error}", error.kind());
        let store = open(disk, self.durability).map_err(say("open"))?;
        let found = read(&store).map_err(say("read"))?;
        self.model.check_between(allowed, &found).map_err(|mismatch| mismatch.to_string())?;
        check_answers(&store, &found).map_err(say("ask"))?;
        let report = store.verify().map_err(say("verify"))?;
        if !report.is_ok() {
            return Err(format!("verify after open: {:?}", report.problems));
        }
        let new = Record::new("after the crash", vec![0.5; self.dim]);
        store.upsert_record(&new, None).map_err(say("write on"))?;
        store.save().map_err(say("save"))?;
        let mut expected: BTreeMap<String, Record> = found;
        expected.insert(new.id.clone(), new);
        let cut = disk.crash(&mut Rng::new(self.seed), CrashMode::DropAllUnsynced);
        let random = disk.crash(&mut Rng::new(self.seed), CrashMode::ALL[2 + self.seed as usize % 4]);
        for again in [cut, random] {
            let store =
                open(&again, self.durability).map_err(say("open after a power cut after recovery"))?;
            if read(&store).map_err(say("read"))? != expected {
                return Err("a power cut after recovery took what was recovered or written since".to_owned());
            }
        }
        store.close().map_err(say("close"))?;
        Ok(())
    }
}

/// The dimension of the vectors, the length in percent, and the kinds of power cut at each call.
type Script = (usize, u64, usize);

const SHORT: Script = (DIM, 100, 5);

/// Runs as many scripts as `VECSTORE_STOP_SCRIPTS` says. Returns the calls and the power cuts of all.
fn assert_survives(
    vfs: impl Fn() -> FaultVfs,
    durability: Durability,
    seed: u64,
    script: Script,
) -> (usize, usize) {
    let (mut calls, mut cuts) = (0, 0);
    for round in 0..count("VECSTORE_STOP_SCRIPTS", 1) {
        let tally = assert_survives_script(&vfs(), durability, seed + 100 * round, script);
        (calls, cuts) = (calls + tally.calls, cuts + tally.cuts);
    }
    (calls, cuts)
}

fn assert_survives_script(vfs: &FaultVfs, durability: Durability, seed: u64, script: Script) -> Tally {
    let tally = check_all(vfs, durability, seed, script);
    println!(
        "{durability:?}: {} calls, {} states, {} of them after a power cut ({} more were the same), {} second crashes",
        tally.calls, tally.images, tally.cuts, tally.repeated, tally.second
    );
    let failures = &tally.failures;
    let shown = failures.iter().take(12).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{} of {} images failed:\n{shown}", failures.len(), tally.images);
    tally
}

#[test]
fn a_stop_at_any_call_keeps_what_was_acknowledged_under_commit() {
    let (calls, _) = assert_survives(FaultVfs::new, Durability::Commit, 1, (DIM, LONG_PERCENT, LONG_MODES));
    assert!(calls >= 5_000 || count("VECSTORE_STOP_STEPS", STEPS) < STEPS, "{calls}");
}

#[test]
fn a_power_cut_at_any_call_keeps_what_was_acknowledged_under_commit() {
    assert_survives(FaultVfs::new, Durability::Commit, 6, SHORT);
}

#[test]
fn a_stop_at_any_call_keeps_what_was_acknowledged_under_interval() {
    assert_survives(FaultVfs::new, Durability::Interval, 2, SHORT);
}

#[test]
fn a_stop_at_any_call_keeps_what_was_acknowledged_without_durability() {
    assert_survives(FaultVfs::new, Durability::None, 3, SHORT);
}

#[test]
fn a_stop_at_any_call_keeps_what_was_acknowledged_where_open_files_cannot_be_removed() {
    assert_survives(FaultVfs::windows_like, Durability::Commit, 4, SHORT);
}

#[test]
fn a_stop_at_any_call_keeps_what_was_acknowledged_where_segments_have_graphs() {
    assert_survives(FaultVfs::new, Durability::Commit, 5, (GRAPH_DIM, 100, 5));
}
