//! The marks of a segment: which of its rows are dead and which are hidden, as of a checkpoint.
//!
//! A file `<uuid>-<generation>.del`, write-once:
//!
//! ```text
//! magic "vsDEL\r\n\x1a", u16 format major, u16 format minor, u32 zero
//! 16 bytes uuid of the segment, u64 generation
//! row set of dead rows, row set of hidden rows (see `row_set`)
//! u64 XXH3-64 of everything before
//! ```
//!
//! The manifest repeats the checksum, so that an older file cannot stand in for a newer one. Marks made since the
//! checkpoint are in the WAL.

use std::io::{self, IoSlice};
use std::path::Path;

use super::row_set::RowSet;
use super::{NUMBER_MAX, Uuid};
use crate::codec::{Reader, WriteFields};
use crate::error::{Error, Result};
use crate::vfs::Vfs;

const MAGIC: &[u8; 8] = b"vsDEL\r\n\x1a";
const FORMAT_MAJOR: u16 = 1;
const FORMAT_MINOR: u16 = 0;

/// The dead and the hidden rows of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) dead: RowSet,
    pub(crate) hidden: RowSet,
}

impl Marks {
    pub(crate) fn is_empty(&self) -> bool {
        self.dead.is_empty() && self.hidden.is_empty()
    }
}

/// Returns the name of the file of these marks.
pub(crate) fn file_name(segment: Uuid, generation: u64) -> String {
    format!("{segment}-{generation}.del")
}

/// Returns the segment and the generation of marks in a file of this name.
pub(crate) fn parse_file_name(name: &str) -> Option<(&str, u64)> {
    let (segment, generation) = name.strip_suffix(".del")?.split_once('-')?;
    Some((segment, generation.parse().ok().filter(|&generation| generation <= NUMBER_MAX)?))
}

/// Writes marks and syncs them (not their name). Returns their checksum.
pub(crate) fn write(
    vfs: &dyn Vfs,
    path: &Path,
    segment: Uuid,
    generation: u64,
    marks: &Marks,
) -> Result<u64> {
    let mut bytes = Vec::new();
    bytes.put(MAGIC);
    bytes.put_u16(FORMAT_MAJOR);
    bytes.put_u16(FORMAT_MINOR);
    bytes.put_u32(0);
    bytes.put(&segment.0);
    bytes.put_u64(generation);
    marks.dead.encode(&mut bytes);
    marks.hidden.encode(&mut bytes);
    let checksum = xxhash_rust::xxh3::xxh3_64(&bytes);
    bytes.put_u64(checksum);
    let write = || -> io::Result<()> {
        let file = vfs.create(path)?;
        file.write_all_at(&[IoSlice::new(&bytes)], 0)?;
        file.sync()
    };
    write().map_err(|error| Error::io("write", path, error))?;
    Ok(checksum)
}

/// Reads marks over `rows` rows and checks them against what the manifest says.
pub(crate) fn read(vfs: &dyn Vfs, path: &Path, segment: Uuid, checksum: u64, rows: usize) -> Result<Marks> {
    let bytes = vfs.map(path).map_err(|error| Error::io("read", path, error))?;
    decode(&bytes, path, segment, Some(checksum), rows)
}

/// Reads marks from the bytes of a file. Without the `checksum` that a manifest has of them, their own has to do.
pub(crate) fn decode(
    bytes: &[u8],
    path: &Path,
    segment: Uuid,
    checksum: Option<u64>,
    rows: usize,
) -> Result<Marks> {
    let damaged = |what: &str| Error::corrupted(format!("`{}` is damaged: {what}", path.display()));
    let (body, sum) = bytes.split_last_chunk::<8>().ok_or_else(|| damaged("it is too short"))?;
    let sum = u64::from_le_bytes(*sum);
    if checksum.is_some_and(|checksum| checksum != sum) || xxhash_rust::xxh3::xxh3_64(body) != sum {
        return Err(damaged("it fails its checksum"));
    }
    let mut reader = Reader::new(body, "marks");
    if reader.bytes(8)? != MAGIC {
        return Err(damaged("it does not start as marks do"));
    }
    let major = reader.u16()?;
    if major != FORMAT_MAJOR {
        return Err(Error::unsupported(format!(
            "`{}` has marks format {major}, this version reads {FORMAT_MAJOR}: open it with a newer vecstore",
            path.display()
        )));
    }
    reader.bytes(6)?;
    if reader.bytes(16)? != segment.0 {
        return Err(damaged("it belongs to another segment"));
    }
    reader.u64()?;
    let marks =
        Marks { dead: RowSet::decode(&mut reader, rows)?, hidden: RowSet::decode(&mut reader, rows)? };
    reader.finish()?;
    Ok(marks)
}
