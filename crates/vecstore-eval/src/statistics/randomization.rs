//! Fisher's randomisation test on paired differences: if two systems are alike, each difference might as well have
//! the other sign.

use super::check_finite;
use super::random::Random;
use crate::{Error, Result};

/// Differences whose sums under all signs are tabled together: a permutation then costs one look-up for eight pairs.
const TABLE_PAIRS: usize = 8;

/// What the test found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Randomization {
    /// The mean of the differences.
    pub mean: f64,
    /// The chance of a mean as far from 0 on either side, over signs.
    pub p_value: f64,
    /// Signs tried: all `2^n` if the test is exact.
    pub permutations: u64,
    /// Whether all signs were tried.
    pub exact: bool,
}

/// Tests whether the mean of differences is 0, on both sides.
///
/// Exact where there are no more than `permutations` ways to set the signs; else by that many random ones, the
/// observed one counted with them, so that p is never 0. Costs O(permutations x n / 8).
///
/// # Errors
/// No differences, one that is not finite, or no permutations.
///
/// # Examples
/// ```
/// let test = vecstore_eval::randomization_test(&[0.1, 0.2, 0.3], 100_000, 0)?;
/// assert!(test.exact);
/// assert_eq!(test.p_value, 0.25);
/// # Ok::<(), vecstore_eval::Error>(())
/// ```
pub fn randomization_test(differences: &[f64], permutations: u64, seed: u64) -> Result<Randomization> {
    check_finite("differences", differences)?;
    if differences.is_empty() {
        return Err(Error::new("randomisation test: expected at least 1 pair, got none"));
    }
    if permutations == 0 {
        return Err(Error::new("permutations: expected at least 1, got 0"));
    }
    // A difference of 0 has no sign; without it the sums are the same.
    let moved: Vec<f64> = differences.iter().copied().filter(|&difference| difference != 0.0).collect();
    let tables: Vec<[f64; 1 << TABLE_PAIRS]> = moved.chunks(TABLE_PAIRS).map(table).collect();
    let observed: f64 = tables.iter().map(|table| table[0]).sum();
    // Sums of the same numbers in another order differ by rounding, and must count as equal.
    let rounding = moved.iter().map(|difference| difference.abs()).sum::<f64>() * 1e-14;
    let bound = observed.abs() - rounding;
    let mean = observed / differences.len() as f64;

    let ways = u32::try_from(moved.len()).ok().and_then(|pairs| 1_u64.checked_shl(pairs));
    if let Some(ways) = ways.filter(|&ways| ways <= permutations) {
        let mut extreme = 0_u64;
        for signs in 0..ways {
            check_now_and_then(signs)?;
            extreme += u64::from(signed_sum(&tables, |at| signs >> (at * TABLE_PAIRS)).abs() >= bound);
        }
        let p_value = extreme as f64 / ways as f64;
        return Ok(Randomization { mean, p_value, permutations: ways, exact: true });
    }
    let mut random = Random::new(seed);
    let mut extreme = 0_u64;
    for permutation in 0..permutations {
        check_now_and_then(permutation)?;
        let mut word = 0;
        let sum = signed_sum(&tables, |at| {
            if at % TABLE_PAIRS == 0 {
                word = random.word();
            }
            word >> (at % TABLE_PAIRS * TABLE_PAIRS)
        });
        extreme += u64::from(sum.abs() >= bound);
    }
    let p_value = (extreme + 1) as f64 / (permutations + 1) as f64;
    Ok(Randomization { mean, p_value, permutations, exact: false })
}

fn check_now_and_then(permutation: u64) -> Result<()> {
    if permutation.is_multiple_of(1 << 12) { Error::check_interrupt() } else { Ok(()) }
}

/// Returns the sums of up to eight differences under all signs: bit n set turns the n-th.
fn table(differences: &[f64]) -> [f64; 1 << TABLE_PAIRS] {
    std::array::from_fn(|signs| {
        let signed =
            |(at, difference): (usize, &f64)| if signs >> at & 1 == 1 { -difference } else { *difference };
        differences.iter().enumerate().map(signed).sum()
    })
}

fn signed_sum(tables: &[[f64; 1 << TABLE_PAIRS]], mut signs: impl FnMut(usize) -> u64) -> f64 {
    tables.iter().enumerate().map(|(at, table)| table[(signs(at) & 0xff) as usize]).sum()
}
