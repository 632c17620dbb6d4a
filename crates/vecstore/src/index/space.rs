//! Vectors as points of a Euclidean space in which the nearest point is the nearest by the metric.

use vecstore_kernels::{Kernels, Metric};

use super::search::RowFactors;

/// How vectors of a segment become points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Space {
    /// Vectors of length 1: the squared distance is twice the cosine distance.
    Cosine,
    /// The vectors themselves.
    Euclidean,
    /// Vectors with one component more that makes all of them as long as the longest, and queries as long with a 0
    /// there: the nearest point has the largest product (Bachrach et al., RecSys 2014).
    Dot { longest: f32 },
}

impl Space {
    /// Returns the space of a metric whose vectors are at most `longest` long; `None` for metrics that have none.
    pub(crate) fn of(metric: Metric, longest: f32) -> Option<Self> {
        match metric {
            Metric::Cosine => Some(Self::Cosine),
            Metric::Euclidean => Some(Self::Euclidean),
            Metric::Dot => Some(Self::Dot { longest }),
            _ => None,
        }
    }

    /// Returns the dimension of the points of vectors of `dim` components.
    pub(crate) fn point_dim(self, dim: usize) -> usize {
        dim + usize::from(matches!(self, Self::Dot { .. }))
    }

    /// Returns the point of a row.
    pub(crate) fn point_of_row(self, kernels: Kernels, vector: &[f32], point: &mut Vec<f32>) {
        point.clear();
        match self {
            Self::Cosine => {
                let norm = kernels.norm(vector);
                point.extend(vector.iter().map(|value| value / norm));
            }
            Self::Euclidean => point.extend_from_slice(vector),
            Self::Dot { longest } => {
                let (norm, longest) = (f64::from(kernels.norm(vector)), f64::from(longest));
                point.extend_from_slice(vector);
                point.push((longest * longest - norm * norm).max(0.0).sqrt() as f32);
            }
        }
    }

    /// Returns the point of a query, whose vector has length 1 under cosine.
    pub(crate) fn point_of_query(self, kernels: Kernels, vector: &[f32], point: &mut Vec<f32>) {
        point.clear();
        match self {
            Self::Cosine | Self::Euclidean => point.extend_from_slice(vector),
            Self::Dot { longest } => {
                let norm = kernels.norm(vector);
                // A query of zeros has the product 0 with everything: any point will do.
                let factor = if norm > 0.0 { longest / norm } else { 0.0 };
                point.extend(vector.iter().map(|value| value * factor));
                point.push(0.0);
            }
        }
    }

    /// Returns what turns the integer product of the codes of a query's vector and of a row into the squared distance
    /// of their points: the row's square, and the factor of the product.
    ///
    /// `scale` is the value of a unit of the row's codes, `norm` its norm.
    pub(crate) fn row_factors(self, scale: f32, norm: f32) -> (f32, f32) {
        match self {
            Self::Cosine => (1.0, -2.0 * scale / norm),
            Self::Euclidean => (norm * norm, -2.0 * scale),
            Self::Dot { longest } => (longest * longest, -2.0 * scale),
        }
    }
    /// Returns the same as [`Space::row_factors`].
    pub(super) fn factors_of_codes(self, scale: f32, norm: f32) -> RowFactors {
        let (square, factor) = self.row_factors(scale, norm);
        RowFactors { square, factor }
    }

    /// Returns what turns the product of a query's vector and a row's into the squared distance of their points. Only a
    /// Euclidean space needs more than that.
    pub(super) fn factors_of_full(self, inverse_norm: f32) -> RowFactors {
        self.factors_of_codes(1.0, 1.0 / inverse_norm)
    }
}
