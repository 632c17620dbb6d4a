//! The one error of this crate.

use std::fmt;

/// The result of every fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller's model or function failed with, as it came.
pub type CallbackError = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong, by where it came from.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// An argument, or what a callback returned, is not what was expected. The message says which, expected and got.
    InvalidInput(String),
    /// The store refused.
    Store(vecstore::Error),
    /// A callback failed; this is its own error, unchanged.
    Callback(CallbackError),
}

impl Error {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidInput(message.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidInput(message) => f.write_str(message),
            Self::Store(error) => error.fmt(f),
            Self::Callback(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::InvalidInput(_) => None,
            Self::Store(error) => Some(error),
            Self::Callback(error) => Some(&**error),
        }
    }
}

impl From<vecstore::Error> for Error {
    fn from(error: vecstore::Error) -> Self {
        Self::Store(error)
    }
}
