//! Figures about a collection.

use std::sync::atomic::Ordering;

use super::part::Part;
use super::{Collection, Writer};
use crate::error::{Error, Result};
use vecstore_kernels::Metric;

/// Figures about a collection at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Records that reads return.
    pub active: usize,
    /// Soft-deleted records.
    pub deleted: usize,
    /// Rows of replaced, removed and expired records whose space is not free yet.
    pub dead_rows: usize,
    /// The dimension, once known.
    pub dim: Option<usize>,
    /// The metric.
    pub metric: Metric,
    /// Segments on disk.
    pub segments: usize,
    /// Segments that are searched through a graph.
    pub graph_segments: usize,
    /// Bytes of those graphs that searches read all over: what should fit into memory for searches to be fast. The
    /// operating system keeps them there, and lets go of what is not used.
    pub hot_bytes: u64,
    /// Bytes of copies of such graphs in memory: where much is searched and the memory budget allows it, the operating
    /// system is not relied on.
    pub resident_bytes: u64,
    /// Rows that are in memory and in the log, but in no segment yet.
    pub unsealed_rows: usize,
    /// Bytes of the rows in memory.
    pub memory_bytes: u64,
    /// Bytes of the collection's files: segments, marks, and logs with the space reserved in them.
    pub disk_bytes: u64,
    /// The number of calls that changed records, since the collection was created.
    pub lsn: u64,
    /// Queries answered since the store was opened.
    pub queries: u64,
    /// Records upserted since the store was opened.
    pub upserts: u64,
    /// Records deleted since the store was opened.
    pub deletes: u64,
    /// Why background upkeep does not get on, if it does not.
    pub upkeep_error: Option<String>,
}

impl Collection {
    /// Returns figures about the collection. Lists its directory.
    pub fn stats(&self) -> Result<Stats> {
        let core = &self.core;
        let snapshot = core.any_snapshot()?;
        let active = snapshot.visible(core.now())?;
        let deleted: usize = snapshot.parts.iter().map(|view| view.marks.hidden.len()).sum();
        let rows: usize = snapshot.parts.iter().map(|view| view.part.len()).sum();
        let in_memory = snapshot.parts.iter().filter(|view| matches!(view.part, Part::Memory(_)));
        let mut disk_bytes = 0;
        let files = core.shared.vfs.list(&core.directory);
        for file in files.map_err(|error| Error::io("list", &core.directory, error))? {
            // A file may be removed between the two calls.
            disk_bytes += core.shared.vfs.stat(&file.path).ok().flatten().map_or(0, |stat| stat.len);
        }
        let segments = snapshot.parts.iter().filter_map(|view| match &view.part {
            Part::Segment(segment) => Some(segment),
            Part::Memory(_) => None,
        });
        Ok(Stats {
            active,
            deleted,
            dead_rows: rows.saturating_sub(active + deleted),
            dim: snapshot.dim,
            metric: core.scoring.metric,
            segments: snapshot.parts.iter().filter(|view| matches!(view.part, Part::Segment(_))).count(),
            graph_segments: segments.clone().filter(|segment| segment.has_graph()).count(),
            hot_bytes: segments.clone().map(|segment| core.hot_bytes(segment)).sum(),
            resident_bytes: segments.clone().map(|segment| segment.resident_bytes()).sum(),
            unsealed_rows: in_memory.map(|view| view.part.len()).sum(),
            memory_bytes: snapshot.memory_bytes(),
            disk_bytes,
            lsn: snapshot.lsn,
            queries: core.counters.queries.load(Ordering::Relaxed),
            upserts: core.counters.upserts.load(Ordering::Relaxed),
            deletes: core.counters.deletes.load(Ordering::Relaxed),
            upkeep_error: {
                let graphless = || Some(core.graphless_error(&snapshot)?.message().to_owned());
                let upkeep_error = |writer: &Writer| writer.upkeep_error().or_else(graphless);
                core.while_writing(upkeep_error).flatten()
            },
        })
    }
}
