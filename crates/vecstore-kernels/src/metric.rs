//! The metrics a caller names, and the raw operations the kernels scan with.

use std::fmt;
use std::str::FromStr;

/// A measure of how far apart two vectors are; smaller is nearer for every one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metric {
    /// `1 - cos(a, b)`, from 0 (same direction) to 2 (opposite); 1 if either vector is zero.
    Cosine,
    /// The negated inner product `-(a . b)`.
    Dot,
    /// The straight-line distance `sqrt(sum (a - b)^2)`.
    Euclidean,
    /// The city-block distance `sum |a - b|`.
    Manhattan,
    /// The number of components that differ.
    Hamming,
    /// Among positions where either vector is nonzero, the fraction where they differ; 0 if there are none.
    Jaccard,
    /// The largest component difference `max |a - b|`.
    Chebyshev,
    /// `sum |a - b| / (|a| + |b|)`, where a position with both components zero adds nothing.
    Canberra,
    /// `sum |a - b| / sum |a + b|`; 0 for equal vectors, infinite if only the denominator vanishes.
    BrayCurtis,
}

impl Metric {
    /// Every metric, in declaration order.
    pub const ALL: [Metric; 9] = [
        Metric::Cosine,
        Metric::Dot,
        Metric::Euclidean,
        Metric::Manhattan,
        Metric::Hamming,
        Metric::Jaccard,
        Metric::Chebyshev,
        Metric::Canberra,
        Metric::BrayCurtis,
    ];

    /// Returns the canonical lowercase name, which [`FromStr`] accepts back.
    pub const fn name(self) -> &'static str {
        match self {
            Metric::Cosine => "cosine",
            Metric::Dot => "dot",
            Metric::Euclidean => "euclidean",
            Metric::Manhattan => "manhattan",
            Metric::Hamming => "hamming",
            Metric::Jaccard => "jaccard",
            Metric::Chebyshev => "chebyshev",
            Metric::Canberra => "canberra",
            Metric::BrayCurtis => "braycurtis",
        }
    }

    /// Returns the operation whose raw values [`Metric::distance_of`] turns into this metric's distances.
    pub const fn op(self) -> Op {
        match self {
            Metric::Cosine | Metric::Dot => Op::Dot,
            Metric::Euclidean => Op::SquaredEuclidean,
            Metric::Manhattan => Op::Manhattan,
            Metric::Hamming => Op::Hamming,
            Metric::Jaccard => Op::Jaccard,
            Metric::Chebyshev => Op::Chebyshev,
            Metric::Canberra => Op::Canberra,
            Metric::BrayCurtis => Op::BrayCurtis,
        }
    }

    /// Turns a raw value of [`Metric::op`] into a distance.
    ///
    /// The inverse norms of the two vectors (see [`Kernels::inverse_norms`](crate::Kernels::inverse_norms))
    /// are read by [`Metric::Cosine`] alone; an inverse norm of 0 stands for a zero vector, whose cosine
    /// distance to anything is 1. Symmetric in the two norms.
    ///
    /// Every metric but cosine and dot preserves the order of its raw values, so a search may compare raw
    /// values and convert only what it returns.
    #[inline]
    pub fn distance_of(self, raw: f32, left_inverse_norm: f32, right_inverse_norm: f32) -> f32 {
        match self {
            Metric::Cosine => cosine(f64::from(raw), left_inverse_norm, right_inverse_norm),
            // Not `-raw`: a negative zero would order before a positive one under `total_cmp`.
            Metric::Dot => 0.0 - raw,
            Metric::Euclidean => raw.sqrt(),
            Metric::Manhattan
            | Metric::Hamming
            | Metric::Jaccard
            | Metric::Chebyshev
            | Metric::Canberra
            | Metric::BrayCurtis => raw,
        }
    }
}

/// Composes the cosine distance in f64, where neither the product of the inverse norms nor its product
/// with the dot product can overflow or vanish.
#[inline]
pub(crate) fn cosine(dot: f64, left_inverse_norm: f32, right_inverse_norm: f32) -> f32 {
    if left_inverse_norm == 0.0 || right_inverse_norm == 0.0 {
        return 1.0;
    }
    let cosine = dot * (f64::from(left_inverse_norm) * f64::from(right_inverse_norm));
    (1.0 - cosine).clamp(0.0, 2.0) as f32
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Metric {
    type Err = UnknownMetric;

    /// Reads a name or a common alias (`l2`, `ip`, `l1`, `linf`, ...), ignoring ASCII case.
    fn from_str(name: &str) -> Result<Metric, UnknownMetric> {
        match name.to_ascii_lowercase().as_str() {
            "cosine" => Ok(Metric::Cosine),
            "dot" | "dotproduct" | "dot_product" | "inner_product" | "ip" => Ok(Metric::Dot),
            "euclidean" | "l2" => Ok(Metric::Euclidean),
            "manhattan" | "l1" => Ok(Metric::Manhattan),
            "hamming" => Ok(Metric::Hamming),
            "jaccard" => Ok(Metric::Jaccard),
            "chebyshev" | "linf" => Ok(Metric::Chebyshev),
            "canberra" => Ok(Metric::Canberra),
            "braycurtis" | "bray_curtis" => Ok(Metric::BrayCurtis),
            _ => Err(UnknownMetric { name: name.to_owned() }),
        }
    }
}

/// The error of reading a [`Metric`] from a name that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownMetric {
    name: String,
}

impl fmt::Display for UnknownMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown metric `{}`: expected one of ", self.name)?;
        for (position, metric) in Metric::ALL.into_iter().enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(f, "{separator}{metric}")?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownMetric {}

/// A raw operation of the scan kernels, one step short of a [`Metric`]: no square root, no norms, no sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// The inner product `a . b`: larger is nearer.
    Dot,
    /// `sum (a - b)^2`.
    SquaredEuclidean,
    /// `sum |a - b|`.
    Manhattan,
    /// The number of components that differ.
    Hamming,
    /// As [`Metric::Jaccard`].
    Jaccard,
    /// `max |a - b|`.
    Chebyshev,
    /// As [`Metric::Canberra`].
    Canberra,
    /// As [`Metric::BrayCurtis`].
    BrayCurtis,
}

impl Op {
    /// Every operation, in declaration order.
    pub const ALL: [Op; 8] = [
        Op::Dot,
        Op::SquaredEuclidean,
        Op::Manhattan,
        Op::Hamming,
        Op::Jaccard,
        Op::Chebyshev,
        Op::Canberra,
        Op::BrayCurtis,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_in_any_case() {
        for metric in Metric::ALL {
            assert_eq!(metric.to_string().parse(), Ok(metric));
            assert_eq!(metric.name().to_uppercase().parse(), Ok(metric));
        }
    }

    #[test]
    fn aliases_name_their_metric() {
        let aliases = [
            ("L2", Metric::Euclidean),
            ("dotproduct", Metric::Dot),
            ("Dot_Product", Metric::Dot),
            ("inner_product", Metric::Dot),
            ("IP", Metric::Dot),
            ("l1", Metric::Manhattan),
            ("Linf", Metric::Chebyshev),
            ("bray_curtis", Metric::BrayCurtis),
        ];
        for (alias, metric) in aliases {
            assert_eq!(alias.parse(), Ok(metric), "{alias}");
        }
    }

    #[test]
    fn unknown_name_is_an_error_that_lists_the_choices() {
        let error = "l3".parse::<Metric>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown metric `l3`: expected one of cosine, dot, euclidean, manhattan, hamming, jaccard, \
             chebyshev, canberra, braycurtis"
        );
    }

    #[test]
    fn dot_distance_of_zero_is_positive_zero() {
        assert_eq!(Metric::Dot.distance_of(0.0, 1.0, 1.0).to_bits(), 0);
        assert_eq!(Metric::Dot.distance_of(-0.0, 1.0, 1.0).to_bits(), 0);
    }
}
