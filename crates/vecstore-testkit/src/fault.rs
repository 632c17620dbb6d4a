//! Which calls fail, and how.

use std::io;

use crate::CallKind;
use crate::error;

/// A way in which a call fails while the process lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `ENOSPC`, with no effect, from any call that may need space.
    NoSpace,
    /// `EIO`, with no effect but that of a failed sync, from any call.
    Io,
    /// A write that writes the first `percent` of its bytes and then fails with `ENOSPC`.
    ShortWrite {
        /// How much of the data is written, from 0 to 99.
        percent: u8,
    },
    /// `EIO` from a sync of a file or a directory. What it was to make durable is lost to every later sync too,
    /// as on Linux, though readers still see it.
    FailedSync,
}

impl Fault {
    /// Every fault once.
    pub const ALL: [Self; 4] = [Self::NoSpace, Self::Io, Self::ShortWrite { percent: 50 }, Self::FailedSync];

    /// Whether calls of that kind can fail so. A plan ignores its faults at other calls.
    pub fn applies_to(self, kind: CallKind) -> bool {
        match self {
            Self::Io => true,
            Self::ShortWrite { .. } => kind == CallKind::Write,
            Self::FailedSync => matches!(kind, CallKind::Sync | CallKind::SyncDir),
            Self::NoSpace => {
                kind.changes_disk() && !matches!(kind, CallKind::RemoveFile | CallKind::RemoveDir)
            }
        }
    }

    pub(crate) fn error(self) -> io::Error {
        match self {
            Self::NoSpace | Self::ShortWrite { .. } => error::no_space(),
            Self::Io | Self::FailedSync => error::io_failure(),
        }
    }
}

/// How often a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// At the one call.
    Once,
    /// At the call and every later one that it applies to.
    Onwards,
}

impl Repeat {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Once, Self::Onwards];
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    /// Counts calls of this kind alone, or all calls.
    kind: Option<CallKind>,
    at: u64,
    fault: Fault,
    repeat: Repeat,
}

/// What the plan has in mind for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Proceed,
    Stop,
    Fail(Fault),
}

/// The faults to come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) stop_at: Option<u64>,
    /// How many calls were made to fail, not counting those of a stopped process.
    pub(crate) struck: u64,
    rules: Vec<Rule>,
}

impl Plan {
    pub(crate) fn add(&mut self, kind: Option<CallKind>, at: u64, fault: Fault, repeat: Repeat) {
        self.rules.push(Rule { kind, at, fault, repeat });
    }

    /// Forgets every fault but not how often they struck.
    pub(crate) fn clear(&mut self) {
        self.stop_at = None;
        self.rules.clear();
    }

    /// Decides on a call, given its number and its number among those of its kind.
    pub(crate) fn verdict(&mut self, kind: CallKind, number: u64, number_of_kind: u64) -> Verdict {
        if self.stop_at.is_some_and(|stop_at| number >= stop_at) {
            return Verdict::Stop;
        }
        let strikes = |rule: &&Rule| {
            let number = if rule.kind.is_some() { number_of_kind } else { number };
            let due = match rule.repeat {
                Repeat::Once => number == rule.at,
                Repeat::Onwards => number >= rule.at,
            };
            due && rule.fault.applies_to(kind) && rule.kind.is_none_or(|only| only == kind)
        };
        match self.rules.iter().find(strikes) {
            Some(rule) => {
                self.struck += 1;
                Verdict::Fail(rule.fault)
            }
            None => Verdict::Proceed,
        }
    }
}
