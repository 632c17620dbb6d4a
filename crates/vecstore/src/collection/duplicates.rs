//! Finding records that are like others, and keeping them out.

use std::collections::HashSet;
use std::sync::Arc;

use super::quota::QuotaCheck;
use super::ranking::GROWTH;
use super::read::Nearest;
use super::scroll::ScrollRequest;
use super::snapshot::{Location, Snapshot};
use super::{Collection, count};
use crate::error::Result;
use crate::filter::{Filter, Matcher};
use crate::query::{Duplicate, DuplicateQuery, FoundRow, UniqueOutcome};
use crate::record::Batch;
use crate::storage::rows::{Rows, RowsBuilder};
use crate::storage::wal::Payload;

/// Records that are searched for at once; those of one write are compared with each other.
const BATCH: usize = 256;

/// How many neighbors of a record are looked at first: itself, and a few more.
const NEIGHBORS: usize = 8;

impl Collection {
    /// Returns the records that are like another one, in the order of their ids: of records in that order, those whose score
    /// with one before them, which is no duplicate itself, is at least the threshold. Without them no two records are so like
    /// each other. Each is given with the record that it is most like.
    ///
    /// One search for each record that matches: O(records) searches.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a threshold that is NaN or a recall out of range; `Filter`; `Corrupted`.
    pub fn find_duplicates(&self, query: &DuplicateQuery) -> Result<Vec<Duplicate>> {
        query.check()?;
        let listed = self.records(&ScrollRequest::new().filter(query.filter.clone()))?;
        let snapshot = Arc::clone(&listed.snapshot);
        let matcher = query.filter.as_ref().map(Filter::compile).transpose()?;
        let mut kept = HashSet::new();
        let mut duplicates = Vec::new();
        for batch in listed.locations.as_slice().chunks(BATCH) {
            let mut vectors = Vec::new();
            for location in batch {
                vectors.extend_from_slice(snapshot.part(*location).part.vector(location.row)?);
            }
            let dim = vectors.len() / batch.len();
            let search = self.search_like(&snapshot, query, matcher.as_ref());
            let found = search.first(&vectors, dim)?;
            for ((&location, found), vector) in batch.iter().zip(found).zip(vectors.chunks_exact(dim)) {
                let is_kept = |row: &FoundRow| Ok(kept.contains(&row.location()));
                match search.best(vector, found, is_kept)? {
                    Some((row, score)) => {
                        let id = |at: Location| snapshot.part(at).part.id(at.row).map(str::to_owned);
                        let (id, of) = (id(location)?, id(row.location())?);
                        duplicates.push(Duplicate { id, of, score });
                    }
                    None => _ = kept.insert(location),
                }
            }
        }
        count(&self.core.counters.queries, 1);
        Ok(duplicates)
    }

    /// Adds or replaces the records of a batch that are not like another one, all or none of those: a record is left out whose
    /// score with a record of another id is at least the threshold, be it there already or before it in the batch. Of
    /// records that are there, those alone count that the query's filter matches. Returns what was left out.
    ///
    /// Other writes wait meanwhile, so that two that bring the same do not both bring it. One search for each record.
    ///
    /// # Errors
    ///
    /// As [`Collection::upsert_many`] and [`Collection::find_duplicates`].
    pub fn upsert_unique(&self, batch: Batch, query: &DuplicateQuery) -> Result<UniqueOutcome> {
        query.check()?;
        let core = &self.core;
        let writer = core.writer()?;
        core.check_writable()?;
        let mut outcome = UniqueOutcome::default();
        if batch.is_empty() {
            return Ok(outcome);
        }
        let rows = core.prepare(batch)?;
        let matcher = query.filter.as_ref().map(Filter::compile).transpose()?;
        writer.wait_for_upkeep(core)?;
        core.write_with(&writer, |next, writer| {
            next.check_dim(rows.dim())?;
            let mut quota = QuotaCheck::new(core);
            let mut payload = Payload::default();
            for start in (0..rows.len()).step_by(BATCH) {
                let batch = start..rows.len().min(start + BATCH);
                let kept = self.keep(next, &rows, batch, query, matcher.as_ref(), &mut outcome.duplicates)?;
                if kept.len() > 0 {
                    let kept = Arc::new(core.freeze(kept)?);
                    quota.admit(core, next, &kept)?;
                    payload.upsert(&kept);
                    next.upsert(&kept)?;
                    next.merge_small_parts()?;
                    outcome.written += kept.len();
                }
            }
            Ok(((), writer.frame_unless_empty(payload)?))
        })?;
        count(&core.counters.upserts, outcome.written as u64);
        Ok(outcome)
    }

    /// Returns those of some rows that are like no other.
    fn keep(
        &self,
        next: &Snapshot,
        rows: &Rows,
        batch: std::ops::Range<usize>,
        query: &DuplicateQuery,
        matcher: Option<&Matcher>,
        duplicates: &mut Vec<Duplicate>,
    ) -> Result<RowsBuilder> {
        let (dim, scoring) = (rows.dim(), self.core.scoring);
        let vectors = &rows.vectors()[batch.start * dim..batch.end * dim];
        let search = self.search_like(next, query, matcher);
        let found =
            if next.live() == 0 { vec![Vec::new(); batch.len()] } else { search.first(vectors, dim)? };
        let mut kept = RowsBuilder::with_capacity(batch.len(), dim);
        let mut places: Vec<u32> = Vec::new();
        for (row, found) in (batch.start as u32..).zip(found) {
            let (id, vector) = (rows.id(row), &rows.vectors()[row as usize * dim..][..dim]);
            // What is replaced is no longer there.
            let is_other = |found: &FoundRow| {
                let other = next.part(found.location()).part.id(found.row)?;
                Ok(other != id && !places.iter().any(|&place| rows.id(place) == other))
            };
            let mut best = match search.best(vector, found, is_other)? {
                Some((found, score)) => {
                    Some((next.part(found.location()).part.id(found.row)?.to_owned(), score))
                }
                None => None,
            };
            let unit = scoring.queries(dim, vector, None, |_| "record".to_owned())?;
            for &place in &places {
                let norm = rows.inverse_norms().get(place as usize..=place as usize).unwrap_or_default();
                let other = &rows.vectors()[place as usize * dim..][..dim];
                let mut key = [scoring.kernels.raw(scoring.op(), &unit, other)];
                scoring.keys(norm, &mut key);
                let score = scoring.score(key[0]);
                let is_better = best.as_ref().is_none_or(|&(_, best)| score > best);
                if score >= query.threshold && rows.id(place) != id && is_better {
                    best = Some((rows.id(place).to_owned(), score));
                }
            }
            match best {
                Some((of, score)) => duplicates.push(Duplicate { id: id.to_owned(), of, score }),
                None => {
                    kept.push(id, vector, &rows.body(row), rows.expiry(row));
                    places.push(row);
                }
            }
        }
        Ok(kept)
    }

    fn search_like<'a>(
        &'a self,
        snapshot: &'a Snapshot,
        query: &DuplicateQuery,
        filter: Option<&'a Matcher>,
    ) -> Like<'a> {
        Like { collection: self, snapshot, threshold: query.threshold, recall: query.recall, filter }
    }
}

/// A search for records that are like one.
struct Like<'a> {
    collection: &'a Collection,
    snapshot: &'a Snapshot,
    threshold: f32,
    recall: f32,
    filter: Option<&'a Matcher>,
}

impl Like<'_> {
    fn nearest(&self, vectors: &[f32], dim: usize, limit: usize) -> Result<Vec<Vec<FoundRow>>> {
        let nearest = Nearest { limit, filter: self.filter, recall: self.recall, recorder: None };
        self.collection.nearest(self.snapshot, vectors, dim, &nearest)
    }

    /// Returns the first few neighbors of each vector.
    fn first(&self, vectors: &[f32], dim: usize) -> Result<Vec<Vec<FoundRow>>> {
        self.nearest(vectors, dim, NEIGHBORS)
    }

    /// Returns the best row that is like a vector and wanted, of its first few neighbors or, where all those are like it and
    /// unwanted, of more.
    fn best(
        &self,
        vector: &[f32],
        mut found: Vec<FoundRow>,
        mut is_wanted: impl FnMut(&FoundRow) -> Result<bool>,
    ) -> Result<Option<(FoundRow, f32)>> {
        let score = |row: &FoundRow| self.collection.core.scoring.score(row.key);
        let mut limit = NEIGHBORS;
        loop {
            for row in &found {
                if score(row) < self.threshold || score(row).is_nan() {
                    return Ok(None);
                }
                if is_wanted(row)? {
                    return Ok(Some((*row, score(row))));
                }
            }
            if found.len() < limit || limit >= self.snapshot.live() {
                return Ok(None);
            }
            limit *= GROWTH;
            found = self.nearest(vector, vector.len(), limit)?.pop().unwrap_or_default();
        }
    }
}
