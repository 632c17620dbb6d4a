//! Reading records and searching.

use std::sync::Arc;

use super::snapshot::{Location, Snapshot};
use super::{Collection, Part, PartView, count};
use crate::error::{Error, Result};
use crate::filter::{Filter, Matcher};
use crate::metadata;
use crate::multi_vector::MultiVector;
use crate::query::{
    self, FoundRow, Hits, Include, Neighbor, PartitionFilter, Query, QueryOptions, Recorder, Scores,
};
use crate::record::{Record, check_id, dimension_mismatch};
use crate::sparse::SparseVector;
use vecstore_kernels::Metric;

impl Collection {
    /// Returns the name of the collection.
    pub fn name(&self) -> String {
        self.core.name().to_string()
    }

    /// Returns what tells the collection from every other one, also from one of the same name that is made after it was
    /// deleted. A backup and what is restored from it keep it.
    pub fn uuid(&self) -> String {
        self.core.uuid().to_string()
    }

    /// Returns whether calls fail because the database was closed or the collection deleted.
    pub fn is_closed(&self) -> bool {
        self.core.check_open().is_err()
    }

    /// Returns the metric.
    pub fn metric(&self) -> Metric {
        self.core.scoring.metric
    }

    /// Returns the dimension, once it is known: from the options or the first record.
    ///
    /// A closed store has no dimension.
    pub fn dim(&self) -> Option<usize> {
        self.core.dim().ok()?
    }

    /// Returns the record with this id; `None` if there is none, or it is soft-deleted or expired.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for an empty or too long id, `Corrupted` if the record's bytes fail their checksum.
    pub fn get(&self, id: &str) -> Result<Option<Record>> {
        check_id(id)?;
        let snapshot = self.core.snapshot()?;
        let location = snapshot.locate_visible(id, self.core.now())?;
        location.map(|location| snapshot.record(location)).transpose()
    }

    /// Returns the text of a record, if it has one.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such record, or it is soft-deleted or expired.
    pub fn text(&self, id: &str) -> Result<Option<String>> {
        check_id(id)?;
        let snapshot = self.core.snapshot()?;
        let location = snapshot.locate_visible(id, self.core.now())?.ok_or_else(|| not_found(id))?;
        Ok(snapshot.part(location).part.body(location.row)?.text.map(str::to_owned))
    }

    /// Returns the records with these ids from one snapshot, in the order asked for.
    pub fn get_many<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Result<Vec<Option<Record>>> {
        let snapshot = self.core.snapshot()?;
        let now = self.core.now();
        let get = |id| {
            check_id(id)?;
            let location = snapshot.locate_visible(id, now)?;
            location.map(|location| snapshot.record(location)).transpose()
        };
        ids.into_iter().map(get).collect()
    }

    /// Returns whether [`Collection::get`] would return a record.
    pub fn contains(&self, id: &str) -> Result<bool> {
        check_id(id)?;
        Ok(self.core.snapshot()?.locate_visible(id, self.core.now())?.is_some())
    }

    /// Returns the number of records, without soft-deleted and expired ones. O(1), or O(rows) in parts where
    /// records may expire.
    pub fn len(&self) -> Result<usize> {
        self.core.snapshot()?.visible(self.core.now())
    }

    /// Returns whether there are no records.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Returns the number of soft-deleted records.
    pub fn deleted_count(&self) -> Result<usize> {
        Ok(self.core.snapshot()?.parts.iter().map(|view| view.marks.hidden.len()).sum())
    }

    /// Returns the number of records that match. Segments answer from their columns, in microseconds or, for patterns, in
    /// O(distinct strings); of records that are not in a segment yet, each document is read.
    pub fn count(&self, filter: &Filter) -> Result<usize> {
        let matcher = filter.compile()?;
        self.core.snapshot()?.count_matches(&matcher, self.core.now())
    }

    /// Returns the nearest records, best first, ties broken by id.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a vector that is not finite (or, under cosine, zero) or a `k` out of range,
    /// `DimensionMismatch`, `Filter`, `Corrupted`.
    pub fn query(&self, query: &Query) -> Result<Vec<Neighbor>> {
        self.search(query)?.to_neighbors(Include::default())
    }

    /// Does what [`Collection::query`] does, but leaves the records in the snapshot until they are asked for.
    pub fn search(&self, query: &Query) -> Result<Hits> {
        self.search_vector(&query.vector, &query.options)
    }

    /// Does what [`Collection::search`] does for a vector that need not be copied into a [`Query`].
    pub fn search_vector(&self, vector: &[f32], options: &QueryOptions) -> Result<Hits> {
        if !options.boosts.is_empty() {
            return self.search_boosted(vector, options, None);
        }
        let (snapshot, mut found) = self.found(vector, vector.len(), options, None)?;
        let rows = found.pop().expect("one query has one answer");
        Ok(Hits::new(snapshot, Scores::Metric(self.core.scoring), rows, options.offset, options.min_score))
    }

    /// Returns whether a search for one vector takes less than about 50 microseconds and waits for nothing: there are few
    /// records, all of them in memory, and no filter. A runtime that hands over a lock around what takes longer, as Python
    /// does, need not do so then.
    pub fn is_brief(&self, options: &QueryOptions) -> bool {
        // A row that is better than all before it takes about 40 ns, and a MiB of vectors 50 us or more.
        const BRIEF_ROWS: usize = 1024;
        const BRIEF_BYTES: usize = 256 << 10;
        let is_brief = |snapshot: &Snapshot| {
            let in_memory = |view: &PartView| matches!(view.part, Part::Memory(_));
            let rows: usize = snapshot.parts.iter().map(|view| view.part.len()).sum();
            rows <= BRIEF_ROWS
                && rows * snapshot.dim.unwrap_or(0) * size_of::<f32>() <= BRIEF_BYTES
                && snapshot.parts.iter().all(in_memory)
        };
        options.filter.is_none()
            && options.boosts.is_empty()
            && self.core.if_writing(|writer| writer.committer.with_published(is_brief)).unwrap_or(false)
    }

    /// Searches for several vectors of `dim` components at once, given one after the other: reads each row once for
    /// several of them.
    pub fn search_batch(&self, vectors: &[f32], dim: usize, options: &QueryOptions) -> Result<Vec<Hits>> {
        if !options.boosts.is_empty() {
            let boosted = |vector| self.search_boosted(vector, options, None);
            return vectors.chunks(dim.max(1)).map(boosted).collect();
        }
        let (snapshot, found) = self.found(vectors, dim, options, None)?;
        let hits = |rows| {
            Hits::new(
                Arc::clone(&snapshot),
                Scores::Metric(self.core.scoring),
                rows,
                options.offset,
                options.min_score,
            )
        };
        Ok(found.into_iter().map(hits).collect())
    }

    /// Checks a vector as a search for it would.
    pub(super) fn check_vector(&self, snapshot: &Snapshot, vector: &[f32]) -> Result<()> {
        let expected = snapshot.dim.unwrap_or(vector.len());
        if vector.is_empty() || vector.len() != expected {
            return Err(dimension_mismatch(expected, vector.len()));
        }
        self.core.scoring.check(vector.len(), vector, |_| "query vector".to_owned()).map(drop)
    }

    /// Returns the best rows for each vector, and the snapshot they are of.
    pub(super) fn found(
        &self,
        vectors: &[f32],
        dim: usize,
        options: &QueryOptions,
        recorder: Option<&Recorder>,
    ) -> Result<(Arc<Snapshot>, Vec<Vec<FoundRow>>)> {
        options.check()?;
        let matcher = options.filter.as_ref().map(Filter::compile).transpose()?;
        let snapshot = self.core.snapshot()?;
        let nearest = Nearest {
            limit: options.k + options.offset,
            filter: matcher.as_ref(),
            recall: options.wanted_recall(),
            recorder,
        };
        let found = self.nearest(&snapshot, vectors, dim, &nearest)?;
        count(&self.core.counters.queries, found.len() as u64);
        Ok((snapshot, found))
    }

    /// Returns the best rows of a snapshot for each vector. Does not count as a query.
    pub(super) fn nearest(
        &self,
        snapshot: &Snapshot,
        vectors: &[f32],
        dim: usize,
        nearest: &Nearest<'_>,
    ) -> Result<Vec<Vec<FoundRow>>> {
        let core = &self.core;
        let expected = snapshot.dim.unwrap_or(dim);
        if dim == 0 || dim != expected {
            return Err(dimension_mismatch(expected, dim));
        }
        if !vectors.len().is_multiple_of(dim) {
            return Err(Error::invalid(format!(
                "{} components are no whole number of vectors of {dim}",
                vectors.len()
            )));
        }
        let name = |row| {
            if vectors.len() == dim { "query vector".to_owned() } else { format!("query vector {row}") }
        };
        let live = snapshot.live();
        let pool = core.shared.pool(live * dim * 4);
        let queries = core.scoring.queries(dim, vectors, pool, name)?;
        let expires = snapshot.parts.iter().any(|view| view.part.has_expiry());
        let path = core.partition_by.as_deref();
        let named = nearest.filter.zip(path);
        let partition = named.and_then(|(matcher, path)| PartitionFilter::of(matcher, path));
        let search = query::Search {
            scoring: core.scoring,
            dim,
            queries: &queries,
            limit: nearest.limit.min(live),
            filter: nearest.filter,
            partition: partition.as_ref(),
            // Asking for the time takes about as long as scoring a row.
            now: if expires { core.now() } else { 0 },
            recall: nearest.recall,
            residency: core.shared.residency.as_ref(),
            recorder: nearest.recorder,
        };
        query::search(snapshot, &search, pool)
    }
}

/// What is wanted of a search of vectors.
pub(super) struct Nearest<'a> {
    /// How many of the best.
    pub(super) limit: usize,
    pub(super) filter: Option<&'a Matcher>,
    /// The recall that is enough; 1 is exact.
    pub(super) recall: f32,
    pub(super) recorder: Option<&'a Recorder>,
}

impl Snapshot {
    /// Returns where the record of this id is, unless it is hidden or expired.
    pub(super) fn locate_visible(&self, id: &str, now: u64) -> Result<Option<Location>> {
        let Some(location) = self.locate(id)? else { return Ok(None) };
        Ok(self.part(location).is_visible(location.row, now)?.then_some(location))
    }

    pub(super) fn record(&self, location: Location) -> Result<Record> {
        let vector = self.part(location).part.vector(location.row)?.to_vec();
        let tokens = self.part(location).part.body(location.row)?.tokens;
        let vectors =
            tokens.map(|tokens| MultiVector::from_stored(vector.len(), tokens.components().collect()));
        Ok(Record { vector, vectors, ..self.record_without_vector(location)? })
    }

    pub(super) fn record_without_vector(&self, location: Location) -> Result<Record> {
        let view = self.part(location);
        let body = view.part.body(location.row)?;
        let expiry = view.part.expiry(location.row)?;
        Ok(Record {
            id: view.part.id(location.row)?.to_owned(),
            vector: Vec::new(),
            vectors: None,
            metadata: metadata::decode(body.document)?,
            text: body.text.map(str::to_owned),
            sparse: body.sparse.map(|sparse| SparseVector::from_ascending(sparse.iter().collect())),
            expires_at_unix_ms: (expiry != 0).then_some(expiry),
            deleted: self.is_hidden(location),
        })
    }

    pub(super) fn visible(&self, now: u64) -> Result<usize> {
        let mut visible = 0;
        for view in &self.parts {
            visible += view.live() - view.marks.hidden.len();
            if view.part.has_expiry() {
                for row in view.live_rows().filter(|&row| !view.marks.hidden.contains(row)) {
                    visible -= usize::from(view.is_expired(row, now)?);
                }
            }
        }
        Ok(visible)
    }
}

pub(super) fn not_found(id: &str) -> Error {
    Error::new(crate::ErrorKind::NotFound, format!("no record has the id `{}`", crate::record::shown(id)))
}
