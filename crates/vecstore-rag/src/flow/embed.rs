//! Texts into vectors: each text once, in batches, from the cache where it is there.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Flow, Need, Response, Step, unexpected};
use crate::embedding_cache::EmbeddingCache;
use crate::error::{Error, Result};

/// Embeds texts. The output has a vector for each, in their order, all of one dimension.
pub struct EmbedTexts {
    texts: Vec<String>,
    batch_size: usize,
    cache: Option<Arc<EmbeddingCache>>,
    vectors: Vec<Option<Vec<f32>>>,
    /// The distinct texts that have no vector yet, each with the places it is at.
    missing: Vec<Vec<usize>>,
    /// How many of them were asked for in the call that is out.
    asked: usize,
    dim: Option<usize>,
}

impl EmbedTexts {
    /// Makes the flow; at most `batch_size` texts go into one call.
    pub fn new(texts: Vec<String>, batch_size: usize) -> Self {
        Self {
            vectors: vec![None; texts.len()],
            texts,
            batch_size: batch_size.max(1),
            cache: None,
            missing: Vec::new(),
            asked: 0,
            dim: None,
        }
    }

    /// Looks into a cache first, and keeps there what was computed.
    #[must_use]
    pub fn cache(mut self, cache: Option<Arc<EmbeddingCache>>) -> Self {
        self.cache = cache;
        self
    }

    fn begin(&mut self) -> Result<()> {
        if let Some(cache) = &self.cache {
            self.vectors = cache.get_many(&self.texts)?;
            self.dim = self.vectors.iter().flatten().map(Vec::len).next();
        }
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (at, text) in self.texts.iter().enumerate().filter(|&(at, _)| self.vectors[at].is_none()) {
            let entry = *places.entry(text).or_insert_with(|| {
                self.missing.push(Vec::new());
                self.missing.len() - 1
            });
            self.missing[entry].push(at);
        }
        // The next to ask for are at the end.
        self.missing.reverse();
        Ok(())
    }

    fn take(&mut self, vectors: &[Vec<f32>]) -> Result<()> {
        if vectors.len() != self.asked {
            return Err(Error::invalid(format!(
                "embedder: expected {} vectors for as many texts, got {}",
                self.asked,
                vectors.len()
            )));
        }
        let start = self.missing.len() - self.asked;
        for (vector, places) in vectors.iter().rev().zip(&self.missing[start..]) {
            self.dim = Some(checked_dim(vector, self.dim)?);
            for &place in places {
                self.vectors[place] = Some(vector.clone());
            }
        }
        if let Some(cache) = &self.cache {
            let texts = self.missing[start..].iter().map(|places| self.texts[places[0]].as_str());
            cache.insert_many(texts.zip(vectors.iter().rev().map(Vec::as_slice)))?;
        }
        self.missing.truncate(start);
        self.asked = 0;
        Ok(())
    }
}

/// Returns the dimension of a vector that a model returned.
fn checked_dim(vector: &[f32], dim: Option<usize>) -> Result<usize> {
    let expected = dim.unwrap_or(vector.len());
    if vector.is_empty() || vector.len() != expected {
        let expected =
            if dim.is_some() { format!("{expected} components as before") } else { "components".to_owned() };
        return Err(Error::invalid(format!(
            "embedder: expected a vector of {expected}, got {}",
            vector.len()
        )));
    }
    match vector.iter().position(|component| !component.is_finite()) {
        Some(at) => Err(Error::invalid(format!("embedder: component {at} of a vector is not finite"))),
        None => Ok(expected),
    }
}

impl Flow for EmbedTexts {
    type Output = Vec<Vec<f32>>;

    fn resume(&mut self, response: Response) -> Result<Step<Self::Output>> {
        match response {
            Response::Start => self.begin()?,
            Response::Vectors(vectors) => self.take(&vectors)?,
            Response::Failed { .. } => return Ok(Step::GiveUp),
            other => return Err(unexpected("vectors", &other)),
        }
        if self.missing.is_empty() {
            return Ok(Step::Done(std::mem::take(&mut self.vectors).into_iter().flatten().collect()));
        }
        self.asked = self.batch_size.min(self.missing.len());
        let next = self.missing.iter().rev().take(self.asked);
        Ok(Step::Need(Need::Vectors(next.map(|places| self.texts[places[0]].clone()).collect())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    fn vectors_of(texts: &[String]) -> Vec<Vec<f32>> {
        texts.iter().map(|text| vec![text.len() as f32, 1.0]).collect()
    }

    fn run(flow: &mut EmbedTexts) -> (Vec<Vec<String>>, Vec<Vec<f32>>) {
        let (mut calls, mut response) = (Vec::new(), Response::Start);
        loop {
            match flow.resume(response).unwrap() {
                Step::Need(Need::Vectors(batch)) => {
                    response = Response::Vectors(vectors_of(&batch));
                    calls.push(batch);
                }
                Step::Done(vectors) => return (calls, vectors),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn each_text_is_embedded_once_in_batches() {
        let wanted = texts(&["a", "bb", "a", "ccc", "dddd", "bb"]);
        let (calls, vectors) = run(&mut EmbedTexts::new(wanted.clone(), 3));
        assert_eq!(calls, [texts(&["a", "bb", "ccc"]), texts(&["dddd"])]);
        assert_eq!(vectors, vectors_of(&wanted));
        assert!(run(&mut EmbedTexts::new(Vec::new(), 3)).1.is_empty());
    }

    #[test]
    fn the_cache_is_asked_first() {
        let cache = Arc::new(EmbeddingCache::in_memory(100).unwrap());
        let embed =
            |wanted: &[&str]| run(&mut EmbedTexts::new(texts(wanted), 8).cache(Some(Arc::clone(&cache))));
        assert_eq!(embed(&["a", "bb"]).0.len(), 1);
        let (calls, vectors) = embed(&["bb", "ccc", "a"]);
        assert_eq!(calls, [texts(&["ccc"])]);
        assert_eq!(vectors, vectors_of(&texts(&["bb", "ccc", "a"])));
    }

    #[test]
    fn a_wrong_answer_is_named() {
        let fail = |vectors: Vec<Vec<f32>>| {
            let mut flow = EmbedTexts::new(texts(&["a", "b"]), 8);
            flow.resume(Response::Start).unwrap();
            flow.resume(Response::Vectors(vectors)).unwrap_err().to_string()
        };
        assert!(fail(vec![vec![1.0]]).contains("expected 2 vectors for as many texts, got 1"));
        assert!(
            fail(vec![vec![1.0], vec![1.0, 2.0]]).contains("got 1")
                || fail(vec![vec![1.0], vec![1.0, 2.0]]).contains("as before")
        );
        assert!(fail(vec![vec![], vec![]]).contains("got 0"));
        assert!(fail(vec![vec![1.0], vec![f32::NAN]]).contains("not finite"));
        let mut flow = EmbedTexts::new(texts(&["a"]), 8);
        flow.resume(Response::Start).unwrap();
        assert!(flow.resume(Response::Paused).unwrap_err().to_string().contains("waits for vectors"));
    }
}
