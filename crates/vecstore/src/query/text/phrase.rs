//! Terms that must stand in a row. The index has no positions: records that have all terms are read, and only those that
//! would be among the best.

use vecstore_text::{Analyzer, Scratch};

use crate::error::Result;
use crate::metadata::{DocumentRef, ValueRef};
use crate::storage::body::Body;
use crate::text_index::TextConfig;

/// Terms, with their places from the first on.
#[derive(Clone, Debug)]
pub(super) struct Phrase(Vec<(String, u32)>);

impl Phrase {
    pub(super) fn new(terms: Vec<(String, u32)>) -> Self {
        let first = terms.first().map_or(0, |term| term.1);
        Self(terms.into_iter().map(|(term, position)| (term, position - first)).collect())
    }

    /// Returns whether a record has the phrase in its text, or in one of the fields that are searched.
    pub(super) fn is_in(&self, body: &Body<'_>, config: &TextConfig) -> Result<bool> {
        let mut scratch = Scratch::default();
        if body.text.is_some_and(|text| self.is_in_text(text, config.analyzer, &mut scratch)) {
            return Ok(true);
        }
        if config.fields.is_empty() {
            return Ok(false);
        }
        let document = DocumentRef::new(body.document)?;
        for path in config.fields.iter() {
            let found = match document.get_path(path) {
                Some(ValueRef::Str(text)) => self.is_in_text(text, config.analyzer, &mut scratch),
                Some(ValueRef::List(list)) => list.iter().any(|item| match item {
                    Ok(ValueRef::Str(text)) => self.is_in_text(text, config.analyzer, &mut scratch),
                    _ => false,
                }),
                _ => false,
            };
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_in_text(&self, text: &str, analyzer: Analyzer, scratch: &mut Scratch) -> bool {
        // Where the phrase would start, for each place of each of its terms.
        let mut starts: Vec<(u32, usize)> = Vec::new();
        analyzer.analyze(text, scratch, |token| {
            for (n, (term, place)) in self.0.iter().enumerate() {
                if term == token.term && token.position >= *place {
                    starts.push((token.position - place, n));
                }
            }
        });
        starts.sort_unstable();
        starts.dedup();
        starts.chunk_by(|a, b| a.0 == b.0).any(|same| same.len() == self.0.len())
    }
}
