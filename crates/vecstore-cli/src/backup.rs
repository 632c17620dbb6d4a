//! `vecstore backup`: a copy of a store, as of now.

use serde_json::json;
use vecstore::VecStore;

use crate::arguments::Arguments;
use crate::collection::named;
use crate::output::{Console, Failure, Grouped};
use crate::{Command, OK};

pub(crate) const COMMAND: Command = Command {
    name: "backup",
    usage: "[--incremental] [--collection NAME] [--json] STORE TO",
    summary: "Copies a store to a directory, while others write to it",
    help: "Every byte is checked while it is copied. TO is a new or empty directory, or that of an earlier backup of the same \
           store, which is replaced once the new one is whole. The backup is a store itself.\n\n  --incremental       copy \
           what is new since the earlier backup, and leave the rest as it is\n  --collection NAME   only this one; others that \
           the backup has stay\n  --json              the figures as JSON",
    run,
};

fn run(arguments: &mut Arguments, console: &mut Console<'_>) -> Result<u8, Failure> {
    let (mut as_json, mut incremental, mut only) = (false, false, None);
    let [path, to] =
        arguments.parse_paths(["the path of a store", "where the backup goes"], |option, value| {
            match option {
                "json" => as_json = true,
                "incremental" => incremental = true,
                "collection" => only = Some(value()?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
    let database = VecStore::options().read_only(true).open_database(&path)?;
    let report = match &only {
        Some(name) => named(&database, name)?.backup(&to, incremental)?,
        None => database.backup(&to, incremental)?,
    };
    if as_json {
        let figures = json!({
            "path": to.to_string_lossy(), "collections": report.collections, "copied_files": report.copied_files,
            "copied_bytes": report.copied_bytes, "kept_files": report.kept_files,
        });
        writeln!(console.out, "{figures:#}")?;
        return Ok(OK);
    }
    let (files, bytes) = (Grouped(report.copied_files as u64), Grouped(report.copied_bytes));
    let kept = Grouped(report.kept_files as u64);
    let collections = Grouped(report.collections as u64);
    writeln!(
        console.out,
        "backed up {collections} collections: {files} files copied, {bytes} bytes; {kept} files kept"
    )?;
    Ok(OK)
}
