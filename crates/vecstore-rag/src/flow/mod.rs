//! Flows: work that needs models or stores, as state machines that never call them.
//!
//! A flow says what it [`Need`]s and is resumed with the [`Response`]. Whoever drives it makes the calls: a Rust thread
//! ([`drive`]), a future ([`drive_async`]), a thread of Python or an event loop. So there is one implementation of batching,
//! retrying and retrieving, it holds no lock while a callback runs, and a callback's error goes from the driver to the caller
//! without passing through here.

mod embed;
mod expand;
mod retrieve;
mod retry;

use std::time::Duration;

use crate::error::{Error, Result};
use crate::fusion::Scored;

pub use embed::EmbedTexts;
pub use expand::ExpandQuery;
pub use retrieve::{Retrieve, RetrieveOptions, Retrieved, SearchMode};
pub use retry::{Retry, RetryPolicy};

/// What a flow waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum Need {
    /// The vectors of texts.
    Vectors(Vec<String>),
    /// The answers of a language model to prompts.
    Answers(Vec<String>),
    /// For each query, the best records, best first: by its vector, its text, or both, as the driver was told to search.
    Neighbors {
        /// The queries.
        texts: Vec<String>,
        /// Their vectors; none for [`SearchMode::Text`].
        vectors: Vec<Vec<f32>>,
        /// How many for each.
        k: usize,
    },
    /// The best of these records for a query, best first, by their places among all that were found.
    Ranking {
        /// The query.
        query: String,
        /// What was found, by the numbers the driver gave, best first.
        items: Vec<Scored>,
        /// How many at most.
        top_k: usize,
    },
    /// So much time to pass.
    Pause(Duration),
}

/// What a flow is resumed with: what it needed.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// Nothing: begin.
    Start,
    /// A vector for each text.
    Vectors(Vec<Vec<f32>>),
    /// An answer for each prompt.
    Answers(Vec<String>),
    /// For each query, the numbers of the records that were found, and their scores. The driver numbers each record once, from 0.
    Neighbors(Vec<Vec<Scored>>),
    /// The records by the numbers they have, and their new scores.
    Ranking(Vec<Scored>),
    /// The time has passed.
    Paused,
    /// The call failed; whether trying again may help.
    Failed {
        /// Whether it may.
        is_transient: bool,
        /// How long the failing side asks to wait.
        retry_after: Option<Duration>,
    },
}

impl Response {
    fn name(&self) -> &'static str {
        match self {
            Self::Start => "nothing",
            Self::Vectors(_) => "vectors",
            Self::Answers(_) => "answers",
            Self::Neighbors(_) => "neighbors",
            Self::Ranking(_) => "a ranking",
            Self::Paused => "the end of a pause",
            Self::Failed { .. } => "a failure",
        }
    }
}

/// How far a flow is.
#[derive(Clone, Debug, PartialEq)]
pub enum Step<T> {
    /// It waits.
    Need(Need),
    /// It is done.
    Done(T),
    /// It gives up: the last failure is the caller's.
    GiveUp,
}

/// A resumable computation.
pub trait Flow {
    /// What comes out.
    type Output;

    /// Goes on from where it waits.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the response is not what was needed: of another kind, number or shape.
    fn resume(&mut self, response: Response) -> Result<Step<Self::Output>>;
}

pub(crate) fn unexpected(expected: &str, got: &Response) -> Error {
    Error::invalid(format!("the flow waits for {expected}, got {}", got.name()))
}

/// Answers what flows need.
pub trait Driver {
    /// What its calls fail with.
    type Error: From<Error>;

    /// Makes the call.
    fn respond(&mut self, need: Need) -> Result<Response, Self::Error>;

    /// Says whether trying again may help after an error, and after how long.
    fn is_transient(&self, error: &Self::Error) -> (bool, Option<Duration>);
}

/// Runs a flow to its end on this thread.
///
/// # Errors
///
/// Those of the flow, and those of the driver's calls, unchanged.
pub fn drive<F: Flow, D: Driver>(flow: &mut F, driver: &mut D) -> Result<F::Output, D::Error> {
    let mut response = Response::Start;
    let mut failure = None;
    loop {
        match flow.resume(response)? {
            Step::Done(output) => return Ok(output),
            Step::GiveUp => {
                return Err(
                    failure.unwrap_or_else(|| Error::invalid("a flow gave up without a failure").into())
                );
            }
            Step::Need(need) => {
                response = match driver.respond(need) {
                    Ok(response) => response,
                    Err(error) => {
                        let (is_transient, retry_after) = driver.is_transient(&error);
                        failure = Some(error);
                        Response::Failed { is_transient, retry_after }
                    }
                }
            }
        }
    }
}

/// Answers what flows need, as futures; of no particular runtime.
pub trait AsyncDriver {
    /// What its calls fail with.
    type Error: From<Error>;

    /// Makes the call.
    fn respond(&mut self, need: Need) -> impl Future<Output = Result<Response, Self::Error>>;

    /// Says whether trying again may help after an error, and after how long.
    fn is_transient(&self, error: &Self::Error) -> (bool, Option<Duration>);
}

/// Runs a flow to its end as a future.
///
/// # Errors
///
/// As [`drive`].
pub async fn drive_async<F: Flow, D: AsyncDriver>(
    flow: &mut F,
    driver: &mut D,
) -> Result<F::Output, D::Error> {
    let mut response = Response::Start;
    let mut failure = None;
    loop {
        match flow.resume(response)? {
            Step::Done(output) => return Ok(output),
            Step::GiveUp => {
                return Err(
                    failure.unwrap_or_else(|| Error::invalid("a flow gave up without a failure").into())
                );
            }
            Step::Need(need) => {
                response = match driver.respond(need).await {
                    Ok(response) => response,
                    Err(error) => {
                        let (is_transient, retry_after) = driver.is_transient(&error);
                        failure = Some(error);
                        Response::Failed { is_transient, retry_after }
                    }
                }
            }
        }
    }
}
