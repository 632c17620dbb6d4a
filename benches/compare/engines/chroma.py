from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from benches.compare.data import FloatArray, Metadata
from benches.compare.engines.base import Search, Store, Upsert


class Chroma(Store):
    """A persistent client; its only index is HNSW, so it has no exact search."""

    name = "chroma"
    module = "chromadb"
    distribution = "chromadb"
    variants: ClassVar = {"default": "as SQLite's and its log's defaults have it"}
    rows_per_call = 5_461

    def create(self, path: Path, dim: int) -> None:  # noqa: ARG002
        self._client = self._connect(path)
        self._collection = self._client.create_collection(
            "rows", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )

    def open(self, path: Path) -> None:
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

    def rows(self, result: Any) -> list[int]:
        return [int(row_id) for row_id in result["ids"][0]]

    def parameters(self) -> dict[str, object]:
        return {"index": "HNSW, defaults"}
