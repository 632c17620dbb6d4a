//! The process stops, or the power is cut, at every call that a script makes on the file system while it makes, renames,
//! sets and deletes collections, keeps snapshots and goes back to them, and makes backups.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex};

use vecstore::{CollectionConfig, Durability, ErrorKind, Metadata, NamespaceStatus, Result, VecDatabase};
use vecstore_testkit::{Call, CrashMode, Fault, FaultVfs, Repeat, Rng};

use crate::subject::{PATH, options};

const BACKUP: &str = "/home/backup";

#[derive(Clone, Debug)]
enum Step {
    Create(&'static str),
    Delete(&'static str),
    Rename(&'static str, &'static str),
    Status(&'static str, NamespaceStatus),
    Write(&'static str, usize),
    Remove(&'static str, usize),
    Compact(&'static str),
    Keep(&'static str, &'static str),
    GoBack(&'static str, &'static str),
    Forget(&'static str, &'static str),
    Backup,
    Restore(&'static str),
    Reopen,
}

use Step::{
    Backup, Compact, Create, Delete, Forget, GoBack, Keep, Remove, Rename, Reopen, Restore, Status, Write,
};

/// Every step has an effect that a later one meets.
fn script() -> Vec<Step> {
    vec![
        Create("a"),
        Write("a", 3),
        Create("b"),
        Keep("a", "first"),
        Write("a", 5),
        Write("b", 2),
        Status("b", NamespaceStatus::ReadOnly),
        Rename("a", "c"),
        Backup,
        Remove("c", 1),
        Keep("c", "second"),
        Compact("c"),
        GoBack("c", "first"),
        Write("c", 4),
        Reopen,
        GoBack("c", "second"),
        Write("c", 7),
        Status("b", NamespaceStatus::Active),
        Backup,
        Forget("c", "first"),
        Write("b", 6),
        Compact("b"),
        Delete("b"),
        Restore("b"),
        Write("b", 1),
        Restore("c"),
        Create("d"),
        Delete("c"),
        Rename("b", "a"),
        Backup,
        Delete("d"),
        Reopen,
        GoBack("a", "none"),
        Write("a", 9),
    ]
}

/// A collection as it can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct State {
    ids: BTreeSet<usize>,
    snapshots: Vec<(String, usize)>,
    is_active: bool,
}

/// What all of them are, what their snapshots hold, and what the backup holds.
#[derive(Clone, Debug, Default)]
struct Model {
    collections: BTreeMap<&'static str, State>,
    kept: BTreeMap<(&'static str, &'static str), BTreeSet<usize>>,
    backup: BTreeMap<&'static str, BTreeSet<usize>>,
}

impl Model {
    fn apply(&mut self, step: &Step) {
        match *step {
            Create(name) => {
                self.collections.insert(name, State { is_active: true, ..State::default() });
            }
            Delete(name) => {
                self.collections.remove(name);
                self.kept.retain(|(of, _), _| *of != name);
            }
            Rename(from, to) => {
                let state = self.collections.remove(from).unwrap();
                self.collections.insert(to, state);
                let kept = std::mem::take(&mut self.kept);
                let renamed = |((of, name), ids)| ((if of == from { to } else { of }, name), ids);
                self.kept = kept.into_iter().map(renamed).collect();
            }
            Status(name, status) => {
                self.collections.get_mut(name).unwrap().is_active = status == NamespaceStatus::Active;
            }
            Write(name, id) => _ = self.collections.get_mut(name).unwrap().ids.insert(id),
            Remove(name, id) => _ = self.collections.get_mut(name).unwrap().ids.remove(&id),
            Keep(name, snapshot) => {
                let state = self.collections.get_mut(name).unwrap();
                state.snapshots.push((snapshot.to_owned(), state.ids.len()));
                self.kept.insert((name, snapshot), state.ids.clone());
            }
            GoBack(name, snapshot) => {
                if let Some(ids) = self.kept.get(&(name, snapshot)) {
                    self.collections.get_mut(name).unwrap().ids = ids.clone();
                }
            }
            Forget(name, snapshot) => {
                self.collections.get_mut(name).unwrap().snapshots.retain(|(one, _)| one != snapshot);
                self.kept.remove(&(name, snapshot));
            }
            Backup => {
                self.backup =
                    self.collections.iter().map(|(name, state)| (*name, state.ids.clone())).collect();
            }
            Restore(name) => {
                let ids = self.backup[name].clone();
                let made = || State { is_active: true, ..State::default() };
                self.collections.entry(name).or_insert_with(made).ids = ids;
            }
            Compact(_) | Reopen => {}
        }
    }
}

fn open(vfs: &FaultVfs) -> Result<VecDatabase> {
    database_options(vfs).open_database(PATH)
}

fn database_options(vfs: &FaultVfs) -> vecstore::OpenOptions {
    // Those of a store, but for what is a collection's.
    VecDatabase::options()
        .vfs(Arc::new(vfs.clone()))
        .durability(Durability::Commit)
        .background(false)
        .threads(1)
}

fn perform(database: &VecDatabase, step: &Step) -> Result<()> {
    let collection = |name: &str| {
        database.get_collection(name)?.ok_or_else(|| {
            vecstore::Error::new(ErrorKind::NotFound, format!("the script has no collection {name}"))
        })
    };
    let outcome = match *step {
        Create(name) => database.create_collection(name, &CollectionConfig::new()).map(drop),
        Delete(name) => database.delete_collection(name).map(drop),
        Rename(from, to) => database.rename_collection(from, to),
        Status(name, status) => database.update_status(name, status),
        Write(name, id) => collection(name)?.upsert(&id.to_string(), &[1.0, id as f32], &Metadata::new()),
        Remove(name, id) => collection(name)?.delete(&id.to_string()).map(drop),
        Compact(name) => collection(name)?.compact().map(drop),
        Keep(name, snapshot) => collection(name)?.create_snapshot(snapshot).map(drop),
        GoBack(name, snapshot) => collection(name)?.restore_snapshot(snapshot),
        Forget(name, snapshot) => collection(name)?.delete_snapshot(snapshot).map(drop),
        Backup => database.backup(BACKUP, true).map(drop),
        Restore(name) => database.restore_collection(name, BACKUP).map(drop),
        Reopen => unreachable!("the one who runs the script has the database to reopen"),
    };
    match outcome {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

fn read(database: &VecDatabase) -> Result<BTreeMap<String, State>> {
    let mut found = BTreeMap::new();
    for name in database.list_collections()? {
        let collection = database.get_collection(&name)?.unwrap();
        let mut state =
            State { is_active: database.stats(&name)?.status == NamespaceStatus::Active, ..State::default() };
        for snapshot in collection.list_snapshots()? {
            state.snapshots.push((snapshot.name, snapshot.record_count));
        }
        for record in collection.iter()? {
            state.ids.insert(record?.id.parse().unwrap());
        }
        assert_eq!(collection.len()?, state.ids.len());
        let report = collection.verify()?;
        assert!(report.is_ok(), "{:?}", report.problems);
        found.insert(name, state);
    }
    Ok(found)
}

/// Runs the script, and calls `step` with the number of steps that were done before each.
fn run(vfs: &FaultVfs) -> Result<Vec<Model>> {
    let mut models = vec![Model::default()];
    let mut database = open(vfs)?;
    for (n, step) in script().iter().enumerate() {
        if matches!(step, Reopen) {
            database.close()?;
            database = open(vfs)?;
        } else {
            perform(&database, step)?;
        }
        let mut model = models.last().unwrap().clone();
        model.apply(step);
        models.push(model);
        vfs.mark(n as u64 + 1);
    }
    database.close()?;
    Ok(models)
}

fn same(model: &Model, found: &BTreeMap<String, State>) -> bool {
    model
        .collections
        .iter()
        .map(|(name, state)| (*name, state))
        .eq(found.iter().map(|(name, state)| (name.as_str(), state)))
}

/// Recovers from an image; the collections and the backup must be those after the steps that were done, or one more.
fn check(models: &[Model], image: &FaultVfs) -> Result<(), String> {
    let done = image.marked() as usize;
    let allowed = &models[done..models.len().min(done + 2)];
    let say =
        |what: &'static str| move |error: vecstore::Error| format!("{what}: {:?} {error}", error.kind());
    let database = open(image).map_err(say("open"))?;
    let found = read(&database).map_err(say("read"))?;
    if !allowed.iter().any(|model| same(model, &found)) {
        return Err(format!("after {done} steps: {found:?}\nexpected one of {allowed:?}"));
    }
    let anew =
        database.create_collection("after the crash", &CollectionConfig::new()).map_err(say("create"))?;
    anew.upsert("1", &[1.0, 1.0], &Metadata::new()).map_err(say("write on"))?;
    database.close().map_err(say("close"))?;
    let restored = database_options(image).restore_backup(BACKUP, "/home/restored");
    let held = match restored {
        Ok(()) => {
            let database = database_options(image)
                .open_database("/home/restored")
                .map_err(say("open what was restored"))?;
            let found = read(&database).map_err(say("read what was restored"))?;
            found.into_iter().map(|(name, state)| (name, state.ids)).collect()
        }
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Io) => BTreeMap::new(),
        Err(error) => return Err(say("restore")(error)),
    };
    let holds = |model: &Model| {
        model
            .backup
            .iter()
            .map(|(name, ids)| (*name, ids))
            .eq(held.iter().map(|(name, ids): (&String, &BTreeSet<usize>)| (name.as_str(), ids)))
    };
    if !allowed.iter().any(holds) {
        return Err(format!("after {done} steps the backup holds {held:?}"));
    }
    Ok(())
}

fn assert_survives(vfs: FaultVfs, modes: &[CrashMode]) {
    let disks = Arc::new(Mutex::new(Vec::<(Call, FaultVfs)>::new()));
    let sink = Arc::clone(&disks);
    let watched = vfs;
    watched.watch(move |call, disk| sink.lock().unwrap().push((call.clone(), disk)));
    let models = run(&watched).unwrap();
    let disks = std::mem::take(&mut *disks.lock().unwrap());
    let (mut rng, mut seen, mut images) = (Rng::new(6), HashSet::new(), 0);
    let mut failures = Vec::new();
    let calls = disks.len();
    for (call, disk) in disks {
        for &mode in modes {
            let image = disk.crash(&mut rng, mode);
            if mode != CrashMode::KeepAll && !seen.insert((image.fingerprint(), image.marked())) {
                continue;
            }
            images += 1;
            if let Err(what) = check(&models, &image) {
                failures.push(format!("{call}, {mode:?}: {what}"));
            }
        }
    }
    println!("{calls} calls, {images} images");
    let shown = failures.iter().take(8).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{} of {images} images failed:\n{shown}", failures.len());
}

#[test]
fn a_stop_at_any_call_leaves_collections_snapshots_and_backups_whole() {
    assert_survives(FaultVfs::new(), &CrashMode::ALL);
}

#[test]
fn a_stop_at_any_call_leaves_collections_whole_where_open_files_cannot_be_removed() {
    assert_survives(FaultVfs::windows_like(), &[CrashMode::KeepAll, CrashMode::DropAllUnsynced]);
}

#[test]
fn a_failing_call_fails_the_step_or_leaves_it_done_and_never_breaks_the_database() {
    let complete = FaultVfs::new();
    let models = run(&complete).unwrap();
    let mut failed = 0;
    // Every third call: each kind of call of each step is among them.
    for call in (1..=complete.calls()).step_by(3) {
        for fault in [Fault::NoSpace, Fault::Io] {
            let vfs = FaultVfs::new();
            vfs.fail_at(call, fault, Repeat::Once);
            let outcome = run(&vfs);
            if let Err(error) = &outcome {
                assert!(
                    matches!(error.kind(), ErrorKind::Io | ErrorKind::Closed),
                    "{call} {fault:?}: {error}"
                );
                failed += 1;
            }
            let disk = vfs.crash(&mut Rng::new(call), CrashMode::KeepAll);
            if let Err(what) = check(&models, &disk) {
                panic!("call {call}, {fault:?}, {outcome:?}: {what}");
            }
        }
    }
    assert!(failed > 50, "{failed}");
}

#[test]
fn a_store_of_the_first_format_and_a_database_are_the_same_thing() {
    let vfs = FaultVfs::new();
    let store = options(&vfs, Durability::Commit).open(PATH).unwrap();
    store.upsert("1", &[1.0, 2.0], &Metadata::new()).unwrap();
    store.close().unwrap();
    let database = open(&vfs).unwrap();
    assert_eq!(database.list_collections().unwrap(), ["default"]);
    assert_eq!(database.get_collection("default").unwrap().unwrap().len().unwrap(), 1);
}
