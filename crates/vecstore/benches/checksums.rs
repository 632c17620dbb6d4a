//! What the checksums of blocks cost a query: `make bench-checksums` builds this with the checks and without, runs the two
//! in turns, and prints the difference. A block is checked when it is first touched; after that a query tests one bit for
//! each block that it reads.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::hint::black_box;
use std::time::Instant;

use vecstore::{Batch, Query, Record, VecStore, field};

const DIM: usize = 384;
const ROWS: u64 = 20_000;
const QUERIES: u64 = 500;
const ROUNDS: usize = 9;

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

/// Returns microseconds a query: of the first round, in which blocks are checked, and the least of the others.
fn measure(store: &VecStore, make: impl Fn(u64) -> Query) -> (f64, f64) {
    let queries: Vec<Query> = (0..QUERIES).map(|n| make(1_000_000 + n)).collect();
    let round = || {
        let start = Instant::now();
        for query in &queries {
            black_box(store.query(black_box(query)).unwrap());
        }
        start.elapsed().as_secs_f64() * 1e6 / QUERIES as f64
    };
    let cold = round();
    (cold, (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min))
}

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let options = || VecStore::options().threads(1);
    let store = options().open(directory.path()).unwrap();
    let mut batch = Batch::with_capacity(DIM, ROWS as usize).unwrap();
    for n in 0..ROWS {
        let metadata = vecstore::Metadata::new().with("n", n as i64);
        batch.push(&Record::new(format!("id-{n}"), vector(n + 1)).with_metadata(metadata), None).unwrap();
    }
    store.upsert_many(batch).unwrap();
    store.compact().unwrap();
    store.close().unwrap();
    type Make = fn(u64) -> Query;
    let kinds: [(&str, Make); 3] = [
        ("graph", |seed| Query::new(vector(seed)).k(10)),
        ("filtered", |seed| Query::new(vector(seed)).k(10).filter(field("n").lt(2_000))),
        ("exact", |seed| Query::new(vector(seed)).k(10).exact(true)),
    ];
    for (name, make) in kinds {
        // Opened anew, so that each kind of search touches its blocks for the first time.
        let store = options().open(directory.path()).unwrap();
        let (cold, warm) = measure(&store, make);
        println!("{name} cold_us {cold:.2} warm_us {warm:.3}");
    }
}
