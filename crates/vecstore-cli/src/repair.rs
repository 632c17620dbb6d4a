//! `vecstore repair`: keeps what can be read of a damaged store.

use std::io::Write;

use serde_json::json;
use vecstore::{Analyzer, Metric, RepairReport, VecStore};

use crate::arguments::Arguments;
use crate::output::{Console, Failure, Grouped};
use crate::{Command, FOUND, OK};

pub(crate) const COMMAND: Command = Command {
    name: "repair",
    usage: "[--metric NAME] [--analyzer NAME] [--text-field PATH]... [--partition-by PATH] [--json] PATH",
    summary: "Saves what can be saved of a damaged store, and says what is lost",
    help: "The store must not be open. A store with nothing wrong is left as it is. Indexes are made anew, single flipped \
           bits are put back, and damaged files are moved to `damaged/` in the store: keep them until you have looked at \
           the result. Exits with 1 if something is lost.\n\n  --metric NAME        the metric of the store; this and the next three \
           count only if all its manifests are lost\n  --analyzer NAME      its analyzer, if it was not `standard`\n  \
           --text-field PATH    a field of the metadata that was searched beside the texts, if there was one; may be \
           repeated\n  --partition-by PATH  the path that the store was partitioned by\n  --json               the report as JSON",
    run,
};

fn run(arguments: &mut Arguments, console: &mut Console<'_>) -> Result<u8, Failure> {
    let out = &mut *console.out;
    let (mut as_json, mut options, mut text_fields) = (false, VecStore::options(), Vec::new());
    let path = arguments.parse(|option, value| {
        match option {
            "json" => as_json = true,
            "metric" => {
                let metric: Metric =
                    value()?.parse().map_err(|error| Failure::Usage(format!("--metric: {error}")))?;
                options = std::mem::take(&mut options).metric(metric);
            }
            "analyzer" => {
                let analyzer: Analyzer =
                    value()?.parse().map_err(|error| Failure::Usage(format!("--analyzer: {error}")))?;
                options = std::mem::take(&mut options).analyzer(analyzer);
            }
            "partition-by" => options = std::mem::take(&mut options).partition_by(value()?),
            "text-field" => text_fields.push(value()?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if !text_fields.is_empty() {
        options = options.text_fields(text_fields);
    }
    let report = options.repair(&path)?;
    if as_json {
        writeln!(out, "{:#}", as_json_value(&report))?;
    } else {
        print(&report, out)?;
    }
    Ok(if report.is_lossless() { OK } else { FOUND })
}

fn as_json_value(report: &RepairReport) -> serde_json::Value {
    let problem = |problem: &vecstore::Problem| json!({"path": problem.path.to_string_lossy(), "message": problem.message});
    let loss = |loss: &vecstore::Loss| json!({"path": loss.path.to_string_lossy(), "message": loss.message, "records": loss.records});
    json!({
        "ok": report.was_ok(), "lossless": report.is_lossless(), "records": report.records,
        "problems": report.problems.iter().map(problem).collect::<Vec<_>>(),
        "lost": report.lost.iter().map(loss).collect::<Vec<_>>(),
        "lost_ids": report.lost_ids, "bits_restored": report.bits_restored,
        "set_aside": report.set_aside.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
    })
}

/// Ids of lost records that are shown; all are in the JSON.
const LOST_IDS_SHOWN: usize = 20;

fn print(report: &RepairReport, out: &mut dyn Write) -> Result<(), Failure> {
    let records = Grouped(report.records as u64);
    if report.was_ok() {
        writeln!(out, "ok: nothing was wrong and nothing was changed; {records} records")?;
        return Ok(());
    }
    writeln!(out, "repaired: {records} records are there")?;
    writeln!(out, "wrong was:")?;
    for problem in &report.problems {
        writeln!(out, "  {}: {}", problem.path.display(), problem.message)?;
    }
    if report.bits_restored > 0 {
        writeln!(out, "flipped bits put back: {}", report.bits_restored)?;
    }
    if report.is_lossless() {
        writeln!(out, "nothing is lost")?;
    } else {
        writeln!(out, "lost:")?;
        for loss in &report.lost {
            writeln!(out, "  {}: {}", loss.path.display(), loss.message)?;
        }
    }
    if !report.lost_ids.is_empty() {
        let shown: Vec<String> =
            report.lost_ids.iter().take(LOST_IDS_SHOWN).map(|id| format!("{id:?}")).collect();
        let more = report.lost_ids.len() - shown.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        writeln!(out, "ids of lost records: {}{more}", shown.join(", "))?;
    }
    for path in &report.set_aside {
        writeln!(out, "damaged file kept at {}", path.display())?;
    }
    Ok(())
}
