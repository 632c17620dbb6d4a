from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from benches.compare.data import FloatArray, Metadata
from benches.compare.engines.base import Search, Store, Upsert


class QdrantEdge(Store):
    """A shard with its defaults. Ids are the row numbers: it takes integers and UUIDs only."""

    name = "qdrant-edge"
    module = "qdrant_edge"
    distribution = "qdrant-edge-py"
    variants: ClassVar = {
        "wal": "write-ahead log, no fsync until flush or close",
        "flush": "flush() after each call",
    }

    def create(self, path: Path, dim: int) -> None:
        path.mkdir(parents=True)
        vectors = self.library.EdgeVectorParams(size=dim, distance=self.library.Distance.Cosine)
        self._shard = self.library.EdgeShard.create(str(path), self.library.EdgeConfig(vectors=vectors))

    def open(self, path: Path) -> None:
        self._shard = self.library.EdgeShard.load(str(path))

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

    def _searcher(self, k: int, params: Any, *, metadata: bool) -> Search:
        search, request, nearest = self._shard.search, self.library.SearchRequest, self.library.Query.Nearest
        if not metadata:
            return lambda vector: search(request(nearest(vector), k, params=params))
        # A payload becomes a dict only when it is read.
        return lambda vector: [
            (point.id, point.score, point.payload)
            for point in search(request(nearest(vector), k, params=params, with_payload=True))
        ]

    def rows(self, result: Any) -> list[int]:
        return [int(point[0] if isinstance(point, tuple) else point.id) for point in result]

    def parameters(self) -> dict[str, object]:
        return {"distance": "Cosine", "optimize()": "not called: no graph"}
