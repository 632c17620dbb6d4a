//! The record of every call made on the file system.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// What a call asked for: one kind for each method of [`Vfs`](vecstore::vfs::Vfs) and
/// [`VfsFile`](vecstore::vfs::VfsFile).
#[expect(missing_docs, reason = "the methods are documented where they are declared")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallKind {
    Create,
    Open,
    Map,
    Rename,
    RemoveFile,
    CreateDir,
    RemoveDir,
    List,
    Stat,
    SyncDir,
    Lock,
    Read,
    Write,
    Allocate,
    Len,
    Sync,
}

impl CallKind {
    /// Every kind, in declaration order.
    pub const ALL: [Self; 16] = [
        Self::Create,
        Self::Open,
        Self::Map,
        Self::Rename,
        Self::RemoveFile,
        Self::CreateDir,
        Self::RemoveDir,
        Self::List,
        Self::Stat,
        Self::SyncDir,
        Self::Lock,
        Self::Read,
        Self::Write,
        Self::Allocate,
        Self::Len,
        Self::Sync,
    ];

    /// Whether the call can change what is on the disk, or what of it is durable.
    pub fn changes_disk(self) -> bool {
        match self {
            Self::Create
            | Self::Rename
            | Self::RemoveFile
            | Self::CreateDir
            | Self::RemoveDir
            | Self::SyncDir
            | Self::Lock
            | Self::Write
            | Self::Allocate
            | Self::Sync => true,
            Self::Open | Self::Map | Self::List | Self::Stat | Self::Read | Self::Len => false,
        }
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has not returned yet.
    Running,
    /// It succeeded.
    Done,
    /// It failed as the state of the file system demands.
    Refused(io::ErrorKind),
    /// It failed by the plan of faults.
    Injected(io::ErrorKind),
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The position in the sequence of all calls, from 1.
    pub number: u64,
    /// What was asked for.
    pub kind: CallKind,
    /// The path of the call, or the one its file was opened by.
    pub path: Arc<Path>,
    /// The new path of a rename.
    pub to: Option<Arc<Path>>,
    /// Where a read or write starts; 0 for other calls.
    pub offset: u64,
    /// The bytes of a read or write, or the length that an allocation asked for; 0 for other calls.
    pub len: u64,
    /// How it ended.
    pub outcome: Outcome,
}

impl Call {
    /// A call on a path, before it has a number.
    pub(crate) fn on(kind: CallKind, path: impl Into<Arc<Path>>) -> Self {
        Self { number: 0, kind, path: path.into(), to: None, offset: 0, len: 0, outcome: Outcome::Running }
    }

    pub(crate) fn to(mut self, path: &Path) -> Self {
        self.to = Some(path.into());
        self
    }

    pub(crate) fn at(mut self, offset: u64, len: u64) -> Self {
        self.offset = offset;
        self.len = len;
        self
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {:?} {}", self.number, self.kind, self.path.display())?;
        if let Some(to) = &self.to {
            write!(f, " -> {}", to.display())?;
        }
        match self.kind {
            CallKind::Read | CallKind::Write => write!(f, " @{}+{}", self.offset, self.len)?,
            CallKind::Allocate => write!(f, " to {}", self.len)?,
            _ => {}
        }
        match self.outcome {
            Outcome::Running => write!(f, ": running"),
            Outcome::Done => Ok(()),
            Outcome::Refused(kind) => write!(f, ": {kind}"),
            Outcome::Injected(kind) => write!(f, ": injected {kind}"),
        }
    }
}
