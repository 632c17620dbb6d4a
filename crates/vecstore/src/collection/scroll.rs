//! Listing records in the order of their ids, or another, page by page.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::Collection;
use super::order::{OrderBy, OrderedListing, Place};
use super::part::PartView;
use super::snapshot::{Location, Snapshot};
use crate::error::{Error, Result};
use crate::filter::{Filter, Matcher};
use crate::limits::MAX_K;
use crate::query::PartFilter;
use crate::record::Record;
use crate::record::check_id;

/// What to list.
#[derive(Clone, Debug)]
#[must_use]
pub struct ScrollRequest {
    filter: Option<Filter>,
    limit: usize,
    after: Option<String>,
    vectors: bool,
    visibility: Visibility,
    order_by: Option<OrderBy>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Visibility {
    Active,
    Deleted,
    All,
}

impl Default for ScrollRequest {
    fn default() -> Self {
        Self {
            filter: None,
            limit: 100,
            after: None,
            vectors: true,
            visibility: Visibility::Active,
            order_by: None,
        }
    }
}

impl ScrollRequest {
    /// Lists the first 100 records.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists only records that match.
    pub fn filter(mut self, filter: impl Into<Option<Filter>>) -> Self {
        self.filter = filter.into();
        self
    }

    /// Sets how many records a page has at most.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Goes on after the record with this id, which need not exist any more: the cursor of the page before. In another order
    /// than that of ids, cursors are not ids.
    pub fn after(mut self, cursor: impl Into<Option<String>>) -> Self {
        self.after = cursor.into();
        self
    }

    /// Sets whether the records come with their vectors (they do without it).
    pub fn vectors(mut self, vectors: bool) -> Self {
        self.vectors = vectors;
        self
    }

    /// Lists in another order than that of ids. A cursor goes on with the order it came from.
    pub fn order_by(mut self, order: impl Into<Option<OrderBy>>) -> Self {
        self.order_by = order.into();
        self
    }

    /// Lists soft-deleted records instead of visible ones.
    pub fn deleted(mut self) -> Self {
        self.visibility = Visibility::Deleted;
        self
    }

    /// Lists soft-deleted records beside the visible ones.
    pub fn all(mut self) -> Self {
        self.visibility = Visibility::All;
        self
    }
}

/// A page of records.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Page {
    /// The records.
    pub records: Vec<Record>,
    /// Where the next page starts; `None` if this was the last.
    pub cursor: Option<String>,
}

impl Collection {
    /// Returns a page of records in ascending order of id (by code point), or as [`ScrollRequest::order_by`] says. Each page is
    /// of the moment it is asked for; a record that is there throughout is listed exactly once, if its value does not change
    /// meanwhile.
    ///
    /// The first call after a change sorts the ids of the parts that changed: O(rows log rows) once, then
    /// O(records listed or left out). In another order than that of ids, rows in memory are read and sorted for each page, up to
    /// 16,384; those of segments come from their columns, as they are listed or left out.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the limit is 0 or over 16,777,216, or the cursor is of another order.
    pub fn scroll(&self, request: &ScrollRequest) -> Result<Page> {
        if request.limit < 1 || request.limit > MAX_K {
            return Err(Error::invalid(format!(
                "limit must be between 1 and {MAX_K}, got {}",
                request.limit
            )));
        }
        let snapshot = self.core.snapshot()?;
        let mut page = Page::default();
        let matcher = request.filter.as_ref().map(Filter::compile).transpose()?;
        let rules = Rules { visibility: request.visibility, matcher: matcher.as_ref(), now: self.core.now() };
        if let Some(order) = &request.order_by {
            order.check()?;
            let after = request.after.as_ref().map(|cursor| Place::parse(cursor, order)).transpose()?;
            let mut listing =
                OrderedListing::new(&snapshot, order, rules, after.as_ref(), request.limit + 1)?;
            let mut last = None;
            while let Some((location, place)) = listing.next()? {
                if page.records.len() == request.limit {
                    page.cursor = last.map(|last| listing.cursor(&last));
                    break;
                }
                page.records.push(snapshot.listed(location, request.vectors)?);
                last = Some(place);
            }
            return Ok(page);
        }
        let mut listing = Listing::new(&snapshot, rules, request.after.as_deref())?;
        while let Some(location) = listing.next_location()? {
            if page.records.len() == request.limit {
                page.cursor = page.records.last().map(|last: &Record| last.id.clone());
                break;
            }
            page.records.push(snapshot.listed(location, request.vectors)?);
        }
        Ok(page)
    }

    /// Iterates over the records of one snapshot in ascending order of id.
    pub fn iter(&self) -> Result<Records> {
        self.records(&ScrollRequest::new())
    }

    /// Iterates over the records that a request lists, of one snapshot. Its limit does not count.
    pub fn records(&self, request: &ScrollRequest) -> Result<Records> {
        let snapshot = self.core.snapshot()?;
        let matcher = request.filter.as_ref().map(Filter::compile).transpose()?;
        let rules = Rules { visibility: request.visibility, matcher: matcher.as_ref(), now: self.core.now() };
        let mut locations = Vec::new();
        if let Some(order) = &request.order_by {
            order.check()?;
            let after = request.after.as_ref().map(|cursor| Place::parse(cursor, order)).transpose()?;
            let mut listing = OrderedListing::new(&snapshot, order, rules, after.as_ref(), usize::MAX)?;
            while let Some((location, _)) = listing.next()? {
                locations.push(location);
            }
        } else {
            let mut listing = Listing::new(&snapshot, rules, request.after.as_deref())?;
            while let Some(location) = listing.next_location()? {
                locations.push(location);
            }
        }
        Ok(Records { snapshot, locations: locations.into_iter(), vectors: request.vectors })
    }

    /// Iterates over the records with these ids, soft-deleted ones included, with their vectors, in the order of the ids.
    /// Ids of no record, or of one that has expired, are passed over.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for an id that none can have; `Corrupted`.
    pub fn records_of<'i>(&self, ids: impl IntoIterator<Item = &'i str>) -> Result<Records> {
        let (snapshot, now) = (self.core.snapshot()?, self.core.now());
        let mut locations = Vec::new();
        for id in ids {
            check_id(id)?;
            if let Some(location) = snapshot.locate(id)?
                && !snapshot.part(location).is_expired(location.row, now)?
            {
                locations.push(location);
            }
        }
        Ok(Records { snapshot, locations: locations.into_iter(), vectors: true })
    }
}

/// The records of one snapshot; see [`Collection::iter`].
#[derive(Debug)]
pub struct Records {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) locations: std::vec::IntoIter<Location>,
    vectors: bool,
}

impl Iterator for Records {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        let location = self.locations.next()?;
        Some(self.snapshot.listed(location, self.vectors))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.locations.size_hint()
    }
}

impl ExactSizeIterator for Records {}

impl Snapshot {
    fn listed(&self, location: Location, vectors: bool) -> Result<Record> {
        if vectors { self.record(location) } else { self.record_without_vector(location) }
    }
}

/// Which rows are listed.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    visibility: Visibility,
    pub(super) matcher: Option<&'a Matcher>,
    now: u64,
}

impl Rules<'_> {
    /// Returns whether a row is listed, if it matches.
    pub(super) fn lists(&self, view: &PartView, row: u32) -> Result<bool> {
        let hidden = view.marks.hidden.contains(row);
        let wanted = match self.visibility {
            Visibility::Active => !hidden,
            Visibility::Deleted => hidden,
            Visibility::All => true,
        };
        Ok(wanted && !view.marks.dead.contains(row) && !view.is_expired(row, self.now)?)
    }
}

/// A merge of the parts' rows by id.
struct Listing<'a> {
    snapshot: &'a Snapshot,
    orders: Vec<Arc<Vec<u32>>>,
    /// The next row of each part: its id, the part, and the position in the part's order.
    heads: BinaryHeap<Reverse<(&'a str, usize, usize)>>,
    filters: Vec<PartFilter<'a>>,
    rules: Rules<'a>,
}

impl<'a> Listing<'a> {
    fn new(snapshot: &'a Snapshot, rules: Rules<'a>, after: Option<&str>) -> Result<Self> {
        let filters = snapshot.parts.iter().map(|view| PartFilter::for_rows(view, rules.matcher));
        let mut listing = Self {
            snapshot,
            orders: snapshot.parts.iter().map(|view| view.part.rows_by_id()).collect::<Result<_>>()?,
            heads: BinaryHeap::new(),
            filters: filters.collect::<Result<_>>()?,
            rules,
        };
        for (part, view) in snapshot.parts.iter().enumerate() {
            let start = match after {
                Some(after) => first_after(view, &listing.orders[part], after)?,
                None => 0,
            };
            listing.push_head(part, start)?;
        }
        Ok(listing)
    }

    fn push_head(&mut self, part: usize, position: usize) -> Result<()> {
        if let Some(&row) = self.orders[part].get(position) {
            let snapshot = self.snapshot;
            self.heads.push(Reverse((snapshot.parts[part].part.id(row)?, part, position)));
        }
        Ok(())
    }

    fn next_location(&mut self) -> Result<Option<Location>> {
        while let Some(Reverse((_, part, position))) = self.heads.pop() {
            self.push_head(part, position + 1)?;
            let location = Location { part, row: self.orders[part][position] };
            if self.lists(location)? {
                return Ok(Some(location));
            }
        }
        Ok(None)
    }

    fn lists(&self, Location { part, row }: Location) -> Result<bool> {
        let view = &self.snapshot.parts[part];
        Ok(self.rules.lists(view, row)? && self.filters[part].matches(view, row)?)
    }
}

/// Returns the position of the first row with an id after `after`.
pub(super) fn first_after(view: &PartView, order: &[u32], after: &str) -> Result<usize> {
    let (mut low, mut high) = (0, order.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if view.part.id(order[middle])? <= after {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}
