from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from benches.compare.data import FloatArray, Metadata
from benches.compare.engines.base import (
    BUILD_WIDTH,
    FILTER_NUMBER_FIELDS,
    FILTER_TEXT_FIELDS,
    GRAPH_LINKS,
    Condition,
    Search,
    Store,
    Upsert,
    available_cores,
)

# Codes of the graph's variants, and how many times k of their candidates it rescores on float32.
OVERSAMPLING = {"int8": 1.0, "int8-x2": 2.0, "4bit": 1.0, "4bit-x2": 2.0}
FULL_SCAN_KILOBYTES = 10_000  # its default
INDEXING_KILOBYTES = 10_000  # its default
# One segment for all rows: a query on one thread visits one graph, which is its fastest.
SEGMENT_KILOBYTES = 100_000_000


class QdrantEdge(Store):
    """A shard. Ids are the row numbers: it takes integers and UUIDs only."""

    name = "qdrant-edge"
    module = "qdrant_edge"
    distribution = "qdrant-edge-py"
    variants: ClassVar = {
        "wal": "write-ahead log, no fsync until flush or close",
        "flush": "flush() after each call",
        **dict.fromkeys(OVERSAMPLING, "write-ahead log, no fsync until flush or close"),
    }
    indexed = frozenset(OVERSAMPLING)
    built_as: ClassVar = {"int8-x2": "int8", "4bit-x2": "4bit"}
    width_name = "hnsw_ef"

    def create(self, path: Path, dim: int) -> None:
        path.mkdir(parents=True)
        q, vectors = self.library, self._vector_params(dim)
        settings = self._index_settings() if self.variant in self.indexed else {}
        self._shard = q.EdgeShard.create(str(path), q.EdgeConfig(vectors=vectors, **settings))
        if self.filterable:
            kinds = q.PayloadSchemaType
            fields = dict.fromkeys(FILTER_TEXT_FIELDS, kinds.Keyword)
            fields.update(dict.fromkeys(FILTER_NUMBER_FIELDS, kinds.Integer))
            for field, kind in fields.items():
                self._shard.update(q.UpdateOperation.create_field_index(field, kind))

    def _vector_params(self, dim: int) -> Any:
        return self.library.EdgeVectorParams(size=dim, distance=self.library.Distance.Cosine)

    def _index_settings(self) -> dict[str, Any]:
        q = self.library
        codes = (
            q.TurboQuantQuantizationConfig(bits=q.TurboQuantBitSize.Bits4, memory=q.Memory.Pinned)
            if self.variant.startswith("4bit")
            else q.ScalarQuantizationConfig(type=q.ScalarType.Int8, memory=q.Memory.Pinned)
        )
        return {
            "hnsw_config": q.HnswIndexConfig(GRAPH_LINKS, BUILD_WIDTH, FULL_SCAN_KILOBYTES),
            "quantization_config": codes,
            "optimizers": q.EdgeOptimizersConfig(
                default_segment_number=1,
                max_segment_size=SEGMENT_KILOBYTES,
                indexing_threshold=INDEXING_KILOBYTES,
            ),
        }

    def settle(self) -> None:
        self._shard.optimize()

    def delete_many(self, ids: Sequence[str]) -> None:
        self._shard.update(self.library.UpdateOperation.delete_points([int(row_id) for row_id in ids]))

    def open(self, path: Path) -> None:
        self._load(path, None)

    def _load(self, path: Path, threads: int | None) -> None:
        """Opens a shard; the size of its pool stays with it on disk, so each opening sets it."""
        self._path = path
        if self.variant not in self.indexed:
            self._shard = self.library.EdgeShard.load(str(path))
            return
        config = self.library.EdgeConfig(
            vectors=self._vector_params(self.expected_dim),
            max_search_threads=threads or available_cores(),
            **self._index_settings(),
        )
        self._shard = self.library.EdgeShard.load(str(path), config)

    def close(self) -> None:
        self._shard.flush()
        self._shard.close()

    def upsert_many(
        self, ids: Sequence[str], vectors: FloatArray, metadata: Sequence[Metadata] | None
    ) -> None:
        point = self.library.Point
        records: Sequence[Metadata | None] = [None] * len(ids) if metadata is None else metadata
        points = [point(int(row_id), vector, record) for row_id, vector, record in zip(ids, vectors, records)]
        self._shard.update(self.library.UpdateOperation.upsert_points(points))
        if self.variant == "flush":
            self._shard.flush()

    def upserter(self) -> Upsert:
        point, upsert_points = self.library.Point, self.library.UpdateOperation.upsert_points
        update, flush, flushes = self._shard.update, self._shard.flush, self.variant == "flush"

        def upsert(row_id: str, vector: FloatArray, metadata: Metadata) -> None:
            update(upsert_points([point(int(row_id), vector, metadata)]))
            if flushes:
                flush()

        return upsert

    def exact_search(self, k: int) -> Search:
        return self._searcher(k, self.library.SearchParams(exact=True), metadata=False)

    def search(self, k: int, *, metadata: bool) -> Search:
        return self._searcher(k, None, metadata=metadata)

    def _searcher(self, k: int, params: Any, *, metadata: bool, filter_: Any = None) -> Search:
        search, request, nearest = self._shard.search, self.library.SearchRequest, self.library.Query.Nearest
        if not metadata:
            return lambda vector: search(request(nearest(vector), k, params=params, filter=filter_))
        # A payload becomes a dict only when it is read.
        return lambda vector: [
            (point.id, point.score, point.payload)
            for point in search(request(nearest(vector), k, params=params, with_payload=True))
        ]

    def index_search(self, k: int, width: float) -> Search:
        return self._searcher(k, self._search_params(width), metadata=False)

    def filtered_search(self, k: int, width: float, condition: Condition) -> Search:
        q = self.library
        kept = (
            q.FieldCondition(condition.field, match=q.MatchAny(list(condition.texts)))
            if condition.texts
            else q.FieldCondition(condition.field, range=q.RangeFloat(gte=condition.low, lt=condition.high))
        )
        return self._searcher(k, self._search_params(width), metadata=False, filter_=q.Filter(must=[kept]))

    def _search_params(self, width: float) -> Any:
        oversampling = OVERSAMPLING[self.variant]
        quantization = self.library.QuantizationSearchParams(rescore=True, oversampling=oversampling)
        return self.library.SearchParams(hnsw_ef=int(width), quantization=quantization)

    def batch_search(self, k: int, width: float, threads: int) -> Search:
        # The pool's size is a setting of an open shard.
        self.close()
        self._load(self._path, threads)
        params, query_batch = self._search_params(width), self._shard.query_batch
        request, batch = self.library.QueryRequest, self.library.QueryBatchRequest
        nearest = self.library.Query.Nearest
        return lambda vectors: query_batch(
            batch([request(k, query=nearest(vector), params=params) for vector in vectors])
        )

    def batch_rows(self, result: Any) -> list[list[int]]:
        return [self.rows(points) for points in result]

    def rows(self, result: Any) -> list[int]:
        return [int(point[0] if isinstance(point, tuple) else point.id) for point in result]

    def parameters(self) -> dict[str, object]:
        if self.variant not in self.indexed:
            return {"distance": "Cosine", "optimize()": "not called: no graph"}
        codes = "TurboQuant 4 bits" if self.variant.startswith("4bit") else "scalar int8"
        oversampling = OVERSAMPLING[self.variant]
        return {
            "distance": "Cosine",
            "m": GRAPH_LINKS,
            "ef_construct": BUILD_WIDTH,
            "codes": codes,
            "rescore": True,
            "oversampling": oversampling,
            "segments": 1,
        }
