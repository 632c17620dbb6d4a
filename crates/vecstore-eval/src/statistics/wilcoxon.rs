//! Wilcoxon's signed-rank test on paired differences; differences of 0 are left out.

use super::check_finite;
use super::special::normal_cdf;
use crate::Result;

/// The most differences that are counted exactly by default; the normal approximation is good beyond.
const EXACT_MAX: usize = 50;

/// How the p-value comes about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WilcoxonMethod {
    /// Exact for up to 50 differences without ties in size, else by the normal approximation.
    #[default]
    Auto,
    /// By counting all signs; ties in size make it approximate.
    Exact,
    /// By the normal approximation, corrected for ties.
    Normal,
}

/// What the test found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignedRanks {
    /// The smaller of the two rank sums.
    pub statistic: f64,
    /// The sum of the ranks of positive differences.
    pub positive: f64,
    /// The sum of the ranks of negative differences.
    pub negative: f64,
    /// The chance of rank sums that far apart if the differences lay evenly about 0; 1 where all are 0.
    pub p_value: f64,
}

/// Tests whether differences lie evenly about 0, on both sides.
///
/// # Errors
/// A difference that is not finite.
///
/// # Examples
/// ```
/// use vecstore_eval::{WilcoxonMethod, wilcoxon};
///
/// let test = wilcoxon(&[0.1, 0.2, 0.3, 0.4, 0.5], WilcoxonMethod::Auto)?;
/// assert_eq!((test.statistic, test.p_value), (0.0, 0.0625));
/// # Ok::<(), vecstore_eval::Error>(())
/// ```
pub fn wilcoxon(differences: &[f64], method: WilcoxonMethod) -> Result<SignedRanks> {
    check_finite("differences", differences)?;
    let mut sized: Vec<f64> = differences.iter().copied().filter(|&difference| difference != 0.0).collect();
    sized.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let (mut positive, mut negative, mut ties) = (0.0, 0.0, 0.0);
    let mut at = 0;
    while at < sized.len() {
        let alike = sized[at..].iter().take_while(|other| other.abs() == sized[at].abs()).count();
        let rank = (2 * at + alike + 1) as f64 / 2.0;
        for difference in &sized[at..at + alike] {
            if *difference > 0.0 {
                positive += rank;
            } else {
                negative += rank;
            }
        }
        ties += (alike as f64).powi(3) - alike as f64;
        at += alike;
    }
    let count = sized.len();
    let exact = match method {
        WilcoxonMethod::Auto => count <= EXACT_MAX && ties == 0.0,
        WilcoxonMethod::Exact => true,
        WilcoxonMethod::Normal => false,
    };
    let p_value = if count == 0 {
        1.0
    } else if exact {
        exact_p(positive, count)
    } else {
        normal_p(positive, count as f64, ties)
    };
    Ok(SignedRanks { statistic: f64::min(positive, negative), positive, negative, p_value })
}

/// Counts the signs that give each sum of ranks.
fn exact_p(positive: f64, count: usize) -> f64 {
    let most = count * (count + 1) / 2;
    let mut share = vec![0.0; most + 1];
    share[0] = 1.0;
    for rank in 1..=count {
        for sum in (0..=most).rev() {
            let with = if sum >= rank { share[sum - rank] } else { 0.0 };
            share[sum] = (share[sum] + with) / 2.0;
        }
    }
    let below: f64 = share[..=(positive.floor() as usize).min(most)].iter().sum();
    let above: f64 = share[(positive.ceil() as usize).min(most)..].iter().sum();
    (2.0 * f64::min(below, above)).min(1.0)
}

fn normal_p(positive: f64, count: f64, ties: f64) -> f64 {
    let mean = count * (count + 1.0) / 4.0;
    let variance = (count * (count + 1.0) * (2.0 * count + 1.0) - ties / 2.0) / 24.0;
    if variance <= 0.0 {
        return 1.0;
    }
    2.0 * normal_cdf(-((positive - mean) / variance.sqrt()).abs())
}
