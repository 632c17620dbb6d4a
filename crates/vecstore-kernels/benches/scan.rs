//! Speed of the public methods on every tier, beside a loop that only reads the same bytes.
//!
//! Run pinned to one core: `taskset -c 0 cargo bench -p vecstore-kernels --bench scan`.

#[path = "shared/workload.rs"]
mod workload;

use std::hint::black_box;

use vecstore_kernels::{Kernels, Op, QueryCodes, Tier};

use workload::{DIM, ROWS, floats, median_seconds, report, report_plain_read};

const QUERIES: usize = 16;

fn main() {
    let queries = floats(QUERIES * DIM);
    let query = &queries[..DIM];
    let rows = floats(ROWS * DIM);
    let mut out = vec![0.0; ROWS];
    let mut out_of_queries = vec![0.0; QUERIES * ROWS];
    // A full-period walk over the row numbers, in an order no prefetcher follows.
    let ids: Vec<u32> = (0..ROWS).map(|position| (position * 39_119 % ROWS) as u32).collect();

    let encoded = QueryCodes::new(query);
    let mut codes = vec![0; ROWS * DIM];
    for (row, codes) in rows.chunks(DIM).zip(codes.chunks_mut(DIM)) {
        Kernels::detect().encode(row, codes);
    }
    let mut sums = vec![0; ROWS];

    report_plain_read(&rows);
    for kernels in Tier::available().iter().rev().filter_map(|&tier| Kernels::for_tier(tier)) {
        let tier = kernels.tier().name();
        for op in Op::ALL {
            let seconds = median_seconds(|| kernels.scan(op, black_box(query), black_box(&rows), &mut out));
            report(&format!("{tier} scan {op:?}"), &rows, seconds);
        }
        let op = Op::Dot;
        let seconds =
            median_seconds(|| kernels.gather(op, black_box(query), black_box(&rows), &ids, &mut out));
        report(&format!("{tier} gather {op:?}"), &rows, seconds);
        let seconds = median_seconds(|| {
            kernels.scan_queries(op, black_box(&queries), DIM, black_box(&rows), &mut out_of_queries);
        });
        report(&format!("{tier} scan_queries {op:?}, each of {QUERIES}"), &rows, seconds / QUERIES as f64);
        let seconds =
            median_seconds(|| kernels.scan_codes(black_box(&encoded), black_box(&codes), &mut sums));
        report(&format!("{tier} scan_codes (a quarter of the bytes)"), &rows, seconds);
        let seconds = median_seconds(|| {
            for (row, codes) in rows.chunks(DIM).zip(codes.chunks_mut(DIM)) {
                black_box(kernels.encode(black_box(row), codes));
            }
        });
        report(&format!("{tier} encode"), &rows, seconds);
        let seconds = median_seconds(|| kernels.inverse_norms(DIM, black_box(&rows), &mut out));
        report(&format!("{tier} inverse_norms"), &rows, seconds);
        let seconds = median_seconds(|| {
            black_box(kernels.first_non_finite(black_box(&rows)));
        });
        report(&format!("{tier} first_non_finite"), &rows, seconds);
    }
}
