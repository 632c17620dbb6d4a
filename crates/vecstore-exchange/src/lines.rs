//! The lines of a file, each with its place, none longer than it may be.

use std::io::BufRead;

use vecstore::{Error, ErrorKind, Result};

/// The longest line that is read. A record at every limit of vecstore, written as JSON, is shorter.
pub const MAX_LINE_BYTES: usize = 128 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads lines.
pub(crate) struct Lines<R> {
    reader: R,
    /// Lines read so far.
    pub(crate) number: u64,
    /// Where the next line begins.
    pub(crate) offset: u64,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// Reads from a reader that stands at a line: the number of those before it and where it begins.
    pub(crate) fn new(reader: R, number: u64, offset: u64) -> Self {
        Self { reader, number, offset, line: Vec::new() }
    }

    /// Returns the next line that is not empty, without its break, or `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>> {
        loop {
            self.line.clear();
            let limit = MAX_LINE_BYTES as u64 + 1;
            let mut limited = std::io::Read::take(&mut self.reader, limit);
            let read = limited.read_until(b'\n', &mut self.line);
            let read = read.map_err(|error| Error::io("read", std::path::Path::new("the input"), error))?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if read > MAX_LINE_BYTES {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    format!("line {}: a line may have {MAX_LINE_BYTES} bytes, got more", self.number),
                ));
            }
            let is_first = self.offset == 0;
            self.offset += read as u64;
            let mut start = 0;
            if is_first && self.line.starts_with(BYTE_ORDER_MARK) {
                start = BYTE_ORDER_MARK.len();
            }
            if !self.line[start..].trim_ascii().is_empty() {
                return Ok(Some(self.line[start..].trim_ascii_end()));
            }
        }
    }
}
