//! Searching by the first components of vectors.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::{Collection, PartView, count};
use crate::error::Result;
use crate::filter::Filter;
use crate::query::{
    Candidate, FoundRow, Hits, Include, Neighbor, PartFilter, PrefixQuery, Scores, Scoring, TopK,
};

/// Rows given to one thread at a time.
const TASK_ROWS: usize = 1 << 14;

/// Rows of a part.
struct Task<'s> {
    part: u32,
    view: &'s PartView,
    filter: &'s PartFilter<'s>,
    rows: Range<usize>,
}

impl Collection {
    /// Returns the records nearest to a vector by its first components, ordered by whole vectors: see [`PrefixQuery`].
    /// O(records).
    ///
    /// # Errors
    ///
    /// As [`Collection::query`], and `InvalidInput` for a `prefix_dim` beyond the dimension, or a prefix that is zero under
    /// cosine.
    pub fn prefix_query(&self, query: &PrefixQuery) -> Result<Vec<Neighbor>> {
        self.search_prefix(query)?.to_neighbors(Include::default())
    }

    /// Does what [`Collection::prefix_query`] does, but leaves the records in the snapshot until they are asked for.
    pub fn search_prefix(&self, query: &PrefixQuery) -> Result<Hits> {
        query.check()?;
        let (snapshot, scoring) = (self.core.snapshot()?, self.core.scoring);
        let options = &query.options;
        self.check_vector(&snapshot, &query.vector)?;
        let boosts = self.boosts(options)?;
        let whole =
            scoring.queries(query.vector.len(), &query.vector, None, |_| "query vector".to_owned())?;
        let name = |_| format!("the first {} components of the query vector", query.prefix_dim);
        let prefix = scoring.queries(query.prefix_dim, &query.vector[..query.prefix_dim], None, name)?;
        let matcher = options.filter.as_ref().map(Filter::compile).transpose()?;
        let filters: Vec<PartFilter<'_>> = snapshot
            .parts
            .iter()
            .map(|view| PartFilter::for_search(view, matcher.as_ref()))
            .collect::<Result<_>>()?;
        let mut tasks = Vec::new();
        for (part, (view, filter)) in (0..).zip(snapshot.parts.iter().zip(&filters)) {
            for start in (0..view.part.len()).step_by(TASK_ROWS) {
                let rows = start..view.part.len().min(start + TASK_ROWS);
                tasks.push(Task { part, view, filter, rows });
            }
        }
        let limit = query.depth().min(snapshot.live());
        let scan = Scan { scoring, prefix: &prefix, limit, now: self.core.now() };
        let best = match self.core.shared.pool(snapshot.live() * prefix.len() * size_of::<f32>()) {
            Some(pool) if tasks.len() > 1 => pool.install(|| {
                let found = tasks.par_iter().map(|task| scan.run(task));
                found.try_reduce(|| TopK::new(limit), |a, b| Ok(a.merge(b)))
            })?,
            _ => {
                let mut best = TopK::new(limit);
                for task in &tasks {
                    best = best.merge(scan.run(task)?);
                }
                best
            }
        };
        let rerank = |candidate: &Candidate<'_>| -> Result<FoundRow> {
            let found = FoundRow::from(candidate);
            let key = snapshot.part(found.location()).part.key(scoring, &whole, found.row)?;
            Ok(FoundRow { key, ..found })
        };
        let found: Vec<FoundRow> = best.into_sorted().iter().map(rerank).collect::<Result<_>>()?;
        let best = snapshot.boosted(&found, &boosts, |row| scoring.score(row.key))?;
        count(&self.core.counters.queries, 1);
        let enough = |&(_, score): &(FoundRow, f32)| options.min_score.is_none_or(|min| score >= min);
        let best: Vec<_> = best.into_iter().skip(options.offset).take(options.k).take_while(enough).collect();
        Ok(Hits::rescored(Arc::clone(&snapshot), Scores::Metric(scoring), best))
    }
}

/// What a task is scanned for.
struct Scan<'a> {
    scoring: Scoring,
    prefix: &'a [f32],
    limit: usize,
    now: u64,
}

impl Scan<'_> {
    fn run<'s>(&self, task: &Task<'s>) -> Result<TopK<'s>> {
        let mut best = TopK::new(self.limit);
        for row in task.rows.start as u32..task.rows.end as u32 {
            let vector = &task.view.part.vector(row)?[..self.prefix.len()];
            let mut key = [self.scoring.kernels.raw(self.scoring.op(), self.prefix, vector)];
            if self.scoring.uses_norms() {
                // A row without a direction in these components is like nothing.
                let norm = self.scoring.kernels.norm(vector);
                self.scoring.keys(&[if norm > 0.0 { 1.0 / norm } else { 0.0 }], &mut key);
            } else {
                self.scoring.keys(&[], &mut key);
            }
            let is_near = key[0] <= best.limit();
            if is_near && task.view.is_visible(row, self.now)? && task.filter.matches(task.view, row)? {
                best.offer(Candidate { key: key[0], id: task.view.part.id(row)?, part: task.part, row });
            }
        }
        Ok(best)
    }
}
