//! Which paths have columns because somebody asked for it, and which have none.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::layout::part;
use crate::error::{Error, Result};
use crate::limits::{MAX_FIELD_INDEXES, MAX_FIELD_PATH_BYTES};
use crate::metadata::MAX_METADATA_DEPTH;
use crate::record::shown;

/// Which values an index on a path holds, for [`Collection::create_index`](crate::Collection::create_index). Values of other
/// types are found all the same, in the records themselves. Nulls, truth values, presence and the lengths of lists are held by
/// each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// Values of all types.
    #[default]
    Any,
    /// Strings.
    Keyword,
    /// Integers and floats, which share one order.
    Number,
    /// Truth values.
    Bool,
    /// Datetimes, and strings: those that read as times compare with datetimes.
    DateTime,
    /// Points, maps with the numbers `lat` and `lon`: an index on each of the two.
    Geo,
}

impl FieldKind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Any, Self::Keyword, Self::Number, Self::Bool, Self::DateTime, Self::Geo];

    /// Returns the name, such as `keyword`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Keyword => "keyword",
            Self::Number => "number",
            Self::Bool => "bool",
            Self::DateTime => "datetime",
            Self::Geo => "geo",
        }
    }

    /// Returns whether values of a column (a number of `part`) are held.
    fn holds(self, column: usize) -> bool {
        match self {
            Self::Any => true,
            Self::Keyword => column == part::STRINGS,
            Self::Number => column == part::NUMBERS,
            Self::DateTime => column == part::TIMES || column == part::STRINGS,
            Self::Bool | Self::Geo => false,
        }
    }
}

impl fmt::Display for FieldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FieldKind {
    type Err = Error;

    /// Reads a name; `integer` and `float` are `number`, `string` is `keyword`.
    fn from_str(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == name);
        known
            .or(match name {
                "string" => Some(Self::Keyword),
                "integer" | "float" => Some(Self::Number),
                _ => None,
            })
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::name).join("`, `");
                let hint = if name == "text" {
                    ": full-text search of a field is what `text_fields` is for, when the collection is made"
                } else {
                    ""
                };
                Error::invalid(format!(
                    "kind of an index must be one of `{names}`, got `{}`{hint}",
                    shown(name)
                ))
            })
    }
}

/// What was chosen for a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Columns of this kind, whatever they take.
    Asked(FieldKind),
    /// No columns.
    Dropped,
}

impl Choice {
    /// Returns the number of the choice in a manifest and in a segment, from 1 to `CODE_MAX`.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Asked(FieldKind::Any) => 1,
            Self::Asked(FieldKind::Keyword) => 2,
            Self::Asked(FieldKind::Number) => 3,
            Self::Asked(FieldKind::Bool) => 4,
            Self::Asked(FieldKind::DateTime) => 5,
            Self::Asked(FieldKind::Geo) => 6,
            Self::Dropped => 31,
        }
    }

    /// Returns the choice of a number.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        let mut all = FieldKind::ALL.into_iter().map(Self::Asked).chain([Self::Dropped]);
        all.find(|choice| choice.code() == code)
    }

    /// Returns whether values of a column (a number of `part`) are held.
    pub(super) fn holds(self, column: usize) -> bool {
        match self {
            Self::Asked(kind) => kind.holds(column),
            Self::Dropped => false,
        }
    }
}

/// The choices of a collection, by path. For all other paths columns are made by themselves, up to the caps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldChoices(BTreeMap<String, Choice>);

impl FieldChoices {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Choice)> {
        self.0.iter().map(|(path, &choice)| (path.as_str(), choice))
    }

    /// Returns what was chosen for exactly this path.
    pub(crate) fn get(&self, path: &str) -> Option<Choice> {
        self.0.get(path).copied()
    }

    /// Sets what is chosen for a path.
    pub(crate) fn set(&mut self, path: &str, choice: Choice) -> Result<()> {
        check_path(path)?;
        if self.0.len() >= MAX_FIELD_INDEXES && !self.0.contains_key(path) {
            return Err(Error::invalid(format!(
                "a collection may have {MAX_FIELD_INDEXES} indexes that were created or dropped, and has as many: \
                 `{}` would be one more",
                shown(path)
            )));
        }
        self.0.insert(path.to_owned(), choice);
        Ok(())
    }

    /// Returns what holds for each path, parts of points included.
    pub(super) fn resolved(&self) -> Vec<(String, Choice)> {
        let mut all = self.0.clone();
        for (path, _) in self.0.iter().filter(|(_, choice)| **choice == Choice::Asked(FieldKind::Geo)) {
            for part in ["lat", "lon"] {
                // What was chosen for the part itself counts.
                all.entry(format!("{path}.{part}")).or_insert(Choice::Asked(FieldKind::Number));
            }
        }
        all.into_iter().collect()
    }
}

/// Checks a path that is to be indexed, or not to be.
pub(crate) fn check_path(path: &str) -> Result<()> {
    if path.is_empty() || path.len() > MAX_FIELD_PATH_BYTES {
        return Err(Error::invalid(format!(
            "the path of an index has 1 to {MAX_FIELD_PATH_BYTES} bytes of UTF-8, got {}: `{}`",
            path.len(),
            shown(path)
        )));
    }
    if path.starts_with('$') {
        return Err(Error::invalid(format!(
            "the path of an index names a field, got `{}`: no field that filters find starts with `$`",
            shown(path)
        )));
    }
    let levels = path.split('.').count();
    if levels > MAX_METADATA_DEPTH {
        return Err(Error::invalid(format!(
            "the path of an index leads through {MAX_METADATA_DEPTH} maps at most, got {levels}: `{}`",
            shown(path)
        )));
    }
    Ok(())
}
