//! Text on its way to retrieval, as pure functions of `&str`: no I/O, no threads, no storage.
//!
//! - [`Analyzer`] makes the terms that full-text search compares.
//! - [`split`] cuts texts into chunks with exact offsets.
//!
//! ```
//! use vecstore_text::Analyzer;
//!
//! let analyzer: Analyzer = "english".parse()?;
//! let terms: Vec<String> = analyzer.tokens("The RUNNERS were running").into_iter().map(|t| t.term).collect();
//! assert_eq!(terms, ["runner", "run"]);
//! # Ok::<(), vecstore_text::UnknownAnalyzer>(())
//! ```

#![forbid(unsafe_code)]

mod analysis;
#[cfg(any(test, fuzzing))]
#[cfg_attr(fuzzing, doc(hidden))]
pub mod fuzzing;
pub mod split;

pub use analysis::{Analyzer, Language, MAX_TERM_BYTES, Scratch, Term, Token, UnknownAnalyzer};
