//! Records to JSON Lines.

use std::io::Write;
use std::path::Path;

use vecstore::{Collection, Error, Filter, Result, ScrollRequest};

use crate::files::NewFile;
use crate::record::record_to_json;
use crate::{Observer, Progress};

/// Records between two calls of the observer.
const RECORDS_PER_STEP: u64 = 1024;

/// What is exported.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ExportOptions {
    filter: Option<Filter>,
    deleted: bool,
}

impl ExportOptions {
    /// Exports only records that match.
    pub fn filter(mut self, filter: impl Into<Option<Filter>>) -> Self {
        self.filter = filter.into();
        self
    }

    /// Sets whether soft-deleted records are exported as well; they are imported soft-deleted.
    pub fn deleted(mut self, deleted: bool) -> Self {
        self.deleted = deleted;
        self
    }

    /// Returns what is listed.
    pub fn request(&self) -> ScrollRequest {
        let request = ScrollRequest::new().filter(self.filter.clone());
        if self.deleted { request.all() } else { request }
    }
}

/// What an export wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportReport {
    /// Records.
    pub records: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Writes the records of this moment to a file, in ascending order of id; a file that is there is replaced once the new
/// one is whole. Expired records are left out, as from every read.
///
/// # Errors
///
/// `Io` if the file cannot be written, `Corrupted` if a record is damaged; then there is no new file.
pub fn export_jsonl(
    collection: &Collection,
    path: &Path,
    options: &ExportOptions,
    observer: &mut Observer<'_>,
) -> Result<ExportReport> {
    let mut file = NewFile::create(path)?;
    let report = write_jsonl(collection, &mut file, options, observer)
        .map_err(|error| if error.io_kind().is_some() { named(&error, path) } else { error })?;
    file.finish()?;
    Ok(report)
}

fn named(error: &Error, path: &Path) -> Error {
    Error::with_message(error, error.message().replacen("the output", &path.display().to_string(), 1))
}

/// Writes the records of this moment to anything that takes bytes.
pub fn write_jsonl(
    collection: &Collection,
    out: &mut dyn Write,
    options: &ExportOptions,
    observer: &mut Observer<'_>,
) -> Result<ExportReport> {
    let records = collection.records(&options.request())?;
    let total = Some(records.len() as u64);
    let mut report = ExportReport::default();
    let mut line = Vec::new();
    for record in records {
        line.clear();
        record_to_json(&record?, &mut line);
        line.push(b'\n');
        out.write_all(&line).map_err(|error| Error::io("write", Path::new("the output"), error))?;
        report.records += 1;
        report.bytes += line.len() as u64;
        if report.records % RECORDS_PER_STEP == 0 {
            observer(Progress { records: report.records, done: report.records, total })?;
        }
    }
    out.flush().map_err(|error| Error::io("write", Path::new("the output"), error))?;
    observer(Progress { records: report.records, done: report.records, total })?;
    Ok(report)
}
