//! Choosing results that are near the query and unlike each other.

/// Chooses up to `k` of some candidates by maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): one by one that
/// with the largest `lambda * relevance - (1 - lambda) * similarity`, where similarity is the largest with one chosen before.
/// The first is the most relevant. Of equals the earlier is chosen.
///
/// O(k * candidates) calls of `similarity`, which takes two positions.
pub(crate) fn mmr(
    k: usize,
    lambda: f32,
    relevance: &[f32],
    mut similarity: impl FnMut(usize, usize) -> f32,
) -> Vec<usize> {
    let mut nearest = vec![f32::NEG_INFINITY; relevance.len()];
    let mut left: Vec<usize> = (0..relevance.len()).collect();
    let mut chosen = Vec::with_capacity(k.min(left.len()));
    while chosen.len() < k && !left.is_empty() {
        let worth = |candidate: usize| match chosen.is_empty() {
            true => relevance[candidate],
            false => lambda * relevance[candidate] - (1.0 - lambda) * nearest[candidate],
        };
        let mut best = 0;
        for at in 1..left.len() {
            if worth(left[at]).total_cmp(&worth(left[best])).is_gt() {
                best = at;
            }
        }
        // Not `swap_remove`: the order decides between equals.
        let next = left.remove(best);
        chosen.push(next);
        if chosen.len() < k {
            for &candidate in &left {
                nearest[candidate] = nearest[candidate].max(similarity(candidate, next));
            }
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_is_unlike_what_was_chosen_before() {
        let points: [f32; 5] = [1.0, 0.99, 0.98, 0.5, -1.0];
        let relevance = [0.9, 0.89, 0.88, 0.7, 0.1];
        let similarity = |a: usize, b: usize| 1.0 - (points[a] - points[b]).abs();
        assert_eq!(mmr(3, 0.5, &relevance, similarity), [0, 3, 4]);
        assert_eq!(mmr(9, 1.0, &relevance, similarity), [0, 1, 2, 3, 4]);
    }
}
