//! Splitting where the subject changes, as embeddings of neighboring sentences tell.

mod session;
mod threshold;

use std::sync::Arc;

pub use session::SemanticSession;
pub use threshold::Threshold;

use super::Splitter;
use super::chunks::Chunks;
use super::error::{Result, SplitError};
use super::sizer::{Chars, Sizer};

/// How a text is split by meaning.
#[derive(Clone)]
pub struct SemanticOptions {
    pub(crate) max_chunk_size: usize,
    pub(crate) min_chunk_size: usize,
    pub(crate) threshold: Threshold,
    pub(crate) buffer: usize,
    pub(crate) batch: usize,
    pub(crate) sizer: Arc<dyn Sizer>,
}

impl SemanticOptions {
    /// Returns options that split where the cosine similarity is below 0.7, with sizes in characters.
    ///
    /// # Errors
    ///
    /// If `max_chunk_size` is 0, or `min_chunk_size` is larger.
    pub fn new(max_chunk_size: usize, min_chunk_size: usize) -> Result<Self> {
        if max_chunk_size == 0 {
            return Err(SplitError::invalid("max_chunk_size: expected at least 1, got 0"));
        }
        if min_chunk_size > max_chunk_size {
            return Err(SplitError::invalid(format!(
                "min_chunk_size: expected at most max_chunk_size {max_chunk_size}, got {min_chunk_size}"
            )));
        }
        Ok(Self {
            max_chunk_size,
            min_chunk_size,
            threshold: Threshold::Similarity(0.7),
            buffer: 0,
            batch: 64,
            sizer: Arc::new(Chars),
        })
    }

    /// Splits by another threshold.
    ///
    /// # Errors
    ///
    /// If its amount is out of range.
    pub fn threshold(mut self, threshold: Threshold) -> Result<Self> {
        self.threshold = threshold.checked()?;
        Ok(self)
    }

    /// Embeds each sentence together with so many before and after it; 0 if not told otherwise.
    #[must_use]
    pub fn buffer(mut self, sentences: usize) -> Self {
        self.buffer = sentences;
        self
    }

    /// Asks for so many embeddings at once, at least 1; 64 if not told otherwise.
    #[must_use]
    pub fn batch(mut self, texts: usize) -> Self {
        self.batch = texts.max(1);
        self
    }

    /// Measures chunks by `sizer`.
    #[must_use]
    pub fn sizer(mut self, sizer: Arc<dyn Sizer>) -> Self {
        self.sizer = sizer;
        self
    }
}

/// An embedder: one vector for each text, all of the same dimension.
pub type Embed = dyn Fn(&[&str]) -> Result<Vec<Vec<f32>>> + Send + Sync;

/// Splits a text where the subject changes: between neighboring sentences whose embeddings differ by more than a
/// [`Threshold`].
///
/// - Parts below `min_chunk_size` join the next one; parts above `max_chunk_size` are cut between sentences, and sentences
///   that are too long between words. No text is left out but white space at the ends of chunks.
/// - Embeddings are asked for in batches. [`SemanticSession`] is the same without a callback, for callers that wait
///   for embeddings in their own way.
///
/// ```
/// use vecstore_text::split::{SemanticOptions, SemanticSplitter, Splitter};
///
/// // An embedding that only knows what animals are.
/// let embed = |texts: &[&str]| {
///     Ok(texts.iter().map(|text| if text.contains("ats") { vec![1.0, 0.0] } else { vec![0.0, 1.0] }).collect())
/// };
/// let text = "Cats sleep. Bats fly. Iron rusts. Gold does not.";
/// let chunks = SemanticSplitter::new(SemanticOptions::new(200, 0)?, embed).split(text)?;
/// let texts: Vec<&str> = chunks.texts(text).collect();
/// assert_eq!(texts, ["Cats sleep. Bats fly.", "Iron rusts. Gold does not."]);
/// # Ok::<(), vecstore_text::split::SplitError>(())
/// ```
#[derive(Clone)]
pub struct SemanticSplitter {
    options: SemanticOptions,
    embed: Arc<Embed>,
}

impl SemanticSplitter {
    /// Returns a splitter that asks `embed` for the vectors of sentences.
    pub fn new(
        options: SemanticOptions,
        embed: impl Fn(&[&str]) -> Result<Vec<Vec<f32>>> + Send + Sync + 'static,
    ) -> Self {
        Self { options, embed: Arc::new(embed) }
    }
}

impl Splitter for SemanticSplitter {
    fn split(&self, text: &str) -> Result<Chunks> {
        let mut session = SemanticSession::new(text, self.options.clone());
        loop {
            let batch = session.next_batch(text);
            if batch.is_empty() {
                return session.finish(text);
            }
            let vectors = (self.embed)(&batch)?;
            session.supply(vectors.iter().map(Vec::as_slice))?;
        }
    }
}
