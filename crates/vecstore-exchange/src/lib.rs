//! Records of [`vecstore`] collections to files and back.
//!
//! The format is JSON Lines: one record a line, readable by whatever reads JSON, with every type of metadata and every
//! bit of a vector kept. It is for moving records between stores and programs; a copy of a store, with its settings,
//! indexes and quotas, is a backup ([`vecstore::Collection::backup`]).
//!
//! ```
//! use vecstore::{Metadata, VecStore};
//! use vecstore_exchange::{ExportOptions, ImportOptions, export_jsonl, import_jsonl, unobserved};
//!
//! # let directory = tempfile::tempdir().unwrap();
//! # let file = directory.path().join("records.jsonl");
//! let store = VecStore::options().open_in_memory()?;
//! store.upsert("a", &[0.1, -0.0], &Metadata::from([("pages", 3.into())]))?;
//! assert_eq!(export_jsonl(&store, &file, &ExportOptions::default(), &mut unobserved)?.records, 1);
//!
//! let copy = VecStore::options().open_in_memory()?;
//! assert_eq!(import_jsonl(&copy, &file, &ImportOptions::default(), &mut unobserved)?.records, 1);
//! assert_eq!(copy.get("a")?, store.get("a")?);
//! # Ok::<(), vecstore::Error>(())
//! ```
//!
//! # The format
//!
//! A line is an object with `id` (a string) and `vector` (an array of numbers), and where the record has them
//! `vectors` (an array of such arrays), `metadata` (an object), `text`, `sparse` (`{"indices": [..], "values": [..]}`), `expires_at_unix_ms` and `deleted`.
//! Other fields are errors. Empty lines, and a byte order mark in front, are passed over.
//!
//! A number with a point or an exponent is a float, any other an integer. What JSON has no type for is an object with
//! one key: `{"$bytes": "<base64>"}`, `{"$datetime": "<RFC 3339>"}`, and `{"$float": "NaN"}`, `"Infinity"`, `"-Infinity"`
//! or, for any other NaN, its bits in hexadecimal. A key of a map that reads `$bytes`, `$datetime` or `$float` itself is
//! written with one more `$` in front.
//!
//! # Promises
//!
//! - An exported file appears whole or not at all: it is written beside its place, synced, and renamed.
//! - An import writes batches, each atomic. It stops at the first line that is not a record, names it, and says how many
//!   records before it were written.
//! - With a [checkpoint](ImportOptions::checkpoint), an import that was killed goes on where it was. Records are
//!   upserts: what is read twice is there once.
//! - Memory is bounded by a batch and the longest line ([`MAX_LINE_BYTES`]), whatever the file; an export keeps 16
//!   bytes a record for the order of ids.

#![forbid(unsafe_code)]

mod checkpoint;
mod export;
mod files;
#[cfg(any(test, fuzzing))]
#[cfg_attr(fuzzing, doc(hidden))]
pub mod fuzzing;
mod import;
mod lines;
mod record;
mod value;

pub use checkpoint::{Checkpoint, Position};
pub use export::{ExportOptions, ExportReport, export_jsonl, write_jsonl};
pub use files::NewFile;
pub use import::{DEFAULT_BATCH_RECORDS, ImportOptions, ImportReport, import_jsonl, read_batch, read_jsonl};
pub use lines::MAX_LINE_BYTES;
pub use record::{record_from_json, record_to_json};
pub use value::{metadata_from_json, metadata_to_json};

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Records that are written.
    pub records: u64,
    /// How much is done, in the unit of `total`: records of an export, bytes of an import.
    pub done: u64,
    /// How much there is, if that is known.
    pub total: Option<u64>,
}

/// What is called as a long call gets on, about once a batch. An error ends the call: an import keeps its batches, an
/// export leaves no file.
pub type Observer<'a> = dyn FnMut(Progress) -> vecstore::Result<()> + 'a;

/// An observer that does nothing.
pub fn unobserved(_: Progress) -> vecstore::Result<()> {
    Ok(())
}
