"""`RayCollection` with awaited methods, written by python/tools/generate_ray_async.py."""

# ruff: noqa: E501 (first lines of docstrings, with where the rest is)

from __future__ import annotations

import os
import typing
from collections import abc
from types import TracebackType

from vecstore._async_calls import Opened, Threads, Twin
from vecstore._plans import ExplainedNeighbor, QueryEstimate, QueryPlan
from vecstore._progress import Progress
from vecstore._searches import Duplicate, Group, HybridQuery, PrefetchQuery, Query, UniqueResult
from vecstore._types import Embedder, Filter, Metadata, OrderBy, Sparse, Splitter, Vector, Vectors
from vecstore._values import (
    BackupResult,
    BatchOperation,
    BatchResult,
    CompactionConfig,
    CompactionResult,
    ExportResult,
    FieldIndex,
    HNSWSearchParams,
    ImportResult,
    Page,
    Snapshot,
    VerifyReport,
)
from vecstore._vecstore import Record
from vecstore.distributed._collection import RayCollection
from vecstore.distributed._config import RayConfig
from vecstore.distributed._merge import Answers, Found
from vecstore.distributed._searching import _Fusion, _Include, _Strategy
from vecstore.distributed._values import RayStats, RebalanceResult

if typing.TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow
    from typing_extensions import Self

__all__ = ["AsyncRayCollection"]


class AsyncRayCollection(Twin[RayCollection]):
    """A `RayCollection` whose methods are awaited, on threads of its own.

    >>> async with await AsyncRayCollection.open(uri, shards=2, config=config) as docs:
    ...     await docs.upsert("apple", [0.9, 0.1, 0.0])
    ...     await docs.count()
    1
    """

    __slots__ = ()

    def __init__(self, collection: RayCollection) -> None:
        self._opened = Opened(lambda: collection, collection)
        self._threads = Threads()

    @classmethod
    async def open(
        cls,
        uri: str | os.PathLike[str],
        shards: int | None = None,
        replicas: int | None = None,
        config: RayConfig | None = None,
    ) -> AsyncRayCollection:
        """Opens the collection at a uri, or makes it. See `RayCollection.open`."""
        from vecstore._async_calls import on_a_thread

        return cls(await on_a_thread(RayCollection.open, uri, shards, replicas, config))

    async def close(self) -> None:
        """Closes the handle. See `RayCollection.close`."""
        await self._close()

    async def stop(self) -> None:
        """Ends the actors and closes the handle. See `RayCollection.stop`."""
        await self._call("stop")
        self._threads.end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        await self.close()

    def __aiter__(self) -> abc.AsyncIterator[Record]:
        return self._each("__iter__")

    @property
    def uri(self) -> str:
        """Its shared storage. See `RayCollection.uri`."""
        return self._opened.get().uri

    @property
    def shards(self) -> list[int]:
        """The numbers of the shards. See `RayCollection.shards`."""
        return self._opened.get().shards

    @property
    def config(self) -> RayConfig:
        """The options that it was opened with. See `RayCollection.config`."""
        return self._opened.get().config

    async def stats(self) -> RayStats:
        """Returns figures of all shards and of each. See `RayCollection.stats`."""
        result: RayStats = await self._call("stats")
        return result

    async def flush(self) -> None:
        """Makes what was written durable on the nodes' disks. See `RayCollection.flush`."""
        await self._call("flush")

    async def compact(self) -> int:
        """Finishes the background work of every shard now. See `RayCollection.compact`."""
        result: int = await self._call("compact")
        return result

    async def optimize(self) -> int:
        """Does the same as `compact`. See `RayCollection.optimize`."""
        result: int = await self._call("optimize")
        return result

    async def maybe_compact(self, config: CompactionConfig | None = None) -> CompactionResult:
        """Compacts shards that have enough to gain. See `RayCollection.maybe_compact`."""
        result: CompactionResult = await self._call("maybe_compact", config)
        return result

    async def verify(self) -> VerifyReport:
        """Checks every byte of every shard on its node. See `RayCollection.verify`."""
        result: VerifyReport = await self._call("verify")
        return result

    async def backup(self, path: str | os.PathLike[str], incremental: bool = True) -> BackupResult:
        """Copies all shards to another place, which `open` opens; each is as of a moment after the call See `RayCollection.backup`."""
        result: BackupResult = await self._call("backup", path, incremental)
        return result

    async def rebalance(self, shards: int) -> RebalanceResult:
        """Changes the number of shards while reads and writes go on. See `RayCollection.rebalance`."""
        result: RebalanceResult = await self._call("rebalance", shards)
        return result

    async def dimension(self) -> int | None:
        """Returns the number of components of every vector; None before the first upsert. See `RayCollection.dimension`."""
        result: int | None = await self._call("dimension")
        return result

    @property
    def distance_metric(self) -> str:
        """The metric, such as `cosine`. See `RayCollection.distance_metric`."""
        return self._opened.get().distance_metric

    async def upsert(
        self,
        id: str,
        vector: Vector,
        metadata: Metadata | None = None,
        *,
        text: str | None = None,
        sparse: Sparse | None = None,
        ttl_seconds: float | None = None,
    ) -> None:
        """Adds a record, or replaces the one with its id. See `RayCollection.upsert`."""
        await self._call("upsert", id, vector, metadata, text=text, sparse=sparse, ttl_seconds=ttl_seconds)

    async def upsert_many(
        self,
        ids: abc.Iterable[str],
        vectors: Vectors,
        metadatas: abc.Iterable[Metadata | None] | None = None,
        *,
        texts: abc.Iterable[str | None] | None = None,
        sparse: abc.Iterable[Sparse | None] | None = None,
        progress: bool = False,
    ) -> int:
        """Adds or replaces records; what is refused changes no shard. See `RayCollection.upsert_many`."""
        result: int = await self._call(
            "upsert_many", ids, vectors, metadatas, texts=texts, sparse=sparse, progress=progress
        )
        return result

    async def upsert_multi(
        self,
        id: str,
        vectors: Vectors,
        metadata: Metadata | None = None,
        *,
        text: str | None = None,
        sparse: Sparse | None = None,
        ttl_seconds: float | None = None,
    ) -> None:
        """Adds a record of several vectors. See `RayCollection.upsert_multi`."""
        await self._call(
            "upsert_multi", id, vectors, metadata, text=text, sparse=sparse, ttl_seconds=ttl_seconds
        )

    async def upsert_multi_many(
        self,
        ids: abc.Iterable[str],
        vectors: abc.Iterable[Vectors],
        metadatas: abc.Iterable[Metadata | None] | None = None,
        *,
        texts: abc.Iterable[str | None] | None = None,
    ) -> int:
        """Adds records of several vectors each. See `RayCollection.upsert_multi_many`."""
        result: int = await self._call("upsert_multi_many", ids, vectors, metadatas, texts=texts)
        return result

    async def batch_upsert(self, records: abc.Iterable[Metadata | Record | tuple[typing.Any, ...]]) -> int:
        """Adds or replaces records given as dicts, tuples or `Record`. See `RayCollection.batch_upsert`."""
        result: int = await self._call("batch_upsert", records)
        return result

    async def upsert_with_ttl(
        self, id: str, vector: Vector, metadata: Metadata | None, ttl_seconds: float
    ) -> None:
        """Adds a record that expires. See `RayCollection.upsert_with_ttl`."""
        await self._call("upsert_with_ttl", id, vector, metadata, ttl_seconds)

    async def batch_execute(self, operations: abc.Iterable[BatchOperation]) -> BatchResult:
        """Makes many changes; those that fail are in the result. See `RayCollection.batch_execute`."""
        result: BatchResult = await self._call("batch_execute", operations)
        return result

    async def set_ttl(self, id: str, ttl_seconds: float | None) -> None:
        """Makes a record expire, or not any more. See `RayCollection.set_ttl`."""
        await self._call("set_ttl", id, ttl_seconds)

    async def expire_ttl_records(self) -> int:
        """Removes what has expired for good. See `RayCollection.expire_ttl_records`."""
        result: int = await self._call("expire_ttl_records")
        return result

    async def update_metadata(self, id: str, metadata: Metadata | None) -> None:
        """Replaces the metadata of a record. See `RayCollection.update_metadata`."""
        await self._call("update_metadata", id, metadata)

    async def patch_metadata(self, id: str, changes: Metadata) -> None:
        """Sets some of the metadata of a record. See `RayCollection.patch_metadata`."""
        await self._call("patch_metadata", id, changes)

    async def update_vector(self, id: str, vector: Vector) -> None:
        """Replaces the vector of a record. See `RayCollection.update_vector`."""
        await self._call("update_vector", id, vector)

    async def index_text(self, id: str, text: str) -> None:
        """Sets the text of a record. See `RayCollection.index_text`."""
        await self._call("index_text", id, text)

    async def delete(self, id: str) -> bool:
        """Deletes a record; returns whether it was there. See `RayCollection.delete`."""
        result: bool = await self._call("delete", id)
        return result

    async def remove(self, id: str) -> None:
        """Deletes a record that must be there. See `RayCollection.remove`."""
        await self._call("remove", id)

    async def soft_delete(self, id: str) -> bool:
        """Hides a record until it is restored. See `RayCollection.soft_delete`."""
        result: bool = await self._call("soft_delete", id)
        return result

    async def restore(self, id: str) -> bool:
        """Shows a soft-deleted record again. See `RayCollection.restore`."""
        result: bool = await self._call("restore", id)
        return result

    async def delete_many(self, ids: abc.Iterable[str]) -> int:
        """Deletes records by id; returns how many were there. See `RayCollection.delete_many`."""
        result: int = await self._call("delete_many", ids)
        return result

    async def delete_where(self, filter: Filter, *, params: Metadata | None = None) -> int:
        """Deletes the records that match; returns how many. See `RayCollection.delete_where`."""
        result: int = await self._call("delete_where", filter, params=params)
        return result

    async def upsert_chunks(
        self,
        doc_id: str,
        text: str,
        splitter: Splitter,
        embedder: Embedder,
        *,
        metadata: Metadata | None = None,
        page_starts: abc.Sequence[int] | None = None,
        batch_size: int = 64,
    ) -> int:
        """Splits a document, embeds its chunks and upserts them. See `RayCollection.upsert_chunks`."""
        result: int = await self._call(
            "upsert_chunks",
            doc_id,
            text,
            splitter,
            embedder,
            metadata=metadata,
            page_starts=page_starts,
            batch_size=batch_size,
        )
        return result

    async def batch_upsert_texts(
        self, items: abc.Iterable[typing.Any], embedder: Embedder, *, batch_size: int = 64
    ) -> int:
        """Embeds texts and upserts them. See `RayCollection.batch_upsert_texts`."""
        result: int = await self._call("batch_upsert_texts", items, embedder, batch_size=batch_size)
        return result

    async def export_jsonl(
        self,
        path: str | os.PathLike[str],
        *,
        filter: Filter | None = None,
        include_deleted: bool = False,
        progress: Progress = False,
        params: Metadata | None = None,
    ) -> ExportResult:
        """Writes records to a file of JSON Lines, in ascending order of id. See `RayCollection.export_jsonl`."""
        result: ExportResult = await self._call(
            "export_jsonl",
            path,
            filter=filter,
            include_deleted=include_deleted,
            progress=progress,
            params=params,
        )
        return result

    async def import_jsonl(
        self,
        path: str | os.PathLike[str],
        *,
        batch_size: typing.SupportsIndex = 1000,
        checkpoint: str | os.PathLike[str] | None = None,
        progress: Progress = False,
    ) -> ImportResult:
        """Upserts the records of a file of JSON Lines. See `RayCollection.import_jsonl`."""
        result: ImportResult = await self._call(
            "import_jsonl", path, batch_size=batch_size, checkpoint=checkpoint, progress=progress
        )
        return result

    async def export_parquet(
        self,
        path: str | os.PathLike[str],
        *,
        filter: Filter | None = None,
        params: Metadata | None = None,
        include_deleted: bool = False,
        batch_size: int = 10000,
        compression: str = "zstd",
        progress: Progress = False,
    ) -> ExportResult:
        """Writes records to a Parquet file, in ascending order of id. See `RayCollection.export_parquet`."""
        result: ExportResult = await self._call(
            "export_parquet",
            path,
            filter=filter,
            params=params,
            include_deleted=include_deleted,
            batch_size=batch_size,
            compression=compression,
            progress=progress,
        )
        return result

    async def import_parquet(
        self,
        path: str | os.PathLike[str],
        *,
        id: str = "id",
        vector: str = "vector",
        text: str = "text",
        metadata: str = "metadata",
        batch_size: int = 1000,
        checkpoint: str | os.PathLike[str] | None = None,
        progress: Progress = False,
    ) -> ImportResult:
        """Upserts the rows of a Parquet file. See `RayCollection.import_parquet`."""
        result: ImportResult = await self._call(
            "import_parquet",
            path,
            id=id,
            vector=vector,
            text=text,
            metadata=metadata,
            batch_size=batch_size,
            checkpoint=checkpoint,
            progress=progress,
        )
        return result

    async def import_arrow(
        self,
        data: typing.Any,
        *,
        id: str = "id",
        vector: str = "vector",
        text: str = "text",
        metadata: str = "metadata",
        batch_size: int = 1000,
        progress: Progress = False,
    ) -> ImportResult:
        """Upserts the rows of Arrow data. See `RayCollection.import_arrow`."""
        result: ImportResult = await self._call(
            "import_arrow",
            data,
            id=id,
            vector=vector,
            text=text,
            metadata=metadata,
            batch_size=batch_size,
            progress=progress,
        )
        return result

    async def export_numpy(
        self,
        path: str | os.PathLike[str],
        *,
        filter: Filter | None = None,
        params: Metadata | None = None,
        include_deleted: bool = False,
        progress: Progress = False,
    ) -> ExportResult:
        """Writes records to a file of numpy, in ascending order of id. See `RayCollection.export_numpy`."""
        result: ExportResult = await self._call(
            "export_numpy",
            path,
            filter=filter,
            params=params,
            include_deleted=include_deleted,
            progress=progress,
        )
        return result

    async def import_numpy(
        self,
        path: str | os.PathLike[str],
        *,
        ids: abc.Sequence[str] | None = None,
        metadatas: abc.Sequence[Metadata | None] | None = None,
        batch_size: int = 1000,
        checkpoint: str | os.PathLike[str] | None = None,
        progress: Progress = False,
    ) -> ImportResult:
        """Upserts the vectors of a file of numpy. See `RayCollection.import_numpy`."""
        result: ImportResult = await self._call(
            "import_numpy",
            path,
            ids=ids,
            metadatas=metadatas,
            batch_size=batch_size,
            checkpoint=checkpoint,
            progress=progress,
        )
        return result

    async def get(self, id: str) -> Record | None:
        """Returns a record, None if there is none. See `RayCollection.get`."""
        result: Record | None = await self._call("get", id)
        return result

    async def get_many(self, ids: abc.Iterable[str]) -> list[Record | None]:
        """Returns records by id, None for those that are not there. See `RayCollection.get_many`."""
        result: list[Record | None] = await self._call("get_many", ids)
        return result

    async def len(self) -> int:
        """Returns the number of records that can be found. See `RayCollection.len`."""
        result: int = await self._call("len")
        return result

    async def count(self, filter: Filter | None = None, *, params: Metadata | None = None) -> int:
        """Returns how many records match. See `RayCollection.count`."""
        result: int = await self._call("count", filter, params=params)
        return result

    async def is_empty(self) -> bool:
        """Returns whether there is no record that can be found. See `RayCollection.is_empty`."""
        result: bool = await self._call("is_empty")
        return result

    async def active_count(self) -> int:
        """Returns the number of records that can be found. See `RayCollection.active_count`."""
        result: int = await self._call("active_count")
        return result

    async def deleted_count(self) -> int:
        """Returns the number of soft-deleted records. See `RayCollection.deleted_count`."""
        result: int = await self._call("deleted_count")
        return result

    async def get_text(self, id: str) -> str | None:
        """Returns the text of a record. See `RayCollection.get_text`."""
        result: str | None = await self._call("get_text", id)
        return result

    async def has_text(self, id: str) -> bool:
        """Returns whether there is a record with this id that has a text. See `RayCollection.has_text`."""
        result: bool = await self._call("has_text", id)
        return result

    async def scroll(
        self,
        filter: Filter | None = None,
        *,
        limit: int = 100,
        cursor: str | None = None,
        with_vectors: bool = False,
        order_by: OrderBy | None = None,
        params: Metadata | None = None,
    ) -> Page:
        """Returns a page of records in order of their ids, or of a value. See `RayCollection.scroll`."""
        result: Page = await self._call(
            "scroll",
            filter,
            limit=limit,
            cursor=cursor,
            with_vectors=with_vectors,
            order_by=order_by,
            params=params,
        )
        return result

    async def list_all(self) -> list[Record]:
        """Returns all records, soft-deleted ones too, in order of their ids. See `RayCollection.list_all`."""
        result: list[Record] = await self._call("list_all")
        return result

    async def list_active(self) -> list[Record]:
        """Returns the records that can be found, in order of their ids. See `RayCollection.list_active`."""
        result: list[Record] = await self._call("list_active")
        return result

    async def list_deleted(self) -> list[Record]:
        """Returns the soft-deleted records, in order of their ids. See `RayCollection.list_deleted`."""
        result: list[Record] = await self._call("list_deleted")
        return result

    async def create_index(self, path: str, kind: str | None = None) -> None:
        """Indexes a field of the metadata, on every shard. See `RayCollection.create_index`."""
        await self._call("create_index", path, kind)

    async def drop_index(self, path: str) -> bool:
        """Drops an index, on every shard. See `RayCollection.drop_index`."""
        result: bool = await self._call("drop_index", path)
        return result

    async def list_indexes(self) -> list[FieldIndex]:
        """Returns the indexes, in order of their paths. See `RayCollection.list_indexes`."""
        result: list[FieldIndex] = await self._call("list_indexes")
        return result

    async def distinct(
        self, path: str, filter: Filter | None = None, *, params: Metadata | None = None
    ) -> list[typing.Any]:
        """Returns the values at a path, in order. See `RayCollection.distinct`."""
        result: list[typing.Any] = await self._call("distinct", path, filter, params=params)
        return result

    async def facets(
        self,
        path: str,
        filter: Filter | None = None,
        *,
        limit: int | None = None,
        buckets: abc.Iterable[typing.Any] | None = None,
        params: Metadata | None = None,
    ) -> list[typing.Any]:
        """Returns how many records have each value, or one in each bucket. See `RayCollection.facets`."""
        result: list[typing.Any] = await self._call(
            "facets", path, filter, limit=limit, buckets=buckets, params=params
        )
        return result

    async def to_arrow(
        self, filter: Filter | None = None, *, params: Metadata | None = None, with_vectors: bool = True
    ) -> pyarrow.Table:
        """Returns the records that match as a table of Arrow. See `RayCollection.to_arrow`."""
        result: pyarrow.Table = await self._call("to_arrow", filter, params=params, with_vectors=with_vectors)
        return result

    async def to_pandas(
        self, filter: Filter | None = None, *, params: Metadata | None = None, with_vectors: bool = True
    ) -> pandas.DataFrame:
        """Returns the records that match as a frame of pandas. See `RayCollection.to_pandas`."""
        result: pandas.DataFrame = await self._call(
            "to_pandas", filter, params=params, with_vectors=with_vectors
        )
        return result

    async def to_polars(
        self, filter: Filter | None = None, *, params: Metadata | None = None, with_vectors: bool = True
    ) -> polars.DataFrame:
        """Returns the records that match as a frame of polars. See `RayCollection.to_polars`."""
        result: polars.DataFrame = await self._call(
            "to_polars", filter, params=params, with_vectors=with_vectors
        )
        return result

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
        boost: typing.Any = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
        prefix_dim: int | None = None,
        partial: bool = False,
    ) -> Found:
        """Returns the records nearest to a vector. See `RayCollection.query`."""
        result: Found = await self._call(
            "query",
            vector,
            k,
            filter,
            recall=recall,
            exact=exact,
            offset=offset,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
            prefix_dim=prefix_dim,
            partial=partial,
        )
        return result

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
        boost: typing.Any = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
        partial: bool = False,
    ) -> Answers:
        """Answers many queries at once. See `RayCollection.query_batch`."""
        result: Answers = await self._call(
            "query_batch",
            vectors,
            k,
            filter,
            recall=recall,
            exact=exact,
            offset=offset,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
            partial=partial,
        )
        return result

    async def query_with_filter(
        self, vector: Vector, k: int, filter: Filter | None, *, params: Metadata | None = None
    ) -> Found:
        """Returns the nearest records that match. See `RayCollection.query_with_filter`."""
        result: Found = await self._call("query_with_filter", vector, k, filter, params=params)
        return result

    async def query_with_params(self, query: Query, params: HNSWSearchParams) -> Found:
        """Runs a `Query` with the recall of a preset. See `RayCollection.query_with_params`."""
        result: Found = await self._call("query_with_params", query, params)
        return result

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
        boost: typing.Any = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
    ) -> Found:
        """Returns the records nearest to another one. See `RayCollection.query_by_id`."""
        result: Found = await self._call(
            "query_by_id",
            id,
            k,
            filter,
            include_self=include_self,
            recall=recall,
            exact=exact,
            offset=offset,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
        )
        return result

    async def text_query(
        self,
        keywords: str,
        k: int = 10,
        filter: Filter | None = None,
        *,
        offset: int = 0,
        min_score: float | None = None,
        boost: typing.Any = None,
        boosts: abc.Mapping[str, float] | None = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
        partial: bool = False,
    ) -> Found:
        """Returns the records whose texts match words best, by BM25 over all shards. See `RayCollection.text_query`."""
        result: Found = await self._call(
            "text_query",
            keywords,
            k,
            filter,
            offset=offset,
            min_score=min_score,
            boost=boost,
            boosts=boosts,
            include=include,
            params=params,
            partial=partial,
        )
        return result

    async def sparse_query(
        self,
        indices_values: Sparse,
        k: int = 10,
        filter: Filter | None = None,
        *,
        offset: int = 0,
        min_score: float | None = None,
        boost: typing.Any = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
        partial: bool = False,
    ) -> Found:
        """Returns the records whose sparse vectors have the largest dot products. See `RayCollection.sparse_query`."""
        result: Found = await self._call(
            "sparse_query",
            indices_values,
            k,
            filter,
            offset=offset,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
            partial=partial,
        )
        return result

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
        boosts: abc.Mapping[str, float] | None = None,
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: typing.Any = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
        partial: bool = False,
    ) -> Found:
        """Returns the records that match a vector and words best, fused after the merge. See `RayCollection.hybrid_query`."""
        result: Found = await self._call(
            "hybrid_query",
            vector,
            keywords,
            k,
            alpha,
            filter,
            fusion=fusion,
            rrf_k=rrf_k,
            candidates=candidates,
            autocut=autocut,
            boosts=boosts,
            recall=recall,
            exact=exact,
            offset=offset,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
            partial=partial,
        )
        return result

    async def recommend(
        self,
        positive: str | abc.Sequence[str | Vector] | Vectors,
        negative: str | abc.Sequence[str | Vector] | Vectors = (),
        k: int = 10,
        filter: Filter | None = None,
        *,
        strategy: _Strategy = "average_vector",
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: typing.Any = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
    ) -> Found:
        """Returns records like some and unlike others. See `RayCollection.recommend`."""
        result: Found = await self._call(
            "recommend",
            positive,
            negative,
            k,
            filter,
            strategy=strategy,
            recall=recall,
            exact=exact,
            offset=offset,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
        )
        return result

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
        boost: typing.Any = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
    ) -> Found:
        """Returns records that are near and unlike each other. See `RayCollection.mmr_query`."""
        result: Found = await self._call(
            "mmr_query",
            vector,
            k,
            fetch_k,
            lambda_,
            filter,
            recall=recall,
            exact=exact,
            offset=offset,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
        )
        return result

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
        boost: typing.Any = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
    ) -> list[Group]:
        """Returns the best records of the best groups. See `RayCollection.group_query`."""
        result: list[Group] = await self._call(
            "group_query",
            vector,
            by,
            groups,
            group_size,
            filter,
            recall=recall,
            exact=exact,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
        )
        return result

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
        boost: typing.Any = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
    ) -> Found:
        """Returns the records nearest to several vectors at once. See `RayCollection.multi_query`."""
        result: Found = await self._call(
            "multi_query",
            vectors,
            k,
            filter,
            candidates=candidates,
            recall=recall,
            exact=exact,
            offset=offset,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
        )
        return result

    async def query_text(
        self,
        text: str,
        embedder: Embedder,
        k: int = 10,
        filter: Filter | None = None,
        *,
        params: Metadata | None = None,
    ) -> typing.Any:
        """Embeds a text and returns the records nearest to it. See `RayCollection.query_text`."""
        result: typing.Any = await self._call("query_text", text, embedder, k, filter, params=params)
        return result

    async def highlight(
        self,
        keywords: str,
        text: str,
        *,
        before: str = "<b>",
        after: str = "</b>",
        length: int = 160,
        passages: int = 3,
    ) -> list[str]:
        """Returns passages of a text that show what of the keywords is in it. See `RayCollection.highlight`."""
        result: list[str] = await self._call(
            "highlight", keywords, text, before=before, after=after, length=length, passages=passages
        )
        return result

    async def find_duplicates(
        self,
        threshold: float = 0.98,
        filter: Filter | None = None,
        *,
        recall: float = 0.99,
        exact: bool = False,
        params: Metadata | None = None,
    ) -> list[Duplicate]:
        """Returns the records that are too like another one, in order of id. See `RayCollection.find_duplicates`."""
        result: list[Duplicate] = await self._call(
            "find_duplicates", threshold, filter, recall=recall, exact=exact, params=params
        )
        return result

    async def upsert_unique(
        self,
        ids: abc.Iterable[str],
        vectors: Vectors,
        metadatas: abc.Iterable[Metadata | None] | None = None,
        *,
        threshold: float = 0.98,
        texts: abc.Iterable[str | None] | None = None,
        sparse: abc.Iterable[Sparse | None] | None = None,
        recall: float = 0.99,
        exact: bool = False,
    ) -> UniqueResult:
        """Adds or replaces the records that are not like another one. See `RayCollection.upsert_unique`."""
        result: UniqueResult = await self._call(
            "upsert_unique",
            ids,
            vectors,
            metadatas,
            threshold=threshold,
            texts=texts,
            sparse=sparse,
            recall=recall,
            exact=exact,
        )
        return result

    async def prefetch_query(self, query: PrefetchQuery) -> Found:
        """Searches in stages. See `RayCollection.prefetch_query`."""
        result: Found = await self._call("prefetch_query", query)
        return result

    async def explain_query(self, query: Query | Vector) -> QueryPlan:
        """Runs a query and returns how it was done. See `RayCollection.explain_query`."""
        result: QueryPlan = await self._call("explain_query", query)
        return result

    async def query_explain(self, query: Query | HybridQuery | Vector) -> list[ExplainedNeighbor]:
        """Runs a query and returns its neighbors and how each was found. See `RayCollection.query_explain`."""
        result: list[ExplainedNeighbor] = await self._call("query_explain", query)
        return result

    async def estimate_query(self, query: Query | Vector) -> QueryEstimate:
        """Runs a query five times and returns what it takes. See `RayCollection.estimate_query`."""
        result: QueryEstimate = await self._call("estimate_query", query)
        return result

    async def save(self) -> None:
        """Makes a checkpoint of every shard: shared storage then has all records, whatever ``replication`` See `RayCollection.save`."""
        await self._call("save")

    async def create_snapshot(self, name: str) -> Snapshot:
        """Keeps the records as they are now under a name. See `RayCollection.create_snapshot`."""
        result: Snapshot = await self._call("create_snapshot", name)
        return result

    async def list_snapshots(self) -> list[Snapshot]:
        """Returns the snapshots that are kept, in the order they were made. See `RayCollection.list_snapshots`."""
        result: list[Snapshot] = await self._call("list_snapshots")
        return result

    async def delete_snapshot(self, name: str) -> bool:
        """Deletes a snapshot, and returns whether it was there. See `RayCollection.delete_snapshot`."""
        result: bool = await self._call("delete_snapshot", name)
        return result

    async def restore_snapshot(self, name: str) -> None:
        """Makes the records what they were when the snapshot was made. See `RayCollection.restore_snapshot`."""
        await self._call("restore_snapshot", name)
