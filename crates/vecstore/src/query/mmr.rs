//! Choosing results that are near the query and unlike each other.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Chooses up to `k` of some candidates by maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): one by one that
/// with the largest `lambda * relevance - (1 - lambda) * similarity`, where similarity is the largest with one chosen before.
/// The first is the most relevant. Of equals the earlier is chosen. Returns each with what it was worth when it was chosen,
/// the first as if it were like nothing.
///
/// `nearest` takes a candidate, all that were chosen so far, and from which of those on the candidate is to be compared, and
/// returns the largest similarity with one of them. What was chosen only grows, so that its vectors may be kept side by side.
///
/// What a candidate is worth only falls as more are chosen. So it is compared with those chosen since it was looked at last
/// only when what it was worth then is the most: with at most k * candidates others in all, and usually a small part of them.
///
/// # Examples
///
/// ```
/// let points: [f32; 3] = [1.0, 0.99, 0.5];
/// let nearest = |at: usize, chosen: &[usize], from: usize| {
///     chosen[from..].iter().map(|&other: &usize| 1.0 - (points[at] - points[other]).abs()).fold(f32::MIN, f32::max)
/// };
/// let chosen = vecstore::choose_diverse(2, 0.5, &[0.9, 0.89, 0.7], nearest);
/// assert_eq!([chosen[0].0, chosen[1].0], [0, 2]);
/// ```
pub fn choose_diverse(
    k: usize,
    lambda: f64,
    relevance: &[f64],
    mut nearest: impl FnMut(usize, &[usize], usize) -> f32,
) -> Vec<(usize, f64)> {
    let most =
        |best: usize, at: usize| if relevance[at].total_cmp(&relevance[best]).is_gt() { at } else { best };
    let Some(first) = (0..relevance.len()).reduce(most).filter(|_| k > 0) else { return Vec::new() };
    let worth = |at: usize, nearest: f32| lambda * relevance[at] - (1.0 - lambda) * f64::from(nearest);
    let (mut chosen, mut worths) = (vec![first], vec![worth(first, 0.0)]);
    let mut left: BinaryHeap<Left> = (0..relevance.len())
        .filter(|&at| at != first && k > 1)
        .map(|at| {
            let nearest = nearest(at, &chosen, 0);
            Left { worth: worth(at, nearest), at, nearest, compared: 1 }
        })
        .collect();
    while chosen.len() < k {
        let Some(mut best) = left.pop() else { break };
        if best.compared == chosen.len() {
            chosen.push(best.at);
            worths.push(best.worth);
            continue;
        }
        best.nearest = best.nearest.max(nearest(best.at, &chosen, best.compared));
        (best.compared, best.worth) = (chosen.len(), worth(best.at, best.nearest));
        left.push(best);
    }
    chosen.into_iter().zip(worths).collect()
}

/// A candidate that is not chosen, in the order of what it is worth; of equals the earlier is the larger.
struct Left {
    /// At most that much, if more were chosen since.
    worth: f64,
    at: usize,
    /// The largest similarity with one of the first `compared` that were chosen.
    nearest: f32,
    compared: usize,
}

impl Ord for Left {
    fn cmp(&self, other: &Self) -> Ordering {
        self.worth.total_cmp(&other.worth).then(other.at.cmp(&self.at))
    }
}

impl PartialOrd for Left {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Left {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Left {}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(k: usize, lambda: f64, relevance: &[f64], points: &[f64]) -> Vec<usize> {
        let nearest = |at: usize, chosen: &[usize], from: usize| {
            let others = chosen[from..].iter();
            others.map(|&other| 1.0 - (points[at] - points[other]).abs() as f32).fold(f32::MIN, f32::max)
        };
        choose_diverse(k, lambda, relevance, nearest).into_iter().map(|(at, _)| at).collect()
    }

    #[test]
    fn what_is_chosen_is_unlike_what_was_chosen_before() {
        let points = [1.0, 0.99, 0.98, 0.5, -1.0];
        let relevance = [0.9, 0.89, 0.88, 0.7, 0.1];
        assert_eq!(chosen(3, 0.5, &relevance, &points), [0, 4, 3]);
        assert_eq!(chosen(9, 1.0, &relevance, &points), [0, 1, 2, 3, 4]);
    }

    /// One by one, by the definition.
    fn by_definition(k: usize, lambda: f64, relevance: &[f64], points: &[f64]) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::new();
        let similarity = |a: usize, b: usize| 1.0 - (points[a] - points[b]).abs() as f32;
        while chosen.len() < k.min(relevance.len()) {
            let worth = |at: usize| match chosen.iter().map(|&other| similarity(at, other)).reduce(f32::max) {
                None => relevance[at],
                Some(nearest) => lambda * relevance[at] - (1.0 - lambda) * f64::from(nearest),
            };
            let left = (0..relevance.len()).filter(|at| !chosen.contains(at));
            let best = left.reduce(|best, at| if worth(at) > worth(best) { at } else { best });
            chosen.extend(best);
        }
        chosen
    }

    #[test]
    fn the_choice_is_that_of_the_definition_ties_too() {
        let mut state = 1_u32;
        let mut draw = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from((state >> 8) % below)
        };
        for round in 0..200 {
            // Few values, so that many are equal.
            let values = [4, 1000][round % 2];
            let points: Vec<f64> = (0..40).map(|_| draw(values) / f64::from(values)).collect();
            let relevance: Vec<f64> = (0..40).map(|_| draw(values) / f64::from(values)).collect();
            for lambda in [0.0, 0.3, 0.5, 1.0] {
                for k in [0, 1, 2, 17, 40, 99] {
                    assert_eq!(
                        chosen(k, lambda, &relevance, &points),
                        by_definition(k, lambda, &relevance, &points)
                    );
                }
            }
        }
    }

    #[test]
    fn most_pairs_are_never_compared() {
        let mut pairs = 0;
        let relevance: Vec<f64> = (0..1000).map(|n| 1.0 - f64::from(n) / 1000.0).collect();
        let nearest = |at: usize, chosen: &[usize], from: usize| {
            pairs += chosen.len() - from;
            let similarity = |&other: &usize| ((at * 7919 + other * 104_729) % 1000) as f32 / 1000.0;
            chosen[from..].iter().map(similarity).fold(f32::MIN, f32::max)
        };
        assert_eq!(choose_diverse(100, 0.5, &relevance, nearest).len(), 100);
        assert!(pairs < 40_000, "{pairs} of 95,000");
    }
}
