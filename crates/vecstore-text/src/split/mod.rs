//! Splitters: a text becomes chunks that an embedder or a prompt has room for.
//!
//! A [`Splitter`] takes a `&str` and returns [`Chunks`]: byte ranges, each with what is known of its place. What differs
//! is where they like to cut. Two things decide how much fits: [`Limits`], and a [`Sizer`] that says in which unit.
//!
//! # Promises, of every splitter
//!
//! - A chunk is a slice of the text that was given, and starts and ends between characters.
//! - No chunk is larger than `chunk_size`. Only a single character may be, in a unit by which it measures more.
//! - Two neighbors share at most `chunk_overlap`, from a boundary on that the splitter would cut at.
//! - Chunks come in order. What no chunk holds is white space at their ends, and what the splitter says it drops.

mod chunks;
mod code;
mod edges;
mod error;
mod html;
mod json;
mod levels;
mod limits;
mod markdown;
mod measured;
mod offsets;
mod outline;
mod packer;
mod parallel;
mod pattern;
mod python_regex;
mod recursive;
mod ruler;
mod semantic;
mod sentence;
mod separator;
mod sizer;
mod tokens;

pub use chunks::{Chunks, Field, FieldValue};
pub use code::{CodeSplitter, Language};
pub use error::{Result, SplitError};
pub use html::HtmlSplitter;
pub use json::JsonSplitter;
pub use limits::Limits;
pub use markdown::MarkdownSplitter;
pub use offsets::char_ranges;
pub use parallel::split_many;
pub use recursive::Recursive;
pub use semantic::{Embed, SemanticOptions, SemanticSession, SemanticSplitter, Threshold};
pub use sentence::{SentenceRules, SentenceSplitter, sentences};
pub use separator::Keep;
pub use sizer::{Bytes, Chars, Measure, Sizer};
pub use tokens::{Encoding, TokenSplitter};

/// The most separators a splitter takes.
pub const MAX_SEPARATORS: usize = 256;

/// Cuts texts into chunks.
pub trait Splitter: Send + Sync {
    /// Returns the chunks of a text.
    ///
    /// # Errors
    ///
    /// If a callback fails, or the text is not of the kind that the splitter takes.
    fn split(&self, text: &str) -> Result<Chunks>;
}
