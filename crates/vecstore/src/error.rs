//! The one error type of the engine: a kind for what the caller does next, and a message for the person who reads it.

use std::fmt;
use std::io;
use std::path::Path;

use vecstore_interrupt::Interrupt;

/// The result of every fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, by what the caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The named record or collection does not exist.
    NotFound,
    /// Something of that name exists already.
    AlreadyExists,
    /// An argument is outside what the call accepts; nothing was changed.
    InvalidInput,
    /// A vector has another number of components than its collection.
    DimensionMismatch,
    /// A filter is malformed; the message says where.
    Filter,
    /// A write would take a collection beyond one of its quotas; nothing was changed.
    QuotaExceeded,
    /// Another process, or another handle in this process, has the store open for writing.
    Locked,
    /// The store was closed, or belongs to the parent of a forked process.
    Closed,
    /// Bytes on disk are not what was written.
    Corrupted,
    /// The operating system refused a read or write. Nothing was changed, unless the message says that the store must be
    /// opened again: after a failed sync it is not known what the disk holds.
    Io,
    /// The operation, or the format version, is not supported here.
    Unsupported,
    /// An early end was asked for by an [`crate::Interrupt`]; nothing was changed.
    Interrupted,
}

/// An error of the engine.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<io::Error>,
}

impl Error {
    /// Makes an error of `kind` whose message says what, which, expected and got.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    pub(crate) fn filter(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Filter, message)
    }

    pub(crate) fn corrupted(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupted, message)
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    pub(crate) fn closed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Closed, message)
    }

    /// Fails if an early end of this call was asked for.
    pub(crate) fn check_interrupt(interrupt: &Interrupt) -> Result<()> {
        if interrupt.is_requested() { Err(Self::interrupted()) } else { Ok(()) }
    }

    pub(crate) fn interrupted() -> Self {
        Self::new(ErrorKind::Interrupted, "the call was interrupted")
    }

    /// Wraps an operating-system error with the act and the path it failed on.
    pub fn io(act: &str, path: &Path, source: io::Error) -> Self {
        Self {
            kind: ErrorKind::Io,
            message: format!("cannot {act} `{}`: {source}", path.display()),
            source: Some(source),
        }
    }

    pub(crate) fn out_of_memory(message: String, source: io::Error) -> Self {
        Self { kind: ErrorKind::Io, message, source: Some(source) }
    }

    /// Makes an error of the same kind and cause with another message.
    #[must_use]
    pub fn with_message(error: &Self, message: String) -> Self {
        Self { message, ..error.duplicate() }
    }

    /// Returns the kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the message alone.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the operating system's error code, where there is one.
    pub fn raw_os_error(&self) -> Option<i32> {
        self.source.as_ref().and_then(io::Error::raw_os_error)
    }

    /// Returns the kind of the operating system's error, where there is one.
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        self.source.as_ref().map(io::Error::kind)
    }

    /// Makes the same error again, for another caller that failed for the same cause.
    pub(crate) fn duplicate(&self) -> Self {
        let source = self.source.as_ref().map(|source| match source.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(source.kind(), source.to_string()),
        });
        Self { kind: self.kind, message: self.message.clone(), source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
