//! `vecstore inspect`: what is in a store.

use std::io::Write;

use serde_json::json;
use vecstore::VecStore;

use crate::arguments::Arguments;
use crate::output::{Failure, Grouped};
use crate::{Command, OK};

pub(crate) const COMMAND: Command = Command {
    name: "inspect",
    usage: "[--json] PATH",
    summary: "Shows what is in a store: records, dimension, metric, segments, space",
    help: "Opens the store read-only, beside a process that writes if there is one.\n\n  --json   the figures as JSON",
    run,
};

fn run(arguments: &mut Arguments, out: &mut dyn Write) -> Result<u8, Failure> {
    let mut as_json = false;
    let path = arguments.parse(|option, _| {
        as_json |= option == "json";
        Ok(option == "json")
    })?;
    let store = VecStore::options().read_only(true).open(&path)?;
    let stats = store.stats()?;
    if as_json {
        let figures = json!({
            "path": path.to_string_lossy(), "metric": stats.metric.name(), "dim": stats.dim, "active": stats.active,
            "deleted": stats.deleted, "dead_rows": stats.dead_rows, "segments": stats.segments,
            "graph_segments": stats.graph_segments, "unsealed_rows": stats.unsealed_rows, "hot_bytes": stats.hot_bytes,
            "disk_bytes": stats.disk_bytes, "lsn": stats.lsn,
        });
        writeln!(out, "{figures:#}")?;
        return Ok(OK);
    }
    let dim = stats.dim.map_or("not set yet".to_owned(), |dim| dim.to_string());
    let rows = [
        ("path", path.display().to_string()),
        ("metric", stats.metric.name().to_owned()),
        ("dimension", dim),
        ("records", Grouped(stats.active as u64).to_string()),
        ("soft-deleted", Grouped(stats.deleted as u64).to_string()),
        ("dead rows", Grouped(stats.dead_rows as u64).to_string()),
        ("rows in the log only", Grouped(stats.unsealed_rows as u64).to_string()),
        ("segments", stats.segments.to_string()),
        ("with a graph", stats.graph_segments.to_string()),
        ("bytes of graphs", Grouped(stats.hot_bytes).to_string()),
        ("bytes on disk", Grouped(stats.disk_bytes).to_string()),
        ("calls so far", Grouped(stats.lsn).to_string()),
    ];
    for (name, value) in rows {
        writeln!(out, "{name:<21} {value}")?;
    }
    Ok(OK)
}
