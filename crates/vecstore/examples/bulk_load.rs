//! Loads records at each durability level, lets threads share syncs, and reads beside the writer.
//!
//! `cargo run --release -p vecstore --example bulk_load`
//!
//! The times are of your disk and of this build; they are no benchmark.

use std::path::Path;
use std::time::Instant;

use vecstore::{Batch, Durability, Metadata, Query, Record, VecStore};

const DIM: usize = 64;
const BATCHES: usize = 20;
const RECORDS_PER_BATCH: usize = 500;
const THREADS: usize = 8;
const UPSERTS_PER_THREAD: usize = 25;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for durability in [Durability::Commit, Durability::Interval, Durability::None] {
        let directory = tempfile::tempdir()?;
        load(directory.path(), durability)?;
    }
    let directory = tempfile::tempdir()?;
    share_syncs(directory.path())?;
    read_beside_the_writer(directory.path())?;
    Ok(())
}

/// Writes batches at one level, then makes them durable. One `upsert_many` is one atomic call with at most one sync,
/// so a large batch makes durable writes cheap.
fn load(path: &Path, durability: Durability) -> vecstore::Result<()> {
    let store = VecStore::options().durability(durability).open(path)?;
    let started = Instant::now();
    for batch in 0..BATCHES {
        store.upsert_many(batch_of(batch * RECORDS_PER_BATCH..(batch + 1) * RECORDS_PER_BATCH)?)?;
    }
    let acknowledged = started.elapsed();
    // Everything acknowledged so far is on disk when this returns, whatever the level.
    store.save()?;
    println!(
        "{:8} {} records acknowledged in {acknowledged:.1?}, durable after {:.1?}",
        durability.name(),
        store.len()?,
        started.elapsed()
    );
    Ok(())
}

/// Writes single records, durably, from one thread and from several: writes that wait at the same time share a sync.
fn share_syncs(path: &Path) -> vecstore::Result<()> {
    let store = VecStore::open(path)?;
    for threads in [1, THREADS] {
        let started = Instant::now();
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..threads)
                .map(|thread| {
                    let store = &store;
                    scope.spawn(move || {
                        (0..UPSERTS_PER_THREAD).try_for_each(|n| {
                            let id = format!("{threads}-{thread}-{n}");
                            store.upsert(&id, &vector(n), &Metadata::new())
                        })
                    })
                })
                .collect();
            writers.into_iter().try_for_each(|writer| writer.join().expect("a writer does not panic"))
        })?;
        let upserts = threads * UPSERTS_PER_THREAD;
        println!(
            "{threads} thread(s): {upserts} durable upserts, {:.0} per second",
            upserts as f64 / started.elapsed().as_secs_f64()
        );
    }
    store.close()
}

/// Opens the store a second time, for reading only. Any number of processes may do so beside the one that writes.
fn read_beside_the_writer(path: &Path) -> vecstore::Result<()> {
    let writer = VecStore::open(path)?;
    let reader = VecStore::options().read_only(true).open(path)?;
    let before = reader.len()?;
    writer.upsert_many(batch_of(0..RECORDS_PER_BATCH)?)?;
    println!("The reader saw {before} records, and {} after the writer's next call", reader.len()?);

    // A second writer is refused at once, by name.
    if let Err(error) = VecStore::open(path) {
        println!("A second writer: {:?}", error.kind());
    }

    let stats = writer.stats()?;
    println!(
        "{} records, {} of them not in a segment yet, {} segments, {} bytes on disk, {} calls",
        stats.active, stats.unsealed_rows, stats.segments, stats.disk_bytes, stats.lsn
    );

    // Upkeep runs by itself in the background; `compact` does it now. Readers follow.
    writer.compact()?;
    let stats = writer.stats()?;
    println!("After compacting: {} segment, {} unsealed rows", stats.segments, stats.unsealed_rows);
    let nearest = reader.query(&Query::new(vector(7)).k(3))?;
    println!("The reader finds {:?}", nearest.iter().map(|found| found.id.as_str()).collect::<Vec<_>>());
    Ok(())
}

fn batch_of(numbers: std::ops::Range<usize>) -> vecstore::Result<Batch> {
    let mut batch = Batch::with_capacity(DIM, numbers.len())?;
    for n in numbers {
        let record = Record::new(format!("record-{n}"), vector(n)).with_metadata([("n", (n as i64).into())]);
        batch.push(&record, None)?;
    }
    Ok(batch)
}

/// Makes a vector that depends on `n` alone.
fn vector(n: usize) -> Vec<f32> {
    (0..DIM).map(|component| ((n * 31 + component * 17) % 97) as f32 - 48.0).collect()
}
