//! Times of the engine without Python: `cargo bench -p vecstore --bench engine`. Medians; random data of 384
//! dimensions, so that figures of speed are right and figures of recall would mean nothing.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]
#![expect(clippy::disallowed_methods, reason = "the disk is measured beside the engine")]

use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use vecstore::{Batch, Durability, Metadata, Query, QueryOptions, Record, Value, VecStore, field};

const DIM: usize = 384;
const ROWS: usize = 62_436;

fn vector(seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    (0..DIM).map(|_| next()).collect()
}

fn metadata(n: usize) -> Metadata {
    Metadata::from([
        ("name", Value::from(format!("package-{n}"))),
        ("section", Value::from(["libs", "devel", "python", "fonts"][n % 4])),
        ("priority", Value::from("optional")),
        ("installed_size", Value::Int(n as i64 * 37 % 100_000)),
        ("version", Value::from("1.2.3-4")),
    ])
}

fn batch(rows: std::ops::Range<usize>, with_metadata: bool) -> Batch {
    let mut batch = Batch::with_capacity(DIM, rows.len()).unwrap();
    for n in rows {
        let mut record = Record::new(format!("id-{n}"), vector(n as u64 + 1));
        if with_metadata {
            record = record.with_metadata(metadata(n));
        }
        batch.push(&record, None).unwrap();
    }
    batch
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn measure(rounds: usize, mut call: impl FnMut(usize)) -> Duration {
    let time = |round| {
        let start = Instant::now();
        call(round);
        start.elapsed()
    };
    median((0..rounds).map(time).collect())
}

fn print(what: &str, time: Duration, note: &str) {
    println!("{what:58} {:>12.1} us  {note}", time.as_secs_f64() * 1e6);
}

fn raw_write(directory: &Path, bytes: usize) -> Duration {
    let content = vec![7u8; bytes];
    measure(7, |round| {
        let mut file = std::fs::File::create(directory.join(format!("raw-{round}"))).unwrap();
        file.write_all(&content).unwrap();
        file.sync_data().unwrap();
    })
}

fn main() {
    let directory = tempfile::tempdir().unwrap();
    bulk(directory.path());
    single(directory.path());
    search(directory.path());
    small();
}

fn bulk(directory: &Path) {
    for (with_metadata, name) in [(false, "ids and vectors"), (true, "with metadata")] {
        let batches: Vec<Batch> = (0..3).map(|_| batch(0..10_000, with_metadata)).collect();
        let mut batches = batches.into_iter();
        let time = measure(3, |round| {
            let store = VecStore::open(directory.join(format!("bulk-{with_metadata}-{round}"))).unwrap();
            let batch = batches.next().unwrap();
            store.upsert_many(batch).unwrap();
        });
        let rate = format!("{:.0} rows/s", 10_000.0 / time.as_secs_f64());
        print(&format!("10,000 rows in one durable call, {name}, opening too"), time, &rate);
    }
    let raw = raw_write(directory, 10_000 * DIM * 4);
    print("the same vectors written and synced raw", raw, "");
}

/// Syncs, single upserts and upserts of eight threads take turns, so that all three see the same disk.
fn single(directory: &Path) {
    let file = std::fs::File::create(directory.join("raw")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &vec![0; 64 << 20], 0).unwrap();
    file.sync_all().unwrap();
    let content = [7u8; 2048];
    let store = VecStore::open(directory.join("single")).unwrap();
    let vectors: Vec<Vec<f32>> = (0..64).map(vector).collect();
    let metadata = metadata(1);
    let (mut syncs, mut ones, mut eights) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..9 {
        syncs.push(measure(200, |n| {
            let at = ((round * 200 + n) * 2048) as u64;
            std::os::unix::fs::FileExt::write_all_at(&file, &content, at).unwrap();
            file.sync_data().unwrap();
        }));
        ones.push(measure(200, |n| store.upsert(&format!("s-{n}"), &vectors[n % 64], &metadata).unwrap()));
        let start = Instant::now();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (store, vectors, metadata) = (&store, &vectors, &metadata);
                scope.spawn(move || {
                    for n in 0..100 {
                        store.upsert(&format!("t-{thread}-{n}"), &vectors[n % 64], metadata).unwrap();
                    }
                });
            }
        });
        eights.push(start.elapsed() / 800);
    }
    let rate = |time: Duration| format!("{:.0}/s", 1.0 / time.as_secs_f64());
    let (sync, one, eight) = (median(syncs), median(ones), median(eights));
    print("2 KiB written in place and synced, raw", sync, "");
    print("one durable upsert", one, &rate(one));
    print("one durable upsert of 8 threads together", eight, &rate(eight));
    let memory = VecStore::options().open_in_memory().unwrap();
    let time = measure(5000, |n| memory.upsert(&format!("s-{n}"), &vectors[n % 64], &metadata).unwrap());
    print("one upsert in memory", time, "");
}

fn search(directory: &Path) {
    let path = directory.join("search");
    let store = VecStore::options().durability(Durability::None).open(&path).unwrap();
    for start in (0..ROWS).step_by(1000) {
        store.upsert_many(batch(start..ROWS.min(start + 1000), true)).unwrap();
    }
    store.compact().unwrap();
    store.close().unwrap();
    drop(store);
    for threads in [1, 0] {
        let open = || VecStore::options().threads(threads).open(&path).unwrap();
        print("opening and closing 62,436 rows", measure(5, |_| open().close().unwrap()), "");
        let store = open();
        let time = measure(1, |_| drop(store.query(&Query::new(vector(7))).unwrap()));
        print(&format!("first exact search, threads={threads}"), time, "checks every block");
        let time = measure(100, |n| drop(black_box(store.search(&Query::new(vector(n as u64))).unwrap())));
        let bandwidth = (ROWS * DIM * 4) as f64 / time.as_secs_f64() / 1e9;
        print(&format!("exact search, threads={threads}"), time, &format!("{bandwidth:.1} GB/s of f32"));
        let filter = field("section").eq("fonts") & field("installed_size").lt(50_000);
        let filtered = |n| Query::new(vector(n)).filter(filter.clone());
        let time = measure(50, |n| drop(black_box(store.search(&filtered(n as u64)).unwrap())));
        print(&format!("exact search with a filter, threads={threads}"), time, "");
        let queries: Vec<f32> = (0..64).flat_map(vector).collect();
        let time =
            measure(3, |_| drop(store.search_batch(&queries, DIM, &QueryOptions::new()).unwrap())) / 64;
        print(&format!("one of 64 exact searches in a batch, threads={threads}"), time, "");
    }
}

fn small() {
    let store = VecStore::options().open_in_memory().unwrap();
    store.upsert_many(batch(0..100, true)).unwrap();
    let query = Query::new(vector(5));
    let time = measure(20_000, |_| drop(black_box(store.search(&query).unwrap())));
    print("search of 100 rows", time, "");
    let time = measure(20_000, |_| drop(black_box(store.query(&query).unwrap())));
    print("search of 100 rows with metadata", time, "");
    let time = measure(20_000, |_| drop(black_box(store.get("id-50").unwrap())));
    print("get", time, "");
}
