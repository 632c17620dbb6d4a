//! Writing many records in one call.

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use vecstore::{Batch, Error, Extras, MultiVector, Operation};

use super::{BaseCollection, plain_value};
use crate::arguments::{Number, Text, flags, texts, ttl};
use crate::errors::{OrRaise, exception, invalid, is_own, wrong_type};
use crate::frames::items;
use crate::metadata_in::{Keys, document, metadata};
use crate::records::Record;
use crate::sparse::sparse_vector;
use crate::vectors::{Rows, vector};

/// Rows converted between two looks at signals and two steps of a progress bar.
const ROWS_PER_STEP: usize = 1024;

/// Progress that is shown to the user, or not.
struct Progress<'py>(Option<Bound<'py, PyAny>>);

impl<'py> Progress<'py> {
    fn new(py: Python<'py>, total: usize, shown: bool) -> PyResult<Self> {
        let bar = || py.import("vecstore._progress")?.getattr("bar")?.call1((total,));
        Ok(Self(if shown { Some(bar()?) } else { None }))
    }

    fn advance(&self, rows: usize) -> PyResult<()> {
        self.0.as_ref().map_or(Ok(()), |bar| bar.call_method1("update", (rows,)).map(drop))
    }

    fn close(&self) -> PyResult<()> {
        self.0.as_ref().map_or(Ok(()), |bar| bar.call_method0("close").map(drop))
    }
}

/// Returns the items of an argument that has one for each id, or `None` if it was left out.
pub(super) fn column<'py>(
    values: Option<&Bound<'py, PyAny>>,
    what: &str,
    expected: usize,
) -> PyResult<Option<Bound<'py, PyList>>> {
    let Some(values) = values.filter(|values| !values.is_none()) else { return Ok(None) };
    if values.is_instance_of::<PyString>() || values.is_instance_of::<PyDict>() {
        return Err(wrong_type(what, "a list", values));
    }
    let list = match values.cast::<PyList>() {
        Ok(list) => list.clone(),
        Err(_) => {
            let values = &items(values, what)?;
            let items = values.try_iter().map_err(|_| wrong_type(what, "a list", values))?;
            PyList::new(values.py(), items.collect::<PyResult<Vec<_>>>()?)?
        }
    };
    check_count(values.py(), what, list.len(), expected)?;
    Ok(Some(list))
}

pub(super) fn check_count(py: Python<'_>, what: &str, got: usize, expected: usize) -> PyResult<()> {
    if got == expected {
        return Ok(());
    }
    Err(invalid(py, format!("{what}: expected one for each of the {expected} ids, got {got}")))
}

/// Says which row of a batch an error of the engine is about.
pub(super) fn at_row(py: Python<'_>, row: usize, error: &Error) -> PyErr {
    exception(py, &Error::new(error.kind(), format!("record {row}: {}", error.message())))
}

/// Records that are given by columns.
pub(super) struct Columns<'a, 'py> {
    pub(super) ids: &'a Bound<'py, PyAny>,
    pub(super) vectors: &'a Bound<'py, PyAny>,
    pub(super) metadatas: Option<&'a Bound<'py, PyAny>>,
    pub(super) texts: Option<&'a Bound<'py, PyAny>>,
    pub(super) sparse: Option<&'a Bound<'py, PyAny>>,
}

impl Columns<'_, '_> {
    /// Reads the records; `None` if there are none.
    pub(super) fn batch(&self, py: Python<'_>, progress: bool) -> PyResult<Option<Batch>> {
        let ids = self::texts(self.ids, "ids")?;
        let rows = Rows::new(self.vectors, "vectors", Some(ids.len()))?;
        check_count(py, "vectors", rows.len(), ids.len())?;
        let metadatas = column(self.metadatas, "metadatas", ids.len())?;
        let texts = column(self.texts, "texts", ids.len())?;
        let sparse = column(self.sparse, "sparse", ids.len())?;
        let progress = Progress::new(py, ids.len(), progress)?;
        let (mut scratch, mut keys) = (Vec::new(), Keys::default());
        let mut batch: Option<Batch> = None;
        let mut convert = || {
            for (row, id) in ids.iter().enumerate() {
                if row % ROWS_PER_STEP == 0 && row > 0 {
                    py.check_signals()?;
                    progress.advance(ROWS_PER_STEP)?;
                }
                let metadata = metadatas.as_ref().map(|all| all.get_item(row)).transpose()?;
                let document = match &metadata {
                    Some(metadata) if !metadata.is_none() => document(Some(metadata), "metadatas", &mut keys)
                        .map_err(|error| named(py, "metadatas", row, error))?,
                    _ => document(None, "", &mut keys)?,
                };
                let text =
                    texts.as_ref().map(|all| all.get_item(row)).transpose()?.filter(|text| !text.is_none());
                let text = text.map(|text| Text::new(&text, &format!("texts[{row}]"))).transpose()?;
                let sparse =
                    sparse.as_ref().map(|all| all.get_item(row)).transpose()?.filter(|one| !one.is_none());
                let sparse = sparse.map(|one| sparse_vector(&one, &format!("sparse[{row}]"))).transpose()?;
                // Last: what comes before may run code of the caller, which may resize the array.
                let components = rows.get(row, "vectors", &mut scratch)?;
                let batch = match &mut batch {
                    Some(batch) => batch,
                    None => batch.insert(Batch::with_capacity(components.len(), ids.len()).or_raise(py)?),
                };
                let (text, sparse) = (text.as_deref(), sparse.as_ref());
                let pushed = batch.push_with_sparse(id, components, &document, text, sparse, None);
                pushed.map_err(|error| at_row(py, row, &error))?;
            }
            progress.advance((ids.len().max(1) - 1) % ROWS_PER_STEP + usize::from(!ids.is_empty()))
        };
        let converted = convert();
        let closed = progress.close();
        converted.and(closed)?;
        Ok(batch)
    }
}

/// One record of `batch_upsert`, of whichever form.
struct Parts<'py> {
    id: Bound<'py, PyAny>,
    vector: Bound<'py, PyAny>,
    metadata: Option<Bound<'py, PyAny>>,
    text: Option<Bound<'py, PyAny>>,
    sparse: Option<Bound<'py, PyAny>>,
    ttl_seconds: Option<Bound<'py, PyAny>>,
    expires_at_ms: Option<u64>,
    /// Several vectors, of a record that a store returned.
    vectors: Option<MultiVector>,
}

impl<'py> Parts<'py> {
    fn new(object: &Bound<'py, PyAny>, row: usize) -> PyResult<Self> {
        let what = || format!("records[{row}]");
        if let Ok(record) = object.cast::<Record>() {
            Self::of_record(record, &what)
        } else if let Ok(dict) = object.cast::<PyDict>() {
            Self::of_dict(dict, &what)
        } else if let Ok(tuple) = object.cast::<PyTuple>() {
            if !(2..=4).contains(&tuple.len()) {
                let message =
                    format!("{}: expected (id, vector[, metadata[, text]]), got {}", what(), tuple.len());
                return Err(invalid(object.py(), message + " items"));
            }
            let item = |at: usize| tuple.get_item(at).ok();
            let (id, vector) = (tuple.get_item(0)?, tuple.get_item(1)?);
            Ok(Self {
                id,
                vector,
                metadata: item(2),
                text: item(3),
                sparse: None,
                ttl_seconds: None,
                expires_at_ms: None,
                vectors: None,
            })
        } else {
            Err(wrong_type(&what(), "a dict, a Record or a tuple (id, vector[, metadata[, text]])", object))
        }
    }

    fn of_record(record: &Bound<'py, Record>, what: &dyn Fn() -> String) -> PyResult<Self> {
        let (py, record) = (record.py(), record.get());
        if record.deleted {
            let message =
                format!("{}: it is soft-deleted, and upserting would show it: leave it out", what());
            return Err(invalid(py, message));
        }
        let Some(components) = record.components() else {
            return Err(invalid(py, format!("{}: it was read without its vector", what())));
        };
        Ok(Self {
            id: record.id_object().bind(py).clone().into_any(),
            vector: PyList::new(py, components)?.into_any(),
            metadata: Some(record.metadata_object().bind(py).clone().into_any()),
            text: record.text_object().map(|text| text.bind(py).clone().into_any()),
            sparse: record.sparse_dict(py)?.map(Bound::into_any),
            ttl_seconds: None,
            expires_at_ms: record.expires_at_ms,
            vectors: record.multi().cloned(),
        })
    }

    fn of_dict(dict: &Bound<'py, PyDict>, what: &dyn Fn() -> String) -> PyResult<Self> {
        const KEYS: [&str; 6] = ["id", "vector", "metadata", "text", "sparse", "ttl_seconds"];
        let py = dict.py();
        for key in dict.keys() {
            if !KEYS.iter().any(|known| key.eq(known).unwrap_or(false)) {
                let message =
                    format!("{}: expected the keys {}, got {}", what(), KEYS.join(", "), key.repr()?);
                return Err(invalid(py, message));
            }
        }
        let required = |key| {
            let missing = || invalid(py, format!("{}: expected the key `{key}`, got none", what()));
            dict.get_item(key)?.ok_or_else(missing)
        };
        let optional = |key| Ok::<_, PyErr>(dict.get_item(key)?.filter(|value| !value.is_none()));
        Ok(Self {
            id: required("id")?,
            vector: required("vector")?,
            metadata: optional("metadata")?,
            text: optional("text")?,
            sparse: optional("sparse")?,
            ttl_seconds: optional("ttl_seconds")?,
            expires_at_ms: None,
            vectors: None,
        })
    }

    fn push(&self, batch: &mut Option<Batch>, capacity: usize, row: usize, keys: &mut Keys) -> PyResult<()> {
        let py = self.id.py();
        let what = |part: &str| format!("records[{row}].{part}");
        let id: Text = Text::new(&self.id, &what("id"))?;
        let components = vector(&self.vector, &what("vector"))?;
        let document = document(self.metadata.as_ref(), &what("metadata"), keys)?;
        let text = self.text.as_ref().filter(|text| !text.is_none());
        let text = text.map(|text| Text::new(text, &what("text"))).transpose()?;
        let sparse = self.sparse.as_ref().filter(|sparse| !sparse.is_none());
        let sparse = sparse.map(|sparse| sparse_vector(sparse, &what("sparse"))).transpose()?;
        let lives = self.ttl_seconds.as_ref().map(|seconds| ttl(py, seconds.extract()?)).transpose()?;
        let batch = match batch {
            Some(batch) => batch,
            None => batch.insert(Batch::with_capacity(components.len(), capacity).or_raise(py)?),
        };
        let pushed = match self.expires_at_ms {
            None => {
                let (text, sparse) = (text.as_deref(), sparse.as_ref());
                let extras = Extras { text, sparse, vectors: self.vectors.as_ref() };
                batch.push_with(&id, &components, &document, extras, lives)
            }
            Some(at) => {
                let mut record = vecstore::Record::new(&*id, components);
                record.metadata = vecstore::metadata::decode(document.as_bytes()).or_raise(py)?;
                record.text = text.map(|text| text.to_owned());
                record.sparse = sparse;
                record.vectors.clone_from(&self.vectors);
                record.expires_at_unix_ms = Some(at);
                batch.push(&record, None)
            }
        };
        pushed.map_err(|error| at_row(py, row, &error))
    }
}

/// Reads an operation of `batch_execute`.
fn operation(object: &Bound<'_, PyAny>, class: &Bound<'_, PyAny>, position: usize) -> PyResult<Operation> {
    let py = object.py();
    if !object.is_instance(class)? {
        return Err(wrong_type(&format!("operations[{position}]"), "a BatchOperation", object));
    }
    let part = |name: &str| object.getattr(name);
    let what = |name: &str| format!("operations[{position}].{name}");
    let id = Text::new(&part("id")?, &what("id"))?.to_owned();
    let kind: String = part("operation")?.extract()?;
    Ok(match kind.as_str() {
        "upsert" => {
            let mut record = vecstore::Record::new(id, vector(&part("vector")?, &what("vector"))?);
            record.metadata = metadata(Some(&part("metadata")?), &what("metadata"), py)?;
            let text: Option<Bound<'_, PyAny>> = part("text")?.extract()?;
            let text = text.map(|text| Text::new(&text, &what("text"))).transpose()?;
            record.text = text.map(|text| text.to_owned());
            let sparse: Option<Bound<'_, PyAny>> = part("sparse")?.extract()?;
            record.sparse = sparse.map(|sparse| sparse_vector(&sparse, &what("sparse"))).transpose()?;
            let seconds: Option<Number> = part("ttl_seconds")?.extract()?;
            Operation::Upsert { record, ttl: seconds.map(|seconds| ttl(py, seconds)).transpose()? }
        }
        "delete" => Operation::Delete { id },
        "soft_delete" => Operation::SoftDelete { id },
        "restore" => Operation::Restore { id },
        "update_metadata" => {
            let metadata = metadata(Some(&part("metadata")?), &what("metadata"), py)?;
            Operation::UpdateMetadata { id, metadata }
        }
        other => {
            let message = format!("{}: there is no operation `{other}`", what("operation"));
            return Err(invalid(py, message));
        }
    })
}

#[pymethods]
impl BaseCollection {
    /// Adds or replaces records, all or none of them, and returns how many distinct ids there were.
    ///
    /// Syncs once, whatever the number of records. Of records with the same id the last counts.
    ///
    /// Parameters
    /// ----------
    /// ids : list of str
    ///     One for each vector. This and all that follow may be columns of Arrow, pandas or polars.
    /// vectors : array of the shape (n, dim), or list of vectors
    ///     A C-contiguous float32 array is fastest: its rows are copied once. Also a flat array.array of n * dim, and
    ///     columns of lists of numbers.
    /// metadatas : list of dict or None, optional
    ///     One for each id; also a frame, whose rows they are.
    /// texts : list of str or None, optional
    ///     One for each id.
    /// sparse : list of sparse vectors or None, optional
    ///     One for each id, as in `upsert`.
    /// progress : bool
    ///     Shows how far reading the arguments is, with tqdm if it is installed, else as a line on stderr.
    ///
    /// Raises
    /// ------
    /// InvalidInputError, DimensionMismatchError
    ///     As `upsert`, naming the record; nothing is changed then.
    ///
    /// Examples
    /// --------
    /// >>> store.upsert_many(["fig", "nut"], [[0.8, 0.1, 0.2], [0.2, 0.2, 0.9]], [{"kind": "fruit"}, None])
    /// 2
    #[pyo3(signature = (ids, vectors, metadatas=None, *, texts=None, sparse=None, progress=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn upsert_many(
        &self,
        py: Python<'_>,
        ids: &Bound<'_, PyAny>,
        vectors: &Bound<'_, PyAny>,
        metadatas: Option<&Bound<'_, PyAny>>,
        texts: Option<&Bound<'_, PyAny>>,
        sparse: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = flags::progress)] progress: bool,
    ) -> PyResult<usize> {
        let columns = Columns { ids, vectors, metadatas, texts, sparse };
        let batch = columns.batch(py, progress)?;
        match batch {
            Some(batch) => self.add(py, batch),
            None => {
                self.check_open(py)?;
                Ok(0)
            }
        }
    }

    /// Adds or replaces records, all or none of them, and returns how many distinct ids there were.
    ///
    /// Parameters
    /// ----------
    /// records : iterable of dict, Record or tuple
    ///     Dicts with `id`, `vector` and perhaps `metadata`, `text`, `sparse`, `ttl_seconds`; records that another store
    ///     returned; tuples (id, vector[, metadata[, text]]).
    ///
    /// Examples
    /// --------
    /// >>> store.batch_upsert([("fig", [1, 2, 3]), {"id": "nut", "vector": [3, 2, 1], "text": "a nut"}])
    /// 2
    fn batch_upsert(&self, py: Python<'_>, records: &Bound<'_, PyAny>) -> PyResult<usize> {
        if records.is_instance_of::<PyString>() || records.is_instance_of::<PyDict>() {
            return Err(wrong_type("records", "a list of records", records));
        }
        let iterator = records.try_iter().map_err(|_| wrong_type("records", "a list of records", records))?;
        let capacity = records.len().unwrap_or(0);
        let mut keys = Keys::default();
        let mut batch = None;
        for (row, record) in iterator.enumerate() {
            if row % ROWS_PER_STEP == 0 {
                py.check_signals()?;
            }
            Parts::new(&record?, row)?.push(&mut batch, capacity, row, &mut keys)?;
        }
        match batch {
            Some(batch) => self.add(py, batch),
            None => {
                self.check_open(py)?;
                Ok(0)
            }
        }
    }

    /// Applies operations in order, as one atomic write. One that is not possible is reported; the others apply.
    ///
    /// Parameters
    /// ----------
    /// operations : iterable of BatchOperation
    ///     Made by `BatchOperation.upsert`, `.delete`, `.soft_delete`, `.restore` or `.update_metadata`.
    ///
    /// Returns
    /// -------
    /// BatchResult
    ///     succeeded, failed (numbers of operations), errors (a list of `BatchError`), duration_ms.
    ///
    /// Raises
    /// ------
    /// StorageError
    ///     If the write fails as a whole; nothing is changed then.
    ///
    /// Examples
    /// --------
    /// >>> Op = vecstore.BatchOperation
    /// >>> result = store.batch_execute([Op.upsert("fig", [1, 0, 0]), Op.delete("no such")])
    /// >>> result.succeeded, result.failed, result.errors[0].error
    /// (1, 1, 'no record has the id `no such`')
    fn batch_execute<'py>(
        &self,
        py: Python<'py>,
        operations: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let class = py.import("vecstore._values")?.getattr("BatchOperation")?;
        let (mut ready, mut positions) = (Vec::new(), Vec::new());
        let mut errors: Vec<(usize, String, String)> = Vec::new();
        let listed = operations
            .try_iter()
            .map_err(|_| wrong_type("operations", "a list of BatchOperation", operations))?;
        for (position, object) in listed.enumerate() {
            let object = object?;
            match operation(&object, &class, position) {
                Ok(operation) => {
                    ready.push(operation);
                    positions.push(position);
                }
                Err(error) if is_own(py, &error) => {
                    let name = object.getattr(intern!(py, "operation"))?.extract()?;
                    errors.push((position, name, error.value(py).str()?.to_string()));
                }
                Err(error) => return Err(error),
            }
        }
        let outcome = self.run(py, |engine| engine.batch_execute(&ready))?;
        let failed = outcome.failed.iter();
        errors
            .extend(failed.map(|(at, name, error)| (positions[*at], (*name).to_owned(), error.to_string())));
        errors.sort_unstable();
        let failed = errors.len();
        let errors: Vec<_> =
            errors.into_iter().map(|parts| plain_value(py, "BatchError", parts)).collect::<PyResult<_>>()?;
        let duration_ms = outcome.duration.as_secs_f64() * 1e3;
        plain_value(py, "BatchResult", (outcome.succeeded, failed, errors, duration_ms))
    }
}

/// Says which item of a column of a batch an error is about.
pub(crate) fn named(py: Python<'_>, column: &str, row: usize, error: PyErr) -> PyErr {
    // Other exceptions come from the caller's own code, and pass as they are.
    if !is_own(py, &error) && !error.get_type(py).is(py.get_type::<PyTypeError>()) {
        return error;
    }
    let message = error.value(py).to_string();
    let rest = message.strip_prefix(column).map(|rest| format!("{column}[{row}]{rest}"));
    let message = rest.unwrap_or_else(|| format!("{column}[{row}]: {message}"));
    let named = PyErr::from_type(error.get_type(py), (message,));
    named.set_cause(py, error.cause(py));
    named
}
