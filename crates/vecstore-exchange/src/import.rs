//! Records from JSON Lines, batch by batch.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use vecstore::{Batch, Collection, Error, ErrorKind, Record, Result};

use crate::checkpoint::{Checkpoint, Position};
use crate::files::Source;
use crate::lines::Lines;
use crate::record::record_from_json;
use crate::{Observer, Progress};

/// Records of a batch, where the options do not say otherwise.
pub const DEFAULT_BATCH_RECORDS: usize = 1000;

/// A batch of long lines is written before it is full: this bounds memory.
const BATCH_BYTES: u64 = 64 << 20;

/// How records are imported.
#[derive(Clone, Debug)]
#[must_use]
pub struct ImportOptions {
    batch_records: usize,
    checkpoint: Option<PathBuf>,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self { batch_records: DEFAULT_BATCH_RECORDS, checkpoint: None }
    }
}

impl ImportOptions {
    /// Sets how many records one atomic write has at most.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for 0.
    pub fn batch_records(mut self, records: usize) -> Result<Self> {
        if records == 0 {
            return Err(Error::new(ErrorKind::InvalidInput, "batch_size: expected 1 or more, got 0"));
        }
        self.batch_records = records;
        Ok(self)
    }

    /// Notes in a file at this path how far the import is, and goes on from there if there is one. It is removed at the
    /// end.
    pub fn checkpoint(mut self, path: impl Into<Option<PathBuf>>) -> Self {
        self.checkpoint = path.into();
        self
    }
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportReport {
    /// Records written, those of attempts before this one too. Of several with one id the last is there.
    pub records: u64,
    /// Of these, how many an earlier attempt had written.
    pub resumed_at: u64,
    /// Atomic writes of this attempt.
    pub batches: u64,
}

/// Upserts the records of a file.
///
/// # Errors
///
/// `InvalidInput` or `DimensionMismatch`, with line and column, for what is not a record of this collection. What was
/// written before stays; the message says how much.
pub fn import_jsonl(
    collection: &Collection,
    path: &Path,
    options: &ImportOptions,
    observer: &mut Observer<'_>,
) -> Result<ImportReport> {
    let mut source = Source::open(path)?;
    let open = |path: &PathBuf| Checkpoint::open(path, &format!("jsonl, {}", source.identity), collection);
    let checkpoint = options.checkpoint.as_ref().map(open).transpose()?;
    let from = checkpoint.as_ref().map_or_else(Position::default, Checkpoint::position);
    source.go_to(path, from.offset)?;
    let total = Some(source.bytes);
    let lines = Lines::new(source.file, from.items, from.offset);
    let mut import = Import {
        collection,
        options,
        observer,
        total,
        checkpoint,
        from,
        lines,
        report: ImportReport::default(),
    };
    import.run().map_err(|error| {
        let message = format!("`{}`: {}", path.display(), error.message());
        Error::with_message(&error, message)
    })
}

/// Upserts the records of anything that is read line by line, without a checkpoint.
pub fn read_jsonl(
    collection: &Collection,
    reader: &mut dyn BufRead,
    options: &ImportOptions,
    observer: &mut Observer<'_>,
) -> Result<ImportReport> {
    let lines = Lines::new(reader, 0, 0);
    let (total, from, report) = (None, Position::default(), ImportReport::default());
    Import { collection, options, observer, total, checkpoint: None, from, lines, report }.run()
}

/// Reads the next records of a file from a position on, at most a batch, and checks them as an import into the collection
/// would. Returns them with the position behind them, whose `records` counts these too, and the length of the file in bytes.
///
/// # Errors
///
/// As [`import_jsonl`].
pub fn read_batch(
    collection: &Collection,
    path: &Path,
    from: Position,
    batch_records: usize,
) -> Result<(Vec<Record>, Position, u64)> {
    let mut source = Source::open(path)?;
    source.go_to(path, from.offset)?;
    let bytes = source.bytes;
    let mut lines = Lines::new(source.file, from.items, from.offset);
    let (mut batch, mut records) = (None, Vec::new());
    let mut read = || -> Result<()> {
        while records.len() < batch_records && lines.offset - from.offset < BATCH_BYTES {
            let Some(line) = lines.next()? else { break };
            let read = record_from_json(line).and_then(|record| {
                add(&mut batch, collection, &record)?;
                Ok(record)
            });
            records.push(read.map_err(|error| at_line(lines.number, &error))?);
        }
        Ok(())
    };
    read()
        .map_err(|error| Error::with_message(&error, format!("`{}`: {}", path.display(), error.message())))?;
    let at =
        Position { items: lines.number, offset: lines.offset, records: from.records + records.len() as u64 };
    Ok((records, at, bytes))
}

struct Import<'a, 'b, R> {
    collection: &'a Collection,
    options: &'a ImportOptions,
    observer: &'a mut Observer<'b>,
    total: Option<u64>,
    checkpoint: Option<Checkpoint>,
    from: Position,
    lines: Lines<R>,
    report: ImportReport,
}

impl<R: BufRead> Import<'_, '_, R> {
    fn run(&mut self) -> Result<ImportReport> {
        self.report.records = self.from.records;
        self.report.resumed_at = self.from.records;
        let outcome = self.batches();
        outcome.map_err(|error| {
            let message =
                format!("{}; {} records before it are imported", error.message(), self.report.records);
            Error::with_message(&error, message)
        })?;
        if let Some(checkpoint) = self.checkpoint.take() {
            checkpoint.finish();
        }
        Ok(self.report)
    }

    fn batches(&mut self) -> Result<()> {
        loop {
            let (first, start) = (self.lines.number + 1, self.lines.offset);
            let mut batch: Option<Batch> = None;
            let mut ended = false;
            while batch.as_ref().map_or(0, Batch::len) < self.options.batch_records
                && self.lines.offset - start < BATCH_BYTES
            {
                let Some(line) = self.lines.next()? else {
                    ended = true;
                    break;
                };
                let read =
                    record_from_json(line).and_then(|record| add(&mut batch, self.collection, &record));
                read.map_err(|error| at_line(self.lines.number, &error))?;
            }
            if let Some(batch) = batch {
                self.write(batch, first)?;
            }
            (self.observer)(Progress {
                records: self.report.records,
                done: self.lines.offset,
                total: self.total,
            })?;
            if ended {
                return Ok(());
            }
        }
    }

    fn write(&mut self, batch: Batch, first: u64) -> Result<()> {
        let records = batch.len() as u64;
        self.collection.upsert_many(batch).map_err(|error| {
            let message = format!("lines {first} to {}: {}", self.lines.number, error.message());
            Error::with_message(&error, message)
        })?;
        self.report.records += records;
        self.report.batches += 1;
        let position =
            Position { items: self.lines.number, offset: self.lines.offset, records: self.report.records };
        match &mut self.checkpoint {
            Some(checkpoint) => checkpoint.advance(self.collection, position),
            None => Ok(()),
        }
    }
}

fn at_line(number: u64, error: &Error) -> Error {
    Error::with_message(error, format!("line {number}, {}", error.message()))
}

fn add(batch: &mut Option<Batch>, collection: &Collection, record: &Record) -> Result<()> {
    let batch = match batch {
        Some(batch) => batch,
        None => batch.insert(Batch::new(collection.dim().unwrap_or(record.vector.len()))?),
    };
    batch.push(record, None).map_err(|error| {
        let id: String = record.id.chars().take(40).collect();
        Error::with_message(&error, format!("record `{}`: {}", id.escape_debug(), error.message()))
    })
}
