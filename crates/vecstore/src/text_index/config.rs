//! What of a record is searched as text, and how its terms are made: chosen when a collection is made, and kept.

use std::sync::Arc;

use vecstore_text::Analyzer;

use crate::error::{Error, Result};

/// The most fields of the metadata that are searched as text.
pub(crate) const TEXT_FIELDS_MAX: usize = 15;

/// The longest path of such a field, in bytes.
const PATH_BYTES_MAX: usize = 256;

/// How a collection makes terms of its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TextConfig {
    pub(crate) analyzer: Analyzer,
    /// Paths of the metadata whose strings are searched beside the records' texts.
    pub(crate) fields: Arc<[String]>,
}

impl TextConfig {
    pub(crate) fn new(analyzer: Analyzer, fields: &[String]) -> Result<Self> {
        if fields.len() > TEXT_FIELDS_MAX {
            return Err(Error::invalid(format!(
                "text_fields may name {TEXT_FIELDS_MAX} fields, got {}",
                fields.len()
            )));
        }
        for (n, path) in fields.iter().enumerate() {
            if path.is_empty() || path.len() > PATH_BYTES_MAX {
                return Err(Error::invalid(format!(
                    "text_fields: a path has 1 to {PATH_BYTES_MAX} bytes, got {}",
                    path.len()
                )));
            }
            if path == TEXT || fields[..n].contains(path) {
                return Err(Error::invalid(format!("text_fields: `{path}` is named twice")));
            }
        }
        Ok(Self { analyzer, fields: fields.into() })
    }

    /// Returns how many fields there are, the record's text included.
    pub(crate) fn field_count(&self) -> usize {
        1 + self.fields.len()
    }

    /// Returns the number of the field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<usize> {
        if name == TEXT {
            return Some(0);
        }
        self.fields.iter().position(|path| path == name).map(|at| at + 1)
    }
}

/// The name of the record's own text among the fields.
const TEXT: &str = "text";
