//! Asking for memory before it is needed.
//!
//! Memory that cannot be had ends a Rust program. So what takes memory in proportion to what it is given asks first whether it
//! can be had, and fails with an error if not, while nothing is changed yet: a batch, a call, opening a log, a segment, a
//! graph. It is given back at once; what is needed is allocated after that, by many small steps. Another thread may take it in
//! between, and little is not asked for: then the process ends, as if it were killed, and nothing that was acknowledged is
//! lost.

use std::io;

use crate::error::{self, Error};

/// ENOMEM, and ERROR_NOT_ENOUGH_MEMORY on Windows.
const NO_MEMORY: i32 = if cfg!(windows) { 8 } else { 12 };

/// Less than this is not asked for.
const ASKED_BYTES_MIN: usize = 1 << 20;

/// Fails unless so many bytes of memory can be had. `what` they are for is said in the error.
pub(crate) fn check_memory(bytes: usize, what: &str) -> error::Result<()> {
    if bytes < ASKED_BYTES_MIN || Vec::<u8>::new().try_reserve_exact(bytes).is_ok() {
        return Ok(());
    }
    let source = io::Error::from_raw_os_error(NO_MEMORY);
    Err(Error::out_of_memory(format!("out of memory: {what} needs {bytes} bytes more"), source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_cannot_be_had_is_an_error() {
        assert!(check_memory(1 << 20, "a test").is_ok());
        let refused = check_memory(usize::MAX / 2, "a test").unwrap_err();
        assert_eq!(refused.kind(), crate::ErrorKind::Io);
        assert_eq!(refused.io_kind(), Some(io::ErrorKind::OutOfMemory));
        assert!(refused.message().starts_with("out of memory: a test needs"), "{refused}");
    }
}
