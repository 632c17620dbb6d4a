//! The one error of this crate: an argument it does not accept.

use std::fmt;

/// The result of every fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An argument is outside what the call accepts; the message says what, which, expected and got.
///
/// There is no other kind: nothing here touches a disk, a network or a clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// Fails if an early end of this call was asked for: see `vecstore_interrupt`.
    pub(crate) fn check_interrupt() -> Result<()> {
        if vecstore_interrupt::is_requested() { Err(Self::new("interrupted")) } else { Ok(()) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
