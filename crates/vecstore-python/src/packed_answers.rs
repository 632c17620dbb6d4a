//! Answers to a batch of queries in bytes: as they go from shards to whoever merges them.
//!
//! ```text
//! answers    u32 queries, for each: u32 neighbors, for each: f32 key, f32 score, f32 distance, bytes id,
//!            bytes metadata, bytes text, bytes vector
//! bytes      u32 length, and as many; u32::MAX for what was not included or is not there
//! ```
//!
//! All numbers are little-endian. Both sides are of one version of the package (`VersionSkewError`), so none is written.

use std::cmp::Ordering;

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyList, PyTuple};
use vecstore::{Hits, Include};

use crate::errors::corruption;
use crate::neighbors::Neighbor;

/// The length of what is not there.
const NONE: u32 = u32::MAX;

/// Returns answers in bytes. They are ordered by their keys or, where scores are boosted, by their scores.
pub(crate) fn pack(answers: &[Hits], include: Include, is_by_score: bool) -> vecstore::Result<Vec<u8>> {
    let mut out = Vec::new();
    put_len(&mut out, answers.len());
    let mut vector = Vec::new();
    for hits in answers {
        put_len(&mut out, hits.len());
        for hit in hits.iter() {
            let key = if is_by_score { -hit.score() } else { hit.key() };
            // 0.0 and -0.0 are the same distance.
            for number in [key + 0.0, hit.score(), hit.distance()] {
                out.extend_from_slice(&number.to_le_bytes());
            }
            put_bytes(&mut out, Some(hit.id()?.as_bytes()));
            put_bytes(&mut out, if include.metadata { Some(hit.encoded_metadata()?) } else { None });
            put_bytes(&mut out, if include.text { hit.text()?.map(str::as_bytes) } else { None });
            if include.vector {
                vector.clear();
                vector.extend(hit.vector()?.iter().flat_map(|component| component.to_le_bytes()));
            }
            put_bytes(&mut out, include.vector.then_some(&vector[..]));
        }
    }
    Ok(out)
}

fn put_len(out: &mut Vec<u8>, len: usize) {
    // Limits keep every part far below 4 GiB, and what memory holds of neighbors below as many.
    out.extend_from_slice(&u32::try_from(len).unwrap_or(NONE).to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => {
            put_len(out, bytes.len());
            out.extend_from_slice(bytes);
        }
        None => out.extend_from_slice(&NONE.to_le_bytes()),
    }
}

/// A neighbor where it lies in the bytes.
struct Packed<'a> {
    key: f32,
    score: f32,
    distance: f32,
    id: &'a str,
    metadata: Option<&'a [u8]>,
    text: Option<&'a str>,
    vector: Option<&'a [u8]>,
}

impl<'a> Packed<'a> {
    /// Reads a neighbor; `None` if that is not what the bytes say.
    fn read(bytes: &mut &'a [u8]) -> Option<Self> {
        let [key, score, distance] =
            [read_array(bytes)?, read_array(bytes)?, read_array(bytes)?].map(f32::from_le_bytes);
        let id = str::from_utf8(read_bytes(bytes)??).ok()?;
        let metadata = read_bytes(bytes)?;
        let text = read_bytes(bytes)?.map(str::from_utf8).transpose().ok()?;
        let vector = read_bytes(bytes)?;
        Some(Self { key, score, distance, id, metadata, text, vector })
    }

    fn order(&self, other: &Self) -> Ordering {
        self.key.total_cmp(&other.key).then_with(|| self.id.cmp(other.id))
    }

    fn neighbor(&self, py: Python<'_>) -> Neighbor {
        let components = |bytes: &[u8]| bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
        Neighbor::new(
            py,
            self.id,
            [self.score, self.distance],
            self.metadata.map(Into::into),
            self.text,
            self.vector.map(components),
        )
    }
}

fn read_array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}

fn read_bytes<'a>(bytes: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let len = u32::from_le_bytes(read_array(bytes)?);
    if len == NONE {
        return Some(None);
    }
    let (head, rest) = bytes.split_at_checked(len as usize)?;
    *bytes = rest;
    Some(Some(head))
}

/// The best answers of several shards to the same queries. A list of neighbors is made when it is asked for.
#[pyclass(frozen, name = "_MergedAnswers", module = "vecstore._vecstore")]
pub(crate) struct MergedAnswers {
    parts: Vec<PyBackedBytes>,
    /// For each answer its neighbors, as the part and the byte where they lie.
    answers: Vec<Vec<(usize, usize)>>,
}

impl MergedAnswers {
    /// Merges; `None` if the bytes are no answers to so many queries.
    fn new(parts: Vec<PyBackedBytes>, queries: usize, k: usize, offset: usize) -> Option<Self> {
        let mut rests: Vec<&[u8]> = parts.iter().map(|part| &part[..]).collect();
        for rest in &mut rests {
            if u32::from_le_bytes(read_array(rest)?) as usize != queries {
                return None;
            }
        }
        let mut answers = Vec::new();
        let mut found = Vec::new();
        for _ in 0..queries {
            found.clear();
            for (part, rest) in rests.iter_mut().enumerate() {
                for _ in 0..u32::from_le_bytes(read_array(rest)?) {
                    let at = parts[part].len() - rest.len();
                    found.push((Packed::read(rest)?, (part, at)));
                }
            }
            found.sort_by(|one, other| one.0.order(&other.0));
            answers.push(found.iter().take(k).skip(offset).map(|(_, place)| *place).collect());
        }
        if rests.iter().any(|rest| !rest.is_empty()) {
            return None;
        }
        drop(found);
        Some(Self { parts, answers })
    }

    fn answer(&self, py: Python<'_>, row: usize) -> PyResult<Vec<Packed<'_>>> {
        let Some(places) = self.answers.get(row) else {
            return Err(PyIndexError::new_err(format!("query {row} of {}", self.answers.len())));
        };
        let read = |&(part, at): &(usize, usize)| Packed::read(&mut self.parts.get(part)?.get(at..)?);
        places.iter().map(read).collect::<Option<_>>().ok_or_else(|| malformed(py))
    }
}

fn malformed(py: Python<'_>) -> PyErr {
    corruption(py, "the answer of a shard is malformed")
}

#[pymethods]
impl MergedAnswers {
    #[new]
    fn __new__(parts: Vec<PyBackedBytes>, answers: Vec<Vec<(usize, usize)>>) -> Self {
        Self { parts, answers }
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (py, this) = (slf.py(), slf.get());
        let parts =
            (PyList::new(py, this.parts.iter().map(|part| PyBytes::new(py, part)))?, this.answers.clone());
        Ok((slf.get_type().into_any(), parts.into_pyobject(py)?))
    }

    fn __len__(&self) -> usize {
        self.answers.len()
    }

    /// The neighbors of an answer.
    fn neighbors(&self, py: Python<'_>, row: usize) -> PyResult<Vec<Neighbor>> {
        Ok(self.answer(py, row)?.iter().map(|packed| packed.neighbor(py)).collect())
    }

    /// What they are ordered by.
    fn keys(&self, py: Python<'_>, row: usize) -> PyResult<Vec<f32>> {
        Ok(self.answer(py, row)?.iter().map(|packed| packed.key).collect())
    }
}

/// Merges what `QueryBatch._packed` returned for the same queries of several shards: for each query its best `k`
/// without the first `offset`, ties by id.
#[pyfunction]
#[pyo3(name = "_merge_answers")]
pub(crate) fn merge_answers(
    py: Python<'_>,
    parts: Vec<PyBackedBytes>,
    queries: usize,
    k: usize,
    offset: usize,
) -> PyResult<MergedAnswers> {
    py.detach(|| MergedAnswers::new(parts, queries, k, offset)).ok_or_else(|| malformed(py))
}
