"""What searches are asked for, and groups of what they found. Imported when the first of them is used."""

from __future__ import annotations

import typing
from dataclasses import dataclass, field

if typing.TYPE_CHECKING:
    import datetime
    from collections import abc

    from vecstore import _types
    from vecstore._vecstore import Neighbor

__all__ = [
    "Decay",
    "Duplicate",
    "FieldBoost",
    "FilterBoost",
    "Group",
    "HybridQuery",
    "PrefetchQuery",
    "Query",
    "QueryStage",
    "UniqueResult",
]

_Include = typing.Iterable[typing.Literal["metadata", "vector", "text"]]
_Mode = typing.Literal["multiply", "add"]


@dataclass(frozen=True)
class Decay:
    """A boost that is largest at one value of a field and falls with the distance from it.

    With ``d`` the distance beyond ``offset`` as a share of ``scale``, what is left is ``decay ** d``
    (``exp``), ``decay ** (d * d)`` (``gauss``) or ``1 - (1 - decay) * d``, at least 0 (``linear``): 1 near
    the origin, ``decay`` at ``offset + scale``. Of a list at the path the nearest counts.

    >>> boost = vecstore.Decay("price", origin=2, scale=1)
    >>> [(n.id, round(n.score, 2)) for n in store.query([1, 0, 0], boost=boost)]
    [('apple', 0.5), ('pear', 0.24), ('leek', 0.11)]
    """

    path: str
    #: A number; a time, as an aware datetime or an ISO-8601 string; None is the time of the search.
    origin: float | datetime.datetime | str | None
    #: The distance beyond ``offset`` at which ``decay`` is left. From a time, seconds or a timedelta; the
    #: field may
    #: then hold a datetime, an ISO-8601 string or Unix seconds.
    scale: float | datetime.timedelta
    #: The distance up to which nothing is lost.
    offset: float | datetime.timedelta = 0.0
    decay: float = 0.5
    kind: typing.Literal["exp", "gauss", "linear"] = "exp"
    #: ``multiply``: a score is multiplied by ``1 - weight + weight * left`` (one below 0 divided, so that it
    #: falls as
    #: well). ``add``: ``weight * left`` is added to it.
    mode: _Mode = "multiply"
    weight: float = 1.0
    #: What is left where there is no value at the path, 0 to 1.
    missing: float = 1.0


@dataclass(frozen=True)
class FieldBoost:
    """A boost by a number in the metadata: by ``modifier(factor * number)``, where a number below 0 counts as
    0.

    Of a list at the path the largest number counts.

    >>> [n.id for n in store.query([1, 0, 0], boost=vecstore.FieldBoost("price", modifier="log1p"))]
    ['pear', 'apple', 'leek']
    """

    path: str
    factor: float = 1.0
    modifier: typing.Literal["none", "log1p", "sqrt", "square"] = "none"
    #: What a record without a number at the path is boosted by.
    missing: float = 1.0
    #: The most that a record is boosted by. It also lets an approximate search end sooner.
    most: float | None = None
    mode: _Mode = "multiply"


@dataclass(frozen=True)
class FilterBoost:
    """A boost of the records that match a filter: their scores are multiplied by ``weight``, or it is added.

    >>> [n.id for n in store.query([1, 0, 0], boost=vecstore.FilterBoost({"kind": "vegetable"}, 10))]
    ['leek', 'apple', 'pear']
    """

    filter: _types.Filter
    weight: float
    mode: _Mode = "multiply"


#: A change of scores by metadata.
_Boost = typing.Union[Decay, FieldBoost, FilterBoost]
_Boosts = typing.Union[_Boost, typing.Sequence[_Boost]]


@dataclass(frozen=True)
class Query:
    """A search, for ``VecStore.explain_query`` and others. The parameters are those of ``VecStore.query``.

    >>> query = vecstore.Query([1.0, 0.0, 0.0], k=1, filter={"kind": "fruit"})
    >>> [neighbor.id for neighbor in store.query_explain(query)]
    ['apple']
    """

    vector: _types.Vector
    k: int = 10
    filter: _types.Filter | None = None
    recall: float = 0.95
    exact: bool = False
    offset: int = 0
    min_score: float | None = None
    include: _Include = ("metadata",)
    boost: _Boosts | None = None


@dataclass(frozen=True)
class HybridQuery:
    """A search by a vector and words, for ``VecStore.query_explain``.

    The parameters are those of ``VecStore.hybrid_query``.

    >>> store.index_text("pear", "a green pear")
    >>> query = vecstore.HybridQuery([1.0, 0.0, 0.0], "green", k=1, alpha=0.1)
    >>> found = store.query_explain(query)[0]
    >>> found.id, found.explanation.text_rank
    ('pear', 1)
    """

    vector: _types.Vector
    keywords: str
    k: int = 10
    alpha: float = 0.7
    filter: _types.Filter | None = None
    fusion: str = "rrf"
    rrf_k: float = 60.0
    candidates: int | None = None
    autocut: int | None = None
    boosts: typing.Mapping[str, float] | None = None
    recall: float = 0.95
    exact: bool = False
    offset: int = 0
    min_score: float | None = None
    include: _Include = ("metadata",)
    boost: _Boosts | None = None


class Group(typing.NamedTuple):
    """Records that have the same value at a path: ``VecStore.group_query``.

    >>> [(group.value, [n.id for n in group.neighbors]) for group in store.group_query([1, 0, 0], "kind")]
    [('fruit', ['apple', 'pear']), ('vegetable', ['leek'])]
    """

    #: The value, as the best of the records has it.
    value: typing.Any
    #: Best first.
    neighbors: list[Neighbor]


class Duplicate(typing.NamedTuple):
    """A record that is like another: ``VecStore.find_duplicates``.

    >>> [(one.id, one.of) for one in store.find_duplicates(0.9)]
    [('pear', 'apple')]
    """

    id: str
    #: The record that it is most like, which stays.
    of: str
    score: float


@dataclass(frozen=True)
class UniqueResult:
    """What ``VecStore.upsert_unique`` did.

    >>> result = store.upsert_unique(["apple2", "plum"], [[1, 0.01, 0], [0, 0.2, 1]])
    >>> result.written, [one.id for one in result.duplicates]
    (1, ['apple2'])
    """

    #: How many records were written.
    written: int
    #: Those that were left out, in the order they were given.
    duplicates: list[Duplicate]


@dataclass(frozen=True)
class QueryStage:
    """A stage of a `PrefetchQuery`; make it with one of the methods below.

    The first stage is one of the searches. The others filter, rescore, reorder or cut what the one before
    found.

    >>> vecstore.QueryStage.limit(5)
    QueryStage(kind='limit', arguments={'k': 5})
    """

    kind: str
    arguments: typing.Mapping[str, typing.Any] = field(default_factory=dict)

    @classmethod
    def vector_search(
        cls,
        vector: _types.Vector,
        k: int = 100,
        filter: _types.Filter | None = None,
        *,
        recall: float = 0.95,
        exact: bool = False,
        min_score: float | None = None,
        boost: _Boosts | None = None,
    ) -> QueryStage:
        """Searches for the nearest records, as ``VecStore.query``.

        >>> stages = [vecstore.QueryStage.vector_search([1, 0, 0], k=2)]
        >>> [n.id for n in store.prefetch_query(vecstore.PrefetchQuery(stages))]
        ['apple', 'pear']
        """
        query = Query(vector, k, filter, recall, exact, min_score=min_score, boost=boost)
        return cls("vector_search", {"query": query})

    @classmethod
    def text_search(
        cls,
        keywords: str,
        k: int = 100,
        filter: _types.Filter | None = None,
        *,
        boosts: typing.Mapping[str, float] | None = None,
        min_score: float | None = None,
        boost: _Boosts | None = None,
    ) -> QueryStage:
        """Searches texts, as ``VecStore.text_query``.

        >>> store.index_text("pear", "a green pear")
        >>> stages = [vecstore.QueryStage.text_search("green")]
        >>> [n.id for n in store.prefetch_query(vecstore.PrefetchQuery(stages))]
        ['pear']
        """
        arguments = {"keywords": keywords, "k": k, "filter": filter, "boosts": boosts}
        return cls("text_search", {**arguments, "min_score": min_score, "boost": boost})

    @classmethod
    def sparse_search(
        cls,
        indices_values: _types.Sparse,
        k: int = 100,
        filter: _types.Filter | None = None,
        *,
        min_score: float | None = None,
        boost: _Boosts | None = None,
    ) -> QueryStage:
        """Searches sparse vectors, as ``VecStore.sparse_query``.

        >>> store.upsert("kiwi", [0.5, 0.5, 0], sparse={7: 1.0})
        >>> stages = [vecstore.QueryStage.sparse_search({7: 2.0})]
        >>> [n.id for n in store.prefetch_query(vecstore.PrefetchQuery(stages))]
        ['kiwi']
        """
        arguments = {"indices_values": indices_values, "k": k, "filter": filter}
        return cls("sparse_search", {**arguments, "min_score": min_score, "boost": boost})

    @classmethod
    def hybrid_search(
        cls,
        vector: _types.Vector,
        keywords: str,
        k: int = 100,
        alpha: float = 0.7,
        filter: _types.Filter | None = None,
        *,
        fusion: str = "rrf",
        rrf_k: float = 60.0,
        candidates: int | None = None,
        autocut: int | None = None,
        boosts: typing.Mapping[str, float] | None = None,
        recall: float = 0.95,
        exact: bool = False,
        min_score: float | None = None,
        boost: _Boosts | None = None,
    ) -> QueryStage:
        """Searches by a vector and words, as ``VecStore.hybrid_query``.

        >>> store.index_text("pear", "a green pear")
        >>> stages = [vecstore.QueryStage.hybrid_search([1, 0, 0], "green", alpha=0.1)]
        >>> [n.id for n in store.prefetch_query(vecstore.PrefetchQuery(stages, k=1))]
        ['pear']
        """
        query = HybridQuery(
            vector,
            keywords,
            k,
            alpha,
            filter,
            fusion,
            rrf_k,
            candidates,
            autocut,
            boosts,
            recall,
            exact,
            min_score=min_score,
            boost=boost,
        )
        return cls("hybrid_search", {"query": query})

    @classmethod
    def multi_search(
        cls,
        vectors: _types.Vectors,
        k: int = 100,
        filter: _types.Filter | None = None,
        *,
        candidates: int | None = None,
        exact: bool = False,
        min_score: float | None = None,
        boost: _Boosts | None = None,
    ) -> QueryStage:
        """Searches by late interaction, as ``VecStore.multi_query``.

        >>> store.upsert_multi("salad", [[1, 0, 0], [0, 1, 0]])
        >>> stages = [vecstore.QueryStage.multi_search([[1, 0, 0], [0, 1, 0]])]
        >>> [n.id for n in store.prefetch_query(vecstore.PrefetchQuery(stages))]
        ['salad', 'pear', 'apple', 'leek']
        """
        arguments = {"vectors": vectors, "k": k, "filter": filter, "candidates": candidates, "exact": exact}
        return cls("multi_search", {**arguments, "min_score": min_score, "boost": boost})

    @classmethod
    def fusion(
        cls,
        prefetch: abc.Iterable[QueryStage | PrefetchQuery],
        fusion: str = "rrf",
        k: int = 100,
        *,
        weights: abc.Iterable[float] | None = None,
        rrf_k: float = 60.0,
    ) -> QueryStage:
        """Runs several searches, and makes one ranking of all by a fusion of ``VecStore.hybrid_query``.

        A stage among them is a search of that one stage. Each counts by its weight, 1 if there are none.

        >>> searches = [vecstore.QueryStage.vector_search(vector) for vector in ([1, 0, 0], [0, 1, 0])]
        >>> stages = [vecstore.QueryStage.fusion(searches)]
        >>> len(store.prefetch_query(vecstore.PrefetchQuery(stages, k=2)))
        2
        """
        arguments = {"prefetch": tuple(prefetch), "fusion": fusion, "k": k, "rrf_k": rrf_k}
        return cls("fusion", {**arguments, "weights": None if weights is None else tuple(weights)})

    @classmethod
    def filter(cls, filter: _types.Filter) -> QueryStage:
        """Keeps the records that match.

        >>> stages = [
        ...     vecstore.QueryStage.vector_search([1, 0, 0]),
        ...     vecstore.QueryStage.filter({"kind": "vegetable"}),
        ... ]
        >>> [n.id for n in store.prefetch_query(vecstore.PrefetchQuery(stages))]
        ['leek']
        """
        return cls("filter", {"filter": filter})

    @classmethod
    def rerank(
        cls,
        vector: _types.Vector | None = None,
        k: int | None = None,
        *,
        vectors: _types.Vectors | None = None,
        score: str | None = None,
    ) -> QueryStage:
        """Gives each record a new score, orders them by it and keeps the best ``k``, or all.

        By its vector's score with another vector; by late interaction with ``vectors``, as
        ``VecStore.multi_query``; or by a formula ``score``: numbers, ``+ - * /``, parentheses; ``score``,
        ``rank`` (from 1) and ``now`` (Unix seconds); paths of the metadata, in backticks if they are not
        plain words with dots; ``abs sqrt exp ln log10 pow min max``; ``default(path, number)`` for records
        without a number there. Times are Unix seconds.

        >>> stages = [vecstore.QueryStage.vector_search([1, 0, 0]),
        ...     vecstore.QueryStage.rerank(score="price / 2")]
        >>> [(n.id, n.score) for n in store.prefetch_query(vecstore.PrefetchQuery(stages))]
        [('pear', 2.0), ('apple', 1.5), ('leek', 1.0)]
        """
        return cls("rerank", {"vector": vector, "k": k, "vectors": vectors, "score": score})

    @classmethod
    def boost(cls, boost: _Boosts, k: int | None = None) -> QueryStage:
        """Changes scores by metadata, orders by them and keeps the best ``k``, or all.

        >>> boost = vecstore.FilterBoost({"kind": "vegetable"}, 10)
        >>> stages = [vecstore.QueryStage.vector_search([1, 0, 0]), vecstore.QueryStage.boost(boost, k=1)]
        >>> [n.id for n in store.prefetch_query(vecstore.PrefetchQuery(stages))]
        ['leek']
        """
        return cls("boost", {"boost": boost, "k": k})

    @classmethod
    def mmr(cls, k: int = 10, lambda_: float = 0.5, *, vector: _types.Vector | None = None) -> QueryStage:
        """Chooses records that score well and are unlike each other, as ``VecStore.mmr_query``.

        Their scores are those with ``vector``; without it those of the stage before, from 0 for the worst to
        1.

        >>> stages = [vecstore.QueryStage.vector_search([1, 0, 0]), vecstore.QueryStage.mmr(2, lambda_=0.1)]
        >>> [n.id for n in store.prefetch_query(vecstore.PrefetchQuery(stages))]
        ['apple', 'leek']
        """
        return cls("mmr", {"k": k, "lambda_": lambda_, "vector": vector})

    @classmethod
    def limit(cls, k: int) -> QueryStage:
        """Keeps the first ``k``.

        >>> stages = [vecstore.QueryStage.vector_search([1, 0, 0]), vecstore.QueryStage.limit(1)]
        >>> [n.id for n in store.prefetch_query(vecstore.PrefetchQuery(stages))]
        ['apple']
        """
        return cls("limit", {"k": k})

    @classmethod
    def min_score(cls, score: float) -> QueryStage:
        """Keeps what has at least this score.

        >>> stages = [vecstore.QueryStage.vector_search([1, 0, 0]), vecstore.QueryStage.min_score(0.9)]
        >>> [n.id for n in store.prefetch_query(vecstore.PrefetchQuery(stages))]
        ['apple', 'pear']
        """
        return cls("min_score", {"score": score})


@dataclass(frozen=True)
class PrefetchQuery:
    """A search in stages, for ``VecStore.prefetch_query``: see `QueryStage`.

    >>> query = vecstore.PrefetchQuery([vecstore.QueryStage.vector_search([1, 0, 0])], k=1)
    >>> [n.id for n in store.prefetch_query(query)]
    ['apple']
    """

    stages: typing.Sequence[QueryStage]
    #: How many neighbors are returned; None is 10, or in a fusion all that the last stage passes on.
    k: int | None = None
    #: Restricts every search of the query, nested ones included.
    filter: _types.Filter | None = None
    offset: int = 0
    min_score: float | None = None
    include: _Include = ("metadata",)
