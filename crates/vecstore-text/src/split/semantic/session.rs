//! Splitting by meaning, step by step: whoever has the session asks for texts, embeds them as it likes, and brings the
//! vectors. Nothing waits in here, so threads, callbacks and event loops drive it alike.

use std::ops::Range;

use super::SemanticOptions;
use crate::split::chunks::Chunks;
use crate::split::edges;
use crate::split::error::{Result, SplitError};
use crate::split::levels::{WORDS, push_text};
use crate::split::limits::Limits;
use crate::split::packer::{Ends, Packer};
use crate::split::ruler::Ruler;
use crate::split::sentence::{SentenceRules, sentences};

/// The splitting of one text, which every call is given again.
///
/// It keeps the places of sentences, one vector, and a number for each pair of neighbors.
pub struct SemanticSession {
    options: SemanticOptions,
    sentences: Vec<Range<usize>>,
    /// How many sentences have a vector.
    embedded: usize,
    /// How many more were asked for.
    asked: usize,
    last: Vec<f32>,
    similarities: Vec<f64>,
}

impl SemanticSession {
    /// Finds the sentences of a text.
    pub fn new(text: &str, options: SemanticOptions) -> Self {
        let mut found: Vec<Range<usize>> = Vec::new();
        let mut start = 0;
        for sentence in sentences(text, &SentenceRules::default()) {
            // White space in front of everything is no sentence.
            if !edges::stripped(text, start..sentence.end).is_empty() {
                found.push(start..sentence.end);
                start = sentence.end;
            }
        }
        let mut session = Self {
            options,
            sentences: found,
            embedded: 0,
            asked: 0,
            last: Vec::new(),
            similarities: Vec::new(),
        };
        if session.sentences.len() == 1 {
            // There is nothing to compare it with.
            session.embedded = 1;
        }
        session
    }

    /// Returns the texts whose vectors are wanted next; none when all are there.
    pub fn next_batch<'t>(&mut self, text: &'t str) -> Vec<&'t str> {
        let stop = (self.embedded + self.options.batch).min(self.sentences.len());
        self.asked = stop - self.embedded;
        let last = self.sentences.len().saturating_sub(1);
        (self.embedded..stop)
            .map(|at| {
                let first = at.saturating_sub(self.options.buffer);
                let final_one = at.saturating_add(self.options.buffer).min(last);
                let range = self.sentences[first].start..self.sentences[final_one].end;
                &text[edges::stripped(text, range)]
            })
            .collect()
    }

    /// Takes the vectors of the batch, in its order.
    ///
    /// # Errors
    ///
    /// If there are not as many as texts, their dimensions differ, or a component is not finite.
    pub fn supply<'v>(&mut self, vectors: impl ExactSizeIterator<Item = &'v [f32]>) -> Result<()> {
        if vectors.len() != self.asked {
            return Err(SplitError::invalid(format!(
                "embedder: expected {} vectors for {} texts, got {}",
                self.asked,
                self.asked,
                vectors.len()
            )));
        }
        for vector in vectors {
            let at = self.embedded;
            if vector.is_empty() || at > 0 && vector.len() != self.last.len() {
                let expected = if at > 0 { self.last.len().to_string() } else { "at least 1".to_owned() };
                return Err(SplitError::invalid(format!(
                    "embedder: expected vectors of {expected} components, got {} for text {at}",
                    vector.len()
                )));
            }
            if vector.iter().any(|component| !component.is_finite()) {
                return Err(SplitError::invalid(format!(
                    "embedder: expected finite components, got NaN or infinity for text {at}"
                )));
            }
            if at > 0 {
                self.similarities.push(cosine(&self.last, vector));
            }
            self.last = vector.to_vec();
            self.embedded += 1;
        }
        self.asked = 0;
        Ok(())
    }

    /// Returns the chunks.
    ///
    /// # Errors
    ///
    /// If vectors are missing, or the sizer fails.
    pub fn finish(self, text: &str) -> Result<Chunks> {
        if self.embedded < self.sentences.len() {
            return Err(SplitError::invalid(format!(
                "embedder: expected vectors for {} sentences, got {}",
                self.sentences.len(),
                self.embedded
            )));
        }
        let boundaries = self.options.threshold.boundaries(&self.similarities);
        let ruler = Ruler::new(text, &*self.options.sizer);
        let limits = Limits::named(self.options.max_chunk_size, 0, ["max_chunk_size", "overlap"])?;
        let mut parts = Parts {
            ruler: &ruler,
            limits,
            least: self.options.min_chunk_size,
            done: Vec::new(),
            small: None,
        };
        let mut first = 0;
        for last in 0..self.sentences.len() {
            if boundaries.get(last).is_none_or(|&boundary| boundary) {
                parts.add(&self.sentences[first..=last])?;
                first = last + 1;
            }
        }
        parts.finish().map(Chunks::plain)
    }
}

/// Parts of the text become chunks of the sizes asked for.
struct Parts<'a, 't> {
    ruler: &'a Ruler<'t>,
    limits: Limits,
    least: usize,
    done: Vec<Range<usize>>,
    /// What is too small for a chunk, and joins what follows.
    small: Option<Range<usize>>,
}

impl Parts<'_, '_> {
    fn add(&mut self, sentences: &[Range<usize>]) -> Result<()> {
        let mut packer = Packer::new(self.ruler, self.limits, Ends::NEAT);
        if let Some(small) = self.small.take() {
            push_text(&mut packer, small, WORDS)?;
        }
        for sentence in sentences {
            push_text(&mut packer, sentence.clone(), WORDS)?;
        }
        self.done.extend(packer.finish()?);
        if let Some(last) = self.done.pop() {
            if self.ruler.size(last.clone())? < self.least {
                self.small = Some(last);
            } else {
                self.done.push(last);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Range<usize>>> {
        if let Some(small) = self.small.take() {
            match self.done.last_mut() {
                Some(last) if self.ruler.fits(last.start..small.end, self.limits.chunk_size())? => {
                    last.end = small.end;
                }
                _ => self.done.push(small),
            }
        }
        Ok(self.done)
    }
}

/// The cosine of two vectors; 0 if one is zero, which has no direction.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if norms > 0.0 { dot(a, b) / norms } else { 0.0 }
}
