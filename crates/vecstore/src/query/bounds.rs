//! Lower bounds of keys from codes.
//!
//! With `q.x` known to within `m = |f| |x| + (|q| + |f|) |e|` (see [`vecstore_kernels::Kernels::encode`]), a key that is a
//! function of `q.x` is known to within what `m` makes of it. The bounds are of the key as the f32 kernels compute
//! it, so they allow for the rounding of those sums, and for that of the bound itself.

use vecstore_kernels::{Metric, QueryCodes};

use crate::storage::segment::Codes;

/// Lower bounds for one query. Computed in f64, in which nothing here overflows, underflows or rounds noticeably.
pub(super) struct Bounds {
    metric: Metric,
    query: QueryCodes,
    /// How far rounding takes an inner product from its exact value, as a share of the product of the norms.
    rounding: f64,
    /// How far underflow does, absolutely.
    underflow: f64,
}

impl Bounds {
    pub(super) fn new(metric: Metric, query: &[f32]) -> Self {
        // A sum of n products is off by at most n u / (1 - n u) with u = 2^-24; 64 more terms cover the rounding of norms
        // and of the few operations that make a key of the sum.
        let terms = (query.len() + 64) as f64;
        let share = terms * f64::from(f32::EPSILON) / 2.0;
        let rounding = share / (1.0 - share);
        Self {
            metric,
            query: QueryCodes::new(query),
            rounding,
            underflow: terms * f64::from(f32::MIN_POSITIVE),
        }
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
        let factors = codes.scales.iter().zip(codes.errors).zip(codes.norms);
        let rows =
            factors.map(|((&scale, &error), &norm)| (f64::from(scale), f64::from(error), f64::from(norm)));
        let rows = rows.zip(sums).zip(&mut *lowest);
        let [scale, error, norm] =
            [self.query.factors.scale, self.query.factors.error, self.query.factors.norm].map(f64::from);
        // The inner product, as the kernels compute it, can be at most this.
        let highest = |(row_scale, row_error, row_norm): (f64, f64, f64), sum: i32| {
            let lost = error * row_norm + (norm + error) * row_error;
            scale * row_scale * f64::from(sum) + lost + self.rounding * norm * row_norm + self.underflow
        };
        match self.metric {
            Metric::Cosine => {
                for (((row, &sum), lowest), &inverse_norm) in rows.zip(inverse_norms) {
                    *lowest = (-highest(row, sum) * f64::from(inverse_norm) - self.rounding) as f32;
                }
            }
            Metric::Euclidean => {
                for ((row, &sum), lowest) in rows {
                    let (row_norm, both) = (row.2, norm + row.2);
                    let squared = norm * norm + row_norm * row_norm - 2.0 * highest(row, sum);
                    // Norms are rounded up by a part in 10^7 at most, so the squares may be that much too large.
                    *lowest = (squared - self.rounding * both * both - self.underflow) as f32;
                }
            }
            _ => {
                for ((row, &sum), lowest) in rows {
                    *lowest = -highest(row, sum) as f32;
                }
            }
        }
        for lowest in lowest {
            // Down, whichever way it was rounded. What is beyond f32 may still be a key that the kernels could compute.
            *lowest = if lowest.is_finite() { lowest.next_down() } else { f32::NEG_INFINITY };
        }
    }
}
