//! What a query asks of the inverted indexes, the same for all parts.

use std::sync::Arc;

use super::parse::{Asked, Occurs, parse};
use super::phrase::Phrase;
use super::statistics::TextStatistics;
use crate::error::{Error, Result};
use crate::sparse::SparseVector;
use crate::text_index::{TextConfig, sparse_key, text_key};

/// Something that adds to the scores of the rows that have it.
#[derive(Clone, Debug)]
pub(super) struct Scored {
    pub(super) key: Vec<u8>,
    /// The field of a term, `None` of a dimension.
    pub(super) field: Option<usize>,
    /// What multiplies the score of a term, or the weight of a dimension.
    pub(super) factor: f32,
}

/// Terms that start with a prefix.
#[derive(Clone, Debug)]
pub(super) struct Prefix {
    pub(super) prefix: String,
    pub(super) occurs: Occurs,
}

/// A query, taken apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(super) scored: Vec<Scored>,
    /// Of each group of `scored`, a row must have one.
    pub(super) required: Vec<Vec<usize>>,
    pub(super) excluded: Vec<Vec<u8>>,
    pub(super) prefixes: Vec<Prefix>,
    pub(super) phrases: Vec<Phrase>,
    pub(super) excluded_phrases: Vec<Phrase>,
    /// The boost of each field.
    pub(super) boosts: Vec<f32>,
    /// What to score by instead of what the collection that is searched says.
    pub(crate) statistics: Option<Arc<TextStatistics>>,
}

impl Plan {
    /// Takes keywords apart.
    pub(crate) fn of_keywords(keywords: &str, boosts: &[(String, f32)], config: &TextConfig) -> Result<Self> {
        let mut plan = Self { boosts: boosts_of(boosts, config)?, ..Self::default() };
        for clause in parse(keywords, config.analyzer) {
            match (clause.asked, clause.occurs) {
                (Asked::Prefix(prefix), occurs) => plan.prefixes.push(Prefix { prefix, occurs }),
                (Asked::Terms(terms), Occurs::MustNot) => {
                    terms.iter().for_each(|(term, _)| plan.exclude(term));
                }
                (Asked::Phrase(terms), Occurs::MustNot) => match terms.as_slice() {
                    [(term, _)] => plan.exclude(term),
                    _ => plan.excluded_phrases.push(Phrase::new(terms)),
                },
                (Asked::Terms(terms), occurs) => plan.add_terms(&terms, occurs == Occurs::Must),
                (Asked::Phrase(terms), _) => {
                    plan.add_terms(&terms, true);
                    if terms.len() > 1 {
                        plan.phrases.push(Phrase::new(terms));
                    }
                }
            }
        }
        Ok(plan)
    }

    pub(crate) fn of_sparse(sparse: &SparseVector) -> Self {
        let scored = |&(dimension, factor): &(u32, f32)| Scored {
            key: sparse_key(dimension).to_vec(),
            field: None,
            factor,
        };
        Self { scored: sparse.components().iter().map(scored).collect(), ..Self::default() }
    }

    fn exclude(&mut self, term: &str) {
        // A field that is not searched excludes nothing.
        let fields = (0..self.boosts.len()).filter(|&field| self.boosts[field] != 0.0);
        self.excluded.extend(fields.map(|field| text_key(field, term)).collect::<Vec<_>>());
    }

    fn add_terms(&mut self, terms: &[(String, u32)], required: bool) {
        for (term, _) in terms {
            let group = self.add_term(term);
            if required {
                self.required.push(group);
            }
        }
    }

    /// Adds a term in all fields, or adds to what it counts, and returns where it is.
    pub(super) fn add_term(&mut self, term: &str) -> Vec<usize> {
        let mut group = Vec::new();
        for field in 0..self.boosts.len() {
            let boost = self.boosts[field];
            if boost == 0.0 {
                continue;
            }
            let key = text_key(field, term);
            let at = match self.scored.iter().position(|scored| scored.key == key) {
                Some(at) => {
                    self.scored[at].factor += boost;
                    at
                }
                None => {
                    self.scored.push(Scored { key, field: Some(field), factor: boost });
                    self.scored.len() - 1
                }
            };
            group.push(at);
        }
        group
    }
}

fn boosts_of(boosts: &[(String, f32)], config: &TextConfig) -> Result<Vec<f32>> {
    let mut factors = vec![1.0; config.field_count()];
    for (name, factor) in boosts {
        if !(0.0..=f32::MAX.sqrt()).contains(factor) {
            return Err(Error::invalid(format!(
                "the boost of `{name}` must be a number from 0 to 1e19, got {factor}"
            )));
        }
        let Some(field) = config.field(name) else {
            return Err(Error::invalid(format!(
                "there is no text field `{name}`: the store has {}",
                std::iter::once("text")
                    .chain(config.fields.iter().map(String::as_str))
                    .collect::<Vec<_>>()
                    .join(", ")
            )));
        };
        factors[field] = *factor;
    }
    Ok(factors)
}
