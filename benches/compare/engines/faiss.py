from __future__ import annotations

from typing import Any, ClassVar

from benches.compare.data import FloatArray
from benches.compare.engines.base import InMemory, Search


class Faiss(InMemory):
    """IndexFlatIP: exact inner product, and with unit vectors exact cosine."""

    name = "faiss"
    module = "faiss"
    distribution = "faiss-cpu"
    variants: ClassVar = {"flat": "in memory"}

    def load(self, vectors: FloatArray) -> None:
        self._index = self.library.IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)

    def exact_search(self, k: int) -> Search:
        search = self._index.search
        return lambda vector: search(vector.reshape(1, -1), k)

    def rows(self, result: Any) -> list[int]:
        _, rows = result
        return [int(row) for row in rows[0]]

    def parameters(self) -> dict[str, object]:
        return {"index": "IndexFlatIP"}
