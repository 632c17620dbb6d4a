//! Records of several vectors: writing them, and searching by late interaction.

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;

use super::read::Nearest;
use super::snapshot::{Location, Snapshot};
use super::{Collection, Part, count};
use crate::error::{Error, Result};
use crate::filter::{Filter, Matcher};
use crate::metadata::Metadata;
use crate::multi_vector::MultiVector;
use crate::query::{Boosts, FoundRow, Hits, Include, MultiQuery, Neighbor, Scores, Scoring};
use crate::record::{Record, dimension_mismatch};
use vecstore_kernels::Metric;

/// How few candidates the vectors of a query bring each.
const EACH_MIN: usize = 16;

/// Rows given to one thread at a time.
const TASK_ROWS: usize = 64;

impl Collection {
    /// Adds a record of several vectors, or replaces the one with its id. Its vector, by which plain searches find it, is
    /// their [mean](Collection::mean_vector).
    ///
    /// # Errors
    ///
    /// As [`Collection::upsert`].
    ///
    /// # Examples
    ///
    /// ```
    /// use vecstore::{Metadata, MultiQuery, MultiVector, VecStore};
    ///
    /// let store = VecStore::options().open_in_memory()?;
    /// store.upsert_multi("a", &MultiVector::new(2, vec![1.0, 0.0, 0.0, 1.0])?, &Metadata::new())?;
    /// store.upsert_multi("b", &MultiVector::new(2, vec![0.7, 0.7])?, &Metadata::new())?;
    /// let found = store.multi_query(&MultiQuery::new(MultiVector::new(2, vec![1.0, 0.0, 0.0, 1.0])?))?;
    /// assert_eq!((found[0].id.as_str(), found[0].score), ("a", 2.0));
    /// # Ok::<(), vecstore::Error>(())
    /// ```
    pub fn upsert_multi(&self, id: &str, vectors: &MultiVector, metadata: &Metadata) -> Result<()> {
        let record = Record::new(id, self.mean_vector(vectors)?).with_vectors(vectors.clone());
        self.upsert_record(&record.with_metadata(metadata.clone()), None)
    }

    /// Returns the mean of several vectors, under cosine of those with length 1; where they cancel each other out, the first
    /// of them. It is the vector of a record of several.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if all are zero under cosine.
    pub fn mean_vector(&self, vectors: &MultiVector) -> Result<Vec<f32>> {
        let scoring = self.core.scoring;
        let mut sum = vec![0.0f64; vectors.dim()];
        let mut first = None;
        for vector in vectors.iter() {
            let norm = vector.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
            let by = match self.metric() {
                Metric::Cosine if norm > 0.0 => 1.0 / norm,
                Metric::Cosine => continue,
                _ => 1.0,
            };
            first.get_or_insert(vector);
            sum.iter_mut().zip(vector).for_each(|(sum, &value)| *sum += f64::from(value) * by);
        }
        let first = first.ok_or_else(|| {
            Error::invalid("vectors: all are zero; the cosine metric needs one with a length")
        })?;
        let mean: Vec<f32> = sum.iter().map(|sum| (sum / vectors.len() as f64) as f32).collect();
        let is_usable = scoring.check(mean.len(), &mean, |_| String::new()).is_ok();
        Ok(if is_usable { mean } else { first.to_vec() })
    }

    /// Returns the records that score best by late interaction, best first, ties broken by id: see [`MultiQuery`].
    ///
    /// # Errors
    ///
    /// As [`Collection::query`], and `InvalidInput` for more than 4,096 vectors.
    pub fn multi_query(&self, query: &MultiQuery) -> Result<Vec<Neighbor>> {
        self.search_multi(query)?.to_neighbors(Include::default())
    }

    /// Does what [`Collection::multi_query`] does, but leaves the records in the snapshot until they are asked for.
    pub fn search_multi(&self, query: &MultiQuery) -> Result<Hits> {
        let hits = self.multi_in(&self.core.snapshot()?, query)?;
        count(&self.core.counters.queries, 1);
        Ok(hits)
    }

    /// Runs a search on a snapshot. Does not count as a query.
    pub(super) fn multi_in(&self, snapshot: &Arc<Snapshot>, query: &MultiQuery) -> Result<Hits> {
        query.check()?;
        let options = &query.options;
        let boosts = self.boosts(options)?;
        let interaction = Interaction::new(self, snapshot, &query.vectors)?;
        let filter = options.filter.as_ref().map(Filter::compile).transpose()?;
        let best = if options.wanted_recall() >= 1.0 {
            let everything = Filter::default().compile()?;
            let mut rows = Vec::new();
            let found = |location: Location| rows.push(location);
            snapshot.for_each_match(filter.as_ref().unwrap_or(&everything), self.core.now(), found)?;
            snapshot.boosted(&self.interact(&interaction, &rows)?, &boosts, |row| -row.key)?
        } else {
            self.best_candidates(&interaction, query, &boosts, filter.as_ref())?
        };
        let enough = |&(_, score): &(FoundRow, f32)| options.min_score.is_none_or(|min| score >= min);
        let best = best.into_iter().skip(options.offset).take(options.k).take_while(enough);
        Ok(Hits::rescored(Arc::clone(snapshot), Scores::Plain, best))
    }

    /// Scores candidates; where the caller did not say how many, twice as many again as long as that changes the best.
    fn best_candidates(
        &self,
        interaction: &Interaction<'_>,
        query: &MultiQuery,
        boosts: &Boosts<'_>,
        filter: Option<&Matcher>,
    ) -> Result<Vec<(FoundRow, f32)>> {
        let snapshot = interaction.snapshot;
        let wanted = query.options.k + query.options.offset;
        let (mut depth, most) = (query.depth(), query.depth_max());
        let (mut seen, mut scored, mut before) = (BTreeSet::new(), Vec::new(), Vec::new());
        loop {
            let mut rows = self.candidates(snapshot, query, depth, filter)?;
            rows.retain(|&row| seen.insert(row));
            let location = |&(part, row): &(u32, u32)| Location { part: part as usize, row };
            scored.extend(self.interact(interaction, &rows.iter().map(location).collect::<Vec<_>>())?);
            let best = snapshot.boosted(&scored, boosts, |row| -row.key)?;
            let first = best.iter().take(wanted).map(|(row, _)| (row.part, row.row)).collect();
            if rows.is_empty() || depth >= most || first == before || seen.len() >= snapshot.live() {
                return Ok(best);
            }
            before = first;
            depth = depth.saturating_mul(2);
        }
    }

    /// Scores rows.
    pub(super) fn interact(&self, interaction: &Interaction<'_>, rows: &[Location]) -> Result<Vec<FoundRow>> {
        let some = |rows: &[Location]| -> Result<Vec<FoundRow>> {
            let mut scratch = Scratch::default();
            let score = |&location: &Location| {
                let key = -interaction.score(location, &mut scratch)?;
                Ok(FoundRow { key, part: location.part as u32, row: location.row })
            };
            rows.iter().map(score).collect()
        };
        let bytes = rows.len() * interaction.queries.len() * size_of::<f32>();
        match self.core.shared.pool(bytes) {
            Some(pool) if rows.len() > TASK_ROWS => {
                let tasks = || rows.par_chunks(TASK_ROWS).map(some).collect::<Result<Vec<_>>>();
                Ok(pool.install(tasks)?.into_iter().flatten().collect())
            }
            _ => some(rows),
        }
    }

    /// Returns about `depth` rows, as part and row.
    fn candidates(
        &self,
        snapshot: &Snapshot,
        query: &MultiQuery,
        depth: usize,
        filter: Option<&Matcher>,
    ) -> Result<Vec<(u32, u32)>> {
        let vectors = &query.vectors;
        let dim = vectors.dim();
        let mut places = BTreeSet::new();
        let mut add = |vectors: &[f32], limit: usize| -> Result<()> {
            let nearest = Nearest { limit, filter, recall: query.options.wanted_recall(), recorder: None };
            for rows in self.nearest(snapshot, vectors, dim, &nearest)? {
                places.extend(rows.iter().map(|row| (row.part, row.row)));
            }
            Ok(())
        };
        add(&self.mean_vector(vectors)?, depth)?;
        if vectors.len() > 1 {
            add(vectors.components(), (depth / vectors.len()).max(EACH_MIN))?;
        }
        Ok(places.into_iter().collect())
    }
}

/// The vectors of a query, ready to be held against those of records.
pub(super) struct Interaction<'a> {
    snapshot: &'a Snapshot,
    scoring: Scoring,
    dim: usize,
    queries: Vec<f32>,
}

/// Memory that is used again.
#[derive(Default)]
struct Scratch {
    vectors: Vec<f32>,
    norms: Vec<f32>,
    values: Vec<f32>,
}

impl<'a> Interaction<'a> {
    pub(super) fn new(
        collection: &Collection,
        snapshot: &'a Snapshot,
        vectors: &MultiVector,
    ) -> Result<Self> {
        let (scoring, dim) = (collection.core.scoring, vectors.dim());
        match snapshot.dim {
            Some(expected) if expected != dim => return Err(dimension_mismatch(expected, dim)),
            _ => {}
        }
        let name = |row| format!("query vector {row}");
        let queries = scoring.queries(dim, vectors.components(), None, name)?.into_owned();
        Ok(Self { snapshot, scoring, dim, queries })
    }

    /// Returns the score of a record: the sum of the best scores of its vectors with each of the query.
    fn score(&self, Location { part, row }: Location, scratch: &mut Scratch) -> Result<f32> {
        let part: &Part = &self.snapshot.parts[part].part;
        let Scratch { vectors, norms, values } = scratch;
        vectors.clear();
        norms.clear();
        match part.body(row)?.tokens {
            Some(tokens) => vectors.extend(tokens.components()),
            None => vectors.extend_from_slice(part.vector(row)?),
        }
        if vectors.is_empty() || !vectors.len().is_multiple_of(self.dim) {
            return Err(Error::corrupted("the vectors of a record are not of its collection's dimension"));
        }
        let count = vectors.len() / self.dim;
        if self.scoring.uses_norms() {
            norms.extend(self.scoring.inverse_norms(self.dim, vectors));
            // A vector without a direction is like nothing.
            norms.iter_mut().filter(|norm| !norm.is_finite()).for_each(|norm| *norm = 0.0);
        }
        values.clear();
        values.resize(self.queries.len() / self.dim * count, 0.0);
        self.scoring.kernels.scan_queries(self.scoring.op(), &self.queries, self.dim, vectors, values);
        let mut sum = 0.0;
        for values in values.chunks_exact_mut(count) {
            self.scoring.keys(norms, values);
            let nearest = values.iter().copied().fold(f32::INFINITY, f32::min);
            sum += f64::from(self.scoring.score(nearest));
        }
        Ok(sum as f32)
    }
}
