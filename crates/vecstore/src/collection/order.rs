//! Listing records in the order of a value of their metadata, page by page.
//!
//! Each part yields its rows in order: from the columns of a segment, value by value, or, where columns do not tell or only
//! few rows are wanted, from a list of rows sorted by what their documents say. The streams are merged.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::str::FromStr;
use std::sync::Arc;

use super::part::PartView;
use super::scroll::{Rules, first_after};
use super::snapshot::{Location, Snapshot};
use crate::codec::{Reader, WriteFields};
use crate::error::{Error, Result};
use crate::field_index::{PathColumns, Scalar, Selection, ValueCursor, ValueRows};
use crate::metadata::DocumentRef;
use crate::record::shown;

/// Up to this many rows with the same value are sorted by id; of more, the rows of the part in order of id are looked through.
const SORTED_ROWS_MAX: usize = 1_024;

/// If fewer rows than the square root of this many times the part's match, their documents are read: about 300 ns for each,
/// where the columns would be walked past `rows / matches` others for each record of a page.
const LISTED_FACTOR: usize = 32;

/// What a listing is ordered by.
///
/// Values are ordered by type first: false, true, numbers (integers and floats by value), datetimes (by instant), strings (by
/// code point), bytes; descending is the reverse of that. Records without the path, or with a null, NaN, a list or a map there,
/// come last either way. Ties are in ascending order of id.
///
/// # Examples
///
/// ```
/// use vecstore::OrderBy;
///
/// assert_eq!("-price".parse::<OrderBy>()?, OrderBy::descending("price"));
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OrderBy {
    pub(super) path: String,
    pub(super) descending: bool,
}

impl OrderBy {
    /// The smallest value at a path first.
    pub fn ascending(path: impl Into<String>) -> Self {
        Self { path: path.into(), descending: false }
    }

    /// The largest value at a path first.
    pub fn descending(path: impl Into<String>) -> Self {
        Self { path: path.into(), descending: true }
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.path.is_empty() || self.path.starts_with('$') {
            return Err(Error::invalid(format!(
                "order_by names a field, got `{}`: expected `path`, or `-path` for descending",
                shown(&self.path)
            )));
        }
        Ok(())
    }

    /// Distinguishes the cursors of different orders.
    fn hash(&self) -> u32 {
        xxhash_rust::xxh3::xxh3_64(self.path.as_bytes()) as u32 ^ u32::from(self.descending)
    }
}

impl FromStr for OrderBy {
    type Err = Error;

    /// Reads a path; with a `-` before it, descending.
    fn from_str(text: &str) -> Result<Self> {
        let order = match text.strip_prefix('-') {
            Some(path) => Self::descending(path),
            None => Self::ascending(text),
        };
        order.check()?;
        Ok(order)
    }
}

/// A record in an order: after another or before it, whether it is still there or not.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The value as `Scalar::encode` writes it; `None` after all that have one.
    value: Option<Vec<u8>>,
    id: String,
}

const CURSOR_VERSION: u8 = 1;

impl Place {
    /// Reads a cursor: hexadecimal digits of u8 version, u32 hash of the order, u32 + id, u8 whether there is a value, the
    /// value.
    pub(super) fn parse(cursor: &str, order: &OrderBy) -> Result<Self> {
        let place = bytes_of_hex(cursor).and_then(|bytes| {
            let mut reader = Reader::new(&bytes, "cursor");
            if reader.u8().ok()? != CURSOR_VERSION || reader.u32().ok()? != order.hash() {
                return None;
            }
            let id = reader.string().ok()?.to_owned();
            let has_value = reader.u8().ok()? == 1;
            let value = reader.bytes(reader.remaining()).ok()?.to_vec();
            (!has_value || Scalar::decode(&value).is_ok())
                .then_some(Self { value: has_value.then_some(value), id })
        });
        place.ok_or_else(|| {
            Error::invalid(format!(
                "cursor `{}` is none of a listing ordered by `{}`{}: a cursor goes on with the order it came from",
                shown(cursor),
                shown(&order.path),
                if order.descending { " descending" } else { "" }
            ))
        })
    }

    fn cursor(value: Option<Scalar<'_>>, id: &str, order: &OrderBy) -> String {
        let mut bytes = vec![CURSOR_VERSION];
        bytes.put_u32(order.hash());
        bytes.put_prefixed(id.as_bytes());
        bytes.put_u8(u8::from(value.is_some()));
        value.iter().for_each(|value| value.encode(&mut bytes));
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn value(&self) -> Result<Option<Scalar<'_>>> {
        self.value.as_deref().map(Scalar::decode).transpose()
    }
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |&[high, low]: &[u8; 2]| Some((digit(high)? * 16 + digit(low)?) as u8);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

/// The place of a row in the order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ranked<'a> {
    value: Option<Scalar<'a>>,
    id: &'a str,
    row: u32,
}

fn compare(
    (a, a_id): (Option<Scalar<'_>>, &str),
    (b, b_id): (Option<Scalar<'_>>, &str),
    descending: bool,
) -> Ordering {
    let values = match (a, b) {
        (Some(a), Some(b)) if descending => b.cmp(&a),
        (Some(a), Some(b)) => a.cmp(&b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    };
    values.then_with(|| a_id.cmp(b_id))
}

/// The next row of a stream; the greatest is the one that comes first.
struct Head<'a> {
    ranked: Ranked<'a>,
    stream: usize,
    descending: bool,
}

impl Ord for Head<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (own, others) = (&self.ranked, &other.ranked);
        compare((others.value, others.id), (own.value, own.id), self.descending)
            .then_with(|| other.stream.cmp(&self.stream))
    }
}

impl PartialOrd for Head<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head<'_> {}

/// A merge of the parts' rows by value.
pub(super) struct OrderedListing<'a> {
    order: &'a OrderBy,
    streams: Vec<(usize, Stream<'a>)>,
    heads: BinaryHeap<Head<'a>>,
}

enum Stream<'a> {
    Listed(std::vec::IntoIter<Ranked<'a>>),
    Columns(Box<ColumnStream<'a>>),
}

impl<'a> OrderedListing<'a> {
    /// Starts after a place, if one is given. Of each part at most the first `at_most` rows are needed.
    pub(super) fn new(
        snapshot: &'a Snapshot,
        order: &'a OrderBy,
        rules: Rules<'a>,
        after: Option<&'a Place>,
        at_most: usize,
    ) -> Result<Self> {
        let after = after.map(|place| Ok::<_, Error>((place.value()?, place.id.as_str()))).transpose()?;
        let mut listing = Self { order, streams: Vec::new(), heads: BinaryHeap::new() };
        for (part, view) in snapshot.parts.iter().enumerate() {
            for stream in streams(view, order, rules, after, at_most)? {
                listing.streams.push((part, stream));
                listing.push_head(listing.streams.len() - 1)?;
            }
        }
        Ok(listing)
    }

    fn push_head(&mut self, stream: usize) -> Result<()> {
        let next = match &mut self.streams[stream].1 {
            Stream::Listed(rows) => rows.next(),
            Stream::Columns(columns) => columns.next()?,
        };
        if let Some(ranked) = next {
            self.heads.push(Head { ranked, stream, descending: self.order.descending });
        }
        Ok(())
    }

    /// Returns the next row, and its place.
    pub(super) fn next(&mut self) -> Result<Option<(Location, Ranked<'a>)>> {
        let Some(Head { ranked, stream, .. }) = self.heads.pop() else { return Ok(None) };
        self.push_head(stream)?;
        let location = Location { part: self.streams[stream].0, row: ranked.row };
        Ok(Some((location, ranked)))
    }

    /// Returns the cursor that goes on after a place.
    pub(super) fn cursor(&self, ranked: &Ranked<'_>) -> String {
        Place::cursor(ranked.value, ranked.id, self.order)
    }
}

/// Where a listing goes on.
type After<'a> = Option<(Option<Scalar<'a>>, &'a str)>;

/// Makes the streams of a part.
fn streams<'a>(
    view: &'a PartView,
    order: &'a OrderBy,
    rules: Rules<'a>,
    after: After<'a>,
    at_most: usize,
) -> Result<Vec<Stream<'a>>> {
    let rows = view.part.len();
    let listed = |wanted: &Wanted<'a>, rows: &mut dyn Iterator<Item = u32>| {
        listed(wanted, order, after, at_most, rows).map(Stream::Listed)
    };
    let Some(fields) = view.fields()? else {
        let wanted = Wanted { view, rules, selection: None };
        return Ok(vec![listed(&wanted, &mut (0..rows as u32))?]);
    };
    let selection = rules.matcher.map(|matcher| fields.plan(matcher)?.select()).transpose()?;
    let wanted = Wanted { view, rules, selection };
    if let Some(selection) = &wanted.selection
        && selection.cardinality().saturating_pow(2) <= rows * LISTED_FACTOR
    {
        return Ok(vec![listed(&wanted, &mut selection.rows.iter())?]);
    }
    let columns = fields.path_columns(&order.path)?;
    let mut streams = Vec::new();
    let unsorted = columns.unsorted()?;
    if let Some(words) = &unsorted {
        streams.push(listed(&wanted, &mut crate::field_index::rows_of_words(words))?);
    }
    let columns = ColumnStream::new(columns, unsorted, wanted, order.descending, after)?;
    streams.push(Stream::Columns(Box::new(columns)));
    Ok(streams)
}

/// Which rows of a part are listed.
struct Wanted<'a> {
    view: &'a PartView,
    rules: Rules<'a>,
    /// What the columns know of the filter.
    selection: Option<Selection>,
}

impl Wanted<'_> {
    fn lists(&self, row: u32) -> Result<bool> {
        let may_match = self.selection.as_ref().is_none_or(|selection| selection.rows.contains(row));
        if !may_match || !self.rules.lists(self.view, row)? {
            return Ok(false);
        }
        match (self.rules.matcher, &self.selection) {
            (Some(matcher), Some(selection)) if selection.undecided.contains(row) => {
                self.view.document_matches(row, matcher)
            }
            (Some(matcher), None) => self.view.document_matches(row, matcher),
            _ => Ok(true),
        }
    }
}

/// Sorts rows by what their documents say. O(rows).
fn listed<'a>(
    wanted: &Wanted<'a>,
    order: &OrderBy,
    after: After<'_>,
    at_most: usize,
    rows: &mut dyn Iterator<Item = u32>,
) -> Result<std::vec::IntoIter<Ranked<'a>>> {
    let part = &wanted.view.part;
    let mut found = Vec::new();
    for row in rows {
        if !wanted.lists(row)? {
            continue;
        }
        let document = DocumentRef::new(part.body(row)?.document)?;
        let value = document.get_path(&order.path).and_then(Scalar::of);
        let id = part.id(row)?;
        if after.is_none_or(|after| compare((value, id), after, order.descending).is_gt()) {
            found.push(Ranked { value, id, row });
        }
    }
    let by_place =
        |a: &Ranked<'_>, b: &Ranked<'_>| compare((a.value, a.id), (b.value, b.id), order.descending);
    if at_most < found.len() {
        found.select_nth_unstable_by(at_most, by_place);
        found.truncate(at_most);
    }
    found.sort_unstable_by(by_place);
    Ok(found.into_iter())
}

/// The rows of a segment in the order of a column.
struct ColumnStream<'a> {
    columns: PathColumns<'a>,
    /// Rows that are listed from their documents.
    unsorted: Option<Vec<u64>>,
    wanted: Wanted<'a>,
    cursor: ValueCursor<'a>,
    after: After<'a>,
    /// The rows of the value at hand.
    group: Option<Group<'a>>,
    /// The value at hand.
    value: Option<Scalar<'a>>,
    /// Whether the rows without a value were begun, which are the last.
    is_last: bool,
}

enum Group<'a> {
    Sorted(std::vec::IntoIter<(&'a str, u32)>),
    /// The rows of a bitmap in the order of ids.
    ById {
        words: Vec<u64>,
        order: Arc<Vec<u32>>,
        next: usize,
    },
}

impl<'a> ColumnStream<'a> {
    fn new(
        columns: PathColumns<'a>,
        unsorted: Option<Vec<u64>>,
        wanted: Wanted<'a>,
        descending: bool,
        after: After<'a>,
    ) -> Result<Self> {
        let mut cursor = columns.cursor(descending);
        if let Some((Some(value), _)) = after {
            cursor.seek(value)?;
        }
        let mut stream =
            Self { columns, unsorted, wanted, cursor, after, group: None, value: None, is_last: false };
        if let Some((None, _)) = after {
            stream.begin_last()?;
        }
        Ok(stream)
    }

    fn next(&mut self) -> Result<Option<Ranked<'a>>> {
        loop {
            while let Some((id, row)) = self.next_of_group()? {
                let is_elsewhere = self
                    .unsorted
                    .as_ref()
                    .is_some_and(|words| words[row as usize / 64] >> (row % 64) & 1 == 1);
                if !is_elsewhere && self.wanted.lists(row)? {
                    return Ok(Some(Ranked { value: self.value, id, row }));
                }
            }
            if self.is_last {
                return Ok(None);
            }
            match self.cursor.next()? {
                Some((value, rows)) => {
                    self.value = Some(value);
                    self.group = Some(self.group_of(&rows)?);
                }
                None => self.begin_last()?,
            }
        }
    }

    fn next_of_group(&mut self) -> Result<Option<(&'a str, u32)>> {
        let view = self.wanted.view;
        match &mut self.group {
            None => Ok(None),
            Some(Group::Sorted(rows)) => Ok(rows.next()),
            Some(Group::ById { words, order, next }) => {
                while let Some(&row) = order.get(*next) {
                    *next += 1;
                    if words[row as usize / 64] >> (row % 64) & 1 == 1 {
                        return Ok(Some((view.part.id(row)?, row)));
                    }
                }
                Ok(None)
            }
        }
    }

    /// Returns the id after which the rows of the value at hand start, if not all are wanted.
    fn after_id(&self) -> Option<&'a str> {
        self.after.filter(|&(value, _)| value == self.value).map(|(_, id)| id)
    }

    fn group_of(&self, rows: &ValueRows<'a>) -> Result<Group<'a>> {
        if rows.len()? > SORTED_ROWS_MAX {
            return self.by_id(rows.words()?);
        }
        let part = &self.wanted.view.part;
        let mut sorted: Vec<(&'a str, u32)> =
            rows.list()?.into_iter().map(|row| Ok((part.id(row)?, row))).collect::<Result<_>>()?;
        if let Some(after) = self.after_id() {
            sorted.retain(|&(id, _)| id > after);
        }
        sorted.sort_unstable();
        Ok(Group::Sorted(sorted.into_iter()))
    }

    fn by_id(&self, words: Vec<u64>) -> Result<Group<'a>> {
        let view = self.wanted.view;
        let order = view.part.rows_by_id()?;
        let next = self.after_id().map_or(Ok(0), |after| first_after(view, &order, after))?;
        Ok(Group::ById { words, order, next })
    }

    fn begin_last(&mut self) -> Result<()> {
        let mut words = self.columns.sorted_words()?;
        words.iter_mut().for_each(|word| *word = !*word);
        self.is_last = true;
        self.value = None;
        self.group = Some(self.by_id(words)?);
        Ok(())
    }
}
