//! Records in columns, for formats that Python writes and reads.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyBytes, PyDict, PyList, PyString, PyTuple};
use vecstore::{Batch, Error, MultiVector, Record, Records};

use super::export_options;
use crate::arguments::{Int, Text, flags, texts};
use crate::errors::{OrRaise, exception, invalid};
use crate::metadata_in::metadata;
use crate::sparse::{sparse_dict, sparse_vector};
use crate::store::{BaseCollection, named};
use crate::vectors::{Rows, multi_vector};

/// Records of several vectors or long texts fill a batch before it has all its rows: this bounds memory.
const BATCH_BYTES: usize = 64 << 20;

/// The least that a record takes, for the bound on memory.
const RECORD_BYTES: usize = 256;

fn bytes_of(record: &Record) -> usize {
    let numbers =
        record.vector.len() + record.vectors.as_ref().map_or(0, |vectors| vectors.components().len());
    RECORD_BYTES + numbers * size_of::<f32>() + record.text.as_ref().map_or(0, String::len)
}

fn little_endian(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// Batches of records of one moment, in ascending order of id; iterating yields tuples of columns.
#[pyclass(frozen, name = "_RowBatches", module = "vecstore._vecstore")]
pub(crate) struct RowBatches {
    records: Mutex<Records>,
    total: usize,
    batch_rows: usize,
}

impl RowBatches {
    pub(crate) fn new(records: Records, batch_rows: usize) -> Self {
        Self { total: records.len(), records: Mutex::new(records), batch_rows }
    }
}

#[pymethods]
impl RowBatches {
    #[new]
    #[pyo3(signature = (collection, filter, params, include_deleted, batch_rows, after=None))]
    fn __new__(
        collection: &Bound<'_, BaseCollection>,
        filter: Option<&Bound<'_, PyAny>>,
        params: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = flags::include_deleted)] include_deleted: bool,
        batch_rows: Int,
        after: Option<String>,
    ) -> PyResult<Self> {
        let py = collection.py();
        let batch_rows = batch_rows.within(py, "batch_size", 1..=super::BATCH_SIZE_MAX)?;
        let request = export_options(filter, params, include_deleted)?.request().after(after);
        let records = collection.get().run(py, |engine| engine.records(&request))?;
        Ok(Self::new(records, batch_rows))
    }

    /// The number of records in all.
    #[getter]
    fn total(&self) -> usize {
        self.total
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    /// Returns ids, vectors as the bytes of f32 in little-endian order, metadata as JSON or None, texts, sparse vectors,
    /// times of expiry in milliseconds, whether records are soft-deleted, and the bytes of several vectors or None.
    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let read = || {
            let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
            let (mut batch, mut bytes) = (Vec::<Record>::new(), 0);
            while batch.len() < self.batch_rows && bytes < BATCH_BYTES {
                let Some(record) = records.next().transpose()? else { break };
                bytes += bytes_of(&record);
                batch.push(record);
            }
            Ok(batch)
        };
        let batch = py.detach(read).or_raise(py)?;
        if batch.is_empty() { Ok(None) } else { columns(py, &batch).map(Some) }
    }
}

/// Returns records in the columns that `_RowBatches` hands out.
fn columns<'py>(py: Python<'py>, batch: &[Record]) -> PyResult<Bound<'py, PyTuple>> {
    let (metadata, vectors) = py.detach(|| {
        let metadata = batch.iter().map(|record| &record.metadata);
        let metadata: Vec<Option<String>> =
            metadata.map(|one| (!one.is_empty()).then(|| vecstore_exchange::metadata_to_json(one))).collect();
        let vectors = batch.iter().flat_map(|record| &record.vector);
        (metadata, vectors.flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>())
    });
    let sparse =
        batch.iter().map(|record| record.sparse.as_ref().map(|one| sparse_dict(py, one)).transpose());
    let sparse: Vec<Option<Bound<'py, PyDict>>> = sparse.collect::<PyResult<_>>()?;
    let several = |vectors: &MultiVector| PyBytes::new(py, &little_endian(vectors.components())).into_any();
    let columns = (
        PyList::new(py, batch.iter().map(|record| record.id.as_str()))?,
        PyBytes::new(py, &vectors),
        metadata,
        PyList::new(py, batch.iter().map(|record| record.text.as_deref()))?,
        sparse,
        PyList::new(py, batch.iter().map(|record| record.expires_at_unix_ms))?,
        PyList::new(py, batch.iter().map(|record| record.deleted))?,
        PyList::new(py, batch.iter().map(|record| record.vectors.as_ref().map(several)))?,
    );
    columns.into_pyobject(py)
}

/// Metadata of a row: a dict, JSON, or nothing.
fn metadata_of(object: &Bound<'_, PyAny>, what: &str) -> PyResult<vecstore::Metadata> {
    let py = object.py();
    if !object.is_instance_of::<PyString>() {
        return metadata(Some(object), what, py);
    }
    vecstore_exchange::metadata_from_json(&Text::new(object, what)?)
        .map_err(|error| invalid(py, format!("{what}: {}", error.message())))
}

#[pymethods]
impl BaseCollection {
    /// Reads a batch of a file of JSON Lines from a place on, checked as an import into this collection would: columns as of
    /// `_RowBatches`, None if there are no more records; how many lines are done then, where the next one begins, and how many
    /// bytes there are.
    fn _read_jsonl<'py>(
        &self,
        path: &Bound<'py, PyAny>,
        lines: u64,
        offset: u64,
        batch_rows: Int,
    ) -> PyResult<(Option<Bound<'py, PyTuple>>, u64, u64, u64)> {
        let (py, path) = (path.py(), crate::store::disk_path(path)?);
        let batch_rows = batch_rows.within(py, "batch_size", 1..=super::BATCH_SIZE_MAX)?;
        let from = vecstore_exchange::Position { items: lines, offset, records: 0 };
        let read = || vecstore_exchange::read_batch(self.engine(), &path, from, batch_rows);
        let (records, at, bytes) = py.detach(read).or_raise(py)?;
        let columns = if records.is_empty() { None } else { Some(columns(py, &records)?) };
        Ok((columns, at.items, at.offset, bytes))
    }

    /// Returns the vector of a record of several, by which plain searches find it.
    fn _mean_vector(&self, py: Python<'_>, vectors: &Bound<'_, PyAny>) -> PyResult<Vec<f32>> {
        let vectors = multi_vector(vectors, "vectors")?;
        self.run(py, |engine| engine.mean_vector(&vectors))
    }

    /// Upserts rows that `_RowBatches` would hand out, all or none of them: metadata as JSON or dicts, several vectors as
    /// arrays of the shape (n, dim).
    #[expect(clippy::too_many_arguments, reason = "a column each")]
    fn _put_rows(
        &self,
        py: Python<'_>,
        ids: &Bound<'_, PyAny>,
        vectors: &Bound<'_, PyAny>,
        metadata: Option<&Bound<'_, PyList>>,
        texts: Option<&Bound<'_, PyList>>,
        sparse: Option<&Bound<'_, PyList>>,
        expires: Option<&Bound<'_, PyList>>,
        deleted: Option<&Bound<'_, PyList>>,
        several: Option<&Bound<'_, PyList>>,
    ) -> PyResult<usize> {
        let ids = self::texts(ids, "ids")?;
        let rows = Rows::new(vectors, "vectors", Some(ids.len()))?;
        let mut columns = [metadata, texts, sparse, expires, deleted, several].into_iter().flatten();
        if let Some(column) = columns.find(|column| column.len() != ids.len()).map(|column| column.len()) {
            return Err(invalid(py, format!("expected {} rows in each column, got {column}", ids.len())));
        }
        if rows.len() != ids.len() {
            return Err(invalid(py, format!("expected {} vectors, got {}", ids.len(), rows.len())));
        }
        let at = |column: Option<&Bound<'_, PyList>>, row: usize| -> PyResult<Option<Py<PyAny>>> {
            let Some(column) = column else { return Ok(None) };
            let item = column.get_item(row)?;
            Ok((!item.is_none()).then(|| item.unbind()))
        };
        let (mut scratch, mut batch) = (Vec::new(), None::<Batch>);
        for (row, id) in ids.iter().enumerate() {
            let components = rows.get(row, "vectors", &mut scratch)?;
            let mut record = Record::new(&**id, components);
            let what = |name: &str| format!("row {row}, {name}");
            if let Some(one) = at(metadata, row)? {
                record.metadata = metadata_of(one.bind(py), &what("metadata"))?;
            }
            if let Some(one) = at(texts, row)? {
                record.text = Some(Text::new(one.bind(py), &what("text"))?.to_owned());
            }
            if let Some(one) = at(sparse, row)? {
                record.sparse = Some(sparse_vector(one.bind(py), &what("sparse"))?);
            }
            if let Some(one) = at(expires, row)? {
                record.expires_at_unix_ms = Some(one.bind(py).extract().map_err(|_| {
                    invalid(py, format!("{}: expected milliseconds since 1970", what("expires_at_unix_ms")))
                })?);
            }
            if let Some(one) = at(deleted, row)? {
                record.deleted = one.bind(py).is_truthy()?;
            }
            if let Some(one) = at(several, row)? {
                let vectors = multi_vector(one.bind(py), "vectors");
                record.vectors = Some(vectors.map_err(|error| named(py, "vectors", row, error))?);
            }
            let batch = match &mut batch {
                Some(batch) => batch,
                None => batch.insert(Batch::with_capacity(components.len(), ids.len()).or_raise(py)?),
            };
            batch.push(&record, None).map_err(|error| {
                exception(py, &Error::new(error.kind(), format!("row {row}: {}", error.message())))
            })?;
        }
        match batch {
            Some(batch) => self.add(py, batch),
            None => self.check_open(py).map(|()| 0),
        }
    }
}
