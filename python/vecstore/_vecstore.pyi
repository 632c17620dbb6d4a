# Lists are invariant; what each overload returns is what it gives.
# pyright: reportOverlappingOverload=false
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from os import PathLike
from types import GenericAlias, TracebackType
from typing import Any, Generic, Literal, SupportsFloat, SupportsIndex, final, overload

import pandas
import polars
import pyarrow
from typing_extensions import Self, TypeVar, disjoint_base

from vecstore._neighbors import NeighborList
from vecstore._progress import Progress
from vecstore._searches import QueryStage, _Boosts
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

__all__ = [
    "BaseCollection",
    "Collection",
    "F",
    "FilterExpr",
    "Neighbor",
    "QueryBatch",
    "Record",
    "RecordIterator",
    "TextChunk",
    "VecDatabase",
    "VecStore",
    "_Checkpoint",
    "_RowBatches",
    "_SemanticCore",
    "_SemanticSession",
    "_Splitter",
    "_command",
    "_fuse",
    "_is_own_interpreter",
    "_eval_alpha_ndcg",
    "_eval_bleu",
    "_eval_bootstrap_mean",
    "_eval_chrf",
    "_eval_citations",
    "_eval_cohen_d",
    "_eval_context_precision",
    "_eval_exact_match",
    "_eval_ground",
    "_eval_holm",
    "_eval_kappa",
    "_eval_measure_names",
    "_eval_noise_sensitivity",
    "_eval_normalize",
    "_eval_paired_t",
    "_eval_parse_qrels",
    "_eval_parse_run",
    "_eval_quotes",
    "_eval_randomization",
    "_eval_rank_biserial",
    "_eval_ranking",
    "_eval_rouge",
    "_eval_run",
    "_eval_sentences",
    "_eval_statement_f",
    "_eval_token_f1",
    "_eval_verdict_share",
    "_eval_wilcoxon",
    "_MergedAnswers",
    "_merge_answers",
    "_metadata_from_json",
    "_metadata_to_json",
    "_quota_preset",
    "_RagEmbeddingCache",
    "_RagFlow",
    "_RagMemory",
    "_RagPrompt",
    "_RagSemanticCache",
    "_rag_answer_opening",
    "_rag_average",
    "_rag_bm25",
    "_rag_borda",
    "_rag_citations",
    "_rag_context",
    "_rag_decompose",
    "_rag_estimate_tokens",
    "_rag_hashed",
    "_rag_max_sim",
    "_rag_merge",
    "_rag_mmr",
    "_rag_pack",
    "_rag_parse_lines",
    "_rag_ranking",
    "_rag_rescored",
    "_rag_reword",
    "_rag_rrf",
    "_rag_synonyms",
    "_rag_truncate",
    "_rag_unlike",
    "_rag_variations",
    "_rag_weighted",
    "_record",
    "_reopened",
    "_split_code",
    "_split_html",
    "_split_json",
    "_split_languages",
    "_split_markdown",
    "_split_recursive",
    "_split_semantic",
    "_split_sentences",
    "_split_tokens",
    "_token_count",
    "parse_filter",
]

_Durability = Literal["commit", "interval", "none"]
_Quantization = Literal["auto", "none", "int8", "int4"]
_Fusion = Literal["rrf", "relative", "dbsf", "weighted", "max", "min", "mnz", "borda", "isr"]
_Strategy = Literal["average_vector", "best_score", "sum_scores"]
_Include = Iterable[Literal["metadata", "vector", "text"]]
_M = Literal["metadata"]
_V = Literal["vector"]
_X = Literal["text"]
# As tuples, what is included can be read from the type.
_WithVector = (
    tuple[_V]
    | tuple[_V, _M]
    | tuple[_M, _V]
    | tuple[_V, _X]
    | tuple[_X, _V]
    | tuple[_M, _V, _X]
    | tuple[_M, _X, _V]
    | tuple[_V, _M, _X]
    | tuple[_V, _X, _M]
    | tuple[_X, _M, _V]
    | tuple[_X, _V, _M]
)

# What a neighbor has as its vector: `list[float]` where it is included, `list[float] | None` where that is
# not known, and anything in an annotation that does not say.
_VectorT_co = TypeVar("_VectorT_co", covariant=True, default=Any)

@disjoint_base
class BaseCollection:
    # What it is
    def dimension(self) -> int | None: ...
    @property
    def distance_metric(self) -> str: ...

    # Writing
    def upsert(
        self,
        id: str,
        vector: Vector,
        metadata: Metadata | None = None,
        *,
        text: str | None = None,
        sparse: Sparse | None = None,
        ttl_seconds: float | None = None,
    ) -> None: ...
    def upsert_many(
        self,
        ids: Iterable[str],
        vectors: Vectors,
        metadatas: Iterable[Metadata | None] | None = None,
        *,
        texts: Iterable[str | None] | None = None,
        sparse: Iterable[Sparse | None] | None = None,
        progress: bool = False,
    ) -> int: ...
    def upsert_unique(
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
    def upsert_multi(
        self,
        id: str,
        vectors: Vectors,
        metadata: Metadata | None = None,
        *,
        text: str | None = None,
        sparse: Sparse | None = None,
        ttl_seconds: float | None = None,
    ) -> None: ...
    def upsert_multi_many(
        self,
        ids: Iterable[str],
        vectors: Iterable[Vectors],
        metadatas: Iterable[Metadata | None] | None = None,
        *,
        texts: Iterable[str | None] | None = None,
    ) -> int: ...
    def batch_upsert(self, records: Iterable[Metadata | Record | tuple[Any, ...]]) -> int: ...
    def batch_execute(self, operations: Iterable[BatchOperation]) -> BatchResult: ...
    def upsert_with_ttl(
        self, id: str, vector: Vector, metadata: Metadata | None, ttl_seconds: float
    ) -> None: ...
    def set_ttl(self, id: str, ttl_seconds: float | None) -> None: ...
    def expire_ttl_records(self) -> int: ...
    def update_metadata(self, id: str, metadata: Metadata | None) -> None: ...
    def patch_metadata(self, id: str, changes: Metadata) -> None: ...
    def update_vector(self, id: str, vector: Vector) -> None: ...
    def delete(self, id: str) -> bool: ...
    def delete_many(self, ids: Iterable[str]) -> int: ...
    def delete_where(self, filter: Filter, *, params: Metadata | None = None) -> int: ...
    def remove(self, id: str) -> None: ...
    def soft_delete(self, id: str) -> bool: ...
    def restore(self, id: str) -> bool: ...
    def save(self) -> None: ...
    def flush(self) -> None: ...
    def index_text(self, id: str, text: str) -> None: ...

    # Texts, by an embedder
    def upsert_chunks(
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
    def batch_upsert_texts(
        self, items: Iterable[Any], embedder: Embedder, *, batch_size: int = 64
    ) -> int: ...
    def query_text(
        self,
        text: str,
        embedder: Embedder,
        k: int = 10,
        filter: Filter | None = None,
        *,
        params: Metadata | None = None,
    ) -> NeighborList[list[float] | None]: ...

    # Reading
    def get(self, id: str) -> Record | None: ...
    def get_many(self, ids: Iterable[str]) -> list[Record | None]: ...
    def __contains__(self, id: str, /) -> bool: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> Literal[True]: ...
    def len(self) -> int: ...
    def count(self, filter: Filter | None = None, *, params: Metadata | None = None) -> int: ...
    def is_empty(self) -> bool: ...
    def active_count(self) -> int: ...
    def deleted_count(self) -> int: ...
    def get_text(self, id: str) -> str | None: ...
    def has_text(self, id: str) -> bool: ...
    def scroll(
        self,
        filter: Filter | None = None,
        *,
        limit: int = 100,
        cursor: str | None = None,
        with_vectors: bool = False,
        order_by: OrderBy | None = None,
        params: Metadata | None = None,
    ) -> Page: ...
    def __iter__(self) -> RecordIterator: ...
    def list_all(self) -> list[Record]: ...
    def list_active(self) -> list[Record]: ...
    def list_deleted(self) -> list[Record]: ...

    # Field indexes, and what is counted from them
    def create_index(self, path: str, kind: str | None = None) -> None: ...
    def drop_index(self, path: str) -> bool: ...
    def list_indexes(self) -> list[FieldIndex]: ...
    def distinct(
        self, path: str, filter: Filter | None = None, *, params: Metadata | None = None
    ) -> list[Any]: ...
    @overload
    def facets(
        self,
        path: str,
        filter: Filter | None = None,
        *,
        limit: int | None = None,
        buckets: None = None,
        params: Metadata | None = None,
    ) -> list[Facet]: ...
    @overload
    def facets(
        self,
        path: str,
        filter: Filter | None = None,
        *,
        limit: None = None,
        buckets: Iterable[Any],
        params: Metadata | None = None,
    ) -> list[RangeFacet]: ...

    # For other libraries
    def to_arrow(
        self, filter: Filter | None = None, *, params: Metadata | None = None, with_vectors: bool = True
    ) -> pyarrow.Table: ...
    def to_pandas(
        self, filter: Filter | None = None, *, params: Metadata | None = None, with_vectors: bool = True
    ) -> pandas.DataFrame: ...
    def to_polars(
        self, filter: Filter | None = None, *, params: Metadata | None = None, with_vectors: bool = True
    ) -> polars.DataFrame: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def _repr_html_(self) -> str: ...

    # Searching
    @overload
    def query(
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
    def query(
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
        include: _Include = ...,  # ("metadata",)
        params: Metadata | None = None,
        prefix_dim: int | None = None,
    ) -> NeighborList[list[float] | None]: ...
    @overload
    def query_batch(
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
    def query_batch(
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
        include: _Include = ...,  # ("metadata",)
        params: Metadata | None = None,
    ) -> QueryBatch[list[float] | None]: ...
    @overload
    def text_query(
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
    def text_query(
        self,
        keywords: str,
        k: int = 10,
        filter: Filter | None = None,
        *,
        offset: int = 0,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        boosts: Mapping[str, float] | None = None,
        include: _Include = ...,  # ("metadata",)
        params: Metadata | None = None,
    ) -> NeighborList[list[float] | None]: ...
    @overload
    def sparse_query(
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
    def sparse_query(
        self,
        indices_values: Sparse,
        k: int = 10,
        filter: Filter | None = None,
        *,
        offset: int = 0,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        include: _Include = ...,  # ("metadata",)
        params: Metadata | None = None,
    ) -> NeighborList[list[float] | None]: ...
    @overload
    def hybrid_query(
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
    def hybrid_query(
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
        include: _Include = ...,  # ("metadata",)
        params: Metadata | None = None,
    ) -> NeighborList[list[float] | None]: ...
    def recommend(
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
        include: _Include = ...,  # ("metadata",)
        params: Metadata | None = None,
    ) -> NeighborList[list[float] | None]: ...
    def query_by_id(
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
        include: _Include = ...,  # ("metadata",)
        params: Metadata | None = None,
    ) -> NeighborList[list[float] | None]: ...
    def mmr_query(
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
        include: _Include = ...,  # ("metadata",)
        params: Metadata | None = None,
    ) -> NeighborList[list[float] | None]: ...
    def group_query(
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
        include: _Include = ...,  # ("metadata",)
        params: Metadata | None = None,
    ) -> list[Group]: ...
    def multi_query(
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
        include: _Include = ...,  # ("metadata",)
        params: Metadata | None = None,
    ) -> NeighborList[list[float] | None]: ...
    def find_duplicates(
        self,
        threshold: float = 0.98,
        filter: Filter | None = None,
        *,
        recall: float = 0.99,
        exact: bool = False,
        params: Metadata | None = None,
    ) -> list[Duplicate]: ...
    def prefetch_query(self, query: PrefetchQuery) -> NeighborList[list[float] | None]: ...
    def highlight(
        self,
        keywords: str,
        text: str,
        *,
        before: str = "<b>",
        after: str = "</b>",
        length: int = 160,
        passages: int = 3,
    ) -> list[str]: ...
    def query_with_filter(
        self, vector: Vector, k: int, filter: Filter | None, *, params: Metadata | None = None
    ) -> NeighborList[list[float] | None]: ...
    def query_with_params(
        self, query: Query, params: HNSWSearchParams
    ) -> NeighborList[list[float] | None]: ...
    def explain_query(self, query: Query | Vector) -> QueryPlan: ...
    def query_explain(self, query: Query | HybridQuery | Vector) -> list[ExplainedNeighbor]: ...
    def estimate_query(self, query: Query | Vector) -> QueryEstimate: ...

    # Upkeep
    def compact(self) -> int: ...
    def optimize(self) -> int: ...
    def maybe_compact(self, config: CompactionConfig | None = None) -> CompactionResult: ...
    def verify(self) -> VerifyReport: ...

    # Snapshots and backups
    def create_snapshot(self, name: str) -> Snapshot: ...
    def list_snapshots(self) -> list[Snapshot]: ...
    def restore_snapshot(self, name: str) -> None: ...
    def delete_snapshot(self, name: str) -> bool: ...
    def backup(self, path: str | PathLike[str], incremental: bool = True) -> BackupResult: ...

    # Export and import
    def export_jsonl(
        self,
        path: str | PathLike[str],
        *,
        filter: Filter | None = None,
        include_deleted: bool = False,
        progress: Progress = False,
        params: Metadata | None = None,
    ) -> ExportResult: ...
    def import_jsonl(
        self,
        path: str | PathLike[str],
        *,
        batch_size: SupportsIndex = 1000,
        checkpoint: str | PathLike[str] | None = None,
        progress: Progress = False,
    ) -> ImportResult: ...
    def export_parquet(
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
    def import_parquet(
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
    def import_arrow(
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
    def export_numpy(
        self,
        path: str | PathLike[str],
        *,
        filter: Filter | None = None,
        params: Metadata | None = None,
        include_deleted: bool = False,
        progress: Progress = False,
    ) -> ExportResult: ...
    def import_numpy(
        self,
        path: str | PathLike[str],
        *,
        ids: Sequence[str] | None = None,
        metadatas: Sequence[Metadata | None] | None = None,
        batch_size: int = 1000,
        checkpoint: str | PathLike[str] | None = None,
        progress: Progress = False,
    ) -> ImportResult: ...
    def _mean_vector(self, vectors: Vectors) -> list[float]: ...
    def _text_statistics(
        self, keywords: str, boosts: Mapping[str, float] | None = None
    ) -> tuple[list[tuple[int, int]], dict[bytes, int], list[dict[bytes, int]]]: ...
    def _text_query(
        self,
        statistics: tuple[list[tuple[int, int]], Mapping[bytes, int], list[Mapping[bytes, int]]],
        keywords: str,
        k: int,
        filter: Filter | None = None,
        *,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        boosts: Mapping[str, float] | None = None,
        include: _Include = ...,  # ("metadata",)
        params: Metadata | None = None,
    ) -> NeighborList[list[float] | None]: ...
    def _recommended(
        self,
        positive: Sequence[Vector],
        negative: Sequence[Vector],
        k: int,
        filter: Filter | None = None,
        *,
        strategy: _Strategy | None = None,
        recall: float = ...,
        exact: bool = False,
        min_score: float | None = None,
        boost: _Boosts | None = None,
        include: _Include = ...,  # ("metadata",)
        params: Metadata | None = None,
    ) -> bytes: ...
    def _search_stage(
        self, at: int, stage: QueryStage, found: Sequence[Sequence[tuple[str, float]]]
    ) -> NeighborList[list[float] | None]: ...
    def _explained(
        self, query: Query | Vector
    ) -> tuple[QueryPlan, NeighborList[list[float] | None], list[int | None], list[float]]: ...
    def _read_jsonl(
        self, path: str | PathLike[str], lines: int, offset: int, batch_rows: int
    ) -> tuple[_RowColumns | None, int, int, int]: ...
    def _rows_of(self, ids: Sequence[str], batch_rows: int) -> _RowBatches: ...
    def _put_rows(
        self,
        ids: Sequence[str],
        vectors: Vectors,
        metadata: list[Any] | None,
        texts: list[str | None] | None,
        sparse: list[Any] | None,
        expires: list[int | None] | None,
        deleted: list[bool] | None,
        several: list[Any] | None,
    ) -> int: ...

@disjoint_base
class VecStore(BaseCollection):
    def __new__(
        cls,
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
    ) -> Self: ...
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
    ) -> VecStore: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    @staticmethod
    def repair(
        path: str | PathLike[str],
        *,
        metric: str | None = None,
        analyzer: str | None = None,
        text_fields: Sequence[str] | None = None,
        partition_by: str | None = None,
    ) -> RepairReport: ...
    @staticmethod
    def restore_backup(path: str | PathLike[str], to: str | PathLike[str]) -> None: ...
    @property
    def config(self) -> Config: ...
    def stats(self) -> StoreStats: ...

class Collection(BaseCollection):
    def name(self) -> str: ...
    @property
    def namespace(self) -> str: ...
    @property
    def config(self) -> CollectionConfig: ...
    def stats(self) -> NamespaceStats: ...

@disjoint_base
class VecDatabase:
    def __new__(
        cls,
        path: str | PathLike[str],
        *,
        durability: _Durability = "commit",
        read_only: bool = False,
        wait: float = 0.0,
        memory_budget: int | None = None,
        threads: int | None = None,
    ) -> Self: ...
    @staticmethod
    def open(
        path: str | PathLike[str],
        *,
        durability: _Durability = "commit",
        read_only: bool = False,
        wait: float = 0.0,
        memory_budget: int | None = None,
        threads: int | None = None,
    ) -> VecDatabase: ...
    @staticmethod
    def restore_backup(path: str | PathLike[str], to: str | PathLike[str]) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    def create_collection(self, name: str, config: CollectionConfig | None = None) -> Collection: ...
    def get_collection(self, name: str) -> Collection | None: ...
    def get_or_create_collection(self, name: str, config: CollectionConfig | None = None) -> Collection: ...
    def list_collections(self) -> list[str]: ...
    def collection_names(self) -> list[str]: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> Literal[True]: ...
    def __contains__(self, name: str, /) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    def delete_collection(self, name: str) -> bool: ...
    def rename_collection(self, name: str, new_name: str) -> None: ...
    def aggregate_stats(self) -> AggregateStats: ...
    def stats(self, name: str) -> NamespaceStats: ...
    def update_quotas(self, name: str, quotas: NamespaceQuotas) -> None: ...
    def update_status(self, name: str, status: NamespaceStatus | str) -> None: ...
    def backup(self, path: str | PathLike[str], incremental: bool = True) -> BackupResult: ...
    def backup_collection(
        self, name: str, path: str | PathLike[str], incremental: bool = True
    ) -> BackupResult: ...
    def restore_collection(self, name: str, path: str | PathLike[str]) -> Collection: ...
    def _repr_html_(self) -> str: ...

@final
class Record:
    def __new__(
        cls,
        id: str,
        vector: Vector | None,
        metadata: dict[str, Any] | None = None,
        *,
        text: str | None = None,
        sparse: Sparse | None = None,
        expires_at: datetime | None = None,
        deleted: bool = False,
        vectors: Vectors | None = None,
    ) -> Self: ...
    @property
    def id(self) -> str: ...
    @property
    def vector(self) -> list[float] | None: ...
    @property
    def metadata(self) -> dict[str, Any]: ...
    @property
    def text(self) -> str | None: ...
    @property
    def sparse(self) -> dict[int, float] | None: ...
    @property
    def vectors(self) -> list[list[float]] | None: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def deleted(self) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class RecordIterator:
    def __iter__(self) -> Self: ...
    def __next__(self) -> Record: ...

@final
class Neighbor(Generic[_VectorT_co]):
    @classmethod
    def __class_getitem__(cls, item: Any) -> GenericAlias: ...
    def __new__(
        cls,
        id: str,
        score: float,
        distance: float,
        metadata: dict[str, Any] | None = None,
        vector: Vector | None = None,
        text: str | None = None,
    ) -> Self: ...
    @property
    def id(self) -> str: ...
    @property
    def score(self) -> float: ...
    @property
    def distance(self) -> float: ...
    @property
    def metadata(self) -> dict[str, Any]: ...
    @property
    def vector(self) -> _VectorT_co: ...
    @property
    def text(self) -> str | None: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class QueryBatch(Generic[_VectorT_co]):
    @classmethod
    def __class_getitem__(cls, item: Any) -> GenericAlias: ...
    def _keys(self, row: int) -> list[float]: ...
    def _packed(self, is_by_score: bool) -> bytes: ...
    @property
    def ids(self) -> Any: ...  # numpy.ndarray of objects
    @property
    def scores(self) -> Any: ...  # numpy.ndarray of float32
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: SupportsIndex, /) -> NeighborList[_VectorT_co]: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[NeighborList[_VectorT_co]]: ...
    def __iter__(self) -> Iterator[NeighborList[_VectorT_co]]: ...
    def to_arrow(self) -> pyarrow.Table: ...
    def to_pandas(self) -> pandas.DataFrame: ...
    def to_polars(self) -> polars.DataFrame: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def _repr_html_(self) -> str: ...

@final
class FilterExpr:
    def __new__(cls, filter: Filter, params: Metadata | None = None) -> Self: ...
    def to_dict(self) -> dict[str, Any]: ...
    def __and__(self, other: FilterExpr, /) -> FilterExpr: ...
    def __or__(self, other: FilterExpr, /) -> FilterExpr: ...
    def __invert__(self) -> FilterExpr: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class F:
    def __new__(cls, path: str) -> Self: ...
    @staticmethod
    def element() -> F: ...
    def __eq__(self, value: object, /) -> FilterExpr: ...  # type: ignore[override]
    def __ne__(self, value: object, /) -> FilterExpr: ...  # type: ignore[override]
    def __lt__(self, value: Any, /) -> FilterExpr: ...
    def __le__(self, value: Any, /) -> FilterExpr: ...
    def __gt__(self, value: Any, /) -> FilterExpr: ...
    def __ge__(self, value: Any, /) -> FilterExpr: ...
    def is_in(self, values: Iterable[Any]) -> FilterExpr: ...
    def not_in(self, values: Iterable[Any]) -> FilterExpr: ...
    def between(self, low: Any, high: Any) -> FilterExpr: ...
    def exists(self, present: bool = True) -> FilterExpr: ...
    def contains(self, value: Any) -> FilterExpr: ...
    def contains_any(self, values: Iterable[Any]) -> FilterExpr: ...
    def contains_all(self, values: Iterable[Any]) -> FilterExpr: ...
    def size(self, length: int) -> FilterExpr: ...
    def starts_with(self, prefix: str) -> FilterExpr: ...
    def ends_with(self, suffix: str) -> FilterExpr: ...
    def like(self, pattern: str) -> FilterExpr: ...
    def regex(self, pattern: str, flags: str | None = None) -> FilterExpr: ...
    def text(self, words: str) -> FilterExpr: ...
    def elem_match(self, filter: Filter) -> FilterExpr: ...
    def geo_radius(self, center: Metadata | Sequence[SupportsFloat], radius: float) -> FilterExpr: ...
    def geo_box(
        self,
        top_left: Metadata | Sequence[SupportsFloat],
        bottom_right: Metadata | Sequence[SupportsFloat],
    ) -> FilterExpr: ...

# What `vecstore.evaluation` is built on
@final
class _Checkpoint:
    def __new__(cls, collection: BaseCollection, path: str | PathLike[str], source: str) -> Self: ...
    @property
    def items(self) -> int: ...
    @property
    def records(self) -> int: ...
    def advance(self, items: int, records: int) -> None: ...
    def finish(self) -> None: ...

_RowColumns = tuple[
    list[str],
    bytes,
    list[str | None],
    list[str | None],
    list[dict[int, float] | None],
    list[int | None],
    list[bool],
    list[bytes | None],
]

@final
class _RowBatches:
    def __new__(
        cls,
        collection: BaseCollection,
        filter: Filter | None,
        params: Metadata | None,
        include_deleted: bool,
        batch_rows: int,
        after: str | None = None,
    ) -> Self: ...
    @property
    def total(self) -> int: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> _RowColumns: ...

def _fuse(
    vector_arm: list[tuple[str, float]],
    text_arm: list[tuple[str, float]],
    alpha: float,
    fusion: str,
    rrf_k: float,
    autocut: int | None = None,
    boost: _Boosts | None = None,
    metadatas: dict[str, Any] | None = None,
    now_unix_ms: int = 0,
) -> list[tuple[str, float]]: ...

@final
class _MergedAnswers:
    def __new__(cls, parts: Sequence[bytes], answers: Sequence[Sequence[tuple[int, int]]]) -> Self: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def __len__(self) -> int: ...
    def neighbors(self, row: int) -> list[Neighbor]: ...
    def keys(self, row: int) -> list[float]: ...

def _merge_answers(parts: Sequence[bytes], queries: int, k: int, offset: int) -> _MergedAnswers: ...
def _metadata_to_json(metadata: Metadata) -> str: ...
def _metadata_from_json(json: str) -> dict[str, Any]: ...
def _command(arguments: Sequence[str | PathLike[str]]) -> int: ...
def _eval_run(
    qrels: Any, run: Any, measures: list[str], compat: str, level: int, complete: bool
) -> tuple[dict[str, dict[str, float]], dict[str, float]]: ...
def _eval_ranking(query: Any, retrieved: Any, compat: str) -> list[str]: ...
def _eval_alpha_ndcg(ranked: list[str], judged: list[list[str]], cut: int | None, alpha: float) -> float: ...
def _eval_measure_names() -> list[str]: ...
def _eval_parse_qrels(text: str) -> list[tuple[str, str, str, int]]: ...
def _eval_parse_run(text: str) -> list[tuple[str, str, float, str]]: ...
def _eval_exact_match(answer: str, truth: str) -> bool: ...
def _eval_normalize(text: str) -> str: ...
def _eval_token_f1(answer: str, truth: str) -> float: ...
def _eval_rouge(kind: str, answer: str, reference: str) -> tuple[float, float, float]: ...
def _eval_bleu(answers: list[str], references: list[list[str]], sentence: bool) -> float: ...
def _eval_chrf(answers: list[str], references: list[list[str]], word_order: int) -> float: ...
def _eval_sentences(text: str) -> list[tuple[int, int]]: ...
def _eval_ground(
    answer: str, contexts: list[str], threshold: float
) -> tuple[list[tuple[int, int, float, int | None, bool, list[str], list[str]]], float, list[float]]: ...
def _eval_quotes(answer: str, contexts: list[str], min_words: int) -> list[tuple[int, int, int | None]]: ...
def _eval_citations(
    answer: str, contexts: list[str], threshold: float
) -> tuple[list[tuple[int, int, int, bool]], list[tuple[int, int, bool]]]: ...
def _eval_verdict_share(verdicts: list[bool]) -> float | None: ...
def _eval_context_precision(useful: list[bool]) -> float: ...
def _eval_statement_f(both: int, only_answer: int, only_reference: int, beta: float) -> float: ...
def _eval_noise_sensitivity(
    claims: list[list[bool]], reference: list[list[bool]], correct: list[bool], noise: str
) -> float | None: ...
def _eval_paired_t(
    differences: list[float], confidence: float
) -> tuple[float, float | None, float, float, float]: ...
def _eval_wilcoxon(differences: list[float], method: str) -> tuple[float, float]: ...
def _eval_randomization(
    differences: list[float], permutations: int, seed: int
) -> tuple[float, float, int, bool]: ...
def _eval_bootstrap_mean(
    values: list[float], confidence: float, resamples: int, seed: int, method: str
) -> tuple[float, float, float, float]: ...
def _eval_cohen_d(differences: list[float]) -> float | None: ...
def _eval_rank_biserial(differences: list[float]) -> float | None: ...
def _eval_holm(p_values: list[float]) -> list[float]: ...
def _eval_kappa(a: list[int], b: list[int], weights: str) -> float | None: ...

# What `vecstore.rag` is built on
_Run = list[tuple[int, float]]
_Retry = tuple[int, float, float, int]
_Count = Callable[[str], int] | None

_MemoryState = tuple[list[tuple[str, str, int]], tuple[str, int] | None, list[tuple[str, str]]]

@final
class _RagMemory:
    def __new__(cls, max_tokens: int, keep_forgotten: bool) -> Self: ...
    def add(self, role: str, content: str, count: _Count) -> None: ...
    def messages(self) -> list[tuple[str, str]]: ...
    def format(self) -> str: ...
    def clear(self) -> None: ...
    def token_count(self) -> int: ...
    def __len__(self) -> int: ...
    def forgotten(self) -> list[tuple[str, str]]: ...
    def summary(self) -> str | None: ...
    def set_summary(self, summary: str, covered: int, count: _Count) -> None: ...
    def _state(self) -> _MemoryState: ...
    def _restore(self, state: _MemoryState) -> None: ...

@final
class _RagPrompt:
    def __new__(cls, template: str) -> Self: ...
    def variables(self) -> list[str]: ...
    def set(self, name: str, value: str) -> None: ...
    def set_default(self, name: str, value: str) -> None: ...
    def render(self) -> str: ...
    def render_and_reset(self) -> str: ...
    def format(self, values: dict[str, str]) -> str: ...
    def _state(self) -> tuple[dict[str, str], dict[str, str]]: ...

@final
class _RagEmbeddingCache:
    def __new__(cls, path: str | PathLike[str] | None, capacity: int) -> Self: ...
    def __len__(self) -> int: ...
    def close(self) -> None: ...

@final
class _RagSemanticCache:
    def __new__(
        cls,
        capacity: int,
        similarity_threshold: float,
        ttl_seconds: float | None,
        path: str | PathLike[str] | None,
    ) -> Self: ...
    def insert(self, scope: str, key: Vector, query: str, kept: Any) -> tuple[str, list[str]]: ...
    def get(self, scope: str, key: Vector) -> tuple[str, dict[str, Any], float, str] | None: ...
    def contains(self, scope: str, key: Vector) -> bool: ...
    def remove(self, id: str) -> bool: ...
    def remove_expired(self) -> list[str]: ...
    def clear(self) -> None: ...
    def stats(self) -> tuple[int, int, int, int, int]: ...
    def close(self) -> None: ...

@final
class _RagFlow:
    @staticmethod
    def embed(
        texts: list[str], batch_size: int, cache: _RagEmbeddingCache | None, retry: _Retry
    ) -> _RagFlow: ...
    @staticmethod
    def expand(query: str, kind: str, count: int, retry: _Retry) -> _RagFlow: ...
    @staticmethod
    def retrieve(
        query: str,
        k: int,
        fetch_k: int,
        kind: str | None,
        count: int,
        has_model: bool,
        reranks: bool,
        fusion_k: float,
        by_text: bool,
        synonyms: list[tuple[str, list[str]]],
        cache: _RagEmbeddingCache | None,
        retry: _Retry,
    ) -> _RagFlow: ...
    def resume(self, name: str, payload: Any) -> tuple[str, Any]: ...

def _rag_estimate_tokens(text: str) -> int: ...
def _rag_truncate(text: str, budget: int, count: _Count) -> str: ...
def _rag_pack(
    texts: list[str],
    max_tokens: int,
    reserved_tokens: int,
    text_tokens_max: int | None,
    truncate: bool,
    duplicate_threshold: float | None,
    edges_first: bool,
    numbered: bool,
    count: _Count,
) -> list[tuple[int, str, int]]: ...
def _rag_unlike(texts: list[str], threshold: float) -> list[int]: ...
def _rag_synonyms(query: str, synonyms: list[tuple[str, list[str]]]) -> list[str]: ...
def _rag_reword(query: str, synonyms: list[tuple[str, list[str]]], most: int) -> list[str]: ...
def _rag_answer_opening(query: str) -> str: ...
def _rag_variations(query: str, prefixes: list[str]) -> list[str]: ...
def _rag_decompose(query: str, most: int) -> list[str]: ...
def _rag_parse_lines(answer: str, most: int) -> list[str]: ...
def _rag_hashed(texts: list[str], dim: int) -> list[list[float]]: ...
def _rag_merge(
    chunks: list[tuple[str, int, str]], gap: int
) -> list[tuple[str, int, int, str, list[int]]]: ...
def _rag_citations(
    answer: str, sources: list[str], threshold: float
) -> tuple[
    list[
        tuple[
            int,
            tuple[int, int],
            tuple[int, int],
            tuple[int, int] | None,
            float | None,
            bool | None,
            list[str],
        ]
    ],
    list[tuple[int, int]],
]: ...
def _rag_rrf(runs: list[_Run], k: float, weights: list[float] | None) -> _Run: ...
def _rag_borda(runs: list[_Run]) -> _Run: ...
def _rag_weighted(runs: list[_Run], weights: list[float], normalized: str) -> _Run: ...
def _rag_average(runs: list[_Run], normalized: str) -> _Run: ...
def _rag_ranking(scores: list[float], count: int) -> _Run: ...
def _rag_rescored(neighbors: list[Neighbor], ranked: _Run) -> list[Neighbor]: ...
def _rag_mmr(neighbors: list[Neighbor], query: Vector | None, lambda_: float, k: int) -> list[Neighbor]: ...
def _rag_max_sim(query: Vectors, text: Vectors, normalize: bool) -> float: ...
def _rag_bm25(query: str, texts: list[str], k1: float, b: float, analyzer: str) -> list[float]: ...
def _rag_context(
    history: list[str], texts: list[str], scores: list[float], weight: float, decay: float
) -> list[float]: ...
def parse_filter(text: str, params: Metadata | None = None) -> FilterExpr: ...
def _is_own_interpreter() -> bool: ...
def _quota_preset(free: bool) -> tuple[int | None, int | None, int | None, int | None]: ...
def _record(
    id: str,
    vector: list[float] | None,
    metadata: dict[str, Any] | None,
    text: str | None,
    sparse: Sparse | None,
    expires_at: datetime | None,
    deleted: bool,
    vectors: list[list[float]] | None,
) -> Record: ...
def _reopened(class_: type[VecStore], path: str, options: dict[str, Any]) -> VecStore: ...

# Splitters
_Text = str | bytes
_Sizer = str | Callable[[str], int]

@final
class TextChunk:
    def __new__(
        cls,
        index: int,
        content: str,
        char_start: int,
        char_end: int,
        byte_start: int,
        byte_end: int,
        metadata: dict[str, Any] | None = None,
    ) -> Self: ...
    @property
    def index(self) -> int: ...
    @property
    def content(self) -> str: ...
    @property
    def char_start(self) -> int: ...
    @property
    def char_end(self) -> int: ...
    @property
    def byte_start(self) -> int: ...
    @property
    def byte_end(self) -> int: ...
    @property
    def metadata(self) -> dict[str, Any]: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class _Splitter:
    def split_text(self, text: _Text) -> list[str]: ...
    def split_with_metadata(self, text: _Text) -> list[TextChunk]: ...
    def split_offsets(self, text: _Text, unit: str) -> Any: ...
    def split_many(self, texts: Iterable[_Text], threads: int | None) -> list[list[str]]: ...

@final
class _SemanticCore:
    def session(self, text: _Text) -> _SemanticSession: ...

@final
class _SemanticSession:
    def next_batch(self) -> list[str]: ...
    def supply(self, vectors: Iterable[Any]) -> None: ...
    def texts(self) -> list[str]: ...
    def text_chunks(self) -> list[TextChunk]: ...
    def offsets(self, unit: str) -> Any: ...

def _split_recursive(
    chunk_size: int,
    chunk_overlap: int,
    sizer: _Sizer,
    separators: list[str] | None,
    patterns: bool,
    keep: str,
    strip: bool,
    graphemes: bool,
) -> _Splitter: ...
def _split_tokens(max_tokens: int, token_overlap: int, encoding: _Sizer, graphemes: bool) -> _Splitter: ...
def _split_sentences(
    chunk_size: int, chunk_overlap: int, sizer: _Sizer, abbreviations: list[str], corrected: bool
) -> _Splitter: ...
def _split_markdown(chunk_size: int, chunk_overlap: int, sizer: _Sizer) -> _Splitter: ...
def _split_html(chunk_size: int, chunk_overlap: int, sizer: _Sizer) -> _Splitter: ...
def _split_json(chunk_size: int, chunk_overlap: int, sizer: _Sizer) -> _Splitter: ...
def _split_code(chunk_size: int, chunk_overlap: int, sizer: _Sizer, language: str | None) -> _Splitter: ...
def _split_languages() -> list[str]: ...
def _split_semantic(
    max_chunk_size: int,
    min_chunk_size: int,
    threshold: str,
    amount: float | None,
    buffer_size: int,
    batch_size: int,
    sizer: _Sizer,
) -> _SemanticCore: ...
def _token_count(text: _Text, encoding: str) -> int: ...
