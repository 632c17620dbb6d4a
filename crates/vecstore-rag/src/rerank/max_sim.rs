//! Late interaction: each token of a query finds its best token of a text (Khattab and Zaharia, "ColBERT", 2020).

use std::collections::HashMap;

use vecstore_kernels::{Kernels, Op};

use super::mmr::normalized;
use super::{Reranker, by_scores};
use crate::error::{Error, Result};
use crate::passage::Passage;

/// Returns the sum over the query's token vectors of the largest inner product with a token vector of the text; with
/// `normalize`, of the largest cosine. 0 if the text has no tokens.
///
/// # Errors
///
/// `InvalidInput` unless both are whole numbers of finite vectors of `dim` components.
///
/// ```
/// let score = vecstore_rag::max_sim(&[1.0, 0.0, 0.0, 1.0], &[0.5, 0.5, 2.0, 0.0], 2, false)?;
/// assert_eq!(score, 2.5);
/// # Ok::<(), vecstore_rag::Error>(())
/// ```
pub fn max_sim(query: &[f32], text: &[f32], dim: usize, normalize: bool) -> Result<f64> {
    let kernels = Kernels::detect();
    for (what, rows) in [("query", query), ("text", text)] {
        if dim == 0 || !rows.len().is_multiple_of(dim) {
            return Err(Error::invalid(format!(
                "{what}: expected token vectors of {dim} components, got {} components",
                rows.len()
            )));
        }
        if let Some(at) = kernels.first_non_finite(rows) {
            return Err(Error::invalid(format!(
                "{what}: component {} of token {} is not finite",
                at % dim,
                at / dim
            )));
        }
    }
    if text.is_empty() {
        return Ok(0.0);
    }
    let unit = |rows: &[f32]| if normalize { normalized(&kernels, rows, dim) } else { rows.to_vec() };
    let (query, text) = (unit(query), unit(text));
    let mut products = vec![0.0; text.len() / dim];
    let mut sum = 0.0;
    for token in query.chunks_exact(dim) {
        kernels.scan(Op::Dot, token, &text, &mut products);
        sum += f64::from(products.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    }
    Ok(sum)
}

/// Reranks by [`max_sim`] between the token vectors of a query and those of texts, which the caller computes.
#[derive(Clone, Debug)]
pub struct ColbertReranker {
    dim: usize,
    normalize: bool,
    query: Vec<f32>,
    texts: HashMap<String, Vec<f32>>,
}

impl ColbertReranker {
    /// Makes a reranker for token vectors of `dim` components; with `normalize`, lengths do not count.
    pub fn new(dim: usize, normalize: bool) -> Self {
        Self { dim, normalize, query: Vec::new(), texts: HashMap::new() }
    }

    /// Sets the token vectors of the query, one after the other.
    pub fn set_query(&mut self, tokens: impl Into<Vec<f32>>) {
        self.query = tokens.into();
    }

    /// Keeps the token vectors of a passage, by its id.
    pub fn add_text(&mut self, id: impl Into<String>, tokens: impl Into<Vec<f32>>) {
        self.texts.insert(id.into(), tokens.into());
    }
}

impl Reranker for ColbertReranker {
    fn rerank(&self, _query: &str, passages: Vec<Passage>, top_k: usize) -> Result<Vec<Passage>> {
        let score = |passage: &Passage| {
            let Some(tokens) = self.texts.get(&passage.id) else {
                return Err(Error::invalid(format!("passage `{}` has no token vectors", passage.id)));
            };
            max_sim(&self.query, tokens, self.dim, self.normalize)
        };
        let scores: Vec<f64> = passages.iter().map(score).collect::<Result<_>>()?;
        by_scores(passages, &scores, top_k)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_sum_of_the_best_products(
            query in prop::collection::vec(prop::collection::vec(-1.0_f32..1.0, 3), 0..5),
            text in prop::collection::vec(prop::collection::vec(-1.0_f32..1.0, 3), 1..5),
        ) {
            let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(x * y)).sum::<f64>();
            let best = |token: &Vec<f32>| text.iter().map(|other| product(token, other)).fold(f64::MIN, f64::max);
            let expected: f64 = query.iter().map(best).sum();
            let got = max_sim(&query.concat(), &text.concat(), 3, false).unwrap();
            prop_assert!((got - expected).abs() < 1e-5);
        }
    }

    #[test]
    fn passages_are_ranked_by_their_tokens() {
        let mut reranker = ColbertReranker::new(2, true);
        reranker.set_query([1.0, 0.0]);
        reranker.add_text("far", [0.0, 9.0]);
        reranker.add_text("near", [3.0, 0.1]);
        let passages = vec![Passage::new("far", "", 1.0), Passage::new("near", "", 0.0)];
        assert_eq!(reranker.rerank("", passages, 1).unwrap()[0].id, "near");
        assert!(reranker.rerank("", vec![Passage::new("new", "", 0.0)], 1).is_err());
        assert!(max_sim(&[1.0], &[1.0, 2.0], 2, false).is_err());
        assert!(max_sim(&[], &[], 0, false).is_err());
        assert_eq!(max_sim(&[1.0], &[], 1, false).unwrap(), 0.0);
    }
}
