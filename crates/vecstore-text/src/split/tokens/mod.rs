//! Tokens of OpenAI's models: counting them, and splitting by them.

mod cache;
mod pretokens;
mod splitter;
mod vocabulary;

use std::sync::OnceLock;

pub use splitter::TokenSplitter;

use self::cache::with_cache;
use self::pretokens::Pretokens;
use self::vocabulary::Vocabulary;
use super::error::{Result, SplitError};
use super::sizer::Sizer;

/// A vocabulary with its rules, built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// `cl100k_base`: GPT-4, GPT-3.5, text-embedding-3.
    Cl100k,
    /// `o200k_base`: GPT-4o and later.
    O200k,
}

/// After how many bytes it is looked whether the call is to end: some milliseconds.
const LOOK_BYTES: usize = 64 << 10;

impl Encoding {
    /// Every encoding.
    pub const ALL: [Self; 2] = [Self::Cl100k, Self::O200k];

    /// Returns the encoding of a name: `cl100k` or `o200k`, with `_base` or without.
    ///
    /// # Errors
    ///
    /// If there is none of that name; the message lists them.
    pub fn parse(name: &str) -> Result<Self> {
        match name.strip_suffix("_base").unwrap_or(name) {
            "cl100k" => Ok(Self::Cl100k),
            "o200k" => Ok(Self::O200k),
            _ => Err(SplitError::invalid(format!("encoding: expected cl100k or o200k, got `{name}`"))),
        }
    }

    /// Returns the name without `_base`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cl100k => "cl100k",
            Self::O200k => "o200k",
        }
    }

    /// Returns the number of tokens of a text. Names of special tokens are text like any other. A call that was asked to end
    /// (`vecstore_interrupt`) returns `usize::MAX`.
    pub fn count(self, text: &str) -> usize {
        self.count_within(text, usize::MAX).unwrap_or(usize::MAX)
    }

    /// Returns the number of tokens if it is at most `limit`; reads little more than that otherwise. `None` also if the call
    /// was asked to end.
    pub fn count_within(self, text: &str, limit: usize) -> Option<usize> {
        let vocabulary = self.vocabulary();
        if text.len() / vocabulary.longest() > limit {
            return None;
        }
        with_cache(self, |cache| {
            let (mut start, mut total, mut next_look) = (0, 0_usize, LOOK_BYTES);
            for end in Pretokens::new(text, self) {
                // What comes out then is of no use to whoever asked for the end, and is not looked at.
                if end >= next_look {
                    next_look = end + LOOK_BYTES;
                    if vecstore_interrupt::is_requested() {
                        return None;
                    }
                }
                total += cache.count(vocabulary, &text.as_bytes()[start..end]);
                if total > limit {
                    return None;
                }
                start = end;
            }
            Some(total)
        })
    }

    fn vocabulary(self) -> &'static Vocabulary {
        static CL100K: OnceLock<Vocabulary> = OnceLock::new();
        static O200K: OnceLock<Vocabulary> = OnceLock::new();
        match self {
            Self::Cl100k => CL100K.get_or_init(|| Vocabulary::new(include_bytes!("cl100k.vocabulary"))),
            Self::O200k => O200K.get_or_init(|| Vocabulary::new(include_bytes!("o200k.vocabulary"))),
        }
    }
}

impl Sizer for Encoding {
    fn size(&self, text: &str) -> Result<usize> {
        Ok(self.count(text))
    }

    fn size_within(&self, text: &str, limit: usize) -> Result<Option<usize>> {
        Ok(self.count_within(text, limit))
    }
}
