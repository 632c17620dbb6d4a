//! The f64 way out for f32 sums that left the range of f32.
//!
//! Products and sums of f32 values cannot overflow f64 (`f32::MAX` squared is below 1.2e77), so these never
//! cancel infinities. They run only on vectors with components near 1e19 and above, or norms below 1e-15.

use crate::metric::Op;

/// Computes the value of an operation that retries.
#[cold]
#[inline(never)]
pub(crate) fn retry(op: Op, left: &[f32], right: &[f32]) -> f32 {
    match op {
        Op::Dot => dot(left, right) as f32,
        Op::BrayCurtis => bray_curtis(left, right) as f32,
        Op::SquaredEuclidean | Op::Manhattan | Op::Hamming | Op::Jaccard | Op::Chebyshev | Op::Canberra => {
            unreachable!("only dot and braycurtis retry")
        }
    }
}

/// Computes the inner product.
pub(crate) fn dot(left: &[f32], right: &[f32]) -> f64 {
    left.iter().zip(right).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// Computes the Euclidean norm.
#[cold]
#[inline(never)]
pub(crate) fn norm(values: &[f32]) -> f64 {
    dot(values, values).sqrt()
}

fn bray_curtis(left: &[f32], right: &[f32]) -> f64 {
    let (mut difference, mut total) = (0.0_f64, 0.0_f64);
    for (&a, &b) in left.iter().zip(right) {
        difference += (f64::from(a) - f64::from(b)).abs();
        total += (f64::from(a) + f64::from(b)).abs();
    }
    if difference == 0.0 { 0.0 } else { difference / total }
}
