//! Searching texts and sparse vectors.

use std::sync::Arc;

use super::snapshot::Snapshot;
use super::{Collection, count};
use crate::error::Result;
use crate::filter::Filter;
use crate::query::{
    FoundRow, Highlight, Hits, Include, MatchOptions, Neighbor, Plan, Scores, SparseQuery, TextQuery,
    TextSearch, highlight, search_texts,
};
use crate::record::check_id;
use vecstore_text::Analyzer;

impl Collection {
    /// Returns how terms are made of texts, in records and in queries.
    pub fn analyzer(&self) -> Analyzer {
        self.core.text.analyzer
    }

    /// Returns the fields of the metadata that are searched beside the records' texts.
    pub fn text_fields(&self) -> &[String] {
        &self.core.text.fields
    }

    /// Sets the text of a record, and makes it findable by its words. The rest of the record stays.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such record, or it is soft-deleted or expired.
    pub fn index_text(&self, id: &str, text: &str) -> Result<()> {
        self.update_text(id, Some(text))
    }

    /// Returns whether there is a record with this id that has a text.
    pub fn has_text(&self, id: &str) -> Result<bool> {
        check_id(id)?;
        let snapshot = self.core.snapshot()?;
        let Some(location) = snapshot.locate_visible(id, self.core.now())? else { return Ok(false) };
        Ok(snapshot.part(location).part.body(location.row)?.text.is_some())
    }

    /// Returns the records whose texts match best, best first, ties broken by id.
    ///
    /// Statistics (how many records have a word, how long their texts are) are of all records of the collection as of the
    /// snapshot that is searched: those replaced and deleted no longer count, soft-deleted and expired ones do until they are
    /// removed.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for keywords over 64 KiB, a `k` out of range, or a boost of a field there is none of; `Filter`;
    /// `Corrupted`.
    pub fn text_query(&self, query: &TextQuery) -> Result<Vec<Neighbor>> {
        self.search_text(query)?.to_neighbors(Include::default())
    }

    /// Does what [`Collection::text_query`] does, but leaves the records in the snapshot until they are asked for.
    pub fn search_text(&self, query: &TextQuery) -> Result<Hits> {
        query.check()?;
        let plan = Plan::of_keywords(&query.keywords, &query.boosts, &self.core.text)?;
        self.search_plan(plan, &query.options)
    }

    /// Returns the records whose sparse vectors have the largest dot products, best first, ties broken by id.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a `k` out of range; `Filter`; `Corrupted`.
    pub fn sparse_query(&self, query: &SparseQuery) -> Result<Vec<Neighbor>> {
        self.search_sparse(query)?.to_neighbors(Include::default())
    }

    /// Does what [`Collection::sparse_query`] does, but leaves the records in the snapshot until they are asked for.
    pub fn search_sparse(&self, query: &SparseQuery) -> Result<Hits> {
        query.options.check()?;
        self.search_plan(Plan::of_sparse(&query.sparse), &query.options)
    }

    /// Returns passages of a text that show what of the keywords is in it, as the analyzer sees it; none if nothing is.
    pub fn highlight(&self, keywords: &str, text: &str, how: &Highlight) -> Result<Vec<String>> {
        crate::query::check_keywords(keywords)?;
        Ok(highlight(text, keywords, self.core.text.analyzer, how))
    }

    fn search_plan(&self, plan: Plan, options: &MatchOptions) -> Result<Hits> {
        let snapshot = self.core.snapshot()?;
        let rows = self.matched(&snapshot, plan, options)?;
        Ok(Hits::new(snapshot, Scores::Plain, rows, options.offset, options.min_score))
    }

    /// Returns the best rows for a plan.
    pub(super) fn matched(
        &self,
        snapshot: &Arc<Snapshot>,
        plan: Plan,
        options: &MatchOptions,
    ) -> Result<Vec<FoundRow>> {
        let core = &*self.core;
        let matcher = options.filter.as_ref().map(Filter::compile).transpose()?;
        let expires = snapshot.parts.iter().any(|view| view.part.has_expiry());
        let search = TextSearch {
            config: &core.text,
            limit: (options.k + options.offset).min(snapshot.live()),
            filter: matcher.as_ref(),
            min_score: options.min_score,
            now: if expires { core.now() } else { 0 },
        };
        let found = search_texts(snapshot, plan, &search)?;
        count(&core.counters.queries, 1);
        Ok(found)
    }
}
