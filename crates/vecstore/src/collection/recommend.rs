//! Searching by examples.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ranking::{APPROXIMATE_ROWS_MAX, Asked, GROWTH, Ranking};
use super::read::not_found;
use super::snapshot::{Location, Snapshot};
use super::{Collection, count};
use crate::error::Result;
use crate::query::{
    Example, FoundRow, Hits, IdQuery, Include, Neighbor, RecommendQuery, Scores, Strategy, squeezed,
};
use crate::record::{check_id, dimension_mismatch};
use vecstore_kernels::Metric;

/// How many times as many rows as are wanted are looked at first for each example.
const OVERSAMPLING: usize = 4;
const ROWS_MIN: usize = 64;

/// The examples of a search, as vectors.
struct Examples {
    positive: Vec<Vec<f32>>,
    negative: Vec<Vec<f32>>,
    /// Those that are records.
    records: Vec<Location>,
}

impl Collection {
    /// Returns the records nearest to one that is there already, best first, ties broken by id.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such record, or it is soft-deleted or expired; else as [`Collection::query`].
    pub fn query_by_id(&self, query: &IdQuery) -> Result<Vec<Neighbor>> {
        self.search_by_id(query)?.to_neighbors(Include::default())
    }

    /// Does what [`Collection::query_by_id`] does, but leaves the records in the snapshot until they are asked for.
    pub fn search_by_id(&self, query: &IdQuery) -> Result<Hits> {
        let snapshot = self.core.snapshot()?;
        let location = self.location_of(&snapshot, &query.id)?;
        let vector = snapshot.part(location).part.vector(location.row)?.to_vec();
        let mut ranking = Ranking::new(self, snapshot, Asked::Vector(&vector), &query.options)?;
        if !query.includes_itself {
            ranking.excluded.push(location);
        }
        let hits = ranking.hits(&query.options)?;
        count(&self.core.counters.queries, 1);
        Ok(hits)
    }

    /// Returns the records that are most like the positive examples and least like the negative ones, best first, ties
    /// broken by id. Records that are examples are not among them.
    ///
    /// By average vector this is one search. By best score and sum, candidates are what is nearest to each positive example
    /// (under cosine and dot, for the sum: to the sum of the examples), as many as it takes until nothing else could be
    /// among the best, or 16,384. Without a positive example, and where the metric has no approximate search, every record is
    /// compared. With [`exact`](RecommendQuery::exact) nothing is missed.
    ///
    /// # Errors
    ///
    /// `NotFound` if an example names no record; `InvalidInput` if there are no examples, more than 1,024, or their mean
    /// has no direction under cosine; else as [`Collection::query`].
    pub fn recommend(&self, query: &RecommendQuery) -> Result<Vec<Neighbor>> {
        self.search_recommended(query)?.to_neighbors(Include::default())
    }

    /// Does what [`Collection::recommend`] does, but leaves the records in the snapshot until they are asked for.
    pub fn search_recommended(&self, query: &RecommendQuery) -> Result<Hits> {
        query.check()?;
        let snapshot = self.core.snapshot()?;
        let examples = self.examples(&snapshot, query)?;
        let hits = match query.strategy {
            Strategy::AverageVector => {
                let average = self.average(&examples)?;
                let mut ranking = Ranking::new(self, snapshot, Asked::Vector(&average), &query.options)?;
                ranking.excluded = examples.records;
                ranking.hits(&query.options)?
            }
            Strategy::BestScore | Strategy::SumScores => self.by_scores(&snapshot, query, &examples)?,
        };
        count(&self.core.counters.queries, 1);
        Ok(hits)
    }

    pub(super) fn location_of(&self, snapshot: &Snapshot, id: &str) -> Result<Location> {
        check_id(id)?;
        snapshot.locate_visible(id, self.core.now())?.ok_or_else(|| not_found(id))
    }

    fn examples(&self, snapshot: &Snapshot, query: &RecommendQuery) -> Result<Examples> {
        let mut records = Vec::new();
        let mut vector = |example: &Example| -> Result<Vec<f32>> {
            match example {
                Example::Id(id) => {
                    let location = self.location_of(snapshot, id)?;
                    records.push(location);
                    self.unit(snapshot.part(location).part.vector(location.row)?)
                }
                Example::Vector(vector) => {
                    self.check_vector(snapshot, vector)?;
                    self.unit(vector)
                }
            }
        };
        let positive: Vec<Vec<f32>> = query.positive.iter().map(&mut vector).collect::<Result<_>>()?;
        let negative: Vec<Vec<f32>> = query.negative.iter().map(&mut vector).collect::<Result<_>>()?;
        let mut all = positive.iter().chain(&negative);
        let dim = all.next().map_or(0, Vec::len);
        if let Some(other) = all.find(|other| other.len() != dim) {
            return Err(dimension_mismatch(dim, other.len()));
        }
        Ok(Examples { positive, negative, records })
    }

    /// Returns a vector as it counts: under cosine with length 1.
    fn unit(&self, vector: &[f32]) -> Result<Vec<f32>> {
        let name = |_| "example".to_owned();
        Ok(self.core.scoring.queries(vector.len(), vector, None, name)?.into_owned())
    }

    fn average(&self, examples: &Examples) -> Result<Vec<f32>> {
        let mut average = mean(&examples.positive);
        if !examples.negative.is_empty() {
            let negative = mean(&examples.negative);
            average.iter_mut().zip(negative).for_each(|(value, other)| *value += *value - other);
        }
        let average: Vec<f32> = average.into_iter().map(|value| value as f32).collect();
        self.core.scoring.check(average.len(), &average, |_| "the average of the examples".to_owned())?;
        Ok(average)
    }

    /// Returns vectors that what is wanted is near to; none if nothing tells.
    fn sources(&self, query: &RecommendQuery, examples: &Examples) -> Vec<Vec<f32>> {
        if query.strategy == Strategy::BestScore {
            return examples.positive.clone();
        }
        if !matches!(self.metric(), Metric::Cosine | Metric::Dot) {
            return Vec::new();
        }
        // The sum of products with each is the product with the sum of all.
        let signed = examples.positive.iter().map(|vector| (vector, 1.0));
        let signed = signed.chain(examples.negative.iter().map(|vector| (vector, -1.0)));
        let mut sum = vec![0.0f64; examples.dim()];
        for (vector, sign) in signed {
            sum.iter_mut().zip(vector).for_each(|(sum, &value)| *sum += sign * f64::from(value));
        }
        let sum: Vec<f32> = sum.into_iter().map(|value| value as f32).collect();
        let is_usable = self.core.scoring.check(sum.len(), &sum, |_| String::new()).is_ok();
        if is_usable { vec![sum] } else { Vec::new() }
    }

    fn by_scores(
        &self,
        snapshot: &Arc<Snapshot>,
        query: &RecommendQuery,
        examples: &Examples,
    ) -> Result<Hits> {
        let options = &query.options;
        let boosts = self.boosts(options)?;
        let sources = self.sources(query, examples);
        let ranking = |vector| {
            let mut ranking = Ranking::new(self, Arc::clone(snapshot), Asked::Vector(vector), options)?;
            ranking.excluded.clone_from(&examples.records);
            Ok(ranking)
        };
        let rankings: Vec<Ranking<'_>> =
            sources.iter().map(|vector| ranking(vector)).collect::<Result<_>>()?;
        let wanted = options.k + options.offset;
        let live = snapshot.live();
        let mut limit = wanted.saturating_mul(OVERSAMPLING).max(ROWS_MIN);
        let best = loop {
            let (mut candidates, mut reach) = (BTreeSet::new(), f32::NEG_INFINITY);
            let mut are_all = false;
            for ranking in &rankings {
                let rows = ranking.best(limit)?;
                are_all |= rows.len() < limit;
                reach = reach.max(rows.last().map_or(reach, |row| self.core.scoring.score(row.key)));
                candidates.extend(rows.iter().map(|row| (row.part, row.row)));
            }
            if rankings.is_empty() {
                let mut everything = ranking(examples.first())?;
                everything.make_exact();
                candidates.extend(everything.best(live)?.iter().map(|row| (row.part, row.row)));
                are_all = true;
            }
            let scored = candidates.into_iter().map(|(part, row)| {
                let score = self.example_score(snapshot, query.strategy, examples, (part, row))?;
                Ok(FoundRow { key: -score, part, row })
            });
            let scored: Vec<FoundRow> = scored.collect::<Result<_>>()?;
            let mut best = snapshot.boosted(&scored, &boosts, |row| -row.key)?;
            best.truncate(wanted);
            // What is not a candidate is further from each source than the last of its rows.
            let most = boosts.most(self.most(query.strategy, &sources, reach));
            let last = best.last().filter(|_| best.len() >= wanted);
            let is_sure = last.is_some_and(|&(_, worst)| worst > most + ROUNDING * most.abs().max(1.0));
            let gives_up = limit >= APPROXIMATE_ROWS_MAX && !rankings.iter().all(Ranking::is_exact);
            if are_all || is_sure || gives_up {
                break best;
            }
            limit = if limit.saturating_mul(GROWTH) >= live { live + 1 } else { limit * GROWTH };
        };
        let rows = best.into_iter().skip(options.offset);
        let enough = |&(_, score): &(FoundRow, f32)| options.min_score.is_none_or(|min| score >= min);
        Ok(Hits::rescored(Arc::clone(snapshot), Scores::Plain, rows.take_while(enough)))
    }

    /// Returns the most that a record can score whose score with no source is above `reach`.
    fn most(&self, strategy: Strategy, sources: &[Vec<f32>], reach: f32) -> f32 {
        match (strategy, sources) {
            (Strategy::SumScores, [sum]) if self.metric() == Metric::Cosine => {
                reach * self.core.scoring.kernels.norm(sum)
            }
            (Strategy::SumScores, _) => reach,
            _ => squeezed(reach),
        }
    }

    fn example_score(
        &self,
        snapshot: &Snapshot,
        strategy: Strategy,
        examples: &Examples,
        (part, row): (u32, u32),
    ) -> Result<f32> {
        let part = &snapshot.parts[part as usize].part;
        let scores = |vectors: &[Vec<f32>]| -> Result<Vec<f32>> {
            let scoring = self.core.scoring;
            vectors.iter().map(|vector| Ok(scoring.score(part.key(scoring, vector, row)?))).collect()
        };
        Ok(strategy.score(&scores(&examples.positive)?, &scores(&examples.negative)?))
    }
}

/// Sums of scores and scores of sums differ by rounding, by less than this share.
const ROUNDING: f32 = 1e-4;

impl Examples {
    fn first(&self) -> &[f32] {
        self.positive.iter().chain(&self.negative).next().map_or(&[], Vec::as_slice)
    }

    fn dim(&self) -> usize {
        self.first().len()
    }
}

fn mean(vectors: &[Vec<f32>]) -> Vec<f64> {
    let mut mean = vec![0.0f64; vectors.first().map_or(0, Vec::len)];
    for vector in vectors {
        mean.iter_mut().zip(vector).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    mean.iter_mut().for_each(|sum| *sum /= vectors.len() as f64);
    mean
}
