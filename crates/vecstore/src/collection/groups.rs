//! Searching for the best records of the best groups.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::ranking::{APPROXIMATE_ROWS_MAX, Asked, GROWTH, Ranking};
use super::{Collection, count};
use crate::error::Result;
use crate::filter::FieldPath;
use crate::metadata::{DocumentRef, Value, ValueRef};
use crate::query::{FoundRow, Group, GroupQuery, Hits};

/// What makes values the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum GroupKey {
    Bool(bool),
    Int(i64),
    /// The bits of a number that is no int.
    Float(u64),
    Str(String),
    Bytes(Vec<u8>),
    Micros(i64),
}

/// A group that is being filled.
struct Filling {
    value: Value,
    rows: Vec<(FoundRow, f32)>,
}

/// Groups in the order of their best records.
struct Groups {
    wanted: usize,
    size: usize,
    at: HashMap<GroupKey, usize>,
    groups: Vec<Filling>,
    full: usize,
}

impl Collection {
    /// Returns the best groups in the order of their best records: see [`GroupQuery`]. O(records) where one group has most of
    /// the nearest.
    ///
    /// # Errors
    ///
    /// As [`Collection::query`], and `InvalidInput` for no path or an offset.
    pub fn group_query(&self, query: &GroupQuery) -> Result<Vec<Group>> {
        query.check()?;
        let options = &query.options;
        let snapshot = self.core.snapshot()?;
        let vector = Asked::Vector(&query.vector);
        let mut ranking = Ranking::new(self, Arc::clone(&snapshot), vector, options)?;
        let path = FieldPath::new(&query.by);
        let wanted = options.k.saturating_mul(query.group_size).saturating_mul(GROWTH);
        let live = snapshot.live();
        let mut limit = wanted;
        let groups = loop {
            if limit > APPROXIMATE_ROWS_MAX {
                // A graph is slow at finding so many; a scan finds all in one go.
                ranking.make_exact();
                limit = live;
            }
            let rows = ranking.ranked(limit, options)?;
            let are_all = rows.len() < limit || limit >= live;
            let mut groups = Groups::new(options.k, query.group_size);
            for (row, score) in rows {
                let is_beyond = options.min_score.is_some_and(|min| score < min);
                if is_beyond || groups.are_full() {
                    break;
                }
                let body = snapshot.part(row.location()).part.body(row.row)?;
                if let Some(value) = path.find_in(DocumentRef::new(body.document)?) {
                    groups.add(value, (row, score))?;
                }
            }
            if are_all || groups.are_full() {
                break groups;
            }
            limit = limit.saturating_mul(GROWTH);
        };
        count(&self.core.counters.queries, 1);
        let group = |filling: Filling| Group {
            value: filling.value,
            hits: Hits::rescored(Arc::clone(&snapshot), ranking.scores(), filling.rows),
        };
        Ok(groups.groups.into_iter().map(group).collect())
    }
}

impl Groups {
    fn new(wanted: usize, size: usize) -> Self {
        Self { wanted, size, at: HashMap::new(), groups: Vec::new(), full: 0 }
    }

    fn are_full(&self) -> bool {
        self.full == self.wanted
    }

    /// Adds a row to the groups of its value.
    fn add(&mut self, value: ValueRef<'_>, row: (FoundRow, f32)) -> Result<()> {
        match value {
            ValueRef::List(list) => {
                let mut seen = HashSet::new();
                for element in list.iter() {
                    let element = element?;
                    if let Some(key) = key(element)
                        && seen.insert(key.clone())
                    {
                        self.add_to(key, element, row)?;
                    }
                }
                Ok(())
            }
            value => match key(value) {
                Some(key) => self.add_to(key, value, row),
                None => Ok(()),
            },
        }
    }

    fn add_to(&mut self, key: GroupKey, value: ValueRef<'_>, row: (FoundRow, f32)) -> Result<()> {
        let next = self.groups.len();
        let at = match self.at.entry(key) {
            Entry::Occupied(at) => *at.get(),
            Entry::Vacant(_) if next == self.wanted => return Ok(()),
            Entry::Vacant(vacant) => {
                self.groups.push(Filling { value: value.to_value()?, rows: Vec::new() });
                *vacant.insert(next)
            }
        };
        let rows = &mut self.groups[at].rows;
        if rows.len() < self.size {
            rows.push(row);
            self.full += usize::from(rows.len() == self.size);
        }
        Ok(())
    }
}

/// Returns what makes a value the same as others; `None` for what makes no group.
fn key(value: ValueRef<'_>) -> Option<GroupKey> {
    const INTS: std::ops::Range<f64> = -9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0;
    Some(match value {
        ValueRef::Bool(value) => GroupKey::Bool(value),
        ValueRef::Int(value) => GroupKey::Int(value),
        ValueRef::Float(value) if value.is_nan() => return None,
        ValueRef::Float(value) if value.fract() == 0.0 && INTS.contains(&value) => {
            GroupKey::Int(value as i64)
        }
        ValueRef::Float(value) => GroupKey::Float(value.to_bits()),
        ValueRef::Str(value) => GroupKey::Str(value.to_owned()),
        ValueRef::Bytes(value) => GroupKey::Bytes(value.to_vec()),
        ValueRef::DateTime(value) => GroupKey::Micros(value.unix_micros()),
        ValueRef::Null | ValueRef::List(_) | ValueRef::Map(_) => return None,
    })
}
