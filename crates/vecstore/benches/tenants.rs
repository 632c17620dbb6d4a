//! What a search in one tenant of many costs, beside a store that holds only that tenant: `cargo bench -p vecstore --bench
//! tenants [-- VECTORS QUERIES]`, raw f32 of 384 components; without them clusters. One thread.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]
#![expect(clippy::disallowed_methods, reason = "it reads its vectors from a file")]

use std::time::{Duration, Instant};

use vecstore::{Batch, Durability, Metadata, OpenOptions, Query, Record, VecStore, field};
use vecstore_testkit::{Clusters, Rng};

const DIM: usize = 384;
const ROWS: usize = 62_436;
const QUERIES: usize = 300;
const K: usize = 10;
const ROUNDS: usize = 9;

/// Tenants by size: how many there are, and the rows of each. The largest takes the rest, about 30 %.
const SIZES: [(usize, usize); 4] = [(300, 60), (15, 1_000), (2, 5_000), (1, 18_436)];

struct Set {
    vectors: Vec<f32>,
    queries: Vec<f32>,
    tenants: Vec<String>,
}

impl Set {
    fn read() -> Self {
        let paths: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
        let (vectors, queries) = match &paths[..] {
            [vectors, queries] => {
                let floats = |path: &String| -> Vec<f32> {
                    let bytes = std::fs::read(path).unwrap();
                    bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
                };
                (floats(vectors), floats(queries))
            }
            _ => {
                let mut clusters = Clusters::new(1, DIM, 500);
                (clusters.vectors(ROWS).concat(), clusters.vectors(QUERIES).concat())
            }
        };
        let mut tenants: Vec<String> = SIZES
            .iter()
            .flat_map(|&(count, rows)| (0..count).flat_map(move |n| vec![format!("t{rows}-{n}"); rows]))
            .collect();
        tenants.resize(ROWS, "others".to_owned());
        // Rows of a tenant are anywhere: the hardest case for a graph of all.
        let mut rng = Rng::new(7);
        for n in (1..tenants.len()).rev() {
            tenants.swap(n, rng.below(n as u64 + 1) as usize);
        }
        Self { vectors, queries, tenants }
    }

    fn store(&self, options: OpenOptions, tenant: Option<&str>, directory: &std::path::Path) -> VecStore {
        let store = options.durability(Durability::None).threads(1).open(directory).unwrap();
        let mut batch = Batch::new(DIM).unwrap();
        for (n, (vector, owner)) in self.vectors.chunks_exact(DIM).zip(&self.tenants).enumerate() {
            if tenant.is_none_or(|tenant| tenant == owner) {
                let metadata =
                    Metadata::new().with("tenant", owner.as_str()).with("even", n.is_multiple_of(2));
                batch.push(&Record::new(format!("id-{n}"), vector).with_metadata(metadata), None).unwrap();
            }
        }
        store.upsert_many(batch).unwrap();
        let started = Instant::now();
        store.compact().unwrap();
        if tenant.is_none() {
            println!("merged in {:.1} s", started.elapsed().as_secs_f64());
        }
        store
    }

    fn measure(&self, store: &VecStore, make: impl Fn(Query) -> Query) -> (Duration, f64) {
        let queries: Vec<Query> =
            self.queries.chunks_exact(DIM).map(|vector| make(Query::new(vector).k(K))).collect();
        let ids = |query: &Query| -> Vec<String> {
            let hits = store.search(query).unwrap();
            hits.iter().map(|hit| hit.id().unwrap().to_owned()).collect()
        };
        let (mut found, mut all) = (0, 0);
        for query in &queries {
            let truth = ids(&query.clone().exact(true));
            let near = ids(query);
            found += truth.iter().filter(|id| near.contains(id)).count();
            all += truth.len();
        }
        // The least of some rounds of each query: what else the machine does is not asked about.
        let mut least = vec![Duration::MAX; queries.len()];
        for _ in 0..ROUNDS {
            for (query, least) in queries.iter().zip(&mut least) {
                let started = Instant::now();
                std::hint::black_box(store.search(query).unwrap());
                *least = started.elapsed().min(*least);
            }
        }
        (least.iter().sum::<Duration>() / queries.len() as u32, found as f64 / all as f64)
    }
}

fn show(name: &str, (time, recall): (Duration, f64)) {
    println!("{name:44} {:8.1} us  recall {recall:.3}", time.as_secs_f64() * 1e6);
}

fn main() {
    let set = Set::read();
    let place = tempfile::tempdir().unwrap();
    let shared = set.store(VecStore::options(), None, &place.path().join("shared"));
    let options = || VecStore::options().partition_by("tenant");
    let parted = set.store(options(), None, &place.path().join("parted"));
    show("all rows", set.measure(&shared, |query| query));
    show("all rows, partitioned", set.measure(&parted, |query| query));
    for (_, rows) in SIZES {
        let tenant = format!("t{rows}-0");
        let filter = || field("tenant").eq(tenant.as_str());
        let own = set.store(VecStore::options(), Some(&tenant), &place.path().join(&tenant));
        show(&format!("{rows} rows, a store of its own"), set.measure(&own, |query| query));
        for (name, store) in [("filter", &shared), ("filter, partitioned", &parted)] {
            show(&format!("{rows} rows, {name}"), set.measure(store, |query| query.filter(filter())));
            let half = || filter() & field("even").eq(true);
            show(&format!("{rows} rows, {name}, and half"), set.measure(store, |query| query.filter(half())));
            let query = Query::new(&set.queries[..DIM]).k(K).filter(filter());
            let plan = store.explain(&query).unwrap();
            for step in &plan.steps {
                let (visits, bits, codes, full) =
                    (step.visits, step.estimates, step.code_distances, step.full_distances);
                println!("    {}: {visits} visits, {bits} + {codes} + {full} distances", step.method);
            }
            println!("    {:?} for the filter", plan.filter_time);
        }
    }
}
