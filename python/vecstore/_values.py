"""Plain values that calls take and return. Imported when the first of them is used."""

from __future__ import annotations

import typing
from dataclasses import dataclass

from vecstore._plans import ExplainedNeighbor, QueryEstimate, QueryExplanation, QueryPlan, QueryStep
from vecstore._vecstore import Record

if typing.TYPE_CHECKING:
    from vecstore import _types

__all__ = [
    "BatchError",
    "BatchOperation",
    "BatchResult",
    "CompactionResult",
    "Config",
    "Distance",
    "ExplainedNeighbor",
    "HNSWSearchParams",
    "Page",
    "Problem",
    "Query",
    "QueryEstimate",
    "QueryExplanation",
    "QueryPlan",
    "QueryStep",
    "StoreStats",
    "VerifyReport",
]


class Distance:
    """The names of the metrics, for the option ``metric``. Aliases stand for the metric they name.

    >>> vecstore.VecStore(":memory:", metric=vecstore.Distance.l2).distance_metric
    'euclidean'
    """

    cosine: typing.Final = "cosine"
    dot: typing.Final = "dot"
    dotproduct: typing.Final = "dot"
    euclidean: typing.Final = "euclidean"
    l2: typing.Final = "euclidean"
    manhattan: typing.Final = "manhattan"
    l1: typing.Final = "manhattan"
    hamming: typing.Final = "hamming"
    jaccard: typing.Final = "jaccard"
    chebyshev: typing.Final = "chebyshev"
    linf: typing.Final = "chebyshev"
    canberra: typing.Final = "canberra"
    braycurtis: typing.Final = "braycurtis"


@dataclass(frozen=True)
class Config:
    """How a store was opened: ``VecStore.config``."""

    #: The path as it was given, or ``:memory:``.
    path: str
    #: The number of components of every vector, once it is known.
    dim: int | None
    #: The name of the metric.
    metric: str
    #: ``commit``, ``interval`` or ``none``.
    durability: str
    read_only: bool
    #: ``auto``, ``none``, ``int8`` or ``int4``.
    quantization: str
    #: In bytes; None is the default.
    memory_budget: int | None
    #: Most threads of a query; None is one for each core.
    threads: int | None


@dataclass(frozen=True)
class Query:
    """A search, for ``VecStore.explain_query`` and others. The parameters are those of ``VecStore.query``."""

    vector: _types.Vector
    k: int = 10
    filter: _types.Filter | None = None
    recall: float = 0.95
    exact: bool = False
    offset: int = 0
    min_score: float | None = None
    include: typing.Iterable[typing.Literal["metadata", "vector", "text"]] = ("metadata",)


@dataclass(frozen=True)
class HNSWSearchParams:
    """A search preset, for ``VecStore.query_with_params``: the recall, as in ``VecStore.query``.

    It is the share of the true neighbors that the search is tuned to find at least. A higher one visits more
    points of a graph and scores more rows: ``VecStore.explain_query`` tells how many.

    >>> vecstore.HNSWSearchParams.high_recall()
    HNSWSearchParams(recall=0.99)
    """

    recall: float = 0.95

    @classmethod
    def fast(cls) -> HNSWSearchParams:
        """Recall 0.80."""
        return cls(0.80)

    @classmethod
    def balanced(cls) -> HNSWSearchParams:
        """Recall 0.95, the default of ``VecStore.query``."""
        return cls(0.95)

    @classmethod
    def high_recall(cls) -> HNSWSearchParams:
        """Recall 0.99."""
        return cls(0.99)

    @classmethod
    def max_recall(cls) -> HNSWSearchParams:
        """Recall 1: exact search, which finds all of the true neighbors."""
        return cls(1.0)


@dataclass(frozen=True)
class BatchOperation:
    """One operation of ``VecStore.batch_execute``; make it with one of the methods below.

    >>> vecstore.BatchOperation.delete("a").operation
    'delete'
    """

    operation: str
    id: str
    vector: _types.Vector | None = None
    metadata: _types.Metadata | None = None
    text: str | None = None
    ttl_seconds: float | None = None

    @classmethod
    def upsert(
        cls,
        id: str,
        vector: _types.Vector,
        metadata: _types.Metadata | None = None,
        *,
        text: str | None = None,
        ttl_seconds: float | None = None,
    ) -> BatchOperation:
        """Adds or replaces a record, as ``VecStore.upsert``."""
        return cls("upsert", id, vector, metadata, text, ttl_seconds)

    @classmethod
    def delete(cls, id: str) -> BatchOperation:
        """Removes a record; fails if it is not there."""
        return cls("delete", id)

    @classmethod
    def soft_delete(cls, id: str) -> BatchOperation:
        """Hides a record; fails if it is not there."""
        return cls("soft_delete", id)

    @classmethod
    def restore(cls, id: str) -> BatchOperation:
        """Shows a hidden record again; fails if there is none."""
        return cls("restore", id)

    @classmethod
    def update_metadata(cls, id: str, metadata: _types.Metadata) -> BatchOperation:
        """Replaces the metadata of a record; fails if it is not there."""
        return cls("update_metadata", id, None, metadata)


@dataclass(frozen=True)
class BatchError:
    """An operation of a batch that was not possible."""

    #: Its position in the batch.
    index: int
    #: Its name, such as ``delete``.
    operation: str
    #: Why.
    error: str


@dataclass(frozen=True)
class BatchResult:
    """What became of a batch of operations."""

    succeeded: int
    failed: int
    errors: list[BatchError]
    duration_ms: float


class Page(typing.NamedTuple):
    """A page of ``VecStore.scroll``: ``records, cursor = store.scroll()``."""

    records: list[Record]
    #: Where the next page starts; None after the last.
    cursor: str | None


@dataclass(frozen=True)
class CompactionResult:
    """What ``VecStore.maybe_compact`` did."""

    compacted: bool
    #: How many removed records it freed.
    freed: int
    duration_ms: float


@dataclass(frozen=True)
class StoreStats:
    """Figures about a store at one moment: ``VecStore.stats``."""

    #: Records that reads return.
    active: int
    #: Soft-deleted records.
    deleted: int
    #: Rows of replaced, removed and expired records whose space is not free yet.
    dead_rows: int
    dim: int | None
    metric: str
    #: Segments on disk.
    segments: int
    #: Segments that are searched through a graph.
    graph_segments: int
    #: Bytes of those graphs that searches read all over.
    hot_bytes: int
    #: Bytes of copies of those in memory, made where much is searched and the memory budget allows it.
    resident_bytes: int
    #: Rows that are in memory and in the log, but in no segment yet.
    unsealed_rows: int
    #: Bytes of the rows in memory.
    memory_bytes: int
    #: Bytes of the store's files, with the space reserved in them.
    disk_bytes: int
    #: The number of calls that changed records, since the store was made.
    lsn: int
    #: Queries, upserted and deleted records since the store was opened.
    queries: int
    upserts: int
    deletes: int
    #: Why background upkeep does not get on, if it does not.
    upkeep_error: str | None


@dataclass(frozen=True)
class Problem:
    """Something that is not as it was written."""

    path: str
    message: str


@dataclass(frozen=True)
class VerifyReport:
    """What ``VecStore.verify`` found."""

    files: int
    bytes: int
    records: int
    problems: list[Problem]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


for _name in __all__:
    globals()[_name].__module__ = "vecstore"
del _name
