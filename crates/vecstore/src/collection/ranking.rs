//! A search that can be asked for as many of its best rows as turn out to be needed.

use std::sync::Arc;

use super::read::Nearest;
use super::snapshot::Snapshot;
use super::{Collection, Location};
use crate::error::Result;
use crate::filter::{Filter, Matcher};
use crate::query::{FoundRow, Plan, QueryOptions, Recorder, Scores};

/// How many times as many rows are asked for each time that those there are do not do.
pub(super) const GROWTH: usize = 4;

/// The most rows that an approximate search is asked for before somebody gives up on it.
pub(super) const APPROXIMATE_ROWS_MAX: usize = 16_384;

/// A ranking of the records of one snapshot.
pub(super) struct Ranking<'a> {
    pub(super) collection: &'a Collection,
    pub(super) snapshot: Arc<Snapshot>,
    matcher: Option<Matcher>,
    asked: Asked<'a>,
    /// The recall that is enough; 1 is exact.
    recall: f32,
    /// The least score that a row of terms may have.
    min_score: Option<f32>,
    /// Rows that are left out.
    pub(super) excluded: Vec<Location>,
    pub(super) recorder: Option<&'a Recorder>,
}

/// What is searched for.
pub(super) enum Asked<'a> {
    Vector(&'a [f32]),
    Terms(Plan),
}

impl<'a> Ranking<'a> {
    /// Makes a ranking of all records that the options' filter matches. Checks the options.
    pub(super) fn new(
        collection: &'a Collection,
        snapshot: Arc<Snapshot>,
        asked: Asked<'a>,
        options: &QueryOptions,
    ) -> Result<Self> {
        options.check()?;
        let matcher = options.filter.as_ref().map(Filter::compile).transpose()?;
        let recall = options.wanted_recall();
        // Of boosted scores nothing is known yet.
        let min_score = options.min_score.filter(|_| options.boosts.is_empty());
        let excluded = Vec::new();
        Ok(Self { collection, snapshot, matcher, asked, recall, min_score, excluded, recorder: None })
    }

    /// Misses nothing from now on.
    pub(super) fn make_exact(&mut self) {
        self.recall = 1.0;
    }

    /// Returns what the keys of rows mean.
    pub(super) fn scores(&self) -> Scores {
        match &self.asked {
            Asked::Vector(_) => Scores::Metric(self.collection.core.scoring),
            Asked::Terms(_) => Scores::Plain,
        }
    }

    /// Returns whether nothing better than what [`Ranking::best`] returns is missing from it.
    pub(super) fn is_exact(&self) -> bool {
        match &self.asked {
            Asked::Vector(vector) => {
                self.recall >= 1.0 || !self.collection.core.scoring.uses_codes(vector.len())
            }
            Asked::Terms(_) => true,
        }
    }

    /// Returns the best rows, `limit` or all there are.
    pub(super) fn best(&self, limit: usize) -> Result<Vec<FoundRow>> {
        let limit = limit.saturating_add(self.excluded.len());
        if let Some(recorder) = self.recorder {
            recorder.restart();
        }
        let mut rows = match &self.asked {
            Asked::Vector(vector) => {
                let nearest = Nearest {
                    limit,
                    filter: self.matcher.as_ref(),
                    recall: self.recall,
                    recorder: self.recorder,
                };
                self.collection
                    .nearest(&self.snapshot, vector, vector.len(), &nearest)?
                    .pop()
                    .unwrap_or_default()
            }
            Asked::Terms(plan) => {
                let matcher = self.matcher.as_ref();
                self.collection.matched(&self.snapshot, plan.clone(), limit, matcher, self.min_score)?
            }
        };
        if !self.excluded.is_empty() {
            let is_excluded = |row: &FoundRow| self.excluded.contains(&row.location());
            rows.retain(|row| !is_excluded(row));
            rows.truncate(limit - self.excluded.len());
        }
        Ok(rows)
    }

    /// Asks for more and more rows, from `first` on, until `is_enough` of them or until there are no more. It is told
    /// whether these are all. Gives up on an approximate search beyond what that is good for.
    pub(super) fn deepen(
        &self,
        first: usize,
        mut is_enough: impl FnMut(&[FoundRow], bool) -> Result<bool>,
    ) -> Result<()> {
        let live = self.snapshot.live();
        let mut limit = first.clamp(1, live.max(1));
        loop {
            let rows = self.best(limit)?;
            let are_all = rows.len() < limit || limit >= live;
            if is_enough(&rows, are_all)? || are_all {
                return Ok(());
            }
            // Most of all rows take as long as all.
            limit = if limit.saturating_mul(GROWTH) >= live { live } else { limit * GROWTH };
        }
    }
}
