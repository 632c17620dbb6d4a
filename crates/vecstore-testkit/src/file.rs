//! What a process holds: open files, mappings and locks.

use std::fmt;
use std::io::{self, ErrorKind, IoSlice};
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use vecstore::vfs::{LockGuard, VfsFile};

use crate::aligned::AlignedBytes;
use crate::content::Content;
use crate::error;
use crate::names::NodeId;
use crate::state::{MappedWrite, State, Use};
use crate::{Call, CallKind, Fault, FaultVfs};

/// An open file. It outlives its name, as on Unix.
pub(crate) struct FaultFile {
    vfs: FaultVfs,
    node: NodeId,
    path: Arc<Path>,
    writable: bool,
}

impl FaultFile {
    pub(crate) fn new(vfs: FaultVfs, node: NodeId, path: &Path, writable: bool) -> Self {
        Self { vfs, node, path: path.into(), writable }
    }

    fn call(&self, kind: CallKind) -> Call {
        Call::on(kind, Arc::clone(&self.path))
    }

    fn change(
        &self,
        call: Call,
        act: impl Fn(&mut State, Option<Fault>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut broken = false;
        let result = self.vfs.call_or_else(
            call,
            |state| {
                if !self.writable {
                    return Err(error::at(ErrorKind::PermissionDenied, &self.path));
                }
                match state.check_unmapped(self.node) {
                    Ok(()) => act(state, None),
                    Err(MappedWrite::Refused) => Err(error::in_use()),
                    Err(MappedWrite::Broken) => {
                        broken = true;
                        Err(error::io_failure())
                    }
                }
            },
            |state, fault| {
                // The caller gets the fault's error; this is what it leaves behind.
                let _ = act(state, Some(fault));
            },
        );
        assert!(!broken, "{} is changed while it is mapped", self.path.display());
        result
    }
}

impl VfsFile for FaultFile {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let call = self.call(CallKind::Read).at(offset, buffer.len() as u64);
        self.vfs.call(call, |state| {
            let content = state.disk.inode(self.node).current();
            if offset.checked_add(buffer.len() as u64).is_none_or(|end| end > content.len()) {
                return Err(error::at(ErrorKind::UnexpectedEof, &self.path));
            }
            content.read(buffer, offset);
            Ok(())
        })
    }

    fn write_all_at(&self, slices: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        let call = self.call(CallKind::Write).at(offset, bytes.len() as u64);
        self.change(call, |state, fault| match fault {
            None => state.write(self.node, &bytes, offset),
            Some(Fault::ShortWrite { percent }) if self.writable => {
                let written = bytes.len() * usize::from(percent.min(99)) / 100;
                state.write(self.node, &bytes[..written], offset)
            }
            Some(_) => Ok(()),
        })
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let call = self.call(CallKind::Allocate).at(0, len);
        self.change(call, |state, fault| match fault {
            None => state.extend(self.node, len),
            Some(_) => Ok(()),
        })
    }

    fn len(&self) -> io::Result<u64> {
        self.vfs.call(self.call(CallKind::Len), |state| Ok(state.disk.inode(self.node).current().len()))
    }

    fn sync(&self) -> io::Result<()> {
        self.vfs.call_or_else(
            self.call(CallKind::Sync),
            |state| {
                state.disk.sync_file(self.node);
                Ok(())
            },
            |state, _| state.disk.inode_mut(self.node).fail_sync(),
        )
    }
}

impl fmt::Debug for FaultFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultFile({})", self.path.display())
    }
}

impl Drop for FaultFile {
    fn drop(&mut self) {
        self.vfs.state().release(self.node, Use::Handle);
    }
}

/// The bytes of a file when it was mapped, which no later write changes.
pub(crate) struct MappedBytes {
    vfs: FaultVfs,
    node: NodeId,
    bytes: AlignedBytes,
}

impl MappedBytes {
    pub(crate) fn new(vfs: FaultVfs, node: NodeId, content: &Content) -> Self {
        let bytes = AlignedBytes::filled(content.len() as usize, |target| content.read(target, 0));
        Self { vfs, node, bytes }
    }
}

impl Deref for MappedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for MappedBytes {
    fn drop(&mut self) {
        self.vfs.state().release(self.node, Use::Mapping);
    }
}

/// A lock, given back when it is dropped, also by a stopped process.
#[derive(Debug)]
pub(crate) struct HeldLock {
    vfs: FaultVfs,
    node: NodeId,
}

impl HeldLock {
    pub(crate) fn new(vfs: FaultVfs, node: NodeId) -> Self {
        Self { vfs, node }
    }
}

impl LockGuard for HeldLock {}

impl Drop for HeldLock {
    fn drop(&mut self) {
        let mut state = self.vfs.state();
        state.locks.remove(&self.node);
        state.release(self.node, Use::Handle);
    }
}
