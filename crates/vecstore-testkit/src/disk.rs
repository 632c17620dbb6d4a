//! The file system itself: a tree of names over files, with no faults and nobody holding anything open.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vecstore::vfs::{DirEntry, Stat};

use crate::error;
use crate::inode::Inode;
use crate::names::{Entry, NameChange, NameKey, Names, Namespace, NodeId};
use crate::rules::Rules;

/// The directory that every path starts at; it always exists.
const ROOT: NodeId = 0;

#[derive(Clone, Debug)]
enum Node {
    Directory,
    File(Arc<Inode>),
}

/// Everything that outlives a process. Clones share what neither of them has changed since.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    pub(crate) rules: Rules,
    /// The sum of file lengths that may not be exceeded.
    pub(crate) capacity: Option<u64>,
    names: Namespace,
    nodes: BTreeMap<NodeId, Node>,
    next_node: NodeId,
}

impl Disk {
    pub(crate) fn new(rules: Rules) -> Self {
        let nodes = BTreeMap::from([(ROOT, Node::Directory)]);
        Self { rules, capacity: None, names: Namespace::default(), nodes, next_node: ROOT + 1 }
    }

    /// Gives the disk that a power cut leaves: the names that survived, and the contents of each file they reach.
    pub(crate) fn after_cut(&self, mut names: Names, mut contents: impl FnMut(&Inode) -> Inode) -> Self {
        let mut reached = BTreeSet::from([ROOT]);
        let mut queue = vec![ROOT];
        while let Some(directory) = queue.pop() {
            let children =
                names.range((directory, String::new())..).take_while(|(key, _)| key.0 == directory);
            for (_, entry) in children {
                if reached.insert(entry.node) {
                    queue.push(entry.node);
                }
            }
        }
        names.retain(|key, _| reached.contains(&key.0));
        let survive = |(&id, node): (&NodeId, &Node)| match node {
            Node::Directory => (id, Node::Directory),
            Node::File(inode) => (id, Node::File(Arc::new(contents(inode)))),
        };
        let nodes = self.nodes.iter().filter(|(id, _)| reached.contains(id)).map(survive).collect();
        Self { names: Namespace::settled(names), nodes, ..self.clone() }
    }

    pub(crate) fn names(&self) -> &Namespace {
        &self.names
    }

    /// Gives every file there is, named or not, by its id.
    pub(crate) fn inodes(&self) -> impl Iterator<Item = (NodeId, &Arc<Inode>)> {
        self.nodes.iter().filter_map(|(&id, node)| match node {
            Node::Directory => None,
            Node::File(inode) => Some((id, inode)),
        })
    }

    /// Returns what is at the path, if anything.
    pub(crate) fn find(&self, path: &Path) -> io::Result<Option<NodeId>> {
        let mut node = ROOT;
        for name in self.rules.split(path)? {
            match self.names.current().get(&(node, self.rules.fold(name))) {
                Some(entry) => node = entry.node,
                None => return Ok(None),
            }
        }
        Ok(Some(node))
    }

    fn existing(&self, path: &Path) -> io::Result<NodeId> {
        self.find(path)?.ok_or_else(|| error::at(ErrorKind::NotFound, path))
    }

    /// Returns the file at the path.
    pub(crate) fn file(&self, path: &Path) -> io::Result<NodeId> {
        let node = self.existing(path)?;
        if self.is_directory(node) { Err(error::at(ErrorKind::IsADirectory, path)) } else { Ok(node) }
    }

    /// Returns the directory at the path.
    pub(crate) fn directory(&self, path: &Path) -> io::Result<NodeId> {
        let node = self.existing(path)?;
        if self.is_directory(node) { Ok(node) } else { Err(error::at(ErrorKind::NotADirectory, path)) }
    }

    fn is_directory(&self, node: NodeId) -> bool {
        matches!(self.nodes.get(&node), Some(Node::Directory))
    }

    /// Returns where the last name of a path is kept, and that name.
    fn place(&self, path: &Path) -> io::Result<(NameKey, String)> {
        let names = self.rules.split(path)?;
        let Some(&last) = names.last() else { return Err(error::at(ErrorKind::InvalidInput, path)) };
        let parent = self.directory(path.parent().unwrap_or(Path::new("")))?;
        Ok(((parent, self.rules.fold(last)), last.to_owned()))
    }

    /// Returns where a new name goes; fails if it is taken.
    fn vacant(&self, path: &Path) -> io::Result<(NameKey, String)> {
        let (at, name) = self.place(path)?;
        if self.names.current().contains_key(&at) {
            return Err(error::at(ErrorKind::AlreadyExists, path));
        }
        Ok((at, name))
    }

    fn add(&mut self, (at, name): (NameKey, String), node: Node) -> NodeId {
        let id = self.next_node;
        self.next_node += 1;
        self.nodes.insert(id, node);
        self.names.change(NameChange::Add { at, entry: Entry { name, node: id } });
        id
    }

    pub(crate) fn create_file(&mut self, path: &Path) -> io::Result<NodeId> {
        let place = self.vacant(path)?;
        Ok(self.add(place, Node::File(Arc::default())))
    }

    pub(crate) fn create_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let mut parent = ROOT;
        for name in self.rules.split(path)? {
            let at = (parent, self.rules.fold(name));
            parent = match self.names.current().get(&at) {
                Some(entry) if self.is_directory(entry.node) => entry.node,
                Some(_) => return Err(error::at(ErrorKind::NotADirectory, path)),
                None => self.add((at, name.to_owned()), Node::Directory),
            };
        }
        Ok(())
    }

    pub(crate) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let node = self.existing(from)?;
        let (from, _) = self.place(from)?;
        let (at, name) = self.vacant(to)?;
        self.names.change(NameChange::Rename { from, to: at, entry: Entry { name, node } });
        if self.rules == Rules::Windows {
            // As MoveFileExW with MOVEFILE_WRITE_THROUGH does.
            self.names.sync_all();
        }
        Ok(())
    }

    pub(crate) fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        self.file(path)?;
        let (at, _) = self.place(path)?;
        self.names.change(NameChange::Remove { at });
        Ok(())
    }

    /// Removes a directory's names one by one, deepest first, so that a power cut may leave some.
    pub(crate) fn remove_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let directory = self.directory(path)?;
        let (at, _) = self.place(path)?;
        let mut keys = vec![at];
        let mut queue = vec![directory];
        while let Some(directory) = queue.pop() {
            for (key, entry) in self.names.children(directory) {
                keys.push(key.clone());
                queue.push(entry.node);
            }
        }
        for at in keys.into_iter().rev() {
            self.names.change(NameChange::Remove { at });
        }
        Ok(())
    }

    /// Gives a node and everything below it.
    pub(crate) fn subtree(&self, node: NodeId) -> Vec<NodeId> {
        let mut nodes = vec![node];
        let mut next = 0;
        while next < nodes.len() {
            let children: Vec<NodeId> =
                self.names.children(nodes[next]).map(|(_, entry)| entry.node).collect();
            nodes.extend(children);
            next += 1;
        }
        nodes
    }

    /// Lists a directory backwards: the trait promises no order, and real directories keep none.
    pub(crate) fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let directory = self.directory(path)?;
        let children = self.names.children(directory).rev();
        let listed =
            |entry: &Entry| DirEntry { path: path.join(&entry.name), is_dir: self.is_directory(entry.node) };
        Ok(children.map(|(_, entry)| listed(entry)).collect())
    }

    pub(crate) fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        let Some(node) = self.find(path)? else { return Ok(None) };
        let stat = match self.nodes.get(&node) {
            Some(Node::File(inode)) => Stat { is_dir: false, len: inode.current().len() },
            Some(Node::Directory) | None => Stat { is_dir: true, len: 0 },
        };
        Ok(Some(stat))
    }

    /// Gives every file with a name, in the order of paths.
    pub(crate) fn files(&self) -> Vec<(PathBuf, NodeId)> {
        let mut files = Vec::new();
        let mut queue = vec![(PathBuf::from("/"), ROOT)];
        while let Some((path, directory)) = queue.pop() {
            for (_, entry) in self.names.children(directory) {
                let path = path.join(&entry.name);
                if self.is_directory(entry.node) {
                    queue.push((path, entry.node));
                } else {
                    files.push((path, entry.node));
                }
            }
        }
        files.sort();
        files
    }

    pub(crate) fn inode(&self, node: NodeId) -> &Inode {
        match self.nodes.get(&node) {
            Some(Node::File(inode)) => inode,
            Some(Node::Directory) | None => unreachable!("only files are opened, and open files are kept"),
        }
    }

    pub(crate) fn inode_mut(&mut self, node: NodeId) -> &mut Inode {
        match self.nodes.get_mut(&node) {
            Some(Node::File(inode)) => Arc::make_mut(inode),
            Some(Node::Directory) | None => unreachable!("only files are opened, and open files are kept"),
        }
    }

    pub(crate) fn sync_file(&mut self, node: NodeId) {
        self.inode_mut(node).sync();
        if self.rules == Rules::Windows {
            // NTFS forces its journal of names when it flushes a file.
            self.names.sync_all();
        }
    }

    pub(crate) fn sync_dir(&mut self, directory: NodeId) {
        if self.rules == Rules::Unix {
            self.names.sync(directory);
        }
    }

    pub(crate) fn fail_sync_dir(&mut self, path: &Path) {
        if self.rules == Rules::Unix
            && let Ok(directory) = self.directory(path)
        {
            self.names.fail_sync(directory);
        }
    }

    /// Makes every name durable.
    pub(crate) fn settle_names(&mut self) {
        self.names.sync_all();
    }

    /// Forgets the files that no power cut could bring back and that nobody holds open.
    pub(crate) fn collect(&mut self, is_open: impl Fn(NodeId) -> bool) {
        let named = self.names.nodes();
        self.nodes.retain(|id, _| *id == ROOT || named.contains(id) || is_open(*id));
    }
}
