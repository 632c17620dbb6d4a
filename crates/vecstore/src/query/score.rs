//! From raw kernel values to keys that order, and from keys to the distance and the score that callers see.

use std::borrow::Cow;

use rayon::ThreadPool;
use rayon::prelude::*;
use vecstore_kernels::{Kernels, Metric, Op};

use crate::error::{Error, Result};
use crate::index::Space;

/// How the collection's metric is computed and reported. A *key* orders neighbors: smaller is nearer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scoring {
    pub(crate) metric: Metric,
    pub(crate) kernels: Kernels,
}

impl Scoring {
    pub(crate) fn new(metric: Metric) -> Self {
        Self { metric, kernels: Kernels::detect() }
    }

    pub(crate) fn uses_norms(self) -> bool {
        self.metric == Metric::Cosine
    }

    /// Returns whether segments hold codes: for metrics made of an inner product, and vectors long enough for a
    /// quarter of the bytes to matter.
    pub(crate) fn uses_codes(self, dim: usize) -> bool {
        const DIM_WITH_CODES: usize = 32;
        matches!(self.metric, Metric::Cosine | Metric::Dot | Metric::Euclidean) && dim >= DIM_WITH_CODES
    }

    /// Returns the space in which rows are points for an index; `None` if the metric has none, or if squares of lengths
    /// could leave the range of f32.
    pub(crate) fn space<'a>(
        self,
        dim: usize,
        rows: usize,
        vector: impl Fn(usize) -> Result<&'a [f32]>,
    ) -> Result<Option<Space>> {
        const LENGTHS: std::ops::RangeInclusive<f32> = 1e-15..=1e15;
        const DOT_SPREAD_MAX: f64 = 1.9;
        if !self.uses_codes(dim) || self.metric == Metric::Cosine {
            return Ok(Space::of(self.metric, 0.0).filter(|_| self.uses_codes(dim)));
        }
        let (mut longest, mut total) = (0.0f32, 0.0f64);
        for row in 0..rows {
            let norm = self.kernels.norm(vector(row)?);
            longest = longest.max(norm);
            total += f64::from(norm);
        }
        // Beside a few long rows all others lie close together in the space of dot, too close for codes.
        let is_even = f64::from(longest) * rows as f64 <= DOT_SPREAD_MAX * total;
        let has_space = LENGTHS.contains(&longest) && (self.metric != Metric::Dot || is_even);
        Ok(Space::of(self.metric, longest).filter(|_| has_space))
    }

    /// Returns whether segments of more than a few thousand rows get a graph when they are merged.
    pub(crate) fn uses_graphs(self, dim: Option<usize>) -> bool {
        dim.is_some_and(|dim| self.uses_codes(dim))
    }

    pub(crate) fn op(self) -> Op {
        self.metric.op()
    }

    /// Returns the norms that rows of the collection carry: none unless the metric uses them.
    pub(crate) fn inverse_norms(self, dim: usize, vectors: &[f32]) -> Vec<f32> {
        if !self.uses_norms() || dim == 0 {
            return Vec::new();
        }
        let mut norms = vec![0.0; vectors.len() / dim];
        self.kernels.inverse_norms(dim, vectors, &mut norms);
        norms
    }

    /// Checks that vectors are finite and, where the metric needs a direction, have one. Returns the norms that the
    /// rows carry. `name` names a row in errors.
    pub(crate) fn check(
        self,
        dim: usize,
        vectors: &[f32],
        name: impl Fn(usize) -> String,
    ) -> Result<Vec<f32>> {
        if let Some(at) = self.kernels.first_non_finite(vectors) {
            return Err(Error::invalid(format!(
                "{}: component {} is {}, expected a finite number",
                name(at / dim),
                at % dim,
                vectors[at]
            )));
        }
        let norms = self.inverse_norms(dim, vectors);
        // Beyond these, the inverse would have lost digits.
        let usable = f32::MIN_POSITIVE..=1.0 / f32::MIN_POSITIVE;
        if let Some(row) = norms.iter().position(|norm| !usable.contains(norm)) {
            return Err(Error::invalid(format!(
                "{}: its length is {:e}; the cosine metric needs one between 1.2e-38 and 8.5e37",
                name(row),
                self.kernels.norm(&vectors[row * dim..][..dim])
            )));
        }
        Ok(norms)
    }

    /// Checks query vectors and makes them what scans take: for cosine of length 1, so that no product overflows.
    pub(crate) fn queries<'q>(
        self,
        dim: usize,
        vectors: &'q [f32],
        pool: Option<&ThreadPool>,
        name: impl Fn(usize) -> String,
    ) -> Result<Cow<'q, [f32]>> {
        /// Queries of a thread's share, at least.
        const SHARE: usize = 64;
        self.check(dim, vectors, name)?;
        if !self.uses_norms() {
            return Ok(Cow::Borrowed(vectors));
        }
        let mut unit = vec![0.0; vectors.len()];
        let normalise = |(unit, vectors): (&mut [f32], &[f32])| {
            for (unit, vector) in unit.chunks_exact_mut(dim).zip(vectors.chunks_exact(dim)) {
                let inverse = 1.0 / wide_norm(vector);
                for (unit, &value) in unit.iter_mut().zip(vector) {
                    *unit = (f64::from(value) * inverse) as f32;
                }
            }
        };
        match pool {
            Some(pool) if vectors.len() > SHARE * dim => pool.install(|| {
                unit.par_chunks_mut(SHARE * dim).zip(vectors.par_chunks(SHARE * dim)).for_each(normalise);
            }),
            _ => normalise((&mut unit, vectors)),
        }
        Ok(Cow::Owned(unit))
    }

    /// Turns raw values of a scan into keys. `row_norms` has a value for each if the metric uses norms.
    pub(crate) fn keys(self, row_norms: &[f32], values: &mut [f32]) {
        match self.metric {
            Metric::Cosine => {
                for (value, norm) in values.iter_mut().zip(row_norms) {
                    // Rounding may take a cosine beyond 1; all those are the same direction.
                    *value = (*value * -norm).clamp(-1.0, 1.0);
                }
            }
            Metric::Dot => values.iter_mut().for_each(|value| *value = -*value),
            _ => {}
        }
    }

    /// Returns the distance that callers see, in the metric's own unit.
    pub(crate) fn distance(self, key: f32) -> f32 {
        match self.metric {
            Metric::Cosine => 1.0 + key,
            Metric::Euclidean => key.sqrt(),
            _ => key,
        }
    }

    /// Returns the score that callers see: larger is better.
    pub(crate) fn score(self, key: f32) -> f32 {
        match self.metric {
            Metric::Cosine | Metric::Dot => -key,
            _ => 1.0 / (1.0 + self.distance(key)),
        }
    }
}

/// Returns the norm of a vector, whatever its magnitude. Sums side by side, so that the compiler may use vector registers.
fn wide_norm(vector: &[f32]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0f64; LANES];
    for chunk in vector.chunks(LANES) {
        for (sum, &value) in sums.iter_mut().zip(chunk) {
            *sum += f64::from(value) * f64::from(value);
        }
    }
    sums.iter().sum::<f64>().sqrt()
}
