//! Speed of what a search of the graph and its building call, on every tier and at the dimensions embeddings have.
//!
//! Everything a call reads is in the first or second level of cache: what is measured is the arithmetic, and the waits
//! of one call for what the one before it stored. Run pinned to one core:
//! `taskset -c 0 cargo bench -p vecstore-kernels --bench graph [-- PART_OF_A_NAME]`.

#[expect(dead_code, reason = "the rows and reports of the other benches")]
#[path = "shared/workload.rs"]
mod workload;

use std::hint::black_box;

use vecstore_kernels::{
    CandidatePool, Kernels, PANEL_QUERIES, Panels, QueryCodes, Rotation, SIGN_ROWS, SignQuery, Tier,
    sign_block_bytes,
};

use workload::{floats, median_seconds};

const DIMS: [usize; 4] = [128, 384, 768, 1536];
/// Blocks, or rows, that a call is repeated on: no branch predictor learns them, and the second level of cache has them.
const BLOCKS: usize = 32;
/// Repetitions behind one reading of the clock.
const REPEATS: usize = 64;

/// One tier, and what of it to measure.
struct Bench {
    kernels: Kernels,
    filter: String,
}

impl Bench {
    /// Reports the nanoseconds of one of the `count` calls that a job makes.
    fn run(&self, name: &str, count: usize, mut job: impl FnMut()) {
        let name = format!("{} {name}", self.kernels.tier().name());
        if name.contains(&self.filter) {
            let seconds = median_seconds(|| (0..REPEATS).for_each(|_| job()));
            println!("{name:<44} {:>9.2} ns", seconds * 1e9 / (count * REPEATS) as f64);
        }
    }

    fn signs(&self, dim: usize) {
        let kernels = self.kernels;
        let rows = floats(dim * (BLOCKS * SIGN_ROWS + 2));
        let (centre, rows) = rows.split_at(dim);
        let (query, rows) = rows.split_at(dim);
        let bytes = sign_block_bytes(dim);
        let mut memory = vec![0; bytes * BLOCKS + 64];
        let start = memory.as_ptr().align_offset(64);
        let blocks = &mut memory[start..start + bytes * BLOCKS];
        let mut scratch = vec![0; dim];
        for (n, row) in rows.chunks(dim).enumerate() {
            let block = &mut blocks[n / SIGN_ROWS * bytes..][..bytes];
            kernels.encode_sign_row(centre, row, n % SIGN_ROWS, n as u32, &mut scratch, block);
        }
        let mut prepared = SignQuery::default();
        kernels.prepare(&mut prepared, query, query);

        // A bound that lets a fifth of the rows pass, as in a search under way.
        let mut pool = CandidatePool::default();
        for block in blocks.chunks(bytes) {
            kernels.estimate(&prepared, block, 1.0, f32::INFINITY, &mut pool);
        }
        let mut estimates: Vec<f32> = pool.entries().map(|(distance, _)| distance).collect();
        estimates.sort_by(f32::total_cmp);
        let bound = estimates[estimates.len() / 5];
        self.run(&format!("estimate {dim}"), BLOCKS, || {
            pool.clear();
            for block in blocks.chunks(bytes) {
                kernels.estimate(black_box(&prepared), block, 1.0, bound, &mut pool);
            }
        });
        self.run(&format!("prepare {dim}"), 1, || kernels.prepare(&mut prepared, query, black_box(query)));
        let block = &mut blocks[..bytes];
        self.run(&format!("encode_sign_row {dim}"), SIGN_ROWS, || {
            for (place, row) in rows.chunks(dim).take(SIGN_ROWS).enumerate() {
                kernels.encode_sign_row(centre, black_box(row), place, 7, &mut scratch, block);
            }
        });
    }

    fn rotate(&self, dim: usize) {
        let rotation = Rotation::new(dim);
        let vector = floats(dim);
        let mut out = vec![0.0; rotation.rotated_dim()];
        self.run(&format!("rotate {dim}"), 1, || {
            self.kernels.rotate(&rotation, black_box(&vector), black_box(&mut out));
        });
    }

    fn codes(&self, dim: usize) {
        let rows = floats(dim * 256);
        let mut codes = vec![0; dim * 256];
        for (row, codes) in rows.chunks(dim).zip(codes.chunks_mut(dim)) {
            self.kernels.encode(row, codes);
        }
        let query = QueryCodes::new(&rows[..dim]);
        let ids: Vec<u32> = (0..64).map(|n| n * 39 % 256).collect();
        let mut out = vec![0; 256];
        self.run(&format!("gather_codes {dim}, a row"), 64, || {
            self.kernels.gather_codes(black_box(&query), &codes, black_box(&ids), &mut out[..64]);
        });
        self.run(&format!("scan_codes {dim}, a row"), 256, || {
            self.kernels.scan_codes(black_box(&query), black_box(&codes), &mut out);
        });
        self.run(&format!("encode {dim}"), 1, || {
            black_box(self.kernels.encode(black_box(&rows[..dim]), &mut codes[..dim]));
        });
    }

    fn panels(&self, dim: usize) {
        const ROWS: usize = 128;
        const QUERIES: usize = 4 * PANEL_QUERIES;
        let codes: Vec<i8> = floats(dim * ROWS).iter().map(|value| (value * 127.0) as i8).collect();
        let queries: Vec<u8> = codes[..dim * QUERIES].iter().map(|&code| (code as u8) ^ 128).collect();
        let mut panels = Panels::default();
        panels.pack(dim, codes.chunks(dim));
        let mut out = vec![0; ROWS * QUERIES];
        self.run(&format!("panel_products {dim}, a pair"), ROWS * QUERIES, || {
            self.kernels.panel_products(black_box(&panels), black_box(&queries), &mut out);
        });
        self.run(&format!("pack {dim}, a row"), ROWS, || panels.pack(dim, black_box(&codes).chunks(dim)));
    }

    fn pool(&self, len: usize) {
        let distances = floats(len + 4096);
        let mut pool = CandidatePool::default();
        for (id, &distance) in distances[..len].iter().enumerate() {
            pool.push(distance, id as u32);
        }
        let later = &distances[len..];
        let mut next = 0;
        // Each pop waits for the one before it: what it adds depends on what that took.
        self.run(&format!("pop_nearest and push, {len}"), 256, || {
            for _ in 0..256 {
                if let Some((distance, id)) = self.kernels.pop_nearest(&mut pool) {
                    let at = (next + (id as usize & 1)) & 4095;
                    next = at + 1;
                    pool.push(distance + 1.0 + later[at], id);
                }
            }
        });
        let mut filled = CandidatePool::default();
        self.run(&format!("retain_below of {len}, an entry"), len, || {
            filled.clone_from(&pool);
            self.kernels.retain_below(&mut filled, black_box(f32::INFINITY));
        });
    }
}

fn main() {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    for kernels in Tier::available().iter().rev().filter_map(|&tier| Kernels::for_tier(tier)) {
        let bench = Bench { kernels, filter: filter.clone() };
        for dim in DIMS {
            bench.signs(dim);
            bench.rotate(dim);
            bench.codes(dim);
            bench.panels(dim);
        }
        for len in [64, 256, 1024] {
            bench.pool(len);
        }
    }
}
