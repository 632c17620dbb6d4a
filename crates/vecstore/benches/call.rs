//! The time of one query of 100 rows, and of one row, without Python, for `benches/compare` (its `--rust-call-command`): prints JSON.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::hint::black_box;
use std::time::Instant;

use vecstore::{Batch, Metadata, Query, Record, Value, VecStore};

const DIM: usize = 384;
const CALLS: usize = 20_000;

fn vector(seed: usize) -> Vec<f32> {
    (0..DIM).map(|n| ((seed * DIM + n) as f32 * 0.7).sin()).collect()
}

/// Returns the median time of a call in microseconds.
fn measure(mut call: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..CALLS)
        .map(|_| {
            let start = Instant::now();
            call();
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[CALLS / 2]
}

fn store(rows: usize) -> VecStore {
    let store = VecStore::options().threads(1).open_in_memory().unwrap();
    let mut batch = Batch::new(DIM).unwrap();
    for n in 0..rows {
        let metadata = Metadata::from([
            ("name", Value::from(format!("package-{n}"))),
            ("section", Value::from("libs")),
            ("priority", Value::from("optional")),
            ("installed_size", Value::Int(n as i64 * 37)),
            ("architecture", Value::from("all")),
            ("version", Value::from("1.2.3-4")),
        ]);
        batch.push(&Record::new(format!("{n}"), vector(n)).with_metadata(metadata), None).unwrap();
    }
    store.upsert_many(batch).unwrap();
    store
}

fn main() {
    let store = store(100);
    let query = Query::new(vector(7));
    let ids_of = |store: &VecStore| {
        measure(|| {
            let hits = store.search(black_box(&query)).unwrap();
            hits.iter().for_each(|hit| _ = black_box((hit.id().unwrap(), hit.score())));
        })
    };
    let ids = ids_of(&store);
    let one_row = ids_of(&self::store(1));
    let metadata = measure(|| drop(black_box(store.query(black_box(&query)).unwrap())));
    println!("{{\"metadata_us\": {metadata:.2}, \"ids_us\": {ids:.2}, \"one_row_us\": {one_row:.2}}}");
}
