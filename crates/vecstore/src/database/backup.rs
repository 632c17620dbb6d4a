//! Backups: a copy of collections in a directory of their own, which is a database as well.
//!
//! A backup is a real copy: a file that shared its blocks with the original would share its fate. Files are write-once and
//! their names are never used again, so a second backup into the same directory copies only what is new. Each file is checked
//! against its checksums while it is copied, in either direction: a backup never keeps rot for the original.
//!
//! A process that only reads cannot seal what is in the log, nor keep files from being removed: it copies the log as well, and
//! begins again if the writer was faster (`reading`).
//!
//! **Write order.** Files are copied and synced, with their names, then the manifest that lists them is published, twice;
//! only then are files removed that it does not name. A crash leaves the backup that was there before, whole, or none.

mod reading;

use std::collections::HashSet;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vecstore_interrupt::Interrupt;

use super::create::{check_is_ours, create_dirs, refuse_link};
use super::garbage::{file_names, is_of_collection};
use super::manifests::{Found, manifests, newest_manifest, retry};
use super::{Shared, TMP, collection_dir, new_uuid, take_lock};
use crate::collection::{Core, log_seqs};
use crate::error::{Error, ErrorKind, Result};
use crate::options::OpenOptions;
use crate::storage::manifest::{self, CollectionEntry, Manifest, SegmentEntry};
use crate::storage::segment::{self, Segment};
use crate::storage::wal::{self, Log, LogWriter};
use crate::storage::{Uuid, marks};
use crate::vfs::{DiskVfs, LockGuard, Vfs, VfsFile};

/// How much is written at once.
const CHUNK_BYTES: usize = 8 << 20;

/// What a backup did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupReport {
    /// Collections that the call backed up.
    pub collections: usize,
    /// Files that were copied.
    pub copied_files: usize,
    /// Their bytes.
    pub copied_bytes: u64,
    /// Files that were there from an earlier backup.
    pub kept_files: usize,
}

impl Shared {
    /// Backs up collections. With `all`, the backup holds these and no others afterwards; without, those of earlier backups
    /// stay beside them.
    pub(crate) fn back_up(
        &self,
        cores: &[Arc<Core>],
        path: &Path,
        incremental: bool,
        all: bool,
    ) -> Result<BackupReport> {
        self.check_open()?;
        // A database in memory is backed up to disk.
        let vfs = if self.logged { Arc::clone(&self.vfs) } else { Arc::new(DiskVfs) as Arc<dyn Vfs> };
        let target = std::path::absolute(path).map_err(|error| Error::io("open", path, error))?;
        if self.logged && target.starts_with(&self.root) {
            return Err(Error::invalid(format!(
                "the backup `{}` must not lie in the store `{}`",
                target.display(),
                self.root.display()
            )));
        }
        let database = self.catalog.lock().current.database;
        let mut target = Target::open(vfs, &target, database)?;
        let mut entries = Vec::new();
        if self.is_writer() {
            for core in cores {
                // Its files stay until they are copied, whatever is merged meanwhile.
                let frozen = core.checkpoint()?;
                entries.push(target.copy_collection(
                    &*self.vfs,
                    &frozen.entry,
                    core.directory(),
                    incremental,
                )?);
            }
        } else {
            entries = self.copy_as_reader(cores, &mut target, incremental)?;
        }
        if !all {
            let kept = target.current.as_ref().map_or(&[][..], |manifest| &manifest.collections);
            let is_new = |uuid: Uuid| entries.iter().any(|entry: &CollectionEntry| entry.uuid == uuid);
            let kept: Vec<CollectionEntry> =
                kept.iter().filter(|entry| !is_new(entry.uuid)).cloned().collect();
            entries.extend(kept);
        }
        target.publish(entries)?;
        target.report.collections = cores.len();
        Ok(target.report)
    }

    /// Brings a collection back from a backup: makes its records those of the backup if it is here, or else makes it.
    pub(crate) fn restore_collection(self: &Arc<Self>, name: &str, path: &Path) -> Result<Arc<Core>> {
        self.check_writer()?;
        super::check_name(name, "collection")?;
        let vfs = if self.logged { Arc::clone(&self.vfs) } else { Arc::new(DiskVfs) as Arc<dyn Vfs> };
        let backup = std::path::absolute(path).map_err(|error| Error::io("open", path, error))?;
        let manifest = retry(&*vfs, &backup, || newest_manifest(&*vfs, &backup))?;
        let entry = chosen(&manifest, name, &backup)?;
        let source = collection_dir(&backup, entry.uuid);
        if written_logs(&*vfs, &source, entry)?.next().transpose()?.is_some() {
            return Err(Error::unsupported(format!(
                "the backup `{}` was written to since it was made: restore all of it, with restore_backup",
                backup.display()
            )));
        }
        let _changing = self.changing.lock();
        let here = self.entries()?.into_iter().find(|one| one.uuid == entry.uuid || one.name == name);
        if let Some(here) = &here
            && (here.uuid != entry.uuid || here.name != name)
        {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                format!(
                    "cannot restore collection `{name}`: `{}` is in the way; rename or delete it first",
                    here.name
                ),
            ));
        }
        let directory = create_collection_dir(&*self.vfs, &self.root, entry.uuid)?;
        let names: Vec<PathBuf> = entry.segments.iter().flat_map(file_names).map(Into::into).collect();
        // Nothing names them yet.
        let _unnamed = Unnamed::new(self, names.iter().map(|name| directory.join(name)).collect());
        for file in entry.segments.iter().flat_map(files) {
            let to = directory.join(file.name());
            match here.as_ref().and_then(|here| file.is_named_by(here)) {
                Some(true) => match file.check(&*self.vfs, &to, entry.uuid) {
                    Ok(()) => {}
                    Err(error) if is_damage(&error) => {
                        // Made anew beside, since calls may still read what is there. A crash between the next two steps
                        // leaves the collection without a file that was damaged; restoring it again puts it there.
                        let anew = self.root.join(TMP).join(file.name());
                        remove_if_there(&*self.vfs, &anew)?;
                        copy(&*vfs, &source.join(file.name()), &*self.vfs, &anew, &file, entry)?;
                        remove_if_there(&*self.vfs, &to)?;
                        let moved = self.vfs.rename_no_replace(&anew, &to);
                        moved.map_err(|error| Error::io("rename", &anew, error))?;
                    }
                    Err(error) => return Err(error),
                },
                Some(false) => {
                    return Err(Error::new(
                        ErrorKind::AlreadyExists,
                        format!(
                            "`{}` is not what the backup has under the name: the collection and the one that was backed up \
                             have gone different ways; delete the collection first",
                            to.display()
                        ),
                    ));
                }
                // What is there is left over from an attempt that was interrupted.
                None => {
                    remove_if_there(&*self.vfs, &to)?;
                    copy(&*vfs, &source.join(file.name()), &*self.vfs, &to, &file, entry)?;
                }
            }
        }
        self.vfs.sync_dir(&directory).map_err(|error| Error::io("sync", &directory, error))?;
        if here.is_some() {
            let core = self.core(entry);
            core.restore(entry.dim, entry.segments.clone())?;
            return Ok(core);
        }
        let restored = CollectionEntry {
            name: name.to_owned(),
            snapshots: Vec::new(),
            first_log: fresh_log(self, &directory, entry.uuid)?,
            durable_lsn: entry.checkpoint_lsn,
            ..entry.clone()
        };
        self.change(|manifest| manifest.collections.push(restored.clone()))?;
        Ok(self.core(&restored))
    }
}

fn fresh_log(shared: &Shared, directory: &Path, uuid: Uuid) -> Result<u64> {
    let vfs = &*shared.vfs;
    let seq = log_seqs(vfs, directory)?.last().map_or(1, |last| last + 1);
    LogWriter::create(vfs, directory, seq, uuid, shared.new_uuid()?)?;
    Ok(seq)
}

/// Returns whether a file is not as it was written, or gone; a disk that cannot be read is another matter.
fn is_damage(error: &Error) -> bool {
    error.kind() == ErrorKind::Corrupted || error.io_kind() == Some(io::ErrorKind::NotFound)
}

/// Returns the collection of a backup that a name asks for: the one of that name, or the only one.
fn chosen<'a>(manifest: &'a Manifest, name: &str, backup: &Path) -> Result<&'a CollectionEntry> {
    let named = manifest.collections.iter().find(|entry| entry.name == name);
    match (named, manifest.collections.as_slice()) {
        (Some(entry), _) | (None, [entry]) => Ok(entry),
        (None, others) => Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "the backup `{}` has {} collections and none named `{name}`",
                backup.display(),
                others.len()
            ),
        )),
    }
}

/// Makes a store or database of a backup, in a directory that is empty or not there yet.
pub(crate) fn restore_backup(options: &OpenOptions, path: &Path, to: &Path) -> Result<()> {
    let vfs = &options.vfs;
    let absolute = |path: &Path| std::path::absolute(path).map_err(|error| Error::io("open", path, error));
    let (backup, to) = (absolute(path)?, absolute(to)?);
    let manifest = retry(&**vfs, &backup, || newest_manifest(&**vfs, &backup))?;
    if let Ok(Some(stat)) = vfs.stat(&to) {
        let is_empty =
            stat.is_dir && vfs.list(&to).map_err(|error| Error::io("list", &to, error))?.is_empty();
        if !is_empty {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                format!("`{}` is there already: restore to a new or an empty directory", to.display()),
            ));
        }
    }
    let mut target = Target::open(Arc::clone(vfs), &to, manifest.database)?;
    let mut entries = Vec::new();
    for entry in &manifest.collections {
        let source = collection_dir(&backup, entry.uuid);
        entries.push(target.restore_collection(&**vfs, entry, &source)?);
    }
    target.publish(entries)
}

/// A directory that a database is copied to.
struct Target {
    vfs: Arc<dyn Vfs>,
    root: PathBuf,
    database: Uuid,
    current: Option<Manifest>,
    report: BackupReport,
    /// What this call copied: it need not be copied again if the source changes meanwhile.
    copied: HashSet<PathBuf>,
    _lock: Box<dyn LockGuard>,
}

impl Target {
    fn open(vfs: Arc<dyn Vfs>, root: &Path, database: Uuid) -> Result<Self> {
        if vfs.stat(root).map_err(|error| Error::io("open", root, error))?.is_some_and(|stat| !stat.is_dir) {
            return Err(Error::invalid(format!("`{}` is a file, expected a directory", root.display())));
        }
        create_dirs(&*vfs, root)?;
        check_is_ours(&*vfs, root)?;
        let lock = take_lock(&*vfs, root, std::time::Duration::ZERO)?;
        let Found { current, .. } = manifests(&*vfs, root)?;
        if current.as_ref().is_some_and(|manifest| manifest.database != database) {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                format!("`{}` holds another database: give a directory of its own", root.display()),
            ));
        }
        create_dirs(&*vfs, &root.join(TMP))?;
        Ok(Self {
            vfs,
            root: root.to_owned(),
            database,
            current,
            report: BackupReport::default(),
            copied: HashSet::new(),
            _lock: lock,
        })
    }

    /// Copies the files of a checkpoint that are not there. Returns the entry for the backup's manifest.
    fn copy_collection(
        &mut self,
        source_vfs: &dyn Vfs,
        entry: &CollectionEntry,
        source: &Path,
        incremental: bool,
    ) -> Result<CollectionEntry> {
        let directory = create_collection_dir(&*self.vfs, &self.root, entry.uuid)?;
        self.copy_segments(source_vfs, entry, source, incremental)?;
        let first_log = self.empty_log(&directory, entry.uuid)?;
        self.vfs.sync_dir(&directory).map_err(|error| Error::io("sync", &directory, error))?;
        let durable_lsn = entry.checkpoint_lsn;
        Ok(CollectionEntry { first_log, durable_lsn, snapshots: Vec::new(), ..entry.clone() })
    }

    /// Copies the files of a collection of a backup, with what was logged since if somebody opened it and wrote to it.
    fn restore_collection(
        &mut self,
        source_vfs: &dyn Vfs,
        entry: &CollectionEntry,
        source: &Path,
    ) -> Result<CollectionEntry> {
        let directory = create_collection_dir(&*self.vfs, &self.root, entry.uuid)?;
        self.copy_segments(source_vfs, entry, source, true)?;
        let mut logs = 0;
        for log in written_logs(source_vfs, source, entry)? {
            let (name, log) = log?;
            let bytes = log.bytes();
            write(&*self.vfs, &directory.join(&name), bytes)?;
            logs += 1;
        }
        if logs == 0 {
            LogWriter::create(&*self.vfs, &directory, entry.first_log, entry.uuid, new_uuid()?)?;
        }
        self.vfs.sync_dir(&directory).map_err(|error| Error::io("sync", &directory, error))?;
        Ok(CollectionEntry { snapshots: Vec::new(), ..entry.clone() })
    }

    fn copy_segments(
        &mut self,
        source_vfs: &dyn Vfs,
        entry: &CollectionEntry,
        source: &Path,
        incremental: bool,
    ) -> Result<()> {
        let directory = collection_dir(&self.root, entry.uuid);
        let interrupt = Interrupt::current();
        for file in entry.segments.iter().flat_map(files) {
            Error::check_interrupt(&interrupt)?;
            let to = directory.join(file.name());
            // One that no manifest names may be half of a copy that was interrupted.
            if self.copied.contains(&to) {
                continue;
            }
            if incremental && self.has(entry.uuid, &file) && matches!(self.vfs.stat(&to), Ok(Some(_))) {
                self.report.kept_files += 1;
                self.copied.insert(to);
                continue;
            }
            if self.has(entry.uuid, &file) && matches!(self.vfs.stat(&to), Ok(Some(_))) {
                // The backup that is there needs it until the next manifest.
                self.report.copied_bytes +=
                    copy_over(source_vfs, &source.join(file.name()), &*self.vfs, &to, &file, entry)?;
            } else {
                remove_if_there(&*self.vfs, &to)?;
                self.report.copied_bytes +=
                    copy(source_vfs, &source.join(file.name()), &*self.vfs, &to, &file, entry)?;
            }
            self.report.copied_files += 1;
            self.copied.insert(to);
        }
        Ok(())
    }

    /// Returns whether the manifest that is there names a file.
    fn has(&self, collection: Uuid, file: &CopiedFile<'_>) -> bool {
        let mut entries = self.current.iter().flat_map(|manifest| &manifest.collections);
        let entry = entries.find(|entry| entry.uuid == collection);
        entry.and_then(|entry| file.is_named_by(entry)) == Some(true)
    }

    /// Returns the number of a log that nothing was written to and that is the last one, made if need be.
    fn empty_log(&self, directory: &Path, uuid: Uuid) -> Result<u64> {
        let vfs = &*self.vfs;
        let last = log_seqs(vfs, directory)?.last().copied();
        let named = |seq| {
            let entries = self.current.iter().flat_map(|manifest| &manifest.collections);
            entries.filter(|entry| entry.uuid == uuid).any(|entry| entry.first_log == seq)
        };
        if let Some(last) = last
            && named(last)
            && wal::is_empty(vfs, &directory.join(wal::file_name(last)))?
        {
            return Ok(last);
        }
        let seq = last.map_or(1, |last| last + 1);
        LogWriter::create(vfs, directory, seq, uuid, new_uuid()?)?;
        Ok(seq)
    }

    /// Publishes what was copied, twice, and removes what is not needed any more.
    fn publish(&self, collections: Vec<CollectionEntry>) -> Result<()> {
        let vfs = &*self.vfs;
        vfs.sync_dir(&self.root).map_err(|error| Error::io("sync", &self.root, error))?;
        let generation = self.current.as_ref().map_or(0, |manifest| manifest.generation);
        let first = Manifest { database: self.database, generation: generation + 1, collections };
        remove_if_there(vfs, &self.root.join(manifest::file_name(generation + 1)))?;
        remove_if_there(vfs, &self.root.join(manifest::file_name(generation + 2)))?;
        first.publish(vfs, &self.root)?;
        let second = Manifest { generation: generation + 2, ..first };
        second.publish(vfs, &self.root)?;
        // From here on the backup is made; what cannot be removed now goes with the next one.
        _ = self.remove_rest(&second);
        Ok(())
    }

    fn remove_rest(&self, manifest: &Manifest) -> io::Result<()> {
        let vfs = &*self.vfs;
        let name =
            |path: &Path| path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        for found in vfs.list(&self.root)? {
            let generation = manifest::parse_file_name(&name(&found.path));
            if generation.is_some_and(|generation| generation + 1 < manifest.generation) {
                vfs.remove_file(&found.path)?;
            }
        }
        for directory in vfs.list(&self.root.join(super::COLLECTIONS))? {
            let is_of = |entry: &&CollectionEntry| entry.uuid.to_string() == name(&directory.path);
            let Some(entry) = manifest.collections.iter().find(is_of) else {
                if directory.is_dir && Uuid::parse(&name(&directory.path)).is_some() {
                    vfs.remove_dir_all(&directory.path)?;
                }
                continue;
            };
            let named: Vec<String> = entry.segments.iter().flat_map(file_names).collect();
            for file in vfs.list(&directory.path)? {
                let name = name(&file.path);
                let needed = match wal::parse_file_name(&name) {
                    None if !is_of_collection(&name) => true,
                    Some(seq) => seq >= entry.first_log,
                    None => named.contains(&name),
                };
                if !needed {
                    vfs.remove_file(&file.path)?;
                }
            }
        }
        Ok(())
    }
}

/// A file of a segment.
enum CopiedFile<'a> {
    Segment(&'a SegmentEntry),
    Marks(&'a SegmentEntry, u64, u64),
}

fn files(entry: &SegmentEntry) -> impl Iterator<Item = CopiedFile<'_>> {
    let marks = entry.marks.map(|(generation, checksum)| CopiedFile::Marks(entry, generation, checksum));
    std::iter::once(CopiedFile::Segment(entry)).chain(marks)
}

impl CopiedFile<'_> {
    /// Returns whether the file that an entry names so is this one; `None` if it names none.
    fn is_named_by(&self, entry: &CollectionEntry) -> Option<bool> {
        let kept = entry.snapshots.iter().flat_map(|snapshot| &snapshot.segments).chain(&entry.segments);
        match self {
            Self::Segment(wanted) => {
                let mut same = kept.filter(|segment| segment.uuid == wanted.uuid);
                Some(same.next()?.checksum == wanted.checksum)
            }
            Self::Marks(wanted, generation, checksum) => {
                let marks = kept.filter(|segment| segment.uuid == wanted.uuid).filter_map(|one| one.marks);
                let mut same = marks.filter(|(named, _)| named == generation);
                Some(same.next()?.1 == *checksum)
            }
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Segment(entry) => segment::file_name(entry.uuid),
            Self::Marks(entry, generation, _) => marks::file_name(entry.uuid, *generation),
        }
    }

    /// Checks every byte of the file at a path.
    fn check(&self, vfs: &dyn Vfs, path: &Path, collection: Uuid) -> Result<()> {
        match self {
            Self::Segment(segment) => {
                let opened = Segment::open(vfs, path, segment.uuid, collection, segment.checksum)?;
                opened.verify()?.into_iter().next().map_or(Ok(()), Err)
            }
            Self::Marks(segment, _, checksum) => {
                let rows = usize::try_from(segment.rows).unwrap_or(usize::MAX);
                marks::read(vfs, path, segment.uuid, *checksum, rows).map(drop)
            }
        }
    }
}

/// Checks every byte of a segment and its marks in the directory of a collection.
pub(crate) fn check_files(
    vfs: &dyn Vfs,
    directory: &Path,
    collection: Uuid,
    segment: &SegmentEntry,
) -> Result<()> {
    files(segment).try_for_each(|file| file.check(vfs, &directory.join(file.name()), collection))
}

/// Copies a file after checking it, and syncs it (not its name). Returns its length.
fn copy(
    from_vfs: &dyn Vfs,
    from: &Path,
    to_vfs: &dyn Vfs,
    to: &Path,
    file: &CopiedFile<'_>,
    entry: &CollectionEntry,
) -> Result<u64> {
    file.check(from_vfs, from, entry.uuid)?;
    let bytes = from_vfs.map(from).map_err(|error| Error::io("read", from, error))?;
    write(to_vfs, to, &bytes)?;
    Ok(bytes.len() as u64)
}

/// As [`copy`], over a file that is to hold the same bytes and may be damaged. A crash leaves each of its bytes as it was
/// or as it should be: what was whole stays so.
fn copy_over(
    from_vfs: &dyn Vfs,
    from: &Path,
    to_vfs: &dyn Vfs,
    to: &Path,
    file: &CopiedFile<'_>,
    entry: &CollectionEntry,
) -> Result<u64> {
    file.check(from_vfs, from, entry.uuid)?;
    let bytes = from_vfs.map(from).map_err(|error| Error::io("read", from, error))?;
    let len = match to_vfs.stat(to).map_err(|error| Error::io("open", to, error))? {
        Some(_) => to_vfs.open(to, true).and_then(|file| file.len()),
        None => Ok(0),
    };
    if len.map_err(|error| Error::io("open", to, error))? == bytes.len() as u64 {
        write_to(|| to_vfs.open(to, true), to, &bytes)?;
    } else {
        remove_if_there(to_vfs, to)?;
        write(to_vfs, to, &bytes)?;
    }
    Ok(bytes.len() as u64)
}

/// Returns the directory of a collection, which is made if it is not there.
fn create_collection_dir(vfs: &dyn Vfs, root: &Path, collection: Uuid) -> Result<PathBuf> {
    let directory = collection_dir(root, collection);
    create_dirs(vfs, &directory)?;
    refuse_link(vfs, &directory)?;
    Ok(directory)
}

fn write(vfs: &dyn Vfs, path: &Path, bytes: &[u8]) -> Result<()> {
    write_to(|| vfs.create(path), path, bytes)
}

fn write_to(open: impl FnOnce() -> io::Result<Box<dyn VfsFile>>, path: &Path, bytes: &[u8]) -> Result<()> {
    let interrupt = Interrupt::current();
    let write = || -> io::Result<()> {
        let file = open()?;
        let mut offset = 0;
        for chunk in bytes.chunks(CHUNK_BYTES) {
            if interrupt.is_requested() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            file.write_all_at(&[IoSlice::new(chunk)], offset)?;
            offset += chunk.len() as u64;
        }
        file.sync()
    };
    let written = write();
    Error::check_interrupt(&interrupt)?;
    written.map_err(|error| Error::io("write", path, error))
}

fn remove_if_there(vfs: &dyn Vfs, path: &Path) -> Result<()> {
    match vfs.remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path, error)),
        _ => Ok(()),
    }
}

/// Returns the logs of a collection of a backup that were written to, from the first that counts: none, unless the backup
/// was opened for writing.
fn written_logs<'a>(
    vfs: &'a dyn Vfs,
    directory: &'a Path,
    entry: &'a CollectionEntry,
) -> Result<impl Iterator<Item = Result<(String, Log)>> + 'a> {
    let seqs = log_seqs(vfs, directory)?.into_iter().filter(|&seq| seq >= entry.first_log);
    let read = move |seq| {
        let name = wal::file_name(seq);
        let log = Log::read(vfs, &directory.join(&name), entry.uuid)?;
        Ok((name, log))
    };
    Ok(seqs.map(read).filter(|log| log.as_ref().map_or(true, |(_, log)| log.first_lsn().is_some())))
}

/// Files that are made and that nothing names yet.
struct Unnamed<'a> {
    shared: &'a Shared,
    paths: Vec<PathBuf>,
}

impl<'a> Unnamed<'a> {
    fn new(shared: &'a Shared, paths: Vec<PathBuf>) -> Self {
        paths.iter().for_each(|path| shared.keep_unnamed(path));
        Self { shared, paths }
    }
}

impl Drop for Unnamed<'_> {
    fn drop(&mut self) {
        self.paths.iter().for_each(|path| self.shared.release_unnamed(path));
    }
}
