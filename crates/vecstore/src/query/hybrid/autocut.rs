//! Ending results where their scores fall.

/// Returns how many of some scores, best first, come before the `jumps`-th jump; all if there are fewer.
///
/// A jump is a step down that is larger than those beside it and than the mean step: where the curve of the scores, from 1 for
/// the first to 0 for the last, falls faster than a straight line.
pub(crate) fn autocut(scores: &[f32], jumps: usize) -> usize {
    let [first, .., last] = scores else { return scores.len() };
    let spread = f64::from(*first) - f64::from(*last);
    // Scores that are not far from each other have no jump: what is left would be noise.
    if spread.is_nan() || spread <= f64::from(first.abs()) * 1e-6 {
        return scores.len();
    }
    let mean = spread / (scores.len() - 1) as f64;
    let step = |n: usize| f64::from(scores[n - 1]) - f64::from(scores[n]);
    let is_jump = |n: usize| {
        let size = step(n);
        size > mean * (1.0 + 1e-6)
            && (n == 1 || size >= step(n - 1))
            && (n + 1 == scores.len() || size > step(n + 1))
    };
    (1..scores.len()).filter(|&n| is_jump(n)).nth(jumps - 1).unwrap_or(scores.len())
}

#[cfg(test)]
mod tests {
    use super::autocut;

    #[test]
    fn results_end_at_a_jump() {
        let scores = [0.95, 0.94, 0.92, 0.60, 0.58, 0.20, 0.19];
        assert_eq!(autocut(&scores, 1), 3);
        assert_eq!(autocut(&scores, 2), 5);
        assert_eq!(autocut(&scores, 3), 7);
    }

    #[test]
    fn even_scores_have_no_jump() {
        for scores in [&[][..], &[1.0], &[1.0, 1.0, 1.0], &[3.0, 2.0, 1.0]] {
            assert_eq!(autocut(scores, 1), scores.len());
        }
    }
}
