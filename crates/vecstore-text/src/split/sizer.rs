//! What a chunk is measured in: characters, bytes, tokens, or whatever a callback counts.

use super::error::Result;

/// Measures text.
pub trait Sizer: Send + Sync {
    /// Returns the size of a text.
    ///
    /// # Errors
    ///
    /// If a callback fails.
    fn size(&self, text: &str) -> Result<usize>;

    /// Returns how texts are measured, which lets the splitters measure less.
    fn measure(&self) -> Measure {
        Measure::Other
    }

    /// Returns the size of a text if it is at most `limit`; may stop reading where it is not.
    ///
    /// # Errors
    ///
    /// If a callback fails.
    fn size_within(&self, text: &str, limit: usize) -> Result<Option<usize>> {
        let size = self.size(text)?;
        Ok((size <= limit).then_some(size))
    }
}

/// How a [`Sizer`] measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The size is the number of bytes.
    Bytes,
    /// The size is the number of characters (Unicode scalar values).
    Chars,
    /// The size of a text says little about the sizes of its parts: every chunk is measured.
    Other,
}

/// Counts characters: Unicode scalar values, which is what `len` counts in Python.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chars;

impl Sizer for Chars {
    fn size(&self, text: &str) -> Result<usize> {
        Ok(text.chars().count())
    }

    fn measure(&self) -> Measure {
        Measure::Chars
    }
}

/// Counts bytes of UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes;

impl Sizer for Bytes {
    fn size(&self, text: &str) -> Result<usize> {
        Ok(text.len())
    }

    fn measure(&self) -> Measure {
        Measure::Bytes
    }
}

/// Every closure that counts is a sizer.
impl<F: Fn(&str) -> Result<usize> + Send + Sync> Sizer for F {
    fn size(&self, text: &str) -> Result<usize> {
        self(text)
    }
}
