//! The loops: one tile of queries against rows, and the orders in which tiles cover a request.
//!
//! Ties must be ties: the value of a pair may not depend on which loop met it, on its place in a tile, or on
//! alignment. So every loop goes through [`tile`], and [`tile`] gives each pair its own accumulators, filled
//! and reduced in one fixed order.

use std::array;
use std::ops::Range;
use std::slice;

use crate::accumulate::Accumulate;
use crate::lanes::Lanes;
use crate::wide;

/// Bytes of rows that [`scan_queries`] keeps in the cache while it goes over all queries: with a tile of
/// queries they fit the 48 KiB L1 of current CPUs, and spill little out of one of 32 KiB.
const QUERY_TILE_BYTES: usize = 32 * 1024;

/// Bytes in a cache line, the unit of prefetching.
const CACHE_LINE_BYTES: usize = 64;

/// Computes the values of `Q` queries against `R` rows of `dim` floats.
///
/// With `PREFETCH`, `next` are the rows that a later tile will read: one line of each is hinted per line read.
///
/// # Safety
///
/// The CPU has the instruction set of `V`, and every pointer in `queries` and `rows` is valid for reads of
/// `dim` floats. `next` may be any addresses.
#[inline(always)]
pub(crate) unsafe fn tile<V: Lanes, O: Accumulate, const Q: usize, const R: usize, const PREFETCH: bool>(
    queries: [*const f32; Q],
    rows: [*const f32; R],
    next: [*const f32; R],
    dim: usize,
) -> [[f32; R]; Q] {
    // SAFETY: the caller vouches for the instruction set.
    let mut even = [[unsafe { O::start::<V>() }; R]; Q];
    let mut odd = even;
    let mut at = 0;
    while at + 2 * V::WIDTH <= dim {
        if PREFETCH {
            prefetch::<V, R>(next, at);
            prefetch::<V, R>(next, at + V::WIDTH);
        }
        // SAFETY: the caller vouches for the instruction set and for `dim` floats behind every pointer, of which
        // this reads up to `at + 2 * WIDTH <= dim`.
        unsafe {
            step::<V, O, Q, R, false>(&mut even, queries, rows, at, V::WIDTH);
            step::<V, O, Q, R, false>(&mut odd, queries, rows, at + V::WIDTH, V::WIDTH);
        }
        at += 2 * V::WIDTH;
    }
    if at + V::WIDTH <= dim {
        if PREFETCH {
            prefetch::<V, R>(next, at);
        }
        // SAFETY: as above, up to `at + WIDTH <= dim`.
        unsafe { step::<V, O, Q, R, false>(&mut even, queries, rows, at, V::WIDTH) };
        at += V::WIDTH;
    }
    if at < dim {
        if PREFETCH {
            prefetch::<V, R>(next, at);
        }
        // SAFETY: as above, up to `at + (dim - at)`; `dim - at` is positive and below WIDTH.
        unsafe { step::<V, O, Q, R, true>(&mut odd, queries, rows, at, dim - at) };
    }

    let mut values = [[0.0; R]; Q];
    for q in 0..Q {
        for r in 0..R {
            values[q][r] = O::finish(O::join(even[q][r], odd[q][r]));
            if O::RETRIES && !values[q][r].is_finite() {
                // SAFETY: the caller vouches for `dim` floats behind both pointers.
                let pair =
                    unsafe { [slice::from_raw_parts(queries[q], dim), slice::from_raw_parts(rows[r], dim)] };
                values[q][r] = wide::retry(O::OP, pair[0], pair[1]);
            }
        }
    }
    values
}

/// Folds `count` floats at offset `at` of each query and row into the sums; `count` is the register's width
/// unless `PARTIAL`.
///
/// # Safety
///
/// As for [`tile`], with `at + count <= dim`; with `PARTIAL`, `count` is below the width.
#[inline(always)]
unsafe fn step<V: Lanes, O: Accumulate, const Q: usize, const R: usize, const PARTIAL: bool>(
    sums: &mut [[O::Sums<V>; R]; Q],
    queries: [*const f32; Q],
    rows: [*const f32; R],
    at: usize,
    count: usize,
) {
    // SAFETY: the caller vouches for the instruction set.
    let mut loaded = [unsafe { V::zero() }; R];
    for r in 0..R {
        // SAFETY: the caller vouches for the instruction set and the `at + count` floats behind each pointer.
        loaded[r] = unsafe { load::<V, PARTIAL>(rows[r].add(at), count) };
    }
    for q in 0..Q {
        // SAFETY: as above.
        let query = unsafe { load::<V, PARTIAL>(queries[q].add(at), count) };
        for r in 0..R {
            sums[q][r] = O::step(sums[q][r], query, loaded[r]);
        }
    }
}

/// Loads a whole register, or with `PARTIAL` its first `count` lanes.
///
/// # Safety
///
/// As for [`Lanes::load`], or with `PARTIAL` for [`Lanes::load_first`].
#[inline(always)]
unsafe fn load<V: Lanes, const PARTIAL: bool>(from: *const f32, count: usize) -> V {
    // SAFETY: the caller vouches for what the one that is called demands.
    unsafe { if PARTIAL { V::load_first(from, count) } else { V::load(from) } }
}

/// Hints the line at offset `at` of each row, once per line when registers are narrower.
#[inline(always)]
fn prefetch<V: Lanes, const R: usize>(rows: [*const f32; R], at: usize) {
    if (at * size_of::<f32>()).is_multiple_of(CACHE_LINE_BYTES) {
        for row in rows {
            V::prefetch(row.wrapping_add(at));
        }
    }
}

/// Computes the value of one pair.
///
/// # Safety
///
/// The CPU has the instruction set of `V`, and the slices are of one length.
#[inline(always)]
pub(crate) unsafe fn pair<V: Lanes, O: Accumulate>(left: &[f32], right: &[f32]) -> f32 {
    let right_at = [right.as_ptr()];
    // SAFETY: the caller vouches for the instruction set and for `left.len()` floats in both.
    let [[value]] = unsafe { tile::<V, O, 1, 1, false>([left.as_ptr()], right_at, right_at, left.len()) };
    value
}

/// Computes the values of one query against consecutive rows, `R` at a time, hinting `AHEAD_BYTES` further on.
///
/// # Safety
///
/// The CPU has the instruction set of `V`, and `rows` holds `out.len()` rows of `query.len()` floats.
#[inline(always)]
pub(crate) unsafe fn scan<V: Lanes, O: Accumulate, const R: usize, const AHEAD_BYTES: usize>(
    query: &[f32],
    rows: &[f32],
    out: &mut [f32],
) {
    let dim = query.len();
    let (blocks, rest) = out.as_chunks_mut::<R>();
    let mut row = rows.as_ptr();
    for block in blocks {
        let at: [*const f32; R] = array::from_fn(|r| row.wrapping_add(r * dim));
        let next = at.map(|row| row.wrapping_byte_add(AHEAD_BYTES));
        // SAFETY: the caller vouches for the instruction set and the rows; this block's are the next R of them.
        let [values] = unsafe { tile::<V, O, 1, R, true>([query.as_ptr()], at, next, dim) };
        *block = values;
        row = row.wrapping_add(R * dim);
    }
    for value in rest {
        // SAFETY: as above, for one row.
        let [[only]] = unsafe { tile::<V, O, 1, 1, false>([query.as_ptr()], [row], [row], dim) };
        *value = only;
        row = row.wrapping_add(dim);
    }
}

/// Computes the values of one query against chosen rows, `R` at a time, hinting the `R` after them.
///
/// # Safety
///
/// The CPU has the instruction set of `V`, `out` is as long as `ids`, and `rows` holds a row of `query.len()`
/// floats for every id.
#[inline(always)]
pub(crate) unsafe fn gather<V: Lanes, O: Accumulate, const R: usize>(
    query: &[f32],
    rows: &[f32],
    ids: &[u32],
    out: &mut [f32],
) {
    let dim = query.len();
    let row = |id: u32| rows.as_ptr().wrapping_add(id as usize * dim);
    let (blocks, rest) = out.as_chunks_mut::<R>();
    let (id_blocks, id_rest) = ids.as_chunks::<R>();
    for (index, (block, ids)) in blocks.iter_mut().zip(id_blocks).enumerate() {
        let at = ids.map(row);
        let next = id_blocks.get(index + 1).map_or(at, |ids| ids.map(row));
        // SAFETY: the caller vouches for the instruction set and for a row behind every id.
        let [values] = unsafe { tile::<V, O, 1, R, true>([query.as_ptr()], at, next, dim) };
        *block = values;
    }
    for (value, &id) in rest.iter_mut().zip(id_rest) {
        // SAFETY: as above.
        let [[only]] = unsafe { tile::<V, O, 1, 1, false>([query.as_ptr()], [row(id)], [row(id)], dim) };
        *value = only;
    }
}

/// Computes the values of every query against every row, `Q` queries by `R` rows at a time.
///
/// Rows are taken in cache-sized groups that all queries visit before the next group is read.
///
/// # Safety
///
/// The CPU has the instruction set of `V`; `dim` is positive; `queries` and `rows` are whole numbers of `dim`
/// floats; and `out` has their product of rows as its length.
#[inline(always)]
pub(crate) unsafe fn scan_queries<V: Lanes, O: Accumulate, const Q: usize, const R: usize>(
    queries: &[f32],
    dim: usize,
    rows: &[f32],
    out: &mut [f32],
) {
    let (query_count, row_count) = (queries.len() / dim, rows.len() / dim);
    let group = (QUERY_TILE_BYTES / (dim * size_of::<f32>())).max(R).next_multiple_of(R);
    let tiles = (query_count / Q + query_count % Q) * (group / R);
    let group_lines = (group * dim * size_of::<f32>()).div_ceil(CACHE_LINE_BYTES);
    for first in (0..row_count).step_by(group) {
        let range = first..row_count.min(first + group);
        let next_group = rows.as_ptr().wrapping_add((first + group) * dim);
        let mut ahead = Ahead { at: next_group, lines_per_tile: group_lines.div_ceil(tiles.max(1)) };
        let mut query = 0;
        while query + Q <= query_count {
            let at: [*const f32; Q] = array::from_fn(|q| queries.as_ptr().wrapping_add((query + q) * dim));
            let out = &mut out[query * row_count..][..Q * row_count];
            // SAFETY: the caller vouches for the instruction set and the shapes; `query + Q` and the range are
            // within them.
            unsafe { group_of_rows::<V, O, Q, R>(at, dim, rows, range.clone(), &mut ahead, out) };
            query += Q;
        }
        while query < query_count {
            let at = [queries.as_ptr().wrapping_add(query * dim)];
            let out = &mut out[query * row_count..][..row_count];
            // SAFETY: as above, with one query.
            unsafe { group_of_rows::<V, O, 1, R>(at, dim, rows, range.clone(), &mut ahead, out) };
            query += 1;
        }
    }
}

/// The hints for the next group of rows, spread evenly over the tiles of this one: given all at once, they would
/// wait for memory that stands idle later. Worth 1.2x to 1.9x with 16 queries.
struct Ahead {
    at: *const f32,
    lines_per_tile: usize,
}

impl Ahead {
    #[inline(always)]
    fn hint<V: Lanes>(&mut self) {
        for _ in 0..self.lines_per_tile {
            V::prefetch(self.at);
            self.at = self.at.wrapping_byte_add(CACHE_LINE_BYTES);
        }
    }
}

/// Computes the values of `Q` queries against the rows numbered `range`, into `out` with all rows of each query.
///
/// # Safety
///
/// The CPU has the instruction set of `V`; the queries are valid for reads of `dim` floats; and `range` lies
/// within the rows of `dim` floats.
#[inline(always)]
unsafe fn group_of_rows<V: Lanes, O: Accumulate, const Q: usize, const R: usize>(
    queries: [*const f32; Q],
    dim: usize,
    rows: &[f32],
    range: Range<usize>,
    ahead: &mut Ahead,
    out: &mut [f32],
) {
    let row_count = rows.len() / dim;
    let row_at = |row: usize| rows.as_ptr().wrapping_add(row * dim);
    let mut row = range.start;
    while row + R <= range.end {
        ahead.hint::<V>();
        let at: [*const f32; R] = array::from_fn(|r| row_at(row + r));
        // SAFETY: the caller vouches for the instruction set and for whole queries and rows at these numbers.
        let values = unsafe { tile::<V, O, Q, R, false>(queries, at, at, dim) };
        for (q, values) in values.iter().enumerate() {
            out[q * row_count + row..][..R].copy_from_slice(values);
        }
        row += R;
    }
    while row < range.end {
        // SAFETY: as above, for one row.
        let values = unsafe { tile::<V, O, Q, 1, false>(queries, [row_at(row)], [row_at(row)], dim) };
        for (q, &[value]) in values.iter().enumerate() {
            out[q * row_count + row] = value;
        }
        row += 1;
    }
}
