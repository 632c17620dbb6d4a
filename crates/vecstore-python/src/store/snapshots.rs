//! Snapshots that are kept by name, and backups.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDateTime};
use vecstore::{DateTime, SnapshotSummary};

use super::{BaseCollection, disk_path, plain_value};
use crate::arguments::{SnapshotName, flags};
use crate::datetimes::datetime_out;
use crate::errors::OrRaise;

#[pymethods]
impl BaseCollection {
    /// Keeps the records as they are now under a name, and returns the snapshot.
    ///
    /// Copies nothing: a snapshot takes the disk space of what is replaced or removed later.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     1 to 1,024 bytes of UTF-8 without control characters.
    ///
    /// Returns
    /// -------
    /// Snapshot
    ///     A named tuple: name, created_at (an aware datetime), record_count.
    ///
    /// Raises
    /// ------
    /// AlreadyExistsError
    ///     If there is a snapshot of that name.
    ///
    /// Examples
    /// --------
    /// >>> store.create_snapshot("before").record_count
    /// 3
    fn create_snapshot<'py>(&self, py: Python<'py>, name: SnapshotName) -> PyResult<Bound<'py, PyAny>> {
        let made = self.run(py, |engine| engine.create_snapshot(&name))?;
        snapshot_value(py, &made)
    }

    /// Returns the snapshots that are kept, in the order they were made in.
    ///
    /// Examples
    /// --------
    /// >>> _ = store.create_snapshot("before")
    /// >>> [(snapshot.name, snapshot.record_count) for snapshot in store.list_snapshots()]
    /// [('before', 3)]
    fn list_snapshots<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let snapshots = self.run(py, |engine| engine.list_snapshots())?;
        snapshots.iter().map(|snapshot| snapshot_value(py, snapshot)).collect()
    }

    /// Makes the records what they were when the snapshot was made. The snapshot stays; what was written since is gone.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     Of a snapshot that is there.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     If there is no such snapshot.
    ///
    /// Examples
    /// --------
    /// >>> _ = store.create_snapshot("before")
    /// >>> store.delete("apple")
    /// True
    /// >>> store.restore_snapshot("before")
    /// >>> "apple" in store
    /// True
    fn restore_snapshot(&self, py: Python<'_>, name: SnapshotName) -> PyResult<()> {
        self.run(py, |engine| engine.restore_snapshot(&name))
    }

    /// Deletes a snapshot, and returns whether it was there.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     Of a snapshot.
    ///
    /// Examples
    /// --------
    /// >>> store.delete_snapshot("no such")
    /// False
    fn delete_snapshot(&self, py: Python<'_>, name: SnapshotName) -> PyResult<bool> {
        self.run(py, |engine| engine.delete_snapshot(&name))
    }

    /// Copies the records to a directory of its own, as of a moment after the call began. Reads and writes go on.
    ///
    /// Every file is checked against its checksums while it is copied. Several collections of one database may be backed up
    /// to one directory. Snapshots are not part of a backup.
    ///
    /// Parameters
    /// ----------
    /// path : str or os.PathLike
    ///     A new or empty directory, or that of an earlier backup, which this one replaces.
    /// incremental : bool
    ///     Whether files that are there from an earlier backup stay as they are.
    ///
    /// Returns
    /// -------
    /// BackupResult
    ///     collections, copied_files, copied_bytes, kept_files.
    ///
    /// Raises
    /// ------
    /// AlreadyExistsError
    ///     If the directory holds another database.
    /// CorruptionError, StorageError
    ///     If a file is damaged, or cannot be read or written; the earlier backup is whole then.
    ///
    /// Examples
    /// --------
    /// >>> import tempfile
    /// >>> with tempfile.TemporaryDirectory() as directory:
    /// ...     first, second = store.backup(directory), store.backup(directory)
    /// ...     first.copied_files, second.copied_files, second.kept_files
    /// (1, 0, 1)
    #[pyo3(signature = (path, incremental=true))]
    fn backup<'py>(
        &self,
        path: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = flags::incremental)] incremental: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = path.py();
        let path = disk_path(path)?;
        let report = self.run_long(py, |engine| engine.backup(&path, incremental))?;
        backup_value(py, report)
    }
}

fn snapshot_value<'py>(py: Python<'py>, snapshot: &SnapshotSummary) -> PyResult<Bound<'py, PyAny>> {
    let micros = i64::try_from(snapshot.created_at_unix_ms).unwrap_or(i64::MAX).saturating_mul(1000);
    let created_at: Bound<'py, PyDateTime> = datetime_out(py, DateTime::new(micros, 0).or_raise(py)?)?;
    plain_value(py, "Snapshot", (snapshot.name.as_str(), created_at, snapshot.record_count))
}

pub(crate) fn backup_value(py: Python<'_>, report: vecstore::BackupReport) -> PyResult<Bound<'_, PyAny>> {
    let parts = (report.collections, report.copied_files, report.copied_bytes, report.kept_files);
    plain_value(py, "BackupResult", parts)
}
