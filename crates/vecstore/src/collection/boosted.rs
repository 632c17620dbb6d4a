//! Searching by boosted scores.

use std::sync::Arc;

use super::ranking::{APPROXIMATE_ROWS_MAX, Asked, Ranking};
use super::snapshot::Snapshot;
use super::{Collection, count};
use crate::error::Result;
use crate::metadata::DocumentRef;
use crate::query::{Boosts, FoundRow, Hits, QueryOptions, Recorder};

/// How many times as many rows as are wanted are looked at first, and how many at least.
const OVERSAMPLING: usize = 16;
const ROWS_MIN: usize = 256;

impl Collection {
    pub(super) fn search_boosted(
        &self,
        vector: &[f32],
        options: &QueryOptions,
        recorder: Option<&Recorder>,
    ) -> Result<Hits> {
        let snapshot = self.core.snapshot()?;
        let mut ranking = Ranking::new(self, snapshot, Asked::Vector(vector), options)?;
        ranking.recorder = recorder;
        let hits = ranking.hits(options)?;
        count(&self.core.counters.queries, 1);
        Ok(hits)
    }

    /// Prepares the boosts of a search.
    pub(super) fn boosts<'a>(&self, options: &'a QueryOptions) -> Result<Boosts<'a>> {
        Boosts::new(&options.boosts, self.core.now())
    }
}

impl Ranking<'_> {
    /// Returns what options ask for of the ranking.
    pub(super) fn hits(&self, options: &QueryOptions) -> Result<Hits> {
        let snapshot = Arc::clone(&self.snapshot);
        let wanted = options.k + options.offset;
        if options.boosts.is_empty() {
            let rows = self.best(wanted)?;
            return Ok(Hits::new(snapshot, self.scores(), rows, options.offset, options.min_score));
        }
        let rows = self.boosted(wanted, options)?.into_iter().skip(options.offset);
        let enough = |&(_, score): &(FoundRow, f32)| options.min_score.is_none_or(|min| score >= min);
        Ok(Hits::rescored(snapshot, self.scores(), rows.take_while(enough)))
    }

    /// Returns the `wanted` best rows with their scores, boosted if there are boosts.
    pub(super) fn ranked(&self, wanted: usize, options: &QueryOptions) -> Result<Vec<(FoundRow, f32)>> {
        if !options.boosts.is_empty() {
            return self.boosted(wanted, options);
        }
        let scored = |row: FoundRow| (row, self.scores().score(row.key));
        Ok(self.best(wanted)?.into_iter().map(scored).collect())
    }

    /// Returns the best rows by boosted score.
    pub(super) fn boosted(&self, wanted: usize, options: &QueryOptions) -> Result<Vec<(FoundRow, f32)>> {
        let boosts = self.collection.boosts(options)?;
        let mut best = Vec::new();
        self.deepen((wanted.saturating_mul(OVERSAMPLING)).max(ROWS_MIN), |rows, are_all| {
            best = self.snapshot.boosted(rows, &boosts, |row| self.scores().score(row.key))?;
            let are_enough = best.len() >= wanted;
            best.truncate(wanted);
            let (Some(last), Some((_, worst))) = (rows.last(), best.last()) else { return Ok(true) };
            // What is not among the rows is no better than the last of them. One that is as good may come first by its id.
            let is_sure = are_all || (are_enough && *worst > boosts.most(self.scores().score(last.key)));
            Ok(is_sure || (!self.is_exact() && rows.len() >= APPROXIMATE_ROWS_MAX))
        })?;
        Ok(best)
    }
}

impl Snapshot {
    /// Returns rows with their boosted scores, best first, ties by id.
    pub(super) fn boosted(
        &self,
        rows: &[FoundRow],
        boosts: &Boosts<'_>,
        score: impl Fn(&FoundRow) -> f32,
    ) -> Result<Vec<(FoundRow, f32)>> {
        let boosted = |row: &FoundRow| -> Result<(FoundRow, f32)> {
            let document = DocumentRef::new(self.part(row.location()).part.body(row.row)?.document)?;
            Ok((*row, boosts.score(score(row), document)))
        };
        self.ordered(rows.iter().map(boosted).collect::<Result<_>>()?)
    }

    /// Orders rows by their scores, best first, ties by id.
    pub(super) fn ordered(&self, rows: Vec<(FoundRow, f32)>) -> Result<Vec<(FoundRow, f32)>> {
        let with_id = |(row, score): (FoundRow, f32)| -> Result<(&str, FoundRow, f32)> {
            Ok((self.part(row.location()).part.id(row.row)?, row, score))
        };
        let mut rows: Vec<(&str, FoundRow, f32)> = rows.into_iter().map(with_id).collect::<Result<_>>()?;
        // -0.0 and 0.0 are the same score, which total_cmp alone would tell apart.
        rows.sort_unstable_by(|a, b| (b.2 + 0.0).total_cmp(&(a.2 + 0.0)).then_with(|| a.0.cmp(b.0)));
        Ok(rows.into_iter().map(|(_, row, score)| (row, score)).collect())
    }
}
