//! A query into several, by a model.

use super::{Flow, Need, Response, Step, unexpected};
use crate::error::{Error, Result};
use crate::expand::decompose;
use crate::instructions::{Expansion, parse_lines};

/// Expands a query. The output are at most `count` texts that the model wrote; for sub-questions, the rules of
/// [`decompose`] step in where it wrote none.
#[derive(Debug)]
pub struct ExpandQuery {
    query: String,
    kind: Expansion,
    count: usize,
}

impl ExpandQuery {
    /// Makes the flow.
    pub fn new(query: impl Into<String>, kind: Expansion, count: usize) -> Self {
        Self { query: query.into(), kind, count }
    }
}

impl Flow for ExpandQuery {
    type Output = Vec<String>;

    fn resume(&mut self, response: Response) -> Result<Step<Self::Output>> {
        match response {
            Response::Start if self.count == 0 => Ok(Step::Done(Vec::new())),
            Response::Start => Ok(Step::Need(Need::Answers(self.kind.prompts(&self.query, self.count)))),
            Response::Answers(answers) => {
                let asked = self.kind.prompts(&self.query, self.count).len();
                if answers.len() != asked {
                    return Err(Error::invalid(format!(
                        "model: expected {asked} answers, got {}",
                        answers.len()
                    )));
                }
                Ok(Step::Done(match self.kind {
                    Expansion::HypotheticalDocuments => {
                        let passages = answers.into_iter().map(|answer| answer.trim().to_owned());
                        passages.filter(|passage| !passage.is_empty()).collect()
                    }
                    Expansion::Paraphrases => parse_lines(&answers[0], self.count),
                    Expansion::SubQuestions => {
                        let lines = parse_lines(&answers[0], self.count);
                        if lines.is_empty() { decompose(&self.query, self.count) } else { lines }
                    }
                }))
            }
            Response::Failed { .. } => Ok(Step::GiveUp),
            other => Err(unexpected("answers", &other)),
        }
    }
}
