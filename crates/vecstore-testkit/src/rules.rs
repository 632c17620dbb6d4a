//! How names behave, on Unix and on Windows.

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path};

use crate::error;

/// The family of systems that a file system behaves like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    Unix,
    Windows,
}

impl Rules {
    /// Splits a path into names. A leading root counts for nothing: every path starts there.
    pub(crate) fn split(self, path: &Path) -> io::Result<Vec<&str>> {
        let mut names = Vec::new();
        for component in path.components() {
            match component {
                Component::RootDir | Component::CurDir => {}
                Component::Normal(name) => names.push(self.check(path, name)?),
                Component::ParentDir | Component::Prefix(_) => {
                    return Err(error::at(io::ErrorKind::InvalidInput, path));
                }
            }
        }
        Ok(names)
    }

    fn check<'a>(self, path: &Path, name: &'a OsStr) -> io::Result<&'a str> {
        match name.to_str() {
            Some(name) if self == Self::Unix || !is_refused_by_windows(name) => Ok(name),
            _ => Err(error::at(io::ErrorKind::InvalidInput, path)),
        }
    }

    /// Gives the form in which names are compared.
    pub(crate) fn fold(self, name: &str) -> String {
        match self {
            Self::Unix => name.to_owned(),
            Self::Windows => name.to_lowercase(),
        }
    }
}

/// Device names, with or without an extension, names that end in a dot or a space, and characters with a
/// meaning of their own.
fn is_refused_by_windows(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_ascii_uppercase();
    let numbered =
        |port: &str| stem.strip_prefix(port).is_some_and(|digit| matches!(digit.as_bytes(), [b'1'..=b'9']));
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || numbered("COM")
        || numbered("LPT")
        || name.ends_with(['.', ' '])
        || name.contains(|character: char| character < ' ' || r#"<>:"|?*\"#.contains(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_refuses_what_windows_refuses() {
        for name in ["con", "NUL.txt", "com1", "lpt9.log", "a:b", "what?", "dot.", "space ", "a\\b"] {
            assert!(is_refused_by_windows(name), "{name}");
        }
        for name in ["console", "com0", "com10", "manifest-1", "a.seg", "LOCK", ".hidden"] {
            assert!(!is_refused_by_windows(name), "{name}");
        }
    }

    #[test]
    fn paths_start_at_the_root_and_never_climb() {
        assert_eq!(Rules::Unix.split(Path::new("/a/./b")).unwrap(), ["a", "b"]);
        assert_eq!(Rules::Unix.split(Path::new("a/b")).unwrap(), ["a", "b"]);
        assert!(Rules::Unix.split(Path::new("a/../b")).is_err());
    }
}
