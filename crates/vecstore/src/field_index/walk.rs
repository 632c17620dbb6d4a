//! From a document to the paths that lead to values, and what a path finds there.
//!
//! A path finds a literal key with dots before nested ones. Where both are there, or where such a key leads to a map
//! (whose fields no path reaches, but a condition on the map itself sees), the row is *opaque*: it is left to its
//! document, as is a document that is malformed. Paths into lists are left to the documents too.

use super::Caps;
use crate::metadata::{DocumentRef, ValueRef};

/// What a document has at one path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    /// The number of the path.
    pub(super) path: u32,
    pub(super) value: ValueRef<'a>,
}

/// What became of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Nothing may be said of the row from its columns.
    pub(super) is_opaque: bool,
    /// Some path of the row has no columns.
    pub(super) is_partial: bool,
}

/// A walk over one document.
pub(super) struct Walk<'a, 'b> {
    pub(super) found: &'b mut Vec<Found<'a>>,
    /// Numbers a path, of which it is told whether it is within the caps; or leaves it out.
    pub(super) number: &'b mut dyn FnMut(&[u8], bool) -> Option<u32>,
    pub(super) outcome: Outcome,
    caps: Caps,
    elements: usize,
}

impl<'a, 'b> Walk<'a, 'b> {
    pub(super) fn new(
        found: &'b mut Vec<Found<'a>>,
        number: &'b mut dyn FnMut(&[u8], bool) -> Option<u32>,
        caps: Caps,
    ) -> Self {
        Self { found, number, outcome: Outcome::default(), caps, elements: 0 }
    }

    /// Collects what is in a map at `path`, itself `depth` maps deep. Recursion is bounded by the depth of paths.
    pub(super) fn map(&mut self, map: DocumentRef<'a>, path: &mut Vec<u8>, depth: usize) {
        for entry in map.iter() {
            let Ok((key, value)) = entry else {
                self.outcome.is_opaque = true;
                return;
            };
            let end = path.len();
            if depth > 0 {
                path.push(b'.');
            }
            path.extend_from_slice(key.as_bytes());
            self.entry(key, value, path, depth);
            path.truncate(end);
            if self.outcome.is_opaque {
                return;
            }
        }
    }

    fn entry(&mut self, key: &str, value: ValueRef<'a>, path: &mut Vec<u8>, depth: usize) {
        if let ValueRef::List(list) = value {
            self.elements += list.count();
            self.outcome.is_opaque |= list.iter().any(|item| item.is_err());
        }
        self.outcome.is_opaque |= self.found.len() + self.elements > self.caps.row_values;
        if self.outcome.is_opaque {
            return;
        }
        // By dots, not by maps: a path is left out of all rows or of none.
        let dots = path.iter().filter(|&&byte| byte == b'.').count();
        let is_within = path.len() <= self.caps.path_bytes && dots <= self.caps.path_dots;
        let Some(number) = (self.number)(path, is_within) else {
            self.outcome.is_partial = true;
            return;
        };
        self.found.push(Found { path: number, value });
        if let ValueRef::Map(inner) = value {
            if key.contains('.') {
                self.outcome.is_opaque = true;
            } else {
                self.map(inner, path, depth + 1);
            }
        }
    }
}
