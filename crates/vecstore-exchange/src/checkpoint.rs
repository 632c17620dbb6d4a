//! How far an import is, in a small file of its own.
//!
//! The file says of which source and of which collection it speaks. It is written, atomically, after a batch is durable,
//! so that it never says more than is there: a crash in between makes the next attempt read one batch again, which
//! writes the same records to the same ids. One that does not fit (another file, another collection, a store that is
//! back in an earlier state) is passed over, and the import starts at the beginning.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use vecstore::{Collection, Error, ErrorKind, Result};

use crate::files::{NewFile, read_small, remove};

const VERSION: u64 = 1;

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Lines or rows of the source that are done.
    pub items: u64,
    /// Where the next one begins, in bytes, for sources that are read so.
    pub offset: u64,
    /// Records written.
    pub records: u64,
}

/// The checkpoint of an import.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    source: String,
    collection: String,
    position: Position,
}

impl Checkpoint {
    /// Reads the checkpoint at a path, or begins one. `source` tells what is imported from everything else, and changes
    /// when it does.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the file at the path is no checkpoint.
    pub fn open(path: &Path, source: &str, collection: &Collection) -> Result<Self> {
        let uuid = collection.uuid();
        let mut position = Position::default();
        if let Some(text) = read_small(path) {
            let read: Value = serde_json::from_str(&text).unwrap_or_default();
            if read["vecstore_import"].as_u64() != Some(VERSION) {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    format!(
                        "`{}` is not a checkpoint of an import: give another path, or remove it",
                        path.display()
                    ),
                ));
            }
            let lsn = collection.stats()?.lsn;
            let is_this = read["source"].as_str() == Some(source)
                && read["collection"].as_str() == Some(&uuid)
                && read["lsn"].as_u64().is_some_and(|then| then <= lsn);
            if is_this {
                let number = |name: &str| read[name].as_u64().unwrap_or(0);
                position =
                    Position { items: number("items"), offset: number("offset"), records: number("records") };
            }
        }
        Ok(Self { path: path.to_owned(), source: source.to_owned(), collection: uuid, position })
    }

    /// Returns how far the import is.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Makes what was written durable, and notes that the import is as far as this.
    pub fn advance(&mut self, collection: &Collection, position: Position) -> Result<()> {
        collection.save()?;
        let note = json!({
            "vecstore_import": VERSION, "source": self.source, "collection": self.collection,
            "lsn": collection.stats()?.lsn, "items": position.items, "offset": position.offset,
            "records": position.records,
        });
        let mut file = NewFile::create(&self.path)?;
        writeln!(file, "{note}").map_err(|error| Error::io("write", &self.path, error))?;
        file.finish()?;
        self.position = position;
        Ok(())
    }

    /// Removes the file: the import is done.
    pub fn finish(self) {
        remove(&self.path);
    }
}
