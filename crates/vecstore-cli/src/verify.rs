//! `vecstore verify`: every byte against its checksum.

use serde_json::json;
use vecstore::VecStore;

use crate::arguments::Arguments;
use crate::output::{Console, Failure, Grouped};
use crate::{Command, FOUND, OK};

pub(crate) const COMMAND: Command = Command {
    name: "verify",
    usage: "[--json] PATH",
    summary: "Checks every byte of a store's files, and names what is damaged",
    help: "Changes nothing, and may run beside a process that writes. Exits with 1 if something is damaged; `vecstore \
           repair` saves what can be saved.\n\n  --json   the report as JSON",
    run,
};

fn run(arguments: &mut Arguments, console: &mut Console<'_>) -> Result<u8, Failure> {
    let out = &mut *console.out;
    let mut as_json = false;
    let path = arguments.parse(|option, _| {
        as_json |= option == "json";
        Ok(option == "json")
    })?;
    let report = VecStore::options().verify(&path)?;
    let status = if report.is_ok() { OK } else { FOUND };
    if as_json {
        let problems: Vec<_> = report
            .problems
            .iter()
            .map(|problem| json!({"path": problem.path.to_string_lossy(), "message": problem.message}))
            .collect();
        let report = json!({
            "ok": report.is_ok(), "files": report.files, "bytes": report.bytes, "records": report.records,
            "problems": problems,
        });
        writeln!(out, "{report:#}")?;
        return Ok(status);
    }
    let (files, bytes) = (Grouped(report.files as u64), Grouped(report.bytes));
    if report.is_ok() {
        writeln!(
            out,
            "ok: {} records in {files} files, {bytes} bytes checked",
            Grouped(report.records as u64)
        )?;
    } else {
        writeln!(out, "damaged: {} problems in {files} files, {bytes} bytes checked", report.problems.len())?;
        for problem in &report.problems {
            writeln!(out, "  {}: {}", problem.path.display(), problem.message)?;
        }
    }
    Ok(status)
}
