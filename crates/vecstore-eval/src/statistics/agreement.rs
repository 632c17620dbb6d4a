//! Cohen's kappa: agreement of two raters beyond chance.

use std::str::FromStr;

use crate::{Error, Result};

/// How much a disagreement counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weights {
    /// Every disagreement counts the same.
    #[default]
    Unweighted,
    /// By the distance of the categories.
    Linear,
    /// By its square.
    Quadratic,
}

impl FromStr for Weights {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "none" => Ok(Self::Unweighted),
            "linear" => Ok(Self::Linear),
            "quadratic" => Ok(Self::Quadratic),
            other => {
                Err(Error::new(format!("weights: expected `none`, `linear` or `quadratic`, got `{other}`")))
            }
        }
    }
}

/// Returns kappa of two raters, whose categories are numbered from 0 in their order: 1 for full agreement, 0 for what
/// chance gives. `None` where both gave everything one category, for which chance explains all.
///
/// # Errors
/// Raters of different lengths, no ratings, or a category over 65,535.
///
/// # Examples
/// ```
/// use vecstore_eval::{Weights, kappa};
///
/// assert_eq!(kappa(&[0, 1, 1, 0], &[0, 1, 0, 0], Weights::Unweighted)?, Some(0.5));
/// # Ok::<(), vecstore_eval::Error>(())
/// ```
pub fn kappa(a: &[usize], b: &[usize], weights: Weights) -> Result<Option<f64>> {
    if a.len() != b.len() {
        return Err(Error::new(format!(
            "ratings: expected as many of both raters, got {} and {}",
            a.len(),
            b.len()
        )));
    }
    let Some(&last) = a.iter().chain(b).max() else {
        return Err(Error::new("ratings: expected at least 1, got none"));
    };
    if last > usize::from(u16::MAX) {
        return Err(Error::new(format!("ratings: expected categories up to {}, got {last}", u16::MAX)));
    }
    let weight = |x: usize, y: usize| match weights {
        Weights::Unweighted => f64::from(u8::from(x != y)),
        Weights::Linear => x.abs_diff(y) as f64,
        Weights::Quadratic => (x.abs_diff(y) as f64).powi(2),
    };
    let count = a.len() as f64;
    let observed: f64 = a.iter().zip(b).map(|(&x, &y)| weight(x, y)).sum::<f64>() / count;
    let bags = |ratings: &[usize]| {
        let mut counts = vec![0_usize; last + 1];
        for &rating in ratings {
            counts[rating] += 1;
        }
        counts.into_iter().enumerate().filter(|&(_, count)| count > 0).collect::<Vec<_>>()
    };
    let (of_a, of_b) = (bags(a), bags(b));
    let mut expected = 0.0;
    for &(x, in_a) in &of_a {
        for &(y, in_b) in &of_b {
            expected += weight(x, y) * in_a as f64 * in_b as f64;
        }
    }
    expected /= count * count;
    Ok((expected > 0.0).then(|| 1.0 - observed / expected))
}
