# pyright: reportOverlappingOverload=false
from collections.abc import AsyncIterator, Generator, Iterable, Mapping, Sequence
from os import PathLike
from types import TracebackType
from typing import Any, SupportsIndex, overload

import pandas
import polars
import pyarrow
from typing_extensions import Self, TypeVar

from vecstore._async_calls import Twin
from vecstore._neighbors import NeighborList
from vecstore._progress import Progress
from vecstore._searches import _Boosts
from vecstore._types import Embedder, Filter, Metadata, OrderBy, Sparse, Splitter, Vector, Vectors
from vecstore._values import (
    AggregateStats,
    BackupResult,
    BatchOperation,
    BatchResult,
    CollectionConfig,
    CompactionConfig,
    CompactionResult,
    Config,
    Duplicate,
    ExplainedNeighbor,
    ExportResult,
    Facet,
    FieldIndex,
    Group,
    HNSWSearchParams,
    HybridQuery,
    ImportResult,
    NamespaceQuotas,
    NamespaceStats,
    NamespaceStatus,
    Page,
    PrefetchQuery,
    Query,
    QueryEstimate,
    QueryPlan,
    RangeFacet,
    RepairReport,
    Snapshot,
    StoreStats,
    UniqueResult,
    VerifyReport,
)
from vecstore._vecstore import (
    BaseCollection,
    Collection,
    QueryBatch,
    Record,
    VecDatabase,
    VecStore,
    _Durability,
    _Fusion,
    _Include,
    _Quantization,
    _Strategy,
    _WithVector,
)

__all__ = ["AsyncBaseCollection", "AsyncVecStore", "AsyncCollection", "AsyncVecDatabase"]

_C = TypeVar("_C", bound=BaseCollection)

class AsyncBaseCollection(Twin[_C]):
    async def dimension(self) -> int | None: ...
    @property
    def distance_metric(self) -> str: ...
    async def upsert(
        self,
        id: str,
        vector: Vector,
        metadata: Metadata | None = None,
        *,
        text: str | None = None,
        sparse: Sparse | None = None,
        ttl_seconds: float | None = None,
    ) -> None: ...
    async def upsert_many(
        self,
        ids: Iterable[str],
        vectors: Vectors,
        metadatas: Iterable[Metadata | None] | None = None,
        *,
        texts: Iterable[str | None] | None = None,
        sparse: Iterable[Sparse | None] | None = None,
        progress: bool = False,
    ) -> int: ...
    async def upsert_unique(
        self,
        ids: Iterable[str],
        vectors: Vectors,
        metadatas: Iterable[Metadata | None] | None = None,
        *,
        threshold: float = 0.98,
        texts: Iterable[str | None] | None = None,
        sparse: Iterable[Sparse | None] | None = None,
        recall: float = 0.99,
        exact: bool = False,
    ) -> UniqueResult: ...
    async def upsert_multi(
        self,
        id: str,
        vectors: Vectors,
        metadata: Metadata | None = None,
        *,
        text: str | None = None,
        sparse: Sparse | None = None,
        ttl_seconds: float | None = None,
    ) -> None: ...
    async def upsert_multi_many(
        self,
        ids: Iterable[str],
        vectors: Iterable[Vectors],
        metadatas: Iterable[Metadata | None] | None = None,
        *,
        texts: Iterable[str | None] | None = None,
    ) -> int: ...
    async def batch_upsert(self, records: Iterable[Metadata | Record | tuple[Any, ...]]) -> int: ...
    async def batch_execute(self, operations: Iterable[BatchOperation]) -> BatchResult: ...
    async def upsert_with_ttl(
        self, id: str, vector: Vector, metadata: Metadata | None, ttl_seconds: float
    ) -> None: ...
    async def set_ttl(self, id: str, ttl_seconds: float | None) -> None: ...
    async def expire_ttl_records(self) -> int: ...
    async def update_metadata(self, id: str, metadata: Metadata | None) -> None: ...
    async def patch_metadata(self, id: str, changes: Metadata) -> None: ...
    async def update_vector(self, id: str, vector: Vector) -> None: ...
    async def delete(self, id: str) -> bool: ...
    async def delete_many(self, ids: Iterable[str]) -> int: ...
    async def delete_where(self, filter: Filter, *, params: Metadata | None = None) -> int: ...
    async def remove(self, id: str) -> None: ...
    async def soft_delete(self, id: str) -> bool: ...
    async def restore(self, id: str) -> bool: ...
    async def save(self) -> None: ...
    async def flush(self) -> None: ...
    async def index_text(self, id: str, text: str) -> None: ...
    async def upsert_chunks(
        self,
        doc_id: str,
        text: str,
        splitter: Splitter,
        embedder: Embedder,
        *,
        metadata: Metadata | None = None,
        page_starts: Sequence[int] | None = None,
        batch_size: int = 64,
    ) -> int: ...
    async def batch_upsert_texts(
        self, items: Iterable[Any], embedder: Embedder, *, batch_size: int = 64
    ) -> int: ...
    async def query_text(
        self,
        text: str,
        embedder: Embedder,
        k: int = 10,
        filter: Filter | None = None,
        *,
        params: Metadata | None = None,
    ) -> NeighborList[list[float] | None]: ...
    async def get(self, id: str) -> Record | None: ...
    async def get_many(self, ids: Iterable[str]) -> list[Record | None]: ...
    async def len(self) -> int: ...
    async def count(self, filter: Filter | None = None, *, params: Metadata | None = None) -> int: ...
    async def is_empty(self) -> bool: ...
    async def active_count(self) -> int: ...
    async def deleted_count(self) -> int: ...
    async def get_text(self, id: str) -> str | None: ...
    async def has_text(self, id: str) -> bool: ...
    async def scroll(
        self,
        filter: Filter | None = None,
        *,
        limit: int = 100,
        cursor: str | None = None,
        with_vectors: bool = False,
        order_by: OrderBy | None = None,
        params: Metadata | None = None,
    ) -> Page: ...
    def __aiter__(self) -> AsyncIterator[Record]: ...
    async def list_all(self) -> list[Record]: ...
    async def list_active(self) -> list[Record]: ...
    async def list_deleted(self) -> list[Record]: ...
    async def create_index(self, path: str, kind: str | None = None) -> None: ...
    async def drop_index(self, path: str) -> bool: ...
    async def list_indexes(self) -> list[FieldIndex]: ...
    async def distinct(
        self, path: str, filter: Filter | None = None, *, params: Metadata | None = None
    ) -> list[Any]: ...
    @overload
    async def facets(
        self,
        path: str,
        filter: Filter | None = None,
        *,
        limit: int | None = None,
        buckets: None = None,
        params: Metadata | None = None,
    ) -> list[Facet]: ...
    @overload
    async def facets(
        self,
        path: str,
        filter: Filter | None = None,
        *,
        limit: None = None,
        buckets: Iterable[Any],
        params: Metadata | None = None,
    ) -> list[RangeFacet]: ...
    async def to_arrow(
        self, filter: Filter | None = None, *, params: Metadata | None = None, with_vectors: bool = True
    ) -> pyarrow.Table: ...
    async def to_pandas(
        self, filter: Filter | None = None, *, params: Metadata | None = None, with_vectors: bool = True
    ) -> pandas.DataFrame: ...
    async def to_polars(
        self, filter: Filter | None = None, *, params: Metadata | None = None, with_vectors: bool = True
    ) -> polars.DataFrame: ...
    @overload
    async def query(
        self,
        vector: Vector,
        k: int = 10,
        filter: Filter | None = None,
        *,
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        include: _WithVector,
        params: Metadata | None = None,
        prefix_dim: int | None = None,
    ) -> NeighborList[list[float]]: ...
    @overload
    async def query(
        self,
        vector: Vector,
        k: int = 10,
        filter: Filter | None = None,
        *,
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        include: _Include = ...,
        params: Metadata | None = None,
        prefix_dim: int | None = None,
    ) -> NeighborList[list[float] | None]: ...
    @overload
    async def query_batch(
        self,
        vectors: Vectors,
        k: int = 10,
        filter: Filter | None = None,
        *,
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        include: _WithVector,
        params: Metadata | None = None,
    ) -> QueryBatch[list[float]]: ...
    @overload
    async def query_batch(
        self,
        vectors: Vectors,
        k: int = 10,
        filter: Filter | None = None,
        *,
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        include: _Include = ...,
        params: Metadata | None = None,
    ) -> QueryBatch[list[float] | None]: ...
    @overload
    async def text_query(
        self,
        keywords: str,
        k: int = 10,
        filter: Filter | None = None,
        *,
        offset: int = 0,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        boosts: Mapping[str, float] | None = None,
        include: _WithVector,
        params: Metadata | None = None,
    ) -> NeighborList[list[float]]: ...
    @overload
    async def text_query(
        self,
        keywords: str,
        k: int = 10,
        filter: Filter | None = None,
        *,
        offset: int = 0,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        boosts: Mapping[str, float] | None = None,
        include: _Include = ...,
        params: Metadata | None = None,
    ) -> NeighborList[list[float] | None]: ...
    @overload
    async def sparse_query(
        self,
        indices_values: Sparse,
        k: int = 10,
        filter: Filter | None = None,
        *,
        offset: int = 0,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        include: _WithVector,
        params: Metadata | None = None,
    ) -> NeighborList[list[float]]: ...
    @overload
    async def sparse_query(
        self,
        indices_values: Sparse,
        k: int = 10,
        filter: Filter | None = None,
        *,
        offset: int = 0,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        include: _Include = ...,
        params: Metadata | None = None,
    ) -> NeighborList[list[float] | None]: ...
    @overload
    async def hybrid_query(
        self,
        vector: Vector,
        keywords: str,
        k: int = 10,
        alpha: float = 0.7,
        filter: Filter | None = None,
        *,
        fusion: _Fusion = "rrf",
        rrf_k: float = 60.0,
        candidates: int | None = None,
        autocut: int | None = None,
        boosts: Mapping[str, float] | None = None,
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        include: _WithVector,
        params: Metadata | None = None,
    ) -> NeighborList[list[float]]: ...
    @overload
    async def hybrid_query(
        self,
        vector: Vector,
        keywords: str,
        k: int = 10,
        alpha: float = 0.7,
        filter: Filter | None = None,
        *,
        fusion: _Fusion = "rrf",
        rrf_k: float = 60.0,
        candidates: int | None = None,
        autocut: int | None = None,
        boosts: Mapping[str, float] | None = None,
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        include: _Include = ...,
        params: Metadata | None = None,
    ) -> NeighborList[list[float] | None]: ...
    async def recommend(
        self,
        positive: str | Sequence[str | Vector] | Vectors,
        negative: str | Sequence[str | Vector] | Vectors = (),
        k: int = 10,
        filter: Filter | None = None,
        *,
        strategy: _Strategy = "average_vector",
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        include: _Include = ...,
        params: Metadata | None = None,
    ) -> NeighborList[list[float] | None]: ...
    async def query_by_id(
        self,
        id: str,
        k: int = 10,
        filter: Filter | None = None,
        *,
        include_self: bool = False,
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        include: _Include = ...,
        params: Metadata | None = None,
    ) -> NeighborList[list[float] | None]: ...
    async def mmr_query(
        self,
        vector: Vector,
        k: int = 10,
        fetch_k: int = 50,
        lambda_: float = 0.5,
        filter: Filter | None = None,
        *,
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        include: _Include = ...,
        params: Metadata | None = None,
    ) -> NeighborList[list[float] | None]: ...
    async def group_query(
        self,
        vector: Vector,
        by: str,
        groups: int = 10,
        group_size: int = 3,
        filter: Filter | None = None,
        *,
        recall: float = 0.95,
        exact: bool = False,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        include: _Include = ...,
        params: Metadata | None = None,
    ) -> list[Group]: ...
    async def multi_query(
        self,
        vectors: Vectors,
        k: int = 10,
        filter: Filter | None = None,
        *,
        candidates: int | None = None,
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        include: _Include = ...,
        params: Metadata | None = None,
    ) -> NeighborList[list[float] | None]: ...
    async def find_duplicates(
        self,
        threshold: float = 0.98,
        filter: Filter | None = None,
        *,
        recall: float = 0.99,
        exact: bool = False,
        params: Metadata | None = None,
    ) -> list[Duplicate]: ...
    async def prefetch_query(self, query: PrefetchQuery) -> NeighborList[list[float] | None]: ...
    async def highlight(
        self,
        keywords: str,
        text: str,
        *,
        before: str = "<b>",
        after: str = "</b>",
        length: int = 160,
        passages: int = 3,
    ) -> list[str]: ...
    async def query_with_filter(
        self, vector: Vector, k: int, filter: Filter | None, *, params: Metadata | None = None
    ) -> NeighborList[list[float] | None]: ...
    async def query_with_params(
        self, query: Query, params: HNSWSearchParams
    ) -> NeighborList[list[float] | None]: ...
    async def explain_query(self, query: Query | Vector) -> QueryPlan: ...
    async def query_explain(self, query: Query | HybridQuery | Vector) -> list[ExplainedNeighbor]: ...
    async def estimate_query(self, query: Query | Vector) -> QueryEstimate: ...
    async def compact(self) -> int: ...
    async def optimize(self) -> int: ...
    async def maybe_compact(self, config: CompactionConfig | None = None) -> CompactionResult: ...
    async def verify(self) -> VerifyReport: ...
    async def create_snapshot(self, name: str) -> Snapshot: ...
    async def list_snapshots(self) -> list[Snapshot]: ...
    async def restore_snapshot(self, name: str) -> None: ...
    async def delete_snapshot(self, name: str) -> bool: ...
    async def backup(self, path: str | PathLike[str], incremental: bool = True) -> BackupResult: ...
    async def export_jsonl(
        self,
        path: str | PathLike[str],
        *,
        filter: Filter | None = None,
        include_deleted: bool = False,
        progress: Progress = False,
        params: Metadata | None = None,
    ) -> ExportResult: ...
    async def import_jsonl(
        self,
        path: str | PathLike[str],
        *,
        batch_size: SupportsIndex = 1000,
        checkpoint: str | PathLike[str] | None = None,
        progress: Progress = False,
    ) -> ImportResult: ...
    async def export_parquet(
        self,
        path: str | PathLike[str],
        *,
        filter: Filter | None = None,
        params: Metadata | None = None,
        include_deleted: bool = False,
        batch_size: int = 10000,
        compression: str = "zstd",
        progress: Progress = False,
    ) -> ExportResult: ...
    async def import_parquet(
        self,
        path: str | PathLike[str],
        *,
        id: str = "id",
        vector: str = "vector",
        text: str = "text",
        metadata: str = "metadata",
        batch_size: int = 1000,
        checkpoint: str | PathLike[str] | None = None,
        progress: Progress = False,
    ) -> ImportResult: ...
    async def import_arrow(
        self,
        data: Any,
        *,
        id: str = "id",
        vector: str = "vector",
        text: str = "text",
        metadata: str = "metadata",
        batch_size: int = 1000,
        progress: Progress = False,
    ) -> ImportResult: ...
    async def export_numpy(
        self,
        path: str | PathLike[str],
        *,
        filter: Filter | None = None,
        params: Metadata | None = None,
        include_deleted: bool = False,
        progress: Progress = False,
    ) -> ExportResult: ...
    async def import_numpy(
        self,
        path: str | PathLike[str],
        *,
        ids: Sequence[str] | None = None,
        metadatas: Sequence[Metadata | None] | None = None,
        batch_size: int = 1000,
        checkpoint: str | PathLike[str] | None = None,
        progress: Progress = False,
    ) -> ImportResult: ...

class AsyncVecStore(AsyncBaseCollection[VecStore]):
    def __init__(
        self,
        path: str | PathLike[str],
        *,
        dim: int | None = None,
        metric: str | None = None,
        durability: _Durability = "commit",
        read_only: bool = False,
        wait: float = 0.0,
        quantization: _Quantization = "auto",
        memory_budget: int | None = None,
        threads: int | None = None,
        analyzer: str | None = None,
        text_fields: Iterable[str] | None = None,
        partition_by: str | None = None,
        schema: Mapping[str, str] | None = None,
    ) -> None: ...
    @classmethod
    def wrapping(cls, opened: VecStore) -> Self: ...
    def __await__(self) -> Generator[Any, None, Self]: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
    @staticmethod
    def open(
        path: str | PathLike[str],
        *,
        dim: int | None = None,
        metric: str | None = None,
        durability: _Durability = "commit",
        read_only: bool = False,
        wait: float = 0.0,
        quantization: _Quantization = "auto",
        memory_budget: int | None = None,
        threads: int | None = None,
        analyzer: str | None = None,
        text_fields: Iterable[str] | None = None,
        partition_by: str | None = None,
        schema: Mapping[str, str] | None = None,
    ) -> AsyncVecStore: ...
    async def close(self) -> None: ...
    @staticmethod
    async def repair(
        path: str | PathLike[str],
        *,
        metric: str | None = None,
        analyzer: str | None = None,
        text_fields: Sequence[str] | None = None,
        partition_by: str | None = None,
    ) -> RepairReport: ...
    @staticmethod
    async def restore_backup(path: str | PathLike[str], to: str | PathLike[str]) -> None: ...
    @property
    def config(self) -> Config: ...
    async def stats(self) -> StoreStats: ...

class AsyncCollection(AsyncBaseCollection[Collection]):
    def __init__(self, collection: Collection) -> None: ...
    async def name(self) -> str: ...
    @property
    def namespace(self) -> str: ...
    @property
    def config(self) -> CollectionConfig: ...
    async def stats(self) -> NamespaceStats: ...

class AsyncVecDatabase(Twin[VecDatabase]):
    def __init__(
        self,
        path: str | PathLike[str],
        *,
        durability: _Durability = "commit",
        read_only: bool = False,
        wait: float = 0.0,
        memory_budget: int | None = None,
        threads: int | None = None,
    ) -> None: ...
    @classmethod
    def wrapping(cls, opened: VecDatabase) -> Self: ...
    def __await__(self) -> Generator[Any, None, Self]: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
    @staticmethod
    def open(
        path: str | PathLike[str],
        *,
        durability: _Durability = "commit",
        read_only: bool = False,
        wait: float = 0.0,
        memory_budget: int | None = None,
        threads: int | None = None,
    ) -> AsyncVecDatabase: ...
    @staticmethod
    async def restore_backup(path: str | PathLike[str], to: str | PathLike[str]) -> None: ...
    async def close(self) -> None: ...
    async def create_collection(
        self, name: str, config: CollectionConfig | None = None
    ) -> AsyncCollection: ...
    async def get_collection(self, name: str) -> AsyncCollection | None: ...
    async def get_or_create_collection(
        self, name: str, config: CollectionConfig | None = None
    ) -> AsyncCollection: ...
    async def list_collections(self) -> list[str]: ...
    async def collection_names(self) -> list[str]: ...
    def __aiter__(self) -> AsyncIterator[str]: ...
    async def delete_collection(self, name: str) -> bool: ...
    async def rename_collection(self, name: str, new_name: str) -> None: ...
    async def aggregate_stats(self) -> AggregateStats: ...
    async def stats(self, name: str) -> NamespaceStats: ...
    async def update_quotas(self, name: str, quotas: NamespaceQuotas) -> None: ...
    async def update_status(self, name: str, status: NamespaceStatus | str) -> None: ...
    async def backup(self, path: str | PathLike[str], incremental: bool = True) -> BackupResult: ...
    async def backup_collection(
        self, name: str, path: str | PathLike[str], incremental: bool = True
    ) -> BackupResult: ...
    async def restore_collection(self, name: str, path: str | PathLike[str]) -> AsyncCollection: ...
