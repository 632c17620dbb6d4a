//! Lower bounds of keys from codes.
//!
//! With `q.x` known to within `m = |f| |x| + (|q| + |f|) |e|` (see [`vecstore_kernels::Kernels::encode`]), a key that is a
//! function of `q.x` is known to within what `m` makes of it. The bounds are of the key as the f32 kernels compute
//! it, so they allow for the rounding of those sums, and for that of the bound itself.

use vecstore_kernels::{Metric, QueryCodes};

use crate::storage::segment::Codes;

/// Lower bounds for one query.
pub(super) struct Bounds {
    metric: Metric,
    query: QueryCodes,
    /// How far rounding takes an inner product from its exact value, as a share of the product of the norms.
    rounding: f32,
}

impl Bounds {
    pub(super) fn new(metric: Metric, query: &[f32]) -> Self {
        // A sum of n products is off by at most n + 1 roundings of 2^-24 each; 64 more cover the few operations here
        // and the rounding of norms.
        let rounding = (query.len() + 64) as f32 * 2.0f32.powi(-24);
        Self { metric, query: QueryCodes::new(query), rounding }
    }

    pub(super) fn query(&self) -> &QueryCodes {
        &self.query
    }

    /// Fills in the least that the key of each row can be, given the sums of its codes.
    pub(super) fn lowest_keys(
        &self,
        codes: &Codes<'_>,
        inverse_norms: &[f32],
        sums: &[i32],
        lowest: &mut [f32],
    ) {
        let q = self.query.factors;
        let rows = codes.scales.iter().zip(codes.errors).zip(codes.norms).zip(sums).zip(&mut *lowest);
        // The inner product can be at most this.
        let highest = |((&scale, &error), &norm): ((&f32, &f32), &f32), sum: i32| {
            let product = q.scale * scale * sum as f32;
            product + (q.error * norm + (q.norm + q.error) * error + self.rounding * q.norm * norm)
        };
        match self.metric {
            Metric::Cosine => {
                for ((row, &inverse_norm), lowest) in rows
                    .zip(inverse_norms)
                    .map(|(((row, &sum), lowest), norm)| ((highest(row, sum), norm), lowest))
                {
                    *lowest = -(row * inverse_norm) - self.rounding;
                }
            }
            Metric::Euclidean => {
                for ((row, &sum), lowest) in rows {
                    let norm = *row.1;
                    let both = q.norm + norm;
                    let squared = q.norm * q.norm + norm * norm - 2.0 * highest(row, sum);
                    // Norms are rounded up by a part in 10^7 at most, so the squares may be that much too large.
                    *lowest = squared - self.rounding * both * both;
                }
            }
            _ => {
                for ((row, &sum), lowest) in rows {
                    *lowest = -highest(row, sum);
                }
            }
        }
        // Where something overflowed nothing is known.
        lowest.iter_mut().filter(|lowest| !lowest.is_finite()).for_each(|lowest| *lowest = f32::NEG_INFINITY);
    }
}
