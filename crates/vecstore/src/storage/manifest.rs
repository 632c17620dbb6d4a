//! The manifest: the list of everything that is part of the database. Publishing one is the commit point of every
//! change other than a logged call.
//!
//! A file `manifest-<generation>`, write-once:
//!
//! ```text
//! magic "vsMAN\r\n\x1a", u16 format major, u16 format minor, u32 feature bits (a reader refuses unknown ones):
//!   bit 1: collections have settings or snapshots
//! 16 bytes uuid of the database, u64 generation, u32 count of collections; per collection:
//!   16 bytes uuid, u32 + name, u8 metric, u8 x 3 zero, u32 dim (0: not known yet)
//!   u64 checkpoint lsn, u64 seq of the first log to replay, u64 durable lsn (a log that ends before it lost calls)
//!   u32 count of segments; per segment:
//!     16 bytes uuid, u64 rows, u64 footer checksum, u64 generation of its marks (0: none), u64 their checksum
//!   with feature bit 0: u32 + name of the analyzer, u32 count of text fields, per field u32 + path
//!   with feature bit 1: its fields, see `settings`
//! u64 XXH3-64 of everything before
//! ```
//!
//! **Write order.** Everything a manifest names is synced, with its directory, before the manifest is written to
//! `tmp/`, synced, renamed into place and its directory synced. Only then are files removed that neither it nor the
//! manifest before it names.
//!
//! **Recovery.** The newest manifest that is intact counts. If the newest is damaged, the one before it leads to
//! the same records, since its files and logs are still there; a change that no log holds (creating, renaming or
//! dropping a collection, its settings, going back to a snapshot) is published twice for this reason.

use std::io::{self, IoSlice};
use std::path::Path;

use super::settings::{self, Settings, SnapshotEntry};
use super::{NUMBER_MAX, Uuid};
use crate::codec::{Reader, WriteFields};
use crate::error::{Error, Result};
use crate::limits::MAX_DIM;
use crate::text_index::TextConfig;
use crate::vfs::Vfs;
use vecstore_kernels::Metric;
use vecstore_text::UnknownAnalyzer;

const MAGIC: &[u8; 8] = b"vsMAN\r\n\x1a";
const FORMAT_MAJOR: u16 = 1;
const FORMAT_MINOR: u16 = 0;
/// Each collection says how terms are made of its texts; without it, with the standard analyzer of no other field.
const FEATURE_TEXT: u32 = 1;
/// Each collection has settings, and snapshots.
const FEATURE_SETTINGS: u32 = 2;
/// What a collection takes at least, with an empty name and no segments.
const COLLECTION_BYTES_MIN: usize = 56;
const PREFIX: &str = "manifest-";
/// Longer than that of a million collections.
const BYTES_MAX: usize = 1 << 30;

/// Returns the name of the manifest of this generation.
pub(crate) fn file_name(generation: u64) -> String {
    format!("{PREFIX}{generation:010}")
}

/// Returns the generation of a manifest of this name.
pub(crate) fn parse_file_name(name: &str) -> Option<u64> {
    name.strip_prefix(PREFIX)?.parse().ok().filter(|&generation| generation <= NUMBER_MAX)
}

/// A database as it was when the manifest was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) database: Uuid,
    pub(crate) generation: u64,
    pub(crate) collections: Vec<CollectionEntry>,
}

/// A collection in a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CollectionEntry {
    pub(crate) uuid: Uuid,
    pub(crate) name: String,
    pub(crate) metric: Metric,
    /// How terms are made of the records' texts.
    pub(crate) text: TextConfig,
    /// The dimension, once the first vector has set it.
    pub(crate) dim: Option<usize>,
    /// The segments and marks hold the effect of every call up to this lsn; logs are replayed after it.
    pub(crate) checkpoint_lsn: u64,
    pub(crate) first_log: u64,
    /// Every call up to this lsn was durable when the manifest was published.
    pub(crate) durable_lsn: u64,
    pub(crate) segments: Vec<SegmentEntry>,
    pub(crate) settings: Settings,
    /// By name.
    pub(crate) snapshots: Vec<SnapshotEntry>,
}

/// A segment in a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentEntry {
    pub(crate) uuid: Uuid,
    pub(crate) rows: u64,
    pub(crate) checksum: u64,
    /// The generation and the checksum of the marks file, if there are marks.
    pub(crate) marks: Option<(u64, u64)>,
}

impl Manifest {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put(MAGIC);
        out.put_u16(FORMAT_MAJOR);
        out.put_u16(FORMAT_MINOR);
        let has_settings = self.collections.iter().any(settings::has_fields);
        let has_text = self.collections.iter().any(|collection| collection.text != TextConfig::default());
        let feature = |has: bool, bit: u32| if has { bit } else { 0 };
        out.put_u32(feature(has_text, FEATURE_TEXT) | feature(has_settings, FEATURE_SETTINGS));
        out.put(&self.database.0);
        out.put_u64(self.generation);
        out.put_u32(self.collections.len() as u32);
        for collection in &self.collections {
            out.put(&collection.uuid.0);
            out.put_prefixed(collection.name.as_bytes());
            out.put_u32(metric_code(collection.metric));
            out.put_u32(collection.dim.unwrap_or(0) as u32);
            out.put_u64(collection.checkpoint_lsn);
            out.put_u64(collection.first_log);
            out.put_u64(collection.durable_lsn);
            out.put_u32(collection.segments.len() as u32);
            collection.segments.iter().for_each(|segment| segment.encode(&mut out));
            if has_text {
                out.put_prefixed(collection.text.analyzer.to_string().as_bytes());
                out.put_u32(collection.text.fields.len() as u32);
                collection.text.fields.iter().for_each(|path| out.put_prefixed(path.as_bytes()));
            }
            if has_settings {
                settings::encode(collection, &mut out);
            }
        }
        out.put_u64(xxhash_rust::xxh3::xxh3_64(&out));
        out
    }

    /// Returns whether the checksum is that of the bytes.
    pub(crate) fn is_intact(bytes: &[u8]) -> bool {
        let parts = bytes.split_last_chunk::<8>();
        parts.is_some_and(|(body, sum)| xxhash_rust::xxh3::xxh3_64(body) == u64::from_le_bytes(*sum))
    }

    /// Reads a manifest. `Unsupported` if a newer version wrote it, or, unless it is intact, if it looks so.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > BYTES_MAX {
            let message = format!("a manifest has at most {BYTES_MAX} bytes, this one has {}", bytes.len());
            return Err(Error::corrupted(message));
        }
        let mut reader = Reader::new(bytes, "manifest");
        if reader.bytes(8)? != MAGIC {
            return Err(Error::corrupted("the file does not start as a manifest does"));
        }
        let (major, _minor) = (reader.u16()?, reader.u16()?);
        let features = reader.u32()?;
        // A newer format may keep its checksum elsewhere.
        if !Self::is_intact(bytes) && major <= FORMAT_MAJOR {
            return Err(Error::corrupted("the manifest fails its checksum"));
        }
        if major != FORMAT_MAJOR || features & !(FEATURE_TEXT | FEATURE_SETTINGS) != 0 {
            return Err(newer(major, features));
        }
        let database = Uuid(reader.array()?);
        let generation = number(reader.u64()?)?;
        let count = reader.count(COLLECTION_BYTES_MIN)?;
        let decode = |_| CollectionEntry::decode(&mut reader, features);
        let collections = (0..count).map(decode).collect::<Result<_>>()?;
        reader.u64()?;
        reader.finish()?;
        Ok(Self { database, generation, collections })
    }

    /// Publishes the manifest: when this returns, it is what the next open finds.
    pub(crate) fn publish(&self, vfs: &dyn Vfs, root: &Path) -> Result<()> {
        let name = file_name(self.generation);
        let (draft, path) = (root.join("tmp").join(&name), root.join(&name));
        let publish = || -> io::Result<()> {
            // A draft of this name is left over from an attempt that failed.
            if vfs.stat(&draft)?.is_some() {
                vfs.remove_file(&draft)?;
            }
            let file = vfs.create(&draft)?;
            file.write_all_at(&[IoSlice::new(&self.encode())], 0)?;
            file.sync()?;
            drop(file);
            // A crash from here on leaves the old generation or the new one, both whole.
            vfs.rename_no_replace(&draft, &path)?;
            vfs.sync_dir(root)
        };
        publish().map_err(|error| Error::io("publish", &path, error))
    }
}

impl CollectionEntry {
    fn decode(reader: &mut Reader<'_>, features: u32) -> Result<Self> {
        let uuid = Uuid(reader.array()?);
        let name = reader.string()?.to_owned();
        let metric = metric_from_code(reader.u32()?)?;
        let dim = reader.u32()? as usize;
        if dim > MAX_DIM {
            return Err(Error::corrupted(format!("manifest: dimension {dim} is over {MAX_DIM}")));
        }
        let checkpoint_lsn = number(reader.u64()?)?;
        let first_log = number(reader.u64()?)?;
        let durable_lsn = number(reader.u64()?)?;
        let segments = (0..reader.count(48)?).map(|_| SegmentEntry::decode(reader)).collect::<Result<_>>()?;
        let text = if features & FEATURE_TEXT == 0 { TextConfig::default() } else { text_config(reader)? };
        let (settings, snapshots) =
            if features & FEATURE_SETTINGS == 0 { Default::default() } else { settings::decode(reader)? };
        Ok(Self {
            uuid,
            name,
            metric,
            text,
            dim: (dim > 0).then_some(dim),
            checkpoint_lsn,
            first_log,
            durable_lsn,
            segments,
            settings,
            snapshots,
        })
    }
}

impl SegmentEntry {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.put(&self.uuid.0);
        out.put_u64(self.rows);
        out.put_u64(self.checksum);
        let (generation, checksum) = self.marks.unwrap_or((0, 0));
        out.put_u64(generation);
        out.put_u64(checksum);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self> {
        let uuid = Uuid(reader.array()?);
        let (rows, checksum) = (reader.u64()?, reader.u64()?);
        let marks = (reader.u64()?, reader.u64()?);
        Ok(Self { uuid, rows, checksum, marks: (marks.0 > 0).then_some(marks) })
    }
}

fn text_config(reader: &mut Reader<'_>) -> Result<TextConfig> {
    let name = reader.string()?;
    let unknown = |error| Error::unsupported(format!("manifest: {error}: open it with a newer vecstore"));
    let analyzer = name.parse().map_err(|error: UnknownAnalyzer| unknown(error.to_string()))?;
    let fields: Vec<String> =
        (0..reader.count(4)?).map(|_| reader.string().map(str::to_owned)).collect::<Result<_>>()?;
    TextConfig::new(analyzer, &fields).map_err(|error| unknown(error.message().to_owned()))
}

/// Passes numbers that can be counted on from: no store gets near the limit, a forged one may be beyond it.
pub(super) fn number(number: u64) -> Result<u64> {
    if number > NUMBER_MAX {
        return Err(Error::corrupted(format!("manifest: number {number} is over {NUMBER_MAX}")));
    }
    Ok(number)
}

fn newer(major: u16, features: u32) -> Error {
    Error::unsupported(format!(
        "the store has format {major} with features {features:#x}; this version reads format {FORMAT_MAJOR}: open it \
         with a newer vecstore"
    ))
}

fn metric_code(metric: Metric) -> u32 {
    match metric {
        Metric::Cosine => 1,
        Metric::Dot => 2,
        Metric::Euclidean => 3,
        Metric::Manhattan => 4,
        Metric::Hamming => 5,
        Metric::Jaccard => 6,
        Metric::Chebyshev => 7,
        Metric::Canberra => 8,
        Metric::BrayCurtis => 9,
    }
}

fn metric_from_code(code: u32) -> Result<Metric> {
    let known = Metric::ALL.iter().copied().find(|&metric| metric_code(metric) == code);
    known.ok_or_else(|| Error::corrupted(format!("manifest: unknown metric {code}")))
}
