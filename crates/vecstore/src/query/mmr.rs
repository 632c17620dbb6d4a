//! Choosing results that are near the query and unlike each other.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::total::Total;

/// Chooses up to `k` of some candidates by maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): one by one that
/// with the largest `lambda * relevance - (1 - lambda) * similarity`, where similarity is the largest with one chosen before.
/// The first is the most relevant. Of equals the earlier is chosen.
///
/// What a candidate is worth only falls as more are chosen. So it is compared with those chosen since it was looked at last
/// only when what it was worth then is the most: at most k * candidates calls of `similarity`, which takes two positions,
/// and usually a small part of them.
pub(crate) fn mmr(
    k: usize,
    lambda: f32,
    relevance: &[f32],
    mut similarity: impl FnMut(usize, usize) -> f32,
) -> Vec<usize> {
    let most =
        |best: usize, at: usize| if relevance[at].total_cmp(&relevance[best]).is_gt() { at } else { best };
    let Some(first) = (0..relevance.len()).reduce(most).filter(|_| k > 0) else { return Vec::new() };
    let mut chosen = vec![first];
    let worth = |at: usize, nearest: f32| lambda * relevance[at] - (1.0 - lambda) * nearest;
    let mut left: BinaryHeap<Left> = (0..relevance.len())
        .filter(|&at| at != first && k > 1)
        .map(|at| {
            let nearest = similarity(at, first);
            Left { worth: Total(worth(at, nearest)), at: Reverse(at), nearest: Total(nearest), compared: 1 }
        })
        .collect();
    while chosen.len() < k {
        let Some(mut best) = left.pop() else { break };
        let at = best.at.0;
        if best.compared == chosen.len() {
            chosen.push(at);
            continue;
        }
        let nearest = chosen[best.compared..]
            .iter()
            .fold(best.nearest.0, |most, &other| most.max(similarity(at, other)));
        best.nearest = Total(nearest);
        (best.compared, best.worth) = (chosen.len(), Total(worth(at, nearest)));
        left.push(best);
    }
    chosen
}

/// A candidate that is not chosen, in the order of what it is worth; of equals the earlier is the larger.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Left {
    /// At most that much, if more were chosen since.
    worth: Total,
    at: Reverse<usize>,
    /// The largest similarity with one of the first `compared` that were chosen.
    nearest: Total,
    compared: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_is_unlike_what_was_chosen_before() {
        let points: [f32; 5] = [1.0, 0.99, 0.98, 0.5, -1.0];
        let relevance = [0.9, 0.89, 0.88, 0.7, 0.1];
        let similarity = |a: usize, b: usize| 1.0 - (points[a] - points[b]).abs();
        assert_eq!(mmr(3, 0.5, &relevance, similarity), [0, 4, 3]);
        assert_eq!(mmr(9, 1.0, &relevance, similarity), [0, 1, 2, 3, 4]);
    }

    /// One by one, by the definition.
    fn by_definition(k: usize, lambda: f32, relevance: &[f32], points: &[f32]) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::new();
        let similarity = |a: usize, b: usize| 1.0 - (points[a] - points[b]).abs();
        while chosen.len() < k.min(relevance.len()) {
            let worth = |at: usize| match chosen.iter().map(|&other| similarity(at, other)).reduce(f32::max) {
                None => relevance[at],
                Some(nearest) => lambda * relevance[at] - (1.0 - lambda) * nearest,
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
            ((state >> 8) % below) as f32
        };
        for round in 0..200 {
            // Few values, so that many are equal.
            let values = [4, 1000][round % 2];
            let points: Vec<f32> = (0..40).map(|_| draw(values) / values as f32).collect();
            let relevance: Vec<f32> = (0..40).map(|_| draw(values) / values as f32).collect();
            for lambda in [0.0, 0.3, 0.5, 1.0] {
                for k in [0, 1, 2, 17, 40, 99] {
                    let similarity = |a: usize, b: usize| 1.0 - (points[a] - points[b]).abs();
                    assert_eq!(
                        mmr(k, lambda, &relevance, similarity),
                        by_definition(k, lambda, &relevance, &points)
                    );
                }
            }
        }
    }

    #[test]
    fn most_pairs_are_never_compared() {
        let mut calls = 0;
        let relevance: Vec<f32> = (0..1000).map(|n| 1.0 - n as f32 / 1000.0).collect();
        let similarity = |a: usize, b: usize| {
            calls += 1;
            ((a * 7919 + b * 104_729) % 1000) as f32 / 1000.0
        };
        assert_eq!(mmr(100, 0.5, &relevance, similarity).len(), 100);
        assert!(calls < 40_000, "{calls} of 95,000");
    }
}
