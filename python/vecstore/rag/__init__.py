"""Retrieval-augmented generation: what stands between a question, a store and a language model.

>>> from vecstore.rag import HashingEmbedder, PromptTemplate, Retriever
>>> with vecstore.VecStore(":memory:") as docs:
...     docs.batch_upsert_texts([("a", "The log is synced at each write.")], HashingEmbedder(64))
...     context = Retriever(docs, HashingEmbedder(64)).retrieve("When is the log synced?")
1
>>> PromptTemplate("{context} {question}").format(context=context.text, question=context.query)
'[1] The log is synced at each write. When is the log synced?'
"""

from vecstore.rag import splitters as _splitters
from vecstore.rag._cache import CacheHit, CacheStats, SemanticCache
from vecstore.rag._chunks import (
    aparent_documents,
    asentence_window,
    join_pages,
    merge_chunks,
    parent_documents,
    sentence_window,
)
from vecstore.rag._citations import Citation, CitationReport, citations, page_of
from vecstore.rag._embedders import CachedEmbedder, HashingEmbedder
from vecstore.rag._embedding_store import EmbeddingStore
from vecstore.rag._fusion import average_fusion, borda_fusion, reciprocal_rank_fusion, weighted_fusion
from vecstore.rag._memory import ConversationMemory, Message
from vecstore.rag._models import LanguageModel, TextEmbedder, aembed_texts, embed_texts
from vecstore.rag._onnx import CrossEncoderReranker, OnnxEmbedder
from vecstore.rag._openai import OpenAICompatible
from vecstore.rag._prompts import PromptTemplate
from vecstore.rag._queries import HyDEHelper, MultiQueryRetrieval, QueryExpander
from vecstore.rag._rerankers import (
    BM25Reranker,
    BordaCountReranker,
    ColBERTReranker,
    ContextualReranker,
    CrossEncoderFn,
    EnsembleReranker,
    IdentityReranker,
    MMRReranker,
    Reranker,
    RRFReranker,
    ScoreReranker,
    max_sim,
)
from vecstore.rag._retriever import RetrievedContext, Retriever
from vecstore.rag._server_errors import ModelServerError
from vecstore.rag._static import StaticEmbedder
from vecstore.rag._window import ContextWindowManager
from vecstore.rag.splitters import (
    CODE_LANGUAGES,
    CodeTextSplitter,
    HTMLTextSplitter,
    JSONTextSplitter,
    MarkdownTextSplitter,
    RecursiveCharacterTextSplitter,
    SemanticTextSplitter,
    SentenceTextSplitter,
    TextChunk,
    TextSplitter,
    TokenTextSplitter,
    count_tokens,
)

__all__ = [
    # Splitters
    "CODE_LANGUAGES",
    "CodeTextSplitter",
    "HTMLTextSplitter",
    "JSONTextSplitter",
    "MarkdownTextSplitter",
    "RecursiveCharacterTextSplitter",
    "SemanticTextSplitter",
    "SentenceTextSplitter",
    "TextChunk",
    "TextSplitter",
    "TokenTextSplitter",
    "count_tokens",
    # Conversations and prompts
    "ConversationMemory",
    "Message",
    "PromptTemplate",
    "ContextWindowManager",
    # Retrieval
    "Retriever",
    "RetrievedContext",
    "EmbeddingStore",
    "QueryExpander",
    "HyDEHelper",
    "MultiQueryRetrieval",
    "sentence_window",
    "asentence_window",
    "parent_documents",
    "aparent_documents",
    "merge_chunks",
    "join_pages",
    # Citations
    "citations",
    "Citation",
    "CitationReport",
    "page_of",
    # Rerankers and fusion
    "Reranker",
    "IdentityReranker",
    "MMRReranker",
    "ScoreReranker",
    "CrossEncoderFn",
    "CrossEncoderReranker",
    "RRFReranker",
    "EnsembleReranker",
    "BordaCountReranker",
    "ContextualReranker",
    "ColBERTReranker",
    "BM25Reranker",
    "max_sim",
    "reciprocal_rank_fusion",
    "borda_fusion",
    "weighted_fusion",
    "average_fusion",
    # Caches
    "SemanticCache",
    "CacheHit",
    "CacheStats",
    # Embedders and language models
    "TextEmbedder",
    "LanguageModel",
    "embed_texts",
    "aembed_texts",
    "CachedEmbedder",
    "HashingEmbedder",
    "StaticEmbedder",
    "OnnxEmbedder",
    "OpenAICompatible",
    "ModelServerError",
]

for _name in set(__all__) - set(_splitters.__all__):
    globals()[_name].__module__ = __name__
del _name
