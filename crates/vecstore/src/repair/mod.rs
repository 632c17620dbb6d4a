//! Repair of a damaged database, and the same look at its files without changing them. Never done unasked: it gives up
//! what cannot be read.
//!
//! What is intact is kept as it is. Of a damaged file, what can be read is written to a new one, and indexes are made
//! anew from the records. Then a manifest is published that names only what is intact. The damaged files are moved to
//! `damaged/`, never removed, so that somebody who knows better can still look at them.
//!
//! **A crash** before the manifest is published changes nothing: the next attempt finds the same damaged files, and new
//! ones that no manifest names. After it, the database is whole, and what is left to move is debris of the next open.

mod catalog;
mod collection;
mod files;
mod rebuild;
mod report;
mod rows;

use std::path::Path;

pub use report::{Loss, RepairReport};

use crate::collection::VerifyReport;
use crate::database::{COLLECTIONS, LOCK, TMP, collection_dir, refuse_link, take_lock};
use crate::error::{Error, ErrorKind, Result};
use crate::options::OpenOptions;
use crate::storage::flipped_bit::FlippedBits;
use crate::vfs::Vfs;
use catalog::Catalog;
use collection::Salvage;
use files::Files;

/// The directory that damaged files are moved to.
pub(crate) const DAMAGED: &str = "damaged";

/// How often files that a writer may be changing are looked at before damage is believed in.
const CHECK_ATTEMPTS: usize = 5;

/// Repairs the database at `root`.
pub(crate) fn repair(root: &Path, options: &OpenOptions) -> Result<RepairReport> {
    let vfs = &*options.vfs;
    let absolute = std::path::absolute(root).map_err(|error| Error::io("repair", root, error))?;
    let root = absolute.as_path();
    check_directory(vfs, root)?;
    for directory in [TMP, COLLECTIONS, DAMAGED] {
        refuse_link(vfs, &root.join(directory))?;
    }
    let lock = take_lock(vfs, root, options.wait)?;
    let mut report = RepairReport::default();
    let mut bits = FlippedBits::default();
    let mut files = Files::new(vfs, root);
    let catalog = Catalog::find(vfs, root, options, &mut bits, &mut report)?;
    let mut salvages = Vec::new();
    for entry in &catalog.collections {
        refuse_link(vfs, &collection_dir(root, entry.uuid))?;
        salvages.push(Salvage::examine(vfs, root, entry, catalog.is_rebuilt, &mut bits, &mut report)?);
    }
    let changes = catalog.needs_publishing() || salvages.iter().any(Salvage::found_damage);
    if changes {
        let mut next = catalog.manifest();
        next.collections = Vec::new();
        for salvage in salvages {
            next.collections.push(salvage.rebuild(options, &mut files, &mut report)?);
        }
        files.keep_made();
        // Twice, so that neither of the two that are kept names what is damaged.
        for _ in 0..2 {
            next.generation += 1;
            next.publish(vfs, root)?;
        }
        catalog.damaged.into_iter().for_each(|path| files.damaged(path));
        files.set_aside(&mut report);
    } else {
        report.records = salvages.iter().map(Salvage::records).sum();
    }
    report.bits_restored = bits.restored;
    drop(lock);
    Ok(report)
}

/// Checks every byte of the files of the database at `root`, whether it can be opened or not. Changes nothing.
pub(crate) fn check(root: &Path, options: &OpenOptions) -> Result<VerifyReport> {
    let vfs = &*options.vfs;
    check_directory(vfs, root)?;
    let mut outcome = check_once(vfs, root, options);
    for _ in 1..CHECK_ATTEMPTS {
        // A writer may be at it: what is wrong only once is not wrong.
        match &outcome {
            Ok(report) if report.is_ok() => break,
            Err(error) if !matches!(error.kind(), ErrorKind::Io | ErrorKind::Corrupted) => break,
            _ => outcome = check_once(vfs, root, options),
        }
    }
    outcome
}

fn check_once(vfs: &dyn Vfs, root: &Path, options: &OpenOptions) -> Result<VerifyReport> {
    let mut report = RepairReport::default();
    let mut bits = FlippedBits::none();
    let catalog = Catalog::find(vfs, root, options, &mut bits, &mut report)?;
    for entry in &catalog.collections {
        let salvage = Salvage::examine(vfs, root, entry, catalog.is_rebuilt, &mut bits, &mut report)?;
        report.records += salvage.records();
    }
    Ok(report.into_verify_report())
}

fn check_directory(vfs: &dyn Vfs, root: &Path) -> Result<()> {
    let not_a_store =
        |why: &str| Error::invalid(format!("`{}` is not a vecstore store: {why}", root.display()));
    match vfs.stat(root).map_err(|error| Error::io("open", root, error))? {
        None => Err(Error::new(ErrorKind::NotFound, format!("there is no store at `{}`", root.display()))),
        Some(stat) if !stat.is_dir => Err(not_a_store("it is a file")),
        Some(_) => {
            let entries = vfs.list(root).map_err(|error| Error::io("list", root, error))?;
            let names = || entries.iter().filter_map(|entry| entry.path.file_name()?.to_str());
            let is_ours = |name: &str| {
                name == crate::database::COLLECTIONS
                    || crate::storage::manifest::parse_file_name(name).is_some()
            };
            if names().any(is_ours) || names().all(|name| name == LOCK) && names().next().is_some() {
                return Ok(());
            }
            Err(not_a_store("it has no manifest and no collections"))
        }
    }
}
