//! Whether a difference between two systems on the same queries is more than chance, and how large it is.

mod agreement;
mod bootstrap;
mod effect;
mod holm;
mod paired_t;
mod random;
mod randomization;
mod special;
mod wilcoxon;

pub use agreement::{Weights, kappa};
pub use bootstrap::{Interval, IntervalMethod, bootstrap_mean};
pub use effect::{cohen_d, rank_biserial};
pub use holm::holm;
pub use paired_t::{MeanDifference, paired_t};
pub use randomization::{Randomization, randomization_test};
pub use wilcoxon::{SignedRanks, WilcoxonMethod, wilcoxon};

use crate::{Error, Result};

/// What every test needs of its numbers.
fn check_finite(what: &str, values: &[f64]) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(Error::new(format!("{what}[{at}]: expected a finite number, got {}", values[at]))),
        None => Ok(()),
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Returns the standard deviation of a sample (n - 1); 0 for fewer than two values, and exactly 0 for equal ones.
fn deviation(values: &[f64]) -> f64 {
    if values.windows(2).all(|pair| pair[0] == pair[1]) {
        return 0.0;
    }
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}
