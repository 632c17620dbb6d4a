//! A segment made of the live rows of other parts, until a manifest names it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Core;
use super::part::{Part, PartView};
use super::partitions;
use super::replacement::Replacement;
use crate::error::Result;
use crate::index::{self, AnyDraft, CompactDraft, Draft, Layout, Points, Widths};
use crate::memory_check::check_memory;
use crate::storage::segment::{self, Cancelled, Contents, RowSource, Segment};

/// What writing a segment takes a row: the table of ids, checksums, columns of metadata, and words of texts.
const WRITER_ROW_BYTES: usize = 256;

/// A segment that takes the place of some parts. Without one, they held no live rows.
pub(super) struct NewSegment {
    pub(super) segment: Option<Arc<Segment>>,
    pub(super) replacement: Replacement,
}

impl Core {
    /// Writes the rows of `views` that are kept at `now` to a segment. Takes no lock and may take long; gives up with
    /// `Closed` soon after `cancelled` says so.
    ///
    /// With the hot bytes of the other segments, the new one gets a graph if it can have one. Its rows may stand in any
    /// order then, as long as the replacement is told.
    pub(super) fn write_segment(
        &self,
        views: &[PartView],
        now: u64,
        other_hot_bytes: Option<u64>,
        made: &mut Made<'_>,
        cancelled: &Cancelled<'_>,
    ) -> Result<NewSegment> {
        let rows: Vec<(u32, u32)> = views
            .iter()
            .zip(0u32..)
            .flat_map(|(part, view)| part.kept_rows(now).map(move |row| (view, row)))
            .collect();
        if rows.is_empty() {
            return Ok(NewSegment { segment: None, replacement: Replacement::of(views, &rows) });
        }
        check_memory(rows.len() * WRITER_ROW_BYTES, "writing a segment")?;
        let mut rows = LiveRows { views, rows };
        let partitions = self.partition(&mut rows)?;
        let vector = |row: usize| rows.vector(row);
        let draft = match other_hot_bytes {
            Some(others) => self.draft_graph(&rows, partitions, others, &vector, cancelled)?,
            None => None,
        };
        // Neighbors in the graph lie near each other in the file.
        let ordered: Vec<(u32, u32)> = match &draft {
            Some((_, draft, _)) => draft.order().iter().map(|&row| rows.rows[row as usize]).collect(),
            None => rows.rows.clone(),
        };
        let replacement = Replacement::of(views, &ordered);
        let vfs = &*self.shared.vfs;
        let uuid = self.shared.new_uuid()?;
        let path = self.directory.join(segment::file_name(uuid));
        made.begin(&path);
        let norm = |vector: &[f32]| self.scoring.inverse_norms(vector.len(), vector)[0];
        let contents = Contents {
            inverse_norm: self.scoring.uses_norms().then_some(&norm),
            codes: self.scoring.uses_codes(views[0].part.dim())
                && match &draft {
                    Some((layout, ..)) => layout.has_byte_codes(),
                    None => self.quantization().has_byte_codes(),
                },
            kernels: self.scoring.kernels,
            cancelled,
            text: &self.text,
            fields: &self.field_choices(),
            graph: draft.as_ref().map(|(_, draft, widths)| (draft, *widths)),
        };
        let ordered = LiveRows { views, rows: ordered };
        let checksum = segment::write(vfs, &path, (uuid, self.uuid), &ordered, contents)?;
        let segment = Segment::open(vfs, &path, uuid, self.uuid, checksum)?;
        if other_hot_bytes.is_some() && draft.is_none() {
            segment.give_up_graph();
        }
        Ok(NewSegment { segment: Some(Arc::new(segment)), replacement })
    }

    /// Writes a segment again with the columns that are chosen now. Its rows, dead ones too, stay where they are.
    pub(super) fn rewrite_fields(
        &self,
        view: &PartView,
        segment: &Segment,
        made: &mut Made<'_>,
        cancelled: &Cancelled<'_>,
    ) -> Result<NewSegment> {
        let vfs = &*self.shared.vfs;
        let uuid = self.shared.new_uuid()?;
        let path = self.directory.join(segment::file_name(uuid));
        made.begin(&path);
        let choices = self.field_choices();
        let checksum = segment::rewrite_fields(vfs, &path, (uuid, self.uuid), segment, &choices, cancelled)?;
        let new = Segment::open(vfs, &path, uuid, self.uuid, checksum)?;
        if segment.is_graphless() {
            new.give_up_graph();
        }
        let rows: Vec<(u32, u32)> = (0..segment.len() as u32).map(|row| (0, row)).collect();
        let replacement = Replacement::of(std::slice::from_ref(view), &rows);
        Ok(NewSegment { segment: Some(Arc::new(new)), replacement })
    }

    /// Puts rows that belong together next to each other, if the collection is partitioned. Returns where each partition is.
    fn partition(&self, rows: &mut LiveRows<'_>) -> Result<Vec<Range<u32>>> {
        let Some(path) = &self.partition_by else { return Ok(Vec::new()) };
        let views = rows.views;
        partitions::sort(&mut rows.rows, path, |(view, row)| views[view as usize].part.body_bytes(row))
    }

    /// Builds the graph of rows, if they are enough and can have one, and measures it.
    fn draft_graph<'a>(
        &self,
        rows: &LiveRows<'_>,
        partitions: Vec<Range<u32>>,
        other_hot_bytes: u64,
        vector: &'a (dyn Fn(usize) -> Result<&'a [f32]> + Sync),
        cancelled: &Cancelled<'_>,
    ) -> Result<Option<(Layout, AnyDraft<'a>, Widths)>> {
        let (dim, count) = (rows.dim(), rows.rows());
        let graphs = self.graphs(Some(dim));
        if count <= graphs.rows_min || count > graphs.rows_max {
            return Ok(None);
        }
        let Some(space) = self.scoring.space(dim, count, vector)? else { return Ok(None) };
        let layout = self.layout(dim, count, other_hot_bytes);
        let bytes = usize::try_from(index::build_bytes(count, dim, layout)).unwrap_or(usize::MAX);
        check_memory(bytes, "building a graph")?;
        let check = || if cancelled() { Err(self.retiring_error()) } else { Ok(()) };
        self.shared.with_upkeep_threads(|| {
            let points = Points::encode(self.scoring.kernels, space, dim, count, vector)?;
            let plan = index::Plan::within(self.shared.memory_budget, count, dim, partitions);
            let graph = index::build(&points, &plan, &check)?;
            let draft = match layout {
                Layout::Fast => AnyDraft::Fast(Draft::new(space, dim, points, graph, vector)),
                Layout::Compact(codes) => {
                    AnyDraft::Compact(CompactDraft::new(space, dim, codes, points, graph, vector)?)
                }
            };
            let widths = draft.measure()?;
            Ok(widths.map(|widths| (layout, draft, widths)))
        })
    }
}

impl NewSegment {
    pub(super) fn part(&self) -> Option<Part> {
        self.segment.clone().map(Part::Segment)
    }
}

/// Files that no manifest names yet. They are removed when this is dropped, unless a manifest was published. A crash
/// before that is safe as well: recovery removes what no manifest names.
pub(super) struct Made<'a> {
    core: &'a Core,
    paths: Vec<PathBuf>,
    published: bool,
}

impl<'a> Made<'a> {
    pub(super) fn new(core: &'a Core) -> Self {
        Self { core, paths: Vec::new(), published: false }
    }

    /// Notes a file that is about to be made.
    pub(super) fn begin(&mut self, path: &Path) {
        self.core.shared.keep_unnamed(path);
        self.paths.push(path.to_owned());
    }

    pub(super) fn published(mut self) {
        self.published = true;
    }
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        let shared = &self.core.shared;
        // A manifest may have been published after all, which cannot be told when its sync failed.
        let unwanted = !self.published && shared.check_manifest().is_ok();
        for path in &self.paths {
            if unwanted {
                _ = shared.vfs.remove_file(path);
            }
            shared.release_unnamed(path);
        }
    }
}

/// The rows of some parts, in the order given.
struct LiveRows<'a> {
    views: &'a [PartView],
    rows: Vec<(u32, u32)>,
}

impl LiveRows<'_> {
    fn at(&self, row: usize) -> (&Part, u32) {
        let (view, row) = self.rows[row];
        (&self.views[view as usize].part, row)
    }
}

impl RowSource for LiveRows<'_> {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn dim(&self) -> usize {
        self.views[0].part.dim()
    }

    fn vector(&self, row: usize) -> Result<&[f32]> {
        let (part, row) = self.at(row);
        part.vector(row)
    }

    fn id(&self, row: usize) -> Result<&str> {
        let (part, row) = self.at(row);
        part.id(row)
    }

    fn body_bytes(&self, row: usize) -> Result<&[u8]> {
        let (part, row) = self.at(row);
        part.body_bytes(row)
    }

    fn expiry(&self, row: usize) -> Result<u64> {
        let (part, row) = self.at(row);
        part.expiry(row)
    }
}
