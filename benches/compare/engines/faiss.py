from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..data import FloatArray, Metadata
from .base import Engine, Search


class Faiss(Engine):
    """IndexFlatIP: exact inner product, and with it exact cosine of unit vectors. Ids are the row numbers."""

    name = "faiss"
    module = "faiss"
    distribution = "faiss-cpu"
    variants = {"flat": "in memory"}  # noqa: RUF012
    persistent = False

    def create(self, path: Path, dim: int) -> None:  # noqa: ARG002
        self._index = self.library.IndexFlatIP(dim)

    def upsert_many(
        self, ids: Sequence[str], vectors: FloatArray, metadata: Sequence[Metadata] | None
    ) -> None:  # noqa: ARG002
        self._index.add(vectors)

    def exact_search(self, k: int) -> Search:
        search = self._index.search
        return lambda vector: search(vector.reshape(1, -1), k)

    def rows(self, result: Any) -> list[int]:
        _, rows = result
        return [int(row) for row in rows[0]]

    def parameters(self) -> dict[str, object]:
        return {"index": "IndexFlatIP"}
