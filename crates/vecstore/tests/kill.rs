//! kill -9 of a real process that writes to a real directory: what it had acknowledged is there, whole.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use vecstore::{Batch, Durability, Metadata, Record, ScrollRequest, Value, VecStore};
use vecstore_testkit::{Change, Model, Rng};

/// How often a process is killed; `VECSTORE_KILLS` in the environment changes it.
const ROUNDS: u64 = 200;

fn rounds() -> u64 {
    std::env::var("VECSTORE_KILLS").map_or(ROUNDS, |text| text.parse().unwrap())
}

/// How many rounds go on in the same store.
const ROUNDS_PER_STORE: u64 = 10;

const DIM: usize = 16;

/// The environment of the child: the directory, the durability, the number of the first call.
const DIRECTORY: &str = "VECSTORE_KILL_DIRECTORY";
const DURABILITY: &str = "VECSTORE_KILL_DURABILITY";
const FIRST_CALL: &str = "VECSTORE_KILL_FIRST_CALL";

/// What call `n` does; the same whoever asks.
enum Planned {
    Write(Vec<String>),
    Delete(Vec<String>),
}

fn plan(call: u64) -> Planned {
    let mut rng = Rng::new(call);
    let slot = rng.below(12);
    let size = if rng.one_in(3) { 1 } else { 1 + rng.below(150) };
    let ids = (0..size).map(|n| format!("{slot}-{n}")).collect();
    if rng.one_in(5) { Planned::Delete(ids) } else { Planned::Write(ids) }
}

fn record(id: &str, call: u64) -> Record {
    let metadata = Metadata::from([("call", Value::Int(call as i64))]);
    Record::new(id, [call as f32 + 1.0; DIM]).with_metadata(metadata).with_text("text ".repeat(500))
}

fn perform(store: &VecStore, call: u64) -> vecstore::Result<()> {
    match plan(call) {
        Planned::Write(ids) => {
            let mut batch = Batch::new(DIM)?;
            ids.iter().try_for_each(|id| batch.push(&record(id, call), None))?;
            store.upsert_many(batch).map(drop)
        }
        Planned::Delete(ids) => store.delete_many(ids.iter().map(String::as_str)).map(drop),
    }
}

fn apply(model: &mut Model<u64>, call: u64) {
    match plan(call) {
        Planned::Write(ids) => model.apply(ids.into_iter().map(|id| Change::Put(id, call))),
        Planned::Delete(ids) => model.apply(ids.into_iter().map(Change::Remove)),
    }
}

/// The child: writes until it is killed, and says what was acknowledged. Does nothing if run by hand.
#[test]
#[ignore = "started by `acknowledged_calls_survive_kill_9`"]
fn child() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let durability: Durability = std::env::var(DURABILITY).unwrap().parse().unwrap();
    let first: u64 = std::env::var(FIRST_CALL).unwrap().parse().unwrap();
    let store = VecStore::options().durability(durability).memory_budget(8 << 20).open(directory).unwrap();
    let mut out = std::io::stdout();
    for call in first.. {
        perform(&store, call).unwrap();
        writeln!(out, "\nacknowledged {call}").unwrap();
        out.flush().unwrap();
    }
}

fn start(directory: &Path, durability: Durability, first: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .env(DURABILITY, durability.name())
        .env(FIRST_CALL, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Lets the child acknowledge some calls, kills it somewhere in the next, and returns how many it acknowledged.
fn run_and_kill(mut child: Child, rng: &mut Rng) -> u64 {
    let wanted = rng.below(8);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let is_note = |line: &str| line.starts_with("acknowledged ");
    let mut acknowledged = 0;
    while acknowledged < wanted {
        let line = lines.next().expect("the child goes on until it is killed").unwrap();
        acknowledged += u64::from(is_note(&line));
    }
    let (begin, wait) = (Instant::now(), Duration::from_micros(rng.below(8_000)));
    while begin.elapsed() < wait {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged + lines.map_while(Result::ok).filter(|line| is_note(line)).count() as u64
}

fn read(store: &VecStore) -> BTreeMap<String, u64> {
    let records = store.records(&ScrollRequest::new().all()).unwrap();
    let read = |found: vecstore::Result<Record>| {
        let found = found.unwrap();
        let Some(Value::Int(call)) = found.metadata.get("call") else { panic!("{found:?}") };
        let call = *call as u64;
        assert_eq!(found, record(&found.id, call));
        (found.id, call)
    };
    records.map(read).collect()
}

#[test]
fn acknowledged_calls_survive_kill_9() {
    let mut rng = Rng::new(std::env::var("VECSTORE_KILL_SEED").map_or(9, |text| text.parse().unwrap()));
    let (mut total, mut unacknowledged, mut segments) = (0, 0, 0);
    let rounds = rounds();
    for _ in 0..rounds / ROUNDS_PER_STORE {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        let mut model = Model::new();
        for _ in 0..ROUNDS_PER_STORE {
            let durability = [Durability::Commit, Durability::Interval, Durability::None];
            let durability = durability[rng.below(3) as usize];
            let first = model.calls() as u64;
            let acknowledged = run_and_kill(start(&path, durability, first), &mut rng);
            (0..=acknowledged).for_each(|n| apply(&mut model, first + n));
            let store = VecStore::options().memory_budget(8 << 20).open(&path).unwrap();
            let calls = model.check((first + acknowledged) as usize, &read(&store)).unwrap();
            model.rewind(calls);
            let report = store.verify().unwrap();
            assert!(report.is_ok(), "{:?}", report.problems);
            total += acknowledged;
            unacknowledged += calls as u64 - first - acknowledged;
            segments += store.stats().unwrap().segments;
            if rng.one_in(2) {
                store.close().unwrap();
            }
        }
    }
    println!(
        "{rounds} kills, {total} calls acknowledged, {unacknowledged} more found, {segments} segments seen"
    );
    assert!(total > rounds && segments > 0);
}
