"""From a query to a cited context."""

from __future__ import annotations

import typing
from collections import abc

from vecstore import _vecstore
from vecstore._arguments import check_bool, check_int, check_share, check_text
from vecstore._errors import InvalidInputError
from vecstore._types import Filter, Metadata
from vecstore._vecstore import Neighbor
from vecstore.rag._calls import Call, Work, arun, drive, run
from vecstore.rag._chunks import WINDOW_MAX, parents, windows
from vecstore.rag._citations import CitationReport, citations
from vecstore.rag._models import (
    Embedder,
    Retries,
    TokenCounter,
    answered,
    check_embedder,
    check_model,
    embedding,
)
from vecstore.rag._queries import Synonyms, synonym_pairs
from vecstore.rag._rerankers import check_reranker, reranking
from vecstore.rag._results import check_searched, ranked, text_of
from vecstore.rag._window import check_packing, pack

__all__ = ["RetrievedContext", "Retriever"]

if typing.TYPE_CHECKING:
    from vecstore.rag._window import _Order

    _Mode = typing.Literal["vector", "text", "hybrid"]
    _Expansion = typing.Literal["multi_query", "hyde", "decompose"]


class RetrievedContext(typing.NamedTuple):
    """What was found for a query, ready for a prompt.

    ``text`` has the sources, each as ``[n] text`` with a blank line between two; ``sources`` are they, with
    what is left of their texts; ``queries`` is what was searched for, the query first.

    >>> embedder = HashingEmbedder(64)
    >>> with vecstore.VecStore(":memory:") as docs:
    ...     _ = docs.batch_upsert_texts([("a", "Logs are synced.")], embedder)
    ...     context = Retriever(docs, embedder).retrieve("What is synced?")
    >>> context.query, context.text, [source.id for source in context.sources]
    ('What is synced?', '[1] Logs are synced.', ['a'])
    """

    query: str
    text: str
    sources: list[Neighbor]
    queries: list[str]

    def citations(self, answer: str, threshold: float = 0.5) -> CitationReport:
        """Checks the citations of an answer against the sources; see `vecstore.rag.citations`.

        >>> embedder = HashingEmbedder(64)
        >>> with vecstore.VecStore(":memory:") as docs:
        ...     _ = docs.batch_upsert_texts([("a", "Logs are synced.")], embedder)
        ...     context = Retriever(docs, embedder).retrieve("What is synced?")
        >>> context.citations("Logs are synced [1].").is_supported
        True
        """
        return citations(answer, self.sources, threshold)


class Retriever:
    """Finds what a store knows about a query: expand, embed, search, fuse, rerank, widen, pack.

    Parameters
    ----------
    store : VecStore, Collection, or their async kin
        Where to search.
    embedder : TextEmbedder or callable
        Turns queries into vectors. None will do for ``mode="text"``.
    reranker : optional
        One of this package, any object with ``rerank(query, results, top_k)``, or a callable. Results come
        with vectors.
    mode : str
        What records are found by: ``vector``, the query's vector; ``text``, its words, by BM25; ``hybrid``,
        both, fused by their ranks. The last two need a store with texts.
    alpha : float
        The share of the vector in ``hybrid``, from 0 to 1.
    llm : LanguageModel or callable, optional
        Expands queries. Without one, rules do, which are English.
    k : int
        The most sources.
    fetch_k : int, optional
        How many are searched for with each query; ``4 * k`` with a reranker or an expansion, else ``k``.
    filter, params : optional
        Restrict the search, as in ``VecStore.query``.
    expansion : str, optional
        ``multi_query``: other wordings, searched at once and fused by reciprocal ranks. ``hyde``: passages
        that would answer, searched by their mean with the query. ``decompose``: simpler questions.
    expansion_count : int
        How many of those.
    synonyms : dict, optional
        Phrases, and what may take their place: for ``multi_query`` without ``llm``.
    window : int
        How many neighboring chunks are added on each side of a chunk; see `sentence_window`.
    parents : bool
        Whether chunks become their documents; see `parent_documents`.
    max_tokens : int, optional
        The budget of the context, the numbers and blank lines included; None for no limit.
    token_estimator, max_document_tokens, truncate, order, duplicate_threshold : optional
        As in ``ContextWindowManager.fit_documents``.
    retries, backoff : int, float
        As in `embed_texts`, for the embedder, the model and the reranker.

    Examples
    --------
    >>> embedder = HashingEmbedder(256)
    >>> items = [("a", "The log is synced at each write."), ("b", "Snakes eat mice.")]
    >>> with vecstore.VecStore(":memory:") as docs:
    ...     docs.batch_upsert_texts(items, embedder)
    ...     context = Retriever(docs, embedder, k=1).retrieve("When is the log synced?")
    2
    >>> context.text
    '[1] The log is synced at each write.'
    >>> context.citations("At each write the log is synced [1].").is_supported
    True
    """

    def __init__(
        self,
        store: typing.Any,
        embedder: Embedder | None,
        reranker: typing.Any = None,
        *,
        mode: _Mode = "vector",
        alpha: float = 0.7,
        llm: typing.Any = None,
        k: int = 10,
        fetch_k: int | None = None,
        filter: Filter | None = None,
        params: Metadata | None = None,
        expansion: _Expansion | None = None,
        expansion_count: int = 3,
        synonyms: Synonyms | None = None,
        window: int = 0,
        parents: bool = False,
        max_tokens: int | None = 4000,
        token_estimator: TokenCounter | None = None,
        max_document_tokens: int | None = None,
        truncate: bool = False,
        order: _Order = "relevance",
        duplicate_threshold: float | None = None,
        retries: int = 2,
        backoff: float = 0.5,
    ) -> None:
        check_searched(store)
        if check_text("mode", mode) not in ("vector", "text", "hybrid"):
            raise InvalidInputError(f"mode: expected vector, text or hybrid, got {mode!r}")
        if embedder is not None or mode != "text":
            check_embedder(embedder)
        if llm is not None:
            check_model(llm)
        if reranker is not None:
            check_reranker("reranker", reranker)
        if expansion is not None and check_text("expansion", expansion) not in (
            "multi_query",
            "hyde",
            "decompose",
        ):
            raise InvalidInputError(f"expansion: expected multi_query, hyde or decompose, got {expansion!r}")
        self.store = store
        self.embedder = embedder
        self.reranker = reranker
        self._mode = mode
        self._alpha = check_share("alpha", alpha)
        self._llm = llm
        self._synonyms = synonym_pairs(synonyms)
        self._k = check_int("k", k, 1)
        self._fetch_k = None if fetch_k is None else check_int("fetch_k", fetch_k, 1)
        self._filter = filter
        self._params = params
        self._expansion = expansion
        self._expansion_count = check_int("expansion_count", expansion_count, 1)
        self._window = check_int("window", window, 0, WINDOW_MAX)
        self._parents = check_bool("parents", parents)
        check_packing(token_estimator, 0, max_document_tokens, truncate, order, duplicate_threshold)
        self._max_tokens = 2**62 if max_tokens is None else check_int("max_tokens", max_tokens, 1)
        self._token_estimator = token_estimator
        self._max_document_tokens = max_document_tokens
        self._truncate = truncate
        self._order = order
        self._duplicate_threshold = duplicate_threshold
        self._retries = Retries.checked(retries, backoff)

    def retrieve(self, query: str, *, k: int | None = None, filter: Filter | None = None) -> RetrievedContext:
        """What the store knows about a query.

        ``k`` and ``filter`` take the place of the retriever's. What the embedder, the model, the reranker or
        the store raises is raised as it is.

        >>> embedder = HashingEmbedder(64)
        >>> with vecstore.VecStore(":memory:") as docs:
        ...     _ = docs.batch_upsert_texts([("a", "Logs are synced.")], embedder)
        ...     context = Retriever(docs, embedder).retrieve("What is synced?", k=1)
        >>> context.text
        '[1] Logs are synced.'
        """
        return run(self._retrieving(query, k, filter))

    async def aretrieve(
        self, query: str, *, k: int | None = None, filter: Filter | None = None
    ) -> RetrievedContext:
        """Does what `retrieve` does, on an event loop: sync callables and stores run in threads.

        >>> import asyncio
        >>> embedder = HashingEmbedder(64)
        >>> with vecstore.VecStore(":memory:") as docs:
        ...     _ = docs.batch_upsert_texts([("a", "Logs are synced.")], embedder)
        ...     context = asyncio.run(Retriever(docs, embedder).aretrieve("What is synced?"))
        >>> context.sources[0].id
        'a'
        """
        return await arun(self._retrieving(query, k, filter))

    def _retrieving(self, query: str, k: int | None, filter: Filter | None) -> Work[RetrievedContext]:
        check_text("query", query)
        k = self._k if k is None else check_int("k", k, 1)
        search = _Search(self, self._filter if filter is None else filter)
        widens = self.reranker is not None or self._expansion is not None
        flow = _vecstore._RagFlow.retrieve(
            query,
            k,
            self._fetch_k or (4 * k if widens else k),
            self._expansion,
            self._expansion_count,
            self._llm is not None,
            self.reranker is not None,
            60.0,
            self._mode == "text",
            self._synonyms,
            None,
            self._retries,
        )
        handlers: dict[str, abc.Callable[[typing.Any], Work[typing.Any]]] = {
            "vectors": search.vectors,
            "answers": lambda prompts: answered(self._llm, prompts),
            "neighbors": search.neighbors,
            "ranking": search.ranking,
        }
        queries, ranking = yield from drive(flow, handlers)
        found = ranked(search.found, ranking)
        if self._parents:
            found = yield from parents(self.store, found)
        elif self._window:
            found = yield from windows(self.store, found, self._window, self._window)
        packed = yield Call(
            pack,
            found,
            self._max_tokens,
            self._token_estimator,
            0,
            self._max_document_tokens,
            self._truncate,
            self._order,
            self._duplicate_threshold,
            numbered=True,
        )
        sources = [neighbor for _, neighbor in packed]
        text = "\n\n".join(f"[{number}] {text_of(source)}" for number, source in enumerate(sources, 1))
        return RetrievedContext(query, text, sources, queries)

    def __repr__(self) -> str:
        return f"Retriever({self.store!r}, {self.embedder!r}, reranker={self.reranker!r}, k={self._k})"


class _Search:
    """The calls of one retrieval; numbers what it finds."""

    def __init__(self, retriever: Retriever, filter: Filter | None) -> None:
        self.found: list[Neighbor] = []
        self._numbers: dict[str, int] = {}
        self._retriever = retriever
        self._filter = filter

    def vectors(self, texts: list[str]) -> Work[list[typing.Any]]:
        embedder = self._retriever.embedder
        if self._retriever._expansion != "hyde":
            return (yield from embedding(embedder, texts, query=True))
        # Passages are embedded as what they imitate.
        first = yield from embedding(embedder, texts[:1], query=True)
        rest = (yield from embedding(embedder, texts[1:])) if texts[1:] else []
        return [*first, *rest]

    def neighbors(
        self, wanted: tuple[list[str], list[list[float]], int]
    ) -> Work[list[list[tuple[int, float]]]]:
        texts, vectors, k = wanted
        store, mode = self._retriever.store, self._retriever._mode
        include = (
            ("metadata", "text", "vector") if self._retriever.reranker is not None else ("metadata", "text")
        )
        keywords: dict[str, typing.Any] = {"include": include}
        if self._retriever._params is not None:
            keywords["params"] = self._retriever._params
        if mode == "text":
            answers = yield [Call(store.text_query, text, k, self._filter, **keywords) for text in texts]
        elif mode == "hybrid":
            alpha, queries = self._retriever._alpha, zip(vectors, texts)
            answers = yield [
                Call(store.hybrid_query, vector, text, k, alpha, self._filter, **keywords)
                for vector, text in queries
            ]
        elif hasattr(store, "query_batch"):
            answers = yield Call(store.query_batch, vectors, k, self._filter, **keywords)
        else:
            answers = yield [Call(store.query, vector, k, self._filter, **keywords) for vector in vectors]
        return [[(self._number(one), one.score) for one in answer] for answer in answers]

    def _number(self, neighbor: Neighbor) -> int:
        number = self._numbers.setdefault(neighbor.id, len(self.found))
        if number == len(self.found):
            self.found.append(neighbor)
        return number

    def ranking(self, wanted: tuple[str, list[tuple[int, float]], int]) -> Work[list[tuple[int, float]]]:
        query, items, top_k = wanted
        results = yield from reranking(self._retriever.reranker, query, ranked(self.found, items), top_k)
        scores: dict[int, float] = {}
        for one in results:
            if one.id not in self._numbers:
                raise InvalidInputError(f"reranker: `{one.id}` is none of the results it was given")
            scores.setdefault(self._numbers[one.id], one.score)
        return list(scores.items())
