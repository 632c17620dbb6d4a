//! One ranking out of several.
//!
//! A run is a ranking of items with their scores, best first; items are numbers below a count that the caller knows. The
//! fused scores are those of ranx (Bassani and Romelli, "ranx.fuse", CIKM 2022) to 1e-12; ties go to the smaller item.

use crate::error::{Error, Result};

/// A ranked item and its score.
pub type Scored = (usize, f64);

/// How the scores of a run are made comparable with those of others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Normalization {
    /// As they are.
    None,
    /// From 0 for the lowest to 1 for the highest.
    #[default]
    MinMax,
    /// Divided by the highest.
    Max,
    /// From 0 for the lowest, with a sum of 1.
    Sum,
    /// With mean 0 and variance 1.
    ZScore,
    /// By the rank alone: 1, 1 - 1/n, and so on.
    Rank,
}

/// The least that scores are divided by.
const DENOMINATOR_MIN: f64 = 1e-9;

impl Normalization {
    /// Returns the normalised scores of a run.
    fn apply(self, run: &[Scored]) -> Vec<f64> {
        let scores = || run.iter().map(|&(_, score)| score);
        let n = run.len() as f64;
        let highest = scores().fold(f64::NEG_INFINITY, f64::max);
        let lowest = scores().fold(f64::INFINITY, f64::min);
        let sum = scores().sum::<f64>();
        let scaled = |from: f64, by: f64| {
            let by = by.max(DENOMINATOR_MIN);
            scores().map(|score| (score - from) / by).collect()
        };
        match self {
            Self::None => scores().collect(),
            Self::MinMax => scaled(lowest, highest - lowest),
            Self::Max => scaled(0.0, highest),
            Self::Sum => scaled(lowest, sum - lowest * n),
            Self::ZScore => {
                let mean = sum / n;
                let variance = scores().map(|score| (score - mean).powi(2)).sum::<f64>() / n;
                scaled(mean, variance.sqrt())
            }
            Self::Rank => (0..run.len()).map(|rank| 1.0 - rank as f64 / n).collect(),
        }
    }
}

/// Fuses by reciprocal ranks: an item's score is the sum of 1 / (k + rank), ranks from 1 (Cormack et al., 2009; k is 60 there).
///
/// ```
/// let fused = vecstore_rag::reciprocal_rank_fusion(&[vec![(0, 0.9), (1, 0.8)], vec![(1, 12.0)]], 60.0)?;
/// assert_eq!(fused[0], (1, 1.0 / 62.0 + 1.0 / 61.0));
/// # Ok::<(), vecstore_rag::Error>(())
/// ```
///
/// # Errors
///
/// `InvalidInput` for a `k` that is not a number of at least 0. This and the following also for an item that is twice in a run,
/// or a score that is not a number.
pub fn reciprocal_rank_fusion(runs: &[Vec<Scored>], k: f64) -> Result<Vec<Scored>> {
    if !(k >= 0.0 && k.is_finite()) {
        return Err(Error::invalid(format!("k: expected a number of at least 0, got {k}")));
    }
    weighted_reciprocal_rank_fusion(runs, &vec![1.0; runs.len()], k)
}

/// Does what [`reciprocal_rank_fusion`] does with a weight for each run.
pub fn weighted_reciprocal_rank_fusion(runs: &[Vec<Scored>], weights: &[f64], k: f64) -> Result<Vec<Scored>> {
    let mut sums = Sums::new(runs)?;
    check_weights(runs, weights)?;
    for (run, weight) in runs.iter().zip(weights) {
        for (rank, &(item, _)) in run.iter().enumerate() {
            sums.add(item, weight / (k + rank as f64 + 1.0));
        }
    }
    Ok(sums.ranked())
}

/// Fuses by Borda's count: of n items in all runs together, the first of a run gets n points from it, the second n - 1, and
/// each that the run lacks an equal share of the points that are left (Aslam and Montague, 2001).
pub fn borda_fusion(runs: &[Vec<Scored>]) -> Result<Vec<Scored>> {
    let mut sums = Sums::new(runs)?;
    let items = sums.items();
    let most = items.len() as f64;
    for run in runs {
        let mut ranked = vec![false; sums.len()];
        for (rank, &(item, _)) in run.iter().enumerate() {
            ranked[item] = true;
            sums.add(item, most - rank as f64);
        }
        let share = (most - run.len() as f64 + 1.0) / 2.0;
        for &item in items.iter().filter(|&&item| !ranked[item]) {
            sums.add(item, share);
        }
    }
    Ok(sums.ranked())
}

/// Fuses by the weighted sum of normalised scores; a run that lacks an item adds 0.
pub fn weighted_fusion(
    runs: &[Vec<Scored>],
    weights: &[f64],
    normalization: Normalization,
) -> Result<Vec<Scored>> {
    let mut sums = Sums::new(runs)?;
    check_weights(runs, weights)?;
    for (run, weight) in runs.iter().zip(weights) {
        for (&(item, _), score) in run.iter().zip(normalization.apply(run)) {
            sums.add(item, weight * score);
        }
    }
    Ok(sums.ranked())
}

/// Fuses by the mean of an item's scores in the runs that have it (CombANZ, Fox and Shaw, 1993).
pub fn average_fusion(runs: &[Vec<Scored>], normalization: Normalization) -> Result<Vec<Scored>> {
    let mut sums = Sums::new(runs)?;
    for run in runs {
        for (&(item, _), score) in run.iter().zip(normalization.apply(run)) {
            sums.add(item, score);
        }
    }
    sums.divide_by_counts();
    Ok(sums.ranked())
}

/// The sum of what each item got, and how often it got something.
struct Sums(Vec<(f64, usize)>);

impl Sums {
    fn new(runs: &[Vec<Scored>]) -> Result<Self> {
        let highest = runs.iter().flatten().map(|&(item, _)| item).max();
        let count = highest.map_or(0, |item| item.saturating_add(1));
        let total: usize = runs.iter().map(Vec::len).sum();
        if count > total {
            return Err(Error::invalid(format!(
                "runs: expected items numbered from 0 without gaps, got {} among {total}",
                count - 1
            )));
        }
        let mut seen_in = vec![usize::MAX; count];
        for (run, items) in runs.iter().enumerate() {
            for &(item, score) in items {
                if std::mem::replace(&mut seen_in[item], run) == run {
                    return Err(Error::invalid(format!("runs[{run}]: item {item} is there twice")));
                }
                if score.is_nan() {
                    return Err(Error::invalid(format!("runs[{run}]: the score of item {item} is NaN")));
                }
            }
        }
        Ok(Self(
            seen_in.into_iter().map(|run| (0.0, if run == usize::MAX { usize::MAX } else { 0 })).collect(),
        ))
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the items that are in any run.
    fn items(&self) -> Vec<usize> {
        (0..self.0.len()).filter(|&item| self.0[item].1 != usize::MAX).collect()
    }

    fn add(&mut self, item: usize, score: f64) {
        self.0[item].0 += score;
        self.0[item].1 += 1;
    }

    fn divide_by_counts(&mut self) {
        for (sum, count) in self.0.iter_mut().filter(|(_, count)| *count != usize::MAX) {
            *sum /= *count as f64;
        }
    }

    fn ranked(self) -> Vec<Scored> {
        let items = self.items();
        let mut ranked: Vec<Scored> = items.into_iter().map(|item| (item, self.0[item].0)).collect();
        sort_best_first(&mut ranked);
        ranked
    }
}

/// Sorts by score, best first; ties by item.
pub(crate) fn sort_best_first(ranked: &mut [Scored]) {
    ranked.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
}

fn check_weights(runs: &[Vec<Scored>], weights: &[f64]) -> Result<()> {
    if weights.len() != runs.len() {
        return Err(Error::invalid(format!(
            "weights: expected one for each of {} runs, got {}",
            runs.len(),
            weights.len()
        )));
    }
    match weights.iter().find(|weight| !weight.is_finite()) {
        Some(weight) => Err(Error::invalid(format!("weights: expected finite numbers, got {weight}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_runs_are_named() {
        let message = |runs: &[Vec<Scored>]| reciprocal_rank_fusion(runs, 60.0).unwrap_err().to_string();
        assert!(
            message(&[vec![(0, 1.0)], vec![(1, 1.0), (1, 0.5)]]).contains("runs[1]: item 1 is there twice")
        );
        assert!(message(&[vec![(0, f64::NAN)]]).contains("NaN"));
        assert!(message(&[vec![(usize::MAX - 1, 1.0)]]).contains("without gaps"));
        assert!(reciprocal_rank_fusion(&[], f64::NAN).is_err());
        assert!(weighted_fusion(&[vec![(0, 1.0)]], &[], Normalization::None).is_err());
    }

    #[test]
    fn nothing_fuses_to_nothing() {
        assert_eq!(reciprocal_rank_fusion(&[], 60.0).unwrap(), []);
        assert_eq!(borda_fusion(&[vec![], vec![]]).unwrap(), []);
        assert_eq!(average_fusion(&[vec![]], Normalization::ZScore).unwrap(), []);
    }
}
