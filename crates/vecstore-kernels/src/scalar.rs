//! The portable tier: each operation spelled out once in plain Rust, as the twin the SIMD tiers are held to.

use crate::accumulate::ratio;
use crate::codes;
use crate::finite;
use crate::lanes::LARGE;
use crate::metric::Op;
use crate::table::Table;
use crate::wide;

/// Partial sums kept side by side: enough for the compiler to use the vector registers every CPU of an
/// architecture has, and a smaller rounding error than one running sum.
const PARTIAL_SUMS: usize = 8;

/// The entry points of this tier. They demand nothing of the CPU.
pub(crate) static TABLE: Table = Table {
    pair,
    scan,
    gather,
    scan_queries,
    scan_codes: codes::scan::portable,
    gather_codes: codes::scan::gather_portable,
    score_nibbles: crate::nibbles::portable,
    score_sign_rows: crate::sign_rows::portable,
    encode_sign_row_alone: crate::sign_rows::encode,
    encode_nibbles: crate::nibbles::encode,
    rotate: |rotation, vector, out| rotation.rotate(vector, out),
    prepare: |query, vector, rotated| query.prepare(vector, rotated, crate::signs::look_ups),
    encode_sign_row: crate::signs::encode,
    estimate: crate::signs::portable,
    nearest: crate::nearest::portable,
    retain_below: crate::signs::retain_portable,
    keep_nearer: crate::keep_nearer::keep_nearer,
    panel_products: crate::panels::portable,
    encode: codes::encode,
    first_non_finite: finite::first_non_finite,
};

fn pair(op: Op, left: &[f32], right: &[f32]) -> f32 {
    let value = match op {
        Op::Dot => sum(left, right, |a, b| a * b),
        Op::SquaredEuclidean => sum(left, right, |a, b| (a - b) * (a - b)),
        Op::Manhattan => sum(left, right, |a, b| (a - b).abs()),
        Op::Hamming => sum(left, right, |a, b| f32::from(a != b)),
        Op::Jaccard => ratio(
            sum(left, right, |a, b| f32::from(a != b)),
            sum(left, right, |a, b| f32::from(a != 0.0 || b != 0.0)),
        ),
        Op::Chebyshev => left.iter().zip(right).fold(0.0, |largest, (a, b)| (a - b).abs().max(largest)),
        Op::Canberra => sum(left, right, canberra_term),
        Op::BrayCurtis => {
            ratio(sum(left, right, |a, b| (a - b).abs()), sum(left, right, |a, b| (a + b).abs()))
        }
    };
    let retries = matches!(op, Op::Dot | Op::BrayCurtis);
    if retries && !value.is_finite() { wide::retry(op, left, right) } else { value }
}

fn canberra_term(a: f32, b: f32) -> f32 {
    let scale = if a.abs().max(b.abs()) > LARGE { 0.25 } else { 1.0 };
    let (a, b) = (a * scale, b * scale);
    let magnitude = a.abs() + b.abs();
    if magnitude == 0.0 { 0.0 } else { (a - b).abs() / magnitude }
}

/// Adds up a term over all positions.
#[inline(always)]
fn sum(left: &[f32], right: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut partial = [0.0_f32; PARTIAL_SUMS];
    let (left_blocks, left_rest) = left.as_chunks::<PARTIAL_SUMS>();
    let (right_blocks, right_rest) = right.as_chunks::<PARTIAL_SUMS>();
    for (left, right) in left_blocks.iter().zip(right_blocks) {
        for lane in 0..PARTIAL_SUMS {
            partial[lane] += term(left[lane], right[lane]);
        }
    }
    for (lane, (&a, &b)) in left_rest.iter().zip(right_rest).enumerate() {
        partial[lane] += term(a, b);
    }
    // The first value is not the -0.0 that `sum` of an iterator starts from.
    partial.into_iter().fold(0.0, |total, value| total + value)
}

fn scan(op: Op, query: &[f32], rows: &[f32], out: &mut [f32]) {
    for (value, row) in out.iter_mut().zip(rows.chunks_exact(query.len())) {
        *value = pair(op, query, row);
    }
}

fn gather(op: Op, query: &[f32], rows: &[f32], ids: &[u32], out: &mut [f32]) {
    let dim = query.len();
    for (value, &id) in out.iter_mut().zip(ids) {
        let from = id as usize * dim;
        *value = pair(op, query, &rows[from..from + dim]);
    }
}

fn scan_queries(op: Op, queries: &[f32], dim: usize, rows: &[f32], out: &mut [f32]) {
    let row_count = rows.len() / dim;
    for (row_index, row) in rows.chunks_exact(dim).enumerate() {
        for (query_index, query) in queries.chunks_exact(dim).enumerate() {
            out[query_index * row_count + row_index] = pair(op, query, row);
        }
    }
}
