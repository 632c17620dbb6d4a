//! `vecstore export`: records to JSON Lines.

use std::io::BufWriter;
use std::path::Path;

use serde_json::json;
use vecstore::{Filter, Metadata, VecStore};
use vecstore_exchange::{ExportOptions, export_jsonl, write_jsonl};

use crate::arguments::Arguments;
use crate::collection::chosen;
use crate::interrupt::Interrupt;
use crate::output::{Console, Failure, Grouped, ProgressLine};
use crate::{Command, OK};

pub(crate) const COMMAND: Command = Command {
    name: "export",
    usage: "[options] STORE FILE",
    summary: "Writes records to a file of JSON Lines (Parquet, numpy: with the Python package)",
    help: "The store is opened read-only, beside a process that writes if there is one. The file appears whole, in the place \
           of one that was there, or not at all. FILE may be `-` for the output.\n\n  --collection NAME   of which collection; \
           `default`, or the only one, if not given\n  --format NAME       jsonl, parquet or numpy; by the name of the file if \
           not given\n  --filter TEXT       only records that match, such as \"price < 10 AND kind = 'fruit'\"\n  --deleted    \
           \x20      soft-deleted records as well\n  --progress          shows how far it is\n  --json              the figures \
           as JSON",
    run,
};

fn run(arguments: &mut Arguments, console: &mut Console<'_>) -> Result<u8, Failure> {
    let (mut as_json, mut progress, mut name, mut format) = (false, false, None, None);
    let mut options = ExportOptions::default();
    let [path, file] = arguments.parse_paths(["the path of a store", "the file"], |option, value| {
        match option {
            "json" => as_json = true,
            "progress" => progress = true,
            "collection" => name = Some(value()?),
            "format" => format = Some(value()?),
            "deleted" => options = std::mem::take(&mut options).deleted(true),
            "filter" => {
                let filter = Filter::parse(&value()?, &Metadata::new())
                    .map_err(|error| Failure::Usage(format!("--filter: {error}")))?;
                options = std::mem::take(&mut options).filter(filter);
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    check_format(format.as_deref(), &file)?;
    let database = VecStore::options().read_only(true).open_database(&path)?;
    let collection = chosen(&database, name.as_deref())?;
    let interrupt = Interrupt::new();
    let to_output = file.as_os_str() == "-";
    let outcome = {
        let mut line = ProgressLine::new(console.errors, progress);
        let mut observer = |progress| {
            line.show(progress);
            interrupt.check()
        };
        if to_output {
            let mut out = BufWriter::with_capacity(1 << 16, &mut *console.out);
            write_jsonl(&collection, &mut out, &options, &mut observer)
        } else {
            export_jsonl(&collection, &file, &options, &mut observer)
        }
    };
    let report = outcome.map_err(|error| match error.io_kind() {
        Some(kind) if to_output => Failure::Output(kind.into()),
        _ if interrupt.was_pressed() => Failure::Interrupted("no file was written".to_owned()),
        _ => error.into(),
    })?;
    if to_output {
        return Ok(OK);
    }
    if as_json {
        let figures =
            json!({"path": file.to_string_lossy(), "records": report.records, "bytes": report.bytes});
        writeln!(console.out, "{figures:#}")?;
    } else {
        let (records, bytes) = (Grouped(report.records), Grouped(report.bytes));
        writeln!(console.out, "exported {records} records to {}, {bytes} bytes", file.display())?;
    }
    Ok(OK)
}

/// Fails for the formats that only the Python package has.
pub(crate) fn check_format(given: Option<&str>, file: &Path) -> Result<(), Failure> {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let format = given.unwrap_or(match extension {
        "parquet" => "parquet",
        "npz" | "npy" => "numpy",
        _ => "jsonl",
    });
    match format {
        "jsonl" => Ok(()),
        "parquet" | "numpy" => Err(Failure::Usage(format!(
            "the format {format} needs the `vecstore` of the Python package: pip install 'vecstore[arrow]'"
        ))),
        _ => Err(Failure::Usage(format!("--format: expected jsonl, parquet or numpy, got `{format}`"))),
    }
}
