//! Speed of the scan with other tunings than the one each tier ships: rows at a time, prefetch distance, and
//! rows taken from distant streams instead of side by side.
//!
//! Compiles the kernels' own sources, since the tunings are compile-time constants that the crate does not
//! export. Run pinned to one core: `taskset -c 0 cargo bench -p vecstore-kernels --bench variants`.

#![cfg_attr(
    target_arch = "x86_64",
    expect(
        dead_code,
        unused_imports,
        unreachable_pub,
        reason = "the crate's sources are compiled whole, and only their loops are used"
    )
)]

#[cfg(target_arch = "x86_64")]
#[path = "../src/accumulate.rs"]
mod accumulate;
#[cfg(target_arch = "x86_64")]
#[path = "../src/aligned.rs"]
mod aligned;
#[cfg(target_arch = "x86_64")]
#[path = "../src/avx2.rs"]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[path = "../src/avx512.rs"]
mod avx512;
#[cfg(target_arch = "x86_64")]
#[path = "../src/codes/mod.rs"]
mod codes;
#[cfg(target_arch = "x86_64")]
#[path = "../src/finite.rs"]
mod finite;
#[cfg(target_arch = "x86_64")]
#[path = "../src/keep_nearer.rs"]
mod keep_nearer;
#[cfg(target_arch = "x86_64")]
#[path = "../src/lanes.rs"]
mod lanes;
#[cfg(target_arch = "x86_64")]
#[path = "../src/metric.rs"]
mod metric;
#[cfg(target_arch = "x86_64")]
#[path = "../src/nearest.rs"]
mod nearest;
#[cfg(target_arch = "x86_64")]
#[path = "../src/nibbles/mod.rs"]
mod nibbles;
#[cfg(target_arch = "x86_64")]
#[path = "../src/panels/mod.rs"]
mod panels;
#[cfg(target_arch = "x86_64")]
#[path = "../src/rotation.rs"]
mod rotation;
#[cfg(target_arch = "x86_64")]
#[path = "../src/sign_rows.rs"]
mod sign_rows;
#[cfg(target_arch = "x86_64")]
#[path = "../src/signs/mod.rs"]
mod signs;
#[cfg(target_arch = "x86_64")]
#[path = "../src/sweep.rs"]
mod sweep;
#[cfg(target_arch = "x86_64")]
#[path = "../src/table.rs"]
mod table;
#[cfg(target_arch = "x86_64")]
#[path = "../src/wide.rs"]
mod wide;
#[cfg(target_arch = "x86_64")]
#[path = "shared/workload.rs"]
mod workload;

/// Measures the scan and the query tiles of one tier in every tuning.
#[cfg(target_arch = "x86_64")]
macro_rules! measure_tier {
    ($measure:ident, $lanes:ty, $name:literal, $features:literal) => {
        fn $measure(query: &[f32], queries: &[f32], rows: &[f32], out: &mut [f32], all: &mut [f32]) {
            #[target_feature(enable = $features)]
            unsafe fn scan<const R: usize, const AHEAD: usize>(q: &[f32], rows: &[f32], out: &mut [f32]) {
                // SAFETY: `main` detected the features and shaped the slices.
                unsafe { sweep::scan::<$lanes, Dot, R, AHEAD>(q, rows, out) }
            }
            #[target_feature(enable = $features)]
            unsafe fn streams<const R: usize>(query: &[f32], rows: &[f32], out: &mut [f32]) {
                let stream = out.len() / R;
                for position in 0..stream {
                    let at: [*const f32; R] = std::array::from_fn(|r| {
                        rows.as_ptr().wrapping_add((r * stream + position) * query.len())
                    });
                    let next = at.map(|row| row.wrapping_byte_add(4096));
                    // SAFETY: `main` detected the features; the rows lie within `rows`.
                    let [values] = unsafe {
                        sweep::tile::<$lanes, Dot, 1, R, true>([query.as_ptr()], at, next, query.len())
                    };
                    for r in 0..R {
                        out[r * stream + position] = values[r];
                    }
                }
            }
            #[target_feature(enable = $features)]
            unsafe fn tiles<const Q: usize, const R: usize>(queries: &[f32], rows: &[f32], all: &mut [f32]) {
                // SAFETY: `main` detected the features and shaped the slices.
                unsafe { sweep::scan_queries::<$lanes, Dot, Q, R>(queries, DIM, rows, all) }
            }
            macro_rules! scans {
                ($rows_at_once:literal: $first:literal $second:literal $third:literal $fourth:literal $fifth:literal) => {
                    scans!($rows_at_once, $first);
                    scans!($rows_at_once, $second);
                    scans!($rows_at_once, $third);
                    scans!($rows_at_once, $fourth);
                    scans!($rows_at_once, $fifth);
                };
                ($rows_at_once:literal, $ahead:literal) => {
                    // SAFETY: `main` detected the features and shaped the slices.
                    let seconds = median_seconds(|| unsafe {
                        scan::<$rows_at_once, $ahead>(black_box(query), black_box(rows), out)
                    });
                    let tuning = concat!($rows_at_once, " rows, ", $ahead, " bytes ahead");
                    report(&format!("{} {tuning}", $name), rows, seconds);
                };
            }
            scans!(1: 0 2048 4096 8192 16384);
            scans!(2: 0 2048 4096 8192 16384);
            scans!(4: 0 2048 4096 8192 16384);
            scans!(8: 0 4096 8192 16384 32768);
            // SAFETY: `main` detected the features and shaped the slices.
            let seconds = median_seconds(|| unsafe { streams::<4>(black_box(query), black_box(rows), out) });
            report(concat!($name, " 4 distant streams, 4096 bytes ahead"), rows, seconds);
            macro_rules! tile {
                ($q:literal x $r:literal) => {
                    // SAFETY: `main` detected the features and shaped the slices.
                    let seconds = median_seconds(|| unsafe {
                        tiles::<$q, $r>(black_box(queries), black_box(rows), all)
                    });
                    let name = concat!($name, " tile of ", $q, " queries x ", $r, " rows, each query");
                    report(name, rows, seconds / QUERIES as f64);
                };
            }
            tile!(2 x 2);
            tile!(3 x 2);
            tile!(4 x 1);
            tile!(4 x 2);
            tile!(4 x 3);
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::hint::black_box;

    use crate::accumulate::Dot;
    use crate::workload::{DIM, ROWS, floats, median_seconds, report, report_plain_read};
    use crate::{avx2, avx512, sweep};

    const QUERIES: usize = 12;

    measure_tier!(measure_avx512, avx512::Avx512, "avx512", "avx512f");
    measure_tier!(measure_avx2, avx2::Avx2, "avx2", "avx2,fma");

    pub(crate) fn main() {
        let queries = floats(QUERIES * DIM);
        let query = &queries[..DIM];
        let rows = floats(ROWS * DIM);
        let mut out = vec![0.0; ROWS];
        let mut all = vec![0.0; QUERIES * ROWS];
        report_plain_read(&rows);
        if is_x86_feature_detected!("avx512f") {
            measure_avx512(query, &queries, &rows, &mut out, &mut all);
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            measure_avx2(query, &queries, &rows, &mut out, &mut all);
        }
    }
}

fn main() {
    #[cfg(target_arch = "x86_64")]
    x86_64::main();
}
