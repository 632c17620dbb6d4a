//! The values that records have at a path, and how many have each: from the columns of segments where they tell, otherwise from
//! the documents.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::Collection;
use super::part::PartView;
use super::snapshot::Snapshot;
use crate::codec::WriteFields;
use crate::error::{Error, Result};
use crate::field_index::{PathColumns, RowIds, Scalar, rows_of_words};
use crate::filter::{FieldBuilder, Filter, Matcher, element, field};
use crate::metadata::{DocumentRef, Value, ValueRef};

/// Up to this share of the rows (1 in 64), reading the documents of those beats adding up columns: about 300 ns a row against
/// 5 ns an entry.
const FEW_SHARE: usize = 64;

/// A value and how many records have it; see [`Collection::facets`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Facet {
    /// The value.
    pub value: Value,
    /// How many records have it.
    pub count: usize,
}

/// A range of values and how many records have one in it; see [`Collection::range_facets`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RangeFacet {
    /// The first value that is in it; `None` if it has no lower end.
    pub start: Option<Value>,
    /// The first value that is beyond it; `None` if it has no upper end.
    pub end: Option<Value>,
    /// How many records have a value in it.
    pub count: usize,
}

impl Collection {
    /// Returns the distinct values that records have at a path (of those that match, with a filter), in order: null, false, true,
    /// numbers, datetimes, strings, bytes, lists, maps.
    ///
    /// Of a list each element counts, not the list; a list in a list is a value. Records without the path have none. Values
    /// are the same as filters see it: 1 and 1.0 are one number, which is returned as an integer as any number without a
    /// fraction; datetimes of the same instant are one, returned in UTC; a truth value is no number, a string no datetime. NaN
    /// equals nothing and is left out.
    ///
    /// In segments O(distinct values), or O(rows) where there are a filter, deletes or expiring records; records in memory
    /// are read one by one.
    pub fn distinct(&self, path: &str, filter: Option<&Filter>) -> Result<Vec<Value>> {
        let mut values: Vec<(FacetKey<'_>, Counted)> = Vec::new();
        let snapshot = self.core.snapshot()?;
        values.extend(snapshot.tally(path, filter, self.core.now())?.counts);
        values.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        values.into_iter().map(|(key, counted)| key.value(counted)).collect()
    }

    /// Returns how many records have each value at a path, the most frequent first, then in the order of
    /// [`Collection::distinct`]. A record counts once for each value it has. With a `limit`, the first so many.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a limit of 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use vecstore::{Metadata, Value, VecStore};
    ///
    /// let store = VecStore::options().open_in_memory()?;
    /// for (id, tags) in [("a", ["red", "round"]), ("b", ["red", "long"])] {
    ///     store.upsert(id, &[1.0, 0.0], &Metadata::new().with("tags", tags))?;
    /// }
    /// let most = &store.facets("tags", None, Some(1))?[0];
    /// assert_eq!((&most.value, most.count), (&Value::from("red"), 2));
    /// # Ok::<(), vecstore::Error>(())
    /// ```
    pub fn facets(&self, path: &str, filter: Option<&Filter>, limit: Option<usize>) -> Result<Vec<Facet>> {
        if limit == Some(0) {
            return Err(Error::invalid("limit must be at least 1, got 0"));
        }
        let snapshot = self.core.snapshot()?;
        let counts = snapshot.tally(path, filter, self.core.now())?.counts;
        let mut found: Vec<(Reverse<usize>, FacetKey<'_>, Counted)> =
            counts.into_iter().map(|(key, counted)| (Reverse(counted.count), key, counted)).collect();
        let order = |a: &(Reverse<usize>, FacetKey<'_>, Counted),
                     b: &(Reverse<usize>, FacetKey<'_>, Counted)| {
            (a.0, &a.1).cmp(&(b.0, &b.1))
        };
        let limit = limit.unwrap_or(usize::MAX);
        if limit < found.len() {
            found.select_nth_unstable_by(limit, order);
            found.truncate(limit);
        }
        found.sort_unstable_by(order);
        let facet = |(Reverse(count), key, counted): (Reverse<usize>, FacetKey<'_>, Counted)| {
            Ok(Facet { value: key.value(counted)?, count })
        };
        found.into_iter().map(facet).collect()
    }

    /// Returns how many records have a value at a path, or in a list there, in each range between two bounds: from the first
    /// (inclusive) to the second (exclusive), and so on. The first bound and the last may be `None`: no end. Values compare as
    /// in filters: numbers with numbers, datetimes with datetimes and strings that read as such.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for fewer than two bounds, or if they are not numbers, datetimes or strings that ascend.
    pub fn range_facets(
        &self,
        path: &str,
        filter: Option<&Filter>,
        bounds: &[Option<Value>],
    ) -> Result<Vec<RangeFacet>> {
        check_bounds(bounds)?;
        let (snapshot, now) = (self.core.snapshot()?, self.core.now());
        let count = |range: &[Option<Value>]| {
            let [start, end] = range else { return Err(Error::invalid("a range has two bounds")) };
            let within = |about: &dyn Fn() -> FieldBuilder| {
                let start = start.iter().map(|start| about().gte(start.clone()));
                let end = end.iter().map(|end| about().lt(end.clone()));
                Filter::And(start.chain(end).collect())
            };
            let values = within(&|| field(path)) | field(path).elem_match(within(&element));
            let wanted = Filter::And(filter.cloned().into_iter().chain([values]).collect());
            let count = snapshot.count_matches(&wanted.compile()?, now)?;
            Ok(RangeFacet { start: start.clone(), end: end.clone(), count })
        };
        bounds.windows(2).map(count).collect()
    }
}

fn check_bounds(bounds: &[Option<Value>]) -> Result<()> {
    if bounds.len() < 2 || bounds.len() == 2 && bounds.iter().all(Option::is_none) {
        return Err(Error::invalid(format!(
            "buckets must have two bounds at least, one of them a value, got {}",
            bounds.len()
        )));
    }
    let mut last: Option<Scalar<'_>> = None;
    for (n, bound) in bounds.iter().enumerate() {
        let Some(bound) = bound else {
            if n == 0 || n + 1 == bounds.len() {
                continue;
            }
            return Err(Error::invalid(format!(
                "buckets: only the first and the last bound may be None, got bound {n}"
            )));
        };
        let value =
            Scalar::of_value(bound).filter(|value| !matches!(value, Scalar::Bool(_) | Scalar::Bytes(_)));
        let value = value.ok_or_else(|| {
            Error::invalid(format!(
                "buckets: bounds are numbers, datetimes or strings, got {} as bound {n}",
                bound.type_name()
            ))
        })?;
        if last.is_some_and(|last| !last.is_like(value) || last >= value) {
            return Err(Error::invalid(format!(
                "buckets: bounds are of one type and ascend, got {bound:?} as bound {n} after another or greater one"
            )));
        }
        last = Some(value);
    }
    Ok(())
}

/// A value to count by, in the order values are listed in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum FacetKey<'s> {
    Null,
    Scalar(Scalar<'s>),
    /// Lists and maps in a form in which equal ones are the same bytes.
    List(Vec<u8>),
    Map(Vec<u8>),
}

/// How often a key was seen, and the value if the key does not tell it.
#[derive(Clone, Debug, Default)]
struct Counted {
    count: usize,
    value: Option<Value>,
}

impl<'s> FacetKey<'s> {
    /// NaN has none.
    fn of(value: ValueRef<'s>) -> Option<Self> {
        Some(match value {
            ValueRef::Null => Self::Null,
            ValueRef::List(_) => Self::List(canonical(value)),
            ValueRef::Map(_) => Self::Map(canonical(value)),
            scalar => Self::Scalar(Scalar::of(scalar)?),
        })
    }

    fn value(self, counted: Counted) -> Result<Value> {
        match self {
            Self::Null => Ok(Value::Null),
            Self::Scalar(scalar) => scalar.value(),
            Self::List(_) | Self::Map(_) => Ok(counted.value.unwrap_or_default()),
        }
    }
}

fn canonical(value: ValueRef<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    put_canonical(value, &mut out);
    out
}

/// Recursion is bounded by the depth of documents.
fn put_canonical(value: ValueRef<'_>, out: &mut Vec<u8>) {
    const SCALAR: u8 = 1;
    const LIST: u8 = 2;
    const MAP: u8 = 3;
    match value {
        ValueRef::List(list) => {
            out.put_u8(LIST);
            out.put_u32(list.count() as u32);
            list.iter().flatten().for_each(|item| put_canonical(item, out));
        }
        ValueRef::Map(map) => {
            let mut entries: Vec<(&str, ValueRef<'_>)> = map.iter().flatten().collect();
            entries.sort_unstable_by_key(|&(key, _)| key);
            out.put_u8(MAP);
            out.put_u32(entries.len() as u32);
            for (key, value) in entries {
                out.put_prefixed(key.as_bytes());
                put_canonical(value, out);
            }
        }
        scalar => {
            let mut bytes = Vec::new();
            if let Some(scalar) = Scalar::of(scalar) {
                scalar.encode(&mut bytes);
            } else if !matches!(scalar, ValueRef::Null) {
                bytes.put_u8(u8::MAX); // NaN
            }
            out.put_u8(SCALAR);
            out.put_prefixed(&bytes);
        }
    }
}

/// Counts by value.
#[derive(Debug, Default)]
struct Tally<'s> {
    counts: HashMap<FacetKey<'s>, Counted>,
}

impl<'s> Tally<'s> {
    /// Adds what one record has at the path.
    fn add(&mut self, found: Option<ValueRef<'s>>) {
        match found {
            None => {}
            Some(ValueRef::List(list)) => {
                let mut keys: Vec<(FacetKey<'s>, ValueRef<'s>)> =
                    list.iter().flatten().filter_map(|item| Some((FacetKey::of(item)?, item))).collect();
                keys.sort_by(|a, b| a.0.cmp(&b.0));
                keys.dedup_by(|a, b| a.0 == b.0);
                keys.into_iter().for_each(|(key, value)| self.add_key(key, value));
            }
            Some(value) => {
                if let Some(key) = FacetKey::of(value) {
                    self.add_key(key, value);
                }
            }
        }
    }

    fn add_key(&mut self, key: FacetKey<'s>, value: ValueRef<'s>) {
        let is_composite = matches!(key, FacetKey::List(_) | FacetKey::Map(_));
        let counted = self.counts.entry(key).or_default();
        counted.count += 1;
        if is_composite && counted.value.is_none() {
            counted.value = value.to_value().ok();
        }
    }
}

impl Snapshot {
    fn tally(&self, path: &str, filter: Option<&Filter>, now: u64) -> Result<Tally<'_>> {
        let matcher = filter.map(Filter::compile).transpose()?;
        let mut tally = Tally::default();
        for view in &self.parts {
            view.tally(path, matcher.as_ref(), now, &mut tally)?;
        }
        Ok(tally)
    }
}

impl PartView {
    fn tally<'s>(
        &'s self,
        path: &str,
        matcher: Option<&Matcher>,
        now: u64,
        tally: &mut Tally<'s>,
    ) -> Result<()> {
        let value = |row: u32| Ok(DocumentRef::new(self.part.body(row)?.document)?.get_path(path));
        let Some(fields) = self.fields()? else {
            for row in 0..self.part.len() as u32 {
                if self.is_visible(row, now)?
                    && matcher.map_or(Ok(true), |matcher| self.document_matches(row, matcher))?
                {
                    tally.add(value(row)?);
                }
            }
            return Ok(());
        };
        let columns = fields.path_columns(path)?;
        let mut among = self.matching_words(matcher, now)?;
        if let Some(words) = &among {
            let count: usize = words.iter().map(|word| word.count_ones() as usize).sum();
            if count * FEW_SHARE <= self.part.len() {
                return rows_of_words(words).try_for_each(|row| {
                    tally.add(value(row)?);
                    Ok(())
                });
            }
        }
        if let Some(untold) = columns.untold()? {
            let words =
                among.get_or_insert_with(|| (0..untold.len()).map(|n| self.visible_word(n)).collect());
            for (n, (word, untold)) in words.iter_mut().zip(&untold).enumerate() {
                for row in rows_of_words(&[*word & untold]) {
                    tally.add(value(n as u32 * 64 + row)?);
                }
                *word &= !untold;
            }
        }
        add_columns(&columns, among.as_deref(), tally)
    }

    /// Returns the visible rows that match as a bitmap; `None` if they are all rows.
    pub(super) fn matching_words(&self, matcher: Option<&Matcher>, now: u64) -> Result<Option<Vec<u64>>> {
        if matcher.is_none() && self.marks.is_empty() && !self.part.has_expiry() {
            return Ok(None);
        }
        let rows = self.part.len();
        let visible = (0..rows.div_ceil(64)).map(|n| self.visible_word(n));
        let mut words: Vec<u64> = visible.collect();
        if let Some(matcher) = matcher {
            let (matching, undecided) = match self.fields()? {
                Some(fields) => {
                    let selection = fields.plan(matcher)?.select()?;
                    (selection.rows.into_words(rows), selection.undecided)
                }
                None => (vec![u64::MAX; words.len()], RowIds::all(rows)),
            };
            words.iter_mut().zip(&matching).for_each(|(word, matching)| *word &= matching);
            for row in undecided.iter() {
                let word = &mut words[row as usize / 64];
                if *word >> (row % 64) & 1 == 1 && !self.document_matches(row, matcher)? {
                    *word &= !(1 << (row % 64));
                }
            }
        }
        if self.part.has_expiry() {
            for (n, word) in words.iter_mut().enumerate() {
                for row in rows_of_words(&[*word]) {
                    if self.is_expired(n as u32 * 64 + row, now)? {
                        *word &= !(1 << row);
                    }
                }
            }
        }
        Ok(Some(words))
    }
}

fn add_columns<'s>(columns: &PathColumns<'s>, among: Option<&[u64]>, tally: &mut Tally<'s>) -> Result<()> {
    columns.tally(among, &mut |value, count| {
        let key = value.map_or(FacetKey::Null, FacetKey::Scalar);
        tally.counts.entry(key).or_default().count += count;
    })
}
