"""Plain values that calls take and return. Imported when the first of them is used."""

from __future__ import annotations

import enum
import typing
from dataclasses import dataclass

from vecstore._plans import (
    ExplainedNeighbor,
    HybridExplanation,
    QueryEstimate,
    QueryExplanation,
    QueryPlan,
    QueryStep,
)
from vecstore._searches import (
    Decay,
    Duplicate,
    FieldBoost,
    FilterBoost,
    Group,
    HybridQuery,
    PrefetchQuery,
    Query,
    QueryStage,
    UniqueResult,
)
from vecstore._vecstore import Record, _quota_preset

if typing.TYPE_CHECKING:
    import datetime
    from collections import abc

    from vecstore import _types

__all__ = [
    "AggregateStats",
    "BackupResult",
    "BatchError",
    "BatchOperation",
    "BatchResult",
    "CollectionConfig",
    "CompactionConfig",
    "CompactionResult",
    "Config",
    "Decay",
    "Distance",
    "Duplicate",
    "ExplainedNeighbor",
    "ExportResult",
    "Facet",
    "FieldIndex",
    "FieldBoost",
    "FilterBoost",
    "Group",
    "HNSWSearchParams",
    "HybridExplanation",
    "HybridQuery",
    "ImportResult",
    "Loss",
    "NamespaceQuotas",
    "NamespaceStats",
    "NamespaceStatus",
    "Page",
    "PrefetchQuery",
    "Problem",
    "Query",
    "QueryEstimate",
    "QueryExplanation",
    "QueryPlan",
    "QueryStage",
    "QueryStep",
    "RangeFacet",
    "RepairReport",
    "Snapshot",
    "StoreStats",
    "UniqueResult",
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
    """How a store was opened: ``VecStore.config``.

    >>> vecstore.VecStore(":memory:", dim=3).config.metric
    'cosine'
    """

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
    #: How terms are made of texts, such as ``standard``.
    analyzer: str = "standard"
    #: Fields of the metadata that are searched beside the records' texts.
    text_fields: tuple[str, ...] = ()
    #: The path of the metadata that partitions the records, or None.
    partition_by: str | None = None


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
        """Recall 0.80.

        >>> vecstore.HNSWSearchParams.fast()
        HNSWSearchParams(recall=0.8)
        """
        return cls(0.80)

    @classmethod
    def balanced(cls) -> HNSWSearchParams:
        """Recall 0.95, the default of ``VecStore.query``.

        >>> vecstore.HNSWSearchParams.balanced()
        HNSWSearchParams(recall=0.95)
        """
        return cls(0.95)

    @classmethod
    def high_recall(cls) -> HNSWSearchParams:
        """Recall 0.99.

        >>> vecstore.HNSWSearchParams.high_recall()
        HNSWSearchParams(recall=0.99)
        """
        return cls(0.99)

    @classmethod
    def max_recall(cls) -> HNSWSearchParams:
        """Recall 1: exact search, which finds all of the true neighbors.

        >>> query = vecstore.Query([1.0, 0.0, 0.0], k=1)
        >>> store.query_with_params(query, vecstore.HNSWSearchParams.max_recall())[0].id
        'apple'
        """
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
    sparse: _types.Sparse | None = None

    @classmethod
    def upsert(
        cls,
        id: str,
        vector: _types.Vector,
        metadata: _types.Metadata | None = None,
        *,
        text: str | None = None,
        sparse: _types.Sparse | None = None,
        ttl_seconds: float | None = None,
    ) -> BatchOperation:
        """Adds or replaces a record, as ``VecStore.upsert``.

        >>> operation = vecstore.BatchOperation.upsert("fig", [1, 0, 0], {"kind": "fruit"})
        >>> store.batch_execute([operation]).succeeded
        1
        """
        return cls("upsert", id, vector, metadata, text, ttl_seconds, sparse)

    @classmethod
    def delete(cls, id: str) -> BatchOperation:
        """Removes a record; fails if it is not there.

        >>> store.batch_execute([vecstore.BatchOperation.delete("apple")]).succeeded
        1
        """
        return cls("delete", id)

    @classmethod
    def soft_delete(cls, id: str) -> BatchOperation:
        """Hides a record; fails if it is not there.

        >>> store.batch_execute([vecstore.BatchOperation.soft_delete("apple")]).succeeded
        1
        >>> store.deleted_count()
        1
        """
        return cls("soft_delete", id)

    @classmethod
    def restore(cls, id: str) -> BatchOperation:
        """Shows a hidden record again; fails if there is none.

        >>> Op = vecstore.BatchOperation
        >>> store.batch_execute([Op.soft_delete("apple"), Op.restore("apple")]).succeeded
        2
        """
        return cls("restore", id)

    @classmethod
    def update_metadata(cls, id: str, metadata: _types.Metadata) -> BatchOperation:
        """Replaces the metadata of a record; fails if it is not there.

        >>> store.batch_execute([vecstore.BatchOperation.update_metadata("apple", {"price": 5})]).succeeded
        1
        >>> store.get("apple").metadata
        {'price': 5}
        """
        return cls("update_metadata", id, None, metadata)


@dataclass(frozen=True)
class BatchError:
    """An operation of a batch that was not possible.

    >>> result = store.batch_execute([vecstore.BatchOperation.restore("none")])
    >>> result.errors[0].error
    'no record has the id `none`'
    """

    #: Its position in the batch.
    index: int
    #: Its name, such as ``delete``.
    operation: str
    #: Why.
    error: str


@dataclass(frozen=True)
class BatchResult:
    """What became of a batch of operations.

    >>> result = store.batch_execute([vecstore.BatchOperation.delete("none")])
    >>> result.succeeded, result.failed
    (0, 1)
    """

    succeeded: int
    failed: int
    errors: list[BatchError]
    duration_ms: float


class Page(typing.NamedTuple):
    """A page of ``VecStore.scroll``: ``records, cursor = store.scroll()``.

    >>> page = store.scroll(limit=2)
    >>> [record.id for record in page.records], page.cursor
    (['apple', 'leek'], 'leek')
    """

    records: list[Record]
    #: Where the next page starts; None after the last.
    cursor: str | None


class Facet(typing.NamedTuple):
    """A value and how many records have it: ``dict(store.facets("kind"))``.

    >>> [(facet.value, facet.count) for facet in store.facets("kind")]
    [('fruit', 2), ('vegetable', 1)]
    """

    value: typing.Any
    # Stands before the method `count` that every tuple has, and that nobody needs of a pair.
    count: int  # type: ignore[assignment]


class RangeFacet(typing.NamedTuple):
    """A range of values and how many records have one in it.

    >>> [(facet.start, facet.end, facet.count) for facet in store.facets("price", buckets=[0, 3, 5])]
    [(0, 3, 1), (3, 5, 2)]
    """

    #: The first value that is in it; None if it has no lower end.
    start: typing.Any
    #: The first value that is beyond it; None if it has no upper end.
    end: typing.Any
    count: int  # type: ignore[assignment]


@dataclass(frozen=True)
class FieldIndex:
    """The index on one path of the metadata: a value of ``VecStore.list_indexes``.

    >>> store.create_index("kind", "keyword")
    >>> [(index.path, index.kind, index.automatic) for index in store.list_indexes()]
    [('kind', 'keyword', False)]
    """

    path: str
    #: What was asked for: ``any``, ``keyword``, ``number``, ``bool``, ``datetime``, ``geo``; None if it
    #: was made by itself.
    kind: str | None
    #: Whether it was made by itself.
    automatic: bool
    #: The types that records have there, or in lists there: null, bool, number, string, bytes, datetime,
    #: list, map.
    types: tuple[str, ...]
    #: Records in segments that have the path.
    records: int
    #: Those with a value there that the index leaves to the records: of another kind, too long, or beyond the
    #: caps.
    unindexed: int
    #: Distinct values that are held.
    distinct: int
    #: Bytes on disk.
    bytes: int


@dataclass(frozen=True)
class CompactionConfig:
    """When ``maybe_compact`` compacts. The background does what is needed by itself all the same.

    >>> store.maybe_compact(vecstore.CompactionConfig()).compacted
    False
    """

    #: Beyond which share of all rows those of removed, replaced and expired records are enough, 0 to 1.
    min_dead_share: float = 0.2
    #: How many such rows there must be.
    min_dead_rows: int = 1


@dataclass(frozen=True)
class CompactionResult:
    """What ``VecStore.maybe_compact`` did.

    >>> store.delete("apple")
    True
    >>> store.maybe_compact().freed
    1
    """

    compacted: bool
    #: How many removed records it freed.
    freed: int
    duration_ms: float


@dataclass(frozen=True)
class StoreStats:
    """Figures about a store at one moment: ``VecStore.stats``.

    >>> stats = store.stats()
    >>> stats.active, stats.deleted, stats.dim
    (3, 0, 3)
    """

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


class Snapshot(typing.NamedTuple):
    """A snapshot that is kept by name: ``VecStore.list_snapshots``.

    >>> snapshot = store.create_snapshot("monday")
    >>> snapshot.name, snapshot.record_count
    ('monday', 3)
    """

    name: str
    #: An aware datetime.
    created_at: datetime.datetime
    #: Without soft-deleted and expired records.
    record_count: int


@dataclass(frozen=True)
class ExportResult:
    """What ``VecStore.export_jsonl`` and its like wrote.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as path:
    ...     result = store.export_jsonl(f"{path}/records.jsonl")
    >>> result.records == len(store)
    True
    """

    records: int
    bytes: int


@dataclass(frozen=True)
class ImportResult:
    """What ``VecStore.import_jsonl`` and its like did.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as path:
    ...     _ = store.export_jsonl(f"{path}/records.jsonl")
    ...     result = store.import_jsonl(f"{path}/records.jsonl")
    >>> result.records == len(store), result.resumed_at
    (True, 0)
    """

    #: Records written, those of attempts before this one too. Of several with one id the last is there.
    records: int
    #: Of these, how many an earlier attempt had written.
    resumed_at: int
    #: Atomic writes of this attempt.
    batches: int


@dataclass(frozen=True)
class BackupResult:
    """What ``VecStore.backup`` did.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as path:
    ...     first = store.backup(path)
    ...     second = store.backup(path)
    >>> first.copied_files > 0, second.kept_files > 0
    (True, True)
    """

    #: Collections that the call backed up.
    collections: int
    copied_files: int
    copied_bytes: int
    #: Files that were there from an earlier backup.
    kept_files: int


@dataclass(frozen=True)
class NamespaceQuotas:
    """What a collection may grow to; None is no limit.

    Looked at when a call adds records of new ids. Reads, deletes, and writes to records that are there are
    never refused.

    >>> vecstore.NamespaceQuotas(max_vectors=1000).max_vectors
    1000
    """

    #: The most records, soft-deleted ones included; expired ones do not count.
    max_vectors: int | None = None
    #: The most bytes of records: ``NamespaceStats.storage_bytes``.
    max_storage_bytes: int | None = None
    #: The largest dimension of vectors.
    max_dimension: int | None = None
    #: The most records of new ids that one call may add.
    max_batch_size: int | None = None

    @classmethod
    def unlimited(cls) -> NamespaceQuotas:
        """No limits.

        >>> vecstore.NamespaceQuotas.unlimited() == vecstore.NamespaceQuotas()
        True
        """
        return cls()

    @classmethod
    def free_tier(cls) -> NamespaceQuotas:
        """10,000 records of up to 1,536 dimensions in 100 MiB, added 1,000 at a time.

        >>> vecstore.NamespaceQuotas.free_tier().max_vectors
        10000
        """
        return cls(*_quota_preset(True))

    @classmethod
    def pro_tier(cls) -> NamespaceQuotas:
        """1,000,000 records of up to 4,096 dimensions in 10 GiB, added 10,000 at a time.

        >>> vecstore.NamespaceQuotas.pro_tier().max_vectors
        1000000
        """
        return cls(*_quota_preset(False))


class NamespaceStatus(str, enum.Enum):
    """What may be done with a collection. Each is equal to its name as a string.

    >>> vecstore.NamespaceStatus.ReadOnly == "ReadOnly"
    True
    """

    def __new__(cls, value: str) -> NamespaceStatus:
        member = str.__new__(cls, value)
        member._value_ = value
        return member

    @classmethod
    def _missing_(cls, value: object) -> NamespaceStatus | None:
        # As `update_status` takes them: "suspended", "read_only".
        plain = value.replace("_", "").lower() if isinstance(value, str) else None
        return next((status for status in cls if status.value.lower() == plain), None)

    #: Reads and writes are served.
    Active = "Active"
    #: Neither is.
    Suspended = "Suspended"
    #: Reads are served, writes are not.
    ReadOnly = "ReadOnly"
    #: As ``Suspended``: the collection is about to be deleted. Nothing deletes it by itself.
    PendingDeletion = "PendingDeletion"


@dataclass(frozen=True)
class CollectionConfig:
    """How a collection is made, and ``Collection.config``. It holds as long as the collection is there.

    >>> vecstore.CollectionConfig(dim=384, metric="dot", analyzer="english").text_fields
    ()
    """

    #: The number of components of every vector; the first upsert sets it if this is None.
    dim: int | None = None
    #: The metric, as in ``VecStore``.
    metric: str = "cosine"
    #: ``auto``, ``none``, ``int8`` or ``int4``, as in ``VecStore``.
    quantization: str = "auto"
    #: What it may grow to; None is no limit.
    quotas: NamespaceQuotas | None = None
    #: How terms are made of texts, as in ``VecStore``.
    analyzer: str = "standard"
    #: Paths of the metadata whose strings are searched beside the records' texts.
    text_fields: tuple[str, ...] = ()
    #: The path of the metadata that says whose a record is, as in ``VecStore``.
    partition_by: str | None = None


class _Figures:
    """Figures that can be asked for as attributes and by ``[]``."""

    def keys(self) -> abc.KeysView[str]:
        """The names of the figures; ``dict(stats)`` has them all."""
        return vars(self).keys()

    def __getitem__(self, name: str) -> typing.Any:
        return vars(self)[name]


@dataclass(frozen=True)
class NamespaceStats(_Figures):
    """Figures about a collection at one moment: ``Collection.stats``.

    >>> docs = vecstore.VecDatabase(":memory:").create_collection("docs")
    >>> docs.upsert("a", [1.0, 0.0])
    >>> stats = docs.stats()
    >>> stats.vector_count, stats["total_upserts"], stats.status.name
    (1, 1, 'Active')
    """

    #: The name of the collection.
    namespace_id: str
    #: Records, soft-deleted ones included.
    vector_count: int
    #: Records that reads return.
    active_count: int
    deleted_count: int
    dimension: int | None
    #: How much of the quota that is used most is used: 1.0 for all of it, 0.0 without quotas.
    quota_utilization: float
    #: Calls that read or wrote records, since the database was opened; so are the next three.
    total_requests: int
    total_queries: int
    total_upserts: int
    total_deletes: int
    status: NamespaceStatus
    #: Bytes of the live records: vectors, ids, metadata and texts.
    storage_bytes: int
    #: Segments on disk.
    segments: int
    #: Bytes of the rows in memory.
    memory_bytes: int
    #: Bytes of the collection's files, with the space reserved in them.
    disk_bytes: int


@dataclass(frozen=True)
class AggregateStats(_Figures):
    """Sums over the collections of a database: ``VecDatabase.aggregate_stats``.

    >>> database = vecstore.VecDatabase(":memory:")
    >>> database.create_collection("docs").upsert("a", [1.0, 0.0])
    >>> database.aggregate_stats()["total_vectors"]
    1
    """

    total_namespaces: int
    #: Those with the status Active.
    active_namespaces: int
    #: Records, soft-deleted ones included.
    total_vectors: int
    #: Records that reads return.
    active_vectors: int
    deleted_vectors: int
    #: Since the database was opened, as the next three.
    total_requests: int
    total_queries: int
    total_upserts: int
    total_deletes: int
    storage_bytes: int
    memory_bytes: int
    disk_bytes: int


@dataclass(frozen=True)
class Problem:
    """Something that is not as it was written.

    >>> store.verify().problems
    []
    """

    path: str
    message: str


@dataclass(frozen=True)
class VerifyReport:
    """What ``VecStore.verify`` found.

    >>> report = store.verify()
    >>> report.ok, report.records
    (True, 3)
    """

    files: int
    bytes: int
    records: int
    problems: list[Problem]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


@dataclass(frozen=True)
class Loss:
    """Something that could not be saved.

    >>> vecstore.Loss("wal-0.log", "a call that is damaged", None).records is None
    True
    """

    #: The file it was in.
    path: str
    message: str
    #: How many records, if that is known; calls that are lost may have held any number.
    records: int | None


@dataclass(frozen=True)
class RepairReport:
    """What ``VecStore.repair`` found, saved and gave up.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as path:
    ...     vecstore.VecStore(path).close()
    ...     report = vecstore.VecStore.repair(path)
    >>> report.ok, report.lossless, report.lost_ids
    (True, True, [])
    """

    #: Records that are there after the repair, soft-deleted ones included.
    records: int
    #: What was wrong; empty if all was well, and then nothing was changed.
    problems: list[Problem]
    #: What could not be saved.
    lost: list[Loss]
    #: Ids of the lost records whose ids can still be read, without those that were deleted or replaced later.
    lost_ids: list[str]
    #: Single flipped bits that were put back.
    bits_restored: int
    #: Damaged files, where they were moved to.
    set_aside: list[str]

    @property
    def ok(self) -> bool:
        """Whether nothing was wrong."""
        return not self.problems

    @property
    def lossless(self) -> bool:
        """Whether everything that was acknowledged is there."""
        return not self.lost


for _name in __all__:
    globals()[_name].__module__ = "vecstore"
del _name
