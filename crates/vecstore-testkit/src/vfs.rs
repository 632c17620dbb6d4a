//! The file system under test.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vecstore::vfs::{DirEntry, LockOutcome, Mapping, Stat, Vfs, VfsFile};

use crate::disk::Disk;
use crate::error;
use crate::fault::Verdict;
use crate::file::{FaultFile, HeldLock, MappedBytes};
use crate::rules::Rules;
use crate::state::{State, Use};
use crate::{Call, CallKind, Fault, Outcome, Repeat};

/// An in-memory file system that knows what a power cut would take, fails where it is told to, and records every
/// call. Clones are handles on the same one; [`FaultVfs::fork`] copies it.
#[derive(Clone)]
pub struct FaultVfs {
    state: Arc<Mutex<State>>,
}

impl FaultVfs {
    /// Makes an empty file system that behaves like Unix: any file may be renamed or removed, and names are
    /// durable once their directory is synced.
    #[expect(clippy::new_without_default, reason = "which family of systems it behaves like is worth a word")]
    pub fn new() -> Self {
        Self::from_disk(Disk::new(Rules::Unix), 0)
    }

    /// Makes an empty file system that behaves like Windows.
    ///
    /// Names ignore case, device names are refused, and a file that is open, mapped or locked cannot be renamed
    /// or removed (`PermissionDenied`), nor can a directory above it. Syncing a directory succeeds and does
    /// nothing. Names become durable, all at once, when any file is synced or renamed, as NTFS does it under
    /// `FlushFileBuffers` and `MOVEFILE_WRITE_THROUGH`.
    pub fn windows_like() -> Self {
        Self::from_disk(Disk::new(Rules::Windows), 0)
    }

    pub(crate) fn from_disk(disk: Disk, mark: u64) -> Self {
        Self { state: Arc::new(Mutex::new(State::new(disk, mark))) }
    }

    /// A panic of an engine thread (which the tests provoke) must not hide the state from the test.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies the file system as a killed process leaves it: everything written is there, nobody has a file open
    /// or holds a lock. What was not durable still is not. The copy counts its calls from 1 and plans no faults.
    pub fn fork(&self) -> Self {
        let state = self.state();
        Self::from_disk(state.abandoned(), state.mark)
    }

    /// Kills the process at the `call`-th call from the creation of this file system: that call and every later
    /// one fails and has no effect.
    pub fn stop_at(&self, call: u64) {
        self.state().plan.stop_at = Some(call);
    }

    /// Kills the process now.
    pub fn stop(&self) {
        self.stop_at(0);
    }

    /// Makes the `call`-th call fail, if the fault applies to it, and with [`Repeat::Onwards`] every later one
    /// that it applies to. Of several faults for one call the first planned strikes.
    pub fn fail_at(&self, call: u64, fault: Fault, repeat: Repeat) {
        self.state().plan.add(None, call, fault, repeat);
    }

    /// As [`FaultVfs::fail_at`], for the `nth` call of one kind, counted from 1 as well.
    pub fn fail_nth(&self, kind: CallKind, nth: u64, fault: Fault, repeat: Repeat) {
        self.state().plan.add(Some(kind), nth, fault, repeat);
    }

    /// Drops the plan: calls succeed again.
    pub fn clear_faults(&self) {
        self.state().plan.clear();
    }

    /// Returns how many calls were made to fail, not counting those of a stopped process: a test of a fault that
    /// never struck shows nothing.
    pub fn faults_struck(&self) -> u64 {
        self.state().plan.struck
    }

    /// Limits the sum of file lengths, or lifts the limit. A write past it writes what fits and fails with
    /// `ENOSPC`; removing files makes room once nobody has them open.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().disk.capacity = bytes;
    }

    /// Returns the sum of the lengths of all files that have a name.
    pub fn bytes_used(&self) -> u64 {
        self.files().iter().map(|(_, len)| len).sum()
    }

    /// Returns the number of calls made so far.
    pub fn calls(&self) -> u64 {
        self.state().trace.len() as u64
    }

    /// Returns all calls made so far, in order.
    pub fn trace(&self) -> Vec<Call> {
        self.state().trace.clone()
    }

    /// Notes how far the test has come, say the number of calls the engine acknowledged. Copies and crash images
    /// carry the note: what they hold is at least as new as it says.
    pub fn mark(&self, mark: u64) {
        self.state().mark = mark;
    }

    /// Returns the last note.
    pub fn marked(&self) -> u64 {
        self.state().mark
    }

    /// Runs `watcher` before each call from now on, with a [`FaultVfs::fork`] of the state that a process killed
    /// before that call leaves. One run of a script so gives every state that it can stop in. Calls of a stopped
    /// process are not shown.
    pub fn watch(&self, watcher: impl Fn(&Call, FaultVfs) + Send + Sync + 'static) {
        self.state().watcher = Some(Arc::new(watcher));
    }

    /// Performs a call unless the plan has it fail.
    pub(crate) fn call<T>(&self, call: Call, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        self.call_or_else(call, act, |_, _| {})
    }

    /// Performs a call; `spoil` does what a fault leaves behind.
    pub(crate) fn call_or_else<T>(
        &self,
        mut call: Call,
        act: impl FnOnce(&mut State) -> io::Result<T>,
        spoil: impl FnOnce(&mut State, Fault),
    ) -> io::Result<T> {
        let mut state = self.state();
        let verdict = state.begin(&mut call);
        if verdict != Verdict::Stop
            && let Some(watcher) = state.watcher.clone()
        {
            let image = Self::from_disk(state.abandoned(), state.mark);
            drop(state);
            watcher(&call, image);
            state = self.state();
        }
        let (result, injected) = match verdict {
            Verdict::Proceed => (act(&mut state), false),
            Verdict::Stop => (Err(error::stopped(call.number)), true),
            Verdict::Fail(fault) => {
                spoil(&mut state, fault);
                (Err(fault.error()), true)
            }
        };
        let outcome = match &result {
            Ok(_) => Outcome::Done,
            Err(error) if injected => Outcome::Injected(error.kind()),
            Err(error) => Outcome::Refused(error.kind()),
        };
        state.end(call.number, outcome);
        result
    }
}

impl Vfs for FaultVfs {
    fn create(&self, path: &Path) -> io::Result<Box<dyn VfsFile>> {
        let node = self.call(Call::on(CallKind::Create, path), |state| {
            let node = state.disk.create_file(path)?;
            state.hold(node, Use::Handle);
            Ok(node)
        })?;
        Ok(Box::new(FaultFile::new(self.clone(), node, path, true)))
    }

    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn VfsFile>> {
        let node = self.call(Call::on(CallKind::Open, path), |state| {
            let node = state.disk.file(path)?;
            state.hold(node, Use::Handle);
            Ok(node)
        })?;
        Ok(Box::new(FaultFile::new(self.clone(), node, path, write)))
    }

    fn map(&self, path: &Path) -> io::Result<Mapping> {
        let (node, content) = self.call(Call::on(CallKind::Map, path), |state| {
            let node = state.disk.file(path)?;
            state.hold(node, Use::Mapping);
            Ok((node, state.disk.inode(node).current().clone()))
        })?;
        Ok(Mapping::new(MappedBytes::new(self.clone(), node, &content)))
    }

    fn rename_no_replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(Call::on(CallKind::Rename, from).to(to), |state| {
            state.check_unused(from)?;
            state.disk.rename(from, to)
        })
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.call(Call::on(CallKind::RemoveFile, path), |state| {
            state.check_unused(path)?;
            state.disk.remove_file(path)
        })
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.call(Call::on(CallKind::CreateDir, path), |state| state.disk.create_dir_all(path))
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.call(Call::on(CallKind::RemoveDir, path), |state| {
            state.check_unused(path)?;
            state.disk.remove_dir_all(path)
        })
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.call(Call::on(CallKind::List, path), |state| state.disk.list(path))
    }

    fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        self.call(Call::on(CallKind::Stat, path), |state| state.disk.stat(path))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.call_or_else(
            Call::on(CallKind::SyncDir, path),
            |state| state.sync_dir(path),
            |state, _| state.disk.fail_sync_dir(path),
        )
    }

    fn lock(&self, path: &Path, holder: &str) -> io::Result<LockOutcome> {
        self.call(Call::on(CallKind::Lock, path), |state| {
            let node = match state.disk.find(path)? {
                Some(_) => state.disk.file(path)?,
                None => state.disk.create_file(path)?,
            };
            if let Some(holder) = state.locks.get(&node) {
                return Ok(LockOutcome::Held { holder: holder.clone() });
            }
            state.disk.inode_mut(node).replace(holder.as_bytes());
            state.locks.insert(node, holder.to_owned());
            state.hold(node, Use::Handle);
            Ok(LockOutcome::Acquired(Box::new(HeldLock::new(self.clone(), node))))
        })
    }
}

impl fmt::Debug for FaultVfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.state.try_lock() {
            Ok(state) => write!(f, "FaultVfs({state:?})"),
            Err(_) => write!(f, "FaultVfs(busy)"),
        }
    }
}
