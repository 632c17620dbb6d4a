//! The result of splitting: byte ranges of the text, and what is known about where they stand.

use std::ops::Range;
use std::sync::Arc;

/// Chunks of one text, in order: byte ranges that start and end between characters.
///
/// They hold no text, so that splitting needs little memory however long the text is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chunks {
    pub(crate) ranges: Vec<Range<usize>>,
    pub(crate) contexts: Contexts,
}

impl Chunks {
    pub(crate) fn plain(ranges: Vec<Range<usize>>) -> Self {
        Self { ranges, contexts: Contexts::default() }
    }

    /// Returns the byte range of each chunk.
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// Returns the chunks as slices of the text that was split.
    pub fn texts<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a str> {
        self.ranges.iter().map(|range| &text[range.clone()])
    }

    /// Returns what is known of the place where a chunk starts: headings, symbols, a path.
    pub fn context(&self, index: usize) -> &[Field] {
        self.ranges.get(index).map_or(&[], |range| self.contexts.at(range.start))
    }

    /// Returns the number of chunks.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Returns whether there is no chunk.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }
}

/// One thing known about a chunk.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: FieldValue,
}

impl Field {
    pub(crate) fn new(name: &'static str, value: impl Into<FieldValue>) -> Self {
        Self { name, value: value.into() }
    }
}

/// The value of a [`Field`].
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    /// A text.
    Text(String),
    /// A list of texts, such as a path of headings.
    Texts(Vec<String>),
    /// A list of numbers, such as the levels of headings.
    Numbers(Vec<usize>),
}

impl From<String> for FieldValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<String>> for FieldValue {
    fn from(texts: Vec<String>) -> Self {
        Self::Texts(texts)
    }
}

impl From<Vec<usize>> for FieldValue {
    fn from(numbers: Vec<usize>) -> Self {
        Self::Numbers(numbers)
    }
}

/// What holds from a byte offset on, until the next entry.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Contexts(Vec<(usize, Arc<Vec<Field>>)>);

impl Contexts {
    /// Notes what holds from `start` on. Offsets must not decrease; the last entry of an offset holds.
    pub(crate) fn push(&mut self, start: usize, fields: &Arc<Vec<Field>>) {
        if let Some((last, known)) = self.0.last_mut() {
            debug_assert!(*last <= start, "contexts come in order");
            if Arc::ptr_eq(known, fields) {
                return;
            }
            if *last == start {
                *known = Arc::clone(fields);
                return;
            }
        }
        self.0.push((start, Arc::clone(fields)));
    }

    fn at(&self, position: usize) -> &[Field] {
        let after = self.0.partition_point(|(start, _)| *start <= position);
        after.checked_sub(1).and_then(|index| self.0.get(index)).map_or(&[], |(_, fields)| fields)
    }
}
