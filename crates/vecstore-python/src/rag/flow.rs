//! Flows: Python asks what they need, makes the calls, and resumes them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use vecstore_rag::{
    EmbedTexts, ExpandQuery, Expansion, Flow as _, Need, Response, Retrieve, RetrieveOptions, Retrieved,
    Retry, RetryPolicy, Scored, SearchMode, Step,
};

use super::OrRaise;
use super::caches::EmbeddingCache;
use crate::arguments::texts;
use crate::errors::invalid;
use crate::vectors::Rows;

/// A flow that Python drives: `resume(name, payload)` returns the name and payload of what it needs next, or of its end.
///
/// | it needs | payload | is resumed with | payload |
/// |---|---|---|---|
/// | | | `start` | None |
/// | `vectors` | texts | `vectors` | a vector for each |
/// | `answers` | prompts | `answers` | an answer for each |
/// | `neighbors` | texts, vectors, k | `neighbors` | for each, (number, score) pairs |
/// | `ranking` | query, (number, score) pairs, top_k | `ranking` | (number, score) pairs |
/// | `pause` | seconds | `paused` | None |
/// | | | `failed` | whether it may pass, seconds to wait or None |
/// | `done` | the output | | |
/// | `give_up` | None: raise the last failure | | |
#[pyclass(frozen, name = "_RagFlow", module = "vecstore._vecstore")]
pub(crate) struct Flow(Mutex<Machine>);

enum Machine {
    Embed(Retry<EmbedTexts>),
    Expand(Retry<ExpandQuery>),
    Retrieve(Box<Retry<Retrieve>>),
}

/// The policy of Python's (retries, first pause, longest pause, seed).
type Policy = (usize, f64, f64, u64);

fn policy(py: Python<'_>, (retries, first, longest, seed): Policy) -> PyResult<RetryPolicy> {
    let duration = |name: &str, seconds: f64| {
        Duration::try_from_secs_f64(seconds).map_err(|_| {
            invalid(py, format!("{name}: expected a number of seconds of at least 0, got {seconds}"))
        })
    };
    Ok(RetryPolicy::new()
        .retries(retries)
        .first_pause(duration("backoff", first)?)
        .longest_pause(duration("longest_pause", longest)?)
        .seed(seed))
}

fn expansion(py: Python<'_>, name: &str) -> PyResult<Expansion> {
    Ok(match name {
        "multi_query" => Expansion::Paraphrases,
        "decompose" => Expansion::SubQuestions,
        "hyde" => Expansion::HypotheticalDocuments,
        other => {
            let message = format!("expansion: expected multi_query, decompose or hyde, got `{other}`");
            return Err(invalid(py, message));
        }
    })
}

/// What goes to Python: a name and a payload.
type Out<'py> = (&'static str, Bound<'py, PyAny>);

#[pymethods]
impl Flow {
    #[staticmethod]
    fn embed(
        py: Python<'_>,
        texts: Vec<String>,
        batch_size: usize,
        cache: Option<&Bound<'_, EmbeddingCache>>,
        retry: Policy,
    ) -> PyResult<Self> {
        let cache = cache.map(|cache| cache.get().0.clone());
        let flow = EmbedTexts::new(texts, batch_size).cache(cache);
        Ok(Self(Mutex::new(Machine::Embed(Retry::new(flow, policy(py, retry)?)))))
    }

    #[staticmethod]
    fn expand(py: Python<'_>, query: String, kind: &str, count: usize, retry: Policy) -> PyResult<Self> {
        let flow = ExpandQuery::new(query, expansion(py, kind)?, count);
        Ok(Self(Mutex::new(Machine::Expand(Retry::new(flow, policy(py, retry)?)))))
    }

    #[staticmethod]
    #[expect(clippy::too_many_arguments, reason = "the options of a retrieval, one by one")]
    fn retrieve(
        py: Python<'_>,
        query: String,
        k: usize,
        fetch_k: usize,
        kind: Option<&str>,
        count: usize,
        has_model: bool,
        reranks: bool,
        fusion_k: f64,
        by_text: bool,
        synonyms: Vec<(String, Vec<String>)>,
        cache: Option<&Bound<'_, EmbeddingCache>>,
        retry: Policy,
    ) -> PyResult<Self> {
        // Whether the driver searches by words beside the vector is its own affair.
        let mode = if by_text { SearchMode::Text } else { SearchMode::Vector };
        let options = RetrieveOptions {
            k,
            fetch_k,
            mode,
            synonyms,
            expansion: kind.map(|kind| expansion(py, kind)).transpose()?,
            expansion_count: count,
            has_model,
            reranks,
            fusion_k,
            cache: cache.map(|cache| cache.get().0.clone()),
        };
        let flow = Retrieve::new(query, options).or_raise(py)?;
        Ok(Self(Mutex::new(Machine::Retrieve(Box::new(Retry::new(flow, policy(py, retry)?))))))
    }

    fn resume<'py>(&self, name: &str, payload: &Bound<'py, PyAny>) -> PyResult<Out<'py>> {
        let py = payload.py();
        let response = response(name, payload)?;
        let stepped: vecstore_rag::Result<Step<End>> = py.detach(|| {
            let mut machine = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(match &mut *machine {
                Machine::Embed(flow) => of_step(flow.resume(response)?, End::Vectors),
                Machine::Expand(flow) => of_step(flow.resume(response)?, End::Texts),
                Machine::Retrieve(flow) => of_step(flow.resume(response)?, End::Retrieved),
            })
        });
        match stepped.or_raise(py)? {
            Step::GiveUp => Ok(("give_up", py.None().into_bound(py))),
            Step::Need(need) => need_out(py, need),
            Step::Done(end) => Ok(("done", end.out(py)?)),
        }
    }
}

fn of_step<T>(step: Step<T>, end: impl FnOnce(T) -> End) -> Step<End> {
    match step {
        Step::Done(output) => Step::Done(end(output)),
        Step::Need(need) => Step::Need(need),
        Step::GiveUp => Step::GiveUp,
    }
}

/// What a flow came to.
enum End {
    Vectors(Vec<Vec<f32>>),
    Texts(Vec<String>),
    Retrieved(Retrieved),
}

impl End {
    fn out(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        match self {
            Self::Vectors(vectors) => vectors.into_pyobject(py),
            Self::Texts(texts) => texts.into_pyobject(py),
            Self::Retrieved(retrieved) => {
                (retrieved.queries, retrieved.ranked).into_pyobject(py).map(Bound::into_any)
            }
        }
    }
}

fn need_out(py: Python<'_>, need: Need) -> PyResult<Out<'_>> {
    Ok(match need {
        Need::Vectors(texts) => ("vectors", texts.into_pyobject(py)?),
        Need::Answers(prompts) => ("answers", prompts.into_pyobject(py)?),
        Need::Neighbors { texts, vectors, k } => {
            ("neighbors", (texts, vectors, k).into_pyobject(py)?.into_any())
        }
        Need::Ranking { query, items, top_k } => {
            ("ranking", (query, items, top_k).into_pyobject(py)?.into_any())
        }
        Need::Pause(pause) => ("pause", pause.as_secs_f64().into_pyobject(py)?.into_any()),
    })
}

fn response(name: &str, payload: &Bound<'_, PyAny>) -> PyResult<Response> {
    Ok(match name {
        "start" => Response::Start,
        "vectors" => Response::Vectors(vectors(payload)?),
        "answers" => {
            let answers = texts(payload, "answers of the model")?;
            Response::Answers(answers.iter().map(|answer| answer.to_string()).collect())
        }
        "neighbors" => Response::Neighbors(payload.extract::<Vec<Vec<Scored>>>()?),
        "ranking" => Response::Ranking(payload.extract::<Vec<Scored>>()?),
        "paused" => Response::Paused,
        "failed" => {
            let (is_transient, seconds): (bool, Option<f64>) = payload.cast::<PyTuple>()?.extract()?;
            let retry_after = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            Response::Failed { is_transient, retry_after }
        }
        other => return Err(invalid(payload.py(), format!("resume: no response is named `{other}`"))),
    })
}

fn vectors(payload: &Bound<'_, PyAny>) -> PyResult<Vec<Vec<f32>>> {
    const WHAT: &str = "vectors of the embedder";
    let rows = Rows::new(payload, WHAT, None)?;
    let mut scratch = Vec::new();
    (0..rows.len()).map(|row| Ok(rows.get(row, WHAT, &mut scratch)?.to_vec())).collect()
}
