//! What to go by: the newest manifest that can be read or, if there is none, what the files say of themselves.

use std::path::{Path, PathBuf};

use vecstore_kernels::Metric;

use super::report::RepairReport;
use crate::database::{COLLECTIONS, new_uuid};
use crate::error::{Error, ErrorKind, Result};
use crate::options::OpenOptions;
use crate::storage::Uuid;
use crate::storage::flipped_bit::FlippedBits;
use crate::storage::manifest::{self, CollectionEntry, Manifest, SegmentEntry};
use crate::storage::segment::{self, Remains};
use crate::storage::settings::Settings;
use crate::storage::wal;
use crate::text_index::TextConfig;
use crate::vfs::Vfs;

/// The collections as the manifest lists them, or as they were found.
pub(super) struct Catalog {
    database: Uuid,
    pub(super) collections: Vec<CollectionEntry>,
    /// No manifest could be read: the collections are what the directories hold.
    pub(super) is_rebuilt: bool,
    /// The highest number that a manifest has, intact or not.
    generation: u64,
    /// The manifests that are damaged.
    pub(super) damaged: Vec<PathBuf>,
}

impl Catalog {
    /// Finds the collections of the database at `root`. Options of a collection are for one without a manifest.
    pub(super) fn find(
        vfs: &dyn Vfs,
        root: &Path,
        options: &OpenOptions,
        bits: &mut FlippedBits,
        report: &mut RepairReport,
    ) -> Result<Self> {
        let mut found = manifests(vfs, root)?;
        found.sort_by_key(|&(generation, _)| std::cmp::Reverse(generation));
        let generation = found.first().map_or(0, |&(generation, _)| generation);
        let (mut damaged, mut newest) = (Vec::new(), None);
        for (age, (generation, path)) in found.into_iter().enumerate() {
            let bytes = vfs.map(&path).map_err(|error| Error::io("read", &path, error))?;
            report.checked(bytes.len() as u64);
            let (manifest, damage) = read(&bytes, generation, bits)?;
            if let Some(damage) = &damage {
                report.problem(&path, damage);
                damaged.push(path);
            }
            // An older one would lead to files that are gone; still better than none.
            let counts = age < 2 || newest.is_none();
            newest = newest.or(manifest.filter(|_| counts));
        }
        if let Some(Manifest { database, collections, .. }) = newest {
            return Ok(Self { database, collections, is_rebuilt: false, generation, damaged });
        }
        let collections = rebuild(vfs, root, options, report)?;
        let missing =
            Error::corrupted("no manifest can be read: the collections are what the directories hold");
        report.problem(root, &missing);
        Ok(Self { database: new_uuid()?, collections, is_rebuilt: true, generation, damaged })
    }

    pub(super) fn needs_publishing(&self) -> bool {
        self.is_rebuilt || !self.damaged.is_empty()
    }

    /// Returns the manifest to go on from.
    pub(super) fn manifest(&self) -> Manifest {
        let (database, generation) = (self.database, self.generation);
        Manifest { database, generation, collections: self.collections.clone() }
    }
}

fn manifests(vfs: &dyn Vfs, root: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let entries = vfs.list(root).map_err(|error| Error::io("list", root, error))?;
    let number = |path: &Path| manifest::parse_file_name(path.file_name()?.to_str()?);
    Ok(entries.into_iter().filter_map(|entry| Some((number(&entry.path)?, entry.path))).collect())
}

/// Reads a manifest, with a flipped bit put back if that is what is wrong with it.
fn read(bytes: &[u8], generation: u64, bits: &mut FlippedBits) -> Result<(Option<Manifest>, Option<Error>)> {
    let decode = |bytes: &[u8]| {
        let manifest = Manifest::decode(bytes)?;
        if manifest.generation != generation {
            return Err(Error::corrupted(format!("it is of generation {}", manifest.generation)));
        }
        Ok(manifest)
    };
    match decode(bytes) {
        Ok(manifest) => Ok((Some(manifest), None)),
        // Of a newer version for sure: nothing here may be touched.
        Err(error) if error.kind() == ErrorKind::Unsupported && Manifest::is_intact(bytes) => Err(error),
        Err(error) => {
            let mut bytes = bytes.to_vec();
            let restored = bits.restore(&mut bytes, Manifest::is_intact);
            let manifest = if restored { decode(&bytes).ok() } else { None };
            Ok((manifest, Some(Error::corrupted(error.message()))))
        }
    }
}

/// Lists the collections from their directories. Every segment that can be read counts, so that records which were
/// replaced or deleted may come back; the caller says so.
fn rebuild(
    vfs: &dyn Vfs,
    root: &Path,
    options: &OpenOptions,
    report: &mut RepairReport,
) -> Result<Vec<CollectionEntry>> {
    let directory = root.join(COLLECTIONS);
    let found = match vfs.stat(&directory) {
        Ok(Some(stat)) if stat.is_dir => vfs.list(&directory),
        _ => Ok(Vec::new()),
    };
    let found = found.map_err(|error| Error::io("list", &directory, error))?;
    let uuid = |path: &Path| Uuid::parse(path.file_name()?.to_str()?);
    let mut directories: Vec<(Uuid, PathBuf)> =
        found.into_iter().filter_map(|entry| Some((uuid(&entry.path)?, entry.path))).collect();
    directories.sort();
    let only = directories.len() == 1;
    let mut collections = Vec::new();
    for (uuid, directory) in directories {
        // A store's only collection has this name; of others the names are lost with the manifest.
        let name = if only { "default".to_owned() } else { format!("recovered-{}", &uuid.to_string()[..8]) };
        let config = options.collection_config();
        let quantization = options.quantization.unwrap_or_default();
        let entry = CollectionEntry {
            text: config.text()?,
            settings: Settings { quantization, ..config.settings() },
            ..rebuild_entry(vfs, &directory, uuid, name, options.metric)?
        };
        let message = format!(
            "what the manifest said of the collection `{}`: its name, which of its records were replaced or deleted, its \
             metric, analyzer, text fields, quantization and partition_by, unless they were given (texts are indexed anew \
             with the analyzer {}; the collection is {}), the field indexes that were created or dropped, quotas, status \
             and snapshots",
            entry.name,
            entry.text.analyzer,
            match &entry.settings.partition_by {
                Some(path) => format!("partitioned by `{path}`"),
                None => "not partitioned".to_owned(),
            }
        );
        report.lost(root, None, message);
        collections.push(entry);
    }
    Ok(collections)
}

fn rebuild_entry(
    vfs: &dyn Vfs,
    directory: &Path,
    uuid: Uuid,
    name: String,
    metric: Option<Metric>,
) -> Result<CollectionEntry> {
    let entries = vfs.list(directory).map_err(|error| Error::io("list", directory, error))?;
    let names: Vec<&str> = entries.iter().filter_map(|entry| entry.path.file_name()?.to_str()).collect();
    let mut entry = CollectionEntry {
        uuid,
        name,
        metric: metric.unwrap_or(Metric::Cosine),
        dim: None,
        checkpoint_lsn: 0,
        first_log: names.iter().filter_map(|name| wal::parse_file_name(name)).min().unwrap_or(1),
        durable_lsn: 0,
        segments: Vec::new(),
        text: TextConfig::default(),
        settings: Settings::default(),
        snapshots: Vec::new(),
    };
    let mut has_norms = false;
    for name in names.iter().filter_map(|name| name.strip_suffix(".seg")) {
        let Some(segment) = Uuid::parse(name) else { continue };
        let path = directory.join(segment::file_name(segment));
        let ids = (segment, uuid);
        match Remains::examine(vfs, &path, ids, None, &mut FlippedBits::none()) {
            Ok(remains) => {
                has_norms |= remains.segment.has_norms();
                entry.dim = entry.dim.or(Some(remains.segment.dim()));
                entry.segments.push(remains.entry());
            }
            Err(error) if error.kind() == ErrorKind::Unsupported => return Err(error),
            // Looked at again, and reported, as one that the manifest names.
            Err(_) => entry.segments.push(SegmentEntry { uuid: segment, rows: 0, checksum: 0, marks: None }),
        }
    }
    if metric.is_none() && !has_norms {
        return Err(Error::invalid(format!(
            "no manifest of `{}` can be read, and the other files do not tell the metric of its records: name it",
            directory.display()
        )));
    }
    if metric.is_some_and(|metric| has_norms != (metric == Metric::Cosine)) && entry.dim.is_some() {
        return Err(Error::invalid(format!(
            "the segments of `{}` are {} cosine: name the metric that the store was made with",
            directory.display(),
            if has_norms { "of the metric" } else { "not of the metric" }
        )));
    }
    Ok(entry)
}
