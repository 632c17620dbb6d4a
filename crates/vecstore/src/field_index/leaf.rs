//! One condition on one path: which parts of the columns have the rows that satisfy it.

use std::ops::Range;

use super::column::Column;
use super::field::{Field, Table};
use super::layout::part;
use super::number::Key;
use super::reader::FieldIndex;
use super::row_ids::{LIST_SHARE, RowIds};
use super::stored_set::StoredSet;
use crate::error::Result;
use crate::filter::{Comparison, LikePattern, Operand, Test, Wanted};
use crate::metadata::{DateTime, ValueRef};

/// Some rows.
#[derive(Clone, Debug)]
pub(super) enum Part<'a> {
    Everything,
    Set(StoredSet<'a>),
    /// The rows that are not in the set.
    Outside(StoredSet<'a>),
    /// The rows with a value in one of the ranges of ordinals, which are ascending.
    Values(Column<'a>, Vec<Range<u32>>),
}

impl Part<'_> {
    /// Returns the number of rows; one with several of the values may count for each.
    pub(super) fn count(&self, rows: usize) -> Result<usize> {
        match self {
            Self::Everything => Ok(rows),
            Self::Set(set) => Ok(set.len()),
            Self::Outside(set) => Ok(rows - set.len()),
            Self::Values(column, ranges) => ranges.iter().map(|range| column.count(range)).sum(),
        }
    }

    pub(super) fn scatter(&self, words: &mut [u64], rows: usize) -> Result<()> {
        match self {
            Self::Everything => {
                words.fill(u64::MAX);
                super::row_ids::clear_tail(words, rows);
                Ok(())
            }
            Self::Set(set) => set.scatter(words),
            Self::Outside(set) => {
                let mut inside = vec![0; words.len()];
                set.scatter(&mut inside)?;
                words.iter_mut().zip(&inside).for_each(|(word, inside)| *word |= !inside);
                super::row_ids::clear_tail(words, rows);
                Ok(())
            }
            Self::Values(column, ranges) => ranges.iter().try_for_each(|range| column.scatter(range, words)),
        }
    }

    /// Appends the rows to a list. Returns `false` if they can only be had as bits.
    pub(super) fn collect(&self, list: &mut Vec<u32>) -> Result<bool> {
        match self {
            Self::Everything | Self::Outside(_) => Ok(false),
            Self::Set(set) => set.collect(list),
            Self::Values(column, ranges) => {
                ranges.iter().try_for_each(|range| column.collect(range, list)).map(|()| true)
            }
        }
    }
}

/// Up to this many rows, sorting them beats setting and reading bits (about 20 ns a row against 5 us).
const SORTED_ROWS_MAX: usize = 256;

/// Returns the rows of all parts together.
pub(super) fn union(parts: &[Part<'_>], rows: usize) -> Result<RowIds> {
    let mut count = 0;
    for part in parts {
        count += part.count(rows)?;
    }
    let is_one_value =
        matches!(parts, [Part::Values(_, ranges)] if matches!(&ranges[..], [range] if range.len() == 1));
    if count <= SORTED_ROWS_MAX || is_one_value && count <= rows / LIST_SHARE {
        let mut list = Vec::with_capacity(count);
        let mut is_listed = true;
        for part in parts {
            is_listed = is_listed && part.collect(&mut list)?;
        }
        if is_listed {
            if !list.is_sorted_by(|a, b| a < b) {
                list.sort_unstable();
                list.dedup();
            }
            // What is beyond the last row was forged, and must not get further.
            list.truncate(list.partition_point(|&row| (row as usize) < rows));
            return Ok(RowIds::List(list));
        }
    }
    let mut words = vec![0; rows.div_ceil(64)];
    parts.iter().try_for_each(|part| part.scatter(&mut words, rows))?;
    Ok(RowIds::of_words(words, rows))
}

/// The rows that satisfy a condition: those of `yes` that are not in `maybe`, and of `maybe` those whose documents do.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaf<'a> {
    pub(super) yes: Vec<Part<'a>>,
    pub(super) maybe: Vec<Part<'a>>,
    /// Whether a row can be in several parts of `yes`, or for several values.
    pub(super) overlaps: bool,
}

impl<'a> Leaf<'a> {
    fn yes(&mut self, part: Part<'a>) {
        let is_empty = match &part {
            Part::Everything => false,
            Part::Set(set) => set.is_empty(),
            Part::Outside(set) => set.is_all(),
            Part::Values(_, ranges) => ranges.is_empty(),
        };
        if !is_empty {
            self.yes.push(part);
        }
    }

    pub(super) fn maybe(&mut self, set: StoredSet<'a>) {
        if !set.is_empty() {
            self.maybe.push(Part::Set(set));
        }
    }

    fn values(&mut self, column: Column<'a>, mut ranges: Vec<Range<u32>>) {
        ranges.retain(|range| !range.is_empty());
        self.yes(Part::Values(column, ranges));
    }

    /// Returns the rows of two orderings of one path, if each is a range of the same column of single values.
    pub(super) fn narrowed(&self, other: &Self) -> Option<Self> {
        let single = |leaf: &Self| match (&leaf.yes[..], &leaf.maybe[..]) {
            ([Part::Values(column, ranges)], []) if !leaf.overlaps => match &ranges[..] {
                [range] => Some((*column, range.clone())),
                _ => None,
            },
            _ => None,
        };
        let ((column, one), (same, two)) = (single(self)?, single(other)?);
        column.is_same(&same).then(|| {
            let mut leaf = Self::default();
            let both = one.start.max(two.start)..one.end.min(two.end);
            leaf.values(column, Vec::from([both]));
            leaf
        })
    }

    /// Adds what a scan of the texts of a column found; all of the column may be it if there was none.
    fn scanned(&mut self, column: Column<'a>, found: Option<Vec<Range<u32>>>) {
        match found {
            Some(ranges) => self.values(column, ranges),
            None => self.maybe.push(Part::Values(column, std::iter::once(0..column.distinct()).collect())),
        }
    }

    /// Adds the parts of a table of elements, of which a row can have several.
    pub(super) fn elements(&mut self, elements: Leaf<'a>) {
        let values = |part: &Part<'_>| match part {
            Part::Values(_, ranges) => ranges.iter().map(|range| range.len()).sum(),
            Part::Everything | Part::Set(_) | Part::Outside(_) => 1,
        };
        self.overlaps |= elements.yes.iter().map(values).sum::<usize>() > 1;
        self.yes.extend(elements.yes);
        self.maybe.extend(elements.maybe);
    }
}

/// What makes values equal to some operands, sorted out by type.
#[derive(Default)]
struct WantedValues<'t> {
    is_null: bool,
    bools: [bool; 2],
    numbers: Vec<Key>,
    texts: Vec<&'t str>,
    bytes: Vec<&'t [u8]>,
    times: Vec<Key>,
    text_times: Vec<i64>,
    lists: bool,
    maps: bool,
}

impl<'t> WantedValues<'t> {
    fn push(&mut self, wanted: Wanted<'t>) {
        match wanted {
            Wanted::Null => self.is_null = true,
            Wanted::Bool(value) => self.bools[usize::from(value)] = true,
            Wanted::Int(value) => self.numbers.push(Key::of_int(value)),
            Wanted::Float(value) => self.numbers.extend(Key::of_float(value)),
            Wanted::Text(text) => self.texts.push(text),
            Wanted::Bytes(bytes) => self.bytes.push(bytes),
            Wanted::Time(micros) => self.times.push(Key::of_int(micros)),
            Wanted::TimeAsText(micros) => self.text_times.push(micros),
            Wanted::List => self.lists = true,
            Wanted::Map => self.maps = true,
        }
    }

    /// Returns the values of a table that are wanted themselves, not through their elements.
    fn of_table<'a>(&self, table: &Table<'a>) -> Result<Leaf<'a>> {
        let is_long = |len: usize| len > table.longest();
        let mut leaf = Leaf::default();
        for (set, is_wanted) in
            [(part::NULLS, self.is_null), (part::FALSES, self.bools[0]), (part::TRUES, self.bools[1])]
        {
            if is_wanted {
                leaf.yes(Part::Set(table.set(set)));
            }
        }
        for (column, keys) in [(part::NUMBERS, &self.numbers), (part::TIMES, &self.times)] {
            if let Some(column) = table.column(column)
                && !keys.is_empty()
            {
                let found = keys.iter().map(|&key| column.find_key(key));
                leaf.values(column, ranges_of(found)?);
            }
        }
        if let Some(strings) = table.column(part::STRINGS) {
            let mut found = Vec::new();
            if !self.texts.is_empty() {
                found = ranges_of(self.texts.iter().map(|text| strings.find_text(text.as_bytes())))?;
            }
            if !self.text_times.is_empty() && strings.has_times() {
                let mut times = self.text_times.clone();
                times.sort_unstable();
                let is_wanted = |text: &str| {
                    DateTime::try_parse(text)
                        .is_some_and(|time| times.binary_search(&time.unix_micros()).is_ok())
                };
                match strings.scan_texts(is_wanted)? {
                    Some(times) => found = distinct(found.into_iter().chain(times).collect()),
                    None => leaf.scanned(strings, None),
                }
            }
            leaf.values(strings, found);
        }
        if let Some(column) = table.column(part::BYTES)
            && !self.bytes.is_empty()
        {
            leaf.values(column, ranges_of(self.bytes.iter().map(|bytes| column.find_text(bytes)))?);
        }
        leaf.maybe(table.set(part::DROPPED));
        if self.texts.iter().any(|text| is_long(text.len()))
            || self.bytes.iter().any(|bytes| is_long(bytes.len()))
            || !self.text_times.is_empty()
        {
            leaf.maybe(table.set(part::LONG));
        }
        for (set, is_wanted) in [(part::LISTS, self.lists), (part::MAPS, self.maps)] {
            if is_wanted {
                leaf.maybe(table.set(set));
            }
        }
        Ok(leaf)
    }
}

/// Makes ascending ranges of ordinals that were found one by one.
fn ranges_of(found: impl Iterator<Item = Result<Option<u32>>>) -> Result<Vec<Range<u32>>> {
    let found: Vec<Range<u32>> =
        found.filter_map(Result::transpose).map(|n| n.map(|n| n..n + 1)).collect::<Result<_>>()?;
    Ok(distinct(found))
}

fn distinct(mut ranges: Vec<Range<u32>>) -> Vec<Range<u32>> {
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.dedup_by(|next, last| {
        let meets = next.start <= last.end;
        if meets {
            last.end = last.end.max(next.end);
        }
        meets
    });
    ranges
}

/// Returns the rows whose value at a path, or an element of it, equals one of the operands.
fn equal<'a>(field: &Field<'a>, wanted: &WantedValues<'_>) -> Result<Leaf<'a>> {
    let mut leaf = wanted.of_table(&field.values())?;
    leaf.elements(wanted.of_table(&field.elements())?);
    Ok(leaf)
}

/// Returns the rows of a table with a string that satisfies a test of strings.
fn strings<'a>(table: &Table<'a>, test: &Test) -> Result<Leaf<'a>> {
    let mut leaf = Leaf::default();
    leaf.maybe(table.set(part::LONG));
    leaf.maybe(table.set(part::DROPPED));
    let Some(column) = table.column(part::STRINGS) else { return Ok(leaf) };
    match test {
        Test::StartsWith(prefix) | Test::Like(LikePattern::Prefix(prefix)) => {
            leaf.values(column, vec![column.with_prefix(prefix.as_bytes())?]);
        }
        Test::Like(LikePattern::Exact(text)) => {
            leaf.values(column, ranges_of([column.find_text(text.as_bytes())].into_iter())?);
        }
        _ => {
            let found = column.scan_texts(|text| test.matches(Some(ValueRef::Str(text))))?;
            leaf.scanned(column, found);
        }
    }
    Ok(leaf)
}

/// Returns the rows of a table whose value satisfies every comparison.
fn ordered<'a>(table: &Table<'a>, test: &Test, tests: &[(Comparison, &Operand)]) -> Result<Leaf<'a>> {
    let mut leaf = Leaf::default();
    leaf.maybe(table.set(part::DROPPED));
    let has = |kind: fn(&Operand) -> bool| tests.iter().any(|(_, operand)| kind(operand));
    let all = |kind: fn(&Operand) -> bool| tests.iter().all(|(_, operand)| kind(operand));
    let number = |operand: &Operand| match operand {
        Operand::Int(value) => Some(Key::of_int(*value)),
        Operand::Float(value) => Key::of_float(*value),
        _ => None,
    };
    let time = |operand: &Operand| match operand {
        Operand::Time(micros) | Operand::Str { time: Some(micros), .. } => Some(Key::of_int(*micros)),
        _ => None,
    };
    let text = |operand: &Operand| match operand {
        Operand::Str { text, .. } => Some(text.as_bytes().to_vec()),
        _ => None,
    };
    let bytes = |operand: &Operand| match operand {
        Operand::Bytes(bytes) => Some(bytes.clone()),
        _ => None,
    };
    range_of(&mut leaf, table.column(part::NUMBERS), tests, number, |column, key, or_equal| {
        column.keys_before(*key, or_equal)
    })?;
    range_of(&mut leaf, table.column(part::TIMES), tests, time, |column, key, or_equal| {
        column.keys_before(*key, or_equal)
    })?;
    range_of(&mut leaf, table.column(part::BYTES), tests, bytes, |column, bytes, or_equal| {
        column.texts_before(bytes, or_equal)
    })?;
    if has(|operand| matches!(operand, Operand::Time(_))) {
        if let Some(strings) = table.column(part::STRINGS).filter(Column::has_times) {
            let found = strings.scan_texts(|text| test.matches(Some(ValueRef::Str(text))))?;
            leaf.scanned(strings, found);
        }
    } else {
        range_of(&mut leaf, table.column(part::STRINGS), tests, text, |column, text, or_equal| {
            column.texts_before(text, or_equal)
        })?;
    }
    if all(|operand| matches!(operand, Operand::Str { .. } | Operand::Time(_) | Operand::Bytes(_))) {
        leaf.maybe(table.set(part::LONG));
    }
    Ok(leaf)
}

/// Adds the range of a column that satisfies every comparison, if all operands have keys of its type.
fn range_of<'a, K>(
    leaf: &mut Leaf<'a>,
    column: Option<Column<'a>>,
    tests: &[(Comparison, &Operand)],
    key: impl Fn(&Operand) -> Option<K>,
    before: impl Fn(&Column<'a>, &K, bool) -> Result<u32>,
) -> Result<()> {
    let Some(column) = column else { return Ok(()) };
    let mut range = 0..column.distinct();
    for (comparison, operand) in tests {
        let Some(key) = key(operand) else { return Ok(()) };
        match comparison {
            Comparison::Greater => range.start = range.start.max(before(&column, &key, true)?),
            Comparison::GreaterOrEqual => range.start = range.start.max(before(&column, &key, false)?),
            Comparison::Less => range.end = range.end.min(before(&column, &key, false)?),
            Comparison::LessOrEqual => range.end = range.end.min(before(&column, &key, true)?),
        }
    }
    leaf.values(column, vec![range]);
    Ok(())
}

/// Returns the rows with a number in a closed range.
pub(super) fn numbers_within<'a>(field: Option<&Field<'a>>, low: f64, high: f64) -> Result<Leaf<'a>> {
    let (low, high) = (Operand::Float(low), Operand::Float(high));
    let test = Test::Between(low.clone(), high.clone());
    let tests = [(Comparison::GreaterOrEqual, &low), (Comparison::LessOrEqual, &high)];
    field.map_or_else(|| Ok(Leaf::default()), |field| ordered(&field.values(), &test, &tests))
}

/// Returns the rows whose value in a table satisfies a test, not through elements of its own.
pub(super) fn of_table<'a>(table: &Table<'a>, test: &Test) -> Result<Leaf<'a>> {
    let mut wanted = WantedValues::default();
    match test {
        Test::Equal(operand) => operand.for_each_wanted(&mut |value| wanted.push(value)),
        Test::In(operands) => operands.for_each_wanted(&mut |value| wanted.push(value)),
        Test::Ordered(comparison, operand) => return ordered(table, test, &[(*comparison, operand)]),
        Test::Between(low, high) => {
            let tests = [(Comparison::GreaterOrEqual, low), (Comparison::LessOrEqual, high)];
            return ordered(table, test, &tests);
        }
        Test::StartsWith(_) | Test::EndsWith(_) | Test::Like(_) | Test::Regex(_) | Test::Text(_) => {
            return strings(table, test);
        }
        // Of strings, those with the substrings; of lists, see `of_field`.
        Test::Contains(_) | Test::ContainsAny { .. } | Test::ContainsAll(_) => return strings(table, test),
        Test::Present | Test::Size(_) | Test::ElemMatch { .. } | Test::Circle(_) | Test::Rectangle(_) => {
            return Ok(Leaf::default());
        }
    }
    wanted.of_table(table)
}

/// Returns the rows with a list at the path that has an element equal to one of the operands.
pub(super) fn with_element<'a, 't>(
    field: &Field<'a>,
    for_each_wanted: impl FnOnce(&mut dyn FnMut(Wanted<'t>)),
) -> Result<Leaf<'a>> {
    let mut wanted = WantedValues::default();
    for_each_wanted(&mut |value| wanted.push(value));
    let mut leaf = Leaf::default();
    leaf.elements(wanted.of_table(&field.elements())?);
    Ok(leaf)
}

/// Returns the rows whose value at a path satisfies a test. Tests of several steps are for `elements`.
pub(super) fn of_field<'a>(field: Option<&Field<'a>>, test: &Test) -> Result<Leaf<'a>> {
    let mut leaf = Leaf::default();
    let Some(field) = field else {
        if test.matches(None) {
            leaf.yes(Part::Everything);
        }
        return Ok(leaf);
    };
    match test {
        Test::Equal(_) | Test::In(_) => {
            let mut wanted = WantedValues::default();
            match test {
                Test::Equal(operand) => operand.for_each_wanted(&mut |value| wanted.push(value)),
                Test::In(operands) => operands.for_each_wanted(&mut |value| wanted.push(value)),
                _ => {}
            }
            leaf = equal(field, &wanted)?;
            if wanted.is_null {
                leaf.yes(Part::Outside(field.exists()));
            }
        }
        Test::Ordered(..) | Test::Between(..) => leaf = of_table(&field.values(), test)?,
        Test::Present => leaf.yes(Part::Set(field.exists())),
        Test::Size(size) => {
            if let Some(sizes) = field.sizes() {
                leaf.values(sizes, ranges_of([sizes.find_key(Key::of_int((*size).into()))].into_iter())?);
            }
        }
        Test::StartsWith(_) | Test::EndsWith(_) | Test::Like(_) | Test::Regex(_) | Test::Text(_) => {
            leaf = strings(&field.values(), test)?;
            leaf.elements(strings(&field.elements(), test)?);
        }
        Test::Contains(_)
        | Test::ContainsAny { .. }
        | Test::ContainsAll(_)
        | Test::ElemMatch { .. }
        | Test::Circle(_)
        | Test::Rectangle(_) => {
            // Whatever `Plan` does not take apart before.
            leaf.maybe(field.exists());
        }
    }
    Ok(leaf)
}

/// What a lookup of a path found.
pub(super) struct Looked<'a> {
    pub(super) field: Option<Field<'a>>,
    /// Rows of which the field may not have everything.
    pub(super) undecided: Vec<StoredSet<'a>>,
}

/// Looks up a path as a filter gives it.
pub(super) fn look_up<'a>(index: &FieldIndex<'a>, path: &str) -> Result<Looked<'a>> {
    let field = index.field(path)?;
    let mut undecided = vec![index.opaque];
    let mut is_missing = field.is_none();
    for (dot, _) in path.match_indices('.') {
        let (prefix, rest) = (&path[..dot], &path[dot + 1..]);
        match index.field(prefix)? {
            // Paths into lists have no columns.
            Some(outer) if starts_with_index(rest) => undecided.push(outer.lists()),
            Some(_) => {}
            None => is_missing = true,
        }
    }
    if is_missing {
        undecided.push(index.partial);
    }
    undecided.retain(|set| !set.is_empty());
    Ok(Looked { field, undecided })
}

fn starts_with_index(path: &str) -> bool {
    let index = path.split('.').next().unwrap_or_default();
    !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit())
}
