//! Runs and judgments in, values of measures out.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString};
use vecstore_eval::{Compat, Judgment, Measure, Topic};

use super::OrInvalid;
use crate::errors::{invalid, wrong_type};

/// What the judgments and rankings of a call become, query by query.
type ParsedQrels = Vec<(String, String, String, i64)>;
type ParsedRun = Vec<(String, String, f64, String)>;

/// Evaluates a run: values by query and measure, and by measure over all queries.
#[pyfunction]
#[pyo3(name = "_eval_run")]
pub(crate) fn eval_run<'py>(
    qrels: &Bound<'py, PyAny>,
    run: &Bound<'py, PyAny>,
    measures: Vec<String>,
    compat: &str,
    level: u32,
    complete: bool,
) -> PyResult<(Bound<'py, PyDict>, Bound<'py, PyDict>)> {
    let py = run.py();
    let compat: Compat = compat.parse::<Compat>().or_invalid(py)?;
    let mut wanted: Vec<Measure> = Vec::new();
    for name in &measures {
        for measure in Measure::parse(name).or_invalid(py)? {
            if !wanted.iter().any(|known| known.name() == measure.name()) {
                wanted.push(measure);
            }
        }
    }
    let qrels = mapping(qrels, "qrels")?;
    let run = mapping(run, "run")?;
    let mut queries = Vec::new();
    let mut topics = Vec::new();
    for (query, retrieved) in run.iter() {
        let Some(judged) = qrels.get_item(&query)? else { continue };
        topics.push(topic(&query, &judged, &retrieved, compat)?);
        queries.push(query);
    }
    if complete {
        let nothing = PyDict::new(py).into_any();
        for (query, judged) in qrels.iter() {
            if !run.contains(&query)? {
                topics.push(topic(&query, &judged, &nothing, compat)?);
                queries.push(query);
            }
        }
    }
    let evaluation =
        py.detach(|| vecstore_eval::evaluate_topics(&topics, &wanted, compat, level)).or_invalid(py)?;
    let names: Vec<Bound<'py, PyString>> =
        wanted.iter().map(|measure| PyString::new(py, measure.name())).collect();
    let per_query = PyDict::new(py);
    for (query, values) in queries.iter().zip(&evaluation.per_query) {
        let row = PyDict::new(py);
        for (name, value) in names.iter().zip(values) {
            if let Some(value) = value {
                row.set_item(name, value)?;
            }
        }
        per_query.set_item(query, row)?;
    }
    let summary = PyDict::new(py);
    for (name, value) in names.iter().zip(&evaluation.summary) {
        summary.set_item(name, value)?;
    }
    Ok((per_query, summary))
}

fn mapping<'py>(object: &Bound<'py, PyAny>, what: &str) -> PyResult<Bound<'py, PyDict>> {
    if let Ok(dict) = object.cast::<PyDict>() {
        return Ok(dict.clone());
    }
    let Ok(mapping) = object.cast::<PyMapping>() else { return Err(wrong_type(what, "a mapping", object)) };
    let dict = PyDict::new(object.py());
    dict.update(mapping)?;
    Ok(dict)
}

fn topic<'py>(
    query: &Bound<'py, PyAny>,
    judged: &Bound<'py, PyAny>,
    retrieved: &Bound<'py, PyAny>,
    compat: Compat,
) -> PyResult<Topic> {
    let py = query.py();
    let judged = mapping(judged, &format!("qrels[{}]", shown(query)))?;
    let retrieved = mapping(retrieved, &format!("run[{}]", shown(query)))?;
    let mut grades = Vec::with_capacity(judged.len());
    for (document, grade) in judged.iter() {
        grades.push(judgment(query, &document, &grade)?);
    }
    let (mut ids, mut scores, mut judgments) = (Vec::new(), Vec::new(), Vec::new());
    scores.reserve(retrieved.len());
    for (document, score) in retrieved.iter() {
        scores.push(number(query, &document, &score)?);
        judgments.push(match judged.get_item(&document)? {
            Some(grade) => judgment(query, &document, &grade)?,
            None => Judgment::Unpooled,
        });
        ids.push(document);
    }
    let order = order(&ids, &scores, compat)
        .map_err(|error| invalid(py, format!("run[{}]: {error}", shown(query))))?;
    Ok(Topic::new(order.into_iter().map(|at| judgments[at]).collect(), grades))
}

/// Returns the positions of documents by rank. Ids are read only where scores tie.
fn order(ids: &[Bound<'_, PyAny>], scores: &[f64], compat: Compat) -> vecstore_eval::Result<Vec<usize>> {
    let texts: Vec<OnceCell<String>> = vec![OnceCell::new(); ids.len()];
    let text = |at: usize| {
        texts[at].get_or_init(|| {
            let text = ids[at].cast::<PyString>().map(|id| id.to_string_lossy().into_owned());
            text.unwrap_or_default()
        })
    };
    vecstore_eval::rank(scores, compat, |a, b| -> Ordering { text(a).cmp(text(b)) })
}

fn shown(object: &Bound<'_, PyAny>) -> String {
    object.repr().map_or_else(|_| "?".to_owned(), |repr| repr.to_string_lossy().into_owned())
}

fn judgment(
    query: &Bound<'_, PyAny>,
    document: &Bound<'_, PyAny>,
    grade: &Bound<'_, PyAny>,
) -> PyResult<Judgment> {
    let py = query.py();
    let place = || format!("qrels[{}][{}]", shown(query), shown(document));
    // A bool is a grade of 0 or 1, which judgments often are.
    let whole = grade.is_instance_of::<PyInt>() || grade.hasattr("__index__")?;
    if !whole {
        return Err(wrong_type(&place(), "an int", grade));
    }
    let grade: i64 = grade.extract().map_err(|_| invalid(py, format!("{}: expected 64 bits", place())))?;
    Judgment::of_grade(grade).map_err(|error| invalid(py, format!("{}: {error}", place())))
}

fn number(query: &Bound<'_, PyAny>, document: &Bound<'_, PyAny>, score: &Bound<'_, PyAny>) -> PyResult<f64> {
    if !document.is_instance_of::<PyString>() {
        return Err(wrong_type(&format!("a document id of run[{}]", shown(query)), "a str", document));
    }
    let place = || format!("run[{}][{}]", shown(query), shown(document));
    let score = match score.cast_exact::<PyFloat>() {
        Ok(score) => score.value(),
        Err(_) if score.is_instance_of::<PyBool>() || score.is_instance_of::<PyString>() => {
            return Err(wrong_type(&place(), "a number", score));
        }
        Err(_) => score.extract().map_err(|_| wrong_type(&place(), "a number", score))?,
    };
    if score.is_nan() {
        return Err(invalid(query.py(), format!("{}: expected a number, got NaN", place())));
    }
    Ok(score)
}

/// Returns the documents of one query in the order of their ranks.
#[pyfunction]
#[pyo3(name = "_eval_ranking")]
pub(crate) fn eval_ranking<'py>(
    query: &Bound<'py, PyAny>,
    retrieved: &Bound<'py, PyAny>,
    compat: &str,
) -> PyResult<Bound<'py, PyList>> {
    let py = query.py();
    let compat: Compat = compat.parse::<Compat>().or_invalid(py)?;
    let retrieved = mapping(retrieved, &format!("run[{}]", shown(query)))?;
    let (mut ids, mut scores) = (Vec::new(), Vec::new());
    for (document, score) in retrieved.iter() {
        scores.push(number(query, &document, &score)?);
        ids.push(document);
    }
    let order = order(&ids, &scores, compat).or_invalid(py)?;
    PyList::new(py, order.into_iter().map(|at| &ids[at]))
}

/// Computes alpha-nDCG of one query from the documents in order, and the documents of each subtopic.
#[pyfunction]
#[pyo3(name = "_eval_alpha_ndcg")]
pub(crate) fn eval_alpha_ndcg(
    py: Python<'_>,
    ranked: Vec<String>,
    judged: Vec<Vec<String>>,
    cut: Option<usize>,
    alpha: f64,
) -> PyResult<f64> {
    let mut subtopics: HashMap<&str, Vec<u32>> = HashMap::new();
    for (subtopic, documents) in judged.iter().enumerate() {
        for document in documents {
            subtopics.entry(document).or_default().push(subtopic as u32);
        }
    }
    let gains: Vec<Vec<u32>> =
        ranked.iter().map(|document| subtopics.get(document.as_str()).cloned().unwrap_or_default()).collect();
    // The greedy ideal takes the first of equals, so the order must not be the hash map's.
    let mut documents: Vec<(&str, Vec<u32>)> = subtopics.into_iter().collect();
    documents.sort_unstable();
    let judged: Vec<Vec<u32>> = documents.into_iter().map(|(_, subtopics)| subtopics).collect();
    py.detach(|| vecstore_eval::alpha_ndcg(&gains, &judged, cut, alpha)).or_invalid(py)
}

/// Returns the names of all measures.
#[pyfunction]
#[pyo3(name = "_eval_measure_names")]
pub(crate) fn eval_measure_names() -> Vec<&'static str> {
    Measure::names()
}

/// Reads a qrels file: query, iteration, document, grade of each line.
#[pyfunction]
#[pyo3(name = "_eval_parse_qrels")]
pub(crate) fn eval_parse_qrels(py: Python<'_>, text: &str) -> PyResult<ParsedQrels> {
    let rows = vecstore_eval::parse_qrels(text).or_invalid(py)?;
    let owned = |text: &str| text.to_owned();
    Ok(rows
        .iter()
        .map(|row| (owned(row.query), owned(row.iteration), owned(row.document), row.grade))
        .collect())
}

/// Reads a run file: query, document, score, tag of each line.
#[pyfunction]
#[pyo3(name = "_eval_parse_run")]
pub(crate) fn eval_parse_run(py: Python<'_>, text: &str) -> PyResult<ParsedRun> {
    let rows = vecstore_eval::parse_run(text).or_invalid(py)?;
    let owned = |text: &str| text.to_owned();
    Ok(rows.iter().map(|row| (owned(row.query), owned(row.document), row.score, owned(row.tag))).collect())
}
