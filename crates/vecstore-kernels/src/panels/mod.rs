//! Inner products of many rows of 8-bit codes with many others, for building graphs: rows are packed into panels of 16
//! so that one instruction multiplies four components of each of the 16.

mod products;

use crate::aligned::Aligned;

#[cfg(target_arch = "aarch64")]
pub(crate) use products::neon;
pub(crate) use products::portable;
#[cfg(target_arch = "x86_64")]
pub(crate) use products::{avx2, avx512};

/// Rows of a panel.
const PANEL_ROWS: usize = 16;

/// Components of a row that lie together in a panel.
const GROUP: usize = 4;

/// Rows multiplied with a panel at a time: their sums stay in registers.
pub const PANEL_QUERIES: usize = 8;

/// Rows of codes packed for [`Kernels::panel_products`](crate::Kernels::panel_products).
#[derive(Clone, Debug, Default)]
pub struct Panels {
    dim: usize,
    rows: usize,
    /// Panels one after the other; in each, groups one after the other; in each, the rows.
    codes: Aligned<i8, 64>,
    /// The sum of the codes of each row, and zeros to the end of the last panel.
    sums: Vec<i32>,
}

impl Panels {
    /// Packs rows of `dim` codes, in the memory of earlier ones.
    ///
    /// # Panics
    ///
    /// Panics unless `dim` is a multiple of 64 and every row has `dim` codes.
    pub fn pack<'a>(&mut self, dim: usize, rows: impl ExactSizeIterator<Item = &'a [i8]>) {
        assert!(dim.is_multiple_of(64), "rows of codes have a multiple of 64 components");
        self.dim = dim;
        self.rows = rows.len();
        self.codes.clear();
        self.codes.resize(self.padded_rows() * dim, 0);
        self.sums.clear();
        self.sums.resize(self.padded_rows(), 0);
        for (n, row) in rows.enumerate() {
            assert_eq!(row.len(), dim, "a row has another number of codes");
            let start = n / PANEL_ROWS * PANEL_ROWS * dim + n % PANEL_ROWS * GROUP;
            let panel = self.codes[start..].chunks_mut(PANEL_ROWS * GROUP);
            for (to, from) in panel.zip(row.as_chunks::<GROUP>().0) {
                to[..GROUP].copy_from_slice(from);
            }
            self.sums[n] = row.iter().map(|&code| i32::from(code)).sum();
        }
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the number of rows with those that fill the last panel.
    pub fn padded_rows(&self) -> usize {
        self.rows.next_multiple_of(PANEL_ROWS)
    }

    pub(crate) fn dim(&self) -> usize {
        self.dim
    }
}
