//! Searches that say how they were done.

use std::time::{Duration, Instant};

use super::Collection;
use crate::error::Result;
use crate::filter::Filter;
use crate::query::{Hits, Query, QueryEstimate, QueryPlan, Recorder, Scores};

/// Runs of an estimate: the median of so many is not moved by one interruption.
const ESTIMATE_RUNS: usize = 5;

impl Collection {
    /// Runs a query and returns how it was done: see [`Collection::search_explained`].
    pub fn explain(&self, query: &Query) -> Result<QueryPlan> {
        Ok(self.search_explained(query)?.1)
    }

    /// Does what [`Collection::search`] does, and returns beside the hits how they were found. The clock is read twice for
    /// each part; nothing else differs. With boosts the steps are those of the last, largest round.
    ///
    /// # Errors
    ///
    /// As [`Collection::query`].
    ///
    /// # Examples
    ///
    /// ```
    /// use vecstore::{Metadata, Query, SearchMethod, VecStore};
    ///
    /// # let directory = tempfile::tempdir().unwrap();
    /// let store = VecStore::open(directory.path())?;
    /// store.upsert("a", &[1.0, 0.0], &Metadata::new())?;
    /// let (hits, plan) = store.search_explained(&Query::new([1.0, 0.1]).k(1))?;
    /// let step = &plan.steps[plan.step_of(&hits.get(0).unwrap()).unwrap()];
    /// assert_eq!(step.method, SearchMethod::ScanVectors);
    /// assert_eq!(step.full_distances, 1);
    /// # Ok::<(), vecstore::Error>(())
    /// ```
    pub fn search_explained(&self, query: &Query) -> Result<(Hits, QueryPlan)> {
        let (recorder, options) = (Recorder::default(), &query.options);
        let started = Instant::now();
        let hits = if options.boosts.is_empty() {
            let (snapshot, mut found) =
                self.found(&query.vector, query.vector.len(), options, Some(&recorder))?;
            let rows = found.pop().expect("one query has one answer");
            Hits::new(snapshot, Scores::Metric(self.core.scoring), rows, options.offset, options.min_score)
        } else {
            self.search_boosted(&query.vector, options, Some(&recorder))?
        };
        let (lsn, records) = (hits.snapshot().lsn, hits.snapshot().live());
        let time = started.elapsed();
        let record = recorder.into_record();
        let mut plan = QueryPlan {
            metric: self.metric(),
            lsn,
            records,
            k: options.k,
            offset: options.offset,
            recall: if options.exact { 1.0 } else { options.recall },
            filter: options.filter.clone(),
            steps: record.steps,
            results: hits.len(),
            threads: record.threads.unwrap_or(1),
            filter_time: record.filter_time,
            time,
        };
        plan.count_results(&hits);
        Ok((hits, plan))
    }

    /// Runs a query five times and returns what that took, and counts what matches its filter.
    ///
    /// # Errors
    ///
    /// As [`Collection::query`].
    pub fn estimate(&self, query: &Query) -> Result<QueryEstimate> {
        let plans: Vec<QueryPlan> = (0..ESTIMATE_RUNS).map(|_| self.explain(query)).collect::<Result<_>>()?;
        let mut times: Vec<Duration> = plans.iter().map(|plan| plan.time).collect();
        times.sort_unstable();
        let last = &plans[ESTIMATE_RUNS - 1];
        let everything = Filter::default();
        Ok(QueryEstimate {
            runs: ESTIMATE_RUNS,
            records: self.len()?,
            matches: self.count(query.options.filter.as_ref().unwrap_or(&everything))?,
            results: last.results,
            visits: last.visits(),
            distances: last.distances(),
            reranked: last.reranked(),
            time_min: times[0],
            time: times[ESTIMATE_RUNS / 2],
            time_max: times[ESTIMATE_RUNS - 1],
        })
    }
}
