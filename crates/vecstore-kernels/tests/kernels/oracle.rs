//! What the tests compare with: every operation straight from its definition, in f64.

use vecstore_kernels::{Kernels, Op, Tier};

/// A value and the sum of absolute terms that its rounding error is measured against.
pub(crate) struct Expected {
    pub(crate) value: f64,
    pub(crate) scale: f64,
}

/// Computes an operation in f64.
pub(crate) fn expected(op: Op, left: &[f32], right: &[f32]) -> Expected {
    let pairs = || left.iter().zip(right).map(|(&a, &b)| (f64::from(a), f64::from(b)));
    let sum = |term: fn(f64, f64) -> f64| pairs().map(|(a, b)| term(a, b)).sum::<f64>();
    let same = |value: f64| Expected { value, scale: value };
    match op {
        Op::Dot => Expected { value: sum(|a, b| a * b), scale: sum(|a, b| (a * b).abs()) },
        Op::SquaredEuclidean => same(sum(|a, b| (a - b) * (a - b))),
        Op::Manhattan => same(sum(|a, b| (a - b).abs())),
        Op::Hamming => same(sum(|a, b| f64::from(a != b))),
        Op::Jaccard => {
            let differ = sum(|a, b| f64::from(a != b && (a != 0.0 || b != 0.0)));
            let nonzero = sum(|a, b| f64::from(a != 0.0 || b != 0.0));
            same(if nonzero == 0.0 { 0.0 } else { differ / nonzero })
        }
        Op::Chebyshev => same(pairs().fold(0.0, |largest, (a, b)| f64::max(largest, (a - b).abs()))),
        Op::Canberra => {
            same(sum(|a, b| if a == 0.0 && b == 0.0 { 0.0 } else { (a - b).abs() / (a.abs() + b.abs()) }))
        }
        Op::BrayCurtis => {
            let difference = sum(|a, b| (a - b).abs());
            let total = sum(|a, b| (a + b).abs());
            same(if difference == 0.0 { 0.0 } else { difference / total })
        }
    }
}

/// Checks a value against the oracle: within rounding of the sum of absolute terms, and infinite only where
/// the exact value is near the largest f32 or beyond.
pub(crate) fn check(op: Op, left: &[f32], right: &[f32], actual: f32) -> Result<(), String> {
    let Expected { value, scale } = expected(op, left, right);
    // Each of `dim` terms and additions may err by half a unit in the last place; a denormal result by one unit.
    let unit = f64::from(f32::EPSILON) * (left.len() as f64 + 4.0);
    let denormal = f64::from(f32::from_bits(1)) * (left.len() as f64 + 1.0);
    let actual_wide = f64::from(actual);
    let close = (actual_wide - value).abs() <= scale * unit + denormal;
    let overflowed =
        actual_wide.is_infinite() && value.abs() + scale * unit >= f64::from(f32::MAX) * (1.0 - unit);
    if close || (overflowed && (actual > 0.0) == (value > 0.0)) {
        return Ok(());
    }
    Err(format!("{op:?} at dim {}: got {actual:e}, expected {value:e} (terms {scale:e})", left.len()))
}

/// Returns the kernels of every tier this CPU has.
pub(crate) fn every_tier() -> Vec<Kernels> {
    Tier::available().iter().filter_map(|&tier| Kernels::for_tier(tier)).collect()
}
