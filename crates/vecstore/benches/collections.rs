//! What a database of many small collections costs: `cargo bench -p vecstore --bench collections [collections] [records]`.
//!
//! The database is made in one process and opened in another, so that the memory shown is of opening and asking alone.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]
#![expect(clippy::disallowed_methods, reason = "it looks at the process from outside")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use vecstore::{Batch, CollectionConfig, Durability, Metadata, Query, Record, VecDatabase};

const DIM: usize = 384;
const COLLECTIONS_DEFAULT: usize = 10_000;
const RECORDS_DEFAULT: usize = 100;

fn vector(seed: usize) -> Vec<f32> {
    (0..DIM).map(|n| ((seed * DIM + n) as f32 * 0.7).sin()).collect()
}

/// Returns a figure of the process from what the kernel says of it, in MiB.
fn memory(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_suffix("kB"));
    line.and_then(|line| line.trim_matches([':', ' ', '\t']).parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

fn make(path: &Path, collections: usize, records: usize) {
    let start = Instant::now();
    let database = VecDatabase::options().durability(Durability::None).open_database(path).unwrap();
    for n in 0..collections {
        let made = database.create_collection(&format!("tenant {n}"), &CollectionConfig::new()).unwrap();
        let mut batch = Batch::with_capacity(DIM, records).unwrap();
        for row in 0..records {
            let metadata = Metadata::from([("row", (row as i64).into())]);
            let record = Record::new(format!("record {row}"), vector(n * records + row));
            batch.push(&record.with_metadata(metadata), None).unwrap();
        }
        made.upsert_many(batch).unwrap();
    }
    database.close().unwrap();
    let each = start.elapsed() / u32::try_from(collections).unwrap();
    println!("make a collection and write its {records} records, mean: {each:.1?}");
    println!("threads and peak memory while making them: {}, {:.0} MiB", threads(), memory("VmHWM"));
}

fn ask(path: &Path, collections: usize) {
    let before = memory("VmRSS");
    let start = Instant::now();
    let database = VecDatabase::open(path).unwrap();
    let opened = start.elapsed();
    println!("open {} collections: {opened:.1?}", database.list_collections().unwrap().len());
    println!("resident memory after opening: {:.0} MiB, {before:.0} before", memory("VmRSS"));
    let query = Query::new(vector(7)).k(10);
    let mut times: Vec<Duration> = (0..collections)
        .map(|n| {
            let start = Instant::now();
            let collection = database.get_collection(&format!("tenant {n}")).unwrap().unwrap();
            assert_eq!(collection.query(&query).unwrap().len(), 10);
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!("first query of a collection, median and 99th percentile: {:.1?}, {:.1?}", at(50), at(99));
    println!(
        "resident memory after a query of each: {:.0} MiB, peak {:.0}",
        memory("VmRSS"),
        memory("VmHWM")
    );
    println!(
        "open files: {}, threads: {}",
        std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
        threads()
    );
    let start = Instant::now();
    let sums = database.aggregate_stats().unwrap();
    println!("figures of all of them ({} records): {:.1?}", sums.total_vectors, start.elapsed());
    let start = Instant::now();
    database.close().unwrap();
    println!("close: {:.1?}", start.elapsed());
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |at: usize, default| arguments.get(at).map_or(default, |number| number.parse().unwrap());
    let (collections, records) = (number(0, COLLECTIONS_DEFAULT), number(1, RECORDS_DEFAULT));
    match arguments.get(2).map(String::as_str) {
        Some(path) => ask(Path::new(path), collections),
        None => {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("database");
            make(&path, collections, records);
            let numbers = [collections, records].map(|number| number.to_string());
            let asked =
                Command::new(std::env::current_exe().unwrap()).args(numbers).arg(&path).status().unwrap();
            assert!(asked.success());
        }
    }
}
