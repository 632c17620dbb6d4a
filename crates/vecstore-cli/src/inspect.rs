//! `vecstore inspect`: what is in a store, or in each collection of a database.

use serde_json::{Value, json};
use vecstore::{Collection, Stats, VecStore};

use crate::arguments::Arguments;
use crate::collection::named;
use crate::output::{Console, Failure, Grouped};
use crate::{Command, OK};

pub(crate) const COMMAND: Command = Command {
    name: "inspect",
    usage: "[--collection NAME] [--json] PATH",
    summary: "Shows what is in each collection: records, dimension, metric, segments, space",
    help: "Opens the store read-only, beside a process that writes if there is one. A store that `VecStore` made has one \
           collection, `default`.\n\n  --collection NAME   only this one\n  --json              the figures as JSON",
    run,
};

fn run(arguments: &mut Arguments, console: &mut Console<'_>) -> Result<u8, Failure> {
    let out = &mut *console.out;
    let (mut as_json, mut only) = (false, None);
    let path = arguments.parse(|option, value| {
        match option {
            "json" => as_json = true,
            "collection" => only = Some(value()?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let database = VecStore::options().read_only(true).open_database(&path)?;
    let collections: Vec<Collection> = match &only {
        Some(name) => vec![named(&database, name)?],
        // One that is deleted meanwhile is left out.
        None => {
            let names = database.list_collections()?;
            names
                .iter()
                .filter_map(|name| database.get_collection(name).transpose())
                .collect::<Result<_, _>>()?
        }
    };
    let shown =
        collections.iter().map(|one| Ok((one.name(), one.stats()?))).collect::<Result<Vec<_>, Failure>>()?;
    if as_json {
        let collections: Vec<Value> = shown.iter().map(|(name, stats)| as_json_value(name, stats)).collect();
        let sum = |part: fn(&Stats) -> u64| shown.iter().map(|(_, stats)| part(stats)).sum::<u64>();
        let figures = json!({
            "path": path.to_string_lossy(), "active": sum(|stats| stats.active as u64),
            "deleted": sum(|stats| stats.deleted as u64), "disk_bytes": sum(|stats| stats.disk_bytes),
            "collections": collections,
        });
        writeln!(out, "{figures:#}")?;
        return Ok(OK);
    }
    writeln!(out, "{:<21} {}", "path", path.display())?;
    writeln!(out, "{:<21} {}", "collections", shown.len())?;
    for (name, stats) in &shown {
        // Names may be anything: one with a line break must not look like a line of this.
        writeln!(out, "\ncollection            {}", name.escape_debug())?;
        for (name, value) in rows(stats) {
            writeln!(out, "  {name:<19} {value}")?;
        }
    }
    Ok(OK)
}

fn as_json_value(name: &str, stats: &Stats) -> Value {
    json!({
        "name": name, "metric": stats.metric.name(), "dim": stats.dim, "active": stats.active,
        "deleted": stats.deleted, "dead_rows": stats.dead_rows, "segments": stats.segments,
        "graph_segments": stats.graph_segments, "unsealed_rows": stats.unsealed_rows, "hot_bytes": stats.hot_bytes,
        "disk_bytes": stats.disk_bytes, "lsn": stats.lsn,
    })
}

fn rows(stats: &Stats) -> [(&'static str, String); 11] {
    [
        ("metric", stats.metric.name().to_owned()),
        ("dimension", stats.dim.map_or("not set yet".to_owned(), |dim| dim.to_string())),
        ("records", Grouped(stats.active as u64).to_string()),
        ("soft-deleted", Grouped(stats.deleted as u64).to_string()),
        ("dead rows", Grouped(stats.dead_rows as u64).to_string()),
        ("rows in the log only", Grouped(stats.unsealed_rows as u64).to_string()),
        ("segments", stats.segments.to_string()),
        ("with a graph", stats.graph_segments.to_string()),
        ("bytes of graphs", Grouped(stats.hot_bytes).to_string()),
        ("bytes on disk", Grouped(stats.disk_bytes).to_string()),
        ("calls so far", Grouped(stats.lsn).to_string()),
    ]
}
