//! The body of a record: its metadata document and its text, as one run of bytes.
//!
//! ```text
//! u32  length of the document in bits 0..31; bit 31 is set if there is a text
//! ..   document (see `metadata::document`)
//! ..   text, UTF-8, to the end
//! ```

use crate::codec::{Reader, WriteFields};
use crate::error::{Error, Result};

const HAS_TEXT: u32 = 1 << 31;

/// A body, borrowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<'a> {
    pub(crate) document: &'a [u8],
    pub(crate) text: Option<&'a str>,
}

impl<'a> Body<'a> {
    /// Appends the encoded body to `out`.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let flag = if self.text.is_some() { HAS_TEXT } else { 0 };
        out.put_u32(self.document.len() as u32 | flag);
        out.put(self.document);
        out.put(self.text.unwrap_or_default().as_bytes());
    }

    /// Reads a body.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "record body");
        let head = reader.u32()?;
        let document = reader.bytes((head & !HAS_TEXT) as usize)?;
        let rest = reader.bytes(reader.remaining())?;
        if head & HAS_TEXT == 0 {
            Reader::new(rest, "record body").finish()?;
            return Ok(Self { document, text: None });
        }
        let text = std::str::from_utf8(rest).map_err(|_| Error::corrupted("record text is not UTF-8"))?;
        Ok(Self { document, text: Some(text) })
    }
}
