//! What models are to this crate.

use xxhash_rust::xxh3::xxh3_64;

use crate::error::CallbackError;
use crate::words::words;

/// Turns texts into vectors. A function `Fn(&[String]) -> Result<Vec<Vec<f32>>, CallbackError>` is one.
pub trait Embedder {
    /// Returns a vector for each text, all of one dimension.
    fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, CallbackError>;
}

impl<F: Fn(&[String]) -> Result<Vec<Vec<f32>>, CallbackError>> Embedder for F {
    fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, CallbackError> {
        self(texts)
    }
}

/// Answers prompts. A function `Fn(&str) -> Result<String, CallbackError>` is one.
pub trait LanguageModel {
    /// Returns the answer to a prompt.
    fn generate(&self, prompt: &str) -> Result<String, CallbackError>;
}

impl<F: Fn(&str) -> Result<String, CallbackError>> LanguageModel for F {
    fn generate(&self, prompt: &str) -> Result<String, CallbackError> {
        self(prompt)
    }
}

/// An embedder without a model: words and pairs of words, hashed into so many components with signs (Weinberger et al., 2009).
/// Texts are near that share words. It knows no synonyms; it is for tests, and for where nothing better is at hand.
///
/// ```
/// use vecstore_rag::HashingEmbedder;
///
/// let embedder = HashingEmbedder::new(64);
/// assert_eq!(embedder.vector("The Log"), embedder.vector("the log!"));
/// assert_eq!(embedder.vector("").len(), 64);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HashingEmbedder {
    dim: usize,
}

impl HashingEmbedder {
    /// Makes an embedder of vectors of `dim` components, at least 1.
    pub fn new(dim: usize) -> Self {
        Self { dim: dim.max(1) }
    }

    /// Returns the vector of a text, of norm 1. A text without words has one too, the same for all of them.
    pub fn vector(&self, text: &str) -> Vec<f32> {
        let mut vector = vec![0.0_f32; self.dim];
        let mut add = |feature: &str, weight: f32| {
            let hash = xxh3_64(feature.as_bytes());
            let place = (hash % self.dim as u64) as usize;
            vector[place] += if hash >> 63 == 0 { weight } else { -weight };
        };
        let words: Vec<String> = words(text).collect();
        for word in &words {
            add(word, 1.0);
        }
        for pair in words.windows(2) {
            add(&pair.join(" "), 0.5);
        }
        let mut norm = norm_of(&vector);
        if norm == 0.0 {
            // No words, or words whose signs cancel out.
            vector[(xxh3_64(text.trim().as_bytes()) % self.dim as u64) as usize] = 1.0;
            norm = 1.0;
        }
        for component in &mut vector {
            *component /= norm;
        }
        vector
    }
}

fn norm_of(vector: &[f32]) -> f32 {
    vector.iter().map(|component| component * component).sum::<f32>().sqrt()
}

impl Embedder for HashingEmbedder {
    fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, CallbackError> {
        Ok(texts.iter().map(|text| self.vector(text)).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_vector_has_norm_one(text in any::<String>(), dim in 1_usize..20) {
            prop_assert!((norm_of(&HashingEmbedder::new(dim).vector(&text)) - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn shared_words_are_near() {
        let embedder = HashingEmbedder::new(256);
        let cosine = |a: &str, b: &str| -> f32 {
            embedder.vector(a).iter().zip(embedder.vector(b)).map(|(x, y)| x * y).sum()
        };
        assert!(
            cosine("the log is synced", "is the log synced") > cosine("the log is synced", "pigs can fly")
        );
    }
}
