//! Field indexes as callers choose and see them.

use std::collections::BTreeMap;

use super::merge::Turn;
use super::part::{Part, PartView};
use super::policy::segments;
use super::snapshot::Snapshot;
use super::{Collection, Core, Writer};
use crate::error::Result;
use crate::field_index::{Choice, FieldChoices, FieldKind, FieldSummary, check_path, count_distinct};

/// The index on one path, over the segments of a collection; see [`Collection::list_indexes`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldIndexSummary {
    /// The path in the metadata.
    pub path: String,
    /// The kind that was asked for; `None` for an index that was made by itself.
    pub kind: Option<FieldKind>,
    /// The types that records have at the path, or in lists at it: `null`, `bool`, `number`, `string`, `bytes`,
    /// `datetime`, `list`, `map`.
    pub types: Vec<&'static str>,
    /// Records in segments that have the path.
    pub records: usize,
    /// Those of them that have a value there that the index leaves to the records themselves: because it is of another kind,
    /// because it is long, or because there was no room for so many.
    pub unindexed: usize,
    /// Distinct values that are held, elements of lists included, lists and maps themselves not.
    pub distinct: usize,
    /// Bytes on disk.
    pub bytes: u64,
}

impl FieldIndexSummary {
    /// Returns whether the index was made by itself.
    pub fn is_automatic(&self) -> bool {
        self.kind.is_none()
    }
}

impl Collection {
    /// Has the values at a path held by an index, durably: for this path, no cap holds that automatic indexes have (1,024
    /// paths; 256 bytes and 8 dots a path; 256 bytes a string, 1,024 for this path; a total that grows with the rows).
    /// Where all of it is held by an automatic index already, nothing is left to do.
    ///
    /// Returns when each segment has it. A segment that must be written again for it is copied, without building its graph
    /// anew; reads and writes go on meanwhile. Waits for a merge that is under way. Answers are the same with and without.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a path that is empty, over 1,024 bytes or 64 levels, starts with `$`, or is one more than 256 that
    /// were created or dropped; `Io`. If a segment could not be written, upkeep tries again later.
    ///
    /// # Examples
    ///
    /// ```
    /// use vecstore::{FieldKind, Metadata, VecStore};
    ///
    /// let store = VecStore::options().open_in_memory()?;
    /// store.upsert("a", &[1.0, 0.0], &Metadata::new().with("sku", "A-1"))?;
    /// store.create_index("sku", FieldKind::Keyword)?;
    /// assert_eq!(store.list_indexes()?[0].kind, Some(FieldKind::Keyword));
    /// # Ok::<(), vecstore::Error>(())
    /// ```
    pub fn create_index(&self, path: &str, kind: FieldKind) -> Result<()> {
        self.choose_fields(&[(path, Choice::Asked(kind))])
    }

    /// Creates the indexes of a schema that are not there.
    pub(crate) fn adopt_schema(&self, schema: &[(String, FieldKind)]) -> Result<()> {
        let chosen = self.core.current_field_choices()?;
        let asked = schema.iter().map(|(path, kind)| (path.as_str(), Choice::Asked(*kind)));
        let missing: Vec<_> = asked.filter(|(path, choice)| chosen.get(path) != Some(*choice)).collect();
        if missing.is_empty() { Ok(()) } else { self.choose_fields(&missing) }
    }

    /// Has no values at a path held by an index, durably, whether it was asked for or made by itself. Returns whether there
    /// was one. Filters on the path read the records then. Frees the space as [`Collection::create_index`] takes it; that
    /// brings the index back.
    ///
    /// # Errors
    ///
    /// As for [`Collection::create_index`].
    pub fn drop_index(&self, path: &str) -> Result<bool> {
        check_path(path)?;
        let choices = self.core.field_choices();
        let was_there = match choices.get(path) {
            Some(choice) => choice != Choice::Dropped,
            None => self.core.any_snapshot()?.has_field(path)?,
        };
        self.choose_fields(&[(path, Choice::Dropped)])?;
        Ok(was_there)
    }

    /// Returns the field indexes, by path: those that were made by themselves, and those that were asked for. Records that are
    /// in memory yet are in none. O(distinct values) for a path in several segments.
    pub fn list_indexes(&self) -> Result<Vec<FieldIndexSummary>> {
        let core = &self.core;
        let choices = core.current_field_choices()?;
        core.any_snapshot()?.field_indexes(&choices)
    }

    fn choose_fields(&self, chosen: &[(&str, Choice)]) -> Result<()> {
        let core = &self.core;
        chosen.iter().try_for_each(|(path, _)| check_path(path))?;
        // Not held while the choice is published: whoever changes collections may be waiting for this one to be unused.
        drop(core.writer()?);
        core.check_writable()?;
        core.shared.set_fields(core.uuid, |choices| {
            chosen.iter().try_for_each(|(path, choice)| choices.set(path, *choice))
        })?;
        let writer = &*core.writer()?;
        let mut turn = writer.merging.lock();
        core.shared.check_open()?;
        // A seal that is under way may have begun before the choice.
        drop(writer.upkeep.lock());
        core.build_fields(writer, &mut turn).map(drop)
    }
}

impl Core {
    /// Writes the segments again whose columns are not those that are chosen. Returns whether there were any.
    pub(super) fn build_fields(&self, writer: &Writer, turn: &mut Turn) -> Result<bool> {
        let choices = self.field_choices();
        if choices.is_empty() {
            return Ok(false);
        }
        let published = writer.committer.published();
        let mut found = false;
        for view in segments(&published) {
            if view.has_other_fields(&choices)? {
                found = true;
                self.reindex(writer, turn, view)?;
            }
        }
        Ok(found)
    }

    fn current_field_choices(&self) -> Result<FieldChoices> {
        Ok((*self.shared.current_entry(self.uuid)?.settings.fields).clone())
    }
}

impl PartView {
    fn has_other_fields(&self, choices: &FieldChoices) -> Result<bool> {
        let Part::Segment(segment) = &self.part else { return Ok(false) };
        Ok(match segment.fields()? {
            Some(fields) => !fields.honors(choices)?,
            None => false,
        })
    }
}

impl Snapshot {
    /// Returns whether some segment has the path.
    fn has_field(&self, path: &str) -> Result<bool> {
        for view in segments(self) {
            if let Some(fields) = view.fields()?
                && fields.has_path(path)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn field_indexes(&self, choices: &FieldChoices) -> Result<Vec<FieldIndexSummary>> {
        let mut found: BTreeMap<&str, Vec<FieldSummary<'_>>> = BTreeMap::new();
        for view in segments(self) {
            let Some(fields) = view.fields()? else { continue };
            for summary in fields.summaries() {
                let summary = summary?;
                found.entry(summary.path).or_default().push(summary);
            }
        }
        for (path, _) in choices.iter() {
            found.entry(path).or_default();
        }
        let mut indexes = Vec::new();
        for (path, parts) in found {
            let kind = match choices.get(path) {
                Some(Choice::Dropped) => continue,
                Some(Choice::Asked(kind)) => Some(kind),
                None if parts.iter().all(|part| part.records == 0) => continue,
                None => None,
            };
            let mut types: Vec<&'static str> = Vec::new();
            for name in parts.iter().flat_map(|part| &part.types) {
                if !types.contains(name) {
                    types.push(name);
                }
            }
            indexes.push(FieldIndexSummary {
                path: path.to_owned(),
                kind,
                types,
                records: parts.iter().map(|part| part.records).sum(),
                unindexed: parts.iter().map(|part| part.unindexed).sum(),
                distinct: count_distinct(&parts)?,
                bytes: parts.iter().map(|part| part.bytes).sum(),
            });
        }
        Ok(indexes)
    }
}
