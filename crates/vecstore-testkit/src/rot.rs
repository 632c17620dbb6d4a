//! Raw access for tests: to look at files, and to damage them as a failing disk does. None of it is a call in the
//! trace or subject to faults, and every change is durable at once.

use std::io;
use std::path::{Path, PathBuf};

use crate::FaultVfs;
use crate::content::Content;
use crate::inode::Inode;

impl FaultVfs {
    /// Lists every file with its length, in the order of paths; paths start with `/`.
    pub fn files(&self) -> Vec<(PathBuf, u64)> {
        let state = self.state();
        let len = |node| state.disk.inode(node).current().len();
        state.disk.files().into_iter().map(|(path, node)| (path, len(node))).collect()
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// If there is no such file.
    pub fn read(&self, path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
        let state = self.state();
        let node = state.disk.file(path.as_ref())?;
        Ok(state.disk.inode(node).current().to_vec())
    }

    /// Replaces a file's contents, creating it and the directories above it if they are missing.
    ///
    /// # Errors
    /// If the path cannot be a file.
    pub fn write(&self, path: impl AsRef<Path>, bytes: &[u8]) -> io::Result<()> {
        let path = path.as_ref();
        let mut state = self.state();
        if state.disk.find(path)?.is_none() {
            state.disk.create_dir_all(path.parent().unwrap_or(Path::new("")))?;
            state.disk.create_file(path)?;
            state.disk.settle_names();
        }
        drop(state);
        self.damage(path, |content| {
            *content = Content::from_bytes(bytes);
            Ok(())
        })
    }

    /// Inverts the bits of `mask` in one byte.
    ///
    /// # Errors
    /// If the file is missing or too short.
    pub fn flip(&self, path: impl AsRef<Path>, offset: u64, mask: u8) -> io::Result<()> {
        self.damage(path.as_ref(), |content| {
            let mut byte = [0];
            read_inside(content, &mut byte, offset)?;
            content.write(&[byte[0] ^ mask], offset);
            Ok(())
        })
    }

    /// Overwrites a range inside a file, say with what was there some time ago.
    ///
    /// # Errors
    /// If the file is missing or too short.
    pub fn overwrite(&self, path: impl AsRef<Path>, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.damage(path.as_ref(), |content| {
            read_inside(content, &mut vec![0; bytes.len()], offset)?;
            content.write(bytes, offset);
            Ok(())
        })
    }

    /// Cuts a file, or extends it with zeros.
    ///
    /// # Errors
    /// If the file is missing.
    pub fn truncate(&self, path: impl AsRef<Path>, len: u64) -> io::Result<()> {
        self.damage(path.as_ref(), |content| {
            content.set_len(len);
            Ok(())
        })
    }

    /// Swaps the blocks of `block_bytes` at two offsets.
    ///
    /// # Errors
    /// If the file is missing or too short.
    pub fn swap_blocks(
        &self,
        path: impl AsRef<Path>,
        left: u64,
        right: u64,
        block_bytes: usize,
    ) -> io::Result<()> {
        self.damage(path.as_ref(), |content| {
            let (mut at_left, mut at_right) = (vec![0; block_bytes], vec![0; block_bytes]);
            read_inside(content, &mut at_left, left)?;
            read_inside(content, &mut at_right, right)?;
            content.write(&at_left, right);
            content.write(&at_right, left);
            Ok(())
        })
    }

    fn damage(&self, path: &Path, change: impl FnOnce(&mut Content) -> io::Result<()>) -> io::Result<()> {
        let mut state = self.state();
        let node = state.disk.file(path)?;
        let mut content = state.disk.inode(node).current().clone();
        change(&mut content)?;
        *state.disk.inode_mut(node) = Inode::settled(content);
        Ok(())
    }
}

fn read_inside(content: &Content, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    if offset.checked_add(buffer.len() as u64).is_none_or(|end| end > content.len()) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    content.read(buffer, offset);
    Ok(())
}
