//! Memory for large copies, in large pages where the system has them.

use std::io;
use std::ops::{Deref, DerefMut};

use memmap2::{MmapMut, MmapOptions};

/// Zeroed memory of its own, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct LargeMemory(MmapMut);

impl LargeMemory {
    /// Reserves `len` bytes, which is not 0; pages are taken when they are written to.
    pub(crate) fn new(len: usize) -> io::Result<Self> {
        let memory = MmapOptions::new().len(len).map_anon()?;
        // Where that is not to be had, small pages do.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _small = memory.advise(memmap2::Advice::HugePage);
        Ok(Self(memory))
    }
}

impl Deref for LargeMemory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for LargeMemory {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}
