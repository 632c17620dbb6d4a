//! alpha-nDCG: gain for subtopics that earlier documents have not covered yet (Clarke et al. 2008).

use super::formula::discount;
use crate::{Error, Result};

/// Returns alpha-nDCG of a ranking at a cut, or of all of it.
///
/// `ranked` has, for each retrieved document, the subtopics it is relevant to; `judged` the same for every judged
/// document. A document's gain for a subtopic is `(1 - alpha)^n`, where n documents above it cover that subtopic.
/// The ideal ranking is the greedy one, as the exact one is not computable in reasonable time. 0 where no document
/// is relevant to any subtopic. Costs O(cut x judged).
///
/// # Errors
/// `alpha` outside 0 to 1.
pub fn alpha_ndcg(ranked: &[Vec<u32>], judged: &[Vec<u32>], cut: Option<usize>, alpha: f64) -> Result<f64> {
    if !(0.0..=1.0).contains(&alpha) {
        return Err(Error::new(format!("alpha: expected 0 to 1, got {alpha}")));
    }
    let subtopics = ranked.iter().chain(judged).flatten().max().map_or(0, |&last| last as usize + 1);
    if subtopics > ranked.iter().chain(judged).map(Vec::len).sum::<usize>() {
        return Err(Error::new("subtopics: expected them numbered from 0 without gaps".to_owned()));
    }
    let cut = cut.unwrap_or(usize::MAX);
    let mut covered = vec![1.0; subtopics];
    let mut gained = 0.0;
    for (at, document) in ranked.iter().take(cut).enumerate() {
        gained += gain(document, &covered) / discount(at);
        cover(document, &mut covered, alpha);
    }

    covered.fill(1.0);
    let mut left: Vec<&Vec<u32>> = judged.iter().filter(|document| !document.is_empty()).collect();
    let mut ideal = 0.0;
    for at in 0..cut.min(left.len()) {
        let mut best = (0, f64::NEG_INFINITY);
        for (index, document) in left.iter().enumerate() {
            let value = gain(document, &covered);
            if value > best.1 {
                best = (index, value);
            }
        }
        let document = left.remove(best.0);
        ideal += best.1 / discount(at);
        cover(document, &mut covered, alpha);
    }
    Ok(if ideal > 0.0 { gained / ideal } else { 0.0 })
}

fn gain(document: &[u32], covered: &[f64]) -> f64 {
    document.iter().map(|&subtopic| covered[subtopic as usize]).sum()
}

fn cover(document: &[u32], covered: &mut [f64], alpha: f64) {
    for &subtopic in document {
        covered[subtopic as usize] *= 1.0 - alpha;
    }
}
