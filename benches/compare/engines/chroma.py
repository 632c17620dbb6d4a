from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from benches.compare.data import FloatArray, Metadata
from benches.compare.engines.base import BUILD_WIDTH, GRAPH_LINKS, Condition, Search, Store, Upsert


class Chroma(Store):
    """A persistent client; its only index is HNSW, so it has no exact search."""

    name = "chroma"
    module = "chromadb"
    distribution = "chromadb"
    variants: ClassVar = dict.fromkeys(("default", "hnsw"), "as SQLite's and its log's defaults have it")
    indexed = frozenset({"hnsw"})
    width_name = "ef_search"
    rows_per_call: ClassVar[int] = 5_461

    def __init__(self, variant: str | None = None) -> None:
        super().__init__(variant)
        self._settings: dict[str, int] = {}

    def create(self, path: Path, dim: int) -> None:  # noqa: ARG002
        self._path = path
        self._client = self._connect(path)
        self._collection = self._client.create_collection(
            "rows", embedding_function=None, configuration={"hnsw": self._index_settings()}
        )

    def _index_settings(self) -> dict[str, object]:
        if self.variant == "default":
            return {"space": "cosine"}
        return {"space": "cosine", "max_neighbors": GRAPH_LINKS, "ef_construction": BUILD_WIDTH}

    def settle(self) -> None:
        """Asks once: what is only in its log moves to the graph with a query or a write."""
        self._collection.query(query_embeddings=[[1.0] * self.expected_dim], n_results=1, include=[])

    def delete_many(self, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), self.rows_per_call):
            self._collection.delete(ids=list(ids[start : start + self.rows_per_call]))

    def open(self, path: Path) -> None:
        self._path = path
        self._client = self._connect(path)
        self._collection = self._client.get_collection("rows", embedding_function=None)

    def _connect(self, path: Path) -> Any:
        settings = self.library.Settings(anonymized_telemetry=False)
        return self.library.PersistentClient(path=str(path), settings=settings)

    def close(self) -> None:
        self._client.close()

    def upsert_many(
        self, ids: Sequence[str], vectors: FloatArray, metadata: Sequence[Metadata] | None
    ) -> None:
        self._collection.upsert(ids=list(ids), embeddings=vectors, metadatas=metadata)

    def upserter(self) -> Upsert:
        upsert = self._collection.upsert
        return lambda row_id, vector, metadata: upsert(
            ids=[row_id], embeddings=[vector], metadatas=[metadata]
        )

    def search(self, k: int, *, metadata: bool) -> Search:
        query = self._collection.query
        include = ["metadatas", "distances"] if metadata else ["distances"]
        return lambda vector: query(query_embeddings=[vector], n_results=k, include=include)

    def index_search(self, k: int, width: float) -> Search:
        self._configure(ef_search=int(width))
        return self.search(k, metadata=False)

    def _configure(self, **settings: int) -> None:
        """Changes settings of the index, which hold from the next opening on."""
        if settings != self._settings:
            self._collection.modify(configuration={"hnsw": settings})
            self.close()
            self.open(self._path)
            self._settings = settings

    def filtered_search(self, k: int, width: float, condition: Condition) -> Search:
        self._configure(ef_search=int(width))
        query, field = self._collection.query, condition.field
        where: dict[str, object] = (
            {field: {"$in": list(condition.texts)}}
            if condition.texts
            else {"$and": [{field: {"$gte": condition.low}}, {field: {"$lt": condition.high}}]}
        )
        return lambda vector: query(
            query_embeddings=[vector], n_results=k, where=where, include=["distances"]
        )

    def batch_search(self, k: int, width: float, threads: int) -> Search:
        self._configure(ef_search=int(width), num_threads=threads)
        query = self._collection.query
        return lambda vectors: query(query_embeddings=vectors, n_results=k, include=["distances"])

    def batch_rows(self, result: Any) -> list[list[int]]:
        return [[int(row_id) for row_id in ids] for ids in result["ids"]]

    def rows(self, result: Any) -> list[int]:
        return [int(row_id) for row_id in result["ids"][0]]

    def parameters(self) -> dict[str, object]:
        if self.variant == "default":
            return {"index": "HNSW, defaults"}
        return {"index": "HNSW", **self._index_settings()}
