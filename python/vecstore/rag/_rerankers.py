"""Rerankers: another order for what was found."""

from __future__ import annotations

import typing
from collections import abc

from vecstore import _vecstore
from vecstore._arguments import (
    check_bool,
    check_callable,
    check_int,
    check_items,
    check_number,
    check_share,
    check_text,
)
from vecstore._errors import InvalidInputError
from vecstore._types import Vector, Vectors
from vecstore._vecstore import Neighbor
from vecstore.rag._calls import Call, Work, arun, done, run
from vecstore.rag._fusion import borda_fusion, check_normalization, fused, reciprocal_rank_fusion
from vecstore.rag._models import check_texts
from vecstore.rag._results import Result, as_neighbors, distinct_places, ranked, text_of

if typing.TYPE_CHECKING:
    from vecstore.rag._fusion import _Normalization

__all__ = [
    "BM25Reranker",
    "BordaCountReranker",
    "ColBERTReranker",
    "ContextualReranker",
    "CrossEncoderFn",
    "EnsembleReranker",
    "IdentityReranker",
    "MMRReranker",
    "RRFReranker",
    "Reranker",
    "ScoreReranker",
    "check_reranker",
    "max_sim",
    "reranking",
]

Results = abc.Iterable[Result]


class Reranker:
    """The base of rerankers: ``rerank(query, results, top_k=None)``, and ``arerank`` on an event loop.

    Results are `Neighbor`, texts, or dicts with ``text`` and perhaps ``id``, ``score``, ``metadata`` and
    ``vector``. What comes back are the best ``top_k`` as `Neighbor`, best first, each with the score it was
    ranked by. Ties keep their order. To write your own, any object with such a ``rerank`` will do.

    >>> isinstance(BM25Reranker(), Reranker)
    True
    """

    def rerank(self, query: str, results: Results, top_k: int | None = None) -> list[Neighbor]:
        """The best of the results, best first.

        >>> [neighbor.id for neighbor in BM25Reranker().rerank("a log", ["a snake", "a log"], top_k=1)]
        ['1']
        """
        check_text("query", query)
        return run(self._reranking(query, as_neighbors(results), top_k))

    async def arerank(self, query: str, results: Results, top_k: int | None = None) -> list[Neighbor]:
        """Does what `rerank` does, on an event loop.

        >>> import asyncio
        >>> [neighbor.id for neighbor in asyncio.run(BM25Reranker().arerank("a log", ["a snake", "a log"]))]
        ['1', '0']
        """
        check_text("query", query)
        return await arun(self._reranking(query, as_neighbors(results), top_k))

    def _reranking(self, query: str, neighbors: list[Neighbor], top_k: int | None) -> Work[list[Neighbor]]:
        most = _most(neighbors, top_k)
        if not neighbors:
            return []
        return (yield from self._best(query, neighbors, most))[:most]

    def _best(self, query: str, neighbors: list[Neighbor], most: int) -> Work[list[Neighbor]]:
        """The neighbors in order, at least the best ``most``."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it ranks")

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def check_reranker(name: str, reranker: typing.Any) -> None:
    """Fails for what is no reranker: neither an object with ``rerank`` or ``arerank`` nor a callable."""
    methods = (getattr(reranker, "rerank", None), getattr(reranker, "arerank", None), reranker)
    if isinstance(reranker, type) or not any(map(callable, methods)):
        raise TypeError(
            f"{name}: expected an object with `rerank` or a callable, got {type(reranker).__name__}"
        )


def _most(results: list[Neighbor], top_k: typing.Any) -> int:
    return len(results) if top_k is None else check_int("top_k", top_k, 0)


def reranking(
    reranker: typing.Any, query: str, neighbors: list[Neighbor], top_k: int
) -> Work[list[Neighbor]]:
    """Calls a reranker, one of ours or any object with ``rerank`` or ``arerank``, or a callable."""
    if isinstance(reranker, Reranker):
        return (yield from reranker._reranking(query, neighbors, top_k))
    check_reranker("reranker", reranker)
    in_loop = getattr(reranker, "arerank", None)
    method = getattr(reranker, "rerank", None) or in_loop or reranker
    results = yield Call(method, query, neighbors, top_k, in_loop=in_loop)
    if isinstance(results, str) or not isinstance(results, abc.Iterable):
        raise TypeError(f"reranker: expected to return results, got {type(results).__name__}")
    return as_neighbors(results, "results of the reranker")


def _scored(neighbors: list[Neighbor], scores: abc.Iterable[typing.Any]) -> list[Neighbor]:
    numbers = [_number(score) for score in scores]
    return ranked(neighbors, _vecstore._rag_ranking(numbers, len(neighbors)))


def _number(score: typing.Any) -> float:
    if isinstance(score, (str, bytes)) or not hasattr(type(score), "__float__"):
        raise TypeError(f"score: expected to return a number, got {type(score).__name__}")
    try:
        return float(score)
    except OverflowError:
        raise InvalidInputError(
            "score: expected to return a number, got one beyond those of 64 bits"
        ) from None


class IdentityReranker(Reranker):
    """Leaves the order and the scores as they are.

    >>> [neighbor.text for neighbor in IdentityReranker().rerank("", ["one", "two"], 1)]
    ['one']
    """

    def _best(self, query: str, neighbors: list[Neighbor], most: int) -> Work[list[Neighbor]]:  # noqa: ARG002
        return done(neighbors)


class MMRReranker(Reranker):
    """Prefers results unlike those before them, by maximal marginal relevance over their vectors.

    Each time the result with the largest ``lambda_ * relevance - (1 - lambda_) * similarity`` is taken: the
    similarity is the largest cosine with one that was taken before. That value is its new score.

    Parameters
    ----------
    lambda_ : float
        From 0, where only difference counts, to 1, where only relevance does.

    Examples
    --------
    >>> results = [{"id": "a", "text": "", "score": 0.9, "vector": [1, 0]},
    ...            {"id": "a2", "text": "", "score": 0.89, "vector": [0.99, 0.1]},
    ...            {"id": "b", "text": "", "score": 0.7, "vector": [0.6, 0.8]}]
    >>> [neighbor.id for neighbor in MMRReranker(0.5).rerank("", results, 2)]
    ['a', 'b']
    """

    def __init__(self, lambda_: float = 0.5) -> None:
        self.lambda_ = check_share("lambda_", lambda_)

    def rerank(
        self,
        query: str,
        results: Results,
        top_k: int | None = None,
        *,
        query_vector: Vector | None = None,
    ) -> list[Neighbor]:
        """The best of the results, which must have vectors: search with ``include=("metadata", "vector")``.

        Their scores are their relevance, which should be similarities, as scores under cosine are; with
        ``query_vector``, their cosines with it are.

        >>> docs, embedder = vecstore.VecStore(":memory:"), HashingEmbedder(64)
        >>> docs.batch_upsert_texts([("a", "a log"), ("b", "a log"), ("c", "a snake")], embedder)
        3
        >>> found = docs.query(embedder.embed("log"), include=("vector",))
        >>> [neighbor.id for neighbor in MMRReranker(0.3).rerank("log", found, top_k=2)]
        ['a', 'c']
        """
        neighbors = as_neighbors(results)
        most = _most(neighbors, top_k)
        check_text("query", query)
        return _vecstore._rag_mmr(neighbors, query_vector, self.lambda_, most)

    async def arerank(
        self,
        query: str,
        results: Results,
        top_k: int | None = None,
        *,
        query_vector: Vector | None = None,
    ) -> list[Neighbor]:
        """Does what `rerank` does, on an event loop.

        >>> import asyncio
        >>> results = [{"id": "a", "text": "", "score": 0.9, "vector": [1, 0]}]
        >>> asyncio.run(MMRReranker(0.5).arerank("", results, query_vector=[1, 0]))[0].id
        'a'
        """
        return self.rerank(query, results, top_k, query_vector=query_vector)

    def _best(self, query: str, neighbors: list[Neighbor], most: int) -> Work[list[Neighbor]]:  # noqa: ARG002
        return done(_vecstore._rag_mmr(neighbors, None, self.lambda_, most))

    def __repr__(self) -> str:
        return f"MMRReranker(lambda_={self.lambda_})"


class ScoreReranker(Reranker):
    """Ranks by a function of the result.

    Parameters
    ----------
    score : callable
        Called with each `Neighbor`; returns a number, larger for better. Sync or async.

    Examples
    --------
    >>> newest = ScoreReranker(lambda neighbor: neighbor.metadata["year"])
    >>> results = [{"text": "old", "metadata": {"year": 1990}}, {"text": "new", "metadata": {"year": 2020}}]
    >>> newest.rerank("", results)[0].text
    'new'
    """

    def __init__(self, score: abc.Callable[[Neighbor], typing.Any]) -> None:
        check_callable("score", score)
        self._score = score

    def _best(self, query: str, neighbors: list[Neighbor], most: int) -> Work[list[Neighbor]]:  # noqa: ARG002
        scores = yield [Call(self._score, neighbor) for neighbor in neighbors]
        return _scored(neighbors, scores)


class CrossEncoderFn(Reranker):
    """Ranks by a function that reads the query together with a text, as a cross-encoder does.

    Parameters
    ----------
    score : callable
        Called as ``score(query, text)``; returns a number, larger for better. Sync or async.
    batch : bool
        Whether it is called once, with a list of (query, text) pairs, and returns a number for each.

    Examples
    --------
    >>> shared = CrossEncoderFn(lambda query, text: len(set(query.split()) & set(text.split())))
    >>> shared.rerank("synced log", ["a snake", "the log is synced"])[0].text
    'the log is synced'
    """

    def __init__(self, score: abc.Callable[..., typing.Any], *, batch: bool = False) -> None:
        check_callable("score", score)
        self._score = score
        self._batch = check_bool("batch", batch)

    def _best(self, query: str, neighbors: list[Neighbor], most: int) -> Work[list[Neighbor]]:  # noqa: ARG002
        texts = [text_of(neighbor) for neighbor in neighbors]
        if self._batch:
            scores = yield Call(self._score, [(query, text) for text in texts])
            if isinstance(scores, str) or not isinstance(scores, abc.Iterable):
                raise TypeError(
                    f"score: expected to return {len(texts)} numbers, got {type(scores).__name__}"
                )
        else:
            scores = yield [Call(self._score, query, text) for text in texts]
        return _scored(neighbors, scores)


class RRFReranker(Reranker):
    """Scores by reciprocal ranks: 1 / (k + rank).

    Parameters
    ----------
    k : float
        How little the first ranks stand out.

    Examples
    --------
    >>> a, b = vecstore.Neighbor("a", 0.9, 0.1), vecstore.Neighbor("b", 0.8, 0.2)
    >>> [neighbor.id for neighbor in RRFReranker(60).fuse_multiple([[a, b], [b]])]
    ['b', 'a']
    """

    def __init__(self, k: float = 60.0) -> None:
        self.k = check_number("k", k)
        if not 0 <= self.k < 1e300:
            raise InvalidInputError(f"k: expected a number of at least 0, got {k!r}")

    def fuse_multiple(self, result_sets: abc.Iterable[Results], top_k: int | None = None) -> list[Neighbor]:
        """The best of several rankings, as one.

        >>> results = lambda *ids: [{"id": id, "text": id} for id in ids]
        >>> fused = RRFReranker().fuse_multiple([results("a", "b"), results("b", "c")])
        >>> [neighbor.id for neighbor in fused]
        ['b', 'a', 'c']
        """
        best = reciprocal_rank_fusion(result_sets, self.k)
        return best[: _most(best, top_k)]

    def _best(self, query: str, neighbors: list[Neighbor], most: int) -> Work[list[Neighbor]]:  # noqa: ARG002
        return done(reciprocal_rank_fusion([neighbors], self.k))

    def __repr__(self) -> str:
        return f"RRFReranker(k={self.k})"


class BordaCountReranker(Reranker):
    """Scores by Borda's count: of n results, the first gets n points, the next n - 1.

    >>> a, b, c = (vecstore.Neighbor(id, 1.0, 0.0) for id in "abc")
    >>> [neighbor.id for neighbor in BordaCountReranker().combine([[a, b, c], [b, c, a]], 2)]
    ['b', 'a']
    """

    def combine(self, ranked_lists: abc.Iterable[Results], top_k: int | None = None) -> list[Neighbor]:
        """The best of several rankings, as one.

        >>> results = lambda *ids: [{"id": id, "text": id} for id in ids]
        >>> combined = BordaCountReranker().combine([results("a", "b"), results("b", "a"), results("b")])
        >>> [neighbor.id for neighbor in combined]
        ['b', 'a']
        """
        combined = fused(ranked_lists, _vecstore._rag_borda, "ranked_lists")
        return combined[: _most(combined, top_k)]

    def _best(self, query: str, neighbors: list[Neighbor], most: int) -> Work[list[Neighbor]]:  # noqa: ARG002
        return done(borda_fusion([neighbors]))


class EnsembleReranker(Reranker):
    """Ranks by the weighted sum of what several rerankers say, made comparable first.

    Parameters
    ----------
    rerankers : iterable of (reranker, weight) or of rerankers, optional
        Weights count relative to each other; 1 if not given.
    normalization : str
        As in `weighted_fusion`.

    Examples
    --------
    >>> length = ScoreReranker(lambda neighbor: len(neighbor.text))
    >>> ensemble = EnsembleReranker([(IdentityReranker(), 0.3)]).add(length, 0.7)
    >>> ensemble.rerank("", ["one", "three", "four"])[0].text
    'three'
    """

    def __init__(
        self, rerankers: abc.Iterable[typing.Any] = (), normalization: _Normalization = "min_max"
    ) -> None:
        self._members: list[tuple[typing.Any, float]] = []
        self._normalization = check_normalization(normalization)
        self.add_all(rerankers)

    def add(self, reranker: typing.Any, weight: float = 1.0) -> EnsembleReranker:
        """Adds a reranker, and returns this one.

        >>> ensemble = EnsembleReranker().add(BM25Reranker(), 2.0)
        >>> [neighbor.id for neighbor in ensemble.rerank("a log", ["a snake", "a log"])]
        ['1', '0']
        """
        number = check_number("weight", weight)
        if not 0 <= number < 1e300:
            raise InvalidInputError(f"weight: expected a number of at least 0, got {weight!r}")
        check_reranker("reranker", reranker)
        self._members.append((reranker, number))
        return self

    def add_all(self, rerankers: abc.Iterable[typing.Any]) -> EnsembleReranker:
        """Adds rerankers, each alone or with its weight, and returns this one.

        >>> ensemble = EnsembleReranker().add_all([(BM25Reranker(), 1.0), (IdentityReranker(), 0.1)])
        >>> ensemble.rerank("a log", ["a snake", "a log"])[0].id
        '1'
        """
        listed = list(check_items("rerankers", rerankers, "a list of rerankers"))
        for at, member in enumerate(listed):
            reranker, weight = member if isinstance(member, tuple) and len(member) == 2 else (member, 1.0)
            check_reranker(f"rerankers[{at}]", reranker)
            self.add(reranker, weight)
        return self

    def _best(self, query: str, neighbors: list[Neighbor], most: int) -> Work[list[Neighbor]]:  # noqa: ARG002
        if not self._members:
            return neighbors
        total = sum(weight for _, weight in self._members)
        if total == 0:
            raise InvalidInputError("weights: expected a sum above 0, got 0")
        places = distinct_places(neighbors, "results")
        runs = []
        for reranker, _ in self._members:
            results = yield from reranking(reranker, query, neighbors, len(neighbors))
            runs.append([(places[one.id], one.score) for one in results if one.id in places])
        weights = [weight / total for _, weight in self._members]
        return ranked(neighbors, _vecstore._rag_weighted(runs, weights, self._normalization))

    def __repr__(self) -> str:
        return f"EnsembleReranker({self._members!r})"


class ContextualReranker(Reranker):
    """Prefers results that have to do with what was talked about before.

    The score is ``(1 - context_weight) * relevance + context_weight * context``: the relevance is the
    result's score, scaled to 0 to 1 among the results; the context is the share of the words of earlier turns
    that its text has, where a turn counts ``decay`` times what the one after it does.

    Parameters
    ----------
    history : iterable of str
        Earlier turns, oldest first.
    context_weight : float
        From 0 to 1.
    decay : float
        From 0 to 1.

    Examples
    --------
    >>> reranker = ContextualReranker(["How are wheels made?"], context_weight=0.9)
    >>> reranker.rerank("and then?", ["snakes eat mice", "wheels are made of wood"])[0].text
    'wheels are made of wood'
    """

    def __init__(
        self, history: abc.Iterable[str] = (), context_weight: float = 0.3, decay: float = 0.7
    ) -> None:
        self._history = check_texts(history, "history")
        self._context_weight = check_share("context_weight", context_weight)
        self._decay = check_share("decay", decay)

    def with_history(self, history: abc.Iterable[str]) -> ContextualReranker:
        """Replaces the history, and returns this reranker.

        >>> reranker = ContextualReranker(context_weight=0.9).with_history(["snakes eat mice"])
        >>> [neighbor.text for neighbor in reranker.rerank("it", ["a log", "snakes eat"])]
        ['snakes eat', 'a log']
        """
        self._history = check_texts(history, "history")
        return self

    def add_to_history(self, turn: str) -> None:
        """Adds the latest turn.

        >>> reranker = ContextualReranker(context_weight=0.9)
        >>> reranker.add_to_history("snakes eat mice")
        >>> reranker.rerank("it", ["a log", "snakes eat"])[0].text
        'snakes eat'
        """
        self._history.append(check_text("turn", turn))

    def with_context_weight(self, weight: float) -> ContextualReranker:
        """Sets how much the history counts, and returns this reranker.

        >>> reranker = ContextualReranker(["snakes eat mice"]).with_context_weight(0.9)
        >>> reranker.rerank("it", ["a log", "snakes eat"])[0].text
        'snakes eat'
        """
        self._context_weight = check_share("weight", weight)
        return self

    def _best(self, query: str, neighbors: list[Neighbor], most: int) -> Work[list[Neighbor]]:  # noqa: ARG002
        texts = [text_of(neighbor) for neighbor in neighbors]
        scores = [neighbor.score for neighbor in neighbors]
        weighed = _vecstore._rag_context(self._history, texts, scores, self._context_weight, self._decay)
        return done(_scored(neighbors, weighed))


class BM25Reranker(Reranker):
    """Ranks by BM25 of the query's terms, with their rarity counted among the results.

    Parameters
    ----------
    k1 : float
        How soon further occurrences of a word stop to count.
    b : float
        How much the length of a text counts, from 0 to 1.
    analyzer : str
        What makes terms of texts, such as ``english``; see ``VecStore``. With that of the store, terms are
        those of its text search.

    Examples
    --------
    >>> BM25Reranker().rerank("synced log", ["a snake", "the log is synced"])[0].text
    'the log is synced'
    """

    def __init__(self, k1: float = 1.2, b: float = 0.75, analyzer: str = "standard") -> None:
        self.k1 = check_number("k1", k1)
        self.b = check_number("b", b)
        _vecstore._rag_bm25("", [], self.k1, self.b, check_text("analyzer", analyzer))  # checks them
        self.analyzer = analyzer

    def _best(self, query: str, neighbors: list[Neighbor], most: int) -> Work[list[Neighbor]]:  # noqa: ARG002
        texts = [text_of(neighbor) for neighbor in neighbors]
        return done(_scored(neighbors, _vecstore._rag_bm25(query, texts, self.k1, self.b, self.analyzer)))

    def __repr__(self) -> str:
        return f"BM25Reranker(k1={self.k1}, b={self.b}, analyzer={self.analyzer!r})"


class ColBERTReranker(Reranker):
    """Ranks by late interaction of token vectors: see `max_sim`.

    Parameters
    ----------
    token_embedder : callable, optional
        Returns the token vectors of a text, as an array of the shape (tokens, dim). Without it, they are
        given to `rerank`, and to `cache_document` for texts.
    normalize : bool
        Whether token vectors are scaled to norm 1 first.

    Examples
    --------
    >>> reranker = ColBERTReranker()
    >>> reranker.cache_document("a", [[1.0, 0.0], [0.0, 1.0]])
    >>> reranker.cache_document("b", [[0.5, 0.5]])
    >>> results = [vecstore.Neighbor("b", 0.9, 0.1), vecstore.Neighbor("a", 0.8, 0.2)]
    >>> [(one.id, one.score) for one in reranker.rerank([[1.0, 0.0], [0.0, 1.0]], results)]
    [('a', 2.0), ('b', 1.0)]
    """

    def __init__(
        self, token_embedder: abc.Callable[[str], typing.Any] | None = None, *, normalize: bool = False
    ) -> None:
        if token_embedder is not None:
            check_callable("token_embedder", token_embedder)
        self._token_embedder = token_embedder
        self._normalize = check_bool("normalize", normalize)
        self._documents: dict[str, Vectors] = {}

    def cache_document(self, id: str, token_vectors: Vectors) -> None:
        """Keeps the token vectors of a text, by the id of its result.

        >>> reranker = ColBERTReranker()
        >>> reranker.cache_document("a", [[1.0, 0.0], [0.0, 1.0]])
        >>> len(reranker.get_cached_document("a"))
        2
        """
        self._documents[check_text("id", id)] = token_vectors

    def get_cached_document(self, id: str) -> Vectors | None:
        """The token vectors that are kept for an id.

        >>> ColBERTReranker().get_cached_document("a") is None
        True
        """
        return self._documents.get(check_text("id", id))

    def clear_cache(self) -> None:
        """Forgets all token vectors.

        >>> reranker = ColBERTReranker()
        >>> reranker.cache_document("a", [[1.0, 0.0]])
        >>> reranker.clear_cache()
        >>> reranker.get_cached_document("a") is None
        True
        """
        self._documents.clear()

    def compute_score(self, query_vectors: Vectors, document_vectors: Vectors) -> float:
        """`max_sim` of the two.

        >>> round(ColBERTReranker().compute_score([[1.0, 0.0]], [[0.5, 0.5], [0.9, 0.1]]), 3)
        0.9
        """
        return _vecstore._rag_max_sim(query_vectors, document_vectors, self._normalize)

    def rerank(self, query: str | Vectors, results: Results, top_k: int | None = None) -> list[Neighbor]:
        """The best of the results for a query, which is a text or its token vectors.

        >>> reranker = ColBERTReranker()
        >>> reranker.cache_document("a", [[0.1, 0.9]])
        >>> reranker.cache_document("b", [[0.9, 0.1]])
        >>> results = [{"id": id, "text": ""} for id in "ab"]
        >>> [neighbor.id for neighbor in reranker.rerank([[1.0, 0.0]], results)]
        ['b', 'a']
        """
        return run(self._reranking(typing.cast(str, query), as_neighbors(results), top_k))

    def _best(self, query: typing.Any, neighbors: list[Neighbor], most: int) -> Work[list[Neighbor]]:  # noqa: ARG002
        vectors = yield from self._tokens(query) if isinstance(query, str) else done(query)
        scores = []
        for neighbor in neighbors:
            tokens = self._documents.get(neighbor.id)
            if tokens is None:
                if self._token_embedder is None:
                    raise InvalidInputError(
                        f"results: there are no token vectors of `{neighbor.id}`; "
                        "give them to cache_document, or the reranker a token_embedder"
                    )
                tokens = yield from self._tokens(text_of(neighbor))
            scores.append(self.compute_score(vectors, tokens))
        return _scored(neighbors, scores)

    def _tokens(self, text: str) -> Work[typing.Any]:
        if self._token_embedder is None:
            raise InvalidInputError("query: expected token vectors, or a reranker with a token_embedder")
        return (yield Call(self._token_embedder, text))


def max_sim(query_vectors: Vectors, document_vectors: Vectors, *, normalize: bool = False) -> float:
    """The sum over the query's token vectors of the largest inner product with one of the document's.

    With ``normalize``, of the largest cosine. 0 where one of them has no tokens.

    >>> max_sim([[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.5], [2.0, 0.0]])
    2.5
    """
    return _vecstore._rag_max_sim(query_vectors, document_vectors, check_bool("normalize", normalize))
