//! Searching texts and sparse vectors.

use std::sync::Arc;

use super::ranking::{Asked, Ranking};
use super::snapshot::Snapshot;
use super::{Collection, count};
use crate::error::Result;
use crate::filter::Matcher;
use crate::query::{
    FoundRow, Highlight, Hits, Include, Neighbor, Plan, QueryOptions, SparseQuery, TextQuery, TextSearch,
    TextStatistics, highlight, search_texts, statistics,
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
        let mut plan = Plan::of_keywords(&query.keywords, &query.boosts, &self.core.text)?;
        plan.statistics = query.statistics.clone().map(Arc::new);
        self.search_plan(plan, &query.options)
    }

    /// Counts what [`Collection::text_query`] would score this query by, of all records as of now.
    ///
    /// # Errors
    ///
    /// As [`Collection::text_query`].
    pub fn text_statistics(&self, query: &TextQuery) -> Result<TextStatistics> {
        query.check()?;
        let plan = Plan::of_keywords(&query.keywords, &query.boosts, &self.core.text)?;
        statistics(&*self.core.snapshot()?, &plan, &self.core.text)
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

    fn search_plan(&self, plan: Plan, options: &QueryOptions) -> Result<Hits> {
        let ranking = Ranking::new(self, self.core.snapshot()?, Asked::Terms(plan), options)?;
        let hits = ranking.hits(options)?;
        count(&self.core.counters.queries, 1);
        Ok(hits)
    }

    /// Returns the `limit` best rows for a plan. Does not count as a query.
    pub(super) fn matched(
        &self,
        snapshot: &Snapshot,
        plan: Plan,
        limit: usize,
        filter: Option<&Matcher>,
        min_score: Option<f32>,
    ) -> Result<Vec<FoundRow>> {
        let core = &*self.core;
        let expires = snapshot.parts.iter().any(|view| view.part.has_expiry());
        let search = TextSearch {
            config: &core.text,
            limit: limit.min(snapshot.live()),
            filter,
            min_score,
            now: if expires { core.now() } else { 0 },
        };
        search_texts(snapshot, plan, &search)
    }
}
