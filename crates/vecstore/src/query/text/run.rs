//! Running a plan: statistics of all parts first, then the best rows of each, the largest part first.

use std::collections::BTreeMap;

use super::best::Best;
use super::parse::Occurs;
use super::plan::Plan;
use super::statistics::TextStatistics;
use crate::collection::{PartView, Snapshot};
use crate::error::Result;
use crate::filter::Matcher;
use crate::query::hits::FoundRow;
use crate::query::selection::PartFilter;
use crate::text_index::{
    Clauses, FieldTotals, List, Sink, TextConfig, TextIndex, TextState, Weight, search, text_key,
};

/// How fast more of the same term in one text stops to count.
const K1: f64 = 1.2;
/// How much of the length of a text counts.
const B: f64 = 0.75;

/// The most terms that a prefix stands for: a letter may begin 10,000 words, most of them rare.
const EXPANSIONS_MAX: usize = 1024;

/// What is searched for, besides the plan.
pub(crate) struct TextSearch<'a> {
    pub(crate) config: &'a TextConfig,
    /// How many of the best are wanted.
    pub(crate) limit: usize,
    pub(crate) filter: Option<&'a Matcher>,
    pub(crate) min_score: Option<f32>,
    pub(crate) now: u64,
}

/// A part with texts or sparse vectors.
struct Indexed<'s> {
    position: u32,
    view: &'s PartView,
    index: TextIndex<'s>,
    state: &'s TextState,
}

/// Something scored, as all parts have it: its list in each, and what a row's count is worth.
struct Lists<'s> {
    of_part: Vec<Option<List<'s>>>,
    weight: Weight,
}

/// Returns the best rows, best first, ties broken by id.
pub(crate) fn search_texts(
    snapshot: &Snapshot,
    mut plan: Plan,
    search: &TextSearch<'_>,
) -> Result<Vec<FoundRow>> {
    let parts = indexed(snapshot, search.config)?;
    let given = plan.statistics.clone();
    let statistics = given.as_deref();
    let expanded = expand(&mut plan, &parts, statistics)?;
    let totals: Vec<FieldTotals> = (0..search.config.field_count())
        .map(|field| match statistics {
            Some(statistics) => Ok(statistics.field(field)),
            None => totals(&parts, field),
        })
        .collect::<Result<_>>()?;
    let lists: Vec<Lists<'_>> =
        plan.scored.iter().map(|scored| lists(&parts, scored, &totals, statistics)).collect::<Result<_>>()?;
    let excluded: Vec<Vec<Option<List<'_>>>> = plan
        .excluded
        .iter()
        .chain(&expanded)
        .map(|key| parts.iter().map(|part| part.index.find(key)).collect())
        .collect::<Result<_>>()?;
    let mut best = Best::new(search.limit);
    for (n, part) in parts.iter().enumerate() {
        search_part(snapshot, (part, n), &plan, &lists, &excluded, search, &mut best)?;
    }
    best.into_sorted(|part, row| snapshot.parts[part as usize].part.id(row))
}

/// Returns the parts that have an index, the largest first.
fn indexed<'s>(snapshot: &'s Snapshot, config: &TextConfig) -> Result<Vec<Indexed<'s>>> {
    let mut parts = Vec::new();
    for (view, position) in snapshot.parts.iter().zip(0..) {
        if let Some((index, state)) = view.part.text_index(config)? {
            parts.push(Indexed { position, view, index, state });
        }
    }
    parts.sort_by_key(|part| std::cmp::Reverse(part.view.part.len()));
    Ok(parts)
}

fn totals(parts: &[Indexed<'_>], field: usize) -> Result<FieldTotals> {
    let mut all = FieldTotals::default();
    for part in parts {
        let totals = part.state.live_totals(&part.index, field, &part.view.marks.dead)?;
        all.rows += totals.rows;
        all.terms += totals.terms;
    }
    Ok(all)
}

/// Counts what a search for a plan is scored by.
pub(crate) fn statistics(snapshot: &Snapshot, plan: &Plan, config: &TextConfig) -> Result<TextStatistics> {
    let parts = indexed(snapshot, config)?;
    let mut found = TextStatistics::default();
    for field in 0..config.field_count() {
        let FieldTotals { rows, terms } = totals(&parts, field)?;
        found.fields.push((rows, terms));
    }
    for scored in plan.scored.iter().filter(|scored| scored.field.is_some()) {
        let mut live = 0;
        for part in &parts {
            if let Some(list) = part.index.find(&scored.key)? {
                live += u64::from(part.state.live_rows(&part.index, &list, &part.view.marks.dead)?);
            }
        }
        found.terms.insert(scored.key.clone(), live);
    }
    for prefix in &plan.prefixes {
        let mut terms = BTreeMap::new();
        // What is excluded is looked up where it is searched for.
        if prefix.occurs != Occurs::MustNot {
            for_each_with_prefix(plan, &prefix.prefix, &parts, |key, live| {
                *terms.entry(key[1..].to_vec()).or_default() += live;
                *found.terms.entry(key.to_vec()).or_default() += live;
            })?;
        }
        found.prefixes.push(terms);
    }
    Ok(found)
}

/// Calls `each` with the key of each term that starts with a prefix, and how many rows of a part have it.
fn for_each_with_prefix<'s>(
    plan: &Plan,
    prefix: &str,
    parts: &[Indexed<'s>],
    mut each: impl FnMut(&'s [u8], u64),
) -> Result<()> {
    for field in (0..plan.boosts.len()).filter(|&field| plan.boosts[field] != 0.0) {
        let key = text_key(field, prefix);
        for part in parts {
            part.index.for_each_with_prefix(&key, |key, list| {
                let live = part.state.live_rows(&part.index, &list, &part.view.marks.dead)?;
                if live > 0 {
                    each(key, u64::from(live));
                }
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// Replaces the prefixes of a plan by the terms that start so. Returns the keys of those that are excluded.
fn expand<'s>(
    plan: &mut Plan,
    parts: &[Indexed<'s>],
    statistics: Option<&'s TextStatistics>,
) -> Result<Vec<Vec<u8>>> {
    let mut excluded = Vec::new();
    for (n, prefix) in std::mem::take(&mut plan.prefixes).into_iter().enumerate() {
        let mut rows: BTreeMap<&[u8], u64> = BTreeMap::new();
        match statistics {
            Some(statistics) if prefix.occurs != Occurs::MustNot => {
                rows.extend(statistics.prefix(n).map(|(term, live)| (term.as_slice(), *live)));
            }
            _ => for_each_with_prefix(plan, &prefix.prefix, parts, |key, live| {
                *rows.entry(&key[1..]).or_default() += live;
            })?,
        }
        let mut terms: Vec<(&[u8], u64)> = rows.into_iter().collect();
        if prefix.occurs != Occurs::MustNot && terms.len() > EXPANSIONS_MAX {
            terms.sort_by_key(|&(_, rows)| std::cmp::Reverse(rows)); // stable: ties by term
            terms.truncate(EXPANSIONS_MAX);
        }
        let mut group = Vec::new();
        for (term, _) in terms {
            if prefix.occurs == Occurs::MustNot {
                excluded.extend((0..plan.boosts.len()).map(|field| [&[field as u8], term].concat()));
            } else if let Ok(term) = std::str::from_utf8(term) {
                group.extend(plan.add_term(term));
            }
        }
        if prefix.occurs == Occurs::Must {
            plan.required.push(group);
        }
    }
    Ok(excluded)
}

/// Finds the lists of something scored, and what its rows are worth by how many they are.
fn lists<'s>(
    parts: &[Indexed<'s>],
    scored: &super::plan::Scored,
    totals: &[FieldTotals],
    statistics: Option<&TextStatistics>,
) -> Result<Lists<'s>> {
    let mut of_part = Vec::with_capacity(parts.len());
    let mut live = statistics.map_or(0, |statistics| statistics.rows_with(&scored.key));
    for part in parts {
        let list = part.index.find(&scored.key)?;
        if let (Some(list), true) = (&list, scored.field.is_some() && statistics.is_none()) {
            live += u64::from(part.state.live_rows(&part.index, list, &part.view.marks.dead)?);
        }
        of_part.push(list);
    }
    let weight = match scored.field {
        None => Weight::Sparse { weight: scored.factor },
        Some(field) => {
            let rows = totals[field].rows as f64;
            let mean = (totals[field].terms as f64 / rows).max(f64::MIN_POSITIVE);
            let idf = ((rows - live as f64 + 0.5) / (live as f64 + 0.5)).ln_1p();
            Weight::Text {
                weight: (f64::from(scored.factor) * idf * (K1 + 1.0)) as f32,
                base: (K1 * (1.0 - B)) as f32,
                slope: (K1 * B / mean) as f32,
            }
        }
    };
    Ok(Lists { of_part, weight })
}

fn search_part<'s>(
    snapshot: &'s Snapshot,
    (part, n): (&Indexed<'s>, usize),
    plan: &Plan,
    lists: &[Lists<'s>],
    excluded: &[Vec<Option<List<'s>>>],
    wanted: &TextSearch<'_>,
    best: &mut Best,
) -> Result<()> {
    let mut clauses = Clauses::default();
    let mut places = vec![None; lists.len()];
    for (place, lists) in places.iter_mut().zip(lists) {
        if let Some(list) = &lists.of_part[n] {
            *place = Some(clauses.scored.len());
            clauses.scored.push(part.index.cursor(list, lists.weight)?);
        }
    }
    if clauses.scored.is_empty() {
        return Ok(());
    }
    let group = |group: &Vec<usize>| group.iter().filter_map(|&at| places[at]).collect();
    clauses.required = plan.required.iter().map(group).collect();
    for lists in excluded {
        if let Some(list) = &lists[n] {
            clauses.excluded.push(part.index.cursor(list, Weight::Nothing)?);
        }
    }
    let filter = PartFilter::for_search(part.view, wanted.filter)?;
    let among = match &filter {
        // Where the terms are rarer than what matches, it is less to look at their rows.
        PartFilter::Few { rows, .. } if rows.len() as u64 <= clauses.rows() => Some(rows.as_slice()),
        _ => None,
    };
    let marks = &part.view.marks;
    let mut sink = PartSink {
        snapshot,
        part,
        filter: &filter,
        is_whole: marks.dead.is_empty() && marks.hidden.is_empty() && !part.view.part.has_expiry(),
        plan,
        wanted,
        best,
    };
    search(&mut clauses, part.view.part.len(), among, &mut sink)
}

/// Takes the rows of one part that may be among the best.
struct PartSink<'p, 's> {
    snapshot: &'s Snapshot,
    part: &'p Indexed<'s>,
    filter: &'p PartFilter<'p>,
    /// Every row can be seen.
    is_whole: bool,
    plan: &'p Plan,
    wanted: &'p TextSearch<'p>,
    best: &'p mut Best,
}

impl Sink for PartSink<'_, '_> {
    fn least(&self) -> f32 {
        self.best.least().max(self.wanted.min_score.unwrap_or(f32::NEG_INFINITY))
    }

    fn wanted(&self) -> usize {
        self.wanted.limit
    }

    fn accepts(&mut self, row: u32) -> Result<bool> {
        let view = self.part.view;
        if !(self.is_whole || view.is_visible(row, self.wanted.now)?) || !self.filter.matches(view, row)? {
            return Ok(false);
        }
        if !self.plan.phrases.is_empty() || !self.plan.excluded_phrases.is_empty() {
            let body = view.part.body(row)?;
            for phrase in &self.plan.phrases {
                if !phrase.is_in(&body, self.wanted.config)? {
                    return Ok(false);
                }
            }
            for phrase in &self.plan.excluded_phrases {
                if phrase.is_in(&body, self.wanted.config)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn offer(&mut self, row: u32, score: f32) -> Result<()> {
        if !self.accepts(row)? {
            return Ok(());
        }
        let parts = &self.snapshot.parts;
        self.best.offer((self.part.position, row), score, |part, row| parts[part as usize].part.id(row))
    }
}
