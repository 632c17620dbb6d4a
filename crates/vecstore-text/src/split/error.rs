//! What goes wrong when text is split: an argument out of range, or a callback that failed.

use std::error::Error;
use std::fmt;

/// The result of splitting.
pub type Result<T, E = SplitError> = std::result::Result<T, E>;

/// An argument that is not accepted, or the failure of a callback, which is then the source.
#[derive(Debug)]
pub struct SplitError {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SplitError {
    /// Makes the error of an argument that is not accepted.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    /// Makes the error of a callback (a sizer, an embedder) that failed with `source`.
    pub fn callback(message: impl Into<String>, source: Box<dyn Error + Send + Sync>) -> Self {
        Self { message: message.into(), source: Some(source) }
    }

    /// Returns the error of a call whose early end was asked for, if it was: see `vecstore_interrupt`.
    pub(crate) fn check_interrupt() -> Result<()> {
        if vecstore_interrupt::is_requested() { Err(Self::invalid("interrupted")) } else { Ok(()) }
    }

    /// Returns what the callback failed with, if it was a callback.
    pub fn into_source(self) -> Option<Box<dyn Error + Send + Sync>> {
        self.source
    }
}

impl fmt::Display for SplitError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for SplitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
