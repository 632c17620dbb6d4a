//! From a query to ranked records: expand, embed, search, fuse, rerank.

use std::sync::Arc;

use super::{EmbedTexts, ExpandQuery, Flow, Need, Response, Step, unexpected};
use crate::embedding_cache::EmbeddingCache;
use crate::error::{Error, Result};
use crate::expand::decompose;
use crate::fusion::{Scored, reciprocal_rank_fusion};
use crate::instructions::Expansion;
use crate::rewrite::{answer_opening, reword};

/// What records are found by.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum SearchMode {
    /// The vector of the query.
    #[default]
    Vector,
    /// Its words. Nothing is embedded.
    Text,
    /// Both, fused.
    Hybrid {
        /// The share of the vector, from 0 to 1.
        alpha: f32,
    },
}

/// How [`Retrieve`] goes about it.
#[derive(Clone, Default)]
pub struct RetrieveOptions {
    /// How many records come out.
    pub k: usize,
    /// How many are searched for with each query; at least `k`.
    pub fetch_k: usize,
    /// What records are found by.
    pub mode: SearchMode,
    /// What is made of the query first.
    pub expansion: Option<Expansion>,
    /// How many of those, beside the query itself.
    pub expansion_count: usize,
    /// Whether a model is there to make it. Without one, rules do: [`reword`], [`answer_opening`], [`decompose`].
    pub has_model: bool,
    /// Phrases, and what may take their place, for [`reword`].
    pub synonyms: Vec<(String, Vec<String>)>,
    /// Whether the records are reranked.
    pub reranks: bool,
    /// The constant of the fusion of several rankings.
    pub fusion_k: f64,
    /// Where vectors of texts are kept.
    pub cache: Option<Arc<EmbeddingCache>>,
}

/// What [`Retrieve`] comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Retrieved {
    /// What was searched for, the query first.
    pub queries: Vec<String>,
    /// The records by the driver's numbers, best first.
    pub ranked: Vec<Scored>,
}

/// Retrieves records for a query.
///
/// Under [`Expansion::HypotheticalDocuments`] there is one search, by the mean of the vectors of the query and the passages.
/// Otherwise there is one for each query, all in one call, and their rankings are fused by reciprocal ranks.
pub struct Retrieve {
    query: String,
    options: RetrieveOptions,
    state: State,
    output: Retrieved,
}

enum State {
    New,
    Expanding(ExpandQuery),
    Embedding(EmbedTexts),
    Searching,
    Ranking { items: Vec<Scored> },
    Done,
}

impl Retrieve {
    /// Makes the flow.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a `k` of 0.
    pub fn new(query: impl Into<String>, mut options: RetrieveOptions) -> Result<Self> {
        if options.k == 0 {
            return Err(Error::invalid("k: expected a number of at least 1, got 0"));
        }
        options.fetch_k = options.fetch_k.max(options.k);
        Ok(Self { query: query.into(), options, state: State::New, output: Retrieved::default() })
    }

    /// Returns what rules make of the query.
    fn by_rules(&self, kind: Expansion) -> Vec<String> {
        let count = self.options.expansion_count;
        match kind {
            Expansion::SubQuestions => decompose(&self.query, count),
            Expansion::HypotheticalDocuments => vec![answer_opening(&self.query)],
            Expansion::Paraphrases => {
                let synonyms: Vec<(&str, &[String])> = (self.options.synonyms.iter())
                    .map(|(phrase, others)| (phrase.as_str(), others.as_slice()))
                    .collect();
                reword(&self.query, &synonyms, count)
            }
        }
    }

    fn embed(&mut self, others: Vec<String>) -> Result<Step<Retrieved>> {
        self.output.queries = vec![self.query.clone()];
        for other in others {
            if !self.output.queries.contains(&other) {
                self.output.queries.push(other);
            }
        }
        if self.options.mode == SearchMode::Text {
            return Ok(self.search(Vec::new()));
        }
        let count = self.output.queries.len();
        let flow = EmbedTexts::new(self.output.queries.clone(), count).cache(self.options.cache.clone());
        self.state = State::Embedding(flow);
        self.advance(Response::Start)
    }

    fn advance(&mut self, response: Response) -> Result<Step<Retrieved>> {
        match &mut self.state {
            State::Expanding(flow) => match flow.resume(response)? {
                Step::Done(others) => self.embed(others),
                Step::Need(need) => Ok(Step::Need(need)),
                Step::GiveUp => Ok(Step::GiveUp),
            },
            State::Embedding(flow) => match flow.resume(response)? {
                Step::Done(vectors) => Ok(self.search(vectors)),
                Step::Need(need) => Ok(Step::Need(need)),
                Step::GiveUp => Ok(Step::GiveUp),
            },
            _ => Err(unexpected("nothing", &response)),
        }
    }

    fn search(&mut self, vectors: Vec<Vec<f32>>) -> Step<Retrieved> {
        self.state = State::Searching;
        let k = self.options.fetch_k;
        if self.options.expansion == Some(Expansion::HypotheticalDocuments) && !vectors.is_empty() {
            return Step::Need(Need::Neighbors {
                texts: vec![self.query.clone()],
                vectors: vec![mean(&vectors)],
                k,
            });
        }
        Step::Need(Need::Neighbors { texts: self.output.queries.clone(), vectors, k })
    }

    fn fuse(&mut self, runs: &[Vec<Scored>]) -> Result<Step<Retrieved>> {
        let fused = match runs {
            [only] => only.clone(),
            several => reciprocal_rank_fusion(several, self.options.fusion_k)?,
        };
        if !self.options.reranks || fused.is_empty() {
            return Ok(self.finish(fused));
        }
        self.state = State::Ranking { items: fused.clone() };
        Ok(Step::Need(Need::Ranking { query: self.query.clone(), items: fused, top_k: self.options.k }))
    }

    fn finish(&mut self, mut ranked: Vec<Scored>) -> Step<Retrieved> {
        ranked.truncate(self.options.k);
        self.state = State::Done;
        self.output.ranked = ranked;
        Step::Done(std::mem::take(&mut self.output))
    }
}

impl Flow for Retrieve {
    type Output = Retrieved;

    fn resume(&mut self, response: Response) -> Result<Step<Retrieved>> {
        if matches!(response, Response::Failed { .. }) {
            return Ok(Step::GiveUp);
        }
        match (&mut self.state, response) {
            (State::New, Response::Start) => match self.options.expansion {
                None => self.embed(Vec::new()),
                Some(kind) if !self.options.has_model => self.embed(self.by_rules(kind)),
                Some(kind) => {
                    let flow = ExpandQuery::new(self.query.as_str(), kind, self.options.expansion_count);
                    self.state = State::Expanding(flow);
                    self.advance(Response::Start)
                }
            },
            (State::Expanding(_) | State::Embedding(_), response) => self.advance(response),
            (State::Searching, Response::Neighbors(runs)) => self.fuse(&runs),
            (State::Searching, other) => Err(unexpected("neighbors", &other)),
            (State::Ranking { items }, Response::Ranking(ranked)) => {
                let known = |&(item, _): &Scored| items.iter().any(|&(known, _)| known == item);
                if let Some((item, _)) = ranked.iter().find(|one| !known(one)) {
                    return Err(Error::invalid(format!(
                        "reranker: record {item} is none of those it was given"
                    )));
                }
                Ok(self.finish(ranked))
            }
            (State::Ranking { .. }, other) => Err(unexpected("a ranking", &other)),
            (State::New | State::Done, other) => Err(unexpected("nothing", &other)),
        }
    }
}

/// Returns the mean of vectors, each scaled to norm 1 first: a long one says no more than others.
fn mean(vectors: &[Vec<f32>]) -> Vec<f32> {
    let dim = vectors.first().map_or(0, Vec::len);
    let mut sum = vec![0.0_f32; dim];
    for vector in vectors {
        let norm = vector.iter().map(|component| component * component).sum::<f32>().sqrt();
        let scale = if norm > 0.0 { 1.0 / norm } else { 0.0 };
        for (sum, component) in sum.iter_mut().zip(vector) {
            *sum += component * scale / vectors.len() as f32;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(expansion: Option<Expansion>, reranks: bool) -> RetrieveOptions {
        RetrieveOptions {
            k: 2,
            fetch_k: 3,
            mode: SearchMode::Vector,
            synonyms: Vec::new(),
            expansion,
            expansion_count: 2,
            has_model: true,
            reranks,
            fusion_k: 60.0,
            cache: None,
        }
    }

    fn need(step: Step<Retrieved>) -> Need {
        match step {
            Step::Need(need) => need,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn several_queries_are_searched_at_once_and_fused() {
        let mut flow = Retrieve::new("q", options(Some(Expansion::Paraphrases), true)).unwrap();
        assert!(
            matches!(need(flow.resume(Response::Start).unwrap()), Need::Answers(prompts) if prompts.len() == 1)
        );
        let texts = need(flow.resume(Response::Answers(vec!["1. a\n2. b\n3. c".into()])).unwrap());
        assert_eq!(texts, Need::Vectors(vec!["q".into(), "a".into(), "b".into()]));
        let vectors = vec![vec![1.0], vec![2.0], vec![3.0]];
        let search = need(flow.resume(Response::Vectors(vectors.clone())).unwrap());
        assert_eq!(
            search,
            Need::Neighbors { texts: vec!["q".into(), "a".into(), "b".into()], vectors, k: 3 }
        );
        let found = vec![vec![(0, 0.9), (1, 0.8)], vec![(1, 0.9)], vec![(2, 0.5), (1, 0.4)]];
        let Need::Ranking { items, top_k: 2, .. } = need(flow.resume(Response::Neighbors(found)).unwrap())
        else {
            panic!("a ranking")
        };
        assert_eq!(items.iter().map(|&(item, _)| item).collect::<Vec<_>>(), [1, 0, 2]);
        let Step::Done(done) = flow.resume(Response::Ranking(vec![(2, 9.0), (0, 8.0), (1, 7.0)])).unwrap()
        else {
            panic!("the end")
        };
        assert_eq!(done.ranked, [(2, 9.0), (0, 8.0)]);
        assert!(flow.resume(Response::Start).is_err());
    }

    #[test]
    fn hypothetical_documents_are_one_search() {
        let mut flow = Retrieve::new("q", options(Some(Expansion::HypotheticalDocuments), false)).unwrap();
        assert!(
            matches!(need(flow.resume(Response::Start).unwrap()), Need::Answers(prompts) if prompts.len() == 2)
        );
        flow.resume(Response::Answers(vec!["one".into(), "two".into()])).unwrap();
        let search = need(
            flow.resume(Response::Vectors(vec![vec![1.0, 0.0], vec![0.0, 9.0], vec![0.0, 1.0]])).unwrap(),
        );
        let Need::Neighbors { vectors, .. } = search else { panic!("a search") };
        assert!((vectors[0][0] - 1.0 / 3.0).abs() < 1e-6 && (vectors[0][1] - 2.0 / 3.0).abs() < 1e-6);
        let Step::Done(done) = flow.resume(Response::Neighbors(vec![vec![(0, 0.5)]])).unwrap() else {
            panic!("the end")
        };
        assert_eq!(done.ranked, [(0, 0.5)]);
    }

    #[test]
    fn rules_stand_in_for_a_model() {
        for (kind, expected) in [
            (Expansion::Paraphrases, vec!["What is a log?", "What is a journal?", "log"]),
            (Expansion::HypotheticalDocuments, vec!["What is a log?", "A log is"]),
            (Expansion::SubQuestions, vec!["What is a log?"]),
        ] {
            let options = RetrieveOptions {
                has_model: false,
                synonyms: vec![("log".into(), vec!["journal".into()])],
                ..options(Some(kind), false)
            };
            let mut flow = Retrieve::new("What is a log?", options).unwrap();
            let Need::Vectors(texts) = need(flow.resume(Response::Start).unwrap()) else { panic!("vectors") };
            assert_eq!(texts, expected);
        }
    }

    #[test]
    fn a_search_by_words_embeds_nothing() {
        let options = RetrieveOptions { mode: SearchMode::Text, ..options(None, false) };
        let mut flow = Retrieve::new("q", options).unwrap();
        let search = need(flow.resume(Response::Start).unwrap());
        assert_eq!(search, Need::Neighbors { texts: vec!["q".into()], vectors: Vec::new(), k: 3 });
    }

    #[test]
    fn what_is_not_possible_is_said() {
        assert!(Retrieve::new("q", RetrieveOptions::default()).is_err());
        let mut flow = Retrieve::new("q", options(None, true)).unwrap();
        flow.resume(Response::Start).unwrap();
        flow.resume(Response::Vectors(vec![vec![1.0]])).unwrap();
        flow.resume(Response::Neighbors(vec![vec![(0, 1.0)]])).unwrap();
        assert!(flow.resume(Response::Ranking(vec![(7, 1.0)])).is_err());
    }
}
