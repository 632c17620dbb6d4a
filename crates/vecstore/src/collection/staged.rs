//! Searching in stages.

use std::sync::Arc;

use super::hybrid::{arm, in_order};
use super::multi::Interaction;
use super::ranking::{Asked, Ranking};
use super::snapshot::{Location, Snapshot};
use super::{Collection, count};
use crate::error::{Error, Result};
use crate::filter::{Filter, Matcher};
use crate::metadata::DocumentRef;
use crate::query::{
    Arm, Boosts, DIVERSE_MAX, Expression, FoundRow, Fusion, Hits, Include, Inputs, Neighbor, Plan,
    PrefetchQuery, QueryOptions, QueryStage, Rerank, Scores, fuse, in_prefetch,
};
use crate::record::shown;

/// What a stage passes on: rows with their scores, best first.
struct Passed {
    scores: Scores,
    rows: Vec<(FoundRow, f32)>,
}

impl Collection {
    /// Searches in stages: see [`PrefetchQuery`].
    ///
    /// # Errors
    ///
    /// What the searches fail with; `InvalidInput` for stages in a wrong order, too many or too deep, or with arguments out of
    /// range. The message says in which stage.
    pub fn prefetch_query(&self, query: &PrefetchQuery) -> Result<Vec<Neighbor>> {
        self.search_staged(query)?.to_neighbors(Include::default())
    }

    /// Does what [`Collection::prefetch_query`] does, but leaves the records in the snapshot until they are asked for.
    pub fn search_staged(&self, query: &PrefetchQuery) -> Result<Hits> {
        query.check()?;
        let snapshot = self.core.snapshot()?;
        let staged = Staged { collection: self, snapshot };
        let mut passed = staged.run(query, None)?;
        passed.rows.truncate(query.k.unwrap_or(query.options.k));
        count(&self.core.counters.queries, 1);
        Ok(Hits::rescored(staged.snapshot, passed.scores, passed.rows))
    }

    /// Runs one stage, the one at a place of its query, on records that searches elsewhere have found: ids with their scores,
    /// best first, in one list, or for a fusion one list of each query that it fuses. Ids that are not here are passed over.
    ///
    /// # Errors
    ///
    /// As [`Collection::prefetch_query`].
    pub fn search_stage(&self, at: usize, stage: &QueryStage, found: &[Vec<(String, f32)>]) -> Result<Hits> {
        let staged = Staged { collection: self, snapshot: self.core.snapshot()? };
        let passed = match stage {
            QueryStage::Fusion { fusion, weights, k, .. } => {
                let arms = found.iter().map(|found| Ok(arm(staged.given(found)?.into_iter())));
                arms.collect::<Result<Vec<_>>>().and_then(|arms| staged.fused(&arms, *fusion, weights, *k))
            }
            stage => {
                let rows = found.first().map(|found| staged.given(found)).transpose()?.unwrap_or_default();
                staged.stage(stage, Passed { scores: Scores::Plain, rows }, None)
            }
        };
        let passed = passed.map_err(|error| stage.fault(at, &error))?;
        Ok(Hits::rescored(staged.snapshot, passed.scores, passed.rows))
    }
}

/// A query that is running.
struct Staged<'a> {
    collection: &'a Collection,
    snapshot: Arc<Snapshot>,
}

impl Staged<'_> {
    fn given(&self, found: &[(String, f32)]) -> Result<Vec<(FoundRow, f32)>> {
        let mut rows = Vec::with_capacity(found.len());
        for (id, score) in found {
            if let Some(Location { part, row }) = self.snapshot.locate(id)? {
                rows.push((FoundRow { key: -score, part: part as u32, row }, *score));
            }
        }
        Ok(rows)
    }

    /// Runs all stages. `within` restricts the searches besides the query's own filter.
    fn run(&self, query: &PrefetchQuery, within: Option<&Filter>) -> Result<Passed> {
        let within = both(within, query.options.filter.as_ref());
        let mut passed = Passed { scores: Scores::Plain, rows: Vec::new() };
        for (at, stage) in query.stages.iter().enumerate() {
            passed = self.stage(stage, passed, within.as_ref()).map_err(|error| stage.fault(at, &error))?;
        }
        if let Some(min) = query.options.min_score {
            passed.rows.retain(|&(_, score)| score >= min);
        }
        passed.rows.drain(..query.options.offset.min(passed.rows.len()));
        passed.rows.truncate(query.k.unwrap_or(usize::MAX));
        Ok(passed)
    }

    fn stage(&self, stage: &QueryStage, mut passed: Passed, within: Option<&Filter>) -> Result<Passed> {
        let collection = self.collection;
        match stage {
            QueryStage::Vector(query) => self.search(Asked::Vector(&query.vector), &query.options, within),
            QueryStage::Text(query) => {
                let plan = Plan::of_keywords(&query.keywords, &query.boosts, &collection.core.text)?;
                self.search(Asked::Terms(plan), &query.options, within)
            }
            QueryStage::Sparse(query) => {
                self.search(Asked::Terms(Plan::of_sparse(&query.sparse)), &query.options, within)
            }
            QueryStage::Hybrid(query) => {
                let mut query = query.clone();
                query.options.filter = both(within, query.options.filter.as_ref());
                let found = collection.hybrid_in(&self.snapshot, &query)?;
                Ok(Passed { scores: Scores::Plain, rows: found.hits.scored().collect() })
            }
            QueryStage::Multi(query) => {
                let mut query = query.clone();
                query.options.filter = both(within, query.options.filter.as_ref());
                let hits = collection.multi_in(&self.snapshot, &query)?;
                Ok(Passed { scores: Scores::Plain, rows: hits.scored().collect() })
            }
            QueryStage::Fusion { prefetch, fusion, weights, k } => {
                self.fuse(prefetch, *fusion, weights, *k, within)
            }
            QueryStage::Filter(filter) => {
                let matcher = filter.compile()?;
                let rows = std::mem::take(&mut passed.rows);
                for (row, score) in rows {
                    if self.matches(&matcher, row)? {
                        passed.rows.push((row, score));
                    }
                }
                Ok(passed)
            }
            QueryStage::Rerank { by, k } => self.rerank(by, *k, &passed),
            QueryStage::Boost { boosts, k } => {
                let boosts = Boosts::new(boosts, collection.core.now())?;
                let rescore = |&(row, score): &(FoundRow, f32)| -> Result<(FoundRow, f32)> {
                    Ok((row, boosts.score(score, self.document(row)?)))
                };
                let rows = passed.rows.iter().map(rescore).collect::<Result<_>>()?;
                self.pass(passed.scores, rows, *k)
            }
            QueryStage::Mmr { k, lambda, vector } => self.diversify(*k, *lambda, vector.as_deref(), passed),
            QueryStage::Limit(k) => {
                passed.rows.truncate(*k);
                Ok(passed)
            }
            QueryStage::MinScore(min) => {
                passed.rows.retain(|(_, score)| score >= min);
                Ok(passed)
            }
        }
    }

    fn search(&self, asked: Asked<'_>, options: &QueryOptions, within: Option<&Filter>) -> Result<Passed> {
        let mut options = options.clone();
        options.filter = both(within, options.filter.as_ref());
        let ranking = Ranking::new(self.collection, Arc::clone(&self.snapshot), asked, &options)?;
        let rows = ranking.hits(&options)?.scored().collect();
        Ok(Passed { scores: ranking.scores(), rows })
    }

    fn fuse(
        &self,
        prefetch: &[PrefetchQuery],
        fusion: Fusion,
        weights: &[f32],
        k: usize,
        within: Option<&Filter>,
    ) -> Result<Passed> {
        let found = |(n, query): (usize, &PrefetchQuery)| -> Result<Arm> {
            let passed = self.run(query, within).map_err(|error| in_prefetch(n, &error))?;
            Ok(arm(passed.rows.into_iter()))
        };
        let arms: Vec<Arm> = prefetch.iter().enumerate().map(found).collect::<Result<_>>()?;
        self.fused(&arms, fusion, weights, k)
    }

    fn fused(&self, arms: &[Arm], fusion: Fusion, weights: &[f32], k: usize) -> Result<Passed> {
        let weights: Vec<f64> = match weights {
            [] => vec![1.0; arms.len()],
            weights => weights.iter().copied().map(f64::from).collect(),
        };
        let mut fused = in_order(&self.snapshot, fuse(fusion, arms, &weights), |fused| fused.score as f32)?;
        fused.truncate(k);
        let rows = fused.iter().map(|fused| (fused.row(), fused.score as f32)).collect();
        Ok(Passed { scores: Scores::Plain, rows })
    }

    fn rerank(&self, by: &Rerank, k: Option<usize>, passed: &Passed) -> Result<Passed> {
        let scoring = self.collection.core.scoring;
        match by {
            Rerank::Vector(vector) => {
                self.collection.check_vector(&self.snapshot, vector)?;
                let query = scoring.queries(vector.len(), vector, None, |_| "query vector".to_owned())?;
                let rescore = |&(row, _): &(FoundRow, f32)| -> Result<(FoundRow, f32)> {
                    let key = self.snapshot.part(row.location()).part.key(scoring, &query, row.row)?;
                    Ok((FoundRow { key, ..row }, scoring.score(key)))
                };
                let rows = passed.rows.iter().map(rescore).collect::<Result<_>>()?;
                self.pass(Scores::Metric(scoring), rows, k)
            }
            Rerank::Vectors(vectors) => {
                let interaction = Interaction::new(self.collection, &self.snapshot, vectors)?;
                let rows: Vec<_> = passed.rows.iter().map(|(row, _)| row.location()).collect();
                let scored = self.collection.interact(&interaction, &rows)?;
                self.pass(Scores::Plain, scored.into_iter().map(|row| (row, -row.key)).collect(), k)
            }
            Rerank::Expression(text) => {
                let formula = Expression::parse(text)?;
                let now_unix_ms = self.collection.core.now();
                let rescore = |(at, &(row, score)): (usize, &(FoundRow, f32))| -> Result<(FoundRow, f32)> {
                    let inputs = Inputs { score, rank: at + 1, now_unix_ms, document: self.document(row)? };
                    let score = formula.value(inputs).map_err(|error| self.of_record(row, &error))?;
                    Ok((FoundRow { key: -score, ..row }, score))
                };
                let rows = passed.rows.iter().enumerate().map(rescore).collect::<Result<_>>()?;
                self.pass(Scores::Plain, rows, k)
            }
        }
    }

    fn diversify(&self, k: usize, lambda: f32, vector: Option<&[f32]>, passed: Passed) -> Result<Passed> {
        let passed = match vector {
            Some(vector) => self.rerank(&Rerank::Vector(vector.to_vec()), None, &passed)?,
            None => passed,
        };
        if passed.rows.len() > DIVERSE_MAX {
            return Err(Error::invalid(format!(
                "expected at most {DIVERSE_MAX} records of the stage before, got {}: limit them",
                passed.rows.len()
            )));
        }
        let scores = || passed.rows.iter().map(|&(_, score)| score);
        let best = scores().fold(f32::NEG_INFINITY, f32::max);
        let worst = scores().fold(f32::INFINITY, f32::min);
        let relevance = |score: f32| match vector {
            Some(_) => score,
            None if best > worst => (score - worst) / (best - worst),
            None => 1.0,
        };
        let scoring = self.collection.core.scoring;
        let rows = self.snapshot.diverse(scoring, k, lambda, &passed.rows, relevance)?;
        Ok(Passed { scores: passed.scores, rows })
    }

    /// Passes on the best `k`, or all.
    fn pass(&self, scores: Scores, rows: Vec<(FoundRow, f32)>, k: Option<usize>) -> Result<Passed> {
        let mut rows = self.snapshot.ordered(rows)?;
        rows.truncate(k.unwrap_or(usize::MAX));
        Ok(Passed { scores, rows })
    }

    fn document(&self, row: FoundRow) -> Result<DocumentRef<'_>> {
        DocumentRef::new(self.snapshot.part(row.location()).part.body(row.row)?.document)
    }

    fn matches(&self, matcher: &Matcher, row: FoundRow) -> Result<bool> {
        Ok(matcher.matches(self.document(row)?))
    }

    fn of_record(&self, row: FoundRow, error: &Error) -> Error {
        let id = self.snapshot.part(row.location()).part.id(row.row).unwrap_or_default();
        Error::with_message(error, format!("record `{}`: {}", shown(id), error.message()))
    }
}

fn both(a: Option<&Filter>, b: Option<&Filter>) -> Option<Filter> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.clone().and(b.clone())),
        (a, b) => a.or(b).cloned(),
    }
}
