//! The names of files and directories: those on the disk for certain, those a reader sees, and the operations
//! in between.

use std::collections::{BTreeMap, BTreeSet};

/// Identifies a file or a directory, whatever its name.
pub(crate) type NodeId = u64;

/// A name in a directory, folded to one case where names are case-insensitive.
pub(crate) type NameKey = (NodeId, String);

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The name as it was given.
    pub(crate) name: String,
    pub(crate) node: NodeId,
}

/// All names of a file system.
pub(crate) type Names = BTreeMap<NameKey, Entry>;

/// An operation on names. A rename is one operation: it has happened or it has not.
#[derive(Clone, Debug)]
pub(crate) enum NameChange {
    Add { at: NameKey, entry: Entry },
    Remove { at: NameKey },
    Rename { from: NameKey, to: NameKey, entry: Entry },
}

impl NameChange {
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Add { at, entry } => {
                names.insert(at.clone(), entry.clone());
            }
            Self::Remove { at } => {
                names.remove(at);
            }
            Self::Rename { from, to, entry } => {
                names.remove(from);
                names.insert(to.clone(), entry.clone());
            }
        }
    }

    fn keys(&self) -> impl Iterator<Item = &NameKey> {
        let (first, second) = match self {
            Self::Add { at, .. } | Self::Remove { at } => (at, None),
            Self::Rename { from, to, .. } => (from, Some(to)),
        };
        std::iter::once(first).chain(second)
    }

    /// The directory whose sync makes the operation durable: of a rename, the one that gets the name.
    fn directory(&self) -> NodeId {
        match self {
            Self::Add { at, .. } | Self::Remove { at } => at.0,
            Self::Rename { to, .. } => to.0,
        }
    }

    fn entry(&self) -> Option<&Entry> {
        match self {
            Self::Add { entry, .. } | Self::Rename { entry, .. } => Some(entry),
            Self::Remove { .. } => None,
        }
    }
}

#[derive(Clone, Debug)]
struct Pending {
    change: NameChange,
    /// Whether a sync of it failed, after which no later sync makes it durable.
    lost: bool,
}

/// The names with their history since the durable ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Namespace {
    durable: Names,
    current: Names,
    /// In the order in which they were made, over all directories: the order of a journal.
    pending: Vec<Pending>,
}

impl Namespace {
    /// Names that are all durable.
    pub(crate) fn settled(names: Names) -> Self {
        Self { durable: names.clone(), current: names, pending: Vec::new() }
    }

    /// What a reader sees.
    pub(crate) fn current(&self) -> &Names {
        &self.current
    }

    /// What is durable.
    pub(crate) fn durable(&self) -> &Names {
        &self.durable
    }

    pub(crate) fn change(&mut self, change: NameChange) {
        change.apply(&mut self.current);
        self.pending.push(Pending { change, lost: false });
    }

    /// Gives the entries of a directory as a reader sees them.
    pub(crate) fn children(&self, directory: NodeId) -> impl DoubleEndedIterator<Item = (&NameKey, &Entry)> {
        self.current
            .range((directory, String::new())..)
            .take_while(move |(key, _)| key.0 == directory)
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// Makes the names in a directory durable, and those elsewhere that they follow from: a file that was made
    /// in one directory and renamed into another needs no sync of the first.
    pub(crate) fn sync(&mut self, directory: NodeId) {
        self.commit(|pending| pending.change.directory() == directory && !pending.lost);
    }

    /// Makes every name durable.
    pub(crate) fn sync_all(&mut self) {
        self.commit(|pending| !pending.lost);
    }

    /// Fails to make the names in a directory durable: no later sync will.
    pub(crate) fn fail_sync(&mut self, directory: NodeId) {
        for pending in self.pending.iter_mut().filter(|pending| pending.change.directory() == directory) {
            pending.lost = true;
        }
    }

    fn commit(&mut self, wanted: impl Fn(&Pending) -> bool) {
        let mut needed = BTreeSet::new();
        let mut committed = vec![false; self.pending.len()];
        for (index, pending) in self.pending.iter().enumerate().rev() {
            if wanted(pending) || pending.change.keys().any(|key| needed.contains(key)) {
                committed[index] = true;
                needed.extend(pending.change.keys().cloned());
            }
        }
        let mut index = 0;
        self.pending.retain(|pending| {
            let commit = committed[index];
            index += 1;
            if commit {
                pending.change.apply(&mut self.durable);
            }
            !commit
        });
    }

    /// The durable names and the first `count` operations after them.
    pub(crate) fn in_order(&self, count: usize) -> Names {
        let mut names = self.durable.clone();
        for pending in &self.pending[..count] {
            pending.change.apply(&mut names);
        }
        names
    }

    /// The durable names and the chosen operations, of those on one name only ones whose predecessors are there.
    pub(crate) fn chosen(&self, mut choose: impl FnMut() -> bool) -> Names {
        let mut names = self.durable.clone();
        let mut dropped = BTreeSet::new();
        for pending in &self.pending {
            if choose() && !pending.change.keys().any(|key| dropped.contains(key)) {
                pending.change.apply(&mut names);
            } else {
                dropped.extend(pending.change.keys().cloned());
            }
        }
        names
    }

    /// The number of operations that are not durable.
    pub(crate) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Every node that some outcome of a power cut could name.
    pub(crate) fn nodes(&self) -> BTreeSet<NodeId> {
        let pending = self.pending.iter().filter_map(|pending| pending.change.entry());
        self.durable.values().chain(self.current.values()).chain(pending).map(|entry| entry.node).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(directory: NodeId, name: &str) -> NameKey {
        (directory, name.to_owned())
    }

    fn add(directory: NodeId, name: &str, node: NodeId) -> NameChange {
        NameChange::Add { at: key(directory, name), entry: Entry { name: name.to_owned(), node } }
    }

    fn rename(from: NameKey, to: NameKey, node: NodeId) -> NameChange {
        let name = to.1.clone();
        NameChange::Rename { from, to, entry: Entry { name, node } }
    }

    fn listed(names: &Names) -> Vec<(NodeId, &str)> {
        names.keys().map(|(directory, name)| (*directory, name.as_str())).collect()
    }

    #[test]
    fn sync_reaches_one_directory_and_what_its_names_follow_from() {
        let mut names = Namespace::default();
        names.change(add(1, "made", 10));
        names.change(add(1, "other", 11));
        names.change(rename(key(1, "made"), key(2, "final"), 10));
        names.sync(1);
        assert_eq!(listed(names.durable()), [(1, "made"), (1, "other")]);
        names.sync(2);
        assert_eq!(listed(names.durable()), [(1, "other"), (2, "final")]);
    }

    #[test]
    fn a_rename_takes_the_creation_with_it() {
        let mut names = Namespace::default();
        names.change(add(1, "made", 10));
        names.change(rename(key(1, "made"), key(2, "final"), 10));
        names.sync(2);
        assert_eq!(listed(names.durable()), [(2, "final")]);
        assert_eq!(names.pending(), 0);
    }

    #[test]
    fn chosen_operations_never_skip_one_on_the_same_name() {
        let mut names = Namespace::default();
        names.change(add(1, "a", 10));
        names.change(rename(key(1, "a"), key(1, "b"), 10));
        names.change(rename(key(1, "b"), key(1, "d"), 10));
        names.change(add(1, "c", 11));
        let mut seen = BTreeSet::new();
        for mask in 0..16_u32 {
            let mut index = 0;
            let chosen = names.chosen(|| {
                index += 1;
                mask & (1 << (index - 1)) != 0
            });
            seen.insert(
                listed(&chosen).iter().map(|(_, name)| (*name).to_owned()).collect::<Vec<_>>().join(""),
            );
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["", "a", "ac", "b", "bc", "c", "cd", "d"]);
    }

    #[test]
    fn names_of_a_failed_sync_stay_behind() {
        let mut names = Namespace::default();
        names.change(add(1, "a", 10));
        names.fail_sync(1);
        names.change(add(1, "b", 11));
        names.sync(1);
        assert_eq!(listed(names.durable()), [(1, "b")]);
        assert_eq!(listed(names.current()), [(1, "a"), (1, "b")]);
    }
}
