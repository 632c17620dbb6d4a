//! Maximal marginal relevance: what is near the query and far from what was chosen before (Carbonell and Goldstein, 1998).

use vecstore_kernels::{Kernels, Op};

use super::{Reranker, in_order};
use crate::error::{Error, Result};
use crate::fusion::Scored;
use crate::passage::Passage;

/// Chooses `k` of the rows, one after the other: each time the one with the largest
/// `lambda * relevance - (1 - lambda) * similarity`, where the similarity is the largest cosine with a row chosen before (0 for
/// the first). At lambda 1 that is the order of relevance. Ties go to the row given first.
///
/// The value of a row only falls while others are chosen, so that it is computed again only when it comes to the top: far fewer
/// than k x n cosines.
///
/// # Errors
///
/// `InvalidInput` for a lambda outside 0 to 1, rows that are no whole number of vectors, another number of relevances, or values
/// that are not finite.
///
/// # Examples
///
/// ```
/// let rows = [1.0, 0.0, 0.99, 0.1, 0.6, 0.8];
/// let chosen = vecstore_rag::maximal_marginal_relevance(&[0.9, 0.89, 0.7], &rows, 2, 0.5, 2)?;
/// assert_eq!([chosen[0].0, chosen[1].0], [0, 2]);
/// # Ok::<(), vecstore_rag::Error>(())
/// ```
pub fn maximal_marginal_relevance(
    relevances: &[f64],
    rows: &[f32],
    dim: usize,
    lambda: f64,
    k: usize,
) -> Result<Vec<Scored>> {
    check(relevances, rows, dim, lambda)?;
    if dim == 0 {
        return Ok(Vec::new()); // there are no rows
    }
    let kernels = Kernels::detect();
    let rows = normalized(&kernels, rows, dim);
    // The chosen rows side by side, so that a candidate is compared with several in one scan.
    let (mut beside, mut cosines) = (Vec::new(), Vec::new());
    let row = |at: usize| &rows[at * dim..][..dim];
    let nearest = |at: usize, chosen: &[usize], from: usize| {
        for &other in &chosen[beside.len() / dim..] {
            beside.extend_from_slice(row(other));
        }
        cosines.clear();
        cosines.resize(chosen.len() - from, 0.0);
        kernels.scan(Op::Dot, row(at), &beside[from * dim..], &mut cosines);
        cosines.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    };
    Ok(vecstore::choose_diverse(k, lambda, relevances, nearest))
}

/// Returns the cosine of a query with each row; 0 where one of them is zero.
///
/// # Errors
///
/// `InvalidInput` unless the rows are whole vectors of the query's dimension and all is finite.
pub fn cosine_similarities(query: &[f32], rows: &[f32]) -> Result<Vec<f64>> {
    let dim = query.len();
    if dim == 0 || !rows.len().is_multiple_of(dim) {
        return Err(Error::invalid(format!(
            "rows: expected vectors of {dim} components as the query has, got {} components",
            rows.len()
        )));
    }
    let kernels = Kernels::detect();
    for (what, values) in [("query", query), ("rows", rows)] {
        if let Some(at) = kernels.first_non_finite(values) {
            return Err(Error::invalid(format!("{what}: component {} is not finite", at % dim)));
        }
    }
    let mut products = vec![0.0; rows.len() / dim];
    kernels.scan(Op::Dot, &normalized(&kernels, query, dim), &normalized(&kernels, rows, dim), &mut products);
    Ok(products.into_iter().map(f64::from).collect())
}

fn check(relevances: &[f64], rows: &[f32], dim: usize, lambda: f64) -> Result<()> {
    if !(0.0..=1.0).contains(&lambda) {
        return Err(Error::invalid(format!("lambda: expected a number from 0 to 1, got {lambda}")));
    }
    if relevances.is_empty() && rows.is_empty() {
        return Ok(());
    }
    if dim == 0 || rows.len() != relevances.len().saturating_mul(dim) {
        return Err(Error::invalid(format!(
            "rows: expected {} vectors of {dim} components, got {} components",
            relevances.len(),
            rows.len()
        )));
    }
    if let Some(at) = relevances.iter().position(|relevance| !relevance.is_finite()) {
        return Err(Error::invalid(format!(
            "relevances[{at}]: expected a finite number, got {}",
            relevances[at]
        )));
    }
    if let Some(at) = Kernels::detect().first_non_finite(rows) {
        return Err(Error::invalid(format!("rows[{}]: component {} is not finite", at / dim, at % dim)));
    }
    Ok(())
}

/// Returns the rows with norm 1; rows of zeros stay.
pub(crate) fn normalized(kernels: &Kernels, rows: &[f32], dim: usize) -> Vec<f32> {
    let mut inverse_norms = vec![0.0; rows.len() / dim];
    kernels.inverse_norms(dim, rows, &mut inverse_norms);
    let scaled = rows.chunks_exact(dim).zip(&inverse_norms).flat_map(|(row, &inverse)| {
        row.iter().map(move |component| if inverse.is_finite() { component * inverse } else { 0.0 })
    });
    scaled.collect()
}

/// Reranks by [`maximal_marginal_relevance`] over the vectors of the passages, with their scores as relevances. These should be
/// similarities, as the scores under cosine are.
#[derive(Clone, Copy, Debug)]
pub struct MmrReranker {
    lambda: f64,
}

impl MmrReranker {
    /// Makes a reranker. At `lambda` 1 only relevance counts, at 0 only difference.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a `lambda` outside 0 to 1.
    pub fn new(lambda: f64) -> Result<Self> {
        check(&[], &[], 0, lambda)?;
        Ok(Self { lambda })
    }
}

impl Reranker for MmrReranker {
    fn rerank(&self, _query: &str, passages: Vec<Passage>, top_k: usize) -> Result<Vec<Passage>> {
        let (mut rows, mut dim) = (Vec::new(), 0);
        for passage in &passages {
            let Some(vector) = &passage.vector else {
                return Err(Error::invalid(format!(
                    "passage `{}` has no vector: include vectors in the search",
                    passage.id
                )));
            };
            if dim != 0 && vector.len() != dim {
                return Err(Error::invalid(format!(
                    "passage `{}`: expected a vector of {dim} components as the first has, got {}",
                    passage.id,
                    vector.len()
                )));
            }
            dim = vector.len();
            rows.extend_from_slice(vector);
        }
        let relevances: Vec<f64> = passages.iter().map(|passage| passage.score).collect();
        let ranked = maximal_marginal_relevance(&relevances, &rows, dim, self.lambda, top_k)?;
        Ok(in_order(passages, &ranked))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, step by step.
    fn naive(relevances: &[f64], rows: &[Vec<f32>], lambda: f64, k: usize) -> Vec<usize> {
        let cosine = |left: &[f32], right: &[f32]| {
            let dot = |a: &[f32], b: &[f32]| {
                a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>()
            };
            let norms = (dot(left, left) * dot(right, right)).sqrt();
            if norms == 0.0 { 0.0 } else { dot(left, right) / norms }
        };
        let mut chosen: Vec<usize> = Vec::new();
        while chosen.len() < k.min(rows.len()) {
            let value = |row: usize| {
                let nearest = chosen
                    .iter()
                    .map(|&other| cosine(&rows[row], &rows[other]))
                    .fold(None, |most: Option<f64>, next| Some(most.map_or(next, |most| most.max(next))));
                lambda * relevances[row] - (1.0 - lambda) * nearest.unwrap_or(0.0)
            };
            let first_is_relevance = chosen.is_empty();
            let rated = |row: usize| if first_is_relevance { relevances[row] } else { value(row) };
            let best = (0..rows.len())
                .filter(|row| !chosen.contains(row))
                .reduce(|best, row| if rated(row) > rated(best) { row } else { best });
            chosen.extend(best);
        }
        chosen
    }

    proptest! {
        #[test]
        fn it_chooses_what_the_definition_does(
            rows in prop::collection::vec(prop::collection::vec(-1.0_f32..1.0, 5), 1..30),
            seed in prop::collection::vec(-1.0_f64..1.0, 30),
            lambda in 0.0_f64..=1.0,
            k in 1_usize..35,
        ) {
            let relevances = &seed[..rows.len()];
            let chosen = maximal_marginal_relevance(relevances, &rows.concat(), 5, lambda, k).unwrap();
            let items: Vec<usize> = chosen.iter().map(|&(row, _)| row).collect();
            // Near ties fall either way by rounding; random reals have none.
            prop_assert_eq!(items, naive(relevances, &rows, lambda, k));
            prop_assert!(chosen[1..].windows(2).all(|two| two[0].1 >= two[1].1 - 1e-6));
        }
    }

    #[test]
    fn duplicates_come_last_and_zeros_are_no_ones_kin() {
        let rows = [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
        let order = |lambda| {
            let chosen = maximal_marginal_relevance(&[0.9, 0.9, 0.5, 0.1], &rows, 2, lambda, 9).unwrap();
            chosen.into_iter().map(|(row, _)| row).collect::<Vec<_>>()
        };
        assert_eq!(order(1.0), [0, 1, 2, 3]);
        assert_eq!(order(0.5), [0, 2, 3, 1]);
    }

    #[test]
    fn bad_arguments_are_named() {
        let message = |relevances: &[f64], rows: &[f32], lambda| {
            maximal_marginal_relevance(relevances, rows, 2, lambda, 1).unwrap_err().to_string()
        };
        assert!(message(&[], &[], 1.5).contains("lambda: expected a number from 0 to 1, got 1.5"));
        assert!(message(&[1.0], &[1.0], 0.5).contains("1 vectors of 2 components, got 1 components"));
        assert!(message(&[f64::NAN], &[1.0, 0.0], 0.5).contains("relevances[0]"));
        assert!(message(&[1.0], &[1.0, f32::NAN], 0.5).contains("rows[0]: component 1"));
        let without = MmrReranker::new(0.5).unwrap().rerank("", vec![Passage::new("a", "", 1.0)], 1);
        assert!(without.unwrap_err().to_string().contains("passage `a` has no vector"));
    }
}
