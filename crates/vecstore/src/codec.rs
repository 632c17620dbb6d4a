//! Reading and writing of little-endian fields. The reader never panics and never trusts a length it has not
//! compared with the bytes that are there.

use crate::error::{Error, Result};

/// A cursor over bytes from disk.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`, which are called `what` in errors.
    pub(crate) fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Result<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(len) else {
            return Err(Error::corrupted(format!(
                "{} ends early: {len} more bytes expected, got {}",
                self.what,
                self.rest.len()
            )));
        };
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.bytes(N)?;
        Ok(bytes.try_into().expect("`bytes` returns the length asked for"))
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Reads a u32 length and that many bytes.
    pub(crate) fn prefixed(&mut self) -> Result<&'a [u8]> {
        let len = self.u32()? as usize;
        self.bytes(len)
    }

    /// Reads a u32 length and that many bytes of UTF-8.
    pub(crate) fn string(&mut self) -> Result<&'a str> {
        let what = self.what;
        std::str::from_utf8(self.prefixed()?)
            .map_err(|_| Error::corrupted(format!("{what}: text is not UTF-8")))
    }

    /// Reads a u32 count of items of at least `item_bytes` each, and refuses one that cannot fit.
    pub(crate) fn count(&mut self, item_bytes: usize) -> Result<usize> {
        let count = self.u32()? as usize;
        if count.checked_mul(item_bytes.max(1)).is_none_or(|bytes| bytes > self.rest.len()) {
            return Err(Error::corrupted(format!(
                "{}: {count} items of {item_bytes} bytes do not fit in {} bytes",
                self.what,
                self.rest.len()
            )));
        }
        Ok(count)
    }

    /// Fails unless everything was read.
    pub(crate) fn finish(self) -> Result<()> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(Error::corrupted(format!("{}: {} bytes too many", self.what, self.rest.len())))
    }
}

/// Appending of little-endian fields to a buffer.
pub(crate) trait WriteFields {
    fn put(&mut self, bytes: &[u8]);

    fn put_u8(&mut self, value: u8) {
        self.put(&[value]);
    }

    fn put_u16(&mut self, value: u16) {
        self.put(&value.to_le_bytes());
    }

    fn put_u32(&mut self, value: u32) {
        self.put(&value.to_le_bytes());
    }

    fn put_u64(&mut self, value: u64) {
        self.put(&value.to_le_bytes());
    }

    /// Writes a u32 length and the bytes.
    fn put_prefixed(&mut self, bytes: &[u8]) {
        self.put_u32(u32::try_from(bytes.len()).expect("limits keep every field under 4 GiB"));
        self.put(bytes);
    }
}

impl WriteFields for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}
