//! From a query to a cited context, over a collection.

use std::collections::HashMap;
use std::time::Duration;

use vecstore::{Collection, Filter, HybridQuery, Include, QueryOptions, TextQuery, Value};

use crate::error::{Error, Result};
use crate::flow::{Driver, Need, Response, Retrieve, RetrieveOptions, Retry, RetryPolicy, SearchMode, drive};
use crate::fusion::Scored;
use crate::instructions::Expansion;
use crate::models::{Embedder, LanguageModel};
use crate::passage::Passage;
use crate::rerank::Reranker;
use crate::tokens::estimate_tokens;
use crate::window::{ContextWindow, numbered_context};

/// Retrieves what a collection knows about a query, as a text with numbered sources.
///
/// # Examples
///
/// ```
/// use vecstore::VecStore;
/// use vecstore_rag::{HashingEmbedder, Retriever, TextItem, batch_upsert_texts};
///
/// let store = VecStore::options().open_in_memory()?;
/// let embedder = HashingEmbedder::new(256);
/// let item = |id: &str, text: &str| TextItem { id: id.into(), text: text.into(), ..TextItem::default() };
/// let items = [item("a", "The log is synced before a write returns."), item("b", "Snakes eat mice.")];
/// batch_upsert_texts(&store, items, &embedder)?;
///
/// let context = Retriever::new(&store, &embedder).k(1).retrieve("When is the log synced?")?;
/// assert_eq!(context.text, "[1] The log is synced before a write returns.");
/// assert_eq!(context.sources[0].id, "a");
/// # Ok::<(), vecstore_rag::Error>(())
/// ```
#[must_use]
pub struct Retriever<'a> {
    collection: &'a Collection,
    embedder: &'a dyn Embedder,
    model: Option<&'a dyn LanguageModel>,
    reranker: Option<&'a dyn Reranker>,
    filter: Option<Filter>,
    options: RetrieveOptions,
    window: ContextWindow,
    retry: RetryPolicy,
}

/// A context for a model: what was found, packed into a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// The sources, each as `[n] text`, with a blank line between two.
    pub text: String,
    /// The passages in the order of their numbers, from 1; with the part of their text that is in the context.
    pub sources: Vec<Passage>,
    /// What was searched for, the query first.
    pub queries: Vec<String>,
}

impl<'a> Retriever<'a> {
    /// Makes a retriever of 10 passages in at most 4,000 tokens by estimate, without model and reranker.
    pub fn new(collection: &'a Collection, embedder: &'a impl Embedder) -> Self {
        Self {
            collection,
            embedder,
            model: None,
            reranker: None,
            filter: None,
            options: RetrieveOptions {
                k: 10,
                expansion_count: 3,
                fusion_k: 60.0,
                ..RetrieveOptions::default()
            },
            window: ContextWindow::new(4000),
            retry: RetryPolicy::new(),
        }
    }

    /// Sets how many passages are retrieved at most.
    pub fn k(mut self, k: usize) -> Self {
        self.options.k = k;
        self
    }

    /// Sets how many are searched for, to be fused and reranked; without it four times k with a reranker, else k.
    pub fn fetch_k(mut self, fetch_k: usize) -> Self {
        self.options.fetch_k = fetch_k;
        self
    }

    /// Restricts the search.
    pub fn filter(mut self, filter: impl Into<Option<Filter>>) -> Self {
        self.filter = filter.into();
        self
    }

    /// Sets the reranker. Passages come with their vectors.
    pub fn reranker(mut self, reranker: &'a impl Reranker) -> Self {
        self.reranker = Some(reranker);
        self
    }

    /// Sets what passages are found by: the vector of the query, its words, or both.
    pub fn mode(mut self, mode: SearchMode) -> Self {
        self.options.mode = mode;
        self
    }

    /// Sets phrases, and what may take their place, for paraphrases without a model.
    pub fn synonyms(mut self, synonyms: Vec<(String, Vec<String>)>) -> Self {
        self.options.synonyms = synonyms;
        self
    }

    /// Sets the model that expands queries. Without one, rules do.
    pub fn model(mut self, model: &'a impl LanguageModel) -> Self {
        self.model = Some(model);
        self
    }

    /// Sets what is made of a query, and how many.
    pub fn expansion(mut self, expansion: Expansion, count: usize) -> Self {
        self.options.expansion = Some(expansion);
        self.options.expansion_count = count;
        self
    }

    /// Sets how passages are packed. Their numbers and the blank lines between them are in the budget.
    pub fn window(mut self, window: ContextWindow) -> Self {
        self.window = window;
        self
    }

    /// Sets how often calls that failed are made again. Only errors of models are; which of them may pass is unknown, so that all
    /// are taken to.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Retrieves.
    ///
    /// # Errors
    ///
    /// `Callback` with what the embedder, model or reranker failed with, `Store`, and `InvalidInput`.
    pub fn retrieve(&self, query: &str) -> Result<Context> {
        let mut options = self.options.clone();
        options.has_model = self.model.is_some();
        options.reranks = self.reranker.is_some();
        if options.fetch_k == 0 {
            options.fetch_k = if options.reranks { options.k.saturating_mul(4) } else { options.k };
        }
        let mut calls = Calls { retriever: self, found: Vec::new(), numbers: HashMap::new() };
        let mut flow = Retry::new(Retrieve::new(query, options)?, self.retry);
        let retrieved = drive(&mut flow, &mut calls)?;
        let ranked = retrieved.ranked.iter();
        let passages: Vec<Passage> =
            ranked.map(|&(number, score)| Passage { score, ..calls.found[number].clone() }).collect();
        let texts: Vec<&str> = passages.iter().map(|passage| passage.text.as_str()).collect();
        let window = self.window.numbered(true);
        let packed = window.pack(&texts, &mut |text: &str| Ok::<_, Error>(estimate_tokens(text)))?;
        let shown: Vec<&str> = packed.iter().map(|one| one.text).collect();
        let text = numbered_context(&shown);
        let sources = packed.iter().map(|one| passages[one.source].beginning(one.text)).collect();
        Ok(Context { text, sources, queries: retrieved.queries })
    }
}

/// Returns the page that a place in a passage is on, in characters from its beginning: the entry `page` of the metadata is the
/// first page, `page_breaks` are the places where the next ones begin.
pub fn page_of(passage: &Passage, at: usize) -> Option<usize> {
    let first = passage.number("page")?;
    let breaks = passage.metadata.get("page_breaks").and_then(Value::as_list).unwrap_or_default();
    let passed = breaks.iter().filter(|place| place.as_int().is_some_and(|place| place <= at as i64)).count();
    Some(first + passed)
}

/// The calls of one retrieval, and what was found in it.
struct Calls<'a> {
    retriever: &'a Retriever<'a>,
    found: Vec<Passage>,
    numbers: HashMap<String, usize>,
}

impl Calls<'_> {
    fn number(&mut self, passage: Passage) -> usize {
        if let Some(&number) = self.numbers.get(&passage.id) {
            return number;
        }
        self.numbers.insert(passage.id.clone(), self.found.len());
        self.found.push(passage);
        self.found.len() - 1
    }

    fn search(&mut self, text: &str, vector: Option<&[f32]>, k: usize) -> Result<Vec<Scored>> {
        let Retriever { collection, filter, options, .. } = self.retriever;
        let include = Include { metadata: true, vector: self.retriever.reranker.is_some(), text: true };
        let neighbors = match (options.mode, vector) {
            (SearchMode::Hybrid { alpha }, Some(vector)) => {
                let query = HybridQuery::new(vector, text).k(k).alpha(alpha).filter(filter.clone());
                collection.search_hybrid(&query)?.to_neighbors(include)?
            }
            (_, Some(vector)) => {
                let options = QueryOptions::new().k(k).filter(filter.clone());
                collection.search_vector(vector, &options)?.to_neighbors(include)?
            }
            (_, None) => {
                let query = TextQuery::new(text).k(k).filter(filter.clone());
                collection.search_text(&query)?.to_neighbors(include)?
            }
        };
        Ok(neighbors
            .into_iter()
            .map(Passage::from)
            .map(|passage| {
                let score = passage.score;
                (self.number(passage), score)
            })
            .collect())
    }
}

impl Driver for Calls<'_> {
    type Error = Error;

    fn respond(&mut self, need: Need) -> Result<Response> {
        match need {
            Need::Vectors(texts) => {
                self.retriever.embedder.embed(&texts).map(Response::Vectors).map_err(Error::Callback)
            }
            Need::Answers(prompts) => {
                let model =
                    self.retriever.model.ok_or_else(|| Error::invalid("there is no language model"))?;
                let answers = prompts.iter().map(|prompt| model.generate(prompt).map_err(Error::Callback));
                answers.collect::<Result<_>>().map(Response::Answers)
            }
            Need::Neighbors { texts, vectors, k } => {
                let vectors = vectors.iter().map(|vector| Some(&vector[..])).chain(std::iter::repeat(None));
                let runs = texts.iter().zip(vectors).map(|(text, vector)| self.search(text, vector, k));
                runs.collect::<Result<_>>().map(Response::Neighbors)
            }
            Need::Ranking { query, items, top_k } => {
                let reranker =
                    self.retriever.reranker.ok_or_else(|| Error::invalid("there is no reranker"))?;
                let passages = items
                    .iter()
                    .map(|&(number, score)| Passage { score, ..self.found[number].clone() })
                    .collect();
                let ranked = reranker.rerank(&query, passages, top_k)?;
                let place = |passage: &Passage| Some((*self.numbers.get(&passage.id)?, passage.score));
                Ok(Response::Ranking(ranked.iter().filter_map(place).collect()))
            }
            Need::Pause(pause) => {
                std::thread::sleep(pause);
                Ok(Response::Paused)
            }
        }
    }

    fn is_transient(&self, error: &Error) -> (bool, Option<Duration>) {
        (matches!(error, Error::Callback(_)), None)
    }
}
