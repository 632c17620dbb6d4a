//! `vecstore import`: records from JSON Lines.

use std::io::{BufReader, stdin};
use std::path::{Path, PathBuf};

use serde_json::json;
use vecstore::{Collection, CollectionConfig, Metric, VecDatabase, VecStore};
use vecstore_exchange::{ImportOptions, import_jsonl, read_jsonl};

use crate::arguments::Arguments;
use crate::collection::DEFAULT;
use crate::export::check_format;
use crate::interrupt::Interrupt;
use crate::output::{Console, Failure, Grouped, ProgressLine};
use crate::{Command, OK};

pub(crate) const COMMAND: Command = Command {
    name: "import",
    usage: "[options] FILE STORE",
    summary: "Upserts the records of a file of JSON Lines (others, and other stores: with the Python package)",
    help: "The store and the collection are made if they are not there. Each batch is one atomic write; an import that was \
           interrupted goes on where it was when it is run again, and nothing is doubled. FILE may be `-` for the input.\n\n  \
           --collection NAME   into which collection; `default` if not given\n  --metric NAME       the metric of a new \
           collection; cosine if not given\n  --format NAME       jsonl, parquet or numpy; by the name of the file if not \
           given\n  --from KIND         what is at FILE is of another store: chroma, faiss, hnswlib, lancedb, pinecone, qdrant, \
           usearch\n  --batch-size N      the most records of one write; 1000 if not given\n  --checkpoint PATH   where it is \
           noted how far the import is; STORE.importing if not given\n  --no-checkpoint     nothing is noted\n  --progress    \
           \x20     shows how far it is\n  --json              the figures as JSON",
    run,
};

#[derive(Default)]
struct Given {
    as_json: bool,
    progress: bool,
    no_checkpoint: bool,
    collection: Option<String>,
    format: Option<String>,
    metric: Option<Metric>,
    batch_size: Option<usize>,
    checkpoint: Option<PathBuf>,
}

fn run(arguments: &mut Arguments, console: &mut Console<'_>) -> Result<u8, Failure> {
    let mut given = Given::default();
    let paths = arguments.parse_paths(["the file", "the path of a store"], |option, value| {
        match option {
            "json" => given.as_json = true,
            "progress" => given.progress = true,
            "no-checkpoint" => given.no_checkpoint = true,
            "collection" => given.collection = Some(value()?),
            "format" => given.format = Some(value()?),
            "checkpoint" => given.checkpoint = Some(value()?.into()),
            "metric" => {
                let metric =
                    value()?.parse().map_err(|error| Failure::Usage(format!("--metric: {error}")))?;
                given.metric = Some(metric);
            }
            "batch-size" => {
                let text = value()?;
                let size = text.parse().ok().filter(|size| *size > 0);
                let wrong =
                    || Failure::Usage(format!("--batch-size: expected a number above 0, got `{text}`"));
                given.batch_size = Some(size.ok_or_else(wrong)?);
            }
            "from" => {
                let kind = value()?;
                return Err(Failure::Usage(format!(
                    "--from {kind} needs the `vecstore` of the Python package: pip install vecstore"
                )));
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let [file, path] = paths;
    check_format(given.format.as_deref(), &file)?;
    let from_input = file.as_os_str() == "-";
    // Before a store is made for a file that is not there.
    if !from_input && !file.is_file() {
        return Err(Failure::Usage(format!("`{}` is not a file", file.display())));
    }
    let database = VecStore::options().open_database(&path)?;
    let collection = target(&database, &given)?;
    let mut options = ImportOptions::default();
    if let Some(size) = given.batch_size {
        options = options.batch_records(size)?;
    }
    if !given.no_checkpoint && !from_input {
        options = options.checkpoint(given.checkpoint.clone().unwrap_or_else(|| beside(&path)));
    }
    let interrupt = Interrupt::new();
    let outcome = {
        let mut line = ProgressLine::new(console.errors, given.progress);
        let mut observer = |progress| {
            line.show(progress);
            interrupt.check()
        };
        if from_input {
            read_jsonl(&collection, &mut BufReader::new(stdin().lock()), &options, &mut observer)
        } else {
            import_jsonl(&collection, &file, &options, &mut observer)
        }
    };
    let closed = database.close();
    let report = outcome.map_err(|error| match interrupt.was_pressed() {
        true => Failure::Interrupted("what was imported stays; run it again to go on".to_owned()),
        false => error.into(),
    })?;
    closed?;
    let (records, batches) = (Grouped(report.records), Grouped(report.batches));
    if given.as_json {
        let figures =
            json!({"records": report.records, "resumed_at": report.resumed_at, "batches": report.batches});
        writeln!(console.out, "{figures:#}")?;
    } else if report.resumed_at > 0 {
        let before = Grouped(report.resumed_at);
        writeln!(console.out, "imported {records} records, {before} of them before; {batches} batches now")?;
    } else {
        writeln!(console.out, "imported {records} records in {batches} batches")?;
    }
    Ok(OK)
}

fn target(database: &VecDatabase, given: &Given) -> Result<Collection, Failure> {
    let name = given.collection.as_deref().unwrap_or(DEFAULT);
    let mut config = CollectionConfig::new();
    if let Some(metric) = given.metric {
        config = config.metric(metric);
    }
    let collection = database.get_or_create_collection(name, &config)?;
    match given.metric {
        Some(metric) if metric != collection.metric() => Err(Failure::Usage(format!(
            "--metric: the collection `{}` has the metric {}, got {metric}",
            name.escape_debug(),
            collection.metric()
        ))),
        _ => Ok(collection),
    }
}

/// Returns where the note of an import stands if nobody says: beside the store.
fn beside(store: &Path) -> PathBuf {
    let store = std::path::absolute(store).unwrap_or_else(|_| store.to_owned());
    let mut name = store.file_name().unwrap_or_default().to_owned();
    name.push(".importing");
    store.with_file_name(name)
}
