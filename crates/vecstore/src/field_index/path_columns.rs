//! What a section has of one path, value by value: for counting and for sorting.

use super::column::Column;
use super::field::{Field, Table};
use super::layout::part;
use super::leaf::{Part, look_up};
use super::reader::{FieldIndex, Section};
use super::row_ids::clear_tail;
use super::scalar::Scalar;
use super::stored_set::StoredSet;
use crate::error::Result;

/// The columns of one path.
#[derive(Clone, Debug)]
pub(crate) struct PathColumns<'a> {
    section: Section<'a>,
    field: Option<Field<'a>>,
    undecided: Vec<StoredSet<'a>>,
}

/// Some rows with the same value.
#[derive(Clone, Debug)]
pub(crate) struct ValueRows<'a> {
    part: Part<'a>,
    rows: usize,
}

impl ValueRows<'_> {
    /// Returns how many they are.
    pub(crate) fn len(&self) -> Result<usize> {
        self.part.count(self.rows)
    }

    /// Returns the rows as a bitmap.
    pub(crate) fn words(&self) -> Result<Vec<u64>> {
        let mut words = vec![0; self.rows.div_ceil(64)];
        self.part.scatter(&mut words, self.rows)?;
        Ok(words)
    }

    /// Returns the rows one by one, in any order.
    pub(crate) fn list(&self) -> Result<Vec<u32>> {
        let mut list = Vec::new();
        if !self.part.collect(&mut list)? {
            let words = self.words()?;
            list = super::row_ids::rows_of_words(&words).collect();
        }
        // What is beyond the last row was forged, and must not get further.
        list.retain(|&row| (row as usize) < self.rows);
        Ok(list)
    }
}

impl<'a> FieldIndex<'a> {
    /// Looks up the columns of a path.
    pub(crate) fn path_columns(&self, path: &str) -> Result<PathColumns<'a>> {
        let looked = look_up(self, path)?;
        Ok(PathColumns { section: self.section(), field: looked.field, undecided: looked.undecided })
    }
}

impl<'a> PathColumns<'a> {
    fn rows(&self) -> usize {
        self.section.rows
    }

    /// Returns the rows with a value at the path that may be in no column, unless there are none. Other rows are in the
    /// columns of `ValueCursor`, or have no value with an order.
    pub(crate) fn unsorted(&self) -> Result<Option<Vec<u64>>> {
        let values = self.field.map(|field| field.values());
        self.union(values.iter().flat_map(|table| [part::LONG, part::DROPPED].map(|set| table.set(set))))
    }

    /// Returns the rows that have a value, at the path or in a list there, that may be in no column and no set, unless there
    /// are none.
    pub(crate) fn untold(&self) -> Result<Option<Vec<u64>>> {
        let sets = |table: Table<'a>, sets: &'static [usize]| sets.iter().map(move |&set| table.set(set));
        let of_field = |field: Field<'a>| {
            sets(field.values(), &[part::LONG, part::DROPPED, part::MAPS])
                .chain(sets(field.elements(), &[part::LONG, part::DROPPED, part::MAPS, part::LISTS]))
        };
        self.union(self.field.into_iter().flat_map(of_field))
    }

    fn union(&self, sets: impl Iterator<Item = StoredSet<'a>>) -> Result<Option<Vec<u64>>> {
        let mut words = None;
        for set in self.undecided.iter().copied().chain(sets).filter(|set| !set.is_empty()) {
            set.scatter(words.get_or_insert_with(|| vec![0; self.rows().div_ceil(64)]))?;
        }
        Ok(words)
    }

    /// Adds up how many rows have each value, at the path or in a list there; `None` is null. With `among`, only those rows
    /// count. A value may come twice: as a value, and as an element.
    pub(crate) fn tally(
        &self,
        among: Option<&[u64]>,
        add: &mut dyn FnMut(Option<Scalar<'a>>, usize),
    ) -> Result<()> {
        let Some(field) = self.field else { return Ok(()) };
        let singles = [
            (part::NULLS, None),
            (part::FALSES, Some(Scalar::Bool(false))),
            (part::TRUES, Some(Scalar::Bool(true))),
        ];
        for table in [field.values(), field.elements()] {
            for (set, value) in singles {
                let set = table.set(set);
                let count = match among {
                    None => set.len(),
                    Some(_) if set.is_empty() => 0,
                    Some(among) => {
                        let mut words = vec![0; among.len()];
                        set.scatter(&mut words)?;
                        words
                            .iter()
                            .zip(among)
                            .map(|(word, among)| (word & among).count_ones() as usize)
                            .sum()
                    }
                };
                if count > 0 {
                    add(value, count);
                }
            }
            for part in 0..part::COLUMNS {
                let Some(column) = table.column(part) else { continue };
                column.tally(among, &mut |n, count| {
                    add(Some(Scalar::in_column(&self.section, &column, part, n)?), count);
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    /// Returns the rows that have a value with an order at the path, as columns tell.
    pub(crate) fn sorted_words(&self) -> Result<Vec<u64>> {
        let mut words = vec![0; self.rows().div_ceil(64)];
        if let Some(field) = self.field {
            let table = field.values();
            table.set(part::FALSES).scatter(&mut words)?;
            table.set(part::TRUES).scatter(&mut words)?;
            for column in (0..part::COLUMNS).filter_map(|part| table.column(part)) {
                column.scatter(&(0..column.distinct()), &mut words)?;
            }
        }
        clear_tail(&mut words, self.rows());
        Ok(words)
    }

    /// Steps through the values at the path that have an order, in it or from its end.
    pub(crate) fn cursor(&self, descending: bool) -> ValueCursor<'a> {
        let mut groups = Vec::new();
        if let Some(field) = self.field {
            let table = field.values();
            for (set, value) in [(part::FALSES, false), (part::TRUES, true)] {
                let set = table.set(set);
                if !set.is_empty() {
                    groups.push(Group::Bool(value, set));
                }
            }
            for part in [part::NUMBERS, part::TIMES, part::STRINGS, part::BYTES] {
                groups.extend(table.column(part).map(|column| Group::Column(part, column)));
            }
        }
        if descending {
            groups.reverse();
        }
        ValueCursor { section: self.section, groups, group: 0, passed: 0, descending }
    }
}

#[derive(Clone, Copy, Debug)]
enum Group<'a> {
    Bool(bool, StoredSet<'a>),
    Column(usize, Column<'a>),
}

impl Group<'_> {
    fn len(&self) -> u32 {
        match self {
            Self::Bool(..) => 1,
            Self::Column(_, column) => column.distinct(),
        }
    }

    /// Returns where the type stands in the order of types.
    fn rank(&self) -> usize {
        match self {
            Self::Bool(value, _) => usize::from(*value),
            Self::Column(part, _) => rank_of_column(*part),
        }
    }
}

fn rank_of_column(column: usize) -> usize {
    match column {
        part::NUMBERS => 2,
        part::TIMES => 3,
        part::STRINGS => 4,
        _ => 5,
    }
}

/// The distinct values at a path, one by one.
#[derive(Clone, Debug)]
pub(crate) struct ValueCursor<'a> {
    section: Section<'a>,
    groups: Vec<Group<'a>>,
    group: usize,
    /// Values of the group that are behind.
    passed: u32,
    descending: bool,
}

impl<'a> ValueCursor<'a> {
    /// Goes to a value, or to where it would be.
    pub(crate) fn seek(&mut self, value: Scalar<'_>) -> Result<()> {
        let rank = match value {
            Scalar::Bool(value) => usize::from(value),
            _ => rank_of_column(value.column().unwrap_or_default()),
        };
        let is_before =
            |group: &Group<'_>| if self.descending { group.rank() > rank } else { group.rank() < rank };
        self.group = self.groups.iter().take_while(|group| is_before(group)).count();
        self.passed = 0;
        let Some(Group::Column(part, column)) = self.groups.get(self.group) else { return Ok(()) };
        if Some(*part) != value.column() {
            return Ok(());
        }
        // Those that are behind: below the value or, from the end, above it.
        let or_equal = self.descending;
        let below = match value {
            Scalar::Number(key) => column.keys_before(key, or_equal)?,
            Scalar::Time(micros) => column.keys_before(super::number::Key::of_int(micros), or_equal)?,
            Scalar::Text(text) => column.texts_before(text.as_bytes(), or_equal)?,
            Scalar::Bytes(bytes) => column.texts_before(bytes, or_equal)?,
            Scalar::Bool(_) => 0,
        };
        self.passed = if self.descending { column.distinct() - below } else { below };
        Ok(())
    }

    /// Returns the next value and the rows that have it.
    pub(crate) fn next(&mut self) -> Result<Option<(Scalar<'a>, ValueRows<'a>)>> {
        let rows = self.section.rows;
        while let Some(group) = self.groups.get(self.group) {
            if self.passed >= group.len() {
                self.group += 1;
                self.passed = 0;
                continue;
            }
            let n = if self.descending { group.len() - 1 - self.passed } else { self.passed };
            self.passed += 1;
            let (value, part) = match *group {
                Group::Bool(value, set) => (Scalar::Bool(value), Part::Set(set)),
                Group::Column(part, column) => {
                    let value = Scalar::in_column(&self.section, &column, part, n)?;
                    (value, Part::Values(column, std::iter::once(n..n + 1).collect()))
                }
            };
            return Ok(Some((value, ValueRows { part, rows })));
        }
        Ok(None)
    }
}
