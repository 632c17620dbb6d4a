//! The table of entry points that each tier fills in.

use crate::codes::CodeFactors;
use crate::metric::Op;
use crate::nibbles::NibbleQuery;
use crate::panels::Panels;
use crate::rotation::Rotation;
use crate::sign_rows::SignRowQuery;
use crate::signs::{CandidatePool, SignQuery};

/// The entry points of one tier.
///
/// # Safety
///
/// Every entry demands a CPU with the tier's instruction set, and dimensions above 0. The shapes it demands
/// are those of the function of that name in [`sweep`](crate::sweep).
pub(crate) struct Table {
    /// One pair; the slices are of one length.
    pub(crate) pair: unsafe fn(Op, &[f32], &[f32]) -> f32,
    /// Query, rows, out.
    pub(crate) scan: unsafe fn(Op, &[f32], &[f32], &mut [f32]),
    /// Query, rows, ids, out.
    pub(crate) gather: Gather,
    /// Queries, dim, rows, out.
    pub(crate) scan_queries: unsafe fn(Op, &[f32], usize, &[f32], &mut [f32]),
    /// Query values, codes, out (see [`codes`](crate::codes)).
    pub(crate) scan_codes: unsafe fn(&[i16], &[i8], &mut [i32]),
    /// Query values, codes, ids of rows, out.
    pub(crate) gather_codes: GatherCodes,
    /// Query, rows, ids of rows, out (see [`nibbles`](crate::nibbles)).
    pub(crate) score_nibbles: unsafe fn(&NibbleQuery, &[u8], &[u32], &mut [f32]),
    /// Query, rows, ids of rows, base and margin, out (see [`sign_rows`](crate::sign_rows)).
    pub(crate) score_sign_rows: ScoreSignRows,
    /// Centre, row, place of its dimension.
    pub(crate) encode_sign_row_alone: unsafe fn(&[f32], &[f32], &mut [u8]),
    /// Vector, row of its dimension.
    pub(crate) encode_nibbles: unsafe fn(&[f32], &mut [u8]),
    /// Rotation, vector, out.
    pub(crate) rotate: unsafe fn(&Rotation, &[f32], &mut [f32]),
    /// Query, vector, rotated vector.
    pub(crate) prepare: unsafe fn(&mut SignQuery, &[f32], &[f32]),
    /// Centre, row, place, id, scratch of the length of the row, block.
    pub(crate) encode_sign_row: EncodeSignRow,
    /// Query, block, base, bound, pool, the block to ask for meanwhile.
    pub(crate) estimate: unsafe fn(&SignQuery, &[u8], f32, f32, &mut CandidatePool, &[u8]),
    /// Keys, not empty (see [`nearest`](crate::nearest)).
    pub(crate) nearest: unsafe fn(&[i32]) -> usize,
    /// Keys, as many ids, bound (see [`signs`](crate::signs)).
    pub(crate) retain_below: unsafe fn(&mut [i32], &mut [u32], i32) -> usize,
    /// Products, factors and squares of rows, factor and square of the query, limit, pool.
    pub(crate) keep_nearer: KeepNearer,
    /// Panels, queries, out.
    pub(crate) panel_products: unsafe fn(&Panels, &[u8], &mut [i32]),
    /// Vector, codes of its length.
    pub(crate) encode: unsafe fn(&[f32], &mut [i8]) -> CodeFactors,
    /// Values; any length.
    pub(crate) first_non_finite: unsafe fn(&[f32]) -> Option<usize>,
}

type GatherCodes = unsafe fn(&[i16], &[i8], &[u32], &mut [i32]);

type ScoreSignRows = unsafe fn(&SignRowQuery, &[u8], &[u32], (f32, f32), &mut [f32]);

type EncodeSignRow = unsafe fn(&[f32], &[f32], usize, u32, &mut [u8], &mut [u8]);

type KeepNearer = unsafe fn(&[i32], (&[f32], &[f32]), (f32, f32), f32, &mut CandidatePool);

type Gather = unsafe fn(Op, &[f32], &[f32], &[u32], &mut [f32]);

/// Calls a function that is generic over [`Accumulate`](crate::accumulate::Accumulate) with the operation's type.
macro_rules! for_op {
    ($op:expr, $function:ident($($argument:expr),*)) => {
        match $op {
            $crate::metric::Op::Dot => $function::<$crate::accumulate::Dot>($($argument),*),
            $crate::metric::Op::SquaredEuclidean => {
                $function::<$crate::accumulate::SquaredEuclidean>($($argument),*)
            }
            $crate::metric::Op::Manhattan => $function::<$crate::accumulate::Manhattan>($($argument),*),
            $crate::metric::Op::Hamming => $function::<$crate::accumulate::Hamming>($($argument),*),
            $crate::metric::Op::Jaccard => $function::<$crate::accumulate::Jaccard>($($argument),*),
            $crate::metric::Op::Chebyshev => $function::<$crate::accumulate::Chebyshev>($($argument),*),
            $crate::metric::Op::Canberra => $function::<$crate::accumulate::Canberra>($($argument),*),
            $crate::metric::Op::BrayCurtis => $function::<$crate::accumulate::BrayCurtis>($($argument),*),
        }
    };
}
pub(crate) use for_op;

/// Defines `TABLE` for a tier: its [`Lanes`](crate::lanes::Lanes), the features that hold for every function
/// of the table, and its tuning. The loops of `sweep` are inlined into functions with those features, which
/// is what lets the instructions behind `Lanes` be inlined in turn.
///
/// The tunings come from `benches/variants.rs`. On 62,436 rows of 384 floats, 1 to 8 rows at a time and 4 to 16
/// KiB ahead are within 5 %, all at the speed of a plain read; no prefetch costs up to 25 %, 2 KiB up to 14 %.
/// The query tile is the widest whose sums stay in registers: a wider one is up to 1.5x as slow on AVX2.
macro_rules! kernel_table {
    (
        lanes: $lanes:ty,
        features: $features:literal,
        scan_rows: $scan_rows:literal,
        ahead_bytes: $ahead_bytes:literal,
        query_tile: $query_tile:literal x $row_tile:literal,
        scan_codes: $scan_codes:path,
        score_nibbles: $score_nibbles:path,
        score_sign_rows: $score_sign_rows:path,
        estimate: $estimate:path,
        look_ups: $look_ups:path,
        nearest: $nearest:path,
        retain_below: $retain_below:path,
        gather_codes: $gather_codes:path,
        panel_products: $panel_products:path $(,)?
    ) => {
        /// The entry points of this tier.
        pub(crate) static TABLE: $crate::table::Table = $crate::table::Table {
            pair,
            scan,
            gather,
            scan_queries,
            scan_codes: $scan_codes,
            gather_codes: $gather_codes,
            score_nibbles: $score_nibbles,
            score_sign_rows: $score_sign_rows,
            encode_sign_row_alone,
            encode_nibbles,
            rotate,
            prepare,
            encode_sign_row,
            estimate: $estimate,
            nearest: $nearest,
            retain_below: $retain_below,
            keep_nearer,
            panel_products: $panel_products,
            encode,
            first_non_finite,
        };

        #[target_feature(enable = $features)]
        unsafe fn pair(op: Op, left: &[f32], right: &[f32]) -> f32 {
            #[target_feature(enable = $features)]
            unsafe fn with<O: Accumulate>(left: &[f32], right: &[f32]) -> f32 {
                // SAFETY: the caller upholds the contract of the table, which is that of `sweep`.
                unsafe { sweep::pair::<$lanes, O>(left, right) }
            }
            // SAFETY: as above.
            unsafe { for_op!(op, with(left, right)) }
        }

        #[target_feature(enable = $features)]
        unsafe fn scan(op: Op, query: &[f32], rows: &[f32], out: &mut [f32]) {
            #[target_feature(enable = $features)]
            unsafe fn with<O: Accumulate>(query: &[f32], rows: &[f32], out: &mut [f32]) {
                // SAFETY: the caller upholds the contract of the table, which is that of `sweep`.
                unsafe {
                    if O::TWO_SUMS {
                        sweep::scan::<$lanes, O, 2, $ahead_bytes>(query, rows, out);
                    } else {
                        sweep::scan::<$lanes, O, $scan_rows, $ahead_bytes>(query, rows, out);
                    }
                }
            }
            // SAFETY: as above.
            unsafe { for_op!(op, with(query, rows, out)) }
        }

        #[target_feature(enable = $features)]
        unsafe fn gather(op: Op, query: &[f32], rows: &[f32], ids: &[u32], out: &mut [f32]) {
            #[target_feature(enable = $features)]
            unsafe fn with<O: Accumulate>(query: &[f32], rows: &[f32], ids: &[u32], out: &mut [f32]) {
                // SAFETY: the caller upholds the contract of the table, which is that of `sweep`.
                unsafe {
                    if O::TWO_SUMS {
                        sweep::gather::<$lanes, O, 2>(query, rows, ids, out);
                    } else {
                        sweep::gather::<$lanes, O, $scan_rows>(query, rows, ids, out);
                    }
                }
            }
            // SAFETY: as above.
            unsafe { for_op!(op, with(query, rows, ids, out)) }
        }

        #[target_feature(enable = $features)]
        unsafe fn scan_queries(op: Op, queries: &[f32], dim: usize, rows: &[f32], out: &mut [f32]) {
            #[target_feature(enable = $features)]
            unsafe fn with<O: Accumulate>(queries: &[f32], dim: usize, rows: &[f32], out: &mut [f32]) {
                // SAFETY: the caller upholds the contract of the table, which is that of `sweep`.
                unsafe {
                    if O::TWO_SUMS {
                        sweep::scan_queries::<$lanes, O, 1, 2>(queries, dim, rows, out);
                    } else {
                        sweep::scan_queries::<$lanes, O, $query_tile, $row_tile>(queries, dim, rows, out);
                    }
                }
            }
            // SAFETY: as above.
            unsafe { for_op!(op, with(queries, dim, rows, out)) }
        }

        #[target_feature(enable = $features)]
        unsafe fn rotate(rotation: &crate::rotation::Rotation, vector: &[f32], out: &mut [f32]) {
            // SAFETY: the caller upholds the contract of the table.
            unsafe { rotation.rotate_by::<$lanes>(vector, out) };
        }

        #[target_feature(enable = $features)]
        fn encode_sign_row_alone(centre: &[f32], row: &[f32], to: &mut [u8]) {
            crate::sign_rows::encode(centre, row, to);
        }

        #[target_feature(enable = $features)]
        fn encode_nibbles(vector: &[f32], row: &mut [u8]) {
            crate::nibbles::encode(vector, row);
        }

        #[target_feature(enable = $features)]
        unsafe fn prepare(query: &mut crate::signs::SignQuery, vector: &[f32], rotated: &[f32]) {
            // SAFETY: the caller vouches for the instruction set; `prepare` makes room for the look-ups.
            query.prepare(vector, rotated, |rotated, table| unsafe { $look_ups(rotated, table) });
        }

        #[target_feature(enable = $features)]
        fn encode_sign_row(
            centre: &[f32],
            row: &[f32],
            place: usize,
            id: u32,
            signs: &mut [u8],
            block: &mut [u8],
        ) {
            crate::signs::encode(centre, row, place, id, signs, block);
        }

        #[target_feature(enable = $features)]
        fn keep_nearer(
            products: &[i32],
            rows: (&[f32], &[f32]),
            query: (f32, f32),
            limit: f32,
            pool: &mut crate::signs::CandidatePool,
        ) {
            crate::keep_nearer::keep_nearer(products, rows, query, limit, pool);
        }

        #[target_feature(enable = $features)]
        fn encode(vector: &[f32], codes: &mut [i8]) -> codes::CodeFactors {
            codes::encode(vector, codes)
        }

        #[target_feature(enable = $features)]
        fn first_non_finite(values: &[f32]) -> Option<usize> {
            finite::first_non_finite(values)
        }
    };
}
pub(crate) use kernel_table;
