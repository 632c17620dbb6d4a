//! The safe face of the kernels: shapes are asserted here, once per call, and nowhere below.

use crate::codes::{CodeFactors, QueryCodes};
use crate::metric::{Metric, Op, cosine};
use crate::nibbles::{NibbleQuery, nibble_row_bytes};
use crate::panels::Panels;
use crate::rotation::Rotation;
use crate::scalar;
use crate::sign_rows::{SignRowQuery, sign_row_bytes};
use crate::signs::{CandidatePool, SIGN_ROWS, SignQuery, sign_block_bytes};
use crate::table::Table;
use crate::tier::Tier;
use crate::wide;

/// The range of squared norms, and of products of two norms, in which f32 sums of products lose neither
/// range nor, by underflow, precision: 1e8 above the smallest normal number, and below the largest.
const SAFE_PRODUCTS: std::ops::RangeInclusive<f64> = 1e-30..=3e38;

/// The range of norms whose f32 inverse is neither denormal, with fewer digits, nor near `f32::MAX`.
const INVERTIBLE_NORMS: std::ops::RangeInclusive<f64> = 1e-37..=1e37;

/// The distance kernels of one [`Tier`].
///
/// A copyable handle: choose it once and pass it around. Within one tier, the value of an operation on a pair
/// of vectors is the same to the last bit in [`scan`](Kernels::scan), [`gather`](Kernels::gather),
/// [`scan_queries`](Kernels::scan_queries) and [`distance`](Kernels::distance), wherever the row lies.
///
/// Values are never NaN for finite vectors; sums beyond `f32::MAX` are infinite.
///
/// # Panics
///
/// Methods panic if the lengths of their slices do not fit together, as each says.
#[derive(Clone, Copy)]
pub struct Kernels {
    tier: Tier,
    table: &'static Table,
}

impl Kernels {
    /// Returns the kernels of [`Tier::detect`].
    pub fn detect() -> Kernels {
        Kernels::for_tier(Tier::detect()).expect("the detected tier is available")
    }

    /// Returns the kernels of a tier, or `None` if this CPU cannot run it.
    pub fn for_tier(tier: Tier) -> Option<Kernels> {
        if !Tier::available().contains(&tier) {
            return None;
        }
        let table = match tier {
            Tier::Scalar => &scalar::TABLE,
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2 => &crate::avx2::TABLE,
            #[cfg(target_arch = "x86_64")]
            Tier::Avx512 => &crate::avx512::TABLE,
            #[cfg(target_arch = "aarch64")]
            Tier::Neon => &crate::neon::TABLE,
            #[cfg(not(target_arch = "x86_64"))]
            Tier::Avx2 | Tier::Avx512 => return None,
            #[cfg(not(target_arch = "aarch64"))]
            Tier::Neon => return None,
        };
        Some(Kernels { tier, table })
    }

    /// Returns the tier these kernels run on.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// Computes the distance of two vectors; smaller is nearer.
    ///
    /// Equal to [`Metric::distance_of`] of the raw value and the inverse norms, but for cosine where a norm is
    /// outside 1e-37..1e37 or the product of both outside 1e-30..3e38: there the inner product is taken in
    /// f64, which a scan does not do. Empty vectors are at the distance of two zero vectors.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ.
    pub fn distance(&self, metric: Metric, a: &[f32], b: &[f32]) -> f32 {
        let raw = self.raw(metric.op(), a, b);
        if metric != Metric::Cosine {
            return metric.distance_of(raw, 0.0, 0.0);
        }
        let (norm_a, norm_b) = (self.wide_norm(a), self.wide_norm(b));
        let invertible = INVERTIBLE_NORMS.contains(&norm_a) && INVERTIBLE_NORMS.contains(&norm_b);
        if invertible && SAFE_PRODUCTS.contains(&(norm_a * norm_b)) {
            return metric.distance_of(raw, inverse(norm_a), inverse(norm_b));
        }
        if norm_a == 0.0 || norm_b == 0.0 {
            return 1.0;
        }
        cosine(wide::dot(a, b) / (norm_a * norm_b), 1.0, 1.0)
    }

    /// Computes the raw value of an operation on two vectors.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ.
    pub fn raw(&self, op: Op, a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len(), "vectors differ in length");
        if a.is_empty() {
            return 0.0;
        }
        // SAFETY: `for_tier` found the tier available; the slices are of one length.
        unsafe { (self.table.pair)(op, a, b) }
    }

    /// Computes the raw value of a query against each of `out.len()` consecutive rows.
    ///
    /// `rows` is row-major. Reads each row once, at memory speed for the cheaper operations; at dimension 0
    /// it reads nothing and fills `out` with 0.
    ///
    /// # Panics
    ///
    /// Panics unless `rows` holds `out.len()` rows of `query.len()` floats.
    pub fn scan(&self, op: Op, query: &[f32], rows: &[f32], out: &mut [f32]) {
        assert_eq!(Some(rows.len()), query.len().checked_mul(out.len()), "rows do not fit query and out");
        if query.is_empty() {
            out.fill(0.0);
            return;
        }
        // SAFETY: `for_tier` found the tier available; the rows are `out.len()` of the query's length.
        unsafe { (self.table.scan)(op, query, rows, out) };
    }

    /// Computes the raw value of a query against the rows with the given numbers, in their order.
    ///
    /// The rows that follow are prefetched. At dimension 0 it reads nothing and fills `out` with 0.
    ///
    /// # Panics
    ///
    /// Panics unless `out` is as long as `ids`, `rows` is a whole number of rows of `query.len()` floats, and
    /// every id is below that number.
    pub fn gather(&self, op: Op, query: &[f32], rows: &[f32], ids: &[u32], out: &mut [f32]) {
        assert_eq!(ids.len(), out.len(), "ids and out differ in length");
        if query.is_empty() {
            out.fill(0.0);
            return;
        }
        assert!(rows.len().is_multiple_of(query.len()), "rows are not whole rows of the query's length");
        let row_count = rows.len() / query.len();
        if let Some(largest) = ids.iter().copied().reduce(u32::max) {
            assert!((largest as usize) < row_count, "id {largest} is out of range for {row_count} rows");
        }
        // SAFETY: `for_tier` found the tier available; `out` is as long as `ids`, and every id has a row.
        unsafe { (self.table.gather)(op, query, rows, ids, out) };
    }

    /// Computes the raw value of every query against every row.
    ///
    /// `queries` and `rows` are row-major with `dim` floats a row; `out[q * row_count + r]` receives query `q`
    /// against row `r`. Memory is read once for all queries, not once for each. At dimension 0 it reads
    /// nothing and fills `out` with 0.
    ///
    /// # Panics
    ///
    /// Panics unless `queries` and `rows` are whole numbers of rows of `dim` floats and `out` has the product
    /// of their counts as its length (at dimension 0: unless both are empty).
    pub fn scan_queries(&self, op: Op, queries: &[f32], dim: usize, rows: &[f32], out: &mut [f32]) {
        if dim == 0 {
            assert!(queries.is_empty() && rows.is_empty(), "vectors of dimension 0 hold no floats");
            out.fill(0.0);
            return;
        }
        assert!(queries.len().is_multiple_of(dim), "queries are not whole rows of {dim} floats");
        assert!(rows.len().is_multiple_of(dim), "rows are not whole rows of {dim} floats");
        let pairs = (queries.len() / dim).checked_mul(rows.len() / dim);
        assert_eq!(Some(out.len()), pairs, "out does not fit queries and rows");
        // SAFETY: `for_tier` found the tier available; `dim` is positive and the shapes fit.
        unsafe { (self.table.scan_queries)(op, queries, dim, rows, out) };
    }

    /// Computes the Euclidean norm of a vector.
    ///
    /// Exact to f32 rounding for every finite vector, also where squares underflow or overflow f32.
    pub fn norm(&self, a: &[f32]) -> f32 {
        self.wide_norm(a) as f32
    }

    /// Computes the inverse Euclidean norm of each row: 0 for a zero row, and at most `f32::MAX`.
    ///
    /// At dimension 0 it fills `out` with 0.
    ///
    /// # Panics
    ///
    /// Panics unless `rows` holds `out.len()` rows of `dim` floats.
    pub fn inverse_norms(&self, dim: usize, rows: &[f32], out: &mut [f32]) {
        assert_eq!(Some(rows.len()), dim.checked_mul(out.len()), "rows do not fit dim and out");
        if dim == 0 {
            out.fill(0.0);
            return;
        }
        for (value, row) in out.iter_mut().zip(rows.chunks_exact(dim)) {
            *value = inverse(self.wide_norm(row));
        }
    }

    /// Encodes a finite vector in 8 bits a component. The same codes and factors on every tier.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ.
    pub fn encode(&self, vector: &[f32], codes: &mut [i8]) -> CodeFactors {
        assert_eq!(vector.len(), codes.len(), "vector and codes differ in length");
        // SAFETY: `for_tier` found the tier available; the slices are of one length.
        unsafe { (self.table.encode)(vector, codes) }
    }

    /// Computes the integer dot products of an encoded query with consecutive rows of codes, exactly.
    ///
    /// # Panics
    ///
    /// Panics unless `codes` holds `out.len()` rows of the query's length.
    pub fn scan_codes(&self, query: &QueryCodes, codes: &[i8], out: &mut [i32]) {
        let query = query.values();
        assert_eq!(Some(codes.len()), query.len().checked_mul(out.len()), "codes do not fit query and out");
        if query.is_empty() {
            out.fill(0);
            return;
        }
        // SAFETY: `for_tier` found the tier available; the codes are `out.len()` rows of the query's length.
        unsafe { (self.table.scan_codes)(query, codes, out) };
    }

    /// Computes the integer dot products of an encoded query with the rows of codes with the given numbers, exactly.
    ///
    /// # Panics
    ///
    /// Panics unless `out` is as long as `ids` and every id has a row of the query's length in `codes`.
    pub fn gather_codes(&self, query: &QueryCodes, codes: &[i8], ids: &[u32], out: &mut [i32]) {
        assert_eq!(ids.len(), out.len(), "ids and out differ in length");
        if query.values().is_empty() {
            out.fill(0);
            return;
        }
        // SAFETY: `for_tier` found the tier available; rows are sliced, with a check, to the query's length.
        unsafe { (self.table.gather_codes)(query.values(), codes, ids, out) };
    }

    /// Encodes a finite rotated vector in 4 bits a component (see [`NibbleQuery`]). The same bytes on every tier.
    ///
    /// # Panics
    ///
    /// Panics unless the length of `rotated` is a multiple of 64 and `row` has the bytes for it.
    pub fn encode_nibbles(&self, rotated: &[f32], row: &mut [u8]) {
        assert!(rotated.len().is_multiple_of(64), "rotated vectors have a multiple of 64 components");
        assert_eq!(row.len(), nibble_row_bytes(rotated.len()), "the row is of another dimension");
        // SAFETY: `for_tier` found the tier available; the row has half a byte for each component.
        unsafe { (self.table.encode_nibbles)(rotated, row) };
    }

    /// Estimates the squared distances of a query to the rows with the given numbers, in their order. The same on every
    /// tier.
    ///
    /// The rows that follow are prefetched.
    ///
    /// # Panics
    ///
    /// Panics unless `out` is as long as `ids` and every id has a row of the query's dimension in `rows`.
    #[inline]
    pub fn score_nibbles(&self, query: &NibbleQuery, rows: &[u8], ids: &[u32], out: &mut [f32]) {
        assert_eq!(ids.len(), out.len(), "ids and out differ in length");
        // SAFETY: `for_tier` found the tier available; rows are sliced, with a check, to the query's dimension.
        unsafe { (self.table.score_nibbles)(query, rows, ids, out) };
    }

    /// Encodes a rotated row relative to a rotated centre, for [`score_sign_rows`](Kernels::score_sign_rows). The same bytes
    /// on every tier.
    ///
    /// # Panics
    ///
    /// Panics unless centre and row have one length, a multiple of 64, and `to` has the bytes for it.
    pub fn encode_sign_row_alone(&self, centre: &[f32], row: &[f32], to: &mut [u8]) {
        assert!(row.len().is_multiple_of(64), "rotated vectors have a multiple of 64 components");
        assert_eq!(centre.len(), row.len(), "centre and row differ in dimension");
        assert_eq!(to.len(), sign_row_bytes(row.len()), "the place is of another dimension");
        // SAFETY: `for_tier` found the tier available.
        unsafe { (self.table.encode_sign_row_alone)(centre, row, to) };
    }

    /// Estimates the squared distances of a query to the rows with the given numbers, in their order. The same on every
    /// tier.
    ///
    /// `base` is the squared distance of the query from the centre of the rows. Each estimate is made less by `margin` times
    /// the row's own factor, which grows as its error does: with a margin of 0.6 times the distance from the centre, by about
    /// a standard deviation. The rows that follow are prefetched.
    ///
    /// # Panics
    ///
    /// Panics unless `out` is as long as `ids` and every id has a row of the query's dimension in `rows`.
    #[inline]
    pub fn score_sign_rows(
        &self,
        query: &SignRowQuery,
        rows: &[u8],
        ids: &[u32],
        base: f32,
        margin: f32,
        out: &mut [f32],
    ) {
        assert_eq!(ids.len(), out.len(), "ids and out differ in length");
        // SAFETY: `for_tier` found the tier available; rows are sliced, with a check, to the query's dimension.
        unsafe { (self.table.score_sign_rows)(query, rows, ids, (base, margin), out) };
    }

    /// Rotates a vector.
    ///
    /// # Panics
    ///
    /// Panics unless `vector` has the rotation's dimension and `out` its rotated dimension.
    pub fn rotate(&self, rotation: &Rotation, vector: &[f32], out: &mut [f32]) {
        assert_eq!(vector.len(), rotation.dim(), "the vector has another dimension than the rotation");
        assert_eq!(out.len(), rotation.rotated_dim(), "out has another dimension than rotated vectors");
        // SAFETY: `for_tier` found the tier available.
        unsafe { (self.table.rotate)(rotation, vector, out) };
    }

    /// Makes a query ready for rows of codes of vectors, and for blocks of signs of rotated vectors, in the memory of
    /// an earlier one.
    ///
    /// # Panics
    ///
    /// Panics unless the length of `rotated` is a multiple of 64.
    pub fn prepare(&self, query: &mut SignQuery, vector: &[f32], rotated: &[f32]) {
        assert!(rotated.len().is_multiple_of(64), "rotated vectors have a multiple of 64 components");
        // SAFETY: `for_tier` found the tier available.
        unsafe { (self.table.prepare)(query, vector, rotated) };
    }

    /// Encodes a rotated row relative to a rotated centre into a place of a block of signs, under an id.
    ///
    /// `scratch` is overwritten.
    ///
    /// # Panics
    ///
    /// Panics unless centre, row and scratch have one length, a multiple of 64, the block is of that dimension and
    /// `place` is below [`SIGN_ROWS`].
    pub fn encode_sign_row(
        &self,
        centre: &[f32],
        row: &[f32],
        place: usize,
        id: u32,
        scratch: &mut [u8],
        block: &mut [u8],
    ) {
        assert!(centre.len().is_multiple_of(64), "rotated vectors have a multiple of 64 components");
        assert_eq!(centre.len(), row.len(), "centre and row differ in length");
        assert_eq!(centre.len(), scratch.len(), "centre and scratch differ in length");
        assert_eq!(block.len(), sign_block_bytes(centre.len()), "the block is of another dimension");
        assert!(place < SIGN_ROWS, "place {place} is beyond a block");
        // SAFETY: `for_tier` found the tier available.
        unsafe { (self.table.encode_sign_row)(centre, row, place, id, scratch, block) };
    }

    /// Estimates the squared distances of a query to the 32 rows of a block, and adds those below `bound` to `pool`.
    ///
    /// `base` is the squared distance of the query to the centre that the block is relative to.
    ///
    /// # Panics
    ///
    /// Panics if the block is of another dimension than the query.
    #[inline]
    pub fn estimate(&self, query: &SignQuery, block: &[u8], base: f32, bound: f32, pool: &mut CandidatePool) {
        self.estimate_ahead(query, block, base, bound, pool, &[]);
    }

    /// Does what [`Kernels::estimate`] does, and asks the processor for another block line by line meanwhile: at once,
    /// more lines would be asked for than it can wait for.
    ///
    /// # Panics
    ///
    /// Panics if the block is of another dimension than the query.
    #[inline]
    pub fn estimate_ahead(
        &self,
        query: &SignQuery,
        block: &[u8],
        base: f32,
        bound: f32,
        pool: &mut CandidatePool,
        next: &[u8],
    ) {
        assert_eq!(block.len(), sign_block_bytes(query.dim()), "the block is of another dimension");
        // SAFETY: `for_tier` found the tier available; the block has the bytes of the query's dimension.
        unsafe { (self.table.estimate)(query, block, base, bound, pool, next) };
    }

    /// Removes the nearest candidate from a pool.
    #[inline]
    pub fn pop_nearest(&self, pool: &mut CandidatePool) -> Option<(f32, u32)> {
        if pool.is_empty() {
            return None;
        }
        // SAFETY: `for_tier` found the tier available; there are keys.
        let at = unsafe { (self.table.nearest)(pool.keys()) };
        Some(pool.take(at))
    }

    /// Removes the candidates of a pool that are not nearer than `bound`; the others stay in their order.
    #[inline]
    pub fn retain_below(&self, pool: &mut CandidatePool, bound: f32) {
        // SAFETY: `for_tier` found the tier available; a pool has as many keys as ids.
        pool.retain_below(bound, |keys, ids, bound| unsafe { (self.table.retain_below)(keys, ids, bound) });
    }

    /// Returns the distance of the nearest candidate of a pool, infinite if there is none.
    #[inline]
    pub fn nearest_distance(&self, pool: &CandidatePool) -> f32 {
        if pool.is_empty() {
            return f32::INFINITY;
        }
        // SAFETY: `for_tier` found the tier available; there are keys.
        pool.distance(unsafe { (self.table.nearest)(pool.keys()) })
    }

    /// Adds to `pool` the positions whose squared distance is below `limit`, with it: of each product `p` of codes
    /// `square + squares[i] + factor * factors[i] * p`.
    ///
    /// # Panics
    ///
    /// Panics unless the slices have one length.
    pub fn keep_nearer(
        &self,
        products: &[i32],
        rows: (&[f32], &[f32]),
        query: (f32, f32),
        limit: f32,
        pool: &mut CandidatePool,
    ) {
        assert!(
            products.len() == rows.0.len() && products.len() == rows.1.len(),
            "products, factors and squares differ in length"
        );
        // SAFETY: `for_tier` found the tier available.
        unsafe { (self.table.keep_nearer)(products, rows, query, limit, pool) };
    }

    /// Asks the processor for memory that is about to be read.
    #[inline]
    pub fn prefetch<T>(&self, memory: &[T]) {
        crate::codes::scan::prefetch(memory);
    }

    /// Computes the inner products of rows of codes with all rows of panels, exactly.
    ///
    /// `queries` are rows of codes with 128 added, one after the other; each has
    /// [`Panels::padded_rows`] places in `out`. Fastest for multiples of [`PANEL_QUERIES`](crate::PANEL_QUERIES) rows.
    ///
    /// # Panics
    ///
    /// Panics unless `queries` are whole rows of the panels' dimension and `out` has the places for them.
    pub fn panel_products(&self, panels: &Panels, queries: &[u8], out: &mut [i32]) {
        if panels.rows() == 0 {
            return;
        }
        assert!(queries.len().is_multiple_of(panels.dim()), "queries are not whole rows of codes");
        let places = (queries.len() / panels.dim()).checked_mul(panels.padded_rows());
        assert_eq!(Some(out.len()), places, "out does not fit queries and panels");
        // SAFETY: `for_tier` found the tier available; the shapes fit.
        unsafe { (self.table.panel_products)(panels, queries, out) };
    }

    /// Returns the position of the first NaN or infinity, or `None` if every value is finite.
    pub fn first_non_finite(&self, values: &[f32]) -> Option<usize> {
        // SAFETY: `for_tier` found the tier available.
        unsafe { (self.table.first_non_finite)(values) }
    }

    /// Computes the norm from the f32 sum of squares where that is sound, else in f64.
    fn wide_norm(&self, a: &[f32]) -> f64 {
        let squared = f64::from(self.raw(Op::Dot, a, a));
        if SAFE_PRODUCTS.contains(&squared) { squared.sqrt() } else { wide::norm(a) }
    }
}

impl std::fmt::Debug for Kernels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kernels").field("tier", &self.tier).finish_non_exhaustive()
    }
}

/// Inverts a norm, keeping 0 for 0 and staying finite for denormal norms.
fn inverse(norm: f64) -> f32 {
    if norm == 0.0 { 0.0 } else { (1.0 / norm).min(f64::from(f32::MAX)) as f32 }
}
