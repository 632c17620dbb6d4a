//! Splitting source code along its definitions.

mod keywords;
mod language;
#[cfg(feature = "grammars")]
mod syntax;

use std::sync::Arc;

pub use language::Language;

use self::keywords::{push_words, words_of};
use super::Splitter;
use super::chunks::{Chunks, Contexts};
use super::error::Result;
use super::limits::Limits;
use super::measured::Measured;
use super::sizer::Sizer;

/// Splits source code: definitions are whole where they fit, and are not mixed with parts of others where they do not.
///
/// - Python, Rust, JavaScript, TypeScript, Java, C, C++ and Go are parsed (feature `grammars`), also where they are
///   malformed. A definition has the comments and decorators directly above it. What is too large falls into members,
///   statements, lines, words.
/// - The other languages are cut in front of lines that begin with their keywords: definitions at the margin, then
///   indented ones, then statements, then paragraphs and lines.
/// - What is known of a chunk: `language`, and `symbols`, the names of the definitions around its start, outermost
///   first (parsed languages only).
///
/// Nothing is left out but white space at the ends of chunks. Parsing takes memory of several times the text.
///
/// ```
/// use vecstore_text::split::{CodeSplitter, Language, Limits, Splitter};
///
/// let text = "import os\n\n\ndef first():\n    return 1\n\n\ndef second():\n    return 2\n";
/// let chunks = CodeSplitter::new(Limits::new(40, 0)?, Language::Python).split(text)?;
/// let texts: Vec<&str> = chunks.texts(text).collect();
/// assert_eq!(texts, ["import os\n\n\ndef first():\n    return 1", "def second():\n    return 2"]);
/// # Ok::<(), vecstore_text::split::SplitError>(())
/// ```
#[derive(Clone)]
pub struct CodeSplitter {
    measured: Measured,
    language: Language,
}

impl CodeSplitter {
    /// Returns a splitter of a language that counts characters.
    pub fn new(limits: Limits, language: Language) -> Self {
        Self { measured: Measured::new(limits), language }
    }

    /// Measures chunks by `sizer`.
    #[must_use]
    pub fn sizer(self, sizer: Arc<dyn Sizer>) -> Self {
        Self { measured: self.measured.by(sizer), ..self }
    }
}

impl Splitter for CodeSplitter {
    fn split(&self, text: &str) -> Result<Chunks> {
        self.measured.pack(text, |packer| {
            #[cfg(feature = "grammars")]
            if let Some(tree) = syntax::parse(text, self.language) {
                return syntax::push_tree(&tree, text, self.language, packer);
            }
            push_words(packer, 0..text.len(), words_of(self.language))?;
            let mut contexts = Contexts::default();
            contexts.push(0, &self.language.fields(&[]));
            Ok(contexts)
        })
    }
}
