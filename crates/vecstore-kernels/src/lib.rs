//! Distances between f32 vectors, on the best instruction set of the CPU.
//!
//! This crate is the arithmetic under vecstore's search: it compares one query, or several, with rows of
//! floats that lie side by side in memory. It holds no vectors, does no I/O, starts no threads, and knows
//! nothing of indexes. All unsafe arithmetic of the workspace lives here, behind safe methods that assert the
//! shapes they are given.
//!
//! ```
//! use vecstore_kernels::{Kernels, Metric};
//!
//! let kernels = Kernels::detect();
//! let metric: Metric = "l2".parse()?;
//! let query = [0.0, 0.0, 0.0];
//! let rows = [
//!     3.0, 4.0, 0.0, // row 0
//!     0.0, 1.0, 0.0, // row 1
//! ];
//!
//! let mut raw = [0.0; 2];
//! kernels.scan(metric.op(), &query, &rows, &mut raw);
//! assert_eq!(raw, [25.0, 1.0]);
//! assert_eq!(raw.map(|value| metric.distance_of(value, 0.0, 0.0)), [5.0, 1.0]);
//! assert_eq!(kernels.distance(metric, &query, &rows[..3]), 5.0);
//! # Ok::<(), vecstore_kernels::UnknownMetric>(())
//! ```
//!
//! # Concepts
//!
//! - A [`Metric`] is what a user names: cosine, euclidean, and seven more. Its distances are smaller for
//!   nearer vectors.
//! - An [`Op`] is what a scan computes for a metric: the same without the square root, the norms or the sign.
//!   [`Metric::op`] names it and [`Metric::distance_of`] finishes its raw values. Cosine scans with
//!   [`Op::Dot`] and the inverse norms that [`Kernels::inverse_norms`] computed when the rows were stored.
//! - A [`Tier`] is an instruction set: scalar, AVX2, AVX-512 or NEON. `VECSTORE_SIMD=avx2` in the environment
//!   lowers it, to compare machines or to look for a bug.
//! - [`Kernels`] is the table of one tier's functions. A call dispatches once, whatever the number of rows.
//!
//! # Promises
//!
//! - Within a tier, a pair of vectors has one raw value, to the last bit, in every method: equal rows tie.
//!   Across tiers, values differ by rounding; the property tests bound the difference by the rounding error of
//!   the sum of absolute terms.
//! - Finite vectors never give NaN. Sums beyond `f32::MAX` are infinite, but an inner product whose partial
//!   sums overflow is taken again in f64.
//!
//! # Limits
//!
//! - Raw values are f32: a squared distance or an inner product below 1e-45 is 0, and cosine composed from a
//!   scan loses precision for rows whose norm times the query's is below 1e-30. Normalise such vectors first.
//! - Vectors are expected to be finite: check them once with [`Kernels::first_non_finite`].

mod accumulate;
mod aligned;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod codes;
mod finite;
mod gaps;
mod keep_nearer;
mod kernels;
mod lanes;
mod metric;
mod nearest;
#[cfg(target_arch = "aarch64")]
mod neon;
mod nibbles;
mod panels;
mod rotation;
mod scalar;
mod sign_rows;
mod signs;
mod sweep;
mod table;
mod tier;
mod wide;

pub use codes::{CodeFactors, QueryCodes};
pub use gaps::rows_of_gaps;
pub use kernels::Kernels;
pub use metric::{Metric, Op, UnknownMetric};
pub use nibbles::{NibbleQuery, nibble_row_bytes};
pub use panels::{PANEL_QUERIES, Panels};
pub use rotation::Rotation;
pub use sign_rows::{SignRowQuery, sign_row_bytes};
pub use signs::{CandidatePool, SIGN_ROWS, SignQuery, sign_block_bytes, sign_block_ids};
pub use tier::Tier;
