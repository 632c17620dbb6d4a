//! Splitting into sentences.

mod abbreviations;
mod boundaries;
mod unicode;

use std::sync::Arc;

pub use boundaries::{SentenceRules, sentences};

pub(crate) use boundaries::sentence_ends;

use super::Splitter;
use super::chunks::{Chunks, Contexts};
use super::error::Result;
use super::levels::{WORDS, push_text};
use super::limits::Limits;
use super::measured::Measured;
use super::sizer::Sizer;

/// Packs whole sentences into chunks. A sentence that is too long alone falls into words, and those into characters.
///
/// Boundaries are those of Unicode (UAX 29), which knows the punctuation of many scripts, with the corrections that
/// [`SentenceRules`] makes for text as people write it. Neighbors share whole sentences. No text is left out but white
/// space at the ends of chunks.
///
/// ```
/// use vecstore_text::split::{Limits, SentenceSplitter, Splitter};
///
/// let text = "Dr. Smith saw it, e.g. on Monday. Was it 3.5 m long? Nobody knows.";
/// let chunks = SentenceSplitter::new(Limits::new(40, 0)?).split(text)?;
/// let texts: Vec<&str> = chunks.texts(text).collect();
/// assert_eq!(texts, ["Dr. Smith saw it, e.g. on Monday.", "Was it 3.5 m long? Nobody knows."]);
/// # Ok::<(), vecstore_text::split::SplitError>(())
/// ```
#[derive(Clone)]
pub struct SentenceSplitter {
    measured: Measured,
    rules: SentenceRules,
}

impl SentenceSplitter {
    /// Returns a splitter by the usual rules, which counts characters.
    pub fn new(limits: Limits) -> Self {
        Self { measured: Measured::new(limits), rules: SentenceRules::default() }
    }

    /// Measures chunks by `sizer`.
    #[must_use]
    pub fn sizer(self, sizer: Arc<dyn Sizer>) -> Self {
        Self { measured: self.measured.by(sizer), ..self }
    }

    /// Finds sentences by other rules.
    #[must_use]
    pub fn rules(mut self, rules: SentenceRules) -> Self {
        self.rules = rules;
        self
    }
}

impl Splitter for SentenceSplitter {
    fn split(&self, text: &str) -> Result<Chunks> {
        self.measured.pack(text, |packer| {
            let mut start = 0;
            sentence_ends(text, 0..text.len(), &self.rules, &mut |end| {
                if end < text.len() && !packer.ruler().edges.is_boundary(end) {
                    return Ok(());
                }
                push_text(packer, std::mem::replace(&mut start, end)..end, WORDS)
            })?;
            Ok(Contexts::default())
        })
    }
}
