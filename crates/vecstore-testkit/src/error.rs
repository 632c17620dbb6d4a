//! The errors that the file system gives back, as the kernel would word them.

use std::io::{Error, ErrorKind};
use std::path::Path;

#[cfg(windows)]
mod code {
    pub(super) const NO_SPACE: i32 = 112; // ERROR_DISK_FULL
    pub(super) const IO: i32 = 1117; // ERROR_IO_DEVICE
    pub(super) const IN_USE: i32 = 5; // ERROR_ACCESS_DENIED
}

#[cfg(not(windows))]
mod code {
    pub(super) const NO_SPACE: i32 = 28; // ENOSPC
    pub(super) const IO: i32 = 5; // EIO
    pub(super) const IN_USE: i32 = 13; // EACCES: the kind is PermissionDenied, as on Windows
}

pub(crate) fn no_space() -> Error {
    Error::from_raw_os_error(code::NO_SPACE)
}

pub(crate) fn io_failure() -> Error {
    Error::from_raw_os_error(code::IO)
}

/// Windows refuses to remove, rename or truncate a file that is open or mapped.
pub(crate) fn in_use() -> Error {
    Error::from_raw_os_error(code::IN_USE)
}

/// What a call gets whose process no longer exists.
pub(crate) fn stopped(call: u64) -> Error {
    Error::other(format!("the process was stopped before call {call}"))
}

pub(crate) fn at(kind: ErrorKind, path: &Path) -> Error {
    Error::new(kind, format!("{}: {kind}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_those_of_the_kernel() {
        assert_eq!(no_space().kind(), ErrorKind::StorageFull);
        assert_eq!(in_use().kind(), ErrorKind::PermissionDenied);
        assert!(io_failure().raw_os_error().is_some());
    }
}
