//! Retrieval-augmented generation over vecstore: what stands between a question, a store and a language model.
//!
//! The crate computes; it opens no connection and runs no model. Embedders and models are traits that functions implement.
//!
//! ```
//! use vecstore::VecStore;
//! use vecstore_rag::{HashingEmbedder, PromptTemplate, Retriever, check_citations, upsert_chunks};
//!
//! let store = VecStore::options().open_in_memory()?;
//! let embedder = HashingEmbedder::new(256);
//! let text = "The log is synced before a write returns. Segments are immutable.";
//! upsert_chunks(&store, "design", text, |_| vec![0..41, 42..65], &embedder)?;
//!
//! let question = "When is the log synced?";
//! let context = Retriever::new(&store, &embedder).k(1).retrieve(question)?;
//! let prompt = PromptTemplate::new("{context}\n\nAnswer with the numbers of the sources: {question}")?
//!     .fill("context", context.text.as_str())
//!     .fill("question", question)
//!     .render()?;
//! assert!(prompt.starts_with("[1] The log is synced before a write returns."));
//!
//! // What a model answered.
//! let answer = "The log is synced before a write returns [1].";
//! let sources: Vec<&str> = context.sources.iter().map(|source| source.text.as_str()).collect();
//! assert_eq!(check_citations(answer, &sources).citations[0].is_supported(0.5), Some(true));
//! # Ok::<(), vecstore_rag::Error>(())
//! ```
//!
//! # Concepts
//!
//! - A [`Passage`] is a text that was found. A [`Reranker`] puts passages into another order; [`ContextWindow`] packs the
//!   best into a budget of tokens; [`Retriever`] does all of it.
//! - A [`Flow`] is work that needs models, as a state machine: batching, retrying, expanding, retrieving. [`drive`] runs one
//!   on a thread, [`drive_async`] as a future; the Python package drives the same ones.
//! - A run is a ranking with scores; the functions of fusion make one of several.
//! - [`ConversationMemory`], [`PromptTemplate`]: what goes to a model. [`check_citations`]: what comes back.
//! - [`SemanticCache`] and [`EmbeddingCache`] are stores of vecstore, in memory or on disk.
//!
//! # Limits
//!
//! - Tokens are estimated unless a counter is given ([`TokenCounter`]).
//! - Rules for questions ([`decompose`]) and stop words of citations are English.

#![forbid(unsafe_code)]

mod citations;
mod embedding_cache;
mod error;
mod expand;
mod flow;
mod fusion;
mod instructions;
mod memory;
mod models;
mod overlap;
mod passage;
mod prompt;
mod rerank;
mod retriever;
mod rewrite;
mod semantic_cache;
mod spans;
mod texts;
mod tokens;
mod window;
mod words;

pub use citations::{Citation, CitationReport, check_citations};
pub use embedding_cache::EmbeddingCache;
pub use error::{CallbackError, Error, Result};
pub use expand::{decompose, expand_with_synonyms, generate_variations};
pub use flow::{
    AsyncDriver, Driver, EmbedTexts, ExpandQuery, Flow, Need, Response, Retrieve, RetrieveOptions, Retrieved,
    Retry, RetryPolicy, SearchMode, Step, drive, drive_async,
};
pub use fusion::{
    Normalization, Scored, average_fusion, borda_fusion, reciprocal_rank_fusion, weighted_fusion,
    weighted_reciprocal_rank_fusion,
};
pub use instructions::{Expansion, parse_lines};
pub use memory::{ConversationMemory, MemoryState, Message};
pub use models::{Embedder, HashingEmbedder, LanguageModel};
pub use overlap::without_near_duplicates;
pub use passage::Passage;
pub use prompt::PromptTemplate;
pub use rerank::{
    Bm25Reranker, ColbertReranker, ContextualReranker, CrossEncoderFn, EnsembleReranker, IdentityReranker,
    MmrReranker, Reranker, ScoreReranker, bm25_scores, context_scores, cosine_similarities, max_sim,
    maximal_marginal_relevance, ranking_of_scores,
};
pub use retriever::{Context, Retriever, page_of};
pub use rewrite::{answer_opening, reword};
pub use semantic_cache::{CacheHit, CacheStats, SemanticCache, SemanticCacheOptions};
pub use spans::{Chunk, MergedChunk, merge_chunks};
pub use texts::{
    TextItem, batch_upsert_texts, parent_documents, query_text, upsert_chunks, with_neighboring_chunks,
};
pub use tokens::{TokenCounter, estimate_tokens, truncate_to_tokens};
pub use window::{ContextWindow, PackOrder, Packed, numbered_context};
