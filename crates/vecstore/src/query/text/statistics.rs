//! What BM25 goes by, apart from the rows that are searched: so that collections which are searched together score as one.

use std::collections::BTreeMap;

use crate::text_index::FieldTotals;

/// What a text query is scored by: how many records have a text, how long those are, and how many have each of its terms.
///
/// [`Collection::text_statistics`](crate::Collection::text_statistics) counts it; the sum over several collections, given to
/// [`TextQuery::statistics`](crate::TextQuery::statistics) of each, makes their scores those of one collection with all the
/// records. The same keywords and boosts must be asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextStatistics {
    /// Of each field, the records' own text first: records with a text in it, and terms of those texts.
    pub fields: Vec<(u64, u64)>,
    /// Records with each term; a key is the number of the field and the term.
    pub terms: BTreeMap<Vec<u8>, u64>,
    /// Of each prefix of the keywords in order, the terms that start so, with their records in all fields.
    pub prefixes: Vec<BTreeMap<Vec<u8>, u64>>,
}

impl TextStatistics {
    /// Adds what was counted elsewhere for the same query.
    pub fn add(&mut self, other: &Self) {
        self.fields.resize(self.fields.len().max(other.fields.len()), (0, 0));
        for ((rows, terms), (more_rows, more_terms)) in self.fields.iter_mut().zip(&other.fields) {
            *rows = rows.saturating_add(*more_rows);
            *terms = terms.saturating_add(*more_terms);
        }
        add_counts(&mut self.terms, &other.terms);
        self.prefixes.resize(self.prefixes.len().max(other.prefixes.len()), BTreeMap::new());
        for (terms, more) in self.prefixes.iter_mut().zip(&other.prefixes) {
            add_counts(terms, more);
        }
    }

    pub(super) fn field(&self, field: usize) -> FieldTotals {
        let (rows, terms) = self.fields.get(field).copied().unwrap_or_default();
        FieldTotals { rows, terms }
    }

    /// Returns how many records have a term; never more than have a text, whatever the caller says.
    pub(super) fn rows_with(&self, key: &[u8]) -> u64 {
        let field = usize::from(key.first().copied().unwrap_or_default());
        self.terms.get(key).copied().unwrap_or(0).min(self.field(field).rows)
    }

    pub(super) fn prefix(&self, n: usize) -> impl Iterator<Item = (&Vec<u8>, &u64)> {
        self.prefixes.get(n).into_iter().flatten()
    }
}

fn add_counts(counts: &mut BTreeMap<Vec<u8>, u64>, more: &BTreeMap<Vec<u8>, u64>) {
    for (key, count) in more {
        let sum = counts.entry(key.clone()).or_default();
        *sum = sum.saturating_add(*count);
    }
}
