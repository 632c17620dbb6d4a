//! A disk and the process that works on it: open files, locks, the trace, the plan of faults.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::disk::Disk;
use crate::error;
use crate::fault::{Plan, Verdict};
use crate::names::NodeId;
use crate::rules::Rules;
use crate::{Call, CallKind, FaultVfs, Outcome};

/// Sees each call before it takes effect, with a copy of the file system as it is then.
pub(crate) type Watcher = Arc<dyn Fn(&Call, FaultVfs) + Send + Sync>;

/// Who holds a file.
#[derive(Clone, Copy, Debug, Default)]
struct Uses {
    handles: usize,
    mappings: usize,
}

/// The ways to hold a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Use {
    Handle,
    Mapping,
}

pub(crate) struct State {
    pub(crate) disk: Disk,
    pub(crate) plan: Plan,
    pub(crate) trace: Vec<Call>,
    pub(crate) mark: u64,
    pub(crate) watcher: Option<Watcher>,
    /// The text of each lock's holder.
    pub(crate) locks: BTreeMap<NodeId, String>,
    calls_of_kind: BTreeMap<CallKind, u64>,
    uses: BTreeMap<NodeId, Uses>,
}

impl State {
    pub(crate) fn new(disk: Disk, mark: u64) -> Self {
        Self {
            disk,
            plan: Plan::default(),
            trace: Vec::new(),
            mark,
            watcher: None,
            locks: BTreeMap::new(),
            calls_of_kind: BTreeMap::new(),
            uses: BTreeMap::new(),
        }
    }

    /// Gives the disk as a killed process leaves it.
    pub(crate) fn abandoned(&self) -> Disk {
        let mut disk = self.disk.clone();
        disk.collect(|_| false);
        disk
    }

    /// Numbers and records a call, and decides on it.
    pub(crate) fn begin(&mut self, call: &mut Call) -> Verdict {
        call.number = self.trace.len() as u64 + 1;
        let of_kind = self.calls_of_kind.entry(call.kind).or_default();
        *of_kind += 1;
        let verdict = self.plan.verdict(call.kind, call.number, *of_kind);
        self.trace.push(call.clone());
        verdict
    }

    pub(crate) fn end(&mut self, number: u64, outcome: Outcome) {
        self.trace[number as usize - 1].outcome = outcome;
    }

    pub(crate) fn hold(&mut self, node: NodeId, how: Use) {
        let uses = self.uses.entry(node).or_default();
        match how {
            Use::Handle => uses.handles += 1,
            Use::Mapping => uses.mappings += 1,
        }
    }

    pub(crate) fn release(&mut self, node: NodeId, how: Use) {
        let Some(uses) = self.uses.get_mut(&node) else { return };
        match how {
            Use::Handle => uses.handles -= 1,
            Use::Mapping => uses.mappings -= 1,
        }
        if uses.handles + uses.mappings == 0 {
            self.uses.remove(&node);
        }
    }

    /// Refuses to take away a name of an open file, or of a directory above one, where Windows would.
    pub(crate) fn check_unused(&self, path: &Path) -> io::Result<()> {
        if self.disk.rules == Rules::Unix {
            return Ok(());
        }
        let Some(node) = self.disk.find(path)? else { return Ok(()) };
        let used = self.disk.subtree(node).iter().any(|node| self.uses.contains_key(node));
        if used { Err(error::in_use()) } else { Ok(()) }
    }

    /// Refuses to change a mapped file; says whether that is the caller's bug.
    pub(crate) fn check_unmapped(&self, node: NodeId) -> Result<(), MappedWrite> {
        let mapped = self.uses.get(&node).is_some_and(|uses| uses.mappings > 0);
        match (mapped, self.disk.rules) {
            (false, _) => Ok(()),
            (true, Rules::Windows) => Err(MappedWrite::Refused),
            (true, Rules::Unix) => Err(MappedWrite::Broken),
        }
    }

    /// Returns by how much the files may still grow.
    pub(crate) fn room(&self) -> u64 {
        let Some(capacity) = self.disk.capacity else { return u64::MAX };
        let mut nodes: Vec<NodeId> = self.disk.names().current().values().map(|entry| entry.node).collect();
        nodes.extend(self.uses.keys());
        nodes.sort_unstable();
        nodes.dedup();
        let taken = self.disk.inodes().filter(|(id, _)| nodes.binary_search(id).is_ok());
        capacity.saturating_sub(taken.map(|(_, inode)| inode.current().len()).sum())
    }

    /// Writes what there is room for, and fails if that is not all.
    pub(crate) fn write(&mut self, node: NodeId, bytes: &[u8], offset: u64) -> io::Result<()> {
        let len = self.disk.inode(node).current().len();
        let end = offset + bytes.len() as u64;
        if end <= len || end - len <= self.room() {
            self.disk.inode_mut(node).write(bytes, offset);
            return Ok(());
        }
        let fits = (len + self.room()).saturating_sub(offset) as usize;
        self.disk.inode_mut(node).write(&bytes[..fits], offset);
        Err(error::no_space())
    }

    pub(crate) fn extend(&mut self, node: NodeId, len: u64) -> io::Result<()> {
        let growth = len.saturating_sub(self.disk.inode(node).current().len());
        if growth > self.room() {
            return Err(error::no_space());
        }
        self.disk.inode_mut(node).extend(len);
        Ok(())
    }

    pub(crate) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        let directory = self.disk.directory(path)?;
        self.disk.sync_dir(directory);
        self.disk.collect(|node| self.uses.contains_key(&node));
        Ok(())
    }
}

/// An attempt to change a mapped file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MappedWrite {
    /// Windows says no.
    Refused,
    /// Unix lets it happen and the readers of the mapping see it: the engine must never do that.
    Broken,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("calls", &self.trace.len())
            .field("files", &self.disk.files())
            .field("locks", &self.locks)
            .finish_non_exhaustive()
    }
}
